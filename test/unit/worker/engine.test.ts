import { afterAll, beforeAll, expect, test } from "vitest";
import type { Verdict } from "../../../src/protocol/verdict.ts";
import { RealEngine } from "./realEngine.ts";

/** The machine behind terminal and inspector, in the real worker, as the extension host drives it. */

const lab = "hw5-anonymous-mmap";
let engine: RealEngine;

beforeAll(async () => {
	engine = new RealEngine();
	await engine.boot(lab, "3b");
	await engine.printed("$ ");
}, 120_000);

afterAll(() => engine.close());

const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function pausedWithin(ms: number): Promise<number> {
	const start = performance.now();
	await engine.client.request("pause", undefined);
	await engine.until("a pause", () => engine.state === "paused");
	const took = performance.now() - start;
	expect(took).toBeLessThan(ms);
	return took;
}

async function echoes(): Promise<void> {
	const from = engine.text.length;
	await engine.type("echo alive\n");
	await engine.until("the echo", () => /\nalive\r?\n\$ $/.test(engine.text.slice(from)));
}

test("pause and continue during a judged command: it ends with its verdict, and the terminal lives on", async () => {
	for (let i = 0; i < 3; i++) {
		const running = engine.client.request("runCommand", { command: "prodcons1" });
		await soon(5 * i);
		await engine.client.request("pause", undefined);
		await Promise.race([soon(60), running]);
		await engine.client.request("resume", undefined);
		expect((await running).verdict?.outcome).toBe("passed");
		await echoes();
	}
}, 60_000);

test("a pause that comes between two runs holds the machine: what is typed waits for Continue", async () => {
	await engine.until("the prompt", () => engine.text.endsWith("$ "));
	// At its prompt the machine rests: no run is under way.
	await soon(100);
	await pausedWithin(2000);
	const from = engine.text.length;
	const before = (await engine.client.request("model", undefined))?.instret;
	await engine.type("echo held\n");
	await soon(200);
	expect([engine.state, engine.text.slice(from)]).toEqual(["paused", ""]);
	expect((await engine.client.request("model", undefined))?.instret).toBe(before);
	await engine.client.request("resume", undefined);
	await engine.until("the echo", () => /\nheld\r?\n\$ $/.test(engine.text.slice(from)));
}, 60_000);

test("a reader of the console that is behind holds the machine, and does not kill it", async () => {
	engine.shows = false;
	const from = engine.text.length;
	await engine.type("usertests -q\n");
	await engine.until("what usertests prints", () => engine.text.length - from > 10);
	await soon(100);
	engine.shows = true;
	await engine.client.request("consoleShown", { bytes: 1e9 });
	await engine.client.request("boot", { harts: 1, translator: true });
	await engine.until("the next machine", () => engine.text.lastIndexOf("$ ") === engine.text.length - 2);
	await echoes();
}, 60_000);

test("a step to the next fault stands at it: one fault, and nothing printed after it", async () => {
	await engine.client.request("pause", undefined);
	const faults = async () =>
		(await engine.client.request("model", undefined))?.log.filter((entry) => entry.type === "fault") ?? [];
	let before = (await faults()).length;
	await engine.type("prodcons3\n");
	const text = () => engine.text.slice(engine.text.lastIndexOf("prodcons3"));
	for (let step = 0; step < 3; step++) {
		expect(await engine.client.request("stepToFault", undefined)).toEqual({ found: true });
		expect([engine.state, engine.stop]).toEqual(["paused", "fault"]);
		const now = await faults();
		expect(now.length).toBe(before + 1);
		before = now.length;
		const model = await engine.client.request("model", undefined);
		// It stands at the trap, on uservec's first instruction, at the start of the trampoline.
		expect(model?.harts[0]).toMatchObject({ mode: "supervisor", pc: "0x3ffffff000" });
		expect(now.at(-1)).toMatchObject({ type: "fault", outcome: "open" });
		expect(text()).not.toContain("total");
	}
	await engine.client.request("resume", undefined);
	await engine.until("the program's end", () => text().includes("total = 2048"));
	await engine.until("the prompt", () => text().endsWith("$ "));
}, 60_000);

