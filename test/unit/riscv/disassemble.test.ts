import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { expandCompressed } from "../../../src/riscv/compressed.ts";
import { disassemble } from "../../../src/riscv/disassemble.ts";
import { findInstruction, instructions } from "../../../src/riscv/isa.ts";
import { assemble } from "../../support/assembler.ts";

interface Line {
	readonly word: number;
	readonly address: bigint;
	readonly plain: string;
	readonly aliased: string;
}

/** objdump.txt: GNU objdump 2.40 on words of every instruction, laid one behind the other; recordObjdump.ts makes it. */
function corpus(): Line[] {
	let address = 0n;
	let lastSize = 4;
	return readFileSync(join(import.meta.dirname, "objdump.txt"), "utf8")
		.trim()
		.split("\n")
		.map((line) => {
			const [, bits, plain, aliased] = /^([0-9a-f]+) (.*) \| (.*)$/.exec(line) as unknown as [
				string,
				string,
				string,
				string,
			];
			const size = bits.length / 2;
			// The 16-bit ones were in a file of their own.
			if (size !== lastSize) address = 0n;
			lastSize = size;
			const result = { word: Number.parseInt(bits, 16), address, plain, aliased };
			address += BigInt(size);
			return result;
		});
}

/**
 * Where we choose other words than objdump: immediate forms keep their own mnemonics (`addi`, not `add a0,a0,1`), and a
 * register move is `mv` also when it is an add of zero.
 */
function asObjdump(text: string): string {
	const immediate = /^(addi?w?|andi|ori|xori|slti|slli?w?|srli?w?|srai?w?|csr[rsc]?[wsc]?i|fsrmi|fsflagsi)\b/;
	return text.replace(immediate, (mnemonic) => mnemonic.replace(/iw$/, "w").replace(/i$/, ""));
}

test("every instruction reads as objdump has it, without aliases", () => {
	const wrong = corpus()
		.filter(({ word }) => (word & 3) === 3)
		.map(({ word, address, plain }) => [disassemble(word, address, { aliases: false }).text, plain])
		.filter(([ours, theirs]) => ours !== theirs);
	expect(wrong).toEqual([]);
});

test("every instruction reads as objdump has it, with aliases, 16-bit ones too", () => {
	const wrong = corpus()
		.map(({ word, address, aliased }) => [disassemble(word, address).text, aliased] as const)
		.filter(([ours, theirs]) => ours !== theirs && asObjdump(ours) !== theirs)
		.filter(([ours, theirs]) => !(ours.startsWith("mv ") && /^add (\w+,zero,\w+|sp,sp,0)$/.test(theirs)))
		// Hints (16-bit forms that write x0 or shift by 0) have names of their own there.
		.filter(([, theirs]) => !theirs.startsWith("c."));
	expect(wrong).toEqual([]);
});

test("the corpus has every instruction", () => {
	const seen = new Set(corpus().map(({ word }) => ((word & 3) === 3 ? findInstruction(word)?.mnemonic : undefined)));
	expect(instructions.filter(({ mnemonic }) => !seen.has(mnemonic))).toEqual([]);
});

const pc = 0x80001000n;
const wordOf = (text: string) => {
	const { bytes } = assemble(text, pc);
	expect(bytes.length).toBe(4);
	return new DataView(bytes.buffer).getUint32(0, true);
};

test("what the disassembler prints assembles to the same instruction", () => {
	fc.assert(
		fc.property(
			fc.constantFrom(...instructions),
			fc.integer({ min: 0, max: 0xffffffff }),
			fc.boolean(),
			({ mask, match, mnemonic }, random, aliases) => {
				const word = ((random & ~mask) | match) >>> 0;
				const text = disassemble(word, pc, { aliases }).text;
				// Reserved rounding modes have no name.
				fc.pre(!text.endsWith("unknown"));
				const again = wordOf(text);
				// mv may come from an add of zero, and fields that an instruction ignores are not shown.
				if (text.startsWith("mv")) return;
				expect(disassemble(again, pc, { aliases }).text).toBe(text);
				if (!mnemonic.startsWith("fence")) expect(again).toBe(word);
			},
		),
		{ numRuns: 3000 },
	);
});

test("each mask covers its match, and no word is two instructions", () => {
	for (const { mask, match, mnemonic } of instructions) expect((match & ~mask) >>> 0, mnemonic).toBe(0);
	const overlapping = instructions.flatMap((a, i) =>
		instructions
			.slice(i + 1)
			.filter((b) => ((a.match ^ b.match) & a.mask & b.mask) === 0)
			.map((b) => `${a.mnemonic} ${b.mnemonic}`),
	);
	expect(overlapping).toEqual([]);
});

test("each 16-bit instruction expands to a listed one, or is reserved", () => {
	let legal = 0;
	for (let half = 0; half < 0x10000; half++) {
		if ((half & 3) === 3) continue;
		const word = expandCompressed(half);
		if (word === undefined) continue;
		legal++;
		if (!findInstruction(word)) throw new Error(`${half.toString(16)} expands to ${word.toString(16)}`);
	}
	expect(legal).toBeGreaterThan(40000);
});

test("a jump names its target by symbol", () => {
	const symbolize = (address: bigint) => (address === 0x80001010n ? "usertrap+0x10" : undefined);
	expect(disassemble(wordOf("beqz a0, 0x80001010"), pc, { symbolize })).toEqual({
		length: 4,
		mnemonic: "beqz",
		operands: "a0,0x80001010 <usertrap+0x10>",
		text: "beqz a0,0x80001010 <usertrap+0x10>",
		target: 0x80001010n,
		legal: true,
	});
});

test("reserved encodings are shown as data", () => {
	expect(disassemble(0, 0n).text).toBe("unimp");
	expect(disassemble(0x8002, 0n)).toMatchObject({ text: ".short 0x8002", length: 2, legal: false });
	expect(disassemble(0xffffffff, 0n)).toMatchObject({ text: ".word 0xffffffff", length: 4, legal: false });
});
