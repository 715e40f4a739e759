import { afterAll, beforeAll, expect, test } from "vitest";
import { SHF_EXECINSTR } from "../../../src/common/elf.ts";
import { ElfFile } from "../../../src/debuginfo/elf.ts";
import { disassemble } from "../../../src/riscv/disassemble.ts";
import type { WasiToolchain } from "../../../src/toolchain/types.ts";
import { compileUnit, openCompiler } from "./guest.ts";

let toolchain: WasiToolchain;
beforeAll(async () => {
	toolchain = await openCompiler();
});
afterAll(() => toolchain.dispose());

/** gcc 12 says nothing about these with -Wall -O; clang has a warning for each. */
const accepted: Readonly<Record<string, string>> = {
	"align-mismatch": "typedef int wide __attribute__((aligned(64))); void g(wide *); void f(int *p) { g(p); }",
	"array-bounds": "unsigned a[13]; int f(void) { return a[257]; }",
	"c23-extensions": "int f(int a) { switch(a) { case 1: int b = 1; return b; } return 0; }",
	"constant-logical-operand": "int f(int a) { return a || 0x40; }",
	"deprecated-non-prototype": "int g(); int f(void) { return g(1, 2); }",
	"empty-body": "int f(int a) { for(a = 0; a < 3; a++); return a; }",
	"for-loop-analysis": "void g(int); void f(int n) { int j = 0; for(int i = 0; i < n; j++) g(j); }",
	"implicit-enum-enum-cast": "enum a { A }; enum b { B }; enum a f(enum b x) { return x; }",
	"initializer-overrides": "int q[3] = { [0] = 1, [0] = 2 };",
	"literal-conversion": "int f(void) { int a = 1.5; return a; }",
	"logical-not-parentheses": "int f(int a) { return !a & 1; }",
	"null-dereference": "void f(void) { *(int*)0 = 1; }",
	"parentheses-equality": "int f(int a) { if((a == 3)) return 1; return 0; }",
	"self-assign": "int f(int a) { a = a; return a; }",
	"single-bit-bitfield-constant-conversion": "struct s { int a : 1; }; void f(struct s *s) { s->a = 1; }",
	"sizeof-pointer-memaccess":
		"struct p { int a[9]; }; void *memset(void*, int, unsigned long); void f(struct p *p) { memset(p, 0, sizeof(p)); }",
	"sometimes-uninitialized": "int f(int a) { int b; if(a) b = 1; return b; }",
	"string-plus-int": 'char *f(int a) { return "abc" + a; }',
	"tautological-constant-out-of-range-compare": "int f(unsigned s) { return s > 0x4000000000L; }",
	"tautological-overlap-compare": "int f(int a) { return a > 5 && a < 3; }",
	"unknown-attributes": '__attribute__((optimize("O0"))) void f(void) {}',
	"unknown-pragmas": '#pragma GCC optimize ("O0")\nvoid f(void) {}',
	"unused-function": "static inline int g(void) { return 1; } int f(void) { return 2; }",
};

test.each(Object.entries(accepted))("%s is a warning, also with -Werror", async (warning, source) => {
	const flags = ["-Wall", "-Werror", "-O", "-ffreestanding"];
	const job = { kind: "c", source: "a.c", flags, target: "riscv64" } as const;
	const { object, diagnostics } = await toolchain.compile(job, {
		read: (path) => (path === "a.c" ? new TextEncoder().encode(`${source}\n`) : undefined),
	});
	expect(object).toBeDefined();
	expect(diagnostics).toMatchObject([{ severity: "warning", code: `-W${warning}` }]);
});

// gcc 12 says the same of each.
test.each([
	["#define LOCAL static inline\nLOCAL int g(void) { return 1; }", "warning"],
	['#include "a.h"\nLOCAL int\ng(void) { return 1; }', "warning"],
	["static __inline__ int g(void) { return 1; }", "warning"],
	["#define LOCAL static\nLOCAL int g(void) { return 1; }", "error"],
])("a function that is not used: %j", async (source, severity) => {
	const files = new Map([
		["a.c", `${source}\nint f(void) { return 2; }\n`],
		["a.h", "#define LOCAL static inline\n"],
	]);
	const job = { kind: "c", source: "a.c", flags: ["-Wall", "-Werror"], target: "riscv64" } as const;
	const { diagnostics } = await toolchain.compile(job, {
		read: (path) => {
			const text = files.get(path);
			return text === undefined ? undefined : new TextEncoder().encode(text);
		},
	});
	expect(diagnostics).toMatchObject([{ severity, code: "-Wunused-function" }]);
});

test.each(["-O1", "-O2"])("neighbouring device registers get a store each at %s", async (level) => {
	const source = `
		void f(void) { *(unsigned*)0xc002080 = 1026; *(unsigned*)0xc002084 = 0xffffffff; }
		void g(unsigned *r) { r[0] = 0; r[1] = 0; }`;
	const { object } = await compileUnit(toolchain, { path: "a.c", source, flags: [level] });
	const elf = new ElfFile(object as Uint8Array);
	const text = elf.sections.filter(({ flags, size }) => (flags & SHF_EXECINSTR) !== 0n && size > 0);
	const stores = text.flatMap(({ offset, size }) => {
		const found: string[] = [];
		for (let at = 0; at < size; ) {
			const view = new DataView(elf.bytes.buffer, elf.bytes.byteOffset + offset + at);
			const word = at + 4 <= size ? view.getUint32(0, true) : view.getUint16(0, true);
			const { length, text } = disassemble(word, BigInt(at));
			if (/^s[bhwd] /.test(text) && !/\((sp|s0)\)/.test(text)) found.push(text.slice(0, 2));
			at += length;
		}
		return found;
	});
	expect(stores).toEqual(["sw", "sw", "sw", "sw"]);
});

test.each(["-O0", "-O1", "-O2"])(
	"a global register variable keeps its value from call to call at %s",
	async (level) => {
		const source = `
		register int mark asm("s11");
		void set(int a) { mark = a; }
		int get(void) { return mark; }
		int work(int *p) { int a = p[0], b = p[1], c = p[2]; set(a + b); return get() + a * b * c; }`;
		const { object } = await compileUnit(toolchain, { path: "a.c", source, flags: [level] });
		const elf = new ElfFile(object as Uint8Array);
		const lines = elf.sections
			.filter(({ flags, size }) => (flags & SHF_EXECINSTR) !== 0n && size > 0)
			.flatMap(({ offset, size }) => {
				const found: string[] = [];
				for (let at = 0; at < size; ) {
					const view = new DataView(elf.bytes.buffer, elf.bytes.byteOffset + offset + at);
					const word = at + 4 <= size ? view.getUint32(0, true) : view.getUint16(0, true);
					const { length, text } = disassemble(word, BigInt(at));
					found.push(text);
					at += length;
				}
				return found;
			});
		const used = lines.filter((line) => line.includes("s11"));
		expect(used.filter((line) => line.startsWith("mv s11"))).not.toEqual([]);
		expect(used.filter((line) => /^mv \w+,\s*s11/.test(line))).not.toEqual([]);
		// Nobody saves it, and nobody has it for himself.
		expect(used.filter((line) => !line.startsWith("mv"))).toEqual([]);
	},
);
