import leven from "leven";
import { symbolsOf } from "./cSymbols.ts";

/** A change of one file. Lines and columns count from 0; without an end the text is inserted. */
export interface FileEdit {
	readonly file: string;
	readonly line: number;
	readonly column: number;
	readonly endColumn?: number;
	readonly text: string;
}

interface Fix {
	readonly title: FixTitle;
	readonly edit: FileEdit;
}

/** Which fix it is, with the words that its title holds. */
export type FixTitle =
	| { readonly kind: "replace"; readonly name: string }
	| { readonly kind: "declare"; readonly name: string; readonly file: string }
	| { readonly kind: "stub"; readonly name: string; readonly file: string }
	| { readonly kind: "tab" };

/** A message of the Problems panel, as far as a fix needs it. */
export interface Problem {
	readonly file: string;
	readonly message: string;
	readonly line: number;
	readonly column: number;
	readonly endColumn: number;
}

/** Files of the tree, as they stand in the editor. */
export interface TreeText {
	read(path: string): Promise<string | undefined>;
	/** Names in a folder. */
	list(folder: string): Promise<readonly string[]>;
}

/** What can be done about a message without knowing what its author meant: nothing where there is more than one answer. */
export async function fixesFor(problem: Problem, tree: TreeText): Promise<Fix[]> {
	const declared = await declaration(problem, tree);
	const fixes = [
		await spelling(problem, tree, declared !== undefined),
		declared,
		await stub(problem, tree),
		await tab(problem, tree),
	];
	return fixes.filter((fix) => fix !== undefined);
}

const identifier = /^[A-Za-z_]\w*$/;

/** `isDefined`: a function of this very name is elsewhere, so that it is misspelt only if the compiler thinks so. */
async function spelling(problem: Problem, tree: TreeText, isDefined: boolean): Promise<Fix | undefined> {
	const { file, line, column, message } = problem;
	const text = await tree.read(file);
	const wrong = /^[A-Za-z_]\w*/.exec(text?.split("\n")[line]?.slice(column) ?? "")?.[0];
	if (text === undefined || wrong === undefined) return undefined;
	const name =
		/did you mean '([^']+)'/.exec(message)?.[1] ??
		(!isDefined && undeclared.exec(message)?.[1] === wrong
			? await nearestFunction(wrong, file, text, tree)
			: undefined);
	if (name === undefined || !identifier.test(name)) return undefined;
	return {
		title: { kind: "replace", name },
		edit: { file, line, column, endColumn: column + wrong.length, text: name },
	};
}

