import type { DebugProtocol } from "@vscode/debugprotocol";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/common/errors.ts";
import { parseExpression } from "../../../src/debugger/cSyntax.ts";
import { PacketReader, packet } from "../../../src/debugger/gdbPackets.ts";
import { GdbStub } from "../../../src/debugger/gdbStub.ts";
import { DebugSession } from "../../../src/debugger/session.ts";
import { frame, MessageReader } from "../../../src/debugger/stream.ts";
import { loadCore } from "../../../src/env/node/core.ts";
import { Machine } from "../../../src/machine/machine.ts";
import { RunController } from "../../../src/session/runController.ts";
import { assemble } from "../../support/assembler.ts";
import { elfOf, ramBase, smallRam } from "../../support/guest.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

describe("the stream of messages", () => {
	test("comes whole however it is cut", () => {
		const messages = [{ seq: 1, text: "äöü" }, { seq: 2 }, { seq: 3, list: [1, 2, 3] }];
		const bytes = Uint8Array.from(messages.flatMap((message) => [...frame(message)]));
		for (let size = 1; size < 40; size += 3) {
			const got: unknown[] = [];
			const reader = new MessageReader(
				(message) => got.push(message),
				(why) => expect.unreachable(why),
			);
			for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
			expect(got).toEqual(messages);
		}
	});

	test("may have other headers, in any letters; after what is no JSON the next one is read", () => {
		const got: unknown[] = [];
		const said: string[] = [];
		const reader = new MessageReader(
			(message) => got.push(message),
			(why) => said.push(why),
		);
		reader.push(
			utf8('Content-Type: x\r\ncontent-length:3\r\n\r\n"a"Content-Length: 2\r\n\r\n{]Content-Length: 1\r\n\r\n5'),
		);
		expect([got, said]).toEqual([["a", 5], ["a message that is not JSON"]]);
	});

	test("of which no header ends is given up after 4 KiB, and one that is whole may follow", () => {
		const said: string[] = [];
		const got: unknown[] = [];
		const reader = new MessageReader(
			(message) => got.push(message),
			(why, fatal) => said.push(`${why} ${fatal}`),
		);
		reader.push(utf8("y".repeat(4096)));
		expect(said).toEqual([]);
		reader.push(utf8("y"));
		expect(said).toEqual(["a header without an end true"]);
		reader.push(frame({ seq: 1 }));
		expect(got).toEqual([{ seq: 1 }]);
	});

	test.each([
		["Content-Length: 5\r\n\r\nhello", false],
		["Content-Length: 99999999999\r\n\r\n", true],
		["Content-Length: -1\r\n\r\n", true],
		["Content-Length: 999999999\r\n\r\n", true],
		["Nothing: here\r\n\r\n{}", true],
		["x".repeat(10_000), true],
	])("what is no message is said: %s", (text, fatal) => {
		const said: boolean[] = [];
		new MessageReader(
			() => expect.unreachable(),
			(_why, isFatal) => said.push(isFatal),
		).push(utf8(text));
		expect(said).toEqual([fatal]);
	});
});

describe("requests that make no sense", () => {
	const commands = [
		"initialize setBreakpoints setFunctionBreakpoints setInstructionBreakpoints setDataBreakpoints dataBreakpointInfo setExceptionBreakpoints",
		"threads stackTrace scopes variables evaluate setVariable setExpression readMemory writeMemory disassemble exceptionInfo continue next stepIn",
		"stepOut stepBack reverseContinue pause breakpointLocations restart terminate xv6/whoWrote xv6/reverseStepOut xv6/goToInstruction xv6/timeline",
		"xv6/newFuture xv6/toPresent xv6/type constructor __proto__ toString nothing",
	].flatMap((line) => line.split(" "));

	test("each is answered once, and nothing is thrown, without a machine", async () => {
		const responses: DebugProtocol.Response[] = [];
		const host = {
			launch: async () => {
				throw new UserError("compile-failed", "It does not compile", "Mend it.");
			},
			attach: async () => {
				throw new Error("a defect");
			},
			breathe: async () => undefined,
		};
		const session = new DebugSession(host, (message) => {
			if (message.type === "response") responses.push(message as DebugProtocol.Response);
		});
		let seq = 1;
		const shapes = [
			undefined,
			{},
			{ threadId: -1, frameId: 1e9, variablesReference: 7, expression: {}, memoryReference: "z", count: -5 },
		];
		for (const command of [...commands, "launch", "attach"])
			for (const args of shapes) await session.receive({ seq: seq++, type: "request", command, arguments: args });
		for (const nonsense of [null, 5, "text", [], {}, { type: "request" }, { type: "response", seq: 1 }])
			await session.receive(nonsense);
		expect(responses.map(({ request_seq }) => request_seq)).toEqual(Array.from({ length: seq - 1 }, (_, i) => i + 1));
		for (const { command, success } of responses)
			if (command !== "initialize" && command !== "terminate" && command !== "xv6/type")
				expect(`${command} ${success}`).toBe(`${command} false`);
	});
});

