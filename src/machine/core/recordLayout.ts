// What of an instruction's word goes into its record: bits above the operation's number in what the generated decoder (isaDecoder.ts)
// returns.

/** rd, rs1, rs2 are x or f registers; without a bit the field is not an operand. */
export const RD_X: u32 = 1 << 8;
export const RD_F: u32 = 1 << 9;
export const RS1_X: u32 = 1 << 10;
export const RS1_F: u32 = 1 << 11;
export const RS2_X: u32 = 1 << 12;
export const RS2_F: u32 = 1 << 13;

/** The immediate by its format (unprivileged ISA 2.3), or what else stands in its place. */
export const IMMEDIATE: u32 = 15 << 16;
export const IMMEDIATE_I: u32 = 1 << 16;
export const IMMEDIATE_S: u32 = 2 << 16;
export const IMMEDIATE_B: u32 = 3 << 16;
export const IMMEDIATE_U: u32 = 4 << 16;
export const IMMEDIATE_J: u32 = 5 << 16;
export const IMMEDIATE_SHIFT: u32 = 6 << 16;
export const IMMEDIATE_SHIFT_WORD: u32 = 7 << 16;
/** The whole word: the CSR's number, and which of the six instructions it is. */
export const IMMEDIATE_WORD: u32 = 8 << 16;
/** Offset of f register rs3. */
export const IMMEDIATE_RS3: u32 = 9 << 16;

/** Only computes rd: does nothing when rd is x0. */
export const COMPUTES: u32 = 1 << 20;
/** rm is a rounding mode: 5 and 6 are reserved (unprivileged ISA 11.2). */
export const ROUNDS: u32 = 1 << 21;
