// The core's exports; see ../coreAbi.ts for what each promises.
//
// For the translator
//
// Hart. One base pointer per hart (HART_BASE + hart * HART_STRIDE) reaches everything: x0..x31 at H_X as i64 (x0 is kept 0,
// writes to it go to H_SINK), f0..f31 at H_F, H_PC, H_MODE, CSRs at H_*; words outside of the state (V_*) are at the same
// base with larger offsets. Translated code may keep registers in locals; before any call into the core and at every exit it
// stores the dirty ones and H_PC.
//
// Steps. `execute(h, steps)` makes exactly `steps` steps unless the hart waits or the run stops; one step = one instruction,
// retired or trapped. Translated code gets the steps left, checks `left >= length` at each block's entry (else exits with
// H_PC at the block; the interpreter does the rest), subtracts the length, and gives back what it did not execute when it
// leaves a block early. V_LEFT must hold the steps left (the instruction under way already counted) before CSR accesses;
// V_STEPS_END - V_LEFT = the hart's step count. Interrupts are recognised at slice starts and after instructions that
// set YIELD_INTERRUPTS in V_YIELD (writes to mstatus, sstatus, mie, sie, mip, sip, mideleg, menvcfg, stimecmp; sret, mret);
// with (H_MIP & H_MIE) == 0 such a write of sstatus cannot be followed by one. mtime (M_TIME) is constant in a round.
//
// Two rules more that read architectural state and that translated code must keep (or leave to the interpreter): an amoswap that
// finds the nonzero value it stores sets H_YIELDED and YIELD_SLICE when there are several harts (atomic.ts); while
// M_GRACE is set, leave after any instruction that sets YIELD_INTERRUPTS, `execute` decides (schedule.ts).
//
// Yield. After each slow path look at H_FAULT (the instruction trapped: give back nothing, the step counts; H_PC must be at it)
// and V_YIELD (leave with H_PC after the instruction; the dispatch loop acts on it). YIELD_CODE says that fetch
// translations or decoded code changed, perhaps the running page.
//
// TLB. u32 V_TLB = base of the bank in use (changes only at system instructions and traps, so it is constant inside a
// region). Entry for va: bank + TLB_READ/WRITE/FETCH + ((va >> 8) & 0xff0): u64 tag, u32 at +8. Aligned access of size n hits
// if tag == (va & ~(4096 - n)); host address = word at +8 + (u32)va. A misaligned address never hits.
// TLBs are coherent with page tables, sfence.vma does nothing; a page with PAGE_* flags (code, tables, reservations of other
// harts) never has a write entry. Dirty tracking needs nothing: pages are marked when a write entry is made.
//
// Decoded pages. PAGE_SLOT[linear page] → slot; records at SLOT_RECORDS + slot * SLOT_RECORDS_STRIDE + offset * 8, 16 bytes each
// (opcodes.ts), position-independent; content at SLOT_COPY + slot * 4096. Fetch TLB entries lead to the records' base.
// `decodeRecord(slot, offset)` decodes on demand. Records stay as they are: that a region begins at one is said by its heat
// (layout.ts, HEAT_*), so it is shared by every page and address space with this content and needs no invalidation: a store
// to a code page unlinks page and slot, drops the fetch entries and yields; the same content later finds the same slot. Slots
// die only all together, in `dropVolatile` or when they run out: `slotGeneration` changes then, heat is zero, every region is void.

import {
	CLINT_MTIMECMP, DIRTY_BASE, DIRTY_SIZE, DIRTY_TAKEN_BASE, HART_STRIDE, HART_TRACKING_DELTA, H_ID, H_MODE,
	H_MSTATUS, H_RESERVATION, H_STIMECMP, MAX_HARTS, M_DEVICE_TIME, M_DISK_SIZE, M_HARTS, M_PMP_ENFORCED, M_RAM_SIZE,
	RAM_BASE, RAM_GUEST_BASE, STATE_BASE, STATE_SIZE, V_BANK_KEYS, V_RESUME_STEPS, WATCH_PHYSICAL_READ, WATCH_PHYSICAL_WRITE,
} from "./layout";
import { MODE_M, MSTATUS_XL, NEVER, hartAt, hartCount } from "./hart";
import { dropAllWritable, flushAll } from "./tlb";
import { dropSlots, forgetPages } from "./code";
import { isRam, ramAddress } from "./physical";
import { reseed } from "./policy";
import { beginRound } from "./schedule";
import { forgetBreakpointStops } from "./breakpoints";
import * as csr from "./csr";
import * as mmu from "./mmu";
import { disturb, markActive } from "./spinState";
import { anyWatched, checkWatch } from "./watchpoints";

