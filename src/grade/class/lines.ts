import * as v from "valibot";
import { courseScriptSchema } from "./course.ts";
import { policySchema } from "./policy.ts";

/**
 * The lines of results.jsonl. A `unit` is a pure function of what it names: run again, anywhere, it gives the same line but for
 * `cpuMs`. A submission names its tree, a tree's build names its kernel, a kernel has its units.
 */

const text = v.string();
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, "a hash"));
const cpuMs = v.pipe(v.number(), v.minValue(0));

const headSchema = v.object({
	kind: v.literal("class"),
	format: v.literal(1),
	/** Id of the lab, or name of the grade script. */
	lab: text,
	script: v.optional(courseScriptSchema),
	/** Of the lab's manifest, or of the script. */
	labHash: hash,
	/** Of the product's code: another version may judge otherwise. */
	engine: hash,
	policy: policySchema,
	/** The folder of the class, seen from the folder of this file. */
	from: text,
});

const submissionSchema = v.object({
	kind: v.literal("submission"),
	/** As the folder or the archive calls it, without what the LMS adds. */
	student: text,
	/** The LMS's number of the student, where its names have one. */
	id: v.optional(text),
	/** Name in the folder of the class. */
	source: text,
	/** Hash of the files of the tree. */
	tree: v.optional(hash),
	/** Folder of the tree inside the submission; `.` for itself. */
	root: v.optional(text),
	/** What was unusual, for the reader of the grade. */
	notes: v.array(text),
	/** Why there is nothing to judge. */
	problem: v.optional(text),
	/** A limit ended it: not a property of the tree alone. */
	stopped: v.optional(v.literal(true)),
});

const buildSchema = v.object({
	kind: v.literal("build"),
	tree: hash,
	/** Of everything that a verdict depends on: both images, the machine, and the sources that verdicts look at. */
	kernel: v.optional(hash),
	/** Which files are the lab's own. */
	says: v.optional(text),
	/** Programs of the lab that differ in the tree. */
	changed: v.array(text),
	problem: v.optional(text),
	stopped: v.optional(v.literal(true)),
	cpuMs,
});

export const strategies = ["run", "seeds", "directed", "detectors"] as const;

const mistakeSchema = v.object({
	/** The same for the same mistake in two trees. */
	key: text,
	/** In one sentence. */
	text,
});

const unitSchema = v.object({
	kind: v.literal("unit"),
	kernel: hash,
	test: text,
	/** `run`: one run with seed 0. `seeds`: the schedules of `seeds`. `directed`: as many directed ones. `detectors`: one run under the detectors. */
	strategy: v.picklist(strategies),
	/** First and last. */
	seeds: v.tuple([v.number(), v.number()]),
	outcome: v.picklist(["passed", "failed", "not-begun", "not-checked", "errored"]),
	/** The verdict as `xv6-lab test` prints it; empty for a pass. */
	text,
	/** Why the test failed, in one line; empty for a pass. */
	reason: text,
	mistakes: v.array(mistakeSchema),
	/** Of the verdict that is told: of the first schedule that failed. */
	seed: v.number(),
	harts: v.number(),
	command: text,
	/** Of the machine after the run; of the last one for several. */
	stateHash: text,
	instructions: v.number(),
	stopped: v.optional(v.literal(true)),
	cpuMs,
});

export const lineSchema = v.variant("kind", [headSchema, submissionSchema, buildSchema, unitSchema]);

export type Head = v.InferOutput<typeof headSchema>;
export type Submission = v.InferOutput<typeof submissionSchema>;
export type Built = v.InferOutput<typeof buildSchema>;
export type UnitResult = v.InferOutput<typeof unitSchema>;
export type Line = v.InferOutput<typeof lineSchema>;
export type Mistake = v.InferOutput<typeof mistakeSchema>;

/** What is to be run. */
export type Unit = Pick<UnitResult, "kernel" | "test" | "strategy" | "seeds">;

export function unitKey({ kernel, test, strategy, seeds }: Unit): string {
	return `${kernel} ${test} ${strategy} ${seeds[0]}-${seeds[1]}`;
}
