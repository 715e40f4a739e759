import type { GradeResult, GradeTest } from "./types.ts";

export interface Score {
	readonly got: number;
	/** Of the tests that were graded. */
	readonly of: number;
	/** Points of tests that could not be graded here. */
	readonly notGraded: number;
}

/** Points of the results; tests that were declared and have no result count as failed where `all` is given. */
export function scoreOf(results: readonly GradeResult[], all: readonly GradeTest[] = []): Score {
	let [got, of, notGraded] = [0, 0, 0];
	for (const { test, outcome } of results) {
		if (outcome === "not-graded") notGraded += test.points;
		else of += test.points;
		if (outcome === "passed") got += test.points;
	}
	const seen = new Set(results.map(({ test }) => test.id));
	for (const test of all) if (!seen.has(test.id)) of += test.points;
	return { got, of, notGraded };
}

/** What gradelib writes for `--results FILE`: points by title, as it stands in a report. Tests without points are left out. */
export function gradesJson(results: readonly GradeResult[], all: readonly GradeTest[]): string {
	const grades: Record<string, number> = {};
	for (const test of all) {
		if (test.points === 0) continue;
		const result = results.find((each) => each.test.id === test.id);
		if (result && result.outcome !== "not-graded") grades[test.title] = result.outcome === "passed" ? test.points : 0;
	}
	return `${JSON.stringify(grades)}\n`;
}
