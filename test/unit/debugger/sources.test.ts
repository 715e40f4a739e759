import { describe, expect, test } from "vitest";
import { Sources } from "../../../src/debugger/sources.ts";

/** The tree's files as a client names them, and as debug information does. */
function sourcesOf(root: string): Sources {
	const sources = new Sources();
	sources.tree = { root, hasFile: (path) => path === "kernel/proc.c" };
	return sources;
}

describe("a file of the client", () => {
	test.each([
		["/home/me/xv6", "/home/me/xv6/kernel/proc.c", "kernel/proc.c"],
		["/home/me/xv6/", "/home/me/xv6/user/sh.c", "user/sh.c"],
		["C:\\xv6", "c:\\xv6\\kernel\\proc.c", "kernel/proc.c"],
		["vscode-vfs://github/mit/xv6", "vscode-vfs://github/mit/xv6/kernel/fs.h", "kernel/fs.h"],
		// Not a folder that only begins with the tree's name.
		["/home/me/xv6", "/home/me/xv6-old/deep/kernel/proc.c", "kernel/proc.c"],
		// Another checkout, or no folder at all.
		["/home/me/xv6", "/tmp/elsewhere/kernel/trap.c", "kernel/trap.c"],
		["", "/tmp/elsewhere/kernel/trap.c", "kernel/trap.c"],
		["/home/me/xv6", "trap.c", "trap.c"],
	])("with the tree in `%s`: `%s` is `%s`", (root, path, file) => {
		expect(sourcesOf(root).fileOf({ path })).toBe(file);
	});

	test("may have only a name, or nothing", () => {
		const sources = sourcesOf("/tree");
		expect([sources.fileOf({ name: "kernel/proc.c" }), sources.fileOf({}), sources.fileOf(undefined)]).toEqual([
			...["kernel/proc.c", "", ""],
		]);
	});
});

test.each([
	["/tree", "kernel/proc.c", "/tree/kernel/proc.c"],
	["/tree/", "kernel/proc.c", "/tree/kernel/proc.c"],
	["", "kernel/proc.c", "kernel/proc.c"],
	["/tree", "/usr/include/stdint.h", "/usr/include/stdint.h"],
	["vscode-vfs://github/mit/xv6", "kernel/proc.c", "vscode-vfs://github/mit/xv6/kernel/proc.c"],
])("with the tree in `%s`: the client opens `%s` as `%s`", (root, file, path) => {
	expect(sourcesOf(root).of(file)).toEqual({ name: file.replace(/^.*\//, ""), path });
});

test("what the build made cannot be opened, nor anything without a tree", () => {
	const sources = sourcesOf("/tree");
	expect([sources.has("kernel/proc.c"), sources.has("user/usys.S"), new Sources().has("kernel/proc.c")]).toEqual([
		...[true, false, false],
	]);
});

test.each([
	[true, 1],
	[false, 0],
])("lines and columns from one: %s", (fromOne, first) => {
	const sources = new Sources();
	[sources.linesFromOne, sources.columnsFromOne] = [fromOne, fromOne];
	expect([sources.lineOut(1), sources.columnOut(1), sources.lineIn(first), sources.lineIn(first + 0.5)]).toEqual([
		...[first, first, 1, 1],
	]);
});
