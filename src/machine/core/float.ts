// F and D: operands, NaN boxing, rounding mode, flags and FS around softfloat (unprivileged ISA, chapters "F" and "D").

import { H_F, H_FAULT, H_FFLAGS, H_FRM, H_MSTATUS } from "./layout";
import * as op from "./opcodes";
import { CAUSE_ILLEGAL, MSTATUS_FS, fault } from "./hart";
import * as sf from "./softfloat";
import { setSoftfloatFlags, softfloat_flags } from "./softfloatRound";

const BOX: u64 = 0xffffffff00000000;
const NAN_32: u32 = 0x7fc00000;
const SIGN_32: u32 = 0x80000000;
const SIGN_64: u64 = 0x8000000000000000;

/** A binary32 operand; one that is not NaN-boxed reads as the canonical NaN. */
// @ts-ignore: decorator
@inline
function single(bits: u64): u32 {
	return (bits & BOX) == BOX ? <u32>bits : NAN_32;
}

// @ts-ignore: decorator
@inline
function boxed(bits: u32): u64 {
	return BOX | <u64>bits;
}

// @ts-ignore: decorator
@inline
function truth(b: u32): u64 {
	return <u64>b;
}

/** Whether f registers may be touched; if not, the instruction is illegal. */
export function floatEnabled(h: usize, r: usize): bool {
	if (load<u64>(h, H_MSTATUS) & MSTATUS_FS) return true;
	fault(h, CAUSE_ILLEGAL, load<u32>(r, 12));
	return false;
}

// @ts-ignore: decorator
@inline
export function markFloatDirty(h: usize): void {
	store<u64>(h, load<u64>(h, H_MSTATUS) | MSTATUS_FS, H_MSTATUS);
}

/** Operations whose rm field is a rounding mode. */
function rounds(code: u32): bool {
	return code <= <u32>op.OP_FSQRT_D || (code >= <u32>op.OP_FCVT_W_S && code <= <u32>op.OP_FCVT_D_S);
}

/** Executes the record; `faulted` says whether it trapped. */
export function float(h: usize, r: usize, code: u32): void {
	if (!floatEnabled(h, r)) return;
	const bits = load<u32>(r, 12);
	let rm: u32 = (bits >> 12) & 7;
	if (rm == 7 && rounds(code)) {
		rm = load<u32>(h, H_FRM);
		if (rm > 4) {
			fault(h, CAUSE_ILLEGAL, bits);
			return;
		}
	}
	const a = load<u64>(h + <usize>load<u16>(r, 4));
	const b = load<u64>(h + <usize>load<u16>(r, 6));
	const rd = <usize>load<u16>(r, 2);
	const value = code <= <u32>op.OP_FNMADD_D ? fused(code, a, b, load<u64>(h + load<u32>(r, 8)), rm) : evaluate(code, a, b, rm);
	store<u64>(h + rd, value);
	if (softfloat_flags) {
		store<u32>(h, load<u32>(h, H_FFLAGS) | softfloat_flags, H_FFLAGS);
		setSoftfloatFlags(0);
	}
	if (rd >= <usize>H_F && rd < <usize>(H_F + 256)) markFloatDirty(h);
}

function fused(code: u32, a: u64, b: u64, c: u64, rm: u32): u64 {
	if (code <= <u32>op.OP_FNMADD_S) {
		let x = single(a);
		let z = single(c);
		if (code == op.OP_FNMSUB_S || code == op.OP_FNMADD_S) x ^= SIGN_32;
		if (code == op.OP_FMSUB_S || code == op.OP_FNMADD_S) z ^= SIGN_32;
		return boxed(sf.f32_mulAdd(x, single(b), z, rm));
	}
	if (code == op.OP_FNMSUB_D || code == op.OP_FNMADD_D) a ^= SIGN_64;
	if (code == op.OP_FMSUB_D || code == op.OP_FNMADD_D) c ^= SIGN_64;
	return sf.f64_mulAdd(a, b, c, rm);
}

