import { equalBytes, fromUtf8 } from "../common/bytes.ts";
import { throwIfCancelled } from "../common/cancellation.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import type { MakefileFiles } from "./makefile/reader.ts";

/** Files that a compiler, the linker or the Makefile may want without naming them first: read at once. */
const sourceFile = /(?:\.(?:c|h|S|s|inc|def|ld|lds|pl|mk|tbl|in)|(?:^|\/)(?:(?:GNUm|m|M)akefile|\.gitignore))$/;
/** Nothing that a build needs lies in these. */
const skippedFolder = /^(?:\..*|node_modules|__pycache__)$/;
/** A tree as deep as this is a mistake, for example the whole home folder. */
const deepest = 12;

/**
 * The tree at one moment: all paths, and the bytes of all sources. Bytes that did not change since the snapshot before
 * are the same object, so that "did it change" is a comparison of references from here on.
 */
export class TreeSnapshot implements MakefileFiles {
	private readonly pathSet: ReadonlySet<string>;

	private constructor(
		readonly label: string,
		readonly paths: readonly string[],
		private readonly contents: Map<string, Uint8Array>,
		private readonly tree: SourceTree,
		private readonly before: TreeSnapshot | undefined,
	) {
		this.pathSet = new Set(paths);
	}

	static async take(
		tree: SourceTree,
		before: TreeSnapshot | undefined,
		signal: AbortSignal | undefined,
	): Promise<TreeSnapshot> {
		const paths = (await walk(tree, "", 0, signal)).sort();
		const contents = new Map<string, Uint8Array>();
		const snapshot = new TreeSnapshot(tree.label, paths, contents, tree, before?.forget());
		await Promise.all(paths.filter((path) => sourceFile.test(path)).map((path) => snapshot.load(path)));
		throwIfCancelled(signal);
		return snapshot;
	}

	/** Cuts the chain to older snapshots. */
	private forget(): TreeSnapshot {
		return new TreeSnapshot(this.label, this.paths, this.contents, this.tree, undefined);
	}

	has(path: string): boolean {
		return this.pathSet.has(path);
	}

	/** Bytes of a source, with line ends normalised. */
	source(path: string): Uint8Array | undefined {
		return this.contents.get(path);
	}

	text(path: string): string | undefined {
		const bytes = this.contents.get(path);
		return bytes && fromUtf8(bytes);
	}

	/** Bytes of any file: data files of the image are read when they are wanted. */
	async load(path: string): Promise<Uint8Array | undefined> {
		const known = this.contents.get(path);
		if (known || !this.has(path)) return known;
		const raw = await this.tree.read(path);
		if (!raw) return undefined;
		const bytes = sourceFile.test(path) ? withUnixLineEnds(raw) : raw;
		const old = this.before?.contents.get(path);
		const interned = old && equalBytes(old, bytes) ? old : bytes;
		this.contents.set(path, interned);
		return interned;
	}
}

async function walk(
	tree: SourceTree,
	folder: string,
	depth: number,
	signal: AbortSignal | undefined,
): Promise<string[]> {
	throwIfCancelled(signal);
	const entries = await tree.list(folder);
	const nested = entries.map(async ({ name, kind }) => {
		const path = folder === "" ? name : `${folder}/${name}`;
		if (kind === "file") return [path];
		return depth < deepest && !skippedFolder.test(name) ? walk(tree, path, depth + 1, signal) : [];
	});
	return (await Promise.all(nested)).flat();
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;

function withUnixLineEnds(bytes: Uint8Array): Uint8Array {
	if (!bytes.includes(carriageReturn)) return bytes;
	return bytes.filter((byte, i) => byte !== carriageReturn || bytes[i + 1] !== lineFeed);
}
