import { expect, test } from "vitest";
import { parseClang } from "../../../src/toolchain/bundled/diagnostics.ts";
import { parseGcc, parseLd } from "../../../src/toolchain/host/diagnostics.ts";
import { parseLld } from "../../../src/toolchain/lld.ts";

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

test("lld's messages stand where its references are, in the order of the text", () => {
	const said = [
		"ld.lld: error: undefined symbol: kalloc",
		">>> referenced by vm.c:20 (kernel/vm.c:20)",
		">>>               kernel/vm.o:(walk)",
		">>> referenced by proc.c:7 (kernel/proc.c:7)",
		">>>               kernel/proc.o:(allocproc)",
		"ld.lld: error: duplicate symbol: twice",
		">>> defined at trap.c:197 (kernel/trap.c:197)",
		">>>            kernel/trap.o:(twice)",
		">>> defined at vm.c:389 (kernel/vm.c:389)",
		">>>            kernel/vm.o:(.text+0xc0c)",
		"ld.lld: error: kernel/kernel.ld:3: malformed number: ;",
		">>>   . = ;",
		">>>       ^",
		"ld.lld: error: undefined symbol: main",
		">>> referenced by crt1.o",
		"ld.lld: warning: cannot find entry symbol start",
	].join("\n");
	expect(parseLld(said)).toEqual([
		{
			file: "kernel/vm.c",
			line: 20,
			severity: "error",
			message: "undefined symbol: kalloc",
			notes: [{ file: "kernel/proc.c", line: 7, severity: "note", message: "also referenced here" }],
		},
		{
			file: "kernel/vm.c",
			line: 389,
			severity: "error",
			message: "duplicate symbol: twice",
			notes: [{ file: "kernel/trap.c", line: 197, severity: "note", message: "first defined here" }],
		},
		{ file: "kernel/kernel.ld", line: 3, column: 7, severity: "error", message: "malformed number: ;" },
		{ file: "", severity: "error", message: "undefined symbol: main; referenced by crt1.o" },
		{ file: "", severity: "warning", message: "cannot find entry symbol start" },
	]);
});

test("GNU ld's messages stand at the same places", () => {
	const said = [
		"riscv64-unknown-elf-ld: kernel/vm.o: in function `kalloc2':",
		"/xv6/kernel/vm.c:389: multiple definition of `kalloc2'; kernel/trap.o:/xv6/kernel/trap.c:197: first defined here",
		"riscv64-unknown-elf-ld: kernel/vm.o: in function `badcall':",
		"/xv6/kernel/vm.c:387: undefined reference to `nosuch'",
		"riscv64-unknown-elf-ld:kernel/kernel.ld:3: syntax error",
		"riscv64-unknown-elf-ld: warning: cannot find entry symbol start; defaulting to 0000000000000000",
	].join("\n");
	expect(parseLd(said)).toEqual([
		{
			file: "kernel/vm.c",
			line: 389,
			severity: "error",
			message: "multiple definition of `kalloc2'",
			notes: [{ file: "kernel/trap.c", line: 197, severity: "note", message: "first defined here" }],
		},
		{ file: "kernel/vm.c", line: 387, severity: "error", message: "undefined reference to `nosuch'" },
		{ file: "kernel/kernel.ld", line: 3, severity: "error", message: "syntax error" },
		{
			file: "",
			severity: "warning",
			message: "cannot find entry symbol start; defaulting to 0000000000000000",
		},
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
