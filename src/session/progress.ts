import * as layout from "../machine/core/layout.ts";
import type { Hart } from "../machine/types.ts";
import { board } from "../machine/virtBoard.ts";
import { CSR } from "../riscv/csr.ts";
import type { Stall } from "./commandEnd.ts";

/** What the watch reads of a machine: counters of layout.ts (S_*), and where its harts are. */
export interface CountedMachine {
	readonly harts: readonly Hart[];
	statistic(address: number): number;
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
	/** One reads from the console. */
	| { readonly kind: "input"; readonly who: string }
	/** All sleep on other things. */
	| { readonly kind: "events"; readonly who: string };

/** mtime of a tick as upstream sets its timer; a course may set it a hundred times faster. */
const tickTime = board.timebaseHz / 10;

/** Without progress, in ticks of a tenth of a second of guest time. Nobody waits for time: */
const asleepTicks = 20;
/** The kernel works, while it boots with as many timer interrupts: freeing all of memory takes it three seconds. */
const kernelTicks = 300;
/** Nothing is known of the kernel, with as many timer interrupts: a program may sleep for five minutes. */
const unknownTicks = 3000;
/** No timer interrupt comes, although a hart would take one: the slowest clock that a kernel may have. */
const slowestTick = 100;
/** `ticks` counts, and whoever sleeps on it does not say for how long. */
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

	constructor(
		private readonly machine: CountedMachine,
		private readonly waiting?: () => Waiting | undefined,
	) {}

	reset(): void {
		this.seen = "";
		this.wasTold = false;
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
		const waiting = this.waiting?.();
		const left = this.left(waiting, elapsed, interrupts);
		this.nextLook = elapsed + left;
		if (left > 0) return undefined;
		this.wasTold = true;
		return this.report(Math.floor(elapsed), waiting);
	}

	/** Tenths of a second that the machine still has; 0: none of it will come to anything. */
	private left(waiting: Waiting | undefined, elapsed: number, interrupts: number): number {
		const until = (limit: number) => Math.max(0, limit - elapsed);
		switch (waiting?.kind) {
			case "time":
				return Math.min(until(timeTicks), this.leftOfClock(waiting, elapsed, interrupts));
			case "input":
			case "events":
				return until(asleepTicks);
			case "kernel":
				// A kernel that boots works with interrupts off for as long as there is memory to free; later it only hangs so.
				return this.count(layout.S_EXCEPTIONS, userCauses) > 0
					? until(kernelTicks)
					: Math.max(0, kernelTicks - Math.min(elapsed, interrupts));
			default:
				return Math.max(0, unknownTicks - Math.min(elapsed, interrupts));
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

	private count(base: number, causes: readonly number[]): number {
		return causes.reduce((sum, cause) => sum + this.machine.statistic(base + 8 * cause), 0);
	}

	private report(tenths: number, waiting: Waiting | undefined): Stall {
		const harts = this.machine.harts.map(({ id, pc, mode }) => ({ hart: id, pc, mode }));
		const message = `The machine makes no progress. For ${(tenths / 10).toLocaleString("en")} seconds of guest time no user code has run, no device has answered, and nothing was printed. ${reason(waiting)}`;
		return { kind: "no-progress", message, harts };
	}
}

function reason(waiting: Waiting | undefined): string {
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
