// The interpreter: runs decoded records until the steps are used up, the hart waits, or the run is to stop.
//
// Inside the loop the pc is implied by the record's address. It is stored before everything that can leave the loop or look
// at the state. `left` counts steps exactly: one for each instruction, retired or trapped.

import {
	BRANCH_PASSED, BRANCH_TAKEN, HEAT_ASLEEP, HEAT_BASE, HEAT_CODE, HEAT_QUIET, H_FAULT, H_ID, H_MODE, H_MSTATUS, H_PC, H_SINK, H_STEPS, H_WAITING, H_YIELDED, M_GRACE, REGION_COLD,
	PAGE_CACHES, PAGE_CACHES_BANK, PAGE_CACHES_SIZE, REGION_TABLE, SLOT_RECORDS, S_FENCES, TLB_FETCH, TLB_READ, TLB_WRITE, T_HOT,
	T_READY_HART, T_STOP_REQUEST, T_WATCHED_FROM, T_WATCHED_SPAN, V_LEFT, V_STEPS_END, V_TLB, V_YIELD, WATCHED_READ, WATCHED_WRITE,
} from "./layout";
import * as op from "./opcodes";
import {
	CAUSE_BREAKPOINT, CAUSE_ECALL_U, CAUSE_ILLEGAL, MODE_M, MODE_S, MODE_U, MSTATUS_TSR, MSTATUS_TVM, MSTATUS_TW, 	YIELD_INTERRUPTS, YIELD_SLICE, YIELD_STOP, YIELD_TURN, YIELD_WAIT, count, fault, faulted, interruptsEnabled, yieldAfter,
} from "./hart";
import { atomic } from "./atomic";
import { csrOld, executeCsr } from "./csr";
import { decodeAt } from "./decode";
import { slotOfRecords } from "./code";
import { float, floatEnabled, markFloatDirty } from "./float";
import { fetchPage, singleStep, slowLoad, slowStore } from "./memory";
import { tlbEntry } from "./tlb";
import { noteArrival } from "./ran";
import { scratch } from "./records";
import { returnFromMachine, returnFromSupervisor, takeException, takeInterrupt } from "./trap";
import { pmpForbidsReturn } from "./pmp";
import { divide, divideUnsigned, divideWord, divideWordUnsigned, mulHigh, mulHighSignedUnsigned, mulHighUnsigned, remainder, remainderUnsigned, remainderWord, remainderWordUnsigned } from "./multiply";
import { breakpointAt } from "./breakpoints";
import { bulk } from "./idioms";
import { atSliceEnd, settle } from "./turns";
import { branched, watched, watchedFence, watchedOrder } from "./watch";
import { WATCHING } from "./watchBuild";

// @ts-ignore: decorator
@inline
function A(h: usize, r: usize): i64 {
	return load<i64>(h + <usize>load<u16>(r, 4));
}

// @ts-ignore: decorator
@inline
function B(h: usize, r: usize): i64 {
	return load<i64>(h + <usize>load<u16>(r, 6));
}

// @ts-ignore: decorator
@inline
function I(r: usize): i64 {
	return <i64>load<i32>(r, 8);
}

// @ts-ignore: decorator
@inline
function W(h: usize, r: usize, value: i64): void {
	store<i64>(h + <usize>load<u16>(r, 2), value);
}

// @ts-ignore: decorator
@inline
function next(r: usize): usize {
	return r + <usize>load<u8>(r, 1);
}

/** Length of the record's instruction in bytes. */
// @ts-ignore: decorator
@inline
function lengthOf(r: usize): u32 {
	return <u32>load<u8>(r, 1) >> 3;
}

/** What comes after a slow path: true = the instruction is done and the loop may go on; false = leave it. */
function done(h: usize, r: usize): bool {
	if (load<u32>(h, H_FAULT)) return false;
	if (!load<u32>(h, V_YIELD)) return true;
	store<u64>(h, load<u64>(h, H_PC) + lengthOf(r), H_PC);
	return false;
}

