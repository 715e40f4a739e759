import * as vscode from "vscode";
import { mainLine } from "../build/mainLine.ts";
import type { Folders } from "./folders.ts";

/** "Run" above `main` of user programs, in kernel trees only. */
export class ProgramLenses implements vscode.CodeLensProvider, vscode.Disposable {
	private readonly changed = new vscode.EventEmitter<void>();
	private readonly registration: vscode.Disposable;
	readonly onDidChangeCodeLenses = this.changed.event;

	constructor(private readonly folders: Folders) {
		folders.onDidChange(() => this.changed.fire());
		this.registration = vscode.languages.registerCodeLensProvider({ pattern: "**/user/*.c" }, this);
	}

	provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
		const folder = this.folders.of(document.uri);
		if (!folder) return [];
		const path = document.uri.path.slice(folder.root.path.length + 1);
		const program = folder.tree.programs.find((candidate) => candidate.source === path);
		const main = mainLine(document.getText());
		if (!program || main === undefined) return [];
		const { range } = document.lineAt(main - 1);
		const title = vscode.l10n.t("$(play) Run {0}", program.name);
		const debug = vscode.l10n.t("$(debug-alt) Debug {0}", program.name);
		return [
			new vscode.CodeLens(range, { title, command: "xv6Lab.runProgramAt", arguments: [document.uri, program.name] }),
			new vscode.CodeLens(range, {
				title: debug,
				command: "xv6Lab.debugProgramAt",
				arguments: [document.uri, program.name],
			}),
		];
	}

	dispose(): void {
		this.registration.dispose();
		this.changed.dispose();
	}
}
