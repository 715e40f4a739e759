/**
 * IEEE 754 arithmetic by exact rational numbers over BigInt: slow, short, and independent of the code under test.
 * Follows the RISC-V choices: canonical NaN, tininess after rounding, results and flags of the unprivileged ISA, chapter 11.
 */

export interface Format {
	readonly precision: number;
	readonly bits: number;
	readonly bias: number;
	readonly fractionBits: number;
}

export const binary32: Format = { precision: 24, bits: 32, bias: 127, fractionBits: 23 };
export const binary64: Format = { precision: 53, bits: 64, bias: 1023, fractionBits: 52 };

export const NX = 1;
export const UF = 2;
export const OF = 4;
export const DZ = 8;
export const NV = 16;

export interface Outcome {
	readonly bits: bigint;
	readonly flags: number;
}

type Value =
	| { readonly kind: "nan"; readonly signaling: boolean }
	| { readonly kind: "infinity"; readonly negative: boolean }
	/** magnitude * 2^exponent; zero has magnitude 0 */
	| { readonly kind: "finite"; readonly negative: boolean; readonly magnitude: bigint; readonly exponent: number };

const maxField = (f: Format) => (1n << BigInt(f.bits - 1 - f.fractionBits)) - 1n;
export const infinity = (f: Format, negative: boolean) =>
	(negative ? 1n << BigInt(f.bits - 1) : 0n) | (maxField(f) << BigInt(f.fractionBits));
export const canonicalNaN = (f: Format) => infinity(f, false) | (1n << BigInt(f.fractionBits - 1));
const zero = (f: Format, negative: boolean) => (negative ? 1n << BigInt(f.bits - 1) : 0n);

export function decode(f: Format, bits: bigint): Value {
	const negative = bits >> BigInt(f.bits - 1) === 1n;
	const field = (bits >> BigInt(f.fractionBits)) & maxField(f);
	const fraction = bits & ((1n << BigInt(f.fractionBits)) - 1n);
	if (field === maxField(f)) {
		if (fraction === 0n) return { kind: "infinity", negative };
		return { kind: "nan", signaling: fraction >> BigInt(f.fractionBits - 1) === 0n };
	}
	const exponent = Number(field === 0n ? 1n : field) - f.bias - f.fractionBits;
	return {
		kind: "finite",
		negative,
		magnitude: field === 0n ? fraction : fraction | (1n << BigInt(f.fractionBits)),
		exponent,
	};
}

const bitLength = (n: bigint) => (n === 0n ? 0 : n.toString(2).length);

/** numerator/denominator * 2^exponent as an integer multiple of 2^grid, rounded. */
function roundToGrid(
	numerator: bigint,
	denominator: bigint,
	exponent: number,
	grid: number,
	negative: boolean,
	rm: number,
) {
	const shift = exponent - grid;
	const top = shift >= 0 ? numerator << BigInt(shift) : numerator;
	const bottom = shift >= 0 ? denominator : denominator << BigInt(-shift);
	const whole = top / bottom;
	const twice = 2n * (top % bottom);
	const inexact = twice !== 0n;
	const up =
		(rm === 0 && (twice > bottom || (twice === bottom && (whole & 1n) === 1n))) ||
		(rm === 4 && twice >= bottom) ||
		(rm === 2 && inexact && negative) ||
		(rm === 3 && inexact && !negative);
	return { integer: up ? whole + 1n : whole, inexact };
}

/** Rounds a positive rational numerator/denominator * 2^exponent (sign apart) into the format. */
function round(
	f: Format,
	negative: boolean,
	numerator: bigint,
	denominator: bigint,
	exponent: number,
	rm: number,
): Outcome {
	// floor(log2(value))
	let log = bitLength(numerator) - bitLength(denominator);
	const below = log >= 0 ? numerator < denominator << BigInt(log) : numerator << BigInt(-log) < denominator;
	if (below) log--;
	log += exponent;
	const minExponent = 1 - f.bias;
	const unbounded = roundToGrid(numerator, denominator, exponent, log - f.precision + 1, negative, rm);
	const roundedLog = bitLength(unbounded.integer) === f.precision ? log : log + 1;
	const sign = zero(f, negative);
	if (roundedLog > f.bias) {
		const toInfinity = rm === 0 || rm === 4 || (rm === 2 && negative) || (rm === 3 && !negative);
		return { bits: toInfinity ? infinity(f, negative) : infinity(f, negative) - 1n, flags: OF | NX };
	}
	if (log >= minExponent) {
		const carried = roundedLog > log;
		const integer = carried ? unbounded.integer >> 1n : unbounded.integer;
		const field = BigInt(roundedLog + f.bias) << BigInt(f.fractionBits);
		return { bits: sign | (field + integer - (1n << BigInt(f.fractionBits))), flags: unbounded.inexact ? NX : 0 };
	}
	const subnormal = roundToGrid(numerator, denominator, exponent, minExponent - f.precision + 1, negative, rm);
	const tiny = roundedLog < minExponent;
	return { bits: sign | subnormal.integer, flags: subnormal.inexact ? NX | (tiny ? UF : 0) : 0 };
}

