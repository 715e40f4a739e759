import { aliases } from "./aliases.ts";
import { expandCompressed } from "./compressed.ts";
import { csrName } from "./csr.ts";
import { type FieldName, fields } from "./fields.ts";
import { findInstruction, instructionLength } from "./isa.ts";
import { floatRegisters, integerRegisters } from "./registers.ts";

interface Disassembly {
	/** Bytes. */
	readonly length: 2 | 4;
	readonly mnemonic: string;
	readonly operands: string;
	/** Mnemonic and operands, parted by a space. */
	readonly text: string;
	/** Where a direct jump or branch goes. */
	readonly target: bigint | undefined;
	/** False for a reserved encoding, shown as `.short` or `.word`. */
	readonly legal: boolean;
}

interface DisassembleOptions {
	/** Name of a code address, as `main+0x8`. */
	readonly symbolize?: (address: bigint) => string | undefined;
	/** Pseudo-instructions as assembler programmers write them (`ret`, `li`, `beqz`); default true. */
	readonly aliases?: boolean;
}

export const roundingModes: readonly string[] = ["rne", "rtz", "rdn", "rup", "rmm", "unknown", "unknown", "dyn"];
export const orderingSuffixes: readonly string[] = ["", ".rl", ".aq", ".aqrl"];

/** Splits an operand format into names and literal characters. */
export const operandTokens = /rm0?\?|[a-z]+[0-9]*|[(),]/g;

const unsignedImmediates = new Set<string>(["imm20", "shamt5", "shamt6"]);

function ordering(set: number): string {
	return "iorw".replace(/./g, (letter, index: number) => (set & (8 >> index) ? letter : "")) || "unknown";
}

function operandText(token: string, word: number, target: string): string {
	switch (token) {
		case "rd":
		case "rs1":
		case "rs2":
			return integerRegisters[fields[token].get(word)] as string;
		case "frd":
		case "frs1":
		case "frs2":
		case "frs3":
			return floatRegisters[fields[token.slice(1) as "rd" | "rs1" | "rs2" | "rs3"].get(word)] as string;
		case "rm?":
		case "rm0?": {
			const mode = fields.rm.get(word);
			return mode === (token === "rm?" ? 7 : 0) ? "" : "," + roundingModes[mode];
		}
		case "csr":
			return csrName(fields.csr.get(word));
		case "pred":
		case "succ":
			return ordering(fields[token].get(word));
		case "branch":
		case "jump":
			return target;
		default: {
			const field = fields[token as FieldName];
			if (!field) return token;
			const value = field.get(word);
			return unsignedImmediates.has(token) ? "0x" + value.toString(16) : String(value);
		}
	}
}

function illegal(bits: number, length: 2 | 4): Disassembly {
	const mnemonic = length === 2 ? ".short" : ".word";
	const operands = "0x" + bits.toString(16).padStart(length * 2, "0");
	return { length, mnemonic, operands, text: `${mnemonic} ${operands}`, target: undefined, legal: false };
}

/**
 * The instruction that starts `word` (its low half for a 16-bit one, which is shown as the instruction it stands for).
 * `pc` is where it lies, for the targets of jumps.
 */
export function disassemble(word: number, pc: bigint, options: DisassembleOptions = {}): Disassembly {
	const length = instructionLength(word);
	const half = word & 0xffff;
	const expanded = length === 2 ? expandCompressed(half) : word >>> 0;
	const instruction = expanded === undefined ? undefined : findInstruction(expanded);
	if (expanded === undefined || !instruction) {
		if (length === 2 && half === 0) return { ...illegal(0, 2), mnemonic: "unimp", operands: "", text: "unimp" };
		return length === 2 ? illegal(half, 2) : illegal(word >>> 0, 4);
	}
	let { mnemonic, operands: format } = instruction;
	if (instruction.kind === "atomic") mnemonic += orderingSuffixes[fields.aqrl.get(expanded)];
	if (options.aliases !== false) {
		const alias = aliases.find((candidate) => candidate.of === instruction.mnemonic && candidate.when(expanded));
		if (alias) ({ mnemonic, operands: format } = alias);
	}
	let target: bigint | undefined;
	if (format.endsWith("branch")) target = BigInt.asUintN(64, pc + BigInt(fields.branch.get(expanded)));
	else if (format.endsWith("jump")) target = BigInt.asUintN(64, pc + BigInt(fields.jump.get(expanded)));
	const symbol = target === undefined ? undefined : options.symbolize?.(target);
	const targetText = `0x${target?.toString(16)}${symbol ? ` <${symbol}>` : ""}`;
	const operands = format.replace(operandTokens, (token) => operandText(token, expanded, targetText));
	return { length, mnemonic, operands, text: operands ? `${mnemonic} ${operands}` : mnemonic, target, legal: true };
}
