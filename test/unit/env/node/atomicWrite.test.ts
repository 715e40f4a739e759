import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { utf8 } from "../../../../src/common/bytes.ts";
import { atomicWrite } from "../../../../src/env/node/atomicWrite.ts";

let root: string;

beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "xv6-lab out-"));
});

afterEach(() => {
	chmodSync(root, 0o755);
	rmSync(root, { recursive: true, force: true });
});

test("all files are there afterwards, folders are made, nothing else is left", async () => {
	writeFileSync(join(root, "kernel"), "old");
	await atomicWrite([
		{ path: join(root, "kernel"), bytes: utf8("new") },
		{ path: join(root, "deep/er/fs.img"), bytes: utf8("image") },
	]);
	expect(readFileSync(join(root, "kernel"), "utf8")).toBe("new");
	expect(readFileSync(join(root, "deep/er/fs.img"), "utf8")).toBe("image");
	expect(readdirSync(root).sort()).toEqual(["deep", "kernel"]);
});

test("when the second file cannot be written, the first one keeps its old content", async () => {
	writeFileSync(join(root, "kernel"), "old");
	writeFileSync(join(root, "blocked"), "a file where a folder is needed");
	const files = [
		{ path: join(root, "kernel"), bytes: utf8("new") },
		{ path: join(root, "blocked/fs.img"), bytes: utf8("image") },
	];
	await expect(atomicWrite(files)).rejects.toMatchObject({ code: "file-unwritable" });
	expect(readFileSync(join(root, "kernel"), "utf8")).toBe("old");
	expect(readdirSync(root).sort()).toEqual(["blocked", "kernel"]);
});

test.skipIf(process.getuid?.() === 0)("a read-only folder is named with what to do", async () => {
	chmodSync(root, 0o555);
	await expect(atomicWrite([{ path: join(root, "kernel"), bytes: utf8("x") }])).rejects.toMatchObject({
		message: expect.stringContaining(`Cannot write ${join(root, "kernel")}: you may not write there`),
		nextStep: expect.stringContaining("--out"),
	});
});

test("a full disk is a failure with a name, not a short file", async () => {
	mkdirSync(join(root, "out"));
	const error: NodeJS.ErrnoException = Object.assign(new Error("write"), { code: "ENOSPC" });
	await expect(
		atomicWrite([{ path: join(root, "out/kernel"), bytes: utf8("x") }], async (path, bytes) => {
			writeFileSync(path, bytes.subarray(0, 1));
			throw error;
		}),
	).rejects.toMatchObject({ message: expect.stringContaining("the disk is full") });
	expect(readdirSync(join(root, "out"))).toEqual([]);
});
