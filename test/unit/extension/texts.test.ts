import { expect, test } from "vitest";
import { ConsoleText } from "../../../src/extension/consoleText.ts";
import { codeBlock, escapeMarkdown } from "../../../src/extension/markdown.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a line feed becomes CR LF once, wherever the chunks are cut", () => {
	const whole = "a\nb\r\nc\r";
	for (let cut = 0; cut <= whole.length; cut++) {
		const text = new ConsoleText();
		expect(text.push(bytes(whole.slice(0, cut))) + text.push(bytes(whole.slice(cut))) + text.push(bytes("\n"))).toBe(
			"a\r\nb\r\nc\r\n",
		);
	}
});

test("a character that is cut between chunks arrives whole", () => {
	const text = new ConsoleText();
	const [first, ...rest] = bytes("é");
	expect(text.push(Uint8Array.of(first as number))).toBe("");
	expect(text.push(Uint8Array.from(rest))).toBe("é");
});

test("a new machine's text begins as on an empty line, whatever the old one's broke off in", () => {
	const text = new ConsoleText();
	const [half] = bytes("é");
	text.push(Uint8Array.of(half as number));
	text.reset();
	expect(text.push(bytes("a"))).toBe("a");
	text.push(bytes("\r"));
	text.reset();
	expect(text.push(bytes("\n"))).toBe("\r\n");
});

test("text of the guest cannot become markup", () => {
	expect(escapeMarkdown("[x](command:evil) <b>")).toBe("\\[x\\]\\(command:evil\\) \\<b\\>");
	expect(codeBlock("``` <b>pid 4</b>")).toBe("````text\n``` <b>pid 4</b>\n````");
});

test("the line that the guest has begun is known, unless it is longer than a row", () => {
	const text = new ConsoleText();
	text.push(bytes("total = 55\n$"));
	text.push(bytes(" "));
	expect(text.lastLine).toBe("$ ");
	text.push(bytes("x".repeat(100)));
	expect(text.lastLine).toBe("");
	text.push(bytes("\n"));
	expect(text.lastLine).toBe("");
	text.push(bytes("$ "));
	text.reset();
	expect(text.lastLine).toBe("");
});
