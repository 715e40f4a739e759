import { expect, test } from "vitest";
import {
	actionLine,
	actionsIn,
	buildCard,
	type CardWords,
	diagnosisCard,
	plainCard,
	terminalCard,
	verdictCard,
} from "../../../src/extension/card.ts";
import type { Diagnosis } from "../../../src/protocol/diagnosis.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";

const words: CardWords = {
	where: "where",
	expected: "expected",
	got: "got",
	also: "also",
	calls: "calls",
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
	diagnoses: [],
} as unknown as Verdict;

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

const panic: Diagnosis = {
	kind: "panic",
	severity: "error",
	cause: "The kernel stopped itself with panic: mytest. Nothing closer is known.",
	evidence: ["hart 0 is in panic"],
	frames: [
		{ name: "panic", file: "kernel/printf.c", line: 120, address: "0x80000100" },
		{ name: "main", file: "kernel/main.c", line: 21, address: "0x80000200" },
	],
	look: { file: "kernel/main.c", line: 21 },
	effects: [],
	notes: ["no process table was recognised"],
};

test("a panic that no test judges has its card, with the chain of calls", () => {
	const card = diagnosisCard("boot", [panic]);
	expect(card && bare(terminalCard(card, words, []))).toEqual([
		"✗ Failed: boot",
		"  The kernel stopped itself with panic: mytest.",
		"  where kernel/main.c:21",
		"  calls panic (kernel/printf.c:120)",
		"        main (kernel/main.c:21)",
	]);
	expect(diagnosisCard("boot", [])).toBeUndefined();
});

test("a verdict without a known failure takes its cause from the diagnosis, with one it adds what the run showed", () => {
	const without = verdictCard({ ...failed, explanations: [], diagnoses: [panic] });
	expect(without).toMatchObject({ cause: "The kernel stopped itself with panic: mytest.", where: "kernel/main.c:21" });
	expect(without.calls).toHaveLength(2);
	const card = verdictCard({ ...failed, diagnoses: [panic] });
	expect(card.cause).toBe("The consumer read kalloc's fill.");
	expect(card.more).toContain(panic.cause);
});

test("a build that failed names its first error as the cause, its place, and a few of the others", () => {
	const error = (line: number) => ({ file: "kernel/vm.c", line, severity: "error" as const, message: `error ${line}` });
	const lines = (count: number) =>
		bare(
			terminalCard(
				buildCard(
					"the kernel was not built",
					Array.from({ length: count }, (_, i) => error(i + 1)),
				),
				words,
				["Open Problems"],
			),
		);
	expect(lines(1)).toEqual([
		"✗ Failed: the kernel was not built",
		"  error 1",
		"  where kernel/vm.c:1",
		"  ▸ Open Problems",
	]);
	expect(lines(2)).toContain("  also  kernel/vm.c:2: error 2");
	expect(lines(5)).not.toContain("        … 1 more");
	expect(lines(6)).toContain("        … 1 more");
	// A linker's message has no place, and a Makefile's reader sometimes no line.
	const message = "undefined symbol: copyin2";
	const linked = buildCard("x", [
		{ file: "", severity: "error", message },
		{ file: "", severity: "error", message },
	]);
	expect(linked).toMatchObject({ cause: message, also: [message] });
	expect(linked.where).toBeUndefined();
});

test("the rest of what a diagnosis knows stands below: effects, notes, further causes; a note is no failure", () => {
	const note: Diagnosis = { ...panic, severity: "note", cause: "One thing. Another thing.", effects: ["It spread."] };
	expect(diagnosisCard("boot", [note, panic])).toEqual({
		...{ mark: "other", title: "boot", cause: "One thing.", where: "kernel/main.c:21", inspect: false },
		more: ["Another thing.", panic.cause, "It spread.", "no process table was recognised"],
		calls: ["panic (kernel/printf.c:120)", "main (kernel/main.c:21)"],
		evidence: ["hart 0 is in panic"],
	});
	const { look: _, ...nowhere } = panic;
	expect(diagnosisCard("boot", [nowhere])).toMatchObject({ mark: "failed", inspect: true });
	expect(diagnosisCard("boot", [nowhere])?.where).toBeUndefined();
});

test("of a long chain of calls the innermost are shown, each with what is known of its place", () => {
	const frame = (name: string, place: object = {}) => ({ name, address: "0x80000042", ...place });
	const frames = [
		frame("f", { file: "kernel/a.c", line: 7 }),
		frame("g", { file: "kernel/a.c" }),
		frame("?"),
		...Array.from({ length: 9 }, (_, i) => frame(`h${i}`)),
	];
	const calls = diagnosisCard("boot", [{ ...panic, frames } as Diagnosis])?.calls;
	expect(calls?.slice(0, 3)).toEqual(["f (kernel/a.c:7)", "g (kernel/a.c)", "? (0x80000042)"]);
	expect([calls?.length, calls?.at(-1)]).toEqual([8, "h4 (0x80000042)"]);
});

test.each<[string, Partial<Verdict>, object]>([
	["a test that broke", { outcome: "errored" }, { mark: "failed" }],
	["one that was not checked", { outcome: "not-checked" }, { mark: "other" }],
	[
		"a finding",
		{ faults: [], findings: [{ id: "f", sentence: "A frame is lost." }] },
		{ evidence: ["A frame is lost."], inspect: true },
	],
	[
		"two explanations",
		{ explanations: [...failed.explanations, { id: "b", text: "Also this." }] },
		{ more: ["It had frames of its own.", "Also this."] },
	],
	[
		"the same said twice",
		{ explanations: [], reasons: ["A.", "B.", "B."].map((message) => ({ kind: "end", message })) },
		{ cause: "A.", more: ["B."] },
	],
	["nothing known at all", { explanations: [], reasons: [] }, { mark: "failed", more: [] }],
])("%s", (_name, change, card) => {
	expect(verdictCard({ ...failed, ...change })).toMatchObject(card);
});

test("the faults that led to the end are shown, not the many before", () => {
	const faults = Array.from({ length: 20 }, (_, i) => ({ text: `fault ${i}` }));
	const { evidence } = verdictCard({ ...failed, faults });
	expect([evidence.length, evidence[0], evidence.at(-1)]).toEqual([8, "fault 12", "fault 19"]);
});

test("long sentences are wrapped to the terminal's width; what a grade script says keeps its lines", () => {
	const cause = `${"word ".repeat(30).trim()}.`;
	const card = verdictCard({
		...failed,
		explanations: [{ id: "x", text: cause }],
		reasons: [{ kind: "end", message: `${"a ".repeat(80)}\nb` }],
	});
	const lines = bare(terminalCard(card, words, [], 42)).slice(1);
	expect(lines.map((line) => line.length <= 42 && line.startsWith("  "))).toEqual(Array(lines.length).fill(true));
	expect(lines.map((line) => line.trim()).join(" ")).toBe(cause);
	// A line is filled: the next word would not have had room.
	expect((lines[0] as string).length + " word".length).toBeGreaterThan(42);
	expect(plainCard(card, words).split("\n\n")[1]).toBe(`${"a ".repeat(80)}\nb`);
	expect(
		plainCard({ ...card, more: ["x ".repeat(80).trim()] }, words)
			.split("\n\n")[1]
			?.split("\n").length,
	).toBe(2);
});

test("what the guest prints cannot steer the terminal from a card", () => {
	const lines = terminalCard({ ...verdictCard(failed), title: "a\u001b[2Jb", cause: "c\u0007d" }, words, []);
	expect(bare(lines).slice(0, 2)).toEqual(["✗ Failed: a\ufffd[2Jb", "  c\ufffdd"]);
});
