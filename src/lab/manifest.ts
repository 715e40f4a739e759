import * as v from "valibot";
import { UserError } from "../common/errors.ts";
import { regionDescriptionSchema } from "../kernelview/regionDescription.ts";
import { Pattern } from "./pattern.ts";

/** Schema of `labs/<id>/lab.json`. Docs for instructors: docs/lab-authoring.md. */

const identifier = v.pipe(
	v.string(),
	v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters, digits, `.`, `_` and `-` only"),
);
const programName = v.pipe(
	v.string(),
	v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,13}$/, "a file name of at most 14 characters"),
);
const oneLine = v.pipe(v.string(), v.minLength(1), v.regex(/^[^\r\n]*$/, "one line"));
const address = v.pipe(v.string(), v.regex(/^0x[0-9a-fA-F]{1,16}$/, "a hexadecimal address such as 0x3fffffd000"));
const sourceFile = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_][A-Za-z0-9_./-]*$/, "a path in the tree"));
const regularExpression = v.pipe(
	v.string(),
	v.check((text) => {
		try {
			new Pattern(text);
			return true;
		} catch {
			return false;
		}
	}, "a regular expression"),
);

const invariantSchema = v.variant("kind", [
	/** The console shows no `panic:` and the machine is back at its prompt. */
	v.object({ kind: v.literal("no-panic") }),
	/** As many frames on kalloc's free list after the command as before it. */
	v.object({ kind: v.literal("no-frame-leaked") }),
	/** No process of the test was killed by a trap. */
	v.object({ kind: v.literal("no-process-killed") }),
	/** The kernel view has nothing to object to; `findings` limits it to these finding ids. */
	v.object({ kind: v.literal("no-finding"), findings: v.optional(v.array(identifier)) }),
	/** Every process of the test that had these pages mapped had them on the same frames. */
	v.object({
		kind: v.literal("frames-shared"),
		address,
		pages: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096)),
	}),
	/** The program itself made these system calls (stubs of usys.S), and took at least so many page faults in user mode. */
	v.object({
		kind: v.literal("happened"),
		calls: v.optional(v.array(identifier)),
		faults: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
	}),
]);

const testSchema = v.object({
	id: identifier,
	task: identifier,
	title: oneLine,
	/** Program in the guest's file system; the test is shown at its `main`. */
	program: programName,
	/** Typed at the shell; default: the program's name. */
	command: v.optional(oneLine),
	/** Commands typed before it, whose output is not judged. */
	setup: v.optional(v.array(oneLine)),
	expect: v.pipe(
		v.object({
			/** The command's whole console output (`exact`), or lines that must appear in this order (`contains`), or one `regex`. */
			match: v.picklist(["exact", "contains", "regex"]),
			output: v.string(),
			/** What a reader is shown as expected; a regex needs it. */
			shown: v.optional(v.string()),
			/** No line of the output may have this text in it. */
			lacks: v.optional(v.pipe(v.string(), v.minLength(1))),
		}),
		v.check(({ match, shown }) => match !== "regex" || shown !== undefined, "a regex needs `shown`, its readable form"),
	),
	/** Retired instructions over all harts, after which the test has timed out. */
	budget: v.pipe(v.number(), v.integer(), v.minValue(1_000_000)),
	invariants: v.optional(v.array(invariantSchema)),
	/** What `xv6-lab grade` gives for a pass; default: 1. */
	points: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1000))),
	/** Several processes work at the same data: `xv6-lab grade` lets the detectors watch it, and tries further schedules. */
	concurrent: v.optional(v.boolean()),
	/** It passes on a tree without its task, too: a pass does not show that the task is begun. */
	early: v.optional(v.literal(true)),
});

const knownFailureSchema = v.object({
	id: identifier,
	/** Where it applies; default: everywhere in the lab. */
	tests: v.optional(v.array(identifier)),
	/** Matched against the console text of the run (multi-line). */
	pattern: v.optional(regularExpression),
	/** Ids of kernel-view findings, each of which is a sign of it. */
	findings: v.optional(v.array(identifier)),
	/** Kinds of diagnoses beside which it says nothing: one of them explains the same sign. */
	unless: v.optional(v.array(identifier)),
	/** Functions of the kernel, one of which must be open in the calls of a diagnosis. */
	calls: v.optional(v.array(identifier)),
	/** What the student's file must have, or lack (comments do not count), for causes that look alike from outside. */
	source: v.optional(
		v.object({
			file: sourceFile,
			has: v.optional(regularExpression),
			lacks: v.optional(regularExpression),
		}),
	),
	/** How the run must have gone for it to apply; default: in any way. */
	when: v.optional(
		v.object({
			ends: v.optional(v.array(v.picklist(["prompt", "panic", "timeout", "halt", "stuck", "flood", "stall"]))),
			/** Whether the console shows what the test wants. */
			output: v.optional(v.picklist(["right", "wrong"])),
			/** Fewer frames are free after the command than before; a count of frames is known only after a prompt. */
			framesLost: v.optional(v.literal(true)),
		}),
	),
	/** What happened, why, and where to look: for a student at midnight. Markdown, no HTML. */
	explanation: v.pipe(v.string(), v.minLength(20)),
	/** The function to look at first: `kernel/proc.c: freeproc`. */
	look: v.optional(oneLine),
	/** The inspector's panel that shows it. */
	panel: v.optional(v.picklist(["processes", "address-space", "walk", "frames", "faults", "findings"])),
});

