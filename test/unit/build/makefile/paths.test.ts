import { describe, expect, test } from "vitest";
import { matchingPaths } from "../../../../src/build/makefile/paths.ts";

const paths = ["Makefile", ".hidden", "a.c", "ab.c", "b.S", "user/.x.c", "user/a.c", "user/lib/a.c"];

// What bash's globs give in such a folder.
describe("file name patterns of the shell", () => {
	test.each([
		["*", ["Makefile", "a.c", "ab.c", "b.S"]],
		["*.c", ["a.c", "ab.c"]],
		["?.c", ["a.c"]],
		["*b*", ["ab.c", "b.S"]],
		["a*.*c", ["a.c", "ab.c"]],
		["*/*.c", ["user/a.c"]],
		["user/*", ["user/a.c"]],
		["user/.*", ["user/.x.c"]],
		["?hidden", []],
		["[ab].[cS]", ["a.c", "b.S"]],
		["[!a].S", ["b.S"]],
		["[a-c]*.c", ["a.c", "ab.c"]],
		["[z-a]*", []],
		["[a", []],
		["*.c*", ["a.c", "ab.c"]],
		["**", ["Makefile", "a.c", "ab.c", "b.S"]],
		["", []],
	])("%s", (pattern, found) => {
		expect(matchingPaths(pattern, paths, () => {})).toEqual(found);
	});

	test("characters that a regular expression would read are themselves", () => {
		const odd = ["a+b", "a.b", "(a)", "a|b", "a\\b", "$a", "^a", "{a}"];
		for (const path of odd) expect(matchingPaths(path, odd, () => {})).toEqual([path]);
	});

	test("many stars take no more than pattern times path", () => {
		let steps = 0;
		const found = matchingPaths(`${"*a".repeat(60)}*b`, ["a".repeat(255)], (spent) => {
			steps += spent;
		});
		expect(found).toEqual([]);
		expect(steps).toBeLessThan(121 * 256);
	});
});
