import { describe, expect, test } from "vitest";
import { ElfFile } from "../../../src/debuginfo/elf.ts";
import { describePlace, ProgramSymbols, Symbolizer } from "../../../src/debuginfo/symbolizer.ts";
import { bytes, type ElfSpec, elfWith } from "../../support/dwarf.ts";

const base = 0x80000000;
const open = (spec: ElfSpec) => new ElfFile(elfWith(spec));

describe("a file", () => {
	const good = elfWith({});
	const changed = (at: number, ...list: number[]) => {
		const copy = good.slice();
		copy.set(list, at);
		return copy;
	};
	test.each<[string, Uint8Array, string]>([
		["that is empty", new Uint8Array(), "This is not an ELF file"],
		["with another magic", changed(0, 0x7e), "This is not an ELF file"],
		["that ends inside of its header", good.slice(0, 63), "the file ends inside its header"],
		["of 32 bits", changed(4, 1), "This is not a 64-bit little-endian ELF file"],
		["for the other byte order", changed(5, 2), "This is not a 64-bit little-endian ELF file"],
		["for another processor", changed(18, 62), "This ELF file is not for RISC-V"],
		[
			"whose program headers are elsewhere",
			changed(32, 0xff, 0xff, 0xff),
			"the program headers are past the end of the file",
		],
		[
			"whose section headers are elsewhere",
			changed(40, 0xff, 0xff, 0xff),
			"the section headers are past the end of the file",
		],
	])("%s is refused", (_, file, message) => {
		expect(() => new ElfFile(file)).toThrow(message);
	});

	test("says where it starts, and what it loads", () => {
		const elf = open({ code: bytes().u8(1, 2, 3, 4).bytes, entry: base + 2 });
		expect(elf.entry).toBe(base + 2);
		expect(elf.segments).toMatchObject([{ flags: 7, address: base, physical: base, fileSize: 4, memorySize: 0x104 }]);
		expect([...(elf.loaded(base, 4) ?? [])]).toEqual([1, 2, 3, 4]);
		expect([...(elf.loaded(base + 3, 8) ?? [])]).toEqual([4]);
		// What is only in memory is zeros, and not in the file.
		expect([base - 1, base + 4, base + 0x80].map((at) => elf.loaded(at, 1))).toEqual([undefined, undefined, undefined]);
	});

	test("has sections by name; what is empty in the file or compressed has no content", () => {
		const elf = open({
			sections: { ".debug_str": bytes().text("hi") },
			more: [
				{ name: ".bss", bytes: new Uint8Array(), type: 8, flags: 3, address: base + 0x1000, size: 0x4000_0000 },
				{ name: ".debug_line", bytes: new Uint8Array(24), flags: 0x800 },
			],
		});
		expect([...(elf.data(".debug_str") ?? [])]).toEqual([0x68, 0x69, 0]);
		expect(elf.section(".bss")).toMatchObject({ address: base + 0x1000, size: 0x4000_0000 });
		expect([".bss", ".debug_line", ".nothing"].map((name) => elf.data(name))).toEqual([
			undefined,
			undefined,
			undefined,
		]);
	});

	test("whose section is longer than the file is damage where somebody reads it", () => {
		const elf = open({ more: [{ name: ".debug_str", bytes: new Uint8Array(4), size: 0x10000 }] });
		expect(() => elf.data(".debug_str")).toThrow(".debug_str ends inside an entry");
	});
});

describe("symbols", () => {
	test("name functions and objects; what names no address of the program is left out", () => {
		const elf = open({
			symbols: [
				{ name: "main", address: base, size: 16 },
				{ name: "ticks", address: base + 0x40, size: 4, type: 1 },
				{ name: "etext", address: base + 0x80, type: 0 },
				{ name: "static", address: base + 0x10, size: 4, local: true },
				{ name: "proc.c", address: 0, type: 4 },
				{ name: ".text", address: base, type: 3 },
				{ name: "elsewhere", address: 0, section: 0 },
				{ name: "$x", address: base, type: 0 },
				{ name: ".Lpcrel", address: base, type: 0 },
				{ name: "", address: base },
				{ name: "tls", address: 0, type: 6 },
			],
		});
		expect(
			elf.symbols.map(({ name, address, size, kind, global }) => [name, address - base, size, kind, global]),
		).toEqual([
			["main", 0, 16, "function", true],
			["ticks", 0x40, 4, "object", true],
			["etext", 0x80, 0, "other", true],
			["static", 0x10, 4, "function", false],
		]);
		expect(elf.symbol("ticks")?.address).toBe(base + 0x40);
		expect(elf.symbol("none")).toBeUndefined();
	});

	const elf = open({
		symbols: [
			{ name: "outer", address: base, size: 0x40 },
			{ name: "inner", address: base + 8, size: 8 },
			{ name: "local", address: base + 0x50, size: 8, local: true },
			{ name: "global", address: base + 0x50, size: 8 },
			{ name: "assembly", address: base + 0x80, type: 0 },
			{ name: "shorter", address: base + 0x60, size: 4 },
			{ name: "longer", address: base + 0x60, size: 16 },
			{ name: "_trampoline", address: base + 0x90, type: 0 },
			{ name: "uservec", address: base + 0x90, type: 0 },
			{ name: "trampoline", address: base + 0x90, type: 0 },
		],
		more: [{ name: ".data", bytes: new Uint8Array(0x100), flags: 3, address: base + 0x1000 }],
	});
	test.each<[number, string | undefined]>([
		[-1, undefined],
		[0, "outer"],
		[7, "outer"],
		[8, "inner"],
		[15, "inner"],
		[16, "outer"],
		[0x3f, "outer"],
		[0x40, undefined],
		[0x50, "global"],
		[0x58, undefined],
		[0x60, "longer"],
		[0x6f, "longer"],
		[0x70, undefined],
		[0x80, "assembly"],
		[0x8f, "assembly"],
		// The routine that begins a place, not the place.
		[0x90, "uservec"],
		[0xff, "uservec"],
		// Its section ends there.
		[0x100, undefined],
		[0x1000, undefined],
	])("at %i: %s", (offset, name) => {
		expect(elf.symbolAt(base + offset)?.name).toBe(name);
	});

	test("end where the next one begins, or their section ends", () => {
		expect([0, 8, 0x50, 0x80].map((offset) => (elf.nextSymbol(base + offset) as number) - base)).toEqual([
			8, 0x50, 0x60, 0x90,
		]);
		expect(elf.nextSymbol(base + 0x100)).toBeUndefined();
		expect(elf.nextSymbol(base - 1)).toBeUndefined();
		expect(elf.nextSymbol(base + 0x1000)).toBe(base + 0x1100);
	});

	test("of a file without a table are none", () => {
		const file = elfWith({});
		new DataView(file.buffer).setUint16(60, 0, true);
		const bare = new ElfFile(file);
		expect(bare.symbols).toEqual([]);
		expect(bare.symbolAt(base)).toBeUndefined();
	});
});

