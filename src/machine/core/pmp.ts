// Physical memory protection, privileged ISA 3.7, with the choices of QEMU 7.2: 16 entries, granularity 4 bytes.

import { H_MEPC, H_MSTATUS, H_PMPADDR, H_PMPCFG, M_PMP_ENFORCED, PAGE_SIZE, V_PMP_ADDRESS, V_PMP_DENIED, V_PMP_PC, H_PC } from "./layout";
import { MODE_M } from "./hart";

const PMP_ENTRIES: u32 = 16;
const PMP_LOCK: u32 = 0x80;
const MATCH_OFF: u32 = 0;
const MATCH_TOR: u32 = 1;
const MATCH_NA4: u32 = 2;

/** Range of the entry that `entryRange` looked at; the end is inclusive. */
let rangeStart: u64 = 0;
let rangeEnd: u64 = 0;

function matching(h: usize, i: u32): u32 {
	return (load<u8>(h + i, H_PMPCFG) >> 3) & 3;
}

function entryRange(h: usize, i: u32): bool {
	const kind = matching(h, i);
	const address = load<u64>(h + (i << 3), H_PMPADDR);
	if (kind == MATCH_OFF) return false;
	if (kind == MATCH_TOR) {
		rangeStart = i == 0 ? 0 : load<u64>(h + ((i - 1) << 3), H_PMPADDR) << 2;
		rangeEnd = (address << 2) - 1;
	} else if (kind == MATCH_NA4) {
		rangeStart = address << 2;
		rangeEnd = rangeStart + 3;
	} else {
		// NAPOT: the ones below the lowest zero say how far the range goes.
		const ones = address ^ (address + 1);
		rangeStart = (address & ~ones) << 2;
		rangeEnd = (address << 2) | (ones << 2) | 3;
	}
	return true;
}

/** QEMU 7.2: mret to a lower mode, which could not fetch a single instruction with every entry off, is illegal. */
export function pmpForbidsReturn(h: usize): bool {
	if (load<u32>(M_PMP_ENFORCED) == 0 || ((load<u64>(h, H_MSTATUS) >> 11) & 3) == MODE_M) return false;
	for (let i: u32 = 0; i < PMP_ENTRIES; i++) if (matching(h, i) != MATCH_OFF) return false;
	denied(h, load<u64>(h, H_MEPC));
	return true;
}

/** Whether entry 0 is a TOR entry that reaches beyond `last`: what kernels set that want no protection. */
// @ts-ignore: decorator
@inline
function firstCovers(h: usize, last: u64): bool {
	return (load<u8>(h, H_PMPCFG) & 0x18) == 0x08 && last < load<u64>(h, H_PMPADDR) << 2;
}

/** Whether [physical, physical + size) may be accessed with the right (bit 0 read, 1 write, 2 execute) in the mode. */
export function pmpAllows(h: usize, physical: u64, size: u32, right: u32, mode: u32): bool {
	if (load<u32>(M_PMP_ENFORCED) == 0) return true;
	const last = physical + size - 1;
	if (physical <= last && firstCovers(h, last) && (load<u8>(h, H_PMPCFG) & right) == right) return true;
	for (let i: u32 = 0; i < PMP_ENTRIES; i++) {
		if (!entryRange(h, i)) continue;
		const first = physical >= rangeStart && physical <= rangeEnd;
		const end = last >= rangeStart && last <= rangeEnd;
		if (first != end) return denied(h, physical);
		if (!first) continue;
		const cfg: u32 = load<u8>(h + i, H_PMPCFG);
		if (mode == MODE_M && !(cfg & PMP_LOCK)) return true;
		if ((cfg & right) == right) return true;
		return denied(h, physical);
	}
	// No entry matches: M-mode may, the others may not, even when no entry is on at all.
	return mode == MODE_M ? true : denied(h, physical);
}

function denied(h: usize, physical: u64): bool {
	store<u32>(h, load<u32>(h, V_PMP_DENIED) + 1, V_PMP_DENIED);
	store<u64>(h, physical, V_PMP_ADDRESS);
	store<u64>(h, load<u64>(h, H_PC), V_PMP_PC);
	return false;
}

/** Whether one answer holds for the whole page: only then may it enter a TLB. */
export function pmpUniform(h: usize, page: u64): bool {
	if (load<u32>(M_PMP_ENFORCED) == 0) return true;
	const last = page + PAGE_SIZE - 1;
	if (page <= last && firstCovers(h, last)) return true;
	for (let i: u32 = 0; i < PMP_ENTRIES; i++) {
		if (!entryRange(h, i)) continue;
		if (rangeStart <= page && rangeEnd >= last) return true;
		if (rangeStart <= last && rangeEnd >= page && rangeStart <= rangeEnd) return false;
	}
	return true;
}

export function pmpReadConfig(h: usize, index: u32): u64 {
	return load<u64>(h + (index << 2), H_PMPCFG);
}

/** pmpcfg0 and pmpcfg2, eight entries each; locked entries stay. */
export function pmpWriteConfig(h: usize, index: u32, value: u64): void {
	for (let i: u32 = 0; i < 8; i++) {
		const entry = (index << 2) + i;
		if (load<u8>(h + entry, H_PMPCFG) & PMP_LOCK) continue;
		store<u8>(h + entry, <u8>(value >> (i << 3)), H_PMPCFG);
	}
}

export function pmpWriteAddress(h: usize, entry: u32, value: u64): void {
	if (load<u8>(h + entry, H_PMPCFG) & PMP_LOCK) return;
	// A locked TOR entry locks the address below it too.
	if (entry + 1 < PMP_ENTRIES && load<u8>(h + entry + 1, H_PMPCFG) & PMP_LOCK && matching(h, entry + 1) == MATCH_TOR) return;
	store<u64>(h + (entry << 3), value, H_PMPADDR);
}