test("expressions are parsed, or refused with a reason", () => {
	const good = [
		"a",
		"a->b.c[3]",
		"*(struct proc *)$a0",
		"-1 + 2 * 3 << 4",
		"a ? b : c",
		"sizeof(int)",
		"'\\n'",
		"$sstatus.SPP",
		"!a && ~b || c",
	];
	for (const text of good) expect(() => parseExpression(text, () => false)).not.toThrow();
	const bad = [
		"",
		" ",
		"a b",
		"f(x)",
		"a = 3",
		"(",
		")",
		"a[",
		"1x",
		"'",
		"$",
		"a..b",
		"a->",
		"?",
		"sizeof",
		"@",
		"((".repeat(400),
		"a".repeat(5000),
		"(struct)",
	];
	for (const text of bad) {
		try {
			parseExpression(text, () => false);
			if (text !== "(struct)") expect.unreachable(text);
		} catch (error) {
			expect(error, text).toBeInstanceOf(UserError);
		}
	}
	let random = 12345;
	const letters = "ab1()[]*&->.<>=!?:'$ 0x+%";
	for (let i = 0; i < 3000; i++) {
		let text = "";
		for (let n = 0; n < 12; n++) {
			random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff;
			text += letters[random % letters.length];
		}
		try {
			parseExpression(text, (name) => name === "a");
		} catch (error) {
			expect(error, text).toBeInstanceOf(UserError);
		}
	}
});

/** Each sign is one level, and so are the expression itself and its number; each parenthesis is two. */
test.each([
	["signs", (count: number) => `${"-".repeat(count)}1`, 98],
	["parentheses", (count: number) => `${"(".repeat(count)}1${")".repeat(count)}`, 49],
] as const)("%s are nested a hundred levels deep, and no deeper", (_, nested, most) => {
	expect(() => parseExpression(nested(most), () => false)).not.toThrow();
	expect(() => parseExpression(nested(most + 1), () => false)).toThrow("nested too deeply");
	// What stands side by side is not nested.
	expect(() => parseExpression(Array(150).fill("1").join("+"), () => false)).not.toThrow();
});

describe("gdb", () => {
	test("packets come whole, checked and unescaped", () => {
		const got: string[] = [];
		const sent: string[] = [];
		const reader = new PacketReader({
			packet: (text) => got.push(text),
			interrupt: () => got.push("^C"),
			acknowledge: (text) => sent.push(text),
		});
		for (const letter of `+${packet("m0,4")}\x03-${packet("a}b$c#d")}$bad#00garbage$`) reader.push(letter);
		expect(got).toEqual(["m0,4", "^C", "a}b$c#d"]);
		expect(sent).toEqual(["+", "+", "-"]);
		reader.push("x".repeat(100_000));
	});

	test("a stub answers whatever comes, and keeps working", async () => {
		const program = assemble("start: addi a0, a0, 1\nj start", ramBase);
		const machine = await Machine.create(
			{ kernel: elfOf(program.bytes), memoryBytes: smallRam },
			{ core: await loadCore() },
		);
		machine.keepHistory();
		const controller = new RunController(machine, { breathe: () => new Promise((resolve) => setImmediate(resolve)) });
		controller.start("paused");
		let text = "";
		const stub = new GdbStub({
			machine,
			controller,
			send: (part) => (text += part),
			breathe: async () => undefined,
			close: () => undefined,
		});
		const ask = async (request: string) => {
			text = "";
			stub.push(packet(request));
			for (let i = 0; i < 200 && !text.includes("#"); i++) await new Promise((resolve) => setTimeout(resolve, 5));
			return /\$(.*)#..$/s.exec(text)?.[1];
		};
		const nonsense = [
			"",
			"p",
			"pzz",
			"P1",
			"P1=zz",
			"m",
			"m1",
			"mzz,1",
			`m${"f".repeat(40)},1`,
			"m80000000,ffffffff",
			"M80000000,4:zz",
			"Z9,0,0",
			"Z0,80000000",
			"Hgzz",
			"Tff",
			"vCont;x",
			"qXfer:features:read:../x:0,1",
			"qRcmd,zz",
			"G00",
			"X",
			"qThreadExtraInfo,zz",
			"\xff\xfe",
		];
		for (const request of nonsense) expect(await ask(request), request).not.toBeUndefined();
		expect(await ask("g")).toHaveLength(33 * 16);
		expect(await ask("m80000000,4")).toHaveLength(8);
		expect(await ask("m0,4")).toBe("E0e");
		expect(await ask("s")).toMatch(/^T05thread:01;/);
		expect(await ask("Z0,80000004,4")).toBe("OK");
		expect(await ask("c")).toBe("T05thread:01;");
		expect(await ask("bs")).toBe("T05thread:01;");
		expect(await ask("z0,80000004,4")).toBe("OK");
		expect(await ask("bc")).toMatch(/replaylog:begin/);
		stub.dispose();
		controller.dispose();
		machine.dispose();
	});
});
