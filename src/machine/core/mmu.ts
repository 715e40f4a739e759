// Sv39 address translation (privileged ISA 4.4) with the choices of QEMU 7.2: A and D are set by hardware, reserved bits of
// an entry fault, an unreadable entry is a page fault, an entry that PMP refuses is an access fault.

import {
	H_MODE, H_MSTATUS, H_SATP, PAGE_CODE, PAGE_SHIFT, PAGE_TABLE_LEAF, PAGE_TABLE_UPPER, S_WALKS, WATCH_PHYSICAL_WRITE,
} from "./layout";
import {
	ACCESS_FETCH, ACCESS_LOAD, ACCESS_STORE, CAUSE_FETCH_ACCESS, CAUSE_FETCH_PAGE, CAUSE_LOAD_ACCESS, CAUSE_LOAD_PAGE,
	CAUSE_STORE_ACCESS, CAUSE_STORE_PAGE, MODE_M, MODE_S, MODE_U, MSTATUS_MXR, MSTATUS_SUM, count, fault,
} from "./hart";
import { dataMode } from "./tlb";
import { isRam, readableAddress } from "./physical";
import { pmpAllows } from "./pmp";
import { flaggedStore, markDirty, markTable, pageFlags } from "./code";
import { anyWatched, checkWatch } from "./watchpoints";
import { watchedLeaf, watchedWalk } from "./watch";
import { WATCHING } from "./watchBuild";

const PTE_V: u64 = 1;
const PTE_R: u64 = 2;
const PTE_W: u64 = 4;
const PTE_X: u64 = 8;
const PTE_U: u64 = 0x10;
const PTE_A: u64 = 0x40;
const PTE_D: u64 = 0x80;
const PTE_RESERVED: u64 = 0xffc0000000000000;
const PPN: u64 = 0xfffffffffff;

function accessCause(access: u32): u64 {
	return access == ACCESS_FETCH ? CAUSE_FETCH_ACCESS : access == ACCESS_LOAD ? CAUSE_LOAD_ACCESS : CAUSE_STORE_ACCESS;
}

function pageCause(access: u32): u64 {
	return access == ACCESS_FETCH ? CAUSE_FETCH_PAGE : access == ACCESS_LOAD ? CAUSE_LOAD_PAGE : CAUSE_STORE_PAGE;
}

// @ts-ignore: decorator
@inline
function rightOf(access: u32): u32 {
	return access == ACCESS_FETCH ? 4 : access == ACCESS_LOAD ? 1 : 2;
}

/** Physical address of a virtual one for an access of `size` bytes inside one page; faults and returns 0 when it is not allowed. */
export function translate(h: usize, va: u64, access: u32, size: u32): u64 {
	const mode = access == ACCESS_FETCH ? load<u32>(h, H_MODE) : dataMode(h);
	const satp = load<u64>(h, H_SATP);
	let physical = va;
	if (mode != MODE_M && satp >> 60 != 0) {
		physical = walk(h, va, access, mode, satp);
		if (physical == REFUSED) return 0;
	}
	if (!pmpAllows(h, physical, size, rightOf(access), mode)) {
		fault(h, accessCause(access), va);
		return 0;
	}
	return physical;
}

/** Not a physical address: Sv39 has 56 bits. */
const REFUSED: u64 = 0xffffffffffffffff;

function pageFault(h: usize, va: u64, access: u32): u64 {
	fault(h, pageCause(access), va);
	return REFUSED;
}

function walk(h: usize, va: u64, access: u32, mode: u32, satp: u64): u64 {
	count(S_WALKS);
	if (WATCHING) watchedWalk(h, va);
	if (<i64>va != (<i64>va << 25) >> 25) return pageFault(h, va, access);
	const status = load<u64>(h, H_MSTATUS);
	// Bits of it beyond 32 are of no RAM.
	const root = <u32>satp;
	let table = (satp & PPN) << PAGE_SHIFT;
	for (let level: i32 = 2; level >= 0; level--) {
		const shift: u64 = <u64>(PAGE_SHIFT + 9 * level);
		const at = table + (((va >> shift) & 511) << 3);
		if (!pmpAllows(h, at, 8, 1, MODE_S)) {
			fault(h, accessCause(access), va);
			return REFUSED;
		}
		const linear = readableAddress(at);
		if (!linear) return pageFault(h, va, access);
		const pte = load<u64>(linear);
		if (!(pte & PTE_V) || (pte & PTE_RESERVED) != 0) return pageFault(h, va, access);
		const next = ((pte >> 10) & PPN) << PAGE_SHIFT;
		if (!(pte & (PTE_R | PTE_W | PTE_X))) {
			if (pte & (PTE_D | PTE_A | PTE_U)) return pageFault(h, va, access);
			markTable(linear, PAGE_TABLE_UPPER, root);
			table = next;
			continue;
		}
		if (!permits(pte, access, mode, status)) return pageFault(h, va, access);
		const low = ((<u64>1) << shift) - 1;
		if (next & low) return pageFault(h, va, access);
		const updated = pte | PTE_A | (access == ACCESS_STORE ? PTE_D : 0);
		if (updated != pte) {
			if (!isRam(at)) return pageFault(h, va, access);
			if (pageFlags(linear >> PAGE_SHIFT) & PAGE_CODE) flaggedStore(h, linear, 1);
			markDirty(linear >> PAGE_SHIFT);
			store<u64>(linear, updated);
			if (anyWatched()) checkWatch(h, at, 8, WATCH_PHYSICAL_WRITE);
		}
		markTable(linear, level == 0 ? PAGE_TABLE_LEAF : PAGE_TABLE_UPPER, root);
		if (WATCHING) watchedLeaf(h, at, pte);
		return next | (va & low);
	}
	return pageFault(h, va, access);
}

function permits(pte: u64, access: u32, mode: u32, status: u64): bool {
	if ((pte & (PTE_R | PTE_W)) == PTE_W) return false;
	if (pte & PTE_U) {
		if (mode != MODE_U && (!(status & MSTATUS_SUM) || access == ACCESS_FETCH)) return false;
	} else if (mode != MODE_S) return false;
	if (access == ACCESS_FETCH) return (pte & PTE_X) != 0;
	if (access == ACCESS_STORE) return (pte & PTE_W) != 0;
	return (pte & PTE_R) != 0 || ((pte & PTE_X) != 0 && (status & MSTATUS_MXR) != 0);
}

/** Translation for readers outside: any valid leaf, no check of rights, no A or D update. All ones: none. */
export function peekTranslate(h: usize, va: u64): u64 {
	const satp = load<u64>(h, H_SATP);
	if (satp >> 60 == 0 || load<u32>(h, H_MODE) == MODE_M) return va;
	return peekTranslateIn((satp & PPN) << PAGE_SHIFT, va);
}

/** The same under a root page table at a physical address. */
export function peekTranslateIn(root: u64, va: u64): u64 {
	if (<i64>va != (<i64>va << 25) >> 25) return REFUSED;
	let table = root;
	for (let level: i32 = 2; level >= 0; level--) {
		const shift: u64 = <u64>(PAGE_SHIFT + 9 * level);
		const linear = readableAddress(table + (((va >> shift) & 511) << 3));
		if (!linear) return REFUSED;
		const pte = load<u64>(linear);
		if (!(pte & PTE_V)) return REFUSED;
		const next = ((pte >> 10) & PPN) << PAGE_SHIFT;
		const low = ((<u64>1) << shift) - 1;
		if (pte & (PTE_R | PTE_W | PTE_X)) return (next & ~low) | (va & low);
		table = next;
	}
	return REFUSED;
}
