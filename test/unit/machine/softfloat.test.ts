import { beforeAll, expect, test } from "vitest";
import * as reference from "../../support/exactFloat.ts";
import { binary32, binary64, type Format, type Outcome } from "../../support/exactFloat.ts";
import { Random } from "../../support/random.ts";
import { compileSoftfloat, type Softfloat } from "../../support/softfloat.ts";

let core: Softfloat;
beforeAll(async () => {
	core = await compileSoftfloat();
});

const roundingModes = ["RNE", "RTZ", "RDN", "RUP", "RMM"];
const formats: [string, Format][] = [
	["f32", binary32],
	["f64", binary64],
];

/** Zeros, subnormal and normal limits, one and its neighbours, integer limits, infinities, NaNs of both kinds. */
function edges(f: Format): bigint[] {
	const one = BigInt(f.bias) << BigInt(f.fractionBits);
	const least = 1n << BigInt(f.fractionBits);
	const inf = reference.infinity(f, false);
	const integerLimits = [31, 32, 63, 64].flatMap((n) => {
		const power = BigInt(f.bias + n) << BigInt(f.fractionBits);
		return [power, power - 1n];
	});
	const positive = [
		0n,
		1n,
		2n,
		least >> 1n,
		least - 1n,
		least,
		least + 1n,
		one - 1n,
		one,
		one + 1n,
		inf - 1n,
		inf,
		inf + 1n,
	];
	positive.push(reference.canonicalNaN(f), reference.canonicalNaN(f) + 5n, one - (1n << BigInt(f.fractionBits)));
	positive.push(one + (1n << BigInt(f.fractionBits - 1)), ...integerLimits);
	return positive.flatMap((bits) => [bits, bits | (1n << BigInt(f.bits - 1))]);
}

/** Edges, near neighbours of another operand, few-bit significands, and plain random bits. */
function operand(random: Random, f: Format, near: bigint): bigint {
	const all = (1n << BigInt(f.bits)) - 1n;
	const raw = random.u64() & all;
	switch (random.below(6)) {
		case 0:
			return random.pick(edges(f));
		case 1:
			return (near + BigInt(random.below(9)) - 4n) & all;
		case 2:
			return near ^ (raw & ((1n << BigInt(f.fractionBits)) - 1n)) ^ (random.chance(2) ? 1n << BigInt(f.bits - 1) : 0n);
		case 3: {
			const exponentDistance = BigInt(random.below(120) - 60) << BigInt(f.fractionBits);
			return (near + exponentDistance + BigInt(random.below(3)) - 1n) & all;
		}
		case 4:
			return raw & (all << BigInt(f.fractionBits - random.below(f.fractionBits)));
		default:
			return raw;
	}
}

function check(name: string, f: Format, width: number, operands: bigint[], rm: number | undefined, expected: Outcome) {
	const before = 0;
	core.softfloat_flags.value = before;
	const mode = rm === undefined ? [] : [rm];
	const raw = core[name]!(...operands.map((o) => (f.bits === 32 ? Number(o) : o)), ...mode);
	const bits = BigInt.asUintN(width, BigInt(raw));
	const flags = core.softfloat_flags.value;
	if (bits !== BigInt.asUintN(width, expected.bits) || flags !== expected.flags) {
		const hex = (n: bigint) => "0x" + BigInt.asUintN(64, n).toString(16);
		expect
			.soft(`${hex(bits)} flags ${flags}`, `${name}(${operands.map(hex)}) ${roundingModes[rm ?? 0]}`)
			.toBe(`${hex(BigInt.asUintN(width, expected.bits))} flags ${expected.flags}`);
	}
}

type Binary = (f: Format, a: bigint, b: bigint, rm: number) => Outcome;
const binaries: [string, Binary][] = [
	["add", reference.add],
	["sub", reference.sub],
	["mul", reference.mul],
	["div", reference.div],
];

