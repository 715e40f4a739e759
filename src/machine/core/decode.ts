// Raw instruction → decoded record: what the table of the instruction set says of the word (isaDecoder.ts), with shorter forms where
// an operand makes a simpler operation of it. Unlisted encodings become OP_ILLEGAL.

import { H_F, H_SINK, PAGE_SIZE, SLOT_COPY } from "./layout";
import * as op from "./opcodes";
import { recordsOfSlot } from "./code";
import { expand } from "./compressed";
import { recognise } from "./idioms";
import { operationOf } from "./isaDecoder";
import {
	COMPUTES, IMMEDIATE, IMMEDIATE_B, IMMEDIATE_I, IMMEDIATE_J, IMMEDIATE_RS3, IMMEDIATE_S, IMMEDIATE_SHIFT, IMMEDIATE_SHIFT_WORD, IMMEDIATE_U,
	IMMEDIATE_WORD, RD_F, RD_X, ROUNDS, RS1_F, RS1_X, RS2_F, RS2_X,
} from "./recordLayout";

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

/** The word's immediate in a format (unprivileged ISA 2.3), or what stands for it. */
function immediateOf(i: u32, format: u32): i32 {
	switch (format) {
		case IMMEDIATE_I: return <i32>i >> 20;
		case IMMEDIATE_S: return ((<i32>i >> 25) << 5) | <i32>((i >> 7) & 31);
		case IMMEDIATE_B: return ((<i32>i >> 31) << 12) | <i32>(((i << 4) & 0x800) | ((i >> 20) & 0x7e0) | ((i >> 7) & 0x1e));
		case IMMEDIATE_U: return <i32>(i & 0xfffff000);
		case IMMEDIATE_J: return ((<i32>i >> 31) << 20) | <i32>((i & 0xff000) | ((i >> 9) & 0x800) | ((i >> 20) & 0x7fe));
		case IMMEDIATE_SHIFT: return (i >> 20) & 63;
		case IMMEDIATE_SHIFT_WORD: return (i >> 20) & 31;
		case IMMEDIATE_WORD: return <i32>i;
		case IMMEDIATE_RS3: return <i32>f(i >> 27);
	}
	return 0;
}

/**
 * Decodes into `at`. `offset` is the place in the page; with `local`, branches inside the page become local ones
 * (scratch records have no neighbours, so theirs do not).
 */
export function decode(at: usize, bits: u32, offset: u32, local: bool): void {
	record = at;
	raw = bits;
	stride = 32;
	let i = bits;
	if ((bits & 3) != 3) {
		stride = 16;
		raw = bits & 0xffff;
		i = expand(raw);
	}
	const found = operationOf(i);
	const rm = (i >> 12) & 7;
	if (found == 0 || ((found & ROUNDS) != 0 && (rm == 5 || rm == 6))) {
		illegal();
		return;
	}
	const code = found & 0xff;
	const rd = (i >> 7) & 31;
	const immediate = immediateOf(i, found & IMMEDIATE);
	if ((found & COMPUTES) != 0 && rd == 0) {
		emit(op.OP_NOP, H_SINK, 0, 0, 0);
		return;
	}
	const to = (found & RD_F) != 0 ? f(rd) : (found & RD_X) != 0 && rd != 0 ? x(rd) : H_SINK;
	const field1 = (i >> 15) & 31;
	const field2 = (i >> 20) & 31;
	const rs1 = (found & RS1_F) != 0 ? f(field1) : (found & RS1_X) != 0 ? x(field1) : 0;
	const rs2 = (found & RS2_F) != 0 ? f(field2) : (found & RS2_X) != 0 ? x(field2) : 0;
	const stays = local && offset + <u32>immediate < <u32>PAGE_SIZE;
	if (code == op.OP_LUI) emit(op.OP_LI, to, 0, 0, immediate);
	else if (code == op.OP_ADDI && rs1 == 0) emit(op.OP_LI, to, 0, 0, immediate);
	else if (code == op.OP_ADDI && immediate == 0) emit(op.OP_MV, to, rs1, 0, 0);
	else if (code == op.OP_ADD && rs1 == 0) emit(op.OP_MV, to, rs2, 0, 0);
	else if (code == op.OP_JAL && stays) emit(rd ? op.OP_JAL_LOCAL : op.OP_J_LOCAL, to, 0, 0, immediate << 3);
	else if (code >= <u32>op.OP_BEQ && code <= <u32>op.OP_BGEU && stays) emit(code - op.OP_BEQ + op.OP_BEQ_LOCAL, to, rs1, rs2, immediate << 3);
	else emit(code, to, rs1, rs2, immediate);
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
