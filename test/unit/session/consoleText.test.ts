import { describe, expect, test } from "vitest";
import { describeEnd } from "../../../src/session/commandEnd.ts";
import { ConsoleText, commandOutput, lastPanic, panicAdvice } from "../../../src/session/consoleText.ts";

const utf8 = (words: string) => new TextEncoder().encode(words);
const said = (...pieces: string[]) => {
	const text = new ConsoleText();
	for (const piece of pieces) text.add(utf8(piece));
	return text;
};

describe("the shell's prompt", () => {
	test.each([
		[["$ "], true],
		[["\n$ "], true],
		[["a\r\n$ "], true],
		[["a\n", "$", " "], true],
		[["a$ "], false],
		[["$ x"], false],
		[["$"], false],
		[["$ \n"], false],
		[[""], false],
		[["x".repeat(1000), "\n$ "], true],
		[["x".repeat(1000), "$ "], false],
	])("%j ends with it: %j", (pieces, atPrompt) => {
		expect(said(...pieces).atPrompt).toBe(atPrompt);
	});

	test("of an earlier command is none once the next is typed", () => {
		const text = said("a\n$ ");
		text.forget();
		expect([text.atPrompt, text.text, text.printed]).toEqual([false, "", 4]);
	});
});

describe("a panic", () => {
	test.each([
		["panic: freewalk: leaf\n", "freewalk: leaf"],
		["PANIC: odd\r\n", "odd"],
		["hart 1: panic: kerneltrap\n", "kerneltrap"],
		["panic:\n", ""],
		["nopanic: no\n", undefined],
		["panic: not ended", undefined],
		["Panic: x\n", undefined],
		["a\nb\n", undefined],
		["panic: one\npanic: two\n", "one"],
		["a b\npanic: one\nhart 1: panic: two\n", "one"],
	])("%j: %j", (words, message) => {
		expect(said(words).panic).toBe(message);
	});

	test("is the first that was printed, until it is denied or forgotten; of a whole text the last counts", () => {
		const text = said("panic: one\n", "panic: two\n");
		expect(text.panic).toBe("one");
		text.forgetPanic();
		expect(text.panic).toBeUndefined();
		text.add(utf8("x\n$ "));
		expect([text.panic, text.atPrompt]).toEqual([undefined, true]);
		text.add(utf8("panic: three\n"));
		expect(text.panic).toBe("three");
		text.forget();
		expect(text.panic).toBeUndefined();
		expect(lastPanic("panic: one\nx\npanic: two\n")).toBe("two");
		expect(lastPanic("none\n")).toBeUndefined();
	});

	test("over the wrong version of the disk says what to try", () => {
		expect(panicAdvice("panic: could not find virtio disk\n")).toContain("--virtio legacy");
		expect(panicAdvice("panic: walk\n")).toBeUndefined();
	});
});

test.each([
	["echo hi\nhi\n$ ", "echo hi", "hi\n"],
	["hi\n$ ", "echo hi", "hi\n"],
	["echo hi\n$ ", "echo hi", ""],
	["$ ", "x", ""],
	["x\nno prompt", "x", "no prompt"],
	["x\ncosts $ 5\n$ ", "x", "costs $ 5\n"],
	["boot\nx\nx\ny\n$ ", "x", "x\ny\n"],
])("of the console %j after `%s` the output is %j", (console, command, output) => {
	expect(commandOutput(console, command)).toBe(output);
});

test("a character that comes in two pieces is one, and lines have one kind of end", () => {
	const bytes = utf8("ä\r\nb\rc\n");
	const text = new ConsoleText();
	text.add(bytes.subarray(0, 1));
	text.add(bytes.subarray(1));
	expect([text.text, text.raw, text.printed]).toEqual(["ä\nb\rc\n", "ä\r\nb\rc\n", 7]);
});

test("what a command prints is kept whole up to several million characters", () => {
	const text = new ConsoleText();
	const line = utf8(`${"x".repeat(99_999)}\n`);
	for (let i = 0; i < 75; i++) text.add(line);
	expect(text.raw.length).toBe(7_500_000);
	for (let i = 0; i < 10; i++) text.add(line);
	expect([text.raw.length < 5_000_000, text.printed]).toEqual([true, 8_500_000]);
});

test.each([
	[{ kind: "prompt" }, ""],
	[{ kind: "panic", message: "a\u001b[2J" }, "The kernel panicked: a^[[2J"],
	[{ kind: "timeout" }, "The command did not return to the shell within 1,500,000 instructions"],
	[{ kind: "halt", code: 7 }, "The guest powered off (exit code 7)"],
	[{ kind: "stuck" }, /^All harts are idle/],
	[{ kind: "stall", report: { kind: "spin", message: "Hart 1 spins.", harts: [] } }, "Hart 1 spins."],
	[{ kind: "flood", printed: 1_000_001 }, "The command printed 1,000,001 characters and had not finished"],
] as const)("the end %j in a sentence", (end, sentence) => {
	expect(describeEnd(end as never, 1_500_000)).toMatch(
		typeof sentence === "string" ? new RegExp(`^${sentence.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) : sentence,
	);
});
