// Loads, stores and AMOs whose page is in the TLB; all others are left to the interpreter. So a store from here never
// touches a page that holds code, page tables or another hart's reservation: those have no write entry.

import * as layout from "../core/layout.ts";
import * as op from "../core/opcodes.ts";
import type { Emitter, Site } from "./emitter.ts";
import { type Instruction, isAtomic, isFloatLoad, isFloatStore, isLoad, isStore } from "./instruction.ts";
import { cacheKey } from "./pageCaches.ts";
import { noResult, wasm } from "./wasmWriter.ts";

const loads: ReadonlyMap<number, { code: number; size: number }> = new Map([
	[op.OP_LB, { code: wasm.i64Load8S, size: 1 }],
	[op.OP_LH, { code: wasm.i64Load16S, size: 2 }],
	[op.OP_LW, { code: wasm.i64Load32S, size: 4 }],
	[op.OP_LD, { code: wasm.i64Load, size: 8 }],
	[op.OP_LBU, { code: wasm.i64Load8U, size: 1 }],
	[op.OP_LHU, { code: wasm.i64Load16U, size: 2 }],
	[op.OP_LWU, { code: wasm.i64Load32U, size: 4 }],
	[op.OP_FLW, { code: wasm.i64Load32U, size: 4 }],
	[op.OP_FLD, { code: wasm.i64Load, size: 8 }],
]);

const stores: ReadonlyMap<number, { code: number; size: number }> = new Map([
	[op.OP_SB, { code: wasm.i64Store8, size: 1 }],
	[op.OP_SH, { code: wasm.i64Store16, size: 2 }],
	[op.OP_SW, { code: wasm.i64Store32, size: 4 }],
	[op.OP_SD, { code: wasm.i64Store, size: 8 }],
	[op.OP_FSW, { code: wasm.i64Store32, size: 4 }],
	[op.OP_FSD, { code: wasm.i64Store, size: 8 }],
]);

const boxed = -0x1_0000_0000n;

/** Leaves whether the tag on the stack is not of the virtual address in `address`: of another page, or none, or misaligned. */
function isOther(e: Emitter, size: number): void {
	e.get(e.address);
	e.const64(-4096 + size - 1);
	e.op(wasm.i64And, wasm.i64Ne);
}

/** Compares the TLB's tag for the virtual address in `address`; cold exit on a miss. Its entry is in `entry` then. */
function lookUp(e: Emitter, one: Instruction, site: Site, table: number, size: number): void {
	e.tlbEntry(e.address);
	e.memory(wasm.i64Load, table);
	isOther(e, size);
	e.hardlyEver();
	e.open(wasm.if, "miss", noResult);
	e.coldExit(site.dirty, one.offset, site.spent);
	e.close();
}

/** Leaves the host address of an access of `size` bytes at the virtual address in `address`. */
function hostAddress(e: Emitter, one: Instruction, site: Site, table: number, size: number): void {
	const key = cacheKey(one);
	const cache = key === undefined ? undefined : e.cacheOf(key);
	if (!cache) {
		lookUp(e, one, site, table, size);
		e.get(e.entry);
		e.memory(wasm.i32Load, table + 8);
	} else {
		e.const32(0);
		e.memory(wasm.i64Load, cache);
		isOther(e, size);
		e.hardlyEver();
		e.open(wasm.if, "other page", noResult);
		lookUp(e, one, site, table, size);
		e.const32(0);
		e.get(e.entry);
		e.memory(wasm.i32Load, table + 8);
		e.memory(wasm.i32Store, cache + 8);
		e.const32(0);
		e.get(e.address);
		e.const64(-4096);
		e.op(wasm.i64And);
		e.memory(wasm.i64Store, cache);
		e.close();
		e.const32(0);
		e.memory(wasm.i32Load, cache + 8);
	}
	e.get(e.address);
	e.op(wasm.i32WrapI64, wasm.i32Add);
}

