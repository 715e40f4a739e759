import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cancelled, UserError } from "../../../src/common/errors.ts";
import type { EngineRequests, TestInfo, TreeInfo } from "../../../src/protocol/engine.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";
import { ExtensionWindow, explorer, outcomes, theFolder, until } from "../../support/extensionWindow.ts";
import { built, labOf, ScriptedEngine, verdictOf } from "../../support/scriptedEngine.ts";
import {
	CancellationTokenSource,
	host,
	type StandInItem,
	type StandInProfile,
	type TestMessage,
	TestRunRequest,
	Uri,
	workspace,
} from "../../support/vscode.ts";

/** The Test Explorer: its items, what a run of them asks the engine for, and what becomes of the engine's answers. */

const root = Uri.file("/work/tree");
const at = (path: string) => Uri.joinPath(root, path);
let window: ExtensionWindow<ScriptedEngine>;
/** What the tree is; a change of the Makefile has it read again. */
let tree: TreeInfo;
let answers: ConstructorParameters<typeof ScriptedEngine>[1];

async function open(is: Partial<TreeInfo>): Promise<void> {
	tree = { isKernelTree: true, programs: [], ...is };
	answers = { sync: () => tree };
	for (const sign of ["kernel/proc.c", "kernel/main.c", "Makefile"]) host.write(at(sign), "");
	window = new ExtensionWindow(() => new ScriptedEngine(tree, answers));
	host.openFolder(root);
	await window.api.refresh();
}
async function becomes(is: Partial<TreeInfo>): Promise<void> {
	tree = { isKernelTree: true, programs: [], ...is };
	await window.api.refresh();
}

beforeEach(() => host.reset());
afterEach(() => window.close());

const controller = () => host.controllers[0] as (typeof host.controllers)[number];
const engine = () => window.engines.at(-1) as ScriptedEngine;
const item = (id: string) => window.api.tests.find(theFolder(window.api), id) as unknown as StandInItem;
const profile = (label: string) => controller().profiles.find((one) => one.label === label) as StandInProfile;
const token = () => new CancellationTokenSource();
async function press(label: string, include?: readonly StandInItem[], source = token()) {
	await profile(label).handler(new TestRunRequest(include), source.token);
	return host.runs.at(-1);
}
/** The engine runs the tests that it is asked for, and says this of each with each seed. */
const judging =
	(judge: (test: string, seed: number) => Partial<Verdict>) =>
	async ({ tests, seeds }: EngineRequests["runTests"]["params"]) => {
		for (const id of tests)
			for (const seed of seeds) {
				engine().emit("testStarted", { test: id, seed });
				engine().emit("verdict", verdictOf(id, { seed, ...judge(id, seed) }));
			}
		return { passed: 0, failed: 0 };
	};
const failing: Partial<Verdict> = { outcome: "failed", reasons: [{ kind: "end", message: "It never came back." }] };
const messagesOf = (id: string) => {
	const found = host.runs.at(-1)?.outcomes.find((outcome) => outcome.item.id === id && outcome.messages.length > 0);
	return (found?.messages ?? []) as readonly (TestMessage & { readonly location?: object })[];
};

const graded = (id: string, points: number, parent?: string): TestInfo => ({
	...{ id, task: "1", title: id, program: "", command: "", expected: "" },
	grade: { points, file: "grade-lab", line: 10 * points, ...(parent ? { parent } : {}) },
});

