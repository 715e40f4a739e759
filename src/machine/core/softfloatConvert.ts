// Conversions between integers and floats, and between the two widths. See softfloat.ts for the contract.
import {
	FLAG_NV, FLAG_NX, FRACTION64, HIDDEN64, NAN32, RDN, RMM, RNE, RUP, SIGN64, isNaN64, isSignaling64, narrowSpecial,
	normalizeRoundPack, raise, setSoftfloatFlags, softfloat_flags, widen,
} from "./softfloatRound";

function fromInteger(negative: bool, magnitude: u64, rm: u32, single: bool): u64 {
	return magnitude == 0 ? 0 : normalizeRoundPack(negative, 62, magnitude, rm, single);
}

export function i32_to_f32(a: i32, rm: u32): u32 {
	return i64_to_f32(a, rm);
}

export function u32_to_f32(a: u32, rm: u32): u32 {
	return <u32>fromInteger(false, a, rm, true);
}

export function i64_to_f32(a: i64, rm: u32): u32 {
	return <u32>fromInteger(a < 0, a < 0 ? <u64>-a : <u64>a, rm, true);
}

export function u64_to_f32(a: u64, rm: u32): u32 {
	return <u32>fromInteger(false, a, rm, true);
}

export function i32_to_f64(a: i32, rm: u32): u64 {
	return i64_to_f64(a, rm);
}

export function u32_to_f64(a: u32, rm: u32): u64 {
	return fromInteger(false, a, rm, false);
}

export function i64_to_f64(a: i64, rm: u32): u64 {
	return fromInteger(a < 0, a < 0 ? <u64>-a : <u64>a, rm, false);
}

export function u64_to_f64(a: u64, rm: u32): u64 {
	return fromInteger(false, a, rm, false);
}

/** Set by `roundMagnitude` when |a| is 2^64 or more. */
let tooLarge: bool = false;

/** |a| rounded to an integer by the direction that `rm` has for a's sign; a is finite. Raises NX. */
function roundMagnitude(a: u64, rm: u32): u64 {
	tooLarge = false;
	const field = <i32>((a >> 52) & 0x7ff);
	const sig = (a & FRACTION64) | (field != 0 ? HIDDEN64 : 0);
	const shift = field - 1075;
	if (shift >= 0) {
		tooLarge = shift > 11;
		return tooLarge ? 0 : sig << shift;
	}
	const drop = min(-shift, 63);
	const whole = sig >> drop;
	const lost = sig & ((<u64>1 << drop) - 1);
	if (lost == 0) return whole;
	raise(FLAG_NX);
	const half = <u64>1 << (drop - 1);
	const negative = <i64>a < 0;
	let up = false;
	if (rm == RNE) up = lost > half || (lost == half && (whole & 1) != 0);
	else if (rm == RMM) up = lost >= half;
	else if (rm == RDN) up = negative;
	else if (rm == RUP) up = !negative;
	return whole + u64(up);
}

/** Out of range: NV instead of whatever else the rounding raised. */
// @ts-ignore: decorator
@inline function outOfRange<T>(flagsBefore: u32, result: T): T {
	setSoftfloatFlags(flagsBefore | FLAG_NV);
	return result;
}

function toSigned(a: u64, rm: u32, lowest: i64, highest: i64): i64 {
	const before = softfloat_flags;
	const negative = <i64>a < 0;
	if (isNaN64(a)) return outOfRange<i64>(before, highest);
	const magnitude = roundMagnitude(a, rm);
	if (tooLarge) return outOfRange<i64>(before, negative ? lowest : highest);
	if (negative) return magnitude > <u64>-lowest ? outOfRange<i64>(before, lowest) : -(<i64>magnitude);
	return magnitude > <u64>highest ? outOfRange<i64>(before, highest) : <i64>magnitude;
}

function toUnsigned(a: u64, rm: u32, highest: u64): u64 {
	const before = softfloat_flags;
	if (isNaN64(a)) return outOfRange<u64>(before, highest);
	const magnitude = roundMagnitude(a, rm);
	if (<i64>a < 0) return tooLarge || magnitude != 0 ? outOfRange<u64>(before, 0) : 0;
	return tooLarge || magnitude > highest ? outOfRange<u64>(before, highest) : magnitude;
}

export function f64_to_i32(a: u64, rm: u32): i32 {
	return <i32>toSigned(a, rm, i32.MIN_VALUE, i32.MAX_VALUE);
}

export function f64_to_u32(a: u64, rm: u32): u32 {
	return <u32>toUnsigned(a, rm, u32.MAX_VALUE);
}

export function f64_to_i64(a: u64, rm: u32): i64 {
	return toSigned(a, rm, i64.MIN_VALUE, i64.MAX_VALUE);
}

export function f64_to_u64(a: u64, rm: u32): u64 {
	return toUnsigned(a, rm, u64.MAX_VALUE);
}

export function f32_to_i32(a: u32, rm: u32): i32 {
	return f64_to_i32(widen(a), rm);
}

export function f32_to_u32(a: u32, rm: u32): u32 {
	return f64_to_u32(widen(a), rm);
}

export function f32_to_i64(a: u32, rm: u32): i64 {
	return f64_to_i64(widen(a), rm);
}

export function f32_to_u64(a: u32, rm: u32): u64 {
	return f64_to_u64(widen(a), rm);
}

export function f32_to_f64(a: u32): u64 {
	const wide = widen(a);
	if (!isNaN64(wide)) return wide;
	if (isSignaling64(wide)) raise(FLAG_NV);
	return 0x7ff8000000000000;
}

export function f64_to_f32(a: u64, rm: u32): u32 {
	if (isNaN64(a)) {
		if (isSignaling64(a)) raise(FLAG_NV);
		return NAN32;
	}
	const field = <i32>((a >> 52) & 0x7ff);
	if (field == 0x7ff || (a & ~SIGN64) == 0) return narrowSpecial(a);
	const sig = (a & FRACTION64) | (field != 0 ? HIDDEN64 : 0);
	return <u32>normalizeRoundPack(<i64>a < 0, max(field, 1) - 1023, sig << 10, rm, true);
}
