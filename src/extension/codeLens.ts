import * as vscode from "vscode";
import { mainLine } from "../build/mainLine.ts";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";
import { isBuilt } from "./quickFixes.ts";

/** "Run" and "Debug" above `main` of user programs, in kernel trees only. */
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
		if (main === undefined) return [];
		if (!program) return this.notOnDisk(document, folder, path, main);
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
			...this.schedules(range, document, folder, program.name),
		];
	}

	/** A program that a test of the lab judges can be tried with many schedules. */
	private schedules(range: vscode.Range, { uri }: vscode.TextDocument, folder: LabFolder, program: string) {
		if (!folder.tree.lab?.tests.some((test) => test.program === program)) return [];
		const title = vscode.l10n.t("$(beaker) Run {0} schedules", folder.settings.seeds);
		return [new vscode.CodeLens(range, { title, command: "xv6Lab.runSchedules", arguments: [uri, program] })];
	}

	/** A program that `make` does not build: the shell would say that exec failed. */
	private notOnDisk(document: vscode.TextDocument, folder: LabFolder, path: string, main: number): vscode.CodeLens[] {
		const name = /^user\/(\w+)\.c$/.exec(path)?.[1];
		if (name === undefined || isBuilt(folder, path, name)) return [];
		const title = vscode.l10n.t("$(add) Add {0} to UPROGS in the Makefile", name);
		const { range } = document.lineAt(main - 1);
		return [new vscode.CodeLens(range, { title, command: "xv6Lab.addProgram", arguments: [document.uri, name] })];
	}

	dispose(): void {
		this.registration.dispose();
		this.changed.dispose();
	}
}
