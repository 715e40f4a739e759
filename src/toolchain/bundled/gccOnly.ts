import type { Diagnostic } from "../types.ts";
import type { GccWarning, WarningFlags } from "./gccWarnings.ts";

interface Token {
	readonly text: string;
	/** Both from 1. */
	readonly line: number;
	readonly column: number;
	/** The column as an editor shows it, with a tab stop every 8, from 0. */
	readonly shown: number;
	/** Open brackets of any kind around it. */
	readonly depth: number;
}

const token =
	/[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|[<>=!]=|&&|\|\||[-+*/%&|^]=|[^\s\w]/g;

/** Tokens of a file as written: no macro is expanded, no directive read. */
function tokensOf(source: string): Token[] {
	const blank = (text: string) => text.replace(/[^\n]/g, " ");
	const bare = source
		.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, (text) =>
			text.startsWith("/") ? blank(text) : text,
		)
		.replace(/^[ \t]*#(?:[^\n\\]|\\\r?\n|\\)*/gm, blank);
	const tokens: Token[] = [];
	let depth = 0;
	for (const [index, line] of bare.split("\n").entries()) {
		for (const match of line.matchAll(token)) {
			const text = match[0];
			if (/^[)\]}]$/.test(text)) depth--;
			const shown = shownAt(line, match.index);
			tokens.push({ text, line: index + 1, column: match.index + 1, shown, depth });
			if (/^[([{]$/.test(text)) depth++;
		}
	}
	return tokens;
}

function shownAt(line: string, index: number): number {
	let shown = 0;
	for (let i = 0; i < index; i++) shown = line[i] === "\t" ? shown + 8 - (shown % 8) : shown + 1;
	return shown;
}

const isWord = (text: string | undefined) => text !== undefined && /^[A-Za-z_]\w*$/.test(text);
const statements = new Set(
	"if else while for switch do return case goto break continue default sizeof typedef".split(" "),
);

const precedences: readonly (readonly string[])[] = [
	[",", ";", "{", "}", "(", ")", "[", "]"],
	["=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="],
	["?", ":"],
	["||"],
	["&&"],
	["|"],
	["^"],
	["&"],
	["==", "!="],
	["<", ">", "<=", ">="],
	["<<", ">>"],
	["+", "-"],
	["*", "/", "%"],
];
const precedence = new Map(precedences.flatMap((row, rank) => row.map((text) => [text, rank] as const)));
const sum = precedence.get("+") as number;

/** Whether an operator has an operand on its left. After `(name)`, which may be a cast, that is not known: no. */
function isBinary(tokens: readonly Token[], at: number): boolean {
	const before = tokens[at - 1];
	if (!before) return false;
	if (before.text !== ")")
		return before.text === "]" || /^[\w."']/.test(before.text) ? !statements.has(before.text) : false;
	let open = at - 2;
	while (open >= 0 && (tokens[open] as Token).depth > before.depth) open--;
	const owner = tokens[open - 1]?.text;
	if (isWord(owner)) return owner === "sizeof" || !statements.has(owner as string);
	return !tokens.slice(open + 1, at - 1).every(({ text }) => isWord(text) || text === "*");
}

/** The operand on one side of an operator is a sum: the place of its `+` or `-`. */
function sumBeside(tokens: readonly Token[], at: number, step: 1 | -1): Token | undefined {
	const { text, depth } = tokens[at] as Token;
	const limit = precedence.get(text) as number;
	let lowest: Token | undefined;
	let rank = precedences.length;
	for (let i = at + step; i >= 0 && i < tokens.length; i += step) {
		const each = tokens[i] as Token;
		if (each.depth < depth) break;
		const own = precedence.get(each.text);
		// Brackets stand at the depth around them.
		if (each.depth > depth || own === undefined || /^[()[\]]$/.test(each.text)) continue;
		if (/^[-+*&]$/.test(each.text) && !isBinary(tokens, i)) continue;
		if (own <= limit) break;
		if (own < rank) [rank, lowest] = [own, each];
	}
	return rank === sum ? lowest : undefined;
}

function sumsInBits(tokens: readonly Token[]): Found[] {
	return tokens.flatMap(({ text, depth }, at) => {
		if (depth === 0 || !/^[&|^]$/.test(text) || !isBinary(tokens, at)) return [];
		return ([-1, 1] as const).flatMap((step) => {
			const place = sumBeside(tokens, at, step);
			const what = text === "&" ? `'${place?.text}'` : "arithmetic";
			return place ? [{ place, message: `suggest parentheses around ${what} in operand of '${text}'` }] : [];
		});
	});
}

/** `for(…);` and `while(…);` before a statement that stands further to the right (gcc: c-indentation.cc). */
function emptyLoops(tokens: readonly Token[]): Found[] {
	return tokens.flatMap((place, at) => {
		if (place.text !== "for" && place.text !== "while") return [];
		if (place.text === "while" && endsDo(tokens, at)) return [];
		let end = at + 2;
		while (end < tokens.length && (tokens[end] as Token).depth > place.depth) end++;
		const [body, next] = [tokens[end + 1], tokens[end + 2]];
		if (body?.text !== ";" || body.line !== tokens[end]?.line || !next || /^(?:[};]|else)$/.test(next.text)) return [];
		const isFirst = tokens.find(({ line }) => line === place.line) === place;
		const misleads = isFirst && (next.line === body.line || next.shown > place.shown);
		const message = `this '${place.text}' clause does not guard what is indented under it`;
		return misleads ? [{ place, message }] : [];
	});
}

/** Whether a `while` is that of a `do`, as far as one statement or block before it. */
function endsDo(tokens: readonly Token[], at: number): boolean {
	const before = tokens[at - 1]?.text;
	if (before === "}") return true;
	if (before !== ";") return false;
	const { depth } = tokens[at] as Token;
	let first = at - 2;
	while (first >= 0 && !((tokens[first] as Token).depth <= depth && /^[;{}]$/.test((tokens[first] as Token).text)))
		first--;
	return tokens.slice(first + 1, at).some(({ text }) => text === "do");
}

/** Arrays of a function whose elements are stored and never read. */
function storedArrays(tokens: readonly Token[]): Found[] {
	const found: Found[] = [];
	for (let start = 0; start < tokens.length; start++) {
		const open = tokens[start] as Token;
		if (open.depth !== 0 || open.text !== "{" || tokens[start - 1]?.text !== ")") continue;
		let end = start + 1;
		while (end < tokens.length && (tokens[end] as Token).depth > 0) end++;
		const body = tokens.slice(start, end + 1);
		for (const [at, place] of body.entries()) {
			if (isArrayDeclaration(body, at) && isOnlyStored(body, at))
				found.push({ place, message: `variable '${place.text}' set but not used` });
		}
		start = end;
	}
	return found;
}

/** `type name[…];`, alone in its statement. */
function isArrayDeclaration(body: readonly Token[], at: number): boolean {
	const { text, depth } = body[at] as Token;
	if (!isWord(text) || body[at + 1]?.text !== "[") return false;
	let first = at - 1;
	while (first > 0 && (isWord(body[first]?.text) || body[first]?.text === "*")) first--;
	if (first === at - 1 || !/^[;{}]$/.test(body[first]?.text ?? "")) return false;
	if (body.slice(first + 1, at).some((each) => statements.has(each.text) || each.text === "extern")) return false;
	const rest = body.slice(at + 1);
	const stop = rest.findIndex((each) => each.depth === depth && /^[;,=_]/.test(each.text));
	return rest[stop]?.text === ";";
}

function isOnlyStored(body: readonly Token[], declared: number): boolean {
	const name = (body[declared] as Token).text;
	let stores = 0;
	for (const [at, { text, depth }] of body.entries()) {
		if (text !== name || at === declared) continue;
		const before = body[at - 1]?.text ?? "";
		if (!/^[;{})]$/.test(before) && before !== "else") return false;
		let next = at + 1;
		if (body[next]?.text !== "[") return false;
		// Indices, and fields of an element.
		for (let done = false; !done; ) {
			if (body[next]?.text === "[") {
				do next++;
				while (next < body.length && (body[next] as Token).depth > depth);
				next++;
			} else if (body[next]?.text === ".") next += 2;
			else done = true;
		}
		if (body[next]?.text !== "=") return false;
		stores++;
	}
	return stores > 0;
}

