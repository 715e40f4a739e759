import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { DapSession } from "../../support/dapSession.ts";
import { DebuggedProgram, file, Standing, tree } from "../../support/debuggedProgram.ts";

/** Where a machine is made to stop, and how it is moved, forwards and backwards: one program, one session, in this process. */
const program = new DebuggedProgram();
let session: DapSession;
let at: Standing;
const line = (mark: string) => program.line(mark);

type Breakpoint = DebugProtocol.Breakpoint;

beforeAll(async () => {
	at = await program.standingAt("here");
	session = at.session;
	home = await position();
}, 120_000);
afterAll(() => program.close());

/** The instruction at which the session stands at `here`. */
let home = 0;
const position = async () => (await session.ask("xv6/timeline")).position as number;

/** Each test begins where main has not called anything yet; what it changed has not happened. */
afterEach(async () => {
	for (const request of ["setFunctionBreakpoints", "setInstructionBreakpoints", "setDataBreakpoints"])
		await session.ask(request, { breakpoints: [] });
	await lines();
	await session.ask("setExceptionBreakpoints", { filters: [] });
	await at.go("xv6/goToInstruction", { instruction: home });
	expect(await at.place()).toBe(`main:${line("here")}`);
	session.output = "";
});

const lines = async (...breakpoints: object[]): Promise<Breakpoint[]> =>
	(await session.ask("setBreakpoints", { source: { path: file }, breakpoints })).breakpoints;
const functions = async (...breakpoints: object[]): Promise<Breakpoint[]> =>
	(await session.ask("setFunctionBreakpoints", { breakpoints })).breakpoints;
const value = (expression: string) => at.evaluate(expression);

describe("a breakpoint of a line", () => {
	test("stops before the line, names itself, and each time again", async () => {
		const [one] = await lines({ line: line("call") });
		expect(one).toMatchObject({ verified: true, line: line("call"), source: { path: file } });
		for (const i of [0, 1, 2]) {
			const stop = await at.go("continue");
			expect(stop).toMatchObject({ reason: "breakpoint", hitBreakpointIds: [one?.id], allThreadsStopped: true });
			expect([await at.place(), await value("i")]).toEqual([`main:${line("call")}`, `${i}`]);
		}
	});

	test("on a line without code it goes to the next that has some, and says where", async () => {
		const comment = program.program.split("\n").indexOf("int calls;") + 1;
		const [moved] = await lines({ line: comment });
		expect(moved?.verified).toBe(true);
		expect(moved?.line).toBeGreaterThan(comment);
		expect((await lines({ line: 5000 }))[0]).toMatchObject({
			verified: false,
			message: expect.stringMatching(
				/^No code of the kernel or of a user program is in user\/prog\.c at or after line 5000/,
			),
		});
		const [nowhere] = (
			await session.ask("setBreakpoints", { source: { path: `${tree}/user/none.c` }, breakpoints: [{ line: 1 }] })
		).breakpoints as Breakpoint[];
		expect(nowhere?.verified).toBe(false);
	});

	test("a list takes the place of the one before, in its own file only", async () => {
		await lines({ line: line("call") }, { line: line("fib") });
		await lines({ line: line("fib") });
		await session.ask("setBreakpoints", { source: { path: `${tree}/kernel/none.c` }, breakpoints: [] });
		await at.go("continue");
		expect(await at.place()).toBe(`main:${line("fib")}`);
	});

	test.each<[string, object, string]>([
		["a condition", { condition: "i == 7" }, "7"],
		["a condition over the program's data", { condition: "calls >= 3 && total > 700" }, "3"],
		["a hit count", { hitCondition: "4" }, "3"],
		["a hit count that is to be equal", { hitCondition: "== 6" }, "5"],
		["at least", { hitCondition: ">= 3" }, "2"],
		["more than", { hitCondition: "> 3" }, "3"],
		["each so many", { hitCondition: "% 5" }, "4"],
		["both: hits are counted where the condition holds", { condition: "i % 2 == 1", hitCondition: "3" }, "5"],
		["fewer than: the first", { hitCondition: "< 3" }, "0"],
		["at most: the first", { hitCondition: "<= 1" }, "0"],
	])("%s", async (_, extras, i) => {
		await lines({ line: line("call"), ...extras });
		await at.go("continue");
		expect(await value("i")).toBe(i);
	});

	test("fewer than, and at most, end", async () => {
		for (const [hitCondition, hits] of [
			["< 3", 2],
			["<= 3", 3],
		] as const) {
			await at.go("xv6/goToInstruction", { instruction: home });
			await lines({ line: line("call"), hitCondition }, { line: line("fib") });
			let stops = 0;
			while ((await at.go("continue")) && (await at.place()) === `main:${line("call")}`) stops++;
			expect(stops).toBe(hits);
		}
	});

	test("a hit count that is none is refused, with what to write", async () => {
		const [wrong] = await lines({ line: line("call"), hitCondition: "often" });
		expect(wrong).toMatchObject({ verified: false, message: "`often` is no hit count: write a number, or >= 5, % 3" });
	});

	test("a condition that cannot be evaluated stops, and says why", async () => {
		await lines({ line: line("call"), condition: "nobody > 3" });
		await at.go("continue");
		expect(await value("i")).toBe("0");
		expect(session.output).toContain("The condition `nobody > 3` cannot be evaluated: There is no `nobody` here");
	});

	test("a log point prints its values, and stops nothing", async () => {
		await lines(
			{ line: line("call"), logMessage: "i={i} of {total}, {nobody}", condition: "i < 2" },
			{ line: line("fib") },
		);
		await at.go("continue");
		expect(await at.place()).toBe(`main:${line("fib")}`);
		expect(session.output.split("\n").filter((text) => text.startsWith("i="))).toEqual([
			"i=0 of 700, {There is no `nobody` here}",
			"i=1 of 700, {There is no `nobody` here}",
		]);
	});

	test("where it can be, the client is told by lines", async () => {
		const found = await session.ask("breakpointLocations", {
			source: { path: file },
			line: line("here"),
			endLine: line("fib"),
		});
		const numbers = (found.breakpoints as { line: number }[]).map((one) => one.line);
		for (const mark of ["here", "inner", "call", "fib"]) expect(numbers).toContain(line(mark));
		expect(numbers).not.toContain(line("here") + 1);
		expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
		const one = await session.ask("breakpointLocations", { source: { path: file }, line: line("call") });
		expect(one.breakpoints).toEqual([{ line: line("call") }]);
	});
});

