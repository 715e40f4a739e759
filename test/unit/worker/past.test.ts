import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LiveUpdate } from "../../../src/protocol/history.ts";
import type { KernelModel } from "../../../src/protocol/kernelModel.ts";
import { type Run, RunKeeper, runAt } from "../../../webview/model/run.ts";
import { RealEngine } from "./realEngine.ts";

/**
 * The machine goes back, and what shows it follows: inspector, fault log, findings, console. In the real worker; what was seen on the
 * way forward is compared with what is shown when the machine stands there again.
 */

const lab = "hw5-anonymous-mmap";
let engine: RealEngine;
const keeper = new RunKeeper();
let run: Run | undefined;
let past: KernelModel | undefined;
let updates = 0;
let pastConsole: string | undefined;
const cuts: string[] = [];
const typedInPast: string[] = [];
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

interface Seen {
	readonly model: KernelModel;
	readonly console: string;
}
/** On the way forward: at the prompt, at each of some faults, at the end. */
const seen: Seen[] = [];

beforeAll(async () => {
	engine = new RealEngine();
	const { client } = engine;
	const drawn = () => void client.request("modelDrawn", undefined).catch(() => undefined);
	client.on("model", ({ model }) => {
		updates++;
		run = keeper.take(structuredClone(model) as LiveUpdate);
		drawn();
	});
	client.on("past", ({ model }) => {
		past = model;
		drawn();
	});
	client.on("pastConsole", ({ bytes }) => {
		pastConsole = bytes && text(bytes);
	});
	client.on("futureCut", ({ bytes }) => cuts.push(text(bytes)));
	client.on("typedInPast", ({ bytes }) => typedInPast.push(text(bytes)));
	await engine.boot(lab, "2b");
	await engine.printed("$ ");
	// Whoever watches can be shown the past.
	await client.request("watchModel", { on: true });
}, 120_000);

afterAll(() => engine.close());

const request: RealEngine["client"]["request"] = (kind, params) => engine.client.request(kind, params);
let sequence = 1;

async function ask(command: string, args?: object): Promise<void> {
	const seq = sequence++;
	const answer = new Promise<DebugProtocol.Response>((resolve) => {
		const listening = engine.client.on("debug", ({ message }) => {
			const response = message as DebugProtocol.Response;
			if (response.type !== "response" || response.request_seq !== seq) return;
			listening.dispose();
			resolve(response);
		});
	});
	await request("debug", { session: "one", message: { seq, type: "request", command, arguments: args } as never });
	const { success, message } = await answer;
	if (!success) throw new Error(`${command}: ${message}`);
}

async function settled(): Promise<void> {
	await new Promise((resolve) => setTimeout(resolve, 50));
	await request("model", undefined);
}

async function goTo(instruction: number): Promise<void> {
	await ask("xv6/goToInstruction", { instruction });
	await settled();
}

async function look(): Promise<Seen> {
	await settled();
	return { model: (await request("model", undefined)) as KernelModel, console: engine.text };
}

/** As the page has it; the kernel's own tables are asked for otherwise. */
function shown(): Omit<KernelModel, "sequence"> {
	if (!run || !past) throw new Error("the page does not show the past");
	return comparable(runAt(run, past).model);
}

function comparable({ sequence: _sequence, ...model }: KernelModel): Omit<KernelModel, "sequence"> {
	const { spaces } = model;
	return { ...model, spaces: spaces.map((space) => (space.pid === 0 ? { ...space, tables: [] } : space)) };
}

