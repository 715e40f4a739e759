// Access to a hart's state and the codes of the privileged architecture that the core uses.

import { HART_BASE, HART_STRIDE, H_FAULT, H_FAULT_CAUSE, H_FAULT_TVAL, H_MODE, H_MSTATUS, M_HARTS, T_STOP_REQUEST, V_YIELD } from "./layout";

// Modes.
export const MODE_U: u32 = 0;
export const MODE_S: u32 = 1;
export const MODE_M: u32 = 3;

// Exception causes (privileged ISA, table "mcause values").
export const CAUSE_FETCH_ACCESS: u64 = 1;
export const CAUSE_ILLEGAL: u64 = 2;
export const CAUSE_BREAKPOINT: u64 = 3;
export const CAUSE_LOAD_MISALIGNED: u64 = 4;
export const CAUSE_LOAD_ACCESS: u64 = 5;
export const CAUSE_STORE_MISALIGNED: u64 = 6;
export const CAUSE_STORE_ACCESS: u64 = 7;
export const CAUSE_ECALL_U: u64 = 8;
export const CAUSE_FETCH_PAGE: u64 = 12;
export const CAUSE_LOAD_PAGE: u64 = 13;
export const CAUSE_STORE_PAGE: u64 = 15;

// mstatus.
export const MSTATUS_SIE: u64 = 1 << 1;
export const MSTATUS_MIE: u64 = 1 << 3;
export const MSTATUS_SPIE: u64 = 1 << 5;
export const MSTATUS_MPIE: u64 = 1 << 7;
export const MSTATUS_SPP: u64 = 1 << 8;
export const MSTATUS_MPP: u64 = 3 << 11;
export const MSTATUS_FS: u64 = 3 << 13;
export const MSTATUS_MPRV: u64 = 1 << 17;
export const MSTATUS_SUM: u64 = 1 << 18;
export const MSTATUS_MXR: u64 = 1 << 19;
export const MSTATUS_TVM: u64 = 1 << 20;
export const MSTATUS_TW: u64 = 1 << 21;
export const MSTATUS_TSR: u64 = 1 << 22;
/** UXL and SXL, both 2 (64 bits) and read-only. */
export const MSTATUS_XL: u64 = 0xa00000000;
export const MSTATUS_SD: u64 = 1 << 63;

// Interrupt bits of mip and mie.
export const IRQ_SSI: u64 = 1 << 1;
export const IRQ_MSI: u64 = 1 << 3;
export const IRQ_STI: u64 = 1 << 5;
export const IRQ_MTI: u64 = 1 << 7;
export const IRQ_SEI: u64 = 1 << 9;
export const IRQ_MEI: u64 = 1 << 11;

export const ACCESS_FETCH: u32 = 0;
export const ACCESS_LOAD: u32 = 1;
export const ACCESS_STORE: u32 = 2;

export const NEVER: u64 = 0xffffffffffffffff;

// Bits of V_YIELD. Only YIELD_INTERRUPTS, YIELD_WAIT and YIELD_SLICE may have an architectural effect; the others depend on caches and on the host.
export const YIELD_CODE: u32 = 1;
export const YIELD_INTERRUPTS: u32 = 2;
export const YIELD_STOP: u32 = 4;
export const YIELD_WAIT: u32 = 8;
/** The slice is over (H_YIELDED is set). */
export const YIELD_SLICE: u32 = 16;
/** A long turn ends early (turns.ts). */
export const YIELD_TURN: u32 = 32;

// @ts-ignore: decorator
@inline
export function hartAt(id: u32): usize {
	return HART_BASE + id * HART_STRIDE;
}

// @ts-ignore: decorator
@inline
export function hartCount(): u32 {
	return load<u32>(M_HARTS);
}

/** The instruction under way does not complete; its trap is taken when the dispatch loop is left. */
export function fault(h: usize, cause: u64, tval: u64): void {
	store<u32>(h, 1, H_FAULT);
	store<u64>(h, cause, H_FAULT_CAUSE);
	store<u64>(h, tval, H_FAULT_TVAL);
}

// @ts-ignore: decorator
@inline
export function faulted(h: usize): bool {
	return load<u32>(h, H_FAULT) != 0;
}

// @ts-ignore: decorator
@inline
export function yieldAfter(h: usize, why: u32): void {
	store<u32>(h, load<u32>(h, V_YIELD) | why, V_YIELD);
}

/** A listener or a device may have asked for the end of the run. */
export function yieldIfStopped(h: usize): void {
	if (load<u32>(T_STOP_REQUEST)) yieldAfter(h, YIELD_STOP);
}

/** Whether interrupts for the mode the hart is in are on. Kernels that use locks hold none then. */
export function interruptsEnabled(h: usize): bool {
	const mode = load<u32>(h, H_MODE);
	return mode == MODE_U || (load<u64>(h, H_MSTATUS) & (mode == MODE_M ? MSTATUS_MIE : MSTATUS_SIE)) != 0;
}

/** Adds one to a statistics word. */
// @ts-ignore: decorator
@inline
export function count(address: usize): void {
	store<u64>(address, load<u64>(address) + 1);
}
