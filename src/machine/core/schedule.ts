// Time and turns. A run is a sequence of rounds; in a round every hart has one slice of exactly M_ROUND_LENGTH steps (less
// when it waits). Timer, software and external interrupts, device completions and console input change only between slices.
//
// All positions (whose turn, how far into the slice) are in STATE, so a run may stop after any step and go on later, in
// another process, without a difference.

import {
	DECISION_TIMER, H_ID, H_RESERVATION, H_STEPS, H_WAITING, H_YIELDED, INSTRUCTIONS_PER_TICK, M_CURSOR,
	M_DEVICE_TIME, M_DEVICE_WORK, M_GRACE, M_ORDER, M_ROUNDS, M_ROUND_LENGTH, M_SLICES, M_SLICE_BEGUN, M_SLICE_LEFT,
	M_STEPS, M_TIME, M_TIME_FRACTION, RUN_STOP_BEFORE_SKIP, RUN_STOP_READY, STOP_BUDGET, STOP_HART, STOP_IDLE, STOP_READY,
	STOP_REQUESTED, STOP_WAITING, T_READY_HART, T_RUNNING, T_RUN_HART, T_RUN_STEPS, T_STANDING, T_TURN_BASE,
	SPIN_PROBE, SPIN_RECHECK, SPIN_RESTS, SPIN_SEEK, H_SPIN_STATE, S_TIME_SKIPS, T_STOP_REQUEST, V_YIELD,
} from "./layout";
import { NEVER, YIELD_INTERRUPTS, count, hartAt, hartCount, interruptsEnabled } from "./hart";
import { updateTimers } from "./clint";
import { guardReservation } from "./code";
import { execute } from "./execute";
import { drawRound, isPlain, parked, takeDecision, untilDecision, wakesEarly } from "./policy";
import { forgetTurn } from "./turns";
import { longTurn, quietSlices } from "./longTurn";
import { probeTurn, recheckTurn, seekTurn } from "./spin";
import { markActive, rests, restsForSure, suspect, wakeIfDue } from "./spinState";
import { nextEventTime, wakes } from "./wakeup";

// @ts-ignore: decorator
@external("env", "deviceTick") declare function deviceTick(): void;

/** Draws this round's slice length and order. */
export function beginRound(): void {
	const length = drawRound();
	store<u32>(M_ROUND_LENGTH, length);
	store<u32>(M_CURSOR, 0);
	store<u32>(M_SLICE_LEFT, length);
	store<u32>(M_SLICE_BEGUN, 0);
}

function endRound(): void {
	const spent = load<u32>(M_TIME_FRACTION) + load<u32>(M_ROUND_LENGTH);
	store<u64>(M_TIME, load<u64>(M_TIME) + spent / INSTRUCTIONS_PER_TICK);
	store<u32>(M_TIME_FRACTION, spent % INSTRUCTIONS_PER_TICK);
	store<u64>(M_ROUNDS, load<u64>(M_ROUNDS) + 1);
	updateTimers();
}

/** Device completions and input, where due. */
function serviceDevices(): void {
	if (load<u32>(M_DEVICE_WORK) == 0 && load<u64>(M_TIME) < load<u64>(M_DEVICE_TIME)) return;
	store<u32>(M_DEVICE_WORK, 0);
	if (load<u64>(M_TIME) >= load<u64>(M_DEVICE_TIME)) store<u64>(M_DEVICE_TIME, NEVER);
	deviceTick();
	// DMA may have changed what a spinning hart looks at.
	markActive();
}

function endSlice(h: usize): void {
	if (load<u64>(h, H_RESERVATION) != NEVER && hartCount() > 1) guardReservation(h);
	store<u32>(h, 0, H_YIELDED);
	store<u32>(M_GRACE, 0);
	store<u64>(M_SLICES, load<u64>(M_SLICES) + 1);
	store<u32>(M_CURSOR, load<u32>(M_CURSOR) + 1);
	store<u32>(M_SLICE_LEFT, load<u32>(M_ROUND_LENGTH));
	store<u32>(M_SLICE_BEGUN, 0);
	serviceDevices();
}

