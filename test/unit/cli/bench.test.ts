import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { type Measured, report, sessionKey } from "../../../src/cli/bench/report.ts";
import { median, outputOf, type SessionResult, turnsOf, works } from "../../../src/cli/bench/works.ts";

const cli = resolve(import.meta.dirname, "../../../dist/cli/xv6-lab.mjs");

function bench(...args: string[]) {
	return spawnSync(process.execPath, [cli, "bench", ...args], { encoding: "utf8" });
}

test("the median is the middle, or between the two in the middle", () => {
	expect(median([3, 1, 2])).toBe(2);
	expect(median([4, 1, 2, 3])).toBe(2.5);
	expect(median([])).toBeNaN();
});

test("output is what comes between the echo and the prompt", () => {
	expect(outputOf("storm fork 3\nfork OK\n$ ", "storm fork 3")).toBe("fork OK");
});

test("works run twice, so that a cold run is told from a warm one", () => {
	expect(turnsOf(works.slice(0, 1)).map(({ turn }) => turn)).toEqual([0, 1]);
});

test("the table has ratios to QEMU, MIPS and the geometric mean of the compute programs", () => {
	const session = (seconds: readonly number[]): SessionResult => ({
		bootProcess: { seconds: 2, cpu: 1 },
		runs: seconds.flatMap((value, i) =>
			[0, 1].map((turn) => ({
				name: works[i]?.name ?? "",
				turn,
				seconds: value,
				cpu: value / 2,
				instructions: 100_000_000,
				text: "",
			})),
		),
		resident: 200 * 1024 * 1024,
		guestTouched: 150 * 1024 * 1024,
	});
	const sessions = new Map([
		[sessionKey("on", 1), [session([0.5, 0.5]), session([0.5, 2]), session([0.5, 0.5])]],
		[sessionKey("qemu", 1), [session([1, 0.25])]],
	]);
	const measured: Measured = {
		qemu: "QEMU",
		repeats: 3,
		machine: "a machine",
		works: works.slice(0, 2),
		sessions,
		native: new Map([["sieve", [0.1]]]),
	};
	const text = report(measured);
	expect(text).toContain("| sieve | 1 | 500 ms |  | 1.00 s | 0.50 | 0.50 |  | 400 |  | 0.20 |");
	expect(text).toContain("| CRC-32 | 1 | 500 ms |  | 250 ms | 2.00 | 2.00 |  | 400 |  |  |");
	expect(text).toContain("ours ÷ QEMU, wall: geometric mean 1.00, greatest 2.00");
	expect(text).toContain("ours ÷ QEMU, CPU: geometric mean 1.00, greatest 2.00");
	expect(text).toContain("50 MiB beyond the guest RAM in use");
});

test("`xv6-lab bench` boots, types, and prints the table", () => {
	const { status, stdout, stderr } = bench("--repeats", "1", "--harts", "1", "--only", "^forktest$");
	expect(stderr).not.toContain("defect");
	expect(status).toBe(0);
	expect(stdout).toMatch(/\| boot to prompt, in a running worker \| 1 \| [\d.]+ m?s \| [\d.]+ m?s \|/);
	expect(stdout).toMatch(/\| forktest, again \| 1 \| [\d.]+ m?s \|/);
	expect(stdout).toMatch(/Snapshot restore, ours: [\d.]+ ms \(\d{3} of 33268 pages changed\)/);
}, 300_000);

test("wrong options are told", () => {
	expect(bench("--harts", "9")).toMatchObject({ status: 2, stderr: expect.stringContaining("1 to 8") });
	expect(bench("--only", "(")).toMatchObject({ status: 2, stderr: expect.stringContaining("regular expression") });
});
