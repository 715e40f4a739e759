/**
 * The instruction set as one table: RV64IMAFD, Zicsr, Zifencei and the privileged instructions of machine and supervisor
 * mode. The core's decoder and operation numbers (scripts/coreTables.ts), the translator's predicates, disassembler, assembler,
 * conformance generator and coverage page are driven by it; a word that matches no row is an illegal instruction. The 16-bit encodings are in compressed.ts, as expansions to rows of this table.
 */

export type Extension = "I" | "M" | "A" | "F" | "D" | "Zicsr" | "Zifencei" | "privileged";

export type Kind =
	| "integer"
	| "multiply"
	| "load"
	| "store"
	| "branch"
	| "jump"
	| "atomic"
	| "float"
	| "csr"
	| "fence"
	| "system";

export interface Instruction {
	readonly mnemonic: string;
	/** The word is this instruction when (word & mask) == match. */
	readonly mask: number;
	readonly match: number;
	/**
	 * Assembly operands. Names are fields (fields.ts) or views of one: `frd`, `frs1`... are the same fields naming float
	 * registers; `rm?` is a rounding mode left out when dynamic, `rm0?` left out when it is RNE; all else is literal text.
	 */
	readonly operands: string;
	readonly extension: Extension;
	readonly kind: Kind;
}

const table: Instruction[] = [];

/** f3 and f7 are funct3 and funct7; undefined leaves the field to operands. */
function row(
	extension: Extension,
	kind: Kind,
	mnemonic: string,
	operands: string,
	opcode: number,
	f3?: number,
	f7?: number,
	extraMask = 0,
	extraMatch = 0,
): void {
	let mask = 0x7f | extraMask;
	let match = opcode | extraMatch;
	if (f3 !== undefined) {
		mask |= 0x7000;
		match |= f3 << 12;
	}
	if (f7 !== undefined) {
		mask |= 0xfe000000;
		match |= f7 << 25;
	}
	table.push({ mnemonic, mask: mask >>> 0, match: match >>> 0, operands, extension, kind });
}

/** Consecutive funct3 values from 0; an empty name is a gap. */
function group(extension: Extension, kind: Kind, names: string, operands: string, opcode: number, f7?: number): void {
	names.split(" ").forEach((name, f3) => {
		if (name !== "-") row(extension, kind, name, operands, opcode, f3, f7);
	});
}

const rs2Mask = 0x1f << 20;

