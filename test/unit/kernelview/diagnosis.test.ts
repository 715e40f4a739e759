import { afterAll, beforeAll, expect, test } from "vitest";
import { FaultKernel } from "../../support/faultKernel.ts";
import { closeToolchains } from "../../support/lab.ts";
import { hangs } from "./faults/hangs.ts";
import { kernelFaults } from "./faults/kernel.ts";
import { lockFaults } from "./faults/locks.ts";
import { memoryFaults } from "./faults/memory.ts";
import { programFaults } from "./faults/programs.ts";

/** Faults that several cases use. */
const shared = {
	left: {
		before: `static struct spinlock left = { .name = "left" };
static struct spinlock right = { .name = "right" };`,
		body: `acquire(&left); // left first
  for(volatile int i = 0; i < 3000000; i++)
    ;
  acquire(&right); // left, right`,
	},
	right: {
		body: `acquire(&right); // right first
  for(volatile int i = 0; i < 3000000; i++)
    ;
  acquire(&left); // right, left`,
	},
	once: {
		before: `static struct sleeplock once = { .lk = { .name = "sleep lock" }, .name = "once" };`,
		body: `acquiresleep(&once); // once`,
	},
};

// What no line of the source became: addi a0, a0, 1 and a jump back to it.
const programBefore = `static const int lost[] = { 0x00150513, 0xffdff06f };
__attribute__((noinline)) int
deep(int n)
{
  volatile char b[64];
  b[n % 64] = n;
  return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again
}
`;

/**
 * One fault of each kind, and all that a student is told of it. The faults are system calls of one kernel: see faultKernel.ts, also for how
 * the texts are made readable. A fault that has no program of its own is made by one that only calls it.
 */
const cases = [...lockFaults, ...kernelFaults, ...memoryFaults, ...hangs, ...programFaults];

let kernel: FaultKernel;
beforeAll(async () => {
	const faults = cases.flatMap(({ key, before, fault }) =>
		fault === undefined ? [] : [[key, { body: fault, ...(before === undefined ? {} : { before }) }] as const],
	);
	const programs = cases.map(({ key, program }) => [key, program ?? `fault_${key}();`] as const);
	kernel = await FaultKernel.boot({
		...{ faults: { ...Object.fromEntries(faults), ...shared }, programs: Object.fromEntries(programs), programBefore },
	});
});
afterAll(async () => {
	kernel.dispose();
	await closeToolchains();
});

test.each(cases)("$name", async ({ key, end, says }) => {
	const run = await kernel.run(`prog ${key}`);
	// What follows a … is where idle harts were by chance.
	const rest = says.indexOf("\n  …");
	expect(rest < 0 ? run.text.trimEnd() : run.text.slice(0, rest)).toBe(rest < 0 ? says : says.slice(0, rest));
	expect(run.end).toBe(end);
});
