import fc from "fast-check";
import { expect, test } from "vitest";
import { GuestMemory } from "../../../src/kernelview/guestMemory.ts";
import { canonical, findLeaf, readEntry, walkTables } from "../../../src/kernelview/sv39.ts";
import type { PhysicalMemory } from "../../../src/machine/types.ts";
import { decodePte, sizeAtLevel, walk } from "../../../src/riscv/sv39.ts";

// The kernel's views walk in numbers, thousands of entries a look; src/riscv says what Sv39 is. Eight pages, so that pointers often meet a table.
const base = 0x8000_0000;
const pages = 8;
const bytes = new Uint8Array(pages * 4096);
const view = new DataView(bytes.buffer);
const readU64 = (address: bigint) => {
	const at = Number(address) - base;
	return at >= 0 && at + 8 <= bytes.length ? view.getBigUint64(at, true) : undefined;
};
const physical: PhysicalMemory = {
	base: BigInt(base),
	size: bytes.length,
	bytes: () => bytes,
	readU64,
	readU32: (address) => Number(BigInt.asUintN(32, readU64(address) ?? 0n)),
	write: (address, written) => bytes.set(written, Number(address) - base),
};
const memory = new GuestMemory(physical);

/** Mostly sensible: a page of these eight with any flags, now and then with reserved bits or a page that is not there. */
const entry = fc
	.record({
		page: fc.nat({ max: pages + 1 }),
		flags: fc.oneof(fc.constant(1), fc.constant(0xc7), fc.nat({ max: 0x3ff })),
		high: fc.oneof(
			{ weight: 20, arbitrary: fc.constant(0n) },
			{ weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 0x3ffn }) },
		),
	})
	.map(({ page, flags, high }) => (high << 54n) | (BigInt(base / 4096 + page) << 10n) | BigInt(flags));
/** Few indices, so that walks meet what was written. */
const index = fc.constantFrom(0, 1, 2, 255, 256, 511);
const tables = fc.array(fc.record({ page: fc.nat({ max: pages - 1 }), index, entry }), { maxLength: 80 });
const address = fc
	.tuple(index, index, index, fc.nat({ max: 4095 }), fc.boolean())
	.map(([a, b, c, offset, extended]) => {
		const low = (BigInt(a) << 30n) | (BigInt(b) << 21n) | (BigInt(c) << 12n) | BigInt(offset);
		return extended ? BigInt.asUintN(64, BigInt.asIntN(39, low)) : low;
	});

function write(list: readonly { page: number; index: number; entry: bigint }[]): void {
	bytes.fill(0);
	for (const { page, index, entry } of list) view.setBigUint64(page * 4096 + index * 8, entry, true);
}

test("an entry means the same in the kernel's views as in the table of the ISA", () => {
	fc.assert(
		fc.property(entry, fc.nat({ max: 2 }), (word, level) => {
			write([{ page: 0, index: 0, entry: word }]);
			const pte = decodePte(word);
			const found = readEntry(memory, base, level);
			expect(found).toMatchObject({ valid: pte.valid, leaf: pte.leaf, pa: Number(pte.address) });
			// The views' word has what the walk refuses by the entry's level, too: a misaligned superpage, a pointer at the end.
			const isMisplaced = pte.leaf ? pte.address % sizeAtLevel(level) !== 0n : level === 0;
			expect(found?.malformed).toBe(pte.malformed || isMisplaced);
		}),
		{ numRuns: 4000 },
	);
});

test("a walk for one address, a walk of all tables, and the ISA's walk agree", () => {
	fc.assert(
		fc.property(tables, address, (list, va) => {
			write(list);
			const real = walk(BigInt(base), va, readU64);
			const at = canonical(va);
			const leaf = at === undefined ? undefined : findLeaf(memory, base, at);
			expect(leaf && at !== undefined ? BigInt(leaf.pa + (at - leaf.va)) : undefined).toBe(real.physicalAddress);
			if (at === undefined || !leaf) return;
			// The walk of all tables leaves out what is reached twice, as damage.
			const all = walkTables(memory, base);
			if (all.damage === undefined) expect(all.leaves.find(({ va }) => va === leaf.va)).toEqual(leaf);
		}),
		{ numRuns: 3000 },
	);
});
