import { ProgramSymbols } from "../../debuginfo/symbolizer.ts";
import { type ExecutedPage, Ran } from "../../machine/executed.ts";
import type { CoverageReport, FileCoverage, JumpCoverage } from "../../protocol/coverage.ts";
import { type CodePiece, ProgramCode } from "./programCode.ts";

/** What a coverage needs of a build. */
export interface CoveredBuild {
	readonly kernel: Uint8Array;
	readonly programs: readonly { readonly name: string; readonly elf: Uint8Array }[];
}

/** `Ran` bits of each half word of code, by program; the kernel is the first. */
export type Marks = readonly Uint8Array[];

interface Candidate {
	readonly program: number;
	readonly piece: CodePiece;
}

/** Bytes that a piece of code is looked up by. */
const keyBytes = 8;

/**
 * Which instructions, lines, functions and jumps of a build were executed: kernel and user programs. Pages of code are known by their
 * content, wherever they lie; where the text of two programs has the same page, which is library code, both count as executed.
 */
export class Coverage {
	private readonly code: readonly ProgramCode[];
	/** By the place in the page where the code begins, then by its first bytes. */
	private readonly index = new Map<number, Map<string, Candidate[]>>();

	constructor(build: CoveredBuild) {
		const programs = build.programs.map(({ name, elf }) => new ProgramSymbols(name, elf));
		this.code = [new ProgramSymbols("kernel", build.kernel), ...programs].map((symbols) => new ProgramCode(symbols));
		for (const [program, { pieces }] of this.code.entries()) {
			for (const piece of pieces) {
				const keys = this.index.get(piece.offset) ?? new Map<string, Candidate[]>();
				this.index.set(piece.offset, keys);
				const key = keyOf(piece.bytes);
				keys.set(key, [...(keys.get(key) ?? []), { program, piece }]);
			}
		}
	}

	/** Nothing was executed. */
	marks(): Marks {
		return this.code.map(({ size }) => new Uint8Array(size));
	}

	/** Adds what was executed on these pages. */
	add(marks: Marks, pages: Iterable<ExecutedPage>): void {
		for (const { content, ran } of pages) {
			for (const [offset, keys] of this.index) {
				const rest = content.subarray(offset);
				for (const length of [keyBytes, 6, 4, 2]) {
					for (const { program, piece } of keys.get(keyOf(rest.subarray(0, length))) ?? []) {
						if (!startsWith(rest, piece.bytes)) continue;
						const target = marks[program] as Uint8Array;
						for (let i = 0; i < piece.bytes.length; i += 2)
							target[piece.at + (i >> 1)] = (target[piece.at + (i >> 1)] as number) | ran(offset + i);
					}
				}
			}
		}
	}

	union(all: readonly Marks[]): Marks {
		const sum = this.marks();
		for (const marks of all)
			for (const [program, target] of sum.entries())
				for (const [i, bits] of (marks[program] as Uint8Array).entries())
					if (bits) target[i] = (target[i] as number) | bits;
		return sum;
	}

	report(marks: Marks): CoverageReport {
		const files = new Map<string, FileDraft>();
		const fileOf = (name: string) => {
			const file = files.get(name) ?? new FileDraft();
			files.set(name, file);
			return file;
		};
		for (const [program, code] of this.code.entries()) {
			const ran = marks[program] as Uint8Array;
			const { entryPage } = code;
			// A page that looks like one of a program's last ones is not the program's if it never began.
			const began =
				program === 0 || !entryPage || ran.subarray(entryPage.from, entryPage.to).some((bits) => bits !== 0);
			const bitsAt = (at: number) => (began ? (ran[at] as number) : 0);
			const ordinals = new Map<string, number>();
			for (const { at, lines, jump } of code.points) {
				const bits = bitsAt(at);
				for (const { file, line } of lines) fileOf(file).line(line, bits !== 0);
				const [own] = lines;
				if (!jump || !own) continue;
				const key = `${own.file}:${own.line}`;
				const ordinal = ordinals.get(key) ?? 0;
				ordinals.set(key, ordinal + 1);
				fileOf(own.file).jump(own.line, ordinal, bits);
			}
			for (const { name, file, line, at } of code.functions) fileOf(file).function(name, line, bitsAt(at) !== 0);
		}
		return {
			files: [...files].map(([file, draft]) => draft.finish(file)).sort((a, b) => (a.file < b.file ? -1 : 1)),
		};
	}
}

/** Without files that the reader does not have: what the build generated. */
export function onlyFiles(report: CoverageReport, has: (file: string) => boolean): CoverageReport {
	return { files: report.files.filter(({ file }) => has(file)) };
}

/** One source file, of all programs that have code of it: executed in one of them is executed. */
class FileDraft {
	private readonly lines = new Map<number, boolean>();
	private readonly functions = new Map<string, { readonly line: number; executed: boolean }>();
	private readonly jumps = new Map<string, { readonly line: number; bits: number }>();

	line(line: number, executed: boolean): void {
		if (executed || !this.lines.has(line)) this.lines.set(line, executed);
	}

	function(name: string, line: number, executed: boolean): void {
		const known = this.functions.get(name);
		if (known) known.executed ||= executed;
		else this.functions.set(name, { line, executed });
	}

	jump(line: number, ordinal: number, bits: number): void {
		const key = `${line} ${ordinal}`;
		const known = this.jumps.get(key);
		if (known) known.bits |= bits;
		else this.jumps.set(key, { line, bits });
	}

	finish(file: string): FileCoverage {
		const jumps = [...this.jumps.values()].map(
			({ line, bits }): JumpCoverage => ({
				line,
				executed: bits !== 0,
				taken: (bits & Ran.taken) !== 0,
				passed: (bits & Ran.passed) !== 0,
			}),
		);
		return {
			file,
			lines: [...this.lines].map(([line, executed]) => ({ line, executed })).sort((a, b) => a.line - b.line),
			functions: [...this.functions]
				.map(([name, { line, executed }]) => ({ name, line, executed }))
				.sort((a, b) => a.line - b.line || (a.name < b.name ? -1 : 1)),
			jumps: jumps
				.map((jump, i) => ({ jump, i }))
				.sort((a, b) => a.jump.line - b.jump.line || a.i - b.i)
				.map(({ jump }) => jump),
		};
	}
}

function keyOf(bytes: Uint8Array): string {
	return String.fromCharCode(...bytes.subarray(0, keyBytes));
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
	if (start.length > bytes.length) return false;
	for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
	return true;
}
