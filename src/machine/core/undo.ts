// What it takes to go back to the last checkpoint (../history.ts): the content that each page had before its first change since
// then. Pages are found by the write TLBs being emptied at a checkpoint, as for dirty bits, but with a bitmap of their own.
// So the virtual pages are known, too, that were stored to: a search for a watched one (../history.ts) does not replay the rest.
// Fetch TLBs are emptied for the same reason (ran.ts).
//
// Differences are logs of runs: u32 line (linear address / 64), u32 number of lines, then 16 words for each line; or, with
// UNIFORM in the number, one word that fills all of them.

import {
	DIRTY_BASE, PAGE_SHIFT, PAGE_SIZE, RAM_BASE, STATE_BASE, STATE_SIZE, UNDO_BITS, UNDO_BITS_SIZE, UNDO_LINE, UNDO_LINE_SHIFT,
	UNDO_STORES, UNDO_STORES_BITS, UNDO_TAIL, UNDO_UNIFORM,
} from "./layout";
import { YIELD_CODE, hartAt, hartCount, yieldAfter } from "./hart";
import { ranReset, ranStart, ranStop } from "./ran";
import { dropAllWritable, dropFetch } from "./tlb";

/** The area of copies is full: the host takes it away. `entries`: how many were made so far. */
// @ts-ignore: decorator
@external("env", "undoFull") declare function undoFull(entries: u32): void;

let on: bool = false;
/** {u32 page | UNIFORM or TAIL, u32 word or number of the copy}[] */
let entries: usize = 0;
/** By entry, for TAIL: the page's first line. */
let heads: usize = 0;
let copies: usize = 0;
let capacity: u32 = 0;
let state: usize = 0;
let out: usize = 0;
let outEnd: usize = 0;

let count: u32 = 0;
let copied: u32 = 0;

/** Places for the rest of this file's data, in the host's hands; recording begins at this moment. */
export function undoStart(entriesAt: u32, headsAt: u32, copiesAt: u32, copyPages: u32, stateAt: u32, outAt: u32, outSize: u32): void {
	on = true;
	entries = entriesAt;
	heads = headsAt;
	copies = copiesAt;
	capacity = copyPages;
	state = stateAt;
	out = outAt;
	outEnd = outAt + outSize;
	ranStart();
	undoReset();
}

export function undoStop(): void {
	on = false;
	ranStop();
}

/** This moment is the one that is gone back to. */
export function undoReset(): void {
	count = 0;
	copied = 0;
	memory.fill(UNDO_BITS, 0, UNDO_BITS_SIZE);
	memory.fill(UNDO_STORES, 0, UNDO_STORES_BITS >> 3);
	memory.copy(state, STATE_BASE, STATE_SIZE);
	dropAllWritable();
	dropFetch(0);
	ranReset();
	// A listener may do this while a hart is inside of a page.
	for (let i: u32 = 0; i < hartCount(); i++) yieldAfter(hartAt(i), YIELD_CODE);
}

/** A virtual page's bit in UNDO_STORES. Pages may share one: what is not in the set is certain, what is in it is not. */
export function undoStorePlaceOf(va: u64): u32 {
	const page = va >> PAGE_SHIFT;
	return (((<u32>page ^ <u32>(page >> 32)) * 0x9e3779b1) >> 16) & (UNDO_STORES_BITS - 1);
}

/** A store to this address is made, and no write TLB knew its page. */
// @ts-ignore: decorator
@inline
export function noteStore(va: u64): void {
	if (on) enterStore(va);
}

function enterStore(va: u64): void {
	const place = undoStorePlaceOf(va);
	const at: usize = UNDO_STORES + (place >> 3);
	store<u8>(at, load<u8>(at) | <u8>(<u32>1 << (place & 7)));
}

export function undoCount(): u32 {
	return count;
}

/** Pages that were copied whole. */
export function undoCopies(): u32 {
	return copied;
}

/** The word that fills the lines [at, at + size), if one does; else `uniform` is false. */
let uniform: bool = false;
function fillWord(at: usize, size: usize): u32 {
	const word = load<u64>(at);
	uniform = <u32>word == <u32>(word >> 32);
	for (let i: usize = 0; uniform && i < size; i += UNDO_LINE) if (differsFrom(at + i, word)) uniform = false;
	return <u32>word;
}

/** A page of RAM or disk is about to change. */
// @ts-ignore: decorator
@inline
export function keepPage(linearPage: u32): void {
	if (on) keep(linearPage);
}

