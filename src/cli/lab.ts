import { basename, resolve } from "node:path";
import type { BuildOutput } from "../build/types.ts";
import { UserError } from "../common/errors.ts";
import { MemoryTree, type SourceTree } from "../common/sourceTree.ts";
import { visible } from "../common/visible.ts";
import { writeNewFolder } from "../env/node/newFolder.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import {
	below,
	changedFiles,
	type Files,
	type Judged,
	labProblems,
	labSkeleton,
	type ProgramRun,
	programsOf,
} from "../lab/author.ts";
import { ownManifest } from "../lab/catalog.ts";
import { type LabManifest, parseManifest } from "../lab/manifest.ts";
import { runLab } from "../lab/runner.ts";
import { budgets } from "../session/budgets.ts";
import { Shell } from "../session/shell.ts";
import { openCatalog } from "./assets.ts";
import { buildTreeForCli } from "./build.ts";
import { labCommand, parseCommand } from "./commandLine.ts";
import { exitCodes } from "./exitCodes.ts";
import { breathe, createMachine, observe } from "./machine.ts";
import { toolchainKind } from "./options.ts";

const usage = "Write: xv6-lab lab init STARTER SOLUTION DIR, or xv6-lab lab check DIR.";
const patienceMs = 120_000;
/** Programs of every tree, which test no lab. */
const plain =
	/^(?:cat|echo|grep|init|kill|ln|ls|mkdir|rm|sh|wc|zombie|grind|stressfs|forktest|usertests|logstress|forphan|dorphan)$/;

/** `xv6-lab lab init` and `xv6-lab lab check`: for who writes a lab. */
export async function runLabCommand(argv: string[]): Promise<number> {
	const { values, positionals } = parseCommand(argv, "lab", labCommand);
	const [what, ...paths] = positionals;
	const kind = toolchainKind(values.toolchain ?? "bundled");
	if (what === "init" && paths.length === 3) return init(paths as [string, string, string], kind);
	if (what === "check" && paths.length === 1) return check(paths[0] as string, kind);
	throw new UserError("usage", "`lab` takes init with three folders, or check with one", usage);
}

async function init([starterDir, solutionDir, dir]: [string, string, string], kind: Kind): Promise<number> {
	const [starter, solution] = await Promise.all([
		readAll(new NodeTree(starterDir)),
		readAll(new NodeTree(solutionDir)),
	]);
	if (changedFiles(starter, solution).size === 0) {
		throw new UserError("usage", `${solutionDir} has no file that ${starterDir} has not`, "Name the starter first.");
	}
	const before = await buildTreeForCli(new MemoryTree(starterDir, starter), { toolchain: kind, quiet: true });
	const after = await buildTreeForCli(new MemoryTree(solutionDir, solution), { toolchain: kind, quiet: true });
	const changed = changedFiles(starter, solution);
	const known = await openCatalog().knownPrograms(new MemoryTree(solutionDir, solution));
	const runs = new Map<string, { solution: ProgramRun; starter: ProgramRun | undefined }>();
	for (const program of programsOf(solution)) {
		const isNew = changed.has(`user/${program}.c`) || !programsOf(starter).includes(program);
		if (plain.test(program) || !(isNew || known.some(({ name }) => name === program))) continue;
		process.stderr.write(`xv6-lab: running ${visible(program)} on both trees\n`);
		const run = await runProgram(after, program);
		if (run) runs.set(program, { solution: run, starter: await runProgram(before, program) });
	}
	const id = basename(resolve(dir)).replace(/[^A-Za-z0-9._-]/g, "-");
	const { files, notes } = labSkeleton({ id, starter, solution, known, runs });
	await writeNewFolder(dir, files);
	for (const note of notes) process.stdout.write(`${visible(note)}\n`);
	const names = [...changed.keys()].join(", ");
	process.stdout.write(
		`Made ${visible(dir)}: the solution changes ${visible(names)}\nNext: xv6-lab lab check ${visible(dir)}\n`,
	);
	return exitCodes.done;
}

