import type { Verdict } from "../protocol/verdict.ts";
import type { GradeResult } from "./types.ts";

const outcomes = { passed: "passed", failed: "failed", "not-graded": "not-checked", errored: "errored" } as const;
/** Of a script's message, lines that say what is wrong, in the words of gradelib. */
const telling = /^(?:MISSING|unexpected lines|Parent failed)/;
const mostTold = 3;

/** Id of a script's test among those of its tree. */
export function testId(script: string, test: string): string {
	return `${script}: ${test}`;
}

/** A script's result in the form that every verdict has. */
export function gradeVerdict(
	script: string,
	result: GradeResult,
	machine: { readonly harts: number; readonly seed: number },
): Verdict {
	const { test, outcome, message, output, runs, diagnoses, findings, faults, stack } = result;
	const last = runs.at(-1);
	const kind = outcome === "not-graded" ? "not-graded" : outcome === "errored" ? "script" : "grade";
	const passed = outcome === "passed";
	return {
		lab: script,
		test: testId(script, test.id),
		task: script,
		title: test.id,
		program: "",
		command: last?.typed.join("; ") ?? "",
		outcome: outcomes[outcome],
		end: last === undefined || last.end === "breakpoint" ? "prompt" : last.end,
		expected: "",
		actual: output,
		reasons: passed ? [] : inWords(message).map((text) => ({ kind, message: text })),
		explanations: [],
		faults: passed ? [] : faults,
		findings: passed ? [] : findings,
		stack: passed ? [] : stack,
		diagnoses: passed ? [] : diagnoses,
		instructions: runs.reduce((sum, run) => sum + run.instructions, 0),
		...machine,
		points: { got: passed ? test.points : 0, of: test.points },
	};
}

/** A line that says it, and the whole where it is longer. */
function inWords(message: string): string[] {
	const lines = message.split("\n");
	if (lines.length === 1) return [message];
	const told = lines.filter((line) => telling.test(line)).slice(0, mostTold);
	return [told.length > 0 ? told.join("; ") : (lines[0] as string), message];
}
