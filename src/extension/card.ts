import type { Diagnostic } from "../common/diagnostic.ts";
import type { Diagnosis } from "../protocol/diagnosis.ts";
import type { Verdict } from "../protocol/verdict.ts";

/** How a command ended, for a reader: the same facts in the same order in the terminal and in a test's message. */
export interface Card {
	readonly mark: "passed" | "failed" | "other";
	/** What was tried: `prodcons1 prints total = 55`. */
	readonly title: string;
	/** Why it is so, in one sentence; nothing to add to a pass. */
	readonly cause?: string;
	/** The line or function to look at first: `kernel/syscall.c:106`, `kernel/trap.c: usertrap`. */
	readonly where?: string;
	/** What the test asks for and what the program printed, where that is the difference. */
	readonly expected?: readonly string[];
	readonly got?: readonly string[];
	/** Errors of a build after the first, each with its place. */
	readonly also?: readonly string[];
	/** The rest of the explanation, then each further thing that is wrong. */
	readonly more: readonly string[];
	/** The chain of calls, innermost first. */
	readonly calls: readonly string[];
	readonly evidence: readonly string[];
	/** Memory has something to show. */
	readonly inspect: boolean;
}

/** Words around a card, in the reader's language. */
export interface CardWords {
	readonly where: string;
	readonly expected: string;
	readonly got: string;
	readonly also: string;
	readonly calls: string;
	readonly faults: string;
	readonly passed: string;
	readonly failed: string;
	readonly other: string;
}

/** Most of a run's faults are of no interest; these last ones led to its end. */
const faultsShown = 8;
/** Lines of an output that a card quotes; a diff shows the rest. */
const quotedLines = 3;

export function verdictCard(verdict: Verdict): Card {
	const { outcome, title, reasons, explanations, findings, faults } = verdict;
	if (outcome === "passed") return { mark: "passed", title, more: [], calls: [], evidence: [], inspect: false };
	const [explanation, ...others] = explanations;
	// A known failure of the lab speaks the student's language; without one the machine's own evidence is the cause.
	const diagnosis = verdict.diagnoses.find(({ severity }) => severity === "error");
	const [cause, rest] = firstSentence(explanation?.text ?? diagnosis?.cause ?? reasons[0]?.message ?? "");
	const where = explanation?.look ?? placeOf(diagnosis);
	const wrongOutput = reasons.some(({ kind }) => kind === "output");
	const remaining = explanation || diagnosis ? reasons : reasons.slice(1);
	const more = [
		rest,
		...(explanation && diagnosis ? [diagnosis.cause] : []),
		...remaining.filter(({ kind }) => kind !== "output" || !explanation).map(({ message }) => message),
		...others.map(({ text }) => text),
	].filter((text) => text !== "");
	return {
		mark: outcome === "failed" || outcome === "errored" ? "failed" : "other",
		title,
		...(cause === "" ? {} : { cause }),
		...(where === undefined ? {} : { where }),
		...(wrongOutput ? { expected: quoted(verdict.expected), got: quoted(verdict.actual) } : {}),
		more: [...new Set(more)],
		calls: callsOf(diagnosis),
		evidence: [
			...(diagnosis?.evidence ?? []),
			...findings.map(({ sentence }) => sentence),
			...faults.slice(-faultsShown).map(({ text }) => text),
		],
		inspect: findings.length > 0 || faults.length > 0,
	};
}

/** A program or a boot that no test judges, and that did not end as it should. */
export function diagnosisCard(title: string, diagnoses: readonly Diagnosis[]): Card | undefined {
	const [first, ...others] = diagnoses;
	if (!first) return undefined;
	const [cause, rest] = firstSentence(first.cause);
	const where = placeOf(first);
	const more = [rest, ...others.map((other) => other.cause), ...first.effects, ...first.notes];
	return {
		mark: first.severity === "error" ? "failed" : "other",
		title,
		cause,
		...(where === undefined ? {} : { where }),
		more: more.filter((text) => text !== ""),
		calls: callsOf(first),
		evidence: first.evidence,
		inspect: first.severity === "error",
	};
}

/** Errors of a build that a card names; the Problems panel has the rest. */
const errorsShown = 5;

/** A build that ended before there was anything to run: its errors, of which there is at least one. */
export function buildCard(title: string, errors: readonly Diagnostic[]): Card {
	const told = errors.map(({ file, line, message }) => ({
		place: line === undefined ? file : `${file}:${line}`,
		message,
	}));
	const [first, ...others] = told.slice(0, errorsShown);
	const also = others.map(({ place, message }) => (place === "" ? message : `${place}: ${message}`));
	if (told.length > errorsShown) also.push(`… ${told.length - errorsShown} more`);
	return {
		mark: "failed",
		title,
		...(first ? { cause: first.message } : {}),
		...(first && first.place !== "" ? { where: first.place } : {}),
		...(also.length > 0 ? { also } : {}),
		more: [],
		calls: [],
		evidence: [],
		inspect: false,
	};
}

