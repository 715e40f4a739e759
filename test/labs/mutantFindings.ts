import type { Verdict } from "../../src/lab/verdict.ts";
import type { FindingId } from "../../src/protocol/kernelModel.ts";

/** What names a wrong solution in the inspector: a finding, with words of its sentence where the id says little; or where memory does not show it, something else that a student sees. */
export type Named =
	| FindingId
	| `${FindingId}: ${string}`
	| { readonly why: string; readonly fault?: RegExp; readonly explanation?: string };

/** By lab and mutant; every mutant has its line. */
export const mutantFindings: Readonly<Record<string, Readonly<Record<string, Named>>>> = {
	"hw5-anonymous-mmap": {
		"absent-page-not-skipped": "kernel-panic: in uvmcopyshared",
		"cause-zero": "kernel-panic: in exit",
		"exec-keeps-regions": "leaf-left-behind",
		"family-frame-each-zeroed": "family-frames-differ",
		"family-half-linked": "kernel-panic: its own load of 0x7f8",
		"family-not-mapped": "family-frames-differ",
		"fault-not-rounded": "kernel-panic: in mappages",
		"flags-as-permissions": "fault-loop",
		"length-as-end": "fault-refused",
		"length-zero": "kernel-panic: in mmap(0x0, 60",
		"list-of-private-region": "kernel-panic: its own load of 0x0",
		"load-fault-forgotten": "fault-refused",
		"lock-kept": "kernel-panic: in acquire",
		"maps-itself-twice": "kernel-panic: in mappages",
		"no-fault-branch": "fault-refused",
		"no-user-bit": "fault-loop",
		"private-frames-never-freed": "frame-leaked",
		"private-shared": "private-frame-shared",
		"regions-not-freed": "leaf-left-behind",
		"shared-copied": "family-frames-differ",
		"shared-frames-always-freed": "freed-while-mapped",
		"start-not-rounded": "region-misplaced",
		"still-valid-after-munmap": "region-left-behind",
		"top-not-copied-in-fork": "kernel-panic: in walk",
		"top-not-lowered": "region-misplaced",
		"untouched-page-unmapped": "kernel-panic: in uvmunmap",
		"copyin-of-untouched-page": {
			why: "write() returns -1 and leaves memory as it is",
			explanation: "test-failed",
		},
		"system-call-missing": { why: "no memory is touched", explanation: "unknown-syscall" },
		"table-not-copied": {
			why: "a child without regions is a child that never had any: its fault hits nothing",
			fault: /load 0x3fffffd030, nothing is there: refused, process killed/,
		},
	},
};

/** Whether the verdicts of a mutant's failed tests show what names it. */
export function isNamed(named: Named, verdicts: readonly Verdict[]): boolean {
	if (typeof named === "string") {
		const [id, words] = named.split(": ");
		return verdicts.some(({ findings }) =>
			findings.some((finding) => finding.id === id && finding.sentence.includes(words ?? "")),
		);
	}
	const { fault, explanation } = named;
	return verdicts.some(
		({ faults, explanations }) =>
			(fault !== undefined && faults.some(({ text }) => fault.test(text))) ||
			(explanation !== undefined && explanations.some(({ id }) => id === explanation)),
	);
}
