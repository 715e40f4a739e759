import { afterAll, describe, expect, test } from "vitest";
import { build, catalog, closeToolchains, judgeOutput, summary, testsUpTo } from "../support/lab.ts";

afterAll(closeToolchains);

/**
 * FULL=1: 50 seeds on 1, 3 and 8 harts for the starter and every step. The gate takes each step once, and the last one on
 * three schedules that differ in harts and seed.
 */
const full = process.env.FULL !== undefined;
/** The config's limit is for the gate; all schedules take hours. */
const patience = full ? 12 * 3_600_000 : undefined;
const once = [{ harts: 1, seed: 0 }];
const sample = [...once, { harts: 3, seed: 1 }, { harts: 8, seed: 2 }];
const all = [1, 3, 8].flatMap((harts) => Array.from({ length: 50 }, (_, seed) => ({ harts, seed })));

/** Such a budget is for tests that use up all memory; the sample has them in its first run only. */
const usesAllMemory = 10_000_000_000;
/** Those that use much of it: of them a failure takes long, too. */
const usesMuchMemory = 6_000_000_000;

/** What has nothing to do with the lab's work, and has to go on working. */
const alwaysPass = ["pipeline"];

/** What a handout says of its starter: every test fails, and this is why. */
const starterFailure: Readonly<Record<string, string>> = {
	"cs326-shared-page": "unknown-syscall",
	"hw5-anonymous-mmap": "unknown-syscall",
};

/** Tests that are red when a student has come so far ("" is the starter); others of later tasks are not begun, or pass already. */
const redNext: Readonly<Record<string, Readonly<Record<string, readonly string[] | "task 1">>>> = {
	"cs326-shared-page": { "": "task 1", "1": [] },
	"hw5-anonymous-mmap": {
		"": ["mmap-placement", "mmap-arguments", "private"],
		"1a": ["private"],
		"1b": [],
		"1c": [],
		"2b": [],
	},
};

for (const id of await catalog.ids()) {
	const manifest = await catalog.manifest(id);
	const solutions = [...new Set(manifest.tasks.flatMap((task) => (task.solution ? [task.solution] : [])))];

	describe(id, () => {
		test(
			"the starter builds, and fails what it should fail, each failure explained",
			async () => {
				const files = await catalog.workspace(id);
				const output = await build(files);
				for (const { harts, seed } of full ? all : [{ harts: 3, seed: 0 }]) {
					const verdicts = await judgeOutput(output, manifest, { harts, seed, files });
					const failed = verdicts.filter((verdict) => verdict.outcome !== "passed");
					const passed = verdicts.filter((verdict) => verdict.outcome === "passed").map((verdict) => verdict.test);
					const harmless = manifest.tests.map((test) => test.id).filter((test) => alwaysPass.includes(test));
					expect(passed, `${harts} harts, seed ${seed}`).toEqual(harmless);
					const unexplained = failed.filter(
						(verdict) => verdict.explanations.length === 0 && verdict.outcome !== "errored",
					);
					expect(unexplained.map((verdict) => `${verdict.test}: ${verdict.actual}`)).toEqual([]);
					const why = starterFailure[id];
					if (why === undefined) continue;
					const named = failed.map((verdict) => `${verdict.test}: ${verdict.explanations[0]?.id}`);
					expect(named).toEqual(failed.map((verdict) => `${verdict.test}: ${why}`));
				}
			},
			patience,
		);

		test.each(Object.entries(redNext[id] ?? {}))(
			"after solution '%s', what comes next is red, and what is not begun says so",
			async (solution, next) => {
				const files = await catalog.workspace(id, solution === "" ? undefined : solution);
				const done = solution === "" ? [] : testsUpTo(manifest, solution);
				const tests = manifest.tests.filter((test) => !done.includes(test) && test.budget < usesMuchMemory);
				const later = await judgeOutput(await build(files), manifest, { harts: 1, files, tests });
				const red = later
					.filter(({ outcome }) => outcome === "failed" || outcome === "errored")
					.map(({ test }) => test);
				expect(red).toEqual(
					next === "task 1" ? tests.filter((test) => test.task === "1").map((test) => test.id) : next,
				);
				for (const { outcome, reasons } of later)
					if (outcome === "not-begun") expect(reasons[0]?.message).toMatch(/^Task \S+ does not look begun: /);
				const passed = later.filter(({ outcome }) => outcome === "passed").map(({ test }) => test);
				console.log(`${id} ${solution}: ${later.length - red.length - passed.length} not begun; ${passed} pass`);
			},
		);

		test.each(solutions)(
			"solution %s passes its task and those before it",
			async (solution) => {
				const output = await build(await catalog.workspace(id, solution));
				const tests = testsUpTo(manifest, solution);
				const quick = tests.filter((candidate) => candidate.budget < usesAllMemory);
				const schedules = full ? all : solution === solutions.at(-1) ? sample : once;
				for (const [run, { harts, seed }] of schedules.entries()) {
					const chosen = full || run === 0 ? tests : quick;
					const verdicts = await judgeOutput(output, manifest, { harts, seed, tests: chosen });
					expect(summary(verdicts), `${harts} harts, seed ${seed}`).toEqual([]);
				}
			},
			patience,
		);
	});
}
