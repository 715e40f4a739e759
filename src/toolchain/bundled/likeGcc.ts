import { fromUtf8 } from "../../common/bytes.ts";
import type { Diagnostic } from "../../common/diagnostic.ts";
import { depths } from "./cText.ts";
import { type GccWarning, gccWarnings, type WarningFlags } from "./gccWarnings.ts";

/** The files that a unit may have read, as far as they are of the tree. */
export class UnitSources {
	private inline: ReadonlySet<string> | undefined;

	constructor(private readonly files: ReadonlyMap<string, Uint8Array>) {}

	text(file: string): string {
		return fromUtf8(this.files.get(file) ?? new Uint8Array());
	}

	/** Whether a function is `inline` by these words of its declaration, some of which may be macros. */
	isInline(declaration: string): boolean {
		if (inlineWord.test(declaration)) return true;
		this.inline ??= new Set([...this.files.keys()].flatMap((file) => inlineMacros(this.text(file))));
		return [...declaration.matchAll(/[A-Za-z_]\w*/g)].some(([word]) => this.inline?.has(word));
	}
}

const inlineWord = /\b(?:inline|__inline|__inline__)\b/;

function inlineMacros(text: string): string[] {
	const defines = [...text.matchAll(/^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)[ \t]+(\S.*)/gm)];
	return defines.flatMap(([, name = "", value = ""]) => (inlineWord.test(value) ? [name] : []));
}

/**
 * clang's messages with gcc 12's verdict: an error only where gcc has the same warning, has it turned on, and `-Werror`
 * makes an error of it. What the tree has turned off in gcc's words is gone. What only clang has stays a warning.
 */
export function likeGcc(
	diagnostics: readonly Diagnostic[],
	flags: WarningFlags,
	sources: UnitSources,
): readonly Diagnostic[] {
	const files = new Map<string, WarnedFile>();
	return diagnostics.flatMap((diagnostic) => {
		if (diagnostic.severity !== "warning") return [diagnostic];
		const file = files.get(diagnostic.file) ?? new WarnedFile(sources.text(diagnostic.file), sources);
		files.set(diagnostic.file, file);
		if (isError(diagnostic, file)) return [{ ...diagnostic, severity: "error" as const }];
		const group = diagnostic.code?.replace(/^-W/, "").split("=", 1)[0];
		const known = group === undefined ? withoutGroup : gccWarnings.get(group);
		if (!known) return [diagnostic];
		if (flags.isOff(known)) return [];
		const warning = refine(group ?? "", known, diagnostic, file, flags);
		if (warning === "none") return group === "implicit-fallthrough" ? [] : [diagnostic];
		return [flags.isError(warning) ? { ...diagnostic, severity: "error" as const } : diagnostic];
	});
}

/** clang's warnings without a group are mostly constraint violations that it lets pass, as gcc does. */
const withoutGroup: GccWarning = { name: "", by: "default" };

/** gcc refuses these without any flag. */
function isError({ code, message, line }: Diagnostic, file: WarnedFile): boolean {
	return (
		code === "-Wgnu-folding-constant" &&
		/variable length array/.test(message) &&
		line !== undefined &&
		(file.depths[line - 1] ?? 0) === 0
	);
}

/** Where a group of clang's is more than the warning of gcc's: what this one is in gcc, or that gcc says nothing. */
function refine(
	group: string,
	known: GccWarning,
	{ message, line }: Diagnostic,
	file: WarnedFile,
	flags: WarningFlags,
): GccWarning | "none" {
	const { lines } = file;
	const text = line === undefined ? "" : (lines[line - 1] ?? "");
	switch (group) {
		case "uninitialized":
			return /within its own initialization/.test(message) ? "none" : known;
		case "unused-function":
			return file.sources.isInline(`${lines[(line ?? 0) - 2] ?? ""}\n${text}`) ? "none" : known;
		case "unused-but-set-variable":
		case "unused-but-set-parameter":
			// For gcc `x++` and `x += y` read x.
			return file.isUpdated(/'(\w+)'/.exec(message)?.[1], line) ? "none" : known;
		case "empty-body":
			return /^if |else/.test(message) ? known : "none";
		case "int-in-bool-context":
			return /'<<'/.test(message) ? known : "none";
		case "tautological-constant-out-of-range-compare":
			return /boolean expression/.test(message) ? known : { name: "type-limits", by: "extra" };
		case "logical-not-parentheses":
			// `!a & 1`: a truth on both sides. What a macro's value is cannot be seen here.
			if (!/bitwise operator/.test(message)) return known;
			return isInBits(text) ? { name: "parentheses", by: "all" } : "none";
		case "pointer-sign":
			return /\b__(atomic|sync)_\w+/.test(text) ? "none" : known;
		case "unknown-attributes":
			return gccAttributes.test(/'(\w+)'/.exec(message)?.[1] ?? "") ? "none" : known;
		case "unknown-pragmas":
			return /^\s*#\s*pragma\s+(GCC|STDC|omp|pack|redefine_extname|scalar_storage_order|weak)\b/.test(text)
				? "none"
				: known;
		case "extra-tokens":
			return /^\s*#\s*(endif|else)\b/.test(text) ? known : withoutGroup;
		case "sizeof-pointer-memaccess":
		case "memset-transposed-args":
			return flags.isBuiltin(/'(\w+)'/.exec(message)?.[1] ?? "memset") ? known : "none";
		case "implicit-fallthrough":
			return lines.slice(Math.max(0, (line ?? 1) - 4), line).some(saysFallThrough) ? "none" : known;
	}
	return known;
}

