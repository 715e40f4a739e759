import { csvField, visible } from "../../../common/visible.ts";
import { escapeXml } from "../../../lab/junit.ts";
import type { ClassScore, StudentScore, TestScore } from "../score.ts";
import { note, round } from "./summary.ts";

/** Results in the forms that other programs read; sources of the formats are named in docs/grading.md. */

const row = (fields: readonly (string | number)[]) => `${fields.map((field) => csvField(String(field))).join(",")}\r\n`;

/** One line a student, one column a test. `names`: with the LMS's numbers, which are personal, too. */
export function gradesCsv({ students, judged, most }: ClassScore, names: boolean): string {
	const head = [
		"student",
		...(names ? ["id", "submission"] : []),
		"points",
		"most",
		"remarks",
		...judged.map(({ id }) => id),
	];
	const rows = students.map(({ label, submission, points, tests, ...student }) => {
		const outcomes = judged.map((test) => tests.find((one) => one.test === test)?.outcome ?? "");
		const own = names ? [submission.id ?? "", submission.source] : [];
		return row([
			label,
			...own,
			round(points),
			round(most),
			note({ ...student, label, submission, points, tests }),
			...outcomes,
		]);
	});
	return [row(head), ...rows].join("");
}

/**
 * Moodle's offline grading worksheet: its importer looks for these columns by their English names, and for students by the number after
 * `Participant `. Undefined where no submission has such a number.
 */
export function moodleCsv({ students }: ClassScore): string | undefined {
	const known = students.filter(
		({ submission }) => /_assignsubmission_/.test(submission.source) && submission.id !== undefined,
	);
	if (known.length === 0) return undefined;
	const head = row(["Identifier", "Grade", "Last modified (grade)", "Feedback comments"]);
	const rows = known.map((student) =>
		row([`Participant ${student.submission.id}`, round(student.points), "-", feedback(student)]),
	);
	return [head, ...rows].join("");
}

/** Plain text, short: what a student reads beside the grade. */
function feedback({ problem, tests }: StudentScore): string {
	if (problem !== undefined) return problem;
	const bad = tests.filter(({ outcome }) => outcome !== "passed");
	if (bad.length === 0) return "All tests passed";
	return bad.map(({ test, reason }) => `${test.title}: ${reason}`).join("\n");
}

/** Gradescope's results.json (autograder specifications, output format). */
export function gradescopeResults(student: StudentScore): string {
	const { problem, submission, tests, most, points } = student;
	const output = problem ?? submission.notes.join("\n");
	const cases = tests.map(({ test, outcome, points: score, most: most_, text }) => ({
		name: test.title,
		number: test.task,
		status: outcome === "passed" ? "passed" : "failed",
		score: score,
		max_score: most_,
		output: visible(text),
		output_format: "text",
		visibility: "visible",
	}));
	const results = {
		// A submission that does not build has no tests, and Gradescope wants a score.
		...(tests.length === 0 ? { score: points } : {}),
		...(output === "" ? {} : { output: visible(output), output_format: "text" }),
		tests:
			tests.length > 0
				? cases
				: [
						{
							name: "Build",
							status: "failed",
							score: 0,
							max_score: most,
							output: visible(output),
							output_format: "text",
						},
					],
	};
	return `${JSON.stringify(results, undefined, "\t")}\n`;
}

/** What a runner hands to GitHub Classroom's autograding-grading-reporter, before it is coded as base64. */
export function classroomResult(student: StudentScore, test: (one: TestScore) => string): string {
	const { problem, tests, most } = student;
	const cases = tests.map((one) => ({
		name: one.test.title,
		status: one.outcome === "passed" ? "pass" : one.outcome === "errored" ? "error" : "fail",
		score: one.points,
		...(one.outcome === "passed" ? {} : { message: visible(one.text === "" ? one.reason : one.text) }),
		test_code: test(one),
		filename: "",
		line_no: 0,
	}));
	const failed = {
		name: "Build",
		status: "error",
		score: 0,
		message: visible(problem ?? ""),
		test_code: "",
		filename: "",
		line_no: 0,
	};
	const all = problem === undefined ? cases : [failed];
	const status = all.every((one) => one.status === "pass")
		? "pass"
		: all.some((one) => one.status === "error")
			? "error"
			: "fail";
	return `${JSON.stringify({ version: 1, status, max_score: most, tests: all }, undefined, "\t")}\n`;
}

/** A suite a student. */
export function classJUnit({ students, manifest }: ClassScore): string {
	const suites = students.map(({ label, tests, problem }) => {
		const bad = tests.filter(({ outcome }) => outcome !== "passed");
		const errors = bad.filter(({ outcome }) => outcome === "errored").length + (problem === undefined ? 0 : 1);
		const failures = bad.filter(({ outcome }) => outcome !== "errored").length;
		const cases = tests.map((one) => {
			const open = `    <testcase classname="${escapeXml(`${manifest.id}.${one.test.task}`)}" name="${escapeXml(one.test.title)}"`;
			if (one.outcome === "passed") return `${open}/>\n`;
			const tag = one.outcome === "errored" ? "error" : "failure";
			const type = one.outcome === "failed" || one.outcome === "errored" ? "" : ` type="${one.outcome}"`;
			return `${open}>\n      <${tag}${type} message="${escapeXml(one.reason)}">${escapeXml(one.text)}</${tag}>\n    </testcase>\n`;
		});
		if (problem !== undefined) {
			cases.push(
				`    <testcase classname="${escapeXml(manifest.id)}" name="build">\n      <error message="${escapeXml(problem.split("\n")[0] as string)}">${escapeXml(problem)}</error>\n    </testcase>\n`,
			);
		}
		return `  <testsuite name="${escapeXml(label)}" tests="${cases.length}" failures="${failures}" errors="${errors}">\n${cases.join("")}  </testsuite>\n`;
	});
	return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("")}</testsuites>\n`;
}
