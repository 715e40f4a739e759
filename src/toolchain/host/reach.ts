import { fromUtf8 } from "../../common/bytes.ts";
import { withoutComments } from "../../common/cText.ts";
import type { Diagnostic } from "../../common/diagnostic.ts";
import type { CompileJob, LinkJob } from "../types.ts";
import { staysInside } from "./flags.ts";

/**
 * What of a tree reaches for files outside of it, said with its line before a compiler of this machine sees it: an error
 * message of gcc that quotes /etc/passwd would be enough. The bundled compiler needs none of this: its files are in memory.
 */

type Files = ReadonlyMap<string, Uint8Array>;

interface Where {
	readonly file: string;
	readonly line: number;
}

const next =
	"xv6 Lab gives this machine's compiler no file outside the tree; copy it into the tree, or use --toolchain bundled";

function refusal({ file, line }: Where, what: string): Diagnostic {
	return { file, line, severity: "error", message: `${what}: ${next}`, code: "outside-tree" };
}

/** `#` and its alternative spellings (C 6.4.6; trigraphs, C17 5.2.1.1), at the beginning of a line. */
const directive =
	/(?:^|\n)[ \t\v\f]*(?:#|%:|\?\?=)[ \t\v\f]*(include_next|include|import|embed|pragma)\b[ \t\v\f]*([^\n]*)/g;
const asked = /\b__has_(?:include(?:_next)?|embed)\b[ \t]*\(?[ \t]*(?=([^\n]{0,1000}))/g;

/** Preprocessor directives of C and assembly that name a file outside the tree, or one that cannot be known here. */
export function reachOfSources(job: CompileJob, inputs: Files): Diagnostic[] {
	const found: Diagnostic[] = [];
	const folders = includeFolders(job.flags);
	for (const [path, bytes] of inputs) {
		const { text, lineAt } = logicalText(fromUtf8(bytes), /\.[sS]$/.test(path));
		const here = path.split("/").slice(0, -1).join("/");
		const check = (name: string, quoted: boolean, where: Where) => {
			const places = quoted ? [here, ...folders] : folders;
			if (!staysInsideFrom(places, name, inputs)) found.push(refusal(where, `"${name}" is outside the tree`));
		};
		for (const match of text.matchAll(directive)) {
			const [whole, word, rest = ""] = match;
			const where = { file: path, line: lineAt(match.index + whole.length) };
			if (word === "pragma") {
				if (/\b(?:dependency|pch_preprocess|module|plugin)\b/.test(rest))
					found.push(refusal(where, "This pragma reads a file"));
				continue;
			}
			const [, quotedName, name = quotedName] = /^(?:"([^"\n]*)"|<([^>\n]*)>)/.exec(rest) ?? [];
			if (name !== undefined) check(name, quotedName !== undefined, where);
			else found.push(refusal(where, `#${word} names its file by a macro`));
		}
		for (const match of text.matchAll(asked)) {
			const [, quotedName, name = quotedName] = /^(?:"([^"\n]*)"|<([^>\n]*)>)/.exec(match[1] ?? "") ?? [];
			if (name !== undefined) check(name, quotedName !== undefined, { file: path, line: lineAt(match.index) });
		}
		let at = 0;
		for (const line of text.split("\n")) {
			if (/\b(?:pch_preprocess|dependency|module)\b/.test(line) && /\b_Pragma\b/.test(line))
				found.push(refusal({ file: path, line: lineAt(at) }, "This pragma reads a file"));
			at += line.length + 1;
		}
	}
	return found;
}

