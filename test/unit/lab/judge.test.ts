import { expect, test } from "vitest";
import { withoutComments } from "../../../src/common/cText.ts";
import { type Evidence, explain, type FailedRun, judge, outcomeOf } from "../../../src/lab/judge.ts";
import { parseManifest } from "../../../src/lab/manifest.ts";
import type { RunReport } from "../../../src/lab/witness.ts";
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
const seen = [
	{ pid: 3, frame: 0x87000n },
	{ pid: 4, frame: 0x87000n },
];
const evidence: Evidence = {
	freeBefore: 100,
	freeAfter: 100,
	findings: [],
	killed: [],
	framesAt: () => seen,
	run: undefined,
	changed: [],
};
/** A run of prodcons1 that prints `output`. */
const run = (
	output: string,
	findings: { id: string; sentence: string }[] = [],
	more: Partial<FailedRun> = {},
): FailedRun => ({
	result: { ...passed, output },
	findings,
	...more,
});

test("a run with the expected output and no broken invariant passes", () => {
	expect(judge(prodcons1, passed, evidence)).toEqual([]);
});

test("a wrong total, a panic, a time-out and a leak are each a reason", () => {
	expect(judge(prodcons1, { ...passed, output: "total = 0\n" }, evidence).map((r) => r.kind)).toEqual(["output"]);
	const panic = judge(prodcons1, { ...passed, end: { kind: "panic", message: "freewalk: leaf" } }, evidence);
	expect(panic[0]?.message).toBe("The kernel panicked: freewalk: leaf");
	const late = judge(prodcons1, { ...passed, end: { kind: "timeout" } }, evidence);
	expect(late[0]?.message).toContain("did not return to the shell");
	const leak = judge(prodcons1, passed, { ...evidence, freeAfter: 97 });
	expect(leak[0]?.message).toBe("After the command 3 fewer frames are free than before it (100 before, 97 after)");
});

test("evidence that is missing is not checked, and no pass", () => {
	const blind: Evidence = { ...evidence, freeBefore: undefined, freeAfter: undefined, framesAt: () => undefined };
	const reasons = judge(prodcons1, passed, blind);
	expect(reasons.map(({ kind }) => kind)).toEqual(["not-checked", "not-checked"]);
	expect(outcomeOf(reasons)).toBe("not-checked");
	expect(outcomeOf(judge(prodcons1, passed, { ...evidence, framesAt: () => seen.slice(1) }))).toBe("not-checked");
	// What is wrong is wrong, whatever else could not be seen.
	expect(outcomeOf(judge(prodcons1, { ...passed, output: "total = 0\n" }, blind))).toBe("failed");
});

test("frames are counted after a prompt only, and a panic is told once", () => {
	const few: Evidence = { ...evidence, freeAfter: 10 };
	const end = { kind: "panic", message: "walk" } as const;
	const withPanic = { ...prodcons1, invariants: [{ kind: "no-panic" } as const, ...(prodcons1.invariants ?? [])] };
	expect(judge(withPanic, { ...passed, end }, few).map(({ message }) => message)).toEqual([
		"The kernel panicked: walk",
	]);
	expect(judge(prodcons1, { ...passed, end: { kind: "timeout" } }, few)).toHaveLength(1);
});

test("what the program did not write itself does not count, no matter who put it on the console", () => {
	const report = (text: string, more: Partial<RunReport> = {}): RunReport => ({
		programs: new Set(["prodcons1"]),
		written: () => text,
		calls: () => 1,
		faults: () => 1,
		tampering: undefined,
		...more,
	});
	const said = (witnessed: RunReport) =>
		judge(prodcons1, passed, { ...evidence, run: witnessed }).map(({ kind, message }) => `${kind}: ${message}`);
	expect(said(report("total = 55\n"))).toEqual([]);
	expect(said(report(""))[0]).toMatch(/^not-run: prodcons1 ran, but it did not itself write/);
	expect(said(report("total = 55\n", { programs: new Set() }))[0]).toMatch(/^not-run: prodcons1 did not run/);
	expect(said(report("total = 55\n", { tampering: "The kernel changed it" }))).toEqual([
		"not-run: The kernel changed it",
	]);
	const happened = { ...prodcons1, invariants: [{ kind: "happened" as const, calls: ["mmap"], faults: 2 }] };
	const kinds = (witnessed: RunReport | undefined) =>
		judge(happened, passed, { ...evidence, run: witnessed }).map(({ kind }) => kind);
	expect(kinds(report("total = 55\n", { calls: () => 0 }))).toEqual(["not-run"]);
	expect(kinds(report("total = 55\n"))).toEqual(["invariant"]);
	expect(kinds(undefined)).toEqual(["not-checked"]);
});

