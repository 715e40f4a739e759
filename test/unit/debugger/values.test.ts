import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DapSession } from "../../support/dapSession.ts";
import { DebuggedProgram, file, type Standing } from "../../support/debuggedProgram.ts";

/** Variables, memory and instructions of a machine that stands in a program: what is shown, and what can be changed. */
const program = new DebuggedProgram();
let session: DapSession;
let at: Standing;

beforeAll(async () => {
	at = await program.standingAt("here");
	session = at.session;
}, 120_000);
afterAll(() => program.close());

type Variable = DebugProtocol.Variable;
const shown = (variables: readonly Variable[]) => variables.map(({ name, value }) => `${name} = ${value}`);
const value = (expression: string) => at.evaluate(expression);

describe("scopes", () => {
	test("of the innermost frame: locals, globals, registers, the hart's CSRs, and what the kernel keeps of the process", async () => {
		const [top, caller] = await at.frames();
		const names = async (frameId: number | undefined) =>
			((await session.ask("scopes", { frameId })).scopes as DebugProtocol.Scope[]).map(({ name }) => name);
		expect(await names(top?.id)).toEqual([
			...["Locals", "Globals", "Registers", "CSRs of hart 0", "struct proc", "Trap frame"],
		]);
		// Another frame's CSRs are gone.
		expect(await names(caller?.id)).toEqual(["Locals", "Globals", "Registers", "struct proc", "Trap frame"]);
		expect(await names((await at.frames(2))[0]?.id)).toEqual([
			...["Locals", "Globals", "Registers", "struct proc", "Trap frame"],
		]);
	});

	test("locals: arguments and variables with type and value; an outer one of the same name is not shown", async () => {
		const locals = await at.variables(await at.scope("Locals"));
		expect(locals.map(({ name }) => name).sort()).toEqual(["argc", "argv", "copy", "p", "seven", "total"]);
		const of = (name: string) => locals.find((one) => one.name === name);
		expect(of("argc")).toMatchObject({ type: "int", value: "1", variablesReference: 0, evaluateName: "argc" });
		expect(of("total")).toMatchObject({ value: "0" });
		expect(of("p")).toMatchObject({ type: "struct node *", evaluateName: "p" });
		expect(of("p")?.memoryReference).toMatch(/^u\d+:0x/);
	});

	test("globals: the program's", async () => {
		const globals = await at.variables(await at.scope("Globals"));
		const texts = shown(globals);
		expect(texts).toContain("minus = -7");
		expect(texts).toContain("flags = {low = 5, mid = 100, sign = -3, rest = 9}");
		expect(globals.some(({ name }) => name === "proc")).toBe(false);
		expect(shown(await at.variables(await at.scope("Globals"), { format: { hex: true } }))).toContain("minus = -0x7");
	});

	test("registers: pc and 31 others, with symbols where they are the kernel's; a caller's that are lost say so", async () => {
		const registers = await at.variables(await at.scope("Registers"));
		expect(registers.map(({ name }) => name).slice(0, 4)).toEqual(["pc", "ra", "sp", "gp"]);
		expect(registers).toHaveLength(32);
		expect(registers[2]?.value.replace(/ .*/, "")).toBe(await value("$sp"));
		expect(registers[2]?.evaluateName).toBe("$sp");
		const caller = (await at.frames())[1]?.id as number;
		const lost = await at.variables(await at.scope("Registers", caller));
		expect(lost.find(({ name }) => name === "t0")?.value).toBe("<lost>");
		expect(lost.find(({ name }) => name === "sp")?.value).not.toBe(registers[2]?.value);
		const hex = await at.variables(await at.scope("Registers"), { format: { hex: true } });
		expect(hex.every(({ name, value }) => name === "pc" || /^0x[0-9a-f]+$/.test(value))).toBe(true);
	});

	test("CSRs: in words, with their fields below", async () => {
		const csrs = await at.variables(await at.scope("CSRs"));
		const of = (name: string) => csrs.find((one) => one.name === name);
		expect(of("satp")?.value).toMatch(/^0x8[0-9a-f]+ \(MODE=Sv39 PPN=root 0x8[0-9a-f]+\)$/);
		expect(of("mhartid")?.value).toBe("0x0");
		expect(of("mhartid")?.variablesReference).toBe(0);
		const fields = await at.variables(of("satp")?.variablesReference as number);
		expect(shown(fields).slice(0, 2)).toEqual(["MODE = 8 (Sv39)", "ASID = 0x0"]);
		expect(fields[0]?.evaluateName).toBe("$satp.MODE");
		// The last trap of this hart was the program's.
		expect(of("scause")?.value).toMatch(/^0x[0-9a-f]+ \([a-z ]+\)$/);
	});

	test("struct proc and trap frame: of the thread's process", async () => {
		const proc = shown(await at.variables(await at.scope("struct proc")));
		expect(proc).toContain("state = RUNNING");
		expect(proc).toContain('name = "prog"');
		expect(proc).toContain(`pid = ${at.thread}`);
		const frame = await at.variables(await at.scope("Trap frame"));
		expect(frame.some(({ name }) => name === "epc")).toBe(true);
		const shell = (await at.frames(2))[0]?.id as number;
		expect(shown(await at.variables(await at.scope("struct proc", shell)))).toContain('name = "sh"');
	});
});

