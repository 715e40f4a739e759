import type { LabManifest, LabTest } from "../../lab/manifest.ts";
import type { Built, Mistake, Submission, UnitResult } from "./lines.ts";
import { judgedTests, type Policy } from "./policy.ts";
import type { Results } from "./results.ts";

export interface TestScore {
	readonly test: LabTest;
	readonly outcome: UnitResult["outcome"];
	readonly points: number;
	readonly most: number;
	/** Verdicts, schedules and detectors, in that order; empty where nothing is to be told. */
	readonly text: string;
	/** In one line; empty for a pass. */
	readonly reason: string;
	readonly mistakes: readonly Mistake[];
	/** How to see it again: options of `xv6-lab run`; undefined where nothing failed. */
	readonly again?: Again;
}

export interface Again {
	readonly command: string;
	readonly seed: number;
	/** Found by the detectors or a directed schedule. */
	readonly explore: boolean;
	/** By a grade script of this name. */
	readonly script: string | undefined;
}

export interface StudentScore {
	/** What reports call the student: `Student 7`, or the name. */
	readonly label: string;
	readonly submission: Submission;
	readonly build: Built | undefined;
	/** Empty where nothing was built. */
	readonly tests: readonly TestScore[];
	readonly points: number;
	readonly most: number;
	/** Of the submission or of its build: why nothing was tested. */
	readonly problem: string | undefined;
	/** A limit ended something. */
	readonly stopped: boolean;
	/** Not everything of it has been run. */
	readonly unfinished: boolean;
	readonly cpuMs: number;
}

export interface ClassScore {
	readonly manifest: LabManifest;
	/** What counts of the lab. */
	readonly judged: readonly LabTest[];
	readonly policy: Policy;
	readonly students: readonly StudentScore[];
	readonly most: number;
}

/** What a test is worth: one point each, unless the lab says otherwise. */
export function pointsOf(test: LabTest): number {
	return test.points ?? 1;
}

/** `names`: students by name; otherwise numbered in an order that says nothing of their names. */
export function scoreClass(results: Results, manifest: LabManifest, policy: Policy, names: boolean): ClassScore {
	const submissions = [...results.submissions.values()];
	const judged = judgedTests(manifest, policy);
	const most = judged.reduce((sum, test) => sum + pointsOf(test), 0);
	const numbers = numbered(submissions);
	const students = submissions.map((submission) =>
		scoreStudent(submission, names ? submission.student : `Student ${numbers.get(submission.source)}`, {
			...{ results, judged, policy, most, script: results.head?.script?.name },
		}),
	);
	const order = (a: StudentScore, b: StudentScore) =>
		names
			? a.label.localeCompare(b.label, "en")
			: (numbers.get(a.submission.source) ?? 0) - (numbers.get(b.submission.source) ?? 0);
	return { manifest, judged, policy, students: students.sort(order), most };
}

/** The order of the trees' hashes, then of a hash of the name: stable while nobody hands in again. */
function numbered(submissions: readonly Submission[]): Map<string, number> {
	const key = (one: Submission) => `${one.tree ?? "z"} ${mix(one.source)}`;
	const sorted = [...submissions].sort((a, b) => (key(a) < key(b) ? -1 : 1));
	return new Map(sorted.map(({ source }, at) => [source, at + 1]));
}

/** FNV-1a, for an order only. */
function mix(text: string): string {
	let value = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
	return (value >>> 0).toString(16).padStart(8, "0");
}

interface Scale {
	readonly results: Results;
	readonly judged: readonly LabTest[];
	readonly policy: Policy;
	readonly most: number;
	readonly script: string | undefined;
}

function scoreStudent(submission: Submission, label: string, scale: Scale): StudentScore {
	const { results, judged, policy, most, script } = scale;
	const build = submission.tree === undefined ? undefined : results.builds.get(submission.tree);
	const kernel = build?.kernel;
	const problem = submission.problem ?? build?.problem;
	const units = kernel === undefined ? [] : [...results.units.values()].filter((unit) => unit.kernel === kernel);
	const tests = kernel === undefined ? [] : judged.flatMap((test) => scoreTest(test, units, policy, script) ?? []);
	return {
		...{ label, submission, build, tests, most, problem },
		points: tests.reduce((sum, { points }) => sum + points, 0),
		stopped: submission.stopped === true || build?.stopped === true || units.some((unit) => unit.stopped),
		unfinished: problem === undefined && tests.length < judged.length,
		cpuMs: (build?.cpuMs ?? 0) + units.reduce((sum, unit) => sum + unit.cpuMs, 0),
	};
}

function scoreTest(
	test: LabTest,
	all: readonly UnitResult[],
	policy: Policy,
	script: string | undefined,
): TestScore | undefined {
	const units = all.filter((unit) => unit.test === test.id);
	const run = units.find(({ strategy }) => strategy === "run");
	if (!run) return undefined;
	const seeds = units.find(({ strategy, seeds: [, last] }) => strategy === "seeds" && last === policy.seeds);
	const detectors = policy.detectors === "off" ? undefined : units.find(({ strategy }) => strategy === "detectors");
	const directed = units.find(({ strategy, seeds: [, last] }) => strategy === "directed" && last === policy.schedules);
	const schedules = [...(seeds ? [seeds] : []), ...(directed ? [directed] : [])];
	const decides = [run, ...schedules, ...(detectors && policy.detectors === "fail" ? [detectors] : [])];
	const isPass = ({ outcome }: UnitResult) =>
		outcome === "passed" || (outcome === "not-checked" && policy.uncheckedPasses);
	const bad = decides.find((unit) => !isPass(unit));
	const told = [run, ...schedules, ...(detectors ? [detectors] : [])].filter(({ text }) => text !== "");
	const most = pointsOf(test);
	const shown = bad ?? (detectors && !isPass(detectors) ? detectors : undefined);
	return {
		test,
		outcome: bad ? bad.outcome : "passed",
		points: bad ? 0 : most,
		most,
		text: told.map(({ text }) => text).join("\n"),
		reason: bad?.reason ?? "",
		mistakes: told.flatMap(({ mistakes }) => mistakes),
		...(shown && shown.outcome === "failed"
			? {
					again: {
						...{ command: shown.command, seed: shown.seed, script },
						explore: shown.strategy === "detectors" || shown.strategy === "directed",
					},
				}
			: {}),
	};
}
