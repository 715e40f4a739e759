import { expect, test } from "vitest";
import { progressText, rateOf } from "../../../src/explore/progress.ts";

const covered = { stopped: 34, places: 57 };

test("says how many schedules, how fast, and what they reached", () => {
	const now = { done: 6, total: 50, strategy: "racing", covered } as const;
	expect(progressText(now, 0.5)).toBe("schedule 7 of 50 (racing), 12/s, harts stopped at 34 of 57 places");
	expect(progressText({ ...now, done: 50 }, 5)).toBe(
		"schedule 50 of 50 (racing), 10/s, harts stopped at 34 of 57 places",
	);
});

test("no rate before the first schedule is done", () => {
	const now = { done: 0, total: 50, strategy: "plain", covered } as const;
	expect(progressText(now, 0)).toBe("schedule 1 of 50 (plain), harts stopped at 34 of 57 places");
	expect([rateOf(0, 1), rateOf(3, 0), rateOf(1234, 10), rateOf(1, 40)]).toEqual([undefined, undefined, 120, 0.025]);
});
