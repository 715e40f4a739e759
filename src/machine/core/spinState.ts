// What is known of a hart that may spin without effect (spin.ts), and how that changes between turns.

import {
	H_F, H_ID, H_MIE, H_MIP, H_MSTATUS, H_PC, H_SPIN_COPY, H_SPIN_LEFT, H_SPIN_LENGTH, H_SPIN_NEXT, H_SPIN_ROUND, H_SPIN_SINCE, H_SPIN_STATE,
	H_SPIN_SUSPECT, H_SPIN_TRAPS, H_SPIN_WAIT, H_TRAPS, H_WAITING, H_X, M_LAST_ACTIVE, M_PROBE_HART, M_PROBE_STEPS, M_PROBE_STORES, M_ROUNDS,
	SPIN_NONE, SPIN_PROBE, SPIN_RECHECK, SPIN_RESTS, SPIN_SEEK, S_SPIN_HITS, S_SPIN_PROBES,
} from "./layout";
import { count } from "./hart";

/** Slices without a trap that make a hart suspect. */
export const SUSPECT: u32 = 8;
/** Slices between probes: after a failed one four times as many, up to the last figure. */
export const FIRST_PROBE: u32 = 8;
const LAST_PROBE: u32 = 16384;
/** A loop of known length is looked for again each time so many slices went by without a trap, and forgotten after some tries. */
export const KNOWN_LOOP: u32 = 4;
export const KNOWN_LOOP_LAST: u32 = 16;
/** Rounds to rest after the first proof, and at most. */
export const FIRST_REST: u32 = 4;
export const LONGEST_REST: u32 = 64;

// @ts-ignore: decorator
@inline
export function rests(h: usize): bool {
	return load<u32>(h, H_SPIN_STATE) == SPIN_RESTS;
}

function round(): u64 {
	return load<u64>(M_ROUNDS) + 1;
}

/** An interrupt has come that was not there when the loop was last seen: those that were, the loop keeps masked. */
// @ts-ignore: decorator
@inline
export function newInterrupt(h: usize): bool {
	return (load<u64>(h, H_MIP) & load<u64>(h, H_MIE) & ~load<u64>(h, H_SPIN_COPY + 0x218)) != 0;
}

export function markActive(): void {
	store<u64>(M_LAST_ACTIVE, round());
}

// ---- the state that must come back

function remember(h: usize): void {
	memory.copy(h + H_SPIN_COPY, h + H_X, 256);
	memory.copy(h + H_SPIN_COPY + 0x100, h + H_F, 256);
	store<u64>(h, load<u64>(h, H_PC), H_SPIN_COPY + 0x200);
	store<u64>(h, load<u64>(h, H_MSTATUS), H_SPIN_COPY + 0x208);
	store<u64>(h, load<u64>(h, H_MIE), H_SPIN_COPY + 0x210);
	store<u64>(h, load<u64>(h, H_MIP) & load<u64>(h, H_MIE), H_SPIN_COPY + 0x218);
	store<u64>(h, load<u64>(h, H_TRAPS), H_SPIN_TRAPS);
}

export function sameAsRemembered(h: usize): bool {
	return (
		load<u64>(h, H_PC) == load<u64>(h, H_SPIN_COPY + 0x200) &&
		load<u64>(h, H_TRAPS) == load<u64>(h, H_SPIN_TRAPS) &&
		load<u64>(h, H_MSTATUS) == load<u64>(h, H_SPIN_COPY + 0x208) &&
		load<u64>(h, H_MIE) == load<u64>(h, H_SPIN_COPY + 0x210) &&
		memory.compare(h + H_SPIN_COPY, h + H_X, 256) == 0 &&
		memory.compare(h + H_SPIN_COPY + 0x100, h + H_F, 256) == 0
	);
}

// ---- transitions

export function rest(h: usize, rounds: u32): void {
	count(S_SPIN_HITS);
	store<u32>(h, SPIN_RESTS, H_SPIN_STATE);
	store<u32>(h, rounds, H_SPIN_WAIT);
	store<u64>(h, round(), H_SPIN_ROUND);
}

export function giveUp(h: usize): void {
	if (load<u32>(M_PROBE_HART) == load<u32>(h, H_ID) + 1) store<u32>(M_PROBE_HART, 0);
	store<u32>(h, SPIN_NONE, H_SPIN_STATE);
	store<u32>(h, 0, H_SPIN_SUSPECT);
	store<u64>(h, load<u64>(h, H_TRAPS), H_SPIN_TRAPS);
}

/** The hart's registers changed from outside: whatever is known of its loop is void. */
export function disturb(h: usize): void {
	giveUp(h);
	store<u32>(h, 0, H_SPIN_LENGTH);
}

export function beginRecheck(h: usize): void {
	remember(h);
	store<u32>(h, SPIN_RECHECK, H_SPIN_STATE);
	store<u32>(h, load<u32>(h, H_SPIN_LENGTH), H_SPIN_LEFT);
}

/** Towards a point of the loop with interrupts enabled, then a re-check there. A loop without one is re-checked anywhere. */
export function beginSeek(h: usize): void {
	store<u32>(h, SPIN_SEEK, H_SPIN_STATE);
	store<u32>(h, load<u32>(h, H_SPIN_LENGTH), H_SPIN_LEFT);
	store<u32>(h, FIRST_REST / 2, H_SPIN_WAIT);
}

/** At the beginning of a resting hart's slice. */
export function wakeIfDue(h: usize): void {
	if (newInterrupt(h)) giveUp(h);
	else if (round() - load<u64>(h, H_SPIN_ROUND) >= load<u32>(h, H_SPIN_WAIT)) beginRecheck(h);
}

/** Whether the resting hart has been looked at since anything last happened; if not, it gets a re-check. */
export function restsForSure(h: usize): bool {
	if (newInterrupt(h)) return false;
	if (load<u64>(h, H_SPIN_ROUND) > load<u64>(M_LAST_ACTIVE)) return true;
	beginRecheck(h);
	return false;
}

/** At a slice's end: is the hart worth a probe? */
export function suspect(h: usize): void {
	if (load<u32>(h, H_SPIN_STATE) != SPIN_NONE) return;
	const since = load<u32>(h, H_SPIN_SINCE) + 1;
	store<u32>(h, since, H_SPIN_SINCE);
	if (load<u64>(h, H_TRAPS) != load<u64>(h, H_SPIN_TRAPS) || load<u32>(h, H_WAITING) != 0) {
		store<u64>(h, load<u64>(h, H_TRAPS), H_SPIN_TRAPS);
		store<u32>(h, 0, H_SPIN_SUSPECT);
		return;
	}
	const slices = load<u32>(h, H_SPIN_SUSPECT) + 1;
	store<u32>(h, slices, H_SPIN_SUSPECT);
	if (slices % KNOWN_LOOP == 0 && load<u32>(h, H_SPIN_LENGTH) != 0) {
		beginSeek(h);
		return;
	}
	const next = max<u32>(load<u32>(h, H_SPIN_NEXT), FIRST_PROBE);
	if (slices < SUSPECT || since < next || load<u32>(M_PROBE_HART) != 0) return;
	store<u32>(h, 0, H_SPIN_SINCE);
	store<u32>(h, min<u32>(next << 2, LAST_PROBE), H_SPIN_NEXT);
	count(S_SPIN_PROBES);
	remember(h);
	store<u32>(h, SPIN_PROBE, H_SPIN_STATE);
	store<u32>(M_PROBE_HART, load<u32>(h, H_ID) + 1);
	store<u32>(M_PROBE_STEPS, 0);
	store<u32>(M_PROBE_STORES, 0);
}
