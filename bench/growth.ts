// Measured by bench/growth.mjs: how the time of what people wait for grows with what there is. One JSON line a point:
// { series, by, x, ms }: CPU milliseconds of this process, the median of some runs.

import { describeTree } from "../src/build/describeTree.ts";
import { BuildSession } from "../src/build/session.ts";
import type { BuildOutput } from "../src/build/types.ts";
import { fromUtf8, utf8 } from "../src/common/bytes.ts";
import { bug } from "../src/common/errors.ts";
import { MemoryTree, type SourceTree } from "../src/common/sourceTree.ts";
import { openBundledToolchain } from "../src/env/node/bundledToolchain.ts";
import { loadCore } from "../src/env/node/core.ts";
import { distFolder } from "../src/env/node/dist.ts";
import { NodeTree } from "../src/env/node/sourceTree.ts";
import type { KernelView } from "../src/kernelview/kernelView.ts";
import { observeKernel } from "../src/kernelview/observe.ts";
import { LabCatalog } from "../src/lab/catalog.ts";
import type { LabManifest } from "../src/lab/manifest.ts";
import { Machine } from "../src/machine/machine.ts";
import { budgets } from "../src/session/budgets.ts";
import { Shell } from "../src/session/shell.ts";

const repeats = 5;
const mib = 1024 * 1024;

async function filesOf(tree: SourceTree, folder = "", into = new Map<string, Uint8Array>()) {
	for (const { name, kind } of await tree.list(folder)) {
		const path = folder === "" ? name : `${folder}/${name}`;
		if (kind === "folder") await filesOf(tree, path, into);
		else into.set(path, (await tree.read(path)) ?? new Uint8Array());
	}
	return into;
}

function edited(files: Map<string, Uint8Array>, path: string, from: string | RegExp, to: string): void {
	const text = fromUtf8(files.get(path) ?? bug(`no ${path}`));
	const now = text.replace(from, () => to);
	if (now === text) bug(`${path} has no ${from}`);
	files.set(path, utf8(now));
}

const cpu = () => {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1000;
};

async function median(work: () => unknown): Promise<number> {
	const times: number[] = [];
	for (let i = 0; i < repeats; i++) {
		const before = cpu();
		await work();
		times.push(cpu() - before);
	}
	return times.sort((a, b) => a - b)[repeats >> 1] as number;
}

function point(series: string, by: string, x: number, ms: number): void {
	process.stdout.write(`${JSON.stringify({ series, by, x, ms: Math.max(ms, 0.01) })}\n`);
}

const original = await filesOf(new NodeTree("xv6"));
original.set("user/storm.c", (await new NodeTree("bench/programs").read("storm.c")) ?? bug("no storm.c"));
edited(original, "Makefile", "UPROGS=\\\n", "UPROGS=\\\n\t$U/_storm\\\n");
const hw5 = "hw5-anonymous-mmap";
const labs = new LabCatalog(new NodeTree("."));
const toolchain = await openBundledToolchain({ dist: distFolder() });
const core = await loadCore();

type Edit = (files: Map<string, Uint8Array>) => void;
const build = (edit: Edit = () => undefined) => buildFiles(original, edit);

async function buildFiles(from: ReadonlyMap<string, Uint8Array>, edit: Edit): Promise<BuildOutput> {
	const files = new Map(from);
	edit(files);
	const tree = new MemoryTree("growth", files);
	const { output, diagnostics } = await new BuildSession().build({ tree, toolchain, wasi: toolchain });
	return output ?? bug(`it does not build: ${diagnostics[0]?.message}`);
}

/** A look at a machine that has run a little since the last one: the same look is not taken twice. */
function look({ machine, view }: Running): Promise<number> {
	const once = () => {
		machine.run(10_000);
		view.model();
	};
	once();
	return median(once);
}

interface Running {
	readonly machine: Machine;
	readonly view: KernelView;
	readonly shell: Shell;
}

async function booted(
	output: BuildOutput,
	memoryBytes: number,
	use: (running: Running) => Promise<void>,
	{ harts = 1, manifest }: { harts?: number; manifest?: LabManifest } = {},
): Promise<void> {
	const { kernel, disk } = output;
	const machine = await Machine.create({ kernel, disk, memoryBytes, harts, jit: "on" }, { core });
	const view = observeKernel(machine, output, manifest?.regions);
	const shell = Shell.on(machine, { breathe: async () => undefined });
	await shell.waitForPrompt(budgets.boot * 10);
	await use({ machine, view, shell });
	shell.dispose();
	view.dispose();
	machine.dispose();
}

