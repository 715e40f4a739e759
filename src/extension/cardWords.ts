import * as vscode from "vscode";
import type { CardWords } from "./card.ts";

/** The words around a card, in the language of the window. */
export function cardWords(): CardWords {
	return {
		where: vscode.l10n.t("where"),
		expected: vscode.l10n.t("expected"),
		got: vscode.l10n.t("got"),
		also: vscode.l10n.t("also"),
		calls: vscode.l10n.t("calls"),
		passed: vscode.l10n.t("Passed"),
		failed: vscode.l10n.t("Failed"),
		other: vscode.l10n.t("Not judged"),
		faults: vscode.l10n.t("What this run shows:"),
	};
}

/** What a card offers below itself, by the words of its link in the terminal. */
export type CardAction = "runAgain" | "openHandout" | "openInspector" | "openProblems";

export function actionWords(): Readonly<Record<CardAction, string>> {
	return {
		runAgain: vscode.l10n.t("Run again"),
		openHandout: vscode.l10n.t("Open handout"),
		openProblems: vscode.l10n.t("Open Problems"),
		openInspector: vscode.l10n.t("Open memory inspector"),
	};
}
