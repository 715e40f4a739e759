import { expect, test } from "vitest";
import { withAdvice } from "../../../src/build/diagnostics.ts";
import { TreeSnapshot } from "../../../src/build/snapshot.ts";
import { utf8 } from "../../../src/common/bytes.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";

async function notesOf(message: string, header: string, stubs: string) {
	const files = { "user/user.h": header, "user/usys.pl": stubs };
	const tree = new MemoryTree("tree", new Map(Object.entries(files).map(([path, text]) => [path, utf8(text)])));
	const snapshot = await TreeSnapshot.take(tree, undefined, undefined);
	const error = { file: "user/prog.c", line: 5, severity: "error", message } as const;
	return withAdvice(error, snapshot).notes?.map((note) => note.message);
}

const missing = ["undefined symbol: hello", "undefined reference to `hello'"];

test.each(missing)("a system call without a stub: %s", async (message) => {
	const notes = await notesOf(message, "int hello(void);\n", 'entry("fork");\n#entry("hello");\n');
	expect(notes).toEqual([
		expect.stringContaining('user/usys.pl has no stub for it: for a system call add entry("hello");'),
	]);
	expect(await notesOf(message, "int hello(void);\n", 'entry("hello");\n')).toBeUndefined();
	expect(await notesOf(message, "// int hello(void);\n", 'entry("fork");\n')).toBeUndefined();
});

test("a system call without a prototype", async () => {
	const message =
		"call to undeclared function 'hello'; ISO C99 and later do not support implicit function declarations";
	const notes = await notesOf(message, "int fork(void);\n", 'entry("hello");\n');
	expect(notes).toEqual([expect.stringContaining("user/user.h does not declare it: add its prototype there")]);
	expect(await notesOf(message, "int fork(void);\n", 'entry("fork");\n')).toBeUndefined();
});
