// Every access of the kernel to a range of addresses as a record, for detectors (core-watch.wasm only; accessWatch.ts reads
// them). Nothing of STATE depends on it, so a watched run is the run that it would have been.

import {
	HEAT_BASE, H_ID, H_MODE, H_MSTATUS, H_PC, H_SATP, H_X, SLOT_RECORDS, T_WATCHED_CALL, T_WATCHED_COUNT, T_WATCHED_FROM, T_WATCHED_LIMIT, T_WATCHED_MEMBER, T_WATCHED_QUIET, T_WATCHED_QUIET_SPAN,
	T_WATCHED_RECORDS, T_WATCHED_SPAN, V_LEFT, WATCHED_CALL, WATCHED_EPOCHS, WATCHED_FENCE, WATCHED_LEAF, WATCHED_ORDER,
	WATCHED_PRIVATE, WATCHED_READ, WATCHED_RELEASE, WATCHED_SEEN, WATCHED_SEEN_COUNT, WATCHED_SWAP, WATCHED_WALK, WATCHED_WRITE,
} from "./layout";
import { isRam, ramAddress } from "./physical";
import { MODE_S, MSTATUS_SIE } from "./hart";
import { flushHart } from "./tlb";

// @ts-ignore: decorator
@external("env", "accessesFull") declare function accessesFull(): void;

/** A hart has released something, or may have: what it does from now on is another matter to the others. */
function beginEpoch(h: usize): void {
	const at: usize = load<u32>(T_WATCHED_RECORDS) + WATCHED_EPOCHS + (load<u32>(h, H_ID) << 2);
	store<u32>(at, load<u32>(at) + 1);
}

// @ts-ignore: decorator
@inline
function isPrivate(va: u64): bool {
	const at: usize = load<u32>(T_WATCHED_RECORDS) + WATCHED_PRIVATE;
	return <u32>va - load<u32>(at) < load<u32>(at, 4);
}

/** Of the code of the locks: what a 4-byte store of 0 is a release in. */
// @ts-ignore: decorator
@inline
function isRelease(pc: u64): bool {
	const at: usize = load<u32>(T_WATCHED_RECORDS) + WATCHED_RELEASE;
	return <u32>pc - load<u32>(at) < load<u32>(at, 4);
}

/** Of an access that was recorded: it wrote. */
const WROTE: u64 = 1 << 35;

/**
 * Whether this access says nothing that a record has not said: the hart has used the word in this epoch, by an access of this size,
 * as a writer if this is one, and with interrupts as they are now (FastTrack's same epoch). Eight-byte stores are all told, since page-table
 * entries are. What is remembered is lost when another word, or hart, needs its place.
 */
function isSeen(h: usize, va: u64, kind: u32, log2: u32): bool {
	const records: usize = load<u32>(T_WATCHED_RECORDS);
	const hart = load<u32>(h, H_ID);
	const epoch = load<u32>(records + WATCHED_EPOCHS + (hart << 2));
	const at: usize = records + WATCHED_SEEN + ((<u32>(va >> 2) & (WATCHED_SEEN_COUNT - 1)) << 3);
	let key: u64 = ((va >> 2) & 0x3fffffff) | (<u64>hart << 32) | (<u64>epoch << 36);
	if (log2 == 3) key |= 1 << 30;
	if (load<u64>(h, H_MSTATUS) & MSTATUS_SIE) key |= 1 << 31;
	const before = load<u64>(at);
	if (kind == WATCHED_READ) {
		if ((before & ~WROTE) == key) return true;
		store<u64>(at, key);
		return false;
	}
	if (before == (key | WROTE) && log2 != 3) return true;
	store<u64>(at, key | WROTE);
	return false;
}

/** Before an access, and at a swap of a lock word after it; `left`: of the turn, with the step under way counted. A record: pc, va, hart | kind << 4 | log2 size << 8 | SIE << 12, value; 4 bytes each. */
export function watched(h: usize, left: u32, pc: u64, va: u64, kind: u32, log2: u32, value: u32): void {
	if (load<u32>(h, H_MODE) != MODE_S) return;
	// A lock is released by a 4-byte store of 0.
	const releases = kind == WATCHED_WRITE && log2 == 2 && value == 0;
	if (kind != WATCHED_SWAP && <u32>pc - load<u32>(T_WATCHED_QUIET) < load<u32>(T_WATCHED_QUIET_SPAN) && !(releases && isRelease(pc))) return;
	if (kind <= <u32>WATCHED_WRITE && (isPrivate(va) || isSeen(h, va, kind, log2))) return;
	store<u32>(h, left, V_LEFT);
	record(h, pc, va, kind, log2, value);
	if (kind == WATCHED_SWAP || kind == WATCHED_ORDER || releases) beginEpoch(h);
}

function record(h: usize, pc: u64, va: u64, kind: u32, log2: u32, value: u32): void {
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

/** After an AMO that changed something, or took a lock. Value: bit 0: it found 0, bit 1: it left 0. */
export function watchedSwap(h: usize, va: u64, size: u32, old: u64, value: u64): void {
	if (va - load<u64>(T_WATCHED_FROM) >= load<u64>(T_WATCHED_SPAN)) return;
	const left: u64 = size == 8 ? value : <u64><u32>value;
	const what: u32 = (old == 0 ? 1 : 0) | (left == 0 ? 2 : 0);
	if (what || old != value) watched(h, load<u32>(h, V_LEFT), load<u64>(h, H_PC), va, WATCHED_SWAP, size == 8 ? 3 : 2, what);
}

/** A page-table walk begins, in any mode. Address: virtual page number, value: the root's page number. */
export function watchedWalk(h: usize, va: u64): void {
	if (load<u64>(T_WATCHED_SPAN) != 0) record(h, load<u64>(h, H_PC), (va >> 12) & 0x7ffffff, WATCHED_WALK, 0, <u32>load<u64>(h, H_SATP));
}

/** The walk under way came to a leaf. Address: the entry's, physical; value: its low half. */
export function watchedLeaf(h: usize, at: u64, pte: u64): void {
	if (load<u64>(T_WATCHED_SPAN) != 0) record(h, load<u64>(h, H_PC), at, WATCHED_LEAF, 3, <u32>pte);
}

/**
 * Whether pc is the function whose calls are told, by a record: where it returns to, its argument, and the low half of a word that the
 * argument points to (a lock's name). The host is not asked: a kernel calls acquire() every few hundred instructions.
 */
export function watchedCall(h: usize, pc: u64): bool {
	if (pc != load<u64>(T_WATCHED_CALL) || load<u64>(T_WATCHED_SPAN) == 0) return false;
	if (load<u32>(h, H_MODE) != MODE_S) return true;
	const argument = load<u64>(h + 8 * 10, H_X);
	const at = argument + load<u32>(T_WATCHED_MEMBER);
	record(h, load<u64>(h + 8, H_X), argument, WATCHED_CALL, 0, isRam(at) ? load<u32>(ramAddress(at)) : 0);
	return true;
}

/** sfence.vma, of whatever pages. The next use of each is a walk again, so that walks tell what a TLB may hold. */
export function watchedFence(h: usize): void {
	if (load<u64>(T_WATCHED_SPAN) == 0) return;
	record(h, load<u64>(h, H_PC), 0, WATCHED_FENCE, 0, 0);
	beginEpoch(h);
	flushHart(h);
}

/** `fence`, of supervisor code. Value: the instruction. */
export function watchedOrder(h: usize, left: u32, pc: u64, instruction: u32): void {
	watched(h, left, pc, 0, WATCHED_ORDER, 0, instruction);
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
