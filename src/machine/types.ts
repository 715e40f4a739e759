import type { Disposable } from "../common/disposable.ts";
import type { Event } from "../common/event.ts";
import type { NetworkOptions } from "./network/types.ts";

/** A count of retired instructions, summed over all harts. Guest time is counted in these and in nothing else. */
export type Instructions = number;

export interface MachineOptions {
	/** Kernel ELF (RV64, little endian). */
	readonly kernel: Uint8Array;
	/** Raw disk image in virtio-mmio slot 0; without one the slot is empty. A multiple of 512 bytes. */
	readonly disk?: Uint8Array;
	/** Another one in slot 1. */
	readonly secondDisk?: Uint8Array;
	/** 1 to 8, default 1. */
	readonly harts?: number;
	/** RAM from 0x80000000, in bytes; default 128 MiB. */
	readonly memoryBytes?: number;
	/** 0 (default): plain round robin. Others vary slice lengths and hart order, reproducibly. */
	readonly seed?: number;
	/** virtio-mmio version 2 (default) or 1. */
	readonly virtio?: "modern" | "legacy";
	/** false: every physical access is allowed, as in QEMU before it enforced PMP. Default true. */
	readonly pmp?: boolean;
	/** With a real-time clock that shows so many seconds since 1970 at power-on; default: none. */
	readonly rtc?: number;
	/** With a network card; default: none. Its presence is part of the machine's state. */
	readonly network?: NetworkOptions;
	/** Translator: off, on with normal thresholds, or forced from the first execution of a block. */
	readonly jit?: "off" | "on" | "eager";
}

export type StopReason =
	/** The instruction budget given to `run` is used up. */
	| { readonly kind: "budget" }
	| { readonly kind: "breakpoint"; readonly hart: number; readonly pc: bigint }
	/** `hart` is undefined for DMA; pc is the instruction that made the access, which is complete. */
	| {
			readonly kind: "watchpoint";
			readonly hart: number | undefined;
			readonly pc: bigint;
			readonly address: bigint;
			readonly access: "read" | "write";
	  }
	/** Only from `runHart`: the hart has made its steps. */
	| { readonly kind: "stepped" }
	/** Only in the past (history.ts): the furthest moment of the run is reached again. The next `run` is new. */
	| { readonly kind: "present" }
	/** Somebody asked to stop (see `Machine.requestStop`). */
	| { readonly kind: "requested" }
	/** The guest ended the run: test finisher or `tohost`. */
	| { readonly kind: "halt"; readonly code: number; readonly by: "finisher" | "tohost" }
	/** Every hart waits and nothing is scheduled: only input can wake the machine. */
	| { readonly kind: "idle" }
	/** Every hart waits for a timer that comes `ticks` of 10 MHz from now; only with `RunOptions.stopWhenWaiting`. */
	| { readonly kind: "waiting"; readonly ticks: number };

export interface RunOptions {
	/**
	 * Stops where guest time would be skipped to the next timer. A host that shows the machine to a person sleeps for that time (or
	 * until input comes) and calls `run` again without it, so that an idle guest costs the host nothing.
	 */
	readonly stopWhenWaiting?: boolean;
	/** Harts whose next step is made even if a breakpoint is before it: for a caller that is at one and wants to continue. */
	readonly pass?: readonly number[];
}

/**
 * Which hits stop. `when` is asked last, with the hart right before its instruction; it must only look, since a search in
 * history asks again. A hit that does not stop costs about a microsecond.
 */
export interface PointFilter {
	/** Physical address of the root page table in use; undefined: any, and none. */
	readonly space?: bigint;
	readonly mode?: 0 | 1 | 3;
	readonly when?: (hart: Hart) => boolean;
}

/**
 * A change of the run at a place of its code: a fault on demand. Like a debugger's changes it is in no input log: a run with one cannot be
 * saved.
 */
export interface Hook {
	/** Asked as a breakpoint's filter is, once for each time that a hart comes there; it may count. */
	when(hart: Hart): boolean;
	/** The hart stands before the instruction, and may be changed. The run continues from where it is then. */
	act(hart: Hart): void;
}

export interface WatchedAccess {
	/** Undefined: a device (DMA). The instruction is under way; its registers are those after the access. */
	readonly hart: Hart | undefined;
	readonly pc: bigint;
	/** As given: virtual or physical. */
	readonly address: bigint;
	readonly access: "read" | "write";
}