function virtualAddress(e: Emitter, one: Instruction): void {
	e.read(one.rs1);
	if (one.immediate !== 0 && !isAtomic(one.op)) {
		e.const64(one.immediate);
		e.op(wasm.i64Add);
	}
	e.set(e.address);
}

/** False: it is none of these. */
export function emitMemory(e: Emitter, one: Instruction, site: Site): boolean {
	if (isLoad(one.op) || isFloatLoad(one.op)) emitLoad(e, one, site);
	else if (isStore(one.op) || isFloatStore(one.op)) emitStore(e, one, site);
	else if (isAtomic(one.op)) emitAtomic(e, one, site);
	else return false;
	return true;
}

function emitLoad(e: Emitter, one: Instruction, site: Site): void {
	const { code, size } = loads.get(one.op) as { code: number; size: number };
	virtualAddress(e, one);
	if (!isFloatLoad(one.op)) {
		hostAddress(e, one, site, layout.TLB_READ, size);
		e.memory(code, 0);
		e.write(one.rd);
		return;
	}
	e.get(e.hart);
	hostAddress(e, one, site, layout.TLB_READ, size);
	e.memory(code, 0);
	if (size === 4) {
		e.const64(boxed);
		e.op(wasm.i64Or);
	}
	e.memory(wasm.i64Store, one.rd * 8);
}

function emitStore(e: Emitter, one: Instruction, site: Site): void {
	const { code, size } = stores.get(one.op) as { code: number; size: number };
	virtualAddress(e, one);
	hostAddress(e, one, site, layout.TLB_WRITE, size);
	if (isFloatStore(one.op)) {
		e.get(e.hart);
		e.memory(wasm.i64Load, one.rs2 * 8);
	} else e.read(one.rs2);
	e.memory(code, 0);
}

const combinations: ReadonlyMap<number, number> = new Map([
	[op.OP_AMOADD_W, wasm.i64Add],
	[op.OP_AMOXOR_W, wasm.i64Xor],
	[op.OP_AMOAND_W, wasm.i64And],
	[op.OP_AMOOR_W, wasm.i64Or],
]);

const orders: ReadonlyMap<number, number> = new Map([
	[op.OP_AMOMIN_W, wasm.i64LtS],
	[op.OP_AMOMAX_W, wasm.i64GtS],
	[op.OP_AMOMINU_W, wasm.i64LtU],
	[op.OP_AMOMAXU_W, wasm.i64GtU],
]);

/** As `modify` in core/atomic.ts; words are compared sign-extended, which keeps their unsigned order too. */
function emitAtomic(e: Emitter, one: Instruction, site: Site): void {
	const wide = (one.op & 1) === 1;
	const kind = one.op & ~1;
	const source = () => {
		e.read(one.rs2);
		if (!wide) e.op(wasm.i32WrapI64, wasm.i64ExtendI32S);
	};
	virtualAddress(e, one);
	hostAddress(e, one, site, layout.TLB_WRITE, wide ? 8 : 4);
	e.tee(e.entry);
	e.memory(wide ? wasm.i64Load : wasm.i64Load32S, 0);
	e.set(e.value);
	if (kind === op.OP_AMOSWAP_W) {
		// A lock that is held: the interpreter gives up the slice.
		e.get(e.value);
		source();
		e.op(wasm.i64Eq);
		e.open(wasm.if, "same", 0x40);
		e.get(e.value);
		e.op(wasm.i64Eqz);
		e.open(wasm.if, "zero", 0x40);
		e.op(wasm.else);
		e.coldExit(site.dirty, one.offset, site.spent);
		e.close();
		e.close();
	}
	e.get(e.entry);
	const combination = combinations.get(kind);
	const order = orders.get(kind);
	if (combination !== undefined) {
		e.get(e.value);
		source();
		e.op(combination);
	} else if (order !== undefined) {
		e.get(e.value);
		source();
		e.get(e.value);
		source();
		e.op(order, wasm.select);
	} else source();
	e.memory(wide ? wasm.i64Store : wasm.i64Store32, 0);
	e.get(e.value);
	e.write(one.rd);
}
