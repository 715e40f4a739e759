import type { Dirent } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UserError } from "../../common/errors.ts";
import type { SourceTree, TreeEntry } from "../../common/sourceTree.ts";

/** A folder of the disk as a build sees it. */
export class NodeTree implements SourceTree {
	private readonly root: string;

	constructor(readonly label: string) {
		this.root = resolve(label);
	}

	async read(path: string): Promise<Uint8Array | undefined> {
		try {
			const bytes = await readFile(join(this.root, path));
			return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		} catch (error) {
			if (isAbsent(error)) return undefined;
			throw unreadable(join(this.label, path), error);
		}
	}

	async list(folder: string): Promise<readonly TreeEntry[]> {
		let entries: Dirent[];
		try {
			entries = await readdir(join(this.root, folder), { withFileTypes: true });
		} catch (error) {
			if (isAbsent(error)) return [];
			throw unreadable(join(this.label, folder), error);
		}
		const found = await Promise.all(entries.map((entry) => this.describe(folder, entry)));
		return found
			.filter((entry): entry is TreeEntry => entry !== undefined)
			.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
	}

	private async describe(folder: string, entry: Dirent): Promise<TreeEntry | undefined> {
		const { name } = entry;
		if (entry.isFile()) return { name, kind: "file" };
		if (entry.isDirectory()) return { name, kind: "folder" };
		if (!entry.isSymbolicLink()) return undefined;
		const path = join(this.root, folder, name);
		try {
			const target = await stat(path);
			if (target.isFile()) return { name, kind: "file" };
			if (!target.isDirectory()) return undefined;
			// A link to a folder that holds the link itself would be walked for ever.
			const here = await realpath(join(this.root, folder));
			const there = await realpath(path);
			return here === there || here.startsWith(`${there}/`) ? undefined : { name, kind: "folder" };
		} catch {
			// A link into nowhere or round in a circle (ENOENT, ELOOP): nothing that could be read.
			return undefined;
		}
	}
}

function codeOf(error: unknown): string | undefined {
	return (error as NodeJS.ErrnoException).code;
}

function isAbsent(error: unknown): boolean {
	return ["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "");
}

function unreadable(path: string, error: unknown): UserError {
	const why = codeOf(error) === "EACCES" ? "you may not read it" : (error as Error).message;
	return new UserError("file-unreadable", `Cannot read ${path}: ${why}`, "Check the permissions of that file.", {
		file: path,
	});
}
