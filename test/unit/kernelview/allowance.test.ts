import { expect, test } from "vitest";
import { Allowance } from "../../../src/kernelview/allowance.ts";

test("by guest time: a burst, then one for each so many instructions", () => {
	let instret = 0;
	const allowance = new Allowance(() => instret, 1000);
	let done = 0;
	const tryAll = () => {
		while (allowance.ready) allowance.spend(() => done++);
	};
	tryAll();
	const burst = done;
	expect(burst).toBeGreaterThan(10);
	instret = 2999;
	tryAll();
	expect(done).toBe(burst + 2);
	allowance.pace();
	tryAll();
	expect(done).toBe(2 * burst + 2);
});

test("by the clock: work takes a small share of the time, however dear it is", () => {
	let now = 0;
	let worked = 0;
	const allowance = new Allowance(() => now * 400_000, 1);
	allowance.pace(() => now);
	for (; now < 600_000; now += 5) {
		if (!allowance.ready) continue;
		allowance.spend(() => {
			now += 20;
			worked += 20;
		});
	}
	expect(worked / now).toBeGreaterThan(0.0015);
	expect(worked / now).toBeLessThan(0.005);
});
