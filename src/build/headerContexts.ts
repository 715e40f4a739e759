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
	const directives = new Map<string, readonly Directive[]>();
	const scan = (
		path: string,
		source: Source,
		said: ReadonlySet<string>,
		defines: string[],
		seen: Set<string>,
		depth: number,
	) => {
		const before = new Set(said);
		const own = directives.get(path) ?? directivesOf(text(path) ?? "");
		directives.set(path, own);
		for (const { define, include } of own) {
			// What a header defines comes with the header.
			if (define !== undefined && path === source.path && defines.length < mostSaid) defines.push(define);
			const header = include === undefined ? undefined : resolved(include, path, source, text);
			if (header === undefined || depth > 20) continue;
			// What it includes is known from its first time.
			if (!seen.has(header)) {
				seen.add(header);
				const known = found.get(header);
				if (!known || (folderOf(known.source) !== folderOf(header) && folderOf(source.path) === folderOf(header)))
					found.set(header, { source: source.path, before: [...before], defines: [...defines] });
				scan(header, source, before, defines, seen, depth + 1);
			}
			if (before.size < mostSaid) before.add(header);
		}
	};
	for (const source of sources) scan(source.path, source, new Set(), [], new Set([source.path]), 0);
	return found;
}

/** Headers, and macros, that are said before one header: a tree has far fewer. */
const mostSaid = 1000;

interface Directive {
	/** As `-D` takes it. */
	readonly define?: string;
	readonly include?: string;
}

function directivesOf(text: string): Directive[] {
	return text.split("\n").flatMap((line): Directive[] => {
		const include = /^\s*#\s*include\s+"([^"]+)"/.exec(line)?.[1];
		if (include !== undefined) return [{ include }];
		const [head, name, parameters = ""] = /^\s*#\s*define\s+(\w+)(\([^)]*\))?(?=\s|\/\/|$)/.exec(line) ?? [];
		if (head === undefined || line.endsWith("\\")) return [];
		const [value = ""] = line.slice(head.length).split("//", 1);
		return [{ define: `${name}${parameters}=${value.trim()}` }];
	});
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
