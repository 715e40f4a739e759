import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fromHex, fromLittleHex, littleHex, packet, toHex } from "../../../src/debugger/gdbPackets.ts";
import { GdbStub } from "../../../src/debugger/gdbStub.ts";
import { loadCore } from "../../../src/env/node/core.ts";
import { Machine } from "../../../src/machine/machine.ts";
import { RunController } from "../../../src/session/runController.ts";
import { assemble } from "../../support/assembler.ts";
import { elfOf, ramBase, smallRam } from "../../support/guest.ts";

/** What gdb asks of a stub, packet by packet, over a machine that counts in memory and then powers off with code 7. */
const source = `
	la s1, 0x80001000
	li a0, 1
	csrr t2, mhartid
	bnez t2, rest
again:
	addi a0, a0, 1
	sd a0, 0(s1)
	li t0, 5
	bne a0, t0, again
	li t0, 0x100000
	li t1, 0x73333
	sw t1, (t0)
rest:
	j rest`;
const program = assemble(source, ramBase);
const again = program.symbols.get("again") as bigint;
const rest = program.symbols.get("rest") as bigint;

/** A hart on its way into supervisor mode, where address 0 is the begin of RAM, too. */
const paging = assemble(
	`
	li t0, -1
	srli t0, t0, 10
	csrw pmpaddr0, t0
	li t0, 15
	csrw pmpcfg0, t0
	li t0, 0x8000000000080010
	csrw satp, t0
	li t0, 0x800
	csrs mstatus, t0
	la t0, supervisor
	csrw mepc, t0
machine:
	mret
supervisor:
	wfi
	j supervisor`,
	ramBase,
);

let machine: Machine;
let controller: RunController;
let stub: GdbStub;
let sent: string[];
let closed: string[];

async function start(harts = 1, history = true, { bytes } = program): Promise<void> {
	machine = await Machine.create({ kernel: elfOf(bytes), memoryBytes: smallRam, harts }, { core: await loadCore() });
	if (history) machine.keepHistory();
	controller = new RunController(machine, { breathe: () => new Promise((resolve) => setImmediate(resolve)) });
	controller.start("paused");
	[sent, closed] = [[], []];
	stub = new GdbStub({
		...{ machine, controller, breathe: async () => undefined, close: (how) => closed.push(how) },
		send: (text) => sent.push(text),
		monitor: (command) => (command === "hello" ? "hi" : undefined),
	});
}
beforeEach(() => start());
afterEach(() => {
	stub.dispose();
	controller.dispose();
	machine.dispose();
});

const ask = async (request: string): Promise<string | undefined> => {
	sent = [];
	stub.push(packet(request));
	for (let i = 0; i < 500 && !sent.some((text) => text.startsWith("$")); i++)
		await new Promise((resolve) => setTimeout(resolve, 1));
	const body = /^\$(.*)#..$/s.exec(sent.find((text) => text.startsWith("$")) ?? "")?.[1];
	return body?.replace(/}([\s\S])/g, (_, letter: string) => String.fromCharCode(letter.charCodeAt(0) ^ 0x20));
};
const hex = (address: bigint) => address.toString(16);
const register = async (number: number) => fromLittleHex((await ask(`p${number.toString(16)}`)) ?? "");

describe("numbers as gdb writes them", () => {
	test.each([
		[0n, "0000000000000000"],
		[0x80000000n, "0000008000000000"],
		[0x0123456789abcdefn, "efcdab8967452301"],
		[(1n << 64n) - 1n, "ffffffffffffffff"],
	])("%s: %s", (value, text) => {
		expect([littleHex(value), fromLittleHex(text)]).toEqual([text, value]);
	});

	test.each(["0", "0g", "xx", "000000000000000000"])("%s is none", (text) => {
		expect(fromLittleHex(text)).toBeUndefined();
	});

	test("bytes", () => {
		expect([toHex([0, 15, 255]), fromHex("000FfF"), fromHex("abc"), fromHex("")]).toEqual([
			...["000fff", Uint8Array.of(0, 15, 255), undefined, new Uint8Array()],
		]);
	});
});

