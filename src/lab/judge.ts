import { hex } from "../common/bytes.ts";
import type { FailureExplanation, FindingLine, Outcome, Reason } from "../protocol/verdict.ts";
import { describeEnd } from "../session/commandEnd.ts";
import type { CommandResult } from "../session/shell.ts";
import type { Invariant, KnownFailure, LabManifest, LabTest } from "./manifest.ts";
import { Pattern } from "./pattern.ts";
import type { NamedSources } from "./sources.ts";
import type { RunReport } from "./witness.ts";

/** What was seen from outside while a test ran; a kernel that hides something leaves the field undefined: then it is not checked. */
export interface Evidence {
	/** Frames that kalloc would give out before and after the command. */
	readonly freeBefore: number | undefined;
	readonly freeAfter: number | undefined;
	readonly findings: readonly FindingLine[];
	/** Pids of processes that a trap killed. */
	readonly killed: readonly number[] | undefined;
	/** For each page address, every (pid, frame) that was seen mapped at the end of a process of the test. */
	framesAt(address: bigint): readonly { pid: number; frame: bigint }[] | undefined;
	/** What the program itself did in user mode; undefined: nobody watched. */
	readonly run: RunReport | undefined;
	/** Sources of the program that differ from the lab's: what it prints is its author's choice. */
	readonly changed: readonly string[];
}

const pageSize = 4096n;

/** Everything in which a run differs from what the test asks for, then what could not be checked; empty means passed. */
export function judge(test: LabTest, result: CommandResult, evidence: Evidence): Reason[] {
	const wrong: Reason[] = [];
	const unchecked: Reason[] = [];
	const { program } = test;
	if (result.end.kind !== "prompt") wrong.push({ kind: "end", message: describeEnd(result.end, result.instructions) });
	const right = matches(test, result.output);
	if (/^exec \S+ failed$/m.test(result.output) && !right) {
		wrong.push({
			kind: "program-missing",
			message: `The shell could not start ${program}: add $U/_${program} to UPROGS in the Makefile, and check that exec works`,
		});
	} else if (!right && evidence.changed.length > 0 && result.end.kind === "prompt") {
		const message = `${evidence.changed.join(", ")}: not the lab's own, so what ${program} prints was not judged (xv6-lab test --lab judges with the lab's)`;
		unchecked.push({ kind: "not-checked", message });
	} else if (!right) {
		wrong.push({ kind: "output", message: describeOutput(test) });
	} else if (evidence.run) {
		const message = notByItself(test, evidence.run);
		if (message !== undefined) wrong.push({ kind: "not-run", message });
	}
	for (const invariant of test.invariants ?? []) {
		const answer = checkInvariant(invariant, test, result, evidence);
		if (answer === undefined) continue;
		const list = answer.kind === "not-checked" ? unchecked : wrong;
		if (!list.some(({ message }) => message === answer.message)) list.push(answer);
	}
	return [...wrong, ...unchecked];
}

/** Passed, failed or not checked, by the reasons that `judge` gives. */
export function outcomeOf(reasons: readonly Reason[]): Outcome {
	if (reasons.some(({ kind }) => kind === "program-missing")) return "errored";
	if (reasons.some(({ kind }) => kind !== "not-checked")) return "failed";
	return reasons.length > 0 ? "not-checked" : "passed";
}

/** A console can be written by anybody: what the test wants must have been written by the program, in user mode. */
function notByItself(test: LabTest, run: RunReport): string | undefined {
	const { program } = test;
	if (!run.programs.has(program)) {
		return `${program} did not run: no system call came from its text in user mode, so it did not print what is on the console`;
	}
	if (run.tampering !== undefined) return run.tampering;
	// Of a command line with several programs each may write a part; one that the line does not name has nothing to say.
	const named = (test.command ?? program).split(/[^A-Za-z0-9_.-]+/);
	if ([[program], named].some((programs) => matches(test, run.written(programs)))) return undefined;
	return `${program} ran, but it did not itself write what is on the console`;
}

