// Breakpoints are decoded records: OP_BREAK stands in the slot of each page that has one, so a breakpoint costs something only
// where it is. The host decides whether a hit stops (process, mode, condition). When it does not, the instruction is decoded
// alone and runs, exactly as if nothing were there: breakpoints never change what a guest computes.
//
// A slot is shared by all pages with its content, at whatever addresses, so an armed record need not be a breakpoint of this
// page: the table of pcs decides. A region of translated code ends before an armed record (jit/instruction.ts).

import {
	HEAT_BASE, HEAT_STRIDE, H_ID, H_STEPS, PAGE_SIZE, STOP_BREAKPOINT, T_BREAKPOINTS, T_BREAKPOINT_COUNT, T_BREAKPOINT_MAX, T_READY_HART, T_STOP_HART,
	T_STOP_PC, T_STOP_REQUEST, V_LEFT, V_RESUME_STEPS, V_STEPS_END,
} from "./layout";
import * as op from "./opcodes";
import { NEVER, YIELD_CODE, hartAt, hartCount, yieldAfter } from "./hart";
import { flushAll } from "./tlb";
import { recordsOfSlot, slotsInUse } from "./code";
import { LOOP_BYTES, decodeAt } from "./decode";
import { ranUnclear } from "./ran";
import { watchedCall } from "./watch";
import { WATCHING } from "./watchBuild";

/** A hart is about to execute at T_STOP_PC, where there is a breakpoint; nonzero: the run stops there. */
// @ts-ignore: decorator
@external("env", "onBreakpoint") declare function onBreakpoint(hart: u32): u32;
/** The records of a slot changed: what is translated of it, or waits to be, is void. */
// @ts-ignore: decorator
@external("env", "slotChanged") declare function slotChanged(slot: u32): void;

function find(pc: u64): i32 {
	const n = load<u32>(T_BREAKPOINT_COUNT);
	for (let i: u32 = 0; i < n; i++) if (load<u64>(T_BREAKPOINTS + (i << 3)) == pc) return i;
	return -1;
}

/** 1 on success, 0 when the table is full. */
export function addBreakpoint(pc: u64): u32 {
	if (find(pc) >= 0) return 1;
	const n = load<u32>(T_BREAKPOINT_COUNT);
	if (n >= <u32>T_BREAKPOINT_MAX) return 0;
	store<u64>(T_BREAKPOINTS + (n << 3), pc);
	store<u32>(T_BREAKPOINT_COUNT, n + 1);
	refetch();
	return 1;
}

export function removeBreakpoint(pc: u64): void {
	const i = find(pc);
	if (i < 0) return;
	const last = load<u32>(T_BREAKPOINT_COUNT) - 1;
	store<u64>(T_BREAKPOINTS + (i << 3), load<u64>(T_BREAKPOINTS + (last << 3)));
	store<u32>(T_BREAKPOINT_COUNT, last);
	const offset = <u32>pc & 0xffe;
	for (let other: u32 = 0; other < last; other++) if ((load<u32>(T_BREAKPOINTS + (other << 3)) & 0xffe) == offset) return;
	for (let slot: u32 = 1; slot <= slotsInUse(); slot++) disarm(slot, offset);
	refetch();
}

/** Pages are armed when they are fetched from; a hart under way leaves the page that it is in. */
function refetch(): void {
	flushAll();
	for (let i: u32 = 0; i < hartCount(); i++) yieldAfter(hartAt(i), YIELD_CODE);
}

/** A page of virtual memory is about to be executed from a slot. */
export function armPage(page: u64, slot: u32): void {
	const n = load<u32>(T_BREAKPOINT_COUNT);
	for (let i: u32 = 0; i < n; i++) {
		const pc = load<u64>(T_BREAKPOINTS + (i << 3));
		if ((pc & ~0xfff) == page) arm(slot, <u32>pc & 0xffe);
	}
}

function recordAt(slot: u32, offset: u32): usize {
	return recordsOfSlot(slot) + (offset << 3);
}

function arm(slot: u32, offset: u32): void {
	const at = recordAt(slot, offset);
	if (load<u8>(at) == op.OP_BREAK) return;
	decodeAt(slot, offset);
	store<u8>(at, op.OP_BREAK);
	redecodeLoops(slot, offset);
}

function disarm(slot: u32, offset: u32): void {
	const at = recordAt(slot, offset);
	if (load<u8>(at) != op.OP_BREAK) return;
	store<u8>(at, op.OP_UNDECODED);
	redecodeLoops(slot, offset);
}

/** Byte loops whose body has this place may not be done in bulk while it is armed, and may be again later (idioms.ts). */
function redecodeLoops(slot: u32, offset: u32): void {
	const at = recordAt(slot, offset);
	for (let o = offset + 2; o <= offset + <u32>LOOP_BYTES && o < <u32>PAGE_SIZE; o += 2) {
		const branch = recordAt(slot, o);
		const code: u32 = load<u8>(branch);
		if (code != op.OP_BNE_LOCAL && code != op.OP_BULK_BNE) continue;
		if (branch + load<i32>(branch, 8) <= at) store<u8>(branch, op.OP_UNDECODED);
	}
	memory.fill(HEAT_BASE + slot * HEAT_STRIDE, 0, HEAT_STRIDE);
	ranUnclear();
	slotChanged(slot);
}

/** Whether the run stops before the instruction at pc, which is stored, as is V_LEFT. Where it stopped before, it continues. */
export function breakpointAt(h: usize, pc: u64): bool {
	if (find(pc) < 0) return false;
	const steps = load<u64>(h, V_STEPS_END) - load<u32>(h, V_LEFT);
	if (load<u64>(h, V_RESUME_STEPS) == steps) return false;
	store<u32>(T_STOP_HART, load<u32>(h, H_ID));
	store<u64>(T_STOP_PC, pc);
	// Asked once for each hit, even if the listener makes the hart fetch this page again.
	store<u64>(h, steps, V_RESUME_STEPS);
	if (WATCHING && watchedCall(h, pc)) return false;
	if (!onBreakpoint(load<u32>(h, H_ID))) return false;
	store<u32>(T_STOP_REQUEST, STOP_BREAKPOINT);
	store<u32>(T_READY_HART, load<u32>(h, H_ID) + 1);
	return true;
}

/** The hart's next step is made whatever breakpoint is there. */
export function passBreakpoint(hart: u32): void {
	const h = hartAt(hart);
	store<u64>(h, load<u64>(h, H_STEPS), V_RESUME_STEPS);
}

/** The machine went to another moment: nowhere has it stopped before. */
export function forgetBreakpointStops(): void {
	for (let i: u32 = 0; i < hartCount(); i++) store<u64>(hartAt(i), NEVER, V_RESUME_STEPS);
}