describe("registers", () => {
	test("all at once, one by one, and CSRs and the privilege mode by gdb's numbers", async () => {
		const all = (await ask("g")) ?? "";
		expect(all).toHaveLength(33 * 16);
		expect(fromLittleHex(all.slice(32 * 16))).toBe(machine.harts[0]?.pc);
		expect(await register(32)).toBe(machine.harts[0]?.pc);
		// mstatus, mhartid; machine mode.
		expect(await register(65 + 0x300)).toBe(machine.harts[0]?.csr(0x300));
		expect(await register(65 + 0xf14)).toBe(0n);
		expect(await register(65 + 4096)).toBe(3n);
		expect(await ask("pfffff")).toBe("E01");
	});

	test("are written, one or all, and only what changes", async () => {
		expect(await ask(`Pa=${littleHex(0x1234n)}`)).toBe("OK");
		expect(machine.harts[0]?.register(10)).toBe(0x1234n);
		expect(await ask(`P20=${littleHex(again)}`)).toBe("OK");
		expect(machine.harts[0]?.pc).toBe(again);
		expect(await ask(`P21=${littleHex(5n)}`)).toBe("OK");
		expect(machine.harts[0]?.floatRegister(0)).toBe(5n);
		expect(await ask(`P${(65 + 0x340).toString(16)}=${littleHex(9n)}`)).toBe("OK");
		expect(machine.harts[0]?.csr(0x340)).toBe(9n);
		// Read-only, or none.
		expect(await ask(`P${(65 + 0xf14).toString(16)}=${littleHex(9n)}`)).toBe("E01");
		expect(await ask(`Pfffff=${littleHex(9n)}`)).toBe("E01");
		const all = (await ask("g")) ?? "";
		const changed = all.slice(0, 11 * 16) + littleHex(77n) + all.slice(12 * 16);
		expect([await ask(`G${changed}`), machine.harts[0]?.register(11)]).toEqual(["OK", 77n]);
		expect(await ask(`G${changed.slice(0, -2)}`)).toBe("E01");
	});
});

describe("memory", () => {
	test("is read and written where it is, and refused where it is not", async () => {
		expect(await ask("m80000000,4")).toBe(toHex(program.bytes.subarray(0, 4)));
		expect(await ask("M80001000,3:0a0b0c")).toBe("OK");
		expect(await ask("m80001000,4")).toBe("0a0b0c00");
		expect(await ask("M80001000,2:0a0b0c")).toBe("E01");
		expect(await ask("M80001000,1:zz")).toBe("E01");
		// The machine's RAM ends in between.
		expect(await ask("m800ffffe,8")).toHaveLength(4);
		expect([await ask("m10,8"), await ask("m80000000,0")]).toEqual(["E0e", ""]);
	});

	test("is physical where gdb asks for it", async () => {
		expect(await ask("qqemu.PhyMemMode")).toBe("0");
		expect([await ask("Qqemu.PhyMemMode:1"), await ask("qqemu.PhyMemMode")]).toEqual(["OK", "1"]);
		expect([await ask("Qqemu.PhyMemMode:0"), await ask("qqemu.PhyMemMode")]).toEqual(["OK", "0"]);
	});
});

