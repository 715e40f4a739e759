import { type FieldName, fields } from "./fields.ts";
import { instructionNamed } from "./isa.ts";
import { sp } from "./registers.ts";

/** The C extension: unprivileged ISA, chapter 16 (RV64). Each 16-bit instruction is one 32-bit instruction in short. */
interface Compressed {
	readonly mnemonic: string;
	readonly mask: number;
	readonly match: number;
	/** The 32-bit word it stands for; undefined for the reserved values of its operands. */
	expand(half: number): number | undefined;
}

type Operands = Partial<Record<FieldName, number>>;

function build(mnemonic: string, operands: Operands): number {
	let word = instructionNamed(mnemonic)!.match;
	for (const [name, value] of Object.entries(operands)) word |= fields[name as FieldName].put(value);
	return word >>> 0;
}

const at = (half: number, high: number, low: number) => (half >>> low) & (2 ** (high - low + 1) - 1);
const signed = (value: number, width: number) => (value << (32 - width)) >> (32 - width);
/** Registers x8..x15 in three bits. */
const rdShort = (half: number) => 8 + at(half, 4, 2);
const rs1Short = (half: number) => 8 + at(half, 9, 7);
const rdFull = (half: number) => at(half, 11, 7);
const rs2Full = (half: number) => at(half, 6, 2);
const immediate6 = (half: number) => signed((at(half, 12, 12) << 5) | at(half, 6, 2), 6);
const shift6 = (half: number) => (at(half, 12, 12) << 5) | at(half, 6, 2);
const offsetWord = (half: number) => (at(half, 5, 5) << 6) | (at(half, 12, 10) << 3) | (at(half, 6, 6) << 2);
const offsetDouble = (half: number) => (at(half, 6, 5) << 6) | (at(half, 12, 10) << 3);
const loadWordSp = (half: number) => (at(half, 3, 2) << 6) | (at(half, 12, 12) << 5) | (at(half, 6, 4) << 2);
const loadDoubleSp = (half: number) => (at(half, 4, 2) << 6) | (at(half, 12, 12) << 5) | (at(half, 6, 5) << 3);
const storeWordSp = (half: number) => (at(half, 8, 7) << 6) | (at(half, 12, 9) << 2);
const storeDoubleSp = (half: number) => (at(half, 9, 7) << 6) | (at(half, 12, 10) << 3);
const jumpOffset = (half: number) =>
	signed(
		(at(half, 12, 12) << 11) |
			(at(half, 8, 8) << 10) |
			(at(half, 10, 9) << 8) |
			(at(half, 6, 6) << 7) |
			(at(half, 7, 7) << 6) |
			(at(half, 2, 2) << 5) |
			(at(half, 11, 11) << 4) |
			(at(half, 5, 3) << 1),
		12,
	);
const branchOffset = (half: number) =>
	signed(
		(at(half, 12, 12) << 8) |
			(at(half, 6, 5) << 6) |
			(at(half, 2, 2) << 5) |
			(at(half, 11, 10) << 3) |
			(at(half, 4, 3) << 1),
		9,
	);
const stackAdjust = (half: number) =>
	signed(
		(at(half, 12, 12) << 9) |
			(at(half, 4, 3) << 7) |
			(at(half, 5, 5) << 6) |
			(at(half, 2, 2) << 5) |
			(at(half, 6, 6) << 4),
		10,
	);
const stackOffset = (half: number) =>
	(at(half, 10, 7) << 6) | (at(half, 12, 11) << 4) | (at(half, 5, 5) << 3) | (at(half, 6, 6) << 2);

const load = (name: string, offset: (half: number) => number) => (half: number) =>
	build(name, { rd: rdShort(half), rs1: rs1Short(half), imm12: offset(half) });
const store = (name: string, offset: (half: number) => number) => (half: number) =>
	build(name, { rs2: rdShort(half), rs1: rs1Short(half), store12: offset(half) });
const loadSp = (name: string, offset: (half: number) => number, allowZero: boolean) => (half: number) =>
	rdFull(half) === 0 && !allowZero ? undefined : build(name, { rd: rdFull(half), rs1: sp, imm12: offset(half) });
const storeSp = (name: string, offset: (half: number) => number) => (half: number) =>
	build(name, { rs2: rs2Full(half), rs1: sp, store12: offset(half) });
const arithmetic = (name: string) => (half: number) =>
	build(name, { rd: rs1Short(half), rs1: rs1Short(half), rs2: rdShort(half) });
const shiftShort = (name: string) => (half: number) =>
	build(name, { rd: rs1Short(half), rs1: rs1Short(half), shamt6: shift6(half) });

function rowOf(
	mnemonic: string,
	mask: number,
	match: number,
	expand: (half: number) => number | undefined,
): Compressed {
	return { mnemonic, mask, match, expand };
}

