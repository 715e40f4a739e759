// add, sub, mul, div, sqrt and fused multiply-add. See softfloat.ts for the contract.
import {
	FLAG_DZ, FRACTION64, HIDDEN64, INF64, RDN, SIGN64, invalid, isNaN64, isSignaling64, normalizeRoundPack, propagateNaN,
	raise, roundPack, shiftRightJam, special, widen, FLAG_NV, FLAG_NX, NAN64, RNE, softfloat_flags,
} from "./softfloatRound";

// @ts-ignore: decorator
@inline function biasedExponent(a: u64): i32 {
	return <i32>((a >> 52) & 0x7ff);
}

/** Exponent of a finite non-zero operand whose significand `normalSignificand` gives. */
// @ts-ignore: decorator
@inline function normalExponent(a: u64): i32 {
	const biased = biasedExponent(a);
	return biased != 0 ? biased - 1023 : -1011 - <i32>clz<u64>(a & FRACTION64);
}

/** Significand of a finite non-zero operand: 53 bits, leading one at bit 52. */
// @ts-ignore: decorator
@inline function normalSignificand(a: u64): u64 {
	if (biasedExponent(a) != 0) return (a & FRACTION64) | HIDDEN64;
	const fraction = a & FRACTION64;
	const shift = clz<u64>(fraction) - 11;
	return fraction << shift;
}

// @ts-ignore: decorator
@inline function isInfinite(a: u64): bool {
	return (a & ~SIGN64) == INF64;
}

// @ts-ignore: decorator
@inline function isZero(a: u64): bool {
	return (a & ~SIGN64) == 0;
}

/** An exact zero from operands of opposite sign: +0, but -0 when rounding down (IEEE 754 section 6.3). */
// @ts-ignore: decorator
@inline function cancelledZero(rm: u32, single: bool): u64 {
	return special(rm == RDN ? SIGN64 : 0, single);
}

function add(a: u64, b: u64, rm: u32, single: bool): u64 {
	if (isNaN64(a) || isNaN64(b)) return special(propagateNaN(a, b), single);
	const opposite = ((a ^ b) & SIGN64) != 0;
	if (isInfinite(a)) return special(isInfinite(b) && opposite ? invalid() : a, single);
	if (isInfinite(b)) return special(b, single);
	if (isZero(a) && isZero(b)) return opposite ? cancelledZero(rm, single) : special(a, single);
	// `a` becomes the operand of larger magnitude; a subnormal has exponent 1 and no hidden bit.
	if ((a & ~SIGN64) < (b & ~SIGN64)) {
		const t = a;
		a = b;
		b = t;
	}
	const negative = <i64>a < 0;
	const fieldA = biasedExponent(a);
	const fieldB = biasedExponent(b);
	const sigA = ((a & FRACTION64) | (fieldA != 0 ? HIDDEN64 : 0)) << 10;
	const sigB = ((b & FRACTION64) | (fieldB != 0 ? HIDDEN64 : 0)) << 10;
	const exponentA = max(fieldA, 1);
	const aligned = shiftRightJam(sigB, exponentA - max(fieldB, 1));
	const sum = opposite ? sigA - aligned : sigA + aligned;
	if (sum == 0) return cancelledZero(rm, single);
	return normalizeRoundPack(negative, exponentA - 1023, sum, rm, single);
}

/** High half of the last `multiplyWide`. */
let wideHigh: u64 = 0;

/** 64 x 64 bits to 128: returns the low half, the high half is in `wideHigh`. */
// @ts-ignore: decorator
@inline function multiplyWide(a: u64, b: u64): u64 {
	const a0 = a & 0xffffffff;
	const a1 = a >> 32;
	const b0 = b & 0xffffffff;
	const b1 = b >> 32;
	const p00 = a0 * b0;
	const p01 = a0 * b1;
	const p10 = a1 * b0;
	const middle = (p00 >> 32) + (p01 & 0xffffffff) + (p10 & 0xffffffff);
	wideHigh = a1 * b1 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
	return (p00 & 0xffffffff) | (middle << 32);
}

