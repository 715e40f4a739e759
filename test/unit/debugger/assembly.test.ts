import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterEach, describe, expect, test } from "vitest";
import type { BuildOutput } from "../../../src/build/types.ts";
import { assemble } from "../../support/assembler.ts";
import { DapSession } from "../../support/dapSession.ts";
import { Standing } from "../../support/debuggedProgram.ts";
import { elfWith } from "../../support/dwarf.ts";
import { ramBase } from "../../support/guest.ts";

/** Kernels of a few instructions, without debug information: what a debugger still shows of them, and how it steps them. */
const memoryBytes = 2 << 20;
let session: DapSession;
let at: Standing;
let labels: ReadonlyMap<string, bigint>;
afterEach(() => session.dispose());

/** Stands at the kernel's first instruction. All labels are symbols. */
async function begin(source: string, harts = 1): Promise<void> {
	const { bytes, symbols } = assemble(source, ramBase);
	labels = symbols;
	const output: BuildOutput = {
		kernel: elfWith({ code: bytes, symbols: [...symbols].map(([name, at]) => ({ name, address: Number(at) })) }),
		disk: new Uint8Array(1024),
		programs: [],
		wish: { harts, memoryBytes, virtio: "modern", timer: "sstc", pmp: false, warnings: [] },
	};
	session = new DapSession(
		"/tree",
		(target) => target,
		async () => output,
	);
	await session.request("initialize", { adapterID: "xv6" });
	await session.request("launch", { harts, stopOnEntry: false });
	await stopAt(ramBase);
	await session.request("configurationDone");
	at = new Standing(session, await session.stopped());
	await stopAt();
}

const stopAt = (...addresses: bigint[]) =>
	session.ask("setInstructionBreakpoints", {
		breakpoints: addresses.map((address) => ({ instructionReference: `0x${address.toString(16)}` })),
	});
/** The label that the hart stands at, or its pc. */
async function label(thread = at.thread): Promise<string> {
	const [top] = await at.frames(thread);
	const pc = BigInt(top?.instructionPointerReference?.replace(/^.*:/, "") ?? 0);
	return [...labels].find(([, address]) => address === pc)?.[0] ?? `0x${pc.toString(16)}`;
}
const instructions = async (memoryReference: string, instructionCount: number, instructionOffset = 0) =>
	(await session.ask("disassemble", { memoryReference, instructionCount, instructionOffset }))
		.instructions as DebugProtocol.DisassembledInstruction[];
const poke = (memoryReference: string, ...bytes: number[]) =>
	session.ask("writeMemory", { memoryReference, data: btoa(String.fromCharCode(...bytes)) });

describe("the disassembly", () => {
	test("says where a pair of instructions leads, and nothing of two that are no pair", async () => {
		await begin(`
		start: auipc a0, 0
			addi a0, a0, 64
			auipc ra, 0
			jalr ra, 24(ra)
			lui a0, 1
			addi a0, a0, 64
			auipc a1, 0
			addi a2, a2, 64
		called: auipc t0, 0
			lw t0, 8(t0)
			auipc t1, 0xfffff
			jalr zero, -8(t1)
			auipc t2, 0
			wfi
			addi t2, t2, 4
		.org 0x80000040
		data: .word 0`);
		const list = await instructions("0x80000000", 15);
		expect(list.map(({ instruction }) => instruction.split(" # ")[1] ?? "")).toEqual([
			...["", "0x80000040 <data>", "", "0x80000020 <called>", "", "", "", "", "", "", ""],
			...["0x7ffff020", "", "", ""],
		]);
		expect(
			list.slice(0, 2).map(({ address, instructionBytes, symbol }) => [address, instructionBytes, symbol]),
		).toEqual([
			["0x80000000", "17 05 00 00", "start"],
			["0x80000004", "13 05 05 04", "start+0x4"],
		]);
	});

	test("ends where memory does, also in the middle of an instruction", async () => {
		await begin("start: j start");
		const end = `p:0x${(ramBase + BigInt(memoryBytes) - 2n).toString(16)}`;
		await poke(end, 0x01, 0x00);
		expect((await instructions(end, 2)).map(({ instruction }) => instruction)).toEqual(["nop", "(not mapped)"]);
		// Half of `lb zero, 0(zero)`.
		await poke(end, 0x03, 0x00);
		expect((await instructions(end, 1)).map(({ instruction }) => instruction)).toEqual(["(not mapped)"]);
	});

	test("counts so far and no further", async () => {
		await begin("start: j start");
		expect((await instructions("0x80000100", 3, 20_000)).map(({ address }) => address)).toEqual([
			...["0x80009d40", "0x80009d42", "0x80009d44"],
		]);
		for (const instructionOffset of [20_001, -1e9, 1e12]) {
			const { message } = await session.request("disassemble", {
				...{ memoryReference: "0x80000000", instructionCount: 5, instructionOffset },
			});
			expect(message).toMatch(new RegExp(`^${instructionOffset} instructions from an address are too many to count`));
		}
	});
});

