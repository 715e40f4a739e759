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

/** The same text with comments, strings and characters as blanks: lines and columns stay. */
export function blanked(text: string): string {
	return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, (part) =>
		part.replace(/[^\n]/g, " "),
	);
}

const keywords = new Set(
	"int char long short unsigned signed void if else for while do switch case default return break continue goto sizeof struct union enum typedef static extern const volatile".split(
		" ",
	),
);

/** The chain of names that ends a line's text, without what is in brackets: `p->ofile[fd]->ip` is `p->ofile[]->ip`. */
export function chainBefore(text: string): string | undefined {
	const chain = /(?:[A-Za-z_]\w*(?:\[[^[\]]*\])*\s*(?:->|\.)\s*)*[A-Za-z_]\w*$/.exec(text)?.[0];
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

function cSymbolsOf(source: string): CSymbol[] {
	const original = source.split("\n");
	const lines = blanked(source).split("\n");
	const found: CSymbol[] = [];
	const add = (kind: SymbolKind, name: string, line: number, end: number, nameLine: number) => {
		const column = Math.max(0, (lines[nameLine] as string).search(new RegExp(`\\b${name}\\b`)));
		const whole = original.slice(line, end + 1).join(" ");
		const head = kind === "macro" || kind === "enumerator" ? whole : whole.replace(/\s*[{;][\s\S]*$/, "");
		const text = head.replace(/\s+/g, " ").trim().slice(0, 300);
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
		if (!/^[A-Za-z_]/.test(text) || /^\s*#/.test(text)) continue;
		at = topLevel(lines, at, add);
	}
	return found;
}

/** One declaration at the margin; its last line. */
function topLevel(
	lines: readonly string[],
	start: number,
	add: (kind: SymbolKind, name: string, line: number, end: number, nameLine: number) => void,
): number {
	// Up to the semicolon or the closing brace at the outer level.
	let depth = 0;
	let end = start;
	let head = "";
	let opened = -1;
	scan: for (; end < lines.length; end++) {
		for (const letter of lines[end] as string) {
			if (letter === "{") {
				if (depth === 0 && opened < 0) opened = end;
				depth++;
			} else if (letter === "}") {
				depth--;
				if (depth === 0 && /^[^=]*\)\s*$/.test(head.trim())) break scan;
			} else if (letter === ";" && depth === 0) break scan;
			else if (depth === 0 && opened < 0) head += letter;
		}
		if (opened < 0) head += "\n";
	}
	end = Math.min(end, lines.length - 1);
	const lineOf = (index: number) => start + (head.slice(0, index).match(/\n/g)?.length ?? 0);
	const call = /([A-Za-z_]\w*)\s*\(/.exec(head);
	const isType = /^(?:typedef\s+)?(?:struct|union|enum)\b[^(=]*$/.test(head) && opened >= 0;
	if (head.startsWith("typedef")) {
		const name = /([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)*;?\s*$/.exec(lines[end]?.replace(/;\s*$/, "") ?? "")?.[1];
		if (name && !keywords.has(name)) add("typedef", name, start, end, end);
	}
	if (isType) {
		const tag = /(struct|union|enum)\s+([A-Za-z_]\w*)/.exec(head);
		if (tag?.[2]) add(tag[1] === "enum" ? "enum" : "struct", tag[2], start, end, lineOf(tag.index));
		if (/\benum\b/.test(head)) enumerators(lines, start, end, add);
		return end;
	}
	if (head.startsWith("typedef")) return end;
	if (call?.[1] && !keywords.has(call[1]) && !/=/.test(head.slice(0, call.index))) {
		add(opened >= 0 ? "function" : "prototype", call[1], start, end, lineOf(call.index + call[0].search(/\w/)));
		return end;
	}
	if (/^extern\b/.test(head)) return end;
	if (!/\S[\s*]+\S/.test(head.trim())) return end;
	let from = 0;
	for (const part of head.split(",")) {
		const declared = part.replace(/=[\s\S]*$/, "");
		const name = /([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)*$/.exec(declared.trim())?.[1];
		if (name && !keywords.has(name)) add("variable", name, start, end, lineOf(from + declared.lastIndexOf(name)));
		from += part.length + 1;
	}
	return end;
}

function enumerators(
	lines: readonly string[],
	start: number,
	end: number,
	add: (kind: SymbolKind, name: string, line: number, end: number, nameLine: number) => void,
): void {
	for (let line = start; line <= end; line++) {
		const inside = (lines[line] as string).replace(/^.*\{/, "").replace(/\}.*$/, "");
		for (const part of inside.split(",")) {
			const name = /^\s*([A-Z_][A-Z0-9_]*)\s*(?:=.*)?$/.exec(part)?.[1];
			if (name) add("enumerator", name, line, line, line);
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
	const lines = blanked(source).split("\n");
	const found: { name: string; line: number; column: number }[] = [];
	for (let line = own.line; line <= stopped; line++) {
		const seen = new Set<string>();
		for (const match of (lines[line] as string).matchAll(/(?<![\w.]|->)[A-Za-z_]\w*\b(?!\s*\()/g)) {
			const [name] = match;
			const isTag = /\b(?:struct|union|enum)\s+$/.test((lines[line] as string).slice(0, match.index));
			if (isTag || seen.has(name) || keywords.has(name) || others.has(name) || /^[A-Z_][A-Z0-9_]*$/.test(name))
				continue;
			seen.add(name);
			found.push({ name, line, column: match.index });
		}
	}
	return found;
}
