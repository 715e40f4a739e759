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
import type { ConsoleLine } from "./consoleLine.ts";
import * as layout from "./core/layout.ts";
import { type CoreExports, undoLayout } from "./coreAbi.ts";
import type { Input } from "./input.ts";
import type { InputMoment } from "./inputLog.ts";
import type { Hart, Instructions, StopReason, WatchedAccess, WatchFilter } from "./types.ts";

/**
 * A moment of a run. Between two steps several things may happen without one (slices end, time is skipped, an interrupt is
 * taken, input comes); `moment` and `changes` say how far that is.
 */
export interface Position {
	/** Steps that all harts together have made. */
	readonly steps: Instructions;
	readonly moment: InputMoment;
	/** Inputs that have come since power-on, and a debugger's changes. */
	readonly changes: number;
}

const momentOrder: readonly InputMoment[] = ["steps", "waiting", "idle", "ready"];

/** Negative: `a` is earlier. */
export function comparePositions(a: Position, b: Position): number {
	if (a.steps !== b.steps) return a.steps - b.steps;
	return momentOrder.indexOf(a.moment) - momentOrder.indexOf(b.moment) || a.changes - b.changes;
}

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

/** What of a machine a history needs; only `Machine` makes one. */
export interface HistoryHost {
	readonly core: CoreExports;
	readonly bytes: Uint8Array;
	readonly view: DataView;
	readonly ramBytes: number;
	readonly diskBytes: number;
	readonly line: ConsoleLine;
	readonly input: Input;
	readonly harts: readonly Hart[];
	lastStop: number;
	pokes: number;
	readonly position: Position;
	/** Runs the core; its STOP_* code. */
	enter(steps: number, flags: number): number;
	/** What a STOP_* code means to others; undefined: nothing. */
	stopped(stop: number): StopReason | undefined;
	/** Listeners hear nothing. */
	silence(silent: boolean): void;
	/** Only history's own points count, only others', or none. */
	activePoints(which: "own" | "others" | "none"): void;
	addWatchpoint(address: bigint, length: number, access: "read" | "write" | "any", filter: WatchFilter): Disposable;
	/** Caches and observers inside of the machine, after STATE, RAM and disk went to another moment. */
	moved(): void;
}

interface Checkpoint {
	readonly position: Position;
	readonly waiting: Uint8Array;
	readonly lastStop: number;
	readonly inputs: number;
	readonly pokes: number;
	readonly consoleBytes: number;
	readonly hartSteps: readonly bigint[];
	/** Linear pages that were changed since the checkpoint before; ascending. */
	pages: Uint32Array;
	/** Pieces that lead to the checkpoint before, or, once that was gone to, from it; in the order of going forwards. */
	log: readonly Uint8Array[];
	/** A debugger's change came right before: no replay may go over it. */
	readonly barrier: boolean;
	/** Laid near a place that was gone to; dropped when the present is reached again. */
	readonly passing: boolean;
}

interface Chunk {
	readonly copies: Uint8Array;
	readonly from: number;
	readonly to: number;
}

const defaultEvery = 50_000_000;
const defaultCap = 256 << 20;
/** Steps before a place that was gone to at which checkpoints are laid: the next step back is short. */
const nearby = [5_000_000, 500_000, 50_000, 5_000] as const;
const passingMax = 48;
const stretch = 5_000_000;
/** What a checkpoint costs besides its log and pages. */
const overhead = 512;