for (const [prefix, f] of formats) {
	for (const [name, expected] of binaries) {
		test(`${prefix}_${name} equals exact arithmetic in every rounding mode`, () => {
			for (const a of edges(f))
				for (const b of edges(f))
					for (let rm = 0; rm < 5; rm++) check(`${prefix}_${name}`, f, f.bits, [a, b], rm, expected(f, a, b, rm));
			const random = new Random(1);
			for (let i = 0; i < 8000; i++) {
				const a = operand(random, f, random.pick(edges(f)));
				const b = operand(random, f, a);
				const rm = i % 5;
				check(`${prefix}_${name}`, f, f.bits, [a, b], rm, expected(f, a, b, rm));
			}
		});
	}

	test(`${prefix}_sqrt equals exact arithmetic in every rounding mode`, () => {
		for (const a of edges(f))
			for (let rm = 0; rm < 5; rm++) check(`${prefix}_sqrt`, f, f.bits, [a], rm, reference.sqrt(f, a, rm));
		const random = new Random(2);
		for (let i = 0; i < 4000; i++) {
			let a = operand(random, f, random.pick(edges(f)));
			if (i % 3 === 0) a = reference.mul(f, a, a, 0).bits;
			check(`${prefix}_sqrt`, f, f.bits, [a], i % 5, reference.sqrt(f, a, i % 5));
		}
	});

	test(`${prefix}_mulAdd rounds once in every rounding mode`, () => {
		const random = new Random(3);
		for (let i = 0; i < 25000; i++) {
			const a = operand(random, f, random.pick(edges(f)));
			const b = operand(random, f, a);
			// Half of the addends nearly cancel the product.
			const c = operand(random, f, i & 1 ? b : reference.mul(f, a, b, 0).bits ^ (1n << BigInt(f.bits - 1)));
			const rm = random.below(5);
			check(`${prefix}_mulAdd`, f, f.bits, [a, b, c], rm, reference.mulAdd(f, a, b, c, rm));
		}
	});

	test(`${prefix} to integer saturates, and raises NV or NX but never both`, () => {
		const random = new Random(4);
		const targets: [string, number, bigint, bigint][] = [
			["i32", 32, -(1n << 31n), (1n << 31n) - 1n],
			["u32", 32, 0n, (1n << 32n) - 1n],
			["i64", 64, -(1n << 63n), (1n << 63n) - 1n],
			["u64", 64, 0n, (1n << 64n) - 1n],
		];
		const one = BigInt(f.bias) << BigInt(f.fractionBits);
		for (const [name, width, lowest, highest] of targets) {
			for (let i = 0; i < 4000; i++) {
				const near = one + (BigInt(random.below(70) - 3) << BigInt(f.fractionBits));
				const a = i < edges(f).length ? edges(f)[i]! : operand(random, f, near);
				for (let rm = 0; rm < 5; rm++) {
					check(`${prefix}_to_${name}`, f, width, [a], rm, reference.toInteger(f, a, rm, lowest, highest));
				}
			}
		}
	});

	test(`integer to ${prefix} rounds in every mode`, () => {
		const random = new Random(5);
		for (let i = 0; i < 4000; i++) {
			const value = random.u64() >> BigInt(random.below(64));
			const tail = random.chance(2) ? value : (value >> 20n) << 20n;
			for (const [name, width, signed] of [
				["i32", 32, true],
				["u32", 32, false],
				["i64", 64, true],
				["u64", 64, false],
			] as const) {
				const integer = signed ? BigInt.asIntN(width, tail) : BigInt.asUintN(width, tail);
				const carrier: Format = width === 32 ? binary32 : binary64;
				check(`${name}_to_${prefix}`, carrier, f.bits, [integer], i % 5, reference.fromInteger(f, integer, i % 5));
			}
		}
	});

	test(`${prefix} comparisons, minimum and maximum`, () => {
		const random = new Random(6);
		const pairs = edges(f).flatMap((a) => edges(f).map((b) => [a, b] as const));
		for (let i = 0; i < 3000; i++) {
			const a = operand(random, f, random.pick(edges(f)));
			pairs.push([a, operand(random, f, a)]);
		}
		for (const [a, b] of pairs) {
			const { order, signaling } = reference.compare(f, a, b);
			const quiet = signaling ? reference.NV : 0;
			const loud = order === undefined ? reference.NV : 0;
			const truth = (yes: boolean, flags: number): Outcome => ({ bits: yes ? 1n : 0n, flags });
			check(`${prefix}_eq`, f, 32, [a, b], undefined, truth(order === 0, quiet));
			check(`${prefix}_lt`, f, 32, [a, b], undefined, truth(order === -1, loud));
			check(`${prefix}_le`, f, 32, [a, b], undefined, truth(order !== undefined && order <= 0, loud));
			const unordered = (bits: bigint) => reference.decode(f, bits).kind === "nan";
			const negative = (bits: bigint) => bits >> BigInt(f.bits - 1) === 1n;
			let [low, high] = [a, b];
			if (unordered(a)) low = unordered(b) ? reference.canonicalNaN(f) : b;
			else if (!unordered(b) && (order === 1 || (order === 0 && negative(b)))) low = b;
			if (unordered(b)) high = unordered(a) ? reference.canonicalNaN(f) : a;
			else if (!unordered(a) && (order === 1 || (order === 0 && !negative(a)))) high = a;
			check(`${prefix}_min`, f, f.bits, [a, b], undefined, { bits: low, flags: quiet });
			check(`${prefix}_max`, f, f.bits, [a, b], undefined, { bits: high, flags: quiet });
		}
	});

	test(`${prefix}_class names each of the ten classes`, () => {
		const sign = 1n << BigInt(f.bits - 1);
		const inf = reference.infinity(f, false);
		const normal = BigInt(f.bias) << BigInt(f.fractionBits);
		const inOrder = [
			inf | sign,
			normal | sign,
			1n | sign,
			sign,
			0n,
			1n,
			normal,
			inf,
			inf + 1n,
			reference.canonicalNaN(f),
		];
		inOrder.forEach((bits, index) => {
			check(`${prefix}_class`, f, 32, [bits], undefined, { bits: 1n << BigInt(index), flags: 0 });
		});
	});
}

