import { expect, test } from "vitest";
import { renderDiagnostic, withoutRepeats } from "../../../src/build/diagnostics.ts";
import type { Diagnostic } from "../../../src/common/diagnostic.ts";

const source = ["int", "f(void)", "{", "\tint unused = g(1);", "}"];
const rendering = {
	colour: false,
	sourceLine: (file: string, line: number) => (file === "kernel/a.c" ? source[line - 1] : undefined),
	path: (file: string) => `tree/${file}`,
};

test("a message has gcc's form: place, severity, words, flag, line and caret", () => {
	const diagnostic: Diagnostic = {
		file: "kernel/a.c",
		line: 4,
		column: 6,
		endLine: 4,
		endColumn: 12,
		severity: "warning",
		message: "unused variable 'unused'",
		code: "-Wunused-variable",
	};
	expect(renderDiagnostic(diagnostic, rendering)).toBe(
		[
			"tree/kernel/a.c:4:6: warning: unused variable 'unused' [-Wunused-variable]",
			"    4 |  int unused = g(1);",
			"      |      ^~~~~~",
		].join("\n"),
	);
});

test("notes follow; what has no place in the tree has no excerpt", () => {
	const diagnostic: Diagnostic = {
		file: "Makefile",
		line: 9,
		severity: "error",
		message: "undefined symbol: g",
		notes: [{ file: "kernel/a.c", line: 4, column: 15, severity: "note", message: "used here" }],
	};
	expect(renderDiagnostic(diagnostic, rendering).split("\n")).toEqual([
		"tree/Makefile:9: error: undefined symbol: g",
		"tree/kernel/a.c:4:15: note: used here",
		"    4 |  int unused = g(1);",
		"      |               ^",
	]);
});

test("a note at the same place repeats no excerpt", () => {
	const place = { file: "kernel/a.c", line: 2, column: 1 };
	const note: Diagnostic = { ...place, severity: "note", message: "so" };
	const text = renderDiagnostic({ ...place, severity: "error", message: "m", notes: [note] }, rendering);
	expect(text.split("\n").at(-1)).toBe("tree/kernel/a.c:2:1: note: so");
});

test("an underline ends with its line", () => {
	const diagnostic: Diagnostic = {
		file: "kernel/a.c",
		line: 1,
		column: 1,
		endColumn: 99,
		severity: "error",
		message: "m",
	};
	expect(renderDiagnostic(diagnostic, rendering).split("\n")[2]).toBe("      | ^~~");
});

test("colour is only around the text, never in it", () => {
	const diagnostic: Diagnostic = { file: "kernel/a.c", line: 2, column: 1, severity: "error", message: "m" };
	const painted = renderDiagnostic(diagnostic, { ...rendering, colour: true });
	expect(painted).toContain("\u001b[1;31merror:\u001b[0m");
	expect(painted.replace(/\u001b\[[\d;]*m/g, "")).toBe(renderDiagnostic(diagnostic, rendering));
});

test("repeats of one place are one, equal words at another place are not", () => {
	const one: Diagnostic = { file: "a.h", line: 1, severity: "error", message: "m" };
	expect(withoutRepeats([one, { ...one }, { ...one, line: 2 }])).toEqual([one, { ...one, line: 2 }]);
});