/** Whether no hart can make a step before something happens. */
function allWait(): bool {
	for (let i: u32 = 0; i < hartCount(); i++) {
		const h = hartAt(i);
		if (load<u32>(h, H_WAITING) ? wakes(h) : !rests(h)) return false;
	}
	let sure = true;
	for (let i: u32 = 0; i < hartCount(); i++) {
		const h = hartAt(i);
		if (!load<u32>(h, H_WAITING) && !restsForSure(h)) sure = false;
	}
	return sure;
}

/** Every hart waits: time goes to the next event. Returns a STOP_* code, or -1 when the run continues. */
function skipTime(flags: u32): i32 {
	// What has come due as the last round ended has not been looked at yet.
	if (load<u32>(M_DEVICE_WORK) != 0 || load<u64>(M_TIME) >= load<u64>(M_DEVICE_TIME)) {
		serviceDevices();
		return -1;
	}
	const at = nextEventTime();
	if (at == NEVER) return STOP_IDLE;
	if (flags & RUN_STOP_BEFORE_SKIP) return STOP_WAITING;
	count(S_TIME_SKIPS);
	store<u64>(M_TIME, at);
	store<u32>(M_TIME_FRACTION, 0);
	updateTimers();
	serviceDevices();
	return -1;
}

/** The turn of the hart under the cursor: at most `limit` steps in this slice, `left` in all. Returns the steps made in its last slice. */
function takeTurn(h: usize, limit: u32, left: u64): u32 {
	const begins = load<u32>(M_SLICE_BEGUN) == 0;
	if (begins) {
		store<u32>(M_SLICE_BEGUN, 1);
		if (load<u32>(h, H_WAITING) && (wakes(h) || wakesEarly(h))) store<u32>(h, 0, H_WAITING);
		if (rests(h)) wakeIfDue(h);
		if (!load<u32>(h, H_WAITING)) store<u32>(h, YIELD_INTERRUPTS, V_YIELD);
	}
	if (load<u32>(h, H_WAITING) || parked(h)) return 0;
	store<u64>(T_TURN_BASE, load<u64>(M_STEPS) - load<u64>(h, H_STEPS));
	store<u32>(T_RUNNING, load<u32>(h, H_ID) + 1);
	switch (load<u32>(h, H_SPIN_STATE)) {
		case SPIN_RESTS: return 0;
		case SPIN_RECHECK: return recheckTurn(h, limit);
		case SPIN_SEEK: return seekTurn(h, limit);
		case SPIN_PROBE: return probeTurn(h, limit);
	}
	markActive();
	const more = begins && left > limit ? quietSlices(h) : 0;
	return more != 0 ? longTurn(h, more, left) : limit - execute(h, limit);
}

/** The slice under way is used up, or its hart has nothing to do. */
// @ts-ignore: decorator
@inline
function sliceOver(h: usize): bool {
	return load<u32>(M_SLICE_BEGUN) != 0 && (load<u32>(M_SLICE_LEFT) == 0 || load<u32>(h, H_WAITING) != 0 || load<u32>(h, H_YIELDED) != 0 || rests(h) || parked(h));
}

/** How far a hart may overrun its slice to get out of a critical section. */
const GRACE: u32 = 500;

/**
 * With several harts, a hart that stops while it holds a lock makes the others burn their slices on it. So at the end of
 * a slice a hart with interrupts off runs on for up to GRACE steps, until it turns them on. Time does not count
 * these. Only with seed 0: the other seeds are there to find races, and cut anywhere.
 */
function beginGrace(h: usize): bool {
	if (load<u32>(M_SLICE_LEFT) != 0 || load<u32>(M_GRACE) != 0 || !isPlain() || hartCount() == 1) return false;
	if (load<u32>(h, H_WAITING) != 0 || load<u32>(h, H_YIELDED) != 0 || rests(h) || interruptsEnabled(h)) return false;
	store<u32>(M_GRACE, 1);
	store<u32>(M_SLICE_LEFT, GRACE);
	return true;
}

