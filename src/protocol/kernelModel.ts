/**
 * What the kernel is doing to memory, as plain JSON: the inspector's data and the memory report are this one shape.
 * Addresses are hexadecimal strings (`0x…`, no padding); frames are numbers, counted from the start of RAM:
 * frame `f` is the 4096 bytes at `memoryBase + 4096 * f`. Described for people in docs/memory-report.md.
 */
export interface KernelModel {
	readonly format: 1;
	/** Counts the models that one view has made; a delta names the number it builds on. */
	readonly sequence: number;
	/** Retired instructions at this moment, over all harts: guest time. */
	readonly instret: number;
	readonly memoryBase: Hex;
	readonly memoryBytes: number;
	/** The kernel stopped in `panic`. */
	readonly panicked: boolean;
	readonly harts: readonly HartModel[];
	/** Slots of `proc[]` that are in use, in slot order. */
	readonly processes: readonly ProcessModel[];
	/** The kernel's own space first (pid 0), then one a process. */
	readonly spaces: readonly SpaceModel[];
	readonly frames: FramesModel;
	/** Page faults and the system calls between them, oldest first. */
	readonly log: readonly LogEntry[];
	/** Entries that were dropped from the front of the log, because it is limited. */
	readonly logDropped: number;
	readonly findings: readonly Finding[];
	/** Why the kernel panicked, or the last run ended as it did: the text of its diagnoses (diagnosis.ts); absent when there is none. */
	readonly diagnosis?: string;
	/** What a panel cannot show for this kernel, and why; a panel without a note found all it needs. */
	readonly notes: Readonly<Partial<Record<PanelName, readonly string[]>>>;
}

/** `0x` and digits, without leading zeros. */
type Hex = string;

const panelNames = ["processes", "address-space", "walk", "frames", "faults", "findings"] as const;
export type PanelName = (typeof panelNames)[number];

/** A place in the sources; lines count from 1. `file` is relative to the tree when the build recorded it so. */
export interface SourcePoint {
	readonly file: string;
	readonly line: number;
	/** Function that holds it; the innermost inlined one. */
	readonly function?: string;
}

export interface HartModel {
	readonly id: number;
	readonly pc: Hex;
	readonly mode: "user" | "supervisor" | "machine";
	/** In `wfi`. */
	readonly waiting: boolean;
	/** Process that `cpus[id].proc` names, 0: none. */
	readonly pid: number;
	readonly source?: SourcePoint;
}

export interface ProcessModel {
	/** Index in `proc[]`. */
	readonly slot: number;
	readonly pid: number;
	readonly name: string;
	/** `enum procstate` in the kernel's own words: `SLEEPING`, … */
	readonly state: string;
	/** 0: none. */
	readonly parent: number;
	/** `p->sz`, bytes of user memory from address 0. */
	readonly size: number;
	/** What it sleeps on: symbol or structure of the channel's address, such as `ticks` or `proc[1]`. */
	readonly sleepsOn?: string;
	/** Hart that runs it. */
	readonly hart?: number;
	readonly killed: boolean;
	/** Physical address of the root of its page table. */
	readonly root: Hex;
}

export type RangeKind =
	| "text"
	| "data"
	| "stack"
	| "guard"
	| "heap"
	| "region"
	| "trapframe"
	| "trampoline"
	| "device"
	| "kernel-text"
	| "kernel-data"
	| "kernel-stack"
	| "other";

export interface SpaceModel {
	readonly pid: number;
	readonly name: string;
	readonly root: Hex;
	/** Merged by kind, permissions and presence, in address order. */
	readonly ranges: readonly RangeModel[];
	/** Regions that the lab's kernel keeps for the process, mapped or not. */
	readonly regions: readonly RegionModel[];
	/** Every page-table page that the walk reached, root first. */
	readonly tables: readonly PageTableModel[];
	/** The walk met a table outside RAM, a cycle, or more tables than memory can hold; in words. */
	readonly damage?: string;
}

export interface RangeModel {
	readonly kind: RangeKind;
	/** For people: `stack`, `region 0 (shared, family 3)`. */
	readonly label: string;
	readonly start: Hex;
	/** One past the last byte. */
	readonly end: Hex;
	readonly pages: number;
	/** Pages with a valid leaf. */
	readonly present: number;
	/** Four letters `rwxu`, a dash for each absent one; `----` where nothing is present. */
	readonly permissions: string;
	/** Frame of each present page in address order, as runs `[first frame, count]`; devices are not in it. */
	readonly frames: readonly (readonly [number, number])[];
	/** Index in `regions` for kind `region`. */
	readonly region?: number;
}

