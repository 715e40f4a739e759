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
				"labs/lab/solution/2.patch":
					"--- a/kernel/b.c\n+++ b/kernel/b.c\n@@ -1 +1 @@\n-step 1\n\\ No newline at end of file\n+step 2\n\\ No newline at end of file\n",
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

const signs = {
	least: 2,
	signs: [
		{ name: "user/hello.c", files: ["user/hello.c"] },
		{ name: "struct greeting", files: ["kernel/proc.h", "kernel/hello.h"], has: "\\bstruct\\s+greeting\\b" },
		{ name: "MAX_GREETINGS", files: ["kernel/param.h"], has: "\\bMAX_GREETINGS\\b" },
	],
};

function labsWith(...ids: readonly string[]): LabCatalog {
	const texts = ids.map(
		(id) => [`labs/${id}/lab.json`, JSON.stringify({ ...manifest, id, recognition: signs })] as const,
	);
	return new LabCatalog(new MemoryTree("assets", new Map(texts.map(([path, text]) => [path, utf8(text)]))));
}

const tree = (texts: Record<string, string>) =>
	new MemoryTree("tree", new Map(Object.entries(texts).map(([path, text]) => [path, utf8(text)])));

test("a lab is recognised by several signs, never by the name of one file, and comments are no sign", async () => {
	const labs = labsWith("lab");
	const alone = await labs.labOf(tree({ "user/hello.c": "", "kernel/proc.h": "// struct greeting" }), false);
	expect(alone).toEqual({ why: "No lab recognised: signs of lab only user/hello.c (1 of the 2 signs needed)" });
	const both = await labs.labOf(tree({ "user/hello.c": "", "kernel/hello.h": "struct greeting { int n; };" }), false);
	expect(both.manifest?.id).toBe("lab");
	expect(both.why).toBe("A lab, recognised by user/hello.c and struct greeting");
	const none = await labs.labOf(tree({ "user/other.c": "" }), false);
	expect(none.why).toBe("No lab recognised in this tree; every program can be run and debugged");
	const two = await labsWith("a", "b").labOf(
		tree({ "user/hello.c": "", "kernel/param.h": "#define MAX_GREETINGS 2" }),
		false,
	);
	expect(two).toEqual({ why: "No lab recognised: as many signs of a as of b" });
});

test("the workspace file decides where it exists; a tree's own manifest only where its owner asks", async () => {
	const labs = labsWith("lab", "other");
	const own = JSON.stringify({ ...manifest, id: "mine", title: "My own" });
	const files = tree({ ".xv6-lab.json": '{"lab": "other"}', "lab.json": own });
	expect(await labs.labOf(files, false)).toMatchObject({
		manifest: { id: "other" },
		why: "A lab, named by .xv6-lab.json",
	});
	expect(await labs.labOf(files, true)).toMatchObject({
		manifest: { id: "mine" },
		why: "My own, from lab.json of this tree",
	});
});
