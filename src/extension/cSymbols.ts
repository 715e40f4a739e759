import { codeOnly } from "../common/cText.ts";

/** Names that a C or assembly file defines, found without a compiler: xv6's style puts a definition's name where it can be seen. */

export type SymbolKind =
	| "function"
	| "variable"
	| "struct"
	| "enum"
	| "enumerator"
	| "typedef"
	| "macro"
	| "label"
	| "prototype";

export interface CSymbol {
	readonly name: string;
	readonly kind: SymbolKind;
	/** From 0; the first line of the definition, and its last. */
	readonly line: number;
	readonly end: number;
	/** Where the name stands in `nameLine`. */
	readonly nameLine: number;
	readonly column: number;
	/** The definition's head, on one line. */
	readonly text: string;
}

const keywords = new Set(
	"int char long short unsigned signed void if else for while do switch case default return break continue goto sizeof struct union enum typedef static extern const volatile".split(
		" ",
	),
);

/** Characters of a chain of names; the pattern for it takes more than the square of its text. */
const longestChain = 256;

/** The chain of names that ends a line's text, without what is in brackets: `p->ofile[fd]->ip` is `p->ofile[]->ip`. */
export function chainBefore(text: string): string | undefined {
	const chain = /(?:[A-Za-z_]\w*(?:\[[^[\]]*\])*\s*(?:->|\.)\s*)*[A-Za-z_]\w*$/.exec(text.slice(-longestChain))?.[0];
	if (chain === undefined) return undefined;
	// A member of something that is no chain of names, a call's result for one, says nothing alone.
	const before = text.slice(0, -chain.length).trimEnd();
	return /(?:->|\.)$/.test(before) ? undefined : chain.replace(/\[[^[\]]*\]/g, "[]").replace(/\s/g, "");
}

/** Symbols of a file, in their order. */
export function symbolsOf(source: string, isAssembly = false): CSymbol[] {
	return isAssembly ? labelsOf(source) : cSymbolsOf(source);
}

function labelsOf(source: string): CSymbol[] {
	const found: CSymbol[] = [];
	for (const [line, text] of source.split("\n").entries()) {
		const label = /^([A-Za-z_][\w.]*):/.exec(text)?.[1];
		if (label)
			found.push({ name: label, kind: "label", line, end: line, nameLine: line, column: 0, text: text.trim() });
	}
	return found;
}

type Add = (kind: SymbolKind, name: string, line: number, end: number, nameLine: number, column?: number) => void;

function cSymbolsOf(source: string): CSymbol[] {
	const original = source.split("\n");
	const lines = codeOnly(source).split("\n");
	const found: CSymbol[] = [];
	/** A declaration may have many names, and they have one head. */
	const heads = new Map<string, string>();
	const add: Add = (kind, name, line, end, nameLine, at) => {
		const column = at ?? Math.max(0, (lines[nameLine] as string).search(new RegExp(`\\b${name}\\b`)));
		const key = `${kind} ${line} ${end}`;
		const text =
			heads.get(key) ??
			headOf(kind, original.slice(line, end + 1).join(" "))
				.replace(/\s+/g, " ")
				.trim()
				.slice(0, 300);
		heads.set(key, text);
		found.push({ name, kind, line, end, nameLine, column, text });
	};
	for (let at = 0; at < lines.length; at++) {
		const text = lines[at] as string;
		const macro = /^\s*#\s*define\s+([A-Za-z_]\w*)/.exec(text)?.[1];
		if (macro) {
			let end = at;
			while (original[end]?.endsWith("\\")) end++;
			add("macro", macro, at, end, at);
			at = end;
			continue;
		}
		if (/^[A-Za-z_]/.test(text)) at = topLevel(lines, at, add);
	}
	return found;
}

