import { hartsMax } from "./races.ts";
import type { Point, Suspicion } from "./records.ts";

/** What a hart's TLB may hold since its last sfence.vma. */
interface Cached {
	readonly hart: number;
	/** Of the hart's fences, when it was read. */
	readonly epoch: number;
	/** Physical page number of the root table. */
	readonly root: number;
	/** Low half of the leaf entry: all page numbers of RAM are in it. */
	readonly pte: number;
	readonly filled: Point;
	/** The store that took the mapping away, or a right of it. */
	taken: Point | undefined;
}

const valid = 1;
/** V, R, W, X, U; A and D are set by the hardware itself. */
const rights = 0x1f;

/**
 * Use of a translation that a TLB may still hold although its entry was taken away, or is another address space's (privileged
 * ISA 4.2.1: only sfence.vma orders stores to page tables before later walks). The machine's own TLBs are coherent, so no
 * run goes wrong by it; real ones do. A hart that is watched has an empty TLB after each fence.
 */
export class Mappings {
	private readonly epochs = new Uint32Array(hartsMax);
	private readonly cached = Array.from({ length: hartsMax }, () => new Map<number, Cached>());
	/** By the entry's physical address. */
	private readonly entries = new Map<number, Cached[]>();
	private readonly walks: { page: number; root: number }[] = [];
	private readonly told = new Set<number>();

	constructor(private readonly report: (suspicion: Suspicion) => void) {}

	fence(hart: number): void {
		this.epochs[hart] = (this.epochs[hart] as number) + 1;
		this.cached[hart]?.clear();
	}

	walk(point: Point, page: number, root: number): void {
		this.walks[point.hart] = { page, root };
		const held = this.cached[point.hart]?.get(page);
		if (!held?.taken || held.root !== root) return;
		this.tell("stale-mapping", page, [held.taken, point]);
		this.cached[point.hart]?.delete(page);
	}

	leaf(point: Point, at: number, pte: number): void {
		const walk = this.walks[point.hart];
		const cached = this.cached[point.hart];
		if (!walk || !cached) return;
		const { page, root } = walk;
		const before = cached.get(page);
		if (before && before.root !== root && differs(before.pte, pte)) {
			this.tell("stale-space", page, [before.filled, point]);
		}
		const epoch = this.epochs[point.hart] as number;
		const now: Cached = { hart: point.hart, epoch, root, pte, filled: point, taken: undefined };
		cached.set(page, now);
		const list = (this.entries.get(at) ?? []).filter((one) => one.hart !== point.hart && this.isHeld(one));
		this.entries.set(at, [...list, now]);
	}

	/** A store to a word that was a leaf entry once. */
	stored(point: Point, at: number, pte: number): void {
		for (const one of this.entries.get(at) ?? []) {
			if (!this.isHeld(one)) continue;
			if (!isTaken(one.pte, pte)) one.taken = undefined;
			else one.taken ??= point;
		}
	}

	private isHeld({ hart, epoch }: Cached): boolean {
		return this.epochs[hart] === epoch;
	}

	/** One for each pair of instructions. */
	private tell(kind: Suspicion["kind"], page: number, points: readonly [Point, Point]): void {
		const key = points[0].pc * 0x1_0000 + (points[1].pc & 0xffff);
		if (this.told.has(key)) return;
		this.told.add(key);
		this.report({ kind, address: page * 4096, points });
	}
}

function differs(a: number, b: number): boolean {
	return a >>> 10 !== b >>> 10 || (a & rights) !== (b & rights);
}

/** Whether who uses the old entry does what the new one forbids. */
function isTaken(old: number, now: number): boolean {
	return (now & valid) === 0 || old >>> 10 !== now >>> 10 || (old & rights & ~now) !== 0;
}
