import { resolve } from "node:path";
import { BuildSession } from "../../src/build/session.ts";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { NodeTree } from "../../src/env/node/sourceTree.ts";
import { type OpenedToolchains, openToolchains } from "../../src/env/node/toolchains.ts";
import { LabCatalog } from "../../src/lab/catalog.ts";
import type { LabManifest, LabTest } from "../../src/lab/manifest.ts";
import { runLab } from "../../src/lab/runner.ts";
import type { Verdict } from "../../src/protocol/verdict.ts";

export const repository = resolve(import.meta.dirname, "../..");
export const catalog = new LabCatalog(new NodeTree(repository));

type Compiler = "bundled" | "host";
const toolchains = new Map<Compiler, Promise<OpenedToolchains>>();
/** One session for all trees: what two trees share is compiled once. */
const session = new BuildSession();

/** Builds a tree in memory; the diagnostics are the message when it fails. */
export async function build(
	files: ReadonlyMap<string, Uint8Array>,
	compiler: Compiler = "bundled",
	/** The debug build. */
	unoptimized = false,
): Promise<BuildOutput> {
	const opening = toolchains.get(compiler) ?? openToolchains({ kind: compiler });
	toolchains.set(compiler, opening);
	const { toolchain, wasi } = await opening;
	const result = await session.build({ tree: new MemoryTree("tree", files), toolchain, wasi, unoptimized });
	if (result.output) return result.output;
	throw new Error(result.diagnostics.map((d) => `${d.file}:${d.line ?? 0}: ${d.severity}: ${d.message}`).join("\n"));
}

/** The kernel of a tree with the lab's own disk, as `test --lab` builds it. */
export async function buildJudged(
	files: ReadonlyMap<string, Uint8Array>,
	manifest: LabManifest,
): Promise<{ readonly output: BuildOutput; readonly changed: readonly string[] }> {
	const opening = toolchains.get("bundled") ?? openToolchains({ kind: "bundled" });
	toolchains.set("bundled", opening);
	const { toolchain, wasi } = await opening;
	const tree = new MemoryTree("tree", files);
	const judged = await catalog.judged(manifest, tree);
	const [disk] = judged.disks;
	if (!disk) throw new Error("no disk");
	const kernel = await session.build({ tree, toolchain, wasi, only: "kernel" });
	const image = await session.build({ tree: disk.tree, toolchain, wasi, only: "disk" });
	const problems = [...kernel.diagnostics, ...image.diagnostics].map((d) => `${d.file}:${d.line ?? 0}: ${d.message}`);
	if (!kernel.output || !image.output) throw new Error(problems.join("\n"));
	const { disk: bytes, programs } = image.output;
	return { output: { ...kernel.output, disk: bytes, programs }, changed: judged.changed };
}

export async function closeToolchains(): Promise<void> {
	for (const opened of toolchains.values()) (await opened).dispose();
	toolchains.clear();
}

export interface JudgeOptions {
	readonly harts?: number;
	readonly seed?: number;
	/** Instead of one seed. */
	readonly seeds?: readonly number[];
	readonly tests?: readonly LabTest[];
	/** What the output was built from. */
	readonly files?: ReadonlyMap<string, Uint8Array>;
}

export async function judgeOutput(
	output: BuildOutput,
	manifest: LabManifest,
	options: JudgeOptions = {},
): Promise<Verdict[]> {
	const harts = options.harts ?? 3;
	return runLab({
		manifest,
		harts,
		seeds: options.seeds ?? [options.seed ?? 0],
		programs: output.programs,
		...(options.tests ? { tests: options.tests } : {}),
		...(options.files ? { tree: new MemoryTree("tree", options.files) } : {}),
		createMachine: async (_, seed) => (await createMachine(output, { harts, seed, translator: true })).machine,
		observe: (machine) => observe(machine, output, manifest),
		breathe,
	});
}

/** Tests of the tasks up to and including the one that a solution folder solves, in the manifest's order. */
export function testsUpTo(manifest: LabManifest, solution: string): LabTest[] {
	const last = manifest.tasks.findLastIndex((task) => task.solution === solution);
	const done = new Set(manifest.tasks.slice(0, last + 1).map((task) => task.id));
	return manifest.tests.filter((test) => done.has(test.task));
}

/** For a failure message: what a person would read. */
export function summary(verdicts: readonly Verdict[]): string[] {
	return verdicts
		.filter((verdict) => verdict.outcome !== "passed")
		.map(
			(verdict) => `${verdict.test}: ${verdict.reasons.map((reason) => reason.message).join("; ")}\n${verdict.actual}`,
		);
}
