// Binary64 arithmetic from the host's operations, for translated code: results that are known to be right, NaN where it is not
// sure. Every NaN here means "ask softfloat".

/** Magnitudes for which no intermediate result below can overflow or lose bits. */
const FACTOR_MIN: f64 = 1e-120;
const FACTOR_MAX: f64 = 1e120;
const ADDEND_MIN: f64 = 1e-240;
const ADDEND_MAX: f64 = 1e240;

// @ts-ignore: decorator
@inline
function within(x: f64, least: f64, most: f64): bool {
	const magnitude = abs(x);
	return (magnitude >= least && magnitude <= most) || x == 0;
}

// @ts-ignore: decorator
@inline
function splitHigh(x: f64): f64 {
	const c = x * 134217729.0;
	return c - (c - x);
}

/** The part of a * b that `product`, its rounded value, lacks (T. J. Dekker). */
// @ts-ignore: decorator
@inline
function productRest(a: f64, b: f64, product: f64): f64 {
	const ah = splitHigh(a);
	const al = a - ah;
	const bh = splitHigh(b);
	const bl = b - bh;
	return al * bl - (product - ah * bh - al * bh - ah * bl);
}

/** The part of a + b that `sum`, its rounded value, lacks (D. Knuth). */
// @ts-ignore: decorator
@inline
function sumRest(a: f64, b: f64, sum: f64): f64 {
	const t = sum - a;
	return a - (sum - t) + (b - t);
}

// @ts-ignore: decorator
@inline
function isFactor(x: f64): bool {
	return within(x, FACTOR_MIN, FACTOR_MAX);
}

/** a + b if it is exact. An exact zero has the sign of round-to-nearest. */
export function exactSum(a: f64, b: f64): f64 {
	const sum = a + b;
	return sumRest(a, b, sum) == 0 ? sum : NaN;
}

export function exactDifference(a: f64, b: f64): f64 {
	return exactSum(a, -b);
}

export function exactProduct(a: f64, b: f64): f64 {
	if (!isFactor(a) || !isFactor(b)) return NaN;
	const product = a * b;
	return productRest(a, b, product) == 0 ? product : NaN;
}

export function exactQuotient(a: f64, b: f64): f64 {
	const quotient = a / b;
	if (!isFactor(a) || !isFactor(b) || !isFactor(quotient) || b == 0) return NaN;
	const product = quotient * b;
	return product == a && productRest(quotient, b, product) == 0 ? quotient : NaN;
}

/** Square root of a, which is given twice. */
export function exactRoot(a: f64, _b: f64): f64 {
	const root = sqrt<f64>(a);
	if (!isFactor(a) || !isFactor(root)) return NaN;
	const square = root * root;
	return square == a && productRest(root, root, square) == 0 ? root : NaN;
}

export function exactFused(a: f64, b: f64, c: f64): f64 {
	if (!isFactor(a) || !isFactor(b)) return NaN;
	const product = a * b;
	return productRest(a, b, product) == 0 ? exactSum(product, c) : NaN;
}

/**
 * a * b + c rounded once, to nearest even. Product and sums are kept exact as pairs of doubles; the last but one sum is
 * rounded to odd, so that the last rounds right (S. Boldo, G. Melquiond, "Emulation of FMA and Correctly Rounded Sums: Proved
 * Algorithms Using Rounding to Odd", 2008).
 */
export function fusedMultiplyAdd(a: f64, b: f64, c: f64): f64 {
	if (!isFactor(a) || !isFactor(b) || !within(c, ADDEND_MIN, ADDEND_MAX)) return NaN;
	const product = a * b;
	const rest = productRest(a, b, product);
	if (rest == 0) return product + c;
	const low = c + rest;
	const lowRest = sumRest(c, rest, low);
	const high = product + low;
	const highRest = sumRest(product, low, high);
	let sum = lowRest + highRest;
	const error = sumRest(lowRest, highRest, sum);
	if (error != 0) {
		const bits = reinterpret<i64>(sum);
		if (!(bits & 1)) sum = reinterpret<f64>(bits + (error > 0 == sum > 0 ? 1 : -1));
	}
	return high + sum;
}
