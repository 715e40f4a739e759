/**
 * llc reads IR, not assembly: preprocessed assembly becomes `module asm` lines of an empty module, with line numbers and a
 * small DWARF unit of our own, since LLVM 13 makes none for them.
 */
export function assemblyModule(text: string, source: string, folder: string): string {
	const lines = moduleLines(text, source, folder).map(({ text: line }) => line);
	return `target triple = "riscv64"\n${lines.map((line) => `module asm "${quote(line)}"`).join("\n")}\n`;
}

/** For each line of the module's assembly its line in the source, from 1; undefined for lines of our own and of included files. */
export function assemblyLines(text: string, source: string, folder: string): (number | undefined)[] {
	return moduleLines(text, source, folder).map(({ line }) => line);
}

export function assemblyLine(text: string, source: string, folder: string, line: number): number | undefined {
	return assemblyLines(text, source, folder)[line - 1];
}

interface ModuleLine {
	readonly text: string;
	readonly line?: number;
}

function moduleLines(text: string, source: string, folder: string): ModuleLine[] {
	const lines: ModuleLine[] = [];
	const push = (...texts: string[]) => lines.push(...texts.map((line) => ({ text: line })));
	push(".option norelax", `.file 1 "${source}"`);
	/** The numbers of those that have code. */
	const sections = new Map<string, number>();
	let section = ".text";
	// Depth of `.macro` and `.rept` bodies: they are assembled many times, so that no label of ours may stand in them.
	let bodies = 0;
	for (const { line, statement, own } of statements(text, source)) {
		const opens = /^\.(macro|rept|irpc?)\b/.exec(statement)?.[1];
		if (bodies > 0) {
			if (opens) bodies++;
			else if (/^\.end[mr]\b/.test(statement)) bodies--;
			lines.push(own ? { text: statement, line } : { text: statement });
			continue;
		}
		if (opens) bodies++;
		const named = /^\.(?:section\s+([\w.]+)|(text|data|bss)\b)/.exec(statement);
		if (named) section = named[1] ?? `.${named[2]}`;
		const instruction = withoutLabels(statement);
		// What `.rept` repeats has the line of the `.rept`, what a macro makes has the line of its use.
		if (own && instruction !== "" && (!instruction.startsWith(".") || (opens && opens !== "macro"))) {
			if (!sections.has(section)) {
				push(`.Lb${sections.size}:`);
				sections.set(section, sections.size);
			}
			push(`.loc 1 ${line}`);
		}
		// LLVM 13 cannot pad code by an odd number of bytes (data in .text): make it even first.
		const number = sections.get(section);
		if (number !== undefined && /^(\.(p2)?align\s+[1-9]|\.balign\s+([2-9]|1\d))/.test(instruction)) {
			push(`.fill (. - .Lb${number}) & 1, 1, 0`);
		}
		lines.push(own ? { text: statement, line } : { text: statement });
	}
	for (const [name, number] of sections) push(`.section ${name}`, `.Le${number}:`);
	if (sections.size > 0) for (const line of unit(sections.size, source, folder)) push(line);
	return lines;
}

interface Statement {
	readonly line: number;
	readonly statement: string;
	/** From the source itself, not from an included file. */
	readonly own: boolean;
}

/** Statements without comments; `# 12 "file"` lines of the preprocessor set the place. */
function* statements(text: string, source: string): Generator<Statement> {
	let line = 1;
	let own = true;
	let inComment = false;
	for (const raw of text.split("\n")) {
		const marker = /^# (\d+) "([^"]*)"/.exec(raw);
		if (marker) {
			line = Number(marker[1]);
			own = marker[2] === source;
			continue;
		}
		let rest = raw;
		// -E keeps comments in assembler mode, and the inline assembler sees one line at a time.
		if (inComment) {
			const end = rest.indexOf("*/");
			rest = end < 0 ? "" : rest.slice(end + 2);
			inComment = end < 0;
		}
		if (!inComment) {
			const blocks = withoutBlocks(rest);
			inComment = blocks.isOpen;
			const statement = withoutLineComment(blocks.text).trim();
			if (statement !== "") yield { line, statement, own };
		}
		line++;
	}
}

function withoutLabels(statement: string): string {
	const label = /[\w.$]+:\s*/y;
	let end = 0;
	while (label.test(statement)) end = label.lastIndex;
	return statement.slice(end);
}

/** A line without C's bracketed comments, and whether the last one is open. */
function withoutBlocks(line: string): { readonly text: string; readonly isOpen: boolean } {
	let text = "";
	for (let from = 0; ; ) {
		const start = line.indexOf("/*", from);
		if (start < 0) return { text: text + line.slice(from), isOpen: false };
		text += line.slice(from, start);
		const end = line.indexOf("*/", start + 2);
		if (end < 0) return { text, isOpen: true };
		text += " ";
		from = end + 2;
	}
}

/** What is between quotes is no comment; after a quote that is not closed nothing is. */
function withoutLineComment(line: string): string {
	for (const { 0: mark, index } of line.matchAll(/"(?:[^"\\]|\\.)*"|\/\/|["#]/g)) {
		if (mark === '"') return line;
		if (!mark.startsWith('"')) return line.slice(0, index);
	}
	return line;
}

/** DWARF 4, 7.5: one compile unit with a line table and the ranges of the sections that have code. */
function unit(sections: number, source: string, folder: string): string[] {
	const ranges = Array.from({ length: sections }, (_, i) => [`.quad .Lb${i}`, `.quad .Le${i}`]).flat();
	return [
		'.section .debug_abbrev,"",@progbits',
		".Labbr:",
		".byte 1,17,0,37,8,19,5,3,8,27,8,16,23,85,23,17,1,0,0,0",
		'.section .debug_ranges,"",@progbits',
		".Lrng:",
		...ranges,
		".quad 0,0",
		'.section .debug_info,"",@progbits',
		".word .Lie-.Lis",
		".Lis:",
		".half 4",
		".word .Labbr",
		".byte 8",
		".byte 1",
		'.asciz "xv6 Lab"',
		".half 0x8001",
		`.asciz "${source}"`,
		`.asciz "${folder}"`,
		".word .Lline",
		".word .Lrng",
		".quad 0",
		".Lie:",
		'.section .debug_line,"",@progbits',
		".Lline:",
	];
}

function quote(line: string): string {
	return line.replace(/[\\"]/g, (character) => (character === '"' ? "\\22" : "\\5C")).replace(/\t/g, " ");
}
