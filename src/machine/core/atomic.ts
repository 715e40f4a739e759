// A extension: LR, SC and AMOs (unprivileged ISA, chapter "A"), as QEMU 7.2: an SC succeeds when the address is the reserved
// one, nobody broke the reservation, and memory still holds the value that LR read.

import { H_RESERVATION, H_RESERVED_VALUE, H_YIELDED, TLB_WRITE, V_TLB } from "./layout";
import * as op from "./opcodes";
import { ACCESS_STORE, CAUSE_LOAD_MISALIGNED, CAUSE_STORE_ACCESS, CAUSE_STORE_MISALIGNED, NEVER, YIELD_SLICE, fault, faulted, hartCount, yieldAfter } from "./hart";
import { isRam, ramAddress } from "./physical";
import { slowLoad, slowStore } from "./memory";
import { tlbEntry } from "./tlb";
import { translate } from "./mmu";
import { watchedSwap } from "./watch";
import { WATCHING } from "./watchBuild";

// @ts-ignore: decorator
@inline
function extend(value: u64, size: u32): u64 {
	return size == 8 ? value : <u64><i64><i32>value;
}

/** Executes the record; `faulted` says whether it trapped. */
export function atomic(h: usize, r: usize, code: u32): void {
	const size: u32 = code & 1 ? 8 : 4;
	const va = load<u64>(h + <usize>load<u16>(r, 4));
	const rd = h + <usize>load<u16>(r, 2);
	const source = load<u64>(h + <usize>load<u16>(r, 6));
	if (code <= <u32>op.OP_LR_D) loadReserved(h, va, size, rd);
	else if (code <= <u32>op.OP_SC_D) storeConditional(h, va, size, rd, source);
	else modify(h, va, size, rd, source, code & ~1);
}

function loadReserved(h: usize, va: u64, size: u32, rd: usize): void {
	if (va & (size - 1)) {
		fault(h, CAUSE_LOAD_MISALIGNED, va);
		return;
	}
	const value = extend(slowLoad(h, va, size), size);
	if (faulted(h)) return;
	// The translation just succeeded for a load; this one finds the physical address.
	const physical = translate(h, va, 1, size);
	store<u64>(h, isRam(physical) ? physical : NEVER, H_RESERVATION);
	store<u64>(h, value, H_RESERVED_VALUE);
	store<u64>(rd, value);
}

function storeConditional(h: usize, va: u64, size: u32, rd: usize, source: u64): void {
	const reserved = load<u64>(h, H_RESERVATION);
	store<u64>(h, NEVER, H_RESERVATION);
	if (reserved == NEVER) {
		if (va & (size - 1)) fault(h, CAUSE_STORE_MISALIGNED, va);
		else store<u64>(rd, 1);
		return;
	}
	if (va & (size - 1)) {
		fault(h, CAUSE_STORE_MISALIGNED, va);
		return;
	}
	const physical = translate(h, va, ACCESS_STORE, size);
	if (faulted(h)) return;
	if (physical != reserved) {
		store<u64>(rd, 1);
		return;
	}
	const linear = ramAddress(physical);
	const now: u64 = size == 8 ? load<u64>(linear) : <u64><i64>load<i32>(linear);
	if (now != extend(load<u64>(h, H_RESERVED_VALUE), size)) {
		store<u64>(rd, 1);
		return;
	}
	slowStore(h, va, size, source);
	if (!faulted(h)) store<u64>(rd, 0);
}

function modify(h: usize, va: u64, size: u32, rd: usize, source: u64, code: u32): void {
	if (va & (size - 1)) {
		fault(h, CAUSE_STORE_MISALIGNED, va);
		return;
	}
	const e = tlbEntry(load<u32>(h, V_TLB), va);
	if (load<u64>(e, TLB_WRITE) == (va & ~0xfff)) {
		const at: usize = load<u32>(e, TLB_WRITE + 8) + <u32>va;
		const old: u64 = size == 8 ? load<u64>(at) : <u64><i64>load<i32>(at);
		const value = combine(code, old, source, size);
		if (size == 8) store<u64>(at, value);
		else store<u32>(at, <u32>value);
		store<u64>(rd, old);
		if (WATCHING) watchedSwap(h, va, size, old, value);
		if (value == old && code == op.OP_AMOSWAP_W) yieldToHolder(h, old);
		return;
	}
	// The right to store comes first: a fault of an AMO is a store fault.
	translate(h, va, ACCESS_STORE, size);
	if (faulted(h)) return;
	const old = extend(slowLoad(h, va, size), size);
	if (faulted(h)) {
		fault(h, CAUSE_STORE_ACCESS, va);
		return;
	}
	const value = combine(code, old, source, size);
	slowStore(h, va, size, value);
	if (faulted(h)) return;
	store<u64>(rd, old);
	if (WATCHING) watchedSwap(h, va, size, old, value);
	if (value == old && code == op.OP_AMOSWAP_W) yieldToHolder(h, old);
}

/**
 * A swap that finds what it puts there, and not 0, met a lock that another hart holds: spinning on would only burn the
 * slice, as the holder does not run meanwhile. The rule reads nothing but architectural state, so runs stay reproducible;
 * translated code must keep to it.
 */
function yieldToHolder(h: usize, old: u64): void {
	if (old == 0 || hartCount() == 1) return;
	store<u32>(h, 1, H_YIELDED);
	yieldAfter(h, YIELD_SLICE);
}

function combine(code: u32, old: u64, source: u64, size: u32): u64 {
	const b = extend(source, size);
	switch (code) {
		case op.OP_AMOSWAP_W: return b;
		case op.OP_AMOADD_W: return old + b;
		case op.OP_AMOXOR_W: return old ^ b;
		case op.OP_AMOAND_W: return old & b;
		case op.OP_AMOOR_W: return old | b;
		case op.OP_AMOMIN_W: return <i64>old < <i64>b ? old : b;
		case op.OP_AMOMAX_W: return <i64>old > <i64>b ? old : b;
		// Sign extension keeps the unsigned order of words.
		case op.OP_AMOMINU_W: return old < b ? old : b;
	}
	return old > b ? old : b;
}