describe("its items", () => {
	test("a lab's tests stand at their programs, a program's own at their lines, a task of questions nowhere", async () => {
		const programs = [
			{ name: "a", source: "user/a.c", main: 9 },
			{ name: "b", source: "user/b.c" },
		];
		const lab = labOf("1:a", "1:b", "2:c", { ...(labOf("1:d:a").tests[0] as TestInfo), line: 4 });
		await open({
			lab: { ...lab, tasks: [...lab.tasks, { id: "3", title: "questions" }] },
			programs,
			recognised: "by its files",
		});
		expect(explorer()).toEqual([
			...["A Lab (tree)", "  1: task 1", "    a works", "    b works", "    d works", "  2: task 2", "    c works"],
		]);
		expect(controller().items.sorted[0]?.description).toBe("by its files");
		const place = (id: string) => [item(id).uri?.path, item(id).range?.start.line];
		expect(["a", "b", "c", "d"].map(place)).toEqual([
			["/work/tree/user/a.c", 8],
			["/work/tree/user/b.c", undefined],
			[undefined, undefined],
			["/work/tree/user/a.c", 3],
		]);
	});

	test("a grade script's stand below the one that has to pass first, with their points, at their lines of the script", async () => {
		await open({ lab: labOf(graded("all", 1), graded("part", 5, "all"), graded("other", 2, "gone")) });
		expect(explorer().slice(2)).toEqual(["    all (1 point)", "      part (5 points)", "    other (2 points)"]);
		const part = item("part");
		expect([part.description, part.uri?.path, part.range?.start.line]).toEqual(["", "/work/tree/grade-lab", 49]);
		await becomes({ lab: labOf(graded("all", 1)) });
		expect(explorer().slice(2)).toEqual(["    all (1 point)"]);
	});

	test("for a screen reader, which says a description in place of the label, the command is a part of the label", async () => {
		await open({ lab: labOf("1:a", graded("g", 5)) });
		const said = () => ["a", "g"].map(item).map(({ label, description }) => description || label);
		const seen = () => ["a", "g"].map(item).map(({ label, description }) => [label, description ?? ""]);
		const asSeen = [
			["a works", "a"],
			["g (5 points)", ""],
		];
		expect(seen()).toEqual(asSeen);
		const before = item("a");
		host.changeSetting("editor.accessibilitySupport", "on");
		expect([said(), item("a") === before]).toEqual([["a works (a)", "g (5 points)"], true]);
		host.changeSetting("editor.accessibilitySupport", "auto");
		expect(seen()).toEqual(asSeen);
	});

	test("what stays is the same item, which has its result; what goes goes, and what is elsewhere is a new one", async () => {
		await open({ lab: labOf("1:a", "1:b", "2:c"), programs: [{ name: "a", source: "user/a.c" }] });
		const [a, b] = [item("a"), item("b")];
		await becomes({ lab: labOf("1:a", "1:b", "1:d"), programs: [{ name: "b", source: "user/b.c" }] });
		expect(explorer().slice(1)).toEqual(["  1: task 1", "    a works", "    b works", "    d works"]);
		expect([item("a") === a, item("b") === b, item("b").uri?.path]).toEqual([false, false, "/work/tree/user/b.c"]);
		const again = item("b");
		await becomes({ lab: labOf("1:b"), programs: [{ name: "b", source: "user/b.c" }] });
		expect(item("b")).toBe(again);
		// Task 1 lost its tests, task 2 has them: the lab itself stays.
		await becomes({
			lab: {
				...labOf("2:c"),
				tasks: [
					{ id: "1", title: "task 1" },
					{ id: "2", title: "task 2" },
				],
			},
		});
		expect(explorer()).toEqual(["A Lab (tree)", "  2: task 2", "    c works"]);
		await becomes({});
		expect(explorer()).toEqual([]);
	});

	test("a tree that is what it was is not gone through again", async () => {
		await open({ lab: labOf("1:a") });
		controller().items.sorted[0]?.children.delete("1");
		await window.api.refresh();
		expect(explorer()).toEqual(["A Lab (tree)"]);
		await becomes({ lab: labOf("1:a") });
		expect(explorer()).toHaveLength(3);
	});

	test("a program's own tests are there as soon as its source is open, and follow it", async () => {
		const own = (...ids: string[]) => [
			{ program: "usertests", tests: labOf(...ids.map((id) => `:${id}:usertests`)).tests },
		];
		const programs = [{ name: "usertests", source: "user/usertests.c" }];
		await open({ programTests: own("copyin", "copyout"), programs });
		const [top] = controller().items.sorted as [StandInItem];
		expect([top.label, top.uri?.path, top.children.size]).toEqual([
			"usertests (tree)",
			"/work/tree/user/usertests.c",
			0,
		]);
		host.write(at("user/other.c"), "");
		host.write(at("user/usertests.c"), "");
		await workspace.openTextDocument(at("user/other.c"));
		expect(top.children.size).toBe(0);
		await workspace.openTextDocument(at("user/usertests.c"));
		expect(explorer()).toEqual(["usertests (tree)", "  copyin works", "  copyout works"]);
		await becomes({ programTests: own("copyin", "sbrk"), programs });
		expect(explorer()).toEqual(["usertests (tree)", "  copyin works", "  sbrk works"]);
		expect(window.api.tests.testOf(item("sbrk") as never)).toMatchObject({ id: "sbrk", command: "sbrk" });
		expect(window.api.tests.testOf(top as never)).toBeUndefined();
	});

	test("all of usertests runs where it is meant, or where there is no lab", async () => {
		const programTests = [{ program: "usertests", tests: labOf(":copyin:usertests").tests }];
		await open({ lab: labOf("2:b", "1:a"), programTests });
		answers.runTests = judging(() => ({}));
		await press("Run");
		expect(engine().of("runTests").at(-1)?.tests).toEqual(["b", "a"]);
		await press("Run", [controller().items.sorted.at(-1) as StandInItem]);
		expect(engine().of("runTests").at(-1)?.tests).toEqual(["copyin"]);
		await becomes({ programTests });
		await press("Run");
		expect(engine().of("runTests").at(-1)?.tests).toEqual(["copyin"]);
	});
});

