// Harts that spin without effect: schedulers of older xv6 look for work without wfi, two thirds of all instructions at boot
// with 3 harts. Such a hart rests, so that the others get the host's time, and when no hart has anything to do time can
// skip to the next event. Resting is a matter of scheduling only: a hart rests where it stands and continues from there.
//
// A hart that took no trap for some slices is probed: it runs step by step, with a journal of what its stores overwrite,
// until it is back at the same pc with the same registers and all of the journal's memory as before. Then it rests for
// some rounds, runs one turn of its loop as a re-check, and rests longer. A pending interrupt ends the rest at once. All of
// this is state of the machine, decided by step counts only, so runs stay reproducible.

import {
	H_FAULT, H_MODE, H_MSTATUS, H_PC, H_SPIN_COPY, H_SPIN_LEFT, H_SPIN_LENGTH, H_SPIN_NEXT, H_SPIN_SUSPECT, H_SPIN_TRAPS, H_SPIN_WAIT, H_TRAPS,
	H_WAITING, H_YIELDED, M_PROBE_HART, M_PROBE_STEPS, M_PROBE_STORES, M_SLICE_LEFT, PROBE_JOURNAL, PROBE_STORES_MAX, RAM_BASE, STOP_BUDGET,
	STOP_READY, TLB_READ, T_READY_HART, T_STOP_REQUEST, V_TLB,
} from "./layout";
import * as op from "./opcodes";
import { MODE_M, MSTATUS_MPRV, interruptsEnabled } from "./hart";
import { execute } from "./execute";
import { isRam, ramAddress } from "./physical";
import { tlbEntry } from "./tlb";
import { peekTranslate } from "./mmu";
import { peekRecord } from "./records";
import {
	FIRST_PROBE, FIRST_REST, KNOWN_LOOP_LAST, LONGEST_REST, beginRecheck, beginSeek, giveUp, markActive, rest, sameAsRemembered,
} from "./spinState";

const PROBE_STEPS_MAX: u32 = 20480;
/** A loop without effect holds a lock and a stack frame or two at any moment: more changed words are work. Looked at now and then. */
const CHANGED_MAX: u32 = 32;
const CHANGED_LOOK: u32 = 512;
// ---- turns of harts that are being looked at

/** A request to stop before the next instruction is for `execute` to see, which takes interrupts first. */
function goesOn(): bool {
	const stop = load<u32>(T_STOP_REQUEST);
	return stop == STOP_BUDGET || (stop == STOP_READY && load<u32>(T_READY_HART) == 0);
}

/** Part of a re-check; returns the steps made. */
export function recheckTurn(h: usize, limit: u32): u32 {
	const wanted = load<u32>(h, H_SPIN_LEFT);
	const n = min<u32>(limit, wanted);
	const made = n - execute(h, n);
	store<u32>(h, wanted - made, H_SPIN_LEFT);
	// Cut short by the host: what is decided may not depend on where.
	if (made < min<u32>(load<u32>(M_SLICE_LEFT), wanted) && load<u32>(h, H_WAITING) == 0 && load<u32>(h, H_YIELDED) == 0) return made;
	if (load<u32>(h, H_WAITING) != 0 || load<u64>(h, H_TRAPS) != load<u64>(h, H_SPIN_TRAPS)) disturbed(h);
	else if (wanted == made) {
		if (sameAsRemembered(h)) rest(h, min<u32>(load<u32>(h, H_SPIN_WAIT) << 1, LONGEST_REST));
		else disturbed(h);
	}
	return made;
}

/** Part of a search; returns the steps made. */
export function seekTurn(h: usize, limit: u32): u32 {
	let made: u32 = 0;
	let left = load<u32>(h, H_SPIN_LEFT);
	while (left != 0 && !interruptsEnabled(h) && made < limit && goesOn()) {
		if (execute(h, 1) != 0) break;
		made++;
		left--;
		if (load<u32>(h, H_YIELDED)) break;
		if (load<u32>(h, H_WAITING) != 0 || load<u64>(h, H_TRAPS) != load<u64>(h, H_SPIN_TRAPS)) {
			disturbed(h);
			return made;
		}
	}
	store<u32>(h, left, H_SPIN_LEFT);
	if (left == 0 || interruptsEnabled(h)) beginRecheck(h);
	return made;
}

/** The loop did something else this time; or it is another loop, to be probed soon. */
function disturbed(h: usize): void {
	let suspicion: u32 = 0;
	if (load<u32>(h, H_SPIN_WAIT) < FIRST_REST) {
		suspicion = load<u32>(h, H_SPIN_SUSPECT);
		if (suspicion >= KNOWN_LOOP_LAST) {
			store<u32>(h, 0, H_SPIN_LENGTH);
			store<u32>(h, FIRST_PROBE, H_SPIN_NEXT);
		}
	}
	giveUp(h);
	store<u32>(h, suspicion, H_SPIN_SUSPECT);
	markActive();
}

