import type { Diagnostic } from "../../common/diagnostic.ts";
import { compilationFolder } from "../folder.ts";

const gccLine =
	/^(?<file>[^:\s][^:]*):(?<line>\d+):(?:(?<column>\d+):)? (?<severity>fatal error|error|warning|note): (?<message>.*)$/;
const assemblerLine = /^(?<file>[^:\s][^:]*):(?<line>\d+): (?<severity>Error|Warning): (?<message>.*)$/;

export function parseGcc(text: string): Diagnostic[] {
	const diagnostics: Diagnostic[] = [];
	for (const line of text.split("\n")) {
		const groups = (gccLine.exec(line) ?? assemblerLine.exec(line))?.groups;
		if (!groups) continue;
		const severity = (groups.severity as string).toLowerCase();
		const message = groups.message as string;
		const code = / \[(-W[^[\]]+)\]$/.exec(message)?.[1]?.replace(/^-Werror=/, "-W");
		const diagnostic: Diagnostic = {
			file: (groups.file as string).replace(/^\.\//, ""),
			line: Number(groups.line),
			...(groups.column ? { column: Number(groups.column) } : {}),
			severity: severity === "warning" || severity === "note" ? severity : "error",
			message: message.replace(/ \[-W[^[\]]+\]$/, ""),
			...(code ? { code } : {}),
		};
		const last = diagnostics.at(-1);
		if (diagnostic.severity === "note" && last)
			diagnostics[diagnostics.length - 1] = { ...last, notes: [...(last.notes ?? []), diagnostic] };
		else diagnostics.push(diagnostic);
	}
	return diagnostics;
}

/** GNU ld's text as data: at the source line that it names, at the script's, or without a place. */
export function parseLd(text: string): Diagnostic[] {
	const list: Diagnostic[] = [];
	for (const line of text.split("\n")) {
		const found = ldInSource(line) ?? ldInScript(line) ?? ldWithoutPlace(line);
		// The same line again: one reference after the other of one statement.
		if (found && JSON.stringify(found) !== JSON.stringify(list.at(-1))) list.push(found);
	}
	return list;
}

/** What follows the linker's name and a colon. */
function afterLd(line: string): string | undefined {
	const [word = ""] = /^\S*/.exec(line) ?? [];
	let start = 0;
	for (let colon = word.indexOf(":"); colon >= 0; colon = word.indexOf(":", start)) {
		if (word.slice(start, colon).includes("ld")) return line.slice(colon + 1);
		start = colon + 1;
	}
	return undefined;
}

const inSource = /^(?:\S+\.o: in function `[^']*':)?([^:\s]+\.[chS]):(\d+): (.*)$/;

function ldInSource(line: string): Diagnostic | undefined {
	const [, file, at, text] = inSource.exec(afterLd(line)?.trimStart() ?? "") ?? inSource.exec(line) ?? [];
	if (file === undefined || text === undefined) return undefined;
	// `multiple definition of `x'; kernel/trap.o:kernel/trap.c:197: first defined here`
	const [, message = text, other, otherLine] = /^(.*); \S+\.o:([^:]+):(\d+): first defined here$/.exec(text) ?? [];
	const note: Diagnostic[] =
		other === undefined
			? []
			: [{ file: inTree(other), line: Number(otherLine), severity: "note", message: "first defined here" }];
	return {
		file: inTree(file),
		line: Number(at),
		severity: /^warning: /.test(message) ? "warning" : "error",
		message: message.replace(/^warning: /, ""),
		...(note.length > 0 ? { notes: note } : {}),
	};
}

/** `riscv64-unknown-elf-ld:kernel/kernel.ld:3: syntax error` */
function ldInScript(line: string): Diagnostic | undefined {
	const [, file, at, message] = /^ ?([^:\s]+\.lds?):(\d+): (.*)$/.exec(afterLd(line) ?? "") ?? [];
	if (file === undefined || message === undefined) return undefined;
	return { file: inTree(file), line: Number(at), severity: "error", message };
}

function ldWithoutPlace(line: string): Diagnostic | undefined {
	const [, warning, message] = /^ (warning: )?(.*)$/.exec(afterLd(line) ?? "") ?? [];
	if (message === undefined || /in function/.test(message)) return undefined;
	return { file: "", severity: warning ? "warning" : "error", message };
}

/** Names in debug information are below the folder of every tree. */
function inTree(path: string): string {
	return path.replace(/^\.\//, "").replace(`${compilationFolder}/`, "");
}
