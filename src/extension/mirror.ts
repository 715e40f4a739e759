import * as vscode from "vscode";
import type { SyncParams } from "../protocol/engine.ts";

/** A source tree of a course has some 150 files; far more is no xv6 tree, and is not read. */
const maxFiles = 4000;
const maxFileBytes = 8 * 1024 * 1024;
/** Folders that no xv6 build reads. */
const ignoredFolders = new Set([".git", "node_modules", ".vscode", ".cache", "dist", "out"]);
/** What a build leaves behind. */
const ignoredFiles = /\.(o|d|asm|sym|img|pyc)$/;

/** Where files lie on a disk that other programs write to as well: what a watcher tells comes late there, and may be missing. */
const onDisk = new Set(["file", "vscode-remote"]);

interface Found {
	readonly now: Map<string, string>;
	readonly changed: { path: string; bytes: Uint8Array }[];
}

/**
 * Keeps the engine's copy of a folder equal to the folder, sending only what changed since the last time. On a disk it looks at every
 * file; in a virtual workspace, where each look may be a request to a server and where every change comes through VS Code, only at
 * those that its watcher has named.
 */
export class TreeMirror implements vscode.Disposable {
	private known = new Map<string, string>();
	private readonly watcher: vscode.Disposable | undefined;
	/** Paths that the watcher has named since the last look; undefined: look at everything. */
	private touched: Set<string> | undefined;

	constructor(private readonly root: vscode.Uri) {
		if (onDisk.has(root.scheme)) return;
		const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(root, "**"));
		const touch = ({ path }: vscode.Uri) => this.touched?.add(path.slice(root.path.length + 1));
		watcher.onDidCreate(touch);
		watcher.onDidChange(touch);
		watcher.onDidDelete(touch);
		// The watcher's word comes by way of the window: a run that saves first would not hear it in time.
		const saves = vscode.workspace.onDidSaveTextDocument(({ uri }) => {
			if (uri.scheme === root.scheme && uri.path.startsWith(`${root.path}/`)) touch(uri);
		});
		this.watcher = vscode.Disposable.from(watcher, saves);
	}

	dispose(): void {
		this.watcher?.dispose();
	}

	/** The engine is new and knows nothing. */
	forget(): void {
		this.known = new Map();
		this.touched = undefined;
	}

	async changes(): Promise<SyncParams> {
		const paths = this.touched;
		const found: Found = { now: new Map(), changed: [] };
		// From here on the watcher's words are for the next look.
		if (this.watcher) this.touched = new Set();
		try {
			if (paths) await this.look(paths, found);
			else await this.visit(this.root, "", 0, found);
		} catch (error) {
			// What was not looked at to the end is looked at again.
			this.touched = undefined;
			throw error;
		}
		const { now } = found;
		const removed = [...this.known.keys()].filter((path) => !now.has(path));
		this.known = now;
		const changed = found.changed.sort((a, b) => (a.path < b.path ? -1 : 1));
		return { changed, removed };
	}

	/** Only at these files and folders; of all others what is known still holds. */
	private async look(paths: ReadonlySet<string>, found: Found): Promise<void> {
		const isTouched = (path: string) => [...paths].some((one) => path === one || path.startsWith(`${one}/`));
		for (const [path, version] of this.known) if (!isTouched(path)) found.now.set(path, version);
		for (const path of paths) {
			const names = path.split("/");
			if (names.some((name) => ignoredFolders.has(name)) || ignoredFiles.test(path)) continue;
			const uri = vscode.Uri.joinPath(this.root, path);
			try {
				const { type } = await vscode.workspace.fs.stat(uri);
				if (type & vscode.FileType.Directory) await this.visit(uri, `${path}/`, names.length, found);
				else await this.visitFile(uri, path, found);
			} catch (error) {
				if (!(error instanceof vscode.FileSystemError)) throw error;
			}
		}
	}

	private async visit(folder: vscode.Uri, prefix: string, depth: number, found: Found): Promise<void> {
		if (depth > 12) return;
		const entries = await vscode.workspace.fs.readDirectory(folder);
		// Side by side: each may be a way to a server and back.
		await Promise.all(
			entries.map(async ([name, type]) => {
				if (found.now.size >= maxFiles) return;
				const uri = vscode.Uri.joinPath(folder, name);
				const path = prefix + name;
				if (type & vscode.FileType.Directory) {
					if (!ignoredFolders.has(name)) await this.visit(uri, `${path}/`, depth + 1, found);
				} else if (!ignoredFiles.test(name)) await this.visitFile(uri, path, found);
			}),
		);
	}

	private async visitFile(uri: vscode.Uri, path: string, { now, changed }: Found): Promise<void> {
		try {
			const stat = await vscode.workspace.fs.stat(uri);
			if (!(stat.type & vscode.FileType.File) || stat.size > maxFileBytes) return;
			const version = `${stat.mtime} ${stat.size}`;
			now.set(path, version);
			if (this.known.get(path) === version) return;
			changed.push({ path, bytes: await vscode.workspace.fs.readFile(uri) });
		} catch (error) {
			// A dangling link or a file deleted while we look: it is not there, and the build says so where it matters.
			if (!(error instanceof vscode.FileSystemError)) throw error;
			now.delete(path);
		}
	}
}
