import { describe, expect, test } from "vitest";
import { GuestMemory } from "../../../src/kernelview/guestMemory.ts";
import {
	canonical,
	endHex,
	findLeaf,
	flagText,
	permissionText,
	rootOf,
	translate,
	virtualHex,
	WalkCache,
	walkTables,
} from "../../../src/kernelview/sv39.ts";
import { walkAddress } from "../../../src/kernelview/walk.ts";
import type { PhysicalMemory } from "../../../src/machine/types.ts";

const base = 0x80000000;
const pages = 16;
const bytes = new Uint8Array(pages * 4096);
const view = new DataView(bytes.buffer);
const physical: PhysicalMemory = {
	...{ base: BigInt(base), size: bytes.length, bytes: () => bytes },
	readU64: () => undefined,
	readU32: () => undefined,
	write: () => {},
};
const memory = new GuestMemory(physical);
const page = (number: number) => base + number * 4096;

describe("guest memory", () => {
	view.setBigUint64(0x100, 0xfedcba9876543210n, true);
	test.each<[string, number | bigint | undefined, number | bigint | undefined]>([
		["a byte", memory.u8(base + 0x101), 0x32],
		["four bytes", memory.u32(base + 0x104), 0xfedcba98],
		["eight bytes as a number", memory.u64(base + 0x100), Number(0xfedcba9876543210n)],
		["eight bytes exactly", memory.big(base + 0x100), 0xfedcba9876543210n],
		["one byte by its size", memory.unsigned(base + 0x107, 1), 0xfe],
		["two bytes by their size", memory.unsigned(base + 0x106, 2), 0xfedc],
		["four bytes by their size", memory.unsigned(base + 0x100, 4), 0x76543210],
		["a signed byte", memory.signed(base + 0x107, 1), -2],
		["two signed bytes", memory.signed(base + 0x106, 2), 0xfedc - 0x10000],
		["four signed bytes", memory.signed(base + 0x104, 4), 0xfedcba98 | 0],
		["four signed bytes above zero", memory.signed(base + 0x100, 4), 0x76543210],
		["a signed byte above zero", memory.signed(base + 0x103, 1), 0x76],
		["the last byte", memory.u8(base + bytes.length - 1), 0],
		["a byte after the last one", memory.u8(base + bytes.length), undefined],
		["a byte before the first one", memory.u8(base - 1), undefined],
		["four bytes of which one is outside", memory.u32(base + bytes.length - 3), undefined],
		["eight bytes of which one is outside", memory.u64(base + bytes.length - 7), undefined],
		["eight exact bytes of which one is outside", memory.big(base + bytes.length - 7), undefined],
		["two bytes of which one is outside", memory.unsigned(base + bytes.length - 1, 2), undefined],
		["a signed byte outside", memory.signed(base - 1, 1), undefined],
		["an address that is no whole number", memory.u8(base + 0.5), undefined],
	])("%s", (_, value, expected) => {
		expect(value).toBe(expected);
	});

	test("frames count from the begin of RAM", () => {
		expect(memory.frames).toBe(pages);
		expect(
			[base - 1, base, base + 4095, base + 4096, page(pages) - 1, page(pages)].map((at) => memory.frameOf(at)),
		).toEqual([-1, 0, 0, 1, pages - 1, -1]);
		expect(memory.addressOf(3)).toBe(page(3));
		expect(memory.page(page(1))?.length).toBe(1024);
		expect(memory.page(page(pages) - 4092)).toBeUndefined();
		expect(memory.page(page(1) + 2)).toBeUndefined();
	});

	test("text ends at its zero, its limit or the end of RAM; what cannot be printed is a ?", () => {
		bytes.set([0x68, 0x69, 0x07, 0x7f, 0x20, 0x7e, 0, 0x41], 0x200);
		expect(memory.text(base + 0x200, 16)).toBe("hi?? ~");
		expect(memory.text(base + 0x200, 2)).toBe("hi");
		expect(memory.text(base - 1, 4)).toBe("");
	});

	test("a range is cut to what is in RAM", () => {
		expect(memory.range(base - 64, base + 16).length).toBe(4);
		expect(memory.range(page(pages) - 8, page(pages) + 64).length).toBe(2);
		expect(memory.range(base + 16, base + 16).length).toBe(0);
		expect(memory.range(page(pages), page(pages) + 8).length).toBe(0);
		expect(memory.range(base + 0x100, base + 0x108)[0]).toBe(0x76543210);
	});

	test("that grew is looked at again", () => {
		let ram = new Uint8Array(4096);
		const growing = new GuestMemory({ ...physical, size: 4096, bytes: () => ram });
		ram[0] = 1;
		expect(growing.u8(base)).toBe(1);
		const old = ram.buffer;
		ram = new Uint8Array(8192);
		ram[0] = 2;
		// The old buffer is empty, as after memory.grow.
		structuredClone(old, { transfer: [old] });
		growing.refresh();
		expect(growing.u8(base)).toBe(2);
	});
});

