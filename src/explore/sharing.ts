import { AccessKind, recordWords } from "../machine/accessWatch.ts";
import type { KernelCode } from "./kernelCode.ts";

/**
 * Which instructions use memory that several harts share, one of them writing: where it can matter who comes first. Of two runs
 * of the same schedule the first tells the words, the second who uses them.
 */
export class Sharing {
	/** By page, then word: a bit for each hart that used it, and from bit 8 on for each that wrote it. */
	private readonly users: (Uint16Array | undefined)[] = [];
	private readonly firstPage: number;
	private readonly found = new Set<number>();

	constructor(private readonly code: KernelCode) {
		this.firstPage = code.range.from >>> 12;
	}

	get instructions(): readonly number[] {
		return [...this.found];
	}

	first(records: Uint32Array, count: number): void {
		for (let i = 0; i < count; i++) {
			const bits = records[i * recordWords + 2] as number;
			const kind = (bits >>> 4) & 15;
			if (kind > AccessKind.swap) continue;
			const address = records[i * recordWords + 1] as number;
			const number = (address >>> 12) - this.firstPage;
			let page = this.users[number];
			if (!page) {
				page = new Uint16Array(1024);
				this.users[number] = page;
			}
			const word = (address & 4095) >>> 2;
			const hart = bits & 15;
			const own = (1 << hart) | (kind === AccessKind.read ? 0 : 256 << hart);
			page[word] = (page[word] as number) | own;
		}
	}

	second(records: Uint32Array, count: number): void {
		for (let i = 0; i < count; i++) {
			const pc = records[i * recordWords] as number;
			const kind = ((records[i * recordWords + 2] as number) >>> 4) & 15;
			if (kind > AccessKind.swap || this.found.has(pc)) continue;
			const address = records[i * recordWords + 1] as number;
			const users = this.users[(address >>> 12) - this.firstPage]?.[(address & 4095) >>> 2] ?? 0;
			const readers = users & 255;
			const several = (readers & (readers - 1)) !== 0;
			if (several && users > 255 && !this.code.isIdle(pc)) this.found.add(pc);
		}
	}
}
