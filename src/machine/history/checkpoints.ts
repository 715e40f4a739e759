import * as layout from "../core/layout.ts";
import { undoLayout } from "../coreAbi.ts";
import type { Instructions } from "../types.ts";
import type { HistoryHost } from "./host.ts";
import { comparePositions, isAtOrBefore, type Position, type Target } from "./position.ts";
import type { Reach } from "./reach.ts";

/** A moment; as a {@link Reach}, the stretch from the checkpoint before it. */
export interface Checkpoint extends Reach {
	readonly position: Position;
	readonly waiting: Uint8Array;
	readonly lastStop: number;
	readonly inputs: number;
	readonly pokes: number;
	readonly consoleBytes: number;
	readonly hartSteps: readonly bigint[];
	pages: Uint32Array;
	code: Uint8Array;
	stores: Uint8Array;
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

/** Checkpoints that were laid near places that were gone to: not more than so many. */
const passingMax = 48;
/** What a checkpoint costs besides its log and pages. */
const overhead = 512 + (layout.RAN_SET_BITS + layout.UNDO_STORES_BITS) / 8;
/** Steps of byte loops in bulk cost next to nothing to do again: up to so many distances, if there are many of them. */
const bulkDistances = 4;
/** Of the distance: less room than this is none. */
const leastRoom = 1 / 1000;

/**
 * Moments of a run that memory can be put back to, each as the difference to the one before it. Between two of them the core keeps what
 * each page was before its first change (core/undo.ts).
 */
export class Checkpoints {
	private readonly list: Checkpoint[] = [];
	/** The one that memory is at, but for what the core keeps to undo. */
	base = -1;
	/** In the past: the one at the furthest moment. */
	last: number | undefined;
	private chunks: Chunk[] = [];
	private droppedCount = 0;
	private bytesKept = 0;
	private bulkBefore = 0;
	private readonly place: ReturnType<typeof undoLayout>;

	/** `cap`: bytes. */
	constructor(
		private readonly host: HistoryHost,
		private readonly cap: number,
	) {
		this.place = undoLayout(host.ramBytes, host.diskBytes);
	}

	at(index: number): Checkpoint {
		return this.list[index] as Checkpoint;
	}

	get count(): number {
		return this.list.length;
	}

	get positions(): readonly Position[] {
		return this.list.map(({ position }) => position);
	}

	/** Bytes that they take; how many there are, and how many were dropped because of the cap. */
	get usage(): { readonly bytes: number; readonly checkpoints: number; readonly dropped: number } {
		return { bytes: this.bytesKept, checkpoints: this.list.length, dropped: this.droppedCount };
	}

	/** Forgets all; the core begins to keep. */
	restart(): void {
		const { entries, heads, copies, copyPages, state, out } = this.place;
		this.list.length = 0;
		this.base = -1;
		this.last = undefined;
		this.chunks = [];
		this.bytesKept = 0;
		this.host.core.undoStart(entries, heads, copies, copyPages, state, out, layout.UNDO_BUFFER_SIZE);
		this.host.sleep();
	}

	/** In the present: steps until the next one is due, which are `every` that cost something to do again. */
	room(every: Instructions): Instructions {
		const steps = this.host.position.steps - this.at(this.base).position.steps;
		const dear = steps - (this.host.bulkSteps - this.bulkBefore);
		const room = Math.min(every - dear, bulkDistances * every - steps);
		if (steps === 0) return every;
		// The core's area would overflow: taking it away costs more than a checkpoint.
		const isFull = this.host.core.undoCopies() > this.place.copyPages * 0.75;
		return isFull || room < every * leastRoom ? 0 : room;
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

	/** Remembers this moment, right after the checkpoint that memory is at. */
	lay(barrier: boolean, passing: boolean): void {
		const { host } = this;
		const { position } = host;
		const at = this.list[this.base];
		if (at && comparePositions(at.position, position) === 0) return;
		const { log, pages } = at ? this.collect() : { log: [], pages: new Uint32Array() };
		host.core.ranCollect();
		const next = this.list[this.base + 1];
		if (next) {
			// From here it leads by way of the checkpoint before.
			this.bytesKept += sizeOf(log, pages);
			next.log = [...log, ...next.log];
			next.pages = union(next.pages, pages);
		}
		this.bytesKept += sizeOf(log, pages);
		this.list.splice(this.base + 1, 0, {
			position,
			waiting: host.line.waiting,
			lastStop: host.lastStop,
			inputs: host.input.admitted,
			pokes: host.pokes,
			consoleBytes: host.line.sentBytes,
			hartSteps: host.harts.map(({ steps }) => steps),
			pages,
			code: this.setAt(layout.RAN_SET, layout.RAN_SET_BITS),
			stores: this.setAt(layout.UNDO_STORES, layout.UNDO_STORES_BITS),
			log,
			barrier,
			passing,
		});
		this.base++;
		if (this.last !== undefined && this.last >= this.base) this.last++;
		this.forgetCopies();
	}

	private setAt(linear: number, bits: number): Uint8Array {
		return this.host.bytes.slice(linear, linear + bits / 8);
	}

	private forgetCopies(): void {
		this.bulkBefore = this.host.bulkSteps;
		this.host.core.undoReset();
		this.host.sleep();
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
			pages[i] = view.getUint32(this.place.entries + 8 * i, true) & ~(layout.UNDO_UNIFORM | layout.UNDO_TAIL);
		}
		return { log, pages: pages.sort() };
	}

