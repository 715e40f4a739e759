import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { expect } from "vitest";
import { frame, MessageReader } from "../../src/debugger/stream.ts";
import { repository } from "./lab.ts";

type Body = Record<string, never> & { [key: string]: never };

/** A client of `xv6-lab dap`, and the session as readable text. */
export class DapClient {
	readonly lines: string[] = [];
	thread = 0;
	/** Of the last stop, in the protocol's words. */
	reason = "";
	private readonly process: ChildProcess;
	private sequence = 1;
	private readonly waiting = new Map<number, (response: DebugProtocol.Response) => void>();
	private readonly events: DebugProtocol.Event[] = [];
	private wake: () => void = () => undefined;
	/** How often each event came. */
	readonly told = new Map<string, number>();
	/** What the guest and the debugger printed. */
	output = "";
	exitCode: number | null | undefined;

	constructor(
		private readonly tree: string,
		args: readonly string[] = [],
	) {
		this.process = spawn(
			process.execPath,
			// Transcripts are of the bundled compiler's code: which one is the faster a busy machine decides this way and that.
			[join(repository, "dist/cli/xv6-lab.mjs"), "dap", tree, "--no-wait", "--toolchain", "bundled", ...args],
			{ stdio: ["pipe", "pipe", "inherit"] },
		);
		const reader = new MessageReader(
			(message) => this.received(message as DebugProtocol.ProtocolMessage),
			(why) => {
				throw new Error(`the adapter sent ${why}`);
			},
		);
		this.process.stdout?.on("data", (bytes: Buffer) => reader.push(bytes));
		this.process.on("exit", (code) => {
			this.exitCode = code;
			for (const answer of this.waiting.values())
				answer({ success: false, message: "the adapter ended" } as DebugProtocol.Response);
			this.wake();
		});
	}

	private received(message: DebugProtocol.ProtocolMessage): void {
		if (message.type === "response") {
			const response = message as DebugProtocol.Response;
			this.waiting.get(response.request_seq)?.(response);
			this.waiting.delete(response.request_seq);
			return;
		}
		const event = message as DebugProtocol.Event;
		this.told.set(event.event, (this.told.get(event.event) ?? 0) + 1);
		if (event.event === "output") this.output += event.body.output;
		this.events.push(event);
		this.wake();
	}

	raw(bytes: Uint8Array): void {
		this.process.stdin?.write(bytes);
	}

	request(command: string, args?: object): Promise<DebugProtocol.Response> {
		const seq = this.sequence++;
		return new Promise((resolve) => {
			this.waiting.set(seq, resolve);
			this.raw(frame({ seq, type: "request", command, arguments: args }));
		});
	}

	/** The body of a response; a failure is a line of the transcript. */
	async ask<T = Body>(command: string, args?: object): Promise<T> {
		const response = await this.request(command, args);
		if (!response.success) this.say(`! ${command}: ${response.message}`);
		return (response.body ?? {}) as T;
	}

	async event(name: string, ms = 40_000): Promise<DebugProtocol.Event> {
		const end = Date.now() + ms;
		for (;;) {
			const at = this.events.findIndex(({ event }) => event === name || event === "terminated");
			if (at >= 0) return this.events.splice(0, at + 1).at(-1) as DebugProtocol.Event;
			if (Date.now() > end || this.exitCode !== undefined)
				throw new Error(`no ${name} came\n${this.lines.join("\n")}\n${this.output}`);
			await new Promise<void>((resolve) => {
				this.wake = resolve;
				setTimeout(resolve, 200);
			});
		}
	}

	say(text: string): void {
		this.lines.push(text.replaceAll(this.tree, "$TREE"));
	}

	/** Sets everything that is to be set before the machine runs. */
	async begin(
		launch: object,
		more: () => Promise<void> = async () => undefined,
		filters = ["panic", "killed"],
	): Promise<void> {
		await this.ask("initialize", { adapterID: "xv6", linesStartAt1: true, columnsStartAt1: true });
		this.say(`launch ${JSON.stringify(launch)}`);
		await this.ask("launch", launch);
		await this.event("initialized");
		await more();
		await this.ask("setExceptionBreakpoints", { filters });
		await this.ask("configurationDone");
	}

