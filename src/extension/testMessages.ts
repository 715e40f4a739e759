import * as vscode from "vscode";
import type { ScheduleData, Verdict } from "../protocol/verdict.ts";
import { plainCard, verdictCard } from "./card.ts";
import { cardWords } from "./cardWords.ts";
import { failurePlace } from "./failureLine.ts";
import type { LabFolder } from "./labFolder.ts";
import { sourceUri } from "./terminalLinks.ts";

/** The beginning of a line (from 1). */
export function startOf(line: number): vscode.Range {
	return new vscode.Range(line - 1, 0, line - 1, 0);
}

/** Moments of schedules by the text of the message that they are told in: VS Code gives a command a copy of it. */
const moments = new Map<string, ScheduleData>();

/** The schedule that a report is about, by its message. */
export function momentOf(message: vscode.TestMessage): ScheduleData | undefined {
	return moments.get(typeof message.message === "string" ? message.message : message.message.value);
}

function stackOf(
	stack: readonly { readonly name: string; readonly file?: string; readonly line?: number }[],
	folder: LabFolder,
): vscode.TestMessageStackFrame[] {
	return stack.map((frame) => {
		const uri = frame.file ? sourceUri(folder.root, frame.file) : undefined;
		const position = frame.line ? new vscode.Position(frame.line - 1, 0) : undefined;
		return new vscode.TestMessageStackFrame(frame.name, uri, position);
	});
}

/**
 * The explanation with its stack, and the difference where the output is wrong: VS Code shows of a difference nothing else.
 * Plain text: of a Markdown message it would hold up this thread for longer than 10 ms. The link to the inspector is a button on it.
 */
export function verdictMessages(verdict: Verdict, item: vscode.TestItem, folder: LabFolder): vscode.TestMessage[] {
	const explanation = new vscode.TestMessage(plainCard(verdictCard(verdict), cardWords()));
	explanation.stackTrace = stackOf(verdict.stack, folder);
	const reports = (verdict.exploration ?? []).map((report) => {
		// VS Code shows the first line alone where there is room for one: the rules around a report say nothing.
		const message = new vscode.TestMessage(report.text.replace(/^=+\n|\n=+\s*$/g, ""));
		message.stackTrace = stackOf(report.stack, folder);
		moments.set(message.message as string, report.moment);
		return message;
	});
	const messages =
		reports.length > 0 && verdict.reasons.every(({ kind }) => kind === "concurrency")
			? reports
			: [explanation, ...reports];
	const source = folder.tree.programs.find(({ name }) => name === verdict.program)?.source;
	const place = source === undefined ? undefined : failurePlace(verdict, source);
	const named = place && sourceUri(folder.root, place.file);
	for (const message of messages) {
		message.contextValue = reports.includes(message) ? "xv6Lab.schedule" : "xv6Lab.verdict";
		const [top] = message.stackTrace ?? [];
		if (reports.includes(message) && top?.uri && top.position)
			message.location = new vscode.Location(top.uri, top.position);
		else if (place && named) message.location = new vscode.Location(named, startOf(place.line));
		else if (item.uri) message.location = new vscode.Location(item.uri, item.range ?? startOf(1));
	}
	const wrong = verdict.reasons.find((reason) => reason.kind === "output");
	if (!wrong) return messages;
	const difference = vscode.TestMessage.diff(wrong.message, verdict.expected, verdict.actual);
	difference.contextValue = "xv6Lab.verdict";
	// Of two messages at one place VS Code peeks at the difference, and the explanation is not seen.
	return [...messages, difference];
}

/** Of a test that ran with many schedules. */
export function schedulesMessage(bad: readonly Verdict[], all: number): vscode.TestMessage {
	const seeds = bad.map((verdict) => verdict.seed).join(", ");
	return new vscode.TestMessage(vscode.l10n.t("{0} of {1} schedules fail: seeds {2}", bad.length, all, seeds));
}

/** What was lost when each kalloc failed in turn. */
export function faultsMessage(verdict: Verdict, folder: LabFolder): vscode.TestMessage {
	const message = new vscode.TestMessage(
		[...verdict.reasons.map((reason) => reason.message), "", verdict.actual].join("\n"),
	);
	message.stackTrace = stackOf(verdict.stack, folder);
	const [place] = message.stackTrace;
	if (place?.uri && place.position) message.location = new vscode.Location(place.uri, place.position);
	return message;
}
