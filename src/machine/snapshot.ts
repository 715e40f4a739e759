import { PAGE_SIZE } from "./core/layout.ts";

/**
 * A machine at one moment: the state area, and every page of RAM and disk. Pages are never written again once they are in a
 * snapshot, so that snapshots share all that did not change between them.
 */
export interface Snapshot {
	readonly harts: number;
	readonly ramBytes: number;
	readonly diskBytes: number;
	readonly state: Uint8Array;
	/** Console input that the guest had not read yet, and the number of records in the input log. */
	readonly waiting: Uint8Array;
	readonly inputs: number;
	/** How the core's last run ended: whether time is to be skipped next is part of the moment. */
	readonly lastStop: number;
	/** Each whole, or its first three words where the third fills the rest. */
	readonly pages: readonly Uint8Array[];
	/** Of a machine of this process: its `stamp` then. */
	readonly stamp?: number;
}

/** The content of every page that was never written, shared by all. */
const zeroPage = new Uint8Array(PAGE_SIZE);
const pageWords = PAGE_SIZE / 4;
/** A free page of xv6 is filled but for the link at its head, and nearly all pages are free. */
const shortBytes = 12;

/** Remembers what each page held when it was last saved, and which pages changed since. */
export class PageStore {
	private saved: readonly Uint8Array[];
	private readonly changed: Uint8Array;
	private readonly words: Uint32Array;
	/** Pages of one repeated word (xv6 fills free memory) are one page for all. */
	private readonly fills = new Map<number, Uint8Array>([[0, zeroPage]]);

	constructor(
		private readonly memory: Uint8Array,
		/** First byte and number of the pages, in the machine's linear memory. All of them are zero at first. */
		private readonly start: number,
		readonly count: number,
	) {
		this.changed = new Uint8Array(count);
		this.saved = new Array<Uint8Array>(count).fill(zeroPage);
		this.words = new Uint32Array(memory.buffer, memory.byteOffset, memory.byteLength >> 2);
	}

	noteChange(page: number): void {
		this.changed[page] = 1;
	}

	save(): readonly Uint8Array[] {
		const pages = this.saved.slice();
		const short: number[] = [];
		const whole: number[] = [];
		for (let i = this.changed.indexOf(1); i >= 0; i = this.changed.indexOf(1, i + 1)) {
			const first = this.firstWord(i);
			const fill = this.fillOf(first + 2, first + pageWords);
			if (fill === undefined) whole.push(i);
			else if (this.words[first] === fill && this.words[first + 1] === fill) pages[i] = this.fillPage(fill);
			else short.push(i);
		}
		// One allocation for all copies: tens of thousands of small ones take longer than the copying.
		const slab = new Uint8Array(short.length * shortBytes + whole.length * PAGE_SIZE);
		let used = 0;
		const copy = (i: number, length: number) => {
			const page = slab.subarray(used, used + length);
			const at = this.start + i * PAGE_SIZE;
			page.set(this.memory.subarray(at, at + length));
			pages[i] = page;
			used += length;
		};
		for (const i of short) copy(i, shortBytes);
		for (const i of whole) copy(i, PAGE_SIZE);
		this.saved = pages;
		this.changed.fill(0);
		return pages;
	}

	/** Puts the pages back; returns the runs [first page, count] that were written. */
	restore(pages: readonly Uint8Array[]): [number, number][] {
		const runs: [number, number][] = [];
		for (let i = 0; i < this.count; i++) {
			const page = pages[i] as Uint8Array;
			if (this.saved[i] === page && this.changed[i] === 0) continue;
			this.memory.set(page, this.start + i * PAGE_SIZE);
			if (page.length === shortBytes) {
				const first = this.firstWord(i);
				this.words.fill(this.words[first + 2] as number, first + 3, first + pageWords);
			}
			const last = runs.at(-1);
			if (last && last[0] + last[1] === i) last[1]++;
			else runs.push([i, 1]);
		}
		this.saved = pages;
		this.changed.fill(0);
		return runs;
	}

	private firstWord(i: number): number {
		return (this.start + i * PAGE_SIZE) >> 2;
	}

	/** The word that fills all from one number of a word to another, if one does. */
	private fillOf(from: number, to: number): number | undefined {
		const { words } = this;
		const word = words[from] as number;
		for (let at = from + 1; at < to; at++) if (words[at] !== word) return undefined;
		return word;
	}

	private fillPage(word: number): Uint8Array {
		let page = this.fills.get(word);
		if (!page) {
			page = new Uint8Array(new Uint32Array(PAGE_SIZE / 4).fill(word).buffer);
			// Bounded, lest a guest that fills pages with counters makes us keep them all.
			if (this.fills.size < 256) this.fills.set(word, page);
		}
		return page;
	}
}

/** Calls `note` with the number, counted from `first`, of each page whose bit is set. */
export function forEachDirty(bitmap: Uint8Array, first: number, count: number, note: (i: number) => void): void {
	for (let byte = first >> 3; byte <= (first + count - 1) >> 3; byte++) {
		const bits = bitmap[byte] as number;
		if (bits === 0) continue;
		for (let bit = 0; bit < 8; bit++) {
			const i = byte * 8 + bit - first;
			if ((bits >> bit) & 1 && i >= 0 && i < count) note(i);
		}
	}
}
