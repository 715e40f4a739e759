import { describe, expect, test } from "vitest";
import { DebugInfo, type LocalVariable } from "../../../src/debuginfo/debugInfo.ts";
import { declaredAt } from "../../../src/debuginfo/declared.ts";
import { sameFile } from "../../../src/debuginfo/lineIndex.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { typeName } from "../../../src/debuginfo/types.ts";
import {
	type AttributeSpec,
	bytes,
	debugSections,
	die,
	elfWith,
	endSequence,
	lineTable,
	setAddress,
} from "../../support/dwarf.ts";

/**
 * A program as a compiler describes it, small enough to be read whole. In kernel/proc.c:
 *   0x00 scheduler()  lines 10-13; from 0x08 to 0x10 acquire() of kernel/lock.h is inlined (line 5), called at line 12
 *   0x20 wait(status) lines 20-25; a block from 0x28 to 0x30
 *   0x40 start: assembly, lines of kernel/entry.S
 */
const base = 0x80000000;
const name = (text: string): AttributeSpec => ["name", "string", text];
const code = (from: number, to: number): AttributeSpec[] => [
	["low_pc", "addr", base + from],
	["high_pc", "data4", to - from],
];
const at = (file: number, line: number): AttributeSpec[] => [
	["decl_file", "data1", file],
	["decl_line", "data1", line],
];
const place = (...list: number[]): AttributeSpec => ["location", "exprloc", bytes().u8(...list)];
const globalAt = (offset: number): AttributeSpec => [
	"location",
	"exprloc",
	bytes()
		.u8(0x03)
		.u64(base + offset),
];

const int = die("base_type", [name("int"), ["encoding", "data1", 5], ["byte_size", "data1", 4]]);
const ulong = die("base_type", [name("unsigned long"), ["encoding", "data1", 7], ["byte_size", "data1", 8]]);
const uint64 = die("typedef", [name("uint64"), ["type", "ref4", ulong]]);
const procState = die(
	"enumeration_type",
	[name("procstate"), ["byte_size", "data1", 4]],
	[
		die("enumerator", [name("UNUSED"), ["const_value", "data1", 0]]),
		die("enumerator", [name("ZOMBIE"), ["const_value", "data1", 5]]),
	],
);
const proc = die(
	"structure_type",
	[name("proc"), ["byte_size", "data1", 16]],
	[
		die("member", [name("pid"), ["type", "ref4", int], ["data_member_location", "data1", 0]]),
		die("member", [name("sz"), ["type", "ref4", uint64], ["data_member_location", "data1", 8]]),
	],
);
const forward = die("structure_type", [name("later"), ["declaration", "flag_present", 1]]);
const procs = die("array_type", [["type", "ref4", proc]], [die("subrange_type", [["count", "data1", 4]])]);
const procPointer = die("pointer_type", [["type", "ref4", proc]]);

