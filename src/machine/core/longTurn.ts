// How long a turn may be, and the turn itself; turns.ts says what it is for and keeps its count.

import {
	H_MODE, H_SPIN_LENGTH, H_SPIN_NEXT, H_SPIN_ROUND, H_SPIN_SINCE, H_SPIN_STATE, H_SPIN_SUSPECT, H_SPIN_WAIT, H_WAITING, INSTRUCTIONS_PER_TICK,
	M_DEVICE_TIME, M_DEVICE_WORK, M_ROUNDS, M_ROUND_LENGTH, M_STEPS, M_TIME, M_TIME_FRACTION, SLICE_LENGTH, SPIN_RESTS,
} from "./layout";
import { MODE_U, NEVER, hartAt, hartCount } from "./hart";
import { execute } from "./execute";
import { isPlain, wakesHarts } from "./policy";
import { KNOWN_LOOP, SUSPECT, newInterrupt } from "./spinState";
import { beginTurn, finishTurn } from "./turns";
import { nextEventTime, wakes } from "./wakeup";

/** Slices in one turn besides the first. */
const SLICES_MAX: u64 = 256;

/** How many slices after the one that begins now the hart may run through. */
export function quietSlices(h: usize): u32 {
	// Who trapped in the last slice will do so again, and is not worth the search.
	if (!isPlain() || wakesHarts() || load<u32>(M_ROUND_LENGTH) != SLICE_LENGTH || load<u32>(h, H_SPIN_SUSPECT) == 0) return 0;
	if (load<u32>(M_DEVICE_WORK) != 0 || load<u64>(M_TIME) >= load<u64>(M_DEVICE_TIME)) return 0;
	// With others beside it, a hart gets a grace where interrupts are off (schedule.ts); in user mode they never are.
	if (hartCount() > 1 && load<u32>(h, H_MODE) != MODE_U) return 0;
	const quiet = min<u64>(min<u64>(untilSuspect(h), untilEvent()), untilOthers(h));
	return <u32>min<u64>(quiet, SLICES_MAX);
}

/** Slice ends at which `suspect` does nothing but count, if no trap comes; traps only make it later. */
function untilSuspect(h: usize): u64 {
	const slices = load<u32>(h, H_SPIN_SUSPECT);
	if (load<u32>(h, H_SPIN_LENGTH) != 0) return KNOWN_LOOP - 1 - slices % KNOWN_LOOP;
	const since = load<u32>(h, H_SPIN_SINCE);
	const next = load<u32>(h, H_SPIN_NEXT);
	const probe = max<u32>(next > since ? next - since : 0, SUSPECT > slices ? SUSPECT - slices : 0);
	return probe > 0 ? probe - 1 : 0;
}

/** Rounds that can end before the time of the next event is reached. */
function untilEvent(): u64 {
	const at = nextEventTime();
	if (at == NEVER) return SLICES_MAX;
	const ticks = at - load<u64>(M_TIME);
	if (ticks > SLICES_MAX * SLICE_LENGTH) return SLICES_MAX;
	return (ticks * INSTRUCTIONS_PER_TICK - load<u32>(M_TIME_FRACTION) - 1) / SLICE_LENGTH;
}

/** Rounds in which no other hart runs. */
function untilOthers(h: usize): u64 {
	let rounds = SLICES_MAX;
	for (let i: u32 = 0; i < hartCount(); i++) {
		const other = hartAt(i);
		if (other == h) continue;
		if (load<u32>(other, H_WAITING)) {
			if (wakes(other)) return 0;
			continue;
		}
		if (load<u32>(other, H_SPIN_STATE) != SPIN_RESTS || newInterrupt(other)) return 0;
		const due = load<u64>(other, H_SPIN_ROUND) + load<u32>(other, H_SPIN_WAIT);
		const round = load<u64>(M_ROUNDS) + 1;
		if (due <= round) return 0;
		rounds = min<u64>(rounds, due - round - 1);
	}
	return rounds;
}

/** Runs through at most `slices` whole slices after the one that begins now, at most `limit` steps; returns the steps made in the last one. */
export function longTurn(h: usize, slices: u32, limit: u64): u32 {
	const steps = <u32>min<u64>((1 + slices) * SLICE_LENGTH, limit);
	const before = load<u64>(M_STEPS);
	beginTurn(steps - SLICE_LENGTH);
	const left = execute(h, steps);
	finishTurn(left);
	return steps - left - <u32>(load<u64>(M_STEPS) - before);
}
