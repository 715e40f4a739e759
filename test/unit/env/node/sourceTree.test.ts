import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TreeSnapshot } from "../../../../src/build/snapshot.ts";
import { fromUtf8 } from "../../../../src/common/bytes.ts";
import { MemoryTree } from "../../../../src/common/sourceTree.ts";
import { NodeTree, readRegular } from "../../../../src/env/node/sourceTree.ts";

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
		{ name: "headers", kind: "folder", linked: true },
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

describe("a stranger's tree", () => {
	let elsewhere: string;

	beforeEach(() => {
		elsewhere = mkdtempSync(join(tmpdir(), "xv6-lab elsewhere-"));
		mkdirSync(join(elsewhere, "folder"));
		writeFileSync(join(elsewhere, "secret"), "the canary");
		writeFileSync(join(elsewhere, "folder/secret.c"), "the canary");
	});
	afterEach(() => {
		rmSync(elsewhere, { recursive: true, force: true });
	});

	const refusal = { code: "outside-tree", message: expect.stringContaining("leads out of the tree") };

	test.each([
		["a link to a file", () => symlinkSync(join(elsewhere, "secret"), join(root, "linked")), "linked"],
		["a relative one", () => symlinkSync(`../${basename(elsewhere)}/secret`, join(root, "linked")), "linked"],
		[
			"a link to a link",
			() => {
				symlinkSync(join(elsewhere, "secret"), join(root, "first"));
				symlinkSync("first", join(root, "linked"));
			},
			"linked",
		],
		["a folder's link", () => symlinkSync(join(elsewhere, "folder"), join(root, "user")), "user/secret.c"],
		["a name with ..", () => undefined, () => `../${basename(elsewhere)}/secret`],
	])("%s out of it is not read", async (_, make, path) => {
		make();
		await expect(new NodeTree(root).read(typeof path === "string" ? path : path())).rejects.toMatchObject(refusal);
	});

	test("a folder's link out of it is not walked", async () => {
		symlinkSync(join(elsewhere, "folder"), join(root, "user"));
		const tree = new NodeTree(root);
		expect((await tree.list("")).map(({ name }) => name)).toEqual(["Makefile", "kernel"]);
		await expect(tree.list("user")).rejects.toMatchObject(refusal);
	});

	test("a tree that is itself reached by a link is read", async () => {
		symlinkSync(root, join(elsewhere, "tree"));
		expect(await new NodeTree(join(elsewhere, "tree")).read("Makefile")).toBeDefined();
	});

	test.skipIf(process.platform === "win32")("pipes and devices are never waited for", async () => {
		execFileSync("mkfifo", [join(root, "lab.json")]);
		symlinkSync("/dev/zero", join(root, "zero"));
		const tree = new NodeTree(root);
		await expect(tree.read("lab.json")).rejects.toMatchObject({ message: expect.stringContaining("a pipe") });
		await expect(tree.read("zero")).rejects.toMatchObject({ code: "outside-tree" });
		await expect(readRegular("/dev/zero", "zero")).rejects.toMatchObject({
			message: expect.stringContaining("device"),
		});
	});

	test("a file that is too big is not read, and the limit is named", async () => {
		writeFileSync(join(root, "kernel/huge.c"), "");
		truncateSync(join(root, "kernel/huge.c"), 2 ** 31 + 1);
		await expect(new NodeTree(root).read("kernel/huge.c")).rejects.toMatchObject({
			code: "limit-reached",
			message: expect.stringMatching(/huge\.c has 2\.0 GiB, and a file of a tree may have 64 MiB$/),
		});
	});

	test("one that nobody needs is no matter", async () => {
		writeFileSync(join(root, "kernel/huge.c"), "");
		truncateSync(join(root, "kernel/huge.c"), 2 ** 31 + 1);
		symlinkSync(join(elsewhere, "secret"), join(root, "kernel/secret.c"));
		const snapshot = await TreeSnapshot.take(new NodeTree(root), undefined, undefined);
		expect(snapshot.text("Makefile")).toBe("all:\n");
		expect(() => snapshot.source("kernel/secret.c")).toThrow("leads out of the tree");
		await expect(snapshot.load("kernel/huge.c")).rejects.toMatchObject({ code: "limit-reached" });
	});

	test("folders with links to each other are walked once each", async () => {
		const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
		for (const name of names) mkdirSync(join(root, name));
		for (const from of names) {
			writeFileSync(join(root, from, "x.c"), "");
			for (const to of names) if (to !== from) symlinkSync(`../${to}`, join(root, from, to));
		}
		const { paths } = await TreeSnapshot.take(new NodeTree(root), undefined, undefined);
		expect(paths.length).toBe(2 + names.length * names.length);
	});
});

test("a tree has so many files at most", async () => {
	const files = new Map(Array.from({ length: 50_001 }, (_, i) => [`data/${i}.txt`, new Uint8Array()]));
	await expect(TreeSnapshot.take(new MemoryTree("big", files), undefined, undefined)).rejects.toMatchObject({
		code: "limit-reached",
		message: "big has more than 50,000 files and folders (the last in data)",
	});
});

test("thousands of sources are read, a few at a time", async () => {
	mkdirSync(join(root, "data"));
	for (let i = 0; i < 5000; i++) writeFileSync(join(root, `data/${i}.c`), "");
	const { paths } = await TreeSnapshot.take(new NodeTree(root), undefined, undefined);
	expect(paths.length).toBe(5002);
});
