import fc from "fast-check";
import { expect, test } from "vitest";
import * as sv39 from "../../../src/riscv/sv39.ts";

const root = 0x80001000n;
const middle = 0x80002000n;
const last = 0x80003000n;
const pointer = (table: bigint) => (table >> 2n) | sv39.PTE_V;
const leaf = (page: bigint, flags: bigint) => (page >> 2n) | flags | sv39.PTE_V;
const rw = sv39.PTE_R | sv39.PTE_W;

function memory(entries: Record<string, bigint>) {
	return (address: bigint) => entries[`0x${address.toString(16)}`] ?? (address >= 0x80000000n ? 0n : undefined);
}

test("a walk goes through three tables to a page", () => {
	const read = memory({
		"0x80001000": pointer(middle),
		"0x80002008": pointer(last),
		"0x80003010": leaf(0x87654000n, rw),
	});
	const walk = sv39.walk(root, 0x202abcn, read);
	expect(walk).toMatchObject({ physicalAddress: 0x87654abcn, size: 4096n, failure: undefined });
	expect(walk.steps.map(({ level, index }) => [level, index])).toEqual([
		[2, 0],
		[1, 1],
		[0, 2],
	]);
});

test("superpages map their whole size, and only when aligned", () => {
	const read = memory({ "0x80001010": leaf(0x80000000n, rw), "0x80001018": leaf(0x80200000n, rw) });
	expect(sv39.walk(root, 0x80123456n, read)).toMatchObject({ physicalAddress: 0x80123456n, size: 1n << 30n });
	expect(sv39.walk(root, 0xc0000000n, read).failure).toContain("not aligned");
});

test("each reason for having no translation is told apart", () => {
	const failure = (entry: bigint) => sv39.walk(root, 0n, memory({ "0x80001000": entry })).failure;
	expect(sv39.walk(root, 1n << 38n, memory({})).failure).toContain("bit 38");
	expect(failure(0n)).toContain("not valid");
	expect(failure(leaf(0n, sv39.PTE_W))).toContain("reserved combination");
	expect(failure(pointer(middle) | sv39.PTE_D)).toContain("reserved combination");
	expect(failure(leaf(0n, rw) | (1n << 60n))).toContain("reserved combination");
	expect(failure(pointer(0x1000n))).toContain("outside memory");
	const deep = memory({ "0x80001000": pointer(middle), "0x80002000": pointer(last), "0x80003000": pointer(last) });
	expect(sv39.walk(root, 0n, deep).failure).toContain("instead of a page");
});

test("indices and addresses are inverse, in both halves of the address space", () => {
	fc.assert(
		fc.property(fc.array(fc.nat(511), { minLength: 3, maxLength: 3 }), (path) => {
			const address = sv39.addressOfPath(path);
			expect(sv39.isCanonical(address)).toBe(true);
			expect([2, 1, 0].map((level) => sv39.tableIndex(address, level))).toEqual(path);
		}),
	);
	expect(sv39.isCanonical(sv39.lowerHalfEnd)).toBe(false);
});

test("satp and flags are read as the manual lays them out", () => {
	expect(sv39.decodeSatp((8n << 60n) | (5n << 44n) | 0x80001n)).toEqual({ mode: sv39.satpModeSv39, asid: 5, root });
	expect(sv39.formatPteFlags(sv39.decodePte(leaf(0n, rw | sv39.PTE_U | sv39.PTE_A)))).toBe("rw-u-a-");
	expect(sv39.decodePte(leaf(0n, rw) | sv39.PTE_RSW).rsw).toBe(3);
});