describe("what is below a value", () => {
	test("members, with C that names each", async () => {
		expect((await at.children("first")).map(({ name, value, evaluateName }) => [name, value, evaluateName])).toEqual([
			["next", expect.stringContaining("<last>"), "first.next"],
			["name", '"first"', "first.name"],
			["at", "{x = -1, y = 2}", "first.at"],
			["colour", "GREEN", "first.colour"],
			["mask", "0x1", "first.mask"],
		]);
		const below = await at.children("p");
		expect(below.map(({ evaluateName }) => evaluateName)).toContain("p->colour");
		expect((await at.children("p->next")).map(({ evaluateName }) => evaluateName)).toContain("p->next->at");
		expect((await at.children("(struct node *)nowhere + 0")).map(({ value }) => value)[0]).toBe(
			"<0x3f00000000 is not mapped>",
		);
		expect((await at.children("*(p + 0)")).map(({ evaluateName }) => evaluateName)).toContain("(*(p + 0)).mask");
	});

	test("below a pointer into the program stands the page-table entry that maps it", async () => {
		const entry = (await at.children("p")).at(-1);
		expect(entry?.name).toBe("(page-table entry)");
		expect(entry?.value).toMatch(/^0x[0-9a-f]+ → 0x8[0-9a-f]{7} v?rw-u/);
		expect(entry).not.toHaveProperty("evaluateName");
	});

	test("elements, all or some", async () => {
		expect(shown(await at.children("table"))).toEqual([10, 20, 30, 40, 50, 60].map((n, i) => `[${i}] = ${n}`));
		expect(shown(await at.children("table", { start: 2, count: 2 }))).toEqual(["[2] = 30", "[3] = 40"]);
		expect(shown(await at.children("table", { start: 4, count: 100 }))).toEqual(["[4] = 50", "[5] = 60"]);
		expect(shown(await at.children("table", { count: 0 }))).toHaveLength(6);
		expect(shown(await at.children("table", { filter: "named" }))).toEqual([]);
		expect(shown(await at.children("table", { format: { hex: true }, count: 1 }))).toEqual(["[0] = 0xa"]);
		expect((await at.children("grid"))[1]).toMatchObject({ name: "[1]", evaluateName: "grid[1]", indexedVariables: 3 });
		expect(shown(await at.children("grid[1]"))).toEqual(["[0] = 4", "[1] = 5", "[2] = 6"]);
	});

	test("what a pointer points to that is no structure", async () => {
		const [target, entry] = await at.children("&table[1]");
		expect([target?.name, target?.value, target?.evaluateName]).toEqual(["*", "20", "*(&table[1])"]);
		expect(entry?.name).toBe("(page-table entry)");
		expect(await value("*(&table[1])")).toBe("20");
	});

	test("a page table: its entries, and the tables that they lead to, down to a page", async () => {
		const table = "proc[2].pagetable";
		const top = await at.children(table);
		expect(top.length).toBeGreaterThan(1);
		for (const { value } of top) expect(value).toMatch(/^0x[0-9a-f]+ → table 0x8[0-9a-f]+$/);
		const [below] = await at.variables(top[0]?.variablesReference as number);
		expect(below?.name).toBe("table");
		const [middle] = await at.variables(below?.variablesReference as number);
		const [last] = await at.variables(middle?.variablesReference as number);
		const pages = await at.variables(last?.variablesReference as number);
		expect(pages[0]).toMatchObject({ name: "[0]", variablesReference: 0 });
		// The program's text at 0.
		expect(pages[0]?.value).toMatch(/^0x[0-9a-f]+ → 0x8[0-9a-f]+ r-xu/);
		expect(shown(await at.children(table, { start: 1, count: 1 }))).toEqual([shown(top)[1]]);
	});

	test("references of an earlier stop are not found any more", async () => {
		const old = await at.scope("Locals");
		const [frame] = await at.frames();
		await at.go("next", { granularity: "instruction" });
		await at.go("stepBack", { granularity: "instruction" });
		await at.go("xv6/toPresent");
		const gone = await session.request("variables", { variablesReference: old });
		expect(gone.message).toMatch(/^These variables are of an earlier stop/);
		expect((await session.request("scopes", { frameId: frame?.id })).message).toMatch(
			/^This frame is of an earlier stop/,
		);
	});
});

