import { describe, expect, test } from "vitest";
import { DebugInfo } from "../../../src/debuginfo/debugInfo.ts";
import { findMember, plain, type StructType, type Type, typeName } from "../../../src/debuginfo/types.ts";
import { type AttributeSpec, bytes, type DieSpec, debugSections, die, elfWith, selfDie } from "../../support/dwarf.ts";

const name = (text: string): AttributeSpec => ["name", "string", text];
const of = (type: DieSpec): AttributeSpec => ["type", "ref4", type];
const size = (count: number): AttributeSpec => ["byte_size", "data1", count];

const [boolean, signed, signedChar, unsigned, unsignedChar] = [2, 5, 6, 7, 8];
const baseType = (text: string, encoding: number, length: number) =>
	die("base_type", [name(text), ["encoding", "data1", encoding], size(length)]);
const int = baseType("int", signed, 4);
const char = baseType("char", unsignedChar, 1);
const pointer = (to?: DieSpec) => die("pointer_type", to ? [of(to)] : []);
const array = (element: DieSpec, ...dimensions: DieSpec[]) => die("array_type", [of(element)], dimensions);
const bound = (last: number | bigint, form: AttributeSpec[1] = "data1") =>
	die("subrange_type", [["upper_bound", form, last]]);
const count = (number: number) => die("subrange_type", [["count", "data2", number]]);
const member = (text: string, type: DieSpec, offset: number, more: AttributeSpec[] = []) =>
	die("member", [...(text === "" ? [] : [name(text)]), of(type), ["data_member_location", "data1", offset], ...more]);

/** The type of a variable `it`, among these entries. */
function read(type: DieSpec, ...others: DieSpec[]): Type | undefined {
	const variable = die("variable", [name("it"), of(type), ["location", "exprloc", bytes().u8(0x03).u64(0x80000000)]]);
	const { sections } = debugSections([{ root: die("compile_unit", [], [int, char, ...others, type, variable]) }]);
	return new DebugInfo(elfWith({ sections })).variable("it")?.type;
}

describe("a type", () => {
	test.each<[string, DieSpec, Type]>([
		["int", baseType("int", signed, 4), { kind: "base", name: "int", size: 4, signed: true, char: false }],
		[
			"uint64",
			baseType("unsigned long", unsigned, 8),
			{ kind: "base", name: "unsigned long", size: 8, signed: false, char: false },
		],
		[
			"a signed char",
			baseType("char", signedChar, 1),
			{ kind: "base", name: "char", size: 1, signed: true, char: true },
		],
		[
			"an unsigned char",
			baseType("uchar", unsignedChar, 1),
			{ kind: "base", name: "uchar", size: 1, signed: false, char: true },
		],
		["a bool", baseType("_Bool", boolean, 1), { kind: "base", name: "_Bool", size: 1, signed: false, char: false }],
		["a pointer to nothing known", pointer(), { kind: "pointer", size: 8, target: undefined }],
		["a function", die("subroutine_type"), { kind: "function", size: 0 }],
		[
			"an enumeration without a size",
			die("enumeration_type", [name("e")]),
			{ kind: "enum", name: "e", size: 4, values: new Map() },
		],
	])("that is %s", (_, entry, expected) => {
		expect(read(entry)).toEqual(expected);
	});

	test("that is an enumeration has its constants, those below zero too, and nothing that is none", () => {
		const constant = (text: string, value: number, form: AttributeSpec[1] = "sdata") =>
			die("enumerator", [name(text), ["const_value", form, value]]);
		const entry = die(
			"enumeration_type",
			[name("state"), size(1)],
			[
				constant("UNUSED", 0, "data1"),
				constant("RUNNING", 200),
				constant("BROKEN", -1),
				die("enumerator", [name("nothing")]),
				die("variable", [name("other"), ["const_value", "data1", 9]]),
			],
		);
		expect(read(entry)).toEqual({
			kind: "enum",
			name: "state",
			size: 1,
			values: new Map([
				[0, "UNUSED"],
				[200, "RUNNING"],
				[-1, "BROKEN"],
			]),
		});
	});

	test.each(["const_type", "volatile_type", "restrict_type", "atomic_type"] as const)(
		"with %s is the type itself",
		(tag) => {
			expect(read(die(tag, [of(int)]))).toMatchObject({ kind: "base", name: "int" });
			// `const void`
			expect(read(die(tag))).toBeUndefined();
		},
	);

	test("by its typedef keeps that name, and is its target", () => {
		const word = die("typedef", [name("uint"), of(int)]);
		const type = read(die("typedef", [name("pte_t"), of(word)]), word);
		expect(type).toMatchObject({ kind: "typedef", name: "pte_t", size: 4, target: { kind: "typedef", name: "uint" } });
		expect(plain(type)).toMatchObject({ kind: "base", name: "int" });
		expect(read(die("typedef", [name("nothing")]))).toEqual({
			kind: "typedef",
			name: "nothing",
			size: 0,
			target: undefined,
		});
	});

	test("that is defined by itself has no end, and is none", () => {
		const a = die("typedef", [name("a")]);
		const loop = selfDie("typedef", (self) => ({ attributes: [name("loop"), of(self)] }));
		expect(plain(read(loop, a))).toBeUndefined();
		const rows = selfDie("array_type", (self) => ({ attributes: [of(self)], children: [count(2)] }));
		expect(plain(read(rows))).not.toMatchObject({ kind: "base" });
	});
});

