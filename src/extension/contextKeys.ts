import * as vscode from "vscode";

/** Programs of the two labs that have a palette entry of their own. */
export const labPrograms = ["private", "prodcons1", "prodcons2", "prodcons3", "mmaptest"] as const;

/** The only place that sets `when` keys; a key that did not change is not sent again. */
export class ContextKeys {
	private readonly sent = new Map<string, boolean>();

	set(key: "isKernelTree" | "hasLab" | "machineRunning" | `has.${string}`, value: boolean): void {
		if (this.sent.get(key) === value) return;
		this.sent.set(key, value);
		void vscode.commands.executeCommand("setContext", `xv6Lab.${key}`, value);
	}
}
