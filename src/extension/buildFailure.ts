import * as vscode from "vscode";
import { UserError } from "../common/errors.ts";
import type { BuildSummary, EngineDiagnostic } from "../protocol/engine.ts";

/** The compiler or the linker found errors; all of them are in the Problems panel. */
class CompileFailed extends UserError {
	constructor(
		message: string,
		readonly errors: readonly EngineDiagnostic[],
	) {
		const first = errors[0];
		const position = first && { file: first.file, ...(first.line ? { line: first.line } : {}) };
		super("compile-failed", message, vscode.l10n.t("The Problems panel lists them all."), position);
	}
}

/** Of a build that ended with errors. */
export function compileFailed({ diagnostics, summary }: BuildSummary): UserError {
	const errors = diagnostics.filter(({ severity }) => severity === "error");
	const first = errors[0];
	const what = !first
		? summary
		: errors.length === 1
			? first.message
			: vscode.l10n.t("{0} errors, the first: {1}", errors.length, first.message);
	return new CompileFailed(vscode.l10n.t("The kernel was not built: {0}", what), errors);
}

/** Something in the tree stands in the way of a kernel, at a place that the Problems panel has, too. */
export function isBuildFailure(error: unknown): error is UserError {
	return error instanceof UserError && (error.code === "compile-failed" || error.position !== undefined);
}

/** What is wrong, one by one: the compiler's errors, or the one sentence of what could not be read. */
export function buildErrors(error: UserError): readonly EngineDiagnostic[] {
	if (error instanceof CompileFailed && error.errors.length > 0) return error.errors;
	const { position, message, nextStep } = error;
	return [{ file: "", ...position, severity: "error", message: `${message}. ${nextStep}` }];
}
