import { expect, test } from "vitest";
import * as layout from "../../../../src/machine/core/layout.ts";
import { TestCore } from "./harness.ts";
import { busy } from "./programs.ts";

const runs = [
	{ harts: 1, seed: 0n },
	{ harts: 3, seed: 0n },
	{ harts: 3, seed: 7n },
	{ harts: 8, seed: 1n },
];

for (const run of runs) {
	test(`stops of any length and dropped caches change nothing: ${run.harts} harts, seed ${run.seed}`, () => {
		const whole = new TestCore(busy, run);
		const pieces = new TestCore(busy, run);
		let random = 99;
		for (const point of [1, 4_000, 123_456, 1_000_000, 2_500_001]) {
			whole.run(point - whole.steps);
			while (pieces.steps < point) {
				random = (random * 1103515245 + 12345) & 0x7fffffff;
				pieces.run(Math.min(1 + (random % 9001), point - pieces.steps));
				if (random % 3 === 0) pieces.exports.dropVolatile();
				if (random % 5 === 0) pieces.exports.takeDirty();
			}
			expect(pieces.steps).toBe(point);
			expect(pieces.state().equals(whole.state())).toBe(true);
		}
		expect(whole.word(whole.symbol("counter"))).toBeGreaterThan(20n);
		expect(whole.word(whole.symbol("traps"))).toBeGreaterThan(5n);
	});
}

test("one step at a time does what long slices do, byte loops in bulk included", () => {
	const whole = new TestCore(busy);
	const single = new TestCore(busy);
	whole.run(60_000);
	for (let i = 0; i < 60_000; i++) single.run(1);
	expect(whole.statistic(layout.S_BULK_STEPS)).toBeGreaterThan(10_000);
	expect(single.statistic(layout.S_BULK_STEPS)).toBe(0);
	expect(single.state().equals(whole.state())).toBe(true);
});

test("another seed gives another interleaving, the same seed the same", () => {
	const states = [3n, 3n, 4n, 0n].map((seed) => {
		const core = new TestCore(busy, { harts: 3, seed });
		core.run(500_000);
		return core.state();
	});
	expect(states[1]?.equals(states[0]!)).toBe(true);
	expect(states[2]?.equals(states[0]!)).toBe(false);
	expect(states[3]?.equals(states[0]!)).toBe(false);
});

test("a copied STATE and RAM have the same future", () => {
	const first = new TestCore(busy, { harts: 2 });
	first.run(333_333);
	const second = new TestCore("nop", { harts: 2 });
	const target = new Uint8Array(second.memory.buffer);
	const copy = first.state();
	target.set(copy.subarray(0, layout.STATE_SIZE), layout.STATE_BASE);
	target.set(copy.subarray(layout.STATE_SIZE), layout.RAM_BASE);
	second.exports.stateRestored();
	first.run(333_333);
	second.run(333_333);
	expect(second.state().equals(first.state())).toBe(true);
});

test("wfi with nothing that could wake it is idle, and stays so", () => {
	const core = new TestCore("1: wfi\nj 1b", { harts: 2 });
	expect(core.run(1000)).toBe(layout.STOP_IDLE);
	const state = core.state();
	expect(core.run(1000)).toBe(layout.STOP_IDLE);
	expect(core.state().equals(state)).toBe(true);
	expect(core.steps).toBe(2);
});

const sleeper = `
	csrr t0, mhartid
	slli t0, t0, 3
	li t1, 0x2004000
	add t1, t1, t0
	li t2, 50000000
	sd t2, (t1)
	li t0, 0x80
	csrw mie, t0
	wfi
	csrr a1, time
2:	j 2b
`;

test("when every hart waits, time skips to the next timer", () => {
	const core = new TestCore(sleeper, { harts: 2 });
	core.run(5000);
	expect(core.register("a1")).toBeGreaterThanOrEqual(50_000_000n);
	expect(core.register("a1")).toBeLessThan(50_010_000n);
});

