import { type SourcePosition, UserError } from "./errors.ts";

/**
 * What a failure to read a text of a tree is told as. JavaScript's stack, the one of its regular expressions and its longest string have
 * limits of their own: a text of millions of brackets or labels on a line reaches them, which is no defect of ours.
 */
export function asTooLong(error: unknown, position: SourcePosition): unknown {
	if (!(error instanceof RangeError) || !/call stack|string length/.test(error.message)) return error;
	return new UserError(
		"limit-reached",
		`${position.file} is too long, or too deeply nested, to be read`,
		"Look for a line that is far longer than any other, or for brackets that are never closed.",
		position,
	);
}
