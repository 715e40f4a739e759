import { hartsMax } from "./races.ts";
import type { Point, Suspicion } from "./records.ts";

/** What a hart's TLB may hold since its last sfence.vma. There is one for each hart and entry, used again after each fence. */
interface Cached {
	readonly hart: number;
	/** Physical address of the entry. */
	readonly at: number;
	/** Virtual page number. */
	page: number;
	/** Of the hart's fences, when it was read. */
	epoch: number;
	/** Physical page number of the root table. */
	root: number;
	/** Low half of the leaf entry: all page numbers of RAM are in it. */
	pte: number;
	/** Where it was read. */
	pc: number;
	record: number;
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
	private readonly epochs = new Uint32Array(hartsMax).fill(1);
	/** By virtual page. */
	private readonly cached = Array.from({ length: hartsMax }, () => new Map<number, Cached>());
	/** By the entry's physical address, then by hart. */
	private readonly entries = new Map<number, (Cached | undefined)[]>();
	/** The walk under way. */
	private readonly page = new Uint32Array(hartsMax);
	private readonly root = new Uint32Array(hartsMax);
	private readonly told = new Set<number>();

	constructor(private readonly report: (suspicion: Suspicion) => void) {}

	fence(hart: number): void {
		this.epochs[hart] = (this.epochs[hart] as number) + 1;
	}

	walk(hart: number, pc: number, record: number, page: number, root: number): void {
		this.page[hart] = page;
		this.root[hart] = root;
		const held = this.held(hart, page);
		if (!held?.taken || held.root !== root) return;
		this.tell("stale-mapping", page, held.taken, { record, hart, pc, does: "use", size: 0 });
		held.epoch = 0;
	}

	leaf(hart: number, pc: number, record: number, at: number, pte: number): void {
		const page = this.page[hart] as number;
		const root = this.root[hart] as number;
		const before = this.held(hart, page);
		if (before && before.root !== root && differs(before.pte, pte)) {
			const filled: Point = { record: before.record, hart, pc: before.pc, does: "use", size: 0 };
			this.tell("stale-space", page, filled, { record, hart, pc, does: "use", size: 0 });
		}
		const now = this.entry(hart, at);
		now.page = page;
		now.epoch = this.epochs[hart] as number;
		now.root = root;
		now.pte = pte;
		now.pc = pc;
		now.record = record;
		now.taken = undefined;
		if (before !== now) this.cached[hart]?.set(page, now);
	}

	/** A store to a word that was a leaf entry once. */
	stored(hart: number, pc: number, record: number, at: number, pte: number): void {
		for (const one of this.entries.get(at) ?? []) {
			if (!one || one.epoch !== this.epochs[one.hart]) continue;
			if (!isTaken(one.pte, pte)) one.taken = undefined;
			else one.taken ??= { record, hart, pc, does: "unmap", size: 0 };
		}
	}

	/** What the hart's TLB may hold for a page. */
	private held(hart: number, page: number): Cached | undefined {
		const one = this.cached[hart]?.get(page);
		return one && one.page === page && one.epoch === this.epochs[hart] ? one : undefined;
	}

	private entry(hart: number, at: number): Cached {
		let harts = this.entries.get(at);
		if (!harts) {
			harts = Array<Cached | undefined>(hartsMax).fill(undefined);
			this.entries.set(at, harts);
		}
		let one = harts[hart];
		if (!one) {
			one = { hart, at, page: 0, epoch: 0, root: 0, pte: 0, pc: 0, record: 0, taken: undefined };
			harts[hart] = one;
		}
		return one;
	}

	/** One for each pair of instructions. */
	private tell(kind: Suspicion["kind"], page: number, first: Point, second: Point): void {
		const key = first.pc * 0x1_0000 + (second.pc & 0xffff);
		if (this.told.has(key)) return;
		this.told.add(key);
		this.report({ kind, address: page * 4096, points: [first, second] });
	}
}

function differs(a: number, b: number): boolean {
	return a >>> 10 !== b >>> 10 || (a & rights) !== (b & rights);
}

/** Whether who uses the old entry does what the new one forbids. */
function isTaken(old: number, now: number): boolean {
	return (now & valid) === 0 || old >>> 10 !== now >>> 10 || (old & rights & ~now) !== 0;
}
