import { expect, test } from "vitest";
import { ignoreRuleFor } from "../../../src/build/gitignore.ts";

// What `git check-ignore -v` says for each.
test.each([
	["mkfs", "mkfs/mkfs.c", 1],
	["*.o\nmkfs/", "mkfs/mkfs.c", 2],
	["/mkfs", "mkfs/mkfs.c", 1],
	["mkfs/mkfs", "mkfs/mkfs.c", undefined],
	["mkfs/*", "mkfs/mkfs.c", 1],
	["*.c\n!mkfs.c", "mkfs/mkfs.c", undefined],
	["# mkfs\n\n_*", "user/_sh", 3],
	["user", "kernel/user.h", undefined],
])("%j and %s", (rules, path, line) => {
	const text = (file: string) => (file === ".gitignore" ? rules : undefined);
	expect(ignoreRuleFor(path, { paths: [], text }, () => {})?.line).toBe(line);
});

test("a folder's own .gitignore counts for what is in it", () => {
	const text = (file: string) => (file === "mkfs/.gitignore" ? "*.c\n" : undefined);
	expect(ignoreRuleFor("mkfs/mkfs.c", { paths: [], text }, () => {})).toEqual({
		file: "mkfs/.gitignore",
		line: 1,
		pattern: "*.c",
	});
});

test("a rule of many stars takes no more than pattern times path", () => {
	const text = (file: string) => (file === ".gitignore" ? `${"*a".repeat(40)}b\n` : undefined);
	expect(ignoreRuleFor(`user/${"a".repeat(200)}.c`, { paths: [], text }, () => {})).toBeUndefined();
});
