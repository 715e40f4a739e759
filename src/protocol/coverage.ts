/** What of a source file was executed. Lines count from 1; only those that the compiler made code of are listed, in their order. */
export interface FileCoverage {
	/** As the compiler recorded it: a path in the tree. */
	readonly file: string;
	readonly lines: readonly { readonly line: number; readonly executed: boolean }[];
	readonly functions: readonly { readonly name: string; readonly line: number; readonly executed: boolean }[];
	readonly jumps: readonly JumpCoverage[];
}

/** A conditional jump of the machine code: what is left of a branch of the source. */
export interface JumpCoverage {
	readonly line: number;
	readonly executed: boolean;
	readonly taken: boolean;
	/** It was executed and not taken. */
	readonly passed: boolean;
}

/** A report with what it is of: a test's id, or `boot` for what came before the tests. */
export interface CoveragePart {
	readonly name: string;
	readonly report: CoverageReport;
}

export interface CoverageReport {
	/** By name. */
	readonly files: readonly FileCoverage[];
}
