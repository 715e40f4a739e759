import { expect, test } from "vitest";
import type { Machine } from "../../../../src/machine/machine.ts";
import { machinesOf, sameAlways } from "./records.ts";

const register = (machines: readonly Machine[], index: number) => machines[0]?.harts[0]?.register(index);
const [t0, a0, s1, s2] = [5, 10, 9, 18];

/** A loop with calls, loads, stores and branches in all directions. */
const hotLoop = `
	la s0, data
	li s1, 0
	li s2, 0
	j loop
helper:
	addi a0, a0, 3
	andi t0, a0, 1
	beqz t0, even
	xori a0, a0, 0x55
even:
	ret
loop:
	mv a0, s1
	jal helper
	andi t1, s1, 0x38
	add t1, t1, s0
	ld t2, 0(t1)
	add t2, t2, a0
	sd t2, 0(t1)
	lbu t3, 3(t1)
	amoadd.w s2, t3, (t1)
	mulw t4, t2, t3
	divu t4, t4, s1
	sltu t5, t4, t2
	add s2, s2, t5
	addi s1, s1, 1
	j loop
	.align 12
data:
	.zero 64
`;

test("every number of steps through a hot loop ends in the same state", async () => {
	const pieces = [3000, ...Array.from({ length: 200 }, (_, i) => i + 1)];
	const machines = await sameAlways(hotLoop, pieces);
	expect(register(machines, s1)).toBeGreaterThan(100n);
});

test("single steps through a warm loop", async () => {
	await sameAlways(hotLoop, [2000, ...Array.from({ length: 150 }, () => 1), 5000]);
});

