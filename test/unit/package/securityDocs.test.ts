import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inBytes, limits } from "../../../src/common/limits.ts";

const root = join(import.meta.dirname, "../../..");
const text = readFileSync(join(root, "docs/security.md"), "utf8");
const rows = text
	.split("\n")
	.filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
	.map((line) => line.slice(2, -2).split(" | "));
const threats = rows.filter((cells) => cells.length === 3 && cells[0] !== "it may not");

test("the threat model has rows", () => {
	expect(threats.length).toBeGreaterThan(12);
});

test.each(threats.map((cells) => [cells[0] ?? "", cells[2] ?? ""]))(
	"it may not %s: tests that are there",
	(_, cell) => {
		const named = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name).filter((name) => name.includes("/"));
		expect(named.length).toBeGreaterThan(0);
		for (const name of named) expect(existsSync(join(root, "test", `${name}.test.ts`)), name).toBe(true);
	},
);

test("the limits are those of the code, each of them", () => {
	const table = rows.filter((cells) => cells.length === 2).map((cells) => cells.join(": "));
	const size = (bytes: number) => inBytes(bytes);
	const seconds = (ms: number) => `${ms / 1000} s of work`;
	const all: Readonly<Record<keyof typeof limits, readonly [row: string, text: string]>> = {
		fileBytes: ["a file of a tree", size(limits.fileBytes)],
		outputBytes: ["an object, a program", size(limits.outputBytes)],
		imageBytes: ["an image that mkfs writes", size(limits.imageBytes)],
		treeEntries: ["files and folders of a tree", limits.treeEntries.toLocaleString("en")],
		openFiles: ["open at once", String(limits.openFiles)],
		compileMs: ["a compilation or a link", seconds(limits.compileMs)],
		compilerMemoryBytes: ["a compilation or a link", size(limits.compilerMemoryBytes)],
		hostMemoryBytes: ["a compiler of this machine", size(limits.hostMemoryBytes)],
		mkfsMs: ["mkfs", seconds(limits.mkfsMs)],
		mkfsMemoryBytes: ["mkfs", size(limits.mkfsMemoryBytes)],
		mkfsFiles: ["mkfs", limits.mkfsFiles.toLocaleString("en")],
		expandedText: ["a Makefile's variables", size(limits.expandedText)],
		planSteps: ["working out what a Makefile builds", `${limits.planSteps / 1e6} million steps`],
		buildFiles: ["files that a build makes", limits.buildFiles.toLocaleString("en")],
		toolTextBytes: ["what a tool prints", size(limits.toolTextBytes)],
		toolFilesBytes: ["writes together", size(limits.toolFilesBytes)],
		submissionBytes: ["a submission, unpacked", size(limits.submissionBytes)],
		resultBytes: ["what is printed of one submission", size(limits.resultBytes)],
	};
	for (const [row, value] of Object.values(all))
		expect(table.filter((line) => line.includes(row)).join("\n"), row).toContain(value);
});
