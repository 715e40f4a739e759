// Loads, stores and fetches that miss the TLB: translation, devices, misalignment, watched pages. The fast paths are in
// execute.ts (and in translated code).

import {
	PAGE_SHIFT, PAGE_SIZE, SCRATCH_RECORDS, S_SLOW_STORES, S_TLB_MISSES, TLB_FETCH, TLB_READ, TLB_WRITE, T_BREAKPOINT_COUNT, V_TLB,
	WATCH_PHYSICAL_READ, WATCH_PHYSICAL_WRITE, WATCH_READ, WATCH_WRITE,
} from "./layout";
import {
	ACCESS_FETCH, ACCESS_LOAD, ACCESS_STORE, CAUSE_FETCH_ACCESS, CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS,
	count, fault, faulted, yieldIfStopped,
} from "./hart";
import { busError, deviceLoad, deviceStore, isRam, ramAddress, readableAddress } from "./physical";
import { noteWriter, tlbEntry } from "./tlb";
import { flaggedStore, markDirty, pageFlags, recordsOfPage, slotOfRecords } from "./code";
import { pmpUniform } from "./pmp";
import { translate } from "./mmu";
import { armPage } from "./breakpoints";
import { anyWatched, checkWatch, watched } from "./watchpoints";
import { endTurn, settle } from "./turns";
import { noteFetch } from "./ran";
import { noteStore } from "./undo";

// @ts-ignore: decorator
@inline
function pageOf(va: u64): u64 {
	return va & ~0xfff;
}

function fill(h: usize, va: u64, table: u32, word: u32): void {
	const e = tlbEntry(load<u32>(h, V_TLB), va) + table;
	store<u64>(e, pageOf(va));
	store<u32>(e, word, 8);
}

function loadLinear(linear: u32, size: u32): u64 {
	if (size == 1) return load<u8>(linear);
	if (size == 2) return load<u16>(linear);
	if (size == 4) return load<u32>(linear);
	return load<u64>(linear);
}

function storeLinear(linear: u32, size: u32, value: u64): void {
	if (size == 1) store<u8>(linear, <u8>value);
	else if (size == 2) store<u16>(linear, <u16>value);
	else if (size == 4) store<u32>(linear, <u32>value);
	else store<u64>(linear, value);
}

// @ts-ignore: decorator
@inline
function mayCache(h: usize, va: u64, physical: u64, access: u32): bool {
	if (anyWatched()) {
		if (watched(pageOf(va), PAGE_SIZE, access)) return false;
		if (watched(pageOf(physical), PAGE_SIZE, access == WATCH_WRITE ? WATCH_PHYSICAL_WRITE : WATCH_PHYSICAL_READ)) return false;
	}
	return pmpUniform(h, pageOf(physical));
}

// ---- loads

/** Zero-extended value; check `faulted` after it. */
export function slowLoad(h: usize, va: u64, size: u32): u64 {
	if ((va & 0xfff) + size > <u64>PAGE_SIZE) return crossingLoad(h, va, size);
	const value = loadInPage(h, va, size);
	if (anyWatched() && !faulted(h)) checkWatch(h, va, size, WATCH_READ);
	return value;
}

function loadInPage(h: usize, va: u64, size: u32): u64 {
	const e = tlbEntry(load<u32>(h, V_TLB), va);
	if (load<u64>(e, TLB_READ) == pageOf(va)) return loadLinear(load<u32>(e, TLB_READ + 8) + <u32>va, size);
	count(S_TLB_MISSES);
	const physical = translate(h, va, ACCESS_LOAD, size);
	if (faulted(h)) return 0;
	const linear = readableAddress(physical);
	if (linear) {
		if (mayCache(h, va, physical, WATCH_READ)) fill(h, va, TLB_READ, linear - <u32>va);
		else if (anyWatched()) checkWatch(h, physical, size, WATCH_PHYSICAL_READ);
		return loadLinear(linear, size);
	}
	if (va & (size - 1)) return alignedParts(h, va, size);
	settle(h);
	const value = deviceLoad(physical, size);
	endTurn(h);
	if (busError) fault(h, CAUSE_LOAD_ACCESS, va);
	yieldIfStopped(h);
	return value;
}

/** A misaligned load of a device, or across pages: QEMU makes two aligned loads of it; the one that faults names its own address. */
function alignedParts(h: usize, va: u64, size: u32): u64 {
	const aligned = va & ~(<u64>size - 1);
	const low = loadInPage(h, aligned, size);
	if (faulted(h)) return 0;
	const high = loadInPage(h, aligned + size, size);
	const shift = (va - aligned) << 3;
	return ((low >> shift) | (high << ((size << 3) - shift))) & (0xffffffffffffffff >> (64 - (size << 3)));
}