/** clang names no other function for one that is called undeclared: the only one in reach that is near by clang's own measure. */
async function nearestFunction(wrong: string, file: string, text: string, tree: TreeText): Promise<string | undefined> {
	const folder = file.slice(0, file.lastIndexOf("/") + 1);
	const headers = [...text.matchAll(/^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"/gm)].map(
		async ([, path = ""]) => (await tree.read(folder + path)) ?? (await tree.read(path)) ?? "",
	);
	const inReach = [text, ...(await Promise.all(headers))].flatMap((source) => symbolsOf(source));
	const names = new Set(
		inReach.filter(({ kind }) => kind === "function" || kind === "prototype").map(({ name }) => name),
	);
	// Defined further down, it is not misspelt.
	if (names.has(wrong)) return undefined;
	const farthest = Math.floor((wrong.length + 2) / 3);
	const near = [...names].map((name) => ({ name, distance: leven(wrong, name, { maxDistance: farthest + 1 }) }));
	const least = Math.min(farthest, ...near.map(({ distance }) => distance));
	const [best, ...others] = near.filter(({ distance }) => distance === least);
	return others.length === 0 ? best?.name : undefined;
}

const undeclared = /(?:call to undeclared function|implicit declaration of function) '(\w+)'/;

/** A function of the kernel that is defined in one file and called in another: its prototype belongs into defs.h. */
async function declaration(problem: Problem, tree: TreeText): Promise<Fix | undefined> {
	const name = undeclared.exec(problem.message)?.[1];
	if (name === undefined || !problem.file.startsWith("kernel/")) return undefined;
	const header = await tree.read("kernel/defs.h");
	if (header === undefined) return undefined;
	const found: { source: string; prototype: string }[] = [];
	for (const source of await tree.list("kernel")) {
		if (!source.endsWith(".c")) continue;
		const prototype = prototypeIn((await tree.read(`kernel/${source}`)) ?? "", name);
		if (prototype !== undefined) found.push({ source, prototype });
	}
	const [only] = found;
	if (!only || found.length > 1) return undefined;
	const line = sectionEnd(header.split("\n"), only.source);
	const title = { kind: "declare", name, file: "kernel/defs.h" } as const;
	return { title, edit: { file: "kernel/defs.h", line, column: 0, text: `${only.prototype};\n` } };
}

/** `int copy(char *to, int n)`, where a definition of this function begins a line; xv6 writes the type on the line before. */
function prototypeIn(source: string, name: string): string | undefined {
	const definition = new RegExp(
		`^((?:[A-Za-z_]\\w*\\b[ \\t*]*)+)(?:\\r?\\n(\\**)|(?<=[ \\t*]))(${name}\\([^;{}()]*\\))\\s*\\{`,
		"m",
	).exec(source);
	const [, type = "", stars = "", rest = ""] = definition ?? [];
	if (!definition || /\bstatic\b/.test(type)) return undefined;
	return `${type.trim().replace(/\s+/g, " ")} ${stars}${rest.replace(/\s+/g, " ")}`;
}

/** The line after the prototypes of a file, which xv6's defs.h lists under a comment with its name; else the end. */
function sectionEnd(lines: readonly string[], source: string): number {
	const at = lines.findIndex((line) => line.trim() === `// ${source}`);
	if (at < 0) return lines.at(-1) === "" ? lines.length - 1 : lines.length;
	const end = lines.findIndex((line, index) => index > at && line.trim() === "");
	return end < 0 ? lines.length - 1 : end;
}

const undefinedSymbol = /undefined (?:symbol: |reference to [`'])(\w+)/;

/** A system call that the kernel knows and user/user.h declares, without a stub. */
async function stub(problem: Problem, tree: TreeText): Promise<Fix | undefined> {
	const name = undefinedSymbol.exec(problem.message)?.[1];
	if (name === undefined) return undefined;
	const file = "user/usys.pl";
	const script = await tree.read(file);
	const numbers = await tree.read("kernel/syscall.h");
	if (!script || !numbers || !new RegExp(`\\bSYS_${name}\\b`).test(numbers)) return undefined;
	if (new RegExp(`entry\\("${name}"\\)`).test(script)) return undefined;
	const lines = script.split("\n");
	const last = lines.findLastIndex((line) => /^\s*entry\("/.test(line));
	if (last < 0) return undefined;
	const title = { kind: "stub", name, file } as const;
	return { title, edit: { file, line: last + 1, column: 0, text: `entry("${name}");\n` } };
}

/** A recipe line of a Makefile that begins with spaces. */
async function tab(problem: Problem, tree: TreeText): Promise<Fix | undefined> {
	if (!/(?:^|\/)Makefile$/.test(problem.file) || !/\btab\b/i.test(problem.message)) return undefined;
	const text = (await tree.read(problem.file))?.split("\n")[problem.line] ?? "";
	const spaces = /^ +/.exec(text)?.[0];
	if (spaces === undefined) return undefined;
	const { file, line } = problem;
	return { title: { kind: "tab" }, edit: { file, line, column: 0, endColumn: spaces.length, text: "\t" } };
}

/** Puts a program on the disk's list: a line of its own below `UPROGS=\`, written as the entries that are there. */
export function addProgram(makefile: string, program: string): FileEdit | undefined {
	const lines = makefile.split("\n");
	const line = lines.findIndex((text) => /^UPROGS\s*[:+]?=/.test(text));
	const first = lines[line];
	if (first === undefined) return undefined;
	const entries = lines.slice(line).flatMap((text) => text.split(/\s+/));
	const folder = /^(\S*\/)_\w/.exec(entries.find((word) => /_\w/.test(word)) ?? "")?.[1] ?? "$U/";
	const name = `${folder}_${program}`;
	const goesOn = /\\\s*$/.exec(first);
	// With entries on the line itself, among them.
	if (!goesOn || /=\s*[^\s\\]/.test(first)) {
		const column = first.indexOf("=") + 1;
		return { file: "Makefile", line, column, text: ` ${name}` };
	}
	const indent = /^\s+/.exec(lines[line + 1] ?? "")?.[0] ?? "\t";
	return { file: "Makefile", line: line + 1, column: 0, text: `${indent}${name}\\\n` };
}
