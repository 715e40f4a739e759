import * as vscode from "vscode";
import type { TestInfo } from "../protocol/engine.ts";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";
import { labProgress, type TaskProgress, type TestState } from "./progress.ts";

type Row =
	| { readonly kind: "folder"; readonly folder: LabFolder }
	| { readonly kind: "next"; readonly folder: LabFolder; readonly test: TestInfo; readonly title: string }
	| { readonly kind: "handout"; readonly folder: LabFolder; readonly path: string }
	| { readonly kind: "task"; readonly folder: LabFolder; readonly progress: TaskProgress }
	| {
			readonly kind: "test";
			readonly folder: LabFolder;
			readonly test: TestInfo;
			readonly state: TestState | undefined;
	  };

export const progressView = "xv6Lab.progress";

/** Where the view takes its results from: the Test Explorer. */
export interface TestResults {
	readonly onDidChangeResults: vscode.Event<void>;
	results(folder: LabFolder): ReadonlyMap<string, TestState>;
}

const icons = {
	passed: new vscode.ThemeIcon("pass-filled", new vscode.ThemeColor("testing.iconPassed")),
	failed: new vscode.ThemeIcon("error", new vscode.ThemeColor("testing.iconFailed")),
	partly: new vscode.ThemeIcon("circle-filled", new vscode.ThemeColor("testing.iconQueued")),
	"not-begun": new vscode.ThemeIcon("circle-slash", new vscode.ThemeColor("testing.iconSkipped")),
	none: new vscode.ThemeIcon("circle-outline"),
} as const;

/** The side bar's first view: the lab's tasks with their tests, how far one has come, and what comes next. */
export class ProgressView implements vscode.TreeDataProvider<Row>, vscode.Disposable {
	private readonly changed = new vscode.EventEmitter<void>();
	/** Before `view`: `createTreeView` subscribes to it at once. */
	readonly onDidChangeTreeData = this.changed.event;
	private readonly view = vscode.window.createTreeView(progressView, { treeDataProvider: this });
	private readonly subscriptions: readonly vscode.Disposable[];

	constructor(
		private readonly folders: Folders,
		private readonly tests: TestResults,
	) {
		const update = () => {
			this.view.message = this.summary() ?? "";
			this.changed.fire();
		};
		this.subscriptions = [folders.onDidChange(update), tests.onDidChangeResults(update)];
		update();
	}

	get isVisible(): boolean {
		return this.view.visible;
	}

	getChildren(row?: Row): Row[] {
		const labs = this.folders.all.filter((folder) => folder.tree.lab);
		if (!row) {
			const [only] = labs;
			if (labs.length === 1 && only) return this.rows(only);
			return labs.map((folder) => ({ kind: "folder", folder }));
		}
		if (row.kind === "folder") return this.rows(row.folder);
		if (row.kind !== "task") return [];
		const { folder } = row;
		return row.progress.tests.map(({ test, state }) => ({ kind: "test", folder, test, state }));
	}

	getTreeItem(row: Row): vscode.TreeItem {
		const item = this.item(row);
		item.contextValue = row.kind;
		return item;
	}

	dispose(): void {
		for (const subscription of this.subscriptions) subscription.dispose();
		this.view.dispose();
		this.changed.dispose();
	}

	/** One line above the tree: how far the only lab of the window has come. */
	private summary(): string | undefined {
		const labs = this.folders.all.filter((folder) => folder.tree.lab);
		const [folder] = labs;
		if (labs.length !== 1 || !folder?.tree.lab) return undefined;
		const { passed, total } = labProgress(folder.tree.lab, this.tests.results(folder));
		return vscode.l10n.t("{0}: {1} of {2} tests passed", folder.tree.lab.title, passed, total);
	}

	private rows(folder: LabFolder): Row[] {
		const { lab } = folder.tree;
		if (!lab) return [];
		const { tasks, next } = labProgress(lab, this.tests.results(folder));
		const rows: Row[] = [];
		if (next) rows.push({ kind: "next", folder, test: next.test, title: `${next.task.id}: ${next.test.title}` });
		if (lab.handout) rows.push({ kind: "handout", folder, path: lab.handout });
		for (const progress of tasks) rows.push({ kind: "task", folder, progress });
		return rows;
	}

	private item(row: Row): vscode.TreeItem {
		const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
		switch (row.kind) {
			case "folder":
				return new vscode.TreeItem(row.folder.name, Expanded);
			case "next": {
				const item = new vscode.TreeItem(vscode.l10n.t("Next"), None);
				item.description = row.title;
				item.iconPath = new vscode.ThemeIcon("arrow-right");
				item.tooltip = vscode.l10n.t("Run {0}", row.test.command || row.test.title);
				item.command = { command: "xv6Lab.runTest", title: item.tooltip, arguments: [row] };
				return item;
			}
			case "handout": {
				const item = new vscode.TreeItem(vscode.l10n.t("Handout"), None);
				item.iconPath = new vscode.ThemeIcon("book");
				const uri = vscode.Uri.joinPath(row.folder.root, row.path);
				item.command = {
					command: "markdown.showPreview",
					title: vscode.l10n.t("Open {0}", row.path),
					arguments: [uri],
				};
				return item;
			}
			case "task": {
				const { task, tests, passed, state } = row.progress;
				const item = new vscode.TreeItem(task.id, tests.length > 0 ? Collapsed : None);
				item.tooltip = `${task.id}: ${task.title}`;
				item.id = `${row.folder.root.toString()} ${task.id}`;
				item.iconPath = icons[state ?? "none"];
				// The count before the title, which a narrow side bar cuts off.
				const count = tests.length > 0 ? `${passed}/${tests.length}` : vscode.l10n.t("questions");
				item.description = `${count}  ${task.title}`;
				return item;
			}
			case "test": {
				const item = new vscode.TreeItem(row.test.title, None);
				item.id = `${row.folder.root.toString()} ${row.test.id}`;
				item.iconPath = icons[row.state ?? "none"];
				item.tooltip = row.test.command || row.test.title;
				const source = row.folder.tree.programs.find(({ name }) => name === row.test.program)?.source;
				if (source) {
					const uri = vscode.Uri.joinPath(row.folder.root, source);
					item.command = { command: "vscode.open", title: vscode.l10n.t("Open {0}", source), arguments: [uri] };
				}
				return item;
			}
		}
	}
}
