import * as vscode from "vscode";
import type { Logger } from "../common/logger.ts";
import { treeSigns } from "../common/xv6Tree.ts";
import type { Diagnosis } from "../protocol/diagnosis.ts";
import type { ContextKeys } from "./contextKeys.ts";
import type { BuildDiagnostics } from "./diagnostics.ts";
import type { Platform } from "./engineClient.ts";
import { LabFolder } from "./labFolder.ts";

/** Engines that stay after they have looked at their tree; each takes some 70 MB. */
const enginesKept = 6;

/** Trees of one workspace folder that are shown: each is asked what it is. */
const mostTrees = 50;

/** What is offered as a tree can be built, too. */
const signs = [...treeSigns, "Makefile"];

/** The kernel trees of the window: a workspace folder itself, or the folders right below it. */
export class Folders implements vscode.Disposable {
	private readonly byUri = new Map<string, LabFolder>();
	private readonly subscriptions: vscode.Disposable[] = [];
	private readonly changed = new vscode.EventEmitter<void>();
	private readonly failed = new vscode.EventEmitter<{ folder: LabFolder; diagnoses: readonly Diagnosis[] }>();
	private searching: Promise<void> | undefined;
	/** After the search that runs. */
	private nextSearch: Promise<void> | undefined;
	private recent: LabFolder | undefined;
	/** Workspace folders of which was said that they hold more trees than are shown. */
	private readonly saidMore = new Set<string>();

	readonly onDidChange = this.changed.event;
	/** A machine has panicked while a person used it. */
	readonly onFailure = this.failed.event;

	constructor(
		private readonly platform: Platform,
		private readonly diagnostics: BuildDiagnostics,
		private readonly keys: ContextKeys,
		private readonly log: Logger,
		/** Programs that have a command of their own. */
		private readonly programs: readonly string[],
	) {
		const watcher = vscode.workspace.createFileSystemWatcher("**/kernel/{proc,main}.c", false, true, false);
		// What decides a tree's programs and lab; a tree may have been seen while its files were still being written.
		const shape = vscode.workspace.createFileSystemWatcher("**/{Makefile,lab.json,.xv6-lab.json}");
		const reshaped = (uri: vscode.Uri) => void this.resync(this.of(uri));
		this.subscriptions.push(
			shape,
			shape.onDidCreate(reshaped),
			shape.onDidChange(reshaped),
			shape.onDidDelete(reshaped),
			watcher,
			watcher.onDidCreate(() => void this.refresh()),
			watcher.onDidDelete(() => void this.refresh()),
			vscode.workspace.onDidChangeWorkspaceFolders(() => void this.refresh()),
		);
	}

	get all(): readonly LabFolder[] {
		return [...this.byUri.values()];
	}

	/** The tree that a person used last. */
	get current(): LabFolder | undefined {
		return this.recent && this.all.includes(this.recent) ? this.recent : this.all[0];
	}

	/** Looks for kernel trees again and asks each what it is. A search that runs may have passed what has changed since: another follows it. */
	refresh(): Promise<void> {
		if (!this.searching) {
			this.searching = this.search().finally(() => (this.searching = undefined));
			return this.searching;
		}
		const next = () => {
			this.nextSearch = undefined;
			return this.refresh();
		};
		this.nextSearch ??= this.searching.then(next, next);
		return this.nextSearch;
	}

	/** Asks every known tree again what it is. */
	async resyncAll(): Promise<void> {
		for (const folder of this.all) await this.resync(folder);
	}

	private async resync(folder: LabFolder | undefined): Promise<void> {
		if (!folder) return;
		const { hasEngine } = folder;
		await folder.sync().catch((error: Error) => this.log.error(`${folder.name}: ${error.message}`));
		// A class's folder may hold fifty trees, of which a person looks at one.
		if (!hasEngine && this.all.filter((one) => one.hasEngine).length > enginesKept) folder.rest();
	}

	/** The tree that a file lies in. */
	of(uri: vscode.Uri | undefined): LabFolder | undefined {
		if (!uri) return undefined;
		return this.all.find((folder) => uri.path === folder.root.path || uri.path.startsWith(`${folder.root.path}/`));
	}

