import * as vscode from "vscode";
import { UserError } from "../common/errors.ts";

/** Files that a person names or wants: what stands in their way is said, and not only thrown. */

export async function readFile(uri: vscode.Uri): Promise<Uint8Array> {
	try {
		return await vscode.workspace.fs.readFile(uri);
	} catch (error) {
		const what = vscode.l10n.t("Cannot read {0}: {1}", uri.path, (error as Error).message);
		throw new UserError("file-unreadable", what, vscode.l10n.t("Check that it is there and that you may read it."));
	}
}

export async function writeFile(uri: vscode.Uri, bytes: Uint8Array): Promise<void> {
	try {
		await vscode.workspace.fs.writeFile(uri, bytes);
	} catch (error) {
		const what = vscode.l10n.t("Cannot write to {0}: {1}", uri.path, (error as Error).message);
		throw new UserError(
			"file-unwritable",
			what,
			vscode.l10n.t("Check that you may write there and that the disk has room."),
		);
	}
}
