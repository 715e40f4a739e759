import { expect, test } from "vitest";
import { elfToBinary } from "../../../src/build/objcopy.ts";

interface Section {
	readonly address: number;
	readonly bytes: readonly number[];
	readonly type?: number;
	readonly flags?: number;
	readonly size?: number;
}

/** An ELF-64 file of nothing but sections. */
function elf(sections: readonly Section[]): Uint8Array {
	const headers = 64 + sections.length * 64;
	const file = new Uint8Array(headers + sections.reduce((sum, { bytes }) => sum + bytes.length, 0));
	const view = new DataView(file.buffer);
	view.setUint32(0, 0x7f454c46);
	file.set([2, 1], 4);
	view.setBigUint64(0x28, 64n, true);
	view.setUint16(0x3a, 64, true);
	view.setUint16(0x3c, sections.length, true);
	let offset = headers;
	for (const [i, { address, bytes, type = 1, flags = 2, size }] of sections.entries()) {
		const at = 64 + i * 64;
		view.setUint32(at + 4, type, true);
		view.setBigUint64(at + 8, BigInt(flags), true);
		view.setBigUint64(at + 0x10, BigInt(address), true);
		view.setBigUint64(at + 0x18, BigInt(offset), true);
		view.setBigUint64(at + 0x20, BigInt(size ?? bytes.length), true);
		file.set(bytes, offset);
		offset += bytes.length;
	}
	return file;
}

test("loaded sections lie at their distance, gaps are zero", () => {
	const file = elf([
		{ address: 0x1000, bytes: [1, 2] },
		{ address: 0x1004, bytes: [3] },
	]);
	expect([...elfToBinary(file)]).toEqual([1, 2, 0, 0, 3]);
});

test("sections without bytes and sections that are not loaded stay out", () => {
	const file = elf([
		{ address: 0, bytes: [9] },
		{ address: 8, bytes: [], type: 8, size: 100 },
		{ address: 0, bytes: [7, 7, 7], flags: 0 },
	]);
	expect([...elfToBinary(file)]).toEqual([9]);
});

test("what is no ELF file is refused", () => {
	expect(() => elfToBinary(new Uint8Array(10))).toThrow(/ELF-64/);
});
