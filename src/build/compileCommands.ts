import type { SourceTree } from "../common/sourceTree.ts";
import { headerContexts } from "./headerContexts.ts";
import { planBuild } from "./makefile/plan.ts";
import { TreeSnapshot } from "./snapshot.ts";

/** One entry of a compile_commands.json (clang.llvm.org/docs/JSONCompilationDatabase.html), without its directory. */
interface CompileCommand {
	/** Relative to the tree. */
	readonly file: string;
	/** A header has none. */
	readonly output?: string;
	readonly arguments: readonly string[];
}

/** A header is C, whatever an editor takes it for; it is not compiled, and has functions that nobody calls there. */
const asHeader = ["-Wno-unused-function", "-fsyntax-only", "-x", "c"];

/** mkfs runs on the host. */
const hostCompiler = "gcc";

/** Flags of gcc that clangd does not know and would mark as errors; and clang warns of more than gcc does, which -Werror would paint red. */
const gccOnly = [
	"-Werror",
	"-mno-relax",
	"-fno-tree-*",
	"-fno-toplevel-reorder",
	"-fno-reorder-functions",
	"-march=*",
	"-mabi=*",
];

/**
 * How each C file of a tree is compiled, as its Makefile says, and how its headers are read; for cpptools and clangd. Throws UserError
 * `not-an-xv6-tree` or `makefile-not-understood`.
 */
export async function compileCommands(tree: SourceTree): Promise<readonly CompileCommand[]> {
	const snapshot = await TreeSnapshot.take(tree, undefined, undefined);
	const { steps } = planBuild(snapshot.label, snapshot);
	const commands = new Map<string, CompileCommand>();
	const sources: { readonly path: string; readonly flags: readonly string[]; readonly folders: readonly string[] }[] =
		[];
	for (const step of steps.values()) {
		if (step.kind !== "compile" || !snapshot.paths.includes(step.source)) continue;
		const { source: file, output, flags } = step;
		const isGuest = step.target === "riscv64";
		const compiler = isGuest ? "riscv64-unknown-elf-gcc" : hostCompiler;
		commands.set(file, { file, output, arguments: [compiler, ...flags, "-c", "-o", output, file] });
		const folders = flags.flatMap((flag) => (flag.startsWith("-I") ? [flag.slice(2)] : []));
		if (isGuest && step.language === "c") sources.push({ path: file, flags, folders });
	}
	sources.sort((one, other) => (one.path < other.path ? -1 : 1));
	const text = (path: string) => (snapshot.has(path) ? snapshot.text(path) : undefined);
	for (const [file, { source, before, defines }] of headerContexts(sources, text)) {
		const flags = sources.find(({ path }) => path === source)?.flags ?? [];
		const said = [...defines.map((define) => `-D${define}`), ...before.flatMap((header) => ["-include", header])];
		commands.set(file, { file, arguments: ["riscv64-unknown-elf-gcc", ...flags, ...said, ...asHeader, file] });
	}
	return [...commands.values()].sort((one, other) => (one.file < other.file ? -1 : 1));
}

/** The text of the file; `directory` is the tree's absolute path. */
export function compileCommandsFile(commands: readonly CompileCommand[], directory: string): string {
	return `${JSON.stringify(
		commands.map((command) => ({ directory, ...command })),
		undefined,
		2,
	)}\n`;
}

/**
 * What cpptools has to be told beside it on Windows (code.visualstudio.com/docs/cpp/customize-cpp-settings): to read C as gcc does, without asking a
 * compiler. The one of the commands need not be installed, and what cpptools takes instead there knows no `asm`. It has no mode for RISC-V; this
 * one has the same sizes of types.
 */
export function cppPropertiesFile(): string {
	const folder = "$" + "{workspaceFolder}";
	const configuration = {
		name: "Win32",
		compileCommands: `${folder}/compile_commands.json`,
		includePath: [folder],
		compilerPath: "",
		intelliSenseMode: "linux-gcc-x64",
		cStandard: "gnu17",
	};
	return `${JSON.stringify({ version: 4, configurations: [configuration] }, undefined, 2)}\n`;
}

/** What clangd has to be told beside it: for which machine the kernel is, and which of gcc's flags to leave out. */
export function clangdFile(commands: readonly CompileCommand[]): string {
	const add = ["--target=riscv64-unknown-elf", "-march=rv64gc", "-mabi=lp64d", "-ffreestanding"];
	const onHost = commands.filter(({ arguments: [compiler] }) => compiler === hostCompiler).map(({ file }) => file);
	const list = (texts: readonly string[]) => `[${texts.map((text) => JSON.stringify(text)).join(", ")}]`;
	return [
		"# Made by xv6 Lab beside compile_commands.json.",
		...(onHost.length > 0
			? ["If:", `  PathExclude: ${list(onHost.map((file) => file.replace(/[^\w/]/g, "\\$&")))}`]
			: []),
		"CompileFlags:",
		`  Remove: ${list(gccOnly)}`,
		`  Add: ${list(add)}`,
		"Diagnostics:",
		"  UnusedIncludes: None",
		"",
	].join("\n");
}
