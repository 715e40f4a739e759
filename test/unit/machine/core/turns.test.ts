import { expect, test } from "vitest";
import * as layout from "../../../../src/machine/core/layout.ts";
import { Random } from "../../../support/random.ts";
import { type Options, TestCore } from "./harness.ts";

/**
 * One hart works in user mode, long and short, and between does all that knows of time: rdtime, a device, calls, faults,
 * timers of both kinds, sleep, spinning until a timer, work in handlers. The others do what `others` says.
 */
const worker = (hart: number, others: string) => `
	la t0, trap
	csrw mtvec, t0
	csrr s0, mhartid
	li t0, ${hart}
	bne s0, t0, other
	li s11, 88172645463325252
	la s2, journal
	li s3, 0x10000000
	li s4, ${0x2004000 + 8 * hart}
	la s5, flag
	li t0, -1
	csrw mcounteren, t0
	csrw scounteren, t0
	slli t0, t0, 63
	csrs menvcfg, t0
	li t0, 0x20
	csrs mideleg, t0
	li t0, 0xa0
	csrw mie, t0
	la t0, interrupted
	csrw stvec, t0
	la t0, spin
	csrw mepc, t0
	mret
user:
	# xorshift64
	slli t0, s11, 13
	xor s11, s11, t0
	srli t0, s11, 7
	xor s11, s11, t0
	slli t0, s11, 17
	xor s11, s11, t0
	# 0 to 65535 turns of work
	slli t0, s11, 48
	srli t0, t0, 48
1:	addi t0, t0, -1
	mul t1, t0, s11
	bgtz t0, 1b
	andi t0, s11, 15
	li t1, 1
	beq t0, t1, device
	li t1, 2
	beq t0, t1, answer
	li t1, 3
	beq t0, t1, fault
	li t1, 4
	beq t0, t1, spin
	li t1, 6
	bge t1, t0, call
	li t1, 10
	blt t0, t1, user
	rdtime t1
note:
	sd t1, (s2)
	addi s2, s2, 8
	slli t1, s2, 52
	bnez t1, user
	la s2, journal
	j user
device:
	sw t0, (s3)
	j user
answer:
	lw t1, (s3)
	j note
fault:
	.word 0
	j note
call:
	mv a1, s11
	ecall
	mv t1, a0
	j note
spin:
	sd zero, (s5)
	andi a1, s11, -16
	ecall
2:	ld t1, (s5)
	beqz t1, 2b
	j note
	.align 4
# Machine mode: calls and faults of the worker, and mtimecmp.
trap:
	csrr a0, mcause
	bltz a0, 2f
	csrr a0, mepc
	addi a0, a0, 4
	csrw mepc, a0
	srli a2, s11, 30
	andi a2, a2, 15
	bnez a2, 5f
	li a2, 15000
1:	addi a2, a2, -1
	bnez a2, 1b
5:	csrr a0, time
	andi a3, a1, 3
	slli a2, s11, 40
	srli a2, a2, 47
	add a2, a2, a0
	addi a3, a3, -1
	beqz a3, 3f
	addi a3, a3, -1
	beqz a3, 4f
	csrw stimecmp, a2
	mret
3:	sd a2, (s4)
	mret
4:	sd a2, (s4)
	wfi
	csrr a0, time
	mret
2:	li a0, -1
	sd a0, (s4)
	li a0, 9000
6:	addi a0, a0, -1
	bnez a0, 6b
	csrr a0, cycle
	mret
	.align 4
interrupted:
	li a4, 12000
7:	addi a4, a4, -1
	bnez a4, 7b
	csrr a3, time
	sd a3, (s5)
	li a4, -1
	csrw stimecmp, a4
	sret
other:
	${others}
	.align 12
journal: .zero 4096
flag: .zero 8
`;

const others = {
	none: "j other",
	"sleep and wake": `
	li t0, 0x80
	csrw mie, t0
	li s4, 0x2004000
	slli t0, s0, 3
	add s4, s4, t0
	la t0, 5f
	csrw mtvec, t0
	csrsi mstatus, 8
	li t2, 200
	.align 4
5:	csrr t0, time
	li t1, 77777
	add t0, t0, t1
	sd t0, (s4)
	csrw mepc, t0
	csrsi mstatus, 8
	wfi
6:	addi t2, t2, -1
	bgtz t2, 6b
	j 5b`,
	"spin without effect": `
	la t0, journal
7:	ld t1, (t0)
	li t2, -1
	bne t1, t2, 7b
	j 7b`,
} as const;

/** Others, harts, the hart that works, seed. */
const runs: readonly [keyof typeof others, number, number, bigint][] = [
	["none", 1, 0, 0n],
	["sleep and wake", 2, 0, 0n],
	["spin without effect", 3, 0, 0n],
	["spin without effect", 3, 2, 0n],
	["sleep and wake", 3, 1, 5n],
];

for (const [name, harts, hart, seed] of runs) {
	test(`a long turn is what slice after slice is, seen from anywhere: others ${name}, hart ${hart} of ${harts}, seed ${seed}`, () => {
		const seen = (): { core: TestCore; events: string[] } => {
			const events: string[] = [];
			const note = (what: string) => (core: TestCore) => {
				const words = [layout.M_SLICES, layout.M_ROUNDS, layout.M_TIME];
				const values = words.map((at) => core.view.getBigUint64(at, true));
				events.push([what, ...values, core.pc(hart), core.register("s11", hart)].join(" "));
				core.deviceValue = Number(values[2] ?? 0n) >>> 0;
			};
			const options: Options = { harts, seed, onTrap: note("trap"), onAccess: note("device") };
			const core = new TestCore(worker(hart, others[name]), options);
			core.exports.setEventMask(layout.EVENT_TRAP);
			return { core, events };
		};
		const long = seen();
		const plain = seen();
		const random = new Random(harts);
		for (let point = 0; point < 30_000_000; ) {
			point += 1 + random.below(1_500_000);
			long.core.run(point - long.core.steps);
			// A turn is never longer than what the run has left.
			while (plain.core.steps < point) plain.core.run(Math.min(1 + random.below(4000), point - plain.core.steps));
			expect(long.core.state().equals(plain.core.state())).toBe(true);
		}
		expect(long.events).toEqual(plain.events);
		expect(long.events.length).toBeGreaterThan(60);
		expect(plain.core.statistic(layout.S_SLICES_PASSED)).toBe(0);
		if (seed === 0n) expect(long.core.statistic(layout.S_SLICES_PASSED)).toBeGreaterThan(500);
		else expect(long.core.statistic(layout.S_SLICES_PASSED)).toBe(0);
	});
}
