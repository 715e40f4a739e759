import { visibleLine } from "../../../common/visible.ts";
import type { ClassScore, StudentScore } from "../score.ts";

/** A class as a table of a terminal. */
export function classTable({ students, most, judged }: ClassScore): string {
	const rows = students.map((student) => [visibleLine(student.label), pointsText(student), visibleLine(note(student))]);
	const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
	const lines = rows.map(([name = "", points = "", words = ""]) =>
		`${name.padEnd(widths[0] ?? 0)}  ${points.padStart(widths[1] ?? 0)}  ${words}`.trimEnd(),
	);
	const failed = judged
		.map((test) => ({
			test,
			count: students.filter(({ tests }) => tests.some((one) => one.test === test && one.outcome !== "passed")).length,
		}))
		.filter(({ count }) => count > 0)
		.sort((a, b) => b.count - a.count)
		.slice(0, 5);
	const tested = students.filter(({ tests }) => tests.length > 0).length;
	const hardest = failed.map(({ test, count }) => `  ${count} of ${tested} did not pass ${test.id}: ${test.title}`);
	const head = `${count(students.length, "submission")}, ${round(most)} points at most, median ${median(students)}`;
	return `${[head, ...lines, ...(hardest.length > 0 ? ["The tests that most did not pass:", ...hardest] : [])].join("\n")}\n`;
}

export function count(number: number, what: string): string {
	return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}

export function pointsText({ points, most }: Pick<StudentScore, "points" | "most">): string {
	return `${round(points)}/${round(most)}`;
}

export function round(value: number): string {
	return String(Math.round(value * 100) / 100);
}

export function median(students: readonly StudentScore[]): string {
	const sorted = students.map(({ points }) => points).sort((a, b) => a - b);
	if (sorted.length === 0) return "0";
	const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
	const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
	return round((upper + lower) / 2);
}

/** What a person has to know beside the points, in a few words. */
export function note({ problem, tests, stopped, unfinished }: StudentScore): string {
	if (problem !== undefined) return problem.split("\n")[0] as string;
	const of = (...outcomes: string[]) => tests.filter(({ outcome }) => outcomes.includes(outcome)).length;
	const parts: [number, string][] = [
		[of("failed", "errored"), "failed"],
		[of("not-begun"), "not begun"],
		[of("not-checked"), "not checked"],
	];
	return [
		...parts.flatMap(([number, what]) => (number > 0 ? [`${number} ${what}`] : [])),
		...(stopped ? ["stopped at a limit"] : []),
		...(unfinished ? ["not finished"] : []),
	].join(", ");
}
