import * as vscode from "vscode";
import { DisposableStore } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { readFile, writeFile } from "./files.ts";
import type { Folders } from "./folders.ts";
import { refusesOneMachine } from "./gradedTest.ts";
import type { LabFolder } from "./labFolder.ts";
import { testInfo } from "./testItems.ts";
import type { LabTests } from "./tests.ts";

const extension = "xv6run";

/** *Save This Run…* and *Open Run…*: a run of the machine as a file, for another day or another person. */
export class SavedRuns implements vscode.Disposable, vscode.UriHandler {
	private readonly store = new DisposableStore();

	constructor(
		private readonly folders: Folders,
		private readonly tests: LabTests,
	) {
		this.store.add(vscode.window.registerUriHandler(this));
		const commands: Record<string, (...args: never[]) => Promise<void>> = {
			"xv6Lab.saveRun": () => this.save(),
			"xv6Lab.saveTestRun": (chosen?: { readonly test?: vscode.TestItem }) => this.saveTest(chosen?.test),
			"xv6Lab.openRun": (file?: vscode.Uri) => this.open(file),
		};
		for (const [id, run] of Object.entries(commands))
			this.store.add(
				vscode.commands.registerCommand(id, async (...args: never[]) => {
					try {
						await run(...args);
					} catch (error) {
						if (!(error instanceof UserError)) throw error;
						if (error.code !== "cancelled") void vscode.window.showErrorMessage(error.format());
					}
				}),
			);
	}

	dispose(): void {
		this.store.dispose();
	}

	/** `vscode://xv6-lab.xv6-lab/openRun?PATH`, of the page of a graded class. VS Code has asked the user before it comes here. */
	handleUri(uri: vscode.Uri): void {
		const path = uri.query;
		// A path of another computer would make Windows log in there.
		const isLocal = /^(?:\/(?!\/)|[A-Za-z]:[\\/])/.test(path);
		if (uri.path !== "/openRun" || !isLocal || !path.endsWith(`.${extension}`)) return;
		void vscode.commands.executeCommand("xv6Lab.openRun", vscode.Uri.file(path));
	}

	private async save(): Promise<void> {
		const folder = await this.folders.choose();
		if (folder) await saveRun(folder);
	}

	/** Of a test in the explorer: the machine runs it, as the explorer did, and the run is saved. */
	private async saveTest(item: vscode.TestItem | undefined): Promise<void> {
		const found = item && this.tests.testOf(item);
		if (!found) return this.save();
		const { folder, id, command } = found;
		if (refusesOneMachine(testInfo(folder, id))) return;
		await vscode.window.withProgress(
			{
				location: vscode.ProgressLocation.Notification,
				title: vscode.l10n.t("xv6: running {0}", command),
				cancellable: true,
			},
			(report, token) => folder.runTest(id, folder.settings.machine.seed ?? 0, report, token),
		);
		await saveRun(folder);
	}

	private async open(given: vscode.Uri | undefined): Promise<void> {
		const folder = await this.folders.choose();
		if (!folder) return;
		const file = given instanceof vscode.Uri ? given : await askForFile(folder);
		if (!file) return;
		const bytes = await readFile(file);
		const opened = await vscode.window.withProgress(
			{
				location: vscode.ProgressLocation.Notification,
				title: vscode.l10n.t("xv6: repeating the recorded run"),
				cancellable: true,
			},
			(_report, token) => folder.openRun(bytes, token),
		);
		const what = opened.title === "" ? vscode.l10n.t("the run") : opened.title;
		const count = opened.instructions.toLocaleString("en");
		if (!opened.same) {
			void vscode.window.showWarningMessage(
				vscode.l10n.t("xv6: repeated {0}, {1} instructions. It ended in another state than recorded.", what, count),
			);
			return;
		}
		const inspect = vscode.l10n.t("Open Memory Inspector");
		const debug = vscode.l10n.t("Debug");
		const choice = await vscode.window.showInformationMessage(
			vscode.l10n.t("xv6: repeated {0}, {1} instructions. The machine is stopped at its end.", what, count),
			...(opened.isBuilt ? [inspect, debug] : [inspect]),
		);
		if (choice === inspect) await vscode.commands.executeCommand("xv6Lab.openInspector", folder.root);
		if (choice !== debug) return;
		const workspace = vscode.workspace.getWorkspaceFolder(folder.root);
		const name = vscode.l10n.t("Debug {0}", what);
		await vscode.debug.startDebugging(workspace, { type: "xv6", request: "attach", name });
	}
}

/** Asks where to, and saves the live machine's run. */
export async function saveRun(folder: LabFolder): Promise<void> {
	const { bytes, title } = await folder.engine().request("saveRun", undefined);
	const name = (title || "xv6").replace(/[^\w.-]+/g, "-").slice(0, 60);
	const file = await vscode.window.showSaveDialog({
		defaultUri: vscode.Uri.joinPath(folder.root, `${name}.${extension}`),
		filters: filters(),
		title: vscode.l10n.t("Save the run of the machine"),
	});
	if (!file) return;
	await writeFile(file, bytes);
	void vscode.window.showInformationMessage(
		vscode.l10n.t('xv6: saved. "xv6: Open Run…", or xv6-lab replay, repeats it, on any computer.'),
	);
}

async function askForFile(folder: LabFolder): Promise<vscode.Uri | undefined> {
	const chosen = await vscode.window.showOpenDialog({
		defaultUri: folder.root,
		filters: filters(),
		title: vscode.l10n.t("Open a recorded run"),
	});
	return chosen?.[0];
}

function filters(): Record<string, string[]> {
	return { [vscode.l10n.t("Recorded run of xv6")]: [extension], [vscode.l10n.t("All files")]: ["*"] };
}
