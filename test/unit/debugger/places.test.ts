import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { DapSession } from "../../support/dapSession.ts";
import { DebuggedProgram, lineOf, type Standing, tree } from "../../support/debuggedProgram.ts";
import { catalog } from "../../support/lab.ts";

/** Where code and data are: in sources that several programs have, on the trampoline, in one process' space, in one that has another's name. */
const program = new DebuggedProgram();
let session: DapSession;
let at: Standing;
let home = 0;
let sources: ReadonlyMap<string, Uint8Array>;

beforeAll(async () => {
	sources = await catalog.workspace(undefined);
	at = await program.standingAt("here");
	session = at.session;
	home = await position();
}, 120_000);
afterAll(() => program.close());
afterEach(async () => {
	for (const request of ["setFunctionBreakpoints", "setDataBreakpoints"])
		await session.ask(request, { breakpoints: [] });
	await at.go("xv6/goToInstruction", { instruction: home });
});

const position = async () => (await session.ask("xv6/timeline")).position as number;
const lines = async (path: string, ...list: number[]) =>
	(
		await session.ask("setBreakpoints", {
			...{ source: { path: `${tree}/${path}` }, breakpoints: list.map((line) => ({ line })) },
		})
	).breakpoints as DebugProtocol.Breakpoint[];
const functions = (...names: string[]) =>
	session.ask("setFunctionBreakpoints", { breakpoints: names.map((name) => ({ name })) });
const lineIn = (path: string, text: string) => lineOf(text, new TextDecoder().decode(sources.get(path)));
const names = async (thread = at.thread) => (await at.frames(thread)).map(({ name }) => name);

describe("a breakpoint", () => {
	test("in a source of many programs counts in the process that runs it", async () => {
		const path = "user/printf.c";
		const line = lineIn(path, "write(o->fd, o->buf, o->n);");
		const [one] = await lines(path, line);
		expect(one).toMatchObject({ verified: true, line });
		const stop = await at.go("continue");
		expect([stop.threadId, stop.hitBreakpointIds, await at.place()]).toEqual([at.thread, [one?.id], `flush:${line}`]);
		await lines(path);
	});

	test("in a header of the kernel counts wherever the compiler put it, and in no program", async () => {
		const path = "kernel/riscv.h";
		const line = lineIn(path, "return (r_sstatus() & SSTATUS_SIE) != 0;");
		const [one] = await lines(path, line);
		expect(one).toMatchObject({ verified: true, line });
		const stop = await at.go("continue");
		const [top] = await at.frames(stop.threadId);
		expect([top?.name, top?.line, top?.source?.path]).toEqual(["intr_get", line, `${tree}/${path}`]);
		await lines(path);
	});

	test("on the trampoline stops where every space maps it, and is passed by the next continue", async () => {
		await functions("userret@kernel");
		const stops: number[] = [];
		for (let i = 0; i < 2; i++) {
			expect((await at.go("continue")).reason).toBe("function breakpoint");
			stops.push(await position());
			expect(await at.evaluate("($pc & ~0xfff) == 0x3ffffff000")).toBe("1");
		}
		expect(stops[1]).toBeGreaterThan(stops[0] as number);
	});

	test("of an instruction at a program's address counts in no kernel code, and has its offset", async () => {
		const { memoryReference } = await session.ask("evaluate", { expression: "&fib" });
		const { breakpoints } = await session.ask("setInstructionBreakpoints", {
			breakpoints: [{ instructionReference: memoryReference, offset: 2, condition: "$a0 == 3" }],
		});
		const address = BigInt((memoryReference as string).replace(/^.*:/, "")) + 2n;
		expect(breakpoints[0].instructionReference).toBe(`0x${address.toString(16)}`);
		await at.go("continue");
		expect([await at.evaluate("(uint64)$pc"), await at.evaluate("$a0")]).toEqual([`0x${address.toString(16)}`, "0x3"]);
		await session.ask("setInstructionBreakpoints", { breakpoints: [] });
	});
});

