import { describe, expect, test } from "vitest";
import { DW_AT } from "../../../src/debuginfo/dwarf.ts";
import { ElfFile } from "../../../src/debuginfo/elf.ts";
import { DebugSections, hasCode, Unit } from "../../../src/debuginfo/unit.ts";
import {
	type AttributeSpec,
	type Bytes,
	bytes,
	debugSections,
	die,
	elfWith,
	type UnitSpec,
} from "../../support/dwarf.ts";

const open = (units: readonly UnitSpec[], more: Readonly<Record<string, Bytes>> = {}) => {
	const { sections, offsetOf } = debugSections(units);
	const all = Unit.all(new DebugSections(new ElfFile(elfWith({ sections: { ...sections, ...more } }))));
	return { units: all, unit: all[0] as Unit, offsetOf };
};
const one = (
	attributes: readonly AttributeSpec[],
	more: Partial<UnitSpec> = {},
	sections: Readonly<Record<string, Bytes>> = {},
) => {
	const { unit } = open([{ version: 5, root: die("compile_unit", attributes), ...more }], sections);
	return { unit, root: unit.root };
};

describe("the forms of DWARF 5", () => {
	// Beside each value stands a byte that shows where the next one begins.
	const after: AttributeSpec = ["encoding", "data1", 0xa5];
	test.each<[AttributeSpec[1], AttributeSpec[2], unknown]>([
		["addr", 0x80001234, 0x80001234],
		["data1", 0xfe, 0xfe],
		["data2", 0xfffe, 0xfffe],
		["data4", 0xfffffffe, 0xfffffffe],
		["data8", 0x1fffffffffffff, 0x1fffffffffffff],
		["data8", 0xfedcba9876543211n, 0xfedcba9876543211n],
		["data16", 5, Uint8Array.from([5, ...Array(15).fill(0)])],
		["udata", 300, 300],
		["udata", 0xfedcba9876543211n, 0xfedcba9876543211n],
		["sdata", -300, -300],
		["sdata", -(2n ** 63n) + 1n, -(2n ** 63n) + 1n],
		["implicit_const", -7, -7],
		["implicit_const", 2n ** 62n + 1n, 2n ** 62n + 1n],
		["flag", 1, 1],
		["flag_present", 0, 1],
		["string", "struct", "struct"],
		["strp", "kernel/proc.c", "kernel/proc.c"],
		["line_strp", "/home/me", "/home/me"],
		["sec_offset", 0x1234, 0x1234],
		["block1", bytes().u8(1, 2), Uint8Array.from([1, 2])],
		["block2", bytes().u8(1, 2, 3), Uint8Array.from([1, 2, 3])],
		["block4", bytes().u8(1), Uint8Array.from([1])],
		["block", bytes().raw(Array(200).fill(7)), new Uint8Array(200).fill(7)],
		["exprloc", bytes().u8(0x91, 0), Uint8Array.from([0x91, 0])],
		["ref_sig8", 0x55667788, 0x55667788],
		["indirect", 300, 300],
		["strx", 300, 300],
		["strx1", 200, 200],
		["strx2", 40000, 40000],
		["strx3", 0x12345, 0x12345],
		["strx4", 0x12345678, 0x12345678],
		["addrx", 300, 300],
		["addrx1", 200, 200],
		["addrx2", 40000, 40000],
		["addrx3", 0x54321, 0x54321],
		["addrx4", 0x12345678, 0x12345678],
		["loclistx", 300, 300],
		["rnglistx", 300, 300],
		["ref_sup4", bytes().u32(0x1234), 0x1234],
		["ref_sup8", bytes().u64(0x1234), 0x1234],
		["strp_sup", bytes().u32(0x77), 0x77],
	])("%s is read whole", (form, value, expected) => {
		const { root } = one([["const_value", form, value], after]);
		expect(root.attributes.get(DW_AT.const_value)?.value).toEqual(expected);
		expect(root.attributes.get(DW_AT.encoding)?.value).toBe(0xa5);
	});

	test("a form that no standard has is refused, and an indirect one that leads to itself", () => {
		expect(() => one([["const_value", 0x77, bytes().u8(1)]]).root).toThrow("form 0x77");
		const own = bytes().raw(Array(8).fill(0x16));
		const { sections } = debugSections([{ root: die("compile_unit", [["const_value", "udata", 0]]) }]);
		const abbreviations = bytes().u8(1, 0x11, 0, 0x1c, 0x16, 0, 0, 0);
		const info = bytes().u16(4).u32(0).u8(8, 1).raw(own.list);
		const all = { ...sections, ".debug_abbrev": abbreviations, ".debug_info": bytes().u32(info.length).raw(info.list) };
		const [unit] = Unit.all(new DebugSections(new ElfFile(elfWith({ sections: all }))));
		expect(() => unit?.root).toThrow("indirect forms without end");
	});
});

