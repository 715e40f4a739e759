import type { SourcePosition } from "../../common/errors.ts";

/** One line as make sees it: continuations joined, line ends normalised. */
export interface LogicalLine {
	readonly text: string;
	readonly position: Required<Pick<SourcePosition, "file" | "line">>;
	/** Starts with a tab: a recipe line when it follows a rule. */
	readonly tabbed: boolean;
}

export type Position = LogicalLine["position"];

/** Splits a makefile into logical lines (GNU make manual, 3.1.1 "Splitting Long Lines"). CRLF counts as a line end. */
export function logicalLines(text: string, file: string, firstLine = 1): LogicalLine[] {
	const physical = text.split(/\r?\n/);
	const lines: LogicalLine[] = [];
	for (let i = 0; i < physical.length; i++) {
		const start = i;
		let last = physical[i] as string;
		const tabbed = last.startsWith("\t");
		/** What is before the last one, without white space and backslashes between. */
		const parts: string[] = [];
		while (continues(last) && i + 1 < physical.length) {
			const part = last.slice(0, -1).trimEnd();
			if (parts.length === 0 || part !== "") parts.push(part);
			i++;
			last = (physical[i] as string).trimStart();
		}
		if (continues(last)) last = last.slice(0, -1);
		lines.push({ text: [...parts, last].join(" "), position: { file, line: firstLine + start }, tabbed });
	}
	return lines;
}

/** An odd number of backslashes at the end continues the line. */
function continues(text: string): boolean {
	return /(?:^|[^\\])(?:\\\\)*\\$/.test(text);
}

/** Cuts off `# comment`; `\#` is a number sign. */
export function withoutComment(text: string): string {
	for (let at = text.indexOf("#"); at >= 0; at = text.indexOf("#", at + 1)) {
		if (text[at - 1] !== "\\") return unescapeHash(text.slice(0, at));
	}
	return unescapeHash(text);
}

function unescapeHash(text: string): string {
	return text.replaceAll("\\#", "#");
}

/** Index of the first of `wanted` that is not inside `$(…)` or `${…}`, or -1. */
export function indexOutside(text: string, wanted: (at: number) => boolean): number {
	let depth = 0;
	for (let i = 0; i < text.length; i++) {
		const c = text[i];
		if (c === "$" && (text[i + 1] === "(" || text[i + 1] === "{")) {
			depth++;
			i++;
		} else if (depth > 0) {
			if (c === "(" || c === "{") depth++;
			else if (c === ")" || c === "}") depth--;
		} else if (wanted(i)) return i;
	}
	return -1;
}

export interface Assignment {
	readonly name: string;
	readonly operator: "=" | ":=" | "?=" | "+=" | "!=";
	readonly value: string;
}

/** `NAME op value`, or undefined when the text is something else (a rule, a directive). */
export function parseAssignment(text: string): Assignment | undefined {
	const at = indexOutside(text, (i) => text[i] === "=" || text[i] === ":");
	if (at < 0) return undefined;
	let nameEnd = at;
	let operator: Assignment["operator"] = "=";
	let valueStart = at + 1;
	if (text[at] === ":") {
		const simple = /^:{1,3}=/.exec(text.slice(at));
		if (!simple) return undefined;
		operator = ":=";
		valueStart = at + simple[0].length;
	} else {
		const before = text[at - 1];
		if (before === "?" || before === "+" || before === "!") {
			operator = `${before}=`;
			nameEnd = at - 1;
		}
	}
	const name = text.slice(0, nameEnd).trim();
	if (name === "" || indexOutside(name, (i) => /\s/.test(name[i] as string)) >= 0) return undefined;
	return { name, operator, value: text.slice(valueStart).trimStart() };
}

export function words(text: string): string[] {
	return text.split(/\s+/).filter((word) => word !== "");
}
