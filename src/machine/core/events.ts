// Breakpoints and watchpoints. Pages with a breakpoint are executed one instruction at a time, pages with a watchpoint never
// enter a TLB; all other pages pay nothing.

import {
	H_ID, STOP_BREAKPOINT, T_BREAKPOINTS, T_BREAKPOINT_COUNT, T_BREAKPOINT_MAX, T_EVENT_MASK, T_RESUME_HART, T_RESUME_PC,
	T_STOP_HART, T_STOP_PC, T_STOP_REQUEST, T_WATCHPOINTS, T_WATCHPOINT_COUNT, T_WATCHPOINT_MAX,
} from "./layout";
import { flushAll } from "./tlb";

export function setEventMask(mask: u32): void {
	store<u32>(T_EVENT_MASK, mask);
}

function findBreakpoint(pc: u64): i32 {
	const n = load<u32>(T_BREAKPOINT_COUNT);
	for (let i: u32 = 0; i < n; i++) if (load<u64>(T_BREAKPOINTS + (i << 3)) == pc) return i;
	return -1;
}

export function addBreakpoint(pc: u64): u32 {
	if (findBreakpoint(pc) >= 0) return 1;
	const n = load<u32>(T_BREAKPOINT_COUNT);
	if (n >= <u32>T_BREAKPOINT_MAX) return 0;
	store<u64>(T_BREAKPOINTS + (n << 3), pc);
	store<u32>(T_BREAKPOINT_COUNT, n + 1);
	flushAll();
	return 1;
}

export function removeBreakpoint(pc: u64): void {
	const i = findBreakpoint(pc);
	if (i < 0) return;
	const last = load<u32>(T_BREAKPOINT_COUNT) - 1;
	store<u64>(T_BREAKPOINTS + (i << 3), load<u64>(T_BREAKPOINTS + (last << 3)));
	store<u32>(T_BREAKPOINT_COUNT, last);
	flushAll();
}

export function pageHasBreakpoint(page: u64): bool {
	const n = load<u32>(T_BREAKPOINT_COUNT);
	for (let i: u32 = 0; i < n; i++) if ((load<u64>(T_BREAKPOINTS + (i << 3)) & ~0xfff) == page) return true;
	return false;
}

/** Whether the run stops before the instruction at pc; the one that it stopped at last may go on. */
export function breakpointAt(h: usize, pc: u64): bool {
	if (findBreakpoint(pc) < 0) return false;
	const hart = load<u32>(h, H_ID);
	if (load<u32>(T_RESUME_HART) == hart + 1 && load<u64>(T_RESUME_PC) == pc) {
		store<u32>(T_RESUME_HART, 0);
		return false;
	}
	store<u32>(T_RESUME_HART, hart + 1);
	store<u64>(T_RESUME_PC, pc);
	store<u32>(T_STOP_HART, hart);
	store<u64>(T_STOP_PC, pc);
	store<u32>(T_STOP_REQUEST, STOP_BREAKPOINT);
	return true;
}

export function addWatchpoint(start: u64, end: u64, access: u32): u32 {
	const n = load<u32>(T_WATCHPOINT_COUNT);
	if (n >= <u32>T_WATCHPOINT_MAX || end <= start) return 0;
	const w: usize = T_WATCHPOINTS + n * 24;
	store<u64>(w, start);
	store<u64>(w, end, 8);
	store<u64>(w, access, 16);
	store<u32>(T_WATCHPOINT_COUNT, n + 1);
	flushAll();
	return 1;
}

export function removeWatchpoint(start: u64, end: u64, access: u32): void {
	const n = load<u32>(T_WATCHPOINT_COUNT);
	for (let i: u32 = 0; i < n; i++) {
		const w: usize = T_WATCHPOINTS + i * 24;
		if (load<u64>(w) != start || load<u64>(w, 8) != end || load<u64>(w, 16) != access) continue;
		memory.copy(w, T_WATCHPOINTS + (n - 1) * 24, 24);
		store<u32>(T_WATCHPOINT_COUNT, n - 1);
		flushAll();
		return;
	}
}
