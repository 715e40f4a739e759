import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Contexts } from "../../../src/debugger/contexts.ts";
import { memoryReference, parseReference, writeMemory } from "../../../src/debugger/references.ts";
import { Space } from "../../../src/debugger/space.ts";
import type { Machine } from "../../../src/machine/machine.ts";
import { boot, kernelOf, ramBase, smallRam } from "../../support/guest.ts";

/** Memory as a debugger sees it through page tables that lie in a machine's RAM. */
const [root, middle, low] = [0x80010000n, 0x80011000n, 0x80012000n];
const [first, second] = [0x80020000n, 0x80030000n];
const ramEnd = ramBase + BigInt(smallRam);
const [V, R, W, X, U, A, D] = [1n, 2n, 4n, 8n, 16n, 64n, 128n];
const data = V | R | W | U | A | D;
const entry = (address: bigint, flags: bigint) => ((address >> 12n) << 10n) | flags;

let machine: Machine;
let contexts: Contexts;
let space: Space;

const poke = (address: bigint, ...list: number[]) => machine.memory.write(address, Uint8Array.from(list));
function pokeEntry(table: bigint, index: number, pte: bigint): void {
	const bytes = new Uint8Array(8);
	new DataView(bytes.buffer).setBigUint64(0, pte, true);
	machine.memory.write(table + BigInt(8 * index), bytes);
}

beforeAll(async () => {
	const kernel = kernelOf("wait: j wait");
	({ machine } = await boot({ kernel }));
	contexts = new Contexts(machine, kernel, new Map());
	pokeEntry(root, 0, entry(middle, V));
	// 1 GiB: all of RAM again at 0x40000000, and the same one 4 KiB off, which hardware refuses.
	pokeEntry(root, 1, entry(ramBase, V | R | X | A));
	pokeEntry(root, 2, entry(ramBase + 0x1000n, V | R | X | A));
	pokeEntry(root, 3, entry(ramEnd, V));
	pokeEntry(middle, 0, entry(low, V));
	// 2 MiB.
	pokeEntry(middle, 1, entry(ramBase, V | R | A));
	pokeEntry(low, 0, entry(first, data));
	pokeEntry(low, 1, entry(second, data));
	pokeEntry(low, 2, entry(0x10000000n, data));
	pokeEntry(low, 3, entry(first, R));
	pokeEntry(low, 4, entry(first, V | W));
	pokeEntry(low, 5, entry(first, V));
	pokeEntry(low, 6, entry(ramEnd - 0x1000n, data));
	poke(first + 0xffcn, 1, 2, 3, 4);
	poke(second, 5, 6, 7, 8);
	space = Space.ofSatp(machine, (8n << 60n) | (root >> 12n), "u7");
});
afterAll(() => machine.dispose());

