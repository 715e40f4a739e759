import * as vscode from "vscode";
import type { TestInfo } from "../protocol/engine.ts";

/** Says so of a grade script's test, whose machines are gone when it ends: there is none to debug, to save or to look at. */
export function refusesOneMachine(test: TestInfo | undefined): boolean {
	if (!test?.grade) return false;
	const text = vscode.l10n.t(
		"xv6: {0} is a grade script's test, which runs machines of its own. Debug, save or inspect a run of its program.",
		test.title,
	);
	void vscode.window.showInformationMessage(text);
	return true;
}
