// Made by scripts/coreTables.ts from src/riscv/isa.ts; do not edit.

import * as op from "./operations";
import {
	COMPUTES, IMMEDIATE_B, IMMEDIATE_I, IMMEDIATE_J, IMMEDIATE_RS3, IMMEDIATE_S, IMMEDIATE_SHIFT, IMMEDIATE_SHIFT_WORD, IMMEDIATE_U, IMMEDIATE_WORD,
	RD_F, RD_X, ROUNDS, RS1_F, RS1_X, RS2_F, RS2_X,
} from "./recordLayout";

/** The operation of a 32-bit word, and what its record keeps of the word (recordLayout.ts); 0: a reserved encoding. */
export function operationOf(i: u32): u32 {
	switch (i & 0x7f) {
		case 0x3:
			switch (i & 0x707f) {
				case 0x3: return op.OP_LB | RD_X | RS1_X | IMMEDIATE_I;
				case 0x1003: return op.OP_LH | RD_X | RS1_X | IMMEDIATE_I;
				case 0x2003: return op.OP_LW | RD_X | RS1_X | IMMEDIATE_I;
				case 0x3003: return op.OP_LD | RD_X | RS1_X | IMMEDIATE_I;
				case 0x4003: return op.OP_LBU | RD_X | RS1_X | IMMEDIATE_I;
				case 0x5003: return op.OP_LHU | RD_X | RS1_X | IMMEDIATE_I;
				case 0x6003: return op.OP_LWU | RD_X | RS1_X | IMMEDIATE_I;
			}
			break;
		case 0x7:
			switch (i & 0x707f) {
				case 0x2007: return op.OP_FLW | RD_F | RS1_X | IMMEDIATE_I;
				case 0x3007: return op.OP_FLD | RD_F | RS1_X | IMMEDIATE_I;
			}
			break;
		case 0xf:
			switch (i & 0x707f) {
				case 0xf: return op.OP_FENCE;
				case 0x100f: return op.OP_FENCE_I;
			}
			break;
		case 0x13:
			switch (i & 0x707f) {
				case 0x13: return op.OP_ADDI | RD_X | RS1_X | IMMEDIATE_I | COMPUTES;
				case 0x2013: return op.OP_SLTI | RD_X | RS1_X | IMMEDIATE_I | COMPUTES;
				case 0x3013: return op.OP_SLTIU | RD_X | RS1_X | IMMEDIATE_I | COMPUTES;
				case 0x4013: return op.OP_XORI | RD_X | RS1_X | IMMEDIATE_I | COMPUTES;
				case 0x6013: return op.OP_ORI | RD_X | RS1_X | IMMEDIATE_I | COMPUTES;
				case 0x7013: return op.OP_ANDI | RD_X | RS1_X | IMMEDIATE_I | COMPUTES;
			}
			switch (i & 0xfc00707f) {
				case 0x1013: return op.OP_SLLI | RD_X | RS1_X | IMMEDIATE_SHIFT | COMPUTES;
				case 0x5013: return op.OP_SRLI | RD_X | RS1_X | IMMEDIATE_SHIFT | COMPUTES;
				case 0x40005013: return op.OP_SRAI | RD_X | RS1_X | IMMEDIATE_SHIFT | COMPUTES;
			}
			break;
		case 0x17:
			return op.OP_AUIPC | RD_X | IMMEDIATE_U | COMPUTES;
		case 0x1b:
			switch (i & 0x707f) {
				case 0x1b: return op.OP_ADDIW | RD_X | RS1_X | IMMEDIATE_I | COMPUTES;
			}
			switch (i & 0xfe00707f) {
				case 0x101b: return op.OP_SLLIW | RD_X | RS1_X | IMMEDIATE_SHIFT_WORD | COMPUTES;
				case 0x501b: return op.OP_SRLIW | RD_X | RS1_X | IMMEDIATE_SHIFT_WORD | COMPUTES;
				case 0x4000501b: return op.OP_SRAIW | RD_X | RS1_X | IMMEDIATE_SHIFT_WORD | COMPUTES;
			}
			break;
		case 0x23:
			switch (i & 0x707f) {
				case 0x23: return op.OP_SB | RS1_X | RS2_X | IMMEDIATE_S;
				case 0x1023: return op.OP_SH | RS1_X | RS2_X | IMMEDIATE_S;
				case 0x2023: return op.OP_SW | RS1_X | RS2_X | IMMEDIATE_S;
				case 0x3023: return op.OP_SD | RS1_X | RS2_X | IMMEDIATE_S;
			}
			break;
		case 0x27:
			switch (i & 0x707f) {
				case 0x2027: return op.OP_FSW | RS1_X | RS2_F | IMMEDIATE_S;
				case 0x3027: return op.OP_FSD | RS1_X | RS2_F | IMMEDIATE_S;
			}
			break;
		case 0x2f:
			switch (i & 0xf9f0707f) {
				case 0x1000202f: return op.OP_LR_W | RD_X | RS1_X;
				case 0x1000302f: return op.OP_LR_D | RD_X | RS1_X;
			}
			switch (i & 0xf800707f) {
				case 0x1800202f: return op.OP_SC_W | RD_X | RS1_X | RS2_X;
				case 0x800202f: return op.OP_AMOSWAP_W | RD_X | RS1_X | RS2_X;
				case 0x202f: return op.OP_AMOADD_W | RD_X | RS1_X | RS2_X;
				case 0x2000202f: return op.OP_AMOXOR_W | RD_X | RS1_X | RS2_X;
				case 0x6000202f: return op.OP_AMOAND_W | RD_X | RS1_X | RS2_X;
				case 0x4000202f: return op.OP_AMOOR_W | RD_X | RS1_X | RS2_X;
				case 0x8000202f: return op.OP_AMOMIN_W | RD_X | RS1_X | RS2_X;
				case 0xa000202f: return op.OP_AMOMAX_W | RD_X | RS1_X | RS2_X;
				case 0xc000202f: return op.OP_AMOMINU_W | RD_X | RS1_X | RS2_X;
				case 0xe000202f: return op.OP_AMOMAXU_W | RD_X | RS1_X | RS2_X;
				case 0x1800302f: return op.OP_SC_D | RD_X | RS1_X | RS2_X;
				case 0x800302f: return op.OP_AMOSWAP_D | RD_X | RS1_X | RS2_X;
				case 0x302f: return op.OP_AMOADD_D | RD_X | RS1_X | RS2_X;
				case 0x2000302f: return op.OP_AMOXOR_D | RD_X | RS1_X | RS2_X;
				case 0x6000302f: return op.OP_AMOAND_D | RD_X | RS1_X | RS2_X;
				case 0x4000302f: return op.OP_AMOOR_D | RD_X | RS1_X | RS2_X;
				case 0x8000302f: return op.OP_AMOMIN_D | RD_X | RS1_X | RS2_X;
				case 0xa000302f: return op.OP_AMOMAX_D | RD_X | RS1_X | RS2_X;
				case 0xc000302f: return op.OP_AMOMINU_D | RD_X | RS1_X | RS2_X;
				case 0xe000302f: return op.OP_AMOMAXU_D | RD_X | RS1_X | RS2_X;
			}
			break;
		case 0x33:
			switch (i & 0xfe00707f) {
				case 0x33: return op.OP_ADD | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x1033: return op.OP_SLL | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x2033: return op.OP_SLT | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x3033: return op.OP_SLTU | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x4033: return op.OP_XOR | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x5033: return op.OP_SRL | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x6033: return op.OP_OR | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x7033: return op.OP_AND | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x40000033: return op.OP_SUB | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x40005033: return op.OP_SRA | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x2000033: return op.OP_MUL | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x2001033: return op.OP_MULH | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x2002033: return op.OP_MULHSU | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x2003033: return op.OP_MULHU | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x2004033: return op.OP_DIV | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x2005033: return op.OP_DIVU | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x2006033: return op.OP_REM | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x2007033: return op.OP_REMU | RD_X | RS1_X | RS2_X | COMPUTES;
			}
			break;
		case 0x37:
			return op.OP_LUI | RD_X | IMMEDIATE_U | COMPUTES;
		case 0x3b:
			switch (i & 0xfe00707f) {
				case 0x3b: return op.OP_ADDW | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x103b: return op.OP_SLLW | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x503b: return op.OP_SRLW | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x4000003b: return op.OP_SUBW | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x4000503b: return op.OP_SRAW | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x200003b: return op.OP_MULW | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x200403b: return op.OP_DIVW | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x200503b: return op.OP_DIVUW | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x200603b: return op.OP_REMW | RD_X | RS1_X | RS2_X | COMPUTES;
				case 0x200703b: return op.OP_REMUW | RD_X | RS1_X | RS2_X | COMPUTES;
			}
			break;
		case 0x43:
			switch (i & 0x600007f) {
				case 0x43: return op.OP_FMADD_S | RD_F | RS1_F | RS2_F | IMMEDIATE_RS3 | ROUNDS;
				case 0x2000043: return op.OP_FMADD_D | RD_F | RS1_F | RS2_F | IMMEDIATE_RS3 | ROUNDS;
			}
			break;
		case 0x47:
			switch (i & 0x600007f) {
				case 0x47: return op.OP_FMSUB_S | RD_F | RS1_F | RS2_F | IMMEDIATE_RS3 | ROUNDS;
				case 0x2000047: return op.OP_FMSUB_D | RD_F | RS1_F | RS2_F | IMMEDIATE_RS3 | ROUNDS;
			}
			break;
		case 0x4b:
			switch (i & 0x600007f) {
				case 0x4b: return op.OP_FNMSUB_S | RD_F | RS1_F | RS2_F | IMMEDIATE_RS3 | ROUNDS;
				case 0x200004b: return op.OP_FNMSUB_D | RD_F | RS1_F | RS2_F | IMMEDIATE_RS3 | ROUNDS;
			}
			break;
		case 0x4f:
			switch (i & 0x600007f) {
				case 0x4f: return op.OP_FNMADD_S | RD_F | RS1_F | RS2_F | IMMEDIATE_RS3 | ROUNDS;
				case 0x200004f: return op.OP_FNMADD_D | RD_F | RS1_F | RS2_F | IMMEDIATE_RS3 | ROUNDS;
			}
			break;
		case 0x53:
			switch (i & 0xfe00007f) {
				case 0x53: return op.OP_FADD_S | RD_F | RS1_F | RS2_F | ROUNDS;
				case 0x8000053: return op.OP_FSUB_S | RD_F | RS1_F | RS2_F | ROUNDS;
				case 0x10000053: return op.OP_FMUL_S | RD_F | RS1_F | RS2_F | ROUNDS;
				case 0x18000053: return op.OP_FDIV_S | RD_F | RS1_F | RS2_F | ROUNDS;
				case 0x2000053: return op.OP_FADD_D | RD_F | RS1_F | RS2_F | ROUNDS;
				case 0xa000053: return op.OP_FSUB_D | RD_F | RS1_F | RS2_F | ROUNDS;
				case 0x12000053: return op.OP_FMUL_D | RD_F | RS1_F | RS2_F | ROUNDS;
				case 0x1a000053: return op.OP_FDIV_D | RD_F | RS1_F | RS2_F | ROUNDS;
			}
			switch (i & 0xfff0007f) {
				case 0x58000053: return op.OP_FSQRT_S | RD_F | RS1_F | ROUNDS;
				case 0xc0000053: return op.OP_FCVT_W_S | RD_X | RS1_F | ROUNDS;
				case 0xd0000053: return op.OP_FCVT_S_W | RD_F | RS1_X | ROUNDS;
				case 0xc0100053: return op.OP_FCVT_WU_S | RD_X | RS1_F | ROUNDS;
				case 0xd0100053: return op.OP_FCVT_S_WU | RD_F | RS1_X | ROUNDS;
				case 0xc0200053: return op.OP_FCVT_L_S | RD_X | RS1_F | ROUNDS;
				case 0xd0200053: return op.OP_FCVT_S_L | RD_F | RS1_X | ROUNDS;
				case 0xc0300053: return op.OP_FCVT_LU_S | RD_X | RS1_F | ROUNDS;
				case 0xd0300053: return op.OP_FCVT_S_LU | RD_F | RS1_X | ROUNDS;
				case 0x40100053: return op.OP_FCVT_S_D | RD_F | RS1_F | ROUNDS;
				case 0x5a000053: return op.OP_FSQRT_D | RD_F | RS1_F | ROUNDS;
				case 0xc2000053: return op.OP_FCVT_W_D | RD_X | RS1_F | ROUNDS;
				case 0xd2000053: return op.OP_FCVT_D_W | RD_F | RS1_X | ROUNDS;
				case 0xc2100053: return op.OP_FCVT_WU_D | RD_X | RS1_F | ROUNDS;
				case 0xd2100053: return op.OP_FCVT_D_WU | RD_F | RS1_X | ROUNDS;
				case 0xc2200053: return op.OP_FCVT_L_D | RD_X | RS1_F | ROUNDS;
				case 0xd2200053: return op.OP_FCVT_D_L | RD_F | RS1_X | ROUNDS;
				case 0xc2300053: return op.OP_FCVT_LU_D | RD_X | RS1_F | ROUNDS;
				case 0xd2300053: return op.OP_FCVT_D_LU | RD_F | RS1_X | ROUNDS;
				case 0x42000053: return op.OP_FCVT_D_S | RD_F | RS1_F | ROUNDS;
			}
			switch (i & 0xfe00707f) {
				case 0x20000053: return op.OP_FSGNJ_S | RD_F | RS1_F | RS2_F;
				case 0x20001053: return op.OP_FSGNJN_S | RD_F | RS1_F | RS2_F;
				case 0x20002053: return op.OP_FSGNJX_S | RD_F | RS1_F | RS2_F;
				case 0x28000053: return op.OP_FMIN_S | RD_F | RS1_F | RS2_F;
				case 0x28001053: return op.OP_FMAX_S | RD_F | RS1_F | RS2_F;
				case 0xa0000053: return op.OP_FLE_S | RD_X | RS1_F | RS2_F;
				case 0xa0001053: return op.OP_FLT_S | RD_X | RS1_F | RS2_F;
				case 0xa0002053: return op.OP_FEQ_S | RD_X | RS1_F | RS2_F;
				case 0x22000053: return op.OP_FSGNJ_D | RD_F | RS1_F | RS2_F;
				case 0x22001053: return op.OP_FSGNJN_D | RD_F | RS1_F | RS2_F;
				case 0x22002053: return op.OP_FSGNJX_D | RD_F | RS1_F | RS2_F;
				case 0x2a000053: return op.OP_FMIN_D | RD_F | RS1_F | RS2_F;
				case 0x2a001053: return op.OP_FMAX_D | RD_F | RS1_F | RS2_F;
				case 0xa2000053: return op.OP_FLE_D | RD_X | RS1_F | RS2_F;
				case 0xa2001053: return op.OP_FLT_D | RD_X | RS1_F | RS2_F;
				case 0xa2002053: return op.OP_FEQ_D | RD_X | RS1_F | RS2_F;
			}
			switch (i & 0xfff0707f) {
				case 0xe0001053: return op.OP_FCLASS_S | RD_X | RS1_F;
				case 0xe0000053: return op.OP_FMV_X_W | RD_X | RS1_F;
				case 0xf0000053: return op.OP_FMV_W_X | RD_F | RS1_X;
				case 0xe2001053: return op.OP_FCLASS_D | RD_X | RS1_F;
				case 0xe2000053: return op.OP_FMV_X_D | RD_X | RS1_F;
				case 0xf2000053: return op.OP_FMV_D_X | RD_F | RS1_X;
			}
			break;
		case 0x63:
			switch (i & 0x707f) {
				case 0x63: return op.OP_BEQ | RS1_X | RS2_X | IMMEDIATE_B;
				case 0x1063: return op.OP_BNE | RS1_X | RS2_X | IMMEDIATE_B;
				case 0x4063: return op.OP_BLT | RS1_X | RS2_X | IMMEDIATE_B;
				case 0x5063: return op.OP_BGE | RS1_X | RS2_X | IMMEDIATE_B;
				case 0x6063: return op.OP_BLTU | RS1_X | RS2_X | IMMEDIATE_B;
				case 0x7063: return op.OP_BGEU | RS1_X | RS2_X | IMMEDIATE_B;
			}
			break;
		case 0x67:
			switch (i & 0x707f) {
				case 0x67: return op.OP_JALR | RD_X | RS1_X | IMMEDIATE_I;
			}
			break;
		case 0x6f:
			return op.OP_JAL | RD_X | IMMEDIATE_J;
		case 0x73:
			switch (i & 0xffffffff) {
				case 0x73: return op.OP_ECALL;
				case 0x100073: return op.OP_EBREAK;
				case 0x10200073: return op.OP_SRET;
				case 0x30200073: return op.OP_MRET;
				case 0x10500073: return op.OP_WFI;
			}
			switch (i & 0x707f) {
				case 0x1073: case 0x2073: case 0x3073: case 0x5073: case 0x6073: case 0x7073: return op.OP_CSR | RD_X | RS1_X | IMMEDIATE_WORD;
			}
			switch (i & 0xfe007fff) {
				case 0x12000073: return op.OP_SFENCE_VMA | RS1_X | RS2_X;
			}
			break;
	}
	return 0;
}
