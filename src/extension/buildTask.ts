import * as vscode from "vscode";
import { UserError } from "../common/errors.ts";
import type { Folders } from "./folders.ts";

/** The task `xv6: build`, so that `preLaunchTask` and "Run Build Task" know it. Messages go to the Problems panel as always. */
export function registerBuildTask(folders: Folders): vscode.Disposable {
	return vscode.tasks.registerTaskProvider("xv6", {
		// A window that has just opened may ask before its trees are found.
		provideTasks: async () => {
			await folders.refresh();
			return folders.all.map((folder) => makeTask(folder.root, { type: "xv6", task: "build" }, folders));
		},
		resolveTask: async (task) => {
			await folders.refresh();
			const root = folders.all[0]?.root;
			return root ? makeTask(root, task.definition as BuildDefinition, folders) : undefined;
		},
	});
}

interface BuildDefinition extends vscode.TaskDefinition {
	readonly task: string;
}

function makeTask(root: vscode.Uri, definition: BuildDefinition, folders: Folders): vscode.Task {
	const execution = new vscode.CustomExecution(async () => new BuildTerminal(root, folders));
	const scope = vscode.workspace.getWorkspaceFolder(root) ?? vscode.TaskScope.Workspace;
	const task = new vscode.Task(definition, scope, "build", "xv6", execution);
	task.group = vscode.TaskGroup.Build;
	return task;
}

class BuildTerminal implements vscode.Pseudoterminal {
	private readonly writes = new vscode.EventEmitter<string>();
	private readonly closes = new vscode.EventEmitter<number>();
	private readonly cancel = new vscode.CancellationTokenSource();
	readonly onDidWrite = this.writes.event;
	readonly onDidClose = this.closes.event;

	constructor(
		private readonly root: vscode.Uri,
		private readonly folders: Folders,
	) {}

	open(): void {
		void this.build();
	}

	close(): void {
		this.cancel.cancel();
	}

	private async build(): Promise<void> {
		const folder = this.folders.of(this.root);
		if (!folder) return this.closes.fire(2);
		const print = ({ message }: { message?: string }) => this.writes.fire(`${message ?? ""}\r\n`);
		try {
			const summary = await folder.build({ report: print }, this.cancel.token);
			this.writes.fire(`${summary.summary}\r\n`);
			this.closes.fire(0);
		} catch (error) {
			const text = error instanceof UserError ? error.format() : String(error);
			this.writes.fire(`${text.replaceAll("\n", "\r\n")}\r\n`);
			this.closes.fire(5);
		}
	}
}
