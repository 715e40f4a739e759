import { describe, expect, test } from "vitest";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import {
	callSites,
	frameBytes,
	functionBounds,
	inAtomicLoop,
	reaches,
} from "../../../src/kernelview/diagnosis/callSites.ts";
import { GuestMemory } from "../../../src/kernelview/guestMemory.ts";
import type { PhysicalMemory } from "../../../src/machine/types.ts";
import { assemble } from "../../support/assembler.ts";
import { elfWith } from "../../support/dwarf.ts";

const base = 0x80000000n;
const callee = "\ntarget:\nret\nother:\nret\nglobal:\n.dword 0\n";

/** `function` is this code; `target` and `other` are functions after it. */
function program(code: string) {
	const { bytes, symbols } = assemble(`function:\n${code}${callee}`, base);
	const at = (name: string) => Number(symbols.get(name));
	const size = (name: string, next: string) => ({ name, address: at(name), size: at(next) - at(name) });
	const elf = elfWith({
		code: bytes,
		symbols: [size("function", "target"), size("target", "other"), size("other", "global")],
	});
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const physical: PhysicalMemory = {
		...{ base, size: bytes.length, bytes: () => bytes },
		readU64: (address) => view.getBigUint64(Number(address - base), true),
		readU32: (address) => view.getUint32(Number(address - base), true),
		write: () => {},
	};
	return { symbols: new ProgramSymbols("kernel", elf), memory: new GuestMemory(physical), at, start: at("function") };
}

const toGlobal = (register: string) => `la ${register}, global`;

describe("calls of a function", () => {
	/** `callee(argument)`, where the argument is known as the global object or a constant. */
	const calls = (code: string) => {
		const { symbols, memory, start, at } = program(code);
		return callSites(symbols, memory, start).map(({ callee, argument, copy }) => {
			const unknown = copy ? `x${copy.register}+${copy.offset}` : "?";
			const text = argument === undefined ? unknown : argument === at("global") ? "global" : String(argument);
			return `${callee}(${text})`;
		});
	};
	test.each<[string, string, string[]]>([
		["none", "nop\nret", []],
		["one by jal", "jal target\nret", ["target(?)"]],
		["one far away by auipc and jalr", "1: auipc t1, 0\naddi t1, t1, target - 1b\njalr ra, 0(t1)\nret", ["target(?)"]],
		["with the address of a global object", `${toGlobal("a0")}\njal target\nret`, ["target(global)"]],
		["with a constant", "li a0, 5\njal target\nret", ["target(5)"]],
		["with a large constant", "lui a0, 0x12\njal target\nret", [`target(${0x12000})`]],
		[
			"with an object that came by another register",
			`${toGlobal("s1")}\nmv a0, s1\njal target\nret`,
			["target(global)"],
		],
		[
			"twice with an object in a register that calls keep",
			`${toGlobal("s1")}\nmv a0, s1\njal target\nmv a0, s1\njal other\nret`,
			["target(global)", "other(global)"],
		],
		[
			"of which the second finds a0 used up",
			`${toGlobal("a0")}\njal target\njal other\nret`,
			["target(global)", "other(?)"],
		],
		["after a call by pointer a0 is used up, too", `${toGlobal("a0")}\njalr ra, 0(s2)\njal other\nret`, ["other(?)"]],
		["with an argument that was computed over", `${toGlobal("a0")}\nadd a0, a0, a1\njal target\nret`, ["target(?)"]],
		["with an argument that was loaded over", `${toGlobal("a0")}\nld a0, 0(s1)\njal target\nret`, ["target(?)"]],
		[
			"with an argument that a store and a branch leave alone",
			`${toGlobal("a0")}\nsd a0, 0(s1)\nbeqz a1, 1f\n1: jal target\nret`,
			["target(global)"],
		],
		["with an offset into an object", `${toGlobal("s1")}\naddi a0, s1, 0\njal target\nret`, ["target(global)"]],
		["with a register that calls keep", "mv a0, s1\njal target\nret", ["target(x9+0)"]],
		["with an offset from such a register", "addi a0, s2, 24\njal target\nret", ["target(x18+24)"]],
		["with one that changed after it was copied", "mv a0, s1\naddi s1, s1, 1\njal target\nret", ["target(?)"]],
		["with one that calls do not keep", "mv a0, a1\njal target\nret", ["target(?)"]],
		["with a sum of two registers", "add a0, s1, s2\njal target\nret", ["target(?)"]],
		[
			"after another call a0 is no copy any more",
			"mv a0, s1\njal target\njal other\nret",
			["target(x9+0)", "other(?)"],
		],
		["as the last thing, by a jump", `${toGlobal("a0")}\nj target`, ["target(global)"]],
		["but no jump within the function", "1: j 1b\nret", []],
		["but no call into the middle of one", "jal target + 2\nret", []],
		["past data that is no instruction", ".word 0\njal target\nret", ["target(?)"]],
	])("%s", (_, code, expected) => {
		expect(calls(code)).toEqual(expected);
	});

	test("say where they are and where they return to; a second question has the same answer", () => {
		const { symbols, memory, start } = program("nop\njal target\nret");
		const sites = callSites(symbols, memory, start);
		expect(sites).toEqual([{ at: start + 4, callee: "target", returnsTo: start + 8, argument: undefined }]);
		expect(callSites(symbols, memory, start)).toBe(sites);
		expect(callSites(symbols, memory, start - 0x1000)).toEqual([]);
	});
});

