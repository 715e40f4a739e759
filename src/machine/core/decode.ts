// Raw instruction → decoded record. Unlisted encodings become OP_ILLEGAL.

import { H_F, H_SINK, PAGE_SIZE, SLOT_COPY } from "./layout";
import * as op from "./opcodes";
import { recordsOfSlot } from "./code";
import { expand } from "./compressed";
import { recognise } from "./idioms";

/** The record being written, its instruction's bits as fetched, and its length. */
let record: usize = 0;
let raw: u32 = 0;
let stride: u32 = 0;

// @ts-ignore: decorator
@inline
function x(register: u32): u32 {
	return register << 3;
}

// @ts-ignore: decorator
@inline
function f(register: u32): u32 {
	return H_F + (register << 3);
}

/** `rd`, `rs1`, `rs2` are offsets into the hart's state. */
function emit(code: u32, rd: u32, rs1: u32, rs2: u32, immediate: i32): void {
	store<u8>(record, <u8>stride, 1);
	store<u16>(record, <u16>rd, 2);
	store<u16>(record, <u16>rs1, 4);
	store<u16>(record, <u16>rs2, 6);
	store<i32>(record, immediate, 8);
	store<u32>(record, raw, 12);
	store<u8>(record, <u8>code);
}

function illegal(): void {
	emit(op.OP_ILLEGAL, H_SINK, 0, 0, 0);
}

/** An instruction that only computes rd does nothing when rd is x0. */
function compute(code: u32, rd: u32, rs1: u32, rs2: u32, immediate: i32): void {
	if (rd == 0) emit(op.OP_NOP, H_SINK, 0, 0, 0);
	else emit(code, x(rd), x(rs1), x(rs2), immediate);
}

/**
 * Decodes into `at`. `offset` is the place in the page; with `local`, branches inside the page become local ones
 * (scratch records have no neighbours, so theirs do not).
 */
export function decode(at: usize, bits: u32, offset: u32, local: bool): void {
	record = at;
	let i = bits;
	stride = 32;
	raw = bits;
	if ((bits & 3) != 3) {
		stride = 16;
		raw = bits & 0xffff;
		i = expand(raw);
		if (i == 0) {
			illegal();
			return;
		}
	}
	const rd = (i >> 7) & 31;
	const rs1 = (i >> 15) & 31;
	const rs2 = (i >> 20) & 31;
	const f3 = (i >> 12) & 7;
	const f7 = i >> 25;
	const immediate = <i32>i >> 20;
	const storeImmediate = ((<i32>i >> 25) << 5) | <i32>rd;
	const sink: u32 = rd ? x(rd) : H_SINK;
	switch (i & 0x7f) {
		case 0x37: compute(op.OP_LI, rd, 0, 0, <i32>(i & 0xfffff000)); return;
		case 0x17: compute(op.OP_AUIPC, rd, 0, 0, <i32>(i & 0xfffff000)); return;
		case 0x6f: {
			const distance = ((<i32>i >> 31) << 20) | <i32>((i & 0xff000) | ((i >> 9) & 0x800) | ((i >> 20) & 0x7fe));
			if (local && offset + <u32>distance < <u32>PAGE_SIZE) emit(rd ? op.OP_JAL_LOCAL : op.OP_J_LOCAL, sink, 0, 0, distance << 3);
			else emit(op.OP_JAL, sink, 0, 0, distance);
			return;
		}
		case 0x67: if (f3) break; emit(op.OP_JALR, sink, x(rs1), 0, immediate); return;
		case 0x63: {
			if (f3 == 2 || f3 == 3) break;
			const distance = ((<i32>i >> 31) << 12) | <i32>(((i << 4) & 0x800) | ((i >> 20) & 0x7e0) | ((i >> 7) & 0x1e));
			const kind = f3 < 2 ? f3 : f3 - 2;
			if (local && offset + <u32>distance < <u32>PAGE_SIZE) emit(op.OP_BEQ_LOCAL + kind, H_SINK, x(rs1), x(rs2), distance << 3);
			else emit(op.OP_BEQ + kind, H_SINK, x(rs1), x(rs2), distance);
			return;
		}
		case 0x03: if (f3 == 7) break; emit(op.OP_LB + f3, sink, x(rs1), 0, immediate); return;
		case 0x23: if (f3 > 3) break; emit(op.OP_SB + f3, H_SINK, x(rs1), x(rs2), storeImmediate); return;
		case 0x07: if (f3 != 2 && f3 != 3) break; emit(op.OP_FLW + f3 - 2, f(rd), x(rs1), 0, immediate); return;
		case 0x27: if (f3 != 2 && f3 != 3) break; emit(op.OP_FSW + f3 - 2, H_SINK, x(rs1), f(rs2), storeImmediate); return;
		case 0x13: if (!operateImmediate(f3, f7, rd, rs1, immediate)) break; return;
		case 0x1b: {
			const shift = immediate & 31;
			if (f3 == 0) compute(op.OP_ADDIW, rd, rs1, 0, immediate);
			else if (f3 == 1 && f7 == 0) compute(op.OP_SLLIW, rd, rs1, 0, shift);
			else if (f3 == 5 && f7 == 0) compute(op.OP_SRLIW, rd, rs1, 0, shift);
			else if (f3 == 5 && f7 == 32) compute(op.OP_SRAIW, rd, rs1, 0, shift);
			else break;
			return;
		}
		case 0x33: {
			let code: u32 = 0;
			if (f7 == 1) code = op.OP_MUL + f3;
			else if (f7 == 0) code = f3 < 6 ? (f3 == 0 ? op.OP_ADD : op.OP_SUB + f3) : op.OP_SUB + f3 + 1;
			else if (f7 == 32) code = f3 == 0 ? op.OP_SUB : f3 == 5 ? op.OP_SRA : 0;
			if (!code) break;
			if (code == op.OP_ADD && rs1 == 0) compute(op.OP_MV, rd, rs2, 0, 0);
			else compute(code, rd, rs1, rs2, 0);
			return;
		}
		case 0x3b: {
			let code: u32 = 0;
			if (f7 == 1) code = f3 == 0 ? op.OP_MULW : f3 >= 4 ? op.OP_DIVW + f3 - 4 : 0;
			else if (f7 == 0) code = f3 == 0 ? op.OP_ADDW : f3 == 1 ? op.OP_SLLW : f3 == 5 ? op.OP_SRLW : 0;
			else if (f7 == 32) code = f3 == 0 ? op.OP_SUBW : f3 == 5 ? op.OP_SRAW : 0;
			if (!code) break;
			compute(code, rd, rs1, rs2, 0);
			return;
		}
		case 0x0f: if (f3 > 1) break; emit(op.OP_FENCE + f3, H_SINK, 0, 0, 0); return;
		case 0x2f: if (!atomic(f3, f7 >> 2, sink, rs1, rs2)) break; return;
		case 0x73: if (!system(i, f3, f7, rd, rs1, rs2, sink)) break; return;
		case 0x43: case 0x47: case 0x4b: case 0x4f: {
			const width = f7 & 3;
			if (width > 1 || f3 == 5 || f3 == 6) break;
			emit(op.OP_FMADD_S + (width << 2) + ((i >> 2) & 3), f(rd), f(rs1), f(rs2), <i32>f(i >> 27));
			return;
		}
		case 0x53: if (!floating(f3, f7, rd, rs1, rs2, sink)) break; return;
	}
	illegal();
}

