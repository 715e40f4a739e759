import fc from "fast-check";
import { expect, test } from "vitest";
import { disassemble } from "../../../src/riscv/disassemble.ts";
import { fields } from "../../../src/riscv/fields.ts";
import { assemble } from "../../support/assembler.ts";

const words = (source: string, origin = 0n) => {
	const { bytes } = assemble(source, origin);
	const view = new DataView(bytes.buffer);
	return Array.from({ length: bytes.length / 4 }, (_, n) => view.getUint32(4 * n, true));
};
const texts = (source: string, origin = 0n) =>
	words(source, origin).map((word, n) => disassemble(word, origin + BigInt(4 * n)).text);

/** What the instructions that `li` uses leave in their register. */
function evaluate(code: readonly number[]): bigint {
	let value = 0n;
	for (const word of code) {
		const immediate = BigInt(fields.imm12.get(word));
		const source = fields.rs1.get(word) === 0 ? 0n : value;
		const name = disassemble(word, 0n, { aliases: false }).mnemonic;
		if (name === "lui") value = BigInt.asIntN(32, BigInt(fields.imm20.get(word)) << 12n);
		else if (name === "addi") value = BigInt.asIntN(64, source + immediate);
		else if (name === "addiw") value = BigInt.asIntN(32, source + immediate);
		else if (name === "slli") value = BigInt.asIntN(64, source << BigInt(fields.shamt6.get(word)));
		else throw new Error(name);
	}
	return BigInt.asUintN(64, value);
}

test("li loads any 64-bit constant", () => {
	fc.assert(
		fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.integer({ min: 0, max: 63 }), (value, shift) => {
			for (const constant of [value, value >> BigInt(shift), BigInt.asUintN(64, value << BigInt(shift))]) {
				expect(evaluate(words(`li a0, ${constant}`))).toBe(constant);
				const negative = BigInt.asUintN(64, -constant);
				expect(evaluate(words(`li a0, -${constant}`))).toBe(negative);
			}
		}),
		{ numRuns: 2000 },
	);
});

test("labels, numeric labels and sums of them are addresses", () => {
	const source = "start: j 1f\n1: beqz a0, 1b\nla a1, data + 8\nbnez a0, start\n.align 4\ndata: .dword data - start, .";
	const { symbols, bytes } = assemble(source, 0x80000000n);
	expect(symbols.get("data")).toBe(0x80000020n);
	expect(texts(source, 0x80000000n).slice(0, 5)).toEqual([
		"j 0x80000004",
		"beqz a0,0x80000004",
		"auipc a1,0x0",
		"addi a1,a1,32",
		"bnez a0,0x80000000",
	]);
	const view = new DataView(bytes.buffer);
	expect([view.getBigUint64(0x20, true), view.getBigUint64(0x28, true)]).toEqual([0x20n, 0x80000020n]);
});

test("directives place data", () => {
	const { bytes } = assemble(
		".byte 1, 2\n.half 0x304\n.word 5\n.zero 4\n.align 3\n.equ ten, 5 + 5\n.byte ten # last",
		0n,
	);
	expect([...bytes]).toEqual([1, 2, 4, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10]);
});

test("what cannot be assembled is refused with its text", () => {
	expect(() => assemble("addi a0, a0, 2048")).toThrow("addi a0, a0, 2048: 2048: 2048 does not fit");
	expect(() => assemble("frob a0")).toThrow("no such instruction: frob a0");
	expect(() => assemble("j nowhere")).toThrow("unknown symbol nowhere");
	expect(() => assemble("a: a: nop")).toThrow("a is defined twice");
	expect(() => assemble("beq a0, a1, 3")).toThrow("does not fit");
});