describe("an address", () => {
	const [machineMode, supervisor] = ["machine", "supervisor"].map((name) => paging.symbols.get(name) as bigint);
	beforeEach(async () => {
		stub.dispose();
		controller.dispose();
		machine.dispose();
		await start(1, true, paging);
		// Leaves of 1 GiB at 0 and, for the code, at RAM's own address.
		const table = new DataView(new ArrayBuffer(24));
		const leaf = ((ramBase >> 12n) << 10n) | 0xcfn;
		table.setBigUint64(0, leaf, true);
		table.setBigUint64(16, leaf, true);
		machine.memory.write(0x80010000n, new Uint8Array(table.buffer));
		machine.memory.write(0x80001000n, Uint8Array.of(1, 2, 3, 4));
		await ask(`Z0,${hex(machineMode as bigint)},2`);
		await ask(`Z0,${hex(supervisor as bigint)},2`);
		await ask("c");
	});

	test("is physical in machine mode, whatever satp says, and virtual after it", async () => {
		expect([await register(32), await ask("m80001000,4"), await ask("m1000,4")]).toEqual([
			...[machineMode, "01020304", "E0e"],
		]);
		await ask("c");
		expect([await register(32), await register(65 + 4096)]).toEqual([supervisor, 1n]);
		expect([await ask("m80001000,4"), await ask("m1000,4"), await ask("m40000000,4")]).toEqual([
			...["01020304", "01020304", "E0e"],
		]);
		expect([await ask("M1001,2:0908"), await ask("m80001000,4"), await ask("M40000000,1:00")]).toEqual([
			...["OK", "01090804", "E0e"],
		]);
		await ask("Qqemu.PhyMemMode:1");
		expect([await ask("m1000,4"), await ask("m80001000,4")]).toEqual(["E0e", "01090804"]);
	});

	test("that is mapped to no RAM is written as far as there is RAM, and the rest is refused in words", async () => {
		await ask("c");
		expect(await ask("Mffffe,4:01020304")).toMatch(/^E\..*RAM/);
		expect(await ask("mffffe,4")).toBe("0102");
	});

	test("does not matter to a hart that waits, and it says that it does", async () => {
		const info = async () => new TextDecoder().decode(fromHex((await ask("qThreadExtraInfo,1")) ?? ""));
		await ask("c");
		expect(await info()).toBe("hart 0, supervisor mode");
		await ask("s");
		expect(await info()).toBe("hart 0, supervisor mode, waiting");
	});
});

