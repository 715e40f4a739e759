import { fromUtf8 } from "../common/bytes.ts";
import { withoutComments } from "../common/cText.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import type { LabManifest } from "./manifest.ts";

/** Texts of the files that the lab's known failures and tasks name, without comments: what is commented out is not there. */
export type NamedSources = ReadonlyMap<string, string>;

export async function readNamedSources(manifest: LabManifest, tree: SourceTree | undefined): Promise<NamedSources> {
	const sources = new Map<string, string>();
	if (!tree) return sources;
	const files = [
		...manifest.knownFailures.flatMap(({ source }) => source?.file ?? []),
		...manifest.tasks.flatMap(({ begun }) => (begun ? [begun.file, ...(begun.or ?? [])] : [])),
	];
	for (const { begun } of manifest.tasks) if (begun?.notIn) files.push(...(await others(tree, begun.file)));
	for (const file of new Set(files)) {
		const bytes = await tree.read(file);
		if (bytes) sources.set(file, withoutComments(fromUtf8(bytes), "words"));
	}
	return sources;
}

/** The C files of the folder that a file lies in. */
async function others(tree: SourceTree, file: string): Promise<string[]> {
	const folder = folderOf(file);
	const entries = await tree.list(folder);
	return entries
		.filter(({ name, kind }) => kind === "file" && name.endsWith(".c"))
		.map(({ name }) => `${folder}${folder === "" ? "" : "/"}${name}`);
}

/** Files in which the first step of a task counts. */
export function filesOf(
	{ file, or = [], notIn }: NonNullable<LabManifest["tasks"][number]["begun"]>,
	sources: NamedSources,
): string[] {
	const named = [file, ...or];
	if (!notIn) return named;
	const folder = folderOf(file);
	const added = [...sources.keys()].filter(
		(path) => folderOf(path) === folder && path.endsWith(".c") && !notIn.includes(path),
	);
	return [...new Set([...named, ...added])];
}

const folderOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
