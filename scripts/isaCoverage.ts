/**
 * docs/isa-coverage.md from the instruction and CSR tables.
 *   npx esbuild scripts/isaCoverage.ts --bundle --platform=node --format=esm --outfile=dist/isaCoverage.mjs
 *   node dist/isaCoverage.mjs
 */
import { writeFileSync } from "node:fs";
import { aliases } from "../src/riscv/aliases.ts";
import { exceptions, interrupts } from "../src/riscv/causes.ts";
import { compressedInstructions } from "../src/riscv/compressed.ts";
import { csrs } from "../src/riscv/csr.ts";
import { type Extension, instructions } from "../src/riscv/isa.ts";
import { modeNames } from "../src/riscv/registers.ts";
import { readIndex } from "../test/conformance/recorded.ts";

export const page = "docs/isa-coverage.md";

const titles: Readonly<Record<Extension, string>> = {
	I: "RV64I: base integer instructions",
	M: "M: multiplication and division",
	A: "A: atomic memory operations",
	F: "F: single-precision floating point",
	D: "D: double-precision floating point",
	Zicsr: "Zicsr: control and status registers",
	Zifencei: "Zifencei: instruction-fetch fence",
	privileged: "Privileged instructions",
};

const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, "0")}`;
const table = (head: string[], rows: string[][]) =>
	[head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** Operand formats as a reader writes them. */
const readable = (operands: string) =>
	operands
		.replace(/rm0?\?$/, "[,rm]")
		.replace(/\bf(r(?:d|s[123]))\b/g, "f$1")
		.replace(/imm12|store12/g, "imm")
		.replace(/shamt[56]/g, "shamt")
		.replace(/imm20/g, "imm")
		.replace(/branch|jump/g, "label");

function instructionSection(extension: Extension): string {
	const rows = instructions
		.filter((row) => row.extension === extension)
		.map((row) => [
			`\`${row.mnemonic}\``,
			`\`${readable(row.operands)}\``.replace("``", ""),
			hex(row.mask, 8),
			hex(row.match, 8),
		]);
	return `## ${titles[extension]} (${rows.length})\n\n${table(["instruction", "operands", "mask", "match"], rows)}`;
}

export function coveragePage(): string {
	const recorded = readIndex();
	const suites = Object.entries(recorded.suites);
	const total = suites.reduce((sum, [, { cases }]) => sum + cases, 0);
	const sections = (Object.keys(titles) as Extension[]).map(instructionSection);
	return `<!-- Made by scripts/isaCoverage.ts from src/riscv; do not edit. -->
# What the machine executes

RV64IMAFDC with Zicsr, Zifencei, Zicntr and Sstc; machine, supervisor and user mode; Sv39; 16 PMP entries.
A word that is in no table below raises an illegal-instruction exception.

Behaviour is compared with ${recorded.machine.replace(/,.*/, "")}: ${total} recorded cases (${suites
		.map(([name, { cases }]) => `${name} ${cases}`)
		.join(", ")}).

${sections.join("\n\n")}

## C: 16-bit instructions (${compressedInstructions.length})

Each is one of the instructions above in short, and is shown as that in disassembly.

${table(
	["instruction", "mask", "match"],
	compressedInstructions.map((row) => [`\`${row.mnemonic}\``, hex(row.mask, 4), hex(row.match, 4)]),
)}

## Pseudo-instructions in disassembly

${[...new Set(aliases.map(({ mnemonic }) => `\`${mnemonic}\``))].join(" ")}

## Control and status registers (${csrs.length})

Others raise an illegal-instruction exception.

${table(
	["number", "name", "lowest mode", "", "what it holds"],
	csrs.map((csr) => [
		hex(csr.number, 3),
		`\`${csr.name}\``,
		modeNames[csr.privilege],
		csr.readOnly ? "read only" : "",
		csr.text,
	]),
)}

## Exceptions

${table(
	["code", "name", "what it means"],
	exceptions.map((cause) => [String(cause.code), cause.name, cause.explanation]),
)}

## Interrupts

${table(
	["code", "name", "what it means"],
	interrupts.map((cause) => [String(cause.code), cause.name, cause.explanation]),
)}

## Does not

- No vector (V), bit manipulation (Zba, Zbb, Zbc, Zbs), hypervisor (H), half precision, Sv48 or Sv57, debug triggers.
- Performance counters 3 to 18 exist, as in QEMU, and count nothing.
`;
}

if (process.argv[1]?.includes("isaCoverage")) writeFileSync(page, coveragePage());