test("binary32 to binary64 is exact, and back it rounds", () => {
	const random = new Random(7);
	for (const a of edges(binary32))
		check("f32_to_f64", binary32, 64, [a], undefined, reference.convert(binary32, binary64, a, 0));
	for (let i = 0; i < 8000; i++) {
		const a = operand(random, binary32, random.pick(edges(binary32)));
		const wide = reference.convert(binary32, binary64, a, 0);
		check("f32_to_f64", binary32, 64, [a], undefined, wide);
		const b = operand(random, binary64, wide.bits);
		check("f64_to_f32", binary64, 32, [b], i % 5, reference.convert(binary64, binary32, b, i % 5));
	}
});

test("round-to-nearest agrees with the host's own binary64", () => {
	const random = new Random(8);
	const view = new DataView(new ArrayBuffer(8));
	const toNumber = (bits: bigint) => {
		view.setBigUint64(0, bits);
		return view.getFloat64(0);
	};
	const toBits = (value: number) => {
		view.setFloat64(0, value);
		return Number.isNaN(value) ? reference.canonicalNaN(binary64) : view.getBigUint64(0);
	};
	for (let i = 0; i < 20000; i++) {
		const a = operand(random, binary64, random.u64());
		const b = operand(random, binary64, a);
		const [x, y] = [toNumber(a), toNumber(b)];
		expect(BigInt.asUintN(64, core.f64_add!(a, b, 0) as bigint)).toBe(toBits(x + y));
		expect(BigInt.asUintN(64, core.f64_mul!(a, b, 0) as bigint)).toBe(toBits(x * y));
		expect(BigInt.asUintN(64, core.f64_div!(a, b, 0) as bigint)).toBe(toBits(x / y));
		expect(BigInt.asUintN(64, core.f64_sqrt!(a, 0) as bigint)).toBe(toBits(Math.sqrt(x)));
	}
});

test("flags accrue: an exact operation leaves earlier ones standing", () => {
	core.softfloat_flags.value = reference.DZ | reference.NX;
	core.f64_add!(0x3ff0000000000000n, 0x3ff0000000000000n, 0);
	core.f64_to_i32!(0x7ff8000000000000n, 0);
	expect(core.softfloat_flags.value).toBe(reference.DZ | reference.NX | reference.NV);
});
