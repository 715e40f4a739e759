import { afterAll, expect, test } from "vitest";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import { utf8 } from "../../src/common/bytes.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { renderDiagnoses } from "../../src/protocol/diagnosis.ts";
import { Shell } from "../../src/session/shell.ts";
import { build, catalog, closeToolchains, judgeOutput, summary, testsUpTo } from "../support/lab.ts";

afterAll(closeToolchains);

type Files = Map<string, Uint8Array>;

function edit(files: Files, path: string, edits: readonly (readonly [RegExp, string])[]): void {
	let text = new TextDecoder().decode(files.get(path));
	for (const [from, to] of edits) {
		expect(text, `${path}: ${from}`).toMatch(from);
		text = text.replace(from, to);
	}
	files.set(path, utf8(text));
}

test("a tree with a program of a lab's name is no tree of that lab: its program runs, and nothing is judged or found", async () => {
	const files = new Map(await catalog.workspace(undefined));
	const main = 'int main(void){ printf("mmaptest: all tests succeeded\\n"); exit(0); }\n';
	files.set("user/mmaptest.c", utf8(`#include "kernel/types.h"\n#include "user/user.h"\n${main}`));
	edit(files, "Makefile", [[/\$U\/_ls\\\n/, "$U/_ls\\\n\t$U/_mmaptest\\\n"]]);
	const { manifest } = await catalog.labOf(new MemoryTree("tree", files), false);
	expect(manifest).toBeUndefined();
	const output = await build(files);
	const { machine } = await createMachine(output, { harts: 3, translator: true });
	const view = observe(machine, output, manifest);
	const shell = Shell.on(machine, { breathe });
	try {
		expect((await shell.waitForPrompt(2_000_000_000)).kind).toBe("prompt");
		view.begin();
		const { end, output: printed } = await shell.run("mmaptest", 400_000_000);
		expect(printed).toContain("all tests succeeded");
		expect(renderDiagnoses(view.diagnose({ ...end, output: printed }))).toBe("");
		expect(view.findings()).toEqual([]);
	} finally {
		shell.dispose();
		view.dispose();
		machine.dispose();
	}
});

test("a solution whose shared page is a variable without a type's name passes, and nothing is found", async () => {
	const lab = "cs326-shared-page";
	const files = new Map(await catalog.workspace(lab, "1"));
	edit(files, "kernel/vm.c", [
		[/struct shmem_page \{/, "struct {"],
		[/\};\n\nstruct shmem_page shmem;/, "} shmem_page;"],
		[/\bshmem\b(?=[.)])/g, "shmem_page"],
	]);
	const tree = new MemoryTree("tree", files);
	const { manifest } = await catalog.labOf(tree, false);
	expect(manifest?.id).toBe(lab);
	if (!manifest) return;
	const verdicts = await judgeOutput(await build(files), manifest, { files, tests: testsUpTo(manifest, "1") });
	expect(summary(verdicts)).toEqual([]);
	expect(verdicts.flatMap(({ findings, diagnoses }) => [...findings, ...diagnoses])).toEqual([]);
});

test("a solution that refuses a second mmap in one process passes, as the tests say", async () => {
	const lab = "cs326-shared-page";
	const files = new Map(await catalog.workspace(lab, "2"));
	edit(files, "kernel/vm.c", [
		[/(if\(namedmapping\(ONEPAGE\)\)\s*return) SHMEM_REGION;/, "$1 0;"],
		[/return m->region->npages == npages && m->prot == prot \? m->addr : 0;/, "return 0;"],
	]);
	const manifest = await catalog.manifest(lab);
	const tests = testsUpTo(manifest, "2").filter(({ id }) => /-(twice|readonly|orders|storm|anywhere)$/.test(id));
	expect(summary(await judgeOutput(await build(files), manifest, { files, tests }))).toEqual([]);
});

test("a solution whose mmap takes no memory, not even for page tables, passes", async () => {
	const lab = "hw5-anonymous-mmap";
	const files = new Map(await catalog.workspace(lab, "3b"));
	edit(files, "kernel/sysfile.c", [[/if\(mapvpages\([^;]*?\) < 0\)/, "if(0)"]]);
	const manifest = await catalog.manifest(lab);
	const tests = testsUpTo(manifest, "3b").filter(({ id }) => id === "mmap-failures");
	expect(summary(await judgeOutput(await build(files), manifest, { files, tests }))).toEqual([]);
});