const taskSchema = v.object({
	id: identifier,
	title: oneLine,
	/** Anchor in the handout. */
	anchor: v.optional(identifier),
	/** The file that a student opens first. */
	start: v.optional(sourceFile),
	/** Folder under `solution/` that passes this task and those before it. */
	solution: v.optional(identifier),
	/**
	 * What the first step of the task leaves in a file (comments do not count). Without it, tests of this task and of those after it
	 * that fail are `not-begun` when the whole lab is tested; `missing` says what is not there: `kernel/syscall.c has no sys_mmap4`.
	 */
	begun: v.optional(
		v.object({
			file: sourceFile,
			or: v.optional(v.array(sourceFile)),
			/** It counts in every other C file of the folder, too, as in one that the student added; not in these. */
			notIn: v.optional(v.array(sourceFile)),
			has: regularExpression,
			/** The same under another name than the handout's: then nothing is said of later tasks either. */
			otherwise: v.optional(regularExpression),
			missing: oneLine,
		}),
	),
});

/** What a tree of the lab has and others have not. No single sign decides: a file name alone is no lab. */
const recognitionSchema = v.object({
	/** So many signs are enough. */
	least: v.pipe(v.number(), v.integer(), v.minValue(2)),
	signs: v.pipe(
		v.array(
			v.object({
				/** In words, as in "recognised by struct mmr in kernel/proc.h". */
				name: oneLine,
				/** One of these must be there, and have the pattern (comments do not count). */
				files: v.pipe(v.array(sourceFile), v.minLength(1)),
				has: v.optional(regularExpression),
			}),
		),
		v.minLength(2),
	),
});

/** A race that nothing comes of. */
export const benignRaceSchema = v.strictObject({
	/** A function that one of the two accesses is in, inlined or not. */
	function: v.optional(v.string()),
	/** The variable, with `*` for its indexes: `proc[*].killed`. */
	variable: v.optional(v.string()),
	/** Only in kernels that have no function or variable of this name: those of an age. */
	without: v.optional(v.string()),
	/** Why nothing comes of it. */
	why: v.string(),
});

export const manifestSchema = v.object({
	$schema: v.optional(v.string()),
	id: identifier,
	title: oneLine,
	course: oneLine,
	/** File beside the manifest, Markdown. */
	handout: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]+\.md$/)),
	summary: v.optional(oneLine),
	/** Programs that the lab adds to the tree, from `programs/`. */
	programs: v.array(programName),
	/** Of these, the ones with a palette entry of their own, *xv6: Run NAME*, and their keys after Ctrl+Alt+X; "": no key. */
	palette: v.optional(
		v.record(programName, v.pipe(v.string(), v.regex(/^[a-z0-9]?$/, "a letter, a digit or nothing"))),
	),
	tasks: v.pipe(v.array(taskSchema), v.minLength(1)),
	tests: v.pipe(v.array(testSchema), v.minLength(1)),
	knownFailures: v.array(knownFailureSchema),
	/** Signs of a tree of this lab; without them only `.xv6-lab.json` names it. */
	recognition: v.optional(recognitionSchema),
	/** How the kernel keeps its mapped regions, for the inspector; see docs/lab-authoring.md. */
	regions: v.optional(v.array(regionDescriptionSchema)),
	/** Races that the lab's kernel means to have, besides xv6's own. */
	benignRaces: v.optional(v.array(benignRaceSchema)),
});

/** A race that `xv6-lab explore` does not report. Function or variable has to be named. */
export type BenignRace = v.InferOutput<typeof benignRaceSchema>;
export type LabManifest = v.InferOutput<typeof manifestSchema>;
export type LabTest = v.InferOutput<typeof testSchema>;
export type KnownFailure = v.InferOutput<typeof knownFailureSchema>;
export type Recognition = v.InferOutput<typeof recognitionSchema>;
export type Invariant = v.InferOutput<typeof invariantSchema>;

function invalid(file: string, what: string): UserError {
	return new UserError(
		"lab-manifest-invalid",
		what,
		"Correct the manifest; docs/lab-authoring.md describes every field.",
		{
			file,
		},
	);
}

/** Reads a manifest from its text. Throws UserError `lab-manifest-invalid` with the path of the first wrong field. */
export function parseManifest(text: string, file: string): LabManifest {
	let data: unknown;
	try {
		data = JSON.parse(text);
	} catch (error) {
		throw invalid(file, `This is not JSON: ${(error as Error).message}`);
	}
	const result = v.safeParse(manifestSchema, data);
	if (!result.success) {
		const issue = result.issues[0];
		const where = v.getDotPath(issue) ?? "the manifest";
		throw invalid(file, `Field ${where} is wrong: ${issue.message}`);
	}
	checkReferences(result.output, file);
	return result.output;
}

/** Names inside the manifest must lead somewhere, and ids must be unique. */
function checkReferences(manifest: LabManifest, file: string): void {
	const unique = (kind: string, ids: readonly string[]): Set<string> => {
		const seen = new Set<string>();
		for (const id of ids) {
			if (seen.has(id)) throw invalid(file, `There are two ${kind} with the id ${id}`);
			seen.add(id);
		}
		return seen;
	};
	const tasks = unique(
		"tasks",
		manifest.tasks.map((task) => task.id),
	);
	const tests = unique(
		"tests",
		manifest.tests.map((test) => test.id),
	);
	unique(
		"known failures",
		manifest.knownFailures.map((failure) => failure.id),
	);
	for (const test of manifest.tests) {
		if (!tasks.has(test.task))
			throw invalid(file, `Test ${test.id} belongs to task ${test.task}, which does not exist`);
	}
	for (const failure of manifest.knownFailures) {
		if (!failure.pattern && !failure.findings && !failure.source && !failure.when)
			throw invalid(file, `Known failure ${failure.id} has neither pattern, findings, source nor when`);
		for (const id of failure.tests ?? []) {
			if (!tests.has(id)) throw invalid(file, `Known failure ${failure.id} names test ${id}, which does not exist`);
		}
	}
}
