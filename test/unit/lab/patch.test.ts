import { expect, test } from "vitest";
import { applyPatch } from "../../../src/lab/patch.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

const files = new Map([
	["kernel/a.c", encode("one\ntwo\nthree\nfour\nfive\n")],
	["kernel/b.c", encode("alpha\nbeta\n")],
]);

test("changes several files and leaves the originals alone", () => {
	const patch = [
		"--- a/kernel/a.c",
		"+++ b/kernel/a.c",
		"@@ -1,2 +1,2 @@",
		" one",
		"-two",
		"+2",
		"@@ -4,2 +4,3 @@",
		" four",
		"+four and a half",
		" five",
		"--- kernel/b.c",
		"+++ kernel/b.c",
		"@@ -2 +1,0 @@",
		"-beta",
		"",
	].join("\n");
	const patched = applyPatch(files, patch);
	expect(decode(patched.get("kernel/a.c"))).toBe("one\n2\nthree\nfour\nfour and a half\nfive\n");
	expect(decode(patched.get("kernel/b.c"))).toBe("alpha\n");
	expect(decode(files.get("kernel/a.c"))).toBe("one\ntwo\nthree\nfour\nfive\n");
});

test("makes a new file", () => {
	const patched = applyPatch(files, "--- /dev/null\n+++ user/new.c\n@@ -0,0 +1,2 @@\n+x\n+y\n");
	expect(decode(patched.get("user/new.c"))).toBe("x\ny\n");
});

test("removed lines that look like a file header stay lines", () => {
	const patched = applyPatch(
		new Map([["s.sql", encode("-- note\nrow\n")]]),
		"--- s.sql\n+++ s.sql\n@@ -1,2 +1 @@\n--- note\n row\n",
	);
	expect(decode(patched.get("s.sql"))).toBe("row\n");
});

test("names the file and the hunk whose context does not match", () => {
	const patch = "--- kernel/b.c\n+++ kernel/b.c\n@@ -1,2 +1,2 @@\n alpha\n-gamma\n+delta\n";
	expect(() => applyPatch(files, patch)).toThrow("kernel/b.c: hunk @@ -1,2 +1,2 @@ does not match");
	expect(() => applyPatch(files, patch.replaceAll("b.c", "c.c"), "1.patch")).toThrow(
		"1.patch does not apply: it changes kernel/c.c, which is not there",
	);
	expect(() => applyPatch(files, "--- f\n+++ f\n@@ -1,2 +1,2 @@\n nonsense\n")).toThrow("does not apply");
});

test("a hunk that has moved is applied at the nearest place that matches", () => {
	const text = "same\nx\ny\nsame\nz\nsame\n";
	const at = (line: number) =>
		decode(
			applyPatch(new Map([["f", encode(text)]]), `--- f\n+++ f\n@@ -${line} +${line} @@\n-same\n+other\n`).get("f"),
		);
	expect(at(2)).toBe("other\nx\ny\nsame\nz\nsame\n");
	expect(at(3)).toBe("same\nx\ny\nother\nz\nsame\n");
	expect(at(90)).toBe("same\nx\ny\nsame\nz\nother\n");
});
