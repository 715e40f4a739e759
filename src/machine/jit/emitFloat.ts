// Operations of F and D: the common ones inline where the host's floating point gives the same bits and flags, all others by
// the core's softfloat.
//
// An inline result is right when it needs no flag that is not set yet: with NX set in fflags and round-to-nearest-even, a
// result that is normal (and above the least normal number, where rounding hides underflow) raised nothing else. Most loops set
// NX with their first inexact result, so they run inline from then on. Else the core looks whether the result is exact, which
// needs no flag at all (core/hostFloat.ts).

import * as layout from "../core/layout.ts";
import * as op from "../core/opcodes.ts";
import type { Emitter, Site } from "./emitter.ts";
import { floatRegister, type Instruction } from "./instruction.ts";
import { helper } from "./module.ts";
import { wasm } from "./wasmWriter.ts";

const f64Code = {
	eq: 0x61,
	lt: 0x63,
	le: 0x65,
	sqrt: 0x9f,
	add: 0xa0,
	sub: 0xa1,
	mul: 0xa2,
	div: 0xa3,
	abs: 0x99,
	neg: 0x9a,
	trunc: 0x9d,
	gt: 0x64,
	truncToI32: 0xaa,
	truncToI64: 0xb0,
	fromI32: 0xb7,
	fromI32U: 0xb8,
	fromI64: 0xb9,
	fromF32: 0xbb,
	toBits: 0xbd,
	constant: 0x44,
} as const;

const arithmetic: ReadonlyMap<number, { readonly code: number; readonly exact: number }> = new Map([
	[op.OP_FADD_D, { code: f64Code.add, exact: helper("exactSum") }],
	[op.OP_FSUB_D, { code: f64Code.sub, exact: helper("exactDifference") }],
	[op.OP_FMUL_D, { code: f64Code.mul, exact: helper("exactProduct") }],
	[op.OP_FDIV_D, { code: f64Code.div, exact: helper("exactQuotient") }],
	[op.OP_FSQRT_D, { code: f64Code.sqrt, exact: helper("exactRoot") }],
]);

const comparison: ReadonlyMap<number, number> = new Map([
	[op.OP_FEQ_D, f64Code.eq],
	[op.OP_FLT_D, f64Code.lt],
	[op.OP_FLE_D, f64Code.le],
]);

const signBit = -(1n << 63n);
const dynamic = 7;

function roundingMode(one: Instruction): number {
	return (one.bits >>> 12) & 7;
}

/** Executes nothing unless FS is dirty: then no f operation traps for it or changes it. */
export function emitFloatGuard(e: Emitter, one: Instruction, site: Site): void {
	e.get(e.hart);
	e.memory(wasm.i32Load, layout.H_MSTATUS);
	e.const32(3 << 13);
	e.op(wasm.i32And);
	e.const32(3 << 13);
	e.op(wasm.i32Ne);
	e.open(wasm.if, "clean", 0x40);
	e.coldExit(site.dirty, one.offset, site.spent);
	e.close();
}

function operand(e: Emitter, register: number, code: number): void {
	e.get(e.hart);
	e.memory(code, register * 8);
}

/** The core executes the record; what it reads of x registers must be in the hart's state, what it writes comes from there. */
function callCore(e: Emitter, one: Instruction, site: Site): void {
	if (one.rs1 > 0 && one.rs1 < floatRegister) {
		e.get(e.hart);
		e.read(one.rs1);
		e.memory(wasm.i64Store, one.rs1 * 8);
	}
	e.get(e.hart);
	e.const32(one.record);
	e.call(helper("floatHelper"));
	e.op(wasm.i32Eqz);
	e.open(wasm.if, "traps", 0x40);
	e.coldExit(site.dirty, one.offset, site.spent);
	e.close();
	if (one.rd > 0 && one.rd < floatRegister) {
		e.get(e.hart);
		e.memory(wasm.i64Load, one.rd * 8);
		e.write(one.rd);
	}
}

