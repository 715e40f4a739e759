import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
const text = readFileSync(join(root, "docs/compatibility.md"), "utf8");
const rows = text
	.split("\n")
	.filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
	.map((line) => line.slice(2, -2).split(" | "))
	.filter(([, , held]) => held !== "held by");

test("the page has rows", () => {
	expect(rows.length).toBeGreaterThan(20);
});

test.each(rows.map((cells) => [cells[0] ?? "", cells] as const))("%s: held by a test that is there", (_, cells) => {
	expect(cells).toHaveLength(3);
	const held = cells[2] ?? "";
	expect(held).toMatch(/^(tested|tried)\b/);
	const [, files = ""] = /^tested: ([^;]*)/.exec(held) ?? [];
	// `FULL=1` says how it is run.
	const named = [...files.matchAll(/`([^`=]+)`/g)].map(([, name = ""]) => name);
	for (const name of named) expect(existsSync(join(root, "test", name)), name).toBe(true);
	expect(named.length > 0 || held.startsWith("tried")).toBe(true);
});
