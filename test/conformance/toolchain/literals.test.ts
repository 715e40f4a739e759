import { afterAll, beforeAll, expect, test } from "vitest";
import { fromUtf8 } from "../../../src/common/bytes.ts";
import { SHF_ALLOC } from "../../../src/common/elf.ts";
import { ElfFile } from "../../../src/debuginfo/elf.ts";
import type { WasiToolchain } from "../../../src/toolchain/types.ts";
import { guestFile, levels } from "./corpus.ts";
import { buildGuest, compileUnit, openCompiler, runGuest } from "./guest.ts";

/** System V ABI, figure 4-11. */
const SHF_WRITE = 1;

let toolchain: WasiToolchain;
beforeAll(async () => {
	toolchain = await openCompiler();
});
afterAll(() => toolchain.dispose());

/** What gcc 12's build prints at -O0 and -O1; at -O2 it takes some of the literals' bytes for known. */
const expected = `vc1
vc2
vc3
mixed 48 99 103
mixed 49 99 103
mixed 50 50 103
012efg
twO
one
length 8 115
`;

test.each(levels)("what a program writes into a string literal is there, at %s", async (level) => {
	const unit = { path: "literals.c", source: guestFile("literals.c"), flags: [level, "-g"] };
	expect(await runGuest(await buildGuest(toolchain, [unit]))).toBe(expected);
});

test("literals are read-only data, those that are written to as well", async () => {
	const { object } = await compileUnit(toolchain, {
		path: "literals.c",
		source: guestFile("literals.c"),
		flags: ["-O1", "-g"],
	});
	const elf = new ElfFile(object as Uint8Array);
	const holders = elf.sections.filter(({ name, flags }) => {
		const isLoaded = (flags & SHF_ALLOC) !== 0n;
		return isLoaded && fromUtf8(elf.data(name) ?? new Uint8Array()).includes("vc0");
	});
	expect(holders).toMatchObject([{ name: ".rodata" }]);
	expect(Number(holders[0]?.flags) & SHF_WRITE).toBe(0);
});

test("a linker script that names no read-only data has the entry where QEMU starts", async () => {
	const units = [
		{ path: "crt.S", source: guestFile("crt.S") },
		{ path: "guest.c", source: guestFile("guest.c") },
		{ path: "literals.c", source: guestFile("literals.c") },
	];
	const objects = await Promise.all(
		units.map(async (unit) => ({
			path: `${unit.path}.o`,
			bytes: (await compileUnit(toolchain, unit)).object as Uint8Array,
		})),
	);
	const text = `ENTRY(_start)
SECTIONS
{
	. = 0x80000000;
	.text :
	{
		*(.text.start)
		*(.text)
	}
	. = ALIGN(0x1000);
	etext = .;
	.data : { *(.data) }
	.bss : { *(.bss) }
}
`;
	const { image } = await toolchain.link({
		flags: ["-T", "link.ld"],
		objects,
		script: { path: "link.ld", text },
		output: "elf",
		target: "riscv64",
	});
	const elf = new ElfFile(image as Uint8Array);
	expect(elf.entry).toBe(0x80000000);
	const [code, data] = [elf.section(".text"), elf.section(".rodata")].map((section) => section?.address ?? 0);
	expect(data).toBeGreaterThan(code as number);
	expect(data).toBeLessThan(elf.symbol("etext")?.address ?? 0);
	expect(await runGuest(image as Uint8Array)).toBe(expected);
});