async function check(dir: string, kind: Kind): Promise<number> {
	const tree = new NodeTree(dir);
	const text = await tree.read(ownManifest);
	if (!text) throw new UserError("file-not-found", `${dir} has no ${ownManifest}`, "xv6-lab lab init makes one.");
	const manifest = parseManifest(new TextDecoder().decode(text), ownManifest);
	const files = await readAll(tree);
	const starter = below(files, "starter");
	if (starter.size === 0)
		throw new UserError("file-not-found", `${dir} has no starter/`, "It holds the tree that a student receives.");
	const steps = [...new Set(manifest.tasks.flatMap(({ solution }) => solution ?? []))];
	const solved = new Map(starter);
	for (const step of steps) for (const [path, bytes] of below(files, `solution/${step}`)) solved.set(path, bytes);
	const mutants = [...new Set([...files.keys()].flatMap((path) => /^mutants\/([^/]+)\//.exec(path)?.[1] ?? []))];
	const say = (judged: Judged) => {
		const { verdicts } = judged;
		const said =
			"failure" in verdicts
				? "does not build"
				: counts(verdicts.filter(({ outcome }) => outcome === "passed").length, verdicts.length);
		process.stdout.write(`${visible(judged.name)}: ${said}\n`);
		return judged;
	};
	const starterJudged = say(await judge("starter", starter, manifest, kind));
	const solutionJudged = say(await judge("solution", solved, manifest, kind));
	const mutantsJudged: Judged[] = [];
	for (const name of mutants) {
		const mutant = new Map([...solved, ...below(files, `mutants/${name}`)]);
		mutantsJudged.push(say({ ...(await judge(`mutants/${name}`, mutant, manifest, kind)), name }));
	}
	const problems = labProblems(manifest, starterJudged, solutionJudged, mutantsJudged);
	for (const problem of problems) process.stdout.write(`- ${visible(problem)}\n`);
	process.stdout.write(problems.length === 0 ? "Nothing is missing\n" : `${problems.length} to do\n`);
	return problems.length === 0 ? exitCodes.done : exitCodes.failed;
}

const counts = (passed: number, all: number) => `${passed} of ${all} tests pass`;

type Kind = ReturnType<typeof toolchainKind>;

async function judge(name: string, files: Files, manifest: LabManifest, kind: Kind): Promise<Judged> {
	const tree = new MemoryTree(name, files);
	let output: BuildOutput;
	try {
		output = await buildTreeForCli(tree, { toolchain: kind, quiet: true });
	} catch (error) {
		if (!(error instanceof UserError) || error.code === "cancelled") throw error;
		return { name, verdicts: { failure: error.message } };
	}
	const verdicts = await runLab({
		manifest,
		tree,
		tests: manifest.tests,
		programs: output.programs,
		harts: output.wish.harts,
		seeds: [0],
		createMachine: async (_, seed) => (await createMachine(output, { translator: true, seed })).machine,
		observe: (machine) => observe(machine, output, manifest),
		breathe,
	});
	return { name, verdicts };
}

/** Undefined: the tree has no such program, or does not boot. */
async function runProgram(output: BuildOutput, program: string): Promise<ProgramRun | undefined> {
	const elf = output.programs.find(({ name }) => name === program)?.elf;
	if (!elf) return undefined;
	const { machine } = await createMachine(output, { translator: true });
	const end = performance.now() + patienceMs;
	const shell = Shell.on(machine, { breathe, patience: () => () => performance.now() > end });
	try {
		if ((await shell.waitForPrompt(budgets.boot)).kind !== "prompt") return undefined;
		const {
			end: how,
			output: printed,
			instructions,
		} = await shell.run(program, budgets.command, { mostOutput: 200_000 });
		return { ended: how.kind === "prompt", output: printed, instructions, elf };
	} finally {
		shell.dispose();
		machine.dispose();
	}
}

/** What make leaves, and what git keeps, is no part of a lab. */
const left =
	/(?:^|\/)(?:\.git|node_modules)(?:\/|$)|\.(?:o|d|asm|sym|img|pyc)$|(?:^|\/)_[\w.-]+$|^kernel\/kernel$|^mkfs\/mkfs$|^user\/(?:usys\.S|initcode(?:\.out)?)$/;

async function readAll(
	tree: SourceTree,
	folder = "",
	found = new Map<string, Uint8Array>(),
): Promise<Map<string, Uint8Array>> {
	for (const { name, kind, linked } of await tree.list(folder)) {
		const path = folder === "" ? name : `${folder}/${name}`;
		if (left.test(path)) continue;
		if (kind === "folder") {
			if (!linked) await readAll(tree, path, found);
			continue;
		}
		const bytes = await tree.read(path);
		if (bytes) found.set(path, bytes);
	}
	return found;
}
