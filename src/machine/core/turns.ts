// Long turns. Time, interrupts and devices change only between slices; while nothing of them is due and no other hart can
// run, a slice's end and the next one's beginning change nothing but counters. Then a hart may run through many slices at
// once, and the counters are brought up to date when somebody could look at them: at traps, system instructions, accesses of
// devices, and where the turn ends. What is computed is exactly what slice after slice would have been.

import {
	INSTRUCTIONS_PER_TICK, M_ROUNDS, M_SLICES, M_STEPS, M_TIME, M_TIME_FRACTION, SLICE_LENGTH, S_SLICES_PASSED, V_LEFT,
} from "./layout";
import { YIELD_TURN, count, hartAt, hartCount, yieldAfter } from "./hart";
import { markActive, suspect } from "./spinState";

/** What is left of the turn when the slice under way is over; 0: that slice is the turn's last. */
let mark: u32 = 0;

export function beginTurn(rest: u32): void {
	mark = rest;
}

/** The turn is over with so many steps left. */
export function finishTurn(left: u32): void {
	passSlices(left);
	mark = 0;
}

/** A run that a device broke off may have left one behind. */
export function forgetTurn(): void {
	mark = 0;
}

/** The slice under way is used up inside of a long turn: its end and the next beginning are still to come. */
// @ts-ignore: decorator
@inline
export function atSliceEnd(left: u32): bool {
	return mark != 0 && left <= mark && (mark - left) % SLICE_LENGTH == 0;
}

/** Before what depends on time, slices or steps; V_LEFT is stored, with the step under way already counted. */
// @ts-ignore: decorator
@inline
export function settle(h: usize): void {
	if (load<u32>(h, V_LEFT) < mark) passSlices(load<u32>(h, V_LEFT));
}

/** Something may be due at the next slice's beginning: the turn ends after this instruction. */
export function endTurn(h: usize): void {
	if (mark) yieldAfter(h, YIELD_TURN);
}

/** The ends of the slices that are over, and the beginnings of the next ones, in all that `run` does for them. */
function passSlices(left: u32): void {
	const harts = hartCount();
	while (left < mark) {
		count(S_SLICES_PASSED);
		mark = mark > <u32>SLICE_LENGTH ? mark - SLICE_LENGTH : 0;
		store<u64>(M_STEPS, load<u64>(M_STEPS) + SLICE_LENGTH);
		for (let i: u32 = 0; i < harts; i++) suspect(hartAt(i));
		const spent = load<u32>(M_TIME_FRACTION) + SLICE_LENGTH;
		store<u64>(M_TIME, load<u64>(M_TIME) + spent / INSTRUCTIONS_PER_TICK);
		store<u32>(M_TIME_FRACTION, spent % INSTRUCTIONS_PER_TICK);
		store<u64>(M_SLICES, load<u64>(M_SLICES) + harts);
		store<u64>(M_ROUNDS, load<u64>(M_ROUNDS) + 1);
		markActive();
	}
}
