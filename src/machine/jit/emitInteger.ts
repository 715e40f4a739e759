// Register computations of I and M.

import * as op from "../core/opcodes.ts";
import type { Emitter } from "./emitter.ts";
import type { Instruction } from "./instruction.ts";
import { helper } from "./module.ts";
import { i32, i64, wasm } from "./wasmWriter.ts";

/** rd = rs1 ∘ immediate and rd = rs1 ∘ rs2 on 64 bits; comparisons give 32 bits. */
const immediate64: ReadonlyMap<number, number> = new Map([
	[op.OP_ADDI, wasm.i64Add],
	[op.OP_SLTI, wasm.i64LtS],
	[op.OP_SLTIU, wasm.i64LtU],
	[op.OP_XORI, wasm.i64Xor],
	[op.OP_ORI, wasm.i64Or],
	[op.OP_ANDI, wasm.i64And],
	[op.OP_SLLI, wasm.i64Shl],
	[op.OP_SRLI, wasm.i64ShrU],
	[op.OP_SRAI, wasm.i64ShrS],
]);

const register64: ReadonlyMap<number, number> = new Map([
	[op.OP_ADD, wasm.i64Add],
	[op.OP_SUB, wasm.i64Sub],
	[op.OP_SLL, wasm.i64Shl],
	[op.OP_SLT, wasm.i64LtS],
	[op.OP_SLTU, wasm.i64LtU],
	[op.OP_XOR, wasm.i64Xor],
	[op.OP_SRL, wasm.i64ShrU],
	[op.OP_SRA, wasm.i64ShrS],
	[op.OP_OR, wasm.i64Or],
	[op.OP_AND, wasm.i64And],
	[op.OP_MUL, wasm.i64Mul],
]);

const immediate32: ReadonlyMap<number, number> = new Map([
	[op.OP_ADDIW, wasm.i32Add],
	[op.OP_SLLIW, wasm.i32Shl],
	[op.OP_SRLIW, wasm.i32ShrU],
	[op.OP_SRAIW, wasm.i32ShrS],
]);

const register32: ReadonlyMap<number, number> = new Map([
	[op.OP_ADDW, wasm.i32Add],
	[op.OP_SUBW, wasm.i32Sub],
	[op.OP_SLLW, wasm.i32Shl],
	[op.OP_SRLW, wasm.i32ShrU],
	[op.OP_SRAW, wasm.i32ShrS],
	[op.OP_MULW, wasm.i32Mul],
]);

const comparisons = new Set<number>([op.OP_SLTI, op.OP_SLTIU, op.OP_SLT, op.OP_SLTU]);

const highs: ReadonlyMap<number, number> = new Map([
	[op.OP_MULH, helper("mulHigh")],
	[op.OP_MULHSU, helper("mulHighSignedUnsigned")],
	[op.OP_MULHU, helper("mulHighUnsigned")],
]);

const divisions: ReadonlyMap<number, { code: number; word: boolean; remainder: boolean; signed: boolean }> = new Map([
	[op.OP_DIV, { code: wasm.i64DivS, word: false, remainder: false, signed: true }],
	[op.OP_DIVU, { code: wasm.i64DivU, word: false, remainder: false, signed: false }],
	[op.OP_REM, { code: wasm.i64RemS, word: false, remainder: true, signed: true }],
	[op.OP_REMU, { code: wasm.i64RemU, word: false, remainder: true, signed: false }],
	[op.OP_DIVW, { code: wasm.i32DivS, word: true, remainder: false, signed: true }],
	[op.OP_DIVUW, { code: wasm.i32DivU, word: true, remainder: false, signed: false }],
	[op.OP_REMW, { code: wasm.i32RemS, word: true, remainder: true, signed: true }],
	[op.OP_REMUW, { code: wasm.i32RemU, word: true, remainder: true, signed: false }],
]);

/** False: it is none of these. */
export function emitInteger(e: Emitter, one: Instruction): boolean {
	const { rd, rs1, rs2, immediate } = one;
	switch (one.op) {
		case op.OP_NOP:
		case op.OP_FENCE:
		case op.OP_FENCE_I:
			return true;
		case op.OP_LI:
			e.const64(immediate);
			e.write(rd);
			return true;
		case op.OP_MV:
			e.read(rs1);
			e.write(rd);
			return true;
		case op.OP_AUIPC:
			e.pcOf(one.offset);
			e.const64(immediate);
			e.op(wasm.i64Add);
			e.write(rd);
			return true;
	}
	const code64 = immediate64.get(one.op) ?? register64.get(one.op);
	if (code64 !== undefined) {
		e.read(rs1);
		if (immediate64.has(one.op)) e.const64(immediate);
		else e.read(rs2);
		e.op(code64);
		if (comparisons.has(one.op)) e.op(wasm.i64ExtendI32U);
		e.write(rd);
		return true;
	}
	const code32 = immediate32.get(one.op) ?? register32.get(one.op);
	if (code32 !== undefined) {
		e.readWord(rs1);
		if (immediate32.has(one.op)) e.const32(immediate);
		else e.readWord(rs2);
		e.op(code32, wasm.i64ExtendI32S);
		e.write(rd);
		return true;
	}
	const high = highs.get(one.op);
	if (high !== undefined) {
		e.read(rs1);
		e.read(rs2);
		e.call(high);
		e.write(rd);
		return true;
	}
	return emitDivision(e, one);
}

/** Division by zero gives all ones and the dividend as remainder; -1 is apart because of the one overflow. */
function emitDivision(e: Emitter, one: Instruction): boolean {
	const division = divisions.get(one.op);
	if (!division) return false;
	const { code, word, remainder, signed } = division;
	const type = word ? i32 : i64;
	const read = (register: number) => (word ? e.readWord(register) : e.read(register));
	const constant = (value: number) => (word ? e.const32(value) : e.const64(value));
	read(one.rs2);
	e.op(word ? wasm.i32Eqz : wasm.i64Eqz);
	e.open(wasm.if, "by zero", type);
	if (remainder) read(one.rs1);
	else constant(-1);
	e.op(wasm.else);
	if (signed) {
		read(one.rs2);
		constant(-1);
		e.op(word ? wasm.i32Eq : wasm.i64Eq);
		e.open(wasm.if, "by -1", type);
		constant(0);
		if (!remainder) {
			read(one.rs1);
			e.op(word ? wasm.i32Sub : wasm.i64Sub);
		}
		e.op(wasm.else);
	}
	read(one.rs1);
	read(one.rs2);
	e.op(code);
	if (signed) e.close();
	e.close();
	if (word) e.op(wasm.i64ExtendI32S);
	e.write(one.rd);
	return true;
}
