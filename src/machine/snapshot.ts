import { concat, fromUtf8, utf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
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
	readonly pages: readonly Uint8Array[];
}

const magic = "xv6-lab-snapshot";
/** Raised when the layout of the state area or of a device's state changes. */
const version = 1;

interface Header {
	readonly magic: string;
	readonly version: number;
	readonly harts: number;
	readonly ramBytes: number;
	readonly diskBytes: number;
	readonly stateBytes: number;
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
		distinct: numbers.size,
		pages: snapshot.pages.length,
		checksum: checksum(body),
	};
	return through(concat([utf8(`${JSON.stringify(header)}\n`), body]), new CompressionStream("gzip"));
}

function damaged(why: string): UserError {
	return new UserError("snapshot-damaged", `The snapshot cannot be used: ${why}`, "Make it anew.");
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
	const body = bytes.subarray(end + 1);
	const indexAt = header.stateBytes;
	const pagesAt = indexAt + 4 * header.pages;
	if (body.length !== pagesAt + header.distinct * PAGE_SIZE) throw damaged("it is cut");
	if (checksum(body) !== header.checksum) throw damaged("its checksum is wrong");
	const distinct = Array.from({ length: header.distinct }, (_, i) =>
		body.slice(pagesAt + i * PAGE_SIZE, pagesAt + (i + 1) * PAGE_SIZE),
	);
	const index = new Uint32Array(body.slice(indexAt, pagesAt).buffer);
	const pages = [...index].map((number) => distinct[number] ?? new Uint8Array(PAGE_SIZE));
	const { harts, ramBytes, diskBytes } = header;
	return { harts, ramBytes, diskBytes, state: body.slice(0, indexAt), pages };
}

/** Remembers what each page held when it was last saved, and which pages changed since. */
export class PageStore {
	private saved: readonly Uint8Array[] | undefined;
	private readonly changed: Uint8Array;
	/** Pages of one repeated byte (xv6 fills free memory) are one page for all. */
	private readonly fills = new Map<number, Uint8Array>();

	constructor(
		private readonly memory: Uint8Array,
		/** First byte and number of the pages, in the machine's linear memory. */
		private readonly start: number,
		private readonly count: number,
	) {
		this.changed = new Uint8Array(count).fill(1);
	}

	/** Bits of the core's dirty bitmap, one a linear page. */
	noteDirty(bitmap: Uint8Array): void {
		const first = this.start / PAGE_SIZE;
		for (let i = 0; i < this.count; i++) {
			const page = first + i;
			// Whole bytes of clean pages are skipped: nearly all of them are.
			if ((page & 7) === 0 && bitmap[page >> 3] === 0) {
				i += 7;
				continue;
			}
			if (((bitmap[page >> 3] as number) >> (page & 7)) & 1) this.changed[i] = 1;
		}
	}

	save(): readonly Uint8Array[] {
		const before = this.saved;
		const pages = Array.from({ length: this.count }, (_, i) =>
			before && this.changed[i] === 0 ? (before[i] as Uint8Array) : this.copy(i),
		);
		this.saved = pages;
		this.changed.fill(0);
		return pages;
	}

	/** Puts the pages back; returns the runs [first page, count] that were written. */
	restore(pages: readonly Uint8Array[]): [number, number][] {
		const runs: [number, number][] = [];
		for (let i = 0; i < this.count; i++) {
			const page = pages[i] as Uint8Array;
			if (this.saved?.[i] === page && this.changed[i] === 0) continue;
			this.memory.set(page, this.start + i * PAGE_SIZE);
			const last = runs.at(-1);
			if (last && last[0] + last[1] === i) last[1]++;
			else runs.push([i, 1]);
		}
		this.saved = pages;
		this.changed.fill(0);
		return runs;
	}

	private copy(i: number): Uint8Array {
		const at = this.start + i * PAGE_SIZE;
		const page = this.memory.slice(at, at + PAGE_SIZE);
		const first = page[0] as number;
		if (!page.every((byte) => byte === first)) return page;
		const known = this.fills.get(first) ?? page;
		this.fills.set(first, known);
		return known;
	}
}