test.each(["ref1", "ref2", "ref4", "ref8", "ref_udata", "ref_addr"] as const)(
	"%s leads to the entry, also in a second unit",
	(form) => {
		const first = { root: die("compile_unit", [["name", "string", "first.c"]]) };
		for (const version of [2, 3, 5])
			for (const is64 of [false, true]) {
				const base = die("base_type", [["name", "string", "int"]]);
				const user = die("variable", [["type", form, base]]);
				const second = { version, is64, root: die("compile_unit", [], [base, user]) };
				const { units, offsetOf } = open([first, second]);
				const unit = units[1] as Unit;
				const found = unit.die(offsetOf(user))?.attributes.get(DW_AT.type)?.value;
				expect(found).toBe(offsetOf(base));
				expect(unit.text(unit.die(found as number) as never, DW_AT.name)).toBe("int");
			}
	},
);

describe("units", () => {
	test.each([2, 3, 4, 5])("of version %i, in both formats, follow each other", (version) => {
		for (const is64 of [false, true]) {
			const named = (name: string) => ({ version, is64, root: die("compile_unit", [["name", "string", name]]) });
			const { units } = open([named("a.c"), named("b.c"), named("c.c")]);
			expect(units.map((unit) => [unit.version, unit.is64, unit.text(unit.root, DW_AT.name)])).toEqual(
				["a.c", "b.c", "c.c"].map((name) => [version, is64, name]),
			);
			expect(units.map((unit) => unit.offset)).toEqual([0, units[0]?.end, units[1]?.end]);
		}
	});

	test("that describe types or stand elsewhere are passed over; skeletons and partial ones are read", () => {
		const kinds = [1, 2, 3, 4, 5, 6];
		for (const is64 of [false, true]) {
			const { units } = open(
				kinds.map((kind) => ({
					version: 5,
					is64,
					kind,
					root: die("compile_unit", [["name", "string", `kind ${kind}`]]),
				})),
			);
			expect(units.map((unit) => unit.text(unit.root, DW_AT.name))).toEqual(["kind 1", "kind 3", "kind 4"]);
		}
	});

	test.each<[string, Partial<UnitSpec>, string]>([
		["version 1", { version: 1 }, "DWARF version 1"],
		["version 6", { version: 6 }, "DWARF version 6"],
		["addresses of 4 bytes", { addressSize: 4 }, "addresses of 4 bytes"],
	])("of %s are refused", (_, more, message) => {
		expect(() => open([{ root: die("compile_unit"), ...more }])).toThrow(message);
	});

	test("keep the tree of their entries, and find each by its offset", () => {
		const local = die("variable", [["name", "string", "i"]]);
		const block = die("lexical_block", [], [local]);
		const main = die("subprogram", [["name", "string", "main"]], [block]);
		const other = die("subprogram", [["name", "string", "other"]]);
		const { unit, offsetOf } = open([{ root: die("compile_unit", [], [main, other]) }]);
		expect(unit.root.children.map((child) => unit.text(child, DW_AT.name))).toEqual(["main", "other"]);
		expect(unit.die(offsetOf(local))?.parent?.parent).toBe(unit.die(offsetOf(main)));
		expect([...unit.dies].map(({ tag }) => tag)).toEqual([0x11, 0x2e, 0x0b, 0x34, 0x2e]);
		expect(unit.die(offsetOf(local) + 1)).toBeUndefined();
		expect([...unit.dies].map((entry) => hasCode(entry))).toEqual([true, true, true, false, true]);
	});

	test("may be padded after their last entry", () => {
		const { sections } = debugSections([
			{ root: die("compile_unit", [], [die("base_type", [["name", "string", "int"]])]) },
		]);
		const info = sections[".debug_info"];
		info.raw([0, 0, 0]);
		info.set32(0, info.length - 4);
		const [unit] = Unit.all(new DebugSections(new ElfFile(elfWith({ sections }))));
		expect(unit?.root.children).toHaveLength(1);
	});

	test("without entries, with an entry that is not defined, or without abbreviations are damage", () => {
		const { sections } = debugSections([{ root: die("compile_unit") }]);
		const of = (info: Bytes, more = {}) =>
			Unit.all(new DebugSections(new ElfFile(elfWith({ sections: { ...sections, ".debug_info": info, ...more } }))))[0]
				?.root;
		const unit = (...entries: number[]) => {
			const body = bytes()
				.u16(4)
				.u32(0)
				.u8(8, ...entries);
			return bytes().u32(body.length).raw(body.list);
		};
		expect(of(unit(1))?.tag).toBe(0x11);
		expect(() => of(unit())).toThrow("an empty unit");
		expect(() => of(unit(0))).toThrow("an empty unit");
		expect(() => of(unit(2))).toThrow("abbreviation 2 is not defined");
		expect(() => of(unit(1), { ".debug_abbrev": undefined })).toThrow(".debug_abbrev is missing");
	});
});

