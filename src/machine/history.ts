/**
 * Time as a dimension: a machine that keeps a history can go to any moment that it has been at, and on from there, with the
 * same state at the same moment, always.
 *
 *   const history = machine.keepHistory();      // from now on; memory is bounded (`capBytes`), the oldest is dropped
 *   machine.run(n)                               // as before; a checkpoint is laid every so many steps
 *   const here = machine.position                // a moment: totally ordered, `comparePositions`
 *   history.seek(position | steps)               // to a moment between `oldest` and `present`
 *   history.backTo(stop => …)                    // the last stop at a breakpoint or watchpoint before here: reverse-continue
 *   history.lastWrite(physical, bytes)           // right after the last store to physical memory: "who wrote this?"
 *   history.stepBack(hart)                       // right before the hart's last step
 *   history.toPresent()
 *   history.cutFuture()                          // makes this moment the present: what came later has not happened
 *
 * In the past (`isPast`) `machine.run`, `runHart`, breakpoints and watchpoints work as always and the input that was typed
 * comes at its moments. When the furthest moment is reached again the run stops with `present`; the next one is new. What is
 * typed in the past is dropped: ask, `cutFuture`, then type. A debugger's write in the past cuts the future by itself.
 *
 * Observers. Listeners of the machine (console, traps, returns, root changes, stalls, guest errors) are told of everything
 * once: while the machine does again what it did before, they hear nothing. They follow by `onMoved`, which says where the
 * machine stands now: an observer that keeps a log with `instret` shows what is at or before `position.steps`, one that keeps
 * text shows the first `consoleBytes` bytes that the guest has sent. After `cut` everything later is to be forgotten.
 *
 * How. A checkpoint is a difference: lines of 64 bytes as they were one checkpoint earlier. The core keeps the old content of
 * each page at its first change since the last checkpoint and compares (core/undo.ts). Going over a checkpoint exchanges its
 * lines with memory, so that the same log leads back. Everything else is replayed: a run depends on nothing but its input.
 */

