// Decoded records as the translator reads them, and what it needs to know of each operation.

import { CSR } from "../../riscv/csr.ts";
import { instructions, operationName, type Instruction as Row } from "../../riscv/isa.ts";
import * as op from "../core/opcodes.ts";

/** First number of an f register; x registers are 0..31. */
export const floatRegister = 64;
/** Where writes to x0 go (H_SINK / 8). */
const sink = 32;

export interface Instruction {
	/** Place in the page, in bytes. */
	readonly offset: number;
	readonly op: number;
	/** Bytes. */
	readonly length: number;
	/** x0..x31, or {@link floatRegister} + n; rd is 0 where nothing is written. */
	readonly rd: number;
	readonly rs1: number;
	readonly rs2: number;
	readonly immediate: number;
	/** The instruction's bits, for the operations that keep them. */
	readonly bits: number;
	/** Linear address of the record. */
	readonly record: number;
}

export function readRecord(view: DataView, record: number, offset: number): Instruction {
	const rd = view.getUint16(record + 2, true) >> 3;
	return {
		offset,
		op: view.getUint8(record),
		length: view.getUint8(record + 1) >> 3,
		rd: rd === sink ? 0 : rd,
		rs1: view.getUint16(record + 4, true) >> 3,
		rs2: view.getUint16(record + 6, true) >> 3,
		immediate: view.getInt32(record + 8, true),
		bits: view.getUint32(record + 12, true),
		record,
	};
}

const codes = new Map(Object.entries(op));
/** The table's rows by operation. */
const rows: (Row | undefined)[] = [];
for (const row of instructions) rows[codes.get(operationName(row)) as number] = row;

const isOfF = ({ extension }: Row) => extension === "F" || extension === "D";
const where = (test: (row: Row) => boolean) => {
	const table = Array.from(rows, (row) => row !== undefined && test(row));
	return (code: number): boolean => table[code] === true;
};
const within = (first: number, last: number) => (code: number) => code >= first && code <= last;

export const isFarBranch = where(({ kind }) => kind === "branch");
export const isLocalBranch = within(op.OP_BEQ_LOCAL, op.OP_BGEU_LOCAL);
export const isBulkBranch = (code: number): boolean => code === op.OP_BULK_BNE;
export const isLoad = where((row) => row.kind === "load" && !isOfF(row));
export const isStore = where((row) => row.kind === "store" && !isOfF(row));
export const isFloatLoad = where((row) => row.kind === "load" && isOfF(row));
export const isFloatStore = where((row) => row.kind === "store" && isOfF(row));
const isFloatOperation = where(({ kind }) => kind === "float");
const isReservation = where(({ mnemonic }) => /^(lr|sc)\./.test(mnemonic));
export const isAtomic = where(({ kind, mnemonic }) => kind === "atomic" && mnemonic.startsWith("amo"));
const isSystem = where(({ kind }) => kind === "system");
/** Reads two x registers and nothing else. */
const isOfTwo = where((row) => (row.kind === "integer" || row.kind === "multiply") && row.operands === "rd,rs1,rs2");

export function isBranch(code: number): boolean {
	return isFarBranch(code) || isLocalBranch(code) || isBulkBranch(code);
}

export function isFloat(code: number): boolean {
	return isFloatLoad(code) || isFloatStore(code) || isFloatOperation(code);
}

/** Accesses to sstatus: what kernels do around every lock. */
function isStatusAccess(one: Instruction): boolean {
	return one.op === op.OP_CSR && one.immediate >>> 20 === CSR.sstatus;
}

/** The operand field of a CSR instruction is a constant (csrrwi, csrrsi, csrrci). */
export function hasImmediateOperand(one: Instruction): boolean {
	return (one.immediate & 0x4000) !== 0;
}

/** What only the interpreter does: privilege, traps, reservations, counters. */
export function isForInterpreter(one: Instruction): boolean {
	const code = one.op;
	if (code === op.OP_CSR) return !isStatusAccess(one);
	return (
		code === op.OP_ILLEGAL ||
		code === op.OP_END ||
		code === op.OP_STRADDLE ||
		code === op.OP_BREAK ||
		isSystem(code) ||
		isReservation(code)
	);
}

/** May leave the block in its middle. */
export function mayLeave(one: Instruction): boolean {
	const code = one.op;
	return isLoad(code) || isStore(code) || isAtomic(code) || isFloat(code) || code === op.OP_CSR;
}

const none: readonly number[] = [];
const isX = (register: number) => register > 0 && register < 32;

/** x registers that the operation reads. */
export function readsOf(one: Instruction): readonly number[] {
	const { op: code, rs1, rs2 } = one;
	switch (code) {
		case op.OP_NOP:
		case op.OP_LI:
		case op.OP_AUIPC:
		case op.OP_JAL:
		case op.OP_JAL_LOCAL:
		case op.OP_J_LOCAL:
		case op.OP_FENCE:
		case op.OP_FENCE_I:
			return none;
	}
	if (code === op.OP_CSR) return hasImmediateOperand(one) ? none : [rs1].filter(isX);
	const two = isBranch(code) || isStore(code) || isAtomic(code) || isFloatStore(code) || isOfTwo(code);
	return (two ? [rs1, rs2] : [rs1]).filter(isX);
}

/** The x register that the operation writes, 0: none. */
export function writeOf(one: Instruction): number {
	return isX(one.rd) ? one.rd : 0;
}
