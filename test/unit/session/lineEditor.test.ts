import fc from "fast-check";
import { expect, test } from "vitest";
import { clusters } from "../../../src/common/cells.ts";
import { ConsoleText } from "../../../src/extension/consoleText.ts";
import { LineEditor } from "../../../src/session/lineEditor.ts";
import { Screen } from "../../support/screen.ts";

/** xv6's console and shell, as far as a terminal sees them: echo, its erasing, and a prompt after each line. */
class Guest {
	/** Everything that reached the UART. */
	got = "";
	readonly lines: string[] = [];
	private line: number[] = [];
	/** It echoes and answers when asked to, as a machine in a worker does. */
	private readonly queue: number[] = [];
	private readonly text = new ConsoleText();
	readonly screen: Screen;
	readonly editor: LineEditor;
	/** What a program prints for a line. */
	answer = (_line: string) => "";

	constructor(columns = 80) {
		this.screen = new Screen(columns);
		this.editor = new LineEditor({
			send: (bytes) => {
				this.got += new TextDecoder().decode(bytes);
				this.queue.push(...bytes);
			},
			draw: (text) => this.screen.write(text),
			names: () => ({ programs: ["cat", "echo", "grep", "ls"], files: ["README", "README.old", "cat", "notes"] }),
		});
		this.editor.columns = columns;
		this.print("init: starting sh\n$ ");
	}

	print(text: string): void {
		this.show(new TextEncoder().encode(text));
	}

	private show(bytes: Uint8Array): void {
		const text = this.text.push(bytes);
		this.screen.write(this.editor.output(text, this.text.lastLine));
	}

	/** Reads what was typed. */
	turn(): void {
		const echo: number[] = [];
		const flush = () => this.show(Uint8Array.from(echo.splice(0)));
		for (const byte of this.queue.splice(0)) {
			if (byte === 0x7f) {
				if (this.line.pop() !== undefined) echo.push(8, 32, 8);
			} else if (byte === 0x10) {
				flush();
				this.print("\n1 sleep init\n");
			} else if (byte === 0x0d || byte === 0x0a) {
				echo.push(0x0a);
				flush();
				const line = new TextDecoder().decode(Uint8Array.from(this.line.splice(0)));
				this.lines.push(line);
				this.print(`${this.answer(line)}$ `);
			} else {
				this.line.push(byte);
				echo.push(byte);
			}
		}
		flush();
	}

	type(...keys: string[]): void {
		for (const key of keys) this.editor.type(key);
	}

	enter(): void {
		this.type("\r");
		this.turn();
	}

	/** The screen's last row. */
	get last(): string {
		return this.screen.text.split("\n").at(-1) ?? "";
	}
}

const up = "\u001b[A";
const down = "\u001b[B";
const right = "\u001b[C";
const left = "\u001b[D";
const home = "\u001b[H";
const end = "\u001b[F";
const remove = "\u001b[3~";
const backspace = "\u007f";

test("a line is edited before the guest gets any of it, and then stands on the screen once", () => {
	const guest = new Guest();
	guest.type("c", "h", "o", home, "e", end, " ", "h", "i", "x", backspace);
	expect([guest.got, guest.last]).toEqual(["", "$ echo hi"]);
	guest.answer = () => "hi\n";
	guest.enter();
	expect(guest.got).toBe("echo hi\n");
	expect(guest.screen.text).toBe("init: starting sh\n$ echo hi\nhi\n$");
});

