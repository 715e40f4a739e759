import { PAGE_SIZE } from "./core/layout.ts";

/** 64-bit hash of memory in pages; a page's hash is computed again only when the page changed. */
export class PageHasher {
	private readonly low: Uint32Array;
	private readonly high: Uint32Array;
	private readonly stale: Uint8Array;
	private readonly words: Uint32Array;

	constructor(
		memory: ArrayBufferLike,
		start: number,
		private readonly count: number,
	) {
		this.low = new Uint32Array(count);
		this.high = new Uint32Array(count);
		this.stale = new Uint8Array(count);
		this.words = new Uint32Array(memory, start, (count * PAGE_SIZE) / 4);
		// All pages are zero at first, and nothing that was never touched is touched for a hash.
		const zero = new Mixer();
		for (let word = 0; word < PAGE_SIZE / 4; word++) zero.add(0);
		this.low.fill(zero.lanes[0]);
		this.high.fill(zero.lanes[1]);
	}

	noteChange(page: number): void {
		this.stale[page] = 1;
	}

	invalidate(first: number, count: number): void {
		this.stale.fill(1, first, first + count);
	}

	/** Feeds every page's hash into `mix`. */
	feed(mix: Mixer): void {
		for (let i = 0; i < this.count; i++) {
			if (this.stale[i] !== 0) this.hash(i);
			mix.add(this.low[i] as number);
			mix.add(this.high[i] as number);
		}
	}

	private hash(i: number): void {
		const mix = new Mixer();
		const end = ((i + 1) * PAGE_SIZE) / 4;
		for (let word = (i * PAGE_SIZE) / 4; word < end; word++) mix.add(this.words[word] as number);
		[this.low[i], this.high[i]] = mix.lanes;
		this.stale[i] = 0;
	}
}

/** Two multiply-and-rotate lanes over 32-bit words; not for enemies, for differences. */
export class Mixer {
	private a = 0x9e3779b9;
	private b = 0x85ebca6b;

	add(word: number): void {
		this.a = Math.imul(((this.a ^ word) << 13) | ((this.a ^ word) >>> 19), 0xcc9e2d51);
		this.b = Math.imul((((this.b + word) | 0) << 7) | (((this.b + word) | 0) >>> 25), 0x1b873593) ^ (this.a >>> 16);
	}

	get lanes(): [number, number] {
		return [this.a >>> 0, this.b >>> 0];
	}

	get hex(): string {
		return this.lanes.map((lane) => lane.toString(16).padStart(8, "0")).join("");
	}
}