function evaluate(code: u32, a: u64, b: u64, rm: u32): u64 {
	switch (code) {
		case op.OP_FADD_S: return boxed(sf.f32_add(single(a), single(b), rm));
		case op.OP_FSUB_S: return boxed(sf.f32_sub(single(a), single(b), rm));
		case op.OP_FMUL_S: return boxed(sf.f32_mul(single(a), single(b), rm));
		case op.OP_FDIV_S: return boxed(sf.f32_div(single(a), single(b), rm));
		case op.OP_FSQRT_S: return boxed(sf.f32_sqrt(single(a), rm));
		case op.OP_FADD_D: return sf.f64_add(a, b, rm);
		case op.OP_FSUB_D: return sf.f64_sub(a, b, rm);
		case op.OP_FMUL_D: return sf.f64_mul(a, b, rm);
		case op.OP_FDIV_D: return sf.f64_div(a, b, rm);
		case op.OP_FSQRT_D: return sf.f64_sqrt(a, rm);
		case op.OP_FSGNJ_S: return boxed((single(a) & ~SIGN_32) | (single(b) & SIGN_32));
		case op.OP_FSGNJN_S: return boxed((single(a) & ~SIGN_32) | (~single(b) & SIGN_32));
		case op.OP_FSGNJX_S: return boxed(single(a) ^ (single(b) & SIGN_32));
		case op.OP_FSGNJ_D: return (a & ~SIGN_64) | (b & SIGN_64);
		case op.OP_FSGNJN_D: return (a & ~SIGN_64) | (~b & SIGN_64);
		case op.OP_FSGNJX_D: return a ^ (b & SIGN_64);
		case op.OP_FMIN_S: return boxed(sf.f32_min(single(a), single(b)));
		case op.OP_FMAX_S: return boxed(sf.f32_max(single(a), single(b)));
		case op.OP_FMIN_D: return sf.f64_min(a, b);
		case op.OP_FMAX_D: return sf.f64_max(a, b);
		case op.OP_FLE_S: return truth(sf.f32_le(single(a), single(b)));
		case op.OP_FLT_S: return truth(sf.f32_lt(single(a), single(b)));
		case op.OP_FEQ_S: return truth(sf.f32_eq(single(a), single(b)));
		case op.OP_FLE_D: return truth(sf.f64_le(a, b));
		case op.OP_FLT_D: return truth(sf.f64_lt(a, b));
		case op.OP_FEQ_D: return truth(sf.f64_eq(a, b));
		case op.OP_FCLASS_S: return <u64>sf.f32_class(single(a));
		case op.OP_FCLASS_D: return <u64>sf.f64_class(a);
		case op.OP_FCVT_W_S: return <u64><i64>sf.f32_to_i32(single(a), rm);
		case op.OP_FCVT_WU_S: return <u64><i64><i32>sf.f32_to_u32(single(a), rm);
		case op.OP_FCVT_L_S: return <u64>sf.f32_to_i64(single(a), rm);
		case op.OP_FCVT_LU_S: return sf.f32_to_u64(single(a), rm);
		case op.OP_FCVT_W_D: return <u64><i64>sf.f64_to_i32(a, rm);
		case op.OP_FCVT_WU_D: return <u64><i64><i32>sf.f64_to_u32(a, rm);
		case op.OP_FCVT_L_D: return <u64>sf.f64_to_i64(a, rm);
		case op.OP_FCVT_LU_D: return sf.f64_to_u64(a, rm);
		case op.OP_FCVT_S_W: return boxed(sf.i32_to_f32(<i32>a, rm));
		case op.OP_FCVT_S_WU: return boxed(sf.u32_to_f32(<u32>a, rm));
		case op.OP_FCVT_S_L: return boxed(sf.i64_to_f32(<i64>a, rm));
		case op.OP_FCVT_S_LU: return boxed(sf.u64_to_f32(a, rm));
		case op.OP_FCVT_D_W: return sf.i32_to_f64(<i32>a, rm);
		case op.OP_FCVT_D_WU: return sf.u32_to_f64(<u32>a, rm);
		case op.OP_FCVT_D_L: return sf.i64_to_f64(<i64>a, rm);
		case op.OP_FCVT_D_LU: return sf.u64_to_f64(a, rm);
		case op.OP_FCVT_S_D: return boxed(sf.f64_to_f32(a, rm));
		case op.OP_FCVT_D_S: return sf.f32_to_f64(single(a));
		case op.OP_FMV_X_W: return <u64><i64><i32>a;
		case op.OP_FMV_W_X: return boxed(<u32>a);
	}
	return a; // fmv.x.d, fmv.d.x
}

/** For translated code: executes the record; 0: it would trap, nothing was done. */
export function floatHelper(h: usize, r: usize): u32 {
	float(h, r, load<u8>(r));
	if (!load<u32>(h, H_FAULT)) return 1;
	store<u32>(h, 0, H_FAULT);
	return 0;
}
