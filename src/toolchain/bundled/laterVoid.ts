import { utf8 } from "../../common/bytes.ts";
import type { Diagnostic } from "../../common/diagnostic.ts";
import type { WarningFlags } from "./gccWarnings.ts";

/** Read before the unit, as `-include` does. */
const file = "xv6lab-later-void.h";

/** Functions that were called before anyone declared them and are `void` afterwards: gcc only warns (c-decl.cc, `diagnose_mismatched_decls`). */
function laterVoid({ message, notes }: Diagnostic): string | undefined {
	if (!notes?.some((note) => note.message === "previous implicit declaration is here")) return undefined;
	return /^conflicting types for '(\w+)'/.exec(message)?.[1];
}

interface SecondAttempt<Result> {
	readonly result: Result;
	readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles a unit once more where clang refused nothing else: with declarations of those functions in front. A function that
 * is not `void` after all, or one whose result was used, is refused again, and the first messages stand.
 */
export function withLaterVoid<Result>(
	diagnostics: readonly Diagnostic[],
	flags: WarningFlags,
	inputs: ReadonlyMap<string, Uint8Array>,
	compile: (
		args: readonly string[],
		inputs: ReadonlyMap<string, Uint8Array>,
	) => { result: Result; diagnostics: readonly Diagnostic[] },
): SecondAttempt<Result> | undefined {
	const names = new Set<string>();
	for (const diagnostic of diagnostics) {
		if (diagnostic.severity !== "error") continue;
		const name = laterVoid(diagnostic);
		if (name === undefined) return undefined;
		names.add(name);
	}
	if (names.size === 0 || flags.isError({ name: "", by: "default" })) return undefined;
	const text = [...names].map((name) => `void ${name}();\n`).join("");
	const second = compile(["-include", file], new Map([...inputs, [file, utf8(text)]]));
	if (second.diagnostics.some(({ severity }) => severity === "error")) return undefined;
	const first = diagnostics.filter(
		(diagnostic) => diagnostic.severity === "error" || diagnostic.code === "-Wimplicit-function-declaration",
	);
	const more = second.diagnostics.filter((diagnostic) => diagnostic.file !== file);
	return {
		result: second.result,
		diagnostics: [...first.map((diagnostic) => ({ ...diagnostic, severity: "warning" as const })), ...more],
	};
}
