import * as vscode from "vscode";
import type { LabInfo } from "../protocol/engine.ts";
import type { LabFolder } from "./labFolder.ts";
import { codeBlock, escapeMarkdown } from "./markdown.ts";
import type { Pages } from "./pages.ts";

/** `xv6: Show Expected Results`: what each test of the lab types and wants to see. */
export async function showExpected(folder: LabFolder, pages: Pages): Promise<void> {
	const lab = (await folder.sync()).lab;
	if (lab) await pages.show(vscode.l10n.t("Expected results of {0}", lab.id), expectedMarkdown(lab));
	else void vscode.window.showInformationMessage(vscode.l10n.t("xv6: this tree has no lab."));
}

function expectedMarkdown(lab: LabInfo): string {
	const parts = [`# ${escapeMarkdown(lab.title)}`, escapeMarkdown(lab.course)];
	for (const task of lab.tasks) {
		// What a grade script expects stands in the script.
		const tests = lab.tests.filter((test) => test.task === task.id && !test.grade);
		if (tests.length === 0) continue;
		parts.push(`## ${escapeMarkdown(`${task.id}: ${task.title}`)}`);
		for (const test of tests) {
			parts.push(`### ${escapeMarkdown(test.title)}`, codeBlock(`$ ${test.command}\n${test.expected.trimEnd()}`));
		}
	}
	return `${parts.join("\n\n")}\n`;
}
