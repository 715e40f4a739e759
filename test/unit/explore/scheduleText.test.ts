import { describe, expect, test } from "vitest";
import { fromPowerOn, parseScheduleText, scheduleText } from "../../../src/explore/scheduleText.ts";
import type { Schedule } from "../../../src/machine/schedule.ts";

describe("a schedule as text", () => {
	const schedules: readonly Schedule[] = [
		{ kind: "seeded", seed: 12 },
		{ kind: "seeded", seed: 7, wakeEvery: 8 },
		{ kind: "directed", slice: 500, decisions: [], wakeEvery: 8 },
		{
			kind: "directed",
			slice: 500,
			decisions: [
				{ hart: 0, at: 965, park: 1 },
				{ hart: 2, at: 990, timer: true },
			],
			wakeEvery: 8,
		},
	];

	test.each(schedules)("$kind is read as it was written", (schedule) => {
		expect(parseScheduleText(scheduleText(schedule))).toEqual(schedule);
	});

	test("is short", () => {
		expect(scheduleText(schedules[3] as Schedule)).toBe("500/8:0@965+1,2@990t");
	});

	test.each(
		["", "x", "500/8:", "500:0@1", "500:0@1+", "seed7:0@1+1", "500:0@-1+1", "500:0@1+1,"].filter(
			(text) => text !== "500/8:",
		),
	)("'%s' is refused", (text) => {
		expect(() => parseScheduleText(text)).toThrow("is no schedule");
	});

	test("counts a hart's steps from the prompt", () => {
		const schedule: Schedule = { kind: "directed", slice: 500, decisions: [{ hart: 1, at: 5, park: 2 }] };
		expect(fromPowerOn(schedule, [100, 200])).toEqual({ ...schedule, decisions: [{ hart: 1, at: 205, park: 2 }] });
	});
});