// Tables: root in page 1, middle in page 2, leaves in page 3.
const [V, R, W, X, U] = [1, 2, 4, 8, 16];
const pte = (address: number, flags: number) => (BigInt(address / 4096) << 10n) | BigInt(flags);
const put = (table: number, index: number, entry: bigint) => view.setBigUint64(table * 4096 + index * 8, entry, true);
function build() {
	bytes.fill(0, 4096, 8 * 4096);
	put(1, 0, pte(page(2), V));
	put(2, 0, pte(page(3), V));
	put(3, 0, pte(page(8), V | R | X | U));
	put(3, 2, pte(page(9), V | R | W | U));
	put(3, 3, pte(0x10000000, V | R | W));
	put(3, 5, pte(page(10), R | W));
	put(3, 6, pte(page(11), V | W));
	put(2, 4, pte(0x80000000, V | R));
	put(2, 5, pte(page(4), V | R));
	put(1, 2, pte(0x80000000, V | X));
	put(1, 3, pte(0x1000, V));
}
build();

test.each<[string, bigint, string, boolean, number?]>([
	["a page of the user", 0x123n, `physical address 0x80008123, frame 8; user mode may use it: r-xu`, false, 8],
	["a page for data", 0x2008n, `physical address 0x80009008, frame 9; user mode may use it: rw-u`, false, 9],
	["a device", 0x3000n, "physical address 0x10000000, a device; only the kernel may use it: rw--", false, -1],
	["nothing", 0x1000n, "page fault: V is clear in entry 1 of the page table (level 0)", true],
	["an entry whose V is clear", 0x5000n, "page fault: V is clear in entry 5 of the page table (level 0)", true],
	["W without R", 0x6000n, "page fault: entry 6 of the page table (level 0) is reserved", true],
	["nothing in the middle table", 0x200000n, "page fault: V is clear in entry 1 of the middle table (level 1)", true],
	[
		"a page of 2 MiB",
		0x812345n,
		"physical address 0x80012345, a device (a 2 MiB page); only the kernel may use it: r---",
		false,
	],
	[
		"a page of 2 MiB that begins within one",
		0xa00000n,
		"page fault: entry 5 of the middle table (level 1) is reserved",
		true,
	],
	[
		"a page of 1 GiB",
		0x80001234n,
		"physical address 0x80001234, frame 1 (a 1 GiB page); only the kernel may use it: --x-",
		false,
		1,
	],
	[
		"a table outside of RAM",
		0xc0000000n,
		"access fault: the middle table (level 1) would be at 0x1000, outside RAM",
		true,
	],
	["an address that is not canonical", 1n << 38n, "page fault: bits 63 to 39 must all equal bit 38 under Sv39", true],
	[
		"an address of the upper half",
		2n ** 64n - 4096n,
		"page fault: V is clear in entry 511 of the root table (level 2)",
		true,
	],
])("the hardware's walk of %s is told", (_, address, result, faults, frame) => {
	const walk = walkAddress(memory, 3, page(1), address);
	expect(walk.result).toBe(result);
	expect(walk.faults).toBe(faults);
	if (frame !== undefined) expect(walk.frame).toBe(frame);
	expect(walk.pid).toBe(3);
});