const abstractLk = die("formal_parameter", [name("lk"), ["type", "ref4", uint64], ...at(2, 4)]);
const abstractAcquire = die("subprogram", [name("acquire"), ...at(2, 4)], [abstractLk]);
const inlined = die(
	"inlined_subroutine",
	[["abstract_origin", "ref4", abstractAcquire], ...code(8, 16), ["call_file", "data1", 1], ["call_line", "data1", 12]],
	[die("formal_parameter", [["abstract_origin", "ref4", abstractLk], place(0x5a)])],
);
const hiddenPair = die("variable", [name("pair"), ["type", "ref4", proc], place(0x5b, 0x93, 4, 0x93, 4)]);
const scheduler = die(
	"subprogram",
	[
		name("scheduler"),
		["external", "flag_present", 1],
		...code(0, 32),
		...at(1, 10),
		["frame_base", "exprloc", bytes().u8(0x52)],
	],
	[
		die("variable", [name("p"), ["type", "ref4", procPointer], ...at(1, 11), place(0x91, 0x70)]),
		die("variable", [name("seven"), ["type", "ref4", int], ["const_value", "sdata", -7]]),
		die("variable", [name("mask"), ["type", "ref4", ulong], ["const_value", "data8", 0xfedcba9876543211n]]),
		die("variable", [name("gone"), ["type", "ref4", int]]),
		hiddenPair,
		inlined,
		// The last thing that it does: it returns to the next function.
		die(
			"call_site",
			[["call_return_pc", "addr", base + 0x20]],
			[die("call_site_parameter", [place(0x5a), ["call_value", "exprloc", bytes().u8(0x38)]])],
		),
		die(
			"call_site",
			[["call_return_pc", "addr", base + 0x18]],
			[
				die("call_site_parameter", [place(0x5a), ["call_value", "exprloc", bytes().u8(0x37)]]),
				die("call_site_parameter", [place(0x5b), ["call_value", "exprloc", bytes().u8(0x58)]]),
				die("call_site_parameter", [place(0x5c), ["call_value", "exprloc", bytes().u8(0x78, 8, 0x9f)]]),
			],
		),
	],
);
const waitDeclaration = die("subprogram", [name("wait"), ...at(1, 20), ["type", "ref4", int]]);
const wait = die(
	"subprogram",
	[["specification", "ref4", waitDeclaration], ...code(32, 64)],
	[
		die("formal_parameter", [name("status"), ["type", "ref4", uint64], ...at(1, 20), place(0x58)]),
		die("lexical_block", code(40, 48), [
			die("variable", [name("i"), ["type", "ref4", int], ...at(1, 23), place(0x59)]),
			die("variable", [name("status"), ["type", "ref4", int], ...at(1, 23), place(0x5e)]),
		]),
		die(
			"GNU_call_site",
			[["low_pc", "addr", base + 0x38]],
			[die("GNU_call_site_parameter", [place(0x5a), ["GNU_call_site_value", "exprloc", bytes().u8(0x39)]])],
		),
	],
);
const everywhere = die("inlined_subroutine", [["abstract_origin", "ref4", abstractAcquire], ...code(0x34, 0x38)]);
(wait.children as (typeof everywhere)[]).push(everywhere);

const procUnit = die(
	"compile_unit",
	[name("kernel/proc.c"), ...code(0, 64), ["stmt_list", "sec_offset", 0]],
	[
		int,
		ulong,
		uint64,
		procState,
		proc,
		forward,
		procs,
		procPointer,
		abstractAcquire,
		scheduler,
		waitDeclaration,
		wait,
		die("variable", [name("proc"), ["type", "ref4", procs], ["external", "flag_present", 1], globalAt(0x100)]),
		die("variable", [name("initproc"), ["type", "ref4", procPointer], globalAt(0x200)]),
		die("variable", [name("elsewhere"), ["type", "ref4", int], ["declaration", "flag_present", 1]]),
		die("variable", [name("byName"), ["type", "ref4", int]]),
	],
);
const start = base + 0x40;
const assembly = die("compile_unit", [name("kernel/entry.S"), ...code(64, 80), ["stmt_list", "sec_offset", 0x1000]]);

const [copy, prologueEnd, negate] = [1, 10, 6];
/** Special opcodes of the table's default: so many bytes and lines on. */
const on = (bytesOn: number, lines: number) => 13 + 14 * bytesOn + lines + 5;
const file = (number: number) => [4, number];
const first = lineTable({
	version: 4,
	folders: ["kernel"],
	files: [
		["proc.c", 1],
		["lock.h", 1],
	],
	program: setAddress(base)
		.u8(3, 9, copy) // 0x00 line 10
		.u8(on(4, 1)) // 0x04 line 11, which is where the prologue ends by the second row
		.u8(...file(2), 3, 0x7a, on(4, 0)) // 0x08 lock.h:5
		.u8(...file(1), 3, 7, on(8, 0)) // 0x10 line 12
		.u8(on(4, 1)) // 0x14 line 13
		.u8(on(4, -2)) // 0x18 line 11: the loop's increment
		.u8(negate, on(4, -11 + 11), negate) // 0x1c line 11, no statement
		.u8(3, 9, on(4, 0)) // 0x20 line 20
		.u8(on(4, 1)) // 0x24 line 21
		.u8(prologueEnd, on(4, 1)) // 0x28 line 22
		.u8(on(0, 1)) // 0x28 line 23: line 22 has a row without an instruction
		.u8(3, 0x69, on(8, 0)) // 0x30 line 0: the compiler's own
		.u8(3, 25, on(8, 0)) // 0x38 line 25
		.u8(2, 8)
		.raw(endSequence().list),
});
const second = lineTable({
	version: 4,
	folders: ["kernel"],
	files: [["entry.S", 1]],
	program: setAddress(start).u8(3, 6, copy, on(4, 1), 2, 12).raw(endSequence().list),
});
const lines = bytes().raw(first.list).pad(0x1000).raw(second.list);
const { sections, offsetOf } = debugSections([{ root: procUnit }, { root: assembly }]);
const elf = elfWith({
	sections: { ...sections, ".debug_line": lines },
	more: [{ name: ".data", bytes: new Uint8Array(0x400), flags: 3, address: base + 0x100 }],
	symbols: [
		{ name: "scheduler", address: base, size: 32 },
		{ name: "wait", address: base + 32, size: 32 },
		{ name: "start", address: start, type: 0 },
		{ name: "spin", address: start + 8, type: 0 },
		{ name: "byName", address: base + 0x300, size: 4, type: 1 },
	],
});
const info = new DebugInfo(elf);
const functions = (offset: number) => info.functionsAt(base + offset).map((frame) => frame.name);

