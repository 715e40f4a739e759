import { afterAll, beforeAll, expect, test } from "vitest";
import { sectionsOf } from "../../../src/build/elf.ts";
import { BuildSession } from "../../../src/build/session.ts";
import type { BuildOutput, BuildResult } from "../../../src/build/types.ts";
import { fromUtf8 } from "../../../src/common/bytes.ts";
import { openToolchains } from "../../../src/env/node/toolchains.ts";
import { smallKernel } from "../../support/smallKernel.ts";

let opened: Awaited<ReturnType<typeof openToolchains>>;
const session = new BuildSession();

beforeAll(async () => {
	opened = await openToolchains({ kind: "bundled" });
});

afterAll(() => {
	opened.dispose();
});

function build(changes: Record<string, string | undefined> = {}): Promise<BuildResult> {
	return session.build({ tree: smallKernel(changes), toolchain: opened.toolchain, wasi: opened.wasi });
}

function elfHeader(file: Uint8Array) {
	const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
	return { magic: view.getUint32(0), machine: view.getUint16(18, true), entry: view.getBigUint64(24, true) };
}

function program(output: BuildOutput | undefined, name: string): Uint8Array {
	return output?.programs.find((candidate) => candidate.name === name)?.elf ?? new Uint8Array(64);
}

test("the compiler inside makes RISC-V files that begin where the tree says", async () => {
	const { output, diagnostics } = await build();
	expect(diagnostics).toEqual([]);
	expect(elfHeader(output?.kernel as Uint8Array)).toEqual({ magic: 0x7f454c46, machine: 243, entry: 0x80000000n });
	expect(elfHeader(program(output, "tight")).entry).toBe(0n);
	// `start` comes after `main` in a program's text, and its script names no entry.
	expect(elfHeader(program(output, "init")).entry).toBeGreaterThan(0n);
});

test("the tree's own mkfs makes the image, in memory, of the files in their order", async () => {
	const { output } = await build();
	const disk = output?.disk as Uint8Array;
	expect(new DataView(disk.buffer, disk.byteOffset).getUint32(1024, true)).toBe(0x10203040);
	const named = (block: number) => fromUtf8(disk.subarray(block * 1024, block * 1024 + 20)).replace(/\0.*$/s, "");
	expect(named(2)).toBe("README");
	expect(named(3)).toBe("a small kernel\n");
	expect(named(4)).toBe("user/_init");
	expect(
		Buffer.from(disk.subarray(5 * 1024)).indexOf(Buffer.from(program(output, "sh").subarray(0, 1024))),
	).toBeGreaterThan(0);
});

test("programs have their functions in the symbol table, and none of the compiler's own labels", async () => {
	const { output } = await build();
	for (const elf of [output?.kernel as Uint8Array, program(output, "sh"), program(output, "init")]) {
		const sections = sectionsOf(elf);
		const symbols = sections.find(({ name }) => name === ".symtab")?.bytes ?? new Uint8Array();
		const names = sections.find(({ name }) => name === ".strtab")?.bytes ?? new Uint8Array();
		const view = new DataView(symbols.buffer, symbols.byteOffset, symbols.byteLength);
		const list = Array.from({ length: symbols.length / 24 - 1 }, (_, i) => {
			const at = 24 * (i + 1);
			const name = fromUtf8(names.subarray(view.getUint32(at, true))).replace(/\0.*$/s, "");
			return { name, info: view.getUint8(at + 4) };
		});
		expect(list.map(({ name }) => name)).toContain("main");
		expect(list.filter(({ name, info }) => info === 0 && /^(\.L|$)/.test(name))).toEqual([]);
		// Locals come first, and the header says how many (gABI 4, sh_info).
		const header = Number(new DataView(elf.buffer, elf.byteOffset).getBigUint64(0x28, true));
		const index = sections.findIndex(({ name }) => name === ".symtab");
		const locals = new DataView(elf.buffer, elf.byteOffset).getUint32(header + 64 * index + 0x2c, true);
		expect(list.findIndex(({ info }) => info >> 4 !== 0)).toBe(locals - 1);
	}
});

