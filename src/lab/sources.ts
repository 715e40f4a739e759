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
	for (const file of new Set(files)) {
		const bytes = await tree.read(file);
		if (bytes) sources.set(file, withoutComments(fromUtf8(bytes), "words"));
	}
	return sources;
}
