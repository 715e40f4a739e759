import { expect, test } from "vitest";
import { withoutComments } from "../../../src/common/cText.ts";
import { type Evidence, explain, judge } from "../../../src/lab/judge.ts";
import { parseManifest } from "../../../src/lab/manifest.ts";
import { commandOutput } from "../../../src/session/consoleText.ts";
import type { CommandResult } from "../../../src/session/shell.ts";

const manifestText = (change: (data: Record<string, unknown>) => void = () => {}) => {
	const data: Record<string, unknown> = {
		id: "lab",
		title: "A lab",
		course: "A course",
		handout: "README.md",
		programs: ["prodcons1"],
		tasks: [{ id: "2c", title: "Run it" }],
		tests: [
			{
				id: "prodcons1",
				task: "2c",
				title: "prodcons1 prints 55",
				program: "prodcons1",
				expect: { match: "exact", output: "total = 55" },
				budget: 1_000_000_000,
				invariants: [{ kind: "no-frame-leaked" }, { kind: "frames-shared", address: "0x3fffffd000", pages: 1 }],
			},
		],
		knownFailures: [
			{ id: "leaf", pattern: "panic: freewalk: leaf", explanation: "A mapping was left behind in the page table." },
			{
				id: "junk",
				findings: ["family-frames-differ"],
				explanation: "The members of the family have different frames.",
			},
		],
	};
	change(data);
	return JSON.stringify(data);
};
const manifest = parseManifest(manifestText(), "lab.json");
const prodcons1 = manifest.tests[0]!;
const passed: CommandResult = { end: { kind: "prompt" }, output: "total = 55\n", instructions: 1000 };
const evidence: Evidence = { freeBefore: 100, freeAfter: 100, findings: [], killed: [], framesAt: () => undefined };

test("a run with the expected output and no broken invariant passes", () => {
	expect(judge(prodcons1, passed, evidence)).toEqual([]);
});

test("a wrong total, a panic, a time-out and a leak are each a reason", () => {
	expect(judge(prodcons1, { ...passed, output: "total = 0\n" }, evidence).map((r) => r.kind)).toEqual(["output"]);
	const panic = judge(prodcons1, { ...passed, end: { kind: "panic", message: "freewalk: leaf" } }, evidence);
	expect(panic[0]?.message).toBe("The kernel panicked: freewalk: leaf");
	const late = judge(prodcons1, { ...passed, end: { kind: "timeout" } }, evidence);
	expect(late[0]?.message).toContain("did not come back");
	const leak = judge(prodcons1, passed, { ...evidence, freeAfter: 97 });
	expect(leak[0]?.message).toBe("After the command 3 fewer frames are free than before it (100 before, 97 after)");
});

test("processes that should share a frame and do not are named with their frames", () => {
	const apart = judge(prodcons1, passed, {
		...evidence,
		framesAt: () => [
			{ pid: 4, frame: 0x87000n },
			{ pid: 5, frame: 0x87001n },
		],
	});
	expect(apart[0]?.message).toContain("process 4: frame 0x87000, process 5: frame 0x87001");
});

test("a program that is not in the file system is an error of its own", () => {
	const missing = judge(prodcons1, { ...passed, output: "exec prodcons1 failed\n" }, evidence);
	expect(missing.map((reason) => reason.kind)).toEqual(["program-missing"]);
});

test("known failures are found by console text and by finding", () => {
	expect(explain(manifest, prodcons1, "panic: freewalk: leaf\n", []).map((e) => e.id)).toEqual(["leaf"]);
	const finding = { id: "family-frames-differ", sentence: "…" };
	expect(explain(manifest, prodcons1, "total = 0\n", [finding]).map((e) => e.id)).toEqual(["junk"]);
	expect(explain(manifest, prodcons1, "total = 55\n", [])).toEqual([]);
});

test("causes that look alike are told apart by the student's file, without its comments", () => {
	const failure = { pattern: "scause 0xf", explanation: "x".repeat(30) };
	const lab = parseManifest(
		manifestText((d) =>
			Object.assign(d, {
				knownFailures: [
					{ ...failure, id: "unsure" },
					{ ...failure, id: "no-branch", source: { file: "kernel/trap.c", lacks: "== 15" } },
					{ ...failure, id: "wrong-test", source: { file: "kernel/trap.c", has: "== 15" } },
				],
			}),
		),
		"lab.json",
	);
	const named = (text?: string) => {
		const sources = new Map(text === undefined ? [] : [["kernel/trap.c", withoutComments(text, "words")]]);
		return explain(lab, prodcons1, "scause 0xf\n", [], sources).map(({ id }) => id);
	};
	expect(named("if(r_scause() == 8) // == 15\n/* == 15 */")).toEqual(["no-branch", "unsure"]);
	expect(named('printf("// no comment"); if(r_scause() == 15)')).toEqual(["wrong-test", "unsure"]);
	expect(named(), "without the file, both may be").toEqual(["unsure", "no-branch", "wrong-test"]);
});

test("the echo of the command and the next prompt are no output", () => {
	expect(commandOutput("prodcons1\ntotal = 55\n$ ", "prodcons1")).toBe("total = 55\n");
	expect(commandOutput("$ ls\n$ ", "ls")).toBe("\n".slice(1));
});

test.each([
	["not JSON", "{", /This is not JSON/],
	["a field of the wrong type", manifestText((d) => Object.assign(d, { title: 3 })), /Field title is wrong/],
	["a program name with a path", manifestText((d) => Object.assign(d, { programs: ["../sh"] })), /Field programs\.0/],
	[
		"a test of no task",
		manifestText((d) => Object.assign(d, { tasks: [{ id: "x", title: "x" }] })),
		/belongs to task 2c/,
	],
	[
		"a broken pattern",
		manifestText((d) => Object.assign(d, { knownFailures: [{ id: "a", pattern: "(", explanation: "x".repeat(30) }] })),
		/a regular expression/,
	],
])("a manifest with %s is refused with the place", (_name, text, message) => {
	expect(() => parseManifest(text, "labs/x/lab.json")).toThrow(message);
});
