/** Where in a word's numbers what is. */
export const [WRITE, WRITE_PC, WRITE_RECORD, READ, READ_PC, READ_RECORD] = [0, 1, 2, 3, 4, 5] as const;
export const wordSize = 8;

/**
 * What a detector remembers of memory: for each 4-byte word of a touched page the last write, and the last read or reads.
 * An epoch is `clock << 3 | hart`, 0: none (FastTrack: most words never need more than one read).
 */
export class ShadowPage {
	/** Of each word `wordSize` numbers, side by side: an access uses one cache line of it. Not valid for words that are in a fill. */
	private words: Uint32Array | undefined;
	/** Where memset's last stores are not in `words` yet; in rising order, none beside an equal one. */
	readonly fills: Fill[] = [];
	/** An entry in it was a leaf of a page table once. */
	isTable = false;
	/** LOCK: a lock word. BESIDE: the rest of a spinlock, which belongs to acquire and release. ATOMIC: others that AMOs change. */
	readonly role = new Uint8Array(1024);
	/** How many words have one of these roles. */
	roles = 0;
	/** Words in which a variable of its own begins that a lock has to guard: 1. */
	scalars: Uint8Array | undefined;
	/** Reads that no order joins with the one in `words`, by word. */
	otherReads: Map<number, PastRead[]> | undefined;

	setRole(word: number, role: number): void {
		if (role !== 0 && this.role[word] === 0) this.roles++;
		if (role === 0 && this.role[word] !== 0) this.roles--;
		this.role[word] = role;
	}

	/** Nothing was ever said of a word outside of the fills. */
	get isBlank(): boolean {
		return this.words === undefined;
	}

	/** The numbers of all words; that of `word` is up to date. */
	of(word: number): Uint32Array {
		const words = this.words ?? this.allocate();
		for (let i = 0; i < this.fills.length; i++) {
			const fill = this.fills[i] as Fill;
			if (word < fill.from) break;
			if (word >= fill.to) continue;
			this.settle(words, fill, word);
			// Who looks at all of a page begins at its begin.
			if (word === fill.from && word + 1 < fill.to) fill.from++;
			else this.fills.splice(i, 1, ...without(fill, word, word + 1));
			break;
		}
		return words;
	}

	/** From now on the last access to the words of the fill is one of its own. */
	cover(fill: Fill): void {
		const first = this.fills[0];
		// What most are: all of the page from its begin on, or what comes after that.
		if (
			first &&
			this.fills.length === 1 &&
			first.to === fill.from &&
			first.epoch === fill.epoch &&
			first.pc === fill.pc
		) {
			first.starts.push(...fill.starts);
			first.to = fill.to;
			return;
		}
		const left = this.fills.flatMap((one) => (overlap(one, fill) ? without(one, fill.from, fill.to) : [one]));
		const at = left.findIndex((one) => one.from >= fill.to);
		left.splice(at < 0 ? left.length : at, 0, fill);
		const before = left[left.indexOf(fill) - 1];
		if (before && before.to === fill.from && before.epoch === fill.epoch && before.pc === fill.pc) {
			before.starts.push(...fill.starts);
			before.to = fill.to;
			left.splice(left.indexOf(fill), 1);
		}
		this.fills.splice(0, this.fills.length, ...left);
		if (left.length > mostFills) this.settleAll();
	}

	private allocate(): Uint32Array {
		this.words = new Uint32Array(1024 * wordSize);
		return this.words;
	}

	private settleAll(): void {
		const words = this.words ?? this.allocate();
		for (const fill of this.fills) for (let word = fill.from; word < fill.to; word++) this.settle(words, fill, word);
		this.fills.length = 0;
	}

	private settle(words: Uint32Array, fill: Fill, word: number): void {
		const at = word * wordSize;
		words[at + WRITE] = fill.epoch;
		words[at + WRITE_PC] = fill.pc;
		words[at + WRITE_RECORD] = recordIn(fill, word);
		words[at + READ] = 0;
		this.otherReads?.delete(word);
	}
}

/** More in one page are not worth their search. */
const mostFills = 12;

/**
 * What a loop such as memset's has stored to words one after the other, as one: a kernel fills every page that it allocates or frees,
 * and most of these stores are never looked at.
 */
export interface Fill {
	/** Words of a page, `to` excluded. */
	from: number;
	to: number;
	readonly epoch: number;
	readonly pc: number;
	/** For each uninterrupted part of the loop three numbers: its first word, the record of that word's store, and the words of each store. */
	readonly starts: number[];
}

const startSize = 3;

/** Number of the record of the word's store. */
export function recordIn({ starts }: Fill, word: number): number {
	let low = 0;
	let high = starts.length / startSize - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if ((starts[middle * startSize] as number) <= word) low = middle;
		else high = middle - 1;
	}
	const [first, record, step] = starts.slice(low * startSize, low * startSize + startSize) as [number, number, number];
	return record + Math.floor((word - first) / step);
}

function overlap(one: Fill, other: Fill): boolean {
	return one.from < other.to && other.from < one.to;
}

/** What is left of a fill. The parts share no list of starts, since one of them may still grow. */
function without(fill: Fill, from: number, to: number): Fill[] {
	const parts: Fill[] = [];
	if (fill.from < from)
		parts.push({
			...fill,
			to: from,
			starts: fill.starts.filter((_, i, all) => (all[i - (i % startSize)] as number) < from),
		});
	if (to < fill.to) {
		if (parts.length > 0) parts.push({ ...fill, from: to });
		else {
			fill.from = to;
			parts.push(fill);
		}
	}
	return parts;
}

export interface PastRead {
	epoch: number;
	pc: number;
	record: number;
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
