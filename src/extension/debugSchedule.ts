import * as vscode from "vscode";
import type { ScheduleData } from "../protocol/verdict.ts";
import type { LabFolder } from "./labFolder.ts";

/** The run that a report is about becomes the folder's machine, which stands right before the second access, in the debugger. */
export async function debugSchedule(
	folder: LabFolder,
	test: string,
	label: string,
	moment: ScheduleData,
): Promise<void> {
	const { machine } = folder.settings;
	await vscode.window.withProgress(
		{
			location: vscode.ProgressLocation.Notification,
			title: vscode.l10n.t("xv6: repeating the schedule"),
			cancellable: true,
		},
		async (_report, token) => {
			const subscription = token.onCancellationRequested(() => void folder.ask("cancel", undefined));
			try {
				const request = folder.engine().request("recordSchedule", { test, moment, machine });
				const { bytes } = await folder.exclusively(request);
				await folder.openRun(bytes, token);
			} finally {
				subscription.dispose();
			}
		},
	);
	const workspace = vscode.workspace.getWorkspaceFolder(folder.root);
	const name = vscode.l10n.t("Debug {0}", label);
	await vscode.debug.startDebugging(workspace, { type: "xv6", request: "attach", name });
}