describe("a run", () => {
	test("has each outcome with its reason; a bug of a test is no failure of the kernel", async () => {
		await open({ lab: labOf("1:good", "1:bad", "1:odd", "1:later", "1:other") });
		const of: Record<string, Partial<Verdict>> = {
			bad: { ...failing, actual: "one\ntwo\n" },
			odd: { ...failing, outcome: "errored" },
			later: { outcome: "not-begun", reasons: [{ kind: "not-begun", message: "Task 1 does not look begun." }] },
			other: { outcome: "not-checked", reasons: [{ kind: "not-checked", message: "It has no such program." }] },
		};
		answers.runTests = judging((id) => of[id] ?? {});
		const run = await press("Run");
		expect(outcomes(run)).toEqual(["passed good", "failed bad", "errored odd", "skipped later", "skipped other"]);
		expect(run?.output).toContain("one\r\ntwo\r\n");
		expect(run?.output).toContain("Task 1 does not look begun.\r\n");
		expect(run?.output).toContain("It has no such program.\r\n");
		expect(messagesOf("bad").map(({ message }) => message)).toEqual(["It never came back."]);
		const results = Object.fromEntries(window.api.tests.results(theFolder(window.api)));
		expect(results, "of what could not be checked nothing").toEqual({
			...{ good: "passed", bad: "failed", odd: "failed", later: "not-begun" },
		});
		expect([run?.ended, host.contexts.get("xv6Lab.hasPassed")]).toEqual([true, true]);
	});

	test("asks for the machine of the settings; what is told of other runs is not its own", async () => {
		host.settings.set("xv6Lab.machine.harts", 2);
		host.settings.set("xv6Lab.machine.seed", 5);
		await open({ lab: labOf("1:a") });
		answers.runTests = async (params) => {
			engine().emit("testStarted", { test: "stranger", seed: 5 });
			engine().emit("testProgress", { test: "stranger", done: 10, total: 20 });
			engine().emit("verdict", verdictOf("stranger", failing));
			return judging(() => ({}))(params);
		};
		const run = await press("Run", [item("a")]);
		expect(engine().of("runTests")).toEqual([
			{ tests: ["a"], seeds: [5], machine: { harts: 2, seed: 5, translator: true, historyMiB: 256 } },
		]);
		expect([outcomes(run), run?.output.includes("stranger")]).toEqual([["passed a"], false]);
		// After its end nothing of it listens.
		engine().emit("verdict", verdictOf("a", failing));
		expect(outcomes(run)).toEqual(["passed a"]);
	});

	test("with many schedules passes if each does, and says which do not", async () => {
		host.settings.set("xv6Lab.tests.seeds", 3);
		host.settings.set("xv6Lab.machine.seed", 7);
		await open({ lab: labOf("1:a", "1:b", "1:c") });
		const bad = new Map([
			["b", [8, 9]],
			["c", [7, 8, 9]],
		]);
		answers.runTests = judging((id, seed) => (bad.get(id)?.includes(seed) ? failing : {}));
		const run = await press("Run with many schedules");
		expect(engine().of("runTests")[0]?.seeds).toEqual([7, 8, 9]);
		expect(outcomes(run)).toEqual(["passed a", "failed b", "failed c"]);
		expect(messagesOf("b").map(({ message }) => message)).toEqual([
			"2 of 3 schedules fail: seeds 8, 9",
			"It never came back.",
		]);
		expect(run?.output).toContain("a works: schedule 3 of 3\r\n");
		// The run that a message leads to is the first that failed.
		expect(window.api.tests.runOfMessage({ test: item("b") })).toMatchObject({ test: "b", seed: 8, isLive: false });
		expect(window.api.tests.runOfMessage({ test: item("a") })).toMatchObject({ test: "a", seed: 7 });
		expect(window.api.tests.runOfMessage(undefined)).toMatchObject({ test: "c", seed: 7 });
		expect(window.api.tests.runOfMessage({ test: controller().items.sorted[0] })).toBeUndefined();
	});

	test("that is cancelled keeps what has failed; what was not tried with each schedule has not passed", async () => {
		host.settings.set("xv6Lab.tests.seeds", 2);
		await open({ lab: labOf("1:a", "1:b", "1:c") });
		const source = token();
		answers.runTests = async () => {
			for (const [id, change] of [
				["a", {}],
				["b", failing],
			] as const)
				engine().emit("verdict", verdictOf(id, change));
			source.cancel();
			throw cancelled();
		};
		const run = await press("Run with many schedules", undefined, source);
		expect(engine().of("cancel")).toHaveLength(1);
		expect(outcomes(run)).toEqual(["skipped a", "failed b", "skipped c"]);
		expect([run?.output, run?.ended]).toEqual([expect.not.stringContaining("ancelled"), true]);
		expect(Object.fromEntries(window.api.tests.results(theFolder(window.api)))).toEqual({ b: "failed" });
	});

	test("that is stopped with its own button begins no build", async () => {
		await open({ lab: labOf("1:a") });
		answers.build = () => {
			host.runs.at(-1)?.source.cancel();
			throw cancelled();
		};
		const run = await press("Run");
		expect([outcomes(run), run?.ended, engine().of("runTests"), engine().of("cancel").length]).toEqual([
			["skipped a"],
			true,
			[],
			1,
		]);
	});

	test("whose engine refuses says why; a defect of ours is VS Code's to report", async () => {
		await open({ lab: labOf("1:a") });
		answers.runTests = () => Promise.reject(new UserError("worker-crashed", "The engine crashed", "Try again."));
		const run = await press("Run");
		expect([outcomes(run), run?.output]).toEqual([["skipped a"], expect.stringContaining("The engine crashed")]);
		answers.runTests = () => Promise.reject(new Error("a bug"));
		await expect(press("Run")).rejects.toThrow("a bug");
		expect(host.runs.at(-1)?.ended).toBe(true);
		answers.build = () => Promise.reject(new Error("another bug"));
		await expect(press("Run")).rejects.toThrow("another bug");
		expect(outcomes(host.runs.at(-1))).toEqual(["skipped a"]);
	});

	test("of a kernel that is not built is one red root", async () => {
		await open({ lab: labOf("1:a", "1:b") });
		const diagnostics = [{ file: "kernel/a.c", line: 3, severity: "error", message: "no" }] as const;
		answers.build = () => built({ ok: false, diagnostics });
		const run = await press("Run");
		expect(outcomes(run)).toEqual([`errored ${root}`, "skipped a", "skipped b"]);
		expect(messagesOf(root.toString())[0]?.message).toContain("The kernel was not built: no");
	});

	test("in which each kalloc fails is no result of the test, and says how far it is", async () => {
		await open({ lab: labOf("1:a", "1:b", "1:c") });
		answers.runTests = async () => {
			for (let done = 0; done < 25; done++) engine().emit("testProgress", { test: "a", done, total: 25 });
			engine().emit("verdict", verdictOf("a"));
			const stack = [{ name: "f", file: "kernel/a.c", line: 7, address: "0x0" }];
			engine().emit(
				"verdict",
				verdictOf("b", { ...failing, reasons: [{ kind: "invariant", message: "A frame is lost." }], stack }),
			);
			engine().emit("verdict", verdictOf("c", { outcome: "not-checked" }));
			return { passed: 1, failed: 1 };
		};
		const run = await press("Every kalloc fails once");
		expect(engine().of("runTests")[0]).toMatchObject({ everyKallocFails: true, seeds: [0] });
		expect(outcomes(run)).toEqual(["passed a", "failed b", "skipped c"]);
		expect(run?.output.match(/a works: kalloc \d+ of 25/g)).toEqual([
			...["a works: kalloc 1 of 25", "a works: kalloc 11 of 25", "a works: kalloc 21 of 25"],
		]);
		expect(messagesOf("b")[0]).toMatchObject({ location: { uri: at("kernel/a.c"), range: { start: { line: 6 } } } });
		expect(window.api.tests.results(theFolder(window.api)).size).toBe(0);
	});

	test("in which each kalloc fails skips a grade script's tests, and says why", async () => {
		await open({ lab: labOf(graded("g", 5)) });
		answers.runTests = async () => ({ passed: 0, failed: 0 });
		const run = await press("Every kalloc fails once");
		expect([outcomes(run), run?.output]).toEqual([
			["skipped g"],
			expect.stringMatching(/^.*skipped. A grade script runs/m),
		]);
	});

	test("that explores says how fast, and how many of the places it has stopped at", async () => {
		host.settings.set("xv6Lab.tests.seeds", 30);
		await open({ lab: labOf("1:a") });
		answers.runTests = async (params) => {
			const told = (done: number, places: number) =>
				engine().emit("exploring", { test: "a", done, total: 30, strategy: "racing", covered: { stopped: 2, places } });
			const clock = vi.spyOn(performance, "now").mockReturnValue(90_000);
			told(0, 0);
			clock.mockReturnValue(90_500);
			for (const done of [5, 10]) told(done, 9);
			clock.mockRestore();
			engine().emit("exploring", { test: "b", done: 20, total: 30, strategy: "x", covered: { stopped: 0, places: 0 } });
			return judging(() => ({}))(params);
		};
		const run = await press("Explore schedules");
		expect(engine().of("runTests")[0]).toMatchObject({ explore: 30, seeds: [0] });
		const lines = run?.output.split("\r\n").filter((line) => line.includes("racing"));
		expect(lines?.[0]).toBe("a works: schedule 1 of 30 (racing)");
		expect(lines?.slice(1)).toEqual([
			"a works: schedule 11 of 30 (racing), 20 a second, harts stopped at 2 of 9 places",
		]);
	});

	test("that is continuous runs at each save of the tree, once for those that come together, until it is ended", async () => {
		await open({ lab: labOf("1:a") });
		host.settings.set("xv6Lab.build.onSave", false);
		let release: () => void = () => undefined;
		answers.runTests = async (params) => {
			await new Promise<void>((resolve) => {
				release = resolve;
			});
			return judging(() => ({}))(params);
		};
		const source = token();
		await profile("Run").handler(new TestRunRequest(undefined, undefined, undefined, true), source.token);
		expect(host.runs).toEqual([]);
		host.write(Uri.file("/elsewhere/a.c"), "");
		const save = async (uri: Uri) => (await workspace.openTextDocument(uri)).save();
		await save(Uri.file("/elsewhere/a.c"));
		await save(at("Makefile"));
		const runs = (count: number) => until(`run ${count}`, () => engine().of("runTests").length === count);
		await runs(1);
		await save(at("Makefile"));
		await save(at("kernel/main.c"));
		release();
		await runs(2);
		// One that fails by a defect of ours does not end the watching.
		let fail: (why: Error) => void = () => undefined;
		answers.runTests = () =>
			new Promise((_, reject) => {
				fail = reject;
			});
		release();
		await until("its end", () => host.runs.at(-1)?.ended === true);
		await save(at("Makefile"));
		await runs(3);
		await save(at("Makefile"));
		fail(new Error("a bug"));
		await runs(4);
		fail(cancelled());
		await until("its end", () => host.runs.at(-1)?.ended === true);
		source.cancel();
		await save(at("Makefile"));
		await new Promise((resolve) => setTimeout(resolve, 10));
		expect(host.runs).toHaveLength(4);
	});
});

