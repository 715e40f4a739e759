import { expect, test } from "vitest";
import { withoutComments } from "../../../src/common/cText.ts";

test.each([
	["a // b\nc", "a  \nc"],
	["a /* b\nc */ d", "a   d"],
	['"/* no */" // yes', '"/* no */"  '],
	["'\"' /* yes */ '\"'", "'\"'   '\"'"],
	['"\\"/*" x /* y */', '"\\"/*" x  '],
	["/* never closed", "/* never closed"],
	["# don't /* x */ \"open\n// y", "# don't   \"open\n "],
	["a / b /c", "a / b /c"],
])("%j without comments", (text, expected) => {
	expect(withoutComments(text, "words")).toBe(expected);
});

test("places are kept where they are wanted", () => {
	expect(withoutComments("a /* b\nc */ d // e\nf", "places")).toBe("a     \n     d     \nf");
});

test("the old pattern and the scanner say the same of random texts", () => {
	const pattern = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
	const parts = ['"', "'", "/*", "*/", "//", "\n", "a", " ", "/", "*"];
	let state = 1;
	const next = (n: number) => {
		state = (Math.imul(state, 1103515245) + 12345) >>> 0;
		return (state >>> 8) % n;
	};
	for (let i = 0; i < 20_000; i++) {
		const text = Array.from({ length: 12 }, () => parts[next(parts.length)]).join("");
		const expected = text.replace(pattern, (match) => (match.startsWith("/") ? " " : match));
		expect(withoutComments(text, "words"), JSON.stringify(text)).toBe(expected);
	}
});

/** Steps by the number of characters: a quadratic scanner would need minutes for these. */
test.each([["/*x"], ['"\\'], ["'"], ['"'], ['/*x"\n'], ["//*"], ['\\"']])(
	"%j a million times takes no longer a character",
	(part) => {
		const text = part.repeat(1_000_000);
		expect(withoutComments(text, "places").length).toBe(text.length);
	},
	5000,
);