async function run({ shell }: Running, command: string): Promise<void> {
	const { end } = await shell.run(command, budgets.command * 10);
	if (end.kind !== "prompt") bug(`${command} ended with ${end.kind}`);
}

// Frames: of a machine of 10 MiB to one of 1,000.
for (const size of [10, 100, 1000]) {
	const output = await build((files) => edited(files, "kernel/memlayout.h", "128*1024*1024", `${size}*1024*1024`));
	const before = cpu();
	await booted(output, size * mib, async ({ machine, view, shell }) => {
		point("boot", "MiB of RAM", size, cpu() - before);
		point("a look of the inspector", "MiB of RAM", size, await look({ machine, view, shell }));
		machine.snapshot();
		const hash = () => {
			machine.run(10_000);
			machine.stateHash();
		};
		hash();
		point("state hash after the first", "MiB of RAM", size, await median(hash));
		await run({ machine, view, shell }, "storm sleep 60");
		point("a look of the inspector, 64 processes", "MiB of RAM", size, await look({ machine, view, shell }));
	});
}

// Processes: a kernel with room for 700.
const crowded = await build((files) => edited(files, "kernel/param.h", /NPROC\s+64 /, "NPROC 700 "));
for (const count of [6, 60, 600]) {
	await booted(crowded, 128 * mib, async (running) => {
		const before = cpu();
		await run(running, `storm sleep ${count}`);
		point("making them", "processes", count, cpu() - before);
		point("a look of the inspector", "processes", count, await look(running));
	});
}

// Regions of one process: HW5's kernel with room for 1,000; each has a page that was stored to.
const manifest = await labs.manifest(hw5);
const mapping = `#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"

int
main(int argc, char **argv)
{
  for(int n = atoi(argv[1]); n > 0; n--)
    *(char *)mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0) = 1;
  for(;;)
    sleep(1000000);
}
`;
const regions = await buildFiles(await labs.workspace(hw5, "3b"), (files) => {
	edited(files, "kernel/param.h", /MAX_MMR\s+10 /, "MAX_MMR 1000 ");
	edited(files, "Makefile", "UPROGS=\\\n", "UPROGS=\\\n\t$U/_mapping\\\n");
	files.set("user/mapping.c", utf8(mapping));
});
for (const count of [10, 100, 1000]) {
	const use = async (running: Running) => {
		await run(running, `mapping ${count} &`);
		running.machine.run(50_000_000 * Math.ceil(count / 100));
		point("a look of the inspector", "regions", count, await look(running));
	};
	await booted(regions, 128 * mib, use, { manifest });
}

// Harts: as many as the board has.
const plain = await build();
for (const harts of [1, 2, 4, 8]) {
	const { kernel, disk } = plain;
	const machine = await Machine.create({ kernel, disk, harts, jit: "on" }, { core });
	const shell = Shell.on(machine, { breathe: async () => undefined });
	await shell.waitForPrompt(budgets.boot * 10);
	const before = cpu();
	const { end, output } = await shell.run("usertests -q", 2_000_000_000_000);
	if (end.kind !== "prompt" || !output.includes("ALL TESTS PASSED")) bug(`usertests ended with ${end.kind}`);
	point("usertests -q", "harts", harts, cpu() - before);
	shell.dispose();
	machine.dispose();
}

// The log: entries by the thousand.
for (const forks of [30, 300, 3000]) {
	await booted(plain, 128 * mib, async (running) => {
		running.view.begin();
		const before = cpu();
		await run(running, `storm fork ${forks}`);
		const { length } = running.view.model().log;
		point("forks that are logged", "entries of the log", length, cpu() - before);
		point("a look of the inspector", "entries of the log", length, await look(running));
	});
}

// Files of the tree that are nobody's.
for (const count of [10, 100, 1000, 10_000]) {
	const files = new Map(original);
	for (let i = 0; i < count; i++) files.set(`kernel/extra${i}.h`, utf8(`#define EXTRA_${i} ${i}\n`));
	const tree = new MemoryTree("growth", files);
	const session = new BuildSession();
	await session.build({ tree, toolchain, wasi: toolchain });
	point("describe the tree", "more files", count, await median(() => describeTree(tree)));
	const again = () => session.build({ tree, toolchain, wasi: toolchain });
	point("build, no change", "more files", count, await median(again));
}
toolchain.dispose();