export interface WatchFilter {
	/**
	 * true: the range is physical, and every access to it counts by whatever mapping: other processes, the kernel's copies
	 * through its own mapping, devices, and the page-table walker's A and D bits. false (default): virtual, in any space.
	 */
	readonly physical?: boolean;
	/** As for breakpoints; a device has neither. */
	readonly space?: bigint;
	readonly mode?: 0 | 1 | 3;
	readonly when?: (access: WatchedAccess) => boolean;
}

/** A trap as taken by a hart, before its handler's first instruction. It tells so while its listeners run, and is of no use after. */
export interface Trap {
	readonly hart: number;
	/** scause/mcause code without the interrupt bit. */
	readonly cause: number;
	readonly interrupt: boolean;
	readonly tval: bigint;
	/** pc of the trapped instruction (sepc/mepc). */
	readonly pc: bigint;
	/** Mode that was left: 0 U, 1 S, 3 M. */
	readonly fromMode: 0 | 1 | 3;
	/** Mode that handles it. */
	readonly toMode: 1 | 3;
	readonly satp: bigint;
	/** Physical address that satp names (its 44 bits of page number). */
	readonly root: number;
	/** Instructions that all harts together had retired. */
	readonly instret: Instructions;
}

export interface PhysicalMemory {
	readonly base: bigint;
	readonly size: number;
	/** A live view of guest RAM, to be read only; changes go through `write`. */
	bytes(): ReadonlyBytes;
	/** Undefined outside RAM. */
	readU64(address: bigint): bigint | undefined;
	readU32(address: bigint): number | undefined;
	/**
	 * Puts bytes into RAM between runs, as a debugger does: decoded code, TLBs, reservations and dirty bits follow. Watchpoints
	 * do not fire: nobody in the guest stored. Throws UserError `machine-options` where the range is not all RAM.
	 */
	write(address: bigint, bytes: Uint8Array): void;
}

/** Bytes that are not to be changed through this view, nor through others of its buffer: nobody would be told. */
export interface ReadonlyBytes extends Iterable<number> {
	readonly length: number;
	/** For reading words. */
	readonly buffer: ArrayBufferLike;
	readonly byteOffset: number;
	readonly byteLength: number;
	readonly [index: number]: number;
	/** A copy. */
	slice(start?: number, end?: number): Uint8Array;
	subarray(start?: number, end?: number): ReadonlyBytes;
	indexOf(value: number, from?: number): number;
	every(test: (byte: number) => boolean): boolean;
	some(test: (byte: number) => boolean): boolean;
}

export interface Hart {
	readonly id: number;
	readonly pc: bigint;
	readonly mode: 0 | 1 | 3;
	readonly waiting: boolean;
	/** It goes round a loop that comes back to the same state, with no effect, until memory changes or an interrupt comes. */
	readonly spins: boolean;
	readonly instret: bigint;
	/** Steps that it made: instructions, retired or trapped. */
	readonly steps: bigint;
	/** x0..x31 */
	register(index: number): bigint;
	/** Its low 32 bits, signed: for those who look at every system call, a bigint is dear. */
	low(index: number): number;
	/** f0..f31, raw bits */
	floatRegister(index: number): bigint;
	/** A CSR by number (see src/riscv/csr.ts); undefined when it does not exist. */
	csr(number: number): bigint | undefined;
	/**
	 * Changes of a hart between runs. They are not part of the input log: a run with such a change cannot be saved, and History
	 * keeps a checkpoint at it. x0 stays 0.
	 */
	setPc(value: bigint): void;
	setRegister(index: number, value: bigint): void;
	setFloatRegister(index: number, value: bigint): void;
	/** As an M-mode write would: read-only bits stay. False: there is no such CSR, or it cannot be written. */
	setCsr(number: number, value: bigint): boolean;
}

export interface ConsolePort {
	/** Queues bytes for the guest's UART; they arrive at slice ends, no faster than the guest reads. */
	write(bytes: Uint8Array): void;
	/** Bytes that the guest has not read yet. */
	readonly pending: number;
	readonly onData: Event<Uint8Array>;
}

