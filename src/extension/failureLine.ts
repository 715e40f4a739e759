import type { VerdictData } from "../protocol/engine.ts";

/** How a course's own checks name the line of the one that does not hold. */
const namedLine = /^line (\d+): /m;

/**
 * Line (from 1) of a program's source that its failure is about: where the debug information says that it ended, or which the
 * program itself names; undefined: neither is known.
 */
export function failureLine({ stack, actual }: VerdictData, source: string): number | undefined {
	const frame = stack.find(({ file, line }) => file === source && line !== undefined);
	const named = namedLine.exec(actual)?.[1];
	return frame?.line ?? (named === undefined ? undefined : Number(named));
}
