import type { MachineSurface } from "../machine/types.ts";
import { decodeSatp, satpModeBare, type Walk, walk } from "../riscv/sv39.ts";

const pageMask = 4095n;
const wrap = (address: bigint) => BigInt.asUintN(64, address);

/** How memory references name a space: `p:` physical, `k:` the kernel's, `u7:` that of pid 7. */
export type SpaceName = "p" | "k" | `u${number}`;

/**
 * Guest memory as one page table shows it, without a root: physical memory. Reads never change the guest (no A or D bits, no devices); what is
 * not mapped, or not RAM, is undefined.
 */
export class Space {
	constructor(
		private readonly machine: MachineSurface,
		readonly root: bigint | undefined,
		readonly name: SpaceName,
		/** Where to look for an address that is not mapped here: the user memory of the process whose kernel code runs. */
		readonly fallback?: Space,
	) {}

	/** The space that a satp value selects. */
	static ofSatp(machine: MachineSurface, satp: bigint, name: SpaceName, fallback?: Space): Space {
		const { mode, root } = decodeSatp(satp);
		return new Space(machine, mode === satpModeBare ? undefined : root, name, fallback);
	}

	private walk(root: bigint, address: bigint): Walk {
		return walk(root, wrap(address), (at) => this.machine.memory.readU64(at));
	}

	/** Physical address; undefined where nothing is mapped. */
	translate(address: bigint): bigint | undefined {
		return this.root === undefined ? wrap(address) : this.walk(this.root, address).physicalAddress;
	}

	/** Physical address of the entry that maps a page, wherever the walk ends. */
	entryOf(address: bigint): bigint | undefined {
		const last = this.root === undefined ? undefined : this.walk(this.root, address).steps.at(-1);
		return last?.pte && last.table + BigInt(8 * last.index);
	}

	/** The space that maps an address: this one, or the one to fall back to. */
	holding(address: bigint): Space | undefined {
		return this.physicalOffset(address) === undefined ? this.fallback?.holding(address) : this;
	}

	private physicalOffset(address: bigint): number | undefined {
		const physical = this.translate(address);
		if (physical === undefined) return undefined;
		const { memory } = this.machine;
		const offset = physical - memory.base;
		return offset >= 0n && offset < BigInt(memory.size) ? Number(offset) : undefined;
	}

	/** As many of `length` bytes from an address on as are there. */
	bytes(address: bigint, length: number): Uint8Array {
		const found = new Uint8Array(length);
		const ram = this.machine.memory.bytes();
		let done = 0;
		while (done < length) {
			const at = wrap(address + BigInt(done));
			const offset = this.physicalOffset(at);
			if (offset === undefined) break;
			const count = Math.min(length - done, Number(4096n - (at & pageMask)), ram.length - offset);
			found.set(ram.subarray(offset, offset + count), done);
			done += count;
		}
		return found.subarray(0, done);
	}

	/** Unsigned little-endian value of 1 to 8 bytes. */
	read(address: bigint, size: number): bigint | undefined {
		const bytes = this.bytes(address, size);
		if (bytes.length < size) return undefined;
		let value = 0n;
		for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
		return value;
	}

	/** Text up to a zero byte, at most `limit` bytes; undefined where it does not even begin. */
	text(address: bigint, limit: number): { text: string; ended: boolean } | undefined {
		const bytes = this.bytes(address, limit);
		if (bytes.length === 0) return undefined;
		const end = bytes.indexOf(0);
		const shown = end < 0 ? bytes : bytes.subarray(0, end);
		let text = "";
		for (const byte of shown) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : escaped(byte);
		return { text, ended: end >= 0 };
	}
}

function escaped(byte: number): string {
	const short: Readonly<Record<number, string>> = { 9: "\\t", 10: "\\n", 13: "\\r" };
	return short[byte] ?? `\\x${byte.toString(16).padStart(2, "0")}`;
}
