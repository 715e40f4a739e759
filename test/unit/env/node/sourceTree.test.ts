import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fromUtf8 } from "../../../../src/common/bytes.ts";
import { NodeTree } from "../../../../src/env/node/sourceTree.ts";

let root: string;

beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "xv6-lab tree-"));
	mkdirSync(join(root, "kernel"));
	writeFileSync(join(root, "kernel/main.c"), "int main;\n");
	writeFileSync(join(root, "Makefile"), "all:\n");
});

afterEach(() => {
	rmSync(root, { recursive: true, force: true });
});

test("files and folders come in name order", async () => {
	const tree = new NodeTree(root);
	expect(await tree.list("")).toEqual([
		{ name: "Makefile", kind: "file" },
		{ name: "kernel", kind: "folder" },
	]);
	expect(fromUtf8((await tree.read("kernel/main.c")) as Uint8Array)).toBe("int main;\n");
});

test("what is not there is undefined or empty", async () => {
	const tree = new NodeTree(root);
	expect(await tree.read("kernel/none.c")).toBeUndefined();
	expect(await tree.read("Makefile/none.c")).toBeUndefined();
	expect(await tree.list("none")).toEqual([]);
});

test("links to files and folders are followed, loops and dead ends are left out", async () => {
	mkdirSync(join(root, "user"));
	symlinkSync(join(root, "kernel/main.c"), join(root, "user/linked.c"));
	symlinkSync(join(root, "kernel"), join(root, "user/headers"));
	symlinkSync("..", join(root, "user/up"));
	symlinkSync(".", join(root, "user/self"));
	symlinkSync("round", join(root, "user/round"));
	symlinkSync("gone", join(root, "user/dead"));
	const tree = new NodeTree(root);
	expect(await tree.list("user")).toEqual([
		{ name: "headers", kind: "folder" },
		{ name: "linked.c", kind: "file" },
	]);
	expect(await tree.read("user/round")).toBeUndefined();
});

test.skipIf(process.getuid?.() === 0)("a file that may not be read is a typed error with its path", async () => {
	chmodSync(join(root, "kernel/main.c"), 0);
	await expect(new NodeTree(root).read("kernel/main.c")).rejects.toMatchObject({
		code: "file-unreadable",
		position: { file: join(root, "kernel/main.c") },
	});
});

test("a folder where a file is wanted is a typed error", async () => {
	await expect(new NodeTree(root).read("kernel")).rejects.toMatchObject({ code: "file-unreadable" });
});