test("a fault in the middle of a block: pc, registers and counts are exact", async () => {
	const machines = await sameAlways(
		`
	la t0, handler
	csrw mtvec, t0
	li s0, 0
	li s1, 0
	li s3, 0x80000000
	la s4, data
again:
	addi s1, s1, 1
	andi t1, s1, 7
	mv t2, s4
	bnez t1, good
	li t2, 0x100
good:
	addi s5, s5, 1
	ld t3, 0(t2)
	addi s5, s5, 2
	addi s6, s5, 3
	j again
	.align 3
handler:
	csrr t4, mepc
	csrr t5, mtval
	csrr s7, minstret
	add s8, s8, s5
	addi t4, t4, 4
	csrw mepc, t4
	addi s2, s2, 1
	mret
	.align 3
data:
	.dword 77
`,
		[100, 1000, 1003, 50_000, 7, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
	);
	expect(register(machines, s2)).toBeGreaterThan(500n);
});

test("code that changes itself, with and without fence.i, in its own page and its own block", async () => {
	const machines = await sameAlways(
		`
	la s3, patched
	lw s4, 0(s3)
	li s1, 0
	li s2, 0
loop:
	addi s1, s1, 1
	andi t1, s1, 63
	slli t1, t1, 20
	add t1, t1, s4
	andi t2, s1, 15
	bnez t2, keep
	sw t1, 0(s3)
keep:
	andi t2, s1, 31
	bnez t2, patched
	fence.i
patched:
	addi a0, zero, 0
	add s2, s2, a0
	j loop
`,
		[50, 500, 5000, 50_000, 1, 2, 3, 4, 5, 6, 7, 8, 9],
	);
	expect(register(machines, s2)).toBeGreaterThan(1000n);
});

test("another hart stores into code that runs", async () => {
	const machines = await sameAlways(
		`
	csrr t0, mhartid
	la s3, patched
	lw s4, 0(s3)
	li s1, 0
	bnez t0, writer
worker:
	jal far
	add s2, s2, a0
	addi s1, s1, 1
	j worker
writer:
	addi s1, s1, 1
	andi t1, s1, 63
	slli t1, t1, 20
	add t1, t1, s4
	sw t1, 0(s3)
	li t2, 100
pause:
	addi t2, t2, -1
	bnez t2, pause
	j writer
	.zero 8192
far:
	addi t3, t3, 1
patched:
	addi a0, zero, 0
	ret
`,
		[999, 20_000, 20_001, 100_000, 3, 3, 3],
		{ harts: 2 },
	);
	expect(register(machines, s2)).toBeGreaterThan(1000n);
});

test("a page table changes under translated code", async () => {
	// Sv39 with superpages: 0x40000000 leads to the first or the second half of RAM's first 4 MiB page table entry.
	const machines = await sameAlways(
		`
	la s3, root
	la s4, middle
	srli t0, s4, 12
	slli t0, t0, 10
	ori t0, t0, 1
	sd t0, 8(s3)
	li t0, 0x200000cf
	sd t0, 16(s3)
	la t1, leafs
	srli t0, t1, 12
	slli t0, t0, 10
	ori t0, t0, 1
	sd t0, 0(s4)
	la s5, one
	la s6, two
	srli s5, s5, 12
	slli s5, s5, 10
	ori s5, s5, 0xcf
	srli s6, s6, 12
	slli s6, s6, 10
	ori s6, s6, 0xcf
	mv s7, t1
	sd s5, 0(s7)
	li t0, -1
	csrw pmpaddr0, t0
	li t0, 0x1f
	csrw pmpcfg0, t0
	li t0, 8
	slli t0, t0, 60
	srli t1, s3, 12
	or t0, t0, t1
	csrw satp, t0
	li t0, 0x800
	csrw mstatus, t0
	la t0, supervisor
	csrw mepc, t0
	li s1, 0
	li s2, 0
	li s8, 0x40000000
	mret
supervisor:
	jalr s8
	add s2, s2, a0
	addi s1, s1, 1
	andi t0, s1, 7
	bnez t0, supervisor
	sd s6, 0(s7)
	sfence.vma
	jalr s8
	slli a0, a0, 8
	add s2, s2, a0
	sd s5, 0(s7)
	sfence.vma
	j supervisor
	.align 12
root:
	.zero 4096
middle:
	.zero 4096
leafs:
	.zero 4096
one:
	li a0, 1
	ret
	.zero 4088
	.align 12
two:
	li a0, 2
	ret
`,
		[200, 2000, 20_000, 1, 1, 1, 1, 1, 1, 1, 1, 20_000],
	);
	expect(register(machines, s2)).toBeGreaterThan(10_000n);
});

test("an address space in the TLB bank of another does not see the other's pages", async () => {
	// Twelve spaces of four pages each (three tables, one of data at 0x40000000), eight banks; between two looks at the data
	// eight spaces pass in which only the interpreter runs.
	const spaces = ["a3", "a4", "a5", "a6", "a7", "t1", "t2", "t3"];
	const next = (register: string) => `
	addi s4, s4, 4
	sltu t0, s4, s5
	addi t0, t0, -1
	andi t0, t0, 48
	sub s4, s4, t0
	mv ${register}, s4`;
	const machines = await sameAlways(
		`
	la s3, tables
	mv t6, s3
	li s1, 12
	li s8, 4096
build:
	add t1, t6, s8
	add t2, t1, s8
	add t3, t2, s8
	srli t0, t1, 2
	ori t0, t0, 1
	sd t0, 8(t6)
	li t0, 0x200000cf
	sd t0, 16(t6)
	srli t0, t2, 2
	ori t0, t0, 1
	sd t0, 0(t1)
	srli t0, t3, 2
	ori t0, t0, 0xcf
	sd t0, 0(t2)
	sd s1, 0(t3)
	add t6, t3, s8
	addi s1, s1, -1
	bnez s1, build
	li t0, -1
	csrw pmpaddr0, t0
	li t0, 0x1f
	csrw pmpcfg0, t0
	li s4, 8
	slli s4, s4, 60
	srli t1, s3, 12
	or s4, s4, t1
	addi s5, s4, 48
	csrw satp, s4
	li t0, 0x800
	csrw mstatus, t0
	la t0, supervisor
	csrw mepc, t0
	li s2, 0
	li s9, 0x40000000
	mret
supervisor:
	li t4, 8
look:
	ld a0, 0(s9)
	ld a1, 8(s9)
	ld a2, 16(s9)
	slli s1, s2, 5
	sub s2, s1, s2
	add s2, s2, a0
	addi t4, t4, -1
	bnez t4, look
	${spaces.map(next).join("")}
	${spaces.map((register) => `csrw satp, ${register}`).join("\n\t")}
	j supervisor
	.align 12
tables:
	.zero ${12 * 4 * 4096}
`,
		[2000, 20_000, 200_000, 1, 1, 1, 20_000],
	);
	expect(register(machines, s2)).not.toBe(0n);
});

// Marks of "no page", past and present, in tags of TLBs and remembered pages; a guest may compute any of them.
test.each(["0x4040404040404040", "0x4040404040404ff8", "0x4000000000000000", "-1", "-8", "-4096"])(
	"an address that no page has faults, also where a page is remembered: %s",
	async (address) => {
		const machines = await sameAlways(
			`
	la t0, handler
	csrw mtvec, t0
	li s0, ${address}
	la s1, data
	li s2, 0
	li s3, 0
loop:
	andi t0, s2, 31
	bnez t0, go
	ld a1, 0(s0)
	sd s2, 0(s0)
	lbu a1, 0(s0)
go:
	ld a1, 0(s1)
	addi s2, s2, 1
	sd s2, 0(s1)
	j loop
	.align 2
handler:
	addi s3, s3, 1
	csrr t1, mepc
	addi t1, t1, 4
	csrw mepc, t1
	mret
	.align 12
data:
	.zero 64
`,
			[20, 200, 2000, 20_000],
		);
		expect(register(machines, 19)).toBeGreaterThan(100n);
	},
);

/** A loop over functions that are a page each. */
function pagesOfFunctions(count: number): string {
	const functions = Array.from({ length: count }, (_, n) => `f${n}:\n\taddi a0, a0, ${n}\n\tret\n\t.zero 4088\n`);
	const calls = Array.from({ length: count }, (_, n) => `\tla t0, f${n}\n\tjalr t0\n`);
	return `loop:\n${calls.join("")}\taddi s1, s1, 1\n\tj loop\n${functions.join("")}`;
}

test("a small cache is dropped again and again, and nobody sees it", async () => {
	const machines = await sameAlways(pagesOfFunctions(9), [20_000, 1, 2, 3, 20_000]);
	expect(machines[3]?.translation?.drops).toBeGreaterThan(0);
});

test("modules are merged when there are many", async () => {
	const machines = await sameAlways(pagesOfFunctions(60), [20_000, 7, 9]);
	expect(machines[2]?.translation?.merges).toBeGreaterThan(0);
	expect(register(machines, a0)).toBeGreaterThan(0n);
});

test("breakpoints and watchpoints stop translated code where they stop the interpreter", async () => {
	const machines = await machinesOf(hotLoop);
	const stops = machines.map(([, machine]) => {
		machine.run(5000);
		const seen: string[] = [];
		const here = machine.harts[0]?.pc ?? 0n;
		const breakpoint = machine.addBreakpoint(here);
		for (let i = 0; i < 5; i++)
			seen.push(JSON.stringify(machine.run(1000), (_, v) => (typeof v === "bigint" ? `${v}` : v)));
		breakpoint.dispose();
		const data = machine.harts[0]?.register(8) ?? 0n;
		const watch = machine.addWatchpoint(data + 16n, 4, "write");
		for (let i = 0; i < 5; i++)
			seen.push(JSON.stringify(machine.run(1000), (_, v) => (typeof v === "bigint" ? `${v}` : v)));
		watch.dispose();
		machine.run(1000);
		return [...seen, String(machine.instret), machine.stateHash()];
	});
	for (const other of stops) expect(other).toEqual(stops[0]);
	expect(stops[0]?.join()).toContain("watchpoint");
});

test("a snapshot of translated code continues interpreted, and back", async () => {
	const [off, eager] = (await machinesOf(hotLoop)).map(([, machine]) => machine) as [Machine, Machine];
	off.run(3333);
	eager.restore(off.snapshot());
	off.run(4444);
	eager.run(4444);
	expect(eager.stateHash()).toBe(off.stateHash());
	off.restore(eager.snapshot());
	off.run(1234);
	eager.run(1234);
	expect(eager.stateHash()).toBe(off.stateHash());
});

test("statistics say what was translated", async () => {
	const [, eager] = (await machinesOf(hotLoop)).map(([, machine]) => machine) as [Machine, Machine];
	expect(register([eager], t0)).toBe(0n);
	eager.run(100_000);
	expect(eager.translation?.modules).toBeGreaterThan(0);
	expect(eager.translation?.bytes).toBeGreaterThan(100);
});
