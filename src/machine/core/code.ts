// Pages that carry more than data: decoded code and page tables. Their stores take the slow path (they never enter a write
// TLB), so that decoded records and TLB entries always agree with memory.
//
// Decoded pages ("slots") are found by content and hold position-independent records: all copies of a program's text share
// one slot, and a page that gets its old content back gets its old records back.

import {
	DIRTY_BASE, HEAT_BASE, HEAT_STRIDE, M_RAM_SIZE, PAGE_CODE, PAGE_FLAGS, PAGE_RESERVED, PAGE_ROOT, PAGE_ROOTS_MANY, PAGE_SHIFT, PAGE_SIZE, PAGE_SLOT,
	PAGE_TABLE_LEAF, PAGE_TABLE_UPPER, RAM_BASE, ROM_BASE, ROM_SIZE, SLOT_BUCKETS, SLOT_BUCKET_COUNT, SLOT_COPY, SLOT_COUNT,
	SLOT_INFO, SLOT_INFO_SIZE, SLOT_RECORDS, SLOT_RECORDS_STRIDE, S_PAGES_DECODED, S_PAGES_LINKED, S_PAGES_UNLINKED,
	H_RESERVATION,
} from "./layout";
import { OP_END } from "./opcodes";
import { NEVER, YIELD_CODE, count, hartAt, hartCount, yieldAfter } from "./hart";
import { dropFetch, dropWritable, flushIndex, flushRoot } from "./tlb";
import { ramAddress } from "./physical";
import { ranUnclear } from "./ran";
import { keepPage } from "./undo";
import { WATCHING } from "./watchBuild";

/** Only core-watch.wasm: all decoded pages are about to be forgotten, and with them what was executed. */
// @ts-ignore: decorator
@external("env", "slotsDropped") declare function slotsDropped(): void;

/** Slots in use are 1..slotsUsed. A cache: dropping it is invisible. */
let slotsUsed: u32 = 0;
/** Counts how often all slots were dropped: decoded pages, and what is built on them, are void after a change. */
export let slotGeneration: u32 = 0;
/** Slow stores to page-table pages since the last full flush; past a limit the marks are worth dropping. */
let tableStores: u32 = 0;
const TABLE_STORES_MAX: u32 = 64;

// @ts-ignore: decorator
@inline
export function pageFlags(linearPage: u32): u32 {
	return load<u8>(PAGE_FLAGS + linearPage);
}

// @ts-ignore: decorator
@inline
export function markDirty(linearPage: u32): void {
	const a: usize = DIRTY_BASE + (linearPage >> 3);
	store<u8>(a, load<u8>(a) | <u8>(<u32>1 << (linearPage & 7)));
	keepPage(linearPage);
}

export function recordsOfSlot(slot: u32): u32 {
	return SLOT_RECORDS + slot * SLOT_RECORDS_STRIDE;
}

export function slotOfRecords(records: u32): u32 {
	return (records - SLOT_RECORDS) / SLOT_RECORDS_STRIDE;
}

export function slotsInUse(): u32 {
	return slotsUsed;
}

function hashPage(page: usize): u64 {
	let hash: u64 = 0x9e3779b97f4a7c15;
	for (let i: usize = 0; i < <usize>PAGE_SIZE; i += 16) {
		hash = (hash ^ load<u64>(page + i)) * 0xff51afd7ed558ccd;
		hash = rotl<u64>(hash, 29) ^ (load<u64>(page + i, 8) * 0xc4ceb9fe1a85ec53);
	}
	return hash ^ (hash >> 32);
}

/** Decoded records of the page at a linear address; links the page to a slot when it has none. */
export function recordsOfPage(page: u32): u32 {
	const n = page >> PAGE_SHIFT;
	const link: usize = PAGE_SLOT + (n << 1);
	let slot: u32 = load<u16>(link);
	if (slot) return recordsOfSlot(slot);
	count(S_PAGES_LINKED);
	const hash = hashPage(page);
	const bucket: usize = SLOT_BUCKETS + ((<u32>hash & (SLOT_BUCKET_COUNT - 1)) << 2);
	for (slot = load<u32>(bucket); slot; slot = load<u32>(SLOT_INFO + slot * SLOT_INFO_SIZE, 8)) {
		if (load<u64>(SLOT_INFO + slot * SLOT_INFO_SIZE) == hash && memory.compare(SLOT_COPY + slot * PAGE_SIZE, page, PAGE_SIZE) == 0) break;
	}
	if (!slot) slot = newSlot(page, hash, bucket);
	store<u16>(link, <u16>slot);
	store<u8>(PAGE_FLAGS + n, <u8>(pageFlags(n) | PAGE_CODE));
	dropWritable(page);
	return recordsOfSlot(slot);
}