describe("an address", () => {
	test.each([
		["of a page", 0x0123n, first + 0x123n],
		["of the next page", 0x1fffn, second + 0xfffn],
		["of a device", 0x2010n, 0x10000010n],
		["in a leaf of 2 MiB", 0x212345n, ramBase + 0x12345n],
		["in a leaf of 1 GiB", 0x40054321n, ramBase + 0x54321n],
		["where an entry is not valid", 0x3000n, undefined],
		["where an entry may be written and not read, which is reserved", 0x4000n, undefined],
		["where the last level points to a table", 0x5000n, undefined],
		["where there is no entry", 0x7000n, undefined],
		["in a leaf that is not aligned to its size", 0x80000000n, undefined],
		["whose table is outside of RAM", 0xc0000000n, undefined],
		["that Sv39 does not have", 1n << 39n, undefined],
		["that wraps around", -(1n << 64n) + 0x123n, first + 0x123n],
	])("%s", (_, address, physical) => {
		expect(space.translate(address)).toBe(physical);
	});

	test.each([
		["of a page has its entry in the last table", 0x1234n, low + 8n],
		["where the last entry is not valid has it there, too", 0x3000n, low + 24n],
		["in a large page has it further up", 0x212345n, middle + 8n],
		["that is mapped by nothing has the entry where the walk ends", 0x40_0000n, middle + 16n],
		["whose table is outside of RAM has none", 0xc0000000n, undefined],
		["that Sv39 does not have has none", 1n << 39n, undefined],
	])("%s", (_, address, at) => {
		expect(space.entryOf(address)).toBe(at);
	});

	test("is physical where no page table is in use", () => {
		const bare = Space.ofSatp(machine, root >> 12n, "k");
		expect([bare.root, bare.translate(first), bare.entryOf(first)]).toEqual([undefined, first, undefined]);
		expect(bare.bytes(first + 0xffcn, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
	});
});

describe("bytes", () => {
	test("cross a border of pages, and end where nothing is mapped, where no RAM is, and where it ends", () => {
		expect([...space.bytes(0xffen, 4)]).toEqual([3, 4, 5, 6]);
		expect(space.bytes(0x1ffen, 4)).toHaveLength(2);
		expect(space.bytes(0x2000n, 4)).toHaveLength(0);
		expect(space.bytes(0x6ffcn, 8)).toHaveLength(4);
		expect(space.bytes(0x0n, 0)).toHaveLength(0);
		expect([...contexts.physical.bytes(ramEnd - 2n, 4)]).toHaveLength(2);
	});

	test("are numbers, the lowest first, where all are there", () => {
		expect(space.read(0xffcn, 8)).toBe(0x0807060504030201n);
		expect(space.read(0xfffn, 2)).toBe(0x0504n);
		expect(space.read(0x1ffen, 4)).toBeUndefined();
	});

	test("are text up to a zero, with what is no letter escaped", () => {
		poke(first, ...new TextEncoder().encode('a"b\t\n\r\x01\x7f~ '), 0, 65);
		expect(space.text(0n, 100)).toEqual({ text: 'a"b\\t\\n\\r\\x01\\x7f~ ', ended: true });
		expect(space.text(0n, 3)).toEqual({ text: 'a"b', ended: false });
		expect(space.text(11n, 1)).toEqual({ text: "A", ended: false });
		expect(space.text(0x3000n, 10)).toBeUndefined();
	});

	test("are written page by page, as far as there are pages", () => {
		expect(writeMemory(contexts, space, 0xfffn, Uint8Array.of(9, 8, 7))).toBe(3);
		expect([space.read(0xfffn, 1), space.read(0x1000n, 2), space.read(0x1002n, 1)]).toEqual([9n, 0x0708n, 7n]);
		expect(writeMemory(contexts, space, 0x1ffen, Uint8Array.of(1, 2, 3))).toBe(2);
		expect(writeMemory(contexts, space, 0x3000n, Uint8Array.of(1))).toBe(0);
	});
});

test("kernel code sees its own space, and where that has nothing the process' for which it runs", () => {
	const kernel = new Space(machine, 0x80013000n, "k", space);
	pokeEntry(0x80013000n, 2, entry(ramBase, V | R | X | A));
	expect(kernel.holding(first)?.name).toBe("k");
	expect(kernel.holding(0x1000n)?.name).toBe("u7");
	expect(kernel.holding(0x3000n)).toBeUndefined();
	// Mapped, but to a device: there is nothing to read without effects.
	expect(space.holding(0x2000n)).toBeUndefined();
	expect(contexts.physical.holding(ramEnd)).toBeUndefined();
});

describe("a reference to memory", () => {
	test("names its space, and is found again", () => {
		for (const [name, address] of [
			["p", 0x80001234n],
			["k", (1n << 64n) - 1n],
		] as const) {
			const text = memoryReference(new Space(machine, undefined, name), address);
			const found = parseReference(contexts, text);
			expect([found.space.name, found.address]).toEqual([name, address]);
		}
		expect(memoryReference(space, 0x1000n)).toBe("u7:0x1000");
	});

	test.each([
		["0x10", 16n, "u7"],
		[" 0X1f ", 31n, "u7"],
		["4096", 4096n, "u7"],
		["p:12", 12n, "p"],
		["k:0xffffffffffffffff", (1n << 64n) - 1n, "k"],
	])("`%s` is %s, in %s", (text, address, name) => {
		const found = parseReference(contexts, text, space);
		expect([found.address, found.space.name]).toEqual([address, name]);
	});

	test("without a space is the kernel's where no other is given", () => {
		expect(parseReference(contexts, "0x80000000").space.name).toBe("k");
	});
});
