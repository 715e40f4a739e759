import type { FindingKind, Point } from "./records.ts";

export interface Frame {
	readonly function: string;
	readonly file?: string;
	readonly line?: number;
}

/** One of the places of a finding. */
export interface Place {
	/** `write of 4 bytes`, `lock "pipe" is taken`. */
	readonly does: Point["does"];
	readonly size: number;
	readonly hart: number;
	/** Steps that the hart had made right before it, since power-on. */
	readonly step: number;
	/** Undefined: no process, the scheduler's own stack. */
	readonly process: { readonly pid: number; readonly name: string } | undefined;
	/** The access first, then its callers. */
	readonly stack: readonly Frame[];
	/** Locks held there, each with the place where it was taken. */
	readonly locks: readonly { readonly name: string; readonly at: Frame }[];
}

export interface Finding {
	readonly kind: FindingKind;
	readonly variable: string;
	/** In one line. */
	readonly title: string;
	/** Why it is wrong. */
	readonly why: string;
	readonly places: readonly Place[];
}

const bar = "=".repeat(66);

/** Plain text in the shape of KCSAN's reports; empty where nothing was found. */
export function renderFindings(findings: readonly Finding[]): string {
	return findings.map(renderFinding).join("\n");
}

export function renderFinding(finding: Finding): string {
	return `${bar}\n${render(finding)}${bar}\n`;
}

function render({ kind, title, why, places, variable }: Finding): string {
	const isLock = kind === "interrupts-on";
	const what = isLock ? "the kernel's data" : variable;
	return [`BUG: ${title}\n`, ...places.map((place) => renderPlace(place, what)), `${why}\n`].join("\n");
}

function renderPlace({ does, size, hart, process, stack, locks }: Place, variable: string): string {
	const bytes = size === 0 ? "" : `, ${size} ${size === 1 ? "byte" : "bytes"}`;
	const what = {
		use: `${variable} is used`,
		unmap: `the page-table entry of ${variable} is changed`,
		wait: "acquire() waits",
		read: `read of ${variable}${bytes},`,
		write: `write to ${variable}${bytes},`,
		acquire: "lock taken",
		release: "lock released",
		sleep: "sleep() called",
		return: "return to user mode",
	}[does];
	const who = process ? `pid ${process.pid} (${process.name})` : "no process";
	const width = Math.max(0, ...stack.map((frame) => frame.function.length));
	const frames = stack.map((frame) => `  ${frame.function.padEnd(width)}  ${at(frame)}`.trimEnd());
	const held =
		locks.length === 0
			? ["  no lock held"]
			: locks.map(({ name, at: where }) => `  holds ${name}, taken in ${where.function} ${at(where)}`);
	return `${[`${what} by hart ${hart}, ${who}:`, ...frames, ...held].join("\n")}\n`;
}

/** `write in mappages, kernel/vm.c:146, pid 7 (mmapstress)`. */
export function placeText({ does, stack, process }: Place): string {
	const [first] = stack;
	const where = first ? ` in ${first.function}${first.file === undefined ? "" : `, ${at(first)}`}` : "";
	return `${does}${where}${process ? `, pid ${process.pid} (${process.name})` : ""}`;
}

/** `kernel/kalloc.c:77`; empty: not known. */
export function at({ file, line }: Frame): string {
	return file === undefined ? "" : `${file}:${line}`;
}
