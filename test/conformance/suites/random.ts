import { compressedInstructions, findCompressed } from "../../../src/riscv/compressed.ts";
import { disassemble } from "../../../src/riscv/disassemble.ts";
import { findInstruction, type Instruction } from "../../../src/riscv/isa.ts";
import { Random } from "../../support/random.ts";
import { type Case, layout, pagedSatp } from "../harness.ts";
import { registers, rows, x } from "./values.ts";

/** Destinations leave s0, the base of the data area, alone. */
const destination = (random: Random) => {
	const n = random.below(31);
	return x(n >= 8 ? n + 1 : n);
};

const plain = rows((r) => ["integer", "multiply", "float", "branch", "load", "store", "atomic"].includes(r.kind));

function operandText(token: string, random: Random): string {
	switch (token) {
		case "rd":
			return destination(random);
		case "rs1":
		case "rs2":
			return x(random.below(32));
		case "frd":
		case "frs1":
		case "frs2":
		case "frs3":
			return `f${random.below(32)}`;
		case "imm20":
			return String(random.below(2 ** 20));
		case "shamt6":
			return String(random.below(64));
		case "shamt5":
			return String(random.below(32));
		default:
			return String(random.below(4096) - 2048);
	}
}

/** One instruction as text; memory operands stay in the data area, branches go forward over one instruction. */
export function statement(row: Instruction, random: Random): string {
	if (row.kind === "atomic") {
		const size = row.mnemonic.endsWith("w") ? 4 : 8;
		// A reservation's fate after other instructions is not QEMU's to say: lr and sc are tried in the atomics suite.
		if (/^(lr|sc)/.test(row.mnemonic)) return `addi a0, a0, ${random.below(100)}`;
		const suffix = random.pick(["", ".aq", ".rl", ".aqrl"]);
		const setup = `addi s1, s0, ${size * (random.below(256 / size) - 128 / size)}`;
		return `${setup}\n${row.mnemonic}${suffix} ${destination(random)}, ${x(random.below(32))}, (s1)`;
	}
	const rounding = random.chance(2) ? "" : `, rm${random.below(random.chance(40) ? 8 : 5)}`;
	const operands = row.operands
		.replace(/(imm12|store12)\(rs1\)/, () => `${random.below(496) - 256}(s0)`)
		.replace(/branch/, "1f")
		.replace(/rm0?\?$/, rounding)
		.replace(/[a-z]+[0-9]*(?![a-z0-9(])/g, (token) =>
			/^(f?r(d|s[123])|imm12|imm20|shamt[56])$/.test(token) ? operandText(token, random) : token,
		);
	if (row.kind !== "branch") return `${row.mnemonic} ${operands}`;
	return `${row.mnemonic} ${operands}\n${statement(random.pick(rows((r) => r.kind === "integer")), random)}\n1:`;
}

/** A random 16-bit instruction that does not jump and stays in the data area, as a .half. */
function compressed(random: Random): string {
	for (;;) {
		const half = random.below(0x10000);
		const row = findCompressed(half);
		if (!row || (half & 3) === 3) continue;
		const word = row.expand(half);
		const instruction = word === undefined ? undefined : findInstruction(word);
		if (word === undefined || !instruction) continue;
		if (["jump", "branch", "system", "load", "store"].includes(instruction.kind)) continue;
		if (((word >>> 7) & 31) === 8) continue;
		return `.half ${half}    # ${disassemble(half, 0n).text}`;
	}
}

function sequence(random: Random, length: number): string {
	return Array.from({ length }, () =>
		random.chance(5) ? compressed(random) : statement(random.pick(plain), random),
	).join("\n");
}

/** Random sequences in machine mode, bare supervisor mode, and user and supervisor mode under Sv39. */
export function randomSuite(seed = 3003): Case[] {
	const random = new Random(seed);
	const places = [
		{ place: "M", mode: 3 as const },
		{ place: "S", mode: 1 as const },
		{ place: "S paged", mode: 1 as const, satp: pagedSatp },
		{ place: "U", mode: 0 as const },
		{ place: "U paged", mode: 0 as const, satp: pagedSatp },
	];
	return Array.from({ length: 900 }, (_, n) => {
		const { place, ...how } = places[n % places.length]!;
		const base = place === "U paged" ? layout.data - layout.ram + layout.userRam : layout.data;
		return {
			name: `sequence ${n} in ${place}`,
			...how,
			fcsr: BigInt(random.below(5) << 5),
			registers: registers(random, base),
			code: sequence(random, 6 + random.below(24)),
		};
	});
}

/** Each 16-bit instruction with random operands, and reserved ones. */
export function compressedSuite(seed = 4004): Case[] {
	const random = new Random(seed);
	const cases: Case[] = [];
	// x8..x15 and sp point into the data area, low enough for every offset.
	const bases = () => {
		const values = registers(random);
		for (let n = 8; n < 16; n++)
			values[n - 1] = layout.data + BigInt(random.below(256) & (random.chance(4) ? 255 : ~7));
		values[1] = layout.data + BigInt(random.below(4) * 8);
		return values;
	};
	for (const row of compressedInstructions) {
		if (/^c\.(j|jr|jalr|beqz|bnez|ebreak)$/.test(row.mnemonic)) continue;
		for (let n = 0; n < 10; n++) {
			const half = (random.below(0x10000) & ~row.mask & 0xffff) | row.match;
			const shown = disassemble(half, 0n).text;
			cases.push({ name: `${row.mnemonic} ${n}: ${shown}`, registers: bases(), code: `.half ${half}` });
		}
	}
	const jump = (name: string, code: string) => cases.push({ name, registers: bases(), code });
	jump("c.j forward", ".half 0xa011\nli a0, 1\n.half 1\nli a1, 1");
	jump("c.beqz taken", "li a5, 0\n.half 0xc391\n.half 0x4505\nli a1, 1");
	jump("c.beqz not taken", "li a5, 1\n.half 0xc391\n.half 0x4505\nli a1, 1");
	jump("c.bnez taken", "li a5, 1\n.half 0xe391\n.half 0x4505\nli a1, 1");
	jump("c.bnez not taken", "li a5, 0\n.half 0xe391\n.half 0x4505\nli a1, 1");
	jump("c.jr", "la a5, 1f\n.half 0x8782\nli a0, 1\n1: li a1, 1");
	jump("c.jalr", "la a5, 1f\n.half 0x9782\nli a0, 1\n1: li a1, 1");
	jump("c.jalr ra", "la ra, 1f\n.half 0x9082\nli a0, 1\n1: li a1, 1");
	jump("c.ebreak", ".half 0x9002");
	jump("32-bit instruction at a halfword", ".half 1\nli a0, 0x12345678\nli a1, 5");
	for (let n = 0; n < 150; n++) {
		jump(`random halves ${n}`, Array.from({ length: 12 }, () => compressed(random)).join("\n"));
	}
	let reserved = 0;
	while (reserved < 120) {
		const half = random.below(0x10000) & random.pick([0xffff, 0xe003, 0xffff, 0xef83]);
		const row = findCompressed(half);
		if ((half & 3) === 3 || (row && row.expand(half) !== undefined)) continue;
		cases.push({ name: `reserved half ${reserved++}: 0x${half.toString(16)}`, code: `.half ${half}, 1` });
	}
	return cases;
}

/** Words near an instruction's encoding, and random ones, that are no instruction. */
export function reservedSuite(seed = 5005): Case[] {
	const random = new Random(seed);
	const cases: Case[] = [];
	const seen = new Set<number>();
	const tryWord = (word: number) => {
		if ((word & 3) !== 3 || findInstruction(word) || seen.has(word)) return;
		seen.add(word);
		const mode = random.pick([3, 1, 0] as const);
		cases.push({ name: `reserved word 0x${word.toString(16)} in mode ${mode}`, mode, code: `.word ${word}` });
	};
	for (const row of rows(() => true)) {
		for (let n = 0; n < 3; n++) {
			const bit = 1 << random.below(32);
			if (row.mask & bit) tryWord((((Number(random.u64() & 0xffffffffn) & ~row.mask) | row.match) ^ bit) >>> 0);
		}
	}
	while (cases.length < 300) tryWord((Number(random.u64() & 0xffffffffn) | 3) >>> 0);
	return cases;
}
