import { Random } from "../../support/random.ts";
import { type Case, layout } from "../harness.ts";
import { edgeIntegers, integer, rows, x } from "./values.ts";

const orderings = ["", ".aq", ".rl", ".aqrl"];

function operations(random: Random): Case[] {
	return rows((row) => row.mnemonic.startsWith("amo")).flatMap((row) =>
		Array.from({ length: 3 }, (_, round) => {
			const size = row.mnemonic.endsWith(".w") ? 4 : 8;
			const registers = Array.from({ length: 31 }, () =>
				random.chance(2) ? random.pick(edgeIntegers) : integer(random),
			);
			const code = Array.from({ length: 10 }, (_, n) => {
				const old = x(random.below(7));
				const value = x(random.below(7));
				return `li s1, data + ${16 * n + (size === 4 ? 4 * random.below(4) : 8 * random.below(2))}
					${size === 4 ? "sw" : "sd"} ${old}, (s1)
					${row.mnemonic}${random.pick(orderings)} x${16 + n}, ${value}, (s1)`;
			});
			return { name: `${row.mnemonic} ${round}`, registers, code: code.join("\n") };
		}),
	);
}

function faults(): Case[] {
	return rows((row) => row.kind === "atomic").flatMap((row) => {
		const operands = row.mnemonic.startsWith("lr") ? "a0, (a1)" : "a0, a2, (a1)";
		const at = (what: string, address: bigint) => ({
			name: `${row.mnemonic} at ${what}`,
			code: `li a1, ${address}\nli a2, 5\n${row.mnemonic} ${operands}`,
		});
		// QEMU fails an sc without a reservation before it looks at the address; the specification wants the exception.
		if (row.mnemonic.startsWith("sc")) return [at("a hole", 0x08000000n), at("beyond RAM", 0x88000000n)];
		// For an AMO where no memory is, QEMU falls back to a load and a store: cause 5 instead of the specification's 7.
		const holes = row.mnemonic.startsWith("lr") ? [at("a hole", 0x08000000n), at("beyond RAM", 0x88000000n)] : [];
		return [
			...holes,
			at("a misaligned address", layout.data + 2n),
			at("an odd address across a page", layout.data + 0xffen),
			at("a misaligned address in a hole", 0x08000001n),
		];
	});
}

const reservations: Case[] = ["w", "d"].flatMap((w) => [
	{
		name: `lr.${w} then sc.${w}`,
		code: `li s1, data\nli a1, 7\nlr.${w} a0, (s1)\nsc.${w} a2, a1, (s1)\nl${w} a3, (s1)`,
	},
	{ name: `sc.${w} without lr`, code: `li s1, data\nli a1, 7\nsc.${w} a2, a1, (s1)\nl${w} a3, (s1)` },
	{
		name: `second sc.${w} fails`,
		code: `li s1, data\nli a1, 7\nlr.${w} a0, (s1)\nsc.${w} a2, a1, (s1)\nli a1, 8\nsc.${w} a4, a1, (s1)\nl${w} a3, (s1)`,
	},
	{
		name: `sc.${w} to another address`,
		code: `li s1, data\nli s2, data + 64\nli a1, 7\nlr.${w} a0, (s1)\nsc.${w} a2, a1, (s2)\nl${w} a3, (s2)\nsc.${w} a4, a1, (s1)`,
	},
	{
		name: `lr.${w} moves the reservation`,
		code: `li s1, data\nli s2, data + 64\nli a1, 7\nlr.${w} a0, (s1)\nlr.${w} a0, (s2)\nsc.${w} a2, a1, (s1)\nsc.${w} a3, a1, (s2)`,
	},
	{
		name: `lr.${w} sign-extends`,
		code: `li s1, data\nli a1, 0x80000000\ns${w} a1, (s1)\nlr.${w}.aq a0, (s1)\nsc.${w}.rl a2, a0, (s1)`,
	},
	{
		name: `an increment with lr.${w} and sc.${w} in a loop`,
		code: `li s1, data\nli a4, 20\n1: lr.${w}.aqrl a0, (s1)\naddi a0, a0, 1\nsc.${w}.aqrl a2, a0, (s1)\nbnez a2, 1b\naddi a4, a4, -1\nbnez a4, 1b`,
	},
	{ name: `sc.${w} with rd = rs2`, code: `li s1, data\nli a1, 7\nlr.${w} a0, (s1)\nsc.${w} a1, a1, (s1)` },
	{ name: `lr.${w} with rd = rs1`, code: `li s1, data\nlr.${w} s1, (s1)` },
]);

