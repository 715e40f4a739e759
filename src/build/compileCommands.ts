import type { SourceTree } from "../common/sourceTree.ts";
import { planBuild } from "./makefile/plan.ts";
import { TreeSnapshot } from "./snapshot.ts";

/** One entry of a compile_commands.json (clang.llvm.org/docs/JSONCompilationDatabase.html), without its directory. */
export interface CompileCommand {
	/** Relative to the tree. */
	readonly file: string;
	readonly output: string;
	readonly arguments: readonly string[];
}

/** Flags of gcc that clangd does not know and would mark as errors. */
const gccOnly = ["-mno-relax", "-fno-tree-*", "-fno-toplevel-reorder", "-fno-reorder-functions", "-march=*", "-mabi=*"];

/**
 * How each C file of a tree is compiled for the guest, as its Makefile says; for cpptools and clangd. Throws UserError `not-an-xv6-tree` or
 * `makefile-not-understood`.
 */
export async function compileCommands(tree: SourceTree): Promise<readonly CompileCommand[]> {
	const snapshot = await TreeSnapshot.take(tree, undefined, undefined);
	const { steps } = planBuild(snapshot.label, snapshot);
	const commands: CompileCommand[] = [];
	for (const step of steps.values()) {
		if (step.kind !== "compile" || step.target !== "riscv64" || !snapshot.paths.includes(step.source)) continue;
		const { source: file, output, flags } = step;
		commands.push({ file, output, arguments: ["riscv64-unknown-elf-gcc", ...flags, "-c", "-o", output, file] });
	}
	return commands.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** The text of the file; `directory` is the tree's absolute path. */
export function compileCommandsFile(commands: readonly CompileCommand[], directory: string): string {
	return `${JSON.stringify(
		commands.map((command) => ({ directory, ...command })),
		undefined,
		2,
	)}\n`;
}

/** What clangd has to be told beside it: for which machine, and which of gcc's flags to leave out. */
export function clangdFile(): string {
	const add = ["--target=riscv64-unknown-elf", "-march=rv64gc", "-mabi=lp64d", "-ffreestanding"];
	return [
		"# Made by xv6 Lab beside compile_commands.json.",
		"CompileFlags:",
		`  Remove: [${gccOnly.map((flag) => `"${flag}"`).join(", ")}]`,
		`  Add: [${add.map((flag) => `"${flag}"`).join(", ")}]`,
		"Diagnostics:",
		"  UnusedIncludes: None",
		"",
	].join("\n");
}
