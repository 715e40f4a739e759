import * as vscode from "vscode";
import type { SyncParams } from "../protocol/engine.ts";

/** A source tree of a course has some 150 files; far more is no xv6 tree, and is not read. */
const maxFiles = 4000;
const maxFileBytes = 8 * 1024 * 1024;
/** Folders that no xv6 build reads. */
const ignoredFolders = new Set([".git", "node_modules", ".vscode", ".cache", "dist", "out"]);
/** What a build leaves behind. */
const ignoredFiles = /\.(o|d|asm|sym|img|pyc)$/;

/** Keeps the engine's copy of a folder equal to the folder, sending only what changed since the last time. */
export class TreeMirror {
	private known = new Map<string, string>();

	constructor(private readonly root: vscode.Uri) {}

	/** The engine is new and knows nothing. */
	forget(): void {
		this.known = new Map();
	}

	async changes(): Promise<SyncParams> {
		const now = new Map<string, string>();
		const changed: { path: string; bytes: Uint8Array }[] = [];
		const visit = async (folder: vscode.Uri, prefix: string, depth: number): Promise<void> => {
			if (depth > 12) return;
			for (const [name, type] of await vscode.workspace.fs.readDirectory(folder)) {
				if (now.size >= maxFiles) return;
				const uri = vscode.Uri.joinPath(folder, name);
				const path = prefix + name;
				if (type & vscode.FileType.Directory) {
					if (!ignoredFolders.has(name)) await visit(uri, `${path}/`, depth + 1);
				} else if (!ignoredFiles.test(name)) {
					await this.visitFile(uri, path, now, changed);
				}
			}
		};
		await visit(this.root, "", 0);
		const removed = [...this.known.keys()].filter((path) => !now.has(path));
		this.known = now;
		return { changed, removed };
	}

	private async visitFile(
		uri: vscode.Uri,
		path: string,
		now: Map<string, string>,
		changed: { path: string; bytes: Uint8Array }[],
	): Promise<void> {
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
