import { expect, test } from "vitest";
import { assemble } from "../../../support/assembler.ts";
import { ramBase } from "../../../support/guest.ts";
import { sameAlways } from "./records.ts";

const sector = 512;

/** Sector n holds a function that returns n + 1. */
const disk = new Uint8Array(2 * sector);
for (const n of [0, 1]) disk.set(assemble(`li a0, ${n + 1}\nret`, ramBase).bytes, n * sector);

/** A driver of the disk (virtio-mmio 2, one request at a time) that reads the two sectors in turns into `code`, and calls it. */
const program = `
	li s0, 0x10001000
	sw zero, 0x70(s0)
	li t0, 3
	sw t0, 0x70(s0)
	sw zero, 0x20(s0)
	li t0, 11
	sw t0, 0x70(s0)
	sw zero, 0x30(s0)
	li t0, 8
	sw t0, 0x38(s0)
	la t0, table
	sw t0, 0x80(s0)
	la s3, available
	sw s3, 0x90(s0)
	la s4, used
	sw s4, 0xa0(s0)
	li t0, 1
	sw t0, 0x44(s0)
	li t0, 15
	sw t0, 0x70(s0)
	la t0, table
	la s5, header
	sd s5, 0(t0)
	la s6, code
	sd s6, 16(t0)
	la t1, status
	sd t1, 32(t0)
	li s1, 0
	li s2, 0
again:
	li s7, 50
calls:
	jalr s6
	add s2, s2, a0
	addi s7, s7, -1
	bnez s7, calls
	andi t0, s1, 1
	sd t0, 8(s5)
	addi s1, s1, 1
	fence
	sh s1, 2(s3)
	fence
	sw zero, 0x50(s0)
	slli t1, s1, 48
	srli t1, t1, 48
wait:
	lhu t0, 2(s4)
	bne t0, t1, wait
	fence.i
	j again
	.align 12
table:
	.dword 0
	.word 16
	.half 1
	.half 1
	.dword 0
	.word ${sector}
	.half 3
	.half 2
	.dword 0
	.word 1
	.half 2
	.half 0
	.align 12
available:
	.zero 64
	.align 12
used:
	.zero 128
	.align 12
header:
	.zero 16
status:
	.zero 8
	.align 12
code:
	li a0, 3
	ret
	.zero ${sector}
`;

test("code that the disk replaces is what runs next, translated or not", async () => {
	const [machine] = await sameAlways(program, [5000, 20_000, 1, 1, 200_000, 333, 2_000_000], { disk });
	const reads = Number(machine?.harts[0]?.register(9));
	expect(reads).toBeGreaterThan(10);
	// 50 calls of each code that was there: the one that the program brought, then the sectors in turns.
	const sum = Number(machine?.harts[0]?.register(18));
	const full = 150 + 50 * Array.from({ length: reads - 1 }, (_, n) => (n & 1) + 1).reduce((a, b) => a + b, 0);
	expect(sum - full).toBeGreaterThanOrEqual(0);
	expect(sum - full).toBeLessThanOrEqual(100);
});
