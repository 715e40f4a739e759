// Operation codes of decoded records (byte 0). Plain constants, shared with the translator.
// Record: u8 op, u8 stride (16 or 32: distance to the next record), u16 rd, u16 rs1, u16 rs2 (offsets into the hart's state;
// a write to x0 has the offset of H_SINK), i32 immediate, u32 extra (see each group).

/** Not decoded yet. Zero, so that fresh pages are all of these. */
export const OP_UNDECODED = 0;
/** Illegal: extra = instruction bits (tval). */
export const OP_ILLEGAL = 1;
/** After the last record of a page, and after scratch records: leave with pc = the next address. */
export const OP_END = 2;
/** 4-byte instruction of which only the first half is in the page. */
export const OP_STRADDLE = 3;
/** There may be a breakpoint: when none stops here, the instruction is decoded and run alone (breakpoints.ts). */
export const OP_BREAK = 4;
export const OP_NOP = 5;

/** rd = immediate (lui, and addi from x0). */
export const OP_LI = 6;
export const OP_MV = 7;
export const OP_AUIPC = 8;
/** jal whose target is in another page: immediate = byte offset. */
export const OP_JAL = 9;
export const OP_JALR = 10;
/** Branches out of the page: immediate = byte offset. */
export const OP_BEQ = 12;
export const OP_BNE = 13;
export const OP_BLT = 14;
export const OP_BGE = 15;
export const OP_BLTU = 16;
export const OP_BGEU = 17;
/** Jumps and branches inside the page: immediate = record distance in bytes (8 times the byte offset). */
export const OP_BEQ_LOCAL = 18;
export const OP_BNE_LOCAL = 19;
export const OP_BLT_LOCAL = 20;
export const OP_BGE_LOCAL = 21;
export const OP_BLTU_LOCAL = 22;
export const OP_BGEU_LOCAL = 23;
export const OP_JAL_LOCAL = 24;
/** jal x0 inside the page. */
export const OP_J_LOCAL = 25;

export const OP_LB = 26;
export const OP_LH = 27;
export const OP_LW = 28;
export const OP_LD = 29;
export const OP_LBU = 30;
export const OP_LHU = 31;
export const OP_LWU = 32;
export const OP_SB = 33;
export const OP_SH = 34;
export const OP_SW = 35;
export const OP_SD = 36;

export const OP_ADDI = 37;
export const OP_SLTI = 38;
export const OP_SLTIU = 39;
export const OP_XORI = 40;
export const OP_ORI = 41;
export const OP_ANDI = 42;
export const OP_SLLI = 43;
export const OP_SRLI = 44;
export const OP_SRAI = 45;
export const OP_ADDIW = 46;
export const OP_SLLIW = 47;
export const OP_SRLIW = 48;
export const OP_SRAIW = 49;

export const OP_ADD = 50;
export const OP_SUB = 51;
export const OP_SLL = 52;
export const OP_SLT = 53;
export const OP_SLTU = 54;
export const OP_XOR = 55;
export const OP_SRL = 56;
export const OP_SRA = 57;
export const OP_OR = 58;
export const OP_AND = 59;
export const OP_ADDW = 60;
export const OP_SUBW = 61;
export const OP_SLLW = 62;
export const OP_SRLW = 63;
export const OP_SRAW = 64;

export const OP_MUL = 65;
export const OP_MULH = 66;
export const OP_MULHSU = 67;
export const OP_MULHU = 68;
export const OP_DIV = 69;
export const OP_DIVU = 70;
export const OP_REM = 71;
export const OP_REMU = 72;
export const OP_MULW = 73;
export const OP_DIVW = 74;
export const OP_DIVUW = 75;
export const OP_REMW = 76;
export const OP_REMUW = 77;

/** fence: nothing to do, harts are sequentially consistent. fence.i: nothing to do, stores to code are seen at once. */
export const OP_FENCE = 78;
export const OP_FENCE_I = 79;

/** System instructions: extra = instruction bits (tval when illegal in this mode). */
export const OP_ECALL = 80;
export const OP_EBREAK = 81;
export const OP_SRET = 82;
export const OP_MRET = 83;
export const OP_WFI = 84;
export const OP_SFENCE_VMA = 85;
export const OP_CSR = 86;