describe("other breakpoints", () => {
	test("of a function: after its prologue, where its arguments are known", async () => {
		const [one] = await functions({ name: "fib", condition: "n == 2" });
		expect(one?.verified).toBe(true);
		expect(await at.go("continue")).toMatchObject({ reason: "function breakpoint", hitBreakpointIds: [one?.id] });
		const frames = await at.frames();
		expect([frames.map(({ name }) => name), await value("n")]).toEqual([
			["fib", "fib", "fib", "fib", "main", "start"],
			"2",
		]);
		expect(await at.evaluate("n", { frameId: frames[3]?.id })).toBe("5");
	});

	test("of a function that nobody has, or of one program's only", async () => {
		const [none, other, own] = await functions({ name: "nobody" }, { name: "add@sh" }, { name: " add@prog " });
		expect(none).toMatchObject({
			verified: false,
			message: "There is no function `nobody` in the kernel or a user program",
		});
		expect([other?.verified, own?.verified]).toEqual([false, true]);
		expect(await at.go("continue")).toMatchObject({ hitBreakpointIds: [own?.id] });
		await functions({ name: "sys_write@kernel" }, { name: "main@kernel" });
		await at.go("continue");
		expect((await at.frames())[0]?.name).toBe("sys_write");
	});

	test("of an instruction, by its address", async () => {
		const reference = (await session.ask("evaluate", { expression: "&fib" })).memoryReference as string;
		const { breakpoints } = await session.ask("setInstructionBreakpoints", {
			breakpoints: [{ instructionReference: reference, offset: 0 }],
		});
		expect(breakpoints[0]).toMatchObject({ verified: true, instructionReference: reference.replace(/^.*:/, "") });
		expect((await at.go("continue")).reason).toBe("instruction breakpoint");
		expect(await value("$pc == &fib")).toBe("1");
	});

	test("of data: the machine stands right after the write, the read or either", async () => {
		const info = async (name: string, more: object = {}) => session.ask("dataBreakpointInfo", { name, ...more });
		const { dataId, description, accessTypes } = await info("table[2]");
		expect(description).toMatch(/^table\[2\] \(4 bytes at p:0x8[0-9a-f]+\)$/);
		expect(accessTypes).toEqual(["read", "write", "readWrite"]);
		const watch = async (accessType: string, more: object = {}) =>
			(await session.ask("setDataBreakpoints", { breakpoints: [{ dataId, accessType, ...more }] })).breakpoints[0];
		const one = await watch("write");
		expect(one?.verified).toBe(true);
		expect(await at.go("continue")).toMatchObject({ reason: "data breakpoint", hitBreakpointIds: [one?.id] });
		expect([await at.place(), await value("table[2]")]).toEqual([`main:${line("store") + 1}`, "750"]);
		await at.go("xv6/goToInstruction", { instruction: home });
		// Read by nobody before the store.
		await watch("read");
		await lines({ line: line("print") });
		expect((await at.go("continue")).reason).toBe("breakpoint");
		await lines();

		await at.go("xv6/goToInstruction", { instruction: home });
		const calls = (await info("calls")).dataId;
		const { breakpoints } = await session.ask("setDataBreakpoints", {
			breakpoints: [{ dataId: calls, accessType: "readWrite", hitCondition: "4" }],
		});
		expect(breakpoints[0].verified).toBe(true);
		await at.go("continue");
		// Read and written in each of two calls.
		expect([await value("calls"), (await at.frames())[0]?.name]).toEqual(["2", "add"]);
	});

	test("of data that the very instruction writes at which another breakpoint stands", async () => {
		const { dataId } = await session.ask("dataBreakpointInfo", { name: "calls" });
		await session.ask("setDataBreakpoints", { breakpoints: [{ dataId, accessType: "write" }] });
		await at.go("continue");
		await at.go("stepBack", { granularity: "instruction" });
		expect(await value("calls")).toBe("0");
		const [top] = await at.frames();
		const here = { instructionReference: top?.instructionPointerReference };
		await session.ask("setInstructionBreakpoints", { breakpoints: [here] });
		expect((await at.go("continue")).reason).toBe("data breakpoint");
		expect(await value("calls")).toBe("1");
	});

	test("of data that cannot be watched", async () => {
		expect(await session.ask("dataBreakpointInfo", { name: "1 + 2" })).toMatchObject({ dataId: null });
		expect((await session.ask("dataBreakpointInfo", { name: "k:0x80001000", asAddress: true, bytes: 16 })).dataId).toBe(
			"k:0x80001000:16",
		);
		const { breakpoints } = await session.ask("setDataBreakpoints", {
			breakpoints: [
				{ dataId: "nonsense" },
				{ dataId: "u99999:0x0:4" },
				{ dataId: "p:0x80000000:4", hitCondition: "odd" },
			],
		});
		expect((breakpoints as Breakpoint[]).map(({ verified, message }) => [verified, message])).toEqual([
			[false, "`nonsense` cannot be watched"],
			[false, "`u99999:0x0:4` cannot be watched"],
			[false, "`odd` is no hit count"],
		]);
	});
});

