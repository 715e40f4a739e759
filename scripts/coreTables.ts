/**
 * What the machine's core knows of the instruction set, from the one table (src/riscv/isa.ts): the numbers of its operations and its decoder.
 *   npx esbuild scripts/coreTables.ts --bundle --platform=node --format=esm --outfile=dist/coreTables.mjs && node dist/coreTables.mjs
 * A test holds the files to the table.
 */
import { writeFileSync } from "node:fs";
import { hasRoundingMode, type Instruction, instructions, operationName } from "../src/riscv/isa.ts";

const head = "// Made by scripts/coreTables.ts from src/riscv/isa.ts; do not edit.\n";
/** Numbers below are the core's own forms of records (opcodes.ts). */
const first = 8;

/** Rows of the float operations by what they do, the two widths of each side by side: the core compares numbers at these borders. */
const families = ["fmadd fmsub fnmsub fnmadd", "fadd fsub fmul fdiv fsqrt", "fsgnj fsgnjn fsgnjx", "fmin fmax"].concat([
	"fle flt feq",
	"fclass",
	"fcvt",
	"fmv",
]);

/** Where a row stands among all: integer ones, atomics with their two widths side by side, f loads, f stores, float operations. */
function rank(row: Instruction): number {
	const [stem = ""] = row.mnemonic.split(".");
	const isFloat = row.extension === "F" || row.extension === "D";
	if (row.kind === "atomic") return 1 + atomics.indexOf(stem);
	if (isFloat && row.kind === "load") return 100;
	if (isFloat && row.kind === "store") return 101;
	if (row.kind === "float") return 102 + families.findIndex((names) => names.split(" ").includes(stem));
	return 0;
}

const stems = (kind: string) =>
	instructions.filter((row) => row.kind === kind).map((row) => row.mnemonic.split(".")[0]);
const atomics = [...new Set(stems("atomic"))];

/** The names of all operations in the order of their numbers; undefined where one is left out. */
function numbered(): (string | undefined)[] {
	const sorted = instructions.map((row, at) => ({ row, at })).sort((a, b) => rank(a.row) - rank(b.row) || a.at - b.at);
	const names: (string | undefined)[] = [];
	for (const { row } of sorted) {
		const name = operationName(row);
		if (names.includes(name)) continue;
		// The lowest bit tells an atomic's width.
		if (row.kind === "atomic" && row.mnemonic.endsWith(".w") && (first + names.length) % 2 !== 0) names.push(undefined);
		names.push(name);
	}
	return names;
}

/** src/machine/core/operations.ts */
export function operationsFile(): string {
	const lines = numbered().flatMap((name, at) => (name ? [`export const ${name} = ${first + at};`] : []));
	return `${head}// Numbers of operations, one for each instruction; those of Zicsr have one number. An atomic's doubleword form is its word form + 1.\n\n${lines.join("\n")}\n`;
}

const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;

/** What of a word a record keeps, by the operands that assembly names. */
function layoutOf(row: Instruction): string[] {
	const operands = row.operands.replace(/rm0?\?$/, "").split(/[,()]/);
	const has = (...names: string[]) => names.some((name) => operands.includes(name));
	const parts = [
		has("rd") && "RD_X",
		has("frd") && "RD_F",
		has("rs1", "zimm") && "RS1_X",
		has("frs1") && "RS1_F",
		has("rs2") && "RS2_X",
		has("frs2") && "RS2_F",
		has("frs3") && "IMMEDIATE_RS3",
		has("imm12") && "IMMEDIATE_I",
		has("store12") && "IMMEDIATE_S",
		has("branch") && "IMMEDIATE_B",
		has("imm20") && "IMMEDIATE_U",
		has("jump") && "IMMEDIATE_J",
		has("shamt6") && "IMMEDIATE_SHIFT",
		has("shamt5") && "IMMEDIATE_SHIFT_WORD",
		has("csr") && "IMMEDIATE_WORD",
		(row.kind === "integer" || row.kind === "multiply") && "COMPUTES",
		hasRoundingMode(row) && "ROUNDS",
	];
	return parts.filter((part) => part !== false);
}

function groupBy<T, K>(list: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
	const groups = new Map<K, T[]>();
	for (const one of list) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
	return groups;
}

const meaning = (row: Instruction) => ["op." + operationName(row), ...layoutOf(row)].join(" | ");

/** The rows of one major opcode: a switch for each of their masks. */
function opcodeCases(rows: readonly Instruction[]): string[] {
	return [...groupBy(rows, (row) => row.mask)].flatMap(([mask, group]) => {
		const [only] = group;
		if (mask === 0x7f && only) return [`return ${meaning(only)};`];
		const cases = groupBy(group, meaning);
		return [
			`switch (i & ${hex(mask)}) {`,
			...[...cases].map(
				([what, same]) => `\t${same.map((row) => `case ${hex(row.match)}:`).join(" ")} return ${what};`,
			),
			"}",
		];
	});
}

/** src/machine/core/isaDecoder.ts */
export function decoderFile(): string {
	const opcodes = [...groupBy(instructions, (row) => row.match & 0x7f)].sort(([a], [b]) => a - b);
	const cases = opcodes.flatMap(([opcode, rows]) => {
		const lines = opcodeCases(rows);
		const falls = lines.at(-1) === "}";
		return [`\t\tcase ${hex(opcode)}:`, ...lines.map((line) => `\t\t\t${line}`), ...(falls ? ["\t\t\tbreak;"] : [])];
	});
	return `${head}
import * as op from "./operations";
import {
	COMPUTES, IMMEDIATE_B, IMMEDIATE_I, IMMEDIATE_J, IMMEDIATE_RS3, IMMEDIATE_S, IMMEDIATE_SHIFT, IMMEDIATE_SHIFT_WORD, IMMEDIATE_U, IMMEDIATE_WORD,
	RD_F, RD_X, ROUNDS, RS1_F, RS1_X, RS2_F, RS2_X,
} from "./recordLayout";

/** The operation of a 32-bit word, and what its record keeps of the word (recordLayout.ts); 0: a reserved encoding. */
export function operationOf(i: u32): u32 {
	switch (i & 0x7f) {
${cases.join("\n")}
	}
	return 0;
}
`;
}

export const files = {
	"src/machine/core/operations.ts": operationsFile,
	"src/machine/core/isaDecoder.ts": decoderFile,
} as const;

if (process.argv[1]?.includes("coreTables"))
	for (const [path, text] of Object.entries(files)) writeFileSync(path, text());
