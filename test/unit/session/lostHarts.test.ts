import { expect, test } from "vitest";
import { ProgressWatch, type Waiting } from "../../../src/session/progress.ts";
import { boot } from "../../support/guest.ts";

/** Harts of a real machine that never come back, beside one that might; machine mode has a timer, as in older kernels. */
const lost = "lost: j lost";
/** Waits for a word that nobody writes, and would turn on interrupts after that. */
const spins = `la a1, word
	spin: lw a2, (a1)
	bnez a2, spin
	csrsi sstatus, 2
	on: j on`;
const works = `csrsi sstatus, 2
	on: addi a2, a2, 1
	j on`;

async function toldAfter(first: string, second: string, waiting: (without: readonly number[]) => Waiting | undefined) {
	const { machine } = await boot({
		kernel: `
		csrr s0, mhartid
		la t0, timer
		csrw mtvec, t0
		li t0, 0x80
		csrw mie, t0
		la t0, supervisor
		csrw mepc, t0
		li t0, 0x800
		csrs mstatus, t0
		.align 2
	timer: li t5, CLINT + 0x4000
		slli t6, s0, 3
		add t5, t5, t6
		li t6, CLINT + 0xbff8
		ld t6, (t6)
		li t4, 1000000
		add t6, t6, t4
		sd t6, (t5)
		mret
		.align 2
	supervisor: bnez s0, second
		${first}
	second: ${second}
		.align 3
	word: .dword 1`,
		harts: 2,
		pmp: false,
		jit: "on",
	});
	const watch = new ProgressWatch(machine, { waiting, panicked: () => undefined });
	try {
		for (let slice = 0; slice < 40; slice++) {
			const report = watch.look(0);
			if (report) return { message: report.message, harts: report.harts.map(({ hart }) => hart) };
			machine.run(20_000_000);
		}
		return undefined;
	} finally {
		machine.dispose();
	}
}

const inKernel = (): Waiting => ({ kind: "kernel" });

test("harts in loops without a way out are a stall as soon as anything is, whatever the kernel would still do", async () => {
	const told = await toldAfter(lost, "last: j last", inKernel);
	expect(told?.message).toContain("Harts 0 and 1 are in loops without a way out, and their interrupts are off.");
	expect(told?.harts).toEqual([0, 1]);
});

test("so is one, beside a hart that spins with interrupts off on what the lost one would have to write", async () => {
	const told = await toldAfter(lost, spins, inKernel);
	expect(told?.message).toContain("Hart 0 is in a loop without a way out, and its interrupts are off.");
});

test("beside a hart that works it is none, unless the others only wait", async () => {
	expect(await toldAfter(lost, works, inKernel)).toBeUndefined();
	const asked: (readonly number[])[] = [];
	const told = await toldAfter(lost, works, (without) => {
		asked.push(without);
		return without.length > 0 ? { kind: "events", who: "pid 2 sh sleeps on pipe" } : inKernel();
	});
	expect(told?.message).toContain("Hart 0 is in a loop without a way out");
	expect(asked).toContainEqual([0]);
});

test("where the kernel says what is waited for, no hart's code is followed", async () => {
	const told = await toldAfter(lost, works, () => ({ kind: "events", who: "pid 2 sh sleeps on pipe" }));
	expect(told?.message).toContain("Every process sleeps on an event that never comes: pid 2 sh sleeps on pipe.");
});
