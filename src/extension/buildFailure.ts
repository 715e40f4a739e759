import * as vscode from "vscode";
import type { Diagnostic } from "../common/diagnostic.ts";
import { UserError } from "../common/errors.ts";
import type { BuildSummary } from "../protocol/engine.ts";

/** A build ended without a kernel; the Problems panel has each of the errors, too. */
export class BuildFailed extends UserError {
	private constructor(
		{ code, message, nextStep, position }: UserError,
		/** One at least. */
		readonly errors: readonly Diagnostic[],
	) {
		super(code, message, nextStep, position);
	}

	/** The compiler, the linker or mkfs found errors. */
	static of({ diagnostics, summary }: BuildSummary): BuildFailed {
		const errors = diagnostics.filter(({ severity }) => severity === "error");
		const first = errors[0] ?? { file: "", severity: "error", message: summary };
		const what =
			errors.length > 1 ? vscode.l10n.t("{0} errors, the first: {1}", errors.length, first.message) : first.message;
		const position = first.file === "" ? undefined : { file: first.file, ...(first.line ? { line: first.line } : {}) };
		const message = vscode.l10n.t("The kernel was not built: {0}", what);
		const error = new UserError(
			"compile-failed",
			message,
			vscode.l10n.t("The Problems panel lists them all."),
			position,
		);
		return new BuildFailed(error, errors.length > 0 ? errors : [first]);
	}

	/** Nothing was compiled: a file that says how to build could not be understood. */
	static before(error: UserError): BuildFailed {
		const { position, message, nextStep } = error;
		return new BuildFailed(error, [{ file: "", ...position, severity: "error", message: `${message}. ${nextStep}` }]);
	}
}
