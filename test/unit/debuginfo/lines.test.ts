import { describe, expect, test } from "vitest";
import { ElfFile } from "../../../src/debuginfo/elf.ts";
import { joinPath, type LineRow, readLineTable } from "../../../src/debuginfo/lines.ts";
import { DebugSections } from "../../../src/debuginfo/unit.ts";
import {
	type Bytes,
	bytes,
	elfWith,
	endSequence,
	type LineTableSpec,
	lineTable,
	setAddress,
} from "../../support/dwarf.ts";

const start = 0x80000000;
const spec = (program: Bytes, more: Partial<LineTableSpec> = {}): LineTableSpec => ({
	version: 4,
	folders: ["kernel", "/usr/include"],
	files: [
		["proc.c", 1],
		["types.h", 2],
		["main.c", 0],
	],
	program: setAddress(start).raw(program.list).raw(endSequence().list),
	...more,
});
const read = (spec: LineTableSpec, strings?: Bytes) =>
	readLineTable(
		new DebugSections(
			new ElfFile(elfWith({ sections: { ".debug_line": lineTable(spec), ".debug_line_str": strings } })),
		),
		0,
	);
/** `offset file:line`, a column, `!` for no statement, `P` for the end of a prologue. */
const text = ({ address, file, line, column, statement, prologueEnd, end }: LineRow) =>
	end
		? `+${address - start} end`
		: `+${address - start} ${file}:${line}${column ? `:${column}` : ""}${statement ? "" : "!"}${prologueEnd ? "P" : ""}`;
const rows = (program: Bytes, more: Partial<LineTableSpec> = {}) => read(spec(program, more)).rows.map(text);

const [
	copy,
	advancePc,
	advanceLine,
	setFile,
	setColumn,
	negate,
	basicBlock,
	constAddPc,
	fixedAdvance,
	prologueEnd,
	epilogue,
	isa,
] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] as const;

describe("a line program", () => {
	test.each<[string, Bytes, string[]]>([
		["begins at line 1 of file 1", bytes().u8(copy), ["+0 kernel/proc.c:1", "+0 end"]],
		["advances the address", bytes().u8(advancePc).uleb(300).u8(copy), ["+300 kernel/proc.c:1", "+300 end"]],
		["advances the line", bytes().u8(advanceLine).sleb(200).u8(copy), ["+0 kernel/proc.c:201", "+0 end"]],
		[
			"goes back to an earlier line",
			bytes().u8(advanceLine).sleb(20).u8(copy, advanceLine).sleb(-15).u8(copy),
			["+0 kernel/proc.c:21", "+0 kernel/proc.c:6", "+0 end"],
		],
		["names another file", bytes().u8(setFile, 2, copy), ["+0 /usr/include/types.h:1", "+0 end"]],
		["names a file of the compiler's own folder", bytes().u8(setFile, 3, copy), ["+0 main.c:1", "+0 end"]],
		["names a file that is none", bytes().u8(setFile, 9, copy), ["+0 :1", "+0 end"]],
		[
			"sets the column",
			bytes().u8(setColumn, 7, copy, copy),
			["+0 kernel/proc.c:1:7", "+0 kernel/proc.c:1:7", "+0 end"],
		],
		[
			"says what is no statement",
			bytes().u8(negate, copy, negate, copy),
			["+0 kernel/proc.c:1!", "+0 kernel/proc.c:1", "+0 end"],
		],
		[
			"says where a prologue ends, of one row only",
			bytes().u8(prologueEnd, copy, copy),
			["+0 kernel/proc.c:1P", "+0 kernel/proc.c:1", "+0 end"],
		],
		[
			"passes over marks that readers do not need",
			bytes().u8(basicBlock, epilogue, isa, 3, copy),
			["+0 kernel/proc.c:1", "+0 end"],
		],
		["advances by a fixed size", bytes().u8(fixedAdvance).u16(0x1234).u8(copy), ["+4660 kernel/proc.c:1", "+4660 end"]],
		// (255 - 13) / 14 = 17
		["advances by the largest special step", bytes().u8(constAddPc, copy), ["+17 kernel/proc.c:1", "+17 end"]],
		// 13 + 14 * 3 + (2 - -5): three bytes on, two lines on.
		["has special opcodes for an address and a line", bytes().u8(13 + 42 + 7), ["+3 kernel/proc.c:3", "+3 end"]],
		["has a special opcode that only goes back", bytes().u8(advanceLine, 10, 13), ["+0 kernel/proc.c:6", "+0 end"]],
		["is not ended by an empty extended opcode", bytes().u8(0, 0, copy), ["+0 kernel/proc.c:1", "+0 end"]],
		[
			"passes over an extended opcode of a vendor",
			bytes().u8(0, 3, 0x80, 1, 2, copy),
			["+0 kernel/proc.c:1", "+0 end"],
		],
		[
			"defines a file of its own",
			bytes().u8(0, 7, 3).text("a.c").uleb(1).u8(0, setFile, 4, copy),
			["+0 kernel/a.c:1", "+0 end"],
		],
		[
			"starts afresh after the end of a sequence",
			bytes()
				.u8(setFile, 3, setColumn, 4, advanceLine, 9, negate, copy)
				.raw(endSequence().list)
				.raw(setAddress(start + 64).list)
				.u8(copy),
			["+0 main.c:10:4!", "+0 end", "+64 kernel/proc.c:1", "+64 end"],
		],
	])("%s", (_, program, expected) => {
		expect(rows(program)).toEqual(expected);
	});

	test("counts in instructions where the header says so", () => {
		const more = { minimumLength: 2 };
		expect(rows(bytes().u8(advancePc, 3, copy), more)).toEqual(["+6 kernel/proc.c:1", "+6 end"]);
		expect(rows(bytes().u8(13 + 42 + 7), more)).toEqual(["+6 kernel/proc.c:3", "+6 end"]);
		expect(rows(bytes().u8(constAddPc, copy), more)).toEqual(["+34 kernel/proc.c:1", "+34 end"]);
		// DWARF 6.2.5.2: the operand of fixed_advance_pc is never scaled.
		expect(rows(bytes().u8(fixedAdvance).u16(3).u8(copy), more)).toEqual(["+3 kernel/proc.c:1", "+3 end"]);
	});

	test("has rows that are no statements where the header says so", () => {
		const more = { defaultStatement: false };
		expect(rows(bytes().u8(copy, negate, copy), more)).toEqual(["+0 kernel/proc.c:1!", "+0 kernel/proc.c:1", "+0 end"]);
	});

	test("has other special opcodes where the header says so", () => {
		const more = { lineBase: -3, lineRange: 12, opcodeBase: 10 };
		expect(rows(bytes().u8(10 + 12 * 2 + 4), more)).toEqual(["+2 kernel/proc.c:2", "+2 end"]);
		expect(rows(bytes().u8(10), { ...more, lineBase: 1 })).toEqual(["+0 kernel/proc.c:2", "+0 end"]);
	});

	test("passes over standard opcodes of a later version by their number of operands", () => {
		const more = { opcodeBase: 16 };
		expect(rows(bytes().u8(13, 1, 2).u8(14, 1, 2, 0x83, 1).u8(copy), more)).toEqual(["+0 kernel/proc.c:1", "+0 end"]);
	});
});

