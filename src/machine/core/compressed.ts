// C extension (unprivileged ISA, chapter "C"): each 16-bit instruction as the 32-bit one it stands for; 0 = illegal or reserved.

// @ts-ignore: decorator
@inline
function bits(i: u32, from: u32, width: u32, to: u32): u32 {
	return ((i >> from) & ((1 << width) - 1)) << to;
}

function iType(immediate: u32, rs1: u32, f3: u32, rd: u32, opcode: u32): u32 {
	return (immediate << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | opcode;
}

function sType(immediate: u32, rs2: u32, rs1: u32, f3: u32, opcode: u32): u32 {
	return ((immediate >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | ((immediate & 31) << 7) | opcode;
}

const LOAD: u32 = 0x03;
const LOAD_FP: u32 = 0x07;
const STORE: u32 = 0x23;
const STORE_FP: u32 = 0x27;
const OP_IMM: u32 = 0x13;
const OP_IMM_32: u32 = 0x1b;
const JALR: u32 = 0x67;

function quadrant0(i: u32, f3: u32): u32 {
	const rd = bits(i, 2, 3, 0) + 8;
	const rs1 = bits(i, 7, 3, 0) + 8;
	const word = bits(i, 10, 3, 3) | bits(i, 6, 1, 2) | bits(i, 5, 1, 6);
	const double = bits(i, 10, 3, 3) | bits(i, 5, 2, 6);
	switch (f3) {
		case 0: {
			const n = bits(i, 11, 2, 4) | bits(i, 7, 4, 6) | bits(i, 6, 1, 2) | bits(i, 5, 1, 3);
			return n ? iType(n, 2, 0, rd, OP_IMM) : 0;
		}
		case 1: return iType(double, rs1, 3, rd, LOAD_FP);
		case 2: return iType(word, rs1, 2, rd, LOAD);
		case 3: return iType(double, rs1, 3, rd, LOAD);
		case 5: return sType(double, rd, rs1, 3, STORE_FP);
		case 6: return sType(word, rd, rs1, 2, STORE);
		case 7: return sType(double, rd, rs1, 3, STORE);
	}
	return 0;
}

function arithmetic(i: u32, rd: u32, imm6: u32): u32 {
	const shift = bits(i, 2, 5, 0) | bits(i, 12, 1, 5);
	switch ((i >> 10) & 3) {
		case 0: return iType(shift, rd, 5, rd, OP_IMM);
		case 1: return iType(shift | 0x400, rd, 5, rd, OP_IMM);
		case 2: return iType(imm6, rd, 7, rd, OP_IMM);
	}
	const r = ((bits(i, 2, 3, 0) + 8) << 20) | (rd << 15) | (rd << 7);
	switch (bits(i, 12, 1, 2) | bits(i, 5, 2, 0)) {
		case 0: return r | 0x40000033; // sub
		case 1: return r | 0x4033; // xor
		case 2: return r | 0x6033; // or
		case 3: return r | 0x7033; // and
		case 4: return r | 0x4000003b; // subw
		case 5: return r | 0x3b; // addw
	}
	return 0;
}

function quadrant1(i: u32, f3: u32): u32 {
	const rd = bits(i, 7, 5, 0);
	const rs1 = bits(i, 7, 3, 0) + 8;
	const sign: u32 = (i >> 12) & 1 ? 0xffffffff : 0;
	const imm6 = (bits(i, 2, 5, 0) | (sign << 5)) & 0xfff;
	switch (f3) {
		case 0: return iType(imm6, rd, 0, rd, OP_IMM);
		case 1: return rd ? iType(imm6, rd, 0, rd, OP_IMM_32) : 0;
		case 2: return iType(imm6, 0, 0, rd, OP_IMM);
		case 3: {
			if (rd == 2) {
				const n = bits(i, 6, 1, 4) | bits(i, 2, 1, 5) | bits(i, 5, 1, 6) | bits(i, 3, 2, 7) | (sign << 9);
				return n ? iType(n & 0xfff, 2, 0, 2, OP_IMM) : 0;
			}
			const n = bits(i, 2, 5, 0) | (sign << 5);
			return n ? (n << 12) | (rd << 7) | 0x37 : 0;
		}
		case 4: return arithmetic(i, rs1, imm6);
		case 5: {
			const u = bits(i, 3, 3, 1) | bits(i, 11, 1, 4) | bits(i, 2, 1, 5) | bits(i, 7, 1, 6) | bits(i, 6, 1, 7) | bits(i, 9, 2, 8) | bits(i, 8, 1, 10) | (sign << 11);
			return bits(u, 20, 1, 31) | bits(u, 1, 10, 21) | bits(u, 11, 1, 20) | bits(u, 12, 8, 12) | 0x6f;
		}
	}
	const u = bits(i, 3, 2, 1) | bits(i, 10, 2, 3) | bits(i, 2, 1, 5) | bits(i, 5, 2, 6) | (sign << 8);
	return bits(u, 12, 1, 31) | bits(u, 5, 6, 25) | (rs1 << 15) | ((f3 & 1) << 12) | bits(u, 1, 4, 8) | bits(u, 11, 1, 7) | 0x63;
}

function quadrant2(i: u32, f3: u32): u32 {
	const rd = bits(i, 7, 5, 0);
	const rs2 = bits(i, 2, 5, 0);
	const loadDouble = bits(i, 5, 2, 3) | bits(i, 12, 1, 5) | bits(i, 2, 3, 6);
	const storeDouble = bits(i, 10, 3, 3) | bits(i, 7, 3, 6);
	switch (f3) {
		case 0: return iType(rs2 | bits(i, 12, 1, 5), rd, 1, rd, OP_IMM);
		case 1: return iType(loadDouble, 2, 3, rd, LOAD_FP);
		case 2: return rd ? iType(bits(i, 4, 3, 2) | bits(i, 12, 1, 5) | bits(i, 2, 2, 6), 2, 2, rd, LOAD) : 0;
		case 3: return rd ? iType(loadDouble, 2, 3, rd, LOAD) : 0;
		case 4:
			if (!(i & 0x1000)) {
				if (rs2) return (rs2 << 20) | (rd << 7) | 0x33;
				return rd ? iType(0, rd, 0, 0, JALR) : 0;
			}
			if (rs2) return (rs2 << 20) | (rd << 15) | (rd << 7) | 0x33;
			return rd ? iType(0, rd, 0, 1, JALR) : 0x100073;
		case 5: return sType(storeDouble, rs2, 2, 3, STORE_FP);
		case 6: return sType(bits(i, 9, 4, 2) | bits(i, 7, 2, 6), rs2, 2, 2, STORE);
	}
	return sType(storeDouble, rs2, 2, 3, STORE);
}

export function expand(i: u32): u32 {
	const f3 = (i >> 13) & 7;
	switch (i & 3) {
		case 0: return quadrant0(i, f3);
		case 1: return quadrant1(i, f3);
	}
	return quadrant2(i, f3);
}