/** The definition without its body; of a name that comes after its braces what is around them. */
function headOf(kind: SymbolKind, whole: string): string {
	if (kind === "macro" || kind === "enumerator") return whole;
	if (kind !== "variable" && kind !== "typedef") return before(whole, /[{;]/);
	const [open, close] = [whole.indexOf("{"), whole.lastIndexOf("}")];
	return before(0 <= open && open < close ? `${whole.slice(0, open)}{ … }${whole.slice(close + 1)}` : whole, /;/);
}

/** The text up to the first match, without white space before it. */
function before(text: string, end: RegExp): string {
	const at = text.search(end);
	return at < 0 ? text : text.slice(0, at).trimEnd();
}

const attribute = /__attribute__\s*\(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\)/g;
const withoutAttributes = (text: string) => text.replace(attribute, (part) => part.replace(/[^\n]/g, " "));

/** A declaration at the margin, up to its semicolon or its function's closing brace. What is in braces is blank; lines and columns stay. */
function declarationAt(lines: readonly string[], start: number): { readonly text: string; readonly end: number } {
	// Known from the first brace on.
	let isFunction: boolean | undefined;
	let depth = 0;
	let text = "";
	let end = start;
	scan: for (; end < lines.length; end++) {
		for (const letter of lines[end] as string) {
			if (letter === "}") depth--;
			text += depth === 0 ? letter : " ";
			if (letter === "{") depth++;
			if (depth !== 0) continue;
			if (letter === "}") isFunction ??= /^[^={]*\)\s*\{/.test(withoutAttributes(text));
			if (letter === ";" || (letter === "}" && isFunction)) break scan;
		}
		text += "\n";
	}
	return { text: withoutAttributes(text), end: Math.min(end, lines.length - 1) };
}

/** One declaration at the margin; its last line. */
function topLevel(lines: readonly string[], start: number, add: Add): number {
	// A macro's call that stands alone defines what it is given first.
	const line = (lines[start] as string).trimEnd();
	const isCall = line.endsWith(")") && !/[;{]/.test(line);
	const made = isCall && /^[A-Z_][A-Z0-9_]*\(\s*([A-Za-z_]\w*)?/.exec(line);
	if (made && !/^\s*\{/.test(lines[start + 1] ?? "")) {
		if (made[1]) add("function", made[1], start, start, start);
		return start;
	}
	const { text, end } = declarationAt(lines, start);
	let nameLine = start;
	let lineAt = 0;
	let feed = text.indexOf("\n");
	/** The indices ascend. */
	const addAt = (kind: SymbolKind, name: string, index: number) => {
		for (; 0 <= feed && feed < index; feed = text.indexOf("\n", lineAt)) {
			nameLine++;
			lineAt = feed + 1;
		}
		add(kind, name, start, end, nameLine, index - lineAt);
	};
	const body = text.indexOf("{");
	const head = body < 0 ? text : text.slice(0, body);
	const isTypedef = /^typedef\b/.test(text);
	const [type, keyword, tag] = (body >= 0 && /\b(struct|union|enum)\b\s*([A-Za-z_]\w*)?$/.exec(head.trimEnd())) || [];
	if (tag) addAt(keyword === "enum" ? "enum" : "struct", tag, head.lastIndexOf(tag));
	if (keyword === "enum") enumerators(lines, start, end, add);
	if (type === undefined && !isTypedef) {
		const call = /\b([A-Za-z_]\w*)\s*\((?!\s*\*)/.exec(head);
		if (call?.[1] && !keywords.has(call[1]) && !head.slice(0, call.index).includes("=")) {
			addAt(body >= 0 ? "function" : "prototype", call[1], call.index);
			return end;
		}
		// Without a type it declares nothing, and elsewhere is not here.
		if (/^extern\b/.test(text) || !/[\s*]\S/.test(head.replace(/[=;][\s\S]*/, "").trim())) return end;
		if (/^(?:struct|union|enum)\s+\w+\s*;/.test(text)) return end;
	}
	for (const { name, index } of declarators(text, type === undefined ? 0 : text.indexOf("}") + 1 || text.length))
		addAt(isTypedef ? "typedef" : "variable", name, index);
	return end;
}

/** Names that a declaration gives from an index on, between its commas. */
function* declarators(text: string, from: number): Iterable<{ readonly name: string; readonly index: number }> {
	let depth = 0;
	let begin = from;
	for (let at = from; at < text.length; at++) {
		const letter = text[at] as string;
		if ("([{".includes(letter)) depth++;
		else if (")]}".includes(letter)) depth--;
		else if (depth === 0 && (letter === "," || letter === ";")) {
			const declared = text.slice(begin, at).split("=", 1)[0] as string;
			const pointer = /\(\s*\*+\s*([A-Za-z_]\w*)/.exec(declared);
			const found = pointer ?? /\b([A-Za-z_]\w*)\s*(?:\([^()]*\)\s*|\[[^[\]]*\]\s*)*$/.exec(declared);
			const [whole = "", name = ""] = found ?? [];
			if (found && !keywords.has(name))
				yield { name, index: begin + found.index + (pointer ? whole.length - name.length : 0) };
			begin = at + 1;
		}
	}
}

function enumerators(lines: readonly string[], start: number, end: number, add: Add): void {
	for (let line = start; line <= end; line++) {
		const text = lines[line] as string;
		let at = text.lastIndexOf("{") + 1;
		for (const part of before(text.slice(at), /\}/).split(",")) {
			const name = /^\s*([A-Z_][A-Z0-9_]*)\s*(?:=.*)?$/.exec(part)?.[1];
			if (name) add("enumerator", name, line, line, line, at + part.indexOf(name));
			at += part.length + 1;
		}
	}
}

/** Of the definitions of a name in several files, those that a person in `from` means: the kernel's in the kernel, the file's own first. */
export function bestOf<T extends CSymbol & { readonly path: string }>(
	candidates: readonly T[],
	from: string,
): readonly T[] {
	const folder = from.split("/")[0];
	const rank = (one: T) =>
		(one.path === from ? 0 : one.path.split("/")[0] === folder ? 1 : 2) + (one.kind === "prototype" ? 4 : 0);
	const sorted = [...candidates].sort((a, b) => rank(a) - rank(b));
	const [first] = sorted;
	return first ? sorted.filter((one) => rank(one) === rank(first)) : [];
}

/**
 * Names in the function that the program stands in, up to that line (from 0), which can be variables: no calls, members, macros, or types.
 * Each once a line.
 */
export function valuesToShow(source: string, stopped: number): { name: string; line: number; column: number }[] {
	const all = symbolsOf(source);
	const own = all.find(({ kind, line, end }) => kind === "function" && line <= stopped && stopped <= end);
	if (!own) return [];
	const others = new Set(all.filter(({ kind }) => kind !== "variable").map(({ name }) => name));
	const lines = codeOnly(source).split("\n");
	const found: { name: string; line: number; column: number }[] = [];
	for (let line = own.line; line <= stopped; line++) {
		const seen = new Set<string>();
		for (const match of (lines[line] as string).matchAll(/(?<![\w.]|->)[A-Za-z_]\w*\b(?!\s*\()/g)) {
			const [name] = match;
			const left = (lines[line] as string).slice(0, match.index).trimEnd();
			const isTag = left.length < match.index && /\b(?:struct|union|enum)$/.test(left.slice(-"struct ".length));
			if (isTag || seen.has(name) || keywords.has(name) || others.has(name) || /^[A-Z_][A-Z0-9_]*$/.test(name))
				continue;
			seen.add(name);
			found.push({ name, line, column: match.index });
		}
	}
	return found;
}
