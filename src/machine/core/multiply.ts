// M extension: results that WebAssembly does not have as one instruction (unprivileged ISA, chapter "M": no traps; division
// by zero and overflow have defined results).

// @ts-ignore: decorator
@inline
export function mulHighUnsigned(a: u64, b: u64): u64 {
	const al = a & 0xffffffff;
	const ah = a >> 32;
	const bl = b & 0xffffffff;
	const bh = b >> 32;
	const t = ah * bl + ((al * bl) >> 32);
	return ah * bh + (t >> 32) + ((al * bh + (t & 0xffffffff)) >> 32);
}

export function mulHigh(a: i64, b: i64): i64 {
	let high = <i64>mulHighUnsigned(<u64>a, <u64>b);
	if (a < 0) high -= b;
	if (b < 0) high -= a;
	return high;
}

export function mulHighSignedUnsigned(a: i64, b: u64): i64 {
	const high = <i64>mulHighUnsigned(<u64>a, b);
	return a < 0 ? high - <i64>b : high;
}

export function divide(a: i64, b: i64): i64 {
	return b == 0 ? -1 : b == -1 ? -a : a / b;
}

export function divideUnsigned(a: u64, b: u64): i64 {
	return b == 0 ? -1 : <i64>(a / b);
}

export function remainder(a: i64, b: i64): i64 {
	return b == 0 ? a : b == -1 ? 0 : a % b;
}

export function remainderUnsigned(a: u64, b: u64): i64 {
	return <i64>(b == 0 ? a : a % b);
}

export function divideWord(a: i32, b: i32): i64 {
	return b == 0 ? -1 : <i64><i32>(b == -1 ? -a : a / b);
}

export function divideWordUnsigned(a: u32, b: u32): i64 {
	return b == 0 ? -1 : <i64><i32>(a / b);
}

export function remainderWord(a: i32, b: i32): i64 {
	return <i64>(b == 0 ? a : b == -1 ? 0 : a % b);
}

export function remainderWordUnsigned(a: u32, b: u32): i64 {
	return <i64><i32>(b == 0 ? a : a % b);
}