/** Atomics; the doubleword form is the word form + 1. */
export const OP_LR_W = 88;
export const OP_LR_D = 89;
export const OP_SC_W = 90;
export const OP_SC_D = 91;
export const OP_AMOSWAP_W = 92;
export const OP_AMOADD_W = 94;
export const OP_AMOXOR_W = 96;
export const OP_AMOAND_W = 98;
export const OP_AMOOR_W = 100;
export const OP_AMOMIN_W = 102;
export const OP_AMOMAX_W = 104;
export const OP_AMOMINU_W = 106;
export const OP_AMOMAXU_W = 108;
export const OP_AMO_LAST = 109;

/** Loads and stores of f registers: extra = instruction bits. */
export const OP_FLW = 112;
export const OP_FLD = 113;
export const OP_FSW = 114;
export const OP_FSD = 115;
/** Fused multiply-add: immediate = offset of rs3. All arithmetic below: extra = instruction bits (rm in 14..12). */
export const OP_FLOAT_FIRST = 116;
export const OP_FMADD_S = 116;
export const OP_FMSUB_S = 117;
export const OP_FNMSUB_S = 118;
export const OP_FNMADD_S = 119;
export const OP_FMADD_D = 120;
export const OP_FMSUB_D = 121;
export const OP_FNMSUB_D = 122;
export const OP_FNMADD_D = 123;
export const OP_FADD_S = 124;
export const OP_FSUB_S = 125;
export const OP_FMUL_S = 126;
export const OP_FDIV_S = 127;
export const OP_FSQRT_S = 128;
export const OP_FADD_D = 129;
export const OP_FSUB_D = 130;
export const OP_FMUL_D = 131;
export const OP_FDIV_D = 132;
export const OP_FSQRT_D = 133;
export const OP_FSGNJ_S = 134;
export const OP_FSGNJN_S = 135;
export const OP_FSGNJX_S = 136;
export const OP_FSGNJ_D = 137;
export const OP_FSGNJN_D = 138;
export const OP_FSGNJX_D = 139;
export const OP_FMIN_S = 140;
export const OP_FMAX_S = 141;
export const OP_FMIN_D = 142;
export const OP_FMAX_D = 143;
export const OP_FLE_S = 144;
export const OP_FLT_S = 145;
export const OP_FEQ_S = 146;
export const OP_FLE_D = 147;
export const OP_FLT_D = 148;
export const OP_FEQ_D = 149;
export const OP_FCLASS_S = 150;
export const OP_FCLASS_D = 151;
/** Float to integer: W, WU, L, LU in this order (the rs2 field of the encoding). */
export const OP_FCVT_W_S = 152;
export const OP_FCVT_WU_S = 153;
export const OP_FCVT_L_S = 154;
export const OP_FCVT_LU_S = 155;
export const OP_FCVT_W_D = 156;
export const OP_FCVT_WU_D = 157;
export const OP_FCVT_L_D = 158;
export const OP_FCVT_LU_D = 159;
export const OP_FCVT_S_W = 160;
export const OP_FCVT_S_WU = 161;
export const OP_FCVT_S_L = 162;
export const OP_FCVT_S_LU = 163;
export const OP_FCVT_D_W = 164;
export const OP_FCVT_D_WU = 165;
export const OP_FCVT_D_L = 166;
export const OP_FCVT_D_LU = 167;
export const OP_FCVT_S_D = 168;
export const OP_FCVT_D_S = 169;
export const OP_FMV_X_W = 170;
export const OP_FMV_X_D = 171;
export const OP_FMV_W_X = 172;
export const OP_FMV_D_X = 173;
export const OP_FLOAT_LAST = 173;

/** A local backward branch that closes a recognised byte loop: as the plain branch, extra = loop description (idioms.ts). */
export const OP_BULK_FIRST = 176;
export const OP_BULK_BNE = 176;
export const OP_BULK_BLTU = 177;
export const OP_BULK_LAST = 177;
