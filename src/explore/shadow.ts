/**
 * What a detector remembers of memory: for each 4-byte word of a touched page the last write, and the last read or reads.
 * An epoch is `clock << 3 | hart`, 0: none (FastTrack: most words never need more than one read).
 */
export class ShadowPage {
	readonly write = new Uint32Array(1024);
	readonly writePc = new Uint32Array(1024);
	readonly writeRecord = new Uint32Array(1024);
	readonly read = new Uint32Array(1024);
	readonly readPc = new Uint32Array(1024);
	readonly readRecord = new Uint32Array(1024);
	/** An entry in it was a leaf of a page table once. */
	isTable = false;
	/** LOCK: a lock word. BESIDE: the rest of a spinlock, which belongs to acquire and release. ATOMIC: others that AMOs change. */
	readonly role = new Uint8Array(1024);
	/** A variable of its own that a lock has to guard begins in it. */
	hasScalars = false;
	/** Reads that no order joins with the one in `read`, by word. */
	readonly otherReads = new Map<number, PastRead[]>();
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
		private readonly hasScalars: (page: number) => boolean,
	) {}

	page(address: number): ShadowPage {
		const number = address >>> 12;
		return this.pages[number - this.base] ?? this.touch(number);
	}

	private touch(number: number): ShadowPage {
		const page = new ShadowPage();
		page.hasScalars = this.hasScalars(number);
		this.pages[number - this.base] = page;
		return page;
	}
}