describe("runs that a command begins", () => {
	const statusOf = () => host.status.filter((text) => text.startsWith("$(beaker)")).at(-1);
	const asked = () => host.asked.map(({ id }) => id);

	test("all of a lab: counted in the status bar, open at the first failure", async () => {
		await open({ lab: labOf("1:a", "1:b", "2:c", "2:d") });
		const of: Record<string, Partial<Verdict>> = {
			b: failing,
			c: failing,
			d: { outcome: "not-begun", reasons: [{ kind: "not-begun", message: "no" }] },
		};
		answers.runTests = judging((id) => of[id] ?? {});
		const view = host.views.get("xv6Lab.progress") as { visible: boolean };
		view.visible = false;
		await host.run("xv6Lab.runAllTests");
		expect(statusOf()).toBe("$(beaker) xv6: 1 passed, 2 failed, 1 not begun");
		expect(asked()).toEqual(["workbench.view.testing.focus", "vscode.revealTestInExplorer"]);
		expect(host.asked.at(-1)?.args).toEqual([item("b")]);
		// A person who has gone to the progress meanwhile stays there.
		view.visible = true;
		host.asked.length = 0;
		await host.run("xv6Lab.runAllTests");
		expect(asked()).toEqual(["workbench.view.testing.focus"]);
	});

	test("without a lab there is nothing to run, and it says so", async () => {
		await open({});
		await host.run("xv6Lab.runAllTests");
		expect(host.said).toMatchObject([
			{ kind: "error", text: "xv6: This tree has no lab with tests. Add a lab.json or a lab's programs." },
		]);
		expect(host.runs).toEqual([]);
	});

	test("the schedules of a program: its tests, and none of a program that none judges", async () => {
		host.settings.set("xv6Lab.tests.seeds", 2);
		await open({ lab: labOf("1:a:prog", "1:b:other", "2:c:prog") });
		answers.runTests = judging(() => ({}));
		await host.run("xv6Lab.runSchedules", at("user/prog.c"), "prog");
		expect(engine().of("runTests")).toMatchObject([{ tests: ["a", "c"], seeds: [0, 1] }]);
		await host.run("xv6Lab.runSchedules", at("user/cat.c"), "cat");
		await host.run("xv6Lab.runSchedules", Uri.file("/elsewhere/prog.c"), "prog");
		expect([host.runs.length, asked()]).toEqual([1, ["workbench.view.testing.focus"]]);
	});

	test("a grade script's test, which is several machines, is not debugged, saved or inspected as if it were one", async () => {
		const graded: TestInfo = {
			...{ id: "g", task: "1", title: "count: words", program: "", command: "", expected: "" },
			grade: { points: 5, file: "grade-lab" },
		};
		await open({ lab: labOf(graded, "1:a") });
		answers.runTests = judging(() => failing);
		await press("Run", [item("g")]);
		const refused = () => host.said.splice(0).map(({ text }) => text);
		const why =
			"xv6: count: words is a grade script's test, which runs machines of its own. Debug, save or inspect a run of its program.";
		await press("Debug", [item("g")]);
		expect([refused(), host.debugged]).toEqual([[why], []]);
		await host.run("xv6Lab.saveTestRun", { test: item("g") });
		expect([refused(), engine().of("runTest"), engine().of("saveRun")]).toEqual([[why], [], []]);
		await host.run("xv6Lab.inspectRun", { test: item("g") });
		expect([refused(), host.panels, engine().of("runTests").length]).toEqual([[why], [], 1]);
		// Beside another test the other one is meant.
		void press("Debug", [item("g"), item("a")]);
		await until("the session", () => host.debugged.length === 1, 5000);
		expect([host.debugged, refused()]).toMatchObject([[{ name: "Debug a" }], []]);
		host.runs.at(-1)?.source.cancel();
	});

	test("a report's schedule becomes the machine, and the debugger stands there; one of an earlier window does not", async () => {
		await open({ lab: labOf("1:a") });
		const moment = { schedule: "0:5", before: { hart: 1, step: 9 } };
		const report = { text: "Race on counter", moment, stack: [{ name: "inc", file: "kernel/a.c", line: 4 }] };
		answers.runTests = judging(() => ({
			outcome: "failed",
			reasons: [{ kind: "concurrency", message: "A race." }],
			exploration: [report],
		}));
		answers.recordSchedule = () => ({ bytes: new Uint8Array([1, 2]) });
		await press("Explore schedules");
		const [message] = messagesOf("a");
		await host.run("xv6Lab.debugSchedule", { test: item("a"), message: { ...message } });
		expect(engine().of("recordSchedule")).toMatchObject([{ test: "a", moment }]);
		expect(engine().of("openRun")).toEqual([{ bytes: new Uint8Array([1, 2]) }]);
		expect(host.debugged).toEqual([{ type: "xv6", request: "attach", name: "Debug a works" }]);
		expect(host.works.at(-1)?.title).toBe("xv6: repeating the schedule");
		for (const chosen of [
			undefined,
			{ test: item("a") },
			{ test: item("a"), message: { message: "another" } },
			{ message },
		])
			await host.run("xv6Lab.debugSchedule", chosen);
		expect(host.said.map(({ text }) => text)).toEqual(
			Array(4).fill("xv6: This report is of an earlier window. Explore the test's schedules again."),
		);
		answers.recordSchedule = () => {
			host.works.at(-1)?.cancel();
			throw cancelled();
		};
		await host.run("xv6Lab.debugSchedule", { test: item("a"), message });
		expect([engine().of("cancel").length, host.debugged.length, host.said.length]).toEqual([1, 1, 4]);
	});
});
