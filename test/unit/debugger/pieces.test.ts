import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Contexts } from "../../../src/debugger/contexts.ts";
import {
	bytesOf,
	childrenOf,
	dereference,
	elementOf,
	format,
	memberOf,
	numberOf,
	type Value,
	whyUnknown,
} from "../../../src/debugger/values.ts";
import { DebugInfo } from "../../../src/debuginfo/debugInfo.ts";
import { ElfFile } from "../../../src/debuginfo/elf.ts";
import type { Location, Piece } from "../../../src/debuginfo/expression.ts";
import type { Type } from "../../../src/debuginfo/types.ts";
import type { Machine } from "../../../src/machine/machine.ts";
import { bytes, debugSections, die, elfWith } from "../../support/dwarf.ts";
import { boot, kernelOf } from "../../support/guest.ts";

/** Values as optimizing compilers leave them: in registers, computed, in several places, or only known of. */
const at = 0x80002000n;
let machine: Machine;
let contexts: Contexts;

beforeAll(async () => {
	const kernel = kernelOf("wait: j wait");
	({ machine } = await boot({ kernel }));
	contexts = new Contexts(machine, kernel, new Map());
	machine.memory.write(at, Uint8Array.of(0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88));
});
afterAll(() => machine.dispose());

const base = (name: string, size: number, signed = false, char = false): Type => ({
	kind: "base",
	name,
	size,
	signed,
	char,
});
const [int, uint, uint64, byte] = [
	base("int", 4, true),
	base("uint", 4),
	base("uint64", 8),
	base("uchar", 1, false, true),
];
const pair: Type = {
	kind: "struct",
	name: "pair",
	size: 8,
	members: [
		{ name: "a", offset: 0, type: int },
		{ name: "b", offset: 4, type: int },
	],
};
const outer: Type = {
	kind: "struct",
	name: "outer",
	size: 16,
	members: [
		{ name: "first", offset: 0, type: uint64 },
		{ name: "inner", offset: 8, type: pair },
	],
};
const array = (element: Type, count: number): Type => ({ kind: "array", size: element.size * count, element, count });

const a0: Location = { kind: "register", register: 10 };
const lost: Location = { kind: "register", register: 5 };
const memory: Location = { kind: "memory", address: at };
const seven: Location = { kind: "value", value: 7n };
const gone: Location = { kind: "unknown", why: "it was optimized out" };
const piece = (location: Location, bits: number, offset = 0): Piece => ({ location, bits, offset });
const pieces = (...list: Piece[]): Location => ({ kind: "pieces", pieces: list });
const value = (type: Type | undefined, location: Location): Value => ({
	...{ type, location, space: contexts.physical },
	context: { register: (index) => (index === 10 ? 0xfffffffe_00000001n : undefined), memory: () => undefined },
});
const text = (one: Value) => format(contexts, one);

describe("a number", () => {
	test.each<[string, Type, Location, bigint | undefined]>([
		["in a register", uint64, a0, 0xfffffffe_00000001n],
		["in the lower half of one", uint, a0, 1n],
		["in a register that is lost", uint64, lost, undefined],
		["that is a constant", int, { kind: "value", value: -5n }, -5n],
		["in memory", uint, memory, 0x44332211n],
		["in memory that is not there", uint, { kind: "memory", address: 16n }, undefined],
		["whose halves are in two places", uint64, pieces(piece(memory, 32), piece(a0, 32)), 0x00000001_44332211n],
		["from the middle of places", uint64, pieces(piece(a0, 32, 32), piece(memory, 32, 16)), 0x66554433_fffffffen],
		["in more than there is room for", uint, pieces(piece(memory, 64)), 0x44332211n],
		["of which a half is lost", uint64, pieces(piece(memory, 32), piece(lost, 32)), undefined],
		["of which a half is gone", uint64, pieces(piece(gone, 32), piece(memory, 32)), undefined],
		["of which the end is nowhere", uint64, pieces(piece(memory, 32)), undefined],
		["in places that begin or end within a byte", uint64, pieces(piece(memory, 30), piece(a0, 34)), undefined],
		["in places that begin within a byte", uint64, pieces(piece(memory, 64, 4)), undefined],
		["that is gone", int, gone, undefined],
	])("%s", (_, type, location, number) => {
		expect(numberOf(value(type, location))).toBe(number);
	});

	test("that is unknown says why", () => {
		const why = (type: Type, location: Location) => whyUnknown(value(type, location));
		expect(why(int, lost)).toBe("its register's value is lost");
		expect(why(int, gone)).toBe("it was optimized out");
		expect(why(int, pieces())).toBe("it was optimized out");
		expect(why(int, { kind: "memory", address: 0x1000n })).toBe("0x1000 is not mapped");
		expect(why(uint64, { kind: "memory", address: 0x800ffffcn })).toBe("0x80100000 is not mapped");
	});

	test("of floating point is shown, and is no integer", () => {
		const floats = new DataView(new ArrayBuffer(32));
		floats.setFloat32(0, 1.5, true);
		floats.setFloat64(8, -0.1, true);
		floats.setBigUint64(24, 0x4000_8000_0000_0000n, true);
		machine.memory.write(at + 64n, new Uint8Array(floats.buffer));
		const shown = (name: string, size: number, offset: bigint) => {
			const one = value(base(name, size), { kind: "memory", address: at + 64n + offset });
			return [text(one), numberOf(one)];
		};
		expect([shown("float", 4, 0n), shown("double", 8, 8n), shown("long double", 16, 16n)]).toEqual([
			...[
				["1.5", undefined],
				["-0.1", undefined],
				["0x40008000000000000000000000000000", undefined],
			],
		]);
		expect(text(value(base("double", 8), gone))).toBe("<it was optimized out>");
	});
});

