import { describe, expect, test } from "vitest";
import { Keyboard } from "../../../src/session/keyboard.ts";

const bytes = (words: string) => new TextEncoder().encode(words);

/** A console that holds what it was given until the guest reads it. */
function guest() {
	const given: string[] = [];
	const machine = {
		instret: 0,
		console: {
			pending: 0,
			write: (typed: Uint8Array) => {
				given.push(new TextDecoder().decode(typed));
				machine.console.pending += typed.length;
			},
			onData: () => ({ dispose: () => undefined }),
		},
	};
	const keyboard = new Keyboard(machine);
	/** It waits for input, and reads all that it was given. */
	const reads = () => {
		machine.console.pending = 0;
		return keyboard.feed(true);
	};
	return { given, machine, keyboard, reads };
}

describe("what is typed reaches the guest", () => {
	test("at once while nothing waits, and in its order after what does", () => {
		const { given, keyboard, reads } = guest();
		keyboard.type(bytes("a"));
		keyboard.type(bytes("b"));
		keyboard.type(bytes("c"));
		expect([given, keyboard.isEmpty]).toEqual([["a"], false]);
		expect(reads()).toBe(true);
		expect([given, keyboard.isEmpty]).toEqual([["a", "bc"], true]);
		expect(reads()).toBe(false);
	});

	test.each([
		["lines one by one", "ls\necho a\nx", ["ls\n", "echo a\n", "x"]],
		["either end of a line", "ls\recho\r\n", ["ls\r", "echo\r", "\n"]],
		[
			"long lines in pieces that xv6's buffer of 128 holds",
			"y".repeat(250),
			["y".repeat(100), "y".repeat(100), "y".repeat(50)],
		],
		["a long line and its end", `${"y".repeat(100)}\nz`, ["y".repeat(100), "\n", "z"]],
		["nothing", "", []],
	])("%s", (_, typed, pieces) => {
		const { given, keyboard, reads } = guest();
		keyboard.type(bytes(typed));
		for (let i = 0; i < 10; i++) reads();
		expect([given, keyboard.isEmpty]).toEqual([pieces, true]);
	});

	test("not on top of what has not been read, however long it takes", () => {
		const { given, machine, keyboard } = guest();
		keyboard.type(bytes("a\nb"));
		machine.instret = 1e9;
		expect([keyboard.feed(false), keyboard.feed(true), given]).toEqual([false, false, ["a\n"]]);
	});

	test("of a guest that is busy: when it has had time to read the piece before", () => {
		const { given, machine, keyboard } = guest();
		machine.instret = 1000;
		keyboard.type(bytes("a\nb\nc"));
		machine.console.pending = 0;
		machine.instret += 4_999_999;
		expect(keyboard.feed(false)).toBe(false);
		machine.instret += 1;
		expect([keyboard.feed(false), given]).toEqual([true, ["a\n", "b\n"]]);
		machine.console.pending = 0;
		expect(keyboard.feed(false)).toBe(false);
		expect([keyboard.feed(true), given.at(-1)]).toEqual([true, "c"]);
	});
});
