import { expect, test } from "vitest";
import { headerContexts } from "../../src/build/headerContexts.ts";
import { logicalLines } from "../../src/build/makefile/lines.ts";
import { understandShell } from "../../src/build/makefile/shell.ts";
import { interpretLine } from "../../src/build/makefile/steps.ts";
import { utf8 } from "../../src/common/bytes.ts";
import { symbolsOf } from "../../src/extension/cSymbols.ts";
import { declaredTests } from "../../src/lab/programTests.ts";
import { lastPanic } from "../../src/session/consoleText.ts";
import { assemblyModule } from "../../src/toolchain/bundled/assembly.ts";
import { gccOnly } from "../../src/toolchain/bundled/gccOnly.ts";
import { WarningFlags } from "../../src/toolchain/bundled/gccWarnings.ts";
import { likeGcc, UnitSources } from "../../src/toolchain/bundled/likeGcc.ts";
import { hideRegisterVariables } from "../../src/toolchain/bundled/registerVariables.ts";
import { parseLd } from "../../src/toolchain/host/diagnostics.ts";
import { reachOfSources } from "../../src/toolchain/host/reach.ts";

/** Texts of a tree that is made to hold us up. Each takes minutes where the time is the square of the length, and then the test's time is over. */

const noFiles = { paths: [], text: () => undefined };
const place = { file: "Makefile", line: 1 };
const sources = (text: string) => new UnitSources(new Map([["a.c", utf8(text)]]));
const warnings = new WarningFlags(["-Wall", "-Wextra"]);

test.each([
	["gcc ".repeat(300_000), undefined],
	["gcc /dev/null ".repeat(100_000), undefined],
	[`which ${"riscv-".repeat(200_000)}`, `${"riscv-".repeat(200_000)}`],
	[`x ${"-dumpspecs ".repeat(100_000)}`, ""],
])("a command for the shell with a million characters", (command, output) => {
	expect(understandShell(command, noFiles, () => {})).toBe(output);
});

test("a line of a Makefile that is continued half a million times", () => {
	const [line] = logicalLines("a\\\n".repeat(500_000), "Makefile");
	expect(line?.text).toBe("a ".repeat(500_000));
});

test("a recipe's line with many digits, and one with many variables", () => {
	const unclear = (line: string) => interpretLine(line, place, () => false).unclear?.text;
	expect(unclear(`x${"1".repeat(1_000_000)}y`)).toHaveLength(1_000_002);
	expect(unclear(`${"A=1 ".repeat(100_000)}unknown`)).toBe("unknown");
});

test("a macro with a million blanks, and headers that include themselves and each other many times", () => {
	const both = '#include "a.h"\n#include "b.h"\n'.repeat(100);
	const files = new Map([
		["x.c", `#define A ${" ".repeat(1_000_000)}b${" ".repeat(1_000_000)}\n${both}`],
		["a.h", both],
		["b.h", both],
	]);
	const contexts = headerContexts([{ path: "x.c", folders: [] }], (path) => files.get(path));
	expect(contexts.get("a.h")).toEqual({ source: "x.c", before: [], defines: ["A=b"] });
	expect(contexts.get("b.h")?.before).toEqual(["a.h"]);
});

test("a table of tests with a million blanks", () => {
	const source = `ALL TESTS PASSED SOME TESTS FAILED {f,"f",${" ".repeat(1_000_000)};`;
	expect(declaredTests(source)).toEqual([]);
});

test("many register variables, and many words that could begin one", () => {
	const declarations = 'register int x asm("s1");\n'.repeat(50_000);
	const words = "register ".repeat(200_000);
	const hidden = hideRegisterVariables(new Map([["a.c", utf8(declarations + words)]])).get("a.c");
	expect(hidden?.length).toBeGreaterThan(declarations.length + words.length);
});