describe("an array", () => {
	const rows: [string, DieSpec, number, number][] = [
		["by its last index", array(int, bound(15)), 16, 64],
		["by its count", array(int, count(300)), 300, 1200],
		["of one", array(int, bound(0)), 1, 4],
		["without a bound", array(int, die("subrange_type")), 0, 0],
		["whose bound is -1", array(int, bound(0xffffffff, "data4")), 0, 0],
		["whose bound is -1 in 64 bits", array(int, bound(0xffffffffffffffffn, "data8")), 0, 0],
		["of more elements than memory has", array(int, bound(2 ** 40, "data8")), 0, 0],
		["whose bound is computed", array(int, die("subrange_type", [["upper_bound", "exprloc", bytes().u8(0x35)]])), 0, 0],
	];
	test.each(rows)("%s", (_, entry, elements, length) => {
		expect(read(entry)).toMatchObject({ kind: "array", count: elements, size: length, element: { name: "int" } });
	});

	test("of two dimensions: the first one is the outer", () => {
		const type = read(array(int, bound(2), bound(3)));
		expect(type).toMatchObject({
			count: 3,
			size: 48,
			element: { kind: "array", count: 4, size: 16, element: { name: "int" } },
		});
		expect(typeName(type)).toBe("int[3][4]");
		const text = pointer(char);
		expect(typeName(read(array(text, bound(1), bound(2), bound(4)), text))).toBe("char *[2][3][5]");
	});

	test("of nothing is none; without dimensions it is its element", () => {
		expect(read(die("array_type", [], [count(3)]))).toBeUndefined();
		expect(read(array(int))).toMatchObject({ kind: "base", name: "int" });
	});
});