/** Whether a truth (`!a`) is an operand of `&`, `|` or `^` with something that is none. */
function isInBits(text: string): boolean {
	const operands = text.split(/[&|^]/);
	return operands.some(
		(right, i) => operands[i - 1]?.includes("!") === true && /^\s*\(?(?:[a-z_]|[2-9]|1\d|0x\w)/.test(right),
	);
}

function saysFallThrough(line: string): boolean {
	const comment = line.search(/\/[/*]/);
	return comment >= 0 && /fall/i.test(line.slice(comment + 2));
}

/** Attributes of gcc that clang does not know; upstream silences clang's word for each other one. */
const gccAttributes =
	/^_*(?:(?:optimize|noipa|noclone|no_icf|externally_visible|no_reorder|zero_call_used_regs|stack_protect|symver|access|copy|tainted_args|simd|target_clones|warning|ifunc|persistent|noinit|naked|interrupt|save_restore|norelax|relax|vector_size|mode|scalar_storage_order|designated_init|warn_if_not_aligned|artificial|no_split_stack|no_stack_limit|patchable_function_entry|retain|hardbool|strub|uncached|unavailable|assume_aligned|returns_nonnull|leaf|flatten|nocommon|common)_*|no_sanitize_\w+|fd_arg\w*)$/;

const updates = [
	/(?:\+\+|--)\s*(?:\(\s*)?([A-Za-z_]\w*)/g,
	/\b([A-Za-z_]\w*)\s*(?:\)\s*)?(?:\+\+|--|(?:<<|>>|[-+*/%&|^])=)/g,
];

/** A file of which there are warnings, as far as they need it: read once, since there may be one for each of its lines. */
class WarnedFile {
	readonly lines: readonly string[];
	private open: readonly number[] | undefined;
	/** By variable the lines (from 1), in their order, in which it is counted or summed. */
	private updated: ReadonlyMap<string, readonly number[]> | undefined;
	/** By line (from 0) the next line after it that begins with a closing brace: a function's end. */
	private ends: readonly number[] | undefined;

	constructor(
		private readonly text: string,
		readonly sources: UnitSources,
	) {
		this.lines = text.split("\n");
	}

	/** Braces that are open where each line (from 0) begins. */
	get depths(): readonly number[] {
		this.open ??= depths(this.text);
		return this.open;
	}

	/** Whether a variable is counted or summed in its function, from the line of its declaration on. */
	isUpdated(name: string | undefined, line: number | undefined): boolean {
		if (name === undefined || line === undefined) return true;
		this.updated ??= updatesIn(this.text);
		this.ends ??= endsIn(this.lines);
		const end = this.ends[line - 1] ?? this.lines.length;
		const first = this.updated.get(name)?.find((at) => at >= line);
		return first !== undefined && first <= end;
	}
}

function updatesIn(text: string): ReadonlyMap<string, readonly number[]> {
	const found = new Map<string, number[]>();
	for (const pattern of updates) {
		let line = 1;
		let from = 0;
		for (const { 1: name = "", index } of text.matchAll(pattern)) {
			line += text.slice(from, index).split("\n").length - 1;
			from = index;
			const lines = found.get(name);
			if (lines) lines.push(line);
			else found.set(name, [line]);
		}
	}
	for (const lines of found.values()) lines.sort((one, other) => one - other);
	return found;
}

function endsIn(lines: readonly string[]): number[] {
	const ends: number[] = [];
	let end = lines.length;
	for (let i = lines.length - 1; i >= 0; i--) {
		ends[i] = end;
		if (lines[i]?.startsWith("}")) end = i;
	}
	return ends;
}