describe("a program's names", () => {
	const symbols = [
		{ name: "main", address: base, size: 16 },
		{ name: "ticks", address: base + 0x40, size: 4, type: 1 },
	];
	test("without debug information are symbols, and it says so", () => {
		const program = new ProgramSymbols("kernel", elfWith({ symbols }));
		expect(program.problem).toBe("kernel was built without debug information (-ggdb)");
		expect(program.symbol("ticks")).toBe(base + 0x40);
		expect(program.symbolAt(base + 4)).toEqual({ name: "main", offset: 4 });
		expect(program.symbolAt(base + 0x20)).toBeUndefined();
		expect(program.place(base + 4)).toEqual({ address: base + 4, symbol: "main", offset: 4, function: "main" });
		expect(program.place(base + 4)).toBe(program.place(base + 4));
		expect(program.segments).toHaveLength(1);
		expect(program.section(".text")?.address).toBe(base);
	});

	test("that cannot be read are none, and say why; what is no such error is thrown", () => {
		const program = new ProgramSymbols("sh", new Uint8Array(4));
		expect(program.problem).toContain("This is not an ELF file");
		expect(program.elf).toBeUndefined();
		expect([program.symbol("main"), program.symbolAt(0), program.section(".text")]).toEqual([
			undefined,
			undefined,
			undefined,
		]);
		expect(program.segments).toEqual([]);
		expect(program.place(0)).toEqual({ address: 0 });
		const defect = () => program.attempt(() => (undefined as unknown as { x: number }).x);
		expect(defect).toThrow(TypeError);
	});

	test("with damaged debug information keep their symbols", () => {
		const program = new ProgramSymbols(
			"kernel",
			elfWith({ symbols, sections: { ".debug_info": bytes().u8(1, 2, 3) } }),
		);
		expect(program.info).toBeUndefined();
		expect(program.problem).toContain("debug information is damaged");
		expect(program.symbolAt(base)?.name).toBe("main");
	});
});

test("an address is the kernel's above its base, the running program's below, and nobody's beyond", () => {
	const kernel = new ProgramSymbols("kernel", elfWith({ symbols: [{ name: "main", address: base, size: 16 }] }));
	const user = elfWith({ address: 0, symbols: [{ name: "start", address: 0, size: 16 }] });
	let asked = 0;
	const elfOf = (name: string) => {
		asked++;
		return name === "sh" ? user : undefined;
	};
	const symbolizer = new Symbolizer(kernel, elfOf, base);
	expect(symbolizer.place(BigInt(base), "sh")?.symbol).toBe("main");
	expect(symbolizer.place(BigInt(base + 0x80), "sh")).toBeUndefined();
	expect(symbolizer.place(4n, "sh")).toMatchObject({ symbol: "start", offset: 4 });
	expect(symbolizer.place(4n, undefined)).toBeUndefined();
	expect(symbolizer.place(4n, "ls")).toBeUndefined();
	expect(symbolizer.place(2n ** 38n, "sh")?.symbol).toBeUndefined();
	symbolizer.program("sh");
	symbolizer.program("sh");
	expect(asked).toBe(2);
});

test.each([
	[
		{ address: 0x80000010, symbol: "usertrap", offset: 0x1c, file: "kernel/trap.c", line: 52 },
		"usertrap+0x1c (kernel/trap.c:52)",
	],
	[{ address: 0x80000010, symbol: "usertrap", offset: 0 }, "usertrap"],
	[{ address: 0x80000010 }, "0x80000010"],
	[{ address: 0x80000010, file: "a.c", line: 1 }, "0x80000010 (a.c:1)"],
])("%j is told as %s", (place, text) => {
	expect(describePlace(place)).toBe(text);
});