/** Part of a probe; returns the steps made. */
export function probeTurn(h: usize, limit: u32): u32 {
	let made: u32 = 0;
	while (made < limit && goesOn()) {
		// After a trap the probe is over; a stop before the handler's first instruction adds nothing to the journal.
		const fits = load<u64>(h, H_TRAPS) == load<u64>(h, H_SPIN_TRAPS) && journalNext(h);
		if (execute(h, 1) != 0) break;
		made++;
		const steps = load<u32>(M_PROBE_STEPS) + 1;
		store<u32>(M_PROBE_STEPS, steps);
		const works = steps % CHANGED_LOOK == 0 && changedWords() > CHANGED_MAX;
		if (!fits || works || steps > PROBE_STEPS_MAX || load<u32>(h, H_WAITING) != 0 || load<u64>(h, H_TRAPS) != load<u64>(h, H_SPIN_TRAPS)) {
			giveUp(h);
			break;
		}
		if (load<u64>(h, H_PC) == load<u64>(h, H_SPIN_COPY + 0x200) && sameAsRemembered(h) && changedWords() == 0) {
			store<u32>(M_PROBE_HART, 0);
			store<u32>(h, steps, H_SPIN_LENGTH);
			store<u32>(h, FIRST_PROBE, H_SPIN_NEXT);
			beginSeek(h);
			break;
		}
		if (load<u32>(h, H_YIELDED)) break;
	}
	markActive();
	return made;
}

/** Notes what the coming instruction may overwrite; false: it has effects that cannot be noted, or sees time pass. */
function journalNext(h: usize): bool {
	if (load<u32>(h, H_MODE) == MODE_M && (load<u64>(h, H_MSTATUS) & MSTATUS_MPRV) != 0) return false;
	const r = peekRecord(h, load<u64>(h, H_PC));
	if (!r) {
		// The instruction itself will find the fault again.
		store<u32>(h, 0, H_FAULT);
		return false;
	}
	const code: u32 = load<u8>(r);
	if (code == op.OP_CSR) return harmlessCsr(load<u32>(r, 8));
	const plainLoad = (code >= <u32>op.OP_LB && code <= <u32>op.OP_LWU) || code == op.OP_FLW || code == op.OP_FLD;
	const atomics = code >= <u32>op.OP_LR_W && code <= <u32>op.OP_AMOMAXU_D;
	const plainStore = (code >= <u32>op.OP_SB && code <= <u32>op.OP_SD) || code == op.OP_FSW || code == op.OP_FSD;
	if (!plainLoad && !plainStore && !atomics) return true;
	const va = load<u64>(h + <usize>load<u16>(r, 4)) + (atomics ? 0 : <u64>load<i32>(r, 8));
	const linear = peekRam(h, va);
	if (!linear) return false;
	if (plainLoad) return true;
	const last = va + storeSize(code) - 1;
	if ((last ^ va) >> 12 != 0) return false;
	return note(linear & ~7) && ((last ^ va) >> 3 == 0 || note((linear & ~7) + 8));
}

/** Bytes that a store may overwrite. */
function storeSize(code: u32): u32 {
	if (code >= <u32>op.OP_SB && code <= <u32>op.OP_SD) return 1 << (code - op.OP_SB);
	// Atomics of 4 and 8 bytes have even and odd numbers.
	if (code >= <u32>op.OP_LR_W && code <= <u32>op.OP_AMOMAXU_D) return 4 << (code & 1);
	return code == op.OP_FSW ? 4 : 8;
}

/** Where the bytes at a virtual address are in the core's memory; 0: not in RAM. */
function peekRam(h: usize, va: u64): u32 {
	const entry = tlbEntry(load<u32>(h, V_TLB), va);
	if (load<u64>(entry, TLB_READ) == (va & ~0xfff)) {
		const linear = load<u32>(entry, TLB_READ + 8) + <u32>va;
		return linear >= <u32>RAM_BASE ? linear : 0;
	}
	const physical = peekTranslate(h, va);
	return isRam(physical) ? ramAddress(physical) : 0;
}

function note(linear: u32): bool {
	const n = load<u32>(M_PROBE_STORES);
	for (let i: u32 = 0; i < n; i++) if (load<u32>(PROBE_JOURNAL + (i << 4)) == linear) return true;
	if (n >= <u32>PROBE_STORES_MAX) return false;
	const e: usize = PROBE_JOURNAL + (n << 4);
	store<u32>(e, linear);
	store<u64>(e, load<u64>(linear), 8);
	store<u32>(M_PROBE_STORES, n + 1);
	return true;
}

/** Words of the journal that are not what they were. */
function changedWords(): u32 {
	const n = load<u32>(M_PROBE_STORES);
	let changed: u32 = 0;
	for (let i: u32 = 0; i < n; i++) {
		const e: usize = PROBE_JOURNAL + (i << 4);
		if (load<u64>(load<u32>(e)) != load<u64>(e, 8)) changed++;
	}
	return changed;
}

/** sstatus, mstatus, sie (compared like registers) and the registers that only a trap or a write changes. */
function harmlessCsr(bits: u32): bool {
	const csr = bits >> 20;
	const writes = ((bits >> 12) & 3) == 1 || ((bits >> 15) & 31) != 0;
	if (csr == 0x100 || csr == 0x300 || csr == 0x104) return true;
	return !writes && csr != 0x144 && csr != 0x344 && (csr < 0xb00 || csr >= 0xf11);
}
