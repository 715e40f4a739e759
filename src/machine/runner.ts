import type { ConsoleLine } from "./consoleLine.ts";
import * as layout from "./core/layout.ts";
import type { CoreExports } from "./coreAbi.ts";
import { stepsNow } from "./guestEvents.ts";
import type { History } from "./history.ts";
import type { HostInterface } from "./hostInterface.ts";
import { type Input, momentOf, otherRun, type Standing } from "./input.ts";
import type { Translator } from "./jit/translator.ts";
import type { Points } from "./points.ts";
import type { Instructions, RunOptions, StallReport, StopReason } from "./types.ts";
import type { Watchdog } from "./watchdog.ts";

/** Instructions between two looks of the watchdog, and the most that one call of the core runs: i32 steps. */
const stretch = 5_000_000;

/** Of all machines: a snapshot may be restored on another. */
let nextStamp = 1;

/** Of the machine, what its runs need. */
interface RunnerParts {
	readonly view: DataView;
	readonly line: ConsoleLine;
	readonly input: Input;
	readonly points: Points;
	core(): CoreExports;
	watchdog(): Watchdog;
	translator(): Translator | undefined;
	history(): History | undefined;
	tohost(): HostInterface | undefined;
	stepsOf(hart: number): bigint;
	/** The guest ended the run, with this code. */
	halted(): { readonly code: number; readonly by: "finisher" | "tohost" } | undefined;
	/** The guest asked for a restart while the core ran: it is at power-on now. */
	restarted(): boolean;
	stalled(report: StallReport): void;
}

/** Runs the core, stretch by stretch: gives input at its moments, and says why a run ends. */
export class Runner {
	/** How the core's last run ended: where between two steps the machine stands (STOP_BUDGET: right after one). */
	lastStop: number = layout.STOP_BUDGET;
	/** The core is running. */
	private inside = false;
	private stopAsked = false;
	private lastStamp = nextStamp++;
	/** Written while the core ran: joins the queue when it comes back. */
	private late: Uint8Array[] = [];

	constructor(private readonly parts: RunnerParts) {}

	/** Steps of all harts together: retired instructions, and those that trapped. */
	get instret(): Instructions {
		return stepsNow(this.parts.view);
	}

	/** Where between two steps the machine stands. */
	get standing(): Standing {
		return { at: this.instret, moment: momentOf(this.lastStop) };
	}

	/** A number for the state of memory and harts: the same number, the same state. 0 while the core runs. */
	get stamp(): number {
		return this.inside ? 0 : this.lastStamp;
	}

	/** Memory or harts are others now; `stamp`: as they were when it was theirs. */
	touched(stamp = nextStamp++): void {
		this.lastStamp = stamp;
	}

	get isInside(): boolean {
		return this.inside;
	}

	run(budget: Instructions, options: RunOptions = {}): StopReason {
		const stop = this.runToStop(budget, options);
		if (!this.stopAsked) return stop;
		// A listener asked when the core had come back: that stops this run, and not the next one as well.
		this.stopAsked = false;
		return stop.kind === "budget" || stop.kind === "idle" || stop.kind === "waiting" ? { kind: "requested" } : stop;
	}

	private runToStop(budget: Instructions, options: RunOptions): StopReason {
		for (const hart of options.pass ?? []) this.parts.core().passBreakpoint(hart);
		const limit = this.instret + budget;
		while (this.instret < limit) {
			if (this.stopAsked) {
				this.stopAsked = false;
				return { kind: "requested" };
			}
			const halted = this.parts.halted();
			if (halted) break;
			const room = this.parts.history()?.room() ?? Number.POSITIVE_INFINITY;
			if (room === 0) {
				if (this.parts.history()?.arrive() === "present") return { kind: "present" };
				continue;
			}
			const reason = this.stretch(Math.min(limit - this.instret, room), options.stopWhenWaiting === true);
			if (reason) return reason;
		}
		if (this.parts.history()?.room() === 0 && this.parts.history()?.arrive() === "present") return { kind: "present" };
		const halted = this.parts.halted();
		return halted ? { kind: "halt", ...halted } : { kind: "budget" };
	}

	runHart(hart: number, steps: number, options: RunOptions = {}): StopReason {
		const target = this.parts.stepsOf(hart) + BigInt(steps);
		this.parts.view.setUint32(layout.T_RUN_HART, hart + 1, true);
		this.parts.view.setBigUint64(layout.T_RUN_STEPS, target, true);
		try {
			// A hart that waits makes no step: the end is then another stop, or it never comes.
			return this.run(Number.MAX_SAFE_INTEGER - this.instret, options);
		} finally {
			this.parts.view.setUint32(layout.T_RUN_HART, 0, true);
		}
	}