/** 1 on the stack if inexact results need no flag and are rounded to nearest even. */
function inexactIsFree(e: Emitter, one: Instruction): void {
	e.get(e.hart);
	if (roundingMode(one) === dynamic) {
		// fflags and frm are neighbours.
		e.memory(wasm.i64Load, layout.H_FFLAGS);
		e.const64(0xff_0000_0001n);
		e.op(wasm.i64And);
		e.const64(1);
		e.op(wasm.i64Eq);
		return;
	}
	e.memory(wasm.i32Load, layout.H_FFLAGS);
	e.const32(1);
	e.op(wasm.i32And);
}

/** 1 on the stack if the bits in `value` are a normal number above the least one. */
function isNormal(e: Emitter): void {
	e.get(e.value);
	e.const64(52);
	e.op(wasm.i64ShrU, wasm.i32WrapI64);
	e.const32(0x7ff);
	e.op(wasm.i32And);
	e.const32(2);
	e.op(wasm.i32Sub);
	e.const32(0x7fd);
	e.op(wasm.i32LtU);
}

function either(e: Emitter, inline: () => void, other: () => void): void {
	e.open(wasm.if, "inline", 0x40);
	inline();
	e.op(wasm.else);
	other();
	e.close();
}

function emitArithmetic(e: Emitter, one: Instruction, site: Site, how: { code: number; exact: number }): void {
	const isRoot = one.op === op.OP_FSQRT_D;
	operand(e, one.rs1, wasm.f64Load);
	if (!isRoot) operand(e, one.rs2, wasm.f64Load);
	e.op(how.code, f64Code.toBits);
	e.set(e.value);
	rounded(e, one, site, () => {
		operand(e, one.rs1, wasm.f64Load);
		operand(e, isRoot ? one.rs1 : one.rs2, wasm.f64Load);
		e.call(how.exact);
	});
}

/** `value` has the result if it is normal and rounding is free; else `exact` leaves it, or NaN. */
function rounded(e: Emitter, one: Instruction, site: Site, exact: () => void): void {
	isNormal(e);
	inexactIsFree(e, one);
	e.op(wasm.i32And);
	either(
		e,
		() => storeValue(e, one.rd),
		() => {
			exact();
			e.tee(e.double);
			e.get(e.double);
			e.op(f64Code.eq);
			if (roundingMode(one) === dynamic) {
				e.get(e.hart);
				e.memory(wasm.i32Load, layout.H_FRM);
				e.op(wasm.i32Eqz, wasm.i32And);
			}
			either(
				e,
				() => {
					e.get(e.hart);
					e.get(e.double);
					e.memory(wasm.f64Store, one.rd * 8);
				},
				() => callCore(e, one, site),
			);
		},
	);
}

function storeValue(e: Emitter, register: number): void {
	e.get(e.hart);
	e.get(e.value);
	e.memory(wasm.i64Store, register * 8);
}

/** The core computes these from plain operations; NaN where it cannot. */
function emitFused(e: Emitter, one: Instruction, site: Site): void {
	const negatesProduct = one.op === op.OP_FNMSUB_D || one.op === op.OP_FNMADD_D;
	const negatesAddend = one.op === op.OP_FMSUB_D || one.op === op.OP_FNMADD_D;
	const operands = () => {
		operand(e, one.rs1, wasm.f64Load);
		if (negatesProduct) e.op(f64Code.neg);
		operand(e, one.rs2, wasm.f64Load);
		e.get(e.hart);
		// The offset of rs3.
		e.memory(wasm.f64Load, one.immediate);
		if (negatesAddend) e.op(f64Code.neg);
	};
	operands();
	e.call(helper("fusedMultiplyAdd"));
	e.op(f64Code.toBits);
	e.set(e.value);
	rounded(e, one, site, () => {
		operands();
		e.call(helper("exactFused"));
	});
}

