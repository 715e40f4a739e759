// Watchpoints. Pages with a watched range never enter a TLB for the watched kind of access, so that each comes by the slow
// paths; all other pages pay nothing. The host decides whether a hit stops.

import {
	H_ID, H_PC, STOP_DEVICE, STOP_WATCHPOINT, T_STOP_ACCESS, T_STOP_ADDRESS, T_STOP_HART, T_STOP_PC, T_STOP_REQUEST,
	T_WATCHPOINTS, T_WATCHPOINT_COUNT, T_WATCHPOINT_MAX, T_WATCHPOINT_SIZE,
} from "./layout";
import { YIELD_STOP, yieldAfter } from "./hart";
import { flushAll } from "./tlb";

/** The access that T_STOP_* describe was made to the range with this id; nonzero: the run stops. */
// @ts-ignore: decorator
@external("env", "onWatchpoint") declare function onWatchpoint(id: u32): u32;

/** Id 0 always stops. 1 on success, 0 when the table is full or the range is empty. */
export function addWatchpoint(start: u64, end: u64, access: u32, id: u32): u32 {
	const n = load<u32>(T_WATCHPOINT_COUNT);
	if (n >= <u32>T_WATCHPOINT_MAX || end <= start) return 0;
	const w: usize = T_WATCHPOINTS + n * T_WATCHPOINT_SIZE;
	store<u64>(w, start);
	store<u64>(w, end, 8);
	store<u32>(w, access, 16);
	store<u32>(w, id, 20);
	store<u32>(T_WATCHPOINT_COUNT, n + 1);
	flushAll();
	return 1;
}

export function removeWatchpoint(start: u64, end: u64, access: u32, id: u32): void {
	const n = load<u32>(T_WATCHPOINT_COUNT);
	for (let i: u32 = 0; i < n; i++) {
		const w: usize = T_WATCHPOINTS + i * T_WATCHPOINT_SIZE;
		if (load<u64>(w) != start || load<u64>(w, 8) != end || load<u32>(w, 16) != access || load<u32>(w, 20) != id) continue;
		memory.copy(w, T_WATCHPOINTS + (n - 1) * T_WATCHPOINT_SIZE, T_WATCHPOINT_SIZE);
		store<u32>(T_WATCHPOINT_COUNT, n - 1);
		flushAll();
		return;
	}
}

// @ts-ignore: decorator
@inline
export function anyWatched(): bool {
	return load<u32>(T_WATCHPOINT_COUNT) != 0;
}

// @ts-ignore: decorator
@inline
function touches(w: usize, address: u64, size: u64, access: u32): bool {
	return address < load<u64>(w, 8) && address + size > load<u64>(w) && (load<u32>(w, 16) & access) != 0;
}

/** Whether any watched range with these access bits touches [address, address + size). */
export function watched(address: u64, size: u64, access: u32): bool {
	const n = load<u32>(T_WATCHPOINT_COUNT);
	for (let i: u32 = 0; i < n; i++) if (touches(T_WATCHPOINTS + i * T_WATCHPOINT_SIZE, address, size, access)) return true;
	return false;
}

/** An access was made to [address, address + size); `h` 0: by a device. */
export function checkWatch(h: usize, address: u64, size: u64, access: u32): void {
	// The listener may add and remove.
	for (let i: u32 = 0; i < load<u32>(T_WATCHPOINT_COUNT); i++) {
		const w: usize = T_WATCHPOINTS + i * T_WATCHPOINT_SIZE;
		if (!touches(w, address, size, access)) continue;
		store<u32>(T_STOP_HART, h ? load<u32>(h, H_ID) : <u32>STOP_DEVICE);
		store<u32>(T_STOP_ACCESS, access);
		store<u64>(T_STOP_PC, h ? load<u64>(h, H_PC) : 0);
		store<u64>(T_STOP_ADDRESS, h ? address : max<u64>(address, load<u64>(w)));
		const id = load<u32>(w, 20);
		if (id != 0 && !onWatchpoint(id)) continue;
		store<u32>(T_STOP_REQUEST, STOP_WATCHPOINT);
		if (h) yieldAfter(h, YIELD_STOP);
		return;
	}
}
