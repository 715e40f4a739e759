import { expect, test } from "vitest";
import * as layout from "../../../../src/machine/core/layout.ts";
import { hartBase } from "../../../../src/machine/coreAbi.ts";
import { ramStart, TestCore } from "./harness.ts";

test("stores to code are seen by the next instruction", () => {
	const core = new TestCore(`
		la t0, target
		la t1, replacement
		lw t1, (t1)
		li s0, 3
	again:
		sw t1, (t0)
	target:
		li a1, 1
		addi s0, s0, -1
		bnez s0, again
	end: j end
		.align 2
	replacement: li a1, 2
	`);
	core.runTo("end");
	expect(core.register("a1")).toBe(2n);
});

const paged = `
	la t0, root
	la t1, middle
	srli t1, t1, 2
	ori t1, t1, 1
	sd t1, 16(t0)
	la t0, middle
	la t1, leaves
	srli t1, t1, 2
	ori t1, t1, 1
	sd t1, (t0)
	# identity-map the first 64 pages
	la t0, leaves
	li t1, 0x200000cf
	li t2, 64
1:	sd t1, (t0)
	addi t0, t0, 8
	addi t1, t1, 0x400
	addi t2, t2, -1
	bnez t2, 1b
	la t0, root
	srli t0, t0, 12
	li t1, 8
	slli t1, t1, 60
	or t0, t0, t1
	csrw satp, t0
	la t0, trap
	csrw mtvec, t0
	li t0, 0x800
	csrs mstatus, t0
	la t0, supervisor
	csrw mepc, t0
	mret
trap:
	csrr a6, mcause
	csrr a7, mtval
end: j end
supervisor:
`;
const tables = `
	.align 12
root:	.zero 4096
middle:	.zero 4096
leaves:	.zero 4096
first:	.dword 111
	.align 12
second:	.dword 222
	.align 12
`;

test("a changed leaf takes effect at once, for reads, writes and other harts' caches alike", () => {
	const core = new TestCore(`${paged}
		la s0, first
		la s1, second
		ld a1, (s0)
		li t6, 0xff8
		la t0, leaves
		srli t1, s0, 9
		and t1, t1, t6
		add t1, t1, t0      # entry of first
		srli t2, s1, 9
		and t2, t2, t6
		add t2, t2, t0
		ld t3, (t2)
		sd t3, (t1)         # first now maps the page of second
		ld a2, (s0)
		li t4, 333
		sd t4, (s0)
		ld a3, (s1)
		sd zero, (t1)
		ld a4, (s0)         # page fault
	${tables}`);
	core.runTo("end");
	expect([core.register("a1"), core.register("a2"), core.register("a3")]).toEqual([111n, 222n, 333n]);
	expect(core.register("a6")).toBe(13n);
	expect(core.register("a7")).toBe(core.symbol("first"));
});

// Root and another root share a middle table, by which `first` is at 0xc0000000 in both; s2 and s3 switch to them.
const shared = `${paged}
	la t0, leaves2
	la t1, first
	srli t1, t1, 2
	ori t1, t1, 0xcf
	sd t1, (t0)
	srli t1, t0, 2
	ori t1, t1, 1
	la t2, middle2
	sd t1, (t2)
	srli t1, t2, 2
	ori t1, t1, 1
	la s2, root
	la s3, root2
	sd t1, 24(s2)
	sd t1, 24(s3)
	ld t1, 16(s2)
	sd t1, 16(s3)
	li t1, 8
	slli t1, t1, 60
	srli s2, s2, 12
	srli s3, s3, 12
	or s2, s2, t1
	or s3, s3, t1
	li s0, 0xc0000000
	csrw satp, s2
	ld a1, (s0)
	csrw satp, s3
	ld a2, (s0)
`;
const sharedTables = `${tables}
root2:	.zero 4096
middle2:	.zero 4096
leaves2:	.zero 4096
`;

