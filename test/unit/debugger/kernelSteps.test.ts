import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { DapSession } from "../../support/dapSession.ts";
import { DebuggedProgram, type Standing } from "../../support/debuggedProgram.ts";

/** Steps over the borders: into the kernel and back, through processes that sleep, wake, fork and exit, and through interrupts. */
const program = new DebuggedProgram();
let session: DapSession;
let at: Standing;
let home = 0;

beforeAll(async () => {
	at = await program.standingAt("print");
	session = at.session;
	home = await here();
}, 120_000);
afterAll(() => program.close());
afterEach(async () => {
	await at.go("xv6/goToInstruction", { instruction: home });
	await functions();
});

const functions = (...list: (string | object)[]) =>
	session.ask("setFunctionBreakpoints", {
		breakpoints: list.map((name) => (typeof name === "string" ? { name } : name)),
	});
const names = async (thread = at.thread) => (await at.frames(thread)).map(({ name }) => name);
const here = async () => (await session.ask("xv6/timeline")).position as number;
const pc = async () => (await at.frames())[0]?.instructionPointerReference;
const border = () => `── user mode, pid ${at.thread} ──`;
/** Continues to a function, with no breakpoint after that. */
async function to(name: string | object): Promise<DebugProtocol.StoppedEvent["body"]> {
	await functions(name);
	const stop = await at.go("continue");
	await functions();
	return stop;
}

