import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Line, UnitResult } from "../../../src/grade/class/lines.ts";
import { furtherUnits } from "../../../src/grade/class/plan.ts";
import { defaultPolicy } from "../../../src/grade/class/policy.ts";
import {
	classJUnit,
	classroomResult,
	gradesCsv,
	gradescopeResults,
	moodleCsv,
} from "../../../src/grade/class/report/files.ts";
import { mistakeGroups } from "../../../src/grade/class/report/groups.ts";
import { againCommand, classPage, studentPage } from "../../../src/grade/class/report/html.ts";
import { classTable } from "../../../src/grade/class/report/summary.ts";
import { Results } from "../../../src/grade/class/results.ts";
import { scoreClass } from "../../../src/grade/class/score.ts";
import { parseManifest } from "../../../src/lab/manifest.ts";

const manifest = parseManifest(readFileSync("labs/hw5-anonymous-mmap/lab.json", "utf8"), "lab.json");
const evil = `</pre><script>alert(1)</script><img src=x onerror=alert(1)> "'\`&\u001b]52;c;x\u0007\u202e=cmd|' /C calc'!A1`;

const hash = (digit: string) => digit.repeat(32);

function unit(kernel: string, test: string, more: Partial<UnitResult> = {}): UnitResult {
	return {
		...{
			kind: "unit",
			kernel,
			test,
			strategy: "run",
			seeds: [0, 0],
			outcome: "passed",
			text: "",
			reason: "",
			mistakes: [],
		},
		...{ seed: 0, harts: 3, command: test, stateHash: "00", instructions: 1, cpuMs: 1000, ...more },
	};
}

function made(lines: readonly Line[], policy = defaultPolicy, names = false) {
	const results = new Results();
	for (const line of lines) results.add(line);
	return scoreClass(results, manifest, policy, names);
}

const failure: Partial<UnitResult> = {
	outcome: "failed",
	text: evil,
	reason: evil,
	mistakes: [{ key: "known x", text: evil }],
};
const lines: Line[] = [
	{
		kind: "submission",
		student: evil,
		id: "17",
		source: `${evil}_17_assignsubmission_file`,
		tree: hash("1"),
		root: evil,
		notes: [evil],
	},
	{ kind: "submission", student: "=HYPERLINK(1)", source: "b.zip", tree: hash("2"), root: ".", notes: [] },
	{ kind: "submission", student: "c", source: "c.zip", notes: [], problem: `There is ${evil}` },
	{ kind: "build", tree: hash("1"), kernel: hash("a"), says: "", changed: [evil], cpuMs: 10 },
	{
		kind: "build",
		tree: hash("2"),
		problem: `The build failed with 1 error\nkernel/vm.c:3:1: error: ${evil}`,
		changed: [],
		cpuMs: 10,
	},
	...manifest.tests.map(({ id }) => unit(hash("a"), id, id === "prodcons1" ? failure : {})),
];

