// Core-local interruptor (SiFive CLINT as QEMU virt has it): msip words at 0, mtimecmp at 0x4000, mtime at 0xbff8,
// and the two timers' effect on mip: MTIP from mtimecmp, STIP from stimecmp (Sstc).

import { CLINT_MSIP, CLINT_MTIMECMP, H_ID, H_MENVCFG, H_MIP, H_STIMECMP, M_TIME } from "./layout";
import { IRQ_MSI, IRQ_MTI, IRQ_STI, hartAt, hartCount } from "./hart";

const MTIMECMP: u32 = 0x4000;
const MTIME: u32 = 0xbff8;
export const MENVCFG_STCE: u64 = 1 << 63;

export function clintLoad(offset: u32, size: u32): u64 {
	if (offset < MTIMECMP) {
		const hart = offset >> 2;
		return hart < hartCount() ? load<u32>(CLINT_MSIP + (hart << 2)) : 0;
	}
	let value: u64 = 0;
	if ((offset & ~7) == MTIME) value = load<u64>(M_TIME);
	else {
		const hart = (offset - MTIMECMP) >> 3;
		if (hart >= hartCount()) return 0;
		value = load<u64>(CLINT_MTIMECMP + (hart << 3));
	}
	return size == 8 ? value : offset & 4 ? value >> 32 : value & 0xffffffff;
}

export function clintStore(offset: u32, size: u32, value: u64): void {
	if (offset < MTIMECMP) {
		const hart = offset >> 2;
		if (hart >= hartCount()) return;
		store<u32>(CLINT_MSIP + (hart << 2), <u32>value & 1);
		const h = hartAt(hart);
		const mip = load<u64>(h, H_MIP);
		store<u64>(h, value & 1 ? mip | IRQ_MSI : mip & ~IRQ_MSI, H_MIP);
		return;
	}
	let target: usize;
	if ((offset & ~7) == MTIME) target = M_TIME;
	else {
		const hart = (offset - MTIMECMP) >> 3;
		if (hart >= hartCount()) return;
		target = CLINT_MTIMECMP + (hart << 3);
	}
	if (size == 8) store<u64>(target, value);
	else store<u32>(target + (offset & 4), <u32>value);
	updateTimers();
}

/** Recomputes the timer bits of a hart's mip from mtime and the compare registers. */
export function updateTimer(h: usize): void {
	const now = load<u64>(M_TIME);
	let mip = load<u64>(h, H_MIP);
	if (now >= load<u64>(CLINT_MTIMECMP + (load<u32>(h, H_ID) << 3))) mip |= IRQ_MTI;
	else mip &= ~IRQ_MTI;
	if (load<u64>(h, H_MENVCFG) & MENVCFG_STCE) {
		if (now >= load<u64>(h, H_STIMECMP)) mip |= IRQ_STI;
		else mip &= ~IRQ_STI;
	}
	store<u64>(h, mip, H_MIP);
}

export function updateTimers(): void {
	for (let i: u32 = 0; i < hartCount(); i++) updateTimer(hartAt(i));
}
