import * as vscode from "vscode";
import { startWebEngine } from "./env/web/engineWorker.ts";
import { start, type Xv6LabApi } from "./extension/app.ts";
import { WorkspaceTree } from "./extension/workspaceTree.ts";
import { LabCatalog } from "./lab/catalog.ts";

export function activate(context: vscode.ExtensionContext): Xv6LabApi {
	const dist = vscode.Uri.joinPath(context.extensionUri, "dist");
	const catalog = new LabCatalog(new WorkspaceTree(vscode.Uri.joinPath(dist, "assets")));
	// A web worker cannot always resolve URLs of the extension: it is given bytes.
	const read = (path: string) => vscode.workspace.fs.readFile(vscode.Uri.joinPath(dist, ...path.split("/")));
	return start(context, { hasProcesses: false, startEngine: () => startWebEngine(read) }, catalog);
}

export function deactivate(): void {}