test.each([
	["an upper entry", "la t0, middle2\n\tsd zero, (t0)"],
	["a leaf", "la t0, leaves2\n\tsd zero, (t0)"],
	["a byte of a leaf", "la t0, leaves2\n\tsb zero, (t0)"],
	["a byte of an upper entry", "la t0, middle2\n\tsb zero, (t0)"],
])("what an address space changes in tables that it shares, others see: %s", (_, change) => {
	const core = new TestCore(`${shared}\t${change}\n\tcsrw satp, s2\n\tld a3, (s0)\n${sharedTables}`);
	core.runTo("end");
	expect([core.register("a1"), core.register("a2")]).toEqual([111n, 111n]);
	expect([core.register("a6"), core.register("a7")]).toEqual([13n, 0xc0000000n]);
});

test("a store across two entries changes both", () => {
	const core = new TestCore(`${shared}
		la t0, leaves2
		ld t1, (t0)
		sd t1, 8(t0)
		li s0, 0xc0001000
		ld a2, (s0)
		sd zero, 4(t0)
		ld a3, (s0)
	${sharedTables}`);
	core.runTo("end");
	expect(core.register("a2")).toBe(111n);
	expect([core.register("a6"), core.register("a7")]).toEqual([13n, 0xc0001000n]);
});

test("a page that was a table and is data now is one again when it is walked", () => {
	const core = new TestCore(`${shared}
		la t0, leaves2
		ld t1, (t0)
		li t2, 512
	1:	sb zero, (t0)
		addi t0, t0, 1
		addi t2, t2, -1
		bnez t2, 1b
		la t0, leaves2
		la t2, second
		srli t2, t2, 2
		ori t2, t2, 0xcf
		sd t2, (t0)
		ld a3, (s0)
		sd t1, (t0)
		ld a4, (s0)
		csrw satp, s2
		ld a5, (s0)
		j end
	${sharedTables}`);
	core.runTo("end");
	expect([core.register("a3"), core.register("a4"), core.register("a5")]).toEqual([222n, 111n, 111n]);
});

test("A and D bits are set by the hart", () => {
	const core = new TestCore(`${paged}
		la s0, first
		li t6, 0xff8
		la t0, leaves
		srli t1, s0, 9
		and t1, t1, t6
		add t1, t1, t0
		ld t2, (t1)
		andi t2, t2, -193   # without A and D
		sd t2, (t1)
		ld a1, (s0)
		ld a2, (t1)
		sd a1, (s0)
		ld a3, (t1)
		xor a3, a3, a2
		xor a2, a2, t2
		j end
	${tables}`);
	core.runTo("end");
	expect([core.register("a2"), core.register("a3")]).toEqual([0x40n, 0x80n]);
});

test("a store of another hart breaks a reservation, even across slices, even with the value unchanged", () => {
	const core = new TestCore(
		`
		csrr t0, mhartid
		la t1, word
		la t2, flag
		bnez t0, other
		lr.d a1, (t1)
		li t3, 1
		sd t3, (t2)
	1:	ld t4, 8(t2)
		beqz t4, 1b
		sc.d a2, a1, (t1)
	end: j end
	other:
		ld t3, (t2)
		beqz t3, other
		ld t4, (t1)
		sd t4, (t1)
		li t3, 1
		sd t3, 8(t2)
	2:	j 2b
		.align 12
	word: .dword 5
		.align 12
	flag: .zero 16
	`,
		{ harts: 2 },
	);
	core.run(40_000);
	expect(core.pc()).toBe(core.symbol("end"));
	expect(core.register("a2")).toBe(1n);
});

test("an SC right after its LR succeeds, a second one fails", () => {
	const core = new TestCore(`
		la t1, word
		lr.w a1, (t1)
		sc.w a2, t1, (t1)
		sc.w a3, t1, (t1)
	end: j end
		.align 3
	word: .dword 5
	`);
	core.runTo("end");
	expect([core.register("a1"), core.register("a2"), core.register("a3")]).toEqual([5n, 0n, 1n]);
});

