/**
 * Writes objdump.txt: what GNU objdump says about words of every instruction, as `word objdump's text | with aliases`.
 *   npx esbuild test/unit/riscv/recordObjdump.ts --bundle --platform=node --format=esm --outfile=dist/recordObjdump.mjs
 *   node dist/recordObjdump.mjs riscv64-unknown-elf-objdump
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compressedInstructions } from "../../../src/riscv/compressed.ts";
import { csrs } from "../../../src/riscv/csr.ts";
import { fields } from "../../../src/riscv/fields.ts";
import { instructions } from "../../../src/riscv/isa.ts";
import { Random } from "../../support/random.ts";

const random = new Random(1);
const words: number[] = [];
for (const row of instructions) {
	for (let n = 0; n < 16; n++) {
		// Every other word has a zero or equal operand, where aliases begin.
		let word = Number(random.u64() & 0xffffffffn);
		if (n % 2) word &= random.pick([~fields.rd.put(31), ~fields.rs1.put(31), ~fields.rs2.put(31), ~0xfff00000]);
		if (n % 4 === 3) word = (word & ~fields.rs2.put(31)) | fields.rs2.put(fields.rs1.get(word));
		if (row.kind === "csr") word = (word & 0xfffff) | fields.csr.put(random.pick(csrs).number);
		// objdump knows fences without reserved fields, and exact conversions with rm 0 only.
		if (row.mnemonic === "fence") word &= 0x0ff00000;
		if (row.mnemonic === "fence.i") word = 0;
		if (row.operands.endsWith("rm0?")) word &= ~fields.rm.put(7);
		words.push(((word & ~row.mask) | row.match) >>> 0);
	}
}
const halves: number[] = [];
for (const row of compressedInstructions) {
	for (let n = 0; n < 16; n++) {
		const half = (random.below(0x10000) & ~row.mask) | row.match;
		if (row.expand(half) !== undefined) halves.push(half);
	}
}

const [objdump = "riscv64-unknown-elf-objdump"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "objdump-"));

function disassemble(bytes: Uint8Array, options: string[]): string[] {
	const file = join(folder, "code.bin");
	writeFileSync(file, bytes);
	const output = execFileSync(objdump, ["-D", "-b", "binary", "-m", "riscv:rv64", ...options, file], {
		encoding: "utf8",
	});
	return [...output.matchAll(/^\s*[0-9a-f]+:\s+[0-9a-f]+\s+(\S+)[ \t]*([^#<\n]*)/gm)].map(([, mnemonic, operands]) =>
		`${mnemonic} ${operands}`.trim(),
	);
}

const wordBytes = new Uint8Array(Uint32Array.from(words).buffer);
const halfBytes = new Uint8Array(Uint16Array.from(halves).buffer);
const [plain, aliased] = [disassemble(wordBytes, ["-M", "no-aliases"]), disassemble(wordBytes, [])];
const short = disassemble(halfBytes, []);
const lines = words.map((word, n) => `${word.toString(16).padStart(8, "0")} ${plain[n]} | ${aliased[n]}`);
lines.push(...halves.map((half, n) => `${half.toString(16).padStart(4, "0")} ${short[n]} | ${short[n]}`));
writeFileSync("test/unit/riscv/objdump.txt", `${lines.join("\n")}\n`);