test("a second build of the same tree compiles nothing", async () => {
	await build();
	expect((await build()).stats).toMatchObject({ compiled: 0, linked: 0 });
});

test("an entry symbol that is not exported, or not there, means the first byte of the text, as with GNU ld", async () => {
	const entry = fromUtf8(smallKernel().files.get("kernel/entry.S") ?? new Uint8Array());
	const local = await build({ "kernel/entry.S": entry.replace(".global _entry\n", "") });
	expect(elfHeader(local.output?.kernel as Uint8Array).entry).toBe(0x80000000n);
	expect(local.diagnostics).toEqual([]);
	const absent = await build({ "kernel/entry.S": entry.replaceAll("_entry", "first") });
	expect(elfHeader(absent.output?.kernel as Uint8Array).entry).toBe(0x80000000n);
	expect(absent.diagnostics).toMatchObject([{ severity: "warning", message: expect.stringContaining("_entry") }]);
});

const cases: readonly [string, Record<string, string | undefined>, string, RegExp][] = [
	["C", { "kernel/main.c": "int\nmain(void)\n{\n  return 0\n}\n" }, "kernel/main.c:4", /expected ';'/],
	["a user program", { "user/sh.c": "int main(void) { return y; }\n" }, "user/sh.c:1", /undeclared/],
	["a header", { "user/user.h": "int fork(void)\nint exit(int);\n" }, "user/user.h:1", /expected/],
	["assembly", { "user/initcode.S": ".globl start\nstart:\n        lii a7, 2\n" }, "user/initcode.S:3", /instruction/],
	["an included header that is missing", { "kernel/entry.S": '#include "none.h"\n' }, "kernel/entry.S:1", /none\.h/],
	["the kernel's linker script", { "kernel/kernel.ld": "SECTIONS {\n" }, "kernel/kernel.ld:1", /unexpected EOF/],
	["mkfs", { "mkfs/mkfs.c": "int main(void) { return }\n" }, "mkfs/mkfs.c:1", /expected expression/],
	["the host's C library in a program", { "user/sh.c": "#include <math.h>\n" }, "user/sh.c:1", /math\.h/],
	[
		"a function that nobody defines",
		{ "kernel/disk.c": "int ready;\n" },
		"kernel/main.c:13",
		/undefined (symbol|reference).*check/,
	],
	[
		"a function defined twice",
		{ "kernel/disk.c": "int check(void) { return 1; }\nint main(void) { return 0; }\n" },
		"kernel/disk.c:2",
		/(duplicate symbol|multiple definition).*main/,
	],
];

test.each(cases)("a mistake in %s is an error at its place", async (_, changes, place, message) => {
	const { output, diagnostics } = await build(changes);
	expect(output).toBeUndefined();
	const errors = diagnostics.filter(({ severity }) => severity === "error");
	expect(errors.map(({ message: text }) => text).join("\n")).toMatch(message);
	if (place !== "") expect(errors.map(({ file, line }) => `${file}:${line}`)).toContain(place);
});

test("a mkfs that fails says its own words", async () => {
	const mkfs = '#include <stdio.h>\nint main(void) { fprintf(stderr, "no luck today\\n"); return 1; }\n';
	const { output, diagnostics } = await build({ "mkfs/mkfs.c": mkfs });
	expect(output).toBeUndefined();
	expect(diagnostics.at(-1)?.message).toBe("mkfs failed: no luck today");
});

test("programs that do not fit into the file system are named", async () => {
	const { output, diagnostics } = await build({
		"user/sh.c": "char big[220000] = { 1 };\nint main(void) { return big[7]; }\n",
	});
	expect(output).toBeUndefined();
	expect(diagnostics[0]?.message).toMatch(
		/too big for the file system: they need \d+ blocks and it has 200.*user\/_sh/,
	);
});
