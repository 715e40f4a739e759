import { expect, test } from "vitest";
import { runInfoOf } from "../../../src/protocol/inspector.ts";
import { isToInspector } from "../../../src/protocol/inspectorMessages.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";

const verdict: Verdict = {
	...{ lab: "hw5", test: "prodcons1", task: "2", title: "Two processes", program: "prodcons1", command: "prodcons1 5" },
	...{ outcome: "failed", end: "panic", expected: "total = 1", actual: "panic: x", points: { got: 0, of: 5 } },
	reasons: [
		{ kind: "end", message: "The kernel panicked." },
		{ kind: "output", message: "The total is missing." },
	],
	explanations: [
		{ id: "copied", text: "fork() copies the page.", look: "kernel/proc.c:280", panel: "frames" },
		{ id: "plain", text: "It ends early." },
	],
	faults: [{ text: "a fault" }],
	findings: [{ id: "junk-read", sentence: "A page was not zeroed." }],
	stack: [{ name: "panic", address: "0x80000000" }],
	diagnoses: [{ kind: "panic", severity: "error", cause: "x", evidence: [], frames: [], effects: [], notes: [] }],
	...{ instructions: 12_345, harts: 3, seed: 7 },
};

test("the page is told what was run, how, and why it failed, in words, and nothing that it has from the model", () => {
	expect(runInfoOf(verdict)).toEqual({
		...{ command: "prodcons1 5", title: "Two processes", outcome: "failed", expected: "total = 1", actual: "panic: x" },
		reasons: ["The kernel panicked.", "The total is missing."],
		explanations: [{ text: "fork() copies the page.", look: "kernel/proc.c:280" }, { text: "It ends early." }],
		...{ end: "panic", diagnoses: verdict.diagnoses, harts: 3, seed: 7, instructions: 12_345 },
	});
});

test("a run that ended at the prompt needs no word for its end", () => {
	expect(runInfoOf({ ...verdict, end: "prompt" })).not.toHaveProperty("end");
});

test("what the page is told of a run passes its check as one of the host's messages", () => {
	expect(isToInspector(structuredClone({ type: "run", run: runInfoOf(verdict) }))).toBe(true);
});