export interface RegionModel {
	/** Where the kernel keeps it: `proc[2].mmr[0]`. */
	readonly path: string;
	/** Name of the description in lab.json. */
	readonly name: string;
	readonly start: Hex;
	readonly pages: number;
	/** Permissions the kernel promised, `r`, `w`, `x` and dashes; absent when the description has no such field. */
	readonly permissions?: string;
	readonly shared?: boolean;
	/** Members with the same number share their frames. */
	readonly family?: number;
	/** What the kernel counts. */
	readonly refcount?: number;
	/** Other described fields by name, as text. */
	readonly fields: Readonly<Record<string, string>>;
}

export interface PageTableModel {
	/** 2: root. */
	readonly level: number;
	readonly address: Hex;
	/** First virtual address that it translates. */
	readonly start: Hex;
	/** Entries that are not zero. */
	readonly entries: readonly PteRun[];
}

/** `count` neighbouring entries with equal flags that point to neighbouring frames, as big direct maps have them. */
export interface PteRun {
	readonly index: number;
	readonly count: number;
	/** The first of them, as it is in memory. */
	readonly pte: Hex;
	/** Physical address in the first. */
	readonly address: Hex;
	/** `vrwxugad`, a dash for each absent bit. */
	readonly flags: string;
	readonly leaf: boolean;
}

/**
 * K kernel image, T page-table page, U user page, S user page of several processes or addresses, `.` on kalloc's free list,
 * L leaked (nobody's, and no pointer to it is left in the kernel), X in two hands (free and mapped), ? other kernel memory.
 */
export type FrameLetter = "K" | "T" | "U" | "S" | "." | "L" | "X" | "?";

export interface FramesModel {
	/** One letter a frame, in address order. */
	readonly letters: string;
	readonly counts: Readonly<Partial<Record<FrameLetter, number>>>;
	/** Who has the frames with letters T, U, S, X, and the known ones of `?`; several entries a frame where it is shared. */
	readonly uses: readonly FrameUse[];
}

export interface FrameUse {
	readonly frame: number;
	/** 0: the kernel. */
	readonly pid: number;
	readonly as: "page" | "page-table" | "trapframe" | "kernel-stack" | "kernel-data";
	/** Virtual address at which it is mapped, or the first that the table translates. */
	readonly address?: Hex;
	/** Of a page-table page. */
	readonly level?: number;
}

/** Uses of one kind as a list of frames: of pages, neighbouring ones from `address` on. */
export interface UseRun extends Omit<FrameUse, "frame"> {
	readonly frames: readonly number[];
}

export type LogEntry = FaultEntry | MarkEntry;

export type FaultOutcome =
	/** The handler is not done yet. */
	| "open"
	/** The page is there now: `frame` says which. */
	| "mapped"
	/** The process ended in the handler, by the handler's own doing. */
	| "killed"
	/** The process ended in the handler, but another one had killed it with kill(). */
	| "ended"
	/** The handler returned, and the page is still missing or lacks the permission. */
	| "again"
	| "panic";

export interface FaultEntry {
	readonly type: "fault";
	/** Ascends over both kinds of entries; stays the same for the same entry. */
	readonly id: number;
	readonly instret: number;
	readonly hart: number;
	/** 0: the kernel itself, outside of any process. */
	readonly pid: number;
	readonly process: string;
	/** Mode that took the fault. */
	readonly mode: "user" | "supervisor" | "machine";
	readonly access: "fetch" | "load" | "store";
	/** scause: 12, 13 or 15. */
	readonly cause: number;
	readonly address: Hex;
	readonly pc: Hex;
	readonly source?: SourcePoint;
	/** Label of the range or region that was hit: `region 0 (shared, family 3)`, `guard`; absent: nothing is there. */
	readonly range?: string;
	readonly region?: { readonly path: string; readonly permissions?: string };
	/** Permissions of the leaf before the handler ran, `rwxu` with dashes; `----` without a leaf. */
	readonly present: string;
	/** What the access needs: `--xu`, `r--u`, `-w-u`. */
	readonly required: string;
	readonly outcome: FaultOutcome;
	/** Frame of the page after the handler, for `mapped`. */
	readonly frame?: number;
	/** Guest time at which the outcome was seen. */
	readonly settledAt?: number;
}

