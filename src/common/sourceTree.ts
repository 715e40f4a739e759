/**
 * A folder seen through the narrowest door that a build needs. Node's file system, `vscode.workspace.fs` and
 * an in-memory map all fit it. Paths are relative, with `/`, never starting with `/` or containing `..`.
 */
export interface SourceTree {
	/** How messages name the root, for example the folder's path as the user typed it. */
	readonly label: string;
	/**
	 * Content, or undefined when there is no such file. Throws UserError `outside-tree` for a link that leads out of the tree,
	 * `limit-reached` for a file that is too big, `file-unreadable` for anything else.
	 */
	read(path: string): Promise<Uint8Array | undefined>;
	/** Entries of a folder in name order, empty when there is none. Symbolic links are followed, loops are not. */
	list(folder: string): Promise<readonly TreeEntry[]>;
}

export interface TreeEntry {
	readonly name: string;
	readonly kind: "file" | "folder";
	/** A symbolic link to a folder elsewhere in the tree. */
	readonly linked?: boolean;
}

/** A tree held in memory: tests, the bundled kernel, and overlays of a lab on it. */
export class MemoryTree implements SourceTree {
	constructor(
		readonly label: string,
		readonly files: ReadonlyMap<string, Uint8Array>,
	) {}

	async read(path: string): Promise<Uint8Array | undefined> {
		return this.files.get(path);
	}

	async list(folder: string): Promise<readonly TreeEntry[]> {
		const prefix = folder === "" ? "" : `${folder}/`;
		const found = new Map<string, TreeEntry>();
		for (const path of this.files.keys()) {
			if (!path.startsWith(prefix)) continue;
			const [name, ...rest] = path.slice(prefix.length).split("/");
			if (name) found.set(name, { name, kind: rest.length > 0 ? "folder" : "file" });
		}
		return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
	}
}