export function matches(test: LabTest, output: string): boolean {
	const { match, output: expected, lacks } = test.expect;
	if (lacks !== undefined && output.includes(lacks)) return false;
	switch (match) {
		case "exact":
			return output.trimEnd() === expected.trimEnd();
		case "regex":
			return new Pattern(expected).test(output);
		case "contains": {
			let from = 0;
			const lines = output.split("\n");
			return expected
				.split("\n")
				.filter((line) => line !== "")
				.every((line) => {
					const at = lines.findIndex((candidate, i) => i >= from && candidate.includes(line));
					from = at + 1;
					return at >= 0;
				});
		}
	}
}

/** What a reader is shown as expected. */
export function expectedText({ expect }: LabTest): string {
	return expect.shown ?? expect.output;
}

function describeOutput(test: LabTest): string {
	switch (test.expect.match) {
		case "exact":
			return "The output is not the expected one";
		case "contains":
			return "The output does not have the expected lines in their order";
		case "regex":
			return "The output does not have the expected form";
	}
}

/** Undefined: it holds. */
function checkInvariant(
	invariant: Invariant,
	test: LabTest,
	result: CommandResult,
	evidence: Evidence,
): Reason | undefined {
	const wrong = (message: string): Reason => ({ kind: "invariant", message });
	const unknown = (message: string): Reason => ({ kind: "not-checked", message });
	const atPrompt = result.end.kind === "prompt";
	switch (invariant.kind) {
		case "no-panic":
			return result.end.kind === "panic"
				? { kind: "end", message: describeEnd(result.end, result.instructions) }
				: undefined;
		case "no-frame-leaked": {
			// Processes that are still there have their frames: after anything but a prompt a count says nothing.
			if (!atPrompt) return undefined;
			const lost = framesLost(result, evidence);
			if (lost === undefined) {
				return unknown("Lost frames were not checked for: how this kernel keeps its free frames was not recognised");
			}
			// A count can be made up with frames that were kept back; those that nobody has any more are seen.
			if (lost === 0) {
				const leaked = evidence.findings.find(({ id }) => id === "frame-leaked");
				return leaked && wrong(leaked.sentence);
			}
			const { freeBefore, freeAfter } = evidence;
			const verb = lost > 0 ? "fewer" : "more";
			return wrong(
				`After the command ${Math.abs(lost)} ${verb} frames are free than before it (${freeBefore} before, ${freeAfter} after)`,
			);
		}
		case "no-process-killed": {
			const { killed } = evidence;
			if (!killed)
				return unknown("Whether a process was killed was not checked: this kernel's processes are not known");
			return killed.length > 0 ? wrong(`The kernel killed process ${killed.join(", ")} for a trap`) : undefined;
		}
		case "no-finding": {
			const wanted = invariant.findings;
			const found = evidence.findings.filter((finding) => !wanted || wanted.includes(finding.id));
			return found[0] && wrong(found[0].sentence);
		}
		case "frames-shared": {
			const answer = checkShared(invariant.address, invariant.pages, evidence);
			if (typeof answer === "string") return wrong(answer);
			if (answer || !atPrompt) return undefined;
			return unknown(
				"Whether the processes share their frames was not checked: their pages were not seen when they ended",
			);
		}
		case "happened":
			return atPrompt ? checkHappened(invariant, test, evidence) : undefined;
	}
}

/** Frames fewer than before; undefined: not known. */
export function framesLost(result: CommandResult, { freeBefore, freeAfter }: Evidence): number | undefined {
	if (result.end.kind !== "prompt" || freeBefore === undefined || freeAfter === undefined) return undefined;
	return freeBefore - freeAfter;
}

function checkHappened(
	{ calls, faults }: Extract<Invariant, { kind: "happened" }>,
	{ program }: LabTest,
	{ run }: Evidence,
): Reason | undefined {
	if (!run) return { kind: "not-checked", message: `What ${program} did in user mode was not watched` };
	const missing = (calls ?? []).filter((call) => run.calls(program, call) === 0);
	if (missing.length > 0) return { kind: "not-run", message: `${program} never called ${missing.join(", ")}` };
	const wanted = faults ?? 0;
	const seen = run.faults(program);
	if (seen >= wanted) return undefined;
	const message = `${program} took ${seen === 0 ? "no page fault" : `${seen} page faults`} in user mode: a page of a region should come only when somebody touches it`;
	return { kind: "invariant", message };
}

