import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader } from "../../../src/debuginfo/byteReader.ts";
import { bytes, withLength } from "../../support/dwarf.ts";

const over = (...list: number[]) => new ByteReader(Uint8Array.from(list), ".debug_test");
const damage = "The program's debug information is damaged";

test.each<[string, number[], (reader: ByteReader) => number | bigint | string, number | bigint | string, number]>([
	["an unsigned byte", [0xff, 1], (r) => r.u8(), 255, 1],
	["a signed byte", [0xff, 1], (r) => r.s8(), -1, 1],
	["two bytes, the low one first", [0x34, 0x12, 9], (r) => r.u16(), 0x1234, 2],
	["three bytes", [0x56, 0x34, 0x12, 9], (r) => r.u24(), 0x123456, 3],
	["four bytes with the top bit set", [0xf8, 0xff, 0xff, 0xff, 9], (r) => r.u32(), 0xfffffff8, 4],
	["eight bytes", [1, 0, 0, 0, 2, 0, 0, 0, 9], (r) => r.u64(), 0x200000001, 8],
	["eight signed bytes", [0xfe, ...Array(7).fill(0xff), 9], (r) => r.s64(), -2n, 8],
	["a value of one byte by its size", [7, 9], (r) => r.unsigned(1), 7, 1],
	["a value of two bytes by its size", [7, 1, 9], (r) => r.unsigned(2), 0x107, 2],
	["a value of three bytes by its size", [7, 1, 1, 9], (r) => r.unsigned(3), 0x10107, 3],
	["a value of four bytes by its size", [7, 1, 0, 0, 9], (r) => r.unsigned(4), 0x107, 4],
	["a value of eight bytes by its size", [7, 1, 0, 0, 0, 0, 0, 0, 9], (r) => r.unsigned(8), 0x107, 8],
	["an offset in the 32-bit format", [5, 0, 0, 0, 1, 0, 0, 0], (r) => r.offset(false), 5, 4],
	["an offset in the 64-bit format", [5, 0, 0, 0, 1, 0, 0, 0], (r) => r.offset(true), 0x100000005, 8],
	// The examples of DWARF 5, tables 7.7 and 7.8.
	["ULEB128 of 2", [2], (r) => r.uleb(), 2, 1],
	["ULEB128 of 127", [0x7f, 9], (r) => r.uleb(), 127, 1],
	["ULEB128 of 128", [0x80, 1], (r) => r.uleb(), 128, 2],
	["ULEB128 of 12857", [0xb9, 0x64], (r) => r.uleb(), 12857, 2],
	["SLEB128 of 2", [2], (r) => r.sleb(), 2, 1],
	["SLEB128 of -2", [0x7e, 9], (r) => r.sleb(), -2, 1],
	["SLEB128 of 127", [0xff, 0], (r) => r.sleb(), 127, 2],
	["SLEB128 of -127", [0x81, 0x7f], (r) => r.sleb(), -127, 2],
	["SLEB128 of 128", [0x80, 1], (r) => r.sleb(), 128, 2],
	["SLEB128 of -129", [0xff, 0x7e], (r) => r.sleb(), -129, 2],
	["a string up to its zero", [0x68, 0x69, 0, 0x41], (r) => r.string(), "hi", 3],
	["a string in UTF-8", [0xc3, 0xa9, 0], (r) => r.string(), "é", 3],
	["an empty string", [0, 0x41], (r) => r.string(), "", 1],
])("reads %s", (_, list, read, value, taken) => {
	const reader = over(...list);
	expect(read(reader)).toBe(value);
	expect(reader.at).toBe(taken);
});

test("reads what an assembler writes, for any number", () => {
	fc.assert(
		fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), (value) => {
			const signed = new ByteReader(bytes().sleb(value).u8(0xaa).bytes, "x");
			expect(signed.sleb()).toBe(value);
			expect(signed.u8()).toBe(0xaa);
			const unsigned = new ByteReader(bytes().uleb(Math.abs(value)).u8(0xaa).bytes, "x");
			expect(unsigned.uleb()).toBe(Math.abs(value));
			expect(unsigned.u8()).toBe(0xaa);
		}),
	);
});

