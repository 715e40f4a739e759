import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { buildForCli, type OpenToolchains, runBuild } from "../../../src/cli/build.ts";
import { FakeToolchain } from "../../support/fakeToolchain.ts";
import { tinyMakefile, tinyTree } from "../../support/tinyTree.ts";

let folder: string;
let stdout: string;
let stderr: string;
const toolchain = new FakeToolchain();
const asked: string[] = [];
const open: OpenToolchains = async (kind) => {
	asked.push(kind);
	return { toolchain, wasi: toolchain, dispose() {} };
};

function write(changes: Record<string, string | undefined> = {}): void {
	for (const [path, bytes] of tinyTree(changes).files) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), bytes);
	}
}

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "xv6-lab build-"));
	stdout = "";
	stderr = "";
	asked.length = 0;
	vi.spyOn(process.stdout, "write").mockImplementation((text) => {
		stdout += text;
		return true;
	});
	vi.spyOn(process.stderr, "write").mockImplementation((text) => {
		stderr += text;
		return true;
	});
});

afterEach(() => {
	vi.restoreAllMocks();
	rmSync(folder, { recursive: true, force: true });
});

test("kernel and image go into build/, kept out of git, and the last line says where", async () => {
	write();
	expect(await runBuild([folder], open)).toBe(0);
	expect(readdirSync(join(folder, "build")).sort()).toEqual([".gitignore", "fs.img", "kernel"]);
	expect(readFileSync(join(folder, "build/.gitignore"), "utf8")).toBe("*\n");
	expect(stdout).toContain(join(folder, "build/kernel"));
	expect(stderr).toMatch(/build done in [\d.]+ s: 9 compiled, 0 reused, 5 linked with fake/);
	expect(asked).toEqual(["auto"]);
});

test("a second build in the same folder does not read the first one's output", async () => {
	write();
	await runBuild([folder], open);
	expect(await runBuild([folder], open)).toBe(0);
});

test("--out takes exactly the two files", async () => {
	write();
	const out = join(folder, "elsewhere");
	expect(await runBuild([folder, "--out", out, "--toolchain", "bundled"], open)).toBe(0);
	expect(readdirSync(out).sort()).toEqual(["fs.img", "kernel"]);
	expect(existsSync(join(folder, "build"))).toBe(false);
	expect(asked).toEqual(["bundled"]);
});

test("errors come in gcc's form on stderr, exit code 5, and an old kernel stays", async () => {
	write();
	await runBuild([folder], open);
	const before = readFileSync(join(folder, "build/kernel"));
	write({ "kernel/main.c": "int a;\n#error this is wrong\n" });
	expect(await runBuild([folder], open)).toBe(5);
	const path = relative(process.cwd(), join(folder, "kernel/main.c"));
	expect(stderr).toContain(`${path}:2:1: error: this is wrong\n    2 | #error this is wrong\n      | ^\n`);
	expect(stderr).toContain("build failed with 1 error");
	expect(readFileSync(join(folder, "build/kernel"))).toEqual(before);
});

test("--json says everything on stdout and nothing else", async () => {
	write({ "user/sh.c": "#warning careful\n" });
	expect(await runBuild([folder, "--json"], open)).toBe(0);
	const said = JSON.parse(stdout);
	expect(said).toMatchObject({
		ok: true,
		kernel: join(folder, "build/kernel"),
		machine: { harts: 3, virtio: "modern" },
		diagnostics: [{ file: "user/sh.c", line: 1, severity: "warning", message: "careful" }],
		stats: { compiled: 9, toolchain: "fake" },
	});
	expect(said.programs.map(({ name }: { name: string }) => name)).toEqual(["init", "sh", "tight"]);
	expect(stderr).toBe("");
});

test("--json of a failed build has its diagnostics and exit code 5", async () => {
	write({ "user/sh.c": "#error no\n" });
	expect(await runBuild([folder, "--json"], open)).toBe(5);
	expect(JSON.parse(stdout)).toMatchObject({ ok: false, diagnostics: [{ message: "no", severity: "error" }] });
});

test("a contradiction that the tree shows is said", async () => {
	write({ Makefile: tinyMakefile.replace("-m 128M", "-m 64M") });
	expect(await runBuild([folder], open)).toBe(0);
	expect(stderr).toContain("PHYSTOP");
});

test("--make overrides a variable of the Makefile", async () => {
	write();
	await runBuild([folder, "--json", "--make", "CPUS=1"], open);
	expect(JSON.parse(stdout).machine.harts).toBe(1);
});

test.each([
	[["--toolchain", "tcc"], "There is no toolchain 'tcc'"],
	[["--jobs", "none"], "--jobs takes a number"],
	[["--colour"], "--colour"],
	[["a", "b"], "one folder"],
	[["--make", "CPUS"], "NAME=VALUE"],
])("wrong usage %j is named", async (argv, named) => {
	await expect(runBuild(argv, open)).rejects.toMatchObject({ code: "usage", message: expect.stringContaining(named) });
});

test("a folder that is not there, and one that is no kernel, are named", async () => {
	await expect(runBuild([join(folder, "none")], open)).rejects.toMatchObject({ code: "file-not-found" });
	writeFileSync(join(folder, "notes.txt"), "x");
	await expect(runBuild([folder], open)).rejects.toMatchObject({ code: "not-an-xv6-tree" });
});

test("an output that cannot be written is named, with the build's own kernel untouched", async () => {
	write();
	writeFileSync(join(folder, "taken"), "");
	await expect(runBuild([folder, "--out", join(folder, "taken")], open)).rejects.toMatchObject({
		code: "file-unwritable",
	});
	expect(readFileSync(join(folder, "taken"), "utf8")).toBe("");
});

test("other commands get the output, or a typed error after the diagnostics", async () => {
	write();
	const output = await buildForCli(folder, { open, quiet: true });
	expect(output.programs).toHaveLength(3);
	expect(stderr).toBe("");
	write({ "user/sh.c": "#error no\n" });
	await expect(buildForCli(folder, { open })).rejects.toMatchObject({ code: "compile-failed" });
	expect(stderr).toContain("user/sh.c:1:1: error: no");
});
