import * as layout from "../machine/core/layout.ts";
import type { Hart } from "../machine/types.ts";
import { board } from "../machine/virtBoard.ts";
import type { Stall } from "./commandEnd.ts";

/** What the watch reads of a machine: counters of layout.ts (S_*), and where its harts are. */
export interface CountedMachine {
	readonly harts: readonly Hart[];
	statistic(address: number): number;
}

/** What processes wait for, as far as the kernel's memory tells. */
export type Waiting =
	/** One sleeps until a tick comes: `sleep` and its like. */
	| { readonly kind: "time" }
	/** One could run, or does, in the kernel. */
	| { readonly kind: "kernel" }
	/** One reads from the console. */
	| { readonly kind: "input"; readonly who: string }
	/** All sleep on other things. */
	| { readonly kind: "events"; readonly who: string };

/** mtime of a tick as upstream sets its timer; a course may set it a hundred times faster. */
const tickTime = board.timebaseHz / 10;

/** Timer ticks of a hart without progress, each at least a tenth of a second of guest time. Nobody waits for time: */
const asleepTicks = 20;
/** The kernel works: freeing all of memory takes it three seconds. */
const kernelTicks = 300;
/** Nothing is known of the kernel: a program may sleep for five minutes. */
const unknownTicks = 3000;
/** `sleep` in a kernel whose clock does not wake anybody. */
const timeTicks = 100_000;

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
	/** Ticks at which to ask next what processes wait for. */
	private nextLook = asleepTicks;

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
			return undefined;
		}
		const quiet = Math.min(ticks - this.ticksThen, (time - this.timeThen) / tickTime);
		if (quiet < this.nextLook || this.wasTold) return undefined;
		const waiting = this.waiting?.();
		this.nextLook = limit(waiting);
		if (quiet < this.nextLook) return undefined;
		this.wasTold = true;
		return this.report(Math.floor(quiet), waiting);
	}

	private count(base: number, causes: readonly number[]): number {
		return causes.reduce((sum, cause) => sum + this.machine.statistic(base + 8 * cause), 0);
	}

	private report(ticks: number, waiting: Waiting | undefined): Stall {
		const harts = this.machine.harts.map(({ id, pc, mode }) => ({ hart: id, pc, mode }));
		const message = `The machine makes no progress. For ${ticks.toLocaleString("en")} timer ticks no user code has run, no device has answered, and nothing was printed. ${reason(waiting)}`;
		return { kind: "no-progress", message, harts };
	}
}

function limit(waiting: Waiting | undefined): number {
	switch (waiting?.kind) {
		case "time":
			return timeTicks;
		case "kernel":
			return kernelTicks;
		case "input":
		case "events":
			return asleepTicks;
		default:
			return unknownTicks;
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