export interface MarkEntry {
	readonly type: "mark";
	readonly id: number;
	readonly instret: number;
	readonly hart: number;
	readonly pid: number;
	readonly process: string;
	/** `mmap`, `munmap`, `fork`, `exec`, `exit`, `sbrk`, or another name that the kernel's table has for these numbers. */
	readonly call: string;
	/** For people, as far as the arguments could be read: `mmap(0x0, 8212, 6, 33)`, `exec("prodcons3")`. */
	readonly text: string;
	/** a0 at the return, as a signed decimal or an address; absent while the call runs and for `exit`. */
	readonly result?: string;
	readonly settledAt?: number;
	/** More than one: the same `sbrk` so often, with nothing in the log between. `result` and `settledAt` are the last one's. */
	readonly times?: number;
}

/** Ids of findings are part of the contract: lab.json names them. */
export const findingIds = [
	/** Members of one shared family had different frames for the same page. */
	"family-frames-differ",
	/** A load fault gave the program a page that still holds kalloc's fill (0x05). */
	"junk-read",
	/** munmap or the freeing of a process left a valid leaf of a region behind. */
	"leaf-left-behind",
	/** A frame is on the free list and mapped at once. */
	"freed-while-mapped",
	/** A page can be written although its region is read-only. */
	"writable-read-only-region",
	/** User mode can reach a page of the kernel. */
	"kernel-page-user",
	/** A reference count does not say how many processes have the page. */
	"refcount-mismatch",
	/** A frame belongs to nobody any more. */
	"frame-leaked",
	/** Private memory of two processes lies on one frame, and both may write it. */
	"private-frame-shared",
	/** A handler returned and the page cannot be used as the access needs: mapped with too few rights, or not at all, time and again. */
	"fault-loop",
	/** The kernel panicked: where, and what it was doing for whom. */
	"kernel-panic",
	/** A process was killed for an access that its region allows, while there was memory. */
	"fault-refused",
	/** A region is where none can be: not at a page, without a length, beyond MAXVA, or over another region or the trapframe. */
	"region-misplaced",
	/** munmap returned 0, and the kernel still keeps the region. */
	"region-left-behind",
] as const;
export type FindingId = (typeof findingIds)[number];

export interface Finding {
	readonly id: FindingId;
	/** Two findings of one kind about different things differ in this; stable over the run. */
	readonly key: string;
	readonly severity: "error" | "warning" | "info";
	/** What is wrong, with names and numbers, for a student. */
	readonly sentence: string;
	/** Guest time of the first sighting. */
	readonly instret: number;
	readonly evidence: {
		readonly pids: readonly number[];
		readonly frames: readonly number[];
		readonly addresses: readonly Hex[];
		readonly sources: readonly SourcePoint[];
		/** Ids of log entries that show it. */
		readonly log: readonly number[];
	};
}

/** Answer to a walk of one address through one page table. */
export interface WalkModel {
	readonly pid: number;
	readonly address: Hex;
	readonly steps: readonly WalkStep[];
	/** `physical address 0x87f5e028, frame 32606` or why hardware faults here. */
	readonly result: string;
	readonly faults: boolean;
	readonly frame?: number;
}

export interface WalkStep {
	readonly level: number;
	/** Index in the table: nine bits of the address. */
	readonly index: number;
	readonly pteAddress: Hex;
	readonly pte: Hex;
	/** `vrwxugad`, a dash for each absent bit. */
	readonly bits: string;
	readonly meaning: string;
}

/**
 * What changed since the model with number `base`; a member that is absent did not change. What the inspector is sent while the guest
 * runs: the kernel's page tables are left out (a walk asks for them), and the log comes a piece at a time.
 */
export interface KernelDelta {
	readonly base: number;
	readonly sequence: number;
	readonly instret: number;
	readonly panicked: boolean;
	readonly harts?: readonly HartModel[];
	readonly processes?: readonly ProcessModel[];
	/** Spaces that are new or differ, whole. */
	readonly spaces?: readonly SpaceModel[];
	/** pids of all spaces in their order, when one came or went. */
	readonly spaceOrder?: readonly number[];
	/** Runs of changed letters: first frame, and the letters from there on. */
	readonly letters?: readonly (readonly [number, string])[];
	readonly counts?: FramesModel["counts"];
	readonly uses?: readonly UseRun[];
	/** New entries and those whose outcome became known, by ascending id; older ones may come later. */
	readonly log: readonly LogEntry[];
	/** Id of the oldest entry that the log still has; those before it were dropped or forgotten. */
	readonly logFrom: number;
	readonly logDropped: number;
	readonly findings?: readonly Finding[];
	/** Empty: there is none any more. */
	readonly diagnosis?: string;
	readonly notes?: KernelModel["notes"];
}
