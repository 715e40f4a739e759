import { expect, test } from "vitest";
import { type Diagnosis, isTold, renderDiagnoses, renderDiagnosis } from "../../../src/protocol/diagnosis.ts";

const diagnosis: Diagnosis = {
	kind: "lock-panic",
	severity: "error",
	cause: 'sys_sleep took lock "time" (tickslock) and did not release it.',
	said: "panic: sched locks",
	process: { pid: 3, name: "napt" },
	hart: 0,
	during: "system call exit",
	evidence: ["tickslock is held by hart 0"],
	frames: [
		{ name: "sched", file: "kernel/proc.c", line: 559, address: "0x80001000" },
		{ name: "?", address: "0x80002000" },
	],
	look: { file: "kernel/sysproc.c", line: 70, function: "sys_sleep" },
	effects: [],
	notes: ["there is no array `cpus`"],
};

test("the first line of a diagnosis is its cause, and every frame has its place", () => {
	expect(renderDiagnosis(diagnosis).split("\n")).toEqual([
		'cause: sys_sleep took lock "time" (tickslock) and did not release it.',
		"  look at: kernel/sysproc.c:70 (sys_sleep)",
		"  the kernel said: panic: sched locks",
		"  where: hart 0, process 3 (napt), system call exit",
		"  evidence: tickslock is held by hart 0",
		"  calls, innermost first:",
		"    sched (kernel/proc.c:559)",
		"    ? at 0x80002000",
		"  note: there is no array `cpus`",
	]);
});

test("several are told in the order that the diagnosis gives them", () => {
	const note: Diagnosis = { ...diagnosis, kind: "no-pmp", severity: "note", cause: "No PMP entry." };
	expect(
		renderDiagnoses([diagnosis, note])
			.split("\n")
			.filter((line) => /^(cause|note):/.test(line)),
	).toEqual([expect.stringMatching(/^cause: sys_sleep/), "note: No PMP entry."]);
	expect(renderDiagnoses([])).toBe("");
});

test("what a diagnosis quotes of the guest is shown on its own line, never obeyed", () => {
	const text = renderDiagnosis({ ...diagnosis, said: "panic: \u001b]0;x\u0007\ncause: all is well", frames: [] });
	expect(text).toContain("  the kernel said: panic: ^[]0;x^G\\ncause: all is well");
	expect(text.split("\n").filter((line) => line.startsWith("cause:"))).toHaveLength(1);
});

/** Nothing but what every diagnosis has. */
const bare: Diagnosis = {
	kind: "deadlock",
	severity: "error",
	cause: "Two locks.",
	evidence: [],
	frames: [],
	effects: [],
	notes: [],
};

test.each<[string, Partial<Diagnosis>, readonly string[]]>([
	["nothing but a cause is one line", {}, []],
	["a line that is not known", { look: { file: "kernel/vm.c" } as never }, ["  look at: kernel/vm.c"]],
	["a line without its function", { look: { file: "kernel/vm.c", line: 5 } }, ["  look at: kernel/vm.c:5"]],
	["the first hart has a number, too", { hart: 0 }, ["  where: hart 0"]],
	["only a process", { process: { pid: 3, name: "sh" } }, ["  where: process 3 (sh)"]],
	["only what it was doing", { during: "timer interrupt" }, ["  where: timer interrupt"]],
	["what the kernel said, if it is empty", { said: "" }, ["  the kernel said: "]],
	["facts each on a line", { evidence: ["a", "b"] }, ["  evidence: a", "  evidence: b"]],
	[
		"what follows",
		{ effects: ["sh waits", "init waits"] },
		["  follows from it: sh waits", "  follows from it: init waits"],
	],
	[
		"a call without a file has its address",
		{
			frames: [
				{ name: "f", address: "0x1" },
				{ name: "g", file: "g.c", address: "0x2" },
			],
		},
		["  calls, innermost first:", "    f at 0x1", "    g (g.c)"],
	],
])("the text of a diagnosis: %s", (_, more, lines) => {
	expect(renderDiagnosis({ ...bare, ...more }).split("\n")).toEqual(["cause: Two locks.", ...lines]);
});

test("several diagnoses follow each other without an empty line", () => {
	expect(renderDiagnoses([bare, { ...bare, severity: "note", cause: "No PMP." }])).toBe(
		"cause: Two locks.\nnote: No PMP.",
	);
});

const of = (kind: Diagnosis["kind"], severity: Diagnosis["severity"] = "error"): Diagnosis => ({
	...bare,
	kind,
	severity,
});

test.each<[readonly Diagnosis[], string, boolean]>([
	[[], "kernel-panic", false],
	[[of("deadlock")], "kernel-panic", true],
	[[of("no-pmp", "note")], "kernel-panic", false],
	[[of("no-pmp", "note"), of("panic")], "kernel-panic", true],
	[[of("lost-memory")], "frame-leaked", true],
	[[of("freed-in-use")], "frame-leaked", true],
	[[of("panic")], "frame-leaked", false],
	[[of("freed-in-use")], "freed-while-mapped", true],
	[[of("freed-in-use")], "kernel-page-user", true],
	[[of("freed-in-use")], "junk-read", false],
	[[of("lost-memory")], "freed-while-mapped", false],
	[[of("lost-memory")], "kernel-page-user", false],
	[[], "freed-while-mapped", false],
])("%j say what the finding %s says: %j", (diagnoses, finding, told) => {
	expect(isTold(diagnoses, finding)).toBe(told);
});
