import * as vscode from "vscode";
import { enginesClosed, startNodeEngine } from "./env/node/engineProcess.ts";
import { start, type Xv6LabApi } from "./extension/app.ts";
import { WorkspaceTree } from "./extension/workspaceTree.ts";
import { LabCatalog } from "./lab/catalog.ts";

export function activate(context: vscode.ExtensionContext): Xv6LabApi {
	const dist = vscode.Uri.joinPath(context.extensionUri, "dist");
	const catalog = new LabCatalog(new WorkspaceTree(vscode.Uri.joinPath(dist, "assets")));
	const cache = vscode.Uri.joinPath(context.globalStorageUri, "objects").fsPath;
	return start(context, { hasProcesses: true, startEngine: () => startNodeEngine(dist.fsPath, cache) }, catalog);
}

/** VS Code disposes of the subscriptions, and so of the engines, as soon as this has returned its promise. */
export async function deactivate(): Promise<void> {
	await undefined;
	await enginesClosed();
}
