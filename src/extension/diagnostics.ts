import * as vscode from "vscode";
import type { Diagnostic } from "../common/diagnostic.ts";
import type { UserError } from "../common/errors.ts";
import type { BuildSummary } from "../protocol/engine.ts";

/** What the Problems panel says beside our messages. */
export const diagnosticSource = "xv6 Lab";

const severities = {
	error: vscode.DiagnosticSeverity.Error,
	warning: vscode.DiagnosticSeverity.Warning,
	note: vscode.DiagnosticSeverity.Information,
} as const;

/** Compiler messages in the Problems panel; a build replaces those of the build before it in the same folder. */
export class BuildDiagnostics implements vscode.Disposable {
	private readonly collection = vscode.languages.createDiagnosticCollection("xv6");
	private readonly files = new Map<string, vscode.Uri[]>();

	publish(root: vscode.Uri, summary: BuildSummary): void {
		this.clear(root);
		// Several files outside of the tree are shown at one place.
		const byPlace = new Map<string, { readonly uri: vscode.Uri; readonly list: vscode.Diagnostic[] }>();
		for (const diagnostic of summary.diagnostics) {
			const uri = fileUri(root, diagnostic.file);
			const place = byPlace.get(uri.toString()) ?? { uri, list: [] };
			place.list.push(toDiagnostic(root, diagnostic));
			byPlace.set(uri.toString(), place);
		}
		const places = [...byPlace.values()];
		for (const { uri, list } of places) this.collection.set(uri, list);
		this.files.set(
			root.toString(),
			places.map(({ uri }) => uri),
		);
	}

	/** A build that ended before anything was compiled: a Makefile or manifest that cannot be understood. */
	publishError(root: vscode.Uri, error: UserError): void {
		this.clear(root);
		const { file = "Makefile", line, column } = error.position ?? {};
		const uri = fileUri(root, file);
		const message = `${error.message}. ${error.nextStep}`;
		const at = { file, message, severity: "error" as const, code: error.code };
		const diagnostic = toDiagnostic(root, { ...at, ...(line ? { line } : {}), ...(column ? { column } : {}) });
		if (column === undefined)
			diagnostic.range = new vscode.Range(diagnostic.range.start.line, 0, diagnostic.range.start.line, wholeLine);
		this.collection.set(uri, [diagnostic]);
		this.files.set(root.toString(), [uri]);
	}

	private clear(root: vscode.Uri): void {
		for (const uri of this.files.get(root.toString()) ?? []) this.collection.delete(uri);
		this.files.delete(root.toString());
	}

	dispose(): void {
		this.collection.dispose();
	}
}

/** A column past the end of any line: VS Code cuts a range at its line's end. */
const wholeLine = 1000;

/** A message may name a file that is not in the tree (a compiler's header): it is shown at the Makefile then. */
function fileUri(root: vscode.Uri, file: string): vscode.Uri {
	const safe = file !== "" && !file.startsWith("/") && !file.startsWith("<") && !file.split("/").includes("..");
	return vscode.Uri.joinPath(root, safe ? file : "Makefile");
}

function toDiagnostic(root: vscode.Uri, from: Diagnostic): vscode.Diagnostic {
	const line = Math.max(0, (from.line ?? 1) - 1);
	const column = Math.max(0, (from.column ?? 1) - 1);
	const endLine = Math.max(line, (from.endLine ?? from.line ?? 1) - 1);
	const endColumn = from.endColumn === undefined ? column : Math.max(0, from.endColumn - 1);
	const range = new vscode.Range(line, column, endLine, endColumn);
	const result = new vscode.Diagnostic(range, from.message, severities[from.severity]);
	result.source = diagnosticSource;
	if (from.code) result.code = from.code;
	result.relatedInformation = (from.notes ?? []).map((note) => {
		const at = new vscode.Position(Math.max(0, (note.line ?? 1) - 1), Math.max(0, (note.column ?? 1) - 1));
		return new vscode.DiagnosticRelatedInformation(new vscode.Location(fileUri(root, note.file), at), note.message);
	});
	return result;
}
