import type { MachineWish } from "../build/types.ts";
import type { Diagnosis, RunEnd } from "../protocol/diagnosis.ts";
import type { MachineParams } from "../protocol/engine.ts";

/** A grade script of a tree, and what it may read. */
export interface GradeScript {
	/** `grade-lab-util`, in the tree's root. */
	readonly name: string;
	readonly text: string;
	/** Files of the tree that it names, and those of its library: time.txt and answers. By path. */
	readonly files: ReadonlyMap<string, string>;
}

/** A test as the script declares it. */
export interface GradeTest {
	/** Its title without blanks at the ends, with a number where there are two of it. */
	readonly id: string;
	/** As a report shows it: a child's is indented by two blanks. */
	readonly title: string;
	readonly points: number;
	/** Id of the test that has to pass first. */
	readonly parent?: string;
	/** Of its function in the script, from 1. */
	readonly line?: number;
}

export type GradeOutcome =
	| "passed"
	| "failed"
	/** What it needs is not here: no part of the score. */
	| "not-graded"
	/** The script failed, or was stopped. */
	| "errored";

/** One run of the machine for a test. */
export interface GradeRun {
	readonly end: RunEnd["kind"] | "breakpoint";
	/** Seconds of guest time. */
	readonly seconds: number;
	readonly instructions: number;
	readonly typed: readonly string[];
}

export interface GradeResult {
	readonly test: GradeTest;
	readonly outcome: GradeOutcome;
	/** The script's own words; empty where it passed. */
	readonly message: string;
	/** Console text of the last run. */
	readonly output: string;
	readonly runs: readonly GradeRun[];
	/** Of a failure after a run: why it went wrong, as memory and traps prove it. */
	readonly diagnoses: readonly Diagnosis[];
	readonly findings: readonly { readonly id: string; readonly sentence: string }[];
	readonly faults: readonly { readonly text: string; readonly file?: string; readonly line?: number }[];
	readonly stack: readonly {
		readonly name: string;
		readonly file?: string;
		readonly line?: number;
		readonly address: string;
	}[];
}

/** What a run of a script needs besides it. */
export interface GradeBuild {
	readonly core: WebAssembly.Module;
	readonly kernel: Uint8Array;
	readonly disk: Uint8Array;
	readonly programs: readonly { readonly name: string; readonly source: string; readonly elf: Uint8Array }[];
	readonly wish: Pick<MachineWish, "harts" | "memoryBytes" | "virtio" | "pmp" | "network">;
	readonly machine: MachineParams;
	/** Files that a diagnosis reads. */
	readonly sources: ReadonlyMap<string, string>;
}

/** To a worker: the script, and, to run it, the build and the ids of the tests (undefined: all). */
export interface GradeJob {
	readonly script: GradeScript;
	readonly run?: { readonly build: GradeBuild; readonly tests?: readonly string[] };
}

/** From a worker. */
export type GradeMessage =
	| { readonly kind: "tests"; readonly tests: readonly GradeTest[] }
	| { readonly kind: "begin"; readonly test: string }
	| { readonly kind: "result"; readonly result: GradeResult }
	| { readonly kind: "print"; readonly text: string }
	| { readonly kind: "console"; readonly text: string }
	/** The machine makes its way. A script that computes for itself says nothing. */
	| { readonly kind: "alive" }
	/** The end of all: the script's failure, in words, if it failed. */
	| { readonly kind: "end"; readonly failure?: string };
