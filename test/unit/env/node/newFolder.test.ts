import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { utf8 } from "../../../../src/common/bytes.ts";
import { writeNewFolder } from "../../../../src/env/node/newFolder.ts";

let root: string;
const files = new Map([
	["Makefile", utf8("all:\n")],
	["kernel/main.c", utf8("int main;\n")],
]);
/** A process that has ended: its number is not given to another one at once. */
const dead = 2 ** 22 - 3;

beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "xv6-lab-new-"));
});
afterEach(() => {
	rmSync(root, { recursive: true, force: true });
});

const all = (folder = root) => readdirSync(folder, { recursive: true }).map(String).sort();
const whole = ["Makefile", "kernel", "kernel/main.c"];

test("into a new folder, an empty one, and one with other files", async () => {
	mkdirSync(join(root, "empty"));
	mkdirSync(join(root, "used"));
	writeFileSync(join(root, "used/README"), "mine");
	for (const name of ["new/er", "empty", "used"]) await writeNewFolder(join(root, name), files);
	expect(all(join(root, "new/er"))).toEqual(whole);
	expect(all(join(root, "empty"))).toEqual(whole);
	expect(all(join(root, "used"))).toEqual(["Makefile", "README", "kernel", "kernel/main.c"]);
	expect(readdirSync(root).sort()).toEqual(["empty", "new", "used"]);
});

test("never over a file, also not over an equal one", async () => {
	await writeNewFolder(join(root, "a"), files);
	await expect(writeNewFolder(join(root, "a"), files)).rejects.toMatchObject({ code: "already-exists" });
	expect(all(join(root, "a"))).toEqual(whole);
});

test("what a killed process has gathered is taken away", async () => {
	mkdirSync(join(root, `.a.${dead}-00000000.tmp/kernel`), { recursive: true });
	mkdirSync(join(root, `.a.${process.pid}-00000000.tmp`));
	await writeNewFolder(join(root, "a"), files);
	expect(readdirSync(root).sort()).toEqual([`.a.${process.pid}-00000000.tmp`, "a"]);
});

test("what a killed process has begun is brought to its end, but not over what differs", async () => {
	mkdirSync(join(root, `.${root.split("/").at(-1)}.${dead}-00000000.tmp`));
	writeFileSync(join(root, "Makefile"), "mine\n");
	await expect(writeNewFolder(root, files)).rejects.toMatchObject({ code: "already-exists" });
	writeFileSync(join(root, "Makefile"), "all:\n");
	await writeNewFolder(root, files);
	expect(all()).toEqual(whole);
	expect(readFileSync(join(root, "kernel/main.c"), "utf8")).toBe("int main;\n");
});

test("a file in the way of the folder is said so, and nothing is left", async () => {
	writeFileSync(join(root, "a"), "");
	await expect(writeNewFolder(join(root, "a"), files)).rejects.toMatchObject({ code: "file-unwritable" });
	expect(readdirSync(root)).toEqual(["a"]);
});
