import * as vscode from "vscode";
import type { LabInfo } from "../protocol/engine.ts";
import type { LabFolder } from "./labFolder.ts";

/** `xv6: Show Expected Results`: what each test of the lab types and wants to see, as a read-only Markdown preview. */
export class ExpectedResults implements vscode.TextDocumentContentProvider, vscode.Disposable {
	private static readonly scheme = "xv6-lab-expected";
	private readonly texts = new Map<string, string>();
	private readonly registration = vscode.workspace.registerTextDocumentContentProvider(ExpectedResults.scheme, this);

	provideTextDocumentContent(uri: vscode.Uri): string {
		return this.texts.get(uri.path) ?? "";
	}

	async show(folder: LabFolder): Promise<void> {
		const lab = (await folder.sync()).lab;
		if (!lab) {
			void vscode.window.showInformationMessage(vscode.l10n.t("xv6: this tree has no lab."));
			return;
		}
		const uri = vscode.Uri.from({ scheme: ExpectedResults.scheme, path: `/Expected results of ${lab.id}.md` });
		this.texts.set(uri.path, expectedMarkdown(lab));
		await vscode.commands.executeCommand("markdown.showPreview", uri);
	}

	dispose(): void {
		this.registration.dispose();
	}
}

export function expectedMarkdown(lab: LabInfo): string {
	const parts = [`# ${lab.title}`, lab.course];
	for (const task of lab.tasks) {
		const tests = lab.tests.filter((test) => test.task === task.id);
		if (tests.length === 0) continue;
		parts.push(`## ${task.id}: ${task.title}`);
		for (const test of tests) {
			const typed = test.expected.trimEnd().replaceAll("~~~~", "~~~ ~");
			parts.push(`### ${test.title}`, `~~~~text\n$ ${test.command}\n${typed}\n~~~~`);
		}
	}
	return `${parts.join("\n\n")}\n`;
}
