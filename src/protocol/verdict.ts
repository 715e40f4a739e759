import type { Diagnosis } from "./diagnosis.ts";

export type Outcome =
	| "passed"
	| "failed"
	/** Failed, and the sources show that the student has not come to its task (`begun` in the manifest). Not a pass. */
	| "not-begun"
	/** Nothing is wrong, but some of what the test asks for left no evidence in this kernel. Not a pass. */
	| "not-checked"
	/** The test could not be judged: the kernel did not reach its shell, or the program is not in the file system. */
	| "errored";

/** One thing that was asked for and what came instead. */
export interface Reason {
	readonly kind:
		| "output"
		| "end"
		| "invariant"
		| "boot"
		| "program-missing"
		| "not-begun"
		| "not-run"
		| "not-checked"
		| "fault"
		/** A grade script's own words. */
		| "grade"
		/** The grade script itself failed, or was stopped. */
		| "script"
		/** A grade script's test needs what is not here. */
		| "not-graded"
		/** A detector found something, or a schedule failed. */
		| "concurrency";
	readonly message: string;
}

export interface FailureExplanation {
	/** Id of the known failure in the manifest. */
	readonly id: string;
	readonly text: string;
	readonly look?: string;
	readonly panel?: string;
}

/** A page fault as the verdict tells it; the inspector has the whole record. */
export interface FaultLine {
	readonly text: string;
	readonly file?: string;
	readonly line?: number;
}

export interface FindingLine {
	readonly id: string;
	readonly sentence: string;
}

export interface StackLine {
	readonly name: string;
	readonly file?: string;
	readonly line?: number;
	readonly address: string;
}

/** A moment of a schedule: before a step of a hart, counted from power-on; without one, its end. */
export interface ScheduleData {
	/** As explore/scheduleText.ts writes it. */
	readonly schedule: string;
	readonly before?: { readonly hart: number; readonly step: number };
	/** Places on the way, in the order of the run, with what is there. */
	readonly places?: readonly { readonly hart: number; readonly step: number; readonly text: string }[];
}

/** One report; `stack`: the calls at its last place, the place first; `moment`: right before that place, or the end of the schedule. */
interface ExplorationData {
	readonly text: string;
	readonly moment: ScheduleData;
	readonly stack: readonly Omit<StackLine, "address">[];
}

export interface Verdict {
	readonly lab: string;
	readonly test: string;
	readonly task: string;
	readonly title: string;
	readonly program: string;
	readonly command: string;
	readonly outcome: Outcome;
	/** The kind of session/commandEnd.ts `CommandEnd`. */
	readonly end: "prompt" | "panic" | "timeout" | "halt" | "stuck" | "stall" | "flood";
	/** What the manifest asks for, in its readable form, and the command's own console output; for a diff. */
	readonly expected: string;
	readonly actual: string;
	readonly reasons: readonly Reason[];
	/** Known failures whose signs are there, the most telling first. */
	readonly explanations: readonly FailureExplanation[];
	readonly faults: readonly FaultLine[];
	readonly findings: readonly FindingLine[];
	readonly stack: readonly StackLine[];
	/** Why the run went wrong, as far as memory and traps prove it; the cause first. */
	readonly diagnoses: readonly Diagnosis[];
	/** Reports of the concurrency detectors, and a failing schedule. */
	readonly exploration?: readonly ExplorationData[];
	readonly instructions: number;
	readonly harts: number;
	readonly seed: number;
	/** Of a grade script's test. */
	readonly points?: { readonly got: number; readonly of: number };
}
