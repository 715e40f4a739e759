import * as layout from "../machine/core/layout.ts";
import { isEndless } from "../machine/endless.ts";
import type { Hart, PhysicalMemory } from "../machine/types.ts";
import { board } from "../machine/virtBoard.ts";
import { CSR } from "../riscv/csr.ts";
import type { Stall } from "./commandEnd.ts";

/** What the watch reads of a machine: counters of layout.ts (S_*), and where its harts are. */
export interface CountedMachine {
	readonly harts: readonly Hart[];
	readonly memory: PhysicalMemory;
	statistic(address: number): number;
}

/** What is asked of the kernel; each costs a look at its memory. */
export interface WatchedKernel {
	/** What processes wait for, without those that run on these harts. Undefined: the kernel does not tell. */
	waiting(without: readonly number[]): Waiting | undefined;
	/** Undefined: the kernel does not tell. */
	panicked(): boolean | undefined;
}

interface Nap {
	readonly wanted: number;
	readonly since: number;
}

/** What processes wait for, as far as the kernel's memory tells. */
export type Waiting =
	/** One or more sleep until a tick comes: `sleep` and its like. */
	| {
			readonly kind: "time";
			/** The kernel's count of clock interrupts. */
			readonly ticks: number | undefined;
			/** Of each: the ticks that it asked for, and `ticks` at the time; undefined where the system call was not seen. */
			readonly naps: readonly (Nap | undefined)[];
	  }
	/** One could run, or does, in the kernel. */
	| { readonly kind: "kernel" }
	/** One reads from the console: the first of these is `reader`, a pid. */
	| { readonly kind: "input"; readonly who: string; readonly reader: number }
	/** All sleep on other things. */
	| { readonly kind: "events"; readonly who: string };

/** mtime of a tick as upstream sets its timer; a course may set it a hundred times faster. */
const tickTime = board.timebaseHz / 10;

/** Without progress, in ticks of a tenth of a second of guest time. Nobody waits for time: */
const asleepTicks = 20;
/** The kernel works, while it boots with as many timer interrupts: freeing 128 MiB takes it four seconds. */
const kernelTicks = 300;
const kernelMemory = 128 * 1024 * 1024;
/** Nothing is known of the kernel, with as many timer interrupts: a program may sleep for five minutes. */
const unknownTicks = 3000;
/** No timer interrupt comes, although a hart would take one: the slowest clock that a kernel may have. */
const slowestTick = 100;
/** `ticks` counts, and a sleeper on it does not say for how long. */
const timeTicks = 100_000;
/** `ticks` is long past what each sleeper asked for. A course's `sleep` may count in seconds, and its clock in hundredths. */
const napLimit = ({ wanted }: Nap): number => Math.max(wanted + asleepTicks, Math.min(100 * (wanted + 10), 50_000));

/** A clock may be faster than a tenth of a second: it is looked at again after so long. */
const longestNap = 500;

/** Timer interrupts of supervisor and machine mode in mie. */
const timerEnables = 0xa0n;
const timer = [5, 7];
const external = [9, 11];
/** Traps that come from user code: its system calls, and its instruction, load and store page faults (privileged ISA, table of causes). */
const userCauses = [8, 12, 13, 15];

/**
 * Whether anything but the clock happens: user code runs, devices answer, or something is printed. A kernel whose processes all
 * sleep on what never comes takes timer interrupts for ever, and no watchdog of single instructions sees that.
 */
export class ProgressWatch {
	private seen = "";
	private ticksThen = 0;
	private timeThen = 0;
	private wasTold = false;
	/** Tenths of a second at which to ask next what processes wait for. */
	private nextLook = asleepTicks;
	/** `ticks` as it was asked for last, without progress since, and when. */
	private clock: { readonly ticks: number | undefined; readonly at: number; readonly interrupts: number } | undefined;

	/** The process that read from the console when the shell's prompt stood there. */
	private shell: number | undefined;

	constructor(
		private readonly machine: CountedMachine,
		private readonly kernel?: WatchedKernel,
	) {}

	reset(): void {
		this.seen = "";
		this.wasTold = false;
	}

	/** The shell's prompt is at the end of the console. */
	atPrompt(): void {
		const waiting = this.kernel?.waiting([]);
		if (waiting?.kind === "input") this.shell = waiting.reader;
	}

	/** The kernel says that it has not panicked, whatever was printed. */
	get deniesPanic(): boolean {
		return this.kernel?.panicked() === false;
	}

	/** Called after each slice; `printed`: characters so far. */
	look(printed: number): Stall | undefined {
		const { machine } = this;
		const ticks = this.count(layout.S_INTERRUPTS, timer) / machine.harts.length;
		const time = machine.statistic(layout.M_TIME);
		const seen = `${printed} ${this.count(layout.S_INTERRUPTS, external)} ${this.count(layout.S_EXCEPTIONS, userCauses)}`;
		if (seen !== this.seen || machine.harts.some(({ mode }) => mode === 0) || ticks < this.ticksThen) {
			this.seen = seen;
			this.ticksThen = ticks;
			this.timeThen = time;
			this.nextLook = asleepTicks;
			this.clock = undefined;
			return undefined;
		}
		const elapsed = (time - this.timeThen) / tickTime;
		if (elapsed < this.nextLook || this.wasTold) return undefined;
		const interrupts = ticks - this.ticksThen;
		const waiting = this.kernel?.waiting([]);
		const lost = waiting && waiting.kind !== "kernel" ? [] : this.lost();
		const left = Math.min(
			this.left(waiting, elapsed, interrupts),
			lost.length === 0 ? Number.POSITIVE_INFINITY : this.leftBeside(lost, elapsed, interrupts),
		);
		this.nextLook = elapsed + left;
		if (left > 0) return undefined;
		this.wasTold = true;
		return this.report(Math.floor(elapsed), waiting, lost);
	}