describe("running", () => {
	test("steps one instruction, and back; before the start there is nothing", async () => {
		const pcs = [await register(32)];
		for (let i = 0; i < 3; i++) {
			expect(await ask("s")).toBe("T05thread:01;");
			pcs.push(await register(32));
		}
		for (let i = 2; i >= 0; i--) {
			expect(await ask("bs")).toBe("T05thread:01;");
			expect(await register(32)).toBe(pcs[i]);
		}
		expect(await ask("bs")).toBe("T05replaylog:begin;thread:01;");
	});

	test("stops at a breakpoint each time, says so in the words that gdb knows, and not when it is taken away", async () => {
		expect(await ask(`Z0,${hex(again)},4`)).toBe("OK");
		expect(await ask(`Z0,${hex(again)},4`), "twice is once").toBe("OK");
		expect(await ask("c")).toBe("T05thread:01;");
		expect(await register(32)).toBe(again);
		await ask("qSupported:swbreak+;hwbreak+");
		expect(await ask("vCont;c")).toBe("T05swbreak:;thread:01;");
		expect(await register(10)).toBe(2n);
		expect(await ask(`z0,${hex(again)},4`)).toBe("OK");
		expect(await ask("c")).toBe("W07");
	});

	test.each([
		["2", "write", 2n],
		["4", "any", 2n],
	])("a watchpoint of kind %s (%s) stops right after the access", async (kind, _, value) => {
		expect(await ask(`Z${kind},80001000,8`)).toBe("OK");
		expect(await ask("c")).toBe("T05watch:80001000;thread:01;");
		expect(await ask("m80001000,1")).toBe(`0${value}`);
		expect(await ask("c")).toBe("T05watch:80001000;thread:01;");
		expect(await ask("m80001000,1")).toBe(`0${value + 1n}`);
		// Where a breakpoint stands before the store, the store still stops.
		expect(await ask("bs")).toBe("T05thread:01;");
		expect(await ask(`Z0,${hex((await register(32)) ?? 0n)},4`)).toBe("OK");
		expect(await ask("c")).toBe("T05watch:80001000;thread:01;");
		expect(await ask("m80001000,1")).toBe(`0${value + 1n}`);
	});

	test("a watchpoint for reads lets writes pass", async () => {
		expect(await ask("Z3,80001000,8")).toBe("OK");
		expect(await ask("c")).toBe("W07");
	});

	test("backwards to the last breakpoint, forwards through the past to the present", async () => {
		await ask(`Z0,${hex(again)},4`);
		for (let i = 0; i < 3; i++) await ask("c");
		expect(await register(10)).toBe(3n);
		expect(await ask("bc")).toBe("T05thread:01;");
		expect(await register(10)).toBe(2n);
		expect(await ask("bc")).toBe("T05thread:01;");
		expect(await ask("bc")).toBe("T05replaylog:begin;thread:01;");
		await ask(`z0,${hex(again)},4`);
		expect(await ask("c")).toBe("T05replaylog:end;thread:01;");
		expect(await register(10)).toBe(3n);
		expect(await ask("c")).toBe("W07");
	});

	test.each(["vCont;C05", "vCont;c:1", "c"])("`%s` continues to the end, with the guest's code", async (request) => {
		expect(await ask(request)).toBe("W07");
		expect(await ask("s")).toBe("W07");
		expect(await ask("c")).toBe("W07");
	});

	test("a hardware breakpoint is one as any other, and two kinds at one place are two", async () => {
		await ask(`Z0,${hex(again)},4`);
		await ask(`Z1,${hex(again)},4`);
		await ask(`z0,${hex(again)},4`);
		expect([await ask("c"), await register(32)]).toEqual(["T05thread:01;", again]);
		await ask(`z1,${hex(again)},4`);
		expect(await ask("c")).toBe("W07");
		expect(await ask(`z1,${hex(again)},4`), "what is not there is not taken away").toBe("OK");
	});

	test("a watchpoint without a length is of one byte", async () => {
		await ask("Z2,80001001,0");
		expect(await ask("c")).toBe("T05watch:80001000;thread:01;");
	});

	test("a machine that is switched off has ended", async () => {
		controller.powerOff("by hand");
		expect(await ask("c")).toBe("W00");
	});

	test("Ctrl-C ends a way through the past, too, where it is", async () => {
		await ask(`P20=${littleHex(rest)}`);
		const running = ask("c");
		await new Promise((resolve) => setTimeout(resolve, 50));
		stub.push("\x03");
		await running;
		const present = machine.instret;
		await ask("bc");
		const back = ask("c");
		stub.push("\x03");
		expect(await back).toMatch(/^T0[25]/);
		expect(machine.instret).toBeLessThanOrEqual(present);
	});

	test("an endless loop ends with Ctrl-C", async () => {
		await ask(`P20=${littleHex(rest)}`);
		const answer = ask("c");
		await new Promise((resolve) => setTimeout(resolve, 20));
		stub.push("\x03");
		expect(await answer).toBe("T02thread:01;");
	});

	test("a machine that keeps no history does not offer to go back", async () => {
		stub.dispose();
		controller.dispose();
		machine.dispose();
		await start(1, false);
		expect(await ask("qSupported")).not.toContain("ReverseStep");
		expect([await ask("bs"), await ask("bc"), await ask("bx")]).toEqual(["", "", ""]);
	});
});

describe("threads", () => {
	beforeEach(async () => {
		stub.dispose();
		controller.dispose();
		machine.dispose();
		await start(2);
		// Its count passes 5 and goes on: while one hart is stepped the other runs.
		for (const hart of machine.harts) {
			hart.setPc(again);
			hart.setRegister(10, 100n);
			hart.setRegister(9, 0x80001000n);
		}
	});

	test("are the harts, counted from 1", async () => {
		expect([await ask("qfThreadInfo"), await ask("qsThreadInfo"), await ask("qC")]).toEqual(["m1,2", "l", "QC1"]);
		expect([await ask("T1"), await ask("T2"), await ask("T3")]).toEqual(["OK", "OK", "E01"]);
		expect(new TextDecoder().decode(fromHex((await ask("qThreadExtraInfo,2")) ?? ""))).toBe("hart 1, machine mode");
		expect(await ask("qThreadExtraInfo,9")).toBe("E01");
	});

	test("one is chosen for registers and steps, or named by the step", async () => {
		expect([await ask("Hg2"), await ask("qC"), await register(65 + 0xf14)]).toEqual(["OK", "QC2", 1n]);
		expect([await ask("Hg9"), await ask("Hc-1"), await ask("Hg0"), await ask("qC")]).toEqual([
			"E01",
			"OK",
			"OK",
			"QC2",
		]);
		const first = machine.harts[0]?.pc;
		expect(await ask("s")).toBe("T05thread:02;");
		expect(machine.harts[0]?.pc).toBe(first);
		expect(await ask("vCont;s:1;c")).toBe("T05thread:01;");
		expect(machine.harts[0]?.pc).not.toBe(first);
		expect(await ask("vCont;s:p1.2")).toBe("T05thread:02;");
	});
});

