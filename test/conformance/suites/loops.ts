import { Random } from "../../support/random.ts";
import { type Case, layout, pagedSatp } from "../harness.ts";
import { registers } from "./values.ts";

/**
 * Byte loops such as compilers make of memset, memmove and memcmp, and near misses of them: our machine runs some of these in
 * bulk, and nobody may notice. They work on four mapped pages between unmapped ones; the third is read-only now and then.
 */
const firstPage = 4;
const mapped = 4;
const base = BigInt(firstPage) << 12n;
const size = mapped * 4096;

/** Fills the pages; the handler (and the end of a case) sums them up in s9, so that every byte counts. */
const setup = (readOnly: boolean) => `
	li t0, level0
	${Array.from({ length: mapped }, (_, n) => {
		const flags = readOnly && n === 2 ? 0x43n : 0xc7n;
		return `li t1, ${((layout.data >> 2n) + (BigInt(n) << 10n)) | flags}\nsd t1, ${8 * (firstPage + n)}(t0)`;
	}).join("\n")}
	li t0, data
	li t1, ${size / 8}
	li t2, 0x123456789abcdef1
1:	sd t2, (t0)
	slli t3, t2, 13
	xor t2, t2, t3
	srli t3, t2, 7
	xor t2, t2, t3
	addi t0, t0, 8
	addi t1, t1, -1
	bnez t1, 1b
	la t0, 2f
	csrw stvec, t0
	ret
.align 2
2:	${sum}`;

const sum = `li s8, ${base}
	li s10, ${size / 8}
	li s9, 0
8:	ld s11, (s8)
	slli t6, s9, 5
	add s9, s9, t6
	add s9, s9, s11
	addi s8, s8, 8
	addi s10, s10, -1
	bnez s10, 8b
	ecall`;

interface Shape {
	readonly body: string[];
	readonly branch: string;
	readonly start: Record<string, bigint>;
}

function shape(random: Random): Shape {
	const step = random.pick([1, 1, 1, -1]);
	// Mostly short, sometimes over several pages, sometimes into the unmapped ones.
	const count = random.pick([1, 2, 3, 7, random.below(64) + 1, random.below(600) + 1, random.below(6000) + 1]);
	const place = () => base + BigInt(random.below(size));
	const near = place();
	const start: Record<string, bigint> = {
		a0: near,
		// Overlapping more often than not.
		a1: random.chance(2) ? near + BigInt(random.below(80) - 40) : place(),
		a2: place(),
		a3: random.u64(),
		a4: random.u64(),
	};
	const pointerCounts = random.chance(2);
	const counter = pointerCounts ? random.pick(["a0", "a1"]) : "a5";
	if (!pointerCounts) start.a5 = random.u64();
	start.a6 = BigInt.asUintN(64, (start[counter] as bigint) + BigInt(step * count));

	const load = random.pick(["lbu a3", "lbu a3", "lb a3", "lb a4", "lhu a3", "lbu zero"]);
	const store = random.pick(["sb a3", "sb a3", "sb a3", "sb a4", "sb zero", "sb a1", "sb a5", "sh a3"]);
	const offset = () => random.pick([0, 0, 0, 0, -1, 1, 5]);
	const memory: string[] = [];
	if (random.chance(2)) memory.push(`${load}, ${offset()}(a1)`);
	if (!random.chance(5)) memory.push(`${store}, ${offset()}(${random.pick(["a0", "a0", "a0", "a2", "a1"])})`);
	if (random.chance(12)) memory.reverse();
	const steps = [`addi ${counter}, ${counter}, ${step}`];
	for (const register of ["a0", "a1", "a2"]) {
		if (register !== counter && !random.chance(4)) {
			steps.push(
				`addi ${register}, ${register}, ${random.chance(8) ? random.pick([2, -2, 0]) : random.pick([step, step, 1, -1])}`,
			);
		}
	}
	if (random.chance(10))
		steps.push(random.pick(["addi a4, a4, 1", "xor a4, a4, a3", "nop", "addi a4, a3, 1", "addiw a4, a4, 1"]));
	const body = [...memory];
	for (const one of steps) body.splice(random.below(body.length + 1), 0, one);
	const unsigned = pointerCounts && random.chance(4);
	let branch = random.chance(2) ? `bne ${counter}, a6, 1b` : `bne a6, ${counter}, 1b`;
	if (unsigned) branch = step > 0 ? `bltu ${counter}, a6, 1b` : `bltu a6, ${counter}, 1b`;
	// memcmp and strlen end early.
	if (random.chance(8) && memory.length > 0) body.push(random.pick(["beq a3, a4, 2f", "beqz a3, 2f"]));
	return { body, branch, start };
}

const names = ["a0", "a1", "a2", "a3", "a4", "a5", "a6"];

export function loopsSuite(seed = 1111): Case[] {
	const random = new Random(seed);
	return Array.from({ length: 500 }, (_, n) => {
		const { body, branch, start } = shape(random);
		const values = registers(random);
		names.forEach((name, index) => {
			values[9 + index] = start[name] ?? 0n;
		});
		return {
			name: `loop ${n}`,
			mode: 1,
			satp: pagedSatp,
			medeleg: 0xb0f7n,
			setup: setup(random.chance(5)),
			registers: values,
			code: `1: ${body.join("\n")}\n${branch}\n2: ${sum}`,
		};
	});
}
