import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commentsOf, filesBelow, pages, prose, root, stringsOf } from "../support/prose.ts";

/** Habits of translated English, with what a native writer says. For what people read: pages, messages, manifests. */
const habits: readonly (readonly [RegExp, string])[] = [
	[/\banew\b/i, "again"],
	[/\b(go|goes|went|gone) on\b/i, "continue, resume"],
	[/\bgoing on\b/i, "continuing"],
	[/\bwhoever\b/i, "the process that, anyone who"],
	[/\b(is|are|was|were|be|been) asked for\b/i, "requested"],
	[/\bin the midst\b/i, "during"],
	[/\bby way of\b/i, "through"],
	[/\ball the same\b/i, "anyway"],
	[/\bbehind (its|their|the) end\b/i, "past the end"],
	[/\b(is|are) there already\b/i, "already exists"],
	[/\b(stands?|lies?|lay) (in(?! for)|at|on|there|above|below|beside|before|behind|far above) /i, "is in, is at"],
	[/\bon its own way\b/i, "separately"],
	[/\bwhat (came|comes) is\b/i, "the result is"],
];

function complaints(path: string, line: number, text: string): string[] {
	return habits.flatMap(([habit, better]) => {
		const match = habit.exec(text);
		return match ? [`${path}:${line}: "${match[0]}": ${better}`] : [];
	});
}

const lines = (path: string, text: string) =>
	text.split("\n").flatMap((line, index) => complaints(path, index + 1, line));

test("pages are written in plain English", () => {
	expect(pages.length).toBeGreaterThan(15);
	expect(pages.flatMap((path) => lines(path, prose(readFileSync(join(root, path), "utf8"))))).toEqual([]);
});

test("messages, labels and explanations are written in plain English", () => {
	const texts = ["package.nls.json", "package.json", ...filesBelow("labs", /^lab\.json$/)];
	const found = texts.flatMap((path) => lines(path, readFileSync(join(root, path), "utf8")));
	for (const path of [...filesBelow("src", /\.ts$/), ...filesBelow("webview", /\.ts$/)]) {
		for (const { line, text } of stringsOf(path)) found.push(...complaints(path, line, text));
	}
	expect(found).toEqual([]);
});

test("comments keep off the worst of them", () => {
	const found: string[] = [];
	for (const path of [...filesBelow("src", /\.ts$/), ...filesBelow("webview", /\.ts$/)])
		for (const { line, text } of commentsOf(path))
			if (/\b(anew|whoever|in the midst|(go|goes|went|gone|going) on)\b/i.test(text))
				found.push(...complaints(path, line, text));
	expect(found).toEqual([]);
});

test("the habits are found", () => {
	expect(complaints("f", 1, "the fault goes on to its end, whoever asks")).toEqual([
		'f:1: "goes on": continue, resume',
		'f:1: "whoever": the process that, anyone who',
	]);
});
