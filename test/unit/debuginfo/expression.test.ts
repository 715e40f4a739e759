import { expect, test } from "vitest";
import { type ExpressionContext, evaluate, type Location } from "../../../src/debuginfo/expression.ts";
import { type Bytes, bytes } from "../../support/dwarf.ts";

/** A stopped program: register xN holds 1000 + N, x9 is lost; memory holds its own address plus one, below 2^32. */
const program: ExpressionContext = {
	register: (index) => (index === 9 ? undefined : 1000n + BigInt(index)),
	memory: (address, size) => (address < 2n ** 32n ? BigInt.asUintN(8 * size, address + 1n) : undefined),
	frameBase: () => 0x5000n,
	cfa: () => 0x6000n,
	entryValue: (index) => (index === 10 ? 77n : undefined),
	indexedAddress: (index) => 0x80000000 + index,
	baseType: (offset) => ({ 1: { size: 1, signed: true }, 2: { size: 2, signed: false } })[offset],
};
const of = (code: Bytes, context = program, initial: readonly bigint[] = []) => evaluate(code.bytes, context, initial);
const memory = (address: bigint | number): Location => ({
	kind: "memory",
	address: BigInt.asUintN(64, BigInt(address)),
});
const op = (...list: number[]) => bytes().u8(...list);
const lit = (value: number) => 0x30 + value;
const stackValue = 0x9f;

test.each<[string, Bytes, bigint | number]>([
	["the first literal", op(lit(0)), 0],
	["the last literal", op(lit(31)), 31],
	["an address", op(0x03).u64(0x80001234), 0x80001234],
	["one unsigned byte", op(0x08, 0xff), 255],
	["one signed byte", op(0x09, 0xff), -1],
	["two unsigned bytes", op(0x0a).u16(0xfffe), 0xfffe],
	["two signed bytes", op(0x0b).u16(0xfffe), -2],
	["four unsigned bytes", op(0x0c).u32(0xfffffffe), 0xfffffffe],
	["four signed bytes", op(0x0d).u32(0xfffffffe), -2],
	["eight unsigned bytes, each of their bits", op(0x0e).u64(0x8000000000087fffn), 0x8000000000087fffn],
	["eight signed bytes", op(0x0f).u64(0xfffffffffffffffdn), -3],
	["a ULEB128", op(0x10).uleb(300), 300],
	["a ULEB128 of all 64 bits", op(0x10).uleb(0xfffffffffffffffdn), -3],
	["a SLEB128", op(0x11).sleb(-300), -300],
	["a SLEB128 that needs more than 53 bits", op(0x11).sleb(-(2n ** 60n) - 1n), -(2n ** 60n) - 1n],
	["dup", op(lit(3), 0x12, 0x22), 6],
	["drop", op(lit(3), lit(4), 0x13), 3],
	["over", op(lit(3), lit(4), 0x14), 3],
	["pick the top", op(lit(3), lit(4), lit(5), 0x15, 0), 5],
	["pick the third", op(lit(3), lit(4), lit(5), 0x15, 2), 3],
	["swap", op(lit(3), lit(4), 0x16), 3],
	["what swap leaves below", op(lit(3), lit(4), 0x16, 0x13), 4],
	["rot puts the second on top", op(lit(3), lit(4), lit(5), 0x17), 4],
	["rot moves the first to the third place", op(lit(3), lit(4), lit(5), 0x17, 0x13, 0x13), 5],
	["rot moves the third to the second place", op(lit(3), lit(4), lit(5), 0x17, 0x13), 3],
	["abs of a negative number", op(0x09, 0xfb, 0x19), 5],
	["abs of a positive number", op(lit(5), 0x19), 5],
	["and", op(lit(12), lit(10), 0x1a), 8],
	["signed division", op(0x09, 0xf9, lit(2), 0x1b), -3],
	["minus", op(lit(3), lit(5), 0x1c), -2],
	["modulo", op(lit(17), lit(5), 0x1d), 2],
	["multiplication", op(lit(17), lit(5), 0x1e), 85],
	["negation", op(lit(5), 0x1f), -5],
	["not", op(lit(5), 0x20), -6],
	["or", op(lit(12), lit(10), 0x21), 14],
	["plus", op(lit(12), lit(10), 0x22), 22],
	["plus a constant", op(lit(12), 0x23).uleb(200), 212],
	["plus all ones takes one away", op(lit(12), 0x23).uleb(0xffffffffffffffffn), 11],
	["shift left", op(lit(3), lit(4), 0x24), 48],
	["shift left by more than there is", op(lit(3), 0x08, 200, 0x24), 0],
	["logical shift right of a negative number", op(0x09, 0xff, 0x08, 60, 0x25), 15],
	["arithmetic shift right of a negative number", op(0x09, 0xf0, lit(2), 0x26), -4],
	["exclusive or", op(lit(12), lit(10), 0x27), 6],
	["a register and an offset", op(0x72).sleb(-16), 1002 - 16],
	["the last register and an offset", op(0x8f).sleb(8), 1031 + 8],
	["a register by number and an offset", op(0x92).uleb(5).sleb(-8), 1005 - 8],
	["the frame base and an offset", op(0x91).sleb(-24), 0x5000 - 24],
	["the canonical frame address", op(0x9c), 0x6000],
	["an address by index", op(0xa1).uleb(7), 0x80000007],
	["a constant by index", op(0xa2).uleb(8), 0x80000008],
	["GNU's address by index", op(0xfb).uleb(9), 0x80000009],
	["eight bytes of memory", op(0x0a).u16(0x1000).u8(0x06), 0x1001],
	["one byte of memory", op(0x0a).u16(0x10fe).u8(0x94, 1), 0xff],
	["an operation that does nothing", op(lit(7), 0x96), 7],
	["a jump over an instruction", op(0x2f).u16(1).u8(lit(1), lit(2)), 2],
	["a branch that is taken", op(lit(4), lit(1), 0x28).u16(1).u8(lit(9), 0x12, 0x22), 8],
	["a branch that is not taken", op(lit(4), lit(0), 0x28).u16(1).u8(lit(9)), 9],
	["a value at the function's entry, by its register", op(0xa3, 1, 0x5a), 77],
	["GNU's value at the entry, with an offset", op(0xf3, 2, 0x7a, 3), 80],
	["a typed constant of a signed byte", op(0xa4, 1, 1, 0xfe), -2],
	["a typed constant of two bytes", op(0xf4, 2, 2, 0xfe, 0xff), 0xfffe],
	["a register as a signed byte: 1015 is 0x3f7", op(0xa5, 15, 1), -9],
	["a register as two bytes", op(0xf5, 15, 2), 1015],
	["memory as a signed byte", op(0x0a).u16(0x10fe).u8(0xa6, 1, 1), -1],
	["memory as two bytes", op(0x0a).u16(0x10fe).u8(0xf6, 2, 2), 0x10ff],
	["a conversion to a signed byte", op(0x08, 0xf0, 0xa8, 1), -16],
	["a conversion to the generic type changes nothing", op(0x08, 0xf0, 0xa8, 0), 0xf0],
	["a reinterpretation", op(0x0c).u32(0x12345).u8(0xa9, 2), 0x2345],
	["GNU's conversion", op(0x08, 0xf0, 0xf7, 1), -16],
	["GNU's reinterpretation", op(0x08, 0xf0, 0xf9, 1), -16],
])("evaluates %s", (_, code, expected) => {
	expect(of(code)).toEqual(memory(expected));
});