describe("a structure", () => {
	const node = die(
		"structure_type",
		[name("node"), size(32)],
		[member("pid", int, 4), member("name", char, 8), die("subprogram", [name("not_a_member")])],
	);

	test("has its members where they lie", () => {
		const type = read(node) as StructType;
		expect(type).toMatchObject({ kind: "struct", name: "node", size: 32 });
		expect(type.members.map(({ name, offset, type }) => [name, offset, typeName(type)])).toEqual([
			["pid", 4, "int"],
			["name", 8, "char"],
		]);
		expect(findMember(type, "pid")?.offset).toBe(4);
		expect(findMember(type, "none")).toBeUndefined();
	});

	test("that points to itself is read as far as somebody looks", () => {
		let next = pointer();
		const list = selfDie("structure_type", (self) => {
			next = pointer(self);
			return { attributes: [name("list"), size(8)], children: [member("next", next, 0)] };
		});
		let type = read(list, next) as StructType;
		for (let i = 0; i < 5; i++) {
			const target = findMember(type, "next")?.type;
			type = (target?.kind === "pointer" ? target.target : undefined) as StructType;
			expect(type.name).toBe("list");
		}
	});

	test("of DWARF 2 has its offsets as expressions; of one that is none the member lies at the begin", () => {
		const at = (...code: number[]) =>
			die("member", [name("m"), of(int), ["data_member_location", "block1", bytes().u8(...code)]]);
		for (const [code, offset] of [
			[[0x23, 0x08], 8],
			[[0x23, 0x90, 0x03], 400],
			[[0x35], 0],
			[[], 0],
		] as const) {
			const type = read(die("structure_type", [name("old"), size(8)], [at(...code)])) as StructType;
			expect(type.members[0]?.offset).toBe(offset);
		}
	});

	test("has the members of anonymous parts at its own offsets", () => {
		const inner = die("union_type", [size(8)], [member("a", int, 0), member("b", int, 0)]);
		const deep = die("structure_type", [size(16)], [member("c", int, 4), member("", inner, 8)]);
		const named = die("structure_type", [name("named"), size(4)], [member("hidden", int, 0)]);
		const outer = die(
			"structure_type",
			[name("outer"), size(64)],
			[member("", int, 0), member("", deep, 16), member("part", named, 48)],
		);
		const type = read(outer, inner, deep, named) as StructType;
		expect(["c", "a", "b", "part"].map((text) => findMember(type, text)?.offset)).toEqual([20, 24, 24, 48]);
		expect(findMember(type, "b")?.name).toBe("b");
		// What has a name is no part of the outer one.
		expect(findMember(type, "hidden")).toBeUndefined();
	});

	test("has bit fields as each version of DWARF says", () => {
		const bits = (text: string, ...more: AttributeSpec[]) => die("member", [name(text), of(int), ...more]);
		const flags = die(
			"structure_type",
			[name("flags"), size(8)],
			[
				// DWARF 4 and later: bits from the begin of the structure.
				bits("low", ["bit_size", "data1", 3], ["data_bit_offset", "data1", 2]),
				bits("high", ["bit_size", "data1", 5], ["data_bit_offset", "data1", 35]),
				// Before: bits from the top of the unit that holds them.
				bits(
					"old",
					["byte_size", "data1", 4],
					["bit_size", "data1", 3],
					["bit_offset", "data1", 27],
					["data_member_location", "data1", 0],
				),
				bits(
					"second",
					["byte_size", "data1", 4],
					["bit_size", "data1", 4],
					["bit_offset", "data1", 11],
					["data_member_location", "data1", 4],
				),
				// A packed field that begins three bits into its unit passes the end of it.
				bits("packed", ["byte_size", "data1", 4], ["bit_size", "data1", 32], ["bit_offset", "sdata", -3]),
				bits("clang's", ["byte_size", "data1", 4], ["bit_size", "data1", 32], ["bit_offset", "data8", -3]),
				bits("whole", ["data_member_location", "data1", 4]),
			],
		);
		const type = read(flags) as StructType;
		expect(type.members.map(({ name, offset, bits }) => [name, offset, bits])).toEqual([
			["low", 0, { offset: 2, size: 3 }],
			["high", 4, { offset: 3, size: 5 }],
			["old", 0, { offset: 2, size: 3 }],
			["second", 6, { offset: 1, size: 4 }],
			["packed", 0, { offset: 3, size: 32 }],
			["clang's", 0, { offset: 3, size: 32 }],
			["whole", 4, undefined],
		]);
	});
});

test.each<[string, DieSpec, DieSpec[], string]>([
	["a pointer to a structure", pointer(die("structure_type", [name("proc")])), [], "struct proc *"],
	["a pointer to nothing", pointer(), [], "void *"],
	["a structure without a name", die("structure_type"), [], "struct (anonymous)"],
	["a union", die("union_type", [name("u")]), [], "union u"],
	["an enumeration", die("enumeration_type", [name("procstate")]), [], "enum procstate"],
	["an array", array(char, bound(15)), [], "char[16]"],
	["a typedef", die("typedef", [name("uint64"), of(int)]), [], "uint64"],
	["a function", die("subroutine_type"), [], "function"],
])("is called as C calls it: %s", (_, entry, others, text) => {
	const target = entry.attributes.find(([key]) => key === "type")?.[2] as DieSpec | undefined;
	expect(typeName(read(entry, ...others, ...(target && target !== int && target !== char ? [target] : [])))).toBe(text);
});

test("a type that is not known is void, and one of endless pointers is cut", () => {
	expect(typeName(undefined)).toBe("void");
	const loop = selfDie("pointer_type", (self) => ({ attributes: [of(self)] }));
	expect(typeName(read(loop))).toMatch(/^…( \*)+$/);
});