describe("a step", () => {
	test("over a line with a call stays in its frame, and the call is made", async () => {
		await lines({ line: line("call"), condition: "i == 4" });
		await at.go("continue");
		expect(await at.go("next")).toMatchObject({ reason: "step" });
		expect((await at.frames()).map(({ name }) => name)).toEqual(["main", "start"]);
		expect(await value("calls")).toBe("5");
	});

	test("into, over and out of a function", async () => {
		await lines({ line: line("call") });
		await at.go("continue");
		await lines();
		await at.go("stepIn");
		const [top] = await at.frames();
		expect([top?.name, await value("a"), await value("b")]).toEqual(["add", "700", "0"]);
		expect(top?.line).toBe(program.program.split("\n").indexOf("  int sum = a + b;") + 1);
		await at.go("next");
		expect([await at.place(), await value("sum")]).toEqual([`add:${(top?.line ?? 0) + 1}`, "700"]);
		await at.go("stepOut");
		expect(await at.place()).toBe(`main:${line("call")}`);
		await at.go("stepIn", { granularity: "instruction" });
		expect((await at.frames())[0]?.name).toBe("main");
	});

	test("over a recursive call runs all of it, and out of it one level", async () => {
		await functions({ name: "fib", condition: "n == 3" });
		await at.go("continue");
		await functions();
		const depth = (await at.frames()).length;
		await at.go("next");
		const here = await at.place();
		expect(here).toMatch(/^fib:/);
		expect([(await at.frames()).length, await value("n")]).toEqual([depth, "3"]);
		await at.go("stepOut");
		expect([(await at.frames()).length, await value("n")]).toEqual([depth - 1, "4"]);
	});

	test("of one instruction is one instruction of the thread, forwards and back; over a call it is the whole call", async () => {
		const pc = async () => BigInt((await value("(uint64)$pc")) as string);
		const steps: bigint[] = [await pc()];
		for (let i = 0; i < 6; i++) {
			await at.go("stepIn", { granularity: "instruction" });
			steps.push(await pc());
		}
		expect(await position()).toBe(home + 6);
		for (let i = 5; i >= 0; i--) {
			await at.go("stepBack", { granularity: "instruction" });
			expect(await pc()).toBe(steps[i]);
		}
		expect(await position()).toBe(home);
		await lines({ line: line("call") });
		await at.go("continue");
		await lines();
		let called = false;
		for (let i = 0; i < 12; i++) {
			const before = await position();
			await at.go("next", { granularity: "instruction" });
			expect((await at.frames()).map(({ name }) => name)).toEqual(["main", "start"]);
			called ||= (await position()) > before + 5;
		}
		expect([called, await value("calls")]).toEqual([true, "1"]);
	});

	test("back by lines: through the lines of this function, over what they called", async () => {
		await lines({ line: line("store") });
		await at.go("continue");
		await lines();
		await at.go("stepBack");
		expect(await at.place()).toBe(`main:${line("fib")}`);
		expect(await value("total")).toBe("745");
		await at.go("next");
		expect([await at.place(), await value("total")]).toEqual([`main:${line("store")}`, "750"]);
	});

	test("back out of a function stands at its call", async () => {
		await functions({ name: "fib", condition: "n == 4" });
		await at.go("continue");
		await at.go("xv6/reverseStepOut");
		expect([(await at.frames())[0]?.name, await value("n")]).toEqual(["fib", "5"]);
		await at.go("xv6/reverseStepOut");
		expect(await at.place()).toBe(`main:${line("fib")}`);
	});

	test("over printf goes through the kernel and comes back to the next line", async () => {
		await lines({ line: line("print") });
		await at.go("continue");
		await lines();
		await at.go("next");
		expect(await at.place()).toBe(`main:${line("print") + 1}`);
		expect(session.output).toContain("total = 750");
	});
});

