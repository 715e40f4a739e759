import type { SourcePosition } from "./errors.ts";

/** One message of a compiler, assembler or linker, as data. `file` is relative to the tree where it lies in it. */
export interface Diagnostic extends SourcePosition {
	readonly severity: "error" | "warning" | "note";
	readonly message: string;
	/** Flag or code that controls it, for example `-Wunused-variable`. */
	readonly code?: string;
	/** Of `unknown-flag`: the flag as the tree has it. */
	readonly flag?: string;
	/** End of the range, exclusive column, when the tool says so. */
	readonly endLine?: number;
	readonly endColumn?: number;
	readonly notes?: readonly Diagnostic[];
	readonly fixes?: readonly FixIt[];
}

export interface FixIt {
	readonly file: string;
	readonly line: number;
	readonly column: number;
	readonly endLine: number;
	readonly endColumn: number;
	readonly text: string;
}