describe("the rest", () => {
	test("says what it can do, describes its registers in pieces, and answers nothing to what it does not know", async () => {
		expect(await ask("qSupported:xmlRegisters=i386")).toMatch(
			/^PacketSize=4000;.*swbreak\+;hwbreak\+;ReverseStep\+;ReverseContinue\+$/,
		);
		let xml = "";
		for (let from = 0; ; ) {
			const part = (await ask(`qXfer:features:read:target.xml:${from.toString(16)},1000`)) ?? "";
			xml += part.slice(1);
			from += 0x1000;
			if (part.startsWith("l")) break;
		}
		expect(xml).toMatch(/^<\?xml version="1\.0"\?>.*<\/target>$/s);
		expect(
			[...xml.matchAll(/<reg name="(\w+)" bitsize="64" type="\w+" regnum="(\d+)"/g)].slice(0, 33).at(-1)?.slice(1),
		).toEqual(["pc", "32"]);
		expect(xml).toContain('<reg name="mstatus" bitsize="64" regnum="833"/>');
		// A counter or a pmp address for each number there is would be a wall in gdb's `info registers`.
		const names = [...xml.matchAll(/<reg name="(\w+)"/g)].map(([, name]) => name);
		expect(names.filter((name) => /hpm|^pmpaddr/.test(name as string))).toEqual([]);
		// What is described can be read.
		const numbers = [...xml.matchAll(/regnum="(\d+)"/g)].map(([, number]) => Number(number));
		for (const number of numbers) expect(await register(number), `${number}`).toBeTypeOf("bigint");
		expect(await ask("qXfer:features:read:other.xml:0,10")).toBe("E00");
		for (const unknown of ["qNothing", "QNothing", "vNothing", "!", "vCont;x"])
			expect(await ask(unknown), unknown).toBe("");
		expect([await ask("vCont?"), await ask("?"), await ask("qAttached"), await ask("qSymbol::")]).toEqual([
			...["vCont;c;C;s;S", "T05thread:01;", "1", "OK"],
		]);
	});

	test("says when gdb greets it, which is when a history may begin", async () => {
		let greeted = 0;
		const other = new GdbStub({
			...{ machine, controller, breathe: async () => undefined, close: () => undefined },
			send: () => undefined,
			greeted: () => greeted++,
		});
		for (const text of ["?", "qSupported:swbreak+", "qC"]) other.push(packet(text));
		await new Promise(setImmediate);
		expect(greeted).toBe(1);
		other.dispose();
	});

	test("what went wrong on the way is asked for again", async () => {
		sent = [];
		stub.push("$g#00");
		expect(sent).toEqual(["-"]);
		stub.push(packet("qC").replace("$", "+junk$"));
		await new Promise(setImmediate);
		expect(sent).toEqual(["-", "+", packet("QC1")]);
	});

	test("monitor commands are the host's; one that is none says where to look", async () => {
		const monitor = async (command: string) =>
			new TextDecoder().decode(fromHex((await ask(`qRcmd,${toHex(new TextEncoder().encode(command))}`)) ?? ""));
		expect(await monitor(" hello ")).toBe("hi\n");
		expect(await monitor("x")).toBe("There is no monitor command 'x'. 'monitor help' lists them.\n");
	});

	test("without acknowledgements once gdb wants none; detach and kill end it in their own ways", async () => {
		stub.push(packet("QStartNoAckMode"));
		await new Promise(setImmediate);
		expect(sent).toEqual(["+", packet("OK")]);
		await ask("?");
		expect(sent.filter((text) => text === "+")).toEqual([]);
		await ask("D");
		stub.push(packet("k"));
		await ask("vKill;1");
		expect(closed).toEqual(["detach", "kill", "kill"]);
	});
});