function keep(n: u32): void {
	const bits: usize = UNDO_BITS + (n >> 3);
	const bit = <u8>(<u32>1 << (n & 7));
	if (load<u8>(bits) & bit) return;
	store<u8>(bits, load<u8>(bits) | bit);
	const page: usize = <usize>n << PAGE_SHIFT;
	const e = entries + (count << 3);
	// A free page of xv6 is one byte over and over, but for the pointer at its start: that is not copied whole.
	const word = fillWord(page + UNDO_LINE, PAGE_SIZE - UNDO_LINE);
	if (uniform) {
		const whole = !differsFrom(page, (<u64>word << 32) | word);
		store<u32>(e, n | (whole ? UNDO_UNIFORM : UNDO_TAIL));
		store<u32>(e, word, 4);
		if (!whole) memory.copy(heads + (count << UNDO_LINE_SHIFT), page, UNDO_LINE);
	} else {
		if (copied != 0 && copied % capacity == 0) undoFull(count);
		memory.copy(copies + ((copied % capacity) << PAGE_SHIFT), page, PAGE_SIZE);
		store<u32>(e, n);
		store<u32>(e, copied, 4);
		copied++;
	}
	count++;
}

/** The host is about to write pages (DMA, images, a debugger). */
export function ramWriting(first: u32, pages: u32): void {
	if (!on) return;
	for (let n = first; n < first + pages; n++) keep(n);
}

// ---- logs

/** Of a page. */
const LINES: u32 = PAGE_SIZE / UNDO_LINE;

let used: usize = 0;
/** The run that grows: where it is, and the line after it. */
let run: usize = 0;
let nextLine: u32 = 0;

export function undoOutput(): u32 {
	return <u32>(used - out);
}

function beginOutput(): void {
	used = out;
	run = 0;
}

function roomFor(lines: u32): bool {
	return used + lines * (UNDO_LINE + 8) + 8 <= outEnd;
}

/** Makes the run that ends with this many more lines the one that grows: the last one, if they are its next and of its kind. */
function extend(line: u32, lines: u32, kind: u32, word: u32): void {
	const same = run != 0 && nextLine == line && (load<u32>(run, 4) & UNDO_UNIFORM) == kind && (kind == 0 || load<u32>(run, 8) == word);
	if (!same) {
		run = used;
		store<u32>(used, line);
		store<u32>(used, kind, 4);
		used += 8;
		if (kind != 0) {
			store<u32>(used, word);
			used += 4;
		}
	}
	store<u32>(run, load<u32>(run, 4) + lines, 4);
	nextLine = line + lines;
}

/** Appends lines that `word` fills. */
function appendFilled(line: u32, lines: u32, word: u32): void {
	extend(line, lines, UNDO_UNIFORM, word);
}

/** Appends a line with the content at `at`. */
function appendContent(line: u32, at: usize): void {
	const word = fillWord(at, UNDO_LINE);
	if (uniform) {
		appendFilled(line, 1, word);
		return;
	}
	extend(line, 1, 0, 0);
	memory.copy(used, at, UNDO_LINE);
	used += UNDO_LINE;
}

/** Whether two lines differ. Most of what a checkpoint costs: no branches, and no calls. */
// @ts-ignore: decorator
@inline
function differ(a: usize, b: usize): bool {
	return (
		(load<u64>(a) ^ load<u64>(b)) | (load<u64>(a, 8) ^ load<u64>(b, 8)) | (load<u64>(a, 16) ^ load<u64>(b, 16)) |
		(load<u64>(a, 24) ^ load<u64>(b, 24)) | (load<u64>(a, 32) ^ load<u64>(b, 32)) | (load<u64>(a, 40) ^ load<u64>(b, 40)) |
		(load<u64>(a, 48) ^ load<u64>(b, 48)) | (load<u64>(a, 56) ^ load<u64>(b, 56))
	) != 0;
}

// @ts-ignore: decorator
@inline
function differsFrom(a: usize, pattern: u64): bool {
	return (
		(load<u64>(a) ^ pattern) | (load<u64>(a, 8) ^ pattern) | (load<u64>(a, 16) ^ pattern) | (load<u64>(a, 24) ^ pattern) |
		(load<u64>(a, 32) ^ pattern) | (load<u64>(a, 40) ^ pattern) | (load<u64>(a, 48) ^ pattern) | (load<u64>(a, 56) ^ pattern)
	) != 0;
}

