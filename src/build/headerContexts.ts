import { normalizePath } from "./makefile/paths.ts";

/** What a C file has said before it includes a header. */
interface HeaderContext {
	readonly source: string;
	/** Headers included before, in their order, as paths of the tree. */
	readonly before: readonly string[];
	/** Macros of the file itself, as `-D` takes them. */
	readonly defines: readonly string[];
}

interface Source {
	readonly path: string;
	/** Folders of its `-I`. */
	readonly folders: readonly string[];
}

/**
 * For each header of the tree the C file that shows best how to read it. xv6's headers include nothing themselves: alone they are full of
 * unknown types, and after the headers that a C file includes before them they are not.
 */
export function headerContexts(
	sources: readonly Source[],
	text: (path: string) => string | undefined,
): ReadonlyMap<string, HeaderContext> {
	const found = new Map<string, HeaderContext>();
	const scan = (path: string, source: Source, said: readonly string[], macros: readonly string[], depth: number) => {
		const before = [...said];
		const defines = [...macros];
		for (const line of text(path)?.split("\n") ?? []) {
			const define = /^\s*#\s*define\s+(\w+(?:\([^)]*\))?)(?:\s+(.*?))?\s*(?:\/\/.*)?$/.exec(line);
			// What a header defines comes with the header.
			if (define && !line.endsWith("\\") && path === source.path) defines.push(`${define[1]}=${define[2] ?? ""}`);
			const included = /^\s*#\s*include\s+"([^"]+)"/.exec(line)?.[1];
			const header = included && resolved(included, path, source, text);
			if (!header || depth > 20) continue;
			const known = found.get(header);
			if (!known || (folderOf(known.source) !== folderOf(header) && folderOf(source.path) === folderOf(header)))
				found.set(header, { source: source.path, before: [...before], defines: [...defines] });
			scan(header, source, before, defines, depth + 1);
			before.push(header);
		}
	};
	for (const source of sources) scan(source.path, source, [], [], 0);
	return found;
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);

/** As the preprocessor looks for it: beside the file, then in the folders of `-I`. */
function resolved(
	included: string,
	from: string,
	source: Source,
	text: (path: string) => string | undefined,
): string | undefined {
	return [folderOf(from), ...source.folders.map((folder) => `${folder}/`)]
		.map((folder) => normalizePath(folder + included))
		.find((path) => text(path) !== undefined);
}
