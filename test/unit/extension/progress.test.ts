import { expect, test } from "vitest";
import { labProgress, type TestState } from "../../../src/extension/progress.ts";
import type { LabInfo } from "../../../src/protocol/engine.ts";

const lab: LabInfo = {
	id: "lab",
	title: "Lab",
	course: "Course",
	programs: ["a", "b", "c"],
	tasks: [
		{ id: "1", title: "first" },
		{ id: "2", title: "questions" },
		{ id: "3", title: "last" },
	],
	tests: ["a:1", "b:1", "c:3"].map((text) => {
		const [id, task] = text.split(":") as [string, string];
		return { id, task, title: id, program: id, command: id, expected: "" };
	}),
};
const progress = (results: Record<string, TestState>) => labProgress(lab, new Map(Object.entries(results)));

test("nothing was run: no task has a state, and the first test comes next", () => {
	const { tasks, passed, total, next } = progress({});
	expect(tasks.map(({ state }) => state)).toEqual([undefined, undefined, undefined]);
	expect([passed, total, next?.test.id]).toEqual([0, 3, "a"]);
});

test("a task is passed when all of its tests are, failed when one failed, partly in between", () => {
	expect(progress({ a: "passed", b: "passed" }).tasks[0]?.state).toBe("passed");
	expect(progress({ a: "passed", b: "failed" }).tasks[0]?.state).toBe("failed");
	expect(progress({ a: "passed" }).tasks[0]?.state).toBe("partly");
	expect(progress({ c: "not-begun" }).tasks[2]?.state).toBe("not-begun");
	expect(progress({ a: "passed", b: "passed", c: "passed" }).tasks[1]?.state, "a task of questions").toBeUndefined();
});

test("next is the first test in the lab's order that has not passed, whatever came after it", () => {
	expect(progress({ a: "passed", c: "passed" }).next?.test.id).toBe("b");
	expect(progress({ a: "passed", b: "passed", c: "passed" }).next).toBeUndefined();
});
