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
	private readonly pages = new Map<number, ShadowPage>();

	page(address: number): ShadowPage {
		const number = address >>> 12;
		let page = this.pages.get(number);
		if (!page) {
			page = new ShadowPage();
			this.pages.set(number, page);
		}
		return page;
	}
}