describe("data", () => {
	const watch = async (dataId: unknown, accessType = "write", more: object = {}) =>
		session.ask("setDataBreakpoints", { breakpoints: [{ dataId, accessType, ...more }] });

	test("by an address is watched in the space of the process that stands, and no farther than it was asked", async () => {
		const address = await at.evaluate("(uint64)&table[2]");
		const info = await session.ask("dataBreakpointInfo", { name: address, asAddress: true, bytes: 4 });
		expect(info).toMatchObject({
			dataId: `u${at.thread}:${address}:4`,
			description: `4 bytes at u${at.thread}:${address}`,
		});
		await watch(info.dataId);
		expect(await at.go("continue")).toMatchObject({
			reason: "data breakpoint",
			text: expect.stringMatching(`^Stopped after an access to ${address}`),
		});
		expect([await at.evaluate("table[2]"), (await names())[0]]).toEqual(["750", "main"]);
		// Beside it nothing is stored.
		await at.go("xv6/goToInstruction", { instruction: home });
		await watch(`u${at.thread}:0x${(BigInt(address) + 4n).toString(16)}:4`);
		await lines("user/prog.c", program.line("print"));
		expect((await at.go("continue")).reason).toBe("breakpoint");
		await lines("user/prog.c");
	});

	test("is watched where a condition holds", async () => {
		const { dataId } = await session.ask("dataBreakpointInfo", { name: "calls" });
		await watch(dataId, "write", { condition: "calls == 7" });
		await at.go("continue");
		expect(await at.evaluate("calls")).toBe("7");
	});

	test("that was written is found backwards, too, right after each store", async () => {
		const { dataId } = await session.ask("dataBreakpointInfo", { name: "calls" });
		await lines("user/prog.c", program.line("fib"));
		await at.go("continue");
		await lines("user/prog.c");
		const { breakpoints } = await watch(dataId);
		for (const calls of ["10", "9"]) {
			const stop = await at.go("reverseContinue");
			expect(stop).toMatchObject({ reason: "data breakpoint", hitBreakpointIds: [breakpoints[0].id] });
			expect(await at.evaluate("calls")).toBe(calls);
		}
	});

	test("of a row of the Variables view says who wrote it: a local, and the page-table entry below a pointer", async () => {
		await lines("user/prog.c", program.line("print"));
		await at.go("continue");
		await lines("user/prog.c");
		const instruction = await position();
		const locals = await at.scope("Locals");
		const info = await session.ask("dataBreakpointInfo", { variablesReference: locals, name: "total" });
		expect(info.description).toMatch(/^total \(4 bytes at p:0x8[0-9a-f]+\)$/);
		const { variablesReference } = await session.ask("evaluate", { expression: "p" });
		const entry = await at.go("xv6/whoWrote", { variablesReference, name: "(page-table entry)" });
		expect(entry.text).toMatch(/^The next instruction writes the page-table entry \(in the past, /);
		await at.go("xv6/goToInstruction", { instruction });
		const total = await at.go("xv6/whoWrote", { variablesReference: await at.scope("Locals"), name: "total" });
		expect(total.text).toMatch(/^The next instruction writes total \(in the past, /);
		expect([await at.place(), await at.evaluate("total")]).toEqual([`main:${program.line("fib")}`, "745"]);
	});
});

describe("a process", () => {
	test("that is the only one yet shows its own instructions", async () => {
		await functions("main@init");
		const { threadId } = await at.go("reverseContinue");
		expect((await session.ask("threads")).threads).toHaveLength(1);
		const [top] = await at.frames(threadId);
		const { instructions } = await session.ask("disassemble", {
			...{ memoryReference: top?.instructionPointerReference, instructionCount: 1 },
		});
		expect([threadId, instructions[0].symbol]).toEqual([1, expect.stringMatching(/^main\b/)]);
	});

	test.each(["xrog", "sh", ""])("that is called `%s` shows the program that it runs", async (name) => {
		if ((await session.ask("xv6/timeline")).isPast) await at.go("xv6/newFuture");
		for (const [i, letter] of [...`${name}\0`].entries())
			await session.ask("setExpression", { expression: `proc[2].name[${i}]`, value: `${letter.charCodeAt(0)}` });
		expect(await at.place()).toBe(`main:${program.line("here")}`);
		const threads = (await session.ask("threads")).threads as DebugProtocol.Thread[];
		expect(threads.find(({ id }) => id === at.thread)?.name).toBe(
			`pid ${at.thread} ${name || "(no name)"} (running on hart 0)`,
		);
	});
});

test("a step that takes long ends with a pause where it is", async () => {
	await lines("user/prog.c", program.line("print"));
	await at.go("continue");
	await lines("user/prog.c");
	if ((await session.ask("xv6/timeline")).isPast) await at.go("xv6/newFuture");
	const [top] = await at.frames();
	// `j .`
	await session.ask("writeMemory", { memoryReference: top?.instructionPointerReference, data: btoa("\x01\xa0") });
	const stopped = at.go("next");
	for (let i = 0; i < 5; i++) await new Promise(setImmediate);
	await session.request("pause");
	expect(await stopped).toMatchObject({ reason: "step", text: "Paused in the middle of a step" });
	expect(await at.place()).toBe(`main:${program.line("print")}`);
});
