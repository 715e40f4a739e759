// Every access of the kernel to a range of addresses as a record, for detectors (core-watch.wasm only; accessWatch.ts reads
// them). Nothing of STATE depends on it, so a watched run is the run that it would have been.

import { HEAT_BASE, H_ID, H_MODE, H_MSTATUS, H_PC, SLOT_RECORDS, T_WATCHED_COUNT, T_WATCHED_FROM, T_WATCHED_LIMIT, T_WATCHED_RECORDS, T_WATCHED_SPAN, WATCHED_SWAP } from "./layout";
import { MODE_S, MSTATUS_SIE } from "./hart";

// @ts-ignore: decorator
@external("env", "accessesFull") declare function accessesFull(): void;

/** Before an access, and at a swap of a lock word after it. A record: pc, va, hart | kind << 4 | log2 size << 8 | SIE << 12, value; 4 bytes each. */
export function watched(h: usize, pc: u64, va: u64, kind: u32, log2: u32, value: u32): void {
	if (load<u32>(h, H_MODE) != MODE_S) return;
	const n = load<u32>(T_WATCHED_COUNT);
	const at: usize = load<u32>(T_WATCHED_RECORDS) + (n << 4);
	const enabled: u32 = load<u64>(h, H_MSTATUS) & MSTATUS_SIE ? 1 : 0;
	store<u32>(at, <u32>pc);
	store<u32>(at, <u32>va, 4);
	store<u32>(at, load<u32>(h, H_ID) | (kind << 4) | (log2 << 8) | (enabled << 12), 8);
	store<u32>(at, value, 12);
	store<u32>(T_WATCHED_COUNT, n + 1);
	if (n + 1 >= load<u32>(T_WATCHED_LIMIT)) accessesFull();
}

/** After an AMO. Value: bit 0: it found 0, bit 1: it left 0; others have changed no lock. */
export function watchedSwap(h: usize, va: u64, size: u32, old: u64, value: u64): void {
	if (va - load<u64>(T_WATCHED_FROM) >= load<u64>(T_WATCHED_SPAN)) return;
	const left: u64 = size == 8 ? value : <u64><u32>value;
	const what: u32 = (old == 0 ? 1 : 0) | (left == 0 ? 2 : 0);
	if (what) watched(h, load<u64>(h, H_PC), va, WATCHED_SWAP, size == 8 ? 3 : 2, what);
}

/** A conditional branch was executed: which way it went is kept in its heat, which a core without a translator does not use. */
// @ts-ignore: decorator
@inline
export function branched(r: usize, way: u32): void {
	// An instruction that is run alone, off its page, has no heat.
	if (r < <usize>SLOT_RECORDS) return;
	const at: usize = HEAT_BASE + ((r - SLOT_RECORDS) >> 3);
	store<u8>(at, <u8>(<u32>load<u8>(at) | way));
}
