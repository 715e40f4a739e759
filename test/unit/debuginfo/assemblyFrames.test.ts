import { expect, test } from "vitest";
import { assemblyCaller, type Ending } from "../../../src/debuginfo/assemblyFrames.ts";
import type { ElfFile } from "../../../src/debuginfo/elf.ts";
import { loadCore } from "../../../src/env/node/core.ts";
import { Machine } from "../../../src/machine/machine.ts";
import { assemble } from "../../support/assembler.ts";
import { elfOf, ramBase, smallRam } from "../../support/guest.ts";

const save = (op: string, names: string[], base: string, from = 0) =>
	names.map((name, i) => `${op} ${name}, ${from + 8 * i}(${base})`).join("\n");
const callerSaved = "ra t0 t1 t2 t3 t4 t5 t6 a0 a1 a2 a3 a4 a5 a6 a7".split(" ");
const threadRegisters = "ra sp s0 s1 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11".split(" ");
const userRegisters =
	"ra sp gp tp t0 t1 t2 s0 s1 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split(" ");

/** Code of functions as xv6s write it. */
const functions: { name: string; code: string; ending: Ending }[] = [
	{ name: "a system call's stub", code: "li a7, 5\nnop\nret", ending: "call" },
	{
		name: "kernelvec that saves what C destroys",
		code: `addi sp, sp, -128\n${save("sd", callerSaved, "sp")}\njal handler\nback:\n${save("ld", callerSaved, "sp")}\naddi sp, sp, 128\nsret`,
		ending: "supervisor trap",
	},
	{
		name: "kernelvec of 2019 that saves sp, too",
		code: `addi sp, sp, -256\nsd ra, 0(sp)\nsd sp, 8(sp)\nsd gp, 16(sp)\n${save("sd", callerSaved.slice(1), "sp", 32)}\njal handler\nback:\nld ra, 0(sp)\nld sp, 8(sp)\nld gp, 16(sp)\n${save("ld", callerSaved.slice(1), "sp", 32)}\naddi sp, sp, 256\nsret`,
		ending: "supervisor trap",
	},
	{
		name: "swtch",
		code: `${save("sd", threadRegisters, "a0")}\n${save("ld", threadRegisters, "a1")}\nret`,
		ending: "call",
	},
	{
		name: "timervec",
		code: "csrrw a0, mscratch, a0\nsd a1, 0(a0)\nsd a2, 8(a0)\nsd a3, 16(a0)\nli a1, 5\nli a2, 6\nadd a3, a3, a2\nld a3, 16(a0)\nld a2, 8(a0)\nld a1, 0(a0)\ncsrrw a0, mscratch, a0\nmret",
		ending: "machine trap",
	},
	{
		name: "uservec with the trap frame in sscratch",
		code: `csrrw a0, sscratch, a0\n${save("sd", userRegisters, "a0", 40)}\ncsrr t0, sscratch\nsd t0, 400(a0)\nld sp, 8(a0)\nld tp, 32(a0)\nld t0, 16(a0)\njr t0`,
		ending: "trap entry",
	},
	{
		name: "uservec with the trap frame at a fixed address",
		code: `csrw sscratch, a0\nli a0, 0x80080000\n${save("sd", userRegisters, "a0", 40)}\ncsrr t0, sscratch\nsd t0, 400(a0)\nld sp, 8(a0)\nld t0, 16(a0)\njr t0`,
		ending: "trap entry",
	},
];

test.each(functions)("$name tells its caller's registers at each instruction", async ({ code, ending }) => {
	const scratch = 0x80080000;
	// Every register gets a value of its own; then the function runs as a guest would run it.
	const setup = Array.from({ length: 31 }, (_, i) => `li x${i + 1}, ${0x1000 * (i + 1)}`).join("\n");
	const source = `
	start:
		li t0, ${scratch}
		csrw sscratch, t0
		csrw mscratch, t0
		${setup}
		li sp, ${scratch + 0x1000}
		li a0, ${scratch + 0x2000}
		li a1, ${scratch + 0x3000}
	function:
		${code}
	.word 0
	handler:
		li ra, 0
		li a0, 0
		la ra, back
		ret`;
	const program = assemble(source.includes("back:") ? source : source.replace("la ra, back", ""), ramBase);
	const address = (name: string) => Number(program.symbols.get(name));
	const bytes = elfOf(program.bytes, { symbols: Object.fromEntries(program.symbols) });
	const machine = await Machine.create({ kernel: bytes, memoryBytes: smallRam }, { core: await loadCore() });
	const start = address("function");
	const end = address("handler") - 4;
	const elf: Pick<ElfFile, "symbolAt" | "loaded" | "nextSymbol"> = {
		symbolAt: (at) =>
			at >= start && at < end ? { name: "f", address: start, size: 0, kind: "other", global: true } : undefined,
		nextSymbol: () => end,
		loaded: (at, length) => program.bytes.subarray(at - Number(ramBase), at - Number(ramBase) + length),
	};
	const hart = machine.harts[0] as NonNullable<(typeof machine.harts)[0]>;
	for (let i = 0; i < 2000 && hart.pc !== BigInt(start); i++) machine.run(1);
	const entry = Array.from({ length: 32 }, (_, i) => hart.register(i));
	const last = end - 4;
	let looked = 0;
	for (let i = 0; i < 200; i++) {
		if (hart.pc >= BigInt(start) && hart.pc <= BigInt(last)) {
			const caller = assemblyCaller(elf, hart.pc, {
				register: (index) => hart.register(index),
				memory: (at, size) => (size === 8 ? machine.memory.readU64(at) : undefined),
				csr: (number) => hart.csr(number),
			});
			expect(caller?.ending).toBe(ending);
			const at = program.lines.get(hart.pc);
			// What a handler in C may have destroyed is not asked for; sp and what was saved is.
			for (const index of [1, 2, 8, 9, 18, 27]) {
				expect(`${at}: x${index} ${caller?.register(index)?.toString(16)}`).toBe(
					`${at}: x${index} ${entry[index]?.toString(16)}`,
				);
			}
			expect(caller?.cfa).toBe(entry[2]);
			looked++;
		}
		if (hart.pc === BigInt(last)) break;
		machine.run(1);
	}
	expect(looked).toBeGreaterThan(2);
});
