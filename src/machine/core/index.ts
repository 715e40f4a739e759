// The core's exports; see ../coreAbi.ts for what each promises.

import {
	CLINT_MTIMECMP, DIRTY_BASE, DIRTY_SIZE, DIRTY_TAKEN_BASE, HART_STRIDE, HART_TRACKING_DELTA, H_ID, H_MODE,
	H_MSTATUS, H_RESERVATION, H_STIMECMP, MAX_HARTS, M_DEVICE_TIME, M_DISK_SIZE, M_HARTS, M_PMP_ENFORCED, M_RAM_SIZE, M_RANDOM,
	STATE_BASE, STATE_SIZE, V_BANK_KEYS,
} from "./layout";
import { MODE_M, MSTATUS_XL, NEVER, hartAt, hartCount } from "./hart";
import { dropAllWritable, flushAll } from "./tlb";
import { dropSlots, forgetPages } from "./code";
import { isRam, ramAddress } from "./physical";
import { beginRound } from "./schedule";
import * as csr from "./csr";
import * as mmu from "./mmu";

export { addDevice } from "./physical";
export { setIrqLevel } from "./plic";
export { ramWritten } from "./code";
export { nextEventTime, requestStop, run } from "./schedule";
export { addBreakpoint, addWatchpoint, removeBreakpoint, removeWatchpoint, setEventMask } from "./events";

export function initialize(harts: u32, ramBytes: u32, diskBytes: u32, seed: u64, pmpEnforced: u32): void {
	memory.fill(STATE_BASE, 0, STATE_SIZE);
	store<u32>(M_HARTS, harts < <u32>MAX_HARTS ? harts : MAX_HARTS);
	store<u32>(M_RAM_SIZE, ramBytes);
	store<u32>(M_DISK_SIZE, diskBytes);
	// The seed goes through a multiplicative hash so that neighbouring seeds have nothing in common; 0 stays 0.
	store<u64>(M_RANDOM, seed * 0x9e3779b97f4a7c15);
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
	}
	beginRound();
	dropVolatile();
}

export function dropVolatile(): void {
	for (let i: u32 = 0; i < hartCount(); i++) memory.fill(hartAt(i) + V_BANK_KEYS, 0xff, 64);
	dropSlots();
	stateRestored();
}

export function stateRestored(): void {
	flushAll();
	forgetPages();
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

export function peekCsr(hart: u32, number: u32): u64 {
	return csr.peekCsr(hartAt(hart), number);
}

export function peekTranslate(hart: u32, virtual: u64): u64 {
	return mmu.peekTranslate(hartAt(hart), virtual);
}
