import { renderDiagnoses } from "../../protocol/diagnosis.ts";
import type { StackLine } from "../../protocol/verdict.ts";
import type { FaultRun, Sweep } from "./fault.ts";

/** Runs with one outcome and one cause, in the order of their first. */
interface FaultGroup {
	readonly runs: readonly [FaultRun, ...FaultRun[]];
}

/** Runs in which the same happened at the same place of the code. */
export function groupRuns(runs: readonly FaultRun[]): FaultGroup[] {
	const groups = new Map<string, [FaultRun, ...FaultRun[]]>();
	for (const run of runs) {
		const place = run.calls.slice(0, 2).map(({ name, file, line }) => `${name} ${file ?? ""}:${line ?? ""}`);
		const key =
			run.outcome === "handled" ? "handled" : [run.outcome, run.what.replace(/\d+/g, "#"), ...place].join("\n");
		const group = groups.get(key);
		if (group) group.push(run);
		else groups.set(key, [run]);
	}
	return [...groups.values()].map((group) => ({ runs: group }));
}

const nouns = { kalloc: "call", disk: "request", crash: "write" } as const;

/** `call 3`, `calls 3, 5 to 7 and 9`. */
function numbersOf(sweep: Sweep, { runs }: FaultGroup): string {
	const ranges: [number, number][] = [];
	for (const { at } of runs) {
		const last = ranges.at(-1);
		if (last && last[1] + 1 === at) last[1] = at;
		else ranges.push([at, at]);
	}
	const texts = ranges.map(([from, to]) =>
		from === to ? String(from) : to === from + 1 ? `${from}, ${to}` : `${from} to ${to}`,
	);
	const noun = nouns[sweep.fault.kind];
	if (texts.length > 8) return `${runs.length} ${noun}s, the first ${runs[0].at}`;
	const list = texts.length > 1 ? `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}` : texts[0];
	return `${runs.length > 1 ? `${noun}s` : noun} ${list}`;
}

/** What is wrong with a group, in one sentence. */
export function sentenceOf(sweep: Sweep, group: FaultGroup): string {
	const [run] = group.runs;
	const calls = chainOf(run.calls.slice(0, 3));
	const place = calls !== "" ? ` (kalloc returned 0 to ${calls})` : run.target !== undefined ? ` (${run.target})` : "";
	return `${numbersOf(sweep, group)}${place}: ${run.what}`;
}

/** `uvmcopy (kernel/vm.c:321) ← fork (kernel/proc.c:280)`. */
function chainOf(calls: readonly StackLine[]): string {
	return calls.map(({ name, file, line }) => (file === undefined ? name : `${name} (${file}:${line})`)).join(" ← ");
}

const heads = {
	kalloc: "kalloc returns 0",
	disk: "the disk answers with an error",
	crash: "power is lost after a write",
} as const;
const signs = { handled: "ok  ", failed: "FAIL", unclear: "??  " } as const;

/** A sweep in words; ends with a line end. */
export function renderSweep(sweep: Sweep): string {
	const { fault, command, total, runs, notes, plainFailed } = sweep;
	const noun = nouns[fault.kind];
	const lines = [`${command}: ${heads[fault.kind]}, ${total} ${noun}${total === 1 ? "" : "s"}, ${runs.length} tried`];
	if (plainFailed) lines.push("??   nothing was tried: without a fault the command does not come back to the prompt");
	for (const group of groupRuns(runs)) {
		const [run] = group.runs;
		if (run.outcome === "handled") {
			lines.push(`ok   ${group.runs.length} handled`);
			continue;
		}
		lines.push(`${signs[run.outcome]} ${numbersOf(sweep, group)}: ${run.what}`);
		if (run.target !== undefined) lines.push(`     ${run.target}`);
		if (run.calls.length > 0) {
			lines.push(`     kalloc returned 0 to, innermost first:`);
			for (const { name, file, line } of run.calls)
				lines.push(`       ${name}${file === undefined ? "" : ` (${file}:${line})`}`);
		}
		for (const fact of run.facts) lines.push(`     ${fact}`);
		const why = renderDiagnoses(run.diagnoses);
		if (why !== "") lines.push(why.replace(/^/gm, "     "));
	}
	for (const note of notes) lines.push(`note: ${note}`);
	return `${lines.join("\n")}\n`;
}
