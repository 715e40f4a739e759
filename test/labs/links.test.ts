import { afterAll, expect, test } from "vitest";
import { type SuperBlock, superBlock } from "../../src/kernelview/fileSystem.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";
import { consoleOfOurs } from "../support/xv6Console.ts";

afterAll(closeToolchains);

/** What the inode's `short nlink` can count; to make as many names in the guest would take hours. */
const most = 0x7fff;
/** README is the first file that mkfs puts on the disk, behind "/"; `nlink` is its inode's fourth short. */
const readme = 2;
const linksAt = (disk: Uint8Array) => (superBlock(disk) as SuperBlock).inodeStart * 1024 + readme * 64 + 6;

test.each([
	{ names: most - 1, made: true },
	{ names: most, made: false },
])("a file with $names names gets one more: $made", async ({ names, made }) => {
	const output = await build(await catalog.workspace(undefined));
	const disk = output.disk?.slice() ?? new Uint8Array();
	const inode = new DataView(disk.buffer);
	expect(inode.getInt16(linksAt(disk), true)).toBe(1);
	inode.setInt16(linksAt(disk), names, true);
	const text = await consoleOfOurs({ ...output, disk }, 1, "ln README other ; rm README ; cat other");
	expect(text).not.toMatch(/panic/);
	expect(/^ln: cannot link other to README/m.test(text)).toBe(!made);
	expect(/teaching kernel/.test(text)).toBe(made);
});
