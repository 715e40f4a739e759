import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BuildOutput } from "../../../src/build/types.ts";
import { loadCore } from "../../../src/env/node/core.ts";
import type { CoverageReport } from "../../../src/protocol/coverage.ts";
import type { EngineEvents } from "../../../src/protocol/engine.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";
import { machineFor } from "../../../src/worker/compose.ts";
import { Declarations } from "../../../src/worker/declarations.ts";
import { build, catalog, closeToolchains } from "../../support/lab.ts";
import { localEngine } from "../../support/localEngine.ts";

/** The engine's requests one by one, as the extension host asks them; the engine runs in this process. */

const lab = "hw5-anonymous-mmap";
const engine = localEngine();
const { request } = engine;
let text = "";
let files: Map<string, Uint8Array>;
let output: BuildOutput;
const states: EngineEvents["state"][] = [];
const bytesOf = (words: string) => new TextEncoder().encode(words);
const machine = { harts: 1, translator: true };

async function until(what: string, holds: () => boolean): Promise<void> {
	for (const end = performance.now() + 30_000; !holds(); ) {
		if (performance.now() > end) throw new Error(`${what} never came: ${text.slice(-300)}`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}
const sync = (changes: Record<string, string | undefined>) =>
	request("sync", {
		changed: Object.entries(changes).flatMap(([path, words]) =>
			words === undefined ? [] : [{ path, bytes: bytesOf(words) }],
		),
		removed: Object.keys(changes).filter((path) => changes[path] === undefined),
	});
const original = (path: string) => new TextDecoder().decode(files.get(path));

beforeAll(async () => {
	const decoder = new TextDecoder();
	engine.on("console", ({ bytes }) => {
		text += decoder.decode(bytes);
		// The last ones come when the engine is closed already.
		request("consoleShown", { bytes: bytes.length }).catch(() => undefined);
	});
	engine.on("state", (state) => states.push(state));
	files = new Map(await catalog.workspace(lab, "2b"));
	output = await build(files);
}, 120_000);
afterAll(async () => {
	await engine.close();
	await closeToolchains();
});

describe("before there is anything", () => {
	test.each([
		["runCommand", { command: "ls" }, "machine-off"],
		["boot", machine, "not-built"],
		["runTests", { tests: [], seeds: [0], machine }, "not-built"],
		["saveRun", undefined, "machine-off"],
		["openRun", { bytes: new Uint8Array(10) }, "recording-damaged"],
	] as const)("%s says what is missing", async (kind, params, code) => {
		await expect(request(kind, params as never)).rejects.toMatchObject({ code });
	});

	test("what needs no answer has none, and questions about a machine have no answer yet", async () => {
		for (const kind of ["pause", "resume", "stop", "toPresent", "newFuture", "modelDrawn", "cancel"] as const)
			expect(await request(kind, undefined)).toBeUndefined();
		expect(await request("model", undefined)).toBeUndefined();
		expect(await request("network", undefined)).toBeUndefined();
		expect(await request("walk", { pid: 0, address: "0x80000000" })).toBeUndefined();
		expect(await request("symbolize", { address: "0x80000000" })).toBeUndefined();
		expect(await request("activity", { from: 0, to: 1 })).toBeUndefined();
		expect(await request("writer", { address: "0x80000000", after: 0, before: 1 })).toBeUndefined();
		expect(await request("stepToFault", undefined)).toEqual({ found: false });
		expect(await request("declared", { path: "kernel/proc.c", line: 1, chain: "p" })).toBeUndefined();
	});
});

describe("a tree", () => {
	test("is none until it has the signs of one", async () => {
		expect(await sync({ Makefile: "all:\n" })).toEqual({ isKernelTree: false, programs: [] });
	});

	test("is recognised with its lab, its programs and their lines", async () => {
		await request("sync", { changed: [...files].map(([path, bytes]) => ({ path, bytes })), removed: [] });
		const info = await sync({});
		expect(info).toMatchObject({ isKernelTree: true, lab: { id: lab, handout: expect.any(String) } });
		expect(info.problem).toBeUndefined();
		const program = info.programs.find(({ name }) => name === "prodcons1");
		expect(program?.source).toBe("user/prodcons1.c");
		expect(original("user/prodcons1.c").split("\n")[(program?.main ?? 0) - 1]).toMatch(/^main\(/);
		const own = info.programTests?.find(({ program }) => program === "usertests")?.tests[5];
		expect(original("user/usertests.c").split("\n")[(own?.line ?? 0) - 1], "each at its function").toContain(
			own?.title,
		);
		expect(own).toMatchObject({ id: `usertests ${own?.title}`, command: own?.id, task: "usertests" });
		for (const { id, task } of info.lab?.tests ?? [])
			expect(
				info.lab?.tasks.map((one) => one.id),
				id,
			).toContain(task);
	});

	test("with a Makefile or manifest that cannot be understood says so, and is itself again when that is mended", async () => {
		const makefile = original("Makefile");
		expect((await sync({ Makefile: `${makefile}\nall:\n        cc\n` })).problem).toMatch(/^Makefile:\d+/);
		expect((await sync({ Makefile: makefile })).problem).toBeUndefined();
		expect(await sync({ "lab.json": "{" })).toMatchObject({
			isKernelTree: true,
			problem: expect.stringMatching(/^lab\.json/),
		});
		expect((await sync({ "lab.json": undefined })).lab?.id).toBe(lab);
	});

	test("a grade script adds its tests, with points, and one that cannot be used says why", async () => {
		const script = (body: string) =>
			`#!/usr/bin/env python3\nfrom gradelib import *\nr = Runner(save("xv6.out"))\n${body}\nrun_tests()\n`;
		const own = '@test(7, "says hi")\ndef test_hi():\n    r.run_qemu(shell_script(["echo hi"]))\n    r.match("^hi$")\n';
		const info = await sync({ "grade-lab-own": script(own) });
		const graded = info.lab?.tests.filter(({ grade }) => grade) ?? [];
		expect(graded).toMatchObject([
			{ title: "says hi", task: "grade-lab-own", grade: { points: 7, file: "grade-lab-own" } },
		]);
		expect(info.recognised).toContain("Graded by grade-lab-own: 1 tests, 7 points");
		const broken = await sync({ "grade-lab-own": script("this is no Python") });
		expect(broken.recognised).toContain("grade-lab-own cannot be used: ");
		expect(broken.lab?.tests.some(({ grade }) => grade)).toBe(false);
		expect(broken.lab?.tasks.map(({ id }) => id)).not.toContain("grade-lab-own");
		expect((await sync({ "grade-lab-own": undefined })).recognised).not.toContain("grade-lab-own");
	}, 60_000);
});

describe("a build", () => {
	test("counts what it compiled, lists the disk, and has a number that a build of nothing new keeps", async () => {
		const progress: EngineEvents["progress"][] = [];
		const listening = engine.on("progress", (step) => progress.push(step));
		const first = await request("build", { toolchain: "bundled" });
		listening.dispose();
		expect(first).toMatchObject({ ok: true, diagnostics: [], warnings: [] });
		expect(first.summary).toMatch(/^built in [\d.]+ s by .* \(\d+ compiled, \d+ up to date\)$/);
		expect(first.files).toEqual(expect.arrayContaining(["README", "prodcons1", "sh"]));
		expect(progress.at(-1)).toMatchObject({ done: progress.at(-1)?.total });
		const again = await request("build", { toolchain: "bundled" });
		expect([again.compiled, again.revision]).toEqual([0, first.revision]);
		await sync({ "user/echo.c": `${original("user/echo.c")}\nint more;\n` });
		const changed = await request("build", { toolchain: "bundled" });
		expect(changed.revision).toBe(first.revision + 1);
		// Back to what was: nothing is compiled, and it is another kernel than the last one all the same.
		await sync({ "user/echo.c": original("user/echo.c") });
		const back = await request("build", { toolchain: "bundled" });
		expect([back.compiled, back.revision]).toEqual([0, first.revision + 2]);
	}, 120_000);

	test("that fails leaves the last good one, and says what is wrong at its line", async () => {
		await sync({ "user/echo.c": "int main(void) { return nobody; }\n" });
		const failed = await request("build", { toolchain: "bundled" });
		expect(failed).toMatchObject({ ok: false, summary: expect.stringMatching(/^not built in /) });
		expect(failed.files).toBeUndefined();
		expect(failed.diagnostics[0]).toMatchObject({ file: "user/echo.c", line: 1, severity: "error" });
		await sync({ "user/echo.c": original("user/echo.c") });
		await request("build", { toolchain: "bundled" });
	}, 60_000);

	test("names mean what the last build's debug information says, as long as the file is what was built", async () => {
		const lines = original("kernel/proc.c").split("\n");
		const line = lines.findIndex((one) => /^ {2}p->state = UNUSED;/.test(one)) + 1;
		const ask = (chain: string) => request("declared", { path: "kernel/proc.c", line, chain });
		expect(await ask("p->state")).toMatchObject({ kind: "member", within: { type: "struct proc" } });
		expect(await ask("p")).toMatchObject({ text: "struct proc *p" });
		expect(await ask("p->nobody")).toBeUndefined();
		await sync({ "kernel/proc.c": `// a line\n${original("kernel/proc.c")}` });
		expect(await ask("p->state")).toBeUndefined();
		await sync({ "kernel/proc.c": original("kernel/proc.c") });
		await request("build", { toolchain: "bundled" });
		expect(await ask("p->state")).toBeDefined();
	}, 60_000);

	test("a name that the next build brings is known after it", async () => {
		const path = "user/echo.c";
		const line =
			original(path)
				.split("\n")
				.findIndex((one) => /^main\(/.test(one)) + 3;
		const ask = (chain: string) => request("declared", { path, line, chain });
		expect([await ask("argc"), await ask("newcomer")]).toEqual([expect.anything(), undefined]);
		await sync({ [path]: `${original(path)}\nint newcomer;\n` });
		await request("build", { toolchain: "bundled" });
		expect(await ask("newcomer")).toMatchObject({ text: "int newcomer" });
		await sync({ [path]: original(path) });
		await request("build", { toolchain: "bundled" });
	}, 60_000);

	test("compile commands are of this folder", async () => {
		const { commands, clangd, cppProperties } = await request("compileCommands", { directory: "/home/x" });
		expect(JSON.parse(commands)[0]).toMatchObject({ directory: "/home/x" });
		expect([clangd.startsWith("# Made by xv6 Lab"), Object.keys(JSON.parse(cppProperties))]).toEqual([
			...[true, expect.arrayContaining(["configurations"])],
		]);
	});
});

describe("a machine", () => {
	test("boots as the user wishes, or as the tree says, and tells its states", async () => {
		const shape = await request("boot", { ...machine, memoryMiB: 64 });
		expect(shape).toEqual({ harts: 1, memoryMiB: 64, virtio: "modern" });
		expect((await request("boot", { translator: true })).harts).toBe(output.wish.harts);
		await request("boot", machine);
		await until("the prompt", () => text.endsWith("$ "));
		expect(states.at(-1)?.state).toBe("running");
	}, 60_000);

	test("runs a command that no test judges, and says how it ended", async () => {
		const from = text.length;
		expect(await request("runCommand", { command: "echo hi there" })).toEqual({ end: "prompt", diagnoses: [] });
		expect(text.slice(from)).toContain("hi there");
		expect((await request("runCommand", { command: "nosuch" })).end).toBe("prompt");
		expect(text).toContain("exec nosuch failed");
	}, 60_000);

	test("judges one that the lab has a test for, and the test itself with its seed", async () => {
		const { verdict } = await request("runCommand", { command: "prodcons1" });
		expect(verdict).toMatchObject({ test: "prodcons1", outcome: "passed", harts: 1, seed: 0 });
		const started: unknown[] = [];
		const listening = engine.on("testStarted", (event) => started.push(event));
		const result = await request("runTest", { test: "prodcons1", seed: 5, machine });
		listening.dispose();
		expect(result).toMatchObject({ harts: 1, end: "prompt", verdict: { outcome: "passed", seed: 5 } });
		expect(started).toEqual([{ test: "prodcons1", seed: 5 }]);
		await expect(request("runTest", { test: "nobody", seed: 0, machine })).rejects.toMatchObject({
			code: expect.any(String),
		});
	}, 60_000);

	test("runs a test in the terminal by the schedule of its seed, to the instruction as the Test Explorer does", async () => {
		const verdicts: Verdict[] = [];
		const listening = engine.on("verdict", (verdict) => verdicts.push(verdict));
		const harts = { ...machine, harts: 3 };
		await request("runTests", { tests: ["prodcons1"], seeds: [5], machine: harts });
		listening.dispose();
		const { verdict } = await request("runTest", { test: "prodcons1", seed: 5, machine: harts });
		expect(verdicts).toHaveLength(1);
		expect(verdict).toEqual({ ...verdict, ...verdicts[0] });
	}, 60_000);

	test("says why, when its kernel has panicked", async () => {
		await request("boot", machine);
		await until("the prompt", () => text.endsWith("$ "));
		const told: EngineEvents["diagnosis"][] = [];
		const listening = engine.on("diagnosis", (event) => told.push(event));
		// init is not to be killed.
		await request("input", { bytes: bytesOf("kill 1\r") });
		await until("the end", () => states.at(-1)?.state === "dead");
		listening.dispose();
		expect(states.at(-1)).toMatchObject({ stop: "panic", why: "The kernel panicked: init exiting." });
		expect(told).toEqual([{ diagnoses: [expect.objectContaining({ severity: "error", cause: expect.any(String) })] }]);
		await request("boot", machine);
		await until("the prompt", () => text.endsWith("$ "));
	}, 60_000);

	test("runs tests of the lab and of programs together, each with its verdict", async () => {
		const verdicts: Verdict[] = [];
		const listening = engine.on("verdict", (verdict) => verdicts.push(verdict));
		const own = (await sync({})).programTests?.find(({ program }) => program === "usertests")?.tests[0]?.id as string;
		const result = await request("runTests", { tests: ["prodcons1", own, "prodcons2"], seeds: [0], machine });
		listening.dispose();
		expect(verdicts.map(({ test }) => test).sort()).toEqual([own, "prodcons1", "prodcons2"].sort());
		expect([result.passed + result.failed, result.coverage]).toEqual([3, undefined]);
	}, 120_000);

	test("counts what a test executes, in files of the tree only", async () => {
		const { passed, coverage } = await request("runTests", {
			tests: ["prodcons1"],
			seeds: [0],
			machine,
			coverage: true,
		});
		expect([passed, coverage?.parts.map(({ name }) => name)]).toEqual([1, expect.arrayContaining(["prodcons1"])]);
		const executed = (report: CoverageReport | undefined, file: string) =>
			report?.files.find((one) => one.file === file)?.lines.filter((line) => line.executed).length ?? 0;
		const own = coverage?.parts.find(({ name }) => name === "prodcons1")?.report;
		expect(executed(own, "user/prodcons1.c")).toBeGreaterThan(3);
		expect(executed(coverage?.together, "kernel/main.c"), "by the boot, and not by the test").toBeGreaterThan(
			executed(own, "kernel/main.c"),
		);
		for (const { file } of coverage?.together.files ?? []) expect(files.has(file), file).toBe(true);
	}, 120_000);

	test("lets each kalloc of a test fail, says how far it is, and judges what becomes of the kernel", async () => {
		const verdicts: Verdict[] = [];
		const done: number[] = [];
		const listening = [
			engine.on("verdict", (verdict) => verdicts.push(verdict)),
			engine.on("testProgress", (event) => {
				expect(event).toMatchObject({ test: "prodcons1", total: expect.any(Number) });
				done.push(event.done);
			}),
		];
		const params = { tests: ["prodcons1"], seeds: [3], machine, everyKallocFails: true };
		const { passed, failed, coverage } = await request("runTests", params);
		for (const one of listening) one.dispose();
		expect(verdicts).toMatchObject([{ test: "prodcons1", seed: 3, harts: 1 }]);
		expect([passed + failed, coverage]).toEqual([1, undefined]);
		expect(done.length).toBeGreaterThan(5);
		expect(done).toEqual([...done].sort((a, b) => a - b));
	}, 120_000);

	test("explores a test that passes, and one that fails not: its failure is explained already", async () => {
		const verdicts: Verdict[] = [];
		const exploring = new Set<string>();
		const listening = [
			engine.on("verdict", (verdict) => verdicts.push(verdict)),
			engine.on("exploring", ({ test, total }) => exploring.add(`${test} of ${total}`)),
		];
		await request("runTests", { tests: ["prodcons1", "prodcons3"], seeds: [0], machine, explore: 2 });
		for (const one of listening) one.dispose();
		expect(verdicts.map(({ test, outcome }) => `${test} ${outcome === "passed"}`)).toEqual([
			"prodcons1 true",
			"prodcons3 false",
		]);
		expect([...exploring]).toEqual(["prodcons1 of 2"]);
	}, 120_000);

	test("repeats a schedule up to a moment as a run that can be opened", async () => {
		const moment = { schedule: "1000", before: { hart: 0, step: 5_000_000 } };
		const { bytes } = await request("recordSchedule", { test: "prodcons1", moment, machine });
		const opened = await request("openRun", { bytes });
		expect(opened).toMatchObject({ title: expect.stringMatching(/\(schedule 1000\)$/), same: true, isBuilt: true });
	}, 120_000);

	test("stands before the handler of its next page fault", async () => {
		await request("boot", machine);
		await until("the prompt", () => text.endsWith("$ "));
		const waiting = request("stepToFault", undefined);
		await request("input", { bytes: bytesOf("prodcons1\r") });
		expect(await waiting).toEqual({ found: true });
		await until("a stop", () => states.at(-1)?.state === "paused");
		expect(states.at(-1)?.stop).toBe("fault");
		await request("resume", undefined);
	}, 60_000);

	test("is asked about its memory and its past", async () => {
		await request("boot", { ...machine, historyMiB: 64 });
		await until("the prompt", () => text.endsWith("$ "));
		let models = 0;
		const listening = engine.on("model", () => {
			models++;
			void request("modelDrawn", undefined);
		});
		await request("watchModel", { on: true });
		// One shows what was there when it was opened; the others come while the machine runs.
		await until("a model of a machine that runs", () => models > 1);
		expect(states.at(-1)?.state).toBe("running");
		await request("runCommand", { command: "prodcons3" });
		await request("pause", undefined);
		await until("a pause", () => states.at(-1)?.state === "paused");
		expect(models).toBeGreaterThan(0);
		const model = await request("model", undefined);
		expect(model?.processes.map(({ name }) => name)).toEqual(["init", "sh"]);
		const walk = await request("walk", { pid: 2, address: "0x0" });
		expect([walk?.steps.length, walk?.faults]).toEqual([3, false]);
		expect(await request("symbolize", { address: "0x80000000" })).toMatchObject({ name: "_entry" });
		const to = model?.instret ?? 0;
		const activity = await request("activity", { from: to - 1_000_000, to: to + 5 });
		expect(activity).toMatchObject({ to, harts: 1 });
		expect(activity?.present).toBe(to);
		expect((await request("activity", { from: 0, to: 1e12 }))?.from).toBeGreaterThanOrEqual(to - 20_000_000);
		await request("watchModel", { on: false });
		const before = models;
		await request("resume", undefined);
		await request("runCommand", { command: "prodcons3" });
		await request("pause", undefined);
		await until("a pause", () => states.at(-1)?.state === "paused");
		expect(models, "nobody looks").toBe(before);
		listening.dispose();
		expect(await request("network", undefined)).toBeUndefined();
	}, 60_000);

	test("saves its run, and does it again to the same end", async () => {
		await request("resume", undefined);
		const { bytes, title } = await request("saveRun", undefined);
		expect(title).toBe("prodcons3");
		const opened = await request("openRun", { bytes });
		expect(opened).toMatchObject({ title: "prodcons3", harts: 1, same: true, isBuilt: true });
		await until("its end", () => states.at(-1)?.state === "paused");
		// Of another kernel it has no programs.
		await sync({ "kernel/proc.c": `${original("kernel/proc.c")}\nint another_kernel;\n` });
		await request("build", { toolchain: "bundled" });
		expect(await request("openRun", { bytes })).toMatchObject({ same: true, isBuilt: false });
		const damaged = bytes.slice();
		damaged.fill(0, damaged.length >> 1);
		await expect(request("openRun", { bytes: damaged })).rejects.toMatchObject({ code: "recording-damaged" });
	}, 60_000);

	test("a second long request ends the first, and cancel ends what runs", async () => {
		await request("boot", machine);
		const first = request("runCommand", { command: "usertests" });
		const second = request("runCommand", { command: "echo second" });
		await expect(first).rejects.toMatchObject({ code: "cancelled" });
		// The guest still runs what was typed: only our wait for it ended.
		await request("cancel", undefined);
		await expect(second).rejects.toMatchObject({ code: "cancelled" });
		await request("stop", undefined);
		expect(states.at(-1)).toMatchObject({ state: "none", stop: "off", why: "The machine was stopped." });
		await expect(request("runCommand", { command: "ls" })).rejects.toMatchObject({ code: "machine-off" });
	}, 60_000);
});

describe("another engine", () => {
	test("of a tree that has no lab runs what its grade script has, and knows no tests to let kalloc fail in", async () => {
		const plain = localEngine();
		const script =
			'from gradelib import *\nr = Runner()\n@test(7, "says hi")\ndef test_hi():\n    r.run_qemu(shell_script(["echo hi"]))\n    r.match("^hi$")\nrun_tests()\n';
		const changed = [...(await catalog.workspace(undefined)), ["grade-lab-own", bytesOf(script)] as const];
		await plain.request("sync", { changed: changed.map(([path, bytes]) => ({ path, bytes })), removed: [] });
		expect((await plain.request("build", { toolchain: "bundled" })).ok).toBe(true);
		const all = { tests: [], seeds: [0], machine };
		await expect(plain.request("runTests", { ...all, everyKallocFails: true })).rejects.toMatchObject({
			code: "lab-not-found",
		});
		expect(await plain.request("runTests", all)).toEqual({ passed: 1, failed: 0 });
		await plain.close();
	}, 60_000);

	test("is closed when its long request is over", async () => {
		const short = localEngine();
		await short.request("sync", { changed: [...files].map(([path, bytes]) => ({ path, bytes })), removed: [] });
		const order: string[] = [];
		const building = short.request("build", { toolchain: "bundled" }).catch(({ code }) => order.push(code));
		await short.request("close", undefined);
		order.push("closed");
		await building;
		expect(order).toEqual(["cancelled", "closed"]);
		await short.close();
	}, 60_000);
});

describe("debug sessions", () => {
	type Answer = DebugProtocol.Response & { readonly session: string };
	const answers: Answer[] = [];
	const told: string[] = [];
	let seq = 1;

	beforeAll(async () => {
		engine.on("debug", ({ session, message }) => {
			if (message.type === "response") answers.push({ ...(message as DebugProtocol.Response), session });
			else told.push(`${session} ${(message as DebugProtocol.Event).event}`);
		});
	});
	const ask = async (session: string, command: string, args?: object): Promise<Answer> => {
		const message = { seq: seq++, type: "request", command, arguments: args };
		await request("debug", { session, message });
		const answer = () => answers.find((one) => one.session === session && one.request_seq === message.seq);
		await until(`the answer to ${command}`, () => answer() !== undefined);
		return answer() as Answer;
	};
	const attach = async (session: string) => {
		await ask(session, "initialize", { adapterID: "xv6" });
		const attached = await ask(session, "attach", {});
		await ask(session, "configurationDone");
		return attached;
	};
	const state = () => states.at(-1)?.state;

	test("attach to no machine says that there is none", async () => {
		await request("stop", undefined);
		expect(await attach("off")).toMatchObject({ success: false, message: expect.stringContaining("No machine runs") });
	});

	test("attach to the one that runs, and leave it as it was", async () => {
		await request("boot", machine);
		await until("the prompt", () => text.endsWith("$ "));
		expect((await attach("one")).success).toBe(true);
		expect((await ask("one", "pause", { threadId: 1 })).success).toBe(true);
		await until("the pause", () => state() === "paused");
		const { threads } = (await ask("one", "threads")).body;
		expect(threads.map(({ name }: { name: string }) => name).join()).toMatch(/hart 0/i);
		await ask("one", "disconnect", { terminateDebuggee: false });
		await until("the run", () => state() === "running");
		const from = text.length;
		await request("input", { bytes: bytesOf("echo again\r") });
		await until("the answer", () => text.slice(from).endsWith("again\r\n$ ") || text.slice(from).endsWith("again\n$ "));
		// One that stood stands.
		await request("pause", undefined);
		await until("the pause", () => state() === "paused");
		await attach("two");
		await ask("two", "disconnect", { terminateDebuggee: false });
		await new Promise((resolve) => setTimeout(resolve, 20));
		expect(state()).toBe("paused");
		expect(told.filter((event) => event.startsWith("two ")).every((event) => !event.includes("one"))).toBe(true);
	}, 60_000);

	test("launch a program on a machine of their own, and know its sources", async () => {
		await ask("three", "initialize", { adapterID: "xv6" });
		await ask("three", "launch", { program: "prodcons1", tree: "/work", harts: 1 });
		const set = await ask("three", "setBreakpoints", {
			source: { path: "/work/user/prodcons1.c" },
			breakpoints: [{ line: 16 }],
		});
		expect(set.body.breakpoints).toMatchObject([{ verified: true }]);
		await ask("three", "configurationDone");
		await until("its main", () => told.includes("three stopped"));
		expect(state()).toBe("paused");
		const { threads } = (await ask("three", "threads")).body;
		const stacks = await Promise.all(
			threads.map(({ id }: { id: number }) => ask("three", "stackTrace", { threadId: id })),
		);
		const tops = stacks.map(({ body }) => body?.stackFrames?.[0]);
		expect(tops).toContainEqual(
			expect.objectContaining({ name: "main", source: expect.objectContaining({ path: "/work/user/prodcons1.c" }) }),
		);
		await ask("three", "disconnect", {});
	}, 60_000);
});

describe("parts of it", () => {
	test("what a name is declared as is known for files that are as they were built", () => {
		const declarations = new Declarations();
		const lines = original("user/prodcons1.c").split("\n");
		const line = lines.findIndex((one) => /^main\(/.test(one)) + 3;
		const path = "user/prodcons1.c";
		const known = () => declarations.at({ path, line, chain: "main" }, output);
		const before = known();
		declarations.edited([path]);
		expect(known()).toBeUndefined();
		const isBuilt = declarations.building();
		declarations.edited([path]);
		isBuilt();
		expect(known(), "edited while it was built").toBeUndefined();
		declarations.building()();
		expect(known()).toEqual(before);
		declarations.edited(["user/other.c"]);
		expect(known()).toEqual(before);
		expect(declarations.at({ path, line, chain: "x" }, undefined)).toBeUndefined();
	});

	test.each([
		[{}, { harts: 3, memoryMiB: 128, virtio: "modern" }],
		[{ harts: 2 }, { harts: 2, memoryMiB: 128, virtio: "modern" }],
		[{ memoryMiB: 256 }, { harts: 3, memoryMiB: 256, virtio: "modern" }],
		[{ virtio: "legacy" as const }, { harts: 3, memoryMiB: 128, virtio: "legacy" }],
	])("a machine with the wishes %j over the tree's own", async (wishes, expected) => {
		const wish = { ...output.wish, harts: 3, memoryBytes: 128 << 20, virtio: "modern" as const };
		const { machine: made, ...shape } = await machineFor(
			await loadCore(),
			{ ...output, wish },
			{ ...wishes, translator: true },
		);
		expect([shape, made.harts.length, made.memory.size]).toEqual([expected, expected.harts, expected.memoryMiB << 20]);
		made.dispose();
	});
});