test("a host that wants to sleep too is told before time skips", () => {
	const core = new TestCore(sleeper);
	expect(core.run(5000, layout.RUN_STOP_BEFORE_SKIP)).toBe(layout.STOP_WAITING);
	expect(core.exports.nextEventTime()).toBe(50_000_000n);
	expect(core.time).toBeLessThan(1000n);
	expect(core.run(5000)).toBe(layout.STOP_BUDGET);
	expect(core.time).toBeGreaterThanOrEqual(50_000_000n);
});

test("input wakes an idle machine at a slice end", () => {
	const core = new TestCore(
		`
		li t0, 0x0c000028   # priority of source 10
		li t1, 1
		sw t1, (t0)
		li t0, 0x0c002000   # hart 0, M: enable it
		li t1, 0x400
		sw t1, (t0)
		li t0, 0x800
		csrw mie, t0
		wfi
		li t0, 0x0c200004
		lw a1, (t0)
	1:	j 1b
	`,
		{ onTick: (self) => self.exports.setIrqLevel(10, 1) },
	);
	expect(core.run(1000)).toBe(layout.STOP_IDLE);
	core.view.setUint32(layout.M_DEVICE_WORK, 1, true);
	expect(core.run(1000)).toBe(layout.STOP_BUDGET);
	expect(core.register("a1")).toBe(10n);
});

/** A scheduler of old xv6: looks at a table under locks, interrupts on between, no wfi. */
const scheduler = (before: number) => `
	la t0, trap
	csrw mtvec, t0
	csrr s0, mhartid
	li s1, 0x2004000
	slli t0, s0, 3
	add s1, s1, t0
	li t0, 1000000
	sd t0, (s1)
	li t0, 0x80
	csrw mie, t0
again:
	csrsi mstatus, 8
	la s2, table
	li s3, 64
entry:
	csrci mstatus, 8
	li t1, 1
1:	amoswap.w.aq t0, t1, (s2)
	bnez t0, 1b
	lw t2, 8(s2)
	sw s0, 4(s2)
	sw zero, 4(s2)
	amoswap.w.rl zero, zero, (s2)
	csrsi mstatus, 8
	addi s2, s2, 16
	addi s3, s3, -1
	bnez s3, entry
	j again
	.align 4
trap:
	csrrw t0, mscratch, t0
	csrr t0, time
	addi t0, t0, 2000
	sd t0, (s1)
	la t0, ticks
	csrrw t1, sscratch, t1
	li t1, 1
	amoadd.d zero, t1, (t0)
	csrrw t1, sscratch, t1
	csrrw t0, mscratch, t0
	mret
	.align 3
ticks:	.zero 8
	.align 12
	.zero ${before}
table:	.zero 4096
`;

for (const [harts, before, where] of [
	[1, 0, "in one page"],
	[3, 0, "in one page"],
	[1, 4096 - 4 - 32 * 16, "across pages, a lock at the end of one"],
] as const) {
	test(`schedulers that spin without wfi let time skip: ${harts} harts, a table ${where}`, () => {
		const core = new TestCore(scheduler(before), { harts });
		core.run(3_000_000);
		// Spinning through 0.1 s of guest time alone would be 10 million steps.
		expect(core.time).toBeGreaterThan(1_000_000n);
		expect(core.word(core.symbol("ticks"))).toBeGreaterThan(BigInt(harts));
	});
}

test("a loop that counts in memory is no idle loop", () => {
	const core = new TestCore(`
		li t0, 0x2004000
		li t1, 100000000
		sd t1, (t0)
		la t0, counter
	1:	ld t1, (t0)
		addi t1, t1, 1
		sd t1, (t0)
		li t1, 0
		j 1b
		.align 3
	counter: .dword 0
	`);
	core.run(2_000_000);
	expect(core.time).toBeLessThan(250_000n);
	expect(core.word(core.symbol("counter"))).toBeGreaterThan(390_000n);
});