/** `printf("")` of functions that a declaration gives gcc's attribute `format`. */
function emptyFormats(tokens: readonly Token[], declarations: readonly string[]): Found[] {
	return tokens.flatMap((place, at) => {
		const [open, text, close] = tokens.slice(at + 1, at + 4).map((each) => each.text);
		if (!isWord(place.text) || open !== "(" || text !== '""' || close !== ")") return [];
		const pattern = new RegExp(`\\b${place.text}\\s*\\([^;{}]*\\)\\s*__attribute__\\s*\\(\\([^;{}]*\\bformat`);
		if (!declarations.some((each) => pattern.test(each))) return [];
		return [{ place: tokens[at + 2] as Token, message: "zero-length gnu_printf format string" }];
	});
}

interface Found {
	readonly place: Token;
	readonly message: string;
}

const parentheses: GccWarning = { name: "parentheses", by: "all" };
const indentation: GccWarning = { name: "misleading-indentation", by: "all" };
const unused: GccWarning = { name: "unused-but-set-variable", by: "all" };
const zeroLength: GccWarning = { name: "format-zero-length", by: "all" };

/**
 * Warnings of gcc 12's `-Wall` that clang does not have, found in the text of one file. What a macro hides is not seen, and
 * what could be read in two ways is left out: a tree that gcc builds is never refused for them.
 */
export function gccOnly(
	file: string,
	source: string,
	headers: readonly string[],
	flags: WarningFlags,
): readonly Diagnostic[] {
	const wanted = [parentheses, indentation, unused, zeroLength].filter((warning) => flags.isOn(warning));
	if (wanted.length === 0) return [];
	const tokens = tokensOf(source);
	const all: readonly (readonly [GccWarning, () => Found[]])[] = [
		[parentheses, () => sumsInBits(tokens)],
		[indentation, () => emptyLoops(tokens)],
		[unused, () => storedArrays(tokens)],
		[zeroLength, () => emptyFormats(tokens, [source, ...headers])],
	];
	return all
		.filter(([warning]) => wanted.includes(warning))
		.flatMap(([warning, find]) =>
			find().map(({ place: { line, column }, message }) => ({
				file,
				line,
				column,
				severity: flags.isError(warning) ? ("error" as const) : ("warning" as const),
				message,
				code: `-W${warning.name}`,
			})),
		);
}