test("devices see aligned accesses of their sizes, 8 bytes as two words", () => {
	const core = new TestCore(`
		la t0, trap
		csrw mtvec, t0
		li s0, 0x10000000
		li t1, 0x1122334455667788
		sb t1, 3(s0)
		sw t1, 4(s0)
		sd t1, 8(s0)
		lw a1, 4(s0)
		lbu a2, 1(s0)
		lhu a3, 2(s0)
		nop
	end: j end
		.align 2
	trap:
		csrr a6, mcause
		csrr a7, mtval
		j end
	`);
	core.deviceValue = -2;
	core.runTo("end");
	expect(core.accesses).toEqual(["w1@3=136", "w4@4=1432778632", "w4@8=1432778632", "w4@12=287454020", "r4@4", "r1@1"]);
	expect(core.register("a1")).toBe(0xfffffffffffffffen);
	expect(core.register("a2")).toBe(0xfen);
	expect([core.register("a6"), core.register("a7")]).toEqual([5n, 0x10000002n]);
});

test("pages written by stores are dirty once, and again after the bitmap was taken", () => {
	const core = new TestCore(`
		la t0, data
	1:	sd t0, (t0)
		j 1b
		.align 12
	data: .dword 0
	`);
	const page = (layout.RAM_BASE + Number(core.symbol("data") - ramStart)) >> 12;
	const dirty = (base: number) => (core.view.getUint8(base + (page >> 3)) >> (page & 7)) & 1;
	expect(dirty(layout.DIRTY_BASE)).toBe(0);
	core.run(100);
	expect(dirty(layout.DIRTY_BASE)).toBe(1);
	core.exports.takeDirty();
	expect([dirty(layout.DIRTY_BASE), dirty(layout.DIRTY_TAKEN_BASE)]).toEqual([0, 1]);
	core.run(100);
	expect(dirty(layout.DIRTY_BASE)).toBe(1);
});

test("code that a device replaced is what runs next", () => {
	const core = new TestCore(`
		li a1, 0
	loop:
		addi a1, a1, 1
		j loop
	`);
	core.run(1001);
	const before = core.register("a1");
	const at = layout.RAM_BASE + Number(core.symbol("loop") - ramStart);
	core.view.setUint32(at, 0x00a58593, true); // addi a1, a1, 10
	core.exports.ramWritten(at >> 12, 1);
	core.run(20);
	expect(core.register("a1") - before).toBe(100n);
});

test("same content in two places is decoded once", () => {
	const body = "li a1, 1\nli a2, 2\nret\n.align 12\n";
	const core = new TestCore(`
		la t0, one
		jalr t0
		la t0, two
		jalr t0
	end: j end
		.align 12
	one: ${body}
	two: ${body}
	`);
	core.runTo("end");
	expect(core.statistic(layout.S_PAGES_LINKED)).toBe(3);
	expect(core.statistic(layout.S_PAGES_DECODED)).toBe(2);
});

test("an instruction may lie across two pages", () => {
	const core = new TestCore(`
		j start
		.org 0x80000ffe
	start:
		li a1, 1234
	end: j end
	`);
	core.runTo("end");
	expect(core.register("a1")).toBe(1234n);
});

test("minstret leaves out what traps, mcycle counts it", () => {
	const core = new TestCore(`
		la t0, trap
		csrw mtvec, t0
		csrr a1, minstret
		csrr a2, mcycle
		ecall
	trap:
		csrr a3, minstret
		csrr a4, mcycle
	end: j end
	`);
	core.runTo("end");
	expect(core.register("a3") - core.register("a1")).toBe(2n);
	expect(core.register("a4") - core.register("a2")).toBe(3n);
	expect(core.view.getUint32(hartBase(0) + layout.H_WAITING, true)).toBe(0);
});
