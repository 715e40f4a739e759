// Operation codes of decoded records (byte 0): one for each instruction (operations.ts, made from the table of the instruction set), and the
// core's own forms. Plain constants, shared with the translator.
// Record: u8 op, u8 stride (16 or 32: distance to the next record), u16 rd, u16 rs1, u16 rs2 (offsets into the hart's state;
// a write to x0 has the offset of H_SINK), i32 immediate, u32 extra: the instruction's bits (tval when illegal, rm of float operations).
// Immediates: branches and jumps out of the page have their byte offset, fused multiply-adds the offset of rs3, CSR instructions the bits.

export * from "./operations";

/** Not decoded yet. Zero, so that fresh pages are all of these. */
export const OP_UNDECODED = 0;
export const OP_ILLEGAL = 1;
/** After the last record of a page, and after scratch records: leave with pc = the next address. */
export const OP_END = 2;
/** 4-byte instruction of which only the first half is in the page. */
export const OP_STRADDLE = 3;
/** There may be a breakpoint: when none stops here, the instruction is decoded and run alone (breakpoints.ts). */
export const OP_BREAK = 4;
export const OP_NOP = 5;
/** rd = immediate: lui, and addi from x0. */
export const OP_LI = 6;
/** addi with 0, and add with x0. */
export const OP_MV = 7;

/** Jumps and branches inside the page: immediate = record distance in bytes (8 times the byte offset). */
export const OP_BEQ_LOCAL = 200;
export const OP_BNE_LOCAL = 201;
export const OP_BLT_LOCAL = 202;
export const OP_BGE_LOCAL = 203;
export const OP_BLTU_LOCAL = 204;
export const OP_BGEU_LOCAL = 205;
export const OP_JAL_LOCAL = 206;
/** jal x0 inside the page. */
export const OP_J_LOCAL = 207;
/** A local backward bne that closes a recognised byte loop (idioms.ts). */
export const OP_BULK_BNE = 208;
