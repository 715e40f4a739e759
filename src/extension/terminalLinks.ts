import * as vscode from "vscode";
import { actionsIn } from "./card.ts";
import { actionWords, type CardAction } from "./cardWords.ts";
import { definitionLine } from "./definition.ts";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";
import { type ConsoleLink, consoleLinks } from "./linkPatterns.ts";

interface SourceLink extends vscode.TerminalLink {
	readonly folder: LabFolder;
	readonly target: ConsoleLink["target"] | CardAction;
}

/** Places in the guest's output that lead to a source line: file names, program counters, and the function that a panic names. */
export class TerminalLinks implements vscode.TerminalLinkProvider<SourceLink>, vscode.Disposable {
	private readonly registration = vscode.window.registerTerminalLinkProvider(this);

	constructor(private readonly folders: Folders) {}

	provideTerminalLinks(context: vscode.TerminalLinkContext): SourceLink[] {
		const folder = this.folders.all.find((candidate) => candidate.terminal.owns(context.terminal));
		if (!folder) return [];
		const links: SourceLink[] = [];
		const tooltip = vscode.l10n.t("Open the source line");
		for (const { at, length, target } of consoleLinks(context.line))
			links.push({ startIndex: at, length, folder, target, tooltip });
		const words = Object.entries(actionWords()) as [CardAction, string][];
		const byText = new Map(words.map(([action, text]) => [text, action]));
		for (const { at, length, action } of actionsIn(context.line, [...byText.keys()])) {
			const target = byText.get(action);
			if (target) links.push({ startIndex: at, length, folder, target, tooltip: action });
		}
		return links;
	}

	async handleTerminalLink(link: SourceLink): Promise<void> {
		const { folder, target } = link;
		if (typeof target === "string") return act(folder, target);
		if ("line" in target) return openSource(folder.root, target.file, target.line);
		const location = await folder.engine().request("symbolize", { address: target.address });
		const file = location?.file ?? target.file;
		// Variables have no line in the line table, and without a machine nothing has: the text tells then.
		if (file) return openSource(folder.root, file, location?.line ?? target.address);
		void vscode.window.showInformationMessage(vscode.l10n.t("xv6: no source line is known for {0}.", target.address));
	}

	dispose(): void {
		this.registration.dispose();
	}
}

async function act(folder: LabFolder, action: CardAction): Promise<void> {
	const { handout } = folder.tree.lab ?? {};
	if (action === "openInspector") await vscode.commands.executeCommand("xv6Lab.openInspector", folder.root);
	else if (action === "openProblems") await vscode.commands.executeCommand("workbench.actions.view.problems");
	else if (action === "runAgain")
		await vscode.commands.executeCommand("xv6Lab.runProgramAt", folder.root, folder.terminal.ran);
	else if (handout)
		await vscode.commands.executeCommand("markdown.showPreviewToSide", vscode.Uri.joinPath(folder.root, handout));
}

/** A file of the tree. Paths come from debug information: one that leads out of the tree is none of its files. */
export function sourceUri(root: vscode.Uri, file: string): vscode.Uri | undefined {
	const parts = file.split("/").filter((part) => part !== "" && part !== ".");
	return parts.includes("..") ? undefined : vscode.Uri.joinPath(root, ...parts);
}

/** Opens a file of the tree at a line (from 1), or where it defines a name. */
export async function openSource(root: vscode.Uri, file: string, at: number | string): Promise<void> {
	const uri = sourceUri(root, file);
	if (!uri) return;
	try {
		const document = await vscode.workspace.openTextDocument(uri);
		const line = typeof at === "number" ? at : (definitionLine(document.getText(), at) ?? 1);
		const position = new vscode.Position(Math.max(0, line - 1), 0);
		// Where it is in sight already, and not over what is beside it.
		const shown = vscode.window.visibleTextEditors.find((editor) => editor.document === document)?.viewColumn;
		const selection = new vscode.Range(position, position);
		await vscode.window.showTextDocument(document, { selection, ...(shown ? { viewColumn: shown } : {}) });
	} catch {
		void vscode.window.showInformationMessage(vscode.l10n.t("xv6: {0} is not in this tree.", file));
	}
}