describe("the functions that hold an instruction", () => {
	test.each<[number, string[]]>([
		[-1, []],
		[0, ["scheduler"]],
		[7, ["scheduler"]],
		[8, ["acquire", "scheduler"]],
		[15, ["acquire", "scheduler"]],
		[16, ["scheduler"]],
		[31, ["scheduler"]],
		[32, ["wait"]],
		[40, ["wait"]],
		[0x34, ["acquire", "wait"]],
		[63, ["wait"]],
		[64, []],
	])("%i: %s", (offset, names) => {
		expect(functions(offset)).toEqual(names);
	});

	test("say where an inlined one is called, where the compiler tells", () => {
		const [acquire, outer] = info.functionsAt(base + 8);
		expect(acquire).toMatchObject({ inlined: true, call: { file: "kernel/proc.c", line: 12 } });
		expect(outer?.inlined).toBe(false);
		expect(outer?.call).toBeUndefined();
		expect(info.functionsAt(base + 0x34)[0]?.call).toBeUndefined();
	});

	test("make a place: its own function and line, and those that inlined it", () => {
		const program = new ProgramSymbols("kernel", elf);
		expect(program.problem).toBeUndefined();
		expect(program.place(base + 9)).toEqual({
			address: base + 9,
			symbol: "scheduler",
			offset: 9,
			function: "acquire",
			file: "kernel/lock.h",
			line: 5,
			inlinedInto: [{ function: "scheduler", file: "kernel/proc.c", line: 12 }],
		});
		// Code without a line has none of its neighbours'.
		expect(program.place(base + 0x30)).toEqual({ address: base + 0x30, symbol: "wait", offset: 16, function: "wait" });
	});
});