	/** From a listener: right after this instruction. Between runs: before the next one's first. */
	requestStop(): void {
		if (this.inside) this.parts.core().requestStop();
		else this.stopAsked = true;
	}

	/** Console input: now, or when the core comes back, at a moment that a replay finds again. */
	type(bytes: Uint8Array): void {
		const { input } = this.parts;
		if (input.isReplaying) return;
		if (this.inside) this.late.push(bytes.slice());
		else input.type(bytes, this.standing);
	}

	/** The machine was put to another moment. */
	moved(lastStop: number): void {
		this.lastStop = lastStop;
		this.late = [];
	}

	/** At most so many steps, up to the next thing that is the host's; undefined: the run continues. */
	private stretch(most: number, asked: boolean): StopReason | undefined {
		// Called again after `waiting` and nothing was typed: the wait is over, time moves to the timer.
		const pass = this.lastStop === layout.STOP_WAITING && this.parts.line.pending === 0;
		const { steps, until } = this.parts.input.admit(this.standing);
		if (steps === 0) return { kind: "requested" };
		const skips = until !== "waiting" && (!asked || pass);
		const flags = (skips ? 0 : layout.RUN_STOP_BEFORE_SKIP) | (until === "ready" ? layout.RUN_STOP_READY : 0);
		const stop = this.enter(Math.min(most, steps, asked && pass ? 1 : stretch), flags);
		const silent = this.parts.line.silent;
		const report = silent ? undefined : this.parts.watchdog().look(stop === layout.STOP_IDLE);
		if (report) this.parts.stalled(report);
		const due = this.parts.input.due;
		if (due && (isWait(stop) || stop === layout.STOP_READY)) {
			if (due.at === this.instret) return undefined;
			// Nothing but this input could get the machine there.
			if (stop === layout.STOP_IDLE) throw otherRun();
		}
		return this.stopped(stop);
	}

	/** Runs the core; its STOP_* code. */
	enter(steps: number, flags: number): number {
		let stop: number = layout.STOP_BUDGET;
		this.inside = true;
		this.touched();
		try {
			for (let left = steps; left > 0; ) {
				const before = this.instret;
				stop = this.parts.core().run(Math.min(left, this.parts.translator()?.dueAfter ?? left), flags);
				this.parts.translator()?.tick();
				left -= this.instret - before;
				if (stop !== layout.STOP_BUDGET) break;
			}
		} finally {
			this.inside = false;
		}
		this.lastStop = this.parts.view.getUint32(layout.T_STANDING, true);
		this.parts.line.flush();
		for (const bytes of this.late.splice(0)) this.type(bytes);
		if (!this.parts.restarted()) return stop;
		this.lastStop = layout.STOP_BUDGET;
		return layout.STOP_BUDGET;
	}

	/** What a STOP_* code means to others. Undefined: the run continues. */
	stopped(stop: number): StopReason | undefined {
		const halted = this.parts.halted();
		if (halted) return { kind: "halt", ...halted };
		switch (stop) {
			case layout.STOP_IDLE:
				return { kind: "idle" };
			case layout.STOP_WAITING: {
				const at = BigInt.asUintN(64, this.parts.core().nextEventTime());
				return { kind: "waiting", ticks: Number(at - this.parts.view.getBigUint64(layout.M_TIME, true)) };
			}
			case layout.STOP_BREAKPOINT: {
				const hart = this.parts.view.getUint32(layout.T_STOP_HART, true);
				if (this.parts.points.act(hart)) {
					this.parts.core().passBreakpoint(hart);
					return undefined;
				}
				return { kind: "breakpoint", hart, pc: this.parts.view.getBigUint64(layout.T_STOP_PC, true) };
			}
			case layout.STOP_WATCHPOINT: {
				const { hart, pc, address, access } = this.parts.points.access();
				const tohost = this.parts.tohost();
				if (tohost?.has(address)) return tohost.stored();
				return { kind: "watchpoint", hart: hart?.id, pc, address, access };
			}
			case layout.STOP_REQUESTED:
				return { kind: "requested" };
			case layout.STOP_HART:
				return { kind: "stepped" };
			default:
				return undefined;
		}
	}
}

function isWait(stop: number): boolean {
	return stop === layout.STOP_IDLE || stop === layout.STOP_WAITING;
}
