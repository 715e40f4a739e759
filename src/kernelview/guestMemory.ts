import type { MachineSurface, PageChanges, PhysicalMemory } from "../machine/types.ts";

export const pageBytes = 4096;

/** What of a machine it takes to read its RAM, and to know what need not be read again. */
type MemoryOwner = Pick<MachineSurface, "memory" | "stamp" | "changes">;

/**
 * Guest RAM for readers that touch thousands of words: numbers instead of bigints. 64-bit words come as numbers and lose low bits
 * above 2^53, which no address of RAM or of Sv39 has. Outside of RAM everything is undefined.
 */
export class GuestMemory {
	readonly base: number;
	readonly size: number;
	private view: DataView;

	static of(machine: MemoryOwner): GuestMemory {
		return new GuestMemory(machine.memory, () => machine.stamp, machine.changes);
	}

	/** `stamp`: the machine's: what was read under one number need not be read again; 0: it has to. */
	constructor(
		private readonly memory: PhysicalMemory,
		readonly stamp: () => number = () => 0,
		/** Undefined: what may have changed is not known. */
		readonly changes?: PageChanges,
	) {
		this.base = Number(memory.base);
		this.size = memory.size;
		this.view = this.look();
	}

	private look(): DataView {
		const bytes = this.memory.bytes();
		return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	/** To be called before each batch of reads: memory that grew has another buffer, and the old one is empty. */
	refresh(): void {
		if (this.view.buffer.byteLength === 0) this.view = this.look();
	}

	get frames(): number {
		return Math.floor(this.size / pageBytes);
	}

	contains(address: number, length: number): boolean {
		const at = address - this.base;
		return Number.isInteger(at) && at >= 0 && at + length <= this.size;
	}

	/** Frame number of a physical address; -1 outside of RAM. */
	frameOf(address: number): number {
		return this.contains(address, 1) ? Math.floor((address - this.base) / pageBytes) : -1;
	}

	addressOf(frame: number): number {
		return this.base + frame * pageBytes;
	}

	u8(address: number): number | undefined {
		return this.contains(address, 1) ? this.view.getUint8(address - this.base) : undefined;
	}

	u32(address: number): number | undefined {
		return this.contains(address, 4) ? this.view.getUint32(address - this.base, true) : undefined;
	}

	u64(address: number): number | undefined {
		if (!this.contains(address, 8)) return undefined;
		const at = address - this.base;
		return this.view.getUint32(at + 4, true) * 2 ** 32 + this.view.getUint32(at, true);
	}

	big(address: number): bigint | undefined {
		return this.contains(address, 8) ? this.view.getBigUint64(address - this.base, true) : undefined;
	}

	/** Names this moment for `isSame`; undefined: nothing is known of changes. */
	mark(): number | undefined {
		return this.changes?.mark();
	}

	/** The frame is known to be as it was at a moment. False: it has to be read. */
	isSame(frame: number, since: number | undefined): boolean {
		return since !== undefined && this.changes?.isChanged(frame, since) === false;
	}

	/** Whether a page is as its copy says; it was at a moment (see `mark`). */
	isSamePage(address: number, copy: Uint32Array, since: number | undefined): boolean {
		return this.isSame(this.frameOf(address), since) || this.sameWords(address, copy);
	}

	private sameWords(address: number, copy: Uint32Array): boolean {
		const now = this.words(address - this.base, copy.byteLength);
		for (let i = 0; i < copy.length; i++) if (now[i] !== copy[i]) return false;
		return true;
	}

	/** A page as words, in place; undefined outside of RAM, and where no page begins: a damaged kernel has such pointers. */
	page(address: number): Uint32Array | undefined {
		const isPage = address % pageBytes === 0 && this.contains(address, pageBytes);
		return isPage ? this.words(address - this.base, pageBytes) : undefined;
	}

	/** The part of [from, to) that is in RAM as words, in place; `from` is a multiple of 4. */
	range(from: number, to: number): Uint32Array {
		const start = Math.max(from - this.base, 0);
		const end = Math.min(to - this.base, this.size);
		return end <= start ? new Uint32Array(0) : this.words(start, Math.floor((end - start) / 4) * 4);
	}

	private words(at: number, length: number): Uint32Array {
		return new Uint32Array(this.view.buffer, this.view.byteOffset + at, length / 4);
	}

	/** Unsigned of 1, 2, 4 or 8 bytes. */
	unsigned(address: number, size: number): number | undefined {
		if (size === 8) return this.u64(address);
		if (size === 4) return this.u32(address);
		if (!this.contains(address, size)) return undefined;
		return size === 2 ? this.view.getUint16(address - this.base, true) : this.u8(address);
	}

	signed(address: number, size: number): number | undefined {
		const value = this.unsigned(address, size);
		if (value === undefined) return undefined;
		return size === 4 ? value | 0 : value >= 2 ** (size * 8 - 1) ? value - 2 ** (size * 8) : value;
	}

	/** Text up to a zero or `limit` bytes; what is not printable comes as `?`. */
	text(address: number, limit: number): string {
		let text = "";
		for (let i = 0; i < limit; i++) {
			const byte = this.u8(address + i);
			if (byte === undefined || byte === 0) break;
			text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
		}
		return text;
	}
}