/** See `CoreExports.run`. What a slice's end does waits for the next call when the budget ends with the slice. */
export function run(maxSteps: f64, flags: u32): u32 {
	store<u32>(T_STOP_REQUEST, flags & RUN_STOP_READY ? STOP_READY : STOP_BUDGET);
	store<u32>(T_READY_HART, 0);
	forgetTurn();
	const stop = rounds(load<u64>(M_STEPS) + <u64>maxSteps, flags);
	store<u32>(T_STOP_REQUEST, STOP_BUDGET);
	store<u32>(T_RUNNING, 0);
	return stop;
}

/** Steps that a hart may make before the run is to stop. */
function allowed(h: usize, left: u64): u64 {
	const most = untilDecision(h, left);
	if (load<u32>(T_RUN_HART) != load<u32>(h, H_ID) + 1) return most;
	return min<u64>(most, load<u64>(T_RUN_STEPS) - load<u64>(h, H_STEPS));
}

// @ts-ignore: decorator
@inline
function mayRun(h: usize): bool {
	return load<u32>(h, H_WAITING) == 0 && !rests(h) && !parked(h);
}

/** A decision: time passes to the next event, and the slice begins again, with its look at interrupts. */
function jumpInTime(): void {
	const at = nextEventTime();
	if (at == NEVER) return;
	store<u64>(M_TIME, at);
	store<u32>(M_TIME_FRACTION, 0);
	updateTimers();
	store<u32>(M_SLICE_BEGUN, 0);
}

/** Returns a STOP_* code; the machine stands at a moment that a later run finds again, T_STANDING says which. */
function rounds(end: u64, flags: u32): u32 {
	store<u32>(T_STANDING, STOP_BUDGET);
	// A stop between two steps is no such moment: the run first continues to where the next step would be made.
	let pending: u32 = STOP_BUDGET;
	for (;;) {
		const left = end - load<u64>(M_STEPS);
		if (left == 0) return STOP_BUDGET;
		if (load<u32>(M_CURSOR) >= hartCount()) {
			endRound();
			beginRound();
		}
		const h = hartAt(load<u8>(M_ORDER + load<u32>(M_CURSOR)));
		if (beginGrace(h)) continue;
		if (sliceOver(h)) {
			suspect(h);
			endSlice(h);
			continue;
		}
		if (load<u32>(M_CURSOR) == 0 && !load<u32>(M_SLICE_BEGUN) && allWait()) {
			const stop = skipTime(pending ? flags | RUN_STOP_BEFORE_SKIP : flags);
			if (stop >= 0) {
				store<u32>(T_STANDING, stop);
				return pending ? pending : stop;
			}
			continue;
		}
		const decided = mayRun(h) ? takeDecision(h) : 0;
		if (decided) {
			if (decided == DECISION_TIMER) jumpInTime();
			continue;
		}
		const slice = load<u32>(M_SLICE_LEFT);
		const most = allowed(h, left);
		const made = takeTurn(h, most < slice ? <u32>most : slice, most);
		store<u32>(T_RUNNING, 0);
		store<u64>(M_STEPS, load<u64>(M_STEPS) + made);
		store<u32>(M_SLICE_LEFT, slice - made);
		const stop = load<u32>(T_STOP_REQUEST);
		if (stop != STOP_BUDGET) {
			if (load<u32>(T_READY_HART) != 0) {
				store<u32>(T_STANDING, STOP_READY);
				return pending ? pending : stop;
			}
			if (made != 0) return stop;
			if (stop != STOP_READY) pending = stop;
			store<u32>(T_STOP_REQUEST, STOP_READY);
		}
		if (load<u32>(T_RUN_HART) == load<u32>(h, H_ID) + 1 && load<u64>(h, H_STEPS) == load<u64>(T_RUN_STEPS)) return STOP_HART;
	}
	return unreachable();
}

export function requestStop(): void {
	const stop = load<u32>(T_STOP_REQUEST);
	if (stop == STOP_BUDGET || stop == STOP_READY) store<u32>(T_STOP_REQUEST, STOP_REQUESTED);
}
