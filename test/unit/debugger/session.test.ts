import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../../src/common/errors.ts";
import { DebugSession } from "../../../src/debugger/session.ts";
import type { DebugTarget } from "../../../src/debugger/target.ts";
import type { DapSession } from "../../support/dapSession.ts";
import { DebuggedProgram, file, Standing } from "../../support/debuggedProgram.ts";

/** A debug session from its beginning to its end: what a client is told, in which order, and what it may ask when. */
const program = new DebuggedProgram();
beforeAll(() => program.build(), 120_000);
afterEach(() => {
	for (const session of program.sessions.splice(0)) session.dispose();
});
afterAll(() => program.close());

const events = (session: DapSession) => session.told.map(({ event }) => event);
const count = (session: DapSession, name: string) => events(session).filter((event) => event === name).length;
const message = async (session: DapSession, command: string, args?: object) =>
	(await session.request(command, args)).message;
const begun = async (launch: object): Promise<DapSession> => {
	const session = await program.session(launch);
	await session.request("configurationDone");
	return session;
};
/** Until the guest, or the debugger, has printed it. */
async function printed(session: DapSession, text: string): Promise<void> {
	while (!session.output.includes(text)) await session.next("output");
}

describe("what it can do", () => {
	/** The request that a capability speaks of. */
	const requests: Readonly<Record<string, string>> = {
		supportsConfigurationDoneRequest: "configurationDone",
		supportsFunctionBreakpoints: "setFunctionBreakpoints",
		supportsSetVariable: "setVariable",
		supportsSetExpression: "setExpression",
		supportsExceptionInfoRequest: "exceptionInfo",
		supportsDataBreakpoints: "setDataBreakpoints",
		supportsInstructionBreakpoints: "setInstructionBreakpoints",
		supportsDisassembleRequest: "disassemble",
		supportsReadMemoryRequest: "readMemory",
		supportsWriteMemoryRequest: "writeMemory",
		supportsStepBack: "reverseContinue",
		supportsRestartRequest: "restart",
		supportsTerminateRequest: "terminate",
		supportsBreakpointLocationsRequest: "breakpointLocations",
	};

	test("is said with `initialize`: each request that it names is one, and so are ways of asking", async () => {
		const session = await program.initialized();
		const said = (await session.request("initialize", { adapterID: "xv6" })).body as Record<string, unknown>;
		for (const [capability, request] of Object.entries(requests)) {
			expect(said[capability], capability).toBe(true);
			expect((await message(session, request)) ?? "", request).not.toMatch(/^There is no request/);
		}
		const ways = "ConditionalBreakpoints HitConditionalBreakpoints LogPoints EvaluateForHovers DataBreakpointBytes";
		const more = "SteppingGranularity ValueFormattingOptions ClipboardContext DelayedStackTraceLoading";
		for (const way of `${ways} ${more}`.split(" ")) expect(said[`supports${way}`], way).toBe(true);
		expect(await message(session, "completions")).toMatch(/^There is no request completions/);
	});

	test("what stops by default is what ends a run; what a sound kernel does too does not", async () => {
		const session = await program.initialized();
		const { body } = await session.request("initialize", { adapterID: "xv6" });
		const filters = body.exceptionBreakpointFilters as DebugProtocol.ExceptionBreakpointsFilter[];
		expect(filters.map((filter) => [filter.filter, filter.default])).toEqual([
			["panic", true],
			["killed", true],
			["kernel-trap", true],
			["page-fault", false],
			["finding", false],
			["no-progress", true],
		]);
	});
});

