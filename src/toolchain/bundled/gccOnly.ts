import { withoutComments } from "../../common/cText.ts";
import type { Diagnostic } from "../../common/diagnostic.ts";
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
	/** Of a bracket: where in the list of tokens the one stands that belongs to it. */
	partner?: number;
}

const token =
	/[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|[<>=!]=|&&|\|\||[-+*/%&|^]=|[^\s\w]/g;

/** Tokens of a file as written: no macro is expanded, no directive read. */
function tokensOf(source: string): Token[] {
	const blank = (text: string) => text.replace(/[^\n]/g, " ");
	const bare = withoutComments(source, "places").replace(/^[ \t]*#(?:[^\n\\]|\\\r?\n|\\)*/gm, blank);
	const tokens: Token[] = [];
	let depth = 0;
	/** By depth the bracket that is open there. */
	const openers = new Map<number, number>();
	for (const [index, line] of bare.split("\n").entries()) {
		let shown = 0;
		let at = 0;
		for (const match of line.matchAll(token)) {
			const text = match[0];
			for (; at < match.index; at++) shown = line[at] === "\t" ? shown + 8 - (shown % 8) : shown + 1;
			const closes = /^[)\]}]$/.test(text);
			if (closes) depth--;
			const place: Token = { text, line: index + 1, column: match.index + 1, shown, depth };
			const partner = closes ? openers.get(depth) : undefined;
			if (partner !== undefined) {
				openers.delete(depth);
				place.partner = partner;
				(tokens[partner] as Token).partner = tokens.length;
			}
			if (opening.test(text)) openers.set(depth++, tokens.length);
			tokens.push(place);
		}
	}
	return tokens;
}

const opening = /^[([{]$/;
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
	const open = before.partner ?? -1;
	const owner = tokens[open - 1]?.text;
	if (isWord(owner)) return owner === "sizeof" || !statements.has(owner as string);
	for (let i = open + 1; i < at - 1; i++) {
		const text = tokens[i]?.text;
		if (!isWord(text) && text !== "*") return true;
	}
	return false;
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
		if (/^[()[\]]$/.test(each.text)) {
			// To its partner, which stands at the same depth; without one everything on that side is deeper.
			if (opening.test(each.text) === step > 0) {
				if (each.partner === undefined) break;
				i = each.partner - step;
			}
			continue;
		}
		if (own === undefined) continue;
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
		const condition = tokens[at + 1];
		const end = opening.test(condition?.text ?? "") ? (condition?.partner ?? tokens.length) : at + 2;
		const [body, next] = [tokens[end + 1], tokens[end + 2]];
		if (body?.text !== ";" || body.line !== tokens[end]?.line || !next || /^(?:[};]|else)$/.test(next.text)) return [];
		const isFirst = tokens[at - 1]?.line !== place.line;
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
		const end = open.partner ?? tokens.length - 1;
		const uses = new Map<string, number[]>();
		for (let at = start; at <= end; at++) {
			const { text } = tokens[at] as Token;
			if (isWord(text))
				uses
					.set(text, uses.get(text) ?? [])
					.get(text)
					?.push(at);
		}
		for (let at = start; at <= end; at++) {
			const place = tokens[at] as Token;
			if (isArrayDeclaration(tokens, start, at) && isOnlyStored(tokens, at, uses.get(place.text) ?? []))
				found.push({ place, message: `variable '${place.text}' set but not used` });
		}
		start = end;
	}
	return found;
}

/** `type name[…];`, alone in its statement, in the function whose brace is at `start`. */
function isArrayDeclaration(tokens: readonly Token[], start: number, at: number): boolean {
	if (!isWord(tokens[at]?.text) || tokens[at + 1]?.text !== "[") return false;
	let first = at - 1;
	while (first > start && (isWord(tokens[first]?.text) || tokens[first]?.text === "*")) first--;
	if (first === at - 1 || !/^[;{}]$/.test(tokens[first]?.text ?? "")) return false;
	if (tokens.slice(first + 1, at).some((each) => statements.has(each.text) || each.text === "extern")) return false;
	let stop = at + 1;
	while (stop < tokens.length && !/^[;,=_]/.test((tokens[stop] as Token).text)) stop = after(tokens, stop);
	return tokens[stop]?.text === ";";
}

/** The next place at the same depth: of a bracket that opens, the one after its partner. */
function after(tokens: readonly Token[], at: number): number {
	const { text = "", partner } = tokens[at] ?? {};
	return opening.test(text) ? (partner ?? tokens.length) + 1 : at + 1;
}

/** `uses`: where in its function the name stands. */
function isOnlyStored(tokens: readonly Token[], declared: number, uses: readonly number[]): boolean {
	let stores = 0;
	for (const at of uses) {
		if (at === declared) continue;
		const before = tokens[at - 1]?.text ?? "";
		if (!/^[;{})]$/.test(before) && before !== "else") return false;
		let next = at + 1;
		if (tokens[next]?.text !== "[") return false;
		// Indices, and fields of an element.
		for (let done = false; !done; ) {
			if (tokens[next]?.text === "[") next = after(tokens, next);
			else if (tokens[next]?.text === ".") next += 2;
			else done = true;
		}
		if (tokens[next]?.text !== "=") return false;
		stores++;
	}
	return stores > 0;
}

/** `printf("")` of functions that a declaration gives gcc's attribute `format`. */
function emptyFormats(tokens: readonly Token[], declarations: readonly string[]): Found[] {
	let formatted: ReadonlySet<string> | undefined;
	return tokens.flatMap((place, at) => {
		const [open, text, close] = tokens.slice(at + 1, at + 4).map((each) => each.text);
		if (!isWord(place.text) || open !== "(" || text !== '""' || close !== ")") return [];
		formatted ??= new Set(declarations.flatMap(withFormat));
		if (!formatted.has(place.text)) return [];
		return [{ place: tokens[at + 2] as Token, message: "zero-length gnu_printf format string" }];
	});
}

/** Names in front of a bracket in the declarations that have `__attribute__((… format …))` after it. */
function withFormat(text: string): string[] {
	return text.split(/[;{}]/).flatMap((declaration) => {
		const format = [...declaration.matchAll(/\bformat/g)].at(-1)?.index ?? 0;
		const attribute = [...declaration.slice(0, format).matchAll(/\)\s*__attribute__\s*\(\(/g)].at(-1)?.index ?? 0;
		return [...declaration.slice(0, attribute).matchAll(/\b(\w+)\s*\(/g)].map(([, name = ""]) => name);
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
