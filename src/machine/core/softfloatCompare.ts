// Comparisons, minimum, maximum and classification. See softfloat.ts for the contract.
import { FLAG_NV, FRACTION64, INF64, NAN32, NAN64, SIGN64, isNaN64, isSignaling64, raise, widen } from "./softfloatRound";

/** Quiet: NV only for a signaling NaN (unprivileged ISA 11.8). */
export function f64_eq(a: u64, b: u64): u32 {
	if (isNaN64(a) || isNaN64(b)) {
		if (isSignaling64(a) || isSignaling64(b)) raise(FLAG_NV);
		return 0;
	}
	return u32(a == b || ((a | b) & ~SIGN64) == 0);
}

/** Order of two numbers that are no NaN; -0 equals +0. */
// @ts-ignore: decorator
@inline function less(a: u64, b: u64): bool {
	const negativeA = <i64>a < 0;
	if (negativeA != <i64>b < 0) return negativeA && ((a | b) & ~SIGN64) != 0;
	return a != b && negativeA != a < b;
}

/** Signaling: NV for any NaN. */
export function f64_lt(a: u64, b: u64): u32 {
	if (isNaN64(a) || isNaN64(b)) {
		raise(FLAG_NV);
		return 0;
	}
	return u32(less(a, b));
}

/** Signaling: NV for any NaN. */
export function f64_le(a: u64, b: u64): u32 {
	if (isNaN64(a) || isNaN64(b)) {
		raise(FLAG_NV);
		return 0;
	}
	return u32(!less(b, a));
}

/** IEEE 754-2019 minimumNumber / maximumNumber: a number beats a NaN, -0 is below +0 (F version 2.2). */
function select(a: u64, b: u64, wantMaximum: bool): u64 {
	const nanA = isNaN64(a);
	const nanB = isNaN64(b);
	if (nanA || nanB) {
		if (isSignaling64(a) || isSignaling64(b)) raise(FLAG_NV);
		if (nanA && nanB) return NAN64;
		return nanA ? b : a;
	}
	const aFirst = ((a | b) & ~SIGN64) == 0 ? <i64>a < 0 : less(a, b);
	return aFirst != wantMaximum ? a : b;
}

export function f64_min(a: u64, b: u64): u64 {
	return select(a, b, false);
}

export function f64_max(a: u64, b: u64): u64 {
	return select(a, b, true);
}

/** Result of `select` on widened operands, as the binary32 operand it came from. */
// @ts-ignore: decorator
@inline function chosen(result: u64, wideA: u64, a: u32, b: u32): u32 {
	if (isNaN64(result)) return NAN32;
	return result == wideA ? a : b;
}

export function f32_eq(a: u32, b: u32): u32 {
	return f64_eq(widen(a), widen(b));
}

export function f32_lt(a: u32, b: u32): u32 {
	return f64_lt(widen(a), widen(b));
}

export function f32_le(a: u32, b: u32): u32 {
	return f64_le(widen(a), widen(b));
}

export function f32_min(a: u32, b: u32): u32 {
	const wideA = widen(a);
	return chosen(select(wideA, widen(b), false), wideA, a, b);
}

export function f32_max(a: u32, b: u32): u32 {
	const wideA = widen(a);
	return chosen(select(wideA, widen(b), true), wideA, a, b);
}

/** The fclass bit of unprivileged ISA table 11.5: 0 -inf, 1 -normal, 2 -subnormal, 3 -0, 4 +0 ... 7 +inf, 8 sNaN, 9 qNaN. */
// @ts-ignore: decorator
@inline function classify(negative: bool, exponentAllOnes: bool, exponentZero: bool, fractionZero: bool, quiet: bool): u32 {
	if (exponentAllOnes && !fractionZero) return quiet ? 1 << 9 : 1 << 8;
	let positive: u32 = 6;
	if (exponentAllOnes) positive = 7;
	else if (exponentZero) positive = fractionZero ? 4 : 5;
	return 1 << (negative ? 7 - positive : positive);
}

export function f32_class(a: u32): u32 {
	const exponent = (a >> 23) & 0xff;
	return classify(<i32>a < 0, exponent == 0xff, exponent == 0, (a & 0x7fffff) == 0, (a & 0x400000) != 0);
}

export function f64_class(a: u64): u32 {
	const fraction = a & FRACTION64;
	const exponent = a & INF64;
	return classify(<i64>a < 0, exponent == INF64, exponent == 0, fraction == 0, (fraction >> 51) != 0);
}