describe("a system call", () => {
	test("is entered from the line that makes it, and left to it", async () => {
		await to("flush@prog");
		for (let i = 0; i < 5 && (await names())[0] === "flush"; i++) await at.go("stepIn");
		const inside = await names();
		expect(inside.slice(0, 4)).toEqual(["usertrap", border(), "write", "flush"]);
		// The program stands at its ecall until usertrap has moved the pc that it will return to.
		const program = async () => (await at.frames())[2]?.instructionPointerReference;
		const ecall = await program();
		const { instructions } = await session.ask("disassemble", { memoryReference: ecall, instructionCount: 2 });
		expect(instructions[0].instruction).toBe("ecall");
		const seen: (string | undefined)[] = [];
		while (seen.at(-1) !== `u${at.thread}:${instructions[1].address}` && seen.length < 12) {
			await at.go("next");
			seen.push(await program());
		}
		expect([...new Set(seen)]).toEqual([ecall, `u${at.thread}:${instructions[1].address}`]);
		await at.go("stepOut");
		expect((await names())[0]).toBe("flush");
		expect(session.output).toContain("total = 750");
	});

	test("is left backwards to its ecall", async () => {
		await to("sys_write@kernel");
		for (const caller of ["syscall", "usertrap", "write"]) {
			await at.go("xv6/reverseStepOut");
			expect((await names())[0]).toBe(caller);
		}
		const { instructions } = await session.ask("disassemble", { memoryReference: await pc(), instructionCount: 1 });
		expect([instructions[0].instruction, await at.evaluate("$a7 == 16")]).toEqual(["ecall", "1"]);
	});

	test("is one instruction for a step over its ecall, and leads to the trampoline for a step into it", async () => {
		await to("write@prog");
		const { instructions } = await session.ask("disassemble", { memoryReference: await pc(), instructionCount: 4 });
		const list = instructions as DebugProtocol.DisassembledInstruction[];
		const [ecall, next] = list.slice(list.findIndex(({ instruction }) => instruction === "ecall"));
		await at.go("stepIn", { granularity: "instruction" });
		expect(await pc()).toBe(`u${at.thread}:${ecall?.address}`);
		const position = await here();
		await at.go("next", { granularity: "instruction" });
		expect(await pc()).toBe(`u${at.thread}:${next?.address}`);
		expect(await here()).toBeGreaterThan(position + 100);
		await at.go("xv6/goToInstruction", { instruction: position });
		await at.go("stepIn", { granularity: "instruction" });
		expect([(await names()).slice(1, 3), await here()]).toEqual([[border(), "write"], position + 1]);
		expect(await at.evaluate("(uint64)$pc")).toBe("0x3ffffff000");
	});

	test("is seen from the kernel with the program's values below the border", async () => {
		await to("sys_write@kernel");
		const frames = await at.frames();
		expect(frames.map(({ name }) => name)).toEqual([
			...["sys_write", "syscall", "usertrap", border(), "write", "flush", "put", "format", "printf", "main", "start"],
		]);
		const main = frames.find(({ name }) => name === "main")?.id;
		expect([await at.evaluate("total", { frameId: main }), await at.evaluate("seven", { frameId: main })]).toEqual([
			...["750", "70"],
		]);
		expect(await at.evaluate("$satp", { frameId: main })).toMatch(
			/^! \$satp belongs to a hart, and this frame is on none/,
		);
		// Code of the kernel has its symbol, a register that holds none has none.
		const registers = await at.variables(await at.scope("Registers", frames[0]?.id));
		const register = (name: string) => registers.find((one) => one.name === name)?.value;
		expect([register("pc"), register("ra"), register("sp")]).toEqual([
			expect.stringMatching(/^0x8[0-9a-f]+ <sys_write\+0x[0-9a-f]+>$/),
			expect.stringMatching(/^0x8[0-9a-f]+ <syscall\+0x[0-9a-f]+>$/),
			expect.stringMatching(/^0x3f[0-9a-f]+$/),
		]);
		const globals = (await at.variables(await at.scope("Globals", frames[0]?.id))).map(({ name }) => name);
		expect(globals).toEqual(expect.arrayContaining(["proc", "ticks", "kernel_pagetable"]));
		// The kernel's code runs for this process, and sees its memory where it has none of its own.
		expect(await at.evaluate("myproc()")).toMatch(/cannot be called/);
		expect(await at.evaluate("cpus[0].proc->name")).toBe('"prog"');
	});

	test("goes back to its process by steps over the last lines of usertrap", async () => {
		await to({ name: "usertrapret@kernel", condition: `cpus[0].proc->pid == ${at.thread}` });
		for (let i = 0; i < 20 && (await names()).includes("usertrapret"); i++) await at.go("next");
		expect((await names())[0]).toBe("flush");
		// Also instruction by instruction.
		await at.go("xv6/goToInstruction", { instruction: home });
		await to({ name: "usertrapret@kernel", condition: `cpus[0].proc->pid == ${at.thread}` });
		for (let i = 0; i < 200 && (await names()).includes("usertrapret"); i++)
			await at.go("next", { granularity: "instruction" });
		expect((await names())[0]).toBe("flush");
	});
});

test("a kernel whose usertrap leaves it to another function to keep the program's pc shows the pc that was kept", async () => {
	const other = new DebuggedProgram([], true, {
		"kernel/trap.c": [
			[
				"void\nusertrap(void)",
				"static void\nkeep(struct trapframe *frame, int more)\n{\n  frame->epc = r_sepc() + more;\n}\n\nvoid\nusertrap(void)",
			],
			["p->trapframe->epc = r_sepc();", "keep(p->trapframe, 0);"],
			["p->trapframe->epc += 4;", "keep(p->trapframe, 4);"],
		],
	});
	const there = await other.standingAt("print");
	await there.session.ask("setFunctionBreakpoints", { breakpoints: [{ name: "sys_write@kernel" }] });
	await there.go("continue");
	// sepc is still the ecall; what counts is the trap frame's, and the program goes on after its ecall.
	const write = (await there.frames()).find(({ name }) => name === "write");
	const { instructions } = await there.session.ask("disassemble", {
		...{ memoryReference: write?.instructionPointerReference, instructionOffset: -1, instructionCount: 2 },
	});
	expect((instructions as DebugProtocol.DisassembledInstruction[]).map(({ instruction }) => instruction)).toEqual([
		...["ecall", "ret"],
	]);
	there.session.dispose();
}, 60_000);

