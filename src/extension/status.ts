import * as vscode from "vscode";
import type { Folders } from "./folders.ts";

/** One status bar item: the machine's state; a click shows its shell. Hidden without a kernel tree. */
export class MachineStatus implements vscode.Disposable {
	private readonly item = vscode.window.createStatusBarItem("xv6Lab.machine", vscode.StatusBarAlignment.Left, 10);
	private readonly subscription: vscode.Disposable;

	constructor(private readonly folders: Folders) {
		this.item.name = "xv6 Lab";
		this.item.command = "xv6Lab.openShell";
		this.subscription = folders.onDidChange(() => this.update());
		this.update();
	}

	private update(): void {
		const all = this.folders.all;
		if (all.length === 0) {
			this.item.hide();
			return;
		}
		const running = all.filter((folder) => folder.state === "running").length;
		const paused = all.filter((folder) => folder.state === "paused").length;
		if (running > 0) this.set("$(vm-running) xv6", vscode.l10n.t("The xv6 machine runs. Click for its shell."));
		else if (paused > 0) this.set("$(debug-pause) xv6", vscode.l10n.t("The xv6 machine is paused."));
		else if (all.some((folder) => folder.state === "dead"))
			this.set("$(error) xv6", vscode.l10n.t("The xv6 machine is dead. Click to boot again."));
		else this.set("$(vm-outline) xv6", vscode.l10n.t("The xv6 machine is off. Click to boot."));
		this.item.show();
	}

	private set(text: string, tooltip: string): void {
		this.item.text = text;
		this.item.tooltip = tooltip;
		this.item.accessibilityInformation = { label: tooltip };
	}

	dispose(): void {
		this.subscription.dispose();
		this.item.dispose();
	}
}
