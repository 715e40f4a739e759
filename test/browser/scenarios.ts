import type { DebugProtocol } from "@vscode/debugprotocol";
import { utf8 } from "../../src/common/bytes.ts";
import type { Event } from "../../src/common/event.ts";
import { Machine } from "../../src/machine/machine.ts";
import type { EngineEvents, EngineRequests } from "../../src/protocol/engine.ts";
import type { RpcClient } from "../../src/protocol/rpc.ts";

// What is done twice, in Node and in a browser's worker, with results that must be the same. No platform's own API in here.

export interface MachineJob {
	readonly core: Uint8Array;
	readonly kernel: Uint8Array;
	readonly disk: Uint8Array;
	readonly harts: number;
	readonly jit: "off" | "on" | "eager";
}

export interface MachineResult {
	readonly text: string;
	/** Instructions and state hash at each look. */
	readonly looks: readonly (readonly [number, string])[];
	/** Regions that were translated; differs between hosts in nothing either. */
	readonly regions: number;
}

const look = 50_000_003;
const promptAtEnd = /(?:^|\n)\$ $/;

/** Boots, types a line, and looks at the state now and then. */
export async function runMachine({ core, kernel, disk, harts, jit }: MachineJob): Promise<MachineResult> {
	const module = await WebAssembly.compile(core as BufferSource);
	const machine = await Machine.create({ kernel, disk, harts, jit }, { core: module });
	let text = "";
	machine.console.onData((bytes) => {
		text += new TextDecoder().decode(bytes);
	});
	const looks: [number, string][] = [];
	const toPrompt = () => {
		for (let n = 0; n < 400; n++) {
			machine.run(look);
			looks.push([machine.instret, machine.stateHash()]);
			if (promptAtEnd.test(text) && machine.console.pending === 0) return;
		}
		throw new Error(`no prompt:\n${text}`);
	};
	toPrompt();
	machine.console.write(utf8("echo hi\n"));
	toPrompt();
	const regions = machine.translation?.regions ?? 0;
	machine.dispose();
	return { text, looks, regions };
}

/** An engine of either platform, as the extension host sees it. */
export interface EngineClient {
	readonly request: RpcClient<EngineRequests, EngineEvents>["request"];
	readonly on: RpcClient<EngineRequests, EngineEvents>["on"];
	readonly onCrash: Event<string>;
	dispose(): void;
}

export interface EngineResult {
	readonly built: boolean;
	readonly compiled: number;
	readonly console: string;
	readonly ends: readonly string[];
	/** Test, outcome and the exact number of instructions that it took. */
	readonly verdicts: readonly (readonly [string, string, number])[];
}

/** The way of a student: files in, build, boot, a command, a test of the lab. */
export async function runEngine(
	engine: EngineClient,
	files: readonly (readonly [path: string, bytes: Uint8Array])[],
	test: string,
): Promise<EngineResult> {
	let text = "";
	const verdicts: [string, string, number][] = [];
	engine.on("console", ({ bytes }) => {
		text += new TextDecoder().decode(bytes);
		void engine.request("consoleShown", { bytes: bytes.length });
	});
	engine.on("verdict", (verdict) => verdicts.push([verdict.test, verdict.outcome, verdict.instructions]));
	const crashed = new Promise<never>((_, reject) => engine.onCrash((why) => reject(new Error(why))));
	const work = async (): Promise<EngineResult> => {
		await engine.request("sync", { changed: files.map(([path, bytes]) => ({ path, bytes })), removed: [] });
		const { ok, compiled } = await engine.request("build", { toolchain: "bundled" });
		await engine.request("boot", { harts: 2, translator: true });
		const hello = await engine.request("runCommand", { command: "echo hi" });
		await engine.request("runTests", { tests: [test], seeds: [0], machine: { harts: 2, translator: true } });
		return { built: ok, compiled, console: text, ends: [hello.end], verdicts };
	};
	try {
		return await Promise.race([work(), crashed]);
	} finally {
		engine.dispose();
	}
}

type Files = readonly (readonly [path: string, bytes: Uint8Array])[];

