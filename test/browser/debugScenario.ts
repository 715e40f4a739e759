import type { DebugProtocol } from "@vscode/debugprotocol";
import { utf8 } from "../../src/common/bytes.ts";
import { failingKernel, failingProgram } from "../support/failingTree.ts";
import type { EngineClient, Files } from "./scenarios.ts";

/** A client of the engine's debugger that writes down what it sees. */
class Transcript {
	readonly lines: string[] = [];
	frameId = 0;
	private readonly events: DebugProtocol.Event[] = [];
	private readonly answers = new Map<number, (response: DebugProtocol.Response) => void>();
	private sequence = 1;
	private wake = () => {};
	private thread = 0;
	private session = "";

	constructor(private readonly engine: EngineClient) {
		engine.on("console", ({ bytes }) => void engine.request("consoleShown", { bytes: bytes.length }));
		engine.on("debug", ({ session, message }) => {
			if (session !== this.session) return;
			const response = message as DebugProtocol.Response;
			if (response.type === "response") this.answers.get(response.request_seq)?.(response);
			else this.events.push(message as DebugProtocol.Event);
			this.wake();
		});
	}

	async ask(command: string, args?: object) {
		const seq = this.sequence++;
		const answer = new Promise<DebugProtocol.Response>((resolve) => this.answers.set(seq, resolve));
		const message = { seq, type: "request" as const, command, arguments: args };
		await this.engine.request("debug", { session: this.session, message });
		const response = await answer;
		if (!response.success) this.lines.push(`! ${command}: ${response.message}`);
		return response.body;
	}

	private async event(name: string): Promise<DebugProtocol.Event> {
		for (;;) {
			const at = this.events.findIndex((one) => one.event === name);
			if (at >= 0) return this.events.splice(0, at + 1).at(-1) as DebugProtocol.Event;
			await new Promise<void>((resolve) => {
				this.wake = resolve;
			});
		}
	}

	/** A session from its launch to its first stop. */
	async begin(session: string, launch: object, before?: () => Promise<unknown>): Promise<void> {
		this.session = session;
		this.events.length = 0;
		this.lines.push(`=== ${session}`);
		await this.ask("initialize", { adapterID: "xv6" });
		await this.ask("launch", launch);
		await this.event("initialized");
		await this.ask("setExceptionBreakpoints", { filters: ["panic", "killed"] });
		await before?.();
		await this.ask("configurationDone");
		await this.stop();
	}

	private async stop(): Promise<void> {
		const { body } = await this.event("stopped");
		this.thread = body.threadId;
		this.lines.push(`${body.reason}: ${body.description}${body.text ? ` (${body.text})` : ""}`);
		const { stackFrames } = await this.ask("stackTrace", { threadId: this.thread });
		this.frameId = stackFrames[0].id;
		for (const { name, source, line } of stackFrames) this.lines.push(`  ${name} ${source?.path ?? "?"}:${line}`);
	}

	async go(command: string, args: object = {}): Promise<void> {
		this.lines.push(command);
		await this.ask(command, { threadId: this.thread, ...args });
		await this.stop();
	}

	functions(...breakpoints: object[]): Promise<unknown> {
		return this.ask("setFunctionBreakpoints", { breakpoints });
	}

	async value(expression: string): Promise<void> {
		const { frameId } = this;
		this.lines.push(`${expression} = ${(await this.ask("evaluate", { expression, frameId }))?.result}`);
	}
}

/** Over a system call, into the kernel, and back in time. */
async function systemCall(it: Transcript): Promise<void> {
	await it.begin("system call", { program: "echo", command: "echo hi", harts: 2 });
	await it.value("argc");
	await it.functions({ name: "filewrite@kernel" });
	await it.go("continue");
	await it.value("n");
	await it.go("next");
	await it.go("stepOut");
	await it.go("stepBack");
	await it.go("xv6/whoWrote", { expression: "proc[2].trapframe", frameId: it.frameId });
	await it.go("reverseContinue");
	await it.go("xv6/toPresent");
	await it.go("xv6/goToInstruction", { instruction: 1_000_000 });
	await it.ask("disconnect");
}

/** The shell forks, the child execs, and both switch away and come back; a condition chooses the child. */
async function processes(it: Transcript): Promise<void> {
	const launch = { program: "echo", command: "echo hi", harts: 3, stopOnEntry: false };
	await it.begin("processes", launch, () => it.functions({ name: "fork@kernel", condition: "nextpid == 3" }));
	await it.functions();
	await it.go("stepOut");
	await it.functions({ name: "exec@kernel" });
	await it.go("continue");
	await it.value("path");
	await it.functions();
	await it.go("stepOut");
	await it.go("next");
	await it.functions({ name: "sched", condition: "nextpid == 4" });
	await it.go("continue");
	await it.functions();
	await it.go("stepOut");
	await it.ask("disconnect");
}

/** A fault that kills, and a panic; both are stood before in the past. */
async function failures(it: Transcript): Promise<void> {
	for (const what of ["null", "panic"]) {
		await it.begin(what, { program: "private", command: `private ${what}`, harts: 1, stopOnEntry: false });
		const { exceptionId, description } = await it.ask("exceptionInfo", { threadId: 0 });
		it.lines.push(`exception ${exceptionId}: ${description}`);
		await it.go("stepBack");
		await it.go("continue");
		await it.ask("disconnect");
	}
}

/** Whole debug sessions of a debug build, as text. */
export async function runDebugSessions(engine: EngineClient, files: Files): Promise<readonly string[]> {
	const it = new Transcript(engine);
	const edited = files.map(([path, bytes]): readonly [string, Uint8Array] => {
		if (path === "user/private.c") return [path, utf8(failingProgram)];
		if (path === "kernel/proc.c") return [path, utf8(failingKernel(new TextDecoder().decode(bytes)))];
		return [path, bytes];
	});
	const work = async () => {
		await engine.request("sync", { changed: edited.map(([path, bytes]) => ({ path, bytes })), removed: [] });
		await engine.request("build", { toolchain: "bundled", unoptimized: true });
		await systemCall(it);
		await processes(it);
		await failures(it);
		return it.lines;
	};
	const crashed = new Promise<never>((_, reject) => engine.onCrash((why) => reject(new Error(why))));
	try {
		return await Promise.race([work(), crashed]);
	} finally {
		engine.dispose();
	}
}