function newSlot(page: u32, hash: u64, bucket: usize): u32 {
	if (slotsUsed >= <u32>(SLOT_COUNT - 1)) dropSlots();
	count(S_PAGES_DECODED);
	const slot = ++slotsUsed;
	const info: usize = SLOT_INFO + slot * SLOT_INFO_SIZE;
	store<u64>(info, hash);
	store<u32>(info, load<u32>(bucket), 8);
	store<u32>(bucket, slot);
	memory.copy(SLOT_COPY + slot * PAGE_SIZE, page, PAGE_SIZE);
	const records = recordsOfSlot(slot);
	memory.fill(records, 0, SLOT_RECORDS_STRIDE);
	store<u8>(records + PAGE_SIZE * 8, OP_END);
	// A 4-byte instruction at the page's last but one halfword steps over the first terminator.
	store<u8>(records + PAGE_SIZE * 8 + 16, OP_END);
	return slot;
}

/** Forgets every region and how often code ran. */
export function dropHeat(): void {
	memory.fill(HEAT_BASE, 0, (slotsUsed + 1) * HEAT_STRIDE);
}

/** Forgets every decoded page and every link to one. */
export function dropSlots(): void {
	if (WATCHING) slotsDropped();
	ranUnclear();
	dropHeat();
	slotsUsed = 0;
	slotGeneration++;
	memory.fill(SLOT_BUCKETS, 0, SLOT_BUCKET_COUNT * 4);
	unlinkAll();
}

/** Forgets which pages have which content; decoded pages stay and are found again. */
function unlinkAll(): void {
	unlinkRange(RAM_BASE >> PAGE_SHIFT, load<u32>(M_RAM_SIZE) >> PAGE_SHIFT);
	unlinkRange(ROM_BASE >> PAGE_SHIFT, ROM_SIZE >> PAGE_SHIFT);
	dropFetch(0);
	for (let i: u32 = 0; i < hartCount(); i++) yieldAfter(hartAt(i), YIELD_CODE);
}

function unlinkRange(first: u32, pages: u32): void {
	memory.fill(PAGE_SLOT + (first << 1), 0, pages << 1);
	for (let n = first; n < first + pages; n++) {
		const flags = pageFlags(n);
		if (flags & PAGE_CODE) store<u8>(PAGE_FLAGS + n, <u8>(flags & ~PAGE_CODE));
	}
}

function unlinkPage(n: u32): void {
	count(S_PAGES_UNLINKED);
	const slot: u32 = load<u16>(PAGE_SLOT + (n << 1));
	store<u16>(PAGE_SLOT + (n << 1), 0);
	store<u8>(PAGE_FLAGS + n, <u8>(pageFlags(n) & ~PAGE_CODE));
	dropFetch(recordsOfSlot(slot));
	for (let i: u32 = 0; i < hartCount(); i++) yieldAfter(hartAt(i), YIELD_CODE);
}

/** The walker read an entry of this page on its way from the root (a page number): from now on its stores are watched. */
export function markTable(linear: u32, kind: u32, root: u32): void {
	const n = linear >> PAGE_SHIFT;
	const flags = pageFlags(n);
	const owner: usize = PAGE_ROOT + (n << 2);
	if (!(flags & (PAGE_TABLE_LEAF | PAGE_TABLE_UPPER))) store<u32>(owner, root);
	else if (load<u32>(owner) != root) store<u32>(owner, PAGE_ROOTS_MANY);
	if (flags & kind) return;
	store<u8>(PAGE_FLAGS + n, <u8>(flags | kind));
	if (flags == 0) dropWritable(linear & ~(PAGE_SIZE - 1));
}

/** Drops all TLB entries of the address spaces that use a page table, and with them what its mark is for. */
function flushTables(n: u32): void {
	flushRoot(load<u32>(PAGE_ROOT + (n << 2)));
	tableStores = 0;
	store<u8>(PAGE_FLAGS + n, <u8>(pageFlags(n) & ~(PAGE_TABLE_LEAF | PAGE_TABLE_UPPER)));
	// Fetch entries are gone too: leave the dispatch loop, its page pointer may be stale now.
	for (let i: u32 = 0; i < hartCount(); i++) yieldAfter(hartAt(i), YIELD_CODE);
}

