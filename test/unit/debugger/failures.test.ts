import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Emitter } from "../../../src/common/event.ts";
import type { DapSession } from "../../support/dapSession.ts";
import { DebuggedProgram, file, type Standing } from "../../support/debuggedProgram.ts";

/** What stops the machine by itself: one that stands in a program right before its store through a bad pointer, and is made to fail. */
const program = new DebuggedProgram();
let session: DapSession;
let at: Standing;
/** Where the machine stands, and a moment before that which no test changes. */
let home = 0;
let before = 0;
const lines = (...marks: string[]) =>
	session.ask("setBreakpoints", {
		source: { path: file },
		breakpoints: marks.map((mark) => ({ line: program.line(mark) })),
	});

beforeAll(async () => {
	at = await program.standingAt("fib", { command: "prog x" });
	session = at.session;
	const position = async () => (await session.ask("xv6/timeline")).position;
	before = await position();
	await lines("fault");
	await at.go("continue");
	await lines();
	home = await position();
}, 120_000);
afterAll(() => program.close());

/** What a test broke has not happened. */
afterEach(async () => {
	await stopFor();
	await at.go("xv6/goToInstruction", { instruction: before });
	await at.go("xv6/newFuture");
	await lines("fault");
	await at.go("continue");
	expect(await at.place()).toBe(`main:${program.line("fault")}`);
	await lines();
	session.output = "";
});

const stopFor = (...filters: string[]) => session.ask("setExceptionBreakpoints", { filters });
/** The store goes where it may, and nothing of it fails. */
const mend = () => set("nowhere", "(long)&calls");
const printed = async (text: string) => {
	while (!session.output.includes(text)) await session.next("output");
};
/** Continues up to the shell's next prompt, and pauses there. */
async function toPrompt(): Promise<string | undefined> {
	session.output = "";
	await session.request("continue", { threadId: at.thread });
	await printed("$ ");
	await session.request("pause");
	return (await session.stop()).reason;
}
const set = (expression: string, value: string) => session.ask("setExpression", { expression, value });
const about = () => session.ask("exceptionInfo");
/** Puts an instruction where a kernel function begins. */
async function patch(name: string, ...bytes: number[]): Promise<void> {
	const { memoryReference } = await session.ask("evaluate", { expression: `&${name}` });
	await session.ask("writeMemory", { memoryReference, data: btoa(String.fromCharCode(...bytes)) });
}
/** No instruction; and `lw zero, 16(zero)`. */
const illegal = [0, 0];
const badLoad = [0x03, 0x20, 0x00, 0x01];
const who = `pid \\d+ prog`;
const fault = `${who}: store\\/AMO page fault at pc 0x[0-9a-f]+, address 0x3f00000000`;

describe("a fault of a program", () => {
	test("that the kernel does not serve stops where the process is ended", async () => {
		await stopFor("killed");
		const stop = await at.go("continue");
		expect(stop).toMatchObject({ reason: "exception", description: "store/AMO page fault", threadId: at.thread });
		expect(stop.text).toMatch(new RegExp(`^${fault}; the kernel ends the process$`));
		expect((await at.frames())[0]?.name).toMatch(/^k?exit$/);
		const info = await about();
		expect(info).toMatchObject({ exceptionId: "store/AMO page fault", breakMode: "always" });
		expect(info.details).toEqual({ typeName: "killed", message: info.description });
		expect(info.description).toBe(stop.text);
	});

	test("stops at the trap itself where page faults do, and once more where it kills", async () => {
		await stopFor("page-fault", "killed");
		const stop = await at.go("continue");
		expect(stop.text).toMatch(new RegExp(`^${fault}$`));
		expect((await about()).details.typeName).toBe("page-fault");
		expect(await at.evaluate("$scause")).toBe("0xf");
		expect((await at.go("continue")).text).toMatch(/; the kernel ends the process$/);
	});

	test("is passed where nothing of it was asked for; so is the exit of a program that did nothing wrong", async () => {
		await stopFor("panic", "kernel-trap");
		expect([await toPrompt(), session.output]).toEqual(["pause", expect.stringContaining("usertrap")]);
	});

	test("is none where the program exits by itself", async () => {
		await mend();
		await stopFor("killed", "page-fault");
		expect([await toPrompt(), session.output]).toEqual(["pause", expect.stringContaining("total = ")]);
	});
});