describe("a launch", () => {
	test("answers, then asks for the breakpoints, and nothing runs before they are there", async () => {
		const session = await program.session();
		expect(events(session)).toEqual(["output", "initialized"]);
		expect(session.output).toBe("Built as the Makefile says.\n");
		expect(await session.ask("xv6/timeline")).toMatchObject({ position: 0, oldest: 0, present: 0, isPast: false });
		await session.request("configurationDone");
		const stop = await session.stop();
		expect(stop).toMatchObject({ reason: "entry", description: "entry", text: "Stopped in main of prog" });
		expect(stop).not.toHaveProperty("hitBreakpointIds");
		const at = new Standing(session, stop.threadId as number);
		expect((await at.frames())[0]?.name).toBe("main");
		expect(await at.evaluate("argc")).toBe("1");
		expect(session.output).toContain("$ prog\n");
		// The entry stops once: from here on it is a line like others.
		await session.ask("setFunctionBreakpoints", { breakpoints: [{ name: "exit@kernel" }] });
		expect((await at.go("continue")).reason).toBe("function breakpoint");
	});

	test("stops in main whatever stops and is stepped before", async () => {
		const session = await program.session();
		await session.ask("setFunctionBreakpoints", { breakpoints: [{ name: "fork@kernel" }] });
		await session.request("configurationDone");
		const { threadId, reason } = await session.stop();
		expect(reason).toBe("function breakpoint");
		await session.ask("setFunctionBreakpoints", { breakpoints: [] });
		const at = new Standing(session, threadId as number);
		for (const step of ["next", "stepIn", "stepOut"]) expect((await at.go(step)).reason).toBe("step");
		expect(await at.go("continue")).toMatchObject({ reason: "entry", text: "Stopped in main of prog" });
	});

	test("of a debug build says so; the command line is typed as it stands, after what is to be prepared", async () => {
		const atPrompt: string[] = [];
		const session = await program.initialized({
			change: (target) => ({ ...target, prepare: () => atPrompt.push(target.controller.console.text) }),
		});
		await session.request("launch", { program: "prog", command: "echo one; prog a b", build: "debug", harts: 1 });
		await session.request("configurationDone");
		const at = new Standing(session, await session.stopped());
		expect(await at.evaluate("argc")).toBe("3");
		expect(session.output).toMatch(/^Debug build \(-O0\): every variable has a value/);
		expect(session.output).toContain("$ echo one; prog a b\none\n");
		expect(atPrompt).toEqual([expect.stringMatching(/\n\$ $/)]);
	});

	test("without a program boots the kernel, which stands in its main where that is asked for", async () => {
		const session = await begun({ program: undefined, stopOnEntry: true });
		const stop = await session.stop();
		expect(stop).toMatchObject({ reason: "entry", text: "Stopped in main of the kernel" });
		const at = new Standing(session, stop.threadId as number);
		expect([(await at.frames())[0]?.source?.path, await at.evaluate("$mhartid")]).toEqual([
			...["/tree/kernel/main.c", "0x0"],
		]);
	});

	test("of a program without debug information runs it, and says why it does not stop", async () => {
		const session = await begun({ program: "nothing" });
		await printed(session, "exec nothing failed");
		expect(session.output).toContain("main@nothing was not found: it has no debug information\n");
		expect(count(session, "stopped")).toBe(0);
	});

	test("of a kernel that is no ELF file says so, and shows harts, registers and instructions", async () => {
		const session = await program.initialized({
			change: (target) => ({ ...target, kernel: new TextEncoder().encode("no ELF") }),
		});
		await session.request("launch", { harts: 2, history: false });
		expect(session.output).toMatch(/ELF/);
		await session.request("configurationDone");
		await printed(session, "$ ");
		await session.request("pause");
		const at = new Standing(session, await session.stopped());
		expect((await session.ask("threads")).threads).toEqual([
			{ id: 1_000_000, name: "hart 0 (scheduler)" },
			{ id: 1_000_001, name: "hart 1 (scheduler)" },
		]);
		const [top] = await at.frames();
		expect(top?.name).toBe(await at.evaluate("(uint64)$pc"));
		expect(await message(session, "evaluate", { expression: "proc" })).toMatch(/^There is no `proc` here/);
		const { instructions } = await session.ask("disassemble", {
			memoryReference: top?.instructionPointerReference,
			instructionCount: 1,
		});
		expect(instructions[0]).not.toHaveProperty("symbol");
	});

	test("that fails is an error for the person; another request's is one for the client", async () => {
		const responses: DebugProtocol.ErrorResponse[] = [];
		const fails = async () => {
			throw new UserError("compile-failed", "In {main}: no such name", "Mend it");
		};
		const session = new DebugSession({ launch: fails, attach: fails, breathe: async () => undefined }, (told) => {
			if (told.type === "response") responses.push(told as DebugProtocol.ErrorResponse);
		});
		for (const command of ["launch", "attach", "threads"])
			await session.receive({ seq: 1, type: "request", command, arguments: {} });
		expect(
			responses.map(({ success, message, body }) => [success, message, body?.error?.format, body?.error?.showUser]),
		).toEqual([
			[false, "In {main}: no such name. Mend it", "In (main): no such name. Mend it", true],
			[false, "In {main}: no such name. Mend it", "In (main): no such name. Mend it", true],
			[false, ...Array(2).fill("No machine is being debugged. Launch or attach first."), false],
		]);
	});
});