test.each<[string, number, number, number, number]>([
	["equal", 0x29, 0, 1, 0],
	["greater or equal", 0x2a, 0, 1, 1],
	["greater", 0x2b, 0, 0, 1],
	["less or equal", 0x2c, 1, 1, 0],
	["less", 0x2d, 1, 0, 0],
	["not equal", 0x2e, 1, 0, 1],
])("compares as signed numbers: %s", (_, code, less, same, greater) => {
	const results = [of(op(0x09, 0xff, lit(3), code)), of(op(lit(3), lit(3), code)), of(op(lit(3), 0x09, 0xff, code))];
	expect(results).toEqual([less, same, greater].map((value) => memory(value)));
});

test.each<[string, Bytes, Location]>([
	["a register", op(0x5a), { kind: "register", register: 10 }],
	["the last register", op(0x6f), { kind: "register", register: 31 }],
	["a register by number", op(0x90, 40), { kind: "register", register: 40 }],
	["a computed value", op(lit(5), stackValue), { kind: "value", value: 5n }],
	["an implicit value of two bytes", op(0x9e, 2, 0x34, 0x12), { kind: "value", value: 0x1234n }],
	[
		"of a longer implicit value the first eight bytes",
		op(0x9e, 9, 1, 0, 0, 0, 0, 0, 0, 2, 9),
		{ kind: "value", value: 2n ** 57n + 1n },
	],
	["nothing", op(), { kind: "unknown", why: "it was optimized out" }],
	["an implicit pointer", op(0xa0).u32(0x123).sleb(-4), { kind: "implicitPointer", die: 0x123, offset: -4 }],
	["GNU's implicit pointer", op(0xf2).u32(0x123).sleb(4), { kind: "implicitPointer", die: 0x123, offset: 4 }],
	[
		"pieces: a register, nothing, memory, a value",
		op(0x5a, 0x93, 4, 0x93, 4, 0x72, 0, 0x93, 8, lit(3), stackValue, 0x93, 1),
		{
			kind: "pieces",
			pieces: [
				{ location: { kind: "register", register: 10 }, bits: 32, offset: 0 },
				{ location: { kind: "unknown", why: "it was optimized out" }, bits: 32, offset: 0 },
				{ location: memory(1002), bits: 64, offset: 0 },
				{ location: { kind: "value", value: 3n }, bits: 8, offset: 0 },
			],
		},
	],
	[
		"a piece of some bits of a register",
		op(0x5b, 0x9d, 5, 3),
		{ kind: "pieces", pieces: [{ location: { kind: "register", register: 11 }, bits: 5, offset: 3 }] },
	],
])("says where an object is: %s", (_, code, expected) => {
	expect(of(code)).toEqual(expected);
});