describe("a fault of the kernel", () => {
	test.each([
		["an illegal instruction", illegal, "illegal instruction at pc 0x[0-9a-f]+"],
		["a load from an address that is not mapped", badLoad, "load page fault at pc 0x[0-9a-f]+, address 0x10"],
	])("%s stops at the trap, and its panic after it", async (_, code, text) => {
		await mend();
		await patch("sys_write", ...code);
		await stopFor("kernel-trap", "panic");
		const stop = await at.go("continue");
		expect(stop.text).toMatch(new RegExp(`^In the kernel: ${who}: ${text}$`));
		expect((await about()).details.typeName).toBe("kernel-trap");
		expect((await at.frames()).map(({ name }) => name)).toContain("sys_write");
		const panic = await at.go("continue");
		expect(panic).toMatchObject({ reason: "exception", description: "panic", text: "panic: kerneltrap" });
		expect((await at.frames())[0]?.name).toBe("panic");
		expect((await about()).details.typeName).toBe("panic");
		// On the way back nothing stops for what failed; on the way there it does again.
		await at.go("xv6/goToInstruction", { instruction: home });
		expect((await at.go("continue")).text).toMatch(
			/^In the kernel: .* \(in the past, [\d,]+ instructions? before the present\)$/,
		);
		await at.go("reverseContinue");
		expect((await session.ask("xv6/timeline")).position).toBeLessThan(home);
	});

	test("a lock that is never released stops where the machine spins, on the hart that does", async () => {
		await set("tickslock.locked", "1");
		await stopFor("no-progress");
		const stop = await at.go("continue");
		expect(stop).toMatchObject({ reason: "exception", description: "no progress" });
		const functions = (await at.frames(stop.threadId)).map(({ name }) => name);
		expect(functions).toEqual(expect.arrayContaining(["acquire", "clockintr"]));
		const info = await about();
		expect(info.details.typeName).toBe("no-progress");
		expect(info.description).toMatch(/with interrupts off.* a lock was not released/);
	});

	test("what is wrong with its memory stops when it is first seen; what is only worth knowing does not", async () => {
		const findings = new Emitter<{ sentence: string; severity: "error" | "warning" | "info" }>();
		const other = await program.initialized({
			change: (target) => {
				let traps = 0;
				target.machine.onTrap(() => {
					traps++;
					if (traps === 100) findings.fire({ sentence: "All is well", severity: "info" });
					if (traps === 200) findings.fire({ sentence: "Two owners of one frame", severity: "warning" });
				});
				return { ...target, onFinding: findings.event };
			},
		});
		await other.request("launch", { harts: 1 });
		await other.ask("setExceptionBreakpoints", { filters: ["finding"] });
		await other.request("configurationDone");
		expect(await other.stop()).toMatchObject({ description: "finding", text: "Two owners of one frame" });
		expect((await other.ask("exceptionInfo")).details.typeName).toBe("finding");
	});
});

describe("a run to what fails", () => {
	const beforeIt = "past: before the failure";

	test("of a program stands at the instruction that faults, whatever breakpoints are on the way", async () => {
		await stopFor("panic");
		await lines("print", "fault");
		await at.go("xv6/goToInstruction", { instruction: home - 1 });
		const stop = await at.go("xv6/runToFailure");
		expect(stop).toMatchObject({ reason: "exception", description: beforeIt, threadId: at.thread });
		expect(stop.text).toMatch(new RegExp(`^Right before the failure: ${fault}`));
		expect(session.output).toContain("Right before the failure:");
		expect([await at.place(), (await at.evaluate("$pc")).split(" ")[0]]).toEqual([
			`main:${program.line("fault")}`,
			/at pc (0x[0-9a-f]+)/.exec(stop.text ?? "")?.[1],
		]);
		expect((await session.ask("xv6/timeline")).isPast).toBe(true);
		// Breakpoints count again, and only the filters that were set stop.
		await at.go("xv6/goToInstruction", { instruction: home - 1 });
		expect((await at.go("continue")).reason).toBe("breakpoint");
		await lines();
		expect(await toPrompt()).toBe("pause");
	});

	test("of kernel code stands at the instruction that faults", async () => {
		await mend();
		await patch("sys_write", ...illegal);
		const stop = await at.go("xv6/runToFailure");
		expect(stop).toMatchObject({ description: beforeIt });
		expect(stop.text).toMatch(/^Right before the failure: In the kernel: .*illegal instruction/);
		expect([(await at.frames())[0]?.name, await at.evaluate("$pc == &sys_write")]).toEqual(["sys_write", "1"]);
	});

	test("of a kernel that panics stands at the call of panic", async () => {
		await mend();
		// Its own lock is held already when it enters the kernel.
		await set("proc[2].lock.locked", "1");
		await set("proc[2].lock.cpu", "(long)&cpus[0]");
		const stop = await at.go("xv6/runToFailure");
		expect(stop).toMatchObject({ description: beforeIt });
		expect(stop.text).toMatch(/^Right before the failure: panic: /);
		const [top] = await at.frames();
		expect(top?.name).not.toBe("panic");
		await at.go("stepIn");
		expect((await at.frames()).map(({ name }) => name).slice(0, 2)).toEqual(["panic", top?.name]);
	});

	test("where nothing fails shows the program's end", async () => {
		await mend();
		const stop = await at.go("xv6/runToFailure");
		expect(stop).toMatchObject({ reason: "pause", text: "The program exits, and nothing failed before" });
		expect((await at.frames()).map(({ name }) => name)).toContain("main");
		expect(session.output).toContain("total = ");
	});

	test("is what a launch may begin with", async () => {
		const other = await program.session({ command: "prog x", until: "failure" });
		await other.request("configurationDone");
		expect(await other.stop()).toMatchObject({ description: beforeIt });
		other.dispose();
	});
});
