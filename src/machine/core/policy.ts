// Who runs when: the part of the schedule that may be chosen. Three policies: plain (seed 0) and seeded round robin, and directed,
// which does what a list of decisions says. All of it is state, so runs with a policy are as reproducible as any.
//
// A decision is about a hart and one of its steps: before that step the hart is parked for some rounds, or time jumps to the
// next event, so that the timer's interrupt comes there if interrupts are on. Nothing happens that real harts could not do:
// they may be slow, wfi may return at any time (privileged ISA 3.3.3), and time passes as fast as it likes.

import {
	DECISIONS, DECISIONS_MAX, DECISION_SIZE, DECISION_TIMER, H_ID, H_PARKED, H_STEPS, M_DECISIONS, M_ORDER, M_POLICY, M_POLICY_SLICE, M_RANDOM,
	M_ROUNDS, M_WAKE_EVERY, SLICE_LENGTH,
} from "./layout";
import { hartAt, hartCount } from "./hart";

/** The seed goes through a multiplicative hash so that neighbouring seeds have nothing in common; 0 stays 0. From the next round on. */
export function reseed(seed: u64): void {
	store<u32>(M_POLICY, 0);
	store<u32>(M_DECISIONS, 0);
	store<u64>(M_RANDOM, seed * 0x9e3779b97f4a7c15);
	for (let i: u32 = 0; i < hartCount(); i++) store<u64>(hartAt(i), 0, H_PARKED);
}

/** Round robin with this slice length from the next round on, and the decisions that follow. */
export function direct(slice: u32): void {
	reseed(0);
	store<u32>(M_POLICY, 1);
	store<u32>(M_POLICY_SLICE, slice);
}

/** Before the hart's step number `at` (counted from 0): parked for `rounds`, or with DECISION_TIMER a jump in time. 0: the list is full. */
export function addDecision(hart: u32, at: u64, rounds: u32): u32 {
	const n = load<u32>(M_DECISIONS);
	if (n >= <u32>DECISIONS_MAX) return 0;
	const d: usize = DECISIONS + n * DECISION_SIZE;
	store<u64>(d, at);
	store<u32>(d, hart, 8);
	store<u32>(d, rounds, 12);
	store<u32>(M_DECISIONS, n + 1);
	return 1;
}

/** Harts in wfi wake up by themselves once in so many rounds while others run; 0: never. */
export function wakeEvery(rounds: u32): void {
	store<u32>(M_WAKE_EVERY, rounds);
}

/** xorshift64*; 0 stays 0, which is seed 0's plain round robin. */
function random(): u64 {
	let s = load<u64>(M_RANDOM);
	s ^= s >> 12;
	s ^= s << 25;
	s ^= s >> 27;
	store<u64>(M_RANDOM, s);
	return s * 0x2545f4914f6cdd1d;
}

/** Draws the round's order of harts; returns the length of its slices. */
export function drawRound(): u32 {
	const n = hartCount();
	for (let i: u32 = 0; i < n; i++) store<u8>(M_ORDER + i, <u8>i);
	if (load<u32>(M_POLICY)) return load<u32>(M_POLICY_SLICE);
	if (load<u64>(M_RANDOM) == 0) return SLICE_LENGTH;
	// 1/4 to 7/4 of the plain length, in whole ticks or not.
	const length = SLICE_LENGTH / 4 + <u32>((random() >> 32) % (SLICE_LENGTH + SLICE_LENGTH / 2));
	for (let i = n - 1; i > 0; i--) {
		const j = <u32>((random() >> 32) % (i + 1));
		const swapped = load<u8>(M_ORDER + i);
		store<u8>(M_ORDER + i, load<u8>(M_ORDER + j));
		store<u8>(M_ORDER + j, swapped);
	}
	return length;
}

/** Plain round robin, where slices may be run through and harts get a grace (turns.ts, schedule.ts); else slices are cut anywhere. */
// @ts-ignore: decorator
@inline
export function isPlain(): bool {
	return load<u64>(M_RANDOM) == 0 && load<u32>(M_POLICY) == 0;
}

// @ts-ignore: decorator
@inline
export function wakesHarts(): bool {
	return load<u32>(M_WAKE_EVERY) != 0;
}

/** The hart's wfi returns now. */
export function wakesEarly(h: usize): bool {
	const every = load<u32>(M_WAKE_EVERY);
	return every != 0 && (load<u64>(M_ROUNDS) + load<u32>(h, H_ID)) % every == 0;
}

// @ts-ignore: decorator
@inline
export function parked(h: usize): bool {
	return load<u64>(h, H_PARKED) > load<u64>(M_ROUNDS);
}

/** Steps that the hart may make before its next decision. */
export function untilDecision(h: usize, most: u64): u64 {
	if (load<u32>(M_POLICY) == 0) return most;
	const n = load<u32>(M_DECISIONS);
	const id = load<u32>(h, H_ID);
	const now = load<u64>(h, H_STEPS);
	for (let i: u32 = 0; i < n; i++) {
		const d: usize = DECISIONS + i * DECISION_SIZE;
		if (load<u32>(d, 8) == id && load<u64>(d) > now) most = min<u64>(most, load<u64>(d) - now);
	}
	return most;
}

/** What is decided before the hart's next step, once: rounds, DECISION_TIMER, or 0. */
export function takeDecision(h: usize): u32 {
	if (load<u32>(M_POLICY) == 0) return 0;
	const n = load<u32>(M_DECISIONS);
	for (let i: u32 = 0; i < n; i++) {
		const d: usize = DECISIONS + i * DECISION_SIZE;
		if (load<u32>(d, 8) != load<u32>(h, H_ID) || load<u64>(d) != load<u64>(h, H_STEPS) || load<u32>(d, 12) == 0) continue;
		const what = load<u32>(d, 12);
		store<u32>(d, 0, 12);
		if (what != DECISION_TIMER) store<u64>(h, load<u64>(M_ROUNDS) + what, H_PARKED);
		return what;
	}
	return 0;
}