export class History {
	private readonly checkpoints: Checkpoint[] = [];
	/** The checkpoint that memory is at, but for what the core keeps to undo. */
	private base = -1;
	/** In the past: the checkpoint at the furthest moment. */
	private last: number | undefined;
	private chunks: Chunk[] = [];
	private barrierDue = false;
	private droppedCount = 0;
	private bytesKept = 0;
	private readonly every: number;
	private readonly cap: number;
	private readonly place: ReturnType<typeof undoLayout>;
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
		this.cap = options.capBytes ?? defaultCap;
		this.place = undoLayout(host.ramBytes, host.diskBytes);
		this.restart();
	}

	// ---- where it is -----------------------------------------------------------------------------------------------

	get isPast(): boolean {
		return this.last !== undefined;
	}

	/** The earliest moment that can be gone to. */
	get oldest(): Position {
		return (this.checkpoints[0] as Checkpoint).position;
	}

	/** The furthest moment of the run. */
	get present(): Position {
		return this.last === undefined ? this.host.position : (this.checkpoints[this.last] as Checkpoint).position;
	}

	/** Bytes that checkpoints take; how many there are, and how many were dropped because of the cap. */
	get usage(): { readonly bytes: number; readonly checkpoints: number; readonly dropped: number } {
		return { bytes: this.bytesKept, checkpoints: this.checkpoints.length, dropped: this.droppedCount };
	}

	/** Moments of the checkpoints, earliest first. */
	get moments(): readonly Position[] {
		return this.checkpoints.map(({ position }) => position);
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
		if (this.last === undefined) return;
		this.restore(this.last);
		this.arrived();
		this.tell(false);
	}

	/**
	 * The last stop before here, at the breakpoints and watchpoints that there are, that `wanted` accepts; the machine stands
	 * there then, and the next run goes on from it. Undefined: none, and the machine is where it was.
	 */
	backTo(wanted: (stop: StopReason) => boolean = () => true): Found | undefined {
		const until = this.host.position;
		this.leavePresent();
		const found = this.search(until, "others", (at, stop) => comparePositions(at, until) < 0 && wanted(stop));
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
		const first = Number((address - BigInt(layout.RAM_GUEST_BASE)) >> 12n) + layout.RAM_BASE / layout.PAGE_SIZE;
		const end =
			Number((address + BigInt(length - 1) - BigInt(layout.RAM_GUEST_BASE)) >> 12n) +
			layout.RAM_BASE / layout.PAGE_SIZE;
		const touched = ({ pages }: Checkpoint) => hasPage(pages, first, end);
		try {
			const found = this.search(until, "own", (at) => comparePositions(at, until) <= 0, touched);
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
				const fence = this.nextFence();
				const { position } = this.checkpoints[fence] as Checkpoint;
				if (position.steps >= to) break;
				this.forward(withoutChanges(position));
				this.restore(fence);
			}
			this.forward(end);
			atEnd();
		} finally {
			armed.dispose();
			if (wasPast) this.travel(here);
			else {
				this.restore(this.last as number);
				this.arrived();
			}
		}
	}

	/** Right before the hart's last step; undefined: the history does not have it, and the machine is where it was. */
	stepBack(hart: number): Position | undefined {
		const until = this.host.position;
		const want = this.stepsOf(hart) - 1n;
		const before = (this.checkpoints[0] as Checkpoint).hartSteps[hart];
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
		if (this.last === undefined) return;
		for (const { log, pages } of this.checkpoints.splice(this.base + 1)) this.bytesKept -= sizeOf(log, pages);
		this.host.input.cutFuture();
		this.last = undefined;
		this.host.silence(false);
		this.tell(true);
	}

	// ---- for Machine -----------------------------------------------------------------------------------------------

	/** Steps that the machine may run before `arrive` is due. */
	room(): number {
		if (this.barrierDue) return 0;
		const now = this.host.position.steps;
		if (this.last === undefined)
			return Math.max(0, (this.checkpoints[this.base] as Checkpoint).position.steps + this.every - now);
		return Math.max(0, (this.checkpoints[this.nextFence()] as Checkpoint).position.steps - now);
	}

	/** The room is used up. "present": the furthest moment is reached again. */
	arrive(): "present" | "on" {
		if (this.last === undefined) {
			this.lay(this.barrierDue, false);
			this.dropOldest();
			return "on";
		}
		const fence = this.nextFence();
		this.restore(fence);
		if (fence !== this.last) return "on";
		this.arrived();
		this.tell(false);
		return "present";
	}

	/** The core needs its area of copies again. */
	areaFull(entries: number): void {
		const { copies, copyPages } = this.place;
		const from = this.chunks.at(-1)?.to ?? 0;
		this.chunks.push({
			copies: this.host.bytes.slice(copies, copies + copyPages * layout.PAGE_SIZE),
			from,
			to: entries,
		});
	}

	/** A debugger changed the machine. */
	changed(): void {
		if (this.last !== undefined) this.cutFuture();
		this.barrierDue = true;
	}

	/** The machine went to another run: the history begins here. */
	restart(): void {
		const { entries, copies, copyPages, state, out } = this.place;
		this.checkpoints.length = 0;
		this.base = -1;
		this.chunks = [];
		this.bytesKept = 0;
		this.barrierDue = false;
		if (this.last !== undefined) {
			this.last = undefined;
			this.host.input.goToPresent();
			this.host.silence(false);
		}
		this.host.core.undoStart(entries, copies, copyPages, state, out, layout.UNDO_BUFFER_SIZE);
		this.lay(true, false);
	}

	dispose(): void {
		this.host.core.undoStop();
		this.moves.dispose();
		this.drops.dispose();
	}

	// ---- checkpoints -----------------------------------------------------------------------------------------------

	/** Remembers this moment, right after the checkpoint that memory is at. */
	private lay(barrier: boolean, passing: boolean): void {
		const { host } = this;
		const { position } = host;
		const at = this.checkpoints[this.base];
		this.barrierDue = false;
		if (at && comparePositions(at.position, position) === 0) return;
		const { log, pages } = at ? this.collect() : { log: [], pages: new Uint32Array() };
		const next = this.checkpoints[this.base + 1];
		if (next) {
			// From here it leads by way of the checkpoint before.
			this.bytesKept += sizeOf(log, pages);
			next.log = [...log, ...next.log];
			next.pages = union(next.pages, pages);
		}
		this.bytesKept += sizeOf(log, pages);
		this.checkpoints.splice(this.base + 1, 0, {
			position,
			waiting: host.line.waiting,
			lastStop: host.lastStop,
			inputs: host.input.admitted,
			pokes: host.pokes,
			consoleBytes: host.line.sentBytes,
			hartSteps: host.harts.map(({ steps }) => steps),
			pages,
			log,
			barrier,
			passing,
		});
		this.base++;
		if (this.last !== undefined && this.last >= this.base) this.last++;
		this.forgetCopies();
	}

	private forgetCopies(): void {
		this.host.core.undoReset();
		this.chunks = [];
	}

	/** Calls `visit` with the ranges of the core's entries, and their copies in its area. */
	private forEachChunk(visit: (from: number, to: number) => void): void {
		const { core, bytes } = this.host;
		visit(this.chunks.at(-1)?.to ?? 0, core.undoCount());
		for (const { copies, from, to } of this.chunks) {
			bytes.set(copies, this.place.copies);
			visit(from, to);
		}
	}

	/** What changed since the checkpoint that memory is at, as it was then. */
	private collect(): { log: readonly Uint8Array[]; pages: Uint32Array } {
		const { core, view } = this.host;
		const log: Uint8Array[] = [];
		const take = () => {
			const piece = this.output();
			if (piece) log.push(piece);
		};
		core.undoState();
		take();
		this.forEachChunk((from, to) => {
			for (let at = from; at < to; ) {
				at = core.undoCollect(at, to) >>> 0;
				take();
			}
		});
		const pages = new Uint32Array(core.undoCount());
		for (let i = 0; i < pages.length; i++) {
			pages[i] = view.getUint32(this.place.entries + 8 * i, true) & ~layout.UNDO_UNIFORM;
		}
		return { log, pages: pages.sort() };
	}

	private output(): Uint8Array | undefined {
		const length = this.host.core.undoOutput();
		return length === 0 ? undefined : this.host.bytes.slice(this.place.out, this.place.out + length);
	}

	/** Memory and everything else as at a checkpoint. */
	private restore(index: number): void {
		const { host } = this;
		this.forEachChunk((from, to) => host.core.undoRevert(from, to));
		host.core.undoRevertState();
		while (this.base > index) this.cross(this.base--, false);
		while (this.base < index) this.cross(++this.base, true);
		const checkpoint = this.checkpoints[index] as Checkpoint;
		this.forgetCopies();
		host.line.restore(checkpoint.waiting);
		host.line.sentBytes = checkpoint.consoleBytes;
		host.lastStop = checkpoint.lastStop;
		host.pokes = checkpoint.pokes;
		if (this.last !== undefined) host.input.goBack(checkpoint.inputs);
		host.moved();
	}

	/** Exchanges a checkpoint's log with memory. */
	private cross(index: number, forwards: boolean): void {
		const checkpoint = this.checkpoints[index] as Checkpoint;
		const pieces = forwards ? checkpoint.log : checkpoint.log.toReversed();
		const back = pieces.map((piece) => this.exchange(piece));
		const log = (forwards ? back : back.reverse()).flat();
		this.bytesKept += sizeOf(log, checkpoint.pages) - sizeOf(checkpoint.log, checkpoint.pages);
		checkpoint.log = log;
	}

	private exchange(piece: Uint8Array): Uint8Array[] {
		const { core, bytes } = this.host;
		const { log } = this.place;
		bytes.set(piece, log);
		core.undoSwapBegin(log);
		const back: Uint8Array[] = [];
		for (let done = false; !done; ) {
			done = core.undoSwap(log + piece.length) !== 0;
			const part = this.output();
			if (part) back.push(part);
		}
		return back;
	}

	private dropOldest(): void {
		let dropped = false;
		while (this.bytesKept > this.cap && this.base > 1) {
			const [, next] = this.checkpoints as [Checkpoint, Checkpoint];
			this.bytesKept -= sizeOf(next.log, next.pages);
			next.log = [];
			next.pages = new Uint32Array();
			this.bytesKept += sizeOf(next.log, next.pages);
			this.bytesKept -= sizeOf([], new Uint32Array());
			this.checkpoints.shift();
			this.base--;
			this.droppedCount++;
			dropped = true;
		}
		if (dropped) this.drops.fire(this.oldest);
	}

	/** Takes a checkpoint out that memory is not at: the next one's log leads over it. */
	private dropPassing(index: number): void {
		const [gone] = this.checkpoints.splice(index, 1) as [Checkpoint];
		const next = this.checkpoints[index] as Checkpoint;
		next.log = [...gone.log, ...next.log];
		this.bytesKept -= sizeOf([], gone.pages);
		next.pages = union(next.pages, gone.pages);
		if (this.base > index) this.base--;
		if (this.last !== undefined && this.last > index) this.last--;
	}

	/** The last checkpoint at or before a moment. */
	private indexBefore(target: Target): number {
		let low = 0;
		let high = this.checkpoints.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (isAtOrBefore((this.checkpoints[middle] as Checkpoint).position, target)) low = middle + 1;
			else high = middle;
		}
		return Math.max(0, low - 1);
	}

	/** The next checkpoint that no replay goes over. */
	private nextFence(): number {
		const last = this.last as number;
		const now = this.host.position;
		for (let i = this.base + 1; i < last; i++) {
			const { barrier, position } = this.checkpoints[i] as Checkpoint;
			if (barrier && comparePositions(position, now) > 0) return i;
		}
		return last;
	}

	// ---- replaying -------------------------------------------------------------------------------------------------

	private leavePresent(): void {
		if (this.last !== undefined) return;
		this.lay(this.barrierDue, false);
		this.last = this.base;
		this.host.input.goBack(this.host.input.admitted);
		this.host.silence(true);
	}

	/** The machine stands at the furthest moment. */
	private arrived(): void {
		this.last = undefined;
		this.host.input.goToPresent();
		this.host.silence(false);
		for (let i = this.checkpoints.length - 2; i > 0; i--) {
			if ((this.checkpoints[i] as Checkpoint).passing) this.dropPassing(i);
		}
	}

	/** After a way through the past: perhaps this is the present. */
	private settle(): void {
		if (this.last !== undefined && comparePositions(this.host.position, this.present) === 0) {
			this.restore(this.last);
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
		const index = this.indexBefore(target);
		const now = this.host.position;
		if (this.base !== index || !isAtOrBefore(now, target)) this.restore(index);
		this.host.activePoints("none");
		try {
			for (const distance of nearby) {
				const place = target.steps - distance;
				if (place - this.host.position.steps < distance / 2) continue;
				this.forward({ steps: place, moment: "steps" });
				this.thin();
				this.lay(false, true);
			}
			this.forward(target);
		} finally {
			this.host.activePoints("others");
		}
	}

	/** Not more than some of the checkpoints that were laid in passing. */
	private thin(): void {
		const passing = this.checkpoints.flatMap(({ passing: is }, i) => (is && i !== this.base ? [i] : []));
		if (passing.length < passingMax) return;
		// The furthest from here.
		const far = passing.reduce((a, b) => (Math.abs(a - this.base) > Math.abs(b - this.base) ? a : b));
		this.dropPassing(far);
	}

	/** Runs on to a later moment. `onStop` is told of stops at points. */
	private forward(target: Target, onStop?: (stop: StopReason) => void): void {
		const { host } = this;
		for (;;) {
			const { steps, moment } = host.position;
			const atSteps = steps === target.steps;
			const most = atSteps && moment === target.moment ? (target.changes ?? -1) - host.pokes : Number.POSITIVE_INFINITY;
			const { steps: free, until } = host.input.admit({ at: steps, moment }, most);
			if (atSteps && momentOrder.indexOf(moment) >= momentOrder.indexOf(target.moment)) return;
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
		worth: (segment: Checkpoint) => boolean = () => true,
	): Found | undefined {
		const { host } = this;
		const first = this.indexBefore(until);
		for (let i = first; i >= 0; i--) {
			const next = this.checkpoints[i + 1];
			const bounded = next && comparePositions(next.position, until) <= 0;
			if (next && !worth(next)) continue;
			if (
				!bounded &&
				comparePositions((this.checkpoints[i] as Checkpoint).position, until) === 0 &&
				points === "others"
			)
				continue;
			this.restore(i);
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
		let index = this.indexBefore(until);
		while (index > 0 && ((this.checkpoints[index] as Checkpoint).hartSteps[hart] as bigint) >= number) index--;
		this.restore(index);
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

/** A position, or the first one with these steps and this moment. */
interface Target {
	readonly steps: Instructions;
	readonly moment: InputMoment;
	readonly changes?: number;
}

function withoutChanges({ steps, moment }: Position): Target {
	return { steps, moment };
}

function isAtOrBefore(position: Position, { steps, moment, changes }: Target): boolean {
	if (changes !== undefined) return comparePositions(position, { steps, moment, changes }) <= 0;
	if (position.steps !== steps) return position.steps < steps;
	return momentOrder.indexOf(position.moment) <= momentOrder.indexOf(moment);
}

function sizeOf(log: readonly Uint8Array[], pages: Uint32Array): number {
	return log.reduce((sum, piece) => sum + piece.length + 64, overhead + pages.byteLength);
}

/** Whether an ascending list has a number of [first, last]. */
function hasPage(pages: Uint32Array, first: number, last: number): boolean {
	let low = 0;
	let high = pages.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((pages[middle] as number) < first) low = middle + 1;
		else high = middle;
	}
	return low < pages.length && (pages[low] as number) <= last;
}

function union(a: Uint32Array, b: Uint32Array): Uint32Array {
	return Uint32Array.from(new Set([...a, ...b])).sort();
}
