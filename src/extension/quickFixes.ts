import * as vscode from "vscode";
import { mainLine } from "../build/mainLine.ts";
import { diagnosticSource } from "./diagnostics.ts";
import { addProgram, type FileEdit, type FixTitle, fixesFor, type TreeText } from "./fixes.ts";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";
import { sourceUri } from "./terminalLinks.ts";

/** The light bulb at our messages: a misspelt name, a missing prototype or stub, spaces for a tab. */
export class QuickFixes implements vscode.CodeActionProvider, vscode.Disposable {
	private readonly registration: vscode.Disposable;

	constructor(private readonly folders: Folders) {
		this.registration = vscode.languages.registerCodeActionsProvider(
			[{ pattern: "**/{kernel,user,mkfs}/**" }, { pattern: "**/Makefile" }],
			this,
			{ providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
		);
	}

	async provideCodeActions(
		document: vscode.TextDocument,
		range: vscode.Range,
		{ diagnostics }: vscode.CodeActionContext,
	): Promise<vscode.CodeAction[]> {
		const folder = this.folders.of(document.uri);
		if (!folder) return [];
		const file = document.uri.path.slice(folder.root.path.length + 1);
		const tree = treeText(folder);
		const actions: vscode.CodeAction[] = [];
		const missing = await missingProgram(folder, file, document, tree);
		if (missing && range.intersection(document.lineAt(missing.line).range)) actions.push(missing.action);
		for (const diagnostic of diagnostics.filter(({ source }) => source === diagnosticSource)) {
			const { start, end } = diagnostic.range;
			const at = { line: start.line, column: start.character, endColumn: end.character };
			const fixes = await fixesFor({ file, message: diagnostic.message, ...at }, tree);
			for (const { title, edit } of fixes) {
				const action = new vscode.CodeAction(titleText(title), vscode.CodeActionKind.QuickFix);
				action.diagnostics = [diagnostic];
				action.isPreferred = fixes.length === 1;
				action.edit = workspaceEdit(folder, edit);
				actions.push(action);
			}
		}
		return actions;
	}

	dispose(): void {
		this.registration.dispose();
	}
}

/** A program in user/ that the Makefile does not put on the disk, by the line of its main. */
async function missingProgram(folder: LabFolder, file: string, document: vscode.TextDocument, tree: TreeText) {
	const program = /^user\/(\w+)\.c$/.exec(file)?.[1];
	const line = program === undefined ? undefined : mainLine(document.getText());
	if (program === undefined || line === undefined || isBuilt(folder, file, program)) return undefined;
	const edit = addProgram((await tree.read("Makefile")) ?? "", program);
	if (!edit) return undefined;
	const title = vscode.l10n.t("Add {0} to UPROGS in the Makefile", program);
	const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
	action.edit = workspaceEdit(folder, edit);
	return { action, line: line - 1 };
}

/** Whether the Makefile builds it; `init` and the like are built by a rule of their own. */
export function isBuilt({ tree }: LabFolder, file: string, program: string): boolean {
	return tree.programs.some(({ name, source }) => source === file || name === program);
}

/** What the lens above such a main does: the quick fix. */
export async function addToDisk(folder: LabFolder, program: string): Promise<void> {
	const edit = addProgram((await treeText(folder).read("Makefile")) ?? "", program);
	if (!edit) return;
	await vscode.workspace.applyEdit(workspaceEdit(folder, edit));
	// Not workspace.save(), which saves editors only: nobody may have the Makefile open.
	await (await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.root, edit.file))).save();
}

function titleText(title: FixTitle): string {
	switch (title.kind) {
		case "replace":
			return vscode.l10n.t("Change to '{0}'", title.name);
		case "declare":
			return vscode.l10n.t("Declare '{0}' in {1}", title.name, title.file);
		case "stub":
			return vscode.l10n.t("Add the stub of '{0}' to {1}", title.name, title.file);
		case "tab":
			return vscode.l10n.t("Begin the line with a tab");
	}
}

function workspaceEdit(folder: LabFolder, { file, line, column, endColumn, text }: FileEdit): vscode.WorkspaceEdit {
	const edit = new vscode.WorkspaceEdit();
	const range = new vscode.Range(line, column, line, endColumn ?? column);
	edit.replace(vscode.Uri.joinPath(folder.root, file), range, text);
	return edit;
}

/** The tree as the editor has it, unsaved changes included. */
function treeText(folder: LabFolder): TreeText {
	return {
		read: async (path) => {
			const uri = sourceUri(folder.root, path);
			if (!uri) return undefined;
			try {
				return (await vscode.workspace.openTextDocument(uri)).getText();
			} catch {
				// There is no such file, or it is no text.
				return undefined;
			}
		},
		list: async (path) =>
			(await vscode.workspace.fs.readDirectory(vscode.Uri.joinPath(folder.root, path))).map(([name]) => name),
	};
}
