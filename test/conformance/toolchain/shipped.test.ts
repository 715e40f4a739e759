/** What ships: the compilers' files, and the objects of the untouched kernel and labs. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BuildSession } from "../../../src/build/session.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";
import { NodeTree } from "../../../src/env/node/sourceTree.ts";
import { openToolchains } from "../../../src/env/node/toolchains.ts";
import { LabCatalog } from "../../../src/lab/catalog.ts";

const script = new URL("../../../scripts/vendor.mjs", import.meta.url).href;
const { vendor } = (await import(script)) as { vendor(out: string): void };

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "xv6-lab-shipped-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const names = ["llc.wasm.gz", "llvm.wasm.gz", "sources.txt", "system.pack.gz", "version.txt"];

test("vendor makes the same bytes again, of five files, below 45 MB", () => {
	vendor(folder);
	expect(readdirSync(folder).sort()).toEqual(names);
	for (const name of names) {
		expect(readFileSync(join(folder, name)).equals(readFileSync(join("dist/toolchain", name))), name).toBe(true);
	}
	const sum = names.reduce((total, name) => total + statSync(join(folder, name)).size, 0);
	expect(sum).toBeLessThan(45_000_000);
});

test("the first build of the untouched kernel and of each lab compiles and links nothing", async () => {
	const catalog = new LabCatalog(new NodeTree("dist/assets"));
	const labs = [undefined, ...(await catalog.ids())];
	expect(labs.length).toBeGreaterThan(1);
	for (const lab of labs) {
		// A new machine: nothing is kept from before.
		const { toolchain, wasi, dispose } = await openToolchains({
			kind: "bundled",
			cache: join(folder, lab ?? "kernel"),
		});
		const tree = new MemoryTree(lab ?? "xv6", await catalog.workspace(lab));
		const { output, stats, diagnostics } = await new BuildSession().build({ tree, toolchain, wasi });
		dispose();
		expect(diagnostics).toEqual([]);
		expect(output).toBeDefined();
		expect(stats, lab ?? "the kernel").toMatchObject({ compiled: 0, linked: 0, cpuMs: 0 });
	}
});

test("without any tool on PATH a lab is made, built and booted", () => {
	const nothing = join(folder, "bin");
	mkdirSync(nothing);
	const run = (...args: string[]) =>
		spawnSync(process.execPath, [resolve("dist/cli/xv6-lab.mjs"), ...args], {
			cwd: folder,
			encoding: "utf8",
			env: { PATH: nothing, HOME: folder },
		});
	expect(run("new", "lab").status).toBe(0);
	const built = run("build", "lab");
	expect(built.stderr).toContain("0 compiled");
	expect(built.stderr).toContain("clang 22 (bundled)");
	expect(built.status).toBe(0);
	expect(readdirSync(join(folder, "lab/build")).sort()).toEqual([".gitignore", "fs.img", "kernel"]);
	const booted = run("boot", "lab", "--command", "ls");
	expect(booted.stdout).toMatch(/\$ ls\r?\n[\s\S]*usertests +2 /);
	expect(booted.status).toBe(0);
});
