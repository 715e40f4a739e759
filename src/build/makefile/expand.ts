import { UserError } from "../../common/errors.ts";
import { limits } from "../../common/limits.ts";
import { type Position, words } from "./lines.ts";
import { baseName, folderOf, matchingPaths, normalizePath, textStemOf } from "./paths.ts";
import { entrySteps, type Work } from "./work.ts";

export interface Variable {
	readonly value: string;
	/** A recursive value is expanded at each use, a simple one was expanded when it was set. */
	readonly recursive: boolean;
	readonly position: Position | undefined;
}

/** Finds a variable; scopes (automatic, target-specific, `call` arguments) lie over one another. */
export type Scope = (name: string) => Variable | undefined;

/** What expansion needs from outside; nothing here runs a program. */
interface ExpandHost {
	/** All paths of the tree, for `wildcard`. */
	readonly paths: readonly string[];
	/** Result of a shell command that is understood without running it, or undefined. */
	shell(command: string, position: Position): string | undefined;
	/** Reads text as makefile lines, for `eval`. */
	evaluate(text: string, position: Position): void;
}

export function notUnderstood(position: Position, what: string): UserError {
	return new UserError(
		"makefile-not-understood",
		what,
		"Write that line in a plainer way, or build with make and a RISC-V gcc and boot the result with xv6-lab boot --kernel.",
		position,
	);
}

/** What one expansion counts for, so that variables without a text end, too. */
const stepCost = 16;

/**
 * Stands in a value where a shell command's output would be that cannot be known. It may pass through values that the
 * build never uses; {@link requireKnown} speaks up where one is used.
 */
const mark = "\u0001";

/** Expands variable and function references (GNU make manual, chapters 6 and 8). */
export class Expander {
	private readonly unknown: { readonly command: string; readonly position: Position }[] = [];
	private depth = 0;

	constructor(
		private readonly host: ExpandHost,
		private readonly globals: Scope,
		private readonly work: Work,
	) {}

	expand(text: string, position: Position, scope: Scope = this.globals): string {
		this.work.spendText(text.length, position);
		if (!text.includes("$")) return text;
		// Deep recursion is a variable that refers to itself; make says so too.
		if (this.depth >= 200)
			throw notUnderstood(position, `A variable in this line refers to itself: ${text.trim().slice(0, 60)}`);
		this.depth++;
		try {
			const out = this.references(text, position, scope);
			this.work.spendText(stepCost + out.length, position);
			return out;
		} finally {
			this.depth--;
		}
	}

	private references(text: string, position: Position, scope: Scope): string {
		let out = "";
		for (let i = 0; i < text.length; i++) {
			const c = text[i] as string;
			if (c !== "$") {
				out += c;
				continue;
			}
			const next = text[++i];
			if (next === undefined) break;
			if (next === "$") out += "$";
			else if (next === "(" || next === "{") {
				const end = closing(text, i);
				if (end < 0) throw notUnderstood(position, `Unclosed '$${next}' in: ${text.trim().slice(0, 60)}`);
				out += this.reference(text.slice(i + 1, end), position, scope);
				i = end;
			} else out += this.value(next, position, scope);
			if (out.length > limits.expandedText) this.work.spendText(out.length, position);
		}
		return out;
	}

	/** Throws for a text whose value depends on a command that was not run. */
	requireKnown(text: string, position: Position): string {
		const found = new RegExp(`${mark}(\\d+)${mark}`).exec(text);
		if (!found) return text;
		const source = this.unknown[Number(found[1])];
		throw notUnderstood(
			source?.position ?? position,
			`The build needs the output of a shell command, and xv6 Lab runs none: ${source?.command.slice(0, 80)}`,
		);
	}

	isKnown(text: string): boolean {
		return !text.includes(mark);
	}

	value(name: string, position: Position, scope: Scope = this.globals): string {
		const variable = scope(name);
		if (!variable) return "";
		return variable.recursive ? this.expand(variable.value, variable.position ?? position, scope) : variable.value;
	}

