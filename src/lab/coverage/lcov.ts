import type { CoveragePart, CoverageReport, FileCoverage } from "../../protocol/coverage.ts";

/**
 * A tracefile as geninfo(1) describes it, with one section for each part and file. Whether code ran is known, not how often: counts are 0
 * and 1. Branches are the jumps of the machine code: the first of each is the jump, the second continuing after it.
 */
export function toLcov(parts: readonly CoveragePart[], pathOf: (file: string) => string): string {
	return parts
		.flatMap(({ name, report }) => report.files.map((file) => section(name, file, pathOf(file.file))))
		.join("");
}

function section(part: string, { lines, functions, jumps }: FileCoverage, path: string): string {
	const hit = <T extends { readonly executed: boolean }>(list: readonly T[]) =>
		list.filter(({ executed }) => executed).length;
	const text = [`TN:${part.replace(/\W/g, "_")}`, `SF:${path}`];
	for (const { name, line } of functions) text.push(`FN:${line},${name}`);
	for (const { name, executed } of functions) text.push(`FNDA:${Number(executed)},${name}`);
	text.push(`FNF:${functions.length}`, `FNH:${hit(functions)}`);
	let line = 0;
	let block = 0;
	for (const jump of jumps) {
		block = jump.line === line ? block + 1 : 0;
		line = jump.line;
		const count = (went: boolean) => (jump.executed ? Number(went) : "-");
		text.push(`BRDA:${line},${block},0,${count(jump.taken)}`, `BRDA:${line},${block},1,${count(jump.passed)}`);
	}
	text.push(`BRF:${2 * jumps.length}`, `BRH:${waysGone({ jumps })}`);
	for (const one of lines) text.push(`DA:${one.line},${Number(one.executed)}`);
	text.push(`LF:${lines.length}`, `LH:${hit(lines)}`, "end_of_record");
	return `${text.join("\n")}\n`;
}

function waysGone({ jumps }: Pick<FileCoverage, "jumps">): number {
	return jumps.reduce((sum, { taken, passed }) => sum + Number(taken) + Number(passed), 0);
}

interface Counts {
	readonly name: string;
	readonly lines: number;
	readonly run: number;
	readonly ways: number;
	readonly gone: number;
	readonly functions: number;
	readonly called: number;
}

/** A table for people: files of the kernel, then the user programs', with their sums. */
export function coverageTable({ files }: CoverageReport): string {
	const rows = files.map(countsOf);
	const isKernel = ({ name }: Counts) => name.startsWith("kernel/");
	const kernel = rows.filter(isKernel);
	const user = rows.filter((row) => !isKernel(row));
	const all = [...kernel, sum("kernel", kernel), ...user, sum("user programs", user)];
	const width = Math.max(...all.map(({ name }) => name.length), 4);
	const cell = (part: number, whole: number) =>
		whole === 0
			? "-".padStart(16)
			: `${`${part}/${whole}`.padStart(10)} ${`${Math.floor((100 * part) / whole)} %`.padStart(5)}`;
	const line = ({ name, lines, run, ways, gone, functions, called }: Counts) =>
		`${name.padEnd(width)} ${cell(run, lines)} ${cell(gone, ways)} ${cell(called, functions)}`;
	const head = `${"file".padEnd(width)} ${"lines".padStart(16)} ${"jump ways".padStart(16)} ${"functions".padStart(16)}`;
	return `${[head, ...all.map(line)].join("\n")}\n`;
}

function countsOf({ file, lines, functions, jumps }: FileCoverage): Counts {
	return {
		name: file,
		lines: lines.length,
		run: lines.filter(({ executed }) => executed).length,
		ways: 2 * jumps.length,
		gone: waysGone({ jumps }),
		functions: functions.length,
		called: functions.filter(({ executed }) => executed).length,
	};
}

function sum(name: string, rows: readonly Counts[]): Counts {
	const total = (of: (row: Counts) => number) => rows.reduce((whole, row) => whole + of(row), 0);
	return {
		name,
		lines: total(({ lines }) => lines),
		run: total(({ run }) => run),
		ways: total(({ ways }) => ways),
		gone: total(({ gone }) => gone),
		functions: total(({ functions }) => functions),
		called: total(({ called }) => called),
	};
}
