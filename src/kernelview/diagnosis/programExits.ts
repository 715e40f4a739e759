import type { Diagnosis } from "../../protocol/diagnosis.ts";
import type { Evidence } from "./evidence.ts";

/** Expected kills that are told one by one; a program that tests the kernel makes dozens. */
const mostTold = 8;

/**
 * Faults of processes that died as their program meant them to: whoever forked one asked wait() for its status and got it, and the
 * program that was run exited with 0. All of them are one note. The others stay what they are.
 */
export function withoutExpected(evidence: Evidence, faults: readonly Diagnosis[]): Diagnosis[] {
	const { ends } = evidence.recorder;
	const isSuccess = evidence.end.kind === "prompt" && ends.haveSucceeded(evidence.killed.keys());
	const expected = isSuccess ? faults.filter(({ process }) => process !== undefined && ends.isTaken(process.pid)) : [];
	const [first] = expected;
	const program = ends.exits[0]?.name ?? "";
	if (!first) return [...faults];
	const how =
		expected.length === 1
			? "a process, whose exit status its parent took"
			: "processes, whose exit status their parents took";
	const note: Diagnosis = {
		kind: "user-fault",
		severity: "note",
		cause: `The kernel killed ${expected.length === 1 ? how : `${expected.length} ${how}`} with wait(), and ${program} exited with status 0: the program seems to have expected it.`,
		evidence: [
			...expected.slice(0, mostTold).map(({ cause }) => cause),
			...(expected.length > mostTold ? [`and ${expected.length - mostTold} more`] : []),
		],
		frames: [],
		...(first.look ? { look: first.look } : {}),
		effects: [],
		notes: [],
	};
	return [...faults.filter((fault) => !expected.includes(fault)), note];
}

/** A program that says itself that it failed. Why is for it to say: it is the author's word, not a fault that was seen. */
export function exitStatus({ recorder, end }: Evidence): Diagnosis[] {
	if (end.kind !== "prompt" || end.judged) return [];
	return recorder.ends.exits
		.filter(({ status }) => status !== 0)
		.map(({ pid, name, status }) => ({
			kind: "exit-status",
			severity: "note",
			cause: `${name} exited with status ${status}.`,
			process: { pid, name },
			evidence: [],
			frames: [],
			effects: [],
			notes: [],
		}));
}