	private output(): Uint8Array | undefined {
		const length = this.host.core.undoOutput();
		return length === 0 ? undefined : this.host.bytes.slice(this.place.out, this.place.out + length);
	}

	/** Memory and everything else as at a checkpoint. */
	restore(index: number): void {
		const { host } = this;
		this.forEachChunk((from, to) => host.core.undoRevert(from, to));
		host.core.undoRevertState();
		while (this.base > index) this.cross(this.base--, false);
		while (this.base < index) this.cross(++this.base, true);
		const checkpoint = this.list[index] as Checkpoint;
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
		const checkpoint = this.list[index] as Checkpoint;
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

	/** As many as there is too little room for. Whether some were dropped. */
	dropOldest(): boolean {
		let dropped = false;
		while (this.bytesKept > this.cap && this.base > 1) {
			const [, next] = this.list as [Checkpoint, Checkpoint];
			this.bytesKept -= sizeOf(next.log, next.pages);
			next.log = [];
			next.pages = new Uint32Array();
			this.bytesKept += sizeOf(next.log, next.pages);
			this.bytesKept -= sizeOf([], new Uint32Array());
			this.list.shift();
			this.base--;
			this.droppedCount++;
			dropped = true;
		}
		return dropped;
	}

	/** Takes a checkpoint out that memory is not at: the next one's log leads over it. */
	private dropPassing(index: number): void {
		const [gone] = this.list.splice(index, 1) as [Checkpoint];
		const next = this.list[index] as Checkpoint;
		next.log = [...gone.log, ...next.log];
		this.bytesKept -= sizeOf([], gone.pages);
		next.pages = union(next.pages, gone.pages);
		next.code = next.code.map((bits, i) => bits | (gone.code[i] as number));
		next.stores = next.stores.map((bits, i) => bits | (gone.stores[i] as number));
		if (this.base > index) this.base--;
		if (this.last !== undefined && this.last > index) this.last--;
	}

	/** The last checkpoint at or before a moment. */
	indexBefore(target: Target): number {
		let low = 0;
		let high = this.list.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (isAtOrBefore((this.list[middle] as Checkpoint).position, target)) low = middle + 1;
			else high = middle;
		}
		return Math.max(0, low - 1);
	}

	/** The next checkpoint that no replay goes over. */
	nextFence(): number {
		const last = this.last as number;
		const now = this.host.position;
		for (let i = this.base + 1; i < last; i++) {
			const { barrier, position } = this.list[i] as Checkpoint;
			if (barrier && comparePositions(position, now) > 0) return i;
		}
		return last;
	}

	/** Those laid in passing have served. */
	dropAllPassing(): void {
		for (let i = this.list.length - 2; i > 0; i--) if (this.at(i).passing) this.dropPassing(i);
	}

	/** Not more than some of the checkpoints that were laid in passing. */
	thin(): void {
		const passing = this.list.flatMap(({ passing: is }, i) => (is && i !== this.base ? [i] : []));
		if (passing.length < passingMax) return;
		// The furthest from here.
		const far = passing.reduce((a, b) => (Math.abs(a - this.base) > Math.abs(b - this.base) ? a : b));
		this.dropPassing(far);
	}

	/** Those after the one that memory is at are forgotten. */
	cut(): void {
		for (const { log, pages } of this.list.splice(this.base + 1)) this.bytesKept -= sizeOf(log, pages);
		this.last = undefined;
	}
}

function sizeOf(log: readonly Uint8Array[], pages: Uint32Array): number {
	return log.reduce((sum, piece) => sum + piece.length + 64, overhead + pages.byteLength);
}

function union(a: Uint32Array, b: Uint32Array): Uint32Array {
	return Uint32Array.from(new Set([...a, ...b])).sort();
}
