import { type Instruction, instructions } from "../../../src/riscv/isa.ts";
import { integerRegisters } from "../../../src/riscv/registers.ts";
import type { Random } from "../../support/random.ts";
import { layout } from "../harness.ts";

const ones = (n: bigint) => (1n << n) - 1n;

/** Integers at which RV64 arithmetic changes its mind. */
export const edgeIntegers: readonly bigint[] = [
	0n,
	1n,
	2n,
	3n,
	0x7fn,
	0x80n,
	0xffn,
	0x7fffn,
	0x8000n,
	0x7fffffffn,
	0x80000000n,
	0x80000001n,
	0xffffffffn,
	0x100000000n,
	0xffffffff80000000n,
	0xffffffff7fffffffn,
	0x7fffffffffffffffn,
	0x8000000000000000n,
	0x8000000000000001n,
	ones(64n),
	ones(64n) - 1n,
	0x5555555555555555n,
	0xaaaaaaaaaaaaaaaan,
	0x0123456789abcdefn,
	63n,
	64n,
	31n,
	32n,
];

export function integer(random: Random): bigint {
	const shape = random.below(4);
	if (shape === 0) return random.u64();
	if (shape === 1) return random.u64() >> BigInt(random.below(64));
	if (shape === 2) return BigInt.asUintN(64, -(random.u64() >> BigInt(random.below(64))));
	return random.pick(edgeIntegers);
}

const edge32: readonly bigint[] = [
	0n,
	1n,
	2n,
	0x7fffffn,
	0x800000n,
	0x800001n,
	0x3f7fffffn,
	0x3f800000n,
	0x3f800001n,
	0x3f000000n,
	0x3fc00000n,
	0x40490fdbn,
	0x4f000000n,
	0x4effffffn,
	0x5f000000n,
	0x5f800000n,
	0x7f7fffffn,
	0x7f800000n,
	0x7f800001n,
	0x7fc00000n,
	0x7fc12345n,
	0x34000000n,
	0x33800000n,
];
const edge64: readonly bigint[] = [
	0n,
	1n,
	0xfffffffffffffn,
	0x10000000000000n,
	0x10000000000001n,
	0x3fefffffffffffffn,
	0x3ff0000000000000n,
	0x3ff0000000000001n,
	0x3fe0000000000000n,
	0x3ff8000000000000n,
	0x400921fb54442d18n,
	0x41dfffffffc00000n,
	0x41e0000000000000n,
	0x43e0000000000000n,
	0x43f0000000000000n,
	0x47efffffe0000000n,
	0x47f0000000000000n,
	0x3810000000000000n,
	0x380fffffffffffffn,
	0x36a0000000000000n,
	0x7fefffffffffffffn,
	0x7ff0000000000000n,
	0x7ff0000000000001n,
	0x7ff8000000000000n,
	0x7ff8000000012345n,
	0x3ca0000000000000n,
];

/** Raw bits of a float register: edge values of either sign, neighbours in exponent, and random bits. */
export function float(random: Random, width: "s" | "d", near?: bigint): bigint {
	const [edges, bits, fractionBits] = width === "s" ? ([edge32, 32n, 23n] as const) : ([edge64, 64n, 52n] as const);
	const sign = random.chance(2) ? 1n << (bits - 1n) : 0n;
	const shape = random.below(5);
	let value = random.u64() & ones(bits);
	if (shape < 2) value = random.pick(edges) | sign;
	else if (near !== undefined && shape === 2) {
		value =
			((near & ones(bits)) + (BigInt(random.below(80) - 40) << fractionBits) + BigInt(random.below(5))) & ones(bits);
	} else if (shape === 3) value &= ones(bits) << BigInt(random.below(Number(fractionBits)));
	if (width === "d") return value;
	// A single that is not NaN-boxed reads as the canonical NaN.
	return random.chance(12) ? value | (BigInt(random.below(2 ** 31)) << 32n) : value | (ones(32n) << 32n);
}

/** 31 integer and 32 float registers; `s0` (x8) points to the middle of the data area as the running mode sees it. */
export function registers(random: Random, dataBase: bigint = layout.data): bigint[] {
	const x = Array.from({ length: 31 }, () => integer(random));
	x[7] = dataBase + 256n;
	const f = Array.from({ length: 32 }, (_, n) => float(random, n % 2 === 0 ? "s" : "d"));
	return [...x, ...f];
}

export const x = (n: number) => integerRegisters[n] as string;

export function rows(filter: (instruction: Instruction) => boolean): Instruction[] {
	return instructions.filter(filter);
}
