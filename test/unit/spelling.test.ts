import { readFileSync } from "node:fs";
import { join } from "node:path";
import dictionary from "dictionary-en-gb";
import nspell from "nspell";
import { expect, test } from "vitest";
import { commentsOf, filesBelow, pages, prose, root, stringsOf } from "../support/prose.ts";

/** British English (Hunspell's dictionary) and the words of the field and of the product: test/words.txt, one a line. */
const spell = nspell({ aff: Buffer.from(dictionary.aff), dic: Buffer.from(dictionary.dic) });
const own = new Set(readFileSync(join(root, "test/words.txt"), "utf8").trim().split("\n"));

const known = new Map<string, boolean>();
function isKnown(word: string): boolean {
	let answer = known.get(word);
	if (answer === undefined) {
		const plain = word.replace(/'s$/, "");
		answer = [word, plain].some((one) => own.has(one) || own.has(one.toLowerCase()) || spell.correct(one));
		known.set(word, answer);
	}
	return answer;
}

/** Words in lower case or with one capital, that are no part of a name, path, address or piece of code. */
const words = /(?<![\w./:\\%#@$<{=-])[A-Za-z][a-z]+(?:'[a-z]+)?(?![\w/:(=>}@]|\.\w|-\w*\d)/g;

function unknown(path: string, line: number, text: string): string[] {
	return [...text.matchAll(words)].flatMap(([word]) => (isKnown(word) ? [] : [`${path}:${line}: ${word}`]));
}

function unknownIn(path: string, text: string): string[] {
	return text.split("\n").flatMap((line, index) => unknown(path, index + 1, line));
}

test("pages are spelled right", () => {
	const found = pages.flatMap((path) => {
		const text = prose(readFileSync(join(root, path), "utf8"));
		return unknownIn(path, text.replace(/\]\([^)]*\)|https?:\S+/g, ""));
	});
	expect(found).toEqual([]);
});

/** Their strings are names of instructions and of shells' commands. */
const names = /^src\/(riscv|toolchain\/bundled\/downgrade|cli\/completion|debuginfo\/expression)/;

test("messages and labels are spelled right", () => {
	const found = unknownIn("package.nls.json", readFileSync(join(root, "package.nls.json"), "utf8"));
	for (const path of [...filesBelow("src", /\.ts$/), ...filesBelow("webview", /\.ts$/)]) {
		if (names.test(path)) continue;
		// A sentence, not a name: names are what the code says.
		for (const { line, text } of stringsOf(path))
			if (/[a-z] [a-z]/.test(text)) found.push(...unknown(path, line, text));
	}
	expect(found).toEqual([]);
});

test("comments are spelled right", () => {
	const found: string[] = [];
	for (const path of [...filesBelow("src", /\.ts$/), ...filesBelow("webview", /\.ts$/)]) {
		for (const { line, text } of commentsOf(path)) found.push(...unknown(path, line, text.replace(/`[^`]*`/g, "")));
	}
	expect(found).toEqual([]);
});

test("a misspelling is found", () => {
	expect(unknownIn("f", "a frame is\nrecieved by its kalloc")).toEqual(["f:2: recieved"]);
});