test.each<[string, Bytes, string, ExpressionContext?]>([
	["a register that is lost", op(0x79, 0), "register x9 is not known here"],
	[
		"memory that is not there",
		op(0x0e)
			.u64(2n ** 40n)
			.u8(0x06),
		"the memory is not there",
	],
	[
		"some bytes of memory that is not there",
		op(0x0e)
			.u64(2n ** 40n)
			.u8(0x94, 4),
		"the memory is not there",
	],
	["an entry value that no call tells", op(0xa3, 1, 0x5b), "only its value at the function's entry is known"],
	["a type that is none", op(lit(1), 0xa8, 9), "it is computed with a type that is not known"],
	["an operation on a register", op(0x5a, 0x23, 1), "operation 0x23 on a register"],
	["an operation of a vendor", op(0xe0), "operation 0xe0"],
	["thread-local storage", op(lit(1), 0x9b), "operation 0x9b"],
	[
		"a frame base where there is none",
		op(0x91, 0),
		"the frame base is not known",
		{ register: () => 0n, memory: () => 0n },
	],
	[
		"a frame address where there is none",
		op(0x9c),
		"the caller's frame is not known",
		{ register: () => 0n, memory: () => 0n },
	],
	[
		"addresses by index where there are none",
		op(0xa1, 0),
		"addresses by index are not known",
		{ register: () => 0n, memory: () => 0n },
	],
])("says what is missing: %s", (_, code, why, context = program) => {
	expect(of(code, context)).toEqual({ kind: "unknown", why });
});

test.each<[string, Bytes, string]>([
	["an empty stack", op(0x22), "takes more than there is"],
	["one operand of two", op(lit(1), 0x22), "takes more than there is"],
	["a swap of one", op(lit(1), 0x16), "takes more than there is"],
	["a pick below the stack", op(lit(1), 0x15, 1), "picks what is not there"],
	["over with one", op(lit(1), 0x14), "picks what is not there"],
	["division by zero", op(lit(1), lit(0), 0x1b), "divides by zero"],
	["a remainder by zero", op(lit(1), lit(0), 0x1d), "divides by zero"],
	["a loop", op(0x2f).u16(0xfffd), "does not end"],
	["a jump before the expression", op(0x2f).u16(0xff00), "is outside a location expression"],
	["a jump past the expression", op(0x2f).u16(1), "is outside a location expression"],
	["a stack that grows without end", op(lit(1), 0x12, 0x2f).u16(0xfffc), "overflows"],
	["a piece of nothing", op(0x5a, 0x93, 0), "in too many pieces"],
	["a piece that is larger than any object", op(0x5a, 0x93).uleb(1 << 20), "in too many pieces"],
	["65 pieces", op(...Array.from({ length: 65 }, () => [0x5a, 0x93, 1]).flat()), "in too many pieces"],
	["an operand that is cut off", op(0x0c, 1), "ends inside an entry"],
])("refuses damage: %s", (_, code, message) => {
	expect(() => of(code)).toThrow(message);
});

test("64 pieces and 256 values are as much as there may be", () => {
	expect(of(op(...Array.from({ length: 64 }, () => [0x5a, 0x93, 1]).flat()))).toMatchObject({ kind: "pieces" });
	expect(of(op(...Array(256).fill(lit(2))))).toEqual(memory(2));
	expect(() => of(op(...Array(257).fill(lit(2))))).toThrow("overflows");
});

test("a value from before is on the stack, and stays the caller's", () => {
	const initial = [0x100n];
	expect(of(op(0x23).uleb(8), program, initial)).toEqual(memory(0x108));
	expect(initial).toEqual([0x100n]);
});

test("at the entry only registers tell: memory has changed since", () => {
	expect(of(op(0xa3, 3, 0x7a, 0, 0x06))).toEqual({
		kind: "unknown",
		why: "only its value at the function's entry is known",
	});
});
