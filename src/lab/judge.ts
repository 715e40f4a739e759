import type { CommandResult } from "../session/shell.ts";
import type { Invariant, KnownFailure, LabManifest, LabTest } from "./manifest.ts";
import type { NamedSources } from "./sources.ts";
import type { FailureExplanation, FindingLine, Reason } from "./verdict.ts";

/** What was seen from outside while a test ran; a kernel that hides something leaves the field undefined. */
export interface Evidence {
	/** Frames on kalloc's free list before and after the command. */
	readonly freeBefore: number | undefined;
	readonly freeAfter: number | undefined;
	readonly findings: readonly FindingLine[];
	/** Pids of processes that a trap killed. */
	readonly killed: readonly number[];
	/** For each page address, every (pid, frame) that was seen mapped at the end of a process of the test. */
	framesAt(address: bigint): readonly { pid: number; frame: bigint }[] | undefined;
}

const pageSize = 4096n;

/** Everything in which a run differs from what the test asks for; empty means passed. */
export function judge(test: LabTest, result: CommandResult, evidence: Evidence): Reason[] {
	const reasons: Reason[] = [];
	if (result.end.kind !== "prompt") reasons.push({ kind: "end", message: describeEnd(result) });
	if (/^exec \S+ failed$/m.test(result.output) && !matches(test, result.output)) {
		const name = test.program;
		reasons.push({
			kind: "program-missing",
			message: `The shell could not start ${name}: add $U/_${name} to UPROGS in the Makefile, and check that exec works`,
		});
	} else if (!matches(test, result.output)) {
		reasons.push({ kind: "output", message: describeOutput(test) });
	}
	for (const invariant of test.invariants ?? []) {
		const message = checkInvariant(invariant, result, evidence);
		if (message) reasons.push({ kind: "invariant", message });
	}
	return reasons;
}

function matches(test: LabTest, output: string): boolean {
	const { match, output: expected } = test.expect;
	switch (match) {
		case "exact":
			return output.trimEnd() === expected.trimEnd();
		case "regex":
			return new RegExp(expected, "m").test(output);
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

function describeOutput(test: LabTest): string {
	switch (test.expect.match) {
		case "exact":
			return "The output is not the expected one";
		case "contains":
			return "The output does not have the expected lines in their order";
		case "regex":
			return `The output does not match /${test.expect.output}/`;
	}
}

function describeEnd(result: CommandResult): string {
	switch (result.end.kind) {
		case "panic":
			return `The kernel panicked: ${result.end.message}`;
		case "timeout":
			return `The command did not come back to the shell within ${result.instructions.toLocaleString("en")} instructions`;
		case "halt":
			return `The machine was switched off with code ${result.end.code}`;
		case "stuck":
			return "Every hart waits, and nothing is left that could wake one: a process sleeps on something that never comes";
		case "flood":
			return `The command printed ${result.end.printed.toLocaleString("en")} characters and was still not done`;
		case "prompt":
			return "";
	}
}

/** Undefined when it holds, or when the kernel gives no evidence either way. */
function checkInvariant(invariant: Invariant, result: CommandResult, evidence: Evidence): string | undefined {
	switch (invariant.kind) {
		case "no-panic":
			return result.end.kind === "panic" ? `The kernel panicked: ${result.end.message}` : undefined;
		case "no-frame-leaked": {
			const { freeBefore, freeAfter } = evidence;
			if (freeBefore === undefined || freeAfter === undefined || freeBefore === freeAfter) return undefined;
			const frames = Math.abs(freeBefore - freeAfter);
			const verb = freeAfter < freeBefore ? "fewer" : "more";
			return `After the command ${frames} ${verb} frames are free than before it (${freeBefore} before, ${freeAfter} after)`;
		}
		case "no-process-killed":
			return evidence.killed.length > 0
				? `The kernel killed process ${evidence.killed.join(", ")} for a trap`
				: undefined;
		case "no-finding": {
			const wanted = invariant.findings;
			const found = evidence.findings.filter((finding) => !wanted || wanted.includes(finding.id));
			return found[0]?.sentence;
		}
		case "frames-shared":
			return checkShared(invariant.address, invariant.pages, evidence);
	}
}

function checkShared(address: string, pages: number, evidence: Evidence): string | undefined {
	for (let page = 0n; page < BigInt(pages); page++) {
		const at = BigInt(address) + page * pageSize;
		const seen = evidence.framesAt(at);
		if (!seen) return undefined;
		const frames = new Set(seen.map(({ frame }) => frame));
		if (frames.size > 1) {
			const list = seen.map(({ pid, frame }) => `process ${pid}: frame 0x${frame.toString(16)}`).join(", ");
			return `The processes should share one frame for page 0x${at.toString(16)}, but they have ${frames.size} (${list})`;
		}
	}
	return undefined;
}

function fits({ has, lacks }: NonNullable<KnownFailure["source"]>, text: string): boolean {
	if (has !== undefined && !new RegExp(has, "m").test(text)) return false;
	return lacks === undefined || !new RegExp(lacks, "m").test(text);
}

/** More would say everything and therefore nothing. */
const mostExplanations = 3;

/** Known failures of the lab whose signs are all in this run, the most certain first, then in the manifest's order. */
export function explain(
	manifest: LabManifest,
	test: LabTest,
	output: string,
	findings: readonly FindingLine[],
	sources: NamedSources = new Map(),
): FailureExplanation[] {
	const signs = (failure: KnownFailure): number => {
		if (failure.tests && !failure.tests.includes(test.id)) return 0;
		let weight = 0;
		if (failure.pattern !== undefined) {
			if (!new RegExp(failure.pattern, "m").test(output)) return 0;
			weight += 2;
		}
		if (failure.findings) {
			if (!failure.findings.some((id) => findings.some((finding) => finding.id === id))) return 0;
			weight += 1;
		}
		// A file that is not at hand speaks neither for the cause nor against it.
		const text = failure.source && sources.get(failure.source.file);
		if (failure.source && text !== undefined) {
			if (!fits(failure.source, text)) return 0;
			weight += 2;
		}
		return weight;
	};
	return manifest.knownFailures
		.map((failure) => ({ failure, weight: signs(failure) }))
		.filter(({ weight }) => weight > 0)
		.sort((a, b) => b.weight - a.weight)
		.slice(0, mostExplanations)
		.map(({ failure }) => ({
			id: failure.id,
			text: failure.explanation,
			...(failure.look ? { look: failure.look } : {}),
			...(failure.panel ? { panel: failure.panel } : {}),
		}));
}
