import { expect, test } from "vitest";
import {
	actionLine,
	actionsIn,
	type CardWords,
	plainCard,
	terminalCard,
	verdictCard,
} from "../../../src/extension/card.ts";
import type { VerdictData } from "../../../src/protocol/engine.ts";

const words: CardWords = {
	where: "where",
	expected: "expected",
	got: "got",
	faults: "What the run shows:",
	passed: "Passed",
	failed: "Failed",
	other: "Not judged",
};
const failed = {
	title: "prodcons3 prints 2048",
	outcome: "failed",
	expected: "total = 2048",
	actual: "total = 673720320\n",
	reasons: [{ kind: "output", message: "Unexpected output" }],
	explanations: [
		{ id: "junk", text: "The consumer read kalloc's fill. It had frames of its own.", look: "kernel/trap.c: usertrap" },
	],
	faults: [{ text: "pid 5 store \u001b[31m0x3fffffb000" }],
	findings: [],
} as unknown as VerdictData;

const bare = (lines: readonly string[]) => lines.map((line) => line.replace(/\u001b\[[\d;]*m/g, ""));

test("terminal and test message tell the same in the same order: cause, where, expected, got, the rest", () => {
	const card = verdictCard(failed);
	expect(bare(terminalCard(card, words, ["Run again"]))).toEqual([
		"✗ Failed: prodcons3 prints 2048",
		"  The consumer read kalloc's fill.",
		"  where    kernel/trap.c: usertrap",
		"  expected total = 2048",
		"  got      total = 673720320",
		"  ▸ Run again",
	]);
	expect(plainCard(card, words)).toBe(
		[
			"The consumer read kalloc's fill.",
			"where kernel/trap.c: usertrap\nexpected total = 2048\ngot total = 673720320",
			"It had frames of its own.",
			"What the run shows:\n  pid 5 store \ufffd[31m0x3fffffb000",
		].join("\n\n"),
	);
});

test("a pass is one line, in its own colour", () => {
	const lines = terminalCard(verdictCard({ ...failed, outcome: "passed" }), words, []);
	expect(bare(lines)).toEqual(["✓ Passed: prodcons3 prints 2048"]);
	expect(lines[0]).toContain("\u001b[1;32m");
});

test("without an explanation the first reason is the cause, and is not repeated", () => {
	const card = verdictCard({ ...failed, explanations: [], reasons: [{ kind: "end", message: "The run timed out" }] });
	expect(card).toMatchObject({ cause: "The run timed out", more: [] });
	expect(card.expected).toBeUndefined();
});

test("an output of many lines is quoted in part", () => {
	const actual = Array.from({ length: 9 }, (_, i) => `line ${i}`).join("\n");
	expect(verdictCard({ ...failed, actual }).got).toEqual(["line 0", "line 1", "line 2", "… 6 more"]);
	expect(verdictCard({ ...failed, actual: "\n" }).got).toEqual(["(nothing)"]);
});

test("memory is offered when it has something to show", () => {
	expect(verdictCard(failed).inspect).toBe(true);
	expect(verdictCard({ ...failed, faults: [] }).inspect).toBe(false);
});

test("an action is found only where it stands as one", () => {
	const actions = ["Run again", "Run"];
	const line = `  ${actionLine(actions)}`;
	expect(actionsIn(line, actions)).toEqual([
		{ at: 2, length: 11, action: "Run again" },
		{ at: 15, length: 5, action: "Run" },
	]);
	expect(actionsIn("Run again", actions)).toEqual([]);
});
