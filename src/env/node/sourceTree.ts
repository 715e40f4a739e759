import { constants, type Dirent } from "node:fs";
import { type FileHandle, open, opendir, realpath, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { Limiter } from "../../build/limiter.ts";
import { UserError } from "../../common/errors.ts";
import { inBytes, limits } from "../../common/limits.ts";
import type { SourceTree, TreeEntry } from "../../common/sourceTree.ts";

/**
 * A folder of the disk as a build sees it. A tree may be a stranger's: links lead nowhere but into the tree, and only
 * regular files of a sensible size are opened.
 */
export class NodeTree implements SourceTree {
	private readonly root: string;
	private real: Promise<string> | undefined;
	private readonly limiter = new Limiter(limits.openFiles);

	/** `label`: what messages call it. */
	constructor(
		path: string,
		readonly label = path,
	) {
		this.root = resolve(path);
	}

	async read(path: string): Promise<Uint8Array | undefined> {
		const shown = join(this.label, path);
		try {
			return await this.limiter.run(async () => {
				const place = await this.inside(join(this.root, path));
				if (place === undefined) throw outside(shown);
				return await readRegular(place, shown);
			});
		} catch (error) {
			if (error instanceof UserError) throw error;
			if (isAbsent(error)) return undefined;
			throw unreadable(shown, error);
		}
	}

	async list(folder: string): Promise<readonly TreeEntry[]> {
		try {
			return await this.limiter.run(async () => {
				const place = await this.inside(join(this.root, folder));
				if (place === undefined) throw outside(join(this.label, folder));
				const found: TreeEntry[] = [];
				let count = 0;
				for await (const entry of await opendir(place)) {
					if (++count > limits.treeEntries) throw tooManyEntries(join(this.label, folder));
					const described = await this.describe(folder, entry);
					if (described) found.push(described);
				}
				return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
			});
		} catch (error) {
			if (error instanceof UserError) throw error;
			if (isAbsent(error)) return [];
			throw unreadable(join(this.label, folder), error);
		}
	}

	/** Where a path really lies; undefined when that is not in the tree. Rejects when nothing is there. */
	private async inside(path: string): Promise<string | undefined> {
		this.real ??= realpath(this.root);
		const [root, place] = [await this.real, await realpath(path)];
		const way = relative(root, place);
		return way === ".." || way.startsWith(`..${sep}`) || resolve(root, way) !== place ? undefined : place;
	}

	private async describe(folder: string, entry: Dirent): Promise<TreeEntry | undefined> {
		const { name } = entry;
		if (entry.isFile()) return { name, kind: "file" };
		if (entry.isDirectory()) return { name, kind: "folder" };
		if (!entry.isSymbolicLink()) return undefined;
		const path = join(this.root, folder, name);
		try {
			const target = await stat(path);
			// One that leads out of the tree is listed, so that who needs it is told so.
			if (target.isFile()) return { name, kind: "file" };
			if (!target.isDirectory()) return undefined;
			const there = await this.inside(path);
			if (there === undefined) return undefined;
			// A link to a folder that holds the link itself would be walked for ever.
			const here = await realpath(join(this.root, folder));
			const holds = here === there || here.startsWith(there + sep);
			return holds ? undefined : { name, kind: "folder", linked: true };
		} catch {
			// A link into nowhere or round in a circle (ENOENT, ELOOP): nothing that could be read.
			return undefined;
		}
	}
}

/** Content of a regular file; `shown` is its name in messages. A pipe or a device is opened without waiting for it, and not read. */
export async function readRegular(path: string, shown: string): Promise<Uint8Array> {
	// Windows has no O_NONBLOCK, and no pipes among files.
	const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
	try {
		const info = await handle.stat();
		if (!info.isFile()) throw notAFile(shown, info.isDirectory());
		if (info.size > limits.fileBytes) throw tooBig(shown, info.size);
		return await readUpTo(handle, info.size, shown);
	} finally {
		await handle.close();
	}
}

/** A file of /proc says 0 and has more; one that is being written grows: what is read counts, not what it says. */
async function readUpTo(handle: FileHandle, size: number, shown: string): Promise<Uint8Array> {
	let bytes = new Uint8Array(Math.max(size, 1) + 1);
	let done = 0;
	for (;;) {
		const { bytesRead } = await handle.read(bytes, done, bytes.length - done);
		done += bytesRead;
		if (bytesRead === 0) return bytes.slice(0, done);
		if (done > limits.fileBytes) throw tooBig(shown, done);
		if (done === bytes.length) {
			const grown = new Uint8Array(2 * bytes.length);
			grown.set(bytes);
			bytes = grown;
		}
	}
}

function codeOf(error: unknown): string | undefined {
	return (error as NodeJS.ErrnoException).code;
}

function isAbsent(error: unknown): boolean {
	return ["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "");
}

function outside(path: string): UserError {
	return new UserError(
		"outside-tree",
		`${path} is a link that leads out of the tree`,
		"Put a copy of that file or folder in its place; xv6 Lab reads nothing outside of the tree.",
		{ file: path },
	);
}

function tooBig(path: string, size: number): UserError {
	return new UserError(
		"limit-reached",
		`${path} has ${inBytes(size)}, and a file of a tree may have ${inBytes(limits.fileBytes)}`,
		"Take that file out of the tree, or out of the list of what is built.",
		{ file: path },
	);
}

function tooManyEntries(folder: string): UserError {
	return new UserError(
		"limit-reached",
		`${folder} has more than ${limits.treeEntries.toLocaleString("en")} files`,
		"Name the folder that holds xv6's Makefile, or move those files elsewhere.",
		{ file: folder },
	);
}

function notAFile(path: string, isFolder: boolean): UserError {
	const what = isFolder ? "a folder" : "no regular file but a pipe, a socket or a device";
	return new UserError("file-unreadable", `Cannot read ${path}: it is ${what}`, "Put a file in its place.", {
		file: path,
	});
}

function unreadable(path: string, error: unknown): UserError {
	const code = codeOf(error);
	const [why, next] =
		code === "EACCES" || code === "EPERM"
			? ["you may not read it", "Check the permissions of that file."]
			: code === "EMFILE" || code === "ENFILE"
				? ["too many files are open on this machine", "Close other programs, or raise the limit (ulimit -n)."]
				: code === "ENXIO"
					? ["it is a socket or a device", "Put a file in its place."]
					: [(error as Error).message, "Check that file or folder."];
	return new UserError("file-unreadable", `Cannot read ${path}: ${why}`, next, { file: path });
}
