import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import type { ActivityModel, ActivitySpan } from "../../../src/protocol/activity.ts";
import { FaultKernel } from "../../support/faultKernel.ts";
import { closeToolchains } from "../../support/lab.ts";

const busy = "for(volatile int i = 0; i < 2000000; i++)\n    ;";
const locks = 'static struct spinlock left = { .name = "left" };\nstatic struct spinlock right = { .name = "right" };';

let kernel: FaultKernel;
beforeAll(async () => {
	kernel = await FaultKernel.boot({
		// Where the members of a lock lie is the kernel's own affair.
		edits: [
			["kernel/spinlock.h", "  uint locked;       // 1 while held\n", ""],
			["kernel/spinlock.h", "  char *name;\n", "  char *name;\n  uint locked;\n"],
		],
		faults: {
			left: { before: locks, body: `acquire(&left);\n  ${busy}\n  acquire(&right);` },
			right: { body: `acquire(&right);\n  ${busy}\n  acquire(&left);` },
			twice: {
				before: 'static struct spinlock own = { .name = "own" };',
				body: "acquire(&own);\n  own.cpu = 0;\n  acquire(&own);",
			},
			yields: { body: "for(;;)\n    yield();" },
			holds: {
				before: 'static struct spinlock kept = { .name = "kept" };',
				body: `acquire(&kept); // kept\n  ${busy}\n  release(&kept);`,
			},
		},
		programs: {
			orders: "if(fork() == 0)\n    fault_right();\n  fault_left();",
			twice: "fault_twice();",
			pair: "if(fork() == 0){\n    fault_holds();\n    exit(0);\n  }\n  fault_holds();\n  wait(0);",
			pipe: "int p[2];\n  char c;\n  pipe(p);\n  if(fork() == 0){\n    sleep(2);\n    write(p[1], &c, 1);\n    exit(0);\n  }\n  read(p[0], &c, 1); // sleeps\n  wait(0);",
			fault: "if(fork() == 0)\n    *(volatile char *)0x900000 = 1;\n  wait(0);",
			spins: "for(volatile int i = 0; ; i++)\n    ;",
			nothing: "",
			yields: "for(int i = 0; i < 55; i++)\n    if(fork() == 0)\n      fault_yields();\n  wait(0);",
		},
	});
});
afterAll(async () => {
	kernel.dispose();
	await closeToolchains();
});

/** What the machine does from the command on, so many instructions. */
function seen(command: string, instructions: number, skip = 0): ActivityModel {
	const { machine, view } = kernel;
	kernel.rewind();
	machine.console.write(utf8(`${command}\n`));
	if (skip > 0) machine.run(skip);
	const recorder = view.activity();
	const points = recorder.arm();
	machine.run(instructions);
	points.dispose();
	return recorder.model({ oldest: 0, present: machine.now });
}
const line = ({ what, pid, source }: ActivitySpan) => `${pid} ${what}${source ? ` in ${source.function}` : ""}`;
const some = ({ spans }: ActivityModel, kind: ActivitySpan["kind"]) => [
	...new Set(spans.filter((span) => span.kind === kind).map(line)),
];

describe("a child that writes to its parent's pipe", () => {
	let model: ActivityModel;
	beforeAll(() => {
		model = seen("prog pipe", 6_000_000);
	});

	test("is named with its parent and the shell", () => {
		expect(model.processes).toEqual(
			expect.arrayContaining([
				{ pid: 2, name: "sh" },
				{ pid: 3, name: "prog" },
				{ pid: 4, name: "prog" },
			]),
		);
		expect(model.notes).toEqual([]);
		expect(model.harts).toBe(3);
		expect(model.marks).toEqual([]);
	});

	test("makes its calls, by name", () => {
		const calls = some(model, "trap");
		for (const call of [
			"2 fork",
			"2 wait",
			"3 exec",
			"3 pipe",
			"3 fork",
			"3 read",
			"4 sleep",
			"4 write",
			"4 exit",
			"3 wait",
			"3 exit",
		])
			expect(calls).toContain(call);
	});

	test("sleeps on what the kernel says, called where it was called, and is woken by who woke it", () => {
		const sleeps = model.spans.filter(({ kind }) => kind === "sleeps");
		const reader = sleeps.find(({ pid, source }) => pid === 3 && source?.function === "piperead");
		expect(reader?.by?.pid).toBe(4);
		expect(reader?.what).toMatch(/^0x8/);
		const nap = sleeps.filter(({ pid, what }) => pid === 4 && what === "ticks");
		expect(nap.length).toBeGreaterThan(0);
		for (const { source } of nap) expect(source?.function).toBe("sys_sleep");
		const waits = sleeps.filter(({ what }) => /^proc\[\d\]$/.test(what));
		expect(waits.map(({ pid }) => pid)).toContain(2);
		// sh had begun to sleep for its line before the part that was asked for.
		expect(sleeps.find(({ pid, open }) => pid === 2 && open)?.what).toMatch(/^cons/);
	});

	test("runs on one hart at a time, one process a hart", () => {
		const runs = model.spans.filter(({ kind }) => kind === "runs");
		expect(new Set(runs.map(({ pid }) => pid))).toEqual(new Set([2, 3, 4]));
		for (const key of ["hart", "pid"] as const)
			for (const which of new Set(runs.map((span) => span[key]))) {
				const own = runs.filter((span) => span[key] === which);
				for (const [i, span] of own.entries()) {
					const next = own[i + 1];
					if (next) expect(span.to).toBeLessThanOrEqual(next.from);
				}
			}
	});

	test("is ready, runs or sleeps, and never two of these", () => {
		const states = model.spans
			.filter(({ kind, pid }) => ["runs", "sleeps", "ready"].includes(kind) && pid === 4)
			.sort((a, b) => a.from - b.from);
		expect(new Set(states.map(({ kind }) => kind)).size).toBe(3);
		for (const [i, span] of states.entries()) {
			const next = states[i + 1];
			// sleep() gives its hart up a few instructions after it is asleep.
			if (next) expect(next.from - span.to, `${span.kind} to ${next.kind}`).toBeGreaterThan(-2000);
		}
	});

	test("what is short is left out, and counted; all lies within the part, in order", () => {
		expect(model.left).toBeGreaterThan(100);
		const least = (model.to - model.from) / 3000;
		for (const { kind, from, to } of model.spans) {
			expect(from).toBeGreaterThanOrEqual(model.from);
			expect(to).toBeLessThanOrEqual(model.to);
			expect(from).toBeLessThanOrEqual(to);
			if (kind === "holds" || kind === "trap") expect(to - from).toBeGreaterThanOrEqual(least);
		}
		expect(model.spans.map(({ from }) => from)).toEqual(model.spans.map(({ from }) => from).sort((a, b) => a - b));
	});
});