	/** The tree that a command without an argument means: of the active editor, the only one, the last used, or a pick. */
	async choose(hint?: vscode.Uri): Promise<LabFolder | undefined> {
		await this.refresh();
		const editor = vscode.window.activeTextEditor?.document.uri;
		let folder = this.of(hint) ?? this.of(editor) ?? (this.all.length === 1 ? this.all[0] : undefined);
		if (!folder && this.all.length > 1) folder = await this.pick();
		if (folder && folder !== this.recent) {
			this.recent = folder;
			this.changed.fire();
		}
		return folder;
	}

	private async pick(): Promise<LabFolder | undefined> {
		const items = this.all.map((folder) => ({ label: folder.name, description: folder.root.path, folder }));
		items.sort((a, b) => Number(b.folder === this.recent) - Number(a.folder === this.recent));
		const placeHolder = vscode.l10n.t("Which kernel?");
		return (await vscode.window.showQuickPick(items, { placeHolder }))?.folder;
	}

	dispose(): void {
		for (const folder of this.all) folder.dispose();
		for (const subscription of this.subscriptions) subscription.dispose();
		this.changed.dispose();
		this.failed.dispose();
	}

	private async search(): Promise<void> {
		const roots: vscode.Uri[] = [];
		for (const { uri } of vscode.workspace.workspaceFolders ?? []) {
			if (await isTree(uri)) roots.push(uri);
			else roots.push(...(await this.treesIn(uri)));
		}
		const wanted = new Set(roots.map((uri) => uri.toString()));
		for (const [key, folder] of this.byUri) {
			if (wanted.has(key)) continue;
			this.byUri.delete(key);
			folder.dispose();
		}
		for (const root of roots) {
			if (this.byUri.has(root.toString())) continue;
			const name = root.path.split("/").at(-1) ?? "xv6";
			const folder = new LabFolder(root, name, this.platform, this.diagnostics, this.log);
			folder.onDidChange(() => this.published());
			folder.onFailure((diagnoses) => this.failed.fire({ folder, diagnoses }));
			this.byUri.set(root.toString(), folder);
			await this.resync(folder);
		}
		this.published();
	}

	private async treesIn(folder: vscode.Uri): Promise<vscode.Uri[]> {
		const children = await subfolders(folder);
		const trees: vscode.Uri[] = [];
		// Some at a time: a workspace may be a home folder on a slow disk.
		for (let at = 0; at < children.length; at += 32) {
			const some = children.slice(at, at + 32);
			const are = await Promise.all(some.map(isTree));
			trees.push(...some.filter((_, index) => are[index]));
		}
		const shown = trees.slice(0, mostTrees);
		const key = folder.toString();
		if (shown.length < trees.length && !this.saidMore.has(key)) {
			this.saidMore.add(key);
			const counts = [String(shown.length), String(trees.length)];
			void vscode.window.showInformationMessage(
				vscode.l10n.t(
					"{0} holds {2} kernel trees, of which the first {1} are shown. To work on another one, open its folder. The command xv6-lab grade judges them all.",
					folder.path.split("/").at(-1) ?? "",
					...counts,
				),
			);
		}
		return shown;
	}

	private published(): void {
		this.keys.set("isKernelTree", this.all.length > 0);
		this.keys.set(
			"hasLab",
			this.all.some((folder) => folder.tree.lab !== undefined),
		);
		this.keys.set(
			"machineRunning",
			this.all.some((folder) => folder.machineAlive),
		);
		for (const program of this.programs) {
			const there = this.all.some((folder) => folder.tree.programs.some((candidate) => candidate.name === program));
			this.keys.set(`has.${program}`, there);
		}
		this.changed.fire();
	}
}

async function isTree(folder: vscode.Uri): Promise<boolean> {
	const found = await Promise.all(signs.map((sign) => exists(vscode.Uri.joinPath(folder, sign))));
	return found.every(Boolean);
}

async function exists(uri: vscode.Uri): Promise<boolean> {
	try {
		await vscode.workspace.fs.stat(uri);
		return true;
	} catch {
		return false;
	}
}

/** By name, so that the same are the first each time. */
async function subfolders(folder: vscode.Uri): Promise<vscode.Uri[]> {
	try {
		const entries = await vscode.workspace.fs.readDirectory(folder);
		return entries
			.filter(([name, type]) => type & vscode.FileType.Directory && !name.startsWith(".") && name !== "node_modules")
			.map(([name]) => name)
			.sort()
			.map((name) => vscode.Uri.joinPath(folder, name));
	} catch {
		return [];
	}
}
