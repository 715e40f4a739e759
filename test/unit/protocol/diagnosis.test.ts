import { expect, test } from "vitest";
import { type Diagnosis, renderDiagnoses, renderDiagnosis } from "../../../src/protocol/diagnosis.ts";

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