// RV64I: unprivileged ISA 20191213, chapters 2 and 5
row("I", "integer", "lui", "rd,imm20", 0x37);
row("I", "integer", "auipc", "rd,imm20", 0x17);
row("I", "jump", "jal", "rd,jump", 0x6f);
row("I", "jump", "jalr", "rd,imm12(rs1)", 0x67, 0);
group("I", "branch", "beq bne - - blt bge bltu bgeu", "rs1,rs2,branch", 0x63);
group("I", "load", "lb lh lw ld lbu lhu lwu", "rd,imm12(rs1)", 0x03);
group("I", "store", "sb sh sw sd", "rs2,store12(rs1)", 0x23);
group("I", "integer", "addi - slti sltiu xori - ori andi", "rd,rs1,imm12", 0x13);
row("I", "integer", "slli", "rd,rs1,shamt6", 0x13, 1, undefined, 0xfc000000, 0);
row("I", "integer", "srli", "rd,rs1,shamt6", 0x13, 5, undefined, 0xfc000000, 0);
row("I", "integer", "srai", "rd,rs1,shamt6", 0x13, 5, undefined, 0xfc000000, 0x40000000);
group("I", "integer", "add sll slt sltu xor srl or and", "rd,rs1,rs2", 0x33, 0);
group("I", "integer", "sub - - - - sra", "rd,rs1,rs2", 0x33, 0x20);
row("I", "integer", "addiw", "rd,rs1,imm12", 0x1b, 0);
row("I", "integer", "slliw", "rd,rs1,shamt5", 0x1b, 1, 0);
row("I", "integer", "srliw", "rd,rs1,shamt5", 0x1b, 5, 0);
row("I", "integer", "sraiw", "rd,rs1,shamt5", 0x1b, 5, 0x20);
group("I", "integer", "addw sllw - - - srlw", "rd,rs1,rs2", 0x3b, 0);
group("I", "integer", "subw - - - - sraw", "rd,rs1,rs2", 0x3b, 0x20);
row("I", "fence", "fence", "pred,succ", 0x0f, 0);
row("I", "system", "ecall", "", 0x73, 0, 0, 0xffffff80, 0);
row("I", "system", "ebreak", "", 0x73, 0, 0, 0xffffff80, 1 << 20);
// chapter 3
row("Zifencei", "fence", "fence.i", "", 0x0f, 1);
// chapter 9
group("Zicsr", "csr", "- csrrw csrrs csrrc", "rd,csr,rs1", 0x73);
group("Zicsr", "csr", "- - - - - csrrwi csrrsi csrrci", "rd,csr,zimm", 0x73);
// chapter 7
group("M", "multiply", "mul mulh mulhsu mulhu div divu rem remu", "rd,rs1,rs2", 0x33, 1);
group("M", "multiply", "mulw - - - divw divuw remw remuw", "rd,rs1,rs2", 0x3b, 1);
// chapter 8; bits 26..25 are aq and rl
for (const [width, f3] of [
	["w", 2],
	["d", 3],
] as const) {
	const atomic = (name: string, operands: string, funct5: number, extraMask = 0) =>
		row("A", "atomic", `${name}.${width}`, operands, 0x2f, f3, undefined, 0xf8000000 | extraMask, funct5 << 27);
	atomic("lr", "rd,(rs1)", 0x02, rs2Mask);
	atomic("sc", "rd,rs2,(rs1)", 0x03);
	atomic("amoswap", "rd,rs2,(rs1)", 0x01);
	atomic("amoadd", "rd,rs2,(rs1)", 0x00);
	atomic("amoxor", "rd,rs2,(rs1)", 0x04);
	atomic("amoand", "rd,rs2,(rs1)", 0x0c);
	atomic("amoor", "rd,rs2,(rs1)", 0x08);
	atomic("amomin", "rd,rs2,(rs1)", 0x10);
	atomic("amomax", "rd,rs2,(rs1)", 0x14);
	atomic("amominu", "rd,rs2,(rs1)", 0x18);
	atomic("amomaxu", "rd,rs2,(rs1)", 0x1c);
}
// chapters 11 and 12; the two widths differ in the lowest bit of funct7
for (const [extension, width, fmt, f3] of [
	["F", "s", 0, 2],
	["D", "d", 1, 3],
] as const) {
	const bitsName = fmt === 0 ? "w" : "d";
	const float = (name: string, operands: string, f7: number, funct3?: number, rs2?: number) =>
		row(extension, "float", name, operands, 0x53, funct3, f7 | fmt, rs2 === undefined ? 0 : rs2Mask, (rs2 ?? 0) << 20);
	row(extension, "load", `fl${bitsName}`, "frd,imm12(rs1)", 0x07, f3);
	row(extension, "store", `fs${bitsName}`, "frs2,store12(rs1)", 0x27, f3);
	["fmadd", "fmsub", "fnmsub", "fnmadd"].forEach((name, index) => {
		const opcode = 0x43 + 4 * index;
		row(
			extension,
			"float",
			`${name}.${width}`,
			"frd,frs1,frs2,frs3rm?",
			opcode,
			undefined,
			undefined,
			3 << 25,
			fmt << 25,
		);
	});
	float(`fadd.${width}`, "frd,frs1,frs2rm?", 0x00);
	float(`fsub.${width}`, "frd,frs1,frs2rm?", 0x04);
	float(`fmul.${width}`, "frd,frs1,frs2rm?", 0x08);
	float(`fdiv.${width}`, "frd,frs1,frs2rm?", 0x0c);
	float(`fsqrt.${width}`, "frd,frs1rm?", 0x2c, undefined, 0);
	["fsgnj", "fsgnjn", "fsgnjx"].forEach((name, n) => {
		float(`${name}.${width}`, "frd,frs1,frs2", 0x10, n);
	});
	["fmin", "fmax"].forEach((name, n) => {
		float(`${name}.${width}`, "frd,frs1,frs2", 0x14, n);
	});
	["fle", "flt", "feq"].forEach((name, n) => {
		float(`${name}.${width}`, "rd,frs1,frs2", 0x50, n);
	});
	float(`fclass.${width}`, "rd,frs1", 0x70, 1, 0);
	float(fmt === 0 ? "fmv.x.w" : "fmv.x.d", "rd,frs1", 0x70, 0, 0);
	float(fmt === 0 ? "fmv.w.x" : "fmv.d.x", "frd,rs1", 0x78, 0, 0);
	["w", "wu", "l", "lu"].forEach((integer, n) => {
		const exact = fmt === 1 && n < 2;
		float(`fcvt.${integer}.${width}`, "rd,frs1rm?", 0x60, undefined, n);
		float(`fcvt.${width}.${integer}`, exact ? "frd,rs1rm0?" : "frd,rs1rm?", 0x68, undefined, n);
	});
	if (fmt === 0) row("D", "float", "fcvt.s.d", "frd,frs1rm?", 0x53, undefined, 0x20, rs2Mask, 1 << 20);
	else row("D", "float", "fcvt.d.s", "frd,frs1rm0?", 0x53, undefined, 0x21, rs2Mask, 0);
}
// Privileged ISA 1.12, sections 3.3 and 4.2
row("privileged", "system", "sret", "", 0x73, 0, undefined, 0xffffff80, 0x10200000);
row("privileged", "system", "mret", "", 0x73, 0, undefined, 0xffffff80, 0x30200000);
row("privileged", "system", "wfi", "", 0x73, 0, undefined, 0xffffff80, 0x10500000);
row("privileged", "system", "sfence.vma", "rs1,rs2", 0x73, 0, 0x09, 0xf80, 0);

/** Every 32-bit instruction. */
export const instructions: readonly Instruction[] = table;

const byMnemonic = new Map(table.map((instruction) => [instruction.mnemonic, instruction]));
const byOpcode = new Map<number, Instruction[]>();
for (const instruction of table) {
	const opcode = instruction.match & 0x7f;
	byOpcode.set(opcode, [...(byOpcode.get(opcode) ?? []), instruction]);
}

/** The row of a 32-bit word; undefined for a reserved encoding. */
export function findInstruction(word: number): Instruction | undefined {
	return byOpcode.get(word & 0x7f)?.find(({ mask, match }) => (word & mask) >>> 0 === match);
}

export function instructionNamed(mnemonic: string): Instruction | undefined {
	return byMnemonic.get(mnemonic);
}

/** The name of its operation in the machine's core; the six of Zicsr are one. */
export function operationName({ kind, mnemonic }: Instruction): string {
	return kind === "csr" ? "OP_CSR" : `OP_${mnemonic.toUpperCase().replaceAll(".", "_")}`;
}

/** Does this instruction round, so that rm 5 and 6 (and DYN with frm above 4) are illegal? */
export function hasRoundingMode(instruction: Instruction): boolean {
	return instruction.operands.endsWith("?");
}

/** Bytes of the instruction that starts with this halfword (section 1.5); 16 and 32 bits are all this machine has. */
export function instructionLength(halfword: number): 2 | 4 {
	return (halfword & 3) === 3 ? 4 : 2;
}