test("what a program prints that is not the lab's own is not judged", () => {
	const changed: Evidence = { ...evidence, changed: ["user/prodcons1.c"] };
	const reasons = judge(prodcons1, { ...passed, output: "sum: 55\n" }, changed);
	expect(outcomeOf(reasons)).toBe("not-checked");
	expect(reasons[0]?.message).toMatch(/^user\/prodcons1\.c: not the lab's own/);
	expect(judge(prodcons1, passed, changed)).toEqual([]);
});

test("known failures have conditions on how the run went, and what the sources show alone comes last", () => {
	const text = { explanation: "x".repeat(30) };
	const lab = parseManifest(
		manifestText((d) =>
			Object.assign(d, {
				knownFailures: [
					{ ...text, id: "silenced", source: { file: "kernel/vm.c", lacks: "panic" } },
					{ ...text, id: "lost", when: { ends: ["prompt"], output: "right", framesLost: true } },
					{ ...text, id: "silent", pattern: "(?<![\\s\\S])(?![\\s\\S]*total)", when: { ends: ["prompt"] } },
				],
			}),
		),
		"lab.json",
	);
	const sources = new Map([["kernel/vm.c", ""]]);
	const named = (failed: FailedRun) => explain(lab, prodcons1, failed).map(({ id }) => id);
	expect(named(run("total = 55\n", [], { lost: 3, sources }))).toEqual(["lost"]);
	expect(named(run("total = 55\n", [], { lost: undefined, sources }))).toEqual(["silenced"]);
	expect(named(run("total = 0\n", [], { lost: 3 }))).toEqual([]);
	expect(named({ result: { ...passed, output: "", end: { kind: "timeout" } }, findings: [], lost: 3 })).toEqual([]);
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
	expect(explain(manifest, prodcons1, run("panic: freewalk: leaf\n")).map((e) => e.id)).toEqual(["leaf"]);
	const finding = { id: "family-frames-differ", sentence: "…" };
	expect(explain(manifest, prodcons1, run("total = 0\n", [finding])).map((e) => e.id)).toEqual(["junk"]);
	expect(explain(manifest, prodcons1, run("total = 55\n"))).toEqual([]);
	const knownFailures = manifest.knownFailures.map((failure) => ({ ...failure, unless: ["free-list"] }));
	const beside = (kind: string) =>
		explain({ ...manifest, knownFailures }, prodcons1, {
			...run("panic: freewalk: leaf\n"),
			diagnoses: [{ kind }],
		});
	expect(beside("panic").map((e) => e.id)).toEqual(["leaf"]);
	expect(beside("free-list")).toEqual([]);
	const called = (...names: string[]) =>
		explain(
			{ ...manifest, knownFailures: manifest.knownFailures.map((one) => ({ ...one, calls: ["acquire"] })) },
			prodcons1,
			{
				...run("panic: freewalk: leaf\n"),
				diagnoses: [{ kind: "kernel-fault", frames: names.map((name) => ({ name })) }],
			},
		);
	expect(called("holding", "acquire", "usertrap").map((e) => e.id)).toEqual(["leaf"]);
	expect(called("usertrap")).toEqual([]);
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
		return explain(lab, prodcons1, run("scause 0xf\n", [], { sources })).map(({ id }) => id);
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
	[
		"a regex without a readable form",
		manifestText((d) =>
			Object.assign((d.tests as Record<string, unknown>[])[0] ?? {}, { expect: { match: "regex", output: "^a$" } }),
		),
		/a regex needs `shown`/,
	],
])("a manifest with %s is refused with the place", (_name, text, message) => {
	expect(() => parseManifest(text, "labs/x/lab.json")).toThrow(message);
});