describe("by index", () => {
	const strings = bytes().text("").text("first").text("second");
	const stringOffsets = (is64: boolean) =>
		is64 ? bytes().u64(99).u64(99).u64(1).u64(7) : bytes().u32(99).u32(99).u32(1).u32(7);
	const addresses = bytes()
		.u64(0xdead)
		.u64(start())
		.u64(start() + 0x40)
		.u64(start() + 0x80);
	function start() {
		return 0x80000000;
	}
	const bases: AttributeSpec[] = [
		["str_offsets_base", "sec_offset", 8],
		["addr_base", "sec_offset", 8],
	];
	const sections = { ".debug_str": strings, ".debug_str_offsets": stringOffsets(false), ".debug_addr": addresses };

	test.each(["strx", "strx1", "strx2", "strx3", "strx4"] as const)(
		"%s is a string, also where its base comes later",
		(form) => {
			const { unit, root } = one([["name", form, 1], ...bases], {}, sections);
			expect(unit.text(root, DW_AT.name)).toBe("second");
			const named = one([["name", form, 0]], {}, sections);
			expect(named.unit.text(named.root, DW_AT.name)).toBe("first");
		},
	);

	test("strings of the 64-bit format have offsets of eight bytes", () => {
		const more = { ...sections, ".debug_str_offsets": stringOffsets(true) };
		const { unit, root } = one(
			[
				["str_offsets_base", "sec_offset", 16],
				["name", "strx", 1],
			],
			{ is64: true },
			more,
		);
		expect(unit.text(root, DW_AT.name)).toBe("second");
	});

	test("a number is no text", () => {
		const { unit, root } = one([["name", "data1", 1]], {}, sections);
		expect(unit.text(root, DW_AT.name)).toBeUndefined();
		expect(unit.text(root, DW_AT.comp_dir)).toBeUndefined();
	});

	test.each(["addrx", "addrx1", "addrx2", "addrx3", "addrx4"] as const)(
		"%s is an address, also of the end of code",
		(form) => {
			const { unit, root } = one([["low_pc", form, 0], ["high_pc", form, 2], ...bases], {}, sections);
			expect(unit.lowPc).toBe(start());
			expect(unit.ranges(root)).toEqual([{ low: start(), high: start() + 0x80 }]);
			expect(unit.indexedAddress(1)).toBe(start() + 0x40);
		},
	);

	test("indices past their table, or without one, are damage", () => {
		const { unit } = one(bases, {}, sections);
		expect(() => unit.indexedAddress(3)).toThrow(".debug_addr");
		expect(() => one(bases).unit.indexedAddress(0)).toThrow(".debug_addr is missing");
	});
});

