import { hex } from "../common/bytes.ts";
import { ByteReader, damaged } from "./byteReader.ts";

/** What an expression may ask of the stopped program. */
export interface ExpressionContext {
	register(index: number): bigint | undefined;
	memory(address: bigint, size: number): bigint | undefined;
	/** Value of the function's DW_AT_frame_base. */
	frameBase?(): bigint | undefined;
	/** Canonical frame address, for DW_OP_call_frame_cfa. */
	cfa?(): bigint | undefined;
	/** Value of a register at the entry of the function, where the caller's frame tells. */
	entryValue?(register: number): bigint | undefined;
	/** Address number `index` of the unit (DWARF 5, .debug_addr). */
	indexedAddress?(index: number): number;
	/** The base type at an offset in the unit, for typed operations. */
	baseType?(offset: number): { readonly size: number; readonly signed: boolean } | undefined;
	/** Offset in .debug_info of the unit, for references within it. */
	readonly unitOffset?: number;
}

/** Part of an object: bits of another place, in the order of the object's own. */
export interface Piece {
	readonly location: Location;
	readonly bits: number;
	/** First bit in the place. */
	readonly offset: number;
}

export type Location =
	| { readonly kind: "memory"; readonly address: bigint }
	| { readonly kind: "register"; readonly register: number }
	| { readonly kind: "value"; readonly value: bigint }
	| { readonly kind: "pieces"; readonly pieces: readonly Piece[] }
	/** A pointer to an object that is not in memory: to byte `offset` of what the entry at `die` in .debug_info describes. */
	| { readonly kind: "implicitPointer"; readonly die: number; readonly offset: number }
	/** Known only through what is not there any more. */
	| { readonly kind: "unknown"; readonly why: string };

const maxSteps = 1000;
const wrap = (value: bigint) => BigInt.asUintN(64, value);
const unknown = (why: string): Location => ({ kind: "unknown", why });

class Unavailable extends Error {}

function have<T>(value: T | undefined, what: string): T {
	if (value === undefined) throw new Unavailable(what);
	return value;
}

/** Evaluates a location expression (DWARF 2.5 and 2.6) for RV64. */
export function evaluate(
	expression: Uint8Array,
	context: ExpressionContext,
	initial: readonly bigint[] = [],
): Location {
	try {
		return run(new ByteReader(expression, "a location expression"), context, [...initial]);
	} catch (error) {
		if (error instanceof Unavailable) return unknown(error.message);
		throw error;
	}
}