const nan = (f: Format, signals: boolean): Outcome => ({ bits: canonicalNaN(f), flags: signals ? NV : 0 });
const signaling = (...values: Value[]) => values.some((v) => v.kind === "nan" && v.signaling);
const exact = (bits: bigint): Outcome => ({ bits, flags: 0 });

/** Sum of two signed dyadic numbers that are not both zero with the same sign. */
function sum(f: Format, a: bigint, b: bigint, exponent: number, rm: number): Outcome {
	const total = a + b;
	if (total === 0n) return exact(zero(f, rm === 2));
	return round(f, total < 0n, total < 0n ? -total : total, 1n, exponent, rm);
}

export function mulAdd(f: Format, aBits: bigint, bBits: bigint, cBits: bigint, rm: number): Outcome {
	const [a, b, c] = [decode(f, aBits), decode(f, bBits), decode(f, cBits)];
	const isZero = (v: Value) => v.kind === "finite" && v.magnitude === 0n;
	const undefinedProduct = (a.kind === "infinity" && isZero(b)) || (b.kind === "infinity" && isZero(a));
	if (undefinedProduct) return nan(f, true);
	if (a.kind === "nan" || b.kind === "nan" || c.kind === "nan") return nan(f, signaling(a, b, c));
	const negative = a.negative !== b.negative;
	if (a.kind === "infinity" || b.kind === "infinity") {
		return c.kind === "infinity" && c.negative !== negative ? nan(f, true) : exact(infinity(f, negative));
	}
	if (c.kind === "infinity") return exact(cBits);
	const product = a.magnitude * b.magnitude;
	const productExponent = a.exponent + b.exponent;
	if (product === 0n && c.magnitude === 0n && negative === c.negative) return exact(zero(f, negative));
	const exponent = Math.min(productExponent, c.exponent);
	const x = product << BigInt(productExponent - exponent);
	const y = c.magnitude << BigInt(c.exponent - exponent);
	return sum(f, negative ? -x : x, c.negative ? -y : y, exponent, rm);
}

export function add(f: Format, aBits: bigint, bBits: bigint, rm: number): Outcome {
	const [a, b] = [decode(f, aBits), decode(f, bBits)];
	if (a.kind === "nan" || b.kind === "nan") return nan(f, signaling(a, b));
	if (a.kind === "infinity") return b.kind === "infinity" && a.negative !== b.negative ? nan(f, true) : exact(aBits);
	if (b.kind === "infinity") return exact(bBits);
	if (a.magnitude === 0n && b.magnitude === 0n && a.negative === b.negative) return exact(aBits);
	const exponent = Math.min(a.exponent, b.exponent);
	const x = a.magnitude << BigInt(a.exponent - exponent);
	const y = b.magnitude << BigInt(b.exponent - exponent);
	return sum(f, a.negative ? -x : x, b.negative ? -y : y, exponent, rm);
}

export function sub(f: Format, aBits: bigint, bBits: bigint, rm: number): Outcome {
	return add(f, aBits, bBits ^ (1n << BigInt(f.bits - 1)), rm);
}

export function mul(f: Format, aBits: bigint, bBits: bigint, rm: number): Outcome {
	const [a, b] = [decode(f, aBits), decode(f, bBits)];
	if (a.kind === "nan" || b.kind === "nan") return nan(f, signaling(a, b));
	const negative = a.negative !== b.negative;
	if (a.kind === "infinity" || b.kind === "infinity") {
		const other = a.kind === "infinity" ? b : a;
		return other.kind === "finite" && other.magnitude === 0n ? nan(f, true) : exact(infinity(f, negative));
	}
	const product = a.magnitude * b.magnitude;
	if (product === 0n) return exact(zero(f, negative));
	return round(f, negative, product, 1n, a.exponent + b.exponent, rm);
}