/** Across a page boundary QEMU checks the first page at the address itself, the second one at its start. */
function crossingLoad(h: usize, va: u64, size: u32): u64 {
	translate(h, va, ACCESS_LOAD, <u32>(PAGE_SIZE - (va & 0xfff)));
	if (faulted(h)) return 0;
	const value = alignedParts(h, va, size);
	if (anyWatched() && !faulted(h)) checkWatch(h, va, size, WATCH_READ);
	return value;
}

// ---- stores

export function slowStore(h: usize, va: u64, size: u32, value: u64): void {
	count(S_SLOW_STORES);
	if ((va & 0xfff) + size > <u64>PAGE_SIZE) {
		crossingStore(h, va, size, value);
		return;
	}
	storeInPage(h, va, size, value);
	if (anyWatched() && !faulted(h)) checkWatch(h, va, size, WATCH_WRITE);
}

function storeInPage(h: usize, va: u64, size: u32, value: u64): void {
	const e = tlbEntry(load<u32>(h, V_TLB), va);
	if (load<u64>(e, TLB_WRITE) == pageOf(va)) {
		storeLinear(load<u32>(e, TLB_WRITE + 8) + <u32>va, size, value);
		return;
	}
	count(S_TLB_MISSES);
	const physical = translate(h, va, ACCESS_STORE, size);
	if (faulted(h)) return;
	noteStore(va);
	if (isRam(physical)) {
		const linear = ramAddress(physical);
		const marked = pageFlags(linear >> PAGE_SHIFT) != 0;
		storeRam(h, linear, size, value);
		if (anyWatched()) checkWatch(h, physical, size, WATCH_PHYSICAL_WRITE);
		// A store into a page table may have changed the very translation that it came by. Unmarked pages are none.
		if (!marked && pageFlags(linear >> PAGE_SHIFT) == 0 && mayCache(h, va, physical, WATCH_WRITE)) {
			fill(h, va, TLB_WRITE, linear - <u32>va);
			noteWriter(h, linear);
		}
		return;
	}
	if (readableAddress(physical)) return; // QEMU ignores stores to its ROM.
	if (va & (size - 1)) {
		storeBytes(h, va, size, value);
		return;
	}
	settle(h);
	deviceStore(physical, size, value);
	endTurn(h);
	if (busError) fault(h, CAUSE_STORE_ACCESS, va);
	yieldIfStopped(h);
}

/** A store into RAM at a linear address, with all bookkeeping. */
export function storeRam(h: usize, linear: u32, size: u32, value: u64): void {
	const n = linear >> PAGE_SHIFT;
	markDirty(n);
	if (pageFlags(n)) flaggedStore(h, linear, size);
	storeLinear(linear, size, value);
}

function crossingStore(h: usize, va: u64, size: u32, value: u64): void {
	const second = pageOf(va + size);
	// Both pages are checked before anything is stored.
	translate(h, va, ACCESS_STORE, <u32>(second - va));
	if (faulted(h)) return;
	translate(h, second, ACCESS_STORE, <u32>(va + size - second));
	if (faulted(h)) return;
	storeBytes(h, va, size, value);
	if (anyWatched() && !faulted(h)) checkWatch(h, va, size, WATCH_WRITE);
}

/** A misaligned store to a device, or across pages: QEMU makes bytes of it, up to the one that faults. */
function storeBytes(h: usize, va: u64, size: u32, value: u64): void {
	for (let i: u32 = 0; i < size; i++) {
		storeInPage(h, va + i, 1, (value >> (i << 3)) & 0xff);
		if (faulted(h)) return;
	}
}

// ---- fetches

/** The page that `fetchPage` found must be executed one instruction at a time: PMP splits it. */
export let singleStep: bool = false;

/** Base of the decoded records of the page at pc, 0 on a fault. */
export function fetchPage(h: usize, pc: u64): u32 {
	count(S_TLB_MISSES);
	singleStep = false;
	const physical = translate(h, pc, ACCESS_FETCH, 2);
	if (faulted(h)) return 0;
	const linear = readableAddress(physical);
	if (!linear) {
		fault(h, CAUSE_FETCH_ACCESS, pc);
		return 0;
	}
	if (!pmpUniform(h, pageOf(physical))) {
		singleStep = true;
		noteFetch(pc, 0);
		return SCRATCH_RECORDS;
	}
	const records = recordsOfPage(linear & ~(PAGE_SIZE - 1));
	if (load<u32>(T_BREAKPOINT_COUNT) != 0) armPage(pageOf(pc), slotOfRecords(records));
	noteFetch(pc, slotOfRecords(records));
	fill(h, pc, TLB_FETCH, records);
	return records;
}

/** Halfword of code at pc; check `faulted`. */
export function fetchHalf(h: usize, pc: u64): u32 {
	const physical = translate(h, pc, ACCESS_FETCH, 2);
	if (faulted(h)) return 0;
	const linear = readableAddress(physical);
	if (!linear) {
		fault(h, CAUSE_FETCH_ACCESS, pc);
		return 0;
	}
	return load<u16>(linear);
}