describe("a structure", () => {
	test("in a register has its members there", () => {
		const whole = value(pair, a0);
		expect(text(whole)).toBe("{a = 1, b = -2}");
		expect(childrenOf(whole).map((child) => [child.name, numberOf(child.value)])).toEqual([
			["a", 1n],
			["b", -2n],
		]);
	});

	test("in several places has each member where it is, also one that lies over two", () => {
		const whole = value(outer, pieces(piece(memory, 64), piece(seven, 32), piece(gone, 32)));
		expect(text(whole)).toBe("{first = 0x8877665544332211, …}");
		const [first, inner] = childrenOf(whole);
		expect([first && text(first.value), inner && text(inner.value)]).toEqual([
			...["0x8877665544332211", "{a = 7, b = <it was optimized out>}"],
		]);
		const split = value(pair, pieces(piece(a0, 32, 32), piece(memory, 16), piece(seven, 16)));
		expect(text(split)).toBe(`{a = -2, b = ${0x00072211}}`);
	});

	test("in memory has members with addresses, and where it is not mapped it is not shown in parts", () => {
		const inner = memberOf(value(outer, memory), { name: "inner", offset: 8, type: pair });
		expect(inner.location).toEqual({ kind: "memory", address: at + 8n });
		expect(text(value(pair, { kind: "memory", address: 16n }))).toBe("<0x10 is not mapped>");
	});
});

describe("an array", () => {
	test("in a register has its elements there, and its text", () => {
		const whole = value(array(base("ushort", 2), 4), a0);
		expect(text(whole)).toBe("{1, 0, 65534, 65535}");
		expect(numberOf(elementOf(whole, base("ushort", 2), 3))).toBe(0xffffn);
		expect(text(value(array(byte, 4), { kind: "value", value: 0x00216948n }))).toBe('"Hi!"');
		expect(text(value(array(byte, 4), gone))).toBe("<it was optimized out>");
		expect(dereference(whole)).toBeUndefined();
	});

	test("is shown so deep and no deeper, and text so long and no longer", () => {
		const deep = array(array(array(int, 2), 2), 2);
		expect(text(value(deep, memory))).toBe("{{[2], [2]}, {[2], [2]}}");
		expect(text(value(array(array(pair, 2), 2), memory))).toBe("{{{…}, {…}}, {{…}, {…}}}");
		const long = { kind: "memory", address: at + 256n } as const;
		machine.memory.write(long.address, new Uint8Array(300).fill(0x61));
		expect(text(value(array(byte, 300), long))).toBe(`"${"a".repeat(200)}"…`);
		expect(text(value(array(byte, 200), long))).toBe(`"${"a".repeat(200)}"`);
		const pointer: Type = { kind: "pointer", size: 8, target: byte };
		expect(text(value(pointer, { kind: "value", value: long.address }))).toBe(
			`0x${long.address.toString(16)} "${"a".repeat(200)}"…`,
		);
	});
});

test("a pointer to what is not in memory shows what is known of it", () => {
	const code = 0x80000000;
	const number = die("base_type", [
		["name", "string", "int"],
		["byte_size", "data1", 4],
		["encoding", "data1", 5],
	]);
	const hidden = die("variable", [
		["name", "string", "hidden"],
		["type", "ref4", number],
		// DW_OP_lit9, DW_OP_stack_value.
		["location", "exprloc", bytes().u8(0x39, 0x9f)],
	]);
	const owner = die(
		"subprogram",
		[
			["name", "string", "f"],
			["low_pc", "addr", code],
			["high_pc", "data4", 64],
		],
		[hidden],
	);
	const root = die(
		"compile_unit",
		[
			["low_pc", "addr", code],
			["high_pc", "data4", 64],
		],
		[number, owner],
	);
	const { sections, offsetOf } = debugSections([{ root }]);
	const info = new DebugInfo(new ElfFile(elfWith({ sections })));
	const pointer: Type = { kind: "pointer", size: 8, target: int };
	const to = (offset: number): Value => ({
		...value(pointer, { kind: "implicitPointer", die: offsetOf(hidden), offset }),
		...{ info, at: code + 8 },
	});
	expect(text(to(0))).toBe("(not in memory) → 9");
	expect(childrenOf(to(0)).map((child) => [child.name, text(child.value)])).toEqual([["*", "9"]]);
	// It has one child: a client that asks for those after it gets no second one.
	expect(childrenOf(to(0), 1).map(({ name }) => name)).toEqual([]);
	// To its middle, or to nothing that is described.
	expect([text(to(2)), childrenOf(to(2))]).toEqual(["<not in memory>", []]);
	expect(bytesOf(to(0))).toBeUndefined();
});