/** Tables 16.5 to 16.7; of several matching rows the first is meant. */
export const compressedInstructions: readonly Compressed[] = [
	rowOf("c.addi4spn", 0xe003, 0x0000, (h) => {
		const imm12 = stackOffset(h);
		return imm12 === 0 ? undefined : build("addi", { rd: rdShort(h), rs1: sp, imm12 });
	}),
	rowOf("c.fld", 0xe003, 0x2000, load("fld", offsetDouble)),
	rowOf("c.lw", 0xe003, 0x4000, load("lw", offsetWord)),
	rowOf("c.ld", 0xe003, 0x6000, load("ld", offsetDouble)),
	rowOf("c.fsd", 0xe003, 0xa000, store("fsd", offsetDouble)),
	rowOf("c.sw", 0xe003, 0xc000, store("sw", offsetWord)),
	rowOf("c.sd", 0xe003, 0xe000, store("sd", offsetDouble)),

	rowOf("c.nop", 0xef83, 0x0001, (h) => build("addi", { imm12: immediate6(h) })),
	rowOf("c.addi", 0xe003, 0x0001, (h) => build("addi", { rd: rdFull(h), rs1: rdFull(h), imm12: immediate6(h) })),
	rowOf("c.addiw", 0xe003, 0x2001, (h) =>
		rdFull(h) === 0 ? undefined : build("addiw", { rd: rdFull(h), rs1: rdFull(h), imm12: immediate6(h) }),
	),
	rowOf("c.li", 0xe003, 0x4001, (h) => build("addi", { rd: rdFull(h), imm12: immediate6(h) })),
	rowOf("c.addi16sp", 0xef83, 0x6101, (h) => {
		const imm12 = stackAdjust(h);
		return imm12 === 0 ? undefined : build("addi", { rd: sp, rs1: sp, imm12 });
	}),
	rowOf("c.lui", 0xe003, 0x6001, (h) => {
		const imm20 = immediate6(h) & 0xfffff;
		return imm20 === 0 ? undefined : build("lui", { rd: rdFull(h), imm20 });
	}),
	rowOf("c.srli", 0xec03, 0x8001, shiftShort("srli")),
	rowOf("c.srai", 0xec03, 0x8401, shiftShort("srai")),
	rowOf("c.andi", 0xec03, 0x8801, (h) => build("andi", { rd: rs1Short(h), rs1: rs1Short(h), imm12: immediate6(h) })),
	rowOf("c.sub", 0xfc63, 0x8c01, arithmetic("sub")),
	rowOf("c.xor", 0xfc63, 0x8c21, arithmetic("xor")),
	rowOf("c.or", 0xfc63, 0x8c41, arithmetic("or")),
	rowOf("c.and", 0xfc63, 0x8c61, arithmetic("and")),
	rowOf("c.subw", 0xfc63, 0x9c01, arithmetic("subw")),
	rowOf("c.addw", 0xfc63, 0x9c21, arithmetic("addw")),
	rowOf("c.j", 0xe003, 0xa001, (h) => build("jal", { jump: jumpOffset(h) })),
	rowOf("c.beqz", 0xe003, 0xc001, (h) => build("beq", { rs1: rs1Short(h), branch: branchOffset(h) })),
	rowOf("c.bnez", 0xe003, 0xe001, (h) => build("bne", { rs1: rs1Short(h), branch: branchOffset(h) })),

	rowOf("c.slli", 0xe003, 0x0002, (h) => build("slli", { rd: rdFull(h), rs1: rdFull(h), shamt6: shift6(h) })),
	rowOf("c.fldsp", 0xe003, 0x2002, loadSp("fld", loadDoubleSp, true)),
	rowOf("c.lwsp", 0xe003, 0x4002, loadSp("lw", loadWordSp, false)),
	rowOf("c.ldsp", 0xe003, 0x6002, loadSp("ld", loadDoubleSp, false)),
	rowOf("c.jr", 0xf07f, 0x8002, (h) => (rdFull(h) === 0 ? undefined : build("jalr", { rs1: rdFull(h) }))),
	rowOf("c.mv", 0xf003, 0x8002, (h) => build("add", { rd: rdFull(h), rs2: rs2Full(h) })),
	rowOf("c.ebreak", 0xffff, 0x9002, () => build("ebreak", {})),
	rowOf("c.jalr", 0xf07f, 0x9002, (h) => build("jalr", { rd: 1, rs1: rdFull(h) })),
	rowOf("c.add", 0xf003, 0x9002, (h) => build("add", { rd: rdFull(h), rs1: rdFull(h), rs2: rs2Full(h) })),
	rowOf("c.fsdsp", 0xe003, 0xa002, storeSp("fsd", storeDoubleSp)),
	rowOf("c.swsp", 0xe003, 0xc002, storeSp("sw", storeWordSp)),
	rowOf("c.sdsp", 0xe003, 0xe002, storeSp("sd", storeDoubleSp)),
];

export function findCompressed(half: number): Compressed | undefined {
	return compressedInstructions.find(({ mask, match }) => (half & mask) === match);
}

/** The 32-bit word that a 16-bit instruction stands for; undefined for a reserved encoding. */
export function expandCompressed(half: number): number | undefined {
	return findCompressed(half)?.expand(half);
}