describe.each([2, 3, 4, 5])("a table of version %i", (version) => {
	test.each([false, true])("names its files; in the 64-bit format: %s", (is64) => {
		const version5 = version === 5;
		const table = read(
			spec(bytes().u8(setFile, 1, copy), {
				version,
				is64,
				...(version5
					? {
							folders: ["/home/me/xv6", "kernel"],
							files: [
								["kernel/main.c", 0],
								["proc.c", 1],
							],
						}
					: {}),
			}),
		);
		expect(table.rows.map(text)).toEqual(["+0 kernel/proc.c:1", "+0 end"]);
		expect([0, 1, 2, 3].map((index) => table.fileName(index))).toEqual(
			version5
				? ["kernel/main.c", "kernel/proc.c", undefined, undefined]
				: ["", "kernel/proc.c", "/usr/include/types.h", "main.c"],
		);
	});
});

test("names of version 5 stand in any form, and in any order with what readers do not need", () => {
	const [lineStrp, data1, data2, data4, data8, block, udata] = [0x1f, 0x0b, 0x05, 0x06, 0x07, 0x09, 0x0f];
	const strings = bytes().text("kernel").text("proc.c");
	const tail = bytes().u8(1, 1, 1, 0xfb, 14, 13).raw([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]);
	tail.u8(1).uleb(1).uleb(lineStrp).uleb(2).u32(0).u32(0);
	const forms = [data1, data2, data4, data8, udata];
	tail.u8(2 + forms.length);
	for (const form of forms) tail.uleb(0x2001).uleb(form);
	tail.uleb(3).uleb(block).uleb(1).uleb(lineStrp);
	tail.uleb(1).u8(1).u16(2).u32(3).u64(4).uleb(500).uleb(2).u8(9, 9).u32(7);
	const program = setAddress(start).u8(setFile, 0, copy).raw(endSequence().list);
	const content = bytes().u16(5).u8(8, 0).u32(tail.length).raw(tail.list).raw(program.list);
	const line = bytes().u32(content.length).raw(content.list);
	const sections = { ".debug_line": line, ".debug_line_str": strings };
	const table = readLineTable(new DebugSections(new ElfFile(elfWith({ sections }))), 0);
	expect(table.rows.map(text)).toEqual(["+0 proc.c:1", "+0 end"]);
});

test.each<[string, (whole: Uint8Array) => void, string]>([
	["a version that no standard has", (b) => b.set([6, 0], 4), "line table version 6"],
	["version 1", (b) => b.set([1, 0], 4), "line table version 1"],
	["no lines in a special opcode", (b) => b.set([0], 13), "a line table with an empty range"],
	["no first special opcode", (b) => b.set([0], 14), "a line table with an empty range"],
	["a header that is longer than the table", (b) => b.set([0xff, 0xff], 6), "is outside .debug_line"],
])("refuses %s", (_, damage, message) => {
	// Version 3 has one byte less than 4 ahead of its line base: length 4, version 2, header length 4, minimum 1, statement 1, base 1, range 1.
	const whole = lineTable(spec(bytes().u8(copy), { version: 3 })).bytes;
	damage(whole);
	const sections = new DebugSections(new ElfFile(elfWith({ sections: { ".debug_line": whole } })));
	expect(() => readLineTable(sections, 0)).toThrow(message);
});

test.each<[string, string, string]>([
	["kernel", "proc.c", "kernel/proc.c"],
	["kernel", "/usr/include/a.h", "/usr/include/a.h"],
	["", "kernel/proc.c", "kernel/proc.c"],
	[".", "kernel/proc.c", "kernel/proc.c"],
	["kernel", "./proc.c", "kernel/proc.c"],
	["kernel/", "proc.c", "kernel/proc.c"],
	["./kernel/../user", "sh.c", "user/sh.c"],
	["..", "a.c", "../a.c"],
	["../..", "../a.c", "../../../a.c"],
	["/home//me", "a.c", "/home/me/a.c"],
])("in folder %s, %s is %s", (folder, name, path) => {
	expect(joinPath(folder, name)).toBe(path);
});
