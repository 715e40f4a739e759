import * as vscode from "vscode";
import { UserError } from "../common/errors.ts";
import type { LabCatalog } from "../lab/catalog.ts";
import type { ContextKeys } from "./contextKeys.ts";

/** `xv6: New Lab Workspace…`: choose a lab and a folder, write the files, offer to open it. Never over an existing file. */
export async function newWorkspace(
	catalog: LabCatalog,
	keys: ContextKeys,
	given?: { lab?: string; folder?: vscode.Uri },
): Promise<void> {
	const lab = given?.lab ?? (await pickLab(catalog));
	if (lab === undefined) return;
	const folder = given?.folder ?? (await pickFolder());
	if (!folder) return;
	const files = await catalog.workspace(lab === plainKernel ? undefined : lab);
	keys.set("makingWorkspace", true);
	await writeAll(folder, files).finally(() => keys.set("makingWorkspace", false));
	if (given?.folder) return;
	const here = vscode.l10n.t("Open");
	const newWindow = vscode.l10n.t("Open in New Window");
	const text = vscode.l10n.t("xv6: made {0} with {1} files.", folder.path, files.size);
	const choice = await vscode.window.showInformationMessage(text, here, newWindow);
	if (choice)
		await vscode.commands.executeCommand("vscode.openFolder", folder, { forceNewWindow: choice === newWindow });
}

const plainKernel = "";

async function pickLab(catalog: LabCatalog): Promise<string | undefined> {
	const manifests = await Promise.all((await catalog.ids()).map((id) => catalog.manifest(id)));
	const items = manifests.map((manifest) => ({ label: manifest.title, description: manifest.course, id: manifest.id }));
	items.push({ label: vscode.l10n.t("Only the kernel"), description: vscode.l10n.t("no lab"), id: plainKernel });
	const placeHolder = vscode.l10n.t("Which lab?");
	return (await vscode.window.showQuickPick(items, { placeHolder }))?.id;
}

async function pickFolder(): Promise<vscode.Uri | undefined> {
	const openLabel = vscode.l10n.t("Make Workspace Here");
	const title = vscode.l10n.t("An empty folder for the lab");
	const options = { canSelectFiles: false, canSelectFolders: true, canSelectMany: false, openLabel, title };
	return (await vscode.window.showOpenDialog(options))?.[0];
}

async function writeAll(folder: vscode.Uri, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
	for (const path of files.keys()) {
		const uri = vscode.Uri.joinPath(folder, path);
		if (!(await exists(uri))) continue;
		throw new UserError(
			"already-exists",
			vscode.l10n.t("{0} is there already", uri.path),
			vscode.l10n.t("Nothing was written; choose an empty folder."),
		);
	}
	const title = vscode.l10n.t("xv6: making the workspace");
	const location = vscode.ProgressLocation.Notification;
	await vscode.window.withProgress({ location, title, cancellable: true }, async (progress, token) => {
		const written: vscode.Uri[] = [];
		try {
			for (const [path, bytes] of files) {
				if (token.isCancellationRequested)
					throw new UserError("cancelled", vscode.l10n.t("Cancelled"), vscode.l10n.t("Nothing was left behind."));
				const uri = vscode.Uri.joinPath(folder, path);
				await vscode.workspace.fs.writeFile(uri, bytes);
				written.push(uri);
				progress.report({ increment: 100 / files.size });
			}
		} catch (error) {
			for (const uri of written) await vscode.workspace.fs.delete(uri).then(undefined, () => undefined);
			if (error instanceof UserError) throw error;
			const next = vscode.l10n.t("Nothing was left behind. Choose a folder that you may write to.");
			const what = vscode.l10n.t("Cannot write to {0}: {1}", folder.path, (error as Error).message);
			throw new UserError("file-unwritable", what, next);
		}
	});
}

async function exists(uri: vscode.Uri): Promise<boolean> {
	return vscode.workspace.fs.stat(uri).then(
		() => true,
		() => false,
	);
}
