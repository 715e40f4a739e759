// Rounding and packing shared by all of softfloat. See softfloat.ts for the contract.

/** Accrued exceptions in fflags layout; functions only ever set bits. */
export let softfloat_flags: u32 = 0;

export function setSoftfloatFlags(flags: u32): void {
	softfloat_flags = flags;
}

export const FLAG_NX: u32 = 1;
export const FLAG_UF: u32 = 2;
export const FLAG_OF: u32 = 4;
export const FLAG_DZ: u32 = 8;
export const FLAG_NV: u32 = 16;

export const RNE: u32 = 0;
export const RTZ: u32 = 1;
export const RDN: u32 = 2;
export const RUP: u32 = 3;
export const RMM: u32 = 4;

export const SIGN64: u64 = 0x8000000000000000;
export const INF64: u64 = 0x7ff0000000000000;
export const NAN64: u64 = 0x7ff8000000000000;
export const NAN32: u32 = 0x7fc00000;
export const FRACTION64: u64 = 0x000fffffffffffff;
export const HIDDEN64: u64 = 0x0010000000000000;
const QUIET64: u64 = 0x0008000000000000;

// @ts-ignore: decorator
@inline export function raise(flags: u32): void {
	softfloat_flags |= flags;
}

// @ts-ignore: decorator
@inline export function isNaN64(a: u64): bool {
	return (a & ~SIGN64) > INF64;
}

// @ts-ignore: decorator
@inline export function isSignaling64(a: u64): bool {
	return isNaN64(a) && (a & QUIET64) == 0;
}

/** The result of an operation with a NaN operand. */
export function propagateNaN(a: u64, b: u64): u64 {
	if (isSignaling64(a) || isSignaling64(b)) raise(FLAG_NV);
	return NAN64;
}

export function invalid(): u64 {
	raise(FLAG_NV);
	return NAN64;
}

/** binary32 bits as binary64 bits: exact, and a NaN keeps its quiet bit. */
// @ts-ignore: decorator
@inline export function widen(a: u32): u64 {
	const exponent = (a >> 23) & 0xff;
	if (exponent != 0 && exponent != 0xff) {
		return ((<u64>(a >> 31)) << 63) | ((<u64>(exponent + 896)) << 52) | ((<u64>(a & 0x7fffff)) << 29);
	}
	return widenSpecial(a);
}

function widenSpecial(a: u32): u64 {
	const sign = (<u64>(a >> 31)) << 63;
	const fraction = a & 0x7fffff;
	if (((a >> 23) & 0xff) == 0xff) return sign | INF64 | ((<u64>fraction) << 29);
	if (fraction == 0) return sign;
	const shift = clz<u32>(fraction) - 8;
	return sign | ((<u64>(897 - <i32>shift)) << 52) | ((<u64>((fraction << shift) & 0x7fffff)) << 29);
}

/** A finite or infinite binary64 that holds a binary32 value exactly (or a NaN), back to binary32 bits; subnormals excluded. */
// @ts-ignore: decorator
@inline export function narrowSpecial(a: u64): u32 {
	if (isNaN64(a)) return NAN32;
	return (<u32>(a >> 63) << 31) | ((a & INF64) == INF64 ? 0x7f800000 : 0);
}

/** a >> n; a one that falls out stays as the lowest bit. */
// @ts-ignore: decorator
@inline export function shiftRightJam(a: u64, n: i32): u64 {
	if (n == 0) return a;
	return n < 64 ? (a >> n) | u64((a << (64 - n)) != 0) : u64(a != 0);
}

// @ts-ignore: decorator
@inline function roundIncrement(negative: bool, rm: u32, half: u64): u64 {
	if (rm == RNE || rm == RMM) return half;
	if (rm == RTZ) return 0;
	return (rm == RDN) == negative ? half + half - 1 : 0;
}

/**
 * Rounds sig * 2^(exponent - 62) to a format with `drop` fewer significand bits than 63 and packs it, sign excluded.
 * The leading one of `sig` is at bit 62.
 */
// @ts-ignore: decorator
@inline function pack(negative: bool, exponent: i32, sig: u64, rm: u32, drop: i32, bias: i32, maximum: i32): u64 {
	const half: u64 = 1 << (drop - 1);
	const mask = half + half - 1;
	const increment = roundIncrement(negative, rm, half);
	const fractionBits = 62 - drop;
	let biased = exponent + bias;
	let lost = sig & mask;
	if (biased <= 0) {
		const tiny = biased < 0 || <i64>(sig + increment) >= 0;
		sig = shiftRightJam(sig, 1 - biased);
		biased = 1;
		lost = sig & mask;
		if (tiny && lost != 0) raise(FLAG_UF);
	} else if (biased >= maximum - 1) {
		if (biased >= maximum || <i64>(sig + increment) < 0) {
			raise(FLAG_OF | FLAG_NX);
			return ((<u64>maximum) << fractionBits) - u64(increment == 0);
		}
	}
	if (lost != 0) raise(FLAG_NX);
	sig = (sig + increment) >> drop;
	if (rm == RNE && lost == half) sig &= ~1;
	// The leading one adds to the exponent field; a significand that rounded up to the next binade adds one more.
	return ((<u64>(biased - 1)) << fractionBits) + sig;
}

/** Rounds to binary64, or to binary32 when `single`; the result is that format's bits. */
export function roundPack(negative: bool, exponent: i32, sig: u64, rm: u32, single: bool): u64 {
	return single
		? ((<u64>negative) << 31) | pack(negative, exponent, sig, rm, 39, 127, 0xff)
		: ((<u64>negative) << 63) | pack(negative, exponent, sig, rm, 10, 1023, 0x7ff);
}

/** As roundPack for any non-zero `sig`. */
export function normalizeRoundPack(negative: bool, exponent: i32, sig: u64, rm: u32, single: bool): u64 {
	const shift = <i32>clz<u64>(sig) - 1;
	if (shift < 0) return roundPack(negative, exponent + 1, (sig >> 1) | (sig & 1), rm, single);
	return roundPack(negative, exponent - shift, sig << shift, rm, single);
}

/** A binary64 special (zero, infinity, NaN) in the wanted width. */
// @ts-ignore: decorator
@inline export function special(a: u64, single: bool): u64 {
	return single ? <u64>narrowSpecial(a) : a;
}