test.each([
	["Home, Delete", ["abc", home, remove], "bc"],
	["← Delete and Backspace in the midst", ["abcd", left, left, remove, backspace], "ad"],
	["→ stops at the end", ["ab", right, right, "c"], "abc"],
	["Ctrl-A and Ctrl-E", ["bc", "\u0001", "a", "\u0005", "d"], "abcd"],
	["Ctrl-U takes what is before the cursor", ["echo hi", left, left, "\u0015"], "hi"],
	["Ctrl-K takes what is after it", ["echo hi", home, right, "\u000b"], "e"],
	["Ctrl-W takes a word", ["echo one two", "\u0017"], "echo one "],
	["Ctrl-W takes the spaces after it, too", ["echo one   ", "\u0017"], "echo "],
	["Ctrl-W of spaces alone takes them", ["   ", "\u0017"], ""],
	["Ctrl-←, Ctrl-→", ["one two", "\u001b[1;5D", "x", "\u001b[1;5C", "y"], "one xtwoy"],
	["keys of no meaning are dropped", ["a", "\u001b[15~", "\u001b[1;2P", "\u001bOP", "b"], "ab"],
	["keys that come together", ["ab\u001b[Dc"], "acb"],
	["a mark joins its character, and goes with it", ["e", "\u0301", "x", left, left, remove], "x"],
	["wide characters", ["世界", left, "a"], "世a界"],
])("%s", (_name, keys, line) => {
	const guest = new Guest();
	guest.type(...keys);
	expect(guest.editor.text).toBe(line);
	guest.enter();
	expect(guest.got).toBe(`${line}\n`);
	expect(guest.lines).toEqual([line]);
});

test("↑ and ↓ go through the lines before, and back to the one that was begun", () => {
	const guest = new Guest();
	for (const line of ["ls", "echo a", "echo a", ""]) {
		guest.type(line);
		guest.enter();
	}
	guest.type("gr", up);
	expect(guest.last).toBe("$ echo a");
	guest.type(up);
	expect(guest.last).toBe("$ ls");
	guest.type(up, down, down);
	expect(guest.last).toBe("$ gr");
	guest.type(up, home, remove, "E");
	guest.enter();
	expect(guest.lines.at(-1)).toBe("Echo a");
});

test("Tab completes programs first in a command, file names after, and lists what is left open", () => {
	const guest = new Guest();
	guest.type("ec", "\t");
	expect(guest.last).toBe("$ echo");
	guest.type("x | gr", "\t", "RE", "\t");
	expect(guest.editor.text).toBe("echo x | grep README");
	guest.type("\t");
	expect(guest.screen.text.split("\n").slice(-2)).toEqual(["README  README.old", "$ echo x | grep README"]);
	guest.type(".", "\t");
	expect(guest.editor.text).toBe("echo x | grep README.old ");
	guest.type("> mine");
	guest.enter();
	guest.type("cat mi", "\t", "zz", "\t");
	expect(guest.editor.text).toBe("cat mine zz");
	guest.enter();
	expect(guest.got).toBe("echo x | grep README.old > mine\ncat mine zz\n");
});

test("a paste: its first line is edited, the others pass untouched, a tab in it completes nothing", () => {
	const guest = new Guest();
	guest.type("echo one\recho two\rec");
	expect(guest.got).toBe("echo one\necho two\rec");
	guest.turn();
	guest.type("ho three\r");
	guest.turn();
	expect(guest.lines).toEqual(["echo one", "echo two", "echo three"]);
	guest.type("ec\tx\r");
	guest.turn();
	expect(guest.lines.at(-1)).toBe("ec\tx");
});

test("a line that comes with its Enter is on the screen until the guest's echo takes its place", () => {
	const guest = new Guest();
	guest.type("ls\r");
	expect(guest.last).toBe("$ ls");
	guest.turn();
	expect(guest.screen.text).toBe("init: starting sh\n$ ls\n$");
});

test("a key of the kernel hands over the line that was begun, and goes after it", () => {
	for (const key of ["\u0003", "\u0004", "\u0010", "\u0080", "\u009f"]) {
		const guest = new Guest();
		guest.type(key);
		expect(guest.got).toBe(key);
		const other = new Guest();
		other.type("ec", key);
		expect(other.got).toBe(`ec${key}`);
	}
	const guest = new Guest();
	guest.type("ec", "\u0010");
	guest.turn();
	expect(guest.screen.text).toBe("init: starting sh\n$ ec\n1 sleep init");
	// The guest has the line: the rest of it is the guest's to edit.
	guest.type("hox", backspace, " hi");
	guest.enter();
	expect(guest.lines).toEqual(["echo hi"]);
	guest.type("l", home, "x");
	expect(guest.last).toBe("$ xl");
});