export function div(f: Format, aBits: bigint, bBits: bigint, rm: number): Outcome {
	const [a, b] = [decode(f, aBits), decode(f, bBits)];
	if (a.kind === "nan" || b.kind === "nan") return nan(f, signaling(a, b));
	const negative = a.negative !== b.negative;
	if (a.kind === "infinity") return b.kind === "infinity" ? nan(f, true) : exact(infinity(f, negative));
	if (b.kind === "infinity") return exact(zero(f, negative));
	if (b.magnitude === 0n) return a.magnitude === 0n ? nan(f, true) : { bits: infinity(f, negative), flags: DZ };
	if (a.magnitude === 0n) return exact(zero(f, negative));
	return round(f, negative, a.magnitude, b.magnitude, a.exponent - b.exponent, rm);
}

function integerRoot(n: bigint): bigint {
	let low = 0n;
	let high = 1n << BigInt((bitLength(n) >> 1) + 1);
	while (high - low > 1n) {
		const middle = (low + high) >> 1n;
		if (middle * middle <= n) low = middle;
		else high = middle;
	}
	return low;
}

export function sqrt(f: Format, aBits: bigint, rm: number): Outcome {
	const a = decode(f, aBits);
	if (a.kind === "nan") return nan(f, a.signaling);
	if (a.kind === "finite" && a.magnitude === 0n) return exact(aBits);
	if (a.negative) return nan(f, true);
	if (a.kind === "infinity") return exact(aBits);
	// 2^-2k finer than any rounding boundary can be: an inexact root is stood for by the middle of its grid cell.
	const guard = 80;
	const even = a.exponent - (a.exponent & 1);
	const scaled = (a.magnitude << BigInt(a.exponent - even)) << BigInt(2 * guard);
	const root = integerRoot(scaled);
	const inexact = root * root !== scaled;
	return round(f, false, 2n * root + (inexact ? 1n : 0n), 1n, even / 2 - guard - 1, rm);
}

export function convert(from: Format, to: Format, bits: bigint, rm: number): Outcome {
	const a = decode(from, bits);
	if (a.kind === "nan") return nan(to, a.signaling);
	if (a.kind === "infinity") return exact(infinity(to, a.negative));
	return a.magnitude === 0n ? exact(zero(to, a.negative)) : round(to, a.negative, a.magnitude, 1n, a.exponent, rm);
}

export function fromInteger(f: Format, value: bigint, rm: number): Outcome {
	return value === 0n ? exact(0n) : round(f, value < 0n, value < 0n ? -value : value, 1n, 0, rm);
}

/** `bits` of the result are the integer itself (signed or unsigned). */
export function toInteger(f: Format, bits: bigint, rm: number, lowest: bigint, highest: bigint): Outcome {
	const a = decode(f, bits);
	if (a.kind === "nan") return { bits: highest, flags: NV };
	if (a.kind === "infinity") return { bits: a.negative ? lowest : highest, flags: NV };
	const rounded = roundToGrid(a.magnitude, 1n, a.exponent, 0, a.negative, rm);
	const value = a.negative ? -rounded.integer : rounded.integer;
	if (value < lowest) return { bits: lowest, flags: NV };
	if (value > highest) return { bits: highest, flags: NV };
	return { bits: value, flags: rounded.inexact ? NX : 0 };
}

/** -1, 0, 1, or undefined for unordered. */
export function compare(f: Format, aBits: bigint, bBits: bigint): { order: number | undefined; signaling: boolean } {
	const [a, b] = [decode(f, aBits), decode(f, bBits)];
	if (a.kind === "nan" || b.kind === "nan") return { order: undefined, signaling: signaling(a, b) };
	const key = (v: Value) => {
		if (v.kind === "infinity") return v.negative ? -(1n << 5000n) : 1n << 5000n;
		if (v.kind === "nan") throw new Error("unreachable");
		const scaled = v.magnitude << BigInt(v.exponent + 1100);
		return v.negative ? -scaled : scaled;
	};
	const [x, y] = [key(a), key(b)];
	return { order: x < y ? -1 : x > y ? 1 : 0, signaling: false };
}