export { addDevice } from "./physical";
export { setIrqLevel } from "./plic";
export { ramWritten } from "./code";
export { requestStop, run } from "./schedule";
export { nextEventTime } from "./wakeup";
export { addBreakpoint, passBreakpoint, removeBreakpoint } from "./breakpoints";
export { addWatchpoint, removeWatchpoint } from "./watchpoints";
export { addDecision, direct, reseed, wakeEvery } from "./policy";
export { setEventMask } from "./trap";
export { ranCollect, ranPagePlacesOf, ranPlacesOf } from "./ran";
export {
	ramWriting, undoCollect, undoCopies, undoCount, undoOutput, undoReset, undoRevert, undoRevertState, undoStart, undoState, undoStop, undoStorePlaceOf, undoSwap, undoSwapBegin,
} from "./undo";

export function initialize(harts: u32, ramBytes: u32, diskBytes: u32, seed: u64, pmpEnforced: u32): void {
	memory.fill(STATE_BASE, 0, STATE_SIZE);
	store<u32>(M_HARTS, harts < <u32>MAX_HARTS ? harts : MAX_HARTS);
	store<u32>(M_RAM_SIZE, ramBytes);
	store<u32>(M_DISK_SIZE, diskBytes);
	reseed(seed);
	store<u32>(M_PMP_ENFORCED, pmpEnforced);
	store<u64>(M_DEVICE_TIME, NEVER);
	for (let i: u32 = 0; i < <u32>MAX_HARTS; i++) store<u64>(CLINT_MTIMECMP + (i << 3), NEVER);
	for (let i: u32 = 0; i < hartCount(); i++) {
		const h = hartAt(i);
		store<u32>(h, i, H_ID);
		store<u32>(h, MODE_M, H_MODE);
		store<u64>(h, MSTATUS_XL, H_MSTATUS);
		store<u64>(h, NEVER, H_RESERVATION);
		store<u64>(h, NEVER, H_STIMECMP);
		memory.fill(h + HART_TRACKING_DELTA, 0, HART_STRIDE);
		store<u64>(h, NEVER, V_RESUME_STEPS);
	}
	beginRound();
	dropVolatile();
}

/** Decodes one record if needed (for the translator); its linear address. */
export { decodeAt as decodeRecord } from "./decode";
export { dropHeat, slotGeneration } from "./code";
export { execute } from "./execute";
/** What translated code calls; see ../jit/module.ts. */
export { floatHelper } from "./float";
export { exactDifference, exactFused, exactProduct, exactQuotient, exactRoot, exactSum, fusedMultiplyAdd } from "./hostFloat";
export { mulHigh, mulHighSignedUnsigned, mulHighUnsigned } from "./multiply";

export function dropVolatile(): void {
	for (let i: u32 = 0; i < hartCount(); i++) memory.fill(hartAt(i) + V_BANK_KEYS, 0xff, 64);
	dropSlots();
	stateRestored();
}

export function stateRestored(): void {
	flushAll();
	forgetPages();
	forgetBreakpointStops();
}

/** Linear address of a range that is all RAM, else 0. */
export function ramPointer(physical: u64, length: u32): u32 {
	if (!isRam(physical) || (length != 0 && (!isRam(physical + length - 1) || physical + length < physical))) return 0;
	return ramAddress(physical);
}

export function takeDirty(): void {
	memory.copy(DIRTY_TAKEN_BASE, DIRTY_BASE, DIRTY_SIZE);
	memory.fill(DIRTY_BASE, 0, DIRTY_SIZE);
	dropAllWritable();
}

export function hasCsr(hart: u32, number: u32): u32 {
	return hart < hartCount() && csr.hasCsr(number) ? 1 : 0;
}

/** A debugger writes a CSR as M-mode would; 0: it does not exist or is read-only. */
export function pokeCsr(hart: u32, number: u32, value: u64): u32 {
	if (!hasCsr(hart, number) || number >> 10 == 3) return 0;
	csr.pokeCsr(hartAt(hart), number, value);
	hartChanged(hart);
	return 1;
}

/** A debugger changed registers or the pc: the hart's loop is another one now, and its next step may meet a breakpoint. */
export function hartChanged(hart: u32): void {
	const h = hartAt(hart);
	store<u64>(h, NEVER, V_RESUME_STEPS);
	disturb(h);
	markActive();
}

/** A debugger wrote RAM, after `ramWritten`: harts that rest look again. */
export function ramPoked(): void {
	markActive();
}

export function peekTranslateIn(root: u64, virtual: u64): u64 {
	return mmu.peekTranslateIn(root, virtual);
}

/** A device is about to access, or accessed, linear bytes of RAM. */
export function deviceAccessed(linear: u32, length: u32, writes: u32): void {
	const end = <u64>RAM_BASE + load<u32>(M_RAM_SIZE);
	if (!anyWatched() || linear < <u32>RAM_BASE || <u64>linear + length > end) return;
	checkWatch(0, <u64>(linear - RAM_BASE) + RAM_GUEST_BASE, length, writes ? WATCH_PHYSICAL_WRITE : WATCH_PHYSICAL_READ);
}

export function peekCsr(hart: u32, number: u32): u64 {
	return csr.peekCsr(hartAt(hart), number);
}

export function peekTranslate(hart: u32, virtual: u64): u64 {
	return mmu.peekTranslate(hartAt(hart), virtual);
}