/** Lines of `now` that differ from `before`, with the content of `before`. */
function compare(now: usize, before: usize, size: usize): void {
	for (let i: usize = 0; i < size; i += UNDO_LINE) {
		if (differ(now + i, before + i)) appendContent(<u32>((now + i) >> UNDO_LINE_SHIFT), before + i);
	}
}

/** Writes a log of what changed in STATE since the last reset. */
export function undoState(): void {
	beginOutput();
	compare(STATE_BASE, state, STATE_SIZE);
}

/**
 * Writes a log of what changed in the pages of the entries [from, to), of which the copies are in the area; returns the entry
 * after the last one that there was room for.
 */
export function undoCollect(from: u32, to: u32): u32 {
	beginOutput();
	let i = from;
	for (; i < to && roomFor(LINES); i++) {
		const e = entries + (i << 3);
		const kind = load<u32>(e) & (UNDO_UNIFORM | UNDO_TAIL);
		const n = load<u32>(e) ^ kind;
		const line = n << (PAGE_SHIFT - UNDO_LINE_SHIFT);
		// A filled page is logged in twelve bytes; to compare it would read a page that has left every cache.
		if (kind == UNDO_UNIFORM) appendFilled(line, LINES, load<u32>(e, 4));
		else if (kind == UNDO_TAIL) {
			compare(<usize>n << PAGE_SHIFT, heads + (i << UNDO_LINE_SHIFT), UNDO_LINE);
			appendFilled(line + 1, LINES - 1, load<u32>(e, 4));
		} else compare(<usize>n << PAGE_SHIFT, copies + ((load<u32>(e, 4) % capacity) << PAGE_SHIFT), PAGE_SIZE);
	}
	return i;
}

/** Puts the pages of the entries [from, to) back to what they were. */
export function undoRevert(from: u32, to: u32): void {
	for (let i = from; i < to; i++) {
		const e = entries + (i << 3);
		const kind = load<u32>(e) & (UNDO_UNIFORM | UNDO_TAIL);
		const n = load<u32>(e) ^ kind;
		const page: usize = <usize>n << PAGE_SHIFT;
		if (kind == UNDO_UNIFORM) fill(page, PAGE_SIZE, load<u32>(e, 4));
		else if (kind == UNDO_TAIL) {
			memory.copy(page, heads + (i << UNDO_LINE_SHIFT), UNDO_LINE);
			fill(page + UNDO_LINE, PAGE_SIZE - UNDO_LINE, load<u32>(e, 4));
		} else memory.copy(page, copies + ((load<u32>(e, 4) % capacity) << PAGE_SHIFT), PAGE_SIZE);
		noteChange(n);
	}
}

export function undoRevertState(): void {
	memory.copy(STATE_BASE, state, STATE_SIZE);
}

function fill(at: usize, size: usize, word: u32): void {
	const pattern: u64 = (<u64>word << 32) | word;
	for (let i: usize = 0; i < size; i += 8) store<u64>(at + i, pattern);
}

/** For hashes and snapshots; STATE has no bits. */
function noteChange(n: u32): void {
	const a: usize = DIRTY_BASE + (n >> 3);
	store<u8>(a, load<u8>(a) | <u8>(<u32>1 << (n & 7)));
}

/** Where `undoSwap` is in its log: the run, and the line in it. */
let swapRun: usize = 0;
let swapLine: u32 = 0;

export function undoSwapBegin(log: u32): void {
	swapRun = log;
	swapLine = 0;
}

/** Exchanges memory with a log that ends at `end`; what was in memory is the output's log. False: take it and call again. */
export function undoSwap(end: u32): bool {
	beginOutput();
	while (swapRun < <usize>end) {
		const line = load<u32>(swapRun);
		const lines = load<u32>(swapRun, 4) & ~UNDO_UNIFORM;
		const filled = (load<u32>(swapRun, 4) & UNDO_UNIFORM) != 0;
		for (; swapLine < lines; swapLine++) {
			if (!roomFor(1)) return false;
			const at: usize = <usize>(line + swapLine) << UNDO_LINE_SHIFT;
			appendContent(line + swapLine, at);
			if (filled) fill(at, UNDO_LINE, load<u32>(swapRun, 8));
			else memory.copy(at, swapRun + 8 + swapLine * UNDO_LINE, UNDO_LINE);
			if (at >= <usize>RAM_BASE) noteChange(<u32>(at >> PAGE_SHIFT));
		}
		swapRun += filled ? 12 : 8 + lines * UNDO_LINE;
		swapLine = 0;
	}
	return true;
}
