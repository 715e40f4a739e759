import * as vscode from "vscode";

type ContextKey =
	| "isKernelTree"
	| "hasLab"
	| "machineRunning"
	| "makingWorkspace"
	| "hasPassed"
	| "shellActive"
	| `has.${string}`;

/** The only place that sets `when` keys; a key that did not change is not sent again. */
export class ContextKeys {
	private readonly sent = new Map<string, boolean>();

	set(key: ContextKey, value: boolean): void {
		if (this.sent.get(key) === value) return;
		this.sent.set(key, value);
		void vscode.commands.executeCommand("setContext", `xv6Lab.${key}`, value);
	}
}
