import { join, relative, resolve } from "node:path";
import { hasErrors, renderDiagnostic } from "../build/diagnostics.ts";
import { BuildSession } from "../build/session.ts";
import type { BuildOutput, BuildResult } from "../build/types.ts";
import { fromUtf8 } from "../common/bytes.ts";
import type { Diagnostic } from "../common/diagnostic.ts";
import { UserError } from "../common/errors.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import { visible } from "../common/visible.ts";
import { atomicWrite, type FileToWrite } from "../env/node/atomicWrite.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import type { OpenedToolchains, ToolchainKind } from "../env/node/toolchains.ts";
import type { JudgedDisk, JudgedTree } from "../lab/judgedTree.ts";
import { buildCommand, parseCommand } from "./commandLine.ts";
import { exitCodes } from "./exitCodes.ts";
import { interruptible } from "./interrupt.ts";
import { ProgressLine } from "./progressLine.ts";

export type OpenToolchains = (kind: ToolchainKind) => Promise<OpenedToolchains>;

/** Loaded at first use: commands that do not build must not pay for it. */
const openDefault: OpenToolchains = async (kind) => {
	const { openToolchains } = await import("../env/node/toolchains.ts");
	return openToolchains({ kind });
};

interface CliBuildOptions {
	readonly toolchain?: ToolchainKind;
	readonly jobs?: number;
	readonly makeVariables?: Readonly<Record<string, string>>;
	/** The debug build. */
	readonly unoptimized?: boolean;
	/** No line about the toolchain and the counts on stderr; diagnostics are always written. */
	readonly quiet?: boolean;
	/** Replaced in tests. */
	readonly open?: OpenToolchains;
}

const usage = "Write: xv6-lab build [DIR] [--toolchain auto|bundled|host] [--out DIR] [--json] [--jobs N].";

/** `xv6-lab build [DIR]`: kernel and fs.img into DIR/build or --out, diagnostics on stderr, exit 5 on errors. */
export async function runBuild(argv: string[], open: OpenToolchains = openDefault): Promise<number> {
	const { values, positionals } = parse(argv);
	const folder = positionals[0] ?? ".";
	const jobs = values.jobs === undefined ? undefined : Number(values.jobs);
	if (jobs !== undefined && !(Number.isInteger(jobs) && jobs >= 1 && jobs <= 64)) {
		throw new UserError("usage", `--jobs takes a number from 1 to 64, not '${values.jobs}'`, usage);
	}
	const kind = values.toolchain ?? "auto";
	if (!isKind(kind)) throw new UserError("usage", `There is no toolchain '${kind}'`, usage);
	const makeVariables = Object.fromEntries((values.make ?? []).map(parseVariable));
	const tree = new NodeTree(folder);
	const target = values.out ?? join(folder, "build");
	const result = await buildTree(tree, { toolchain: kind, ...(jobs ? { jobs } : {}), makeVariables }, open);
	if (result.output) await atomicWrite(outputs(target, values.out === undefined, result.output));
	if (values.json) process.stdout.write(`${JSON.stringify(asJson(result, target), undefined, "\t")}\n`);
	else await report(result, folder, tree, target);
	return result.output ? exitCodes.done : exitCodes.buildFailed;
}

function parse(argv: string[]) {
	const parsed = parseCommand(argv, "build", buildCommand);
	if (parsed.positionals.length > 1) throw new UserError("usage", "`build` takes one folder", usage);
	return parsed;
}

function parseVariable(text: string): [string, string] {
	const at = text.indexOf("=");
	if (at <= 0) throw new UserError("usage", `--make takes NAME=VALUE, not '${text}'`, usage);
	return [text.slice(0, at), text.slice(at + 1)];
}

function isKind(text: string): text is ToolchainKind {
	return text === "auto" || text === "bundled" || text === "host";
}

/** Kernel, image, and, in a folder of ours inside the tree, what keeps it out of git. */
function outputs(target: string, inTree: boolean, output: BuildOutput): FileToWrite[] {
	const files: FileToWrite[] = [
		{ path: join(target, "kernel"), bytes: output.kernel },
		{ path: join(target, "fs.img"), bytes: output.disk },
	];
	if (inTree) files.push({ path: join(target, ".gitignore"), bytes: new TextEncoder().encode("*\n") });
	return files;
}

async function buildTree(tree: SourceTree, options: CliBuildOptions, open: OpenToolchains): Promise<BuildResult> {
	await refuseMissing(tree);
	return withBuilder(options, open, (build) => build(tree));
}

type Build = (tree: SourceTree, only?: "kernel" | "disk") => Promise<BuildResult>;

/** Several builds with one session and one set of compilers. */
async function withBuilder<T>(
	options: CliBuildOptions,
	open: OpenToolchains,
	work: (build: Build) => Promise<T>,
): Promise<T> {
	const line = new ProgressLine(process.stderr);
	const opened = await open(options.toolchain ?? "auto");
	const session = new BuildSession();
	try {
		return await interruptible((signal) =>
			work((tree, only) =>
				session.build({
					tree,
					toolchain: opened.toolchain,
					wasi: opened.wasi,
					signal,
					onProgress: line.show,
					...(only === undefined ? {} : { only }),
					...(options.jobs === undefined ? {} : { jobs: options.jobs }),
					...(options.makeVariables === undefined ? {} : { makeVariables: options.makeVariables }),
					...(options.unoptimized ? { unoptimized: true } : {}),
				}),
			),
		);
	} finally {
		line.clear();
		opened.dispose();
	}
}