/** The PLIC as its registers have it (RISC-V PLIC specification 1.0.0); sources count from 1. */
export interface InterruptController {
	/** Claimed by some hart and not completed: silent until then. */
	claimed(source: number): boolean;
	/** Its line is up, and nobody has claimed it. */
	pending(source: number): boolean;
	/** 0: never delivered. */
	priority(source: number): number;
	/** For supervisor mode of this hart, as is the threshold: only a higher priority is delivered. */
	enabled(source: number, hart: number): boolean;
	threshold(hart: number): number;
}

/** A machine that makes no progress; said once per cause and run. */
export interface StallReport {
	readonly kind: "trap-loop" | "lock-spin" | "wfi-forever" | "pmp-denied" | "no-entry";
	/** One paragraph for the reader: what, where, likely cause, what to do. */
	readonly message: string;
	readonly harts: readonly { readonly hart: number; readonly pc: bigint; readonly mode: 0 | 1 | 3 }[];
}

/** Root change of a page table: satp written with a new value. */
export interface RootChange {
	readonly hart: number;
	readonly satp: bigint;
	readonly instret: Instructions;
}

/** Which pages of RAM may have changed between two moments. Both members are for listeners, too: they change nothing that a guest sees. */
export interface PageChanges {
	/** Names this moment. Any number of moments may be named, and none has to be given back. */
	mark(): number;
	/** Whether the page (0: RAM's first) may have changed since a moment: stores, devices, snapshots and journeys into the past. */
	isChanged(page: number, since: number): boolean;
	/** All of them, in no order; some may be named twice. */
	changed(since: number): readonly number[];
}

/** The public face of the one public class; `machine.ts` implements it. */
export interface MachineSurface extends Disposable {
	run(budget: Instructions, options?: RunOptions): StopReason;
	/** Until the hart has made so many steps; the other harts run as they come. Other stops as of `run`. */
	runHart(hart: number, steps: number, options?: RunOptions): StopReason;
	/** From a listener: the run stops after this instruction. Between runs: the next one stops before its first. */
	requestStop(): void;
	readonly console: ConsolePort;
	/** What the PLIC holds, for readers. */
	readonly plic: InterruptController;
	readonly memory: PhysicalMemory;
	readonly harts: readonly Hart[];
	readonly instret: Instructions;
	/** A number for the state of memory and harts: the same number, the same state. 0 while the machine runs. */
	readonly stamp: number;
	/** Which pages of RAM have changed since when; undefined: not known. */
	readonly changes?: PageChanges;
	/** As `instret`; inside of a listener, too: up to the instruction under way. */
	readonly now: Instructions;
	/** Undefined: it cannot go back. `isPast`: it stands at an earlier moment, and its listeners are told of nothing. */
	readonly history?: { readonly isPast: boolean } | undefined;
	readonly onTrap: Event<Trap>;
	/** As `onTrap`, and of the traps, too, that a machine in its past takes once more. */
	readonly onEveryTrap: Event<Trap>;
	/** Return from a trap: sret or mret was retired. As a trap, to be read while its listeners run. */
	readonly onTrapReturn: Event<{ hart: number; pc: bigint; toMode: 0 | 1 | 3; instret: Instructions }>;
	/** As `onTrapReturn`, and of those, too, that a machine in its past does once more. */
	readonly onEveryTrapReturn: MachineSurface["onTrapReturn"];
	readonly onRootChange: Event<RootChange>;
	readonly onStall: Event<StallReport>;
	/** A driver broke a rule of its device's specification; the text says which one. Said once per text and run. */
	readonly onGuestError: Event<string>;
	/** Stops before the instruction at this virtual pc, on any hart. Costs nothing until a hart gets there. */
	addBreakpoint(pc: bigint, filter?: PointFilter): Disposable;
	/** Stops after an access to [address, address+length). */
	addWatchpoint(address: bigint, length: number, access: "read" | "write" | "any", filter?: WatchFilter): Disposable;
	/**
	 * Physical address of a virtual one under a root page table (its physical address), by whatever valid leaf; no rights are
	 * checked. Undefined where nothing is mapped.
	 */
	translate(space: bigint, address: bigint): bigint | undefined;
	/** Physical address of the root page table that the hart's loads go through; undefined: none (M-mode, satp off). */
	spaceOf(hart: number): bigint | undefined;
	/** 64-bit hash over all architectural state, as 16 hex digits. */
	stateHash(): string;
}