describe("lines", () => {
	test.each<[number, string | undefined]>([
		[-4, undefined],
		[0, "kernel/proc.c:10"],
		[3, "kernel/proc.c:10"],
		[4, "kernel/proc.c:11"],
		[8, "kernel/lock.h:5"],
		[0x10, "kernel/proc.c:12"],
		[0x14, "kernel/proc.c:13"],
		[0x18, "kernel/proc.c:11"],
		[0x20, "kernel/proc.c:20"],
		[0x28, "kernel/proc.c:23"],
		[0x30, undefined],
		[0x38, "kernel/proc.c:25"],
		[0x3f, "kernel/proc.c:25"],
		// One table ends where the other one begins.
		[0x40, "kernel/entry.S:7"],
		[0x44, "kernel/entry.S:8"],
		[0x50, undefined],
	])("of the instruction at %i: %s", (offset, text) => {
		const line = info.lines.lineAt(base + offset);
		expect(line && `${line.file}:${line.line}`).toBe(text);
	});

	test.each<[string, number, number[]]>([
		["kernel/proc.c", 10, [0]],
		// Its increment at 0x18 is no beginning of it.
		["kernel/proc.c", 11, [4]],
		["kernel/lock.h", 5, [8]],
		["lock.h", 5, [8]],
		["/home/me/xv6/kernel/lock.h", 5, [8]],
		["oc.c", 10, []],
		["kernel/proc.c", 22, [0x28]],
		["kernel/proc.c", 23, [0x28]],
		["kernel/proc.c", 14, []],
		["kernel/entry.S", 7, [0x40]],
	])("%s:%i begins at %j", (file, line, offsets) => {
		expect(info.lines.addressesOf(file, line).map((address) => address - base)).toEqual(offsets);
	});

	test.each<[string, number, number[]]>([
		["past the prologue, by the second row", 10, [4]],
		["past the prologue, by the compiler's word", 20, [0x28]],
		["where its code is", 12, [0x10]],
	])("have their breakpoint %s", (_, line, offsets) => {
		expect(info.lines.breakpointsOf("kernel/proc.c", line).map((address) => address - base)).toEqual(offsets);
	});

	test("with code, and the next one of a line without", () => {
		expect(info.lines.linesWithCode("kernel/proc.c")).toEqual([10, 11, 12, 13, 20, 21, 22, 23, 25]);
		expect([1, 12, 14, 24, 26].map((line) => info.lines.nextLineWithCode("kernel/proc.c", line))).toEqual([
			10,
			12,
			20,
			25,
			undefined,
		]);
		expect(info.lines.nextLineWithCode("kernel/none.c", 1)).toBeUndefined();
		expect([...info.lines.files]).toEqual(["kernel/proc.c", "kernel/lock.h", "kernel/entry.S"]);
	});

	test("begin at instructions that are statements", () => {
		expect([0, 2, 0x1c, 0x20, 0x28, 0x30, 0x50].map((offset) => info.lines.isStatement(base + offset))).toEqual([
			...[true, false, false, true, true, false, false],
		]);
	});

	test("of a function: the lowest statement of each, what was inlined left out", () => {
		const starts = (from: number, to: number) =>
			info.lines.lineStarts([{ low: base + from, high: base + to }]).map((address) => address - base);
		expect(starts(0, 32)).toEqual([0, 4, 0x10, 0x14]);
		expect(starts(32, 64)).toEqual([0x20, 0x24, 0x28, 0x38]);
		expect(starts(4, 4)).toEqual([]);
	});

	test("past the prologue is only asked of the first instruction of a function", () => {
		expect([0, 4, 0x20, 0x24, 0x40].map((offset) => info.lines.pastPrologue(base + offset) - base)).toEqual([
			4, 4, 0x28, 0x24, 0x40,
		]);
	});
});

test.each([
	["proc.c", "proc.c", true],
	["kernel/proc.c", "proc.c", true],
	["proc.c", "kernel/proc.c", true],
	["kernel/proc.c", "oc.c", false],
	["kernel/proc.c", "user/proc.c", false],
])("%s and %s are the same file: %s", (a, b, same) => {
	expect(sameFile(a, b)).toBe(same);
});

/** xN holds 100 + N; a word of memory its own address. */
const context = { register: (index: number) => BigInt(100 + index), memory: (address: bigint) => address };
const named = (locals: readonly LocalVariable[], wanted: string) =>
	locals.find((local) => local.name === wanted) as LocalVariable;

