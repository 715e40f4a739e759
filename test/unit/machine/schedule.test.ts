import { describe, expect, test } from "vitest";
import { parseInputLog } from "../../../src/machine/inputLog.ts";
import type { Decision, Schedule } from "../../../src/machine/schedule.ts";
import { boot, kernelOf, ramBase, smallRam } from "../../support/guest.ts";
import { Random } from "../../support/random.ts";

/** Each hart adds 1 to its own word for ever, hart 0 to the shared one as well. */
const counters = kernelOf(`
	csrr s9, mhartid
	li s2, 0x80020000
	slli t0, s9, 3
	add s2, s2, t0
1:	ld t0, (s2)
	addi t0, t0, 1
	sd t0, (s2)
	j 1b
`);
const memoryBytes = 2 * smallRam;
const countOf = (machine: { memory: { readU64(address: bigint): bigint | undefined } }, hart: number) =>
	Number(machine.memory.readU64(ramBase + 0x20000n + BigInt(8 * hart)));
const directed = (decisions: readonly Decision[], more: Partial<Schedule> = {}): Schedule =>
	({ kind: "directed", slice: 500, decisions, ...more }) as Schedule;

test("a parked hart stops exactly before its step, and the others go on", async () => {
	const { machine } = await boot({ kernel: counters, harts: 2, memoryBytes });
	machine.run(20_000);
	const at = Number(machine.harts[0]?.steps) + 5003;
	machine.setSchedule(directed([{ hart: 0, at, park: 40 }]));
	machine.run(100_000);
	// 40 rounds of 500 steps are hart 1's alone.
	const ahead = Number(machine.harts[1]?.steps) - Number(machine.harts[0]?.steps);
	expect(ahead).toBeGreaterThan(40 * 500 - 4500);
	expect(ahead).toBeLessThan(40 * 500 + 4500);
	const again = await boot({ kernel: counters, harts: 2, memoryBytes });
	again.machine.run(20_000);
	again.machine.setSchedule(directed([{ hart: 0, at, park: 40 }]));
	while (Number(again.machine.harts[1]?.steps) - Number(again.machine.harts[0]?.steps) < 9000) again.machine.run(1000);
	expect(Number(again.machine.harts[0]?.steps)).toBe(at);
});

test("a jump in time brings the timer's interrupt before the step that was named", async () => {
	const ticker = kernelOf(`
		la t0, handler
		csrw mtvec, t0
		li s1, CLINT+0x4000
		li t0, 1000000
		sd t0, (s1)
		li t0, 0x80
		csrw mie, t0
		csrsi mstatus, 8
	1:	addi s5, s5, 1
		j 1b
		.align 2
	handler:
		mv s6, s5
		li t0, -1
		sd t0, (s1)
		mret
	`);
	const { machine } = await boot({ kernel: ticker, memoryBytes });
	machine.setSchedule(directed([{ hart: 0, at: 3333, timer: true }]));
	let at = 0;
	machine.onTrap(({ instret }) => {
		at = instret;
	});
	machine.run(20_000);
	expect(at).toBe(3333);
	expect(machine.harts[0]?.register(22)).toBeGreaterThan(1600n);
});

test("harts in wfi wake up while others run, and not when all wait", async () => {
	const sleeper = kernelOf(`
		csrr s9, mhartid
		bnez s9, 2f
	1:	addi s6, s6, 1
		j 1b
	2:	wfi
		addi s5, s5, 1
		j 2b
	`);
	const { machine } = await boot({ kernel: sleeper, harts: 2, memoryBytes });
	machine.run(100_000);
	expect(machine.harts[1]?.register(21)).toBe(0n);
	machine.setSchedule({ kind: "seeded", seed: 0, wakeEvery: 8 });
	machine.run(400_000);
	expect(Number(machine.harts[1]?.register(21))).toBeGreaterThan(5);
	const waiting = await boot({ kernel: "1: wfi\nj 1b", harts: 2, memoryBytes });
	waiting.machine.setSchedule({ kind: "seeded", seed: 0, wakeEvery: 1 });
	expect(waiting.machine.run(100_000)).toEqual({ kind: "idle" });
});

test("the same seed after a restore is the same future, another one is another", async () => {
	const { machine } = await boot({ kernel: counters, harts: 3, memoryBytes });
	machine.run(50_000);
	const snapshot = machine.snapshot();
	const future = (seed: number) => {
		machine.restore(snapshot);
		machine.reseed(seed);
		machine.run(60_000);
		return machine.stateHash();
	};
	const first = future(1);
	expect(future(2)).not.toBe(first);
	expect(future(1)).toBe(first);
	machine.restore(snapshot);
	machine.run(60_000);
	const plain = machine.stateHash();
	expect(future(0)).toBe(plain);
});

describe.each(["off", "eager"] as const)("translator %s", (jit) => {
	test("random schedules are the same in whatever pieces, replayed, and seen from their past", async () => {
		const random = new Random(77);
		for (let turn = 0; turn < 6; turn++) {
			const harts = random.pick([1, 3, 8]);
			const guest = await boot({ kernel: counters, harts, memoryBytes, jit });
			const { machine } = guest;
			const history = machine.keepHistory({ every: 20_000 });
			machine.run(10_000 + random.below(1000));
			const decisions = Array.from({ length: 30 }, (): Decision => {
				const [hart, at] = [random.below(harts), 1000 + random.below(30_000)];
				return random.chance(4) ? { hart, at, timer: true } : { hart, at, park: 1 + random.below(20) };
			});
			machine.setSchedule(directed(decisions, { slice: 100 + random.below(900), wakeEvery: 1 + random.below(9) }));
			while (machine.instret < 90_000) machine.run(1 + random.below(3000));
			machine.reseed(turn);
			machine.run(20_000);
			const { records, end } = parseInputLog(machine.recordInput());
			const again = await boot({ kernel: counters, harts, memoryBytes, jit: "off" }, { replay: records });
			expect(again.machine.run(1_000_000)).toEqual({ kind: "requested" });
			expect(again.machine.stateHash()).toBe(end?.hash);
			history.seek(5000);
			while (machine.run(7777).kind !== "present");
			expect(machine.stateHash()).toBe(end?.hash);
			expect([...Array(harts).keys()].every((hart) => countOf(machine, hart) > 0)).toBe(true);
		}
	});
});

test.each<[string, Schedule]>([
	["a slice of nothing", { kind: "directed", slice: 0, decisions: [] }],
	["a hart that is not there", directed([{ hart: 2, at: 1, park: 1 }])],
	["a step before the first", directed([{ hart: 0, at: -1, park: 1 }])],
	["no rounds", directed([{ hart: 0, at: 1, park: 0 }])],
	["too many decisions", directed(Array.from({ length: 257 }, (_, at) => ({ hart: 0, at, park: 1 })))],
	["half a seed", { kind: "seeded", seed: 0.5 }],
	["a wake of no rounds", { kind: "seeded", seed: 0, wakeEvery: 0 }],
])("%s is refused", async (_name, schedule) => {
	const { machine } = await boot({ kernel: counters, harts: 2, memoryBytes });
	expect(() => machine.setSchedule(schedule)).toThrow(expect.objectContaining({ code: "machine-options" }));
});