/** Cases for two harts: hart 1 runs what `mailbox` points to. */
export function twoHartSuite(): Case[] {
	const call = (routine: string) =>
		`la t0, mailbox\nla t1, ${routine}\nfence\nsd t1, (t0)\n3: ld t1, (t0)\nbnez t1, 3b\nfence`;
	const cases: Case[] = [];
	for (const w of ["w", "d"]) {
		for (const [what, store] of [
			["a plain store", `s${w} t4, (t3)`],
			["a byte store", "sb t4, 1(t3)"],
			["an amoswap", `amoswap.${w} t5, t4, (t3)`],
			["its own lr and sc", `lr.${w} t5, (t3)\nsc.${w} t5, t4, (t3)`],
		]) {
			cases.push({
				name: `sc.${w} fails after ${what} of another hart`,
				code: `j 2f\n1: li t3, data\nli t4, 0x5a5a\n${store}\nret
					2: li s1, data\nlr.${w} a0, (s1)\n${call("1b")}\nli a1, 7\nsc.${w} a2, a1, (s1)\nl${w} a3, (s1)`,
			});
		}
		cases.push({
			name: `sc.${w} of another hart needs its own lr`,
			code: `j 2f\n1: li t3, data\nli t4, 9\nsc.${w} t5, t4, (t3)\nsd t5, 64(t3)\nret
				2: li s1, data\nlr.${w} a0, (s1)\n${call("1b")}\nl${w} a3, (s1)`,
		});
		cases.push({
			name: `two harts count with amoadd.${w}`,
			code: `j 2f\n1: li t3, data\nli t4, 1\nli t5, 3000\n4: amoadd.${w} zero, t4, (t3)\naddi t5, t5, -1\nbnez t5, 4b\nret
				2: sd zero, data-data(s0)\nla t0, mailbox\nla t1, 1b\nfence\nsd t1, (t0)
				li a1, 1\nli a2, 3000\n5: amoadd.${w} zero, a1, (s0)\naddi a2, a2, -1\nbnez a2, 5b
				6: ld t1, (t0)\nbnez t1, 6b\nl${w} a3, (s0)`,
			registers: [0n, 0n, 0n, 0n, 0n, 0n, 0n, layout.data],
		});
		cases.push({
			name: `two harts count with lr.${w} and sc.${w}`,
			code: `j 2f\n1: li t3, data\nli t5, 2000\n4: lr.${w}.aq t4, (t3)\naddi t4, t4, 1\nsc.${w}.rl t6, t4, (t3)\nbnez t6, 4b\naddi t5, t5, -1\nbnez t5, 4b\nret
				2: sd zero, (s0)\nla t0, mailbox\nla t1, 1b\nfence\nsd t1, (t0)
				li a2, 2000\n5: lr.${w}.aq a1, (s0)\naddi a1, a1, 1\nsc.${w}.rl a4, a1, (s0)\nbnez a4, 5b\naddi a2, a2, -1\nbnez a2, 5b
				6: ld t1, (t0)\nbnez t1, 6b\nl${w} a3, (s0)\nli a1, 0\nli t1, 0`,
			registers: [0n, 0n, 0n, 0n, 0n, 0n, 0n, layout.data],
		});
	}
	cases.push({
		name: "code written by another hart runs after fence.i",
		code: `j 2f\n1: la t3, 7f\nli t4, 0x00500513\nsw t4, (t3)\nret\n2: la a1, 7f\n${call("1b")}\nfence.i\n7: li a0, 4`,
	});
	return cases;
}

export function atomicsSuite(seed = 6006): Case[] {
	return [...operations(new Random(seed)), ...faults(), ...reservations];
}