/** Lines joined where a backslash splices them, comments taken out; with the way back to the file's own lines. */
function logicalText(source: string, assembly: boolean): { text: string; lineAt: (offset: number) => number } {
	/** Both in ascending order: where lines of the text end, and where lines were joined. */
	const ends: number[] = [];
	const joins: number[] = [];
	let removed = 0;
	const spliced = source.replaceAll("??/", "\\").replace(/\\[ \t\v\f\r]*\n/g, (match, offset: number) => {
		joins.push(offset - removed);
		removed += match.length;
		return "";
	});
	for (let end = spliced.indexOf("\n"); end >= 0; end = spliced.indexOf("\n", end + 1)) ends.push(end);
	// Raw strings and assembly have other quotes than C: there the text is taken as it is, which finds more, never less.
	const other = assembly || /\bR"/.test(spliced);
	const text = other ? withoutComments(spliced.replace(/["']/g, "`"), "lines") : withoutComments(spliced, "lines");
	const checked = other ? `${spliced}\n${text.replaceAll("`", '"')}` : text;
	const lineAt = (offset: number) => {
		const at = offset > spliced.length ? offset - spliced.length - 1 : offset;
		return 1 + countBelow(ends, at) + countBelow(joins, at + 1);
	};
	return { text: checked, lineAt };
}

/** How many of these numbers, which ascend, are less than the limit. */
function countBelow(ascending: readonly number[], limit: number): number {
	let [from, to] = [0, ascending.length];
	while (from < to) {
		const middle = (from + to) >> 1;
		if ((ascending[middle] as number) < limit) from = middle + 1;
		else to = middle;
	}
	return from;
}

function includeFolders(flags: readonly string[]): string[] {
	const folders: string[] = [];
	flags.forEach((flag, i) => {
		if (/^-(?:I|isystem|iquote|idirafter)$/.test(flag)) folders.push(flags[i + 1] ?? "");
		else if (/^-I./.test(flag)) folders.push(flag.slice(2));
	});
	return folders;
}

/** Whether a name, looked for in these folders in turn, is found in the tree or leads nowhere out of it. */
function staysInsideFrom(folders: readonly string[], name: string, inputs: Files): boolean {
	if (!/^[^/\\~]/.test(name) || /^[A-Za-z]:/.test(name)) return false;
	for (const folder of folders) {
		const path = folder === "" || folder === "." ? name : `${folder}/${name}`;
		if (!staysInside(path)) return false;
		if (inputs.has(normalized(path))) return true;
	}
	return staysInside(name);
}

function normalized(path: string): string {
	const parts: string[] = [];
	for (const part of path.split("/")) {
		if (part === "..") parts.pop();
		else if (part !== "" && part !== ".") parts.push(part);
	}
	return parts.join("/");
}

/**
 * What assembly reads by itself. This is the text that the assembler gets, after the preprocessor and the compiler: strings
 * of inline assembly are joined and macros of C are filled in. Directives are the same in capital letters (GNU as manual, 7).
 */
export function reachOfAssembly(text: string, source: string, inputs: Files): Diagnostic[] {
	const found: Diagnostic[] = [];
	const isC = source.endsWith(".c");
	const own = fromUtf8(inputs.get(source) ?? new Uint8Array()).split("\n");
	let where: Where = { file: source, line: 0 };
	// A compiler marks the lines of statements; what stands outside of functions has to be looked for.
	let marked = !isC;
	const refuse = (line: string, what: string) => {
		if (found.length >= mostRefusals) return;
		const quoted = [...line.matchAll(/"([^"]+)"/g)].slice(0, mostWords).map(([, word = ""]) => word);
		let at = -1;
		if (!marked)
			for (const word of [...quoted, ".inc", "asm"]) if (at < 0) at = own.findIndex((each) => each.includes(word));
		found.push(refusal(at < 0 ? where : { file: source, line: at + 1 }, what));
	};
	// `\op` for an instruction is plain text at the macro's call; a name that is put together is nowhere to be seen.
	const joined = /\.(?:macro|irpc?|rept)\b/i.test(text) ? madeNames(text) : undefined;
	for (const line of text.split("\n")) {
		const marker = /^# (\d+) "([^"]*)"/.exec(line);
		if (marker) {
			const file = (marker[2] as string).replace(/^\.\//, "");
			marked = !isC || file !== "";
			where = { file: inputs.has(file) ? file : source, line: Number(marker[1]) - 1 };
			continue;
		}
		if (isC && line === "#NO_APP") marked = false;
		where = { ...where, line: where.line + 1 };
		if (dataLine.test(line)) continue;
		for (const [, word = "", name] of line.matchAll(/\.(incbin|include)\b[ \t]*(?:"([^"]*)")?/gi)) {
			if (name === undefined || name.includes("\\")) {
				refuse(line, `.${word} names its file by a macro or an escape`);
			} else if (!staysInside(name)) refuse(line, `"${name}" is outside the tree`);
		}
		if (/\.(?:altmacro|mri)\b/i.test(line)) refuse(line, ".altmacro and .mri change what the lines after them mean");
		if (joined?.test(line) && !/^[ \t]*#/.test(line))
			refuse(line, "The name of a directive is put together of a macro's arguments, and could be any");
	}
	return found;
}

/** More of them in one file help nobody, and each is looked for in all of its lines, with so many words. */
const mostRefusals = 50;
const mostWords = 4;

/** A line of data: a compiler writes each string of a program on one. */
const dataLine = /^[ \t]*\.(?:string|ascii|asciz)[ \t]+"(?:\\.|[^"\\])*"[ \t]*(?:#.*)?$/;

/** A name that stands for an instruction, with a macro's argument in it. */
const mnemonic = /(?:^|;)[ \t]*(?:[^\s:";]+:[ \t]*)*([^\s":;\\]*\\[^\s":;]*)(?=[\s;"]|$)/gm;

/**
 * What, in assembly with macros, puts a directive's name together: an argument within the name itself or, where an argument
 * is all of the name (`\op`), one within any other word that may begin with a dot.
 */
function madeNames(text: string): RegExp | undefined {
	const names = [...text.matchAll(mnemonic)].map(([, name = ""]) => name);
	const whole = /^\\\w+(?:\\\(\))?$/;
	if (names.some((name) => whole.test(name))) return /(?:^|[^\w.$\\@)])(?:\.[\w.$]*\\|\\\w+(?:\\|[.$]|\\\(\)\w))/;
	return names.length > 0 ? /(?:^|;)[ \t]*(?:[^\s:";]+:[ \t]*)*[^\s":;\\]*\\[^\s":;]*(?=[\s;"]|$)/ : undefined;
}

/** Commands of a linker script that name files, and file names outside the tree (GNU ld manual, 3.4.2 and 3.6.4.1). */
export function reachOfScript({ script }: LinkJob): Diagnostic[] {
	if (!script) return [];
	const found: Diagnostic[] = [];
	const text = withoutComments(script.text.replace(/["']/g, " "), "places");
	text.split("\n").forEach((line, i) => {
		const where = { file: script.path, line: i + 1 };
		const command =
			/\b(INCLUDE|INPUT|GROUP|SEARCH_DIR|STARTUP|OUTPUT|TARGET|AS_NEEDED|VERSION)\b(?=\s*\(|\s+\S|\s*$)/.exec(
				line,
			)?.[1];
		const path = line
			.split(/[\s(){};,]+/)
			.find((word) => /^=?\/(?!DISCARD\/|[/*]|\d|$)|(?:^|\/)\.\.(?:\/|$)|^\$SYSROOT/.test(word));
		if (command) found.push(refusal(where, `${command} names a file that is no input of the link`));
		else if (path) found.push(refusal(where, `"${path}" is outside the tree`));
	});
	return found;
}

/** Inputs of a link that the linker would take for a script, or for a list of files elsewhere. */
export function reachOfObjects({ objects }: LinkJob): Diagnostic[] {
	return objects.flatMap(({ path, bytes }) => {
		const isElf = bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
		const isArchive = fromUtf8(bytes.subarray(0, 8)) === "!<arch>\n";
		if ((isElf || isArchive) && staysInside(path)) return [];
		return [
			{
				file: path,
				severity: "error" as const,
				message: `${path} is no object file and no archive: a linker of this machine would read it as a script`,
				code: "outside-tree",
			},
		];
	});
}
