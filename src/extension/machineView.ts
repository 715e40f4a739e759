import * as vscode from "vscode";
import type { ProgramInfo, TreeInfo } from "../protocol/engine.ts";
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
	past: { icon: "history", text: () => vscode.l10n.t("in the past") },
	dead: { icon: "error", text: () => vscode.l10n.t("dead") },
} as const;

/** Programs that the kernel starts by itself. */
const startedByKernel = new Set(["init", "sh", "initcode"]);

/** The side bar's view of each kernel: its machine's state, and the programs to run, those of its lab first. */
export class MachineView implements vscode.TreeDataProvider<Row>, vscode.Disposable {
	private readonly changed = new vscode.EventEmitter<void>();
	/** Before `view`: `createTreeView` subscribes to it at once, and to nothing if it is not there yet. */
	readonly onDidChangeTreeData = this.changed.event;
	private readonly view = vscode.window.createTreeView("xv6Lab.machine", { treeDataProvider: this });
	private readonly subscription: vscode.Disposable;

	constructor(private readonly folders: Folders) {
		const update = () => {
			this.view.message = this.summary() ?? "";
			this.changed.fire();
		};
		this.subscription = folders.onDidChange(update);
		update();
	}

	/** One line above the tree: what the only kernel of the window was taken for, where no lab's progress says it. */
	private summary(): string | undefined {
		const [folder, ...others] = this.folders.all;
		if (!folder || others.length > 0 || folder.tree.lab) return undefined;
		return folder.tree.problem ?? folder.tree.recognised;
	}

	getChildren(row?: Row): Row[] {
		if (!row) return this.folders.all.map((folder) => ({ kind: "folder", folder }));
		if (row.kind === "program") return [];
		const { folder } = row;
		return shownPrograms(folder.tree).map(({ name, source }) => ({ kind: "program", folder, name, source }));
	}

	getTreeItem(row: Row): vscode.TreeItem {
		if (row.kind === "folder") {
			const item = new vscode.TreeItem(row.folder.name, vscode.TreeItemCollapsibleState.Expanded);
			const state = states[row.folder.state];
			item.id = row.folder.root.toString();
			item.description = state.text();
			item.iconPath = new vscode.ThemeIcon(state.icon);
			item.contextValue = "machine";
			if (row.folder.tree.problem) item.tooltip = row.folder.tree.problem;
			return item;
		}
		const item = new vscode.TreeItem(row.name);
		item.id = `${row.folder.root.toString()} ${row.name}`;
		item.iconPath = new vscode.ThemeIcon("file-code");
		item.contextValue = "program";
		if (row.source) {
			const uri = vscode.Uri.joinPath(row.folder.root, row.source);
			item.tooltip = row.source;
			item.command = { command: "vscode.open", title: vscode.l10n.t("Open {0}", row.source), arguments: [uri] };
		}
		return item;
	}

	dispose(): void {
		this.subscription.dispose();
		this.view.dispose();
		this.changed.dispose();
	}
}

/** What a person runs: the lab's programs in its order, then the others by name. */
function shownPrograms(tree: TreeInfo): readonly ProgramInfo[] {
	const order = tree.lab?.programs ?? [];
	const rank = ({ name }: ProgramInfo) => (order.includes(name) ? order.indexOf(name) : order.length);
	return tree.programs
		.filter(({ name }) => !startedByKernel.has(name))
		.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}