	/** Harts that can never leave the loop that they are in. */
	private lost(): readonly number[] {
		const { harts, memory } = this.machine;
		return harts.filter((hart) => isEndless(hart, memory)).map(({ id }) => id);
	}

	/** As `left`: what the other harts may still come to. */
	private leftBeside(lost: readonly number[], elapsed: number, interrupts: number): number {
		const others = this.machine.harts.filter(({ id }) => !lost.includes(id));
		// Nobody is left who could change what they wait for.
		if (others.every((hart) => hart.spins && hasInterruptsOff(hart))) return 0;
		const waiting = this.kernel?.waiting(lost);
		return waiting && waiting.kind !== "kernel" ? this.left(waiting, elapsed, interrupts) : Number.POSITIVE_INFINITY;
	}

	/** Tenths of a second that the machine still has; 0: none of it will come to anything. */
	private left(waiting: Waiting | undefined, elapsed: number, interrupts: number): number {
		const until = (limit: number) => Math.max(0, limit - elapsed);
		// A hart that is in its loop for ever may be seen at a moment at which that cannot be told.
		const again = (limit: number) => Math.min(limit, asleepTicks);
		switch (waiting?.kind) {
			case "time":
				return Math.min(until(timeTicks), this.leftOfClock(waiting, elapsed, interrupts));
			case "input":
			case "events":
				return until(asleepTicks);
			case "kernel":
				// A kernel that boots works with interrupts off for as long as there is memory to free; later it only hangs so.
				return again(
					this.count(layout.S_EXCEPTIONS, userCauses) > 0
						? until(this.kernelTicks)
						: Math.max(0, this.kernelTicks - Math.min(elapsed, interrupts)),
				);
			default:
				return again(Math.max(0, unknownTicks - Math.min(elapsed, interrupts)));
		}
	}

	/** Whether the kernel's clock still counts, and is not past what the sleepers asked for. */
	private leftOfClock({ ticks, naps }: Waiting & { kind: "time" }, elapsed: number, interrupts: number): number {
		if (ticks === undefined) return timeTicks;
		const { clock } = this;
		if (clock?.ticks === ticks) {
			const isOn = this.machine.harts.some((hart) => ((hart.csr(CSR.mie) ?? timerEnables) & timerEnables) !== 0n);
			const most = !isOn || interrupts - clock.interrupts >= asleepTicks ? asleepTicks : slowestTick;
			return elapsed - clock.at >= most ? 0 : asleepTicks;
		}
		this.clock = { ticks, at: elapsed, interrupts };
		if (!clock) return asleepTicks;
		const left = Math.max(...naps.map((nap) => (nap ? napLimit(nap) - ((ticks - nap.since) >>> 0) : timeTicks)));
		return left > 0 ? Math.min(Math.max(asleepTicks, left), longestNap) : 0;
	}

	/** A process that gives back all of a large memory takes longer. */
	private get kernelTicks(): number {
		return kernelTicks * Math.max(1, this.machine.memory.size / kernelMemory);
	}

	private count(base: number, causes: readonly number[]): number {
		return causes.reduce((sum, cause) => sum + this.machine.statistic(base + 8 * cause), 0);
	}

	private report(tenths: number, waiting: Waiting | undefined, lost: readonly number[]): Stall {
		const harts = this.machine.harts.map(({ id, pc, mode }) => ({ hart: id, pc, mode }));
		const message = `The machine makes no progress. For ${(tenths / 10).toLocaleString("en")} seconds of guest time no user code has run, no device has answered, and nothing was printed. ${reason(waiting, lost)}`;
		const isShell = waiting?.kind === "input" && waiting.reader === this.shell;
		return { kind: "no-progress", message, harts, ...(isShell ? { isShell } : {}) };
	}
}

const SIE = 2n;

/** Of supervisor mode. */
const hasInterruptsOff = (hart: Hart): boolean => hart.mode === 1 && ((hart.csr(CSR.sstatus) ?? SIE) & SIE) === 0n;

function reason(waiting: Waiting | undefined, lost: readonly number[]): string {
	if (lost.length > 0)
		return lost.length === 1
			? `Hart ${lost[0]} is in a loop without a way out, and its interrupts are off.`
			: `Harts ${lost.join(" and ")} are in loops without a way out, and their interrupts are off.`;
	switch (waiting?.kind) {
		case "time":
			return "A process sleeps until a later tick, and the clock does not wake it.";
		case "kernel":
			return "A process is runnable, but its code in the kernel never returns.";
		case "input":
			return `Input is awaited that will never come: ${waiting.who}.`;
		case "events":
			return `Every process sleeps on an event that never comes: ${waiting.who}.`;
		default:
			return "Every process sleeps on an event that never comes, or the kernel loops.";
	}
}