test("no text of a student becomes markup, a formula or a control sequence in any report", () => {
	for (const names of [false, true]) {
		const score = made(lines, defaultPolicy, names);
		const pages = [classPage(score, "HASH"), ...score.students.map((student) => studentPage(score, student, "HASH"))];
		for (const page of pages) {
			expect(page).not.toMatch(/<script|<img|onerror=alert\(1\)>/);
			expect(page).toContain("default-src &#39;none&#39;; style-src &#39;sha256-HASH&#39;");
			// Every tag is one of ours, and none has an attribute of theirs.
			const tags = new Set([...page.matchAll(/<([a-z0-9]+)/g)].map(([, name]) => name));
			const own =
				"a body code details h1 h2 head html li meta p pre rect span style summary svg table tbody td text th thead title tr ul";
			for (const tag of tags) expect(own.split(" ")).toContain(tag);
		}
		const texts = [gradesCsv(score, names), moodleCsv(score) ?? "", classJUnit(score), classTable(score), ...pages];
		for (const text of texts) expect(text).not.toMatch(/[\u001b\u0007\u202e]/);
		expect(gradesCsv(score, names)).not.toMatch(/(^|,)"?[=+@]/m);
		expect(classJUnit(score)).not.toMatch(/<script|<img/);
		for (const student of score.students) {
			expect(gradescopeResults(student) + classroomResult(student, () => "")).not.toMatch(/[\u001b\u0007\u202e]/);
		}
	}
});

test("what stands between backticks in a hint is code on the page, and nothing else is", () => {
	const text = "Run `mmapstress storm` and `a <b> c`; one ` alone";
	const said = lines.map((line) => (line.kind === "unit" ? { ...line, mistakes: [{ key: "known x", text }] } : line));
	expect(classPage(made(said), "")).toContain(
		"<summary>Run <code>mmapstress storm</code> and <code>a &#60;b&#62; c</code>; one &#96; alone</summary>",
	);
});

test("without --names no report has a student's name, the number of the LMS apart from Moodle's own file", () => {
	const known = lines.map((line) =>
		line.kind === "submission" ? { ...line, student: "Nemo Secret", notes: [] } : line,
	);
	const score = made(known);
	const all = [
		classPage(score, ""),
		...score.students.map((one) => studentPage(score, one, "")),
		gradesCsv(score, false),
		classJUnit(score),
		classTable(score),
	];
	for (const text of all) expect(text).not.toMatch(/Nemo|assignsubmission/);
	expect(score.students.map(({ label }) => label)).toEqual(["Student 1", "Student 2", "Student 3"]);
	expect(classPage(made(known, defaultPolicy, true), "")).toContain("Nemo Secret");
});

test("points are the lab's, and all of a test's evidence counts as the policy says", () => {
	const [tests] = [manifest.tests.map(({ id }) => id)];
	const base = [lines[0], lines[3], ...tests.map((id) => unit(hash("a"), id))] as Line[];
	const points = (more: readonly Line[], policy = defaultPolicy) =>
		made([...base, ...more], policy).students[0]?.points;
	expect(points([])).toBe(100);
	const raced = unit(hash("a"), "prodcons3", {
		strategy: "detectors",
		outcome: "failed",
		text: "race",
		reason: "race",
	});
	expect(points([raced])).toBe(100);
	expect(points([raced], { ...defaultPolicy, detectors: "fail" })).toBe(95);
	expect(points([raced], { ...defaultPolicy, detectors: "off" })).toBe(100);
	const seeds = unit(hash("a"), "prodcons3", {
		strategy: "seeds",
		seeds: [1, 20],
		outcome: "failed",
		text: "seed",
		seed: 17,
	});
	expect(points([seeds], { ...defaultPolicy, seeds: 20 })).toBe(95);
	// Of another policy: not what is asked for now.
	expect(points([seeds], { ...defaultPolicy, seeds: 10 })).toBe(100);
	const directed = unit(hash("a"), "prodcons3", {
		strategy: "directed",
		seeds: [1, 30],
		outcome: "failed",
		text: "Run it again with --schedule 500/8:0@965+1",
		reason: "panic",
		command: "prodcons3",
	});
	const wished = { ...defaultPolicy, schedules: 30 };
	expect(points([directed], wished)).toBe(95);
	expect(points([directed])).toBe(100);
	const [student] = made([...base, directed], wished).students;
	const again = student?.tests.find(({ test }) => test.id === "prodcons3")?.again;
	expect(again && againCommand(again, "prodcons3", manifest.id)).toBe("xv6-lab explore prodcons3");
	const unchecked = unit(hash("a"), "prodcons1", { outcome: "not-checked", text: "?", reason: "?" });
	expect(points([unchecked])).toBe(94);
	expect(points([unchecked], { ...defaultPolicy, uncheckedPasses: true })).toBe(100);
	expect(made(base, { ...defaultPolicy, tasks: ["2c"] }).most).toBe(12);
	expect(() => made(base, { ...defaultPolicy, tasks: ["9z"] })).toThrow(/has no task 9z/);
});

test("a failing schedule's page says how to see it again", () => {
	const seeds = unit(hash("a"), "prodcons3", {
		strategy: "seeds",
		seeds: [1, 20],
		outcome: "failed",
		text: "1 of 20",
		seed: 17,
	});
	const score = made([...lines, seeds], { ...defaultPolicy, seeds: 20 });
	const [student] = score.students;
	expect(student && studentPage(score, student, "")).toContain(
		"xv6-lab test --lab hw5-anonymous-mmap --test prodcons3 --seed 17",
	);
});

test("the same mistake of many is one group, the most frequent first", () => {
	const wrong = (digit: string, key: string): Line[] => [
		{ kind: "submission", student: digit, source: digit, tree: hash(digit), root: ".", notes: [] },
		{ kind: "build", tree: hash(digit), kernel: hash(digit), changed: [], cpuMs: 1 },
		unit(hash(digit), "private", { outcome: "failed", text: key, mistakes: [{ key, text: `${key} of ${digit}` }] }),
		unit(hash(digit), "prodcons1", { outcome: "failed", text: key, mistakes: [{ key, text: `${key} of ${digit}` }] }),
	];
	const groups = mistakeGroups(
		made([...wrong("3", "rare"), ...wrong("4", "often"), ...wrong("5", "often"), ...lines.slice(2, 3)]),
	);
	expect(groups.map(({ key, students, tests }) => [key, students.length, tests])).toEqual([
		["often", 2, ["private", "prodcons1"]],
		[expect.stringContaining("problem There is"), 1, []],
		["rare", 1, ["private", "prodcons1"]],
	]);
});

test("Gradescope, GitHub Classroom and Moodle get the fields that their documentation names", () => {
	const { students } = made(lines);
	const tested = students.find(({ tests }) => tests.length > 0);
	const failed = students.find(({ submission }) => submission.problem);
	if (!tested || !failed) throw new Error("the class has both");
	const gradescope = JSON.parse(gradescopeResults(tested));
	expect(gradescope.tests.length).toBe(30);
	expect(gradescope.tests.find((one: { status: string }) => one.status === "failed")).toMatchObject({
		score: 0,
		max_score: 6,
	});
	expect(gradescope.tests.reduce((sum: number, one: { score: number }) => sum + one.score, 0)).toBe(94);
	expect(JSON.parse(gradescopeResults(failed))).toMatchObject({
		score: 0,
		tests: [{ score: 0, max_score: 100, status: "failed" }],
	});
	const classroom = JSON.parse(classroomResult(tested, () => "again"));
	expect(classroom).toMatchObject({ version: 1, status: "fail", max_score: 100 });
	expect(classroom.tests.reduce((sum: number, one: { score: number }) => sum + one.score, 0)).toBe(94);
	expect(JSON.parse(classroomResult(failed, () => ""))).toMatchObject({
		status: "error",
		tests: [{ status: "error" }],
	});
	const moodle = moodleCsv(made(lines)) ?? "";
	expect(moodle.split("\r\n")[0]).toBe("Identifier,Grade,Last modified (grade),Feedback comments");
	expect(moodle).toContain("Participant 17,94,");
	expect(moodle.match(/Participant/g)?.length).toBe(1);
});

test("schedules are tried on concurrent tests that passed, seeded and directed ones, as the policy wants", () => {
	const policy = { ...defaultPolicy, seeds: 5, schedules: 30 };
	const of = (outcome: "passed" | "failed") => {
		const run = unit(hash("a"), "prodcons3", { outcome });
		const results = new Results();
		results.add(run);
		const units = furtherUnits(hash("a"), manifest, policy, results);
		return units.map(({ test, strategy, seeds }) => `${test} ${strategy} ${seeds.join("-")}`);
	};
	expect(of("passed")).toEqual(["prodcons3 seeds 1-5", "prodcons3 directed 1-30", "prodcons3 detectors 0-0"]);
	expect(of("failed")).toEqual(["prodcons3 detectors 0-0"]);
});