test("at a moment of the past the page has the memory, the log and the findings that were there, and the console its text", async () => {
	await request("pause", undefined);
	await engine.until("a pause", () => engine.state === "paused");
	seen.push(await look());
	const running = request("runCommand", { command: "prodcons3" });
	await request("resume", undefined);
	for (let i = 0; i < 4; i++) {
		expect(await request("stepToFault", undefined)).toEqual({ found: true });
		seen.push(await look());
	}
	await request("resume", undefined);
	expect((await running).verdict?.outcome).toBe("failed");
	await request("pause", undefined);
	await engine.until("a pause", () => engine.state === "paused");
	seen.push(await look());
	expect(seen.map(({ model }) => model.log.length)).toEqual(
		seen.map(({ model }) => model.log.length).sort((a, b) => a - b),
	);
	expect(seen.at(-1)?.model.findings.length).toBeGreaterThan(0);

	await ask("initialize", { adapterID: "xv6" });
	await ask("attach", {});
	await ask("configurationDone");
	await engine.until("the debugger's stop", () => engine.state === "paused" || engine.state === "past");
	const before = engine.text;
	const many = updates;
	const verdicts: unknown[] = [];
	const listening = engine.client.on("verdict", (verdict) => verdicts.push(verdict));
	for (const i of [3, 1, 4, 2, 1]) {
		const { model, console } = seen[i] as Seen;
		await goTo(model.instret);
		expect(engine.state).toBe("past");
		expect(shown()).toEqual(comparable(model));
		// What a host that asks for the whole is told.
		expect(comparable((await request("model", undefined)) as KernelModel)).toEqual(comparable(model));
		expect(console.endsWith(pastConsole as string) && (pastConsole as string).length > 20).toBe(true);
	}
	// Half done when it was the present, and done since.
	expect(seen[1]?.model.log.at(-1)).toMatchObject({ outcome: "open" });
	// A debugger's word for it is the same: no finding, no diagnosis of what is yet to come.
	expect(shown().findings.length).toBeLessThan(seen.at(-1)?.model.findings.length as number);

	// The page asks who wrote a page-table entry: the history knows, and the machine stands where it stood.
	const { log, processes } = (seen[4] as Seen).model;
	const isThere = (pid: number) => processes.some((process) => process.pid === pid && process.state !== "ZOMBIE");
	const fault = log.findLast((one) => one.type === "fault" && one.outcome === "mapped" && isThere(one.pid));
	if (fault?.type !== "fault") throw new Error("no fault was served");
	await goTo((seen[4] as Seen).model.instret);
	const walked = await request("walk", { pid: fault.pid, address: fault.address });
	const entry = walked?.steps.at(-1)?.pteAddress as string;
	const question = { address: entry, after: (seen[0] as Seen).model.instret, before: (fault.settledAt as number) + 1 };
	const writer = await request("writer", question);
	expect(writer?.stack.map(({ name }) => name)).toEqual(expect.arrayContaining(["mappages", "usertrap"]));
	expect(writer?.instret).toBeGreaterThan(fault.instret);
	expect(writer?.instret).toBeLessThan(fault.settledAt as number);
	expect([engine.state, (await request("model", undefined))?.instret]).toEqual(["past", seen[4]?.model.instret]);

	await request("toPresent", undefined);
	await engine.until("the present", () => engine.state === "paused");
	await settled();
	const end = seen.at(-1)?.model as KernelModel;
	expect([past, pastConsole]).toEqual([undefined, undefined]);
	expect(run?.model.log).toEqual(end.log);
	expect(run?.model.findings).toEqual(end.findings);
	expect(new Set(run?.model.log.map(({ id }) => id)).size).toBe(run?.model.log.length);
	// Nothing was told twice.
	expect([engine.text, verdicts.length]).toEqual([before, 0]);
	expect(updates - many).toBeLessThan(8);
	listening.dispose();
}, 120_000);

test("what is typed in the past is asked about, and a new future begins with the log and the console of that moment", async () => {
	const [first, fault] = seen as [Seen, Seen];
	await goTo(fault.model.instret);
	const from = engine.text.length;
	await engine.type("x");
	await settled();
	expect([typedInPast, engine.state, engine.text.length]).toEqual([["x"], "past", from]);
	await request("newFuture", undefined);
	await engine.until("the new present", () => engine.state === "paused");
	await settled();
	expect(cuts).toHaveLength(1);
	expect(fault.console.endsWith(cuts[0] as string)).toBe(true);
	expect([past, comparable((await request("model", undefined)) as KernelModel)]).toEqual([
		undefined,
		comparable(fault.model),
	]);
	expect(run?.model.log).toEqual(fault.model.log);
	// The same program with nothing typed: the same faults, findings and words once more.
	await ask("disconnect");
	await request("resume", undefined);
	await engine.until("the prompt", () => engine.text.slice(from).endsWith("$ "));
	await request("pause", undefined);
	await engine.until("a pause", () => engine.state === "paused");
	await settled();
	const again = (await request("model", undefined)) as KernelModel;
	const end = seen.at(-1)?.model as KernelModel;
	const faults = ({ log }: KernelModel) => log.filter(({ type }) => type === "fault");
	expect(faults(again)).toEqual(faults(end));
	expect(again.findings.map(({ id, key }) => `${id} ${key}`)).toEqual(
		end.findings.map(({ id, key }) => `${id} ${key}`),
	);
	expect(fault.console + engine.text.slice(from)).toBe(seen.at(-1)?.console);
	// And the machine lives: at the prompt of another future a command is typed, and judged.
	await ask("initialize", { adapterID: "xv6" });
	await ask("attach", {});
	await ask("configurationDone");
	await goTo(first.model.instret);
	await request("newFuture", undefined);
	await ask("disconnect");
	await request("resume", undefined);
	const { verdict } = await request("runCommand", { command: "prodcons3" });
	expect(verdict?.outcome).toBe("failed");
}, 120_000);
