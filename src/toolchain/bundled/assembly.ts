/**
 * llc reads IR, not assembly: preprocessed assembly becomes `module asm` lines of an empty module, with line numbers and a
 * small DWARF unit of our own, since LLVM 13 makes none for them.
 */
export function assemblyModule(text: string, source: string, folder: string): string {
	const lines = moduleLines(text, source, folder).map(({ text: line }) => line);
	return `target triple = "riscv64"\n${lines.map((line) => `module asm "${quote(line)}"`).join("\n")}\n`;
}

/** Line of the source of a line of the module's assembly, both from 1; undefined for lines of our own and of included files. */
export function assemblyLine(text: string, source: string, folder: string, line: number): number | undefined {
	return moduleLines(text, source, folder)[line - 1]?.line;
}

interface ModuleLine {
	readonly text: string;
	readonly line?: number;
}

function moduleLines(text: string, source: string, folder: string): ModuleLine[] {
	const lines: ModuleLine[] = [];
	const push = (...texts: string[]) => lines.push(...texts.map((line) => ({ text: line })));
	push(".option norelax", `.file 1 "${source}"`);
	const sections: string[] = [];
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
		const instruction = statement.replace(/^(?:[\w.$]+:\s*)+/, "");
		// What `.rept` repeats has the line of the `.rept`, what a macro makes has the line of its use.
		if (own && instruction !== "" && (!instruction.startsWith(".") || (opens && opens !== "macro"))) {
			if (!sections.includes(section)) {
				push(`.Lb${sections.length}:`);
				sections.push(section);
			}
			push(`.loc 1 ${line}`);
		}
		// LLVM 13 cannot pad code by an odd number of bytes (data in .text): make it even first.
		if (sections.includes(section) && /^(\.(p2)?align\s+[1-9]|\.balign\s+([2-9]|1\d))/.test(instruction)) {
			push(`.fill (. - .Lb${sections.indexOf(section)}) & 1, 1, 0`);
		}
		lines.push(own ? { text: statement, line } : { text: statement });
	}
	sections.forEach((name, i) => {
		push(`.section ${name}`, `.Le${i}:`);
	});
	if (sections.length > 0) push(...unit(sections.length, source, folder));
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
			rest = rest.replace(/\/\*.*?\*\//g, " ");
			const start = rest.indexOf("/*");
			if (start >= 0) {
				rest = rest.slice(0, start);
				inComment = true;
			}
			const statement = rest.replace(/^((?:[^"]|"(?:[^"\\]|\\.)*")*?)(\/\/|#).*$/, "$1").trim();
			if (statement !== "") yield { line, statement, own };
		}
		line++;
	}
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