const base = 0x80000000;
const low: AttributeSpec = ["low_pc", "addr", base];
const span = (from: number, to: number) => ({ low: base + from, high: base + to });

describe("code of an entry", () => {
	test.each<[string, AttributeSpec[], readonly { low: number; high: number }[]]>([
		["ends so many bytes on", [low, ["high_pc", "data4", 0x40]], [span(0, 0x40)]],
		["ends at an address", [low, ["high_pc", "addr", base + 0x40]], [span(0, 0x40)]],
		["is none where it has no end", [low], []],
		["is none where it has no begin", [["high_pc", "data4", 0x40]], []],
		["is none where it is empty", [low, ["high_pc", "data4", 0]], []],
		["is none where it ends before it begins", [low, ["high_pc", "addr", base - 1]], []],
	])("%s", (_, attributes, expected) => {
		const { unit, root } = one(attributes);
		expect(unit.ranges(root)).toEqual(expected);
	});

	test("in ranges of DWARF 4: from the unit's begin, or from an address that the list says", () => {
		const ranges = bytes().u64(1).u64(2).u64(0x10).u64(0x20).u64(0x30).u64(0x30);
		ranges
			.u64(0xffffffffffffffffn)
			.u64(base + 0x1000)
			.u64(4)
			.u64(8)
			.u64(0)
			.u64(0);
		const sections = { ".debug_ranges": ranges };
		const { unit, root } = one([low, ["ranges", "sec_offset", 16]], { version: 4 }, sections);
		expect(unit.ranges(root)).toEqual([span(0x10, 0x20), span(0x1004, 0x1008)]);
	});

	/** All kinds of entries of a range list (DWARF 5, 7.25); a location has its expression after each. */
	const list = (kind: (kind: number) => number, location: () => number[]) =>
		bytes()
			.u8(kind(4))
			.uleb(0x10)
			.uleb(0x20)
			.raw(location())
			.u8(kind(1))
			.uleb(1)
			.u8(kind(4))
			.uleb(0)
			.uleb(8)
			.raw(location())
			.u8(kind(2))
			.uleb(0)
			.uleb(1)
			.raw(location())
			.u8(kind(3))
			.uleb(1)
			.uleb(0x18)
			.raw(location())
			.u8(kind(5))
			.u64(base + 0x2000)
			.u8(kind(4))
			.uleb(2)
			.uleb(4)
			.raw(location())
			.u8(kind(6))
			.u64(base + 0x3000)
			.u64(base + 0x3004)
			.raw(location())
			.u8(kind(7))
			.u64(base + 0x4000)
			.uleb(0x300)
			.raw(location())
			.u8(kind(0));
	const expected = [
		span(0x10, 0x20),
		span(0x100, 0x108),
		span(0x40, 0x100),
		span(0x100, 0x118),
		span(0x2002, 0x2004),
		span(0x3000, 0x3004),
		span(0x4000, 0x4300),
	];
	const addresses = bytes()
		.u64(0)
		.u64(base + 0x40)
		.u64(base + 0x100);

	test("in ranges of DWARF 5: every kind of entry, by offset and by index, in both formats", () => {
		const entries = list(
			(kind) => kind,
			() => [],
		);
		for (const is64 of [false, true]) {
			const sections = {
				".debug_addr": addresses,
				".debug_rnglists": (is64 ? bytes().u64(0).u64(0).u64(16) : bytes().u32(0).u32(0).u32(0).u32(8)).raw(
					entries.list,
				),
			};
			const offsets = is64 ? 8 : 8;
			const where = is64 ? 24 : 16;
			const byOffset = one([low, ["addr_base", "sec_offset", 8], ["ranges", "sec_offset", where]], { is64 }, sections);
			expect(byOffset.unit.ranges(byOffset.root)).toEqual(expected);
			const byIndex = one(
				[low, ["addr_base", "sec_offset", 8], ["rnglists_base", "sec_offset", offsets], ["ranges", "rnglistx", 1]],
				{ is64 },
				sections,
			);
			expect(byIndex.unit.ranges(byIndex.root)).toEqual(expected);
		}
	});

	test("an empty range is left out, a list of a kind that no standard has is damage", () => {
		const sections = (entries: Bytes) => ({ ".debug_rnglists": bytes().raw(Array(12).fill(0)).raw(entries.list) });
		const empty = one([low, ["ranges", "sec_offset", 12]], {}, sections(bytes().u8(4, 8, 8, 4, 8, 9, 0)));
		expect(empty.unit.ranges(empty.root)).toEqual([span(8, 9)]);
		const damaged = one([low, ["ranges", "sec_offset", 12]], {}, sections(bytes().u8(8)));
		expect(() => damaged.unit.ranges(damaged.root)).toThrow("list entry kind 8 in .debug_rnglists");
	});

	const expression = [1, 0x5a];
	const twice = expected.map(({ low, high }) => [low, high, Uint8Array.from([0x5a])]);
	const locationsOf = (
		attributes: AttributeSpec[],
		more: Partial<UnitSpec>,
		sections: Readonly<Record<string, Bytes>>,
	) => {
		const { unit, root } = one(attributes, more, sections);
		const found: unknown[] = [];
		unit.eachLocation(root, DW_AT.location, (low, high, expression) => found.push([low, high, expression]));
		return { found, at: (pc: number) => unit.location(root, DW_AT.location, pc) };
	};

	test("locations of DWARF 5: the same kinds of entries, and one for everywhere else", () => {
		const entries = list(
			(kind) => (kind >= 5 ? kind + 1 : kind),
			() => expression,
		);
		for (const is64 of [false, true]) {
			const head = is64 ? bytes().u64(0).u64(0).u64(16) : bytes().u32(0).u32(0).u32(0).u32(8);
			const sections = { ".debug_addr": addresses, ".debug_loclists": head.raw(entries.list) };
			const bases: AttributeSpec[] = [low, ["addr_base", "sec_offset", 8], ["loclists_base", "sec_offset", 8]];
			expect(locationsOf([...bases, ["location", "loclistx", 1]], { is64 }, sections).found).toEqual(twice);
			expect(locationsOf([...bases, ["location", "sec_offset", is64 ? 24 : 16]], { is64 }, sections).found).toEqual(
				twice,
			);
		}
		const elsewhere = bytes().raw(Array(12).fill(0)).u8(4, 0, 8, 1, 0x5a, 5, 1, 0x5b, 0);
		const { at } = locationsOf([low, ["location", "sec_offset", 12]], {}, { ".debug_loclists": elsewhere });
		expect([0, 7, 8, 0x5000].map((offset) => at(base + offset)?.[0])).toEqual([0x5a, 0x5a, 0x5b, 0x5b]);
	});

	test("locations of DWARF 4: from the unit's begin, or from an address that the list says", () => {
		const entries = bytes().u64(9).u64(0).u64(8).u16(1).u8(0x5a).u64(8).u64(16).u16(2).u8(0x91, 8);
		entries
			.u64(0xffffffffffffffffn)
			.u64(base + 0x100)
			.u64(4)
			.u64(8)
			.u16(1)
			.u8(0x5b)
			.u64(0)
			.u64(0);
		const { at } = locationsOf([low, ["location", "sec_offset", 8]], { version: 4 }, { ".debug_loc": entries });
		const found = [-1, 0, 7, 8, 15, 16, 0x103, 0x104, 0x107, 0x108].map((offset) => at(base + offset)?.[0]);
		expect(found).toEqual([undefined, 0x5a, 0x5a, 0x91, 0x91, undefined, undefined, 0x5b, 0x5b, undefined]);
	});

	test("a location that holds everywhere, and none", () => {
		const { found, at } = locationsOf([["location", "exprloc", bytes().u8(0x5a)]], {}, {});
		expect(found).toEqual([[0, Number.POSITIVE_INFINITY, Uint8Array.from([0x5a])]]);
		expect(at(0)).toEqual(Uint8Array.from([0x5a]));
		expect(locationsOf([], {}, {}).at(base)).toBeUndefined();
	});
});
