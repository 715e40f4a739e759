// Which code ran since the last checkpoint: never less than did. A search for a breakpoint (../history.ts) does not replay a stretch
// in which the breakpoint's instruction did not run.
//
// Running must not cost anything for it. Fetch TLBs are emptied at a checkpoint (undo.ts), so the pages are known that code ran in,
// each as a virtual page with its decoded page. In it the interpreter marks where it arrives by a jump; what it ran from there is
// read off the decoded records, since it decodes an instruction when it gets there. A region of translated code sleeps after a
// checkpoint: the hart that arrives there first leaves for the interpreter, and the translator marks the region's instructions.
// Without the translator only pages are known: the interpreter would pay for more.

import {
	PAGE_SHIFT, PAGE_SIZE, RAN_ARRIVED, RAN_MARKS, RAN_MARKS_STRIDE, RAN_PAGES, RAN_PAGES_COUNT, RAN_PAGE_SIZE, RAN_REACHED, RAN_SET,
	RAN_SET_BITS, SLOT_COUNT, SLOT_RECORDS, SLOT_RECORDS_STRIDE, T_HOT, T_RUNNING,
} from "./layout";
import * as op from "./opcodes";

let on: bool = false;
/** Pages in the table; more than so many: all code may have run. */
let pages: u32 = 0;
const PAGES_MAX: u32 = (RAN_PAGES_COUNT * 3) / 4;
/** Instructions are known, too. */
let exact: bool = false;

export function ranStart(): void {
	on = true;
	memory.fill(RAN_MARKS, 0, SLOT_COUNT * RAN_MARKS_STRIDE);
	memory.fill(RAN_PAGES, 0, RAN_PAGES_COUNT * RAN_PAGE_SIZE);
	pages = 0;
}

export function ranStop(): void {
	on = false;
}

/** From here on; fetch TLBs are empty, and regions are about to sleep. */
export function ranReset(): void {
	if (pages > PAGES_MAX) memory.fill(RAN_MARKS, 0, SLOT_COUNT * RAN_MARKS_STRIDE);
	else for (let i: u32 = 0; i < <u32>RAN_PAGES_COUNT; i++) {
		const slot = load<u32>(pageAt(i), 8);
		if (slot) memory.fill(marksOf(slot), 0, RAN_MARKS_STRIDE);
	}
	memory.fill(RAN_PAGES, 0, RAN_PAGES_COUNT * RAN_PAGE_SIZE);
	pages = 0;
	// Inside of a run a hart or a region is in the middle of what is not noted.
	exact = load<u32>(T_RUNNING) == 0 && load<u32>(T_HOT) != 0;
}

/** Decoded records are not what they were when code ran (breakpoints came or went, all slots were dropped). */
export function ranUnclear(): void {
	exact = false;
}

function marksOf(slot: u32): usize {
	return RAN_MARKS + slot * RAN_MARKS_STRIDE;
}

// @ts-ignore: decorator
@inline
function pageAt(i: u32): usize {
	return RAN_PAGES + i * RAN_PAGE_SIZE;
}

/** A virtual page is about to be executed from a slot; slot 0: instruction by instruction. */
// @ts-ignore: decorator
@inline
export function noteFetch(pc: u64, slot: u32): void {
	if (on) notePage(pc >> PAGE_SHIFT, slot);
}

function notePage(page: u64, slot: u32): void {
	let i = hash(page * 1024 + slot) & (RAN_PAGES_COUNT - 1);
	for (;;) {
		const at = pageAt(i);
		if (load<u32>(at, 12) == 0) break;
		if (load<u64>(at) == page && load<u32>(at, 8) == slot) return;
		i = (i + 1) & (RAN_PAGES_COUNT - 1);
	}
	if (pages > PAGES_MAX) return;
	pages++;
	const at = pageAt(i);
	store<u64>(at, page);
	store<u32>(at, slot, 8);
	store<u32>(at, 1, 12);
}

/** The interpreter arrives at a record by a jump, or from outside. */
// @ts-ignore: decorator
@inline
export function noteArrival(r: usize): void {
	const at: usize = RAN_MARKS + ((r - SLOT_RECORDS) >> 4);
	// Whatever else was marked: it ran, and what is reached from it is found again.
	store<u8>(at, RAN_ARRIVED);
}

// @ts-ignore: decorator
@inline
function hash(key: u64): u32 {
	let mixed: u32 = (<u32>key ^ <u32>(key >> 32)) * 0x9e3779b1;
	mixed = (mixed ^ (mixed >> 15)) * 0x85ebca6b;
	return mixed ^ (mixed >> 13);
}

/** An address's two bits in RAN_SET, 16 bits each. What lacks one did not run; what has both may have. */
export function ranPlacesOf(pc: u64): u32 {
	return hash(pc >> 1);
}

/** Those of all of its page. */
export function ranPagePlacesOf(pc: u64): u32 {
	return hash(~(pc >> PAGE_SHIFT));
}

function enter(places: u32): void {
	enterBit(places & 0xffff);
	enterBit(places >> 16);
}

function enterBit(place: u32): void {
	const at: usize = RAN_SET + (place >> 3);
	store<u8>(at, load<u8>(at) | <u8>(<u32>1 << (place & 7)));
}

/** Makes RAN_SET of what ran up to here. */
export function ranCollect(): void {
	memory.fill(RAN_SET, pages > PAGES_MAX ? 0xff : 0, RAN_SET_BITS >> 3);
	if (pages > PAGES_MAX) return;
	for (let i: u32 = 0; i < <u32>RAN_PAGES_COUNT; i++) {
		const at = pageAt(i);
		if (load<u32>(at, 12) == 0) continue;
		const slot = load<u32>(at, 8);
		const page = load<u64>(at) << PAGE_SHIFT;
		if (exact && slot != 0) collectSlot(page, slot);
		else enter(ranPagePlacesOf(page));
	}
}

function collectSlot(page: u64, slot: u32): void {
	const marks = marksOf(slot);
	for (let i: u32 = 0; i < <u32>PAGE_SIZE / 2; i++) if (load<u8>(marks + i) & RAN_ARRIVED) reach(slot, i << 1);
	for (let i: u32 = 0; i < <u32>PAGE_SIZE / 2; i += 8) {
		if (load<u64>(marks + i) == 0) continue;
		for (let j = i; j < i + 8; j++) if (load<u8>(marks + j)) enter(ranPlacesOf(page + (j << 1)));
	}
}

/** Marks the instructions from an offset on, up to one after which another place is arrived at, or that never ran. */
function reach(slot: u32, offset: u32): void {
	const marks = marksOf(slot);
	for (let o = offset; o < <u32>PAGE_SIZE; ) {
		const mark = marks + (o >> 1);
		if (load<u8>(mark) & RAN_REACHED) return;
		store<u8>(mark, <u8>(load<u8>(mark) | RAN_REACHED));
		const r: usize = SLOT_RECORDS + slot * SLOT_RECORDS_STRIDE + (o << 3);
		const code: u32 = load<u8>(r);
		if (code == op.OP_UNDECODED || code == op.OP_BREAK || code == op.OP_STRADDLE || code == op.OP_ILLEGAL) return;
		if (code == op.OP_JAL || code == op.OP_JALR || code == op.OP_JAL_LOCAL || code == op.OP_J_LOCAL) return;
		o += <u32>load<u8>(r, 1) >> 3;
	}
}
