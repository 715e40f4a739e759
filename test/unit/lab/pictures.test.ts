import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NodeTree } from "../../../src/env/node/sourceTree.ts";
import { LabCatalog } from "../../../src/lab/catalog.ts";

const root = join(import.meta.dirname, "../../..");
const catalog = new LabCatalog(new NodeTree(root));

const labs = readdirSync(join(root, "labs")).filter((name) => !name.endsWith(".json"));

test.each(labs)("the handout of %s shows pictures that a new workspace has", async (lab) => {
	const handout = readFileSync(join(root, "labs", lab, "README.md"), "utf8");
	const links = [...handout.matchAll(/!\[([^\]]+)\]\(([^)]+)\)/g)];
	expect(links.length).toBeGreaterThan(0);
	const files = await catalog.workspace(lab);
	for (const [, , path] of links) {
		expect([...files.keys()], lab).toContain(path);
		expect(statSync(join(root, "labs", lab, path as string)).size).toBeLessThan(120_000);
	}
	const made = readdirSync(join(root, "labs", lab, "pictures")).map((name) => `pictures/${name}`);
	expect(links.map(([, , path]) => path).sort()).toEqual(made.sort());
});
