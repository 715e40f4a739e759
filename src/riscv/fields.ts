/** Bit fields of 32-bit instruction words: unprivileged ISA, section 2.2 and 2.3. Words are unsigned 32-bit numbers. */

const bits = (word: number, high: number, low: number) => (word >>> low) & (2 ** (high - low + 1) - 1);
const signed = (value: number, width: number) => (value << (32 - width)) >> (32 - width);

/** A named operand: where it sits in a word, and the values it can have. */
export interface Field {
	get(word: number): number;
	/** The bits of `value` at the field's place; the value must be in range. */
	put(value: number): number;
	readonly min: number;
	readonly max: number;
	/** Values are multiples of this. */
	readonly step: number;
}

const plain = (high: number, low: number): Field => ({
	get: (word) => bits(word, high, low),
	put: (value) => (value << low) >>> 0,
	min: 0,
	max: 2 ** (high - low + 1) - 1,
	step: 1,
});

export const fields = {
	rd: plain(11, 7),
	rs1: plain(19, 15),
	rs2: plain(24, 20),
	rs3: plain(31, 27),
	rm: plain(14, 12),
	aqrl: plain(26, 25),
	csr: plain(31, 20),
	zimm: plain(19, 15),
	shamt5: plain(24, 20),
	shamt6: plain(25, 20),
	pred: plain(27, 24),
	succ: plain(23, 20),
	imm12: {
		get: (word) => word >> 20,
		put: (value) => (value << 20) >>> 0,
		min: -2048,
		max: 2047,
		step: 1,
	},
	store12: {
		get: (word) => ((word >> 25) << 5) | bits(word, 11, 7),
		put: (value) => (((value & 0xfe0) << 20) | ((value & 0x1f) << 7)) >>> 0,
		min: -2048,
		max: 2047,
		step: 1,
	},
	imm20: plain(31, 12),
	branch: {
		get: (word) =>
			signed(
				(bits(word, 31, 31) << 12) | (bits(word, 7, 7) << 11) | (bits(word, 30, 25) << 5) | (bits(word, 11, 8) << 1),
				13,
			),
		put: (value) =>
			((bits(value, 12, 12) << 31) |
				(bits(value, 10, 5) << 25) |
				(bits(value, 4, 1) << 8) |
				(bits(value, 11, 11) << 7)) >>>
			0,
		min: -4096,
		max: 4094,
		step: 2,
	},
	jump: {
		get: (word) =>
			signed(
				(bits(word, 31, 31) << 20) |
					(bits(word, 19, 12) << 12) |
					(bits(word, 20, 20) << 11) |
					(bits(word, 30, 21) << 1),
				21,
			),
		put: (value) =>
			((bits(value, 20, 20) << 31) |
				(bits(value, 10, 1) << 21) |
				(bits(value, 11, 11) << 20) |
				(bits(value, 19, 12) << 12)) >>>
			0,
		min: -(2 ** 20),
		max: 2 ** 20 - 2,
		step: 2,
	},
} satisfies Record<string, Field>;

export type FieldName = keyof typeof fields;
