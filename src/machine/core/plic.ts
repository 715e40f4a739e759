// Platform-level interrupt controller (RISC-V PLIC specification 1.0, SiFive register map, QEMU virt's sizes): 127 sources,
// 7 priorities, one M and one S context for each hart.

import {
	H_MIP, H_SEIP_SOFT, PLIC_CLAIMED, PLIC_ENABLE, PLIC_LEVEL, PLIC_PENDING, PLIC_PRIORITY, PLIC_SOURCES, PLIC_THRESHOLD,
} from "./layout";
import { IRQ_MEI, IRQ_SEI, hartAt, hartCount } from "./hart";

const PENDING: u32 = 0x1000;
const ENABLE: u32 = 0x2000;
const ENABLE_STRIDE: u32 = 0x80;
const CONTEXT: u32 = 0x200000;
const CONTEXT_STRIDE: u32 = 0x1000;
const MAX_PRIORITY: u32 = 7;
const WORDS: u32 = PLIC_SOURCES / 32;

function contexts(): u32 {
	return hartCount() << 1;
}

/** Best pending, enabled and unclaimed source above the context's threshold; ties go to the lowest number; 0: none. */
function best(context: u32): u32 {
	let found: u32 = 0;
	let priority = load<u32>(PLIC_THRESHOLD + (context << 2));
	for (let w: u32 = 0; w < WORDS; w++) {
		let bits = load<u32>(PLIC_PENDING + (w << 2)) & ~load<u32>(PLIC_CLAIMED + (w << 2)) & load<u32>(PLIC_ENABLE + (context << 4) + (w << 2));
		while (bits) {
			const source = (w << 5) + <u32>ctz(bits);
			bits &= bits - 1;
			const p = load<u32>(PLIC_PRIORITY + (source << 2));
			if (p > priority) {
				priority = p;
				found = source;
			}
		}
	}
	return found;
}

/** Drives MEIP and SEIP of all harts. */
export function plicUpdate(): void {
	for (let i: u32 = 0; i < hartCount(); i++) {
		const h = hartAt(i);
		let mip = load<u64>(h, H_MIP) & ~(IRQ_MEI | IRQ_SEI);
		if (best(i << 1)) mip |= IRQ_MEI;
		if (load<u64>(h, H_SEIP_SOFT) != 0 || best((i << 1) + 1) != 0) mip |= IRQ_SEI;
		store<u64>(h, mip, H_MIP);
	}
}

function setBit(words: usize, source: u32, on: bool): void {
	const a = words + ((source >> 5) << 2);
	const bit: u32 = 1 << (source & 31);
	store<u32>(a, on ? load<u32>(a) | bit : load<u32>(a) & ~bit);
}

/**
 * Each call with a high level is a request, as in QEMU: it makes the source pending even if it was high before. A low one
 * does not take a request back (PLIC specification, "interrupt gateways"); completing does not look at the level. Drivers rely on it: old xv6 never reads the UART's interrupt
 * register, and would be interrupted for ever by a gateway that re-raises at completion.
 */
export function setIrqLevel(source: u32, level: u32): void {
	if (source == 0 || source >= <u32>PLIC_SOURCES) return;
	setBit(PLIC_LEVEL, source, level != 0);
	if (level != 0) setBit(PLIC_PENDING, source, true);
	plicUpdate();
}

export function plicLoad(offset: u32): u64 {
	if (offset < PENDING) {
		const source = offset >> 2;
		return source < <u32>PLIC_SOURCES ? load<u32>(PLIC_PRIORITY + (source << 2)) : 0;
	}
	if (offset < ENABLE) {
		const w = (offset - PENDING) >> 2;
		return w < WORDS ? load<u32>(PLIC_PENDING + (w << 2)) : 0;
	}
	if (offset < CONTEXT) {
		const context = (offset - ENABLE) / ENABLE_STRIDE;
		const w = ((offset - ENABLE) % ENABLE_STRIDE) >> 2;
		return context < contexts() && w < WORDS ? load<u32>(PLIC_ENABLE + (context << 4) + (w << 2)) : 0;
	}
	const context = (offset - CONTEXT) / CONTEXT_STRIDE;
	if (context >= contexts()) return 0;
	const register = (offset - CONTEXT) % CONTEXT_STRIDE;
	if (register == 0) return load<u32>(PLIC_THRESHOLD + (context << 2));
	if (register != 4) return 0;
	const source = best(context);
	if (source) {
		setBit(PLIC_PENDING, source, false);
		setBit(PLIC_CLAIMED, source, true);
		plicUpdate();
	}
	return source;
}

export function plicStore(offset: u32, value: u32): void {
	if (offset < PENDING) {
		const source = offset >> 2;
		if (source == 0 || source >= <u32>PLIC_SOURCES) return;
		store<u32>(PLIC_PRIORITY + (source << 2), value & MAX_PRIORITY);
	} else if (offset < ENABLE) {
		return;
	} else if (offset < CONTEXT) {
		const context = (offset - ENABLE) / ENABLE_STRIDE;
		const w = ((offset - ENABLE) % ENABLE_STRIDE) >> 2;
		if (context >= contexts() || w >= WORDS) return;
		store<u32>(PLIC_ENABLE + (context << 4) + (w << 2), w == 0 ? value & ~1 : value);
	} else {
		const context = (offset - CONTEXT) / CONTEXT_STRIDE;
		if (context >= contexts()) return;
		const register = (offset - CONTEXT) % CONTEXT_STRIDE;
		if (register == 0) {
			if (value <= MAX_PRIORITY) store<u32>(PLIC_THRESHOLD + (context << 2), value);
		} else if (register == 4 && value > 0 && value < <u32>PLIC_SOURCES) {
			setBit(PLIC_CLAIMED, value, false);
		}
	}
	plicUpdate();
}
