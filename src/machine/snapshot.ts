import { concat, fromUtf8, utf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import { PAGE_SIZE, STATE_SIZE } from "./core/layout.ts";

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
	readonly pages: readonly Uint8Array[];
	/** Of a machine of this process: its `stamp` then. */
	readonly stamp?: number;
}

const magic = "xv6-lab-snapshot";
/** Raised when the layout of the state area or of a device's state changes. */
const version = 2;

interface Header {
	readonly magic: string;
	readonly version: number;
	readonly harts: number;
	readonly ramBytes: number;
	readonly diskBytes: number;
	readonly stateBytes: number;
	readonly waiting: readonly number[];
	readonly inputs: number;
	readonly lastStop: number;
	/** Distinct pages in the body; the index says which of them stands where. */
	readonly distinct: number;
	readonly pages: number;
	readonly checksum: string;
}

/** FNV-1a over 32-bit words, two lanes: notices damage, no more is asked of it. `bytes` is a multiple of 4 long. */
export function checksum(bytes: Uint8Array): string {
	const words = new Uint32Array(bytes.slice().buffer);
	let a = 0x811c9dc5;
	let b = 0x9dc5811c;
	for (const word of words) {
		a = Math.imul(a ^ word, 0x01000193);
		b = Math.imul(b ^ (word >>> 16) ^ (word << 16), 0x01000193) ^ (a >>> 15);
	}
	return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
	const piped = new Blob([bytes as BlobPart])
		.stream()
		.pipeThrough(stream as unknown as TransformStream<Uint8Array, Uint8Array>);
	return new Uint8Array(await new Response(piped).arrayBuffer());
}

/** A compressed file: gzip of a JSON line, the state, the page index and the distinct pages. */
export async function serializeSnapshot(snapshot: Snapshot): Promise<Uint8Array> {
	const numbers = new Map<Uint8Array, number>();
	const index = new Uint32Array(snapshot.pages.length);
	snapshot.pages.forEach((page, i) => {
		let number = numbers.get(page);
		if (number === undefined) {
			number = numbers.size;
			numbers.set(page, number);
		}
		index[i] = number;
	});
	const body = concat([snapshot.state, new Uint8Array(index.buffer), ...numbers.keys()]);
	const header: Header = {
		magic,
		version,
		harts: snapshot.harts,
		ramBytes: snapshot.ramBytes,
		diskBytes: snapshot.diskBytes,
		stateBytes: snapshot.state.length,
		waiting: [...snapshot.waiting],
		inputs: snapshot.inputs,
		lastStop: snapshot.lastStop,
		distinct: numbers.size,
		pages: snapshot.pages.length,
		checksum: checksum(body),
	};
	return through(concat([utf8(`${JSON.stringify(header)}\n`), body]), new CompressionStream("gzip"));
}

function damaged(why: string): UserError {
	return new UserError("snapshot-damaged", `The snapshot cannot be used: ${why}`, "Create it again.");
}

/** Throws UserError `snapshot-damaged` for anything but a whole file of this version. */
export async function parseSnapshot(file: Uint8Array): Promise<Snapshot> {
	const bytes = await through(file, new DecompressionStream("gzip")).catch(() => undefined);
	if (!bytes) throw damaged("it is not a whole gzip file");
	const end = bytes.indexOf(10);
	let header: Header;
	try {
		header = JSON.parse(fromUtf8(bytes.subarray(0, Math.max(0, end)))) as Header;
	} catch {
		throw damaged("it has no header");
	}
	if (header.magic !== magic) throw damaged("it is another kind of file");
	if (header.version !== version) throw damaged(`it is of version ${header.version}, this is version ${version}`);
	if (!isWellFormed(header)) throw damaged("its header makes no sense");
	const body = bytes.subarray(end + 1);
	const indexAt = header.stateBytes;
	const pagesAt = indexAt + 4 * header.pages;
	if (body.length !== pagesAt + header.distinct * PAGE_SIZE) throw damaged("it is cut");
	if (checksum(body) !== header.checksum) throw damaged("its checksum is wrong");
	const distinct = Array.from({ length: header.distinct }, (_, i) =>
		body.slice(pagesAt + i * PAGE_SIZE, pagesAt + (i + 1) * PAGE_SIZE),
	);
	const index = new Uint32Array(body.slice(indexAt, pagesAt).buffer);
	const pages = Array.from(index, (number) => distinct[number] ?? zeroPage);
	const { harts, ramBytes, diskBytes, inputs, lastStop } = header;
	const state = body.slice(0, indexAt);
	return { harts, ramBytes, diskBytes, state, waiting: Uint8Array.from(header.waiting), inputs, lastStop, pages };
}

function isWellFormed(header: Header): boolean {
	const { harts, ramBytes, diskBytes, stateBytes, pages, distinct, inputs, lastStop } = header;
	const counts = [harts, ramBytes, diskBytes, stateBytes, pages, distinct, inputs, lastStop];
	return (
		counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
		stateBytes === STATE_SIZE &&
		pages * PAGE_SIZE === ramBytes + diskBytes &&
		Array.isArray(header.waiting)
	);
}

/** The content of every page that was never written, shared by all. */
const zeroPage = new Uint8Array(PAGE_SIZE);

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
		private readonly count: number,
	) {
		this.changed = new Uint8Array(count);
		this.saved = new Array<Uint8Array>(count).fill(zeroPage);
		this.words = new Uint32Array(memory.buffer, memory.byteOffset, memory.byteLength >> 2);
	}

	/** Bits of the core's dirty bitmap, one a linear page. */
	noteDirty(bitmap: Uint8Array): void {
		forEachDirty(bitmap, this.start / PAGE_SIZE, this.count, (i) => {
			this.changed[i] = 1;
		});
	}

	/** 1 for each page that has changed since the last save or restore, with the bits that have not been noted yet. */
	changedWith(bitmap: Uint8Array): Uint8Array {
		const changed = this.changed.slice();
		forEachDirty(bitmap, this.start / PAGE_SIZE, this.count, (i) => {
			changed[i] = 1;
		});
		return changed;
	}

	save(): readonly Uint8Array[] {
		const pages = this.saved.slice();
		let copied = 0;
		for (let i = 0; i < this.count; i++) copied += this.changed[i] as number;
		// One allocation for all copies: tens of thousands of small ones take longer than the copying.
		const slab = new Uint8Array(copied * PAGE_SIZE);
		let used = 0;
		for (let i = this.changed.indexOf(1); i >= 0; i = this.changed.indexOf(1, i + 1)) {
			const fill = this.fillOf(i);
			if (fill !== undefined) {
				pages[i] = this.fillPage(fill);
				continue;
			}
			const at = this.start + i * PAGE_SIZE;
			const page = slab.subarray(used, used + PAGE_SIZE);
			page.set(this.memory.subarray(at, at + PAGE_SIZE));
			pages[i] = page;
			used += PAGE_SIZE;
		}
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
			const last = runs.at(-1);
			if (last && last[0] + last[1] === i) last[1]++;
			else runs.push([i, 1]);
		}
		this.saved = pages;
		this.changed.fill(0);
		return runs;
	}

	/** The word that fills the page, if one does. */
	private fillOf(i: number): number | undefined {
		const { words } = this;
		const first = (this.start + i * PAGE_SIZE) >> 2;
		const word = words[first] as number;
		const end = first + PAGE_SIZE / 4;
		for (let at = first + 1; at < end; at++) if (words[at] !== word) return undefined;
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