/** True: each page was seen in two processes or more, with one frame. Text: it was not one. False: too little was seen. */
function checkShared(address: string, pages: number, evidence: Evidence): string | boolean {
	let whole = true;
	for (let page = 0n; page < BigInt(pages); page++) {
		const at = BigInt(address) + page * pageSize;
		const seen = evidence.framesAt(at) ?? [];
		const frames = new Set(seen.map(({ frame }) => frame));
		if (frames.size > 1) {
			const list = seen.map(({ pid, frame }) => `process ${pid}: frame ${hex(frame)}`).join(", ");
			return `The processes should share one frame for page ${hex(at)}, but they have ${frames.size} (${list})`;
		}
		if (new Set(seen.map(({ pid }) => pid)).size < 2) whole = false;
	}
	return whole;
}

function fits({ has, lacks }: NonNullable<KnownFailure["source"]>, text: string): boolean {
	if (has !== undefined && !new Pattern(has).test(text)) return false;
	return lacks === undefined || !new Pattern(lacks).test(text);
}

/** More would say everything and therefore nothing. */
const mostExplanations = 3;

/** What is known of a failed run when its causes are looked for. */
export interface FailedRun {
	readonly result: CommandResult;
	readonly findings: readonly FindingLine[];
	readonly diagnoses?: readonly { readonly kind: string; readonly frames?: readonly { readonly name: string }[] }[];
	readonly sources?: NamedSources;
	/** `framesLost` of the run. */
	readonly lost?: number | undefined;
}

/**
 * Known failures of the lab whose signs are all in this run: first those of which the run itself shows a sign, the most certain first, then
 * in the manifest's order. What only the sources show is told only where the run shows nothing.
 */
export function explain(manifest: LabManifest, test: LabTest, run: FailedRun): FailureExplanation[] {
	const fitting = manifest.knownFailures
		.map((failure) => ({ failure, ...signsOf(failure, test, run) }))
		.filter(({ seen, read }) => seen + read > 0);
	const shown = fitting.filter(({ seen }) => seen > 0);
	return (shown.length > 0 ? shown : fitting)
		.sort((a, b) => b.seen + b.read - (a.seen + a.read))
		.slice(0, mostExplanations)
		.map(({ failure }) => ({
			id: failure.id,
			text: failure.explanation,
			...(failure.look ? { look: failure.look } : {}),
			...(failure.panel ? { panel: failure.panel } : {}),
		}));
}

/** Weights of what the run and what the sources show of a failure; both 0: one of its signs is absent. */
function signsOf(failure: KnownFailure, test: LabTest, run: FailedRun): { seen: number; read: number } {
	const absent = { seen: 0, read: 0 };
	const { result, findings, sources, lost, diagnoses = [] } = run;
	if (failure.tests && !failure.tests.includes(test.id)) return absent;
	if (failure.unless?.some((kind) => diagnoses.some((told) => told.kind === kind))) return absent;
	const { ends, output, framesLost: losing } = failure.when ?? {};
	if (ends && !(ends as readonly string[]).includes(result.end.kind)) return absent;
	if (output && (output === "right") !== matches(test, result.output)) return absent;
	if (losing && !(lost !== undefined && lost > 0)) return absent;
	const { calls } = failure;
	const isOpen = ({ name }: { readonly name: string }) => calls?.includes(name);
	if (calls && !diagnoses.some(({ frames = [] }) => frames.some(isOpen))) return absent;
	let seen = (losing ? 1 : 0) + (calls ? 1 : 0);
	if (failure.pattern !== undefined) {
		if (!new Pattern(failure.pattern).test(result.output)) return absent;
		seen += 2;
	}
	if (failure.findings) {
		if (!failure.findings.some((id) => findings.some((finding) => finding.id === id))) return absent;
		seen += 1;
	}
	// A file that is not at hand speaks neither for the cause nor against it.
	const text = failure.source && sources?.get(failure.source.file);
	if (failure.source && text !== undefined) return fits(failure.source, text) ? { seen, read: 2 } : absent;
	return { seen, read: 0 };
}
