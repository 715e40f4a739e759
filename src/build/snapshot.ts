import { equalBytes, fromUtf8 } from "../common/bytes.ts";
import { throwIfCancelled } from "../common/cancellation.ts";
import { UserError } from "../common/errors.ts";
import { limits } from "../common/limits.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import { Limiter } from "./limiter.ts";
import type { MakefileFiles } from "./makefile/shell.ts";

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
	/** Sources that cannot be read, and why: told to who needs them. */
	private readonly refused = new Map<string, UserError>();

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
		const paths = (await walk(tree, signal)).sort();
		const contents = new Map<string, Uint8Array>();
		const snapshot = new TreeSnapshot(tree.label, paths, contents, tree, before?.forget());
		const limiter = new Limiter(limits.openFiles);
		const sources = paths.filter((path) => sourceFile.test(path));
		await Promise.all(sources.map((path) => limiter.run(() => snapshot.loadAhead(path, signal))));
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
		this.throwIfRefused(path);
		return this.contents.get(path);
	}

	text(path: string): string | undefined {
		const bytes = this.source(path);
		return bytes && fromUtf8(bytes);
	}

	private throwIfRefused(path: string): void {
		const why = this.refused.get(path);
		if (why) throw why;
	}

	/** Reads a source that may never be wanted: that it cannot be read is told to who wants it. */
	private async loadAhead(path: string, signal: AbortSignal | undefined): Promise<void> {
		throwIfCancelled(signal);
		try {
			await this.load(path);
		} catch (error) {
			if (!(error instanceof UserError)) throw error;
			this.refused.set(path, error);
		}
	}

	/** Bytes of any file: data files of the image are read when they are wanted. */
	async load(path: string): Promise<Uint8Array | undefined> {
		this.throwIfRefused(path);
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

/** All files, folder by folder. A folder that a link leads to is read, links to folders inside it are not: each is read a few times at most. */
async function walk(tree: SourceTree, signal: AbortSignal | undefined): Promise<string[]> {
	const paths: string[] = [];
	let count = 0;
	let level: readonly { readonly path: string; readonly linked: boolean }[] = [{ path: "", linked: false }];
	for (let depth = 0; depth <= deepest && level.length > 0; depth++) {
		const next: { path: string; linked: boolean }[] = [];
		for (const folder of level) {
			throwIfCancelled(signal);
			for (const { name, kind, linked = false } of await tree.list(folder.path)) {
				const path = folder.path === "" ? name : `${folder.path}/${name}`;
				if (++count > limits.treeEntries) throw tooManyEntries(tree.label, path);
				if (kind === "file") paths.push(path);
				else if (!skippedFolder.test(name) && !(folder.linked && linked))
					next.push({ path, linked: folder.linked || linked });
			}
		}
		level = next;
	}
	return paths;
}

function tooManyEntries(label: string, path: string): UserError {
	const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
	return new UserError(
		"limit-reached",
		`${label} has more than ${limits.treeEntries.toLocaleString("en")} files and folders (the last in ${folder === "" ? "the top folder" : folder})`,
		"Name the folder that holds xv6's Makefile, or move what is not part of it elsewhere.",
	);
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;

function withUnixLineEnds(bytes: Uint8Array): Uint8Array {
	if (!bytes.includes(carriageReturn)) return bytes;
	return bytes.filter((byte, i) => byte !== carriageReturn || bytes[i + 1] !== lineFeed);
}
