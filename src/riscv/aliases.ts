import { type FieldName, fields } from "./fields.ts";

/** A pseudo-instruction: unprivileged ISA, tables 25.2 and 25.3, in the choice that GNU objdump makes. */
interface Alias {
	readonly mnemonic: string;
	/** Mnemonic of the instruction it abbreviates. */
	readonly of: string;
	/** Operand format, as in the instruction table. */
	readonly operands: string;
	/** Field values that the abbreviation implies. */
	readonly implied: Readonly<Partial<Record<FieldName, number>>>;
	/** Does this word have those values? */
	when(word: number): boolean;
}

const list: Alias[] = [];

function alias(
	mnemonic: string,
	operands: string,
	of: string,
	implied: Partial<Record<FieldName, number>>,
	same?: [FieldName, FieldName],
): void {
	const when = (word: number) =>
		Object.entries(implied).every(([name, value]) => fields[name as FieldName].get(word) === value) &&
		(!same || fields[same[0]].get(word) === fields[same[1]].get(word));
	list.push({ mnemonic, operands, of, implied, when });
}

alias("nop", "", "addi", { rd: 0, rs1: 0, imm12: 0 });
alias("li", "rd,imm12", "addi", { rs1: 0 });
alias("mv", "rd,rs1", "addi", { imm12: 0 });
// c.mv expands to this
alias("mv", "rd,rs2", "add", { rs1: 0 });
alias("sext.w", "rd,rs1", "addiw", { imm12: 0 });
alias("zext.b", "rd,rs1", "andi", { imm12: 255 });
alias("not", "rd,rs1", "xori", { imm12: -1 });
alias("neg", "rd,rs2", "sub", { rs1: 0 });
alias("negw", "rd,rs2", "subw", { rs1: 0 });
alias("seqz", "rd,rs1", "sltiu", { imm12: 1 });
alias("snez", "rd,rs2", "sltu", { rs1: 0 });
alias("sltz", "rd,rs1", "slt", { rs2: 0 });
alias("sgtz", "rd,rs2", "slt", { rs1: 0 });
alias("beqz", "rs1,branch", "beq", { rs2: 0 });
alias("bnez", "rs1,branch", "bne", { rs2: 0 });
alias("blez", "rs2,branch", "bge", { rs1: 0 });
alias("bgez", "rs1,branch", "bge", { rs2: 0 });
alias("bltz", "rs1,branch", "blt", { rs2: 0 });
alias("bgtz", "rs2,branch", "blt", { rs1: 0 });
alias("j", "jump", "jal", { rd: 0 });
alias("jal", "jump", "jal", { rd: 1 });
alias("ret", "", "jalr", { rd: 0, rs1: 1, imm12: 0 });
alias("jr", "rs1", "jalr", { rd: 0, imm12: 0 });
alias("jr", "imm12(rs1)", "jalr", { rd: 0 });
alias("jalr", "rs1", "jalr", { rd: 1, imm12: 0 });
alias("jalr", "imm12(rs1)", "jalr", { rd: 1 });
alias("jalr", "rd,rs1", "jalr", { imm12: 0 });
alias("fence", "", "fence", { pred: 15, succ: 15 });
alias("unimp", "", "csrrw", { rd: 0, csr: 0xc00, rs1: 0 });
for (const [name, csr] of [
	["rdcycle", 0xc00],
	["rdtime", 0xc01],
	["rdinstret", 0xc02],
	["frflags", 0x001],
	["frrm", 0x002],
	["frcsr", 0x003],
] as const) {
	alias(name, "rd", "csrrs", { csr, rs1: 0 });
}
for (const [name, csr] of [
	["flags", 0x001],
	["rm", 0x002],
	["csr", 0x003],
] as const) {
	alias(`fs${name}`, "rs1", "csrrw", { csr, rd: 0 });
	alias(`fs${name}`, "rd,rs1", "csrrw", { csr });
	if (csr === 3) continue;
	alias(`fs${name}i`, "zimm", "csrrwi", { csr, rd: 0 });
	alias(`fs${name}i`, "rd,zimm", "csrrwi", { csr });
}
alias("csrr", "rd,csr", "csrrs", { rs1: 0 });
alias("csrw", "csr,rs1", "csrrw", { rd: 0 });
alias("csrs", "csr,rs1", "csrrs", { rd: 0 });
alias("csrc", "csr,rs1", "csrrc", { rd: 0 });
alias("csrwi", "csr,zimm", "csrrwi", { rd: 0 });
alias("csrsi", "csr,zimm", "csrrsi", { rd: 0 });
alias("csrci", "csr,zimm", "csrrci", { rd: 0 });
alias("sfence.vma", "", "sfence.vma", { rs1: 0, rs2: 0 });
alias("sfence.vma", "rs1", "sfence.vma", { rs2: 0 });
for (const width of ["s", "d"]) {
	alias(`fmv.${width}`, "frd,frs1", `fsgnj.${width}`, {}, ["rs1", "rs2"]);
	alias(`fneg.${width}`, "frd,frs1", `fsgnjn.${width}`, {}, ["rs1", "rs2"]);
	alias(`fabs.${width}`, "frd,frs1", `fsgnjx.${width}`, {}, ["rs1", "rs2"]);
}

/** For each instruction the first alias that fits is the one shown. */
export const aliases: readonly Alias[] = list;
