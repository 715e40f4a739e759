import type { Instruction } from "../../../src/riscv/isa.ts";
import { hasRoundingMode } from "../../../src/riscv/isa.ts";
import { Random } from "../../support/random.ts";
import { type Case, layout } from "../harness.ts";
import { float, integer, registers, rows } from "./values.ts";

const modes = ["rne", "rtz", "rdn", "rup", "rmm"];
const f = (n: number) => `f${n}`;

/** Width of an operand: the first format letter for results, the second for sources of conversions. */
function sourceWidth(row: Instruction): "s" | "d" {
	const parts = row.mnemonic.split(".");
	if (row.mnemonic === "fmv.x.w" || row.mnemonic === "fmv.w.x") return "s";
	return parts.at(-1) === "s" || (parts.at(-1) !== "d" && parts[1] === "s") ? "s" : "d";
}

/**
 * One instruction on fifteen operand tuples: sources f0..f15 and x16..x30, results f16..f30 or x1..x15 (and what an
 * integer result leaves free), flags of each operation as one byte of the data area.
 */
function operations(random: Random, row: Instruction, rounding: string): Pick<Case, "code" | "registers"> {
	const width = sourceWidth(row);
	const values = Array.from({ length: 31 }, () => integer(random));
	const floats: bigint[] = [];
	for (let n = 0; n < 32; n++) floats.push(float(random, width, random.chance(2) ? floats.at(-1) : undefined));
	const lines: string[] = [`li x31, data`];
	for (let n = 0; n < 15; n++) {
		const operands = row.operands
			.replace(/rm0?\?$/, "")
			.split(",")
			.map((token) => {
				if (token === "frd") return f(16 + n);
				if (token === "rd") return `x${1 + n}`;
				return token.startsWith("f") ? f(random.below(16)) : `x${16 + random.below(15)}`;
			});
		lines.push(`${row.mnemonic} ${operands.join(", ")}${rounding ? `, ${rounding}` : ""}`);
		// x30's value is spent as a source only before it becomes the flags' carrier of this operation.
		lines.push("csrrw x30, fflags, zero", `sb x30, ${n}(x31)`);
	}
	return { code: lines.join("\n"), registers: [...values, ...floats] };
}

function arithmetic(random: Random): Case[] {
	const cases: Case[] = [];
	for (const row of rows((r) => r.kind === "float")) {
		if (!hasRoundingMode(row)) {
			for (let n = 0; n < 4; n++) cases.push({ name: `${row.mnemonic} ${n}`, ...operations(random, row, "") });
			continue;
		}
		for (const mode of modes) {
			for (let n = 0; n < 2; n++)
				cases.push({ name: `${row.mnemonic} ${mode} ${n}`, ...operations(random, row, mode) });
		}
		const frm = random.below(5);
		cases.push({
			name: `${row.mnemonic} dynamic ${modes[frm]}`,
			fcsr: BigInt(frm << 5),
			...operations(random, row, "dyn"),
		});
		for (const bad of [5, 6])
			cases.push({ name: `${row.mnemonic} reserved rm ${bad}`, ...operations(random, row, `rm${bad}`) });
		for (const bad of [5, 6, 7]) {
			cases.push({
				name: `${row.mnemonic} reserved frm ${bad}`,
				fcsr: BigInt(bad << 5),
				...operations(random, row, "dyn"),
			});
		}
	}
	return cases;
}

function fileState(): Case[] {
	const off = { floatOff: true };
	const cases: Case[] = [];
	for (const row of rows((r) => r.extension === "F" || r.extension === "D")) {
		const operands = row.operands
			.replace(/rm0?\?$/, "")
			.replace(/store12|imm12/, "8")
			.replace(/\bf(rd|rs[123])\b/g, "fa0")
			.replace(/\(rs1\)/, "(s0)")
			.replace(/\br(d|s[123])\b/g, "a0");
		const code = `${row.mnemonic} ${operands}`;
		const start = { registers: registers(new Random(7)) };
		cases.push({ name: `${row.mnemonic} with FS off`, ...off, ...start, code });
		cases.push({ name: `${row.mnemonic} with FS initial`, ...off, ...start, mstatus: 0x2000n, code });
	}
	for (const csr of ["fflags", "frm", "fcsr"]) {
		cases.push({ name: `read ${csr} with FS off`, ...off, code: `csrr a0, ${csr}` });
		cases.push({ name: `write ${csr} with FS off`, ...off, code: `csrw ${csr}, a0` });
		cases.push({ name: `read ${csr} with FS clean`, ...off, mstatus: 0x4000n, code: `csrr a0, ${csr}` });
		cases.push({ name: `write ${csr} with FS clean`, ...off, mstatus: 0x4000n, code: `csrw ${csr}, a0` });
		cases.push({
			name: `${csr} keeps its bits only`,
			code: `li a0, -1\ncsrrw a1, ${csr}, a0\ncsrr a2, fcsr\ncsrrci a3, ${csr}, 5\ncsrrsi a4, ${csr}, 0\ncsrr a5, frm\ncsrr a6, fflags`,
		});
	}
	return cases;
}

function moves(random: Random): Case[] {
	const cases: Case[] = [];
	for (let n = 0; n < 8; n++) {
		cases.push({
			name: `loads box and stores do not unbox ${n}`,
			registers: registers(random),
			code: `flw f1, ${random.below(200)}(s0)\nfld f2, ${random.below(200)}(s0)\nfsw f3, ${-random.below(250)}(s0)
				fsd f4, ${-random.below(250)}(s0)\nfsw f2, 200(s0)\nfsd f1, 208(s0)\nfmv.x.w a0, f2\nfmv.x.d a1, f1\nfmv.w.x f5, a1
				fmv.d.x f6, a1\nfadd.s f7, f4, f2\nfsgnj.s f8, f4, f2\nfcvt.d.s f9, f4\nfclass.s a2, f4`,
		});
	}
	for (const [name, address] of [
		["a hole", 0x08000000n],
		["a page's end", layout.data + 0xffdn],
	] as const) {
		for (const op of ["flw", "fld", "fsw", "fsd"]) {
			cases.push({
				name: `${op} at ${name}`,
				registers: registers(random),
				code: `li a1, ${address}\n${op} f4, (a1)\nld a3, (a1)`,
			});
		}
	}
	return cases;
}

export function floatSuite(seed = 2002): Case[] {
	const random = new Random(seed);
	return [...arithmetic(random), ...fileState(), ...moves(random)].map((test) => ({ ...test, name: test.name.trim() }));
}
