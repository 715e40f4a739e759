import { UserError } from "../common/errors.ts";
import * as layout from "./core/layout.ts";
import type { CoreExports } from "./coreAbi.ts";

/** Something that happens to a hart before one of its steps, counted from 0 at power-on (`Hart.steps`). */
export type Decision =
	/** It does not run before so many rounds have ended. */
	| { readonly hart: number; readonly at: number; readonly park: number }
	/** Time passes to the next timer event at once: its interrupt comes here if it is enabled. */
	| { readonly hart: number; readonly at: number; readonly timer: true };

/**
 * Who runs when. A change holds from the next round on. All of it is part of the machine's state and of its input log, so
 * runs, snapshots, histories and recordings with a schedule are as reproducible as any.
 */
export type Schedule = (
	| {
			/** Round robin; 0: plain, others vary slice lengths and order. */
			readonly kind: "seeded";
			readonly seed: number;
	  }
	| {
			/** Round robin with slices of so many steps, and what the decisions say. */
			readonly kind: "directed";
			readonly slice: number;
			readonly decisions: readonly Decision[];
	  }
) & {
	/** Once in so many rounds a hart in wfi wakes up by itself while others run; absent: only interrupts wake it. */
	readonly wakeEvery?: number;
};

const sliceMax = 1_000_000;
const roundsMax = 1_000_000;

function isCount(value: number | undefined, least: number, most: number): boolean {
	return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

/** Throws UserError `machine-options` for what is no schedule of a machine with so many harts. */
export function checkSchedule(schedule: Schedule, harts: number): void {
	const bad = (what: string, next: string) => new UserError("machine-options", what, next);
	if (schedule.wakeEvery !== undefined && !isCount(schedule.wakeEvery, 1, roundsMax)) {
		throw bad(`Harts cannot wake up every ${schedule.wakeEvery} rounds`, `Choose 1 to ${roundsMax}.`);
	}
	if (schedule.kind === "seeded") {
		if (!isCount(schedule.seed, 0, Number.MAX_SAFE_INTEGER)) {
			throw bad(`${schedule.seed} is no seed`, "Choose a whole number from 0 on.");
		}
		return;
	}
	if (schedule.kind !== "directed" || !Array.isArray(schedule.decisions)) {
		throw bad("This is no schedule", "It is seeded or directed.");
	}
	if (!isCount(schedule.slice, 1, sliceMax)) {
		throw bad(`Slices of ${schedule.slice} steps cannot be made`, `Choose 1 to ${sliceMax}.`);
	}
	if (schedule.decisions.length > layout.DECISIONS_MAX) {
		const next = `A schedule has at most ${layout.DECISIONS_MAX}.`;
		throw bad(`There are ${schedule.decisions.length} decisions`, next);
	}
	for (const one of schedule.decisions) {
		const fine =
			isCount(one.hart, 0, harts - 1) &&
			isCount(one.at, 0, Number.MAX_SAFE_INTEGER) &&
			("timer" in one ? one.timer === true : isCount(one.park, 1, roundsMax));
		if (!fine)
			throw bad(`${JSON.stringify(one)} is no decision`, "Name a hart, one of its steps, and rounds or timer.");
	}
}

/** Puts a checked schedule into the core. */
export function applySchedule(core: CoreExports, schedule: Schedule): void {
	if (schedule.kind === "seeded") core.reseed(BigInt(schedule.seed));
	else {
		core.direct(schedule.slice);
		for (const one of schedule.decisions) addDecision(core, one);
	}
	core.wakeEvery(schedule.wakeEvery ?? 0);
}

export function addDecision(core: CoreExports, one: Decision): boolean {
	return core.addDecision(one.hart, BigInt(one.at), "park" in one ? one.park : layout.DECISION_TIMER) !== 0;
}