function operateImmediate(f3: u32, f7: u32, rd: u32, rs1: u32, immediate: i32): bool {
	switch (f3) {
		case 0:
			if (rs1 == 0) compute(op.OP_LI, rd, 0, 0, immediate);
			else if (immediate == 0) compute(op.OP_MV, rd, rs1, 0, 0);
			else compute(op.OP_ADDI, rd, rs1, 0, immediate);
			return true;
		case 1:
			if (f7 >> 1) return false;
			compute(op.OP_SLLI, rd, rs1, 0, immediate & 63);
			return true;
		case 5:
			if (f7 >> 1 != 0 && f7 >> 1 != 16) return false;
			compute(f7 >> 1 ? op.OP_SRAI : op.OP_SRLI, rd, rs1, 0, immediate & 63);
			return true;
		case 2: compute(op.OP_SLTI, rd, rs1, 0, immediate); return true;
		case 3: compute(op.OP_SLTIU, rd, rs1, 0, immediate); return true;
		case 4: compute(op.OP_XORI, rd, rs1, 0, immediate); return true;
		case 6: compute(op.OP_ORI, rd, rs1, 0, immediate); return true;
	}
	compute(op.OP_ANDI, rd, rs1, 0, immediate);
	return true;
}

function atomic(f3: u32, f5: u32, sink: u32, rs1: u32, rs2: u32): bool {
	if (f3 != 2 && f3 != 3) return false;
	let code: u32 = 0;
	switch (f5) {
		case 0: code = op.OP_AMOADD_W; break;
		case 1: code = op.OP_AMOSWAP_W; break;
		case 2: code = rs2 == 0 ? op.OP_LR_W : 0; break;
		case 3: code = op.OP_SC_W; break;
		case 4: code = op.OP_AMOXOR_W; break;
		case 8: code = op.OP_AMOOR_W; break;
		case 12: code = op.OP_AMOAND_W; break;
		case 16: code = op.OP_AMOMIN_W; break;
		case 20: code = op.OP_AMOMAX_W; break;
		case 24: code = op.OP_AMOMINU_W; break;
		case 28: code = op.OP_AMOMAXU_W; break;
	}
	if (!code) return false;
	emit(code + f3 - 2, sink, x(rs1), x(rs2), 0);
	return true;
}

