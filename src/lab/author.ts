import { fromUtf8, utf8 } from "../common/bytes.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { judgeKnown, type KnownProgram } from "./knownPrograms.ts";
import type { LabManifest, LabTest } from "./manifest.ts";

/** Files of a tree, by path. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** A program as it ran on a tree: its output, if it came back to the shell. */
export interface ProgramRun {
	readonly ended: boolean;
	readonly output: string;
	readonly instructions: number;
	readonly elf: Uint8Array;
}

/** Ten times what the solution takes, and never less than this. */
const leastBudget = 1_000_000_000;
const mostLines = 12;

/** Files that differ in `to` or are new there; what is only in `from` is not told, since a lab adds and changes. */
export function changedFiles(from: Files, to: Files): Map<string, Uint8Array> {
	const changed = new Map<string, Uint8Array>();
	for (const [path, bytes] of to) {
		const before = from.get(path);
		if (!before || before.length !== bytes.length || before.some((byte, i) => byte !== bytes[i]))
			changed.set(path, bytes);
	}
	return changed;
}

interface SkeletonParts {
	readonly id: string;
	readonly starter: Files;
	readonly solution: Files;
	readonly known: readonly KnownProgram[];
	/** Programs worth a test, as they ran on both; without a starter's run the starter has no such program. */
	readonly runs: ReadonlyMap<string, { readonly solution: ProgramRun; readonly starter: ProgramRun | undefined }>;
}

export interface Skeleton {
	readonly files: Map<string, Uint8Array>;
	/** What was left out, and why; a sentence each. */
	readonly notes: readonly string[];
}

/** A lab's folder from two trees: the starter whole, the solution's files over it, tests from what the programs print. */
export function labSkeleton({ id, starter, solution, known, runs }: SkeletonParts): Skeleton {
	const changed = changedFiles(starter, solution);
	const files = new Map<string, Uint8Array>();
	const notes: string[] = [];
	for (const [path, bytes] of starter) files.set(`starter/${path}`, bytes);
	for (const [path, bytes] of changed) files.set(`solution/1/${path}`, bytes);
	const tests: LabTest[] = [];
	for (const [program, run] of runs) {
		const expect = expectation(program, run, known);
		if (typeof expect === "string") {
			notes.push(expect);
			continue;
		}
		tests.push({
			id: program,
			task: "1",
			title: `${program} works`,
			program,
			expect,
			budget: Math.max(leastBudget, 10 * run.solution.instructions),
			invariants: [{ kind: "no-panic" }],
		});
	}
	const added = [...changed.keys()].filter((path) => !starter.has(path));
	const manifest: Omit<LabManifest, "tests"> & { readonly tests: readonly LabTest[] } = {
		$schema: "../../media/lab.schema.json",
		id,
		title: id,
		course: "My course",
		handout: "README.md",
		programs: added.flatMap((path) => /^user\/([\w.-]{1,14})\.c$/.exec(path)?.[1] ?? []),
		tasks: [{ id: "1", title: "The task", ...firstFile(changed, starter), solution: "1" }],
		tests,
		knownFailures: [],
	};
	files.set("lab.json", utf8(`${JSON.stringify(manifest, undefined, "\t")}\n`));
	files.set("README.md", utf8(handout(id, [...changed.keys()], tests)));
	return { files, notes };
}

function firstFile(changed: Files, starter: Files): { readonly start?: string } {
	const start = [...changed.keys()].find((path) => starter.has(path) && /^kernel\/.*\.[cS]$/.test(path));
	return start === undefined ? {} : { start };
}

