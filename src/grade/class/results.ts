import * as v from "valibot";
import { UserError } from "../../common/errors.ts";
import {
	type Built,
	type Head,
	type Line,
	lineSchema,
	type Submission,
	type Unit,
	type UnitResult,
	unitKey,
} from "./lines.ts";

/** What results.jsonl holds. Later lines replace earlier ones of the same key. */
export class Results {
	head: Head | undefined;
	readonly submissions = new Map<string, Submission>();
	readonly builds = new Map<string, Built>();
	readonly units = new Map<string, UnitResult>();

	add(line: Line): void {
		if (line.kind === "class") this.head = line;
		else if (line.kind === "submission") this.submissions.set(line.source, line);
		else if (line.kind === "build") this.builds.set(line.tree, line);
		else this.units.set(unitKey(line), line);
	}

	has(line: Line): boolean {
		if (line.kind !== "submission") return false;
		const known = this.submissions.get(line.source);
		return known !== undefined && serialize(known) === serialize(line);
	}

	unit(unit: Unit): UnitResult | undefined {
		return this.units.get(unitKey(unit));
	}

	/** What a limit ended is forgotten. */
	forgetStopped(): void {
		for (const map of [this.submissions, this.builds, this.units] as Map<string, { stopped?: true | undefined }>[])
			for (const [key, line] of map) if (line.stopped) map.delete(key);
	}

	/** All lines in their one order: two files of the same class have the same bytes, but for times. */
	lines(): Line[] {
		const sorted = <T>(map: ReadonlyMap<string, T>) =>
			[...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
		return [
			...(this.head ? [this.head] : []),
			...sorted(this.submissions),
			...sorted(this.builds),
			...sorted(this.units),
		];
	}

	/** Without builds and units that no submission leads to: a student has handed in another tree since. */
	prune(): void {
		const trees = new Set([...this.submissions.values()].map(({ tree }) => tree));
		for (const [tree] of this.builds) if (!trees.has(tree)) this.builds.delete(tree);
		const kernels = new Set([...this.builds.values()].map(({ kernel }) => kernel));
		for (const [key, { kernel }] of this.units) if (!kernels.has(kernel)) this.units.delete(key);
	}
}

/** One line, with its keys in the order of the schema; without its line end. */
export function serialize(line: Line): string {
	return JSON.stringify(v.parse(lineSchema, line));
}

export interface Parsed {
	readonly results: Results;
	/** Characters up to the end of the last whole line. */
	readonly whole: number;
	/** Numbers of lines that are not understood, the torn last one aside. */
	readonly damaged: readonly number[];
}

/** What a killed process has left ends in the middle of a line at worst; that one is dropped. */
export function parseResults(text: string, file: string): Parsed {
	const results = new Results();
	const damaged: number[] = [];
	const whole = text.lastIndexOf("\n") + 1;
	const lines = text.slice(0, whole).split("\n");
	for (const [at, one] of lines.entries()) {
		if (one === "") continue;
		const line = parseLine(one);
		if (line) results.add(line);
		else damaged.push(at + 1);
	}
	if (!results.head && (results.units.size > 0 || damaged.length > 0)) {
		const next = "Name another file with --out, or the one that `xv6-lab grade` has written.";
		throw new UserError("results-damaged", `${file} is no file of results`, next, { file });
	}
	return { results, whole, damaged };
}

function parseLine(text: string): Line | undefined {
	try {
		const result = v.safeParse(lineSchema, JSON.parse(text));
		return result.success ? result.output : undefined;
	} catch {
		return undefined;
	}
}

/** A line without what differs from run to run. */
export function withoutTimes(line: Line): string {
	const ordered = v.parse(lineSchema, line);
	return JSON.stringify({ ...ordered, cpuMs: undefined, ...(line.kind === "class" ? { from: undefined } : {}) });
}

/** Several files of one class as one. Throws where they contradict each other. */
export function merge(parts: readonly { readonly file: string; readonly results: Results }[]): Results {
	const merged = new Results();
	const seen = new Map<string, { readonly file: string; readonly line: Line }>();
	for (const { file, results } of parts) {
		for (const line of results.lines()) {
			const key = keyOf(line);
			const known = seen.get(key);
			if (!known) {
				seen.set(key, { file, line });
				merged.add(line);
			} else if (withoutTimes(known.line) !== withoutTimes(line)) {
				throw contradiction(known.file, file, line);
			}
		}
	}
	return merged;
}

function keyOf(line: Line): string {
	if (line.kind === "class") return "class";
	if (line.kind === "submission") return `submission ${line.source}`;
	return line.kind === "build" ? `build ${line.tree}` : `unit ${unitKey(line)}`;
}

function contradiction(one: string, other: string, line: Line): UserError {
	const [what, next] =
		line.kind === "class"
			? ["are of different labs, policies or versions of xv6-lab", "Grade all shards with the same ones."]
			: line.kind === "submission"
				? [`have different submissions of ${line.source}`, "Grade that one again, and leave one of the files out."]
				: [
						`differ in ${line.kind === "unit" ? `test ${line.test} of kernel ${line.kernel}` : `the build of tree ${line.tree}`}`,
						"Run `xv6-lab grade verify` on both.",
					];
	return new UserError("results-damaged", `${one} and ${other} ${what}`, next as string);
}
