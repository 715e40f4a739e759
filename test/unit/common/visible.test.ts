import { expect, test } from "vitest";
import { csvField, escapeHtml, escapeMarkdown, fenced, visible, visibleLine } from "../../../src/common/visible.ts";

test.each([
	["plain text, with\ttabs\nand lines, größer ≤ 漢字 🙂", "plain text, with\ttabs\nand lines, größer ≤ 漢字 🙂"],
	["\u001b]52;c;aGk=\u0007", "^[]52;c;aGk=^G"],
	["\u001b]8;;http://x\u001b\\", "^[]8;;http://x^[\\"],
	["\u009b2J", "<U+009B>2J"],
	["a\r\nb\rc\u007f", "a\nb^Mc^?"],
	["if (admin\u202e) {", "if (admin<U+202E>) {"],
	["a\u2066b\u2069\u200b\ufeff\u2028", "a<U+2066>b<U+2069><U+200B><U+FEFF><U+2028>"],
	["\ud800", "<U+D800>"],
])("%j is shown as %j", (text, expected) => {
	expect(visible(text)).toBe(expected);
});

test("no control character is left in any single character of the first plane", () => {
	const unsafe = Array.from({ length: 0x10000 }, (_, code) => visible(String.fromCharCode(code))).filter((shown) =>
		/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(shown),
	);
	expect(unsafe).toEqual([]);
});

test("one line stays one line", () => {
	expect(visibleLine("a\nb")).toBe("a\\nb");
});

test.each(["=1+2", "+x", "-x", "@x", "\tx"])("a spreadsheet takes %j for text", (text) => {
	expect(csvField(text)).toBe(`'${text}`);
});

test("CSV fields are quoted where they must be", () => {
	expect(csvField('a,"b"\nc')).toBe('"a,""b""\nc"');
	expect(csvField('=HYPERLINK("x","y")')).toBe('"\'=HYPERLINK(""x"",""y"")"');
	expect(csvField("mmap")).toBe("mmap");
});

test("HTML and Markdown stay text", () => {
	expect(escapeHtml(`<img src=x onerror="a('&')">`)).toBe("&#60;img src=x onerror=&#34;a(&#39;&#38;&#39;)&#34;&#62;");
	expect(escapeMarkdown("[x](command:y) ![z](u) <b>")).toBe("\\[x\\]\\(command:y\\) \\!\\[z\\]\\(u\\) \\<b\\>");
	expect(fenced("a\n```\nb")).toBe("````\na\n```\nb\n````");
});
