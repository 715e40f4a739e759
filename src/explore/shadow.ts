/** Where in a word's numbers what is. */
export const [WRITE, WRITE_PC, WRITE_RECORD, READ, READ_PC, READ_RECORD] = [0, 1, 2, 3, 4, 5] as const;
export const wordSize = 8;

/**
 * What a detector remembers of memory: for each 4-byte word of a touched page the last write, and the last read or reads.
 * An epoch is `clock << 3 | hart`, 0: none (FastTrack: most words never need more than one read).
 */
export class ShadowPage {
	/** Of each word `wordSize` numbers, side by side: an access uses one cache line of it. */
	readonly words = new Uint32Array(1024 * wordSize);
	/** An entry in it was a leaf of a page table once. */
	isTable = false;
	/** LOCK: a lock word. BESIDE: the rest of a spinlock, which belongs to acquire and release. ATOMIC: others that AMOs change. */
	readonly role = new Uint8Array(1024);
	/** Words in which a variable of its own begins that a lock has to guard: 1. */
	scalars: Uint8Array | undefined;
	/** Reads that no order joins with the one in `words`, by word. */
	otherReads: Map<number, PastRead[]> | undefined;
}

export interface PastRead {
	readonly epoch: number;
	readonly pc: number;
	readonly record: number;
}

export const LOCK = 1;
export const BESIDE = 2;
export const ATOMIC = 3;

export class Shadow {
	/** By number of the page from `base` on. */
	private readonly pages: (ShadowPage | undefined)[] = [];

	constructor(
		private readonly base: number,
		private readonly scalarsOf: (page: number) => Uint8Array | undefined,
	) {}

	page(address: number): ShadowPage {
		const number = address >>> 12;
		return this.pages[number - this.base] ?? this.touch(number);
	}

	private touch(number: number): ShadowPage {
		const page = new ShadowPage();
		page.scalars = this.scalarsOf(number);
		this.pages[number - this.base] = page;
		return page;
	}
}