/** A recorded run, done again by the engine: whether it ended in the recorded state, and after how many instructions. */
export async function runRecording(
	engine: EngineClient,
	file: Uint8Array,
): Promise<readonly [boolean, number, string]> {
	const crashed = new Promise<never>((_, reject) => engine.onCrash((why) => reject(new Error(why))));
	try {
		const work = engine.request("openRun", { bytes: file });
		const { same, instructions, title } = await Promise.race([work, crashed]);
		return [same, instructions, title];
	} finally {
		engine.dispose();
	}
}

/** A debug session of `echo hi`, as text: main, a breakpoint in the kernel, steps, back in time, and who wrote a value. */
export async function runDebugSession(engine: EngineClient, files: Files): Promise<readonly string[]> {
	const lines: string[] = [];
	const events: DebugProtocol.Event[] = [];
	const answers = new Map<number, (response: DebugProtocol.Response) => void>();
	let sequence = 1;
	let wake = () => {};
	engine.on("console", ({ bytes }) => void engine.request("consoleShown", { bytes: bytes.length }));
	engine.on("debug", ({ message }) => {
		const response = message as DebugProtocol.Response;
		if (response.type === "response") answers.get(response.request_seq)?.(response);
		else events.push(message as DebugProtocol.Event);
		wake();
	});
	const ask = async (command: string, args?: object) => {
		const seq = sequence++;
		const answer = new Promise<DebugProtocol.Response>((resolve) => answers.set(seq, resolve));
		const message = { seq, type: "request" as const, command, arguments: args };
		await engine.request("debug", { session: "transcript", message });
		const response = await answer;
		if (!response.success) lines.push(`! ${command}: ${response.message}`);
		return response.body;
	};
	let thread = 0;
	let frameId = 0;
	const event = async (name: string): Promise<DebugProtocol.Event> => {
		for (;;) {
			const at = events.findIndex((one) => one.event === name);
			if (at >= 0) return events.splice(0, at + 1).at(-1) as DebugProtocol.Event;
			await new Promise<void>((resolve) => {
				wake = resolve;
			});
		}
	};
	const stop = async () => {
		const { body } = await event("stopped");
		thread = body.threadId;
		lines.push(`${body.reason}: ${body.description}${body.text ? ` (${body.text})` : ""}`);
		const { stackFrames } = await ask("stackTrace", { threadId: thread });
		frameId = stackFrames[0].id;
		for (const { name, source, line } of stackFrames) lines.push(`  ${name} ${source?.path ?? "?"}:${line}`);
	};
	const go = async (command: string, args: object = {}) => {
		lines.push(command);
		await ask(command, { threadId: thread, ...args });
		await stop();
	};
	const value = async (expression: string) => {
		lines.push(`${expression} = ${(await ask("evaluate", { expression, frameId }))?.result}`);
	};
	const work = async () => {
		await engine.request("sync", { changed: files.map(([path, bytes]) => ({ path, bytes })), removed: [] });
		await engine.request("build", { toolchain: "bundled", unoptimized: true });
		await ask("initialize", { adapterID: "xv6" });
		await ask("launch", { program: "echo", command: "echo hi", harts: 2 });
		await event("initialized");
		await ask("setExceptionBreakpoints", { filters: ["panic", "killed"] });
		await ask("configurationDone");
		await stop();
		await value("argc");
		await ask("setFunctionBreakpoints", { breakpoints: [{ name: "filewrite@kernel" }] });
		await go("continue");
		await value("n");
		await go("next");
		await go("stepOut");
		await go("stepBack");
		await go("xv6/whoWrote", { expression: "proc[2].trapframe", frameId });
		await go("reverseContinue");
		await go("xv6/toPresent");
		await go("xv6/goToInstruction", { instruction: 1_000_000 });
		await ask("disconnect");
		return lines;
	};
	const crashed = new Promise<never>((_, reject) => engine.onCrash((why) => reject(new Error(why))));
	try {
		return await Promise.race([work(), crashed]);
	} finally {
		engine.dispose();
	}
}
