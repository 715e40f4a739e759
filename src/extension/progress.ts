import type { LabInfo, TaskInfo, TestInfo } from "../protocol/engine.ts";

/** What the Test Explorer last said of a test; a test that was not run since the window opened has none. */
export type TestState = "passed" | "failed" | "not-begun";

export interface TaskProgress {
	readonly task: TaskInfo;
	readonly tests: readonly { readonly test: TestInfo; readonly state: TestState | undefined }[];
	readonly passed: number;
	/** A task without tests (questions to answer) has no state. */
	readonly state: TestState | "partly" | undefined;
}

interface LabProgress {
	readonly tasks: readonly TaskProgress[];
	readonly passed: number;
	readonly total: number;
	/** Where to continue: the first test, in the lab's order, that has not passed. */
	readonly next: { readonly task: TaskInfo; readonly test: TestInfo } | undefined;
}

/** How far a student has come, from the results of this window's runs. */
export function labProgress(lab: LabInfo, results: ReadonlyMap<string, TestState>): LabProgress {
	const tasks = lab.tasks.map((task): TaskProgress => {
		const tests = lab.tests
			.filter((test) => test.task === task.id)
			.map((test) => ({ test, state: results.get(test.id) }));
		const passed = tests.filter(({ state }) => state === "passed").length;
		return { task, tests, passed, state: taskState(tests.map(({ state }) => state)) };
	});
	const all = tasks.flatMap(({ task, tests }) => tests.map(({ test, state }) => ({ task, test, state })));
	const next = all.find(({ state }) => state !== "passed");
	return {
		tasks,
		passed: all.filter(({ state }) => state === "passed").length,
		total: all.length,
		next: next && { task: next.task, test: next.test },
	};
}

function taskState(states: readonly (TestState | undefined)[]): TaskProgress["state"] {
	if (states.length === 0 || states.every((state) => state === undefined)) return undefined;
	if (states.every((state) => state === "passed")) return "passed";
	if (states.includes("failed")) return "failed";
	if (states.every((state) => state === "not-begun" || state === undefined)) return "not-begun";
	return "partly";
}