test("output in the midst of a line takes its place, and the guest gets what was typed", () => {
	const guest = new Guest();
	guest.type("ec");
	guest.print("done\n");
	guest.turn();
	expect(guest.screen.text).toBe("init: starting sh\n$ done\nec");
	guest.type("ho");
	guest.enter();
	expect(guest.lines).toEqual(["echo"]);
	guest.type("ls");
	guest.screen.write(guest.editor.around("\r\u001b[J[note]\r\n$ "));
	expect(guest.screen.text.split("\n").slice(-2)).toEqual(["[note]", "$ ls"]);
});

test("what is typed while a program runs is the program's; a line that is begun then stays the guest's", () => {
	const guest = new Guest();
	guest.type("cat\r");
	guest.type("x", home, "\u0004");
	guest.screen.write = () => undefined;
	expect(guest.got).toBe(`cat\nx${home}\u0004`);
	guest.turn();
	guest.print("\n$ ");
	guest.print("\nworks\n");
	guest.type("ec");
	guest.print("\n$ ");
	expect(guest.editor.isEditing).toBe(false);
	guest.type("\r", "l");
	expect(guest.got.slice(-4)).toBe("ec\rl");
});

test("off, or not at a prompt, every byte passes as it is", () => {
	fc.assert(
		fc.property(fc.array(fc.string({ unit: "binary" })), fc.boolean(), (keys, off) => {
			const guest = new Guest();
			if (off) guest.editor.enabled = false;
			else guest.print("user program\n");
			const { text } = guest.screen;
			guest.type(...keys);
			expect(guest.got).toBe(keys.join(""));
			expect(guest.screen.text).toBe(text);
		}),
		{ numRuns: 50 },
	);
});

const key = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.string({
			unit: fc.constantFrom("a", "b", " ", "世", "é", "e\u0301", "😀"),
			minLength: 1,
			maxLength: 9,
		}),
	},
	{
		weight: 4,
		arbitrary: fc.constantFrom(
			left,
			right,
			home,
			end,
			remove,
			backspace,
			"\u0001",
			"\u0005",
			"\u0015",
			"\u0017",
			"\u000b",
		),
	},
	{ weight: 2, arbitrary: fc.constantFrom(up, down) },
	{ weight: 1, arbitrary: fc.constantFrom("\r") },
);

test("what reaches the guest is the edited line and a newline, and the screen shows what a plain terminal would", () => {
	fc.assert(
		fc.property(fc.array(key, { maxLength: 60 }), fc.integer({ min: 8, max: 24 }), (keys, columns) => {
			const guest = new Guest(columns);
			const plain = new Screen(columns);
			plain.write("init: starting sh\r\n$ ");
			let sent = "";
			for (const one of keys) {
				const { text } = guest.editor;
				guest.type(one);
				if (one === "\r") {
					guest.turn();
					sent += `${text}\n`;
					plain.write(`${text}\r\n$ `);
				}
				expect(guest.got).toBe(sent);
				// The line stands after the prompt, and the cursor where the next character would go.
				const drawn = new Screen(columns);
				drawn.write("init: starting sh\r\n$ ");
				for (const line of guest.lines) drawn.write(`${line}\r\n$ `);
				drawn.write(clusters(guest.editor.text).join(""));
				expect(guest.screen.text).toBe(drawn.text);
			}
			guest.type("\r");
			guest.turn();
			plain.write(`${guest.lines.at(-1)}\r\n$ `);
			expect(guest.screen.text).toBe(plain.text);
			expect(guest.lines.map((line) => `${line}\n`).join("")).toBe(guest.got);
		}),
		{ numRuns: 150 },
	);
});