function loadRecord(h: usize, r: usize, va: u64, left: u32, code: u32): bool {
	store<u32>(h, left, V_LEFT);
	const size: u32 = code == op.OP_LD ? 8 : code == op.OP_LW || code == op.OP_LWU ? 4 : code == op.OP_LH || code == op.OP_LHU ? 2 : 1;
	let value = slowLoad(h, va, size);
	if (load<u32>(h, H_FAULT)) return false;
	if (code == op.OP_LB) value = <u64><i64><i8>value;
	else if (code == op.OP_LH) value = <u64><i64><i16>value;
	else if (code == op.OP_LW) value = <u64><i64><i32>value;
	store<u64>(h + <usize>load<u16>(r, 2), value);
	return done(h, r);
}

function storeRecord(h: usize, r: usize, va: u64, left: u32, code: u32): bool {
	store<u32>(h, left, V_LEFT);
	slowStore(h, va, 1 << (code - op.OP_SB), <u64>B(h, r));
	return done(h, r);
}

/** f-register loads and stores. */
function floatMemory(h: usize, r: usize, code: u32): bool {
	if (!floatEnabled(h, r)) return false;
	const va = <u64>(A(h, r) + I(r));
	if (code >= <u32>op.OP_FSW) {
		slowStore(h, va, code == op.OP_FSW ? 4 : 8, <u64>B(h, r));
		return done(h, r);
	}
	let value = slowLoad(h, va, code == op.OP_FLW ? 4 : 8);
	if (faulted(h)) return false;
	if (code == op.OP_FLW) value |= 0xffffffff00000000;
	store<u64>(h + <usize>load<u16>(r, 2), value);
	markFloatDirty(h);
	return done(h, r);
}

/** Instructions that change privilege, or that need it. The pc is stored; on return it is final unless there is a fault. */
function systemRecord(h: usize, r: usize, code: u32): void {
	const pc = load<u64>(h, H_PC);
	const mode = load<u32>(h, H_MODE);
	const status = load<u64>(h, H_MSTATUS);
	const bits = load<u32>(r, 12);
	switch (code) {
		case op.OP_ECALL: fault(h, CAUSE_ECALL_U + mode, 0); return;
		case op.OP_EBREAK: fault(h, CAUSE_BREAKPOINT, 0); return;
		case op.OP_MRET:
			if (mode != MODE_M || pmpForbidsReturn(h)) break;
			returnFromMachine(h);
			return;
		case op.OP_SRET:
			if (mode == MODE_U || (mode == MODE_S && (status & MSTATUS_TSR) != 0)) break;
			returnFromSupervisor(h);
			return;
		case op.OP_WFI:
			if (mode == MODE_U || (mode == MODE_S && (status & MSTATUS_TW) != 0)) break;
			store<u64>(h, pc + 4, H_PC);
			store<u32>(h, 1, H_WAITING);
			yieldAfter(h, YIELD_WAIT);
			return;
		case op.OP_SFENCE_VMA:
			if (mode == MODE_U || (mode == MODE_S && (status & MSTATUS_TVM) != 0)) break;
			count(S_FENCES);
			if (WATCHING) watchedFence(h);
			store<u64>(h, pc + 4, H_PC);
			return;
		case op.OP_CSR: {
			const source = load<u64>(h + <usize>load<u16>(r, 4));
			if (!executeCsr(h, load<u32>(r, 8), source)) break;
			store<u64>(h + <usize>load<u16>(r, 2), csrOld);
			store<u64>(h, pc + 4, H_PC);
			return;
		}
	}
	fault(h, CAUSE_ILLEGAL, bits);
}

/** The translator is offered the code at an offset of a slot; it may change its heat. */
// @ts-ignore: decorator
@external("env", "translate") declare function translate(slot: u32, offset: u32): void;
/** A region that sleeps was arrived at; its heat is what it was afterwards. */
// @ts-ignore: decorator
@external("env", "wake") declare function wake(slot: u32, offset: u32): void;

// @ts-ignore: decorator
@inline
function heatOf(r: usize): usize {
	return HEAT_BASE + ((r - SLOT_RECORDS) >> 3);
}

/** A jump inside a page arrived at `r`: does the interpreter go on there, or may there be a region to enter? */
// @ts-ignore: decorator
@inline
function stays(r: usize, distance: i32, hot: u32): bool {
	if (hot == 0) return true;
	noteArrival(r);
	const at = heatOf(r);
	const heat: u32 = load<u16>(at);
	if (heat < hot) {
		// What is only reached forwards belongs to a region that began before it.
		if (distance < 0) store<u16>(at, <u16>(heat + 1));
		return true;
	}
	return heat == HEAT_QUIET;
}