test("two processes at one lock: the second waits for what the first holds", () => {
	const model = seen("prog pair", 40_000_000);
	const holds = model.spans
		.filter(({ kind, what }) => kind === "holds" && what === "kept")
		.sort((a, b) => a.from - b.from);
	expect(holds.map(line)).toEqual(expect.arrayContaining(["3 kept in fault_holds", "4 kept in fault_holds"]));
	expect(holds).toHaveLength(2);
	const [first, second] = holds as [ActivitySpan, ActivitySpan];
	expect(first.to).toBeLessThanOrEqual(second.from);
	const waits = model.spans.filter(({ kind, what }) => kind === "waits" && what === "kept");
	expect(waits).toHaveLength(1);
	expect(waits[0]).toMatchObject({ pid: second.pid, hart: second.hart });
	expect(waits[0]?.from).toBeGreaterThan(first.from);
	expect(waits[0]?.to).toBe(second.from);
	expect(waits[0]?.open).toBeUndefined();
});

test("two locks in two orders: both waits are open, and the deadlock is marked on both harts", () => {
	const model = seen("prog orders", 40_000_000);
	const open = model.spans.filter(({ kind, open }) => kind === "waits" && open).map(({ what }) => what);
	expect(open.sort()).toEqual(["left", "right"]);
	const [a, b] = model.marks.map(({ hart }) => hart);
	expect(model.marks).toHaveLength(2);
	expect(a).not.toBe(b);
	for (const { text, kind, hart } of model.marks) {
		expect(kind).toBe("deadlock");
		const other = hart === a ? b : a;
		expect(text).toMatch(
			new RegExp(
				`^hart ${hart} waits for (left|right), which hart ${other} holds, and that one waits for hart ${hart}$`,
			),
		);
	}
});

test("a lock that a hart takes twice is a deadlock with itself", () => {
	const model = seen("prog twice", 5_000_000);
	expect(model.marks.map(({ text }) => text.replace(/\d/, "H"))).toEqual(["hart H wants own, which it holds itself"]);
	const waits = model.spans.filter(({ kind, what }) => kind === "waits" && what === "own");
	expect(waits.map((span) => [line(span), span.open])).toEqual([["3 own in fault_twice", true]]);
});

test("a fault and a timer are traps by their names; what runs at the begin is open", () => {
	expect(some(seen("prog fault", 8_000_000), "trap")).toContain("4 store page fault");
	const spins = seen("prog spins", 6_000_000, 10_000_000);
	expect(some(spins, "trap")).toEqual(["3 timer"]);
	const runs = spins.spans.filter(({ kind }) => kind === "runs");
	expect(runs[0]).toMatchObject({ pid: 3, open: true, from: spins.from });
	expect(runs.at(-1)).toMatchObject({ pid: 3, open: true, to: spins.to });
	expect(spins.spans.filter(({ kind }) => kind === "sleeps").map(line)).toEqual(
		expect.arrayContaining(["1 proc[0]", "2 proc[1]"]),
	);
});

test("a process that never sleeps after its exec has the name of its program", () => {
	const { processes } = seen("prog nothing", 6_000_000);
	expect(processes.find(({ pid }) => pid === 3)).toEqual({ pid: 3, name: "prog" });
});

test("very many spans are cut to what a page can show, and how many were left out is told", () => {
	const { spans, left } = seen("prog yields", 4_500_000, 60_000_000);
	expect(spans).toHaveLength(12_000);
	expect(left).toBeGreaterThan(0);
	expect(spans.map(({ from }) => from)).toEqual(spans.map(({ from }) => from).sort((a, b) => a - b));
});
