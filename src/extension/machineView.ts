import * as vscode from "vscode";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";

type Row =
	| { readonly kind: "folder"; readonly folder: LabFolder }
	| {
			readonly kind: "program";
			readonly folder: LabFolder;
			readonly name: string;
			readonly source: string | undefined;
	  };

const states = {
	none: { icon: "vm-outline", text: () => vscode.l10n.t("off") },
	running: { icon: "vm-running", text: () => vscode.l10n.t("running") },
	paused: { icon: "debug-pause", text: () => vscode.l10n.t("paused") },
	dead: { icon: "error", text: () => vscode.l10n.t("dead") },
} as const;

/** The side bar's view: each kernel with its machine's state, and its programs to run. */
export class MachineView implements vscode.TreeDataProvider<Row>, vscode.Disposable {
	private readonly changed = new vscode.EventEmitter<void>();
	private readonly view = vscode.window.createTreeView("xv6Lab.machine", { treeDataProvider: this });
	private readonly subscription: vscode.Disposable;
	readonly onDidChangeTreeData = this.changed.event;

	constructor(private readonly folders: Folders) {
		this.subscription = folders.onDidChange(() => this.changed.fire());
	}

	getChildren(row?: Row): Row[] {
		if (!row) return this.folders.all.map((folder) => ({ kind: "folder", folder }));
		if (row.kind === "program") return [];
		const { folder } = row;
		return folder.tree.programs.map(({ name, source }) => ({ kind: "program", folder, name, source }));
	}

	getTreeItem(row: Row): vscode.TreeItem {
		if (row.kind === "folder") {
			const item = new vscode.TreeItem(row.folder.name, vscode.TreeItemCollapsibleState.Expanded);
			const state = states[row.folder.state];
			item.description = [row.folder.tree.lab?.title, state.text()].filter(Boolean).join(", ");
			item.iconPath = new vscode.ThemeIcon(state.icon);
			if (row.folder.tree.problem) item.tooltip = row.folder.tree.problem;
			return item;
		}
		const item = new vscode.TreeItem(row.name);
		const uri = row.source ? vscode.Uri.joinPath(row.folder.root, row.source) : row.folder.root;
		item.iconPath = new vscode.ThemeIcon("play");
		item.tooltip = vscode.l10n.t("Run {0}", row.name);
		item.command = { command: "xv6Lab.runProgramAt", title: item.tooltip, arguments: [uri, row.name] };
		return item;
	}

	dispose(): void {
		this.subscription.dispose();
		this.view.dispose();
		this.changed.dispose();
	}
}