function mul(a: u64, b: u64, rm: u32, single: bool): u64 {
	if (isNaN64(a) || isNaN64(b)) return special(propagateNaN(a, b), single);
	const sign = (a ^ b) & SIGN64;
	if (isInfinite(a) || isInfinite(b)) return special(isZero(a) || isZero(b) ? invalid() : sign | INF64, single);
	if (isZero(a) || isZero(b)) return special(sign, single);
	// 53 bits at 62..10 times 53 bits at 63..11: the product's leading one is at bit 126 or 125.
	const low = multiplyWide(normalSignificand(a) << 10, normalSignificand(b) << 11);
	return normalizeRoundPack(sign != 0, normalExponent(a) + normalExponent(b) + 1, wideHigh | u64(low != 0), rm, single);
}

function div(a: u64, b: u64, rm: u32, single: bool): u64 {
	if (isNaN64(a) || isNaN64(b)) return special(propagateNaN(a, b), single);
	const sign = (a ^ b) & SIGN64;
	if (isInfinite(a)) return special(isInfinite(b) ? invalid() : sign | INF64, single);
	if (isInfinite(b)) return special(sign, single);
	if (isZero(b)) {
		if (isZero(a)) return special(invalid(), single);
		raise(FLAG_DZ);
		return special(sign | INF64, single);
	}
	if (isZero(a)) return special(sign, single);
	const divisor = normalSignificand(b);
	let rest = normalSignificand(a);
	// Long division, 11 bits a step: the rest is below 2^53, so it can move 11 places. 1 + 55 bits are enough to round 53.
	let quotient = rest / divisor;
	rest -= quotient * divisor;
	for (let i = 0; i < 5; i++) {
		rest <<= 11;
		const digit = rest / divisor;
		quotient = (quotient << 11) | digit;
		rest -= digit * divisor;
	}
	// quotient * 2^-55 is the value; a leading one at bit 62 stands for 1, so 7 places up.
	const sig = (quotient << 7) | u64(rest != 0);
	return normalizeRoundPack(sign != 0, normalExponent(a) - normalExponent(b), sig, rm, single);
}

function squareRoot(a: u64, rm: u32, single: bool): u64 {
	if (isNaN64(a)) return special(propagateNaN(a, a), single);
	if (isZero(a)) return special(a, single);
	if (<i64>a < 0) return special(invalid(), single);
	if (isInfinite(a)) return special(a, single);
	const exponent = normalExponent(a);
	// m * 2^(exponent - odd - 52) with an even exponent; the root of N = m << 56 has 55 bits.
	const m = normalSignificand(a) << (exponent & 1);
	let root = <u64>(sqrt<f64>(<f64>m) * 268435456.0);
	// The estimate is off by a few units, so that N - root^2 is right modulo 2^64.
	let rest = <i64>((m << 56) - root * root);
	while (rest < 0) {
		root--;
		rest += <i64>(2 * root + 1);
	}
	while (rest > <i64>(2 * root)) {
		rest -= <i64>(2 * root + 1);
		root++;
	}
	return roundPack(false, exponent >> 1, (root << 8) | u64(rest != 0), rm, single);
}