describe("a step", () => {
	const calls = `
		start: li sp, 0x80010000
			li a0, 3
		call: jal ra, count
		after: li a1, 1
		end: j end
		count: addi a0, a0, -1
			bnez a0, count
		back: ret`;

	test("without lines is of one instruction, over a call it is the whole call, and into it is not", async () => {
		await begin(calls);
		await stopAt(labels.get("call") as bigint);
		await at.go("continue");
		await stopAt();
		const { position: instruction } = await session.ask("xv6/timeline");
		for (const granularity of ["instruction", "line"]) {
			await at.go("next", { granularity });
			expect([await label(), await at.evaluate("$a0")]).toEqual(["after", "0x0"]);
			await at.go("xv6/goToInstruction", { instruction });
		}
		await at.go("stepIn");
		expect(await label()).toBe("count");
		await at.go("stepIn");
		expect(await at.evaluate("$a0")).toBe("0x2");
	});

	test("back stands where its instruction was, up to the first one of all", async () => {
		await begin(calls);
		await at.go("stepIn");
		expect((await at.go("stepBack", { granularity: "instruction" })).text).toMatch(
			/^Stepped back \(in the past, 1 instr/,
		);
		expect(await label()).toBe("start");
		await at.go("xv6/goToInstruction", { instruction: 0 });
		expect((await at.go("stepBack", { granularity: "instruction" })).text).toMatch(
			/^The start of the recorded history/,
		);
		expect((await at.go("stepBack")).text).toMatch(/^The start of the recorded history/);
		expect((await at.go("reverseContinue")).text).toMatch(/^The start of the recorded history/);
	});

	test("out of what nobody called says so, forwards and back", async () => {
		await begin("start: j start");
		expect((await at.go("stepOut")).text).toBe("This function was called by nobody");
		expect((await at.go("xv6/reverseStepOut")).text).toBe("This function was called by nobody");
	});

	test("of a hart that only input can wake says so", async () => {
		await begin("start: wfi\nj start");
		await at.go("next");
		const stop = await at.go("next");
		expect(stop).toMatchObject({ reason: "pause", text: "The hart waits, and nothing but input can wake it" });
	});

	test("over a call of firmware stands after it; over a fault that firmware repairs, at what is made again", async () => {
		await begin(`
			start: la t0, handler
			csrw mtvec, t0
			li t0, 0x800
			csrs mstatus, t0
			la t0, kernel
			csrw mepc, t0
			mret
			.align 2
		handler: csrr t1, mcause
			li t2, 9
			bne t1, t2, repair
			csrr t1, mepc
			addi t1, t1, 4
			csrw mepc, t1
			mret
		repair: li s1, 0x80001000
			mret
			.align 2
		kernel: ecall
		load: lw a0, 0(s1)
		done: j done`);
		await stopAt(labels.get("kernel") as bigint);
		await at.go("continue");
		await stopAt();
		await at.go("next");
		expect([await label(), await at.evaluate("$mcause"), await at.evaluate("$s1")]).toEqual(["load", "0x9", "0x0"]);
		await at.go("next");
		expect([await label(), await at.evaluate("$mcause"), await at.evaluate("$s1")]).toEqual([
			...["load", "0x5", "0x80001000"],
		]);
		await at.go("next");
		expect(await label()).toBe("done");
		await at.go("xv6/goToInstruction", { instruction: (await session.ask("xv6/timeline")).position - 1 });
		await at.go("stepIn");
		expect(await label()).toBe("done");
	});
});

describe("harts", () => {
	const source = `
		start: csrr a0, mhartid
			bnez a0, second
		first: addi a1, a1, 1
			j first
		second: addi s2, s2, 1
			j second`;

	test("are threads where there are no processes, each with its own registers, and one is stepped by itself", async () => {
		await begin(source, 2);
		const threads = (await session.ask("threads")).threads as DebugProtocol.Thread[];
		expect(threads.map(({ name }) => name)).toEqual(["hart 0 (scheduler)", "hart 1 (scheduler)"]);
		const ids = threads.map(({ id }) => id);
		await stopAt(labels.get("second") as bigint);
		const stop = await at.go("continue");
		expect([stop.threadId, stop.reason, await label(ids[1])]).toEqual([ids[1], "instruction breakpoint", "second"]);
		await stopAt();
		expect(await at.evaluate("$mhartid")).toBe("0x1");
		await at.go("next", { threadId: ids[1] });
		expect([await label(ids[1]), await at.evaluate("$s2")]).toEqual(["0x80000014", "0x1"]);
		const [top] = await at.frames(ids[0]);
		expect(await at.evaluate("$mhartid", { frameId: top?.id })).toBe("0x0");
		const scopes = (await session.ask("scopes", { frameId: top?.id })).scopes as DebugProtocol.Scope[];
		expect(scopes.map(({ name }) => name)).toEqual(["Registers", "CSRs of hart 0"]);
	});
});

describe("who wrote", () => {
	test("a place of memory: the store before, the device, or nobody", async () => {
		await begin(`
		start: la s1, 0x80001000
			li a0, 5
		store: sd a0, 0(s1)
			sb a0, 100(s1)
		end: j end`);
		await stopAt(labels.get("end") as bigint);
		await at.go("continue");
		const ask = async (memoryReference: string, bytes: number) => at.go("xv6/whoWrote", { memoryReference, bytes });
		const stop = await ask("p:0x80001004", 4);
		expect([await label(), stop.description]).toEqual(["store", "past: last write"]);
		expect(stop.text).toMatch(/^The next instruction writes p:0x80001004 \(in the past, 2 instructions before/);
		await at.go("xv6/toPresent");
		expect(await ask("p:0x80001064", 1)).toMatchObject({ text: expect.stringMatching(/, 1 instruction before/) });
		await at.go("xv6/toPresent");
		expect(await ask("p:0x80001065", 8)).toMatchObject({
			...{ reason: "goto", description: "never written", text: "Nobody wrote p:0x80001065 since power-on" },
		});
		expect(session.output).toContain("Nobody wrote p:0x80001065 since power-on\n");
	});
});

describe("requests of the wrong shape", () => {
	const wrong = [undefined, null, 5, -1, 1e300, "x", "", [], [null], {}, [[]], [5], ["x"], [{}]];
	const shapes: Readonly<Record<string, readonly string[]>> = {
		initialize: ["linesStartAt1"],
		setBreakpoints: ["source", "breakpoints"],
		setFunctionBreakpoints: ["breakpoints"],
		setInstructionBreakpoints: ["breakpoints"],
		setDataBreakpoints: ["breakpoints"],
		setExceptionBreakpoints: ["filters"],
		dataBreakpointInfo: ["name", "variablesReference", "frameId", "bytes", "asAddress"],
		breakpointLocations: ["source", "line", "endLine"],
		stackTrace: ["threadId", "startFrame", "levels"],
		scopes: ["frameId"],
		variables: ["variablesReference", "start", "count", "filter", "format"],
		evaluate: ["expression", "frameId", "format"],
		setVariable: ["variablesReference", "name", "value", "format"],
		setExpression: ["expression", "value", "frameId"],
		readMemory: ["memoryReference", "offset", "count"],
		writeMemory: ["memoryReference", "offset", "data"],
		disassemble: ["memoryReference", "offset", "instructionOffset", "instructionCount"],
		"xv6/whoWrote": ["expression", "memoryReference", "name", "variablesReference", "bytes"],
		"xv6/goToInstruction": ["instruction"],
	};
	/** What is right of each. */
	const right: Readonly<Record<string, unknown>> = {
		...{
			source: { path: "/tree/a.c" },
			breakpoints: [],
			filters: [],
			name: "start",
			variablesReference: 1,
			frameId: 1,
		},
		...{
			line: 1,
			expression: "$a0",
			value: "1",
			memoryReference: "0x80000000",
			count: 4,
			data: "AAAA",
			threadId: 1_000_000,
		},
		...{ instructionCount: 2 },
	};

	test.each(Object.entries(shapes))("`%s` is answered, and is no defect", async (command, names) => {
		await begin("start: j start");
		for (const name of names)
			for (const value of wrong) {
				const args = Object.fromEntries(names.map((one) => [one, one === name ? value : right[one]]));
				const { success, message } = await session.request(command, args);
				if (!success) expect(message, `${name}: ${JSON.stringify(value)}`).not.toMatch(/defect/);
				if (success && command.startsWith("xv6/")) await session.stop();
			}
		expect(session.output).not.toMatch(/defect/);
	});
});