describe("variables", () => {
	const inScheduler = info.localsAt(base);
	test("of a function, with type, line and whether it is a parameter", () => {
		expect(inScheduler.map((local) => [local.name, typeName(local.type), local.parameter, local.line])).toEqual([
			["p", "struct proc *", false, 11],
			["seven", "int", false, 0],
			["mask", "unsigned long", false, 0],
			["gone", "int", false, 0],
			["pair", "struct proc", false, 0],
		]);
		expect(info.localsAt(base + 0x44)).toEqual([]);
	});

	test.each<[string, unknown]>([
		["p", { kind: "memory", address: 102n - 16n }],
		["seven", { kind: "value", value: -7n }],
		["mask", { kind: "value", value: 0xfedcba9876543211n }],
		["gone", { kind: "unknown", why: "it was optimized out" }],
	])("%s is where the compiler says", (wanted, location) => {
		expect(named(inScheduler, wanted).locate(context)).toEqual(location);
	});

	test("of an inlined function have its names and types, and the places of this one", () => {
		const locals = info.localsAt(base + 8);
		expect(locals.map((local) => local.name)).toEqual(["lk", "p", "seven", "mask", "gone", "pair"]);
		const lk = named(locals, "lk");
		expect([typeName(lk.type), lk.parameter, lk.line]).toEqual(["uint64", true, 4]);
		expect(lk.locate(context)).toEqual({ kind: "register", register: 10 });
		expect(lk.registers()).toEqual([10]);
		expect(named(locals, "p").registers()).toEqual([]);
	});

	test("of an inner block come first, and only inside of it", () => {
		expect(info.localsAt(base + 40).map((local) => [local.name, typeName(local.type)])).toEqual([
			["i", "int"],
			["status", "int"],
			["status", "uint64"],
		]);
		expect(info.localsAt(base + 48).map((local) => local.name)).toEqual(["status"]);
	});

	test("of one function among those that hold an instruction", () => {
		const [acquire, outer] = info.functionsAt(base + 8);
		const [waits] = info.functionsAt(base + 40);
		expect(acquire && info.localsOf(acquire, base + 8).map((local) => local.name)).toEqual(["lk"]);
		expect(outer && info.localsOf(outer, base + 8).map((local) => local.name)).toEqual([
			"p",
			"seven",
			"mask",
			"gone",
			"pair",
		]);
		expect(waits && info.localsOf(waits, base + 40).map((local) => local.name)).toEqual(["i", "status", "status"]);
		expect(acquire && info.localsOf(acquire, base)).toEqual([]);
	});

	test("that an implicit pointer leads to", () => {
		const { type, location } = info.locateEntry(offsetOf(hiddenPair), base, context);
		expect(typeName(type)).toBe("struct proc");
		expect(location).toMatchObject({ kind: "pieces" });
		const nothing = { type: undefined, location: { kind: "unknown", why: "it was optimized out" } };
		expect(info.locateEntry(offsetOf(hiddenPair) + 1, base, context)).toEqual(nothing);
		expect(info.locateEntry(offsetOf(hiddenPair), base + 0x44, context)).toEqual(nothing);
	});
});

test.each<[string, number, number, bigint | undefined]>([
	["a constant", 0x18, 10, 7n],
	["a register of the caller", 0x18, 11, 108n],
	["a computed value", 0x18, 12, 116n],
	["nothing that was said", 0x18, 13, undefined],
	["no call there", 0x1c, 10, undefined],
	["GNU's word for it", 0x38, 10, 9n],
	["a constant of a call that is the last thing in its function", 0x20, 10, 8n],
	["no function there", 0x44, 10, undefined],
])("at a function's entry its argument was %s", (_, returnsTo, register, value) => {
	expect(info.entryValue(base + returnsTo, register, context)).toBe(value);
});