function mulAdd(a: u64, b: u64, c: u64, rm: u32, single: bool): u64 {
	const infinityTimesZero = (isInfinite(a) && isZero(b)) || (isZero(a) && isInfinite(b));
	if (isNaN64(a) || isNaN64(b) || isNaN64(c) || infinityTimesZero) {
		if (infinityTimesZero || isSignaling64(a) || isSignaling64(b) || isSignaling64(c)) raise(FLAG_NV);
		return special(NAN64, single);
	}
	const sign = (a ^ b) & SIGN64;
	const opposite = ((sign ^ c) & SIGN64) != 0;
	if (isInfinite(a) || isInfinite(b)) return special(isInfinite(c) && opposite ? invalid() : sign | INF64, single);
	if (isInfinite(c)) return special(c, single);
	if (isZero(a) || isZero(b)) {
		if (!isZero(c)) return add(c, c & SIGN64, rm, single);
		return opposite ? cancelledZero(rm, single) : special(c, single);
	}
	// The exact product, leading one brought to bit 126 of high:low.
	let low = multiplyWide(normalSignificand(a) << 10, normalSignificand(b) << 11);
	let high = wideHigh;
	let exponent = normalExponent(a) + normalExponent(b) + 1;
	if (high >> 62 == 0) {
		high = (high << 1) | (low >> 63);
		low <<= 1;
		exponent--;
	}
	if (isZero(c)) return roundPack(sign != 0, exponent, high | u64(low != 0), rm, single);

	let addHigh = normalSignificand(c) << 10;
	let addLow: u64 = 0;
	let negative = sign != 0;
	const distance = exponent - normalExponent(c);
	// The product has at most 106 bits of 127, so a shift by one never loses a bit; a longer one leaves no cancellation.
	if (distance > 0) {
		addLow = shiftWideLow(addHigh, addLow, distance);
		addHigh = distance < 64 ? addHigh >> distance : 0;
	} else if (distance < 0) {
		low = shiftWideLow(high, low, -distance);
		high = distance > -64 ? high >> -distance : 0;
		exponent -= distance;
	}
	if (!opposite) {
		const sumLow = low + addLow;
		return normalizeRoundPack(negative, exponent, (high + addHigh + u64(sumLow < low)) | u64(sumLow != 0), rm, single);
	}
	if (high < addHigh || (high == addHigh && low < addLow)) {
		negative = !negative;
		const difference = addLow - low;
		high = addHigh - high - u64(addLow < low);
		low = difference;
	} else {
		const difference = low - addLow;
		high = high - addHigh - u64(low < addLow);
		low = difference;
	}
	if ((high | low) == 0) return cancelledZero(rm, single);
	if (high == 0) {
		// Everything above cancelled: the low half is exact.
		const shift = <i32>clz<u64>(low) - 1;
		return shift < 0
			? roundPack(negative, exponent - 63, (low >> 1) | (low & 1), rm, single)
			: roundPack(negative, exponent - 64 - shift, low << shift, rm, single);
	}
	const shift = <i32>clz<u64>(high) - 1;
	if (shift > 0) {
		high = (high << shift) | (low >> (64 - shift));
		low <<= shift;
	}
	return roundPack(negative, exponent - shift, high | u64(low != 0), rm, single);
}

/** Low half of high:low >> n, for n > 0, with everything that falls out jammed into its lowest bit. */
function shiftWideLow(high: u64, low: u64, n: i32): u64 {
	if (n < 64) return (high << (64 - n)) | (low >> n) | u64(low << (64 - n) != 0);
	if (n == 64) return high | u64(low != 0);
	return shiftRightJam(high, n - 64) | u64(low != 0);
}

// The host computes in round-to-nearest. Its result is used where it is normal and clear of overflow and underflow (or an
// exact sum), so that inexact is the only flag it could need; whether it is, the rounding error tells. All else goes the
// long way. The error terms below are exact: TwoSum for sums (Knuth), products and squares by their exact value.

/** Finite and below the highest binade, where a sum's error term could overflow. */
// @ts-ignore: decorator
@inline function isSumPlain64(bits: u64): bool {
	return (bits & INF64) < 0x7fe0000000000000;
}

// @ts-ignore: decorator
@inline function isSumPlain32(bits: u32): bool {
	return (bits & 0x7f800000) < 0x7f000000;
}

/** Normal, not in the lowest binade (which a subnormal may have been rounded up to), and finite. */
// @ts-ignore: decorator
@inline function isPlain64(bits: u64): bool {
	return (bits & INF64) - 0x0020000000000000 < 0x7fd0000000000000;
}

// @ts-ignore: decorator
@inline function isPlain32(bits: u32): bool {
	return (bits & 0x7f800000) - 0x01000000 < 0x7e800000;
}

/** Still to be found out whether the result is inexact? */
// @ts-ignore: decorator
@inline function wantsInexact(): bool {
	return (softfloat_flags & FLAG_NX) == 0;
}

/** Is m_a * m_b wider than 53 bits without its trailing zeros? */
function isProductInexact(a: u64, b: u64): bool {
	const x = normalSignificand(a);
	const y = normalSignificand(b);
	const oddX = x >> ctz<u64>(x);
	const oddY = y >> ctz<u64>(y);
	const width = 128 - clz<u64>(oddX) - clz<u64>(oddY);
	// The product has `width` bits or one fewer.
	return width > 54 || (width == 54 && (oddX * oddY) >> 53 != 0);
}

export function f32_add(a: u32, b: u32, rm: u32): u32 {
	if (rm == RNE) {
		const x = reinterpret<f32>(a);
		const y = reinterpret<f32>(b);
		const sum = x + y;
		const bits = reinterpret<u32>(sum);
		if (isSumPlain32(bits)) {
			if (wantsInexact()) {
				const t = sum - x;
				if ((x - (sum - t)) + (y - t) != 0) raise(FLAG_NX);
			}
			return bits;
		}
	}
	return <u32>add(widen(a), widen(b), rm, true);
}

