/** Where variables and texts lie, as far as programs of courses look at it: as gcc and GNU ld put them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { sectionHeadersOf, symbolsOf } from "../../../src/common/elf.ts";
import type { Toolchain } from "../../../src/toolchain/types.ts";
import { compileUnit, openCompiler } from "./guest.ts";

const script = `SECTIONS {
	.text 0x1000 : { *(.text .text.*) }
	.rodata : { *(.srodata .srodata.* .rodata .rodata.*) }
	.bss : { *(.sbss .sbss.*) *(.bss .bss.*) }
}`;
const words = ["This may help.", "This, too.", "0123456789ABCDEF", "usage: a b", "%s\\n", "failed", "(null)", "grep"];

let toolchain: Toolchain & { dispose(): void };
let image: Uint8Array;

beforeAll(async () => {
	toolchain = (await openCompiler()) as typeof toolchain;
	const first = words.slice(0, 4).map((word) => `say("${word}");`);
	const second = words.slice(4).map((word) => `say("${word}");`);
	const units = [
		{
			path: "a.c",
			source: `void say(const char *); void b(void);
char data[4096]; void *small; static int tiny;
int _start(void) { ${first.join(" ")} b(); data[5] = 1; return tiny++ + (small != 0); }`,
		},
		{ path: "b.c", source: `void say(const char *); void b(void) { ${second.join(" ")} }` },
		{ path: "c.c", source: "char other[100]; void say(const char *p) { other[0] = *p; }" },
	];
	const objects = await Promise.all(
		units.map(async (unit) => {
			const { object } = await compileUnit(toolchain, { ...unit, flags: ["-O1", "-fno-builtin", "-fno-common"] });
			return { path: unit.path.replace(".c", ".o"), bytes: object as Uint8Array };
		}),
	);
	const { image: linked, text } = await toolchain.link({
		flags: ["-T", "a.ld"],
		objects,
		script: { path: "a.ld", text: script },
		output: "elf",
		target: "riscv64",
	});
	expect(linked, text).toBeDefined();
	image = linked as Uint8Array;
});
afterAll(() => toolchain.dispose());

test("texts stand in the order of the sources, and of the objects", () => {
	const bytes = Buffer.from(image).toString("latin1");
	const places = words.map((word) => bytes.indexOf(`${word.replace("\\n", "\n")}\0`));
	expect(places.every((place) => place > 0)).toBe(true);
	expect(places).toEqual([...places].sort((a, b) => a - b));
});

test("variables of up to eight bytes come before the larger ones", () => {
	const headers = sectionHeadersOf(image) ?? [];
	const table = headers.find(({ type }) => type === 2);
	const names = headers[table?.link ?? 0];
	if (!table || !names) throw new Error("no symbols");
	const places = new Map(
		(symbolsOf(image, table) ?? []).map((symbol) => {
			const from = Number(names.offset) + symbol.name;
			return [Buffer.from(image.subarray(from, image.indexOf(0, from))).toString(), symbol.value] as const;
		}),
	);
	for (const small of ["small", "tiny"])
		for (const large of ["data", "other"])
			expect(Number(places.get(small)), `${small} before ${large}`).toBeLessThan(Number(places.get(large)));
});
