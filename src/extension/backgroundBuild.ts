import * as vscode from "vscode";
import { UserError } from "../common/errors.ts";
import type { Logger } from "../common/logger.ts";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";

/** Saves that come together (Save All) are one build. */
const gatherMs = 150;
/** Well below the time after which an idle compiler is let go. */
const warmAgainMs = 60_000;
/** What a build reads. */
const buildInput = /(?:\.[chS]|\.pl|\.ld|(?:^|\/)Makefile|\.mk)$/;

/**
 * Problems follow the edits: the compiler is loaded at the first key, and a save builds in the background. Nothing is shown but
 * the messages; a run or a build that a person started comes first.
 */
export class BackgroundBuild implements vscode.Disposable {
	private readonly timers = new Map<LabFolder, ReturnType<typeof setTimeout>>();
	private readonly warmed = new Map<LabFolder, number>();
	private readonly subscriptions: readonly vscode.Disposable[];

	constructor(
		private readonly folders: Folders,
		private readonly log: Logger,
	) {
		this.subscriptions = [
			vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
				if (contentChanges.length > 0 && document.isDirty) this.edited(document.uri);
			}),
			vscode.workspace.onDidSaveTextDocument(({ uri }) => this.saved(uri)),
		];
	}

	private folderOf(uri: vscode.Uri): LabFolder | undefined {
		if (!buildInput.test(uri.path)) return undefined;
		const folder = this.folders.of(uri);
		return folder?.settings.buildOnSave ? folder : undefined;
	}

	private edited(uri: vscode.Uri): void {
		const folder = this.folderOf(uri);
		if (!folder) return;
		const now = performance.now();
		if (now - (this.warmed.get(folder) ?? Number.NEGATIVE_INFINITY) < warmAgainMs) return;
		this.warmed.set(folder, now);
		folder.warm();
	}

	private saved(uri: vscode.Uri): void {
		const folder = this.folderOf(uri);
		if (!folder) return;
		clearTimeout(this.timers.get(folder));
		this.timers.set(
			folder,
			setTimeout(() => void this.build(folder), gatherMs),
		);
	}

	private async build(folder: LabFolder): Promise<void> {
		this.timers.delete(folder);
		try {
			await folder.buildInBackground();
		} catch (error) {
			// What is wrong with the tree is in the Problems panel.
			if (!(error instanceof UserError)) this.log.error((error as Error).stack ?? String(error));
		}
	}

	dispose(): void {
		for (const timer of this.timers.values()) clearTimeout(timer);
		for (const subscription of this.subscriptions) subscription.dispose();
	}
}