/** Without NaNs comparisons raise nothing. */
function emitComparison(e: Emitter, one: Instruction, site: Site, code: number): void {
	const isNumber = (register: number) => {
		operand(e, register, wasm.f64Load);
		operand(e, register, wasm.f64Load);
		e.op(f64Code.eq);
	};
	isNumber(one.rs1);
	isNumber(one.rs2);
	e.op(wasm.i32And);
	either(
		e,
		() => {
			operand(e, one.rs1, wasm.f64Load);
			operand(e, one.rs2, wasm.f64Load);
			e.op(code, wasm.i64ExtendI32U);
			e.write(one.rd);
		},
		() => callCore(e, one, site),
	);
}

function emitSign(e: Emitter, one: Instruction): void {
	e.get(e.hart);
	operand(e, one.rs1, wasm.i64Load);
	if (one.op !== op.OP_FSGNJX_D) {
		e.const64(~signBit);
		e.op(wasm.i64And);
	}
	operand(e, one.rs2, wasm.i64Load);
	if (one.op === op.OP_FSGNJN_D) {
		e.const64(-1);
		e.op(wasm.i64Xor);
	}
	e.const64(signBit);
	e.op(wasm.i64And, one.op === op.OP_FSGNJX_D ? wasm.i64Xor : wasm.i64Or);
	e.memory(wasm.i64Store, one.rd * 8);
}

/** To a signed integer, towards zero, of what is well inside its range. */
function emitTruncation(e: Emitter, one: Instruction, site: Site): void {
	const wide = one.op === op.OP_FCVT_L_D;
	e.const64(wide ? 0x43d0_0000_0000_0000n : 0x41d0_0000_0000_0000n);
	e.op(0xbf);
	operand(e, one.rs1, wasm.f64Load);
	e.op(f64Code.abs, f64Code.gt);
	e.get(e.hart);
	e.memory(wasm.i32Load, layout.H_FFLAGS);
	// Nothing is cut off a whole number.
	operand(e, one.rs1, wasm.f64Load);
	operand(e, one.rs1, wasm.f64Load);
	e.op(f64Code.trunc, f64Code.eq, wasm.i32Or);
	e.const32(1);
	e.op(wasm.i32And, wasm.i32And);
	either(
		e,
		() => {
			operand(e, one.rs1, wasm.f64Load);
			if (wide) e.op(f64Code.truncToI64);
			else e.op(f64Code.truncToI32, wasm.i64ExtendI32S);
			e.write(one.rd);
		},
		() => callCore(e, one, site),
	);
}

/** `emitFloatGuard` came before in the block. */
export function emitFloat(e: Emitter, one: Instruction, site: Site): void {
	const arithmeticCode = arithmetic.get(one.op);
	const comparisonCode = comparison.get(one.op);
	const mode = roundingMode(one);
	if (arithmeticCode !== undefined && (mode === 0 || mode === dynamic)) emitArithmetic(e, one, site, arithmeticCode);
	else if (one.op >= op.OP_FMADD_D && one.op <= op.OP_FNMADD_D && (mode === 0 || mode === dynamic))
		emitFused(e, one, site);
	else if (comparisonCode !== undefined) emitComparison(e, one, site, comparisonCode);
	else if (one.op === op.OP_FCVT_W_D && mode === 1) emitTruncation(e, one, site);
	else if (one.op === op.OP_FCVT_L_D && mode === 1) emitTruncation(e, one, site);
	else {
		switch (one.op) {
			case op.OP_FSGNJ_D:
			case op.OP_FSGNJN_D:
			case op.OP_FSGNJX_D:
				emitSign(e, one);
				return;
			case op.OP_FMV_D_X:
				e.get(e.hart);
				e.read(one.rs1);
				e.memory(wasm.i64Store, one.rd * 8);
				return;
			case op.OP_FMV_X_D:
				operand(e, one.rs1, wasm.i64Load);
				e.write(one.rd);
				return;
			case op.OP_FCVT_D_W:
			case op.OP_FCVT_D_WU:
				// Exact, but a reserved frm traps.
				if (mode === dynamic) break;
				e.get(e.hart);
				e.readWord(one.rs1);
				e.op(one.op === op.OP_FCVT_D_W ? f64Code.fromI32 : f64Code.fromI32U);
				e.memory(wasm.f64Store, one.rd * 8);
				return;
		}
		callCore(e, one, site);
	}
}