function run(reader: ByteReader, context: ExpressionContext, stack: bigint[]): Location {
	const pop = () => {
		const value = stack.pop();
		if (value === undefined) throw damaged("a location expression takes more than there is");
		return value;
	};
	const push = (value: bigint) => {
		if (stack.length >= 256) throw damaged("a location expression overflows");
		stack.push(wrap(value));
	};
	const register = (index: number) => have(context.register(index), `register x${index} is not known here`);
	let isValue = false;
	let whole: Location | undefined;
	const pieces: Piece[] = [];
	const typed = (offset: number, value: bigint) => {
		if (offset === 0) return value;
		const type = have(context.baseType?.(offset), "it is computed with a type that is not known");
		return type.signed ? BigInt.asIntN(8 * type.size, value) : BigInt.asUintN(8 * type.size, value);
	};
	const finish = (): Location => {
		if (whole) return whole;
		const top = stack.at(-1);
		if (top === undefined) return unknown("it was optimized out");
		return isValue ? { kind: "value", value: top } : { kind: "memory", address: top };
	};
	const piece = (bits: number, offset: number) => {
		if (bits <= 0 || bits > 1 << 20 || pieces.length >= 64) throw damaged("a location in too many pieces");
		pieces.push({ location: finish(), bits, offset });
		stack.length = 0;
		whole = undefined;
		isValue = false;
	};
	for (let steps = 0; reader.more; steps++) {
		if (steps >= maxSteps) throw damaged("a location expression does not end");
		const op = reader.u8();
		// A register or a pointer to nowhere is all of its piece's expression.
		if (whole && op !== 0x93 && op !== 0x9d) return unknown(`operation ${hex(op)} on a register`);
		if (op >= 0x30 && op <= 0x4f) push(BigInt(op - 0x30));
		else if (op >= 0x50 && op <= 0x6f) whole = { kind: "register", register: op - 0x50 };
		else if (op >= 0x70 && op <= 0x8f) push(register(op - 0x70) + BigInt(reader.sleb()));
		else if (binary[op]) {
			const b = pop();
			push(binary[op](pop(), b));
		} else
			switch (op) {
				case 0x03:
				case 0x0e:
					push(reader.big64());
					break;
				case 0x06:
					push(have(context.memory(pop(), 8), "the memory is not there"));
					break;
				case 0x08:
					push(BigInt(reader.u8()));
					break;
				case 0x09:
					push(BigInt(reader.s8()));
					break;
				case 0x0a:
					push(BigInt(reader.u16()));
					break;
				case 0x0b:
					push(BigInt.asIntN(16, BigInt(reader.u16())));
					break;
				case 0x0c:
					push(BigInt(reader.u32()));
					break;
				case 0x0d:
					push(BigInt.asIntN(32, BigInt(reader.u32())));
					break;
				case 0x0f:
					push(reader.s64());
					break;
				case 0x10:
				case 0x11:
					push(reader.bigLeb(op === 0x11));
					break;
				case 0x12: {
					const top = pop();
					push(top);
					push(top);
					break;
				}
				case 0x13:
					pop();
					break;
				case 0x14:
				case 0x15: {
					const value = stack.at(-1 - (op === 0x14 ? 1 : reader.u8()));
					if (value === undefined) throw damaged("a location expression picks what is not there");
					push(value);
					break;
				}
				case 0x16: {
					const b = pop();
					const a = pop();
					push(b);
					push(a);
					break;
				}
				case 0x19: {
					const value = BigInt.asIntN(64, pop());
					push(value < 0n ? -value : value);
					break;
				}
				case 0x1f:
					push(-pop());
					break;
				case 0x20:
					push(~pop());
					break;
				case 0x23:
					push(pop() + reader.bigLeb(false));
					break;
				case 0x28:
				case 0x2f: {
					const distance = BigInt.asIntN(16, BigInt(reader.u16()));
					if (op === 0x2f || pop() !== 0n) reader.at = reader.from(reader.at + Number(distance)).at;
					break;
				}
				case 0x17: {
					const c = pop();
					const b = pop();
					const a = pop();
					push(c);
					push(a);
					push(b);
					break;
				}
				case 0x90:
					whole = { kind: "register", register: reader.uleb() };
					break;
				case 0x91:
					push(have(context.frameBase?.(), "the frame base is not known") + BigInt(reader.sleb()));
					break;
				case 0x92: {
					const index = reader.uleb();
					push(register(index) + BigInt(reader.sleb()));
					break;
				}
				case 0x93:
					piece(reader.uleb() * 8, 0);
					break;
				case 0x9d: {
					const bits = reader.uleb();
					piece(bits, reader.uleb());
					break;
				}
				case 0x94:
					push(have(context.memory(pop(), reader.u8()), "the memory is not there"));
					break;
				case 0x96:
					break;
				case 0x9c:
					push(have(context.cfa?.(), "the caller's frame is not known"));
					break;
				case 0x9e: {
					const bytes = reader.block(reader.uleb());
					let value = 0n;
					for (const byte of [...bytes.subarray(0, 8)].reverse()) value = (value << 8n) | BigInt(byte);
					push(value);
					isValue = true;
					break;
				}
				case 0x9f:
					isValue = true;
					break;
				case 0xa1:
				case 0xa2:
				case 0xfb:
				case 0xfc:
					push(BigInt(have(context.indexedAddress, "addresses by index are not known")(reader.uleb())));
					break;
				case 0xa0:
				case 0xf2: {
					const die = reader.u32();
					whole = { kind: "implicitPointer", die, offset: reader.sleb() };
					break;
				}
				case 0xa3:
				case 0xf3: {
					const entry = (index: number) => context.entryValue?.(index);
					const inner = evaluate(reader.block(reader.uleb()), { register: entry, memory: () => undefined });
					const value =
						inner.kind === "register" ? entry(inner.register) : inner.kind === "memory" ? inner.address : undefined;
					push(have(value, "only its value at the function's entry is known"));
					break;
				}
				case 0xa4:
				case 0xf4: {
					const type = reader.uleb();
					const bytes = reader.block(reader.u8());
					let value = 0n;
					for (const byte of [...bytes.subarray(0, 8)].reverse()) value = (value << 8n) | BigInt(byte);
					push(typed(type, value));
					break;
				}
				case 0xa5:
				case 0xf5: {
					const index = reader.uleb();
					push(typed(reader.uleb(), register(index)));
					break;
				}
				case 0xa6:
				case 0xf6: {
					const size = reader.u8();
					push(typed(reader.uleb(), have(context.memory(pop(), size), "the memory is not there")));
					break;
				}
				case 0xa8:
				case 0xa9:
				case 0xf7:
				case 0xf9:
					push(typed(reader.uleb(), pop()));
					break;
				default:
					return unknown(`operation ${hex(op)}`);
			}
	}
	return pieces.length > 0 ? { kind: "pieces", pieces } : finish();
}

const signed = (value: bigint) => BigInt.asIntN(64, value);
const flag = (condition: boolean) => (condition ? 1n : 0n);
const shift = (by: bigint) => (by > 64n ? 64n : by);
const nonZero = (value: bigint) => {
	if (value === 0n) throw damaged("a location expression divides by zero");
	return value;
};
const binary: Readonly<Record<number, (a: bigint, b: bigint) => bigint>> = {
	26: (a, b) => a & b,
	27: (a, b) => signed(a) / signed(nonZero(b)),
	28: (a, b) => a - b,
	29: (a, b) => a % nonZero(b),
	30: (a, b) => a * b,
	33: (a, b) => a | b,
	34: (a, b) => a + b,
	36: (a, b) => a << shift(b),
	37: (a, b) => a >> shift(b),
	38: (a, b) => signed(a) >> shift(b),
	39: (a, b) => a ^ b,
	41: (a, b) => flag(signed(a) === signed(b)),
	42: (a, b) => flag(signed(a) >= signed(b)),
	43: (a, b) => flag(signed(a) > signed(b)),
	44: (a, b) => flag(signed(a) <= signed(b)),
	45: (a, b) => flag(signed(a) < signed(b)),
	46: (a, b) => flag(a !== b),
};
