import { withoutComments } from "../common/cText.ts";
import type { Diagnostic } from "../common/diagnostic.ts";
import type { SourcePosition } from "../common/errors.ts";
import { startOfTail } from "../common/tail.ts";
import { visible, visibleLine } from "../common/visible.ts";
import type { TreeSnapshot } from "./snapshot.ts";

/** Headers of a hosted C library: what people include out of habit. */
const hostHeaders = new Set(
	(
		"math.h stdio.h stdlib.h string.h unistd.h assert.h ctype.h errno.h time.h signal.h pthread.h sys/types.h " +
		"sys/stat.h sys/mman.h sys/wait.h sys/time.h sys/socket.h fcntl.h limits.h locale.h setjmp.h wchar.h memory.h " +
		"malloc.h sched.h semaphore.h inttypes.h"
	).split(" "),
);

/** Adds what the compiler cannot know about xv6: why a header is not there and which one to use, what a system call lacks. */
export function withAdvice(diagnostic: Diagnostic, snapshot: TreeSnapshot): Diagnostic {
	const missing = missingHeader(diagnostic.message);
	const message = missing === undefined ? callAdvice(diagnostic, snapshot) : adviceFor(missing, snapshot);
	if (message === undefined) return diagnostic;
	const note: Diagnostic = { ...place(diagnostic), severity: "note", message };
	return { ...diagnostic, notes: [...(diagnostic.notes ?? []), note] };
}

function missingHeader(message: string): string | undefined {
	const end = /'?(?: file not found|: No such file or directory)/.exec(message)?.index ?? 0;
	const before = message.slice(0, end);
	const name = before.slice(startOfTail(before, /[\w./-]/));
	return /.\.h$/.test(name) ? name : undefined;
}

function adviceFor(header: string, snapshot: TreeSnapshot): string | undefined {
	const name = header.slice(header.lastIndexOf("/") + 1);
	const twin = snapshot.paths.find((path) => path !== header && path.endsWith(`/${name}`));
	if (hostHeaders.has(header)) {
		const instead = header === "math.h" ? "xv6 has no floating-point functions" : "its calls are in user/user.h";
		return `xv6 programs run without the host's C library, so there is no <${header}>: ${instead}`;
	}
	return twin === undefined ? undefined : `there is a ${twin}: write #include "${twin}"`;
}

const stubs = "user/usys.pl";
const prototypes = "user/user.h";

/** A system call needs a stub and a prototype; the one that is there tells that the other was forgotten. */
function callAdvice({ file, message }: Diagnostic, snapshot: TreeSnapshot): string | undefined {
	if (!file.startsWith("user/") || !/\bundefined\b|\bundeclared\b|\bimplicit\b/.test(message)) return undefined;
	const text = (path: string) => withoutComments(snapshot.text(path) ?? "", "words");
	const isDeclared = (name: string) => new RegExp(`\\b${name}\\s*\\(`).test(text(prototypes));
	const hasStub = (name: string) =>
		new RegExp(`^\\s*entry\\(\\s*["']${name}["']`, "m").test(snapshot.text(stubs) ?? "");
	const undefinedName = /undefined (?:symbol: |reference to [`'])(\w+)/.exec(message)?.[1];
	if (undefinedName !== undefined && snapshot.text(stubs) !== undefined && isDeclared(undefinedName)) {
		if (!hasStub(undefinedName))
			return `${prototypes} declares ${undefinedName}, and ${stubs} has no stub for it: for a system call add entry("${undefinedName}"); to it`;
	}
	const undeclared = /(?:call to undeclared function|implicit declaration of function) ['‘](\w+)/.exec(message)?.[1];
	if (undeclared !== undefined && hasStub(undeclared) && !isDeclared(undeclared))
		return `${stubs} has a stub for ${undeclared}, and ${prototypes} does not declare it: add its prototype there`;
	return undefined;
}

function place({ file, line, column }: Diagnostic): Pick<Diagnostic, "file" | "line" | "column"> {
	return { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
}

/** A flag that a compiler does not get concerns the makefile's line that has it, not each of the sources compiled with it. */
export function flagAtMakefile(
	diagnostic: Diagnostic,
	locate: (word: string) => SourcePosition | undefined,
): Diagnostic {
	const [word] = diagnostic.flag?.split(" ") ?? [];
	const position = word === undefined ? undefined : locate(word);
	return position ? { ...diagnostic, ...position } : diagnostic;
}

/** The same fault in a header comes once from each file that includes it; people read it once. */
export function withoutRepeats(diagnostics: readonly Diagnostic[]): Diagnostic[] {
	const seen = new Set<string>();
	return diagnostics.filter(({ file, line, column, severity, message }) => {
		const key = JSON.stringify([file, line, column, severity, message]);
		if (seen.has(key)) return false;
		seen.add(key);
		return true;
	});
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
	return diagnostics.some(({ severity }) => severity === "error");
}

interface Rendering {
	readonly colour: boolean;
	/** Line of a file, for the excerpt under a message. */
	sourceLine(file: string, line: number): string | undefined;
	/** How a path of the tree is written, for example relative to where the reader stands. */
	path(file: string): string;
}

const colours = { error: "31", warning: "35", note: "36" } as const;

/** One diagnostic as gcc writes it: `file:line:col: error: message [-Wflag]`, the line, a caret, then its notes. */
export function renderDiagnostic(diagnostic: Diagnostic, rendering: Rendering): string {
	const { file, line, column, severity, code } = diagnostic;
	const message = visible(diagnostic.message);
	const paint = (style: string, text: string) => (rendering.colour ? `\u001b[${style}m${text}\u001b[0m` : text);
	const where = [visibleLine(rendering.path(file)), line, column].filter((part) => part !== undefined).join(":");
	const flag = code?.startsWith("-") ? ` [${paint(`1;${colours[severity]}`, visibleLine(code))}]` : "";
	const head = `${paint("1", `${where}:`)} ${paint(`1;${colours[severity]}`, `${severity}:`)} ${paint("1", message)}${flag}`;
	const text = line === undefined ? undefined : rendering.sourceLine(file, line);
	const lines = [head];
	if (text !== undefined && line !== undefined) {
		const gutter = String(line).padStart(5);
		lines.push(`${gutter} | ${visibleLine(text.replaceAll("\t", " "))}`);
		if (column !== undefined) {
			const sameLine = diagnostic.endLine === undefined || diagnostic.endLine === line;
			const width = sameLine && diagnostic.endColumn !== undefined ? diagnostic.endColumn - column : 1;
			const mark = "^" + "~".repeat(Math.max(0, Math.min(width, text.length - column + 1) - 1));
			const blank = " ".repeat(Math.max(0, column - 1));
			lines.push(`${" ".repeat(5)} | ${blank}${paint(`1;${colours[severity]}`, mark)}`);
		}
	}
	for (const note of diagnostic.notes ?? []) {
		// The same line twice in a row tells nothing.
		const samePlace = note.file === file && note.line === line && note.column === column;
		lines.push(renderDiagnostic(note, samePlace ? { ...rendering, sourceLine: () => undefined } : rendering));
	}
	return lines.join("\n");
}
