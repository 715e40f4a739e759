import { expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../../src/common/bytes.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";
import { LabCatalog } from "../../../src/lab/catalog.ts";

const manifest = {
	id: "lab",
	title: "A lab",
	course: "A course",
	handout: "README.md",
	programs: ["hello"],
	tasks: [
		{ id: "1", title: "First", solution: "1" },
		{ id: "1b", title: "Run it" },
		{ id: "2", title: "Second", solution: "2" },
	],
	tests: [
		{
			id: "hello",
			task: "1",
			title: "Says hello",
			program: "hello",
			expect: { match: "exact", output: "hello" },
			budget: 1_000_000,
		},
	],
	knownFailures: [],
};
const catalog = new LabCatalog(
	new MemoryTree(
		"assets",
		new Map(
			Object.entries({
				"xv6/kernel/a.c": "base",
				"xv6/kernel/b.c": "base",
				"xv6/kernel/c.c": "base",
				"labs/lab/lab.json": JSON.stringify(manifest),
				"labs/lab/README.md": "# A lab",
				"labs/lab/programs/hello.c": "program",
				"labs/lab/starter/kernel/a.c": "starter",
				"labs/lab/solution/1/kernel/a.c": "step 1",
				"labs/lab/solution/1/kernel/b.c": "step 1",
				"labs/lab/solution/2/kernel/b.c": "step 2",
			}).map(([path, text]) => [path, utf8(text)]),
		),
	),
);
const kernel = async (solution?: string) => {
	const files = await catalog.workspace("lab", solution);
	return ["a", "b", "c"].map((name) => fromUtf8(files.get(`kernel/${name}.c`)!));
};

test("a student's workspace is the kernel, the starter over it, the programs and the handout", async () => {
	expect(await kernel()).toEqual(["starter", "base", "base"]);
	const files = await catalog.workspace("lab");
	expect(fromUtf8(files.get("user/hello.c")!)).toBe("program");
	expect(fromUtf8(files.get("HANDOUT.md")!)).toBe("# A lab");
});

test("a solution's step stands on the steps before it, in the order of the tasks", async () => {
	expect(await kernel("1")).toEqual(["step 1", "step 1", "base"]);
	expect(await kernel("2")).toEqual(["step 1", "step 2", "base"]);
	await expect(kernel("3")).rejects.toMatchObject({ code: "lab-not-found" });
});