test("a function reaches from its symbol to the next one", () => {
	const { symbols, start, at } = program("nop\nnop\nret");
	for (const address of [start, start + 4, start + 8])
		expect(functionBounds(symbols, address)).toEqual({ start, end: at("target") });
	expect(functionBounds(symbols, at("target"))).toEqual({ start: at("target"), end: at("other") });
	expect(functionBounds(symbols, start - 4)).toBeUndefined();
});

describe("a loop around an atomic operation", () => {
	const looks = (code: string, label = "here") => {
		const { symbols, memory, at } = program(code);
		return inAtomicLoop(symbols, memory, at(label));
	};
	test.each<[string, string, boolean]>([
		["acquire's own", "1: amoswap.w a1, a1, (a0)\nhere: bnez a1, 1b\nret", true],
		["with lr and sc", "1: lr.w a1, (a0)\nhere: sc.w a2, a3, (a0)\nbnez a2, 1b\nret", true],
		["by a jump", "1: amoswap.w a1, a1, (a0)\nhere: beqz a1, 2f\nj 1b\n2: ret", true],
		["that the place is before", "here: nop\n1: amoswap.w a1, a1, (a0)\nbnez a1, 1b\nret", false],
		["that the place is after", "1: amoswap.w a1, a1, (a0)\nbnez a1, 1b\nhere: ret", false],
		["without an atomic operation in it", "amoswap.w a1, a1, (a0)\n1: lw a1, 0(a0)\nhere: bnez a1, 1b\nret", false],
		["that is none: the branch leads on", "amoswap.w a1, a1, (a0)\nhere: bnez a1, 1f\n1: ret", false],
		["that is a call back", "1: amoswap.w a1, a1, (a0)\nhere: jal 1b\nret", false],
	])("%s", (_, code, expected) => {
		expect(looks(code)).toBe(expected);
	});
	test("of no function is none", () => {
		const { symbols, memory, start } = program("ret");
		expect(inAtomicLoop(symbols, memory, start - 0x100)).toBe(false);
	});
});

describe("a way through a function", () => {
	const way = (code: string, without: readonly string[] = []) => {
		const { symbols, memory, at } = program(code);
		return reaches(symbols, memory, { from: at("from"), to: at("to"), without: new Set(without.map(at)) });
	};
	test.each<[string, string, boolean]>([
		["straight on", "from: nop\nto: ret", true],
		["over a call, which returns", "from: jal target\nto: ret", true],
		["by a branch", "from: beqz a0, to\nret\nto: ret", true],
		["past a branch", "from: beqz a0, 1f\nto: ret\n1: ret", true],
		["by a jump", "from: j to\nret\nto: ret", true],
		["backwards round a loop", "to: nop\nfrom: bnez a0, to\nret", true],
		["not past a return", "from: ret\nto: ret", false],
		["not past a jump", "from: j 1f\nto: ret\n1: ret", false],
		["not past a jump by pointer", "from: jr a0\nto: ret", false],
		["not backwards without a loop", "to: nop\nfrom: nop\nret", false],
		["not round a loop that never leads there", "from: j from\nto: ret", false],
	])("%s", (_, code, expected) => {
		expect(way(code)).toBe(expected);
	});

	test("leads not through what is barred", () => {
		expect(way("from: nop\nbar: nop\nto: ret", ["bar"])).toBe(false);
		expect(way("from: beqz a0, 1f\nbar: nop\n1: nop\nto: ret", ["bar"])).toBe(true);
		expect(way("from: nop\nto: ret", ["to"])).toBe(false);
	});

	test("ends in the middle of the instruction that holds its end, and leaves no function", () => {
		const { symbols, memory, start, at } = program("nop\njal target\nret");
		const to = (address: number) => reaches(symbols, memory, { from: start, to: address, without: new Set() });
		expect([start + 7, start + 8, at("target")].map(to)).toEqual([true, true, false]);
		expect(reaches(symbols, memory, { from: start - 64, to: start, without: new Set() })).toBe(false);
	});
});

describe("bytes that a function takes of the stack", () => {
	test.each<[string, string, number]>([
		["none", "nop\nret", 0],
		["by addi", "addi sp, sp, -32\nsd ra, 24(sp)\naddi sp, sp, 32\nret", 32],
		["by two addi", "addi sp, sp, -2032\nsd ra, 8(sp)\naddi sp, sp, -16\nret", 2048],
		["by a large constant that is added", "addi sp, sp, -16\nlui t0, 0xffffe\nadd sp, sp, t0\nret", 8192 + 16],
		["by a large constant with a low part", "lui t0, 0xfffff\naddi t0, t0, -904\nadd sp, sp, t0\nret", 5000],
		["by a constant that is added the other way round", "lui t0, 0xffffe\nadd sp, t0, sp\nret", 8192],
		["by a small constant", "li t0, -64\nadd sp, sp, t0\nret", 64],
		["by a constant that is taken away", "lui t0, 2\nsub sp, sp, t0\nret", 8192],
		["not by what comes after a branch", "addi sp, sp, -32\nbeqz a0, 1f\naddi sp, sp, -64\n1: ret", 32],
		["not by what comes after a jump", "j 1f\n1: addi sp, sp, -64\nret", 0],
		["not by a register that is not known", "add sp, sp, t0\nret", 0],
		["not by another register's sums", "addi a0, sp, -64\naddi s0, s0, -32\nret", 0],
	])("%s", (_, code, expected) => {
		const { symbols, memory, start } = program(code);
		expect(frameBytes(symbols, memory, start)).toBe(expected);
	});
	test("of no function are none", () => {
		const { symbols, memory, start } = program("ret");
		expect(frameBytes(symbols, memory, start - 0x100)).toBe(0);
	});
});