/** The tree's kernel with a disk that holds the lab's own user side; `disk` is tried in order, until one can be built. */
export async function buildJudged(
	dir: string,
	judged: JudgedTree,
	options: CliBuildOptions = {},
): Promise<{ readonly output: BuildOutput; readonly disk: JudgedDisk }> {
	const tree = new NodeTree(dir);
	await refuseMissing(tree);
	return withBuilder(options, options.open ?? openDefault, async (build) => {
		const kernel = await build(tree, "kernel");
		const { output } = kernel;
		await writeDiagnostics(kernel.diagnostics, dir, tree);
		if (!output) throw buildError(kernel.diagnostics);
		let failed: BuildResult | undefined;
		for (const disk of judged.disks) {
			const result = await build(disk.tree, "disk");
			if (result.output) {
				const { disk: image, programs } = result.output;
				return { output: { ...output, disk: image, programs }, disk };
			}
			failed ??= result;
		}
		await writeDiagnostics(failed?.diagnostics ?? [], dir, tree);
		throw buildError(failed?.diagnostics ?? []);
	});
}

/** Says that there is nothing to build before a compiler is started for it. */
async function refuseMissing(tree: SourceTree): Promise<void> {
	if ((await tree.list("")).length > 0) return;
	throw new UserError(
		"file-not-found",
		`There is nothing in ${tree.label}`,
		"Name the folder that holds xv6's Makefile.",
	);
}

/** Builds for a command that uses the result; on errors the diagnostics are written and a UserError is thrown. */
export function buildForCli(dir: string, options: CliBuildOptions = {}): Promise<BuildOutput> {
	return buildTreeForCli(new NodeTree(dir), options);
}

/** The same for a tree that need not be a folder of the disk. */
export async function buildTreeForCli(tree: SourceTree, options: CliBuildOptions = {}): Promise<BuildOutput> {
	const result = await buildTree(tree, options, options.open ?? openDefault);
	await writeDiagnostics(result.diagnostics, tree.label, tree);
	if (!result.output) throw buildError(result.diagnostics);
	for (const warning of result.output.wish.warnings) process.stderr.write(`xv6-lab: ${visible(warning)}\n`);
	if (!options.quiet) process.stderr.write(`${summary(result)}\n`);
	return result.output;
}

function buildError(diagnostics: readonly Diagnostic[]): UserError {
	const errors = diagnostics.filter(({ severity }) => severity === "error");
	const [first] = errors;
	const count = errors.length === 1 ? "1 error" : `${errors.length} errors`;
	const code = first?.code === "mkfs-failed" ? "mkfs-failed" : "compile-failed";
	return new UserError(
		code,
		`The build failed with ${count}`,
		"Correct what the messages above name and run it again.",
	);
}

async function report(result: BuildResult, folder: string, tree: SourceTree, target: string): Promise<void> {
	await writeDiagnostics(result.diagnostics, folder, tree);
	for (const warning of result.output?.wish.warnings ?? []) process.stderr.write(`xv6-lab: ${visible(warning)}\n`);
	process.stderr.write(`${summary(result)}\n`);
	if (!result.output) return;
	const { kernel, disk, programs } = result.output;
	process.stdout.write(
		`${visible(join(target, "kernel"))} (${kib(kernel)}), ${visible(join(target, "fs.img"))} (${kib(disk)}, ${programs.length} programs)\n`,
	);
}

function summary({ stats, diagnostics }: BuildResult): string {
	const errors = diagnostics.filter(({ severity }) => severity === "error").length;
	const verdict = hasErrors(diagnostics) ? `failed with ${errors === 1 ? "1 error" : `${errors} errors`}` : "done";
	const seconds = (stats.wallMs / 1000).toFixed(1);
	return `xv6-lab: build ${verdict} in ${seconds} s: ${stats.compiled} compiled, ${stats.reused} reused, ${stats.linked} linked with ${stats.toolchain}`;
}

const kib = (bytes: Uint8Array) => `${Math.ceil(bytes.length / 1024)} KiB`;

async function writeDiagnostics(diagnostics: readonly Diagnostic[], folder: string, tree: SourceTree): Promise<void> {
	const lines = new Map<string, readonly string[]>();
	const files = diagnostics.flatMap((diagnostic) => [diagnostic.file, ...(diagnostic.notes ?? []).map((n) => n.file)]);
	for (const file of new Set(files)) {
		const bytes = await tree.read(file).catch(() => undefined);
		if (bytes) lines.set(file, fromUtf8(bytes).split(/\r?\n/));
	}
	const rendering = {
		colour: process.stderr.isTTY === true && process.env.NO_COLOR === undefined,
		sourceLine: (file: string, line: number) => lines.get(file)?.[line - 1],
		// From where the reader stands, so that terminals can open it.
		path: (file: string) => (lines.has(file) ? relative(process.cwd(), resolve(folder, file)) : file),
	};
	for (const diagnostic of diagnostics) process.stderr.write(`${renderDiagnostic(diagnostic, rendering)}\n`);
}

function asJson({ diagnostics, stats, output }: BuildResult, target: string): unknown {
	return {
		ok: output !== undefined,
		...(output
			? {
					kernel: join(target, "kernel"),
					disk: join(target, "fs.img"),
					programs: output.programs.map(({ name, source, elf }) => ({ name, source, bytes: elf.length })),
					machine: output.wish,
				}
			: {}),
		diagnostics,
		stats,
	};
}
