import type { Diagnostic } from "../types.ts";
import { depthAt } from "./cText.ts";
import { type GccWarning, gccWarnings, type WarningFlags } from "./gccWarnings.ts";

/** Text of a file that the unit read, as far as it is one of the tree. */
type SourceText = (file: string) => string | undefined;

/**
 * clang's messages with gcc 12's verdict: an error only where gcc has the same warning, has it turned on, and `-Werror`
 * makes an error of it. What the tree has turned off in gcc's words is gone. What only clang has stays a warning.
 */
export function likeGcc(
	diagnostics: readonly Diagnostic[],
	flags: WarningFlags,
	textOf: SourceText,
): readonly Diagnostic[] {
	return diagnostics.flatMap((diagnostic) => {
		if (diagnostic.severity !== "warning") return [diagnostic];
		const lines = textOf(diagnostic.file)?.split("\n") ?? [];
		if (isError(diagnostic, lines)) return [{ ...diagnostic, severity: "error" as const }];
		const group = diagnostic.code?.replace(/^-W/, "").replace(/=.*$/, "");
		const known = group === undefined ? withoutGroup : gccWarnings.get(group);
		if (!known) return [diagnostic];
		if (flags.isOff(known)) return [];
		const warning = refine(group ?? "", known, diagnostic, lines, flags);
		if (warning === "none") return group === "implicit-fallthrough" ? [] : [diagnostic];
		return [flags.isError(warning) ? { ...diagnostic, severity: "error" as const } : diagnostic];
	});
}

/** clang's warnings without a group are mostly constraint violations that it lets pass, as gcc does. */
const withoutGroup: GccWarning = { name: "", by: "default" };

/** gcc refuses these without any flag. */
function isError({ code, message, line }: Diagnostic, lines: readonly string[]): boolean {
	return (
		code === "-Wgnu-folding-constant" &&
		/variable length array/.test(message) &&
		line !== undefined &&
		depthAt(lines.slice(0, line - 1).join("\n")) === 0
	);
}

/** Where a group of clang's is more than the warning of gcc's: what this one is in gcc, or that gcc says nothing. */
function refine(
	group: string,
	known: GccWarning,
	{ message, line }: Diagnostic,
	lines: readonly string[],
	flags: WarningFlags,
): GccWarning | "none" {
	const text = line === undefined ? "" : (lines[line - 1] ?? "");
	switch (group) {
		case "uninitialized":
			return /within its own initialization/.test(message) ? "none" : known;
		case "unused-function":
			return /\binline\b/.test(text) || /\binline\b/.test(lines[(line ?? 0) - 2] ?? "") ? "none" : known;
		case "unused-but-set-variable":
		case "unused-but-set-parameter":
			// For gcc `x++` and `x += y` read x.
			return isUpdated(/'(\w+)'/.exec(message)?.[1], line, lines) ? "none" : known;
		case "empty-body":
			return /^if |else/.test(message) ? known : "none";
		case "int-in-bool-context":
			return /'<<'/.test(message) ? known : "none";
		case "tautological-constant-out-of-range-compare":
			return /boolean expression/.test(message) ? known : { name: "type-limits", by: "extra" };
		case "logical-not-parentheses":
			// `!a & 1`: a truth on both sides. What a macro's value is cannot be seen here.
			if (!/bitwise operator/.test(message)) return known;
			return /!\s*[^&|^]*[&|^]\s*\(?([a-z_]\w*|[2-9]\d*|1\d+|0x\w+)/.test(text)
				? { name: "parentheses", by: "all" }
				: "none";
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
			return /\/[/*].*fall/i.test(lines.slice(Math.max(0, (line ?? 1) - 4), line).join("\n")) ? "none" : known;
	}
	return known;
}

/** Attributes of gcc that clang does not know; upstream silences clang's word for each other one. */
const gccAttributes =
	/^_*(optimize|noipa|noclone|no_icf|externally_visible|no_reorder|zero_call_used_regs|stack_protect|no_sanitize_\w+|symver|access|copy|tainted_args|simd|target_clones|warning|fd_arg\w*|ifunc|persistent|noinit|naked|interrupt|save_restore|norelax|relax|vector_size|mode|scalar_storage_order|designated_init|warn_if_not_aligned|artificial|no_split_stack|no_stack_limit|patchable_function_entry|retain|hardbool|strub|uncached|unavailable|assume_aligned|returns_nonnull|leaf|flatten|nocommon|common)_*$/;

/** Whether a variable is counted or summed in its function, whose end is the next line that begins with a brace. */
function isUpdated(name: string | undefined, line: number | undefined, lines: readonly string[]): boolean {
	if (name === undefined || line === undefined) return true;
	const end = lines.findIndex((text, i) => i >= line && /^\}/.test(text));
	const body = lines.slice(line - 1, end < 0 ? undefined : end).join("\n");
	return new RegExp(`(\\+\\+|--)\\s*\\(?\\s*${name}\\b|\\b${name}\\s*\\)?\\s*(\\+\\+|--|(<<|>>|[-+*/%&|^])=)`).test(
		body,
	);
}
