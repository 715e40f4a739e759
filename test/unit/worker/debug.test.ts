import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RealEngine } from "./realEngine.ts";

/** A debug session through the engine's worker, as VS Code's pipe drives it. */
let engine: RealEngine;
let sequence = 1;
const answers = new Map<number, (response: DebugProtocol.Response) => void>();
const events: DebugProtocol.Event[] = [];

beforeAll(async () => {
	engine = new RealEngine();
	engine.client.on("debug", ({ message }) => {
		const { type } = message as DebugProtocol.ProtocolMessage;
		if (type === "response") {
			const response = message as DebugProtocol.Response;
			answers.get(response.request_seq)?.(response);
		} else events.push(message as DebugProtocol.Event);
	});
	await engine.boot("hw5-anonymous-mmap", "2b");
	await engine.printed("$ ");
}, 120_000);

afterAll(() => engine.close());

async function ask<T>(command: string, args?: object): Promise<T> {
	const seq = sequence++;
	const answer = new Promise<DebugProtocol.Response>((resolve) => answers.set(seq, resolve));
	const message = { seq, type: "request", command, arguments: args };
	await engine.client.request("debug", { session: "one", message });
	const response = await answer;
	if (!response.success) throw new Error(`${command}: ${response.message}`);
	return response.body as T;
}

async function event(name: string): Promise<DebugProtocol.Event> {
	const end = Date.now() + 20_000;
	for (;;) {
		const at = events.findIndex((one) => one.event === name || one.event === "terminated");
		if (at >= 0) return events.splice(0, at + 1).at(-1) as DebugProtocol.Event;
		if (Date.now() > end) throw new Error(`no ${name}: ${JSON.stringify(events.slice(-5))}`);
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

async function stack(): Promise<string[]> {
	const { body } = await event("stopped");
	const { stackFrames } = await ask<DebugProtocol.StackTraceResponse["body"]>("stackTrace", {
		threadId: body.threadId,
	});
	return stackFrames.map(({ name }) => name);
}

test("a program is debugged from its main, with a breakpoint that was set before", async () => {
	await ask("initialize", { adapterID: "xv6" });
	await ask("launch", { program: "prodcons3" });
	await event("initialized");
	await ask("setBreakpoints", { source: { path: "user/prodcons3.c" }, breakpoints: [{ line: 16 }] });
	await ask("configurationDone");
	expect(await stack()).toEqual(["main", "start"]);
	await ask("continue", { threadId: 3 });
	expect(await stack()).toEqual(["run_in_child", "main", "start"]);
}, 60_000);