/** A store is about to change 8 aligned bytes (or part of them) of a page that was walked as a page table. */
function pageTableStore(linear: u32, n: u32, flags: u32): void {
	const old = load<u64>(linear & ~7);
	// Nothing is cached from an invalid entry.
	if (!(old & 1)) {
		if (++tableStores > TABLE_STORES_MAX) flushTables(n);
		return;
	}
	if (flags & PAGE_TABLE_UPPER) flushTables(n);
	// A leaf that was never used has no A bit and is in no TLB.
	else if (old & 0x40) {
		flushIndex((linear & (PAGE_SIZE - 1)) >> 3, load<u32>(PAGE_ROOT + (n << 2)));
		for (let i: u32 = 0; i < hartCount(); i++) yieldAfter(hartAt(i), YIELD_CODE);
	}
}

/** Bookkeeping before hart `h` stores [linear, linear + size) in one page that has flags. */
export function flaggedStore(h: usize, linear: u32, size: u32): void {
	const n = linear >> PAGE_SHIFT;
	const flags = pageFlags(n);
	if (flags & PAGE_CODE) unlinkPage(n);
	if (flags & (PAGE_TABLE_LEAF | PAGE_TABLE_UPPER)) {
		// Nobody writes parts of an entry: the page is something else now, or about to be cleared.
		if (size < 8) flushTables(n);
		else {
			pageTableStore(linear, n, flags);
			if (linear & 7) pageTableStore(linear + 7, n, pageFlags(n));
		}
	}
	if (flags & PAGE_RESERVED) breakReservations(h, linear, size);
}

/** Breaks other harts' reservations that overlap the bytes; `h` 0: everybody's. */
function breakReservations(h: usize, linear: u32, size: u32): void {
	let left = false;
	for (let i: u32 = 0; i < hartCount(); i++) {
		const other = hartAt(i);
		const reserved = load<u64>(other, H_RESERVATION);
		if (reserved == NEVER) continue;
		const at = ramAddress(reserved);
		if (at >> PAGE_SHIFT != linear >> PAGE_SHIFT) continue;
		if (other != h && (at & ~7) < linear + size && (at & ~7) + 8 > linear) store<u64>(other, NEVER, H_RESERVATION);
		else left = true;
	}
	const n = linear >> PAGE_SHIFT;
	if (!left) store<u8>(PAGE_FLAGS + n, <u8>(pageFlags(n) & ~PAGE_RESERVED));
}

/** At the end of a hart's slice: others' stores to the page of its reservation must be seen. */
export function guardReservation(h: usize): void {
	const linear = ramAddress(load<u64>(h, H_RESERVATION));
	const n = linear >> PAGE_SHIFT;
	const flags = pageFlags(n);
	if (flags & PAGE_RESERVED) return;
	store<u8>(PAGE_FLAGS + n, <u8>(flags | PAGE_RESERVED));
	if (flags == 0) dropWritable(linear & ~(PAGE_SIZE - 1));
}

/** Whole pages of RAM or disk have new content that no hart stored; `ramWriting` came before. */
export function ramWritten(first: u32, pages: u32): void {
	for (let n = first; n < first + pages; n++) {
		markDirty(n);
		const flags = pageFlags(n);
		if (flags == 0) continue;
		if (flags & PAGE_CODE) unlinkPage(n);
		if (flags & (PAGE_TABLE_LEAF | PAGE_TABLE_UPPER)) flushTables(n);
		if (flags & PAGE_RESERVED) breakReservations(0, n << PAGE_SHIFT, PAGE_SIZE);
		store<u8>(PAGE_FLAGS + n, 0);
	}
}

/** After any wholesale change: no page is marked, nothing is linked. The TLBs must be flushed by the caller. */
export function forgetPages(): void {
	memory.fill(PAGE_FLAGS + (RAM_BASE >> PAGE_SHIFT), 0, load<u32>(M_RAM_SIZE) >> PAGE_SHIFT);
	memory.fill(PAGE_FLAGS + (ROM_BASE >> PAGE_SHIFT), 0, ROM_SIZE >> PAGE_SHIFT);
	unlinkAll();
	for (let i: u32 = 0; i < hartCount(); i++) {
		const h = hartAt(i);
		if (load<u64>(h, H_RESERVATION) != NEVER) guardReservation(h);
	}
}