test("each level of a walk says which entry it read, and what it means", () => {
	const { steps } = walkAddress(memory, 3, page(1), 0x2008n);
	expect(steps).toEqual([
		{
			level: 2,
			index: 0,
			pteAddress: "0x80001000",
			pte: "0x20000801",
			bits: "v-------",
			meaning: "pointer to the middle table (level 1) at 0x80002000",
		},
		{
			level: 1,
			index: 0,
			pteAddress: "0x80002000",
			pte: "0x20000c01",
			bits: "v-------",
			meaning: "pointer to the page table (level 0) at 0x80003000",
		},
		{
			level: 0,
			index: 2,
			pteAddress: "0x80003010",
			pte: "0x20002417",
			bits: "vrw-u---",
			meaning: "leaf, rw-u: page at 0x80009000",
		},
	]);
	const last = (address: bigint) => walkAddress(memory, 3, page(1), address).steps.at(-1)?.meaning;
	expect([0x1000n, 0x5000n, 0x6000n].map(last)).toEqual([
		"empty",
		"V is clear: the rest means nothing",
		"reserved: bits that must not be set, or W without R",
	]);
	put(1, 4, pte(page(5), V));
	put(5, 0, pte(page(6), V));
	put(6, 0, pte(page(7), V));
	const deep = walkAddress(memory, 3, page(1), 4n << 30n);
	expect(deep.result).toBe("page fault: entry 0 of the page table (level 0) is reserved");
	build();
});

test("every leaf and table of a tree, and what is wrong with it", () => {
	const tables = walkTables(memory, page(1));
	expect(tables.tables).toEqual([
		{ level: 2, address: page(1), va: 0 },
		{ level: 1, address: page(2), va: 0 },
		{ level: 0, address: page(3), va: 0 },
	]);
	expect(tables.leaves.map(({ va, pa, level }) => [va, pa, level])).toEqual([
		[0, page(8), 0],
		[0x2000, page(9), 0],
		[0x3000, 0x10000000, 0],
		[0x800000, 0x80000000, 1],
		[0x80000000, 0x80000000, 2],
	]);
	expect(tables.leafCount).toBe(5);
	expect(tables.damage).toBe("the entry for 0x6000 at 0x80003030 has reserved bits");
	expect(walkTables(memory, 0x1000).damage).toBe("the level 2 table at 0x1000 is outside RAM");
	expect(walkTables(memory, page(1) + 2).damage).toBe("the level 2 table at 0x80001002 is not at the start of a page");
});

test("a leaf and an address, where the hardware finds one", () => {
	expect(findLeaf(memory, page(1), 0x2008)).toMatchObject({ va: 0x2000, pa: page(9), level: 0 });
	expect(findLeaf(memory, page(1), 0x812345)).toMatchObject({ va: 0x800000, pa: 0x80000000, level: 1 });
	for (const va of [0x1000, 0x5000, 0x6000, 0xc0000000]) expect(findLeaf(memory, page(1), va)).toBeUndefined();
	expect([0x2008, 0x812345, 0x1000].map((va) => translate(memory, page(1), va))).toEqual([
		page(9) + 8,
		0x80012345,
		undefined,
	]);
});

test("a tree is walked again where one of its tables changed", () => {
	const cache = new WalkCache();
	const first = cache.tables(memory, page(1));
	expect(cache.tables(memory, page(1))).toBe(first);
	put(3, 7, pte(page(12), V | R | U));
	const second = cache.tables(memory, page(1));
	expect(second.leafCount).toBe(first.leafCount + 1);
	build();
	expect(cache.tables(memory, page(1)).leaves).toEqual(first.leaves);
});

test.each([
	[0n, 0],
	[0x3fffffffffn, 0x3fffffffff],
	[1n << 38n, undefined],
	[2n ** 64n - (1n << 38n) - 1n, undefined],
	[2n ** 64n - (1n << 38n), 2 ** 38],
	[-1n, 2 ** 39 - 1],
])("%i has the 39 bits %s", (address, bits) => {
	expect(canonical(address)).toBe(bits);
	if (bits !== undefined) expect(BigInt(virtualHex(bits))).toBe(BigInt.asUintN(64, address));
});

test("addresses and flags are written as people know them", () => {
	expect(endHex(2 ** 38)).toBe("0x4000000000");
	expect(endHex(0x5000)).toBe("0x5000");
	expect(virtualHex(2 ** 38)).toBe("0xffffffc000000000");
	expect(rootOf((8n << 60n) | (7n << 44n) | 0x80123n)).toBe(0x80123000);
	expect([R, W | R, X | U, R | W | X | U].map(permissionText)).toEqual(["r---", "rw--", "--xu", "rwxu"]);
	expect([0, V, 0xff, V | R | 0x80].map(flagText)).toEqual(["--------", "v-------", "vrwxugad", "vr-----d"]);
});
