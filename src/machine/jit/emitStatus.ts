// Accesses to sstatus, which kernels read and write around every lock.

import * as layout from "../core/layout.ts";
import type { Emitter, Site } from "./emitter.ts";
import { hasImmediateOperand, type Instruction } from "./instruction.ts";
import { wasm } from "./wasmWriter.ts";

const fs = 3 << 13;
const sd = -(1n << 63n);
/** SIE, SPIE, SPP, FS, SUM, MXR: what a write of sstatus may change (core/csr.ts, SSTATUS_WRITE). */
const writable = 0xc6122;
/** Of these, what decides about translations and f registers: only the interpreter changes it. */
const decisive = 0xc6000;
/** The writable bits, UXL and SD (core/csr.ts, SSTATUS_READ). */
const readable = BigInt.asIntN(64, 0x8000_0003_000c_6122n);

/**
 * With no enabled interrupt pending and no grace period under way (core/schedule.ts), nothing follows from a write of the
 * bits that it may change here.
 */
export function emitStatusAccess(e: Emitter, one: Instruction, site: Site): void {
	const kind = (one.immediate >>> 12) & 3;
	const field = (one.immediate >>> 15) & 31;
	const writes = kind === 1 || field !== 0;
	const leaveIf = () => {
		e.open(wasm.if, "interpreter", 0x40);
		e.coldExit(site.dirty, one.offset, site.spent);
		e.close();
	};
	e.get(e.hart);
	e.memory(wasm.i32Load, layout.H_MODE);
	e.op(wasm.i32Eqz);
	leaveIf();
	e.get(e.hart);
	e.memory(wasm.i64Load, layout.H_MSTATUS);
	e.set(e.value);
	if (writes) {
		const operand = () => (hasImmediateOperand(one) ? e.const64(field) : e.read(one.rs1));
		// The changed bits.
		if (kind === 1) {
			operand();
			e.get(e.value);
			e.op(wasm.i64Xor);
		} else {
			operand();
			e.get(e.value);
			if (kind === 2) {
				e.const64(-1);
				e.op(wasm.i64Xor);
			}
			e.op(wasm.i64And);
		}
		e.const64(writable);
		e.op(wasm.i64And);
		e.tee(e.address);
		e.const64(decisive);
		e.op(wasm.i64And, wasm.i64Eqz, wasm.i32Eqz);
		e.get(e.hart);
		e.memory(wasm.i64Load, layout.H_MIP);
		e.get(e.hart);
		e.memory(wasm.i64Load, layout.H_MIE);
		e.op(wasm.i64And, wasm.i64Eqz, wasm.i32Eqz, wasm.i32Or);
		e.const32(0);
		e.memory(wasm.i32Load, layout.M_GRACE);
		e.op(wasm.i32Or);
		leaveIf();
		e.get(e.hart);
		e.get(e.value);
		e.get(e.address);
		e.op(wasm.i64Xor);
		e.memory(wasm.i64Store, layout.H_MSTATUS);
	}
	if (one.rd === 0) return;
	e.get(e.value);
	e.const64(readable);
	e.op(wasm.i64And);
	// SD says whether FS is dirty, whatever the stored bit is.
	e.const64(sd);
	e.const64(0);
	e.get(e.value);
	e.const64(fs);
	e.op(wasm.i64And);
	e.const64(fs);
	e.op(wasm.i64Eq, wasm.select, wasm.i64Or);
	e.write(one.rd);
}
