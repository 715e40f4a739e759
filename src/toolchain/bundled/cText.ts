import { codeOnly } from "../../common/cText.ts";

/** Braces that are open where a line of C begins: for each line, and after the last one. Comments and literals are left out. */
export function depths(text: string): readonly number[] {
	const found = [0];
	let depth = 0;
	for (const line of codeOnly(text).split("\n")) {
		depth += opened(line);
		found.push(depth);
	}
	return found;
}

/** Braces that a piece of C without comments and literals opens more than it closes. */
export function opened(code: string): number {
	return code.split("{").length - code.split("}").length;
}