test("a step to the next fault works during a judged command, whose verdict then comes as ever", async () => {
	const running = engine.client.request("runCommand", { command: "prodcons3" });
	for (let step = 0; step < 2; step++) {
		expect(await engine.client.request("stepToFault", undefined)).toEqual({ found: true });
		expect(engine.stop).toBe("fault");
		expect(await Promise.race([running, soon(50)])).toBeUndefined();
	}
	await engine.client.request("resume", undefined);
	const { verdict } = await running;
	expect(verdict?.outcome).toBe("passed");
	// One fault, and the second step ends with the command.
	const short = engine.client.request("runCommand", { command: "prodcons2" });
	expect(await engine.client.request("stepToFault", undefined)).toEqual({ found: true });
	expect(await engine.client.request("stepToFault", undefined)).toEqual({ found: false });
	expect((await short).verdict?.outcome).toBe("passed");
	await echoes();
}, 60_000);

test("pause, step, continue, stop and restart take effect within 50 ms while usertests runs", async () => {
	await engine.type("usertests -q\n");
	await engine.printed("OK", engine.text.length);
	const times: number[] = [];
	for (let i = 0; i < 12; i++) {
		await soon(40 + 37 * i);
		times.push(await pausedWithin(2000));
		const model = await engine.client.request("model", undefined);
		await soon(30);
		// It stands: nothing is run while it is paused.
		expect((await engine.client.request("model", undefined))?.instret).toBe(model?.instret);
		const start = performance.now();
		await engine.client.request("resume", undefined);
		await engine.until("running", () => engine.state === "running");
		times.push(performance.now() - start);
	}
	const start = performance.now();
	await engine.client.request("stop", undefined);
	await engine.until("off", () => engine.state === "none");
	times.push(performance.now() - start);
	times.sort((a, b) => a - b);
	console.log(
		`pause, continue, stop: median ${times[times.length >> 1]?.toFixed(1)} ms, longest ${times.at(-1)?.toFixed(1)} ms`,
	);
	// The limit is 50 ms on a quiet machine; the median holds on a busy one, too.
	expect(times[times.length >> 1]).toBeLessThan(50);
	await engine.client.request("boot", { harts: 1, translator: true });
	await engine.until("the prompt", () => engine.text.endsWith("$ "));
}, 60_000);

test("a kernel that has panicked is not also said to make no progress", async () => {
	const wrong = new RealEngine();
	try {
		const edits = {
			"kernel/sysproc.c": (text: string) => text.replace(/(sys_kill\(void\)\s*\{)/, '$1\n  panic("no kill");\n'),
		};
		await wrong.boot(undefined, undefined, { harts: 2, edits });
		await wrong.printed("$ ");
		await wrong.type("kill 99\n");
		await wrong.until("the end", () => wrong.state === "dead");
		expect([wrong.stop, wrong.stalls]).toEqual(["panic", []]);
		await wrong.client.request("boot", { harts: 2, translator: true });
		await wrong.until("the prompt", () => wrong.text.endsWith("$ "));
		expect((await wrong.client.request("runCommand", { command: "kill 99" })).end).toBe("panic");
		await wrong.until("the end", () => wrong.state === "dead");
		expect(wrong.stalls).toEqual([]);
	} finally {
		await wrong.close();
	}
}, 120_000);

test("without a machine, or a kernel, the error says so, and not that a file is missing", async () => {
	const empty = new RealEngine();
	try {
		await expect(empty.client.request("runCommand", { command: "ls" })).rejects.toMatchObject({ code: "machine-off" });
		await expect(empty.client.request("boot", { translator: true })).rejects.toMatchObject({ code: "not-built" });
	} finally {
		await empty.close();
	}
	await engine.client.request("stop", undefined);
	await expect(engine.client.request("runCommand", { command: "ls" })).rejects.toMatchObject({ code: "machine-off" });
});

test("one test run on the machine of the terminal is the run of the Test Explorer with the same seed, to the instruction", async () => {
	const machine = { harts: 3, translator: true };
	const judged: Verdict[] = [];
	const listening = engine.client.on("verdict", (verdict) => judged.push(verdict));
	// 2: from power-on; the others begin at the prompt.
	const seeds = [2, 5, 12];
	await engine.client.request("runTests", { tests: ["pipeline"], seeds, machine });
	listening.dispose();
	expect(judged.map(({ seed }) => seed)).toEqual(seeds);
	const runs = judged.map(({ seed: _seed, ...rest }) => JSON.stringify(rest));
	expect(new Set(runs).size, "seeds are different runs").toBeGreaterThan(1);
	for (const expected of judged) {
		const { verdict } = await engine.client.request("runTest", { test: "pipeline", seed: expected.seed, machine });
		expect(verdict).toEqual({ ...verdict, ...expected });
		// And the machine lives on.
		await engine.until("the prompt", () => engine.text.endsWith("$ "));
		await echoes();
	}
}, 120_000);
