// Software TLBs. Each hart has TLB_BANKS banks; a bank caches translations for one key, so that a switch of address space,
// mode, SUM or MXR only selects another bank.
//
// The TLBs are coherent with the page tables in memory: a store that changes a walked entry removes what depends on it
// (code.ts, `pageTableStore`). So their content is invisible to guests, and sfence.vma has nothing to do.

import {
	H_ID, H_MODE, H_MSTATUS, H_SATP, PAGE_CACHES_BANK, PAGE_ROOTS_MANY, PAGE_SHIFT, PAGE_WRITERS, S_BANK_MISSES, S_TLB_FLUSHES, TLB_BANKS, TLB_BANK_SIZE, TLB_BASE, TLB_ENTRIES,
	TLB_ENTRY_SIZE, TLB_FETCH, TLB_WRITE, V_BANK_KEYS, V_NEXT_BANK, V_TLB,
} from "./layout";
import { MODE_M, MSTATUS_MPRV, MSTATUS_MXR, MSTATUS_SUM, NEVER, count, hartAt, hartCount } from "./hart";

/** Mode that loads and stores are checked in (MPRV, privileged ISA 3.1.6.3). */
// @ts-ignore: decorator
@inline
export function dataMode(h: usize): u32 {
	const mode = load<u32>(h, H_MODE);
	const status = load<u64>(h, H_MSTATUS);
	return mode == MODE_M && (status & MSTATUS_MPRV) != 0 ? <u32>((status >> 11) & 3) : mode;
}

/** Everything that a translation depends on besides memory and PMP. The ASID does not matter to a coherent TLB. */
function bankKey(h: usize): u64 {
	const mode = load<u32>(h, H_MODE);
	const data = dataMode(h);
	if (mode == MODE_M && data == MODE_M) return 0x0f;
	const status = load<u64>(h, H_MSTATUS);
	const satp = load<u64>(h, H_SATP);
	let key: u64 = mode | (data << 2);
	if (satp >> 60 != 0) {
		key |= 0x80 | ((satp & 0xfffffffffff) << 8);
		if (status & MSTATUS_SUM) key |= 0x10;
		if (status & MSTATUS_MXR) key |= 0x20;
	}
	return key;
}

// @ts-ignore: decorator
@inline
function bankAt(hart: u32, bank: u32): usize {
	return TLB_BASE + (hart * TLB_BANKS + bank) * TLB_BANK_SIZE;
}

/** A bank's entry for the page of a virtual address. */
// @ts-ignore: decorator
@inline
export function tlbEntry(tlb: u32, va: u64): usize {
	return tlb + ((<u32>va >> 8) & 0xff0);
}

/** Whenever entries of a bank become void: translated code has copies of some. */
function dropPageCaches(): void {
	store<u32>(PAGE_CACHES_BANK, 0);
}

/** An empty bank, or the next in turn. */
function bankToReplace(h: usize): u32 {
	for (let b: u32 = 0; b < <u32>TLB_BANKS; b++) if (load<u64>(h + (b << 3), V_BANK_KEYS) == NEVER) return b;
	const next = load<u32>(h, V_NEXT_BANK);
	store<u32>(h, (next + 1) % TLB_BANKS, V_NEXT_BANK);
	return next;
}

/** Makes the bank for the hart's present key the current one. Call after every change that `bankKey` reads. */
export function selectBank(h: usize): void {
	const key = bankKey(h);
	const id = load<u32>(h, H_ID);
	for (let b: u32 = 0; b < <u32>TLB_BANKS; b++) {
		if (load<u64>(h + (b << 3), V_BANK_KEYS) == key) {
			store<u32>(h, <u32>bankAt(id, b), V_TLB);
			return;
		}
	}
	count(S_BANK_MISSES);
	const b = bankToReplace(h);
	store<u64>(h + (b << 3), key, V_BANK_KEYS);
	dropPageCaches();
	const bank = bankAt(id, b);
	memory.fill(bank, 0xff, TLB_BANK_SIZE);
	store<u32>(h, <u32>bank, V_TLB);
}

export function flushHart(h: usize): void {
	count(S_TLB_FLUSHES);
	dropPageCaches();
	for (let b: u32 = 0; b < <u32>TLB_BANKS; b++) store<u64>(h + (b << 3), NEVER, V_BANK_KEYS);
	selectBank(h);
}

export function flushAll(): void {
	for (let i: u32 = 0; i < hartCount(); i++) flushHart(hartAt(i));
}