import type { Disposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { Emitter, type Event } from "../common/event.ts";
import * as layout from "./core/layout.ts";
import { Checkpoints } from "./history/checkpoints.ts";
import type { HistoryHost } from "./history/host.ts";
import {
	compareMoments,
	comparePositions,
	isAtOrBefore,
	type Position,
	type Target,
	withoutChanges,
} from "./history/position.ts";
import { mayMeet, type Reach, wrote } from "./history/reach.ts";
import type { Hart, Instructions, StopReason, WatchedAccess, WatchFilter } from "./types.ts";

export type { HistoryHost } from "./history/host.ts";
export { comparePositions, type Position } from "./history/position.ts";

export interface HistoryOptions {
	/** Steps between checkpoints; default 50 million. */
	readonly every?: Instructions;
	/** Bytes that checkpoints may take; default 256 MiB. Then the oldest are dropped. */
	readonly capBytes?: number;
}

export interface Moved {
	readonly position: Position;
	readonly isPast: boolean;
	/** Bytes that the guest has sent over the console up to here. */
	readonly consoleBytes: number;
	/** What came later has not happened any more. */
	readonly cut: boolean;
}

export interface Found {
	readonly position: Position;
	readonly stop: StopReason;
}

/** A store to physical memory; the machine stands right after it. */
export interface Write {
	readonly position: Position;
	/** Undefined: a device (DMA). */
	readonly hart: number | undefined;
	/** Of the instruction that stored. */
	readonly pc: bigint;
	readonly address: bigint;
}

const defaultEvery = 50_000_000;
const defaultCap = 256 << 20;
/** Steps before a place that was gone to at which checkpoints are laid: the next step back is short. */
const nearby = [5_000_000, 500_000, 50_000, 5_000] as const;
const stretch = 5_000_000;

export class History {
	private readonly checkpoints: Checkpoints;
	private barrierDue = false;
	private readonly every: number;
	private readonly moves = new Emitter<Moved>();
	private readonly drops = new Emitter<Position>();
	/** The machine stands elsewhere now, other than by running. */
	readonly onMoved: Event<Moved> = this.moves.event;
	/** The history begins later than it did: memory was full. */
	readonly onDropped: Event<Position> = this.drops.event;

	constructor(
		private readonly host: HistoryHost,
		options: HistoryOptions,
	) {
		this.every = options.every ?? defaultEvery;
		this.checkpoints = new Checkpoints(host, options.capBytes ?? defaultCap);
		this.restart();
	}

	// ---- where it is -----------------------------------------------------------------------------------------------

	get isPast(): boolean {
		return this.checkpoints.last !== undefined;
	}

	/** The earliest moment that can be gone to. */
	get oldest(): Position {
		return this.checkpoints.at(0).position;
	}

	/** The furthest moment of the run. */
	get present(): Position {
		return this.checkpoints.last === undefined
			? this.host.position
			: this.checkpoints.at(this.checkpoints.last).position;
	}

	/** Bytes that the guest had sent over the console up to here. */
	get consoleBytes(): number {
		return this.host.line.sentBytes;
	}

	/** Bytes that checkpoints take; how many there are, and how many were dropped because of the cap. */
	get usage(): Checkpoints["usage"] {
		return this.checkpoints.usage;
	}

	/** Moments of the checkpoints, earliest first. */
	get moments(): readonly Position[] {
		return this.checkpoints.positions;
	}

	// ---- going -----------------------------------------------------------------------------------------------------

	/** To a moment, or right after so many steps. Throws UserError `machine-options` when the history does not have it. */
	seek(to: Position | Instructions): void {
		const target: Target = typeof to === "number" ? { steps: to, moment: "steps" } : to;
		this.checkTarget(target);
		this.leavePresent();
		this.travel(target);
		this.settle();
	}

	toPresent(): void {
		if (this.checkpoints.last === undefined) return;
		this.checkpoints.restore(this.checkpoints.last);
		this.arrived();
		this.tell(false);
	}

	/**
	 * The last stop before here, at the breakpoints and watchpoints that there are, that `wanted` accepts; the machine stands
	 * there then, and the next run continues from it. Undefined: none, and the machine is where it was.
	 */
	backTo(wanted: (stop: StopReason) => boolean = () => true): Found | undefined {
		const until = this.host.position;
		this.leavePresent();
		const { points, core } = this.host;
		const found = this.search(
			until,
			"others",
			(at, stop) => comparePositions(at, until) < 0 && wanted(stop),
			(stretch) => mayMeet(stretch, points, core),
		);
		if (!found) this.travel(until);
		else if (found.stop.kind === "breakpoint") this.host.core.passBreakpoint(found.stop.hart);
		this.settle();
		return found;
	}

	/**
	 * The last store to any byte of physical [address, address + length), by a hart, a device or the page-table walker, at or
	 * before here; the machine stands right after it. Undefined: none that the history knows, and the machine is where it was.
	 */
	lastWrite(
		address: bigint,
		length: number,
		wanted: (access: WatchedAccess) => boolean = () => true,
	): Write | undefined {
		const until = this.host.position;
		this.leavePresent();
		const filter: WatchFilter = { physical: true, when: wanted };
		const watch = this.host.addWatchpoint(address, length, "write", filter);
		try {
			const found = this.search(
				until,
				"own",
				(at) => comparePositions(at, until) <= 0,
				(stretch) => wrote(stretch, { address, length }),
			);
			if (!found) this.travel(until);
			this.settle();
			if (found?.stop.kind !== "watchpoint") return undefined;
			const { hart, pc, address: at } = found.stop;
			return { position: found.position, hart, pc, address: at };
		} finally {
			watch.dispose();
		}
	}

	/**
	 * What happened between two moments, once more, for those who look on: `arm` sets breakpoints whose filters see each hit and stop at
	 * none; `atEnd` is called where the part ends. The machine is where it was then, and nobody is told that it moved.
	 */
	replay(from: Instructions, to: Instructions, arm: () => Disposable, atEnd: () => void): void {
		const { host } = this;
		// The oldest moment may be one between two steps.
		const begin: Target = from === this.oldest.steps ? this.oldest : { steps: from, moment: "steps" };
		const end: Target = { steps: to, moment: "steps" };
		this.checkTarget(begin);
		this.checkTarget(end);
		const here = host.position;
		const wasPast = this.isPast;
		this.leavePresent();
		this.travel(begin);
		const armed = arm();
		try {
			for (;;) {
				const fence = this.checkpoints.nextFence();
				const { position } = this.checkpoints.at(fence);
				if (position.steps >= to) break;
				this.forward(withoutChanges(position));
				this.checkpoints.restore(fence);
			}
			this.forward(end);
			atEnd();
		} finally {
			armed.dispose();
			if (wasPast) this.travel(here);
			else {
				this.checkpoints.restore(this.checkpoints.last as number);
				this.arrived();
			}
		}
	}

	/** Right before the hart's last step; undefined: the history does not have it, and the machine is where it was. */
	stepBack(hart: number): Position | undefined {
		const until = this.host.position;
		const want = this.stepsOf(hart) - 1n;
		const before = this.checkpoints.at(0).hartSteps[hart];
		if (before === undefined || before > want) return undefined;
		this.leavePresent();
		if (until.steps > this.oldest.steps) this.travel({ steps: until.steps - 1, moment: "ready" });
		if (this.stepsOf(hart) !== want || this.host.position.steps === until.steps) {
			const step = this.findStep(hart, want + 1n, until);
			this.travel(step === undefined ? until : { steps: step - 1, moment: "ready" });
		}
		this.settle();
		return this.host.position;
	}

	/** This moment is the present: what came later has not happened. */
	cutFuture(): void {
		if (this.checkpoints.last === undefined) return;
		this.host.input.cutFuture();
		this.checkpoints.cut();
		this.host.silence(false);
		this.tell(true);
	}

	// ---- for Machine -----------------------------------------------------------------------------------------------

	/** Steps that the machine may run before `arrive` is due. */
	room(): number {
		if (this.barrierDue) return 0;
		const now = this.host.position.steps;
		if (!this.isPast) return this.checkpoints.room(this.every);
		return Math.max(0, this.checkpoints.at(this.checkpoints.nextFence()).position.steps - now);
	}

	/** The room is used up. "present": the furthest moment is reached again. */
	arrive(): "present" | "on" {
		if (this.checkpoints.last === undefined) {
			this.lay();
			if (this.checkpoints.dropOldest()) this.drops.fire(this.oldest);
			return "on";
		}
		const fence = this.checkpoints.nextFence();
		this.checkpoints.restore(fence);
		if (fence !== this.checkpoints.last) return "on";
		this.arrived();
		this.tell(false);
		return "present";
	}

	/** The core needs its area of copies again. */
	areaFull(entries: number): void {
		this.checkpoints.areaFull(entries);
	}

	/** A debugger changed the machine. */
	changed(): void {
		if (this.checkpoints.last !== undefined) this.cutFuture();
		this.barrierDue = true;
	}

	/** The machine went to another run: the history begins here. */
	restart(): void {
		const wasPast = this.isPast;
		this.checkpoints.restart();
		if (wasPast) {
			this.host.input.goToPresent();
			this.host.silence(false);
		}
		this.barrierDue = true;
		this.lay();
	}

	dispose(): void {
		this.host.core.undoStop();
		this.moves.dispose();
		this.drops.dispose();
	}

	// ---- replaying -------------------------------------------------------------------------------------------------

	/** A checkpoint of the present. */
	private lay(): void {
		this.checkpoints.lay(this.barrierDue, false);
		this.barrierDue = false;
	}

	private leavePresent(): void {
		if (this.isPast) return;
		this.lay();
		this.checkpoints.last = this.checkpoints.base;
		this.host.input.goBack(this.host.input.admitted);
		this.host.silence(true);
	}

	/** The machine stands at the furthest moment. */
	private arrived(): void {
		this.checkpoints.last = undefined;
		this.host.input.goToPresent();
		this.host.silence(false);
		this.checkpoints.dropAllPassing();
	}

	/** After a way through the past: perhaps this is the present. */
	private settle(): void {
		if (this.checkpoints.last !== undefined && comparePositions(this.host.position, this.present) === 0) {
			this.checkpoints.restore(this.checkpoints.last);
			this.arrived();
		}
		this.tell(false);
	}

	private tell(cut: boolean): void {
		const { position, line } = this.host;
		this.moves.fire({ position, isPast: this.isPast, consoleBytes: line.sentBytes, cut });
	}

	private checkTarget(target: Target): void {
		if (isAtOrBefore(this.oldest, target) && !(target.steps > this.present.steps)) return;
		const range = `from instruction ${this.oldest.steps} to ${this.present.steps}`;
		const next = `Choose a moment ${range}.`;
		throw new UserError("machine-options", `Instruction ${target.steps} is not in the history`, next);
	}

	/** To a moment, by way of the nearest checkpoint, laying some near it. */
	private travel(target: Target): void {
		const index = this.checkpoints.indexBefore(target);
		const now = this.host.position;
		if (this.checkpoints.base !== index || !isAtOrBefore(now, target)) this.checkpoints.restore(index);
		this.host.activePoints("none");
		try {
			for (const distance of nearby) {
				const place = target.steps - distance;
				if (place - this.host.position.steps < distance / 2) continue;
				this.forward({ steps: place, moment: "steps" });
				this.checkpoints.thin();
				this.checkpoints.lay(false, true);
			}
			this.forward(target);
		} finally {
			this.host.activePoints("others");
		}
	}

	/** Runs on to a later moment. `onStop` is told of stops at points. */
	private forward(target: Target, onStop?: (stop: StopReason) => void): void {
		const { host } = this;
		for (;;) {
			const { steps, moment } = host.position;
			const atSteps = steps === target.steps;
			const most = atSteps && moment === target.moment ? (target.changes ?? -1) - host.pokes : Number.POSITIVE_INFINITY;
			const { steps: free, until } = host.input.admit({ at: steps, moment }, most);
			if (atSteps && compareMoments(moment, target.moment) >= 0) return;
			const goal = until ?? (atSteps ? target.moment : undefined);
			const flags = goal === "waiting" ? layout.RUN_STOP_BEFORE_SKIP : goal === "ready" ? layout.RUN_STOP_READY : 0;
			const left = atSteps ? 1 : target.steps - steps;
			if (free === 0) continue;
			const reason = host.stopped(host.enter(Math.min(left, free, stretch), flags));
			if (host.position.steps > target.steps) throw new Error("a replay went another way: a defect of ours");
			if (reason && onStop) onStop(reason);
		}
	}

	/** The last stop before `until` that counts, segment by segment from the latest on. */
	private search(
		until: Position,
		points: "own" | "others",
		counts: (at: Position, stop: StopReason) => boolean,
		worth: (stretch: Reach) => boolean,
	): Found | undefined {
		const { host } = this;
		const first = this.checkpoints.indexBefore(until);
		for (let i = first; i >= 0; i--) {
			const next = i + 1 < this.checkpoints.count ? this.checkpoints.at(i + 1) : undefined;
			const bounded = next && comparePositions(next.position, until) <= 0;
			if (next && !worth(next)) continue;
			if (!bounded && comparePositions(this.checkpoints.at(i).position, until) === 0 && points === "others") continue;
			this.checkpoints.restore(i);
			let found: Found | undefined;
			host.activePoints(points);
			try {
				const target = bounded ? withoutChanges(next.position) : until;
				this.forward(target, (stop) => {
					if (stop.kind !== "breakpoint" && stop.kind !== "watchpoint") return;
					const { position } = host;
					if (counts(position, stop)) found = { position, stop };
				});
			} finally {
				host.activePoints("others");
			}
			if (found) {
				this.travel(found.position);
				return found;
			}
		}
		return undefined;
	}

	private stepsOf(hart: number): bigint {
		return (this.host.harts[hart] as Hart).steps;
	}

	/** Steps of all harts right after the hart's step with this number. */
	private findStep(hart: number, number: bigint, until: Position): number | undefined {
		const { host } = this;
		let index = this.checkpoints.indexBefore(until);
		while (index > 0 && (this.checkpoints.at(index).hartSteps[hart] as bigint) >= number) index--;
		this.checkpoints.restore(index);
		host.view.setUint32(layout.T_RUN_HART, hart + 1, true);
		host.view.setBigUint64(layout.T_RUN_STEPS, number, true);
		host.activePoints("none");
		try {
			while (this.stepsOf(hart) < number) {
				const { steps, moment } = host.position;
				if (steps >= until.steps) return undefined;
				const { steps: free, until: goal } = host.input.admit({ at: steps, moment });
				if (free === 0) continue;
				const flags = goal === "waiting" ? layout.RUN_STOP_BEFORE_SKIP : goal === "ready" ? layout.RUN_STOP_READY : 0;
				host.stopped(host.enter(Math.min(until.steps - steps, free, stretch), flags));
			}
			return host.position.steps;
		} finally {
			host.view.setUint32(layout.T_RUN_HART, 0, true);
			host.activePoints("others");
		}
	}
}
