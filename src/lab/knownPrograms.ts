import * as v from "valibot";
import { UserError } from "../common/errors.ts";
import { Pattern } from "./pattern.ts";

const pattern = v.pipe(
	v.string(),
	v.minLength(1),
	v.check((text) => {
		try {
			new Pattern(text);
			return true;
		} catch {
			return false;
		}
	}, "a regular expression"),
);

export const knownProgramSchema = v.strictObject({
	/** As it is typed, without arguments. */
	name: v.pipe(v.string(), v.minLength(1)),
	/** All of these are printed by a run that passes. `where`: only by programs whose ELF file has this text; ages of a program differ. */
	passed: v.pipe(v.array(v.union([pattern, v.strictObject({ line: pattern, where: v.string() })])), v.minLength(1)),
	/** One of these is printed by a run that fails. */
	failed: v.array(pattern),
});

/** Schema of labs/known-programs.json. */
const knownProgramsSchema = v.strictObject({ programs: v.array(knownProgramSchema) });

export type KnownProgram = v.InferOutput<typeof knownProgramSchema>;

/** What the console says about a program that reports by itself. */
interface KnownResult {
	/** `unknown`: it printed neither the lines of a pass nor one of a failure. */
	readonly state: "passed" | "failed" | "unknown";
	/** One sentence for people, which quotes the line that decides. */
	readonly says: string;
}

export function parseKnownPrograms(text: string, file: string): readonly KnownProgram[] {
	const invalid = (what: string) =>
		new UserError("lab-manifest-invalid", what, "docs/lab-authoring.md describes known programs.", { file });
	let data: unknown;
	try {
		data = JSON.parse(text);
	} catch (error) {
		throw invalid(`This is not JSON: ${(error as Error).message}`);
	}
	const result = v.safeParse(knownProgramsSchema, data);
	if (result.success) return result.output.programs;
	const issue = result.issues[0];
	throw invalid(`Field ${v.getDotPath(issue) ?? "programs"} is wrong: ${issue.message}`);
}

/** Characters with which a command line is more than one program and its arguments. */
const shellWords = /[|;&<>()]/;

/** Undefined: nothing is known of this program. `output`: of a command that came back to the shell; `elf`: the program that ran. */
export function judgeKnown(
	programs: readonly KnownProgram[],
	command: string,
	output: string,
	elf: Uint8Array | undefined,
): KnownResult | undefined {
	const name = command.trim().split(/\s+/)[0] ?? "";
	// What is written later counts: a tree's own word comes after ours.
	const known = programs.findLast((program) => program.name === name);
	if (!known || shellWords.test(command)) return undefined;
	for (const failed of known.failed) {
		const line = lineOf(output, failed);
		if (line !== undefined) return { state: "failed", says: `${name} failed: it printed "${line}"` };
	}
	const wanted = known.passed.flatMap((each) => {
		if (typeof each === "string") return [each];
		return elf && !hasText(elf, each.where) ? [] : [each.line];
	});
	const missing = wanted.find((each) => !new Pattern(each).test(output));
	if (wanted.length > 0 && missing === undefined) {
		const line = lineOf(output, wanted.at(-1) as string) ?? "";
		return { state: "passed", says: `${name} passed: it printed "${line}"` };
	}
	const about = missing === undefined ? "" : `: no line matches /${missing}/`;
	return { state: "unknown", says: `${name} ended without a word that it passed or failed${about}` };
}

/** The line that a pattern is found on. */
function lineOf(output: string, source: string): string | undefined {
	const found = new Pattern(source);
	const lines = output.split(/\r?\n/);
	return lines.find((line) => found.test(line)) ?? (found.test(output) ? (lines.at(-2) ?? "") : undefined);
}

function hasText(bytes: Uint8Array, text: string): boolean {
	const first = text.charCodeAt(0);
	for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
		let i = 1;
		while (i < text.length && bytes[at + i] === text.charCodeAt(i)) i++;
		if (i === text.length) return true;
	}
	return false;
}