test.each<[string, number[], (reader: ByteReader) => void, string]>([
	["a byte past the end", [], (r) => r.u8(), ".debug_test ends inside an entry at 0"],
	["the second byte of two past the end", [1], (r) => r.u16(), ".debug_test ends inside an entry at 0"],
	["eight bytes of which one is missing", Array(7).fill(0), (r) => r.u64(), "ends inside an entry"],
	["a step past the end", [1, 2], (r) => r.skip(3), "ends inside an entry"],
	["a step backwards", [1, 2], (r) => r.skip(-1), "ends inside an entry"],
	["a block that is longer than the section", [1, 2], (r) => r.block(3), "ends inside an entry"],
	["a value of five bytes", Array(8).fill(0), (r) => r.unsigned(5), "a value of 5 bytes in .debug_test"],
	["a number whose last byte never comes", Array(30).fill(0x80), (r) => r.uleb(), "a number without end"],
	["a signed number whose last byte never comes", Array(30).fill(0x80), (r) => r.sleb(), "a number without end"],
	["a string without a zero", [0x41, 0x42], (r) => r.string(), "a string without end in .debug_test"],
	["a part that begins past the end", [1, 2], (r) => r.from(3), "offset 3 is outside .debug_test"],
	["a part that begins before the section", [1, 2], (r) => r.from(-1), "offset -1 is outside .debug_test"],
	["a part that ends past the end", [1, 2], (r) => r.from(1, 2), "offset 1 is outside .debug_test"],
	["a part of negative length", [1, 2], (r) => r.from(1, -1), "offset 1 is outside .debug_test"],
	["a unit that is longer than the section", [5, 0, 0, 0, 1], (r) => r.unit(), "offset 4 is outside .debug_test"],
	["a reserved unit length", [0xf0, 0xff, 0xff, 0xff, 1], (r) => r.unit(), "a reserved unit length"],
])("refuses %s", (_, list, read, message) => {
	expect(() => read(over(...list))).toThrow(damage);
	expect(() => read(over(...list))).toThrow(message);
});

test("a reader of bytes that are not there is refused", () => {
	for (const [at, end] of [
		[-1, 2],
		[2, 1],
		[0, 4],
	] as const)
		expect(() => new ByteReader(new Uint8Array(3), "x", at, end)).toThrow("is outside x");
});

test("a string may not run on past the reader's own end", () => {
	const reader = new ByteReader(Uint8Array.from([0x41, 0x42, 0]), "x", 0, 2);
	expect(() => reader.string()).toThrow("a string without end");
	expect(new ByteReader(Uint8Array.from([0x41, 0x42, 0]), "x", 0, 3).string()).toBe("AB");
});

test.each([false, true])(
	"a unit in the 64-bit format: %s; its content ends where its length says, and the next begins there",
	(is64) => {
		const section = bytes()
			.raw(withLength(bytes().u8(1, 2, 3), is64).list)
			.u8(9).bytes;
		const reader = new ByteReader(section, "x");
		const unit = reader.unit();
		expect(unit.is64).toBe(is64);
		expect([unit.body.u8(), unit.body.u8(), unit.body.u8(), unit.body.more]).toEqual([1, 2, 3, false]);
		expect(() => unit.body.u8()).toThrow(damage);
		expect(reader.u8()).toBe(9);
		expect(reader.more).toBe(false);
	},
);

test("a part has the section's offsets and its own end; reading it does not move the whole", () => {
	const whole = over(1, 2, 3, 4);
	whole.u8();
	const part = whole.from(2, 1);
	expect([part.at, part.end, part.u8(), part.more, whole.at]).toEqual([2, 3, 3, false, 1]);
	expect([...whole.block(2)]).toEqual([2, 3]);
});