function system(i: u32, f3: u32, f7: u32, rd: u32, rs1: u32, rs2: u32, sink: u32): bool {
	if (f3 == 4) return false;
	if (f3 != 0) {
		emit(op.OP_CSR, sink, x(rs1), 0, <i32>i);
		return true;
	}
	let code: u32 = 0;
	if (f7 == 9 && rd == 0) code = op.OP_SFENCE_VMA;
	else if (rd == 0 && rs1 == 0) {
		switch (i >> 20) {
			case 0x000: code = op.OP_ECALL; break;
			case 0x001: code = op.OP_EBREAK; break;
			case 0x102: code = op.OP_SRET; break;
			case 0x302: code = op.OP_MRET; break;
			case 0x105: code = op.OP_WFI; break;
		}
	}
	if (!code) return false;
	emit(code, H_SINK, x(rs1), x(rs2), 0);
	return true;
}

/** OP-FP. Where the rm field selects the operation, only its listed values exist; where it is a rounding mode, 5 and 6 do not. */
function floating(f3: u32, f7: u32, rd: u32, rs1: u32, rs2: u32, sink: u32): bool {
	const d = f7 & 1;
	if ((f7 & 3) > 1) return false;
	const rounds = f3 != 5 && f3 != 6;
	switch (f7 >> 2) {
		case 0: case 1: case 2: case 3:
			if (!rounds) return false;
			emit((d ? op.OP_FADD_D : op.OP_FADD_S) + (f7 >> 2), f(rd), f(rs1), f(rs2), 0);
			return true;
		case 11:
			if (!rounds || rs2) return false;
			emit(d ? op.OP_FSQRT_D : op.OP_FSQRT_S, f(rd), f(rs1), 0, 0);
			return true;
		case 4:
			if (f3 > 2) return false;
			emit((d ? op.OP_FSGNJ_D : op.OP_FSGNJ_S) + f3, f(rd), f(rs1), f(rs2), 0);
			return true;
		case 5:
			if (f3 > 1) return false;
			emit((d ? op.OP_FMIN_D : op.OP_FMIN_S) + f3, f(rd), f(rs1), f(rs2), 0);
			return true;
		case 8:
			if (!rounds || rs2 != (d ^ 1)) return false;
			emit(d ? op.OP_FCVT_D_S : op.OP_FCVT_S_D, f(rd), f(rs1), 0, 0);
			return true;
		case 20:
			if (f3 > 2) return false;
			emit((d ? op.OP_FLE_D : op.OP_FLE_S) + f3, sink, f(rs1), f(rs2), 0);
			return true;
		case 24:
			if (!rounds || rs2 > 3) return false;
			emit((d ? op.OP_FCVT_W_D : op.OP_FCVT_W_S) + rs2, sink, f(rs1), 0, 0);
			return true;
		case 26:
			if (!rounds || rs2 > 3) return false;
			emit((d ? op.OP_FCVT_D_W : op.OP_FCVT_S_W) + rs2, f(rd), x(rs1), 0, 0);
			return true;
		case 28:
			if (f3 > 1 || rs2) return false;
			emit(f3 == 1 ? (d ? op.OP_FCLASS_D : op.OP_FCLASS_S) : d ? op.OP_FMV_X_D : op.OP_FMV_X_W, sink, f(rs1), 0, 0);
			return true;
		case 30:
			if (f3 || rs2) return false;
			emit(d ? op.OP_FMV_D_X : op.OP_FMV_W_X, f(rd), x(rs1), 0, 0);
			return true;
	}
	return false;
}

/** Decodes the record at an offset of a slot if it is not yet; returns its address. */
export function decodeAt(slot: u32, offset: u32): u32 {
	const at = recordsOfSlot(slot) + (offset << 3);
	if (load<u8>(at) != op.OP_UNDECODED) return at;
	const source: usize = SLOT_COPY + slot * PAGE_SIZE + offset;
	const low: u32 = load<u16>(source);
	if ((low & 3) != 3) decode(at, low, offset, true);
	else if (offset == PAGE_SIZE - 2) {
		store<u8>(at, 32, 1);
		store<u8>(at, op.OP_STRADDLE);
	} else decode(at, low | (<u32>load<u16>(source, 2) << 16), offset, true);
	if (load<u8>(at) == op.OP_BNE_LOCAL && load<i32>(at, 8) < 0) recogniseLoop(slot, offset, at);
	return at;
}

/** Backward branches of this many bytes or less may close a loop worth recognising. */
export const LOOP_BYTES: i32 = 32;

function recogniseLoop(slot: u32, offset: u32, branch: u32): void {
	const distance = load<i32>(branch, 8) >> 3;
	if (distance < -LOOP_BYTES) return;
	for (let o = offset + <u32>distance; o < offset; ) {
		const at = decodeAt(slot, o);
		// Only straight bodies; this also ends the recursion, as a branch inside is never part of a body.
		if (load<u8>(at) != op.OP_ADDI && load<u8>(at) != op.OP_LBU && load<u8>(at) != op.OP_LB && load<u8>(at) != op.OP_SB) return;
		o += <u32>load<u8>(at, 1) >> 3;
	}
	recognise(branch);
}