test("assembly with many comments that do not end, with many labels, and with many sections", () => {
	expect(assemblyModule("/*x".repeat(500_000), "a.S", "/")).toContain("module asm");
	expect(assemblyModule(`"\\${'#"#"\\'.repeat(300_000)}`, "a.S", "/")).toContain("module asm");
	expect(assemblyModule("a:".repeat(3_000_000), "a.S", "/")).toContain("module asm");
	const sections = Array.from({ length: 60_000 }, (_, i) => `.section s${i}\nnop\n`).join("");
	expect(assemblyModule(sections, "a.S", "/")).toContain(".Le59999:");
});

test("a warning for each line of a long file", () => {
	const count = 20_000;
	const text = `void f(void)\n{\n${"int x = 0; x = 1; // not read\n".repeat(count)}}\n`;
	const said = Array.from({ length: count }, (_, i) => ({
		file: "a.c",
		line: i + 3,
		severity: "warning" as const,
		message: "variable 'x' set but not used",
		code: "-Wunused-but-set-variable",
	}));
	const flags = new WarningFlags(["-Wall", "-Werror"]);
	expect(likeGcc(said, flags, sources(text)).filter(({ severity }) => severity === "error")).toHaveLength(count);
});

test("an operator with a million negations before it", () => {
	const said = { file: "a.c", line: 1, severity: "warning" as const, code: "-Wlogical-not-parentheses" };
	const message = "logical not is only applied to the left hand side of this bitwise operator";
	expect(likeGcc([{ ...said, message }], warnings, sources("!".repeat(1_000_000)))).toHaveLength(1);
});

test.each([
	["an expression on one line", `void f(void) { x = ${"a & b + ".repeat(100_000)}c; }`, 199_999],
	["brackets that are not closed", `void f(void) { x = ${"(a & ".repeat(100_000)}`, 0],
	["loops", `void f(void) {\n${"for (;;);\n\tx;\n".repeat(60_000)}}`, 60_000],
	["arrays", `void f(void) {\n${Array.from({ length: 60_000 }, (_, i) => `int a${i}[1];\n`).join("")}}`, 0],
	[
		"functions with formats",
		`${Array.from({ length: 30_000 }, (_, i) => `void p${i}(char *, ...);\n`).join("")}void f(void) {\n${Array.from(
			{ length: 30_000 },
			(_, i) => `p${i}("");\n`,
		).join("")}}`,
		0,
	],
])("what gcc alone warns of, in a long file: %s", (_, text, count) => {
	expect(gccOnly("a.c", text, [], warnings)).toHaveLength(count);
});

test("a file with many directives, each of which leads out of the tree", () => {
	const text = '#include "/x"\n'.repeat(100_000);
	const job = { kind: "c" as const, source: "a.c", flags: [], target: "riscv64" as const };
	expect(reachOfSources(job, new Map([["a.c", utf8(text)]])).at(-1)?.line).toBe(100_000);
});

test("a linker's message that names it many times", () => {
	expect(parseLd("ld".repeat(500_000))).toEqual([]);
});

test("a line of the console with many panics, and one that is not ended", () => {
	expect(lastPanic(" panic: x".repeat(300_000))).toBeUndefined();
});

test("declarations in the editor: many names on a line, many of an enum, blanks, braces", () => {
	const names = Array.from({ length: 100_000 }, (_, i) => `a${i}`);
	expect(symbolsOf(`int ${names.join(",")};`)).toHaveLength(100_000);
	expect(symbolsOf(`enum e { ${names.join(",").toUpperCase()} };`)).toHaveLength(100_001);
	expect(symbolsOf(`int x = ${"{}".repeat(300_000)};`)).toHaveLength(1);
	expect(symbolsOf(`struct ${" ".repeat(500_000)}s;`)).toEqual([]);
	expect(symbolsOf("a".repeat(1_000_000))).toEqual([]);
	expect(symbolsOf("/*x".repeat(500_000))).toEqual([]);
});