/** What a test may ask of a program's output; a sentence where it can ask nothing. */
function expectation(
	program: string,
	{ solution, starter }: { readonly solution: ProgramRun; readonly starter: ProgramRun | undefined },
	known: readonly KnownProgram[],
): LabTest["expect"] | string {
	if (!solution.ended) return `${program}: no test, since it does not come back to the shell on the solution`;
	if (starter?.ended && starter.output === solution.output)
		return `${program}: no test, since it prints the same on the starter`;
	const word = judgeKnown(known, program, solution.output, solution.elf);
	if (word?.state === "failed") return `${program}: no test, since on the solution ${word.says}`;
	const before = new Set(starter?.output.split("\n") ?? []);
	// Addresses and process ids are one kernel's own.
	const lines = solution.output
		.split("\n")
		.map((line) => line.trimEnd())
		.filter((line) => line !== "" && !before.has(line) && !/0x[0-9a-f]{4}|\bpid\b/.test(line));
	if (lines.length === 0) return `${program}: no test, since no line of its output is the solution's alone`;
	return { match: "contains", output: lines.slice(-mostLines).join("\n") };
}

function handout(id: string, changed: readonly string[], tests: readonly LabTest[]): string {
	const files = changed.map((path) => `- \`${path}\``).join("\n");
	const programs = tests.map(({ program }) => `\`${program}\``).join(", ");
	return `# ${id}

What a student has to do, and why.

## The task

The reference solution changes:

${files}

## Done when

${programs === "" ? "Add a test to lab.json." : `${programs} print what lab.json says, and \`xv6-lab test\` has no failure.`}
`;
}

/** One tree of a lab's folder, and what its tests say. */
export interface Judged {
	readonly name: string;
	readonly verdicts: readonly Verdict[] | { readonly failure: string };
}

/** What is missing in a lab; empty: nothing. */
export function labProblems(
	manifest: LabManifest,
	starter: Judged,
	solution: Judged,
	mutants: readonly Judged[],
): string[] {
	const problems: string[] = [];
	const failed = (judged: Judged) =>
		"failure" in judged.verdicts ? undefined : judged.verdicts.filter(({ outcome }) => outcome !== "passed");
	if ("failure" in solution.verdicts) problems.push(`The solution does not build: ${solution.verdicts.failure}`);
	for (const { test, outcome, reasons } of failed(solution) ?? [])
		problems.push(`Test ${test} is ${outcome} on the solution: ${reasons[0]?.message ?? ""}`);
	if ("failure" in starter.verdicts) problems.push(`The starter does not build: ${starter.verdicts.failure}`);
	else
		for (const { test, outcome } of starter.verdicts)
			if (outcome === "passed") problems.push(`Test ${test} passes on the starter: it tells nothing of the task`);
	const explained = new Set<string>();
	for (const judged of [starter, ...mutants])
		for (const verdict of failed(judged) ?? []) for (const { id } of verdict.explanations) explained.add(id);
	for (const mutant of mutants) {
		const wrong = failed(mutant);
		if (!wrong)
			problems.push(
				`Mutant ${mutant.name} does not build: ${(mutant.verdicts as { readonly failure: string }).failure}`,
			);
		else if (wrong.length === 0)
			problems.push(`Mutant ${mutant.name} passes every test: no test sees what is wrong with it`);
		else if (wrong.every(({ explanations, diagnoses }) => explanations.length === 0 && diagnoses.length === 0))
			problems.push(
				`Nothing explains mutant ${mutant.name} (${wrong.map(({ test }) => test).join(", ")}): add a known failure`,
			);
	}
	if (mutants.length === 0)
		problems.push("There is no mutant: put wrong solutions into mutants/NAME, as files laid over the solution");
	for (const { id } of manifest.knownFailures)
		if (!explained.has(id)) problems.push(`Known failure ${id} is shown by neither the starter nor a mutant`);
	return problems;
}

/** Files of a folder in a lab's folder, by the path in the tree. */
export function below(files: Files, folder: string): Map<string, Uint8Array> {
	const found = new Map<string, Uint8Array>();
	for (const [path, bytes] of files) if (path.startsWith(`${folder}/`)) found.set(path.slice(folder.length + 1), bytes);
	return found;
}

/** Whether a Makefile names a program. */
export function programsOf(files: Files): string[] {
	const makefile = fromUtf8(files.get("Makefile") ?? new Uint8Array());
	return [...new Set([...makefile.matchAll(/\$U\/_([\w.-]+)/g)].map(([, name]) => name as string))];
}