function placeOf(diagnosis: Diagnosis | undefined): string | undefined {
	const look = diagnosis?.look;
	return look && `${look.file}:${look.line}`;
}

/** Calls shown; the rest is the way from the trap, the same in all of them. */
const callsShown = 8;

function callsOf(diagnosis: Diagnosis | undefined): readonly string[] {
	const frames = diagnosis?.frames ?? [];
	return frames.slice(0, callsShown).map(({ name, file, line, address }) => {
		const at = file === undefined ? address : line === undefined ? file : `${file}:${line}`;
		return `${name} (${at})`;
	});
}

/** The first sentence without what follows it, and the rest. */
function firstSentence(text: string): [string, string] {
	const [first = "", ...rest] = text.split(/(?<=[.!?])\s+(?=[A-Z0-9`'"(])/);
	return [first, rest.join(" ")];
}

function quoted(text: string): readonly string[] {
	const lines = text.split("\n").filter((line) => line.trim() !== "");
	if (lines.length === 0) return ["(nothing)"];
	return lines.length <= quotedLines ? lines : [...lines.slice(0, quotedLines), `… ${lines.length - quotedLines} more`];
}

/** Names from the guest's memory may hold anything; what would steer a terminal is shown as unprintable. */
function printable(text: string): string {
	return text.replace(/(?![\t\n])\p{Cc}/gu, "\ufffd");
}

const marks = { passed: "✓", failed: "✗", other: "○" } as const;

/** The rows below the headline: a label, and lines of text. */
function rows(card: Card, words: CardWords): [string, readonly string[]][] {
	const all: [string, readonly string[] | undefined][] = [
		[words.where, card.where === undefined ? undefined : [card.where]],
		[words.expected, card.expected],
		[words.got, card.got],
		[words.also, card.also],
		[words.calls, card.calls.length > 0 ? card.calls : undefined],
	];
	return all.flatMap(([label, lines]) => (lines ? [[label, lines.map(printable)]] : []));
}

/** Characters of a line in a view that does not wrap lines by itself. */
const lineWidth = 100;

/** As a test's message: plain text; of its first line VS Code makes the title beside the code. */
export function plainCard(card: Card, words: CardWords): string {
	const parts: string[] = [printable(card.cause ?? card.title)];
	const labelled = rows(card, words).map(([label, lines]) => `${label} ${lines.join("\n  ")}`);
	if (labelled.length > 0) parts.push(labelled.join("\n"));
	// What a grade script says has lines of its own.
	parts.push(...card.more.map((text) => (text.includes("\n") ? printable(text) : wrap(text, lineWidth))));
	if (card.evidence.length > 0)
		parts.push([words.faults, ...card.evidence.map((text) => `  ${printable(text)}`)].join("\n"));
	return parts.join("\n\n");
}

const sgr = (codes: string, text: string) => `\u001b[${codes}m${text}\u001b[0m`;
const colours = { passed: "1;32", failed: "1;31", other: "1;33" } as const;

/** For the terminal, in lines without line ends: only the mark and the title have a colour, the rest is the terminal's own text. */
export function terminalCard(card: Card, words: CardWords, actions: readonly string[], width = 96): string[] {
	const lines = [sgr(colours[card.mark], printable(`${marks[card.mark]} ${words[card.mark]}: ${card.title}`))];
	if (card.cause)
		lines.push(
			...wrap(card.cause, width - 2)
				.split("\n")
				.map((line) => `  ${line}`),
		);
	const table = rows(card, words);
	const pad = Math.max(0, ...table.map(([label]) => label.length)) + 1;
	for (const [label, texts] of table) {
		texts.forEach((text, index) => {
			lines.push(`  ${(index === 0 ? label : "").padEnd(pad)}${text}`);
		});
	}
	if (actions.length > 0) lines.push(`  ${sgr("36", actionLine(actions))}`);
	return lines;
}

const actionMark = "▸ ";
const actionGap = "  ";

export function actionLine(actions: readonly string[]): string {
	return actions.map((action) => `${actionMark}${action}`).join(actionGap);
}

/** Where each action stands in a line of the terminal, if the line is one of ours. */
export function actionsIn(line: string, actions: readonly string[]): { at: number; length: number; action: string }[] {
	return [...line.matchAll(/▸ (.+?)(?= {2}|$)/g)]
		.map((match) => ({ at: match.index, length: match[0].length, action: match[1] as string }))
		.filter(({ action }) => actions.includes(action));
}

export function wrap(text: string, width: number): string {
	const lines: string[] = [];
	let line = "";
	for (const word of printable(text).split(/\s+/)) {
		if (line !== "" && line.length + 1 + word.length > width) {
			lines.push(line);
			line = word;
		} else line = line === "" ? word : `${line} ${word}`;
	}
	return [...lines, line].join("\n");
}
