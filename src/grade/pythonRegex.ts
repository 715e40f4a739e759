/** Flags as Python's `re` numbers them. */
const ignoreCase = 2;
const multiLine = 8;
const dotAll = 16;
const verbose = 64;

/** A find, for JSON: the groups (0 is the whole), null where a group took no part, and from where to where each goes. */
export interface Found {
	readonly groups: readonly (string | null)[];
	readonly spans: readonly (readonly [number, number])[];
	readonly names: Readonly<Record<string, number>>;
}

export type RegexOperation = "match" | "fullmatch" | "search" | "findall";

/**
 * The source of a JavaScript regular expression that means what Python's `re` means by a pattern. `$` also stands
 * before a last line end, `.` and `^` know no line end but `\n`, and `\d`, `\w` and `\s` are ASCII's, which is what consoles have.
 */
export function translate(
	pattern: string,
	flags: number,
): { readonly source: string; readonly names: Readonly<Record<string, number>> } {
	let out = "";
	let inClass = false;
	let groups = 0;
	const names: Record<string, number> = {};
	for (let i = 0; i < pattern.length; i++) {
		const c = pattern[i] as string;
		if (c === "\\") {
			const next = pattern[++i];
			if (next === undefined) throw new SyntaxError("bad escape (end of pattern)");
			out += escaped(next, inClass);
		} else if (inClass) {
			if (c === "]") inClass = false;
			out += c === "[" ? "\\[" : c;
		} else if (c === "[") {
			inClass = true;
			out += c;
			if (pattern[i + 1] === "^") out += pattern[++i];
			// A bracket in the first place is a character.
			if (pattern[i + 1] === "]") {
				out += "\\]";
				i++;
			}
		} else if (flags & verbose && /\s/.test(c)) continue;
		else if (flags & verbose && c === "#") {
			while (i + 1 < pattern.length && pattern[i + 1] !== "\n") i++;
		} else if (c === ".") out += flags & dotAll ? "[\\s\\S]" : "[^\\n]";
		else if (c === "^") out += flags & multiLine ? "(?<![^\\n])" : "(?<![\\s\\S])";
		else if (c === "$") out += flags & multiLine ? "(?![^\\n])" : "(?=\\n?(?![\\s\\S]))";
		else if (c === "{") {
			const count = /^\{(?:(\d+)|(\d*),(\d*))\}/.exec(pattern.slice(i, i + 40));
			if (count) {
				out += count[1] === undefined ? `{${count[2] || "0"},${count[3]}}` : count[0];
				i += count[0].length - 1;
			} else out += "\\{";
		} else if (c === "}") out += "\\}";
		else if (c === "]") out += "\\]";
		else if (c === "(" && pattern.startsWith("(?P<", i)) {
			names[pattern.slice(i + 4, pattern.indexOf(">", i))] = ++groups;
			out += "(?<";
			i += 3;
		} else if (c === "(" && pattern.startsWith("(?P=", i)) {
			const end = pattern.indexOf(")", i);
			if (end < 0) throw new SyntaxError("missing ), unterminated name");
			out += `\\k<${pattern.slice(i + 4, end)}>`;
			i = end;
		} else if (c === "(" && pattern.startsWith("(?#", i)) {
			const end = pattern.indexOf(")", i);
			if (end < 0) throw new SyntaxError("missing ), unterminated comment");
			i = end;
		} else {
			if (c === "(" && pattern[i + 1] !== "?") groups++;
			out += c;
		}
	}
	return { source: out, names };
}

function escaped(next: string, inClass: boolean): string {
	if (!inClass && next === "A") return "(?<![\\s\\S])";
	if (!inClass && next === "Z") return "(?![\\s\\S])";
	if (next === "a") return "\\x07";
	if (/[A-Za-z]/.test(next) && !/[bBdDsSwWfnrtvxu]/.test(next)) throw new SyntaxError(`bad escape \\${next}`);
	return `\\${next}`;
}

interface Compiled {
	readonly regex: RegExp;
	readonly names: Readonly<Record<string, number>>;
}

const compiled = new Map<string, Compiled>();

function compile(pattern: string, flags: number, how: RegexOperation): Compiled {
	const inline = /^\(\?([aimsux]+)\)/.exec(pattern);
	const letters = inline?.[1] ?? "";
	const all =
		flags |
		(letters.includes("i") ? ignoreCase : 0) |
		(letters.includes("m") ? multiLine : 0) |
		(letters.includes("s") ? dotAll : 0) |
		(letters.includes("x") ? verbose : 0);
	const key = `${how} ${all} ${pattern}`;
	let found = compiled.get(key);
	if (!found) {
		const { source, names } = translate(inline ? pattern.slice(inline[0].length) : pattern, all);
		const whole = how === "fullmatch" ? `(?:${source})(?![\\s\\S])` : source;
		const sticky = how === "match" || how === "fullmatch" ? "y" : "g";
		found = { regex: new RegExp(whole, `d${all & ignoreCase ? "i" : ""}${sticky}`), names };
		compiled.set(key, found);
	}
	found.regex.lastIndex = 0;
	return found;
}

/** Runs one operation; throws SyntaxError for a pattern that is none. */
export function find(operation: RegexOperation, pattern: string, flags: number, text: string): readonly Found[] {
	const { regex, names } = compile(pattern, flags, operation);
	const all = operation === "findall" ? [...text.matchAll(regex)] : [regex.exec(text)];
	return all.flatMap((match) => (match ? [asFound(match, names)] : []));
}

/** Whether a text begins with a match. */
export function matches(pattern: string, text: string): boolean {
	return compile(pattern, 0, "match").regex.test(text);
}

function asFound(match: RegExpMatchArray, names: Readonly<Record<string, number>>): Found {
	const { indices } = match as RegExpMatchArray & {
		readonly indices?: readonly (readonly [number, number] | undefined)[];
	};
	return {
		groups: [...match].map((text) => text ?? null),
		spans: (indices ?? []).map((span) => span ?? ([-1, -1] as const)),
		names,
	};
}