	private reference(inner: string, position: Position, scope: Scope): string {
		const call = /^([a-z][a-z-]*)[ \t]+/.exec(inner);
		const run = call ? functions[call[1] as string] : undefined;
		if (call && run) {
			const args = splitArguments(inner.slice(call[0].length), run.most);
			const context: Call = {
				expand: (text, over = scope) => this.expand(text, position, over),
				scope,
				position,
				host: this.host,
				unknown: (command) => this.markUnknown(command, position),
				spend: (steps) => this.work.spendSteps(steps, position),
			};
			try {
				return run.apply(args, context);
			} catch (error) {
				// JavaScript's own limit of a text.
				if (error instanceof RangeError) this.work.spendText(Number.POSITIVE_INFINITY, position);
				throw error;
			}
		}
		const name = this.expand(inner, position, scope);
		const colon = name.indexOf(":");
		const equals = name.indexOf("=", colon);
		if (colon > 0 && equals > colon) {
			const value = this.value(name.slice(0, colon), position, scope);
			let from = name.slice(colon + 1, equals);
			let to = name.slice(equals + 1);
			if (!from.includes("%")) {
				from = `%${from}`;
				to = `%${to}`;
			}
			return patsubst(from, to, value);
		}
		return this.value(name.trim(), position, scope);
	}

	private markUnknown(command: string, position: Position): string {
		this.unknown.push({ command: command.trim(), position });
		return mark + (this.unknown.length - 1) + mark;
	}
}

interface Call {
	/** Counts work that the length of a text does not show. */
	spend(steps: number): void;
	expand(text: string, scope?: Scope): string;
	readonly scope: Scope;
	readonly position: Position;
	readonly host: ExpandHost;
	unknown(command: string): string;
}

interface MakeFunction {
	/** Most arguments: further commas belong to the last. */
	readonly most: number;
	apply(args: readonly string[], call: Call): string;
}

/** A function of `count` already expanded arguments. */
function plain(count: number, apply: (...args: string[]) => string): MakeFunction {
	return { most: count, apply: (args, call) => apply(...expandAll(count, args, call)) };
}

function expandAll(count: number, args: readonly string[], call: Call): string[] {
	return Array.from({ length: count }, (_, i) => call.expand(args[i] ?? ""));
}

/** `filter` or `filter-out`: the words that match one of the patterns, or none of them. */
function filter(wanted: boolean): MakeFunction {
	return {
		most: 2,
		apply: (args, call) => {
			const [patterns = [], texts = []] = expandAll(2, args, call).map(words);
			const matches = (word: string) => {
				call.spend(entrySteps * patterns.length);
				return patterns.some((pattern) => textStemOf(pattern, word) !== undefined);
			};
			return texts.filter((word) => matches(word) === wanted).join(" ");
		},
	};
}

function each(text: string, change: (word: string) => string): string {
	return words(text).map(change).join(" ");
}

function patsubst(from: string, to: string, text: string): string {
	return each(text, (word) => {
		const stem = textStemOf(from.trim(), word);
		return stem === undefined ? word : to.trim().replace("%", () => stem);
	});
}

function local(scope: Scope, names: Record<string, string>): Scope {
	return (name) =>
		Object.hasOwn(names, name) ? { value: names[name] as string, recursive: false, position: undefined } : scope(name);
}

/** Conditional functions see their arguments unexpanded and expand only what is used. */
function lazy(most: number, apply: MakeFunction["apply"]): MakeFunction {
	return { most, apply };
}

const many = Number.POSITIVE_INFINITY;

