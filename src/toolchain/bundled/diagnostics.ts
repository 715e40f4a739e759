import type { Diagnostic, FixIt } from "../../common/diagnostic.ts";

/** `file:line:col:{range}…: severity: message [-Wflag]`, as clang prints it with source ranges. */
const headline =
	/^(?<file>(?:[A-Za-z]:)?[^:\n]+):(?<line>\d+):(?<column>\d+):(?<ranges>(?:\{\d+:\d+-\d+:\d+\})*:?) (?<severity>fatal error|error|warning|note): (?<message>.*)$/;
const rangePattern = /\{(\d+):(\d+)-(\d+):(\d+)\}/;
const fixPattern =
	/^fix-it:"(?<file>(?:[^"\\]|\\.)*)":\{(?<l1>\d+):(?<c1>\d+)-(?<l2>\d+):(?<c2>\d+)\}:"(?<text>(?:[^"\\]|\\.)*)"$/;
/** Messages without a place: of the command line, the linker, or a crash. */
const placeless =
	/^(?:clang|error|fatal error|ld\.lld|wasm-ld|llc)?:? ?(?<severity>fatal error|error|warning): (?<message>.*)$/;
const flagPattern = / \[(-W[^[\]]+)\]$/;

interface Open {
	diagnostic: Diagnostic;
	notes: Diagnostic[];
	fixes: FixIt[];
}

/** Splits clang's text into data and the text for people, which has no machine-readable parts left. */
export function parseClang(text: string, source: string): { diagnostics: Diagnostic[]; text: string } {
	const shown: string[] = [];
	const list: Open[] = [];
	for (const line of text.split("\n")) {
		const fix = fixPattern.exec(line)?.groups;
		if (fix) {
			list.at(-1)?.fixes.push(toFix(fix));
			continue;
		}
		const groups = headline.exec(line)?.groups;
		shown.push(groups ? line.replace(/:(\{\d+:\d+-\d+:\d+\})+:? /, ": ") : line);
		if (groups) add(list, placed(groups));
		else {
			const bare = placeless.exec(line)?.groups;
			if (bare) add(list, { file: source, severity: severityOf(bare.severity), message: bare.message as string });
		}
	}
	const diagnostics = list.map(({ diagnostic, notes, fixes }) => ({
		...diagnostic,
		...(notes.length > 0 ? { notes } : {}),
		...(fixes.length > 0 ? { fixes } : {}),
	}));
	return { diagnostics, text: shown.join("\n").trim() };
}

/** A note belongs to the message before it. */
function add(list: Open[], diagnostic: Diagnostic): void {
	const last = list.at(-1);
	if (diagnostic.severity === "note" && last) last.notes.push(diagnostic);
	else list.push({ diagnostic, notes: [], fixes: [] });
}

function placed(groups: Record<string, string | undefined>): Diagnostic {
	const message = groups.message as string;
	const code = flagPattern.exec(message)?.[1]?.replace(/^-Werror,/, "");
	const line = Number(groups.line);
	const range = rangePattern.exec(groups.ranges ?? "");
	// A range that does not begin on the message's own line is part of the explanation, not the place.
	const fits = range && Number(range[1]) === line;
	return {
		file: clean(groups.file as string),
		line,
		column: fits ? Number(range[2]) : Number(groups.column),
		...(fits ? { endLine: Number(range[3]), endColumn: Number(range[4]) } : {}),
		severity: severityOf(groups.severity),
		message: message.replace(flagPattern, ""),
		...(code ? { code } : {}),
	};
}

function toFix(fix: Record<string, string | undefined>): FixIt {
	const plain = (text: string | undefined) =>
		(text ?? "").replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c === "t" ? "\t" : c));
	return {
		file: clean(plain(fix.file)),
		line: Number(fix.l1),
		column: Number(fix.c1),
		endLine: Number(fix.l2),
		endColumn: Number(fix.c2),
		text: plain(fix.text),
	};
}

function severityOf(text: string | undefined): Diagnostic["severity"] {
	return text === "warning" || text === "note" ? text : "error";
}

function clean(path: string): string {
	return path.replace(/^\.\//, "");
}
