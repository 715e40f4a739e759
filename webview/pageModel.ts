import type { MomentPair } from "../src/protocol/kernelModel.ts";
import type { FrameLetter } from "./draw/frameMap.ts";

/** What the page shows, ready to draw: made from the kernel model by adapt.ts, the only file that knows both. */
export interface PageModel {
	/** Retired instructions at this moment: guest time. */
	readonly instret: number;
	readonly processes: readonly ProcessRow[];
	readonly spaces: readonly SpaceModel[];
	readonly frames: FramesModel;
	readonly faults: readonly FaultRow[];
	readonly findings: readonly FindingRow[];
	/** Why the run ended as it did, in lines. */
	readonly diagnosis?: string;
	/** Calls and faults that can be looked at before and after. */
	readonly moments: readonly MomentPair[];
	/** What a panel could not find in this kernel, by panel. */
	readonly notes: Readonly<Partial<Record<PanelId, readonly string[]>>>;
}

export const panels = ["findings", "space", "walk", "frames", "faults", "processes", "compare"] as const;
export type PanelId = (typeof panels)[number];

export interface ProcessRow {
	readonly pid: number;
	readonly name: string;
	readonly state: string;
	readonly parent: string;
	readonly size: string;
	/** What it sleeps on, or where it runs. */
	readonly where: string;
}

export interface SpaceModel {
	/** 0: the kernel's own. */
	readonly pid: number;
	readonly title: string;
	readonly root: string;
	readonly ranges: readonly RangeRow[];
}

export interface RangeRow {
	readonly kind: "text" | "data" | "stack" | "guard" | "heap" | "region" | "trapframe" | "trampoline" | "other";
	readonly label: string;
	readonly start: string;
	readonly end: string;
	readonly page: number;
	readonly pages: number;
	readonly present: number;
	readonly permissions: string;
	/** Frames behind it, as text: `0x87f5e, 0x87f5d …`. */
	readonly frames: string;
	/** For a mapped region: prot, flags, family, reference count. */
	readonly detail: string;
}

export interface FramesModel {
	/** Physical address of the first frame. */
	readonly base: number;
	/** One {@link FrameLetter} a frame. */
	readonly letters: string;
	/** Words for one frame: who has it, and where. */
	describe(index: number): string;
	readonly counts: Readonly<Partial<Record<FrameLetter, number>>>;
	/** Frames of one process, for the filter. */
	of(pid: number): ReadonlySet<number>;
	/** Frames that need a look: shared, leaked, in two hands; with a process also its own. */
	notable(pid: number): readonly number[];
	/** Who has a frame and where, one line each. */
	owners(index: number): readonly string[];
}

export interface FaultRow {
	readonly id: number;
	/** `fault`, or the name of a system call between faults. */
	readonly kind: "fault" | "mark";
	readonly instret: number;
	readonly pid: number;
	readonly process: string;
	/** `store 0x3fffffd028`, `fork() = 4`. */
	readonly what: string;
	readonly region: string;
	readonly needed: string;
	readonly outcome: string;
	readonly bad: boolean;
	readonly source: { readonly file: string; readonly line: number } | undefined;
	/** Address of the fault, for the walker. */
	readonly address: string | undefined;
}

export interface FindingRow {
	readonly id: string;
	readonly severity: "error" | "warning" | "info";
	readonly sentence: string;
	readonly evidence: readonly string[];
	readonly frames: readonly number[];
	readonly source: { readonly file: string; readonly line: number } | undefined;
}

/** One level of a page-table walk. */
export interface WalkStep {
	readonly level: number;
	readonly index: number;
	readonly pteAddress: string;
	readonly pte: string;
	readonly bits: string;
	readonly meaning: string;
}

export interface WalkModel {
	readonly steps: readonly WalkStep[];
	readonly result: string;
}
