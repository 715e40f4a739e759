import { generally } from "../mistakes.ts";
import type { ClassScore, StudentScore } from "../score.ts";

/** One mistake, and who made it. */
export interface MistakeGroup {
	readonly key: string;
	/** As the first one's verdict tells it. */
	readonly text: string;
	readonly students: readonly StudentScore[];
	/** Ids of the tests that showed it. */
	readonly tests: readonly string[];
}

/** The most frequent first. */
export function mistakeGroups({ students }: ClassScore): MistakeGroup[] {
	const groups = new Map<string, { text: string; students: Set<StudentScore>; tests: Set<string> }>();
	const add = (key: string, text: string, student: StudentScore, test?: string) => {
		const group = groups.get(key) ?? { text, students: new Set(), tests: new Set() };
		groups.set(key, group);
		group.students.add(student);
		if (test !== undefined) group.tests.add(test);
	};
	for (const student of students) {
		if (student.problem !== undefined) {
			const told = problemLine(student.problem);
			add(`problem ${generally(told)}`, told, student);
		}
		for (const { test, mistakes } of student.tests)
			for (const { key, text } of mistakes) add(key, text, student, test.id);
	}
	return [...groups]
		.map(([key, group]) => ({ key, text: group.text, students: [...group.students], tests: [...group.tests] }))
		.sort((a, b) => b.students.length - a.students.length || (a.key < b.key ? -1 : 1));
}

/** Of a build's messages the first one, without its place. */
function problemLine(problem: string): string {
	const [first = "", second] = problem.split("\n");
	const message = second === undefined ? undefined : /: error: (.*)/.exec(second)?.[1];
	return message === undefined ? first : `The build failed: ${message}`;
}
