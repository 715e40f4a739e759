import { matches } from "./pythonRegex.ts";

/** Lines as Python's `str.splitlines` sees them. */
export function splitLines(text: string): string[] {
	const lines = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
	if (lines.at(-1) === "") lines.pop();
	return lines;
}

/** Lines of context around one that counts, and of the end where something is missing. */
const around = 2;
const ofTheEnd = 5;
const mostLines = 200;

/**
 * What is wrong with a text that has to have a line for each pattern, and none for those of `no`; undefined: nothing. A line answers
 * every pattern that it matches.
 */
export function linesMatch(text: string, wanted: readonly string[], no: readonly string[]): string | undefined {
	const lines = splitLines(text);
	let missing = [...wanted];
	const good = new Set<number>();
	const bad = new Set<number>();
	for (const [i, line] of lines.entries()) {
		const left = missing.filter((pattern) => !matches(pattern, line));
		if (left.length < missing.length) good.add(i);
		missing = left;
		if (no.some((pattern) => matches(pattern, line))) bad.add(i);
	}
	if (missing.length === 0 && bad.size === 0) return undefined;
	const shown = new Set<number>();
	for (const at of [...good, ...bad]) for (let i = at - around; i <= at + around; i++) shown.add(i);
	if (missing.length > 0) for (let i = lines.length - ofTheEnd; i < lines.length; i++) shown.add(i);
	const said: string[] = [];
	let last = -1;
	for (const i of [...shown]
		.filter((at) => at >= 0 && at < lines.length)
		.sort((a, b) => a - b)
		.slice(-mostLines)) {
		if (i !== last + 1) said.push("...");
		last = i;
		said.push(`${bad.has(i) ? "BAD " : good.has(i) ? "GOOD" : "    "} ${lines[i]}`);
	}
	if (last !== lines.length - 1) said.push("...");
	if (bad.size > 0) said.push("unexpected lines in output");
	for (const pattern of missing) said.push(`MISSING '${pattern}'`);
	return said.join("\n");
}
