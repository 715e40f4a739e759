import { expect, test } from "vitest";
import { parseClang, parseLinker } from "../../../src/toolchain/bundled/diagnostics.ts";
import { parseGcc } from "../../../src/toolchain/host/hostToolchain.ts";

test("clang's ranges, notes and fix-its become data and leave the text", () => {
	const said = [
		"./kernel/a.c:3:9:{3:9-3:12}: error: use of undeclared identifier 'cuont'; did you mean 'count'?",
		"    3 |   return cuont;",
		"      |          ^~~~~",
		'fix-it:"kernel/a.c":{3:9-3:14}:"count"',
		"kernel/a.c:1:5: note: 'count' declared here",
		"kernel/b.h:7:2: warning: unused variable 'x' [-Wunused-variable]",
	].join("\n");
	const { diagnostics, text } = parseClang(said, "kernel/a.c");
	expect(diagnostics).toEqual([
		{
			file: "kernel/a.c",
			line: 3,
			column: 9,
			endLine: 3,
			endColumn: 12,
			severity: "error",
			message: "use of undeclared identifier 'cuont'; did you mean 'count'?",
			notes: [{ file: "kernel/a.c", line: 1, column: 5, severity: "note", message: "'count' declared here" }],
			fixes: [{ file: "kernel/a.c", line: 3, column: 9, endLine: 3, endColumn: 14, text: "count" }],
		},
		{
			file: "kernel/b.h",
			line: 7,
			column: 2,
			severity: "warning",
			message: "unused variable 'x'",
			code: "-Wunused-variable",
		},
	]);
	expect(text).toContain("./kernel/a.c:3:9: error: use of undeclared identifier");
	expect(text).not.toMatch(/fix-it|\{3:9/);
});

test("a warning that -Werror made an error keeps its flag's own name", () => {
	const { diagnostics } = parseClang("a.c:1:1: error: unused variable 'x' [-Werror,-Wunused-variable]", "a.c");
	expect(diagnostics).toEqual([
		{ file: "a.c", line: 1, column: 1, severity: "error", message: "unused variable 'x'", code: "-Wunused-variable" },
	]);
});

test("messages without a place belong to the source; fix-its may hold quotes and newlines", () => {
	const said = ["error: unknown argument: '-x'", 'fix-it:"a\\"b.c":{1:2-1:2}:"one\\ntwo\\\\"'].join("\n");
	expect(parseClang(said, "a.c").diagnostics).toEqual([
		{
			file: "a.c",
			severity: "error",
			message: "unknown argument: '-x'",
			fixes: [{ file: 'a"b.c', line: 1, column: 2, endLine: 1, endColumn: 2, text: "one\ntwo\\" }],
		},
	]);
});

test("lld's references follow its message", () => {
	const said = [
		"ld.lld: error: undefined symbol: kalloc",
		">>> referenced by vm.c:20 (kernel/vm.c:20)",
		"ld.lld: warning: cannot find entry symbol start",
	].join("\n");
	expect(parseLinker(said)).toEqual([
		{ file: "", severity: "error", message: "undefined symbol: kalloc; referenced by vm.c:20 (kernel/vm.c:20)" },
		{ file: "", severity: "warning", message: "cannot find entry symbol start" },
	]);
});

test("gcc's and the assembler's messages become the same data", () => {
	const said = [
		"kernel/a.c: In function 'f':",
		"kernel/a.c:4:10: error: 'x' undeclared (first use in this function)",
		"kernel/a.c:4:10: note: each undeclared identifier is reported only once",
		"kernel/a.c:9:3: error: unused variable 'y' [-Werror=unused-variable]",
		"kernel/b.S:12: Error: unrecognized opcode `foo'",
		"cc1: all warnings being treated as errors",
	].join("\n");
	expect(parseGcc(said)).toEqual([
		{
			file: "kernel/a.c",
			line: 4,
			column: 10,
			severity: "error",
			message: "'x' undeclared (first use in this function)",
			notes: [
				{
					file: "kernel/a.c",
					line: 4,
					column: 10,
					severity: "note",
					message: "each undeclared identifier is reported only once",
				},
			],
		},
		{
			file: "kernel/a.c",
			line: 9,
			column: 3,
			severity: "error",
			message: "unused variable 'y'",
			code: "-Wunused-variable",
		},
		{ file: "kernel/b.S", line: 12, severity: "error", message: "unrecognized opcode `foo'" },
	]);
});
