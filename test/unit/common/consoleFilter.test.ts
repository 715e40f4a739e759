import { expect, test } from "vitest";
import { ConsoleFilter } from "../../../src/common/consoleFilter.ts";

test.each([
	["xv6 kernel is booting\r\n$ ls\b \b\t漢字\u0007", "xv6 kernel is booting\r\n$ ls\b \b\t漢字\u0007"],
	[
		"\u001b[1;31mred\u001b[0m\u001b[2K\u001b[10;5H\u001b[38:2:1:2:3m",
		"\u001b[1;31mred\u001b[0m\u001b[2K\u001b[10;5H\u001b[38:2:1:2:3m",
	],
	["a\u001b]0;title\u0007b", "ab"],
	["a\u001b]52;c;aGk=\u001b\\b", "ab"],
	["a\u009d52;c;aGk=\u009cb", "ab"],
	["a\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "alink"],
	['a\u001bP$q"p\u001b\\b\u001b_x\u001b\\c\u001b^y\u0007d\u001bXz\u0007e', "abcde"],
	["a\u001b]0;never closed\nb", "a\nb"],
	["\u001b[6n\u001b[c\u001b[>c\u001b[21t\u001b[?1000h\u001b[?1049h\u001b[!p\u001b[4;1r\u001b[5i", ""],
	["\u001bc\u001b7\u001b=\u001b(0x\u001b#8\u0005\u000e", "x"],
	["\u009b31mred\u009b6n", "\u001b[31mred"],
	["\u001b\u001b]0;x\u0007y", "y"],
	["\u001b[\u001b]0;x\u0007y", "y"],
	["\u001b]0;x\u0018y", "y"],
	["\u001b]0;x\u001b[31my", "\u001b[31my"],
])("%j is shown as %j", (text, expected) => {
	expect(new ConsoleFilter().push(text)).toBe(expected);
	// Wherever the guest's bytes are cut.
	const filter = new ConsoleFilter();
	expect([...text].map((character) => filter.push(character)).join("")).toBe(expected);
});

test("whatever comes, nothing but colours and movements of the cursor comes out", () => {
	const parts = [
		"\u001b",
		"[",
		"]",
		"0",
		";",
		"m",
		"c",
		"n",
		"P",
		"\\",
		"\u0007",
		"\u009b",
		"\u009d",
		"\u009c",
		"?",
		"x",
		"\n",
		"(",
		"_",
	];
	let state = 7;
	const filter = new ConsoleFilter();
	for (let i = 0; i < 200_000; i++) {
		state = (Math.imul(state, 1103515245) + 12345) >>> 0;
		const shown = filter.push(parts[(state >>> 8) % parts.length] as string);
		if (/[\u001b\u009b]/.test(shown)) expect(shown).toMatch(/^\u001b\[[0-9;:]*[mABCDEFGHJKfd]$/);
	}
});