describe("a process", () => {
	test("that exits ends its step, and says so", async () => {
		await at.go("next");
		const stop = await at.go("next");
		expect(stop).toMatchObject({ reason: "step", text: expect.stringMatching(`^pid ${at.thread} has exited`) });
		expect(await at.evaluate("cpus[0].proc->state")).toBe("ZOMBIE");
		expect(session.output).toContain("total = 750");
	});

	test("that sleeps is stepped when it runs again, and nothing else stops for it", async () => {
		expect((await names(2))[0]).toBe("sched");
		const stop = await at.go("next", { threadId: 2 });
		expect([stop.threadId, stop.reason]).toEqual([2, "step"]);
		// The program, for which the shell waited, has ended meanwhile.
		expect((await session.ask("threads")).threads).toContainEqual(
			expect.objectContaining({ name: expect.stringMatching(/prog \(zombie\)/) }),
		);
		expect((await names(2)).slice(0, 4)).toEqual(["sched", "leave", "sleep", "wait"]);
		for (const name of ["leave", "sleep", "wait"]) {
			await at.go("stepOut", { threadId: 2 });
			expect((await names(2))[0]).toBe(name);
		}
	});

	test("that forks is followed, not its child", async () => {
		await session.request("continue", { threadId: at.thread });
		await session.request("xv6/type", { text: "echo child\n" });
		await functions("fork1@sh");
		const threadId = await session.stopped();
		await functions();
		const stop = await at.go("next", { threadId });
		const [top] = await at.frames(threadId);
		expect([stop.threadId, top?.name]).toEqual([threadId, "fork1"]);
		expect(await at.evaluate("pid > 2", { frameId: top?.id })).toBe("1");
		expect(await at.evaluate("$a0 == pid", { frameId: top?.id })).toBe("1");
	});
});

describe("an interrupt", () => {
	const atKernel = { name: "kerneltrap@kernel", condition: "cpus[0].proc != 0" };

	/** Of a process that is in the kernel: much is written until one comes. */
	async function interrupted(): Promise<number> {
		await functions(atKernel);
		await session.request("continue", { threadId: at.thread });
		await session.request("xv6/type", { text: "grep x README README README README\n".repeat(20) });
		return session.stopped();
	}

	test("of kernel code stands on the stack of what it interrupted, and is left to it", async () => {
		const threadId = await interrupted();
		await functions();
		const frames = await at.frames(threadId);
		const all = frames.map(({ name }) => name);
		expect(all.slice(0, 3)).toEqual(["kerneltrap", "kernelvec", "── interrupted by a trap ──"]);
		expect(all.slice(-2)).toEqual(["main", "start"]);
		const inner = frames[3];
		expect(inner?.instructionPointerReference).toBe(`k:${await at.evaluate("(uint64)$sepc")}`);
		await at.go("stepOut", { threadId });
		await at.go("stepOut", { threadId });
		const [top] = await at.frames(threadId);
		expect([top?.name, top?.instructionPointerReference]).toEqual([inner?.name, inner?.instructionPointerReference]);
	});

	test("is passed by a step over the instruction after which it came", async () => {
		let threadId = await interrupted();
		// Most come where the kernel lets them; what else is interrupted may just have returned from a call.
		while ((await names(threadId))[3] !== "intr_on") threadId = (await at.go("continue")).threadId as number;
		await functions();
		const inner = (await at.frames(threadId))[3];
		const handled = await here();
		for (let i = 0; i < 100 && (await names(threadId))[0] !== "intr_on"; i++)
			await at.go("stepBack", { threadId, granularity: "instruction" });
		await at.go("next", { threadId, granularity: "instruction" });
		const [top] = await at.frames(threadId);
		expect([top?.name, top?.instructionPointerReference]).toEqual(["intr_on", inner?.instructionPointerReference]);
		expect(await here()).toBeGreaterThan(handled);
	});
});
