import { expect, test } from "vitest";
import * as layout from "../../src/machine/core/layout.ts";
import { expandCompressed } from "../../src/riscv/compressed.ts";
import { disassemble } from "../../src/riscv/disassemble.ts";
import { fields } from "../../src/riscv/fields.ts";
import { findInstruction, hasRoundingMode, instructions } from "../../src/riscv/isa.ts";
import { Random } from "../support/random.ts";
import { CoreHost } from "./coreHost.ts";

const code = 0x80200000n;
const vector = 0x80100000n;
const illegalInstruction = 2n;
const floatDirty = 0x6000n;

/** Does the table know the word (a 16-bit one in its low half), with a rounding mode that exists? */
function isListed(word: number): boolean {
	const full = (word & 3) === 3 ? word : expandCompressed(word & 0xffff);
	const instruction = full === undefined ? undefined : findInstruction(full);
	if (full === undefined || !instruction) return false;
	return !hasRoundingMode(instruction) || ![5, 6].includes(fields.rm.get(full));
}

/** Those of the words that raise an illegal-instruction exception, each run alone in machine mode with zeroed registers. */
function refused(words: readonly number[]): Set<number> {
	const host = new CoreHost(vector, 1);
	const illegal = new Set<number>();
	// One page at a time, 8 bytes for each word: what a word stores goes to low addresses, where nothing is.
	const perPage = 512;
	for (let first = 0; first < words.length; first += perPage) {
		const page = words.slice(first, first + perPage);
		host.write(code, new Uint8Array(Uint32Array.from(page.flatMap((word) => [word, 0x00010001])).buffer));
		page.forEach((word, index) => {
			for (let n = 1; n < 32; n++) host.setRegister(n, 0n);
			host.setField(layout.H_PC, code + BigInt(8 * index));
			host.setField(layout.H_MSTATUS, (0xan << 32n) | floatDirty);
			host.setField(layout.H_MTVEC, vector);
			host.setField(layout.H_MCAUSE, 0n);
			host.setField(layout.H_FFLAGS, 0n);
			host.step();
			if (host.field(layout.H_MCAUSE) === illegalInstruction && host.pc === vector) illegal.add(word);
		});
	}
	return illegal;
}

/** Modes, waiting and translation would have to be put back after these. */
const changesMode = (word: number) => ["system", "csr"].includes(findInstruction(word)?.kind ?? "");

function disagreements(words: readonly number[]): string[] {
	const illegal = refused(words);
	return words
		.filter((word) => illegal.has(word) === isListed(word))
		.map((word) => `${word.toString(16)} ${disassemble(word, 0n).text}: ${illegal.has(word) ? "refused" : "executed"}`);
}

test("every 16-bit word is executed or refused as the table says", () => {
	const halves = Array.from({ length: 0x10000 }, (_, half) => half).filter((half) => (half & 3) !== 3);
	// The upper half is the instruction behind it: a c.nop. c.ebreak traps, but not as illegal.
	expect(disagreements(halves.map((half) => (half | 0x00010000) >>> 0))).toEqual([]);
});

test("32-bit words at random, and near every instruction, are executed or refused as the table says", () => {
	const random = new Random(77);
	const word = () => Number(random.u64() & 0xffffffffn);
	const words = new Set<number>();
	for (const { mask, match } of instructions) {
		for (let n = 0; n < 60; n++) words.add(((word() & ~mask) | match) >>> 0);
		for (let bit = 0; bit < 32; bit++)
			if ((mask >>> bit) & 1) words.add((((word() & ~mask) | match) ^ (1 << bit)) >>> 0);
	}
	for (let n = 0; n < 40000; n++) words.add((word() | 3) >>> 0);
	const tried = [...words].filter((candidate) => (candidate & 3) === 3 && !changesMode(candidate));
	expect(tried.length).toBeGreaterThan(45000);
	expect(disagreements(tried)).toEqual([]);
});
