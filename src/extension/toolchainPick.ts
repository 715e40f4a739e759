import * as vscode from "vscode";
import type { LabFolder } from "./labFolder.ts";

/** `xv6: Select Toolchain…`: writes the setting of the folder, so that it is seen and undone like any other. */
export async function selectToolchain(folder: LabFolder | undefined, hasProcesses: boolean): Promise<void> {
	const hostAllowed = hasProcesses && vscode.workspace.isTrusted;
	const items = [
		{
			label: "auto",
			detail: vscode.l10n.t("The faster of a working compiler on this machine and the bundled one"),
		},
		{ label: "bundled", detail: vscode.l10n.t("The compiler inside the extension; the same everywhere") },
		{
			label: "host",
			detail: hostAllowed
				? vscode.l10n.t("A RISC-V gcc or clang on this machine")
				: vscode.l10n.t("Not in Restricted Mode or in a browser"),
		},
	];
	const config = vscode.workspace.getConfiguration("xv6Lab", folder?.root);
	const now = config.get<string>("toolchain.kind");
	const placeHolder = vscode.l10n.t("Which compiler builds the kernel? Now: {0}", now ?? "auto");
	const choice = await vscode.window.showQuickPick(items, { placeHolder });
	if (!choice) return;
	const target = vscode.workspace.workspaceFolders
		? vscode.ConfigurationTarget.Workspace
		: vscode.ConfigurationTarget.Global;
	await config.update("toolchain.kind", choice.label, target);
}
