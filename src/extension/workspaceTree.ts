import * as vscode from "vscode";
import { UserError } from "../common/errors.ts";
import type { SourceTree, TreeEntry } from "../common/sourceTree.ts";

/** A folder of `vscode.workspace.fs`: on the disk, in a browser, or wherever the window's files are. */
export class WorkspaceTree implements SourceTree {
	readonly label: string;

	constructor(private readonly root: vscode.Uri) {
		this.label = root.path;
	}

	async read(path: string): Promise<Uint8Array | undefined> {
		try {
			return await vscode.workspace.fs.readFile(this.uri(path));
		} catch (error) {
			if (isAbsent(error)) return undefined;
			const next = "Check that you may read it.";
			throw new UserError("file-unreadable", `Cannot read ${path}: ${(error as Error).message}`, next, { file: path });
		}
	}

	async list(folder: string): Promise<readonly TreeEntry[]> {
		try {
			const entries = await vscode.workspace.fs.readDirectory(this.uri(folder));
			return entries
				.map(([name, type]): TreeEntry => ({ name, kind: type & vscode.FileType.Directory ? "folder" : "file" }))
				.sort((a, b) => (a.name < b.name ? -1 : 1));
		} catch (error) {
			if (isAbsent(error)) return [];
			throw error;
		}
	}

	private uri(path: string): vscode.Uri {
		return path === "" ? this.root : vscode.Uri.joinPath(this.root, ...path.split("/"));
	}
}

function isAbsent(error: unknown): boolean {
	const codes = ["FileNotFound", "FileNotADirectory", "FileIsADirectory"];
	return error instanceof vscode.FileSystemError && codes.includes(error.code);
}
