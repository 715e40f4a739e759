import { fromUtf8 } from "../common/bytes.ts";
import type { SourceTree } from "../common/sourceTree.ts";

/** Files that say what debug information does not: the numbers of system calls, and the table of their handlers. */
const paths = ["kernel/syscall.h", "kernel/syscall.c"];

/** What `KernelView.diagnose` may ask of a tree, read beforehand: text by path. */
export async function diagnosisSources(tree: SourceTree | undefined): Promise<ReadonlyMap<string, string>> {
	const texts = new Map<string, string>();
	for (const path of tree ? paths : []) {
		const bytes = await tree?.read(path);
		if (bytes) texts.set(path, fromUtf8(bytes));
	}
	return texts;
}

export async function diagnosisFiles(tree: SourceTree | undefined): Promise<(path: string) => string | undefined> {
	const texts = await diagnosisSources(tree);
	return (path) => texts.get(path);
}