export function f32_sub(a: u32, b: u32, rm: u32): u32 {
	// A NaN stays one with its sign flipped, and its sign is lost in the result.
	return f32_add(a, b ^ 0x80000000, rm);
}

export function f32_mul(a: u32, b: u32, rm: u32): u32 {
	if (rm == RNE) {
		const product = <f64>reinterpret<f32>(a) * <f64>reinterpret<f32>(b);
		const result = <f32>product;
		const bits = reinterpret<u32>(result);
		if (isPlain32(bits)) {
			if (<f64>result != product) raise(FLAG_NX);
			return bits;
		}
	}
	return <u32>mul(widen(a), widen(b), rm, true);
}

export function f32_div(a: u32, b: u32, rm: u32): u32 {
	if (rm == RNE) {
		const y = reinterpret<f32>(b);
		const quotient = reinterpret<f32>(a) / y;
		const bits = reinterpret<u32>(quotient);
		if (isPlain32(bits)) {
			if (<f64>quotient * <f64>y != <f64>reinterpret<f32>(a)) raise(FLAG_NX);
			return bits;
		}
	}
	return <u32>div(widen(a), widen(b), rm, true);
}

export function f32_sqrt(a: u32, rm: u32): u32 {
	if (rm == RNE) {
		const root = sqrt<f32>(reinterpret<f32>(a));
		const bits = reinterpret<u32>(root);
		if (isPlain32(bits)) {
			if (<f64>root * <f64>root != <f64>reinterpret<f32>(a)) raise(FLAG_NX);
			return bits;
		}
	}
	return <u32>squareRoot(widen(a), rm, true);
}

export function f32_mulAdd(a: u32, b: u32, c: u32, rm: u32): u32 {
	return <u32>mulAdd(widen(a), widen(b), widen(c), rm, true);
}

export function f64_add(a: u64, b: u64, rm: u32): u64 {
	if (rm == RNE) {
		const x = reinterpret<f64>(a);
		const y = reinterpret<f64>(b);
		const sum = x + y;
		const bits = reinterpret<u64>(sum);
		if (isSumPlain64(bits)) {
			if (wantsInexact()) {
				const t = sum - x;
				if ((x - (sum - t)) + (y - t) != 0) raise(FLAG_NX);
			}
			return bits;
		}
	}
	return add(a, b, rm, false);
}

export function f64_sub(a: u64, b: u64, rm: u32): u64 {
	return f64_add(a, b ^ SIGN64, rm);
}

export function f64_mul(a: u64, b: u64, rm: u32): u64 {
	if (rm == RNE) {
		const bits = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
		if (isPlain64(bits)) {
			if (wantsInexact() && isProductInexact(a, b)) raise(FLAG_NX);
			return bits;
		}
	}
	return mul(a, b, rm, false);
}

export function f64_div(a: u64, b: u64, rm: u32): u64 {
	if (rm == RNE) {
		const bits = reinterpret<u64>(reinterpret<f64>(a) / reinterpret<f64>(b));
		if (isPlain64(bits)) {
			if (wantsInexact()) {
				// a - quotient * b is below b in its last place, so that it is zero when its low 64 bits are.
				const shift = normalExponent(a) - normalExponent(b) - normalExponent(bits) + 52;
				if (normalSignificand(a) << shift != normalSignificand(bits) * normalSignificand(b)) raise(FLAG_NX);
			}
			return bits;
		}
	}
	return div(a, b, rm, false);
}

export function f64_sqrt(a: u64, rm: u32): u64 {
	if (rm == RNE) {
		const bits = reinterpret<u64>(sqrt<f64>(reinterpret<f64>(a)));
		if (isPlain64(bits)) {
			if (wantsInexact()) {
				const shift = normalExponent(a) - 2 * normalExponent(bits) + 52;
				const root = normalSignificand(bits);
				if (normalSignificand(a) << shift != root * root) raise(FLAG_NX);
			}
			return bits;
		}
	}
	return squareRoot(a, rm, false);
}

export function f64_mulAdd(a: u64, b: u64, c: u64, rm: u32): u64 {
	return mulAdd(a, b, c, rm, false);
}
