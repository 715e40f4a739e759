import { expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";
import { markUnbegun, unbegunTasks, Verdicts } from "../../../src/lab/begun.ts";
import { describe as inWords, toJUnit } from "../../../src/lab/junit.ts";
import type { LabManifest } from "../../../src/lab/manifest.ts";
import { readNamedSources } from "../../../src/lab/sources.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";

const manifest: LabManifest = {
	id: "lab",
	title: "A lab",
	course: "A course",
	handout: "README.md",
	programs: [],
	tasks: [
		{ id: "1", title: "First" },
		{
			id: "2",
			title: "Second",
			begun: { file: "kernel/syscall.c", has: "\\bsys_mmap4\\b", missing: "kernel/syscall.c has no sys_mmap4" },
		},
		{ id: "3", title: "Third" },
	],
	tests: [],
	knownFailures: [],
};

const verdict: Verdict = {
	lab: "lab",
	test: "shm2-places",
	task: "2",
	title: "Regions lie apart",
	program: "shmtests2",
	command: "shmtests2 places",
	outcome: "failed",
	end: "prompt",
	expected: "places: OK\n",
	actual: "places: FAILED\n",
	reasons: [{ kind: "output", message: "The output is not the expected one" }],
	explanations: [],
	faults: [],
	findings: [],
	stack: [],
	diagnoses: [],
	instructions: 1000,
	harts: 1,
	seed: 0,
};

test("a task whose first step is not in the sources is not begun, nor are those after it", () => {
	const unbegun = unbegunTasks(manifest, new Map([["kernel/syscall.c", "[SYS_mmap] = sys_mmap,"]]));
	expect([...unbegun]).toEqual([
		["2", "Task 2 does not look begun: kernel/syscall.c has no sys_mmap4"],
		["3", "Task 3 does not look begun: it comes after task 2, for which kernel/syscall.c has no sys_mmap4"],
	]);
	expect(unbegunTasks(manifest, new Map([["kernel/syscall.c", "extern uint64 sys_mmap4(void);"]])).size).toBe(0);
});

test("the first step may be in another file that the task names", () => {
	const [first, second, third] = manifest.tasks;
	const begun = second?.begun && { ...second.begun, or: ["kernel/sysfile.c"] };
	const tasks = [first, { ...second, begun }, third] as LabManifest["tasks"];
	const unbegun = (sysfile: string) =>
		unbegunTasks(
			{ ...manifest, tasks },
			new Map(Object.entries({ "kernel/syscall.c": "", "kernel/sysfile.c": sysfile })),
		);
	expect(unbegun("uint64 sys_mmap4(void) {}").size).toBe(0);
	expect(unbegun("").size).toBe(2);
});

test("the first step may be in any other C file of the folder", async () => {
	const [first, second, third] = manifest.tasks;
	const begun = second?.begun && { ...second.begun, notIn: ["kernel/proc.c"] };
	const tasks = [first, { ...second, begun }, third] as LabManifest["tasks"];
	const unbegun = async (path: string) => {
		const files = new Map(["kernel/syscall.c", path].map((file) => [file, utf8(file === path ? "sys_mmap4();" : "")]));
		const lab = { ...manifest, tasks };
		return unbegunTasks(lab, await readNamedSources(lab, new MemoryTree("tree", files))).size;
	};
	expect(await unbegun("kernel/regions.c")).toBe(0);
	expect(await unbegun("kernel/proc.c")).toBe(2);
	expect(await unbegun("kernel/defs.h")).toBe(2);
	expect(await unbegun("user/regions.c")).toBe(2);
});

test("a file that is not at hand tells nothing", () => {
	expect(unbegunTasks(manifest, new Map()).size).toBe(0);
});

test("a failure of such a task is not begun, a pass is a pass, and other tasks fail as before", () => {
	const unbegun = new Map([["2", "Task 2 is not begun: …"]]);
	const marked = markUnbegun(verdict, unbegun);
	expect(marked.outcome).toBe("not-begun");
	expect(marked.reasons.map(({ kind }) => kind)).toEqual(["not-begun", "output"]);
	expect(inWords(marked)).toContain("Task 2 is not begun");
	expect(markUnbegun({ ...verdict, outcome: "passed" }, unbegun).outcome).toBe("passed");
	expect(markUnbegun({ ...verdict, task: "1" }, unbegun)).toEqual({ ...verdict, task: "1" });
});

test("who names a task's things otherwise does so in later tasks", () => {
	const [first, second, third] = manifest.tasks;
	const begun = second?.begun && { ...second.begun, otherwise: "\\bsys_mapnamed\\b" };
	const tasks = [first, { ...second, begun }, third] as LabManifest["tasks"];
	const unbegun = (syscall: string) =>
		unbegunTasks({ ...manifest, tasks }, new Map([["kernel/syscall.c", syscall]])).size;
	expect(unbegun("sys_mapnamed")).toBe(0);
	expect(unbegun("")).toBe(2);
});

/** Outcomes as they are delivered and as they are kept, each with its test; `passed`: ids of tests that pass. */
function told(passed: readonly string[], early: readonly string[] = []) {
	const ids = ["a", "b", "c", "d"];
	const tests = ids.map(
		(id) => ({ id, ...(early.includes(id) ? { early: true } : {}) }) as LabManifest["tests"][number],
	);
	const delivered: string[] = [];
	const say = ({ test: id, outcome }: Verdict) => `${id} ${outcome}`;
	const unbegun = unbegunTasks(manifest, new Map([["kernel/syscall.c", ""]]));
	const verdicts = new Verdicts({ ...manifest, tests }, unbegun, (one) => delivered.push(say(one)));
	for (const id of ids) {
		const outcome = passed.includes(id) ? "passed" : "failed";
		verdicts.add({ ...verdict, test: id, task: id === "a" ? "1" : id === "d" ? "3" : "2", outcome });
	}
	return { delivered: () => delivered, kept: verdicts.end().map(say) };
}

test("a task one of whose tests passes is begun, whatever its sources look like", () => {
	const none = told([]);
	expect(none.kept).toEqual(["a failed", "b not-begun", "c not-begun", "d not-begun"]);
	expect(none.delivered()).toEqual(none.kept);
	// Its names are not the handout's: those of later tasks are not either.
	const one = told(["c"]);
	expect(one.kept).toEqual(["a failed", "b failed", "c passed", "d failed"]);
	expect(one.delivered()).toEqual(["a failed", "b failed", "c passed", "d failed"]);
	expect(told(["d"]).delivered()).toEqual(["a failed", "b failed", "c failed", "d passed"]);
	// It passes without the task.
	expect(told(["c"], ["c"]).kept).toEqual(["a failed", "b not-begun", "c passed", "d not-begun"]);
	// A pass of another task shows nothing.
	expect(told(["a"]).kept).toEqual(["a passed", "b not-begun", "c not-begun", "d not-begun"]);
});

test("to an autograder what is not begun is a failure, with a type of its own", () => {
	const xml = toJUnit([verdict, markUnbegun(verdict, new Map([["2", "Task 2 is not begun: …"]]))]);
	expect(xml).toContain('tests="2" failures="2" errors="0"');
	expect(xml.match(/<failure /g)).toHaveLength(2);
	expect(xml.match(/<failure type="not-begun" message="Task 2 is not begun: …; The output/g)).toHaveLength(1);
});