describe("while the machine runs", () => {
	test("breakpoints may be set; what needs a standing machine is refused; a pause stops it, and its end is told", async () => {
		const session = await begun({ program: undefined });
		await printed(session, "$ ");
		for (const [command, args] of [
			["stackTrace", { threadId: 1 }],
			["evaluate", { expression: "ticks" }],
			["variables", { variablesReference: 1 }],
			["scopes", { frameId: 1 }],
			["readMemory", { memoryReference: "p:0x80000000", count: 4 }],
			["continue", {}],
			["next", { threadId: 1 }],
			["setExpression", { expression: "ticks", value: "0" }],
		] as const)
			expect(await message(session, command, args), command).toBe("The machine is running. Pause it first.");
		const names = (await session.ask("threads")).threads as DebugProtocol.Thread[];
		expect(names.map(({ name }) => name.replace(/\(.*/, ""))).toEqual(
			expect.arrayContaining(["pid 1 init ", "pid 2 sh "]),
		);
		const { breakpoints } = await session.ask("setFunctionBreakpoints", { breakpoints: [{ name: "fork@kernel" }] });
		await session.request("xv6/type", { text: "echo typed\n" });
		expect(await session.stop()).toMatchObject({
			reason: "function breakpoint",
			hitBreakpointIds: [breakpoints[0].id],
		});
		await session.ask("setFunctionBreakpoints", { breakpoints: [] });
		await session.request("continue", { threadId: 2 });
		await printed(session, "\ntyped\n");
		await session.request("pause");
		expect(await session.stop()).toMatchObject({ reason: "pause", description: "pause", text: "Paused" });
		expect(await message(session, "exceptionInfo")).toMatch(/^The machine did not stop for an exception/);
		// Its end is told once, with the reason.
		await session.request("continue", { threadId: 2 });
		await session.request("terminate");
		await printed(session, "The debug session ended.\n");
		expect(count(session, "terminated")).toBe(1);
		expect((await session.request("disconnect")).success).toBe(true);
		expect([count(session, "terminated"), await message(session, "threads")]).toEqual([
			...[1, "No machine is being debugged. Launch or attach first."],
		]);
	});
});

describe("a machine without a history", () => {
	test("goes forwards only, and says so", async () => {
		const session = await begun({ program: undefined, stopOnEntry: true, history: false });
		const at = new Standing(session, await session.stopped());
		const place = await at.place();
		for (const request of ["stepBack", "reverseContinue", "xv6/toPresent"]) {
			session.output = "";
			expect((await at.go(request)).reason).toBe("pause");
			expect(session.output, request).toMatch(/This machine keeps no history/);
		}
		expect(await at.place()).toBe(place);
		expect(Object.keys(await session.ask("xv6/timeline"))).toEqual(["position"]);
		expect((await at.go("next")).reason).toBe("step");
		expect(count(session, "xv6/moved")).toBe(0);
	});
});

describe("a restart", () => {
	test("begins anew, with a machine of its own, and with the configuration that the client has now", async () => {
		const session = await begun({ program: undefined });
		await printed(session, "xv6 kernel");
		// Of a machine that runs it is no end of the session.
		expect((await session.request("restart", { arguments: { harts: 2, stopOnEntry: true } })).success).toBe(true);
		expect(await session.ask("xv6/timeline")).toMatchObject({ position: 0 });
		await session.request("configurationDone");
		const at = new Standing(session, await session.stopped());
		const [top] = await at.frames();
		expect([top?.name, (await session.ask("threads")).threads.length]).toEqual(["main", 2]);
		await session.request("restart", {});
		expect(await message(session, "scopes", { frameId: top?.id })).toMatch(/^This frame is of an earlier stop/);
		expect(await session.ask("xv6/timeline")).toMatchObject({ position: 0 });
		await session.request("configurationDone");
		await session.stopped();
		expect([(await at.frames())[0]?.name, (await session.ask("threads")).threads.length]).toEqual(["main", 2]);
		expect([count(session, "initialized"), count(session, "terminated")]).toEqual([3, 0]);
	});

	test("that does not build ends the session: the machine before is gone", async () => {
		let builds = 0;
		const session = await program.initialized({
			build: async () => {
				if (builds++ === 0) return program.build();
				throw new UserError("compile-failed", "It does not compile", "Mend it.");
			},
		});
		await session.request("launch", { stopOnEntry: true, harts: 1 });
		await session.request("configurationDone");
		await session.stopped();
		expect(await message(session, "restart", {})).toBe("It does not compile. Mend it.");
		expect(events(session).at(-1)).toBe("terminated");
		for (const [command, args] of [
			["threads", {}],
			["stackTrace", { threadId: 1 }],
			["evaluate", { expression: "ticks" }],
			["continue", {}],
		] as const)
			expect(await message(session, command, args)).toMatch(/^No machine is being debugged/);
	});
});

describe("a machine that runs already", () => {
	let target: DebugTarget;
	const type = (text: string) => target.controller.type(new TextEncoder().encode(text));
	const shown = async (text: string) => {
		const { console } = target.controller;
		for (let i = 0; i < 10_000 && !(console.text.includes(text) && console.atPrompt); i++)
			await new Promise(setImmediate);
		expect(console.text).toContain(text);
	};
	const attached = async (more: Partial<DebugTarget> = {}) => {
		const session = await program.initialized({ running: { ...target, ...more, dispose: () => undefined } });
		expect((await session.request("attach", {})).success).toBe(true);
		await session.request("configurationDone");
		return session;
	};

	beforeAll(async () => {
		target = await program.machine({ harts: 2 });
	});
	beforeEach(async () => {
		target.controller.resume();
		await shown("init: starting sh");
	});
	afterAll(() => target.dispose());

	test("runs on when it is attached to, and stops where its breakpoints are", async () => {
		const session = await attached();
		expect([target.controller.state, count(session, "stopped")]).toEqual(["running", 0]);
		await session.ask("setBreakpoints", { source: { path: file }, breakpoints: [{ line: program.line("call") }] });
		type("prog\n");
		expect((await session.stop()).reason).toBe("breakpoint");
	});

	test("runs on after a client that leaves in the middle of a step", async () => {
		const session = await attached();
		await session.ask("setExceptionBreakpoints", { filters: ["panic", "killed"] });
		await session.ask("setFunctionBreakpoints", { breakpoints: [{ name: "getcmd@sh" }] });
		type("echo before\n");
		const threadId = await session.stopped();
		// The step is over when somebody has typed a line.
		await session.request("stepOut", { threadId });
		await session.request("disconnect");
		await shown("before");
		type("echo after\n");
		const told = session.told.length;
		await shown("\nafter\n");
		expect([target.controller.state, session.told.length]).toEqual(["running", told]);
	});

	test("stands when it stood, on the hart that the run is about", async () => {
		target.controller.pause();
		const session = await attached();
		expect(await session.stop()).toMatchObject({ reason: "pause", text: "Paused", allThreadsStopped: true });
		session.dispose();
		const other = await attached({ hart: 1 });
		const { threadId } = await other.stop();
		const at = new Standing(other, threadId as number);
		expect([threadId, await at.evaluate("$mhartid"), (await at.frames()).at(-1)?.name]).toEqual([
			...[1_000_001, "0x1", "main"],
		]);
	});

	test("says that keys are lost in the past", async () => {
		const session = await attached();
		await session.request("pause");
		const at = new Standing(session, await session.stopped());
		await at.go("xv6/goToInstruction", { instruction: 1000 });
		type("x");
		expect(session.output).toMatch(/^The machine is in the past: keys are not given to it\./m);
		await at.go("xv6/toPresent");
	});

	test("may be paused, run and switched off by others, and the client is told", async () => {
		const session = await attached();
		target.controller.pause();
		const { threadId } = await session.stop();
		target.controller.resume();
		expect((await session.next("continued")).body).toEqual({ threadId, allThreadsContinued: true });
		expect(await message(session, "evaluate", { expression: "ticks" })).toMatch(/^The machine is running/);
		target.controller.pause();
		await session.stop();
		target.controller.powerOff("Switched off by hand");
		await session.next("terminated");
		expect(count(session, "terminated")).toBe(1);
	});
});