describe("a change", () => {
	test.each([
		["minus", "12", "12"],
		["minus", "-1", "-1"],
		["octet", "0x1ff", "255 '\\xff'"],
		["small", "70000", "4464"],
		["big", "1l << 40", "1099511627776"],
		["huge", "-1", "0xffffffffffffffff"],
		["table[3]", "table[1] * 2 + 1", "41"],
		["p->at.y", "seven", "70"],
		["first.colour", "RED", "RED"],
		["word.half[1]", "0xffffffff", "4294967295"],
		["raw[0]", "'z'", "122 'z'"],
		["flags.mid", "3", "3"],
		["flags.sign", "-8", "-8"],
		["flags.low", "15", "7"],
		["packed.all", "0x12345678", "305419896"],
		["packed.end", "-1", "63"],
		["hidden.high", "7", "7"],
		["wide", "-5", "-5"],
		["p->next", "0", "0x0"],
	])("`%s` is set to `%s`: it is %s, and what lies beside it stays", async (expression, to, text) => {
		const neighbours = [
			"table",
			"points",
			"flags.rest",
			"packed.low",
			"hidden.both",
			"first.mask",
			"word.half[0]",
			"raw[1]",
			"minus",
			"unsig",
		];
		const keep = neighbours.filter(
			(one) => !expression.startsWith(one.replace(/[.[].*/, "")) || /rest|low|both/.test(one),
		);
		const before = await Promise.all(keep.map(value));
		const { body } = await session.request("setExpression", { expression, value: to });
		expect(body?.value).toBe(text);
		expect(await value(expression)).toBe(text);
		expect(await Promise.all(keep.map(value))).toEqual(before);
	});

	test("of one bit field leaves the others", async () => {
		for (const [name, to] of [
			["low", 1],
			["mid", 2],
			["sign", 3],
			["rest", 4],
		] as const)
			await session.ask("setExpression", { expression: `flags.${name}`, value: `${to}` });
		expect(await value("flags")).toBe("{low = 1, mid = 2, sign = 3, rest = 4}");
	});

	test("in the Variables view: a local, a register and a CSR, and the client is told that values changed", async () => {
		const set = async (scope: string, name: string, to: string) => {
			const variablesReference = await at.scope(scope);
			return session.request("setVariable", { variablesReference, name, value: to });
		};
		const told = () => session.told.filter(({ event }) => event === "invalidated").length;
		const before = told();
		expect((await set("Locals", "seven", "total + 72")).body).toMatchObject({ value: "72", type: "int" });
		expect(told()).toBe(before + 1);
		expect((await set("Registers", "t0", "0x123")).body.value).toBe("0x123");
		expect(await value("$t0")).toBe("0x123");
		expect((await set("CSRs", "sscratch", "5")).body.value).toBe("0x5");
		expect(await value("$sscratch")).toBe("0x5");
		expect((await set("Locals", "nobody", "5")).message).toMatch(/^There is no nobody here/);
		expect((await set("Registers", "pc", "5")).message).toMatch(/^pc cannot be changed/);
		// A caller's registers lie in the frames of those that it called.
		const caller = (await at.frames())[1]?.id;
		const of = { variablesReference: await at.scope("Registers", caller), name: "sp", value: "5" };
		expect((await session.request("setVariable", of)).message).toMatch(/^sp cannot be changed/);
		expect((await set("CSRs", "mhartid", "5")).message).toMatch(/^mhartid cannot be written/);
		expect((await set("Locals", "copy", "5")).message).toMatch(/^A whole structure cannot be set/);
		expect((await set("Locals", "seven", "copy")).message).toMatch(/^The new value is no number/);
		expect((await set("Locals", "seven", "nobody")).message).toMatch(/^There is no `nobody` here/);
	});

	test.each([
		["1 + 2", "3", "It is in a register, or nowhere: it cannot be changed"],
		["*(int *)nowhere", "3", "0x3f00000000 is not mapped"],
		["fib", "3", "A function cannot be set"],
		["table", "3", "A whole structure cannot be set"],
		["real", "3", "A double cannot be set"],
		["seven", "real", "The new value is no number"],
		["seven", "first", "The new value is no number"],
	])("of `%s` to `%s` is refused: %s", async (expression, to, reason) => {
		const { success, message } = await session.request("setExpression", { expression, value: to });
		expect([success, message?.startsWith(reason)]).toEqual([false, true]);
	});

	test("is what the program goes on with", async () => {
		await session.ask("setExpression", { expression: "calls", value: "1000" });
		await session.ask("setBreakpoints", { source: { path: file }, breakpoints: [{ line: program.line("fib") }] });
		await at.go("continue");
		expect([await value("calls"), await value("seven")]).toEqual(["1010", "72"]);
	});
});

describe("memory", () => {
	const bytesOf = (data: string) => [...atob(data)].map((letter) => letter.charCodeAt(0));

	test("is read by a value's reference, with an offset, and as far as it is there", async () => {
		const { memoryReference } = await session.ask("evaluate", { expression: "points" });
		const read = async (more: object) => session.ask("readMemory", { memoryReference, ...more });
		const whole = await read({ count: 16 });
		expect(bytesOf(whole.data)).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]);
		expect(bytesOf((await read({ offset: 8, count: 4 })).data)).toEqual([3, 0, 0, 0]);
		expect(bytesOf((await read({ offset: -0, count: 0 })).data)).toEqual([]);
		expect(`u${at.thread}:${whole.address}`).toBe(memoryReference);
		// The same by its physical address and by the bare one, which the thread's own space has.
		expect((await session.ask("readMemory", { memoryReference: whole.address, count: 16 })).data).toBe(whole.data);
		const { dataId } = await session.ask("dataBreakpointInfo", { name: "points" });
		const physical = (dataId as string).replace(/:\d+$/, "");
		expect((await session.ask("readMemory", { memoryReference: physical, count: 16 })).data).toBe(whole.data);
	});

	test("that is not mapped is counted to the end of its page", async () => {
		const read = (memoryReference: string, count: number) => session.ask("readMemory", { memoryReference, count });
		const own = (address: string) => `u${at.thread}:${address}`;
		expect(await read(own("0x3f00000000"), 16)).toEqual({ address: "0x3f00000000", data: "", unreadableBytes: 16 });
		expect(await read(own("0x3f00000ff8"), 16)).toMatchObject({ data: "", unreadableBytes: 8 });
		// MAXVA ends what Sv39 has.
		const end = await read(own("0x3ffffffff8"), 100);
		expect([bytesOf(end.data).length, end.unreadableBytes]).toEqual([8, 92]);
		expect((await read("p:0x0", 8)).data).toBe("");
		expect(bytesOf((await read("k:0x80000000", 4)).data)).toHaveLength(4);
	});

	test("is written, a page border or not, and the client is told where", async () => {
		const { memoryReference } = await session.ask("evaluate", { expression: "points" });
		const write = await session.request("writeMemory", { memoryReference, offset: 4, data: btoa("\x09\0\0\0") });
		expect(write.body).toEqual({ bytesWritten: 4 });
		expect(await value("points[0].y")).toBe("9");
		expect(session.told.findLast(({ event }) => event === "memory")?.body).toEqual({
			...{ memoryReference, offset: 4, count: 4 },
		});
		const wrong = await session.request("writeMemory", { memoryReference, data: "&&&" });
		expect(wrong.message).toMatch(/^The data is not base64/);
		const outside = { memoryReference: "k:0x3f00000000", data: btoa("1234") };
		expect((await session.request("writeMemory", outside)).message).toMatch(/^0x3f00000000 is not mapped/);
		expect((await session.request("writeMemory", { ...outside, allowPartial: true })).body).toEqual({
			bytesWritten: 0,
		});
		// The trampoline is the last page of all: half of it is written, and the rest is what is refused.
		const border = { memoryReference: "k:0x3ffffffffc", data: btoa("\x01\x02\x03\x04\x05\x06\x07\x08") };
		expect((await session.request("writeMemory", border)).message).toMatch(/^0x4000000000 is not mapped/);
		expect((await session.request("writeMemory", { ...border, allowPartial: true })).body).toEqual({ bytesWritten: 4 });
		expect(await value("*(uint *)0x3ffffffffc")).toBe("67305985");
	});

	test.each(["", "x", "0x", "q:0x1", "u:0x1", "0x12345678901234567", "-5", "u1:"])(
		"`%s` is no address",
		async (memoryReference) => {
			const { message } = await session.request("readMemory", { memoryReference, count: 1 });
			expect(message).toContain("is no address: write 0x…");
		},
	);

	test("of a process that is not there", async () => {
		const { message } = await session.request("readMemory", { memoryReference: "u777:0x0", count: 1 });
		expect(message).toMatch(/^There is no process with pid 777/);
	});
});