describe("by name", () => {
	test("types, as C writes them", () => {
		expect(
			["struct proc", "uint64", "enum procstate", "int", "unsigned long"].map((text) => typeName(info.typeNamed(text))),
		).toEqual([...["struct proc", "uint64", "enum procstate", "int", "unsigned long"]]);
		expect(
			["struct none", "none", "enum none", "struct later", "union none"].map((text) => info.typeNamed(text)),
		).toEqual(Array(5).fill(undefined));
		expect(info.struct("proc")?.size).toBe(16);
		expect(info.struct("uint64")).toBeUndefined();
		expect(typeName(info.typedef("uint64"))).toBe("uint64");
		expect(info.typedef("proc")).toBeUndefined();
	});

	test("constants of enumerations", () => {
		expect([info.enumerator("ZOMBIE"), info.enumerator("UNUSED"), info.enumerator("NONE")]).toEqual([5, 0, undefined]);
	});

	test("global variables, by their location or their symbol, not what is declared only", () => {
		expect(info.variable("proc")).toMatchObject({ name: "proc", address: base + 0x100 });
		expect(typeName(info.variable("proc")?.type)).toBe("struct proc[4]");
		expect(info.variable("byName")).toMatchObject({ address: base + 0x300 });
		expect([info.variable("elsewhere"), info.variable("none")]).toEqual([undefined, undefined]);
		expect(info.variables).toEqual(["byName", "initproc", "proc"]);
		expect(info.variableNames).toEqual(["proc", "initproc", "byName"]);
	});

	test("the variables that are a structure or an array of them", () => {
		expect(info.variablesOfStruct("proc")).toEqual(["proc"]);
		expect(info.variablesOfStruct("none")).toEqual([]);
	});

	test("code of a function, its breakpoint, and each place that it was inlined at", () => {
		expect(info.functionRange("wait")).toEqual({ low: base + 32, high: base + 64 });
		expect(info.functionRange("spin")).toEqual({ low: start + 8, high: start + 9 });
		expect(info.functionRange("none")).toBeUndefined();
		expect(["scheduler", "wait", "spin", "none"].map((text) => info.functionStart(text))).toEqual([
			base + 4,
			base + 0x28,
			start + 8,
			undefined,
		]);
		expect(info.functionPlaces("acquire")).toEqual([base + 8, base + 0x34]);
		expect(info.functionPlaces("wait")).toEqual([base + 0x28]);
		expect(info.functionPlaces("none")).toEqual([]);
	});

	test("all functions with code, C and assembly, in order", () => {
		expect(
			info.functions.map(({ name, range, file, line }) => [name, range.low - base, range.high - base, file, line]),
		).toEqual([
			["scheduler", 0, 32, "kernel/proc.c", 10],
			["wait", 32, 64, "kernel/proc.c", 20],
			["start", 64, 72, "kernel/entry.S", 7],
			["spin", 72, 0x100, "kernel/entry.S", 8],
		]);
	});
});

test.each<[number, string, string | undefined]>([
	[12, "p", "local: struct proc *p"],
	[12, "p->pid", "member: int pid"],
	[12, "p[].sz", "member: uint64 sz"],
	[12, "p.pid", undefined],
	[12, "lk", undefined],
	[10, "p", "global"],
	[22, "status", "parameter: uint64 status"],
	[23, "status", "local: int status"],
	[12, "proc[].pid", "member: int pid"],
	[12, "proc", "global: struct proc proc[4]"],
	[12, "proc[]->pid", undefined],
	[12, "initproc->sz", "member: uint64 sz"],
	[12, "initproc->sz->pid", undefined],
	[12, "none", undefined],
	[12, "", undefined],
])("at line %i, %s is declared as %s", (line, chain, text) => {
	const found = declaredAt(info, "kernel/proc.c", line, chain);
	if (text === "global") expect(found).toBeUndefined();
	else expect(found && `${found.kind}: ${found.text}`).toBe(text);
});

test("a value that is computed with a type has that type's width, and none with what is no base type", () => {
	/** `a0 as the type at an offset of the unit`, as compilers write it for a cast. */
	const cast = (offset: number) => place(0xa5, 10, offset, 0x9f);
	const program = (offset: number) => {
		const byteType = die("base_type", [name("signed char"), ["encoding", "data1", 6], ["byte_size", "data1", 1]]);
		const shape = die("structure_type", [name("shape"), ["byte_size", "data1", 1]]);
		const narrow = die("variable", [name("narrow"), ["type", "ref4", byteType], cast(offset)]);
		const unit = die("compile_unit", code(0, 32), [
			byteType,
			shape,
			die("subprogram", [name("f"), ...code(0, 32)], [narrow]),
		]);
		const made = debugSections([{ version: 5, root: unit }]);
		return { ...made, byteType, shape, info: new DebugInfo(elfWith({ sections: made.sections })) };
	};
	const { offsetOf, byteType, shape } = program(0);
	const located = (offset: number) =>
		named(program(offset).info.localsAt(base), "narrow").locate({ register: () => 0x1fen, memory: () => 0n });
	expect(located(offsetOf(byteType))).toEqual({ kind: "value", value: 2n ** 64n - 2n });
	const unknown = { kind: "unknown", why: "it is computed with a type that is not known" };
	expect(located(offsetOf(shape))).toEqual(unknown);
	expect(located(offsetOf(shape) + 1)).toEqual(unknown);
});