describe("in the past", () => {
	test("a continue backwards stands at the breakpoint hit before, and the distance is told", async () => {
		await lines({ line: line("call"), condition: "i == 3 || i == 6" }, { line: line("fib") });
		await at.go("continue");
		await at.go("continue");
		await at.go("continue");
		expect(await at.place()).toBe(`main:${line("fib")}`);
		const stop = await at.go("reverseContinue");
		expect(stop.reason).toBe("breakpoint");
		expect(stop.description).toBe("past: breakpoint");
		expect(stop.text).toMatch(/^Stopped at a breakpoint \(in the past, [\d,]+ instructions before the present\)$/);
		expect(await value("i")).toBe("6");
		await at.go("reverseContinue");
		expect(await value("i")).toBe("3");
		await at.go("continue");
		expect(await value("i")).toBe("6");
		const moved = session.told.findLast(({ event }) => event === "xv6/moved")?.body;
		expect(moved).toMatchObject({ isPast: true, position: await position(), what: `main user/prog.c:${line("call")}` });
	});

	test("who wrote a value: the machine stands before the store, or it is said that there was none", async () => {
		await lines({ line: line("print") });
		await at.go("continue");
		const stop = await at.go("xv6/whoWrote", { expression: "table[2]" });
		expect(stop).toMatchObject({ reason: "data breakpoint", description: "past: last write" });
		expect(stop.text).toMatch(/^The next instruction writes table\[2\] \(in the past, /);
		expect([await at.place(), await value("table[2]"), await value("total")]).toEqual([
			`main:${line("store")}`,
			"30",
			"750",
		]);
		await at.go("xv6/whoWrote", { expression: "calls" });
		expect([(await at.frames())[0]?.name, await value("calls")]).toEqual(["add", "9"]);
		const unmapped = await session.request("xv6/whoWrote", { expression: "*(int *)nowhere" });
		expect([unmapped.success, unmapped.message]).toEqual([
			false,
			"*(int *)nowhere is not mapped: there is no memory that was written. Ask about the page-table entry instead.",
		]);
		expect((await session.request("xv6/whoWrote", { expression: "1 + 1" })).message).toMatch(
			/^It is in a register, or nowhere/,
		);
	});

	test("nothing can be changed there, and a new future begins where one says so", async () => {
		await lines({ line: line("fib") });
		await at.go("continue");
		await at.go("xv6/goToInstruction", { instruction: home });
		const scope = await at.scope("Locals");
		const changed = await session.request("setVariable", { variablesReference: scope, name: "seven", value: "71" });
		expect(changed.message).toMatch(/^This would change the past and discard everything after it/);
		expect((await session.request("setExpression", { expression: "seven", value: "71" })).success).toBe(false);
		expect((await session.request("writeMemory", { memoryReference: "p:0x80000000", data: "AA==" })).success).toBe(
			false,
		);
		await at.go("xv6/newFuture");
		expect(await session.ask("xv6/timeline")).toMatchObject({ position: home, present: home, isPast: false });
		expect((await session.request("setExpression", { expression: "table[5]", value: "61" })).body).toMatchObject({
			value: "61",
		});
		await at.go("continue");
		expect([await at.place(), await value("table[5]")]).toEqual([`main:${line("fib")}`, "61"]);
	});

	test("the present is where it was left", async () => {
		await at.go("xv6/toPresent");
		await lines({ line: line("print") });
		if ((await at.place()) !== `main:${line("print")}`) await at.go("continue");
		const present = await position();
		await at.go("xv6/goToInstruction", { instruction: home + 3 });
		expect([await position(), (await session.ask("xv6/timeline")).present]).toEqual([home + 3, present]);
		const stop = await at.go("xv6/toPresent");
		expect([stop.text, stop.description, await position(), await value("total")]).toEqual([
			...["The present", "moved", present, "750"],
		]);
		expect((await session.request("xv6/goToInstruction", { instruction: -1 })).success).toBe(false);
		expect((await session.request("xv6/goToInstruction", { instruction: 0.5 })).success).toBe(false);
	});
});

describe("threads and stacks", () => {
	test("every process is a thread, and a sleeping one's stack leads from the kernel into its program", async () => {
		const { threads } = await session.ask("threads");
		const names = (threads as DebugProtocol.Thread[]).map(({ name }) => name);
		expect(names).toEqual([
			"pid 1 init (sleeping)",
			"pid 2 sh (sleeping)",
			expect.stringMatching(/^pid \d+ prog \(running on hart 0\)$/),
		]);
		const shell = await at.frames(2);
		const functions = shell.map(({ name }) => name);
		const order = ["sched", "sleep", "sys_wait", "syscall", "usertrap", "── user mode, pid 2 ──", "main"];
		expect(functions.filter((name) => order.includes(name))).toEqual(order);
		const border = shell.find(({ name }) => name.startsWith("──"));
		expect(border).toMatchObject({ line: 0, presentationHint: "label" });
		// What the build made has no source that anybody could open.
		const stub = shell.findLast(({ name }) => name === "wait");
		expect(stub).toMatchObject({ line: 0, presentationHint: "subtle" });
		expect(stub).not.toHaveProperty("source");
	});

	test("a stack comes in pieces, with all its frames counted", async () => {
		const whole = await at.frames(2);
		const { stackFrames, totalFrames } = await session.ask("stackTrace", { threadId: 2, startFrame: 1, levels: 2 });
		expect(totalFrames).toBe(whole.length);
		expect((stackFrames as DebugProtocol.StackFrame[]).map(({ name }) => name)).toEqual(
			whole.slice(1, 3).map(({ name }) => name),
		);
		const rest = await session.ask("stackTrace", { threadId: 2, startFrame: 2, levels: 0 });
		expect(rest.stackFrames).toHaveLength(whole.length - 2);
		expect((await session.request("stackTrace", { threadId: 77 })).message).toMatch(/^There is no thread 77/);
	});
});

test("a client that counts lines and columns from 0 is spoken to from 0", async () => {
	const other = await program.session({ stopOnEntry: false }, { linesStartAt1: false, columnsStartAt1: false });
	const { breakpoints } = await other.ask("setBreakpoints", {
		source: { path: file },
		breakpoints: [{ line: line("here") - 1 }],
	});
	expect(breakpoints[0]).toMatchObject({ verified: true, line: line("here") - 1 });
	await other.request("configurationDone");
	const there = new Standing(other, await other.stopped());
	const [top] = await there.frames();
	expect([top?.line, top?.column]).toEqual([line("here") - 1, ((await at.frames())[0]?.column ?? 0) - 1]);
	other.dispose();
}, 60_000);

test("a page fault stops a step, and its text says whose it is and where", async () => {
	const other = await program.standingAt("fault", { command: "prog x" });
	await other.session.ask("setExceptionBreakpoints", { filters: ["page-fault", "nonsense"] });
	const stop = await other.go("next");
	expect(stop).toMatchObject({ reason: "exception", description: expect.stringMatching(/^store.* page fault$/) });
	expect(stop.text).toMatch(/^pid \d+ prog: store.* page fault at pc 0x[0-9a-f]+, address 0x3f00000000$/);
	expect((await other.session.ask("exceptionInfo")).exceptionId).toBe(stop.description);
	// Where the kernel ends the process for it.
	await other.session.ask("setExceptionBreakpoints", { filters: ["killed"] });
	const killed = await other.go("continue");
	expect(killed.text).toMatch(/store.* page fault at pc .*; the kernel ends the process$/);
	other.session.dispose();
}, 60_000);