const functions: Record<string, MakeFunction> = Object.assign(Object.create(null) as Record<string, MakeFunction>, {
	subst: plain(3, (from, to, text) => (from === "" ? text + to : text.replaceAll(from, () => to))),
	patsubst: plain(3, patsubst),
	strip: plain(1, (text) => words(text).join(" ")),
	findstring: plain(2, (find, text) => (text.includes(find) ? find : "")),
	filter: filter(true),
	"filter-out": filter(false),
	sort: plain(1, (text) => [...new Set(words(text))].sort((a, b) => (a < b ? -1 : 1)).join(" ")),
	word: plain(2, (n, text) => words(text)[Number(n) - 1] ?? ""),
	wordlist: plain(3, (from, to, text) =>
		words(text)
			.slice(Number(from) - 1, Number(to))
			.join(" "),
	),
	words: plain(1, (text) => String(words(text).length)),
	firstword: plain(1, (text) => words(text)[0] ?? ""),
	lastword: plain(1, (text) => words(text).at(-1) ?? ""),
	dir: plain(1, (text) => each(text, (word) => folderOf(word) || "./")),
	notdir: plain(1, (text) => each(text, baseName)),
	suffix: plain(1, (text) => each(text, (word) => /\.[^./]*$/.exec(word)?.[0] ?? "").trim()),
	basename: plain(1, (text) => each(text, (word) => word.replace(/\.[^./]*$/, ""))),
	addsuffix: plain(2, (suffix, text) => each(text, (word) => word + suffix)),
	addprefix: plain(2, (prefix, text) => each(text, (word) => prefix + word)),
	join: plain(2, (a, b) => {
		const [left, right] = [words(a), words(b)];
		return Array.from(
			{ length: Math.max(left.length, right.length) },
			(_, i) => (left[i] ?? "") + (right[i] ?? ""),
		).join(" ");
	}),
	realpath: plain(1, (text) => each(text, normalizePath)),
	abspath: plain(1, (text) => each(text, normalizePath)),
	wildcard: lazy(1, ([patterns = ""], { expand, host, spend }) =>
		words(expand(patterns))
			.flatMap((pattern) => matchingPaths(normalizePath(pattern), host.paths, spend))
			.join(" "),
	),
	if: lazy(3, ([condition = "", yes = "", no = ""], { expand }) =>
		expand(condition.trim()).trim() !== "" ? expand(yes) : expand(no),
	),
	or: lazy(many, (args, { expand }) => args.map((arg) => expand(arg.trim())).find((value) => value !== "") ?? ""),
	and: lazy(many, (args, { expand }) => {
		const values = args.map((arg) => expand(arg.trim()));
		return values.every((value) => value !== "") ? (values.at(-1) ?? "") : "";
	}),
	foreach: lazy(3, ([name = "", list = "", body = ""], { expand, scope }) => {
		const variable = expand(name).trim();
		return words(expand(list))
			.map((word) => expand(body, local(scope, { [variable]: word })))
			.join(" ");
	}),
	call: lazy(many, ([name = "", ...args], { expand, scope }) => {
		const variable = expand(name).trim();
		const numbered: Record<string, string> = { 0: variable };
		for (const [i, arg] of args.entries()) numbered[i + 1] = expand(arg);
		const body = scope(variable)?.value ?? "";
		return expand(body, local(scope, numbered));
	}),
	value: lazy(1, ([name = ""], { expand, scope }) => scope(expand(name).trim())?.value ?? ""),
	origin: lazy(1, ([name = ""], { expand, scope }) => (scope(expand(name).trim()) ? "file" : "undefined")),
	flavor: lazy(1, ([name = ""], { expand, scope }) => {
		const variable = scope(expand(name).trim());
		return variable ? (variable.recursive ? "recursive" : "simple") : "undefined";
	}),
	eval: lazy(1, ([text = ""], { expand, host, position }) => {
		host.evaluate(expand(text), position);
		return "";
	}),
	shell: lazy(1, ([command = ""], { expand, host, position, unknown }) => {
		const text = expand(command);
		return host.shell(text, position) ?? unknown(text);
	}),
	error: lazy(1, ([text = ""], { expand, position }) => {
		throw notUnderstood(position, `The Makefile itself stops here: ${expand(text).trim()}`);
	}),
	warning: lazy(1, () => ""),
	info: lazy(1, () => ""),
	file: lazy(2, ([operation = ""], { position }) => {
		throw notUnderstood(position, `$(file ${operation}…) is not supported`);
	}),
});

/** Index of the bracket that closes the one at `open`; only the same kind nests. */
function closing(text: string, open: number): number {
	const opener = text[open];
	const closer = opener === "(" ? ")" : "}";
	let depth = 0;
	for (let i = open; i < text.length; i++) {
		if (text[i] === opener) depth++;
		else if (text[i] === closer && --depth === 0) return i;
	}
	return -1;
}

/** Splits at commas outside brackets into at most `most` parts. */
export function splitArguments(text: string, most: number): string[] {
	const parts: string[] = [];
	let depth = 0;
	let start = 0;
	for (let i = 0; i < text.length && parts.length + 1 < most; i++) {
		const c = text[i];
		if (c === "(" || c === "{") depth++;
		else if (c === ")" || c === "}") depth--;
		else if (c === "," && depth === 0) {
			parts.push(text.slice(start, i));
			start = i + 1;
		}
	}
	parts.push(text.slice(start));
	return parts;
}
