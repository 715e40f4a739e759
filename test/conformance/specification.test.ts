import { expect, test } from "vitest";
import { buildSuite, type Case, layout, parseOutcomes } from "./harness.ts";
import { runInMachine } from "./machineHost.ts";

/**
 * Where QEMU 7.2 departs from the privileged specification 1.12, so that its recorded results cannot judge: our machine
 * follows the specification.
 */
interface Rule {
	readonly test: Case;
	/** Expected CSRs and registers, by name. */
	readonly expected: Readonly<Record<string, bigint>>;
}

const interrupt = (code: bigint) => (1n << 63n) | code;

/** Section 3.1.9: MEI, MSI, MTI, SEI, SSI, STI. All but MEI can be made pending without a device. */
const pendAll = `li t0, clint\nli t1, 1\nsw t1, (t0)\nli t0, clint + 0x4000\nsd zero, (t0)\nli t0, 0x222\ncsrs mip, t0
	1: csrr t1, mip\nandi t1, t1, 0x88\naddi t1, t1, -0x88\nbnez t1, 1b`;

function priority(mask: bigint, code: bigint): Rule {
	return {
		test: {
			name: `of the pending interrupts 0x${mask.toString(16)}, ${code} is taken`,
			mode: 0,
			mstatus: 0xan,
			setup: `${pendAll}\nli t0, ${mask}\ncsrw mie, t0`,
			code: "1: j 1b",
		},
		expected: { mcause: interrupt(code) },
	};
}

function fault(name: string, code: string, mcause: bigint, mtval: bigint): Rule {
	return { test: { name, code }, expected: { mcause, mtval } };
}

const hole = 0x08000000n;

const rules: readonly Rule[] = [
	priority(0x2aan, 3n),
	priority(0x2a2n, 7n),
	priority(0x222n, 9n),
	priority(0x22n, 1n),
	priority(0x20n, 5n),
	fault("an AMO where no memory is: store/AMO access fault", `li a1, ${hole}\namoadd.w a0, a0, (a1)`, 7n, hole),
	fault("sc to a misaligned address without a reservation", "li a1, data + 2\nsc.w a0, a0, (a1)", 6n, layout.data + 2n),
	fault(
		"a csrrs that names a register writes, even when the register is 0",
		"li t1, 0\ncsrrs a0, cycle, t1",
		2n,
		0xc0032573n,
	),
	{
		test: {
			name: "mret to a lower mode clears MPRV (3.1.6.3)",
			code: "li t0, 0x1800\ncsrc mstatus, t0\nli t0, 0x20000\ncsrs mstatus, t0\nla t0, 1f\ncsrw mepc, t0\nmret\n1: ecall",
		},
		expected: { mcause: 8n, mstatus: 0xa00006080n | (1n << 63n) },
	},
	{
		test: {
			name: "sret clears MPRV",
			code: "li t0, 0x20100\ncsrs mstatus, t0\nla t0, 1f\ncsrw sepc, t0\nsret\n1: ecall",
		},
		expected: { mcause: 9n, mstatus: 0xa00006820n | (1n << 63n) },
	},
	{
		test: {
			name: "bit 0 of mepc and sepc is always zero (3.1.14, 4.1.7)",
			code: "li t0, -1\ncsrw mepc, t0\ncsrr a0, mepc\ncsrw sepc, t0\ncsrr a1, sepc",
		},
		expected: { x10: (1n << 64n) - 2n, x11: (1n << 64n) - 2n },
	},
	{
		test: {
			name: "mret with an odd mepc goes to the even address",
			code: "la t0, 1f + 1\ncsrw mepc, t0\nmret\n1: li a0, 7",
		},
		expected: { mcause: 3n, x10: 7n },
	},
	{
		test: {
			name: "fields of mstatus that this machine lacks stay as they are",
			code: "li t0, -1\ncsrc mstatus, t0\ncsrr a0, mstatus\nli t0, 0x3f00000600\ncsrs mstatus, t0\ncsrr a1, mstatus\nli t0, 0x7800\ncsrs mstatus, t0",
		},
		expected: { x10: 0xa00000000n, x11: 0xa00000000n },
	},
	{
		test: {
			name: "interrupt bits of extensions that this machine lacks are zero",
			code: "li t0, -1\ncsrw mideleg, t0\ncsrr a0, mideleg\ncsrw mie, t0\ncsrr a1, mie\ncsrw mie, zero\ncsrw medeleg, t0\ncsrr a2, medeleg",
		},
		expected: { x10: 0x222n, x11: 0xaaan, x12: 0xb3ffn },
	},
	{
		test: {
			name: "MPP keeps a legal value when the reserved one is written",
			code: "li t0, 0x1800\ncsrc mstatus, t0\nli t0, 0x1000\ncsrs mstatus, t0\ncsrr a0, mstatus\nsrli a0, a0, 11\nandi a0, a0, 3\naddi a0, a0, -2\nsnez a0, a0",
		},
		expected: { x10: 1n },
	},
	{
		test: {
			name: "satp with a mode that does not exist changes nothing (4.1.11)",
			code: "li t0, 0x9000000000080000\ncsrw satp, t0\ncsrr a0, satp\nli a1, 1",
		},
		expected: { x11: 1n, satp: 0n },
	},
];

test("our machine follows the specification where QEMU does not", async () => {
	const cases = rules.map((rule) => rule.test);
	const { output } = await runInMachine(buildSuite(cases).elf, { harts: 1 });
	const outcomes = parseOutcomes(output, cases);
	const show = (values: Record<string, bigint | undefined>) =>
		Object.entries(values).map(([name, value]) => `${name}=0x${(value ?? 0n).toString(16)}`);
	rules.forEach(({ test: one, expected }, index) => {
		const outcome = outcomes[index];
		const actual = Object.fromEntries(
			Object.keys(expected).map((name) => [name, outcome?.csrs.get(name) ?? outcome?.registers.get(name)]),
		);
		expect.soft(outcome ? show(actual) : "no outcome", one.name).toEqual(show(expected));
	});
});
