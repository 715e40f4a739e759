import { expect, test } from "vitest";
import { gccOnly } from "../../../src/toolchain/bundled/gccOnly.ts";
import { WarningFlags } from "../../../src/toolchain/bundled/gccWarnings.ts";

/** `line: what`, with `-Wall -Werror` unless other flags are given. */
function said(source: string, flags = ["-Wall", "-Werror"], headers: readonly string[] = []): string[] {
	return gccOnly("a.c", source, headers, new WarningFlags(flags)).map(
		({ line, code, severity }) => `${line}: ${code?.slice(2)}${severity === "error" ? "" : ` ${severity}`}`,
	);
}

// Each verdict is that of gcc 12.2 with these flags.
test.each([
	["int f(int a, int b) { return a & b + 1; }", ["1: parentheses"]],
	["int f(int a, int b) {\n  return a\n    | b - 1;\n}", ["3: parentheses"]],
	["int f(int a, int b) { return a ^ b * 2 + 1; }", ["1: parentheses"]],
	["int f(int a, int b) { return a + 1 & b; }", ["1: parentheses"]],
	["int f(long a) { return (long)a & 4096 - 1; }", ["1: parentheses"]],
	["int f(int a, int b) { return a & -b; }", []],
	["int f(int a, int b) { return a & (b + 1); }", []],
	["int f(int a, int b) { return a + b << 1; }", []],
	["int f(int a, int b) { return a & b << 1; }", []],
	["long f(long a) { return (long)-1 & a; }", []],
	["int f(int a, int *b) { return a + *b; }", []],
	["int g(int *, int); int f(int a, int b) { return g(&a, b + 1); }", []],
	["int f(int a, int b) { return a && b + 1; }", []],
	["#define BITS (x & y + 1)\nint f(int x) { return x; } // a & b + 1", []],
])("sums in bit operations: %j", (source, expected) => {
	expect(said(source)).toEqual(expected);
});

test.each([
	["int f(int b) { int a[4]; a[0] = b; return 1; }", ["1: unused-but-set-variable"]],
	[
		"int f(int b) {\n  int a[4][2];\n  for(int i = 0; i < 4; i++)\n    a[i][1] = b;\n  return 1;\n}",
		["2: unused-but-set-variable"],
	],
	["struct s { int x; }; int f(int b) { struct s a[4]; a[0].x = b; return 1; }", ["1: unused-but-set-variable"]],
	["int f(int b) { int a[4]; return a[0] = b; }", []],
	["int g(int *); int f(int b) { int a[4]; a[0] = b; return g(a); }", []],
	["int f(int b) { int a[4]; a[0] = b; return a[1]; }", []],
	["int a[4]; void f(int b) { a[0] = b; }", []],
	["void f(int b) { extern int a[4]; a[0] = b; }", []],
])("arrays that are only stored: %j", (source, expected) => {
	expect(said(source)).toEqual(expected);
});

test.each([
	["int g(int);\nvoid f(int b) {\n  for(int i = 0; i < b; i++);\n    g(b);\n}", ["3: misleading-indentation"]],
	["int g(int);\nvoid f(int b) {\n  while(b--);\n    g(b);\n}", ["3: misleading-indentation"]],
	["int g(int);\nvoid f(int b) {\n  while(b--); g(b);\n}", ["3: misleading-indentation"]],
	["int g(int);\nvoid f(int b) {\n  while(b--);\n  g(b);\n}", []],
	["int g(int);\nvoid f(int b) {\n\twhile(b--);\n        g(b);\n}", []],
	["int g(int);\nvoid f(int b) {\n    while(b--);\n\tg(b);\n}", ["3: misleading-indentation"]],
	["int g(int);\nvoid f(int b) {\n  if(b) while(b--); else g(b);\n}", []],
	["int g(int);\nvoid f(int b) { for(; b--;); g(b); }", []],
	["int g(int);\nvoid f(int b) {\n  while(b--);;\n}", []],
	["int g(int);\nvoid f(int b) {\n  while(b--)\n    ;\n    g(b);\n}", []],
	["int g(int);\nvoid f(int b) {\n  do g(b); while(b--); g(b);\n}", []],
	["int g(int);\nvoid f(int b) {\n  do {\n    g(b);\n  } while(b--); g(b);\n}", []],
])("loops without a body: %j", (source, expected) => {
	expect(said(source)).toEqual(expected);
});

test("an empty format is one of a function that a header declares so", () => {
	const source = 'void f(void) { printf(""); panic(""); }';
	const header = "void printf(char*, ...) __attribute__ ((format (printf, 1, 2)));\nvoid panic(char*);\n";
	expect(said(source, ["-Wall", "-Werror"], [header])).toEqual(["1: format-zero-length"]);
	expect(said(source, ["-Wall", "-Werror"], ["void printf(char*, ...);\n"])).toEqual([]);
});

test("flags decide as for every warning", () => {
	const source = "int f(int a, int b) { return a & b + 1; }";
	expect(said(source, ["-Wall"])).toEqual(["1: parentheses warning"]);
	expect(said(source, ["-Werror"])).toEqual([]);
	expect(said(source, ["-Wall", "-Werror", "-Wno-parentheses"])).toEqual([]);
	expect(said(source, ["-Wall", "-Werror", "-Wno-error=parentheses"])).toEqual(["1: parentheses warning"]);
});
