import type { Verdict } from "../protocol/verdict.ts";

/** How checks of a test program name the place of the one that does not hold; older ones name the line alone. */
const namedPlace = /^([A-Za-z0-9_][A-Za-z0-9_./-]*):(\d+): not true/m;
const namedLine = /^line (\d+): /m;

interface FailurePlace {
	/** Path in the tree. */
	readonly file: string;
	/** From 1. */
	readonly line: number;
}

/**
 * The place that the failure of a program is about: where the debug information says that it ended, or which the program itself names;
 * undefined: neither is known.
 */
export function failurePlace({ stack, actual }: Verdict, source: string): FailurePlace | undefined {
	const frame = stack.find(({ file, line }) => file === source && line !== undefined);
	if (frame?.line !== undefined) return { file: source, line: frame.line };
	const [, file, line] = namedPlace.exec(actual) ?? [];
	if (file !== undefined && !file.includes("..")) return { file: file.replace(/^\.\//, ""), line: Number(line) };
	const alone = namedLine.exec(actual)?.[1];
	return alone === undefined ? undefined : { file: source, line: Number(alone) };
}
