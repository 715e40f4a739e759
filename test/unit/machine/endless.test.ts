import { expect, test } from "vitest";
import { isEndless } from "../../../src/machine/endless.ts";
import { boot } from "../../support/guest.ts";

/** In RAM, on a page without code. */
const area = "0x80010000";
const stack = `li sp, ${area}\nli s1, ${area}\n`;

/** Runs for a while, then asks of hart 0. */
async function endless(source: string, steps = 1000): Promise<boolean> {
	const { machine } = await boot({ kernel: `${stack}${source}\n` });
	try {
		machine.run(steps);
		const [hart] = machine.harts;
		return hart !== undefined && isEndless(hart, machine.memory);
	} finally {
		machine.dispose();
	}
}

/** Into supervisor mode without paging; `status`: of mstatus. */
const supervisor = (status: string) => `
	li t0, -1
	csrw pmpaddr0, t0
	li t0, 31
	csrw pmpcfg0, t0
	la t0, inside
	csrw mepc, t0
	li t0, ${status}
	csrw mstatus, t0
	mret
inside:
`;

/** Sv39: all of RAM where it is, and once more for the user at 0xc0000000. */
const paged = `
	li t2, 0x80020000
	li t1, 0x200000cf
	sd t1, 16(t2)
	li t1, 0x200000df
	sd t1, 24(t2)
	li t0, 0x8000000000080020
	csrw satp, t0
${supervisor("0x40800")}`;

test.each([
	["nothing", "loop: j loop"],
	["a counter in a register", "loop: addi a0, a0, 1\nj loop"],
	["a counter in memory", "loop: ld a0, 8(s1)\naddi a0, a0, 1\nsd a0, 8(s1)\nj loop"],
	["both ways of a branch stay", "loop: addi a0, a0, 1\nbeqz a0, loop\naddi a1, a1, 1\nj loop"],
	["an atomic counter", "loop: li a0, 1\namoadd.w a0, a0, (s1)\nj loop"],
	[
		"an address that is made again each time",
		"loop: auipc a1, 0x10\nlw a0, 4(a1)\naddi a0, a0, 1\nsw a0, 4(a1)\nj loop",
	],
	[
		"a call that keeps its return address on the stack",
		"addi sp, sp, 64\nloop: jal ra, count\nj loop\ncount: addi sp, sp, -16\nsd ra, 8(sp)\naddi a0, a0, 1\njal ra, leaf\nld ra, 8(sp)\naddi sp, sp, 16\nret\nleaf: addi a1, a1, 1\nret",
	],
	["supervisor mode with interrupts off", `${supervisor("0x800")}loop: addi a0, a0, 1\nj loop`],
	["with a page table", `${paged}loop: ld a0, 8(s1)\naddi a0, a0, 1\nsd a0, 8(s1)\nj loop`],
])("a loop without a way out: %s", async (_, source) => {
	expect(await endless(source)).toBe(true);
});

test.each([
	["a branch that leads out", "li a1, 1000000\nloop: addi a0, a0, 1\nbne a0, a1, loop\nout: wfi\nj out"],
	["memory may change", "loop: ld a0, 0(s1)\nbeqz a0, loop\nout: wfi\nj out"],
	["an address that moves on will fault", "loop: addi s1, s1, 8\nsd a0, 0(s1)\nj loop"],
	["an address out of memory that others may change", "sd s1, 0(s1)\nloop: ld a1, 0(s1)\nlw a0, 4(a1)\nj loop"],
	["a device", "li a1, UART\nloop: lbu a0, 5(a1)\nj loop"],
	["interrupts are on for a moment", "loop: csrsi mstatus, 8\ncsrci mstatus, 8\nj loop"],
	["interrupts are on", "csrsi mstatus, 8\nloop: addi a0, a0, 1\nj loop"],
	["supervisor mode with interrupts on", `${supervisor("0x822")}csrsi sstatus, 2\nloop: addi a0, a0, 1\nj loop`],
	[
		"a call through memory that others may change",
		"la a0, leaf\nsd a0, 0(s1)\naddi sp, sp, 64\nloop: ld a1, 0(s1)\njalr a1\nj loop\nleaf: ret",
	],
	["a stack that grows with each call", "addi sp, sp, 2000\nloop: addi sp, sp, -16\nsd a0, 0(sp)\nj loop"],
	["it writes to its own code", "la s2, loop\nlw a1, 0(s2)\nloop: sw a1, 0(s2)\nj loop"],
	["a system call", "la a1, loop\ncsrw mtvec, a1\nloop: ecall\nj loop"],
	["it waits for an interrupt", "loop: wfi\nj loop"],
	["a page of the user", `${paged}li s1, 0xc0010000\nloop: ld a0, 8(s1)\nj loop`],
	["it writes to its own page table", `${paged}li s1, 0x80020000\nloop: ld a0, 8(s1)\nsd a0, 8(s1)\nj loop`],
])("not proved: %s", async (_, source) => {
	expect(await endless(source, 200)).toBe(false);
});
