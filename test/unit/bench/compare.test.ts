import { describe, expect, it } from "vitest";
// @ts-expect-error: plain JavaScript, run by node as it is
import { compare, render } from "../../../bench/compare.mjs";
// @ts-expect-error: plain JavaScript, run by node as it is
import { page } from "../../../bench/page.mjs";

function file(ours: readonly number[], qemu?: readonly number[]) {
	const row = (side: string, seconds: readonly number[]) => ({
		work: "sieve, again",
		harts: 1,
		side,
		seconds,
		cpu: seconds,
	});
	return {
		format: 1,
		date: "2026-11-30T00:00:00.000Z",
		machine: "a machine",
		rows: [row("on", ours), ...(qemu ? [row("qemu", qemu)] : [])],
	};
}

describe("the comparison of two benchmarks", () => {
	it("says which rows moved, and not those that only vary", () => {
		const before = file([1.0, 1.05, 0.98, 1.02, 1.01]);
		expect(compare(before, file([0.8, 0.82, 0.79, 0.81, 0.85]))[0]?.moved).toBe("faster");
		expect(compare(before, file([1.2, 1.25, 1.19, 1.3, 1.22]))[0]?.moved).toBe("slower");
		expect(compare(before, file([1.03, 0.97, 1.04, 1.0, 0.99]))[0]?.moved).toBe("same");
	});

	it("divides by QEMU's figures of the same file, which other load changes as much", () => {
		const [row] = compare(file([1, 1.01, 0.99], [2, 2.02, 1.98]), file([2, 2.02, 1.98], [4, 4.04, 3.96]));
		expect(row?.change).toBeCloseTo(1);
		expect(row?.moved).toBe("same");
	});

	it("says nothing of fewer than three sessions", () => {
		const rows = compare(file([1, 1]), file([3, 3]));
		expect(rows[0]?.moved).toBe("unknown");
		expect(render(rows)).toContain("too few sessions");
	});

	it("is drawn with its history", () => {
		const html = page([file([1], [2]), file([0.5], [2])]);
		expect(html).toContain("history: 0.50, 0.25");
		expect(html).toContain('<th scope="row">sieve, again</th>');
	});
});
