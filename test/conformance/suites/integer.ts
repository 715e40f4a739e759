import { Random } from "../../support/random.ts";
import { type Case, layout } from "../harness.ts";
import { edgeIntegers, integer, rows, x } from "./values.ts";

/** Sources in x1..x12, results in x13..x30. */
function sources(random: Random): bigint[] {
	return Array.from({ length: 31 }, () => (random.chance(2) ? random.pick(edgeIntegers) : integer(random)));
}

const source = (random: Random) => x(random.below(13));
const results = Array.from({ length: 18 }, (_, i) => 13 + i);

function registerForms(random: Random): Case[] {
	return rows((row) => row.operands === "rd,rs1,rs2").flatMap((row) =>
		Array.from({ length: 4 }, (_, round) => ({
			name: `${row.mnemonic} edge operands ${round}`,
			registers: sources(random),
			code: results.map((rd) => `${row.mnemonic} ${x(rd)}, ${source(random)}, ${source(random)}`).join("\n"),
		})),
	);
}

function immediateForms(random: Random): Case[] {
	const immediate = (operands: string) => {
		if (operands.includes("shamt6")) return random.below(64);
		if (operands.includes("shamt5")) return random.below(32);
		if (operands.includes("imm20")) return random.pick([0, 1, 0x7ffff, 0x80000, 0xfffff, random.below(2 ** 20)]);
		return random.pick([-2048, -1, 0, 1, 2047, random.below(4096) - 2048]);
	};
	return rows((row) => row.kind === "integer" && /(imm|shamt)/.test(row.operands)).flatMap((row) =>
		Array.from({ length: 3 }, (_, round) => ({
			name: `${row.mnemonic} edge operands ${round}`,
			registers: sources(random),
			code: results
				.map((rd) => {
					const rs1 = row.operands.includes("rs1") ? `${source(random)}, ` : "";
					return `${row.mnemonic} ${x(rd)}, ${rs1}${immediate(row.operands)}`;
				})
				.join("\n"),
		})),
	);
}

function branches(random: Random): Case[] {
	return rows((row) => row.kind === "branch").flatMap((row) =>
		Array.from({ length: 4 }, (_, round) => ({
			name: `${row.mnemonic} taken and not ${round}`,
			registers: sources(random),
			code: results
				.map((rd) => `li ${x(rd)}, 1\n${row.mnemonic} ${source(random)}, ${source(random)}, 1f\nli ${x(rd)}, 2\n1:`)
				.join("\n"),
		})),
	);
}

function jumps(): Case[] {
	return [
		{ name: "jal links and skips", code: "jal a0, 1f\nli a1, 1\n1: li a2, 2" },
		{ name: "jal backwards", code: "j 2f\n1: li a1, 1\nj 3f\n2: jal a0, 1b\n3:" },
		{ name: "jalr clears bit 0", code: "la a1, 1f\naddi a1, a1, 1\njalr a0, 0(a1)\nli a2, 1\n1: li a3, 2" },
		{ name: "jalr with rd = rs1", code: "la a1, 1f\njalr a1, 0(a1)\nli a2, 1\n1: li a3, 2" },
		{ name: "jalr negative offset", code: "la a1, 1f\njalr a0, -4(a1)\nli a2, 1\nli a2, 5\n1: li a3, 2" },
		{ name: "auipc at several places", code: "auipc a0, 0\nauipc a1, 0xfffff\n.half 0x0001\nauipc a2, 0x7ffff" },
		{ name: "a jump to an address with bit 1 set", code: "j 1f\n.half 0\n1: li a0, 1" },
		{ name: "fetch from a hole", code: "li a0, 0x08000000\njr a0" },
		{ name: "fetch beyond RAM", code: "li a0, 0x90000000\njr a0" },
		{ name: "fetch from the top of the address space", code: "li a0, -16\njr a0" },
		{ name: "fetch from address 0", code: "jr zero" },
	];
}

function memory(random: Random): Case[] {
	const cases: Case[] = [];
	for (const row of rows((r) => (r.kind === "load" || r.kind === "store") && r.extension === "I")) {
		for (let round = 0; round < 3; round++) {
			const registers = sources(random);
			registers[7] = layout.data + 256n;
			const code = results.map((rd) => {
				const value = row.kind === "load" ? rd : 9 + random.below(20);
				return `${row.mnemonic} ${x(value)}, ${random.below(496) - 256}(s0)`;
			});
			cases.push({ name: `${row.mnemonic} aligned or not ${round}`, registers, code: code.join("\n") });
		}
		const holes: [string, bigint][] = [
			["a hole", 0x08000000n],
			["a place beyond RAM", 0x88000000n],
			["the top of the address space", (1n << 64n) - 8n],
			["a physical address of 57 bits", (1n << 56n) + 0x80000000n],
		];
		for (const [what, address] of holes) {
			cases.push({ name: `${row.mnemonic} at ${what}`, code: `li a1, ${address}\n${row.mnemonic} a0, 3(a1)` });
		}
		cases.push({
			name: `${row.mnemonic} across a page`,
			setup: "li t0, data + 0xff8; li t1, 0x8877665544332211; sd t1, (t0); li t1, 0x00ffeeddccbbaa99; sd t1, 8(t0)",
			registers: sources(random),
			code: `li s1, data + 0xffd\n${row.mnemonic} a0, (s1)\n${row.mnemonic} a1, 1(s1)\n${row.mnemonic} a2, 2(s1)
				li s1, data + 0xff8\nld a3, (s1)\nld a4, 8(s1)`,
		});
		cases.push({
			name: `${row.mnemonic} across the end of RAM`,
			code: `li a1, 0x87fffffd\n${row.mnemonic} a0, 2(a1)\n${row.mnemonic} a0, 1(a1)\n${row.mnemonic} a0, 0(a1)`,
		});
	}
	return cases;
}

const fences: Case[] = [
	{ name: "fences of every kind", code: "fence\nfence rw,w\nfence i,o\n.word 0x8330000f\nfence.i" },
	{ name: "fence with reserved fields", code: ".word 0x0ff5850f\n.word 0xf005858f\nli a0, 1" },
	{ name: "fence.i with reserved fields", code: ".word 0xfff5950f\nli a0, 1" },
	{ name: "pause hint", code: ".word 0x0100000f\nli a0, 1" },
	{
		name: "code written and run after fence.i",
		code: "la t0, 1f\nli t1, 0x00500513\nsw t1, (t0)\nfence.i\n1: li a0, 4\nli a1, 6",
	},
	{
		name: "code in a loop that rewrites itself",
		code: "li s1, 3\nla t0, 1f\nlw t1, (t0)\n1: addi a0, a0, 1\nli t2, 0x100000\nadd t1, t1, t2\nsw t1, (t0)\nfence.i\naddi s1, s1, -1\nbnez s1, 1b",
	},
];

export function integerSuite(seed = 1001): Case[] {
	const random = new Random(seed);
	return [
		...registerForms(random),
		...immediateForms(random),
		...branches(random),
		...jumps(),
		...memory(random),
		...fences,
	];
}
