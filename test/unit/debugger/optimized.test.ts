import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { DapSession } from "../../support/dapSession.ts";
import { DebuggedProgram, type Standing } from "../../support/debuggedProgram.ts";
import { repository } from "../../support/lab.ts";

/** The kernel as its Makefile builds it, with -O: functions that were inlined, and values that are not in memory, or nowhere. */
const program = new DebuggedProgram([], false);
let session: DapSession;
let at: Standing;
let home = 0;

beforeAll(async () => {
	at = await program.standingAt("print");
	session = at.session;
	home = (await session.ask("xv6/timeline")).position;
}, 120_000);
afterAll(() => program.close());
afterEach(() => at.go("xv6/goToInstruction", { instruction: home }));

async function to(name: string, more: object = {}): Promise<void> {
	await session.ask("setFunctionBreakpoints", { breakpoints: [{ name, ...more }] });
	await at.go("continue");
	await session.ask("setFunctionBreakpoints", { breakpoints: [] });
}
const names = async (count: number) => (await at.frames()).slice(0, count).map(({ name }) => name);
describe("a function that was inlined", () => {
	test("has a frame of its own, with its own line, in the function that has it", async () => {
		await to("push_off@kernel");
		const frames = (await at.frames()).slice(0, 5);
		expect(frames.map(({ name }) => name)).toEqual([
			...["r_sstatus (inlined)", "intr_get (inlined)", "push_off", "myproc", "usertrap"],
		]);
		const text = ({ source, line }: DebugProtocol.StackFrame) =>
			readFileSync(join(repository, "xv6/kernel", source?.name ?? ""), "utf8").split("\n")[line - 1];
		for (const [i, callee] of ["r_sstatus", "intr_get", "push_off", "myproc"].entries())
			expect(text(frames[i + 1] as DebugProtocol.StackFrame)).toContain(`${callee}()`);
		// They stand in one place of the machine's code.
		const places = frames.map(({ instructionPointerReference }) => instructionPointerReference);
		expect(new Set(places.slice(0, 3)).size).toBe(1);
		expect(new Set(places).size).toBe(3);
	});

	test("is stepped into, and over, and out of, as if it was called", async () => {
		await to("push_off@kernel");
		await at.go("stepOut");
		expect(await names(2)).toEqual(["intr_off (inlined)", "push_off"]);
		await at.go("stepIn");
		expect((await names(1))[0]).toBe("push_off");
		const { position: instruction } = await session.ask("xv6/timeline");
		await at.go("stepIn");
		expect(await names(4)).toEqual(["r_tp (inlined)", "cpuid (inlined)", "mycpu", "push_off"]);
		await at.go("stepOut");
		expect((await names(1))[0]).toBe("mycpu");
		await at.go("xv6/goToInstruction", { instruction });
		await at.go("next");
		expect(await names(2)).toEqual(["push_off", "myproc"]);
	});

	test("is left backwards with the function that has it", async () => {
		await to("push_off@kernel");
		await at.go("xv6/reverseStepOut");
		expect(await names(2)).toEqual(["myproc", "usertrap"]);
	});
});

describe("a value", () => {
	test("that the compiler left out says so, and has nothing below it", async () => {
		await to("push_off@kernel");
		const frame = (await at.frames()).find(({ name }) => name === "push_off");
		const locals = await at.variables(await at.scope("Locals", frame?.id));
		const here = locals.find(({ name }) => name === "here");
		expect([here?.value, here?.variablesReference]).toEqual(["<it was optimized out>", 0]);
		const where = { frameId: frame?.id };
		expect(await at.evaluate("wereon", where)).toBe("<it was optimized out>");
		expect(await at.evaluate("wereon + 1", where)).toBe(
			"! A value is not known here: it was optimized out. ".concat(
				"Write a C expression of variables, members and registers ($a0), without calls or assignments.",
			),
		);
		expect(await at.evaluate("here->noff", where)).toMatch(/^! The pointer is not known here: it was optimized out/);
		expect(await at.evaluate("*here", where)).toMatch(/^! The pointer is not known here: it was optimized out/);
		expect(await at.evaluate("&wereon", where)).toMatch(
			/^! It has no address: it is in a register, or was optimized out/,
		);
	});

	test("that is an array, of which nothing is left, ends where it did", async () => {
		expect(await at.evaluate("copy.name[2]")).toBe("<it was optimized out>");
		expect(await at.evaluate("copy.name[8]")).toMatch(/^! \[8\] is outside of the array, which is not in memory/);
		expect(await at.evaluate("copy.name[-1]")).toMatch(/^! \[-1\] is outside of the array/);
	});

	test("of which a part is left is that part, also of a structure inside", async () => {
		expect(await at.evaluate("copy.at.x")).toBe("99");
		expect(await at.evaluate("copy.at")).toBe("{x = 99, y = <it was optimized out>}");
	});

	test("that a call has overwritten is lost", async () => {
		const start = (await at.frames()).find(({ name }) => name === "start");
		const locals = await at.variables(await at.scope("Locals", start?.id));
		expect(locals.map(({ name, value }) => [name, value])).toEqual([
			["argc", "<its register's value is lost>"],
			["argv", "<its register's value is lost>"],
		]);
	});

	test("that is nowhere cannot be set, watched, or asked who wrote it", async () => {
		if ((await session.ask("xv6/timeline")).isPast) await at.go("xv6/newFuture");
		const set = await session.request("setExpression", { expression: "total", value: "3" });
		expect(set.message).toMatch(/^It is in a register, or nowhere: it cannot be changed\. Set the register itself/);
		expect(await session.ask("dataBreakpointInfo", { name: "total" })).toEqual({
			dataId: null,
			description: "It is in a register, or nowhere: only what is in memory can be watched",
		});
		const who = await session.request("xv6/whoWrote", { expression: "total" });
		expect(who.message).toMatch(/^It is in a register, or nowhere: .* Use the debug build/);
		const scope = await at.scope("Locals");
		expect((await session.ask("dataBreakpointInfo", { variablesReference: scope, name: "total" })).dataId).toBeNull();
	});

	test("that a condition needs and that is not known stops the machine", async () => {
		await to("push_off@kernel", { condition: "wereon == 5" });
		expect(await names(3)).toContain("push_off");
	});

	test("of a structure in memory is all there, through a pointer in a register", async () => {
		await to("flush@prog");
		expect(await names(2)).toEqual(["flush (inlined)", "printf"]);
		expect(await at.evaluate("o")).toMatch(/^0x[0-9a-f]+ \{fd = 1, n = 0, buf = "total = 750\\x0a"/);
		expect(await at.evaluate("o->buf[0]")).toBe("116 't'");
		expect((await at.children("o")).map(({ name }) => name)).toEqual(["fd", "n", "buf", "(page-table entry)"]);
		const [, caller] = (await at.frames()) as [DebugProtocol.StackFrame, DebugProtocol.StackFrame];
		expect(await at.evaluate("&o", { frameId: caller.id })).toMatch(
			new RegExp(`^${((await at.evaluate("o")) as string).split(" ")[0]} `),
		);
	});
});