describe("instructions", () => {
	const around = async (expression: string, instructionOffset: number, instructionCount: number) => {
		const { memoryReference = `u${at.thread}:0x0` } = await session.ask("evaluate", { expression });
		const args = { memoryReference, instructionOffset, instructionCount };
		return (await session.ask("disassemble", args)).instructions as DebugProtocol.DisassembledInstruction[];
	};

	test("of a function: with its symbol, its lines, and the bytes that are there", async () => {
		const list = await around("&fib", 0, 12);
		expect(list).toHaveLength(12);
		expect(list[0]).toMatchObject({ symbol: "fib", instruction: expect.stringMatching(/^(c\.)?addi/) });
		expect(list[0]?.location?.path).toBe(file);
		// The compiler counts its code from the brace.
		const first = program.program.split("\n").indexOf("fib(int n)") + 2;
		expect(list[0]?.line).toBe(first);
		let at = BigInt(list[0]?.address as string);
		for (const one of list) {
			expect(BigInt(one.address)).toBe(at);
			at += BigInt((one.instructionBytes as string).split(" ").length);
		}
		expect(list[1]?.symbol).toBe(
			`fib+0x${(BigInt(list[1]?.address as string) - BigInt(list[0]?.address as string)).toString(16)}`,
		);
	});

	test("before an address are those that lead to it; skipping forwards counts instructions", async () => {
		const list = await around("&fib", 0, 20);
		const texts = (from: readonly DebugProtocol.DisassembledInstruction[]) => from.map((one) => one.address);
		expect(texts(await around("&fib", 5, 4))).toEqual(texts(list.slice(5, 9)));
		const before = await around("&fib", -6, 8);
		expect(texts(before.slice(6))).toEqual(texts(list.slice(0, 2)));
		// add lies before it, and ends with its return.
		expect(before[5]).toMatchObject({
			symbol: expect.stringMatching(/^add\+/),
			instruction: expect.stringMatching(/ret|jr/),
		});
		const nothing = await around("(int *)0", -3, 4);
		expect(nothing.map(({ presentationHint }) => presentationHint)).toEqual([
			"invalid",
			"invalid",
			"invalid",
			undefined,
		]);
		expect(nothing[3]?.symbol).toBe("add");
	});

	test("where nothing is mapped, that is said", async () => {
		const list = await around("(int *)nowhere", 0, 3);
		expect(list.map(({ address, instruction }) => `${address} ${instruction}`)).toEqual([
			"0x3f00000000 (not mapped)",
			"0x3f00000002 (not mapped)",
			"0x3f00000004 (not mapped)",
		]);
		expect(await around("&fib", 0, 0)).toEqual([]);
		expect(await around("&fib", 0, -5)).toEqual([]);
		expect(await around("&fib", 0, 1e6)).toHaveLength(2000);
	});

	test("of the kernel, by its own symbols: calls name what they call", async () => {
		const { memoryReference } = await session.ask("evaluate", { expression: "&usertrap" });
		expect(memoryReference).toMatch(/^k:0x8/);
		const { instructions } = await session.ask("disassemble", { memoryReference, instructionCount: 200 });
		const texts = (instructions as DebugProtocol.DisassembledInstruction[]).map(({ instruction }) => instruction);
		const call = /^jalr -?\d+\(ra\) # 0x(8[0-9a-f]+) <syscall>$/;
		const [, target] = texts.map((text) => call.exec(text)).find((match) => match !== null) ?? [];
		expect(await value(`(uint64)syscall == 0x${target}`)).toBe("1");
		const [pointer] = texts.filter((text) => /^addi a0,a0,-?\d+ # 0x8/.test(text));
		expect(pointer, "a string that usertrap names").toBeDefined();
		expect(instructions[0]).toMatchObject({
			symbol: "usertrap",
			location: { path: expect.stringMatching(/kernel\/trap\.c$/) },
		});
	});
});