	async breakpoints(file: string, ...breakpoints: object[]): Promise<void> {
		const body = await this.ask<DebugProtocol.SetBreakpointsResponse["body"]>("setBreakpoints", {
			source: { path: join(this.tree, file) },
			breakpoints,
		});
		this.say(`breakpoints ${file} ${JSON.stringify(breakpoints)}`);
		for (const { id, verified, line, message } of body.breakpoints)
			this.say(`  #${id} ${verified ? `line ${line}` : message}`);
	}

	async functions(...breakpoints: object[]): Promise<void> {
		const body = await this.ask<DebugProtocol.SetBreakpointsResponse["body"]>("setFunctionBreakpoints", {
			breakpoints,
		});
		this.say(`functions ${JSON.stringify(breakpoints)}`);
		for (const { id, verified, message } of body.breakpoints) this.say(`  #${id} ${verified ? "verified" : message}`);
	}

	/** Waits for a stop, and writes down where. */
	async stop(frames = 12): Promise<DebugProtocol.StackFrame[]> {
		const { event, body } = await this.event("stopped");
		if (event === "terminated") {
			this.say("terminated");
			return [];
		}
		this.thread = body.threadId;
		this.reason = body.reason;
		const { threads } = await this.ask<DebugProtocol.ThreadsResponse["body"]>("threads");
		const name = threads.find(({ id }) => id === this.thread)?.name;
		this.say(`stopped: ${body.description}${body.text ? `: ${body.text}` : ""}`);
		this.say(`  ${name}`);
		return this.stack(this.thread, frames);
	}

	async stack(threadId: number, frames = 12): Promise<DebugProtocol.StackFrame[]> {
		const { stackFrames } = await this.ask<DebugProtocol.StackTraceResponse["body"]>("stackTrace", { threadId });
		for (const { name, source, line, presentationHint } of stackFrames.slice(0, frames)) {
			const place = source ? ` ${source.path}:${line}` : line === 0 ? " no source" : ` no source, but line ${line}`;
			this.say(`    ${name}${presentationHint === "label" ? "" : place}`);
		}
		return stackFrames;
	}

	/** A step or a continue, and the stop that follows. */
	async go(command: string, args: object = {}, frames = 12): Promise<DebugProtocol.StackFrame[]> {
		this.say(`${command}${Object.keys(args).length > 0 ? ` ${JSON.stringify(args)}` : ""}`);
		const response = await this.request(command, { threadId: this.thread, ...args });
		if (response.success) return this.stop(frames);
		this.say(`! ${command}: ${response.message}`);
		return [];
	}

	async evaluate(expression: string, frame?: DebugProtocol.StackFrame): Promise<string> {
		const response = await this.request("evaluate", {
			expression,
			...(frame ? { frameId: frame.id } : {}),
			context: "watch",
		});
		const text = response.success ? response.body.result : `! ${response.message}`;
		this.say(`${expression} = ${text}`);
		return text;
	}

	async locals(frame: DebugProtocol.StackFrame): Promise<void> {
		const { scopes } = await this.ask<DebugProtocol.ScopesResponse["body"]>("scopes", { frameId: frame.id });
		const locals = scopes.find(({ name }) => name === "Locals");
		if (!locals) return;
		const { variables } = await this.ask<DebugProtocol.VariablesResponse["body"]>("variables", {
			variablesReference: locals.variablesReference,
		});
		this.say(`locals of ${frame.name}`);
		for (const { name, type, value } of variables) this.say(`    ${type} ${name} = ${value}`);
	}

	async end(): Promise<void> {
		const gone = new Promise<void>((resolve) => {
			if (this.exitCode !== undefined) resolve();
			else this.process.once("exit", () => resolve());
		});
		void this.request("disconnect");
		await gone;
	}

	kill(): void {
		if (this.exitCode === undefined) this.process.kill();
	}

	/** Compares with test/golden/dap/NAME.txt; `ACCEPT=1` writes it. */
	golden(name: string): void {
		const path = join(repository, "test/golden/dap", `${name}.txt`);
		const text = `${this.lines.join("\n")}\n`;
		if (process.env.ACCEPT || !existsSync(path)) {
			if (!process.env.ACCEPT) throw new Error(`${path} does not exist: ACCEPT=1 writes it`);
			writeFileSync(path, text);
			return;
		}
		const expected = readFileSync(path, "utf8");
		if (expected !== text) writeFileSync(path.replace(/txt$/, "actual"), text);
		expect(text).toBe(expected);
	}
}
