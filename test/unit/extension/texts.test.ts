import { expect, test } from "vitest";
import { ConsoleText } from "../../../src/extension/consoleText.ts";
import { describeVerdict, escapeMarkdown, plainVerdict, verdictHeadline } from "../../../src/extension/verdictText.ts";
import type { VerdictData } from "../../../src/protocol/engine.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a line feed becomes CR LF once, wherever the chunks are cut", () => {
	const whole = "a\nb\r\nc\r";
	for (let cut = 0; cut <= whole.length; cut++) {
		const text = new ConsoleText();
		expect(text.push(bytes(whole.slice(0, cut))) + text.push(bytes(whole.slice(cut))) + text.push(bytes("\n"))).toBe(
			"a\r\nb\r\nc\r\n",
		);
	}
});

test("a character that is cut between chunks arrives whole", () => {
	const text = new ConsoleText();
	const [first, ...rest] = bytes("é");
	expect(text.push(Uint8Array.of(first as number))).toBe("");
	expect(text.push(Uint8Array.from(rest))).toBe("é");
});

const failed: VerdictData = {
	lab: "lab",
	test: "t",
	task: "1",
	title: "prodcons3 prints 2048",
	program: "prodcons3",
	command: "prodcons3",
	outcome: "failed",
	end: "prompt",
	expected: "total = 2048",
	actual: "total = 673720320",
	reasons: [{ kind: "output", message: "The output is not the expected one" }],
	explanations: [
		{ id: "junk", text: "The consumer read kalloc's fill. It had frames of its own.", look: "kernel/trap.c" },
	],
	faults: [{ text: "``` <b>pid 4</b>" }],
	findings: [],
	stack: [],
	instructions: 1,
	harts: 1,
	seed: 0,
};

test("text of the guest cannot become markup", () => {
	expect(escapeMarkdown("[x](command:evil) <b>")).toBe("\\[x\\]\\(command:evil\\) \\<b\\>");
	expect(describeVerdict(failed, { look: "Look at:", faults: "Faults:" })).toContain(
		"````text\n``` <b>pid 4</b>\n````",
	);
});

test("a plain verdict keeps to its width, and nothing of the guest steers what shows it", () => {
	const long = { ...failed, reasons: [{ kind: "output", message: "word ".repeat(60).trim() }] };
	const text = plainVerdict({ ...long, faults: [{ text: "\u001b[31mred" }] }, { look: "Look at:", faults: "Faults:" });
	expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
	expect(text.split("word").length).toBe(61);
	expect(text).toMatch(
		/^The consumer read kalloc's fill. It had frames of its own.\n\nLook at: kernel\/trap.c\n\nword word/,
	);
	expect(text).toContain("\n\nFaults:\n  \ufffd[31mred");
});

test("the headline of a failure is the first sentence of its explanation", () => {
	expect(verdictHeadline(failed)).toBe("prodcons3 prints 2048: The consumer read kalloc's fill.");
});