/** At the top of the dispatch loop: just interpret; enter a region if there is one; count the arrival, too. */
const ARRIVE_COLD: u32 = 0;
const ARRIVE_LOOK: u32 = 1;
const ARRIVE_COUNT: u32 = 2;

/** Runs hart `h` for at most `steps` steps; returns how many are left. */
export function execute(h: usize, steps: u32): u32 {
	let left = steps;
	const hot = load<u32>(T_HOT);
	const watchedFrom: u64 = WATCHING ? load<u64>(T_WATCHED_FROM) : 0;
	const watchedSpan: u64 = WATCHING ? load<u64>(T_WATCHED_SPAN) : 0;
	// Where a slice happens to begin is no place for a region to begin.
	let arrival = ARRIVE_LOOK;
	store<u64>(h, load<u64>(h, H_STEPS) + steps, V_STEPS_END);
	for (;;) {
		if (load<u32>(h, H_FAULT)) {
			store<u32>(h, left, V_LEFT);
			settle(h);
			takeException(h);
		}
		const why = load<u32>(h, V_YIELD);
		if (why) {
			store<u32>(h, 0, V_YIELD);
			if (why & YIELD_INTERRUPTS) {
				store<u32>(h, left, V_LEFT);
				takeInterrupt(h);
				if (load<u32>(M_GRACE) != 0 && interruptsEnabled(h)) {
					store<u32>(h, 1, H_YIELDED);
					break;
				}
			}
			if (why & (YIELD_STOP | YIELD_WAIT | YIELD_SLICE | YIELD_TURN)) break;
			// The interrupt was a reason of its own.
			if (load<u32>(h, V_YIELD)) continue;
		}
		if (left == 0) break;
		if (load<u32>(T_STOP_REQUEST)) {
			store<u32>(T_READY_HART, load<u32>(h, H_ID) + 1);
			break;
		}

		const pc = load<u64>(h, H_PC);
		const tlb = load<u32>(h, V_TLB);
		let page = pc & ~0xfff;
		let base: usize;
		let r: usize;
		const entry = tlbEntry(tlb, pc);
		if (load<u64>(entry, TLB_FETCH) == page) {
			base = load<u32>(entry, TLB_FETCH + 8);
			r = base + ((<usize>pc & 0xffe) << 3);
			if (hot != 0) noteArrival(r);
		} else {
			base = fetchPage(h, pc);
			if (!base) {
				left--;
				continue;
			}
			r = base + ((<usize>pc & 0xffe) << 3);
			if (hot != 0 && !singleStep) noteArrival(r);
			// The walk may have set a watched A bit: the run stops after this instruction.
			if (singleStep || load<u32>(T_STOP_REQUEST) != 0) {
				store<u32>(h, left, V_LEFT);
				if (breakpointAt(h, pc)) break;
				r = scratch(h, pc);
				if (!r) {
					left--;
					continue;
				}
				base = r - ((<usize>pc & 0xffe) << 3);
				arrival = ARRIVE_COLD;
			}
		}
		if (hot != 0 && arrival != ARRIVE_COLD) {
			const at = heatOf(r);
			let heat: u32 = load<u16>(at);
			if (heat <= hot && arrival == ARRIVE_COUNT) {
				if (heat < hot) store<u16>(at, <u16>++heat);
				if (heat == hot) {
					translate(slotOfRecords(<u32>base), <u32>(r - base) >> 3);
					heat = load<u16>(at);
				}
			}
			if (heat == HEAT_ASLEEP) {
				wake(slotOfRecords(<u32>base), <u32>(r - base) >> 3);
				heat = load<u16>(at);
			}
			if (heat >= <u32>HEAT_CODE) {
				if (load<u32>(PAGE_CACHES_BANK) != tlb) {
					// As in an empty bank: no address has this tag.
					memory.fill(PAGE_CACHES, 0xff, PAGE_CACHES_SIZE);
					store<u32>(PAGE_CACHES_BANK, tlb);
				}
				const rest = call_indirect<u32>(heat - (HEAT_CODE - REGION_TABLE), h, tlb, page, left);
				left = rest & ~<u32>REGION_COLD;
				arrival = rest & <u32>REGION_COLD ? ARRIVE_COLD : ARRIVE_COUNT;
				continue;
			}
		}
		arrival = ARRIVE_COUNT;
		for (;;) {
			if (left == 0) {
				store<u64>(h, page + ((r - base) >> 3), H_PC);
				break;
			}
			left--;
			const code: u32 = load<u8>(r);
			switch (code) {
				case op.OP_UNDECODED:
					left++;
					decodeAt(slotOfRecords(<u32>base), <u32>(r - base) >> 3);
					continue;
				case op.OP_END:
					left++;
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					break;
				case op.OP_BREAK: {
					left++;
					const p = page + ((r - base) >> 3);
					store<u64>(h, p, H_PC);
					store<u32>(h, left, V_LEFT);
					// The next slice begins first: an interrupt may come before this instruction.
					if (atSliceEnd(left)) {
						yieldAfter(h, YIELD_TURN);
						break;
					}
					if (breakpointAt(h, p)) break;
					if (load<u32>(h, V_YIELD)) break;
					r = scratch(h, p);
					if (!r) {
						left--;
						break;
					}
					base = r - ((<usize>p & 0xffe) << 3);
					continue;
				}
				case op.OP_STRADDLE: {
					left++;
					const p = page + ((r - base) >> 3);
					store<u64>(h, p, H_PC);
					r = scratch(h, p);
					if (!r) {
						left--;
						break;
					}
					base = r - ((<usize>p & 0xffe) << 3);
					continue;
				}
				case op.OP_NOP: case op.OP_FENCE: case op.OP_FENCE_I:
					if (WATCHING && watchedSpan != 0 && code == op.OP_FENCE) watchedOrder(h, left, page + ((r - base) >> 3), load<u32>(r, 12));
					r = next(r);
					continue;
				case op.OP_LI: W(h, r, I(r)); r = next(r); continue;
				case op.OP_MV: W(h, r, A(h, r)); r = next(r); continue;
				case op.OP_AUIPC: W(h, r, <i64>(page + ((r - base) >> 3)) + I(r)); r += 32; continue;
				case op.OP_JAL: {
					const p = page + ((r - base) >> 3);
					W(h, r, <i64>(p + lengthOf(r)));
					store<u64>(h, p + I(r), H_PC);
					break;
				}
				case op.OP_JAL_LOCAL: {
					W(h, r, <i64>(page + ((r - base) >> 3) + lengthOf(r)));
					r += load<i32>(r, 8);
					if (stays(r, -1, hot)) continue;
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					break;
				}
				case op.OP_J_LOCAL: {
					const distance = load<i32>(r, 8);
					r += distance;
					if (stays(r, distance, hot)) continue;
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					break;
				}
				case op.OP_JALR: {
					const p = page + ((r - base) >> 3) + lengthOf(r);
					const target = <u64>(A(h, r) + I(r)) & ~1;
					W(h, r, <i64>p);
					const e = tlbEntry(tlb, target);
					if (hot == 0 && load<u64>(e, TLB_FETCH) == (target & ~0xfff)) {
						page = target & ~0xfff;
						base = load<u32>(e, TLB_FETCH + 8);
						r = base + ((<usize>target & 0xffe) << 3);
						continue;
					}
					store<u64>(h, target, H_PC);
					break;
				}
				case op.OP_BEQ: if (A(h, r) != B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; } if (WATCHING) branched(r, BRANCH_TAKEN); store<u64>(h, page + ((r - base) >> 3) + I(r), H_PC); break;
				case op.OP_BNE: if (A(h, r) == B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; } if (WATCHING) branched(r, BRANCH_TAKEN); store<u64>(h, page + ((r - base) >> 3) + I(r), H_PC); break;
				case op.OP_BLT: if (A(h, r) >= B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; } if (WATCHING) branched(r, BRANCH_TAKEN); store<u64>(h, page + ((r - base) >> 3) + I(r), H_PC); break;
				case op.OP_BGE: if (A(h, r) < B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; } if (WATCHING) branched(r, BRANCH_TAKEN); store<u64>(h, page + ((r - base) >> 3) + I(r), H_PC); break;
				case op.OP_BLTU: if (<u64>A(h, r) >= <u64>B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; } if (WATCHING) branched(r, BRANCH_TAKEN); store<u64>(h, page + ((r - base) >> 3) + I(r), H_PC); break;
				case op.OP_BGEU: if (<u64>A(h, r) < <u64>B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; } if (WATCHING) branched(r, BRANCH_TAKEN); store<u64>(h, page + ((r - base) >> 3) + I(r), H_PC); break;
				case op.OP_BEQ_LOCAL: {
					if (A(h, r) != B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; }
					if (WATCHING) branched(r, BRANCH_TAKEN);
					const distance = load<i32>(r, 8);
					r += distance;
					if (stays(r, distance, hot)) continue;
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					break;
				}
				case op.OP_BNE_LOCAL: {
					if (A(h, r) == B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; }
					if (WATCHING) branched(r, BRANCH_TAKEN);
					const distance = load<i32>(r, 8);
					r += distance;
					if (stays(r, distance, hot)) continue;
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					break;
				}
				case op.OP_BLT_LOCAL: {
					if (A(h, r) >= B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; }
					if (WATCHING) branched(r, BRANCH_TAKEN);
					const distance = load<i32>(r, 8);
					r += distance;
					if (stays(r, distance, hot)) continue;
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					break;
				}
				case op.OP_BGE_LOCAL: {
					if (A(h, r) < B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; }
					if (WATCHING) branched(r, BRANCH_TAKEN);
					const distance = load<i32>(r, 8);
					r += distance;
					if (stays(r, distance, hot)) continue;
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					break;
				}
				case op.OP_BLTU_LOCAL: {
					if (<u64>A(h, r) >= <u64>B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; }
					if (WATCHING) branched(r, BRANCH_TAKEN);
					const distance = load<i32>(r, 8);
					r += distance;
					if (stays(r, distance, hot)) continue;
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					break;
				}
				case op.OP_BGEU_LOCAL: {
					if (<u64>A(h, r) < <u64>B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; }
					if (WATCHING) branched(r, BRANCH_TAKEN);
					const distance = load<i32>(r, 8);
					r += distance;
					if (stays(r, distance, hot)) continue;
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					break;
				}
				case op.OP_BULK_BNE:
					if (A(h, r) == B(h, r)) { if (WATCHING) branched(r, BRANCH_PASSED); r = next(r); continue; }
					if (WATCHING) branched(r, BRANCH_TAKEN);
					left -= bulk(h, r, left);
					r += load<i32>(r, 8);
					if (stays(r, -1, hot)) continue;
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					break;
				case op.OP_LB: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_READ, 0, 0);
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_READ) == (va & ~0xfff)) {
						W(h, r, <i64>load<i8>(load<u32>(e, TLB_READ + 8) + <u32>va));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (loadRecord(h, r, va, left, op.OP_LB)) { r = next(r); continue; }
					break;
				}
				case op.OP_LH: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_READ, 1, 0);
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_READ) == (va & ~0xffe)) {
						W(h, r, <i64>load<i16>(load<u32>(e, TLB_READ + 8) + <u32>va));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (loadRecord(h, r, va, left, op.OP_LH)) { r = next(r); continue; }
					break;
				}
				case op.OP_LW: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_READ, 2, 0);
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_READ) == (va & ~0xffc)) {
						W(h, r, <i64>load<i32>(load<u32>(e, TLB_READ + 8) + <u32>va));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (loadRecord(h, r, va, left, op.OP_LW)) { r = next(r); continue; }
					break;
				}
				case op.OP_LD: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_READ, 3, 0);
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_READ) == (va & ~0xff8)) {
						W(h, r, <i64>load<i64>(load<u32>(e, TLB_READ + 8) + <u32>va));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (loadRecord(h, r, va, left, op.OP_LD)) { r = next(r); continue; }
					break;
				}
				case op.OP_LBU: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_READ, 0, 0);
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_READ) == (va & ~0xfff)) {
						W(h, r, <i64>load<u8>(load<u32>(e, TLB_READ + 8) + <u32>va));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (loadRecord(h, r, va, left, op.OP_LBU)) { r = next(r); continue; }
					break;
				}
				case op.OP_LHU: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_READ, 1, 0);
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_READ) == (va & ~0xffe)) {
						W(h, r, <i64>load<u16>(load<u32>(e, TLB_READ + 8) + <u32>va));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (loadRecord(h, r, va, left, op.OP_LHU)) { r = next(r); continue; }
					break;
				}
				case op.OP_LWU: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_READ, 2, 0);
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_READ) == (va & ~0xffc)) {
						W(h, r, <i64>load<u32>(load<u32>(e, TLB_READ + 8) + <u32>va));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (loadRecord(h, r, va, left, op.OP_LWU)) { r = next(r); continue; }
					break;
				}
				case op.OP_SB: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_WRITE, 0, <u32>B(h, r));
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_WRITE) == (va & ~0xfff)) {
						store<u8>(load<u32>(e, TLB_WRITE + 8) + <u32>va, <u8>B(h, r));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (storeRecord(h, r, va, left, op.OP_SB)) { r = next(r); continue; }
					break;
				}
				case op.OP_SH: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_WRITE, 1, <u32>B(h, r));
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_WRITE) == (va & ~0xffe)) {
						store<u16>(load<u32>(e, TLB_WRITE + 8) + <u32>va, <u16>B(h, r));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (storeRecord(h, r, va, left, op.OP_SH)) { r = next(r); continue; }
					break;
				}
				case op.OP_SW: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_WRITE, 2, <u32>B(h, r));
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_WRITE) == (va & ~0xffc)) {
						store<u32>(load<u32>(e, TLB_WRITE + 8) + <u32>va, <u32>B(h, r));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (storeRecord(h, r, va, left, op.OP_SW)) { r = next(r); continue; }
					break;
				}
				case op.OP_SD: {
					const va = <u64>(A(h, r) + I(r));
					if (WATCHING && va - watchedFrom < watchedSpan) watched(h, left, page + ((r - base) >> 3), va, WATCHED_WRITE, 3, <u32>B(h, r));
					const e = tlbEntry(tlb, va);
					if (load<u64>(e, TLB_WRITE) == (va & ~0xff8)) {
						store<u64>(load<u32>(e, TLB_WRITE + 8) + <u32>va, <u64>B(h, r));
						r = next(r);
						continue;
					}
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					if (storeRecord(h, r, va, left, op.OP_SD)) { r = next(r); continue; }
					break;
				}
				case op.OP_ADDI: W(h, r, A(h, r) + I(r)); r = next(r); continue;
				case op.OP_SLTI: W(h, r, A(h, r) < I(r) ? 1 : 0); r += 32; continue;
				case op.OP_SLTIU: W(h, r, <u64>A(h, r) < <u64>I(r) ? 1 : 0); r += 32; continue;
				case op.OP_XORI: W(h, r, A(h, r) ^ I(r)); r += 32; continue;
				case op.OP_ORI: W(h, r, A(h, r) | I(r)); r += 32; continue;
				case op.OP_ANDI: W(h, r, A(h, r) & I(r)); r = next(r); continue;
				case op.OP_SLLI: W(h, r, A(h, r) << I(r)); r = next(r); continue;
				case op.OP_SRLI: W(h, r, <i64>(<u64>A(h, r) >> <u64>I(r))); r = next(r); continue;
				case op.OP_SRAI: W(h, r, A(h, r) >> I(r)); r = next(r); continue;
				case op.OP_ADDIW: W(h, r, <i64>(<i32>A(h, r) + load<i32>(r, 8))); r = next(r); continue;
				case op.OP_SLLIW: W(h, r, <i64>(<i32>A(h, r) << load<i32>(r, 8))); r += 32; continue;
				case op.OP_SRLIW: W(h, r, <i64><i32>(<u32>A(h, r) >> load<u32>(r, 8))); r += 32; continue;
				case op.OP_SRAIW: W(h, r, <i64>(<i32>A(h, r) >> load<i32>(r, 8))); r += 32; continue;
				case op.OP_ADD: W(h, r, A(h, r) + B(h, r)); r = next(r); continue;
				case op.OP_SUB: W(h, r, A(h, r) - B(h, r)); r = next(r); continue;
				case op.OP_SLL: W(h, r, A(h, r) << (B(h, r) & 63)); r += 32; continue;
				case op.OP_SLT: W(h, r, A(h, r) < B(h, r) ? 1 : 0); r += 32; continue;
				case op.OP_SLTU: W(h, r, <u64>A(h, r) < <u64>B(h, r) ? 1 : 0); r += 32; continue;
				case op.OP_XOR: W(h, r, A(h, r) ^ B(h, r)); r = next(r); continue;
				case op.OP_SRL: W(h, r, <i64>(<u64>A(h, r) >> <u64>(B(h, r) & 63))); r += 32; continue;
				case op.OP_SRA: W(h, r, A(h, r) >> (B(h, r) & 63)); r += 32; continue;
				case op.OP_OR: W(h, r, A(h, r) | B(h, r)); r = next(r); continue;
				case op.OP_AND: W(h, r, A(h, r) & B(h, r)); r = next(r); continue;
				case op.OP_ADDW: W(h, r, <i64>(<i32>A(h, r) + <i32>B(h, r))); r = next(r); continue;
				case op.OP_SUBW: W(h, r, <i64>(<i32>A(h, r) - <i32>B(h, r))); r = next(r); continue;
				case op.OP_SLLW: W(h, r, <i64>(<i32>A(h, r) << (<i32>B(h, r) & 31))); r += 32; continue;
				case op.OP_SRLW: W(h, r, <i64><i32>(<u32>A(h, r) >> (<u32>B(h, r) & 31))); r += 32; continue;
				case op.OP_SRAW: W(h, r, <i64>(<i32>A(h, r) >> (<i32>B(h, r) & 31))); r += 32; continue;
				case op.OP_MUL: W(h, r, A(h, r) * B(h, r)); r += 32; continue;
				case op.OP_MULH: W(h, r, mulHigh(A(h, r), B(h, r))); r += 32; continue;
				case op.OP_MULHSU: W(h, r, mulHighSignedUnsigned(A(h, r), <u64>B(h, r))); r += 32; continue;
				case op.OP_MULHU: W(h, r, <i64>mulHighUnsigned(<u64>A(h, r), <u64>B(h, r))); r += 32; continue;
				case op.OP_DIV: W(h, r, divide(A(h, r), B(h, r))); r += 32; continue;
				case op.OP_DIVU: W(h, r, divideUnsigned(<u64>A(h, r), <u64>B(h, r))); r += 32; continue;
				case op.OP_REM: W(h, r, remainder(A(h, r), B(h, r))); r += 32; continue;
				case op.OP_REMU: W(h, r, remainderUnsigned(<u64>A(h, r), <u64>B(h, r))); r += 32; continue;
				case op.OP_MULW: W(h, r, <i64>(<i32>A(h, r) * <i32>B(h, r))); r += 32; continue;
				case op.OP_DIVW: W(h, r, divideWord(<i32>A(h, r), <i32>B(h, r))); r += 32; continue;
				case op.OP_DIVUW: W(h, r, divideWordUnsigned(<u32>A(h, r), <u32>B(h, r))); r += 32; continue;
				case op.OP_REMW: W(h, r, remainderWord(<i32>A(h, r), <i32>B(h, r))); r += 32; continue;
				case op.OP_REMUW: W(h, r, remainderWordUnsigned(<u32>A(h, r), <u32>B(h, r))); r += 32; continue;
				case op.OP_FLW: case op.OP_FLD: case op.OP_FSW: case op.OP_FSD:
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					store<u32>(h, left, V_LEFT);
					if (floatMemory(h, r, code)) { r = next(r); continue; }
					break;
				case op.OP_ILLEGAL:
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					fault(h, CAUSE_ILLEGAL, load<u32>(r, 12));
					break;
				case op.OP_ECALL: case op.OP_EBREAK: case op.OP_SRET: case op.OP_MRET: case op.OP_WFI: case op.OP_SFENCE_VMA: case op.OP_CSR:
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					store<u32>(h, left, V_LEFT);
					settle(h);
					systemRecord(h, r, code);
					break;
				default:
					store<u64>(h, page + ((r - base) >> 3), H_PC);
					store<u32>(h, left, V_LEFT);
					if (code < <u32>op.OP_FLW) atomic(h, r, code);
					else float(h, r, code);
					if (done(h, r)) { r = next(r); continue; }
					break;
			}
			break;
		}
	}
	store<u64>(h, load<u64>(h, H_STEPS) + (steps - left), H_STEPS);
	store<u64>(h, 0, H_SINK);
	return left;
}