/** Whether a bank's key is of an address space with this root (a page number, or PAGE_ROOTS_MANY). */
// @ts-ignore: decorator
@inline
function isOfRoot(key: u64, root: u32): bool {
	return key != NEVER && (root == PAGE_ROOTS_MANY || ((key & 0x80) != 0 && (key >> 8) == <u64>root));
}

/** Empties the banks of the address spaces with this root. */
export function flushRoot(root: u32): void {
	dropPageCaches();
	for (let i: u32 = 0; i < hartCount(); i++) {
		const h = hartAt(i);
		let any = false;
		for (let b: u32 = 0; b < <u32>TLB_BANKS; b++) {
			if (!isOfRoot(load<u64>(h + (b << 3), V_BANK_KEYS), root)) continue;
			store<u64>(h + (b << 3), NEVER, V_BANK_KEYS);
			any = true;
		}
		if (!any) continue;
		count(S_TLB_FLUSHES);
		selectBank(h);
	}
}

/** Removes the entries of one index from the tables of these banks: what a level-0 page-table entry can have made. */
export function flushIndex(index: u32, root: u32): void {
	dropPageCaches();
	const offset = (index & (TLB_ENTRIES - 1)) * TLB_ENTRY_SIZE;
	for (let i: u32 = 0; i < hartCount(); i++) {
		const h = hartAt(i);
		for (let b: u32 = 0; b < <u32>TLB_BANKS; b++) {
			if (!isOfRoot(load<u64>(h + (b << 3), V_BANK_KEYS), root)) continue;
			const e = bankAt(i, b) + offset;
			store<u64>(e, NEVER);
			store<u64>(e, NEVER, TLB_WRITE);
			store<u64>(e, NEVER, TLB_FETCH);
		}
	}
}

/** The hart gets a write entry for the page of a linear address. */
export function noteWriter(h: usize, linear: u32): void {
	const at: usize = PAGE_WRITERS + (linear >> PAGE_SHIFT);
	store<u8>(at, load<u8>(at) | <u8>(<u32>1 << load<u32>(h, H_ID)));
}

/** Removes write entries that map the page at this linear address. */
export function dropWritable(page: u32): void {
	dropPageCaches();
	const at: usize = PAGE_WRITERS + (page >> PAGE_SHIFT);
	const writers: u32 = load<u8>(at);
	store<u8>(at, 0);
	for (let i: u32 = 0; i < hartCount(); i++) {
		if (!((writers >> i) & 1)) continue;
		const h = hartAt(i);
		for (let b: u32 = 0; b < <u32>TLB_BANKS; b++) {
			if (load<u64>(h + (b << 3), V_BANK_KEYS) == NEVER) continue;
			const first = bankAt(i, b) + TLB_WRITE;
			for (let e: usize = first; e < first + TLB_ENTRIES * TLB_ENTRY_SIZE; e += TLB_ENTRY_SIZE) {
				const tag = load<u64>(e);
				if (tag != NEVER && load<u32>(e, 8) + <u32>tag == page) store<u64>(e, NEVER);
			}
		}
	}
}

/** Removes all write entries, so that the next store to each page takes the slow path. */
export function dropAllWritable(): void {
	dropPageCaches();
	for (let i: u32 = 0; i < hartCount(); i++) {
		const h = hartAt(i);
		for (let b: u32 = 0; b < <u32>TLB_BANKS; b++) {
			if (load<u64>(h + (b << 3), V_BANK_KEYS) == NEVER) continue;
			memory.fill(bankAt(i, b) + TLB_WRITE, 0xff, TLB_ENTRIES * TLB_ENTRY_SIZE);
		}
	}
}

/** Removes fetch entries that lead to these decoded records; 0: all fetch entries. */
export function dropFetch(records: u32): void {
	for (let i: u32 = 0; i < hartCount(); i++) {
		const h = hartAt(i);
		for (let b: u32 = 0; b < <u32>TLB_BANKS; b++) {
			if (load<u64>(h + (b << 3), V_BANK_KEYS) == NEVER) continue;
			const first = bankAt(i, b) + TLB_FETCH;
			if (records == 0) {
				memory.fill(first, 0xff, TLB_ENTRIES * TLB_ENTRY_SIZE);
				continue;
			}
			for (let e: usize = first; e < first + TLB_ENTRIES * TLB_ENTRY_SIZE; e += TLB_ENTRY_SIZE) {
				if (load<u64>(e) != NEVER && load<u32>(e, 8) == records) store<u64>(e, NEVER);
			}
		}
	}
}
