import { describe, expect, test } from "vitest";
import { explain } from "./explain.ts";
import { buildSuite, type Case, type Outcome, parseOutcomes } from "./harness.ts";
import { type How, type Run, runInMachine } from "./machineHost.ts";
import { installedVersion, recordedVersion, runInQemu } from "./qemu.ts";
import { readIndex, readRecording } from "./recorded.ts";
import { suites } from "./suites/index.ts";

const same = (a: Uint8Array, b: Uint8Array) => Buffer.from(a).equals(b);

/** A recorded outcome with what the machine does otherwise on purpose; the report stands at the end of its bytes. */
function wanted(outcome: Outcome, { onPurpose, reportBytes = 0 }: Case): Outcome {
	if (!onPurpose) return outcome;
	const raw = outcome.raw.slice();
	const report = outcome.report.slice();
	for (const [index, byte] of onPurpose) {
		report[index] = byte;
		raw[raw.length - reportBytes + index] = byte;
	}
	return { ...outcome, report, raw };
}

const ways: [string, How][] = [
	["the interpreter", {}],
	["the translator", { jit: "eager" }],
	["the interpreter in small pieces with other slices", { pieces: 1009, seed: 5 }],
];

describe.each(suites)("$name", (suite) => {
	const cases = suite.cases();
	const image = buildSuite(cases);
	const recording = readRecording(suite, image);
	/** Runs are deterministic: each way is gone once, whatever it is compared with. */
	const runs = new Map<string, Promise<Run>>();
	const runOf = (how: How = {}): Promise<Run> => {
		const key = JSON.stringify(how);
		const run = runs.get(key) ?? runInMachine(image.elf, suite, how);
		runs.set(key, run);
		return run;
	};

	test("case names are unique and every case has a recorded outcome", () => {
		expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
		expect(parseOutcomes(recording, cases).length).toBe(cases.length);
	});

	test.each(ways)("%s does what QEMU did", async (_name, how) => {
		const expected = parseOutcomes(recording, cases);
		const { output } = await runOf(how);
		const actual = parseOutcomes(output, cases);
		const failures: string[] = [];
		cases.forEach((one, index) => {
			const [theirs, ours] = [wanted(expected[index]!, one), actual[index]];
			if (ours && same(theirs.raw, ours.raw)) return;
			// After an early end, the first missing case tells all.
			if (ours || index === actual.length) failures.push(explain(one, image.assembled[index]!, theirs, ours));
		});
		expect(failures.length, `${failures.slice(0, 10).join("\n\n")}\n`).toBe(0);
	});

	test("a run cut into pieces, or translated, is the same run to the last instruction", async () => {
		const whole = await runOf();
		for (const how of [{ pieces: 997 }, { jit: "on" as const }, { jit: "eager" as const }]) {
			const other = await runOf(how);
			expect([other.instret, other.stateHash]).toEqual([whole.instret, whole.stateHash]);
		}
	});

	test.skipIf(installedVersion() !== recordedVersion)("QEMU still does what was recorded", async () => {
		expect(same(await runInQemu(image.elf, suite), recording)).toBe(true);
	});
});

test("the corpus has at least 3,000 cases", () => {
	const counts = Object.values(readIndex().suites).map((entry) => entry.cases);
	expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(3000);
});
