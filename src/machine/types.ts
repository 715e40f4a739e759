import type { Disposable } from "../common/disposable.ts";
import type { Event } from "../common/event.ts";

/** A count of retired instructions, summed over all harts. Guest time is counted in these and in nothing else. */
export type Instructions = number;

export interface MachineOptions {
	/** Kernel ELF (RV64, little endian). */
	readonly kernel: Uint8Array;
	/** Raw disk image in virtio-mmio slot 0; without one the slot is empty. A multiple of 512 bytes. */
	readonly disk?: Uint8Array;
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
	/** Translator: off, on with normal thresholds, or forced from the first execution of a block. */
	readonly jit?: "off" | "on" | "eager";
}

export type StopReason =
	/** The instruction budget given to `run` is used up. */
	| { readonly kind: "budget" }
	| { readonly kind: "breakpoint"; readonly hart: number; readonly pc: bigint }
	| { readonly kind: "watchpoint"; readonly hart: number; readonly pc: bigint; readonly address: bigint }
	/** A listener asked to stop (see `Machine.requestStop`). */
	| { readonly kind: "requested" }
	/** The guest ended the run: test finisher or `tohost`. */
	| { readonly kind: "halt"; readonly code: number; readonly by: "finisher" | "tohost" }
	/** Every hart waits and nothing is scheduled: only input can wake the machine. */
	| { readonly kind: "idle" }
	/** Every hart waits for a timer that comes `ticks` of 10 MHz from now; only with `RunOptions.stopWhenWaiting`. */
	| { readonly kind: "waiting"; readonly ticks: number };

export interface RunOptions {
	/**
	 * Stops where guest time would be skipped to the next timer. Whoever shows a machine to a person sleeps for that time (or
	 * until input comes) and calls `run` again without it, so that an idle guest costs the host nothing.
	 */
	readonly stopWhenWaiting?: boolean;
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
	/** A live view of guest RAM; do not keep it across `await` (memory may be replaced on restore). */
	bytes(): Uint8Array;
	/** Undefined outside RAM. */
	readU64(address: bigint): bigint | undefined;
	readU32(address: bigint): number | undefined;
}

export interface Hart {
	readonly id: number;
	readonly pc: bigint;
	readonly mode: 0 | 1 | 3;
	readonly waiting: boolean;
	readonly instret: bigint;
	/** x0..x31 */
	register(index: number): bigint;
	/** Its low 32 bits, signed: for those who look at every system call, a bigint is dear. */
	low(index: number): number;
	/** f0..f31, raw bits */
	floatRegister(index: number): bigint;
	/** A CSR by number (see src/riscv/csr.ts); undefined when it does not exist. */
	csr(number: number): bigint | undefined;
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
	/** Enabled for supervisor mode of this hart, with a priority above the hart's threshold. */
	reaches(source: number, hart: number): boolean;
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

/** The public face of the one public class; `machine.ts` implements it. */
export interface MachineSurface extends Disposable {
	run(budget: Instructions, options?: RunOptions): StopReason;
	requestStop(): void;
	readonly console: ConsolePort;
	/** What the PLIC holds, for readers. */
	readonly plic: InterruptController;
	readonly memory: PhysicalMemory;
	readonly harts: readonly Hart[];
	readonly instret: Instructions;
	readonly onTrap: Event<Trap>;
	/** Return from a trap: sret or mret was retired. As a trap, to be read while its listeners run. */
	readonly onTrapReturn: Event<{ hart: number; pc: bigint; toMode: 0 | 1 | 3; instret: Instructions }>;
	readonly onRootChange: Event<RootChange>;
	readonly onStall: Event<StallReport>;
	/** A driver broke a rule of its device's specification; the text says which one. Said once per text and run. */
	readonly onGuestError: Event<string>;
	/** Stops before the instruction at this virtual pc retires, on any hart. */
	addBreakpoint(pc: bigint): Disposable;
	/** Stops after an access to [address, address+length) of virtual memory. */
	addWatchpoint(address: bigint, length: number, access: "read" | "write" | "any"): Disposable;
	/** 64-bit hash over all architectural state, as 16 hex digits. */
	stateHash(): string;
}
