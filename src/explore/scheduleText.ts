import { UserError } from "../common/errors.ts";
import type { Decision, Schedule } from "../machine/schedule.ts";

/**
 * A schedule in one word; its steps count from the prompt after the boot. `500/8:0@965+1,1@990t`: slices of 500 steps, waiting harts wake up every 8 rounds; before its step 965 after
 * the prompt hart 0 stops for 1 round, and before hart 1's step 990 the next timer event comes. `seed7/8`: slices and order by a seed.
 */
export function scheduleText(schedule: Schedule): string {
	const wake = schedule.wakeEvery === undefined ? "" : `/${schedule.wakeEvery}`;
	if (schedule.kind === "seeded") return `seed${schedule.seed}${wake}`;
	const decisions = schedule.decisions.map((one) => {
		return `${one.hart}@${one.at}${"park" in one ? `+${one.park}` : "t"}`;
	});
	return `${schedule.slice}${wake}${decisions.length > 0 ? ":" : ""}${decisions.join(",")}`;
}

/** Throws UserError `usage`. */
export function parseScheduleText(text: string): Schedule {
	const bad = new UserError(
		"usage",
		`'${text}' is no schedule`,
		"Copy the whole text that `xv6-lab explore` printed, such as 500/8:0@965+1,1@990t.",
	);
	const match = /^(?:seed(\d+)|(\d+))(?:\/(\d+))?(?::(.*))?$/.exec(text);
	if (!match) throw bad;
	const [, seed, slice, wake, list] = match;
	const wakeEvery = wake === undefined ? {} : { wakeEvery: Number(wake) };
	if (seed !== undefined) {
		if (list !== undefined) throw bad;
		return { kind: "seeded", seed: Number(seed), ...wakeEvery };
	}
	const decisions = (list === undefined || list === "" ? [] : list.split(",")).map((one): Decision => {
		const part = /^(\d+)@(\d+)(?:\+(\d+)|(t))$/.exec(one);
		if (!part) throw bad;
		const [hart, at] = [Number(part[1]), Number(part[2])];
		return part[4] ? { hart, at, timer: true } : { hart, at, park: Number(part[3]) };
	});
	return { kind: "directed", slice: Number(slice), decisions, ...wakeEvery };
}

/** The schedule as a machine wants it: steps of a hart from power-on. `base`: each hart's at the prompt. */
export function fromPowerOn(schedule: Schedule, base: readonly number[]): Schedule {
	if (schedule.kind === "seeded") return schedule;
	const decisions = schedule.decisions.map((one) => ({ ...one, at: one.at + (base[one.hart] ?? 0) }));
	return { ...schedule, decisions };
}
