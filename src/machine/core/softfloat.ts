// IEEE 754-2008 binary32 and binary64 arithmetic on raw bits, as RISC-V F and D define it (unprivileged ISA, chapters 11, 12):
// five rounding modes, accrued flags, tininess detected after rounding, every NaN result the canonical one.
//
// Contract of every function here:
// - operands and results are raw bits; NaN boxing is the caller's business;
// - `rm` is 0..4 (RNE RTZ RDN RUP RMM); the caller has resolved DYN and refused 5 and 6;
// - exceptions are OR-ed into `softfloat_flags` in fflags layout and never cleared here;
// - f32_mulAdd/f64_mulAdd compute a*b+c with one rounding: negate operands for fmsub/fnmadd/fnmsub.
//
// A binary32 operand is widened to binary64 bits first (exact), so that one core computes for both widths and only
// the final rounding differs. Inside, a significand has its leading one at bit 62; lower bits are guard and sticky.

export { softfloat_flags } from "./softfloatRound";
export {
	f32_add, f32_sub, f32_mul, f32_div, f32_sqrt, f32_mulAdd,
	f64_add, f64_sub, f64_mul, f64_div, f64_sqrt, f64_mulAdd,
} from "./softfloatArithmetic";
export {
	i32_to_f32, u32_to_f32, i64_to_f32, u64_to_f32, i32_to_f64, u32_to_f64, i64_to_f64, u64_to_f64,
	f32_to_i32, f32_to_u32, f32_to_i64, f32_to_u64, f64_to_i32, f64_to_u32, f64_to_i64, f64_to_u64,
	f32_to_f64, f64_to_f32,
} from "./softfloatConvert";
export {
	f32_eq, f32_lt, f32_le, f32_min, f32_max, f32_class,
	f64_eq, f64_lt, f64_le, f64_min, f64_max, f64_class,
} from "./softfloatCompare";
