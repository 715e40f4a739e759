import type { FindingId } from "../../src/protocol/kernelModel.ts";
import type { Verdict } from "../../src/protocol/verdict.ts";

/** What names a wrong solution in the inspector: a finding, with words of its sentence where the id says little; or where memory does not show it, something else that a student sees. */
export type Named =
	| FindingId
	| `${FindingId}: ${string}`
	| { readonly why: string; readonly fault?: RegExp; readonly explanation?: string };

/** By lab and mutant; every mutant has its line. */
export const mutantFindings: Readonly<Record<string, Readonly<Record<string, Named>>>> = {
	"cs326-shared-page": {
		"2-always-freed": "freed-while-mapped",
		"2-always-writable": "writable-read-only-region",
		"2-exec-keeps-regions": "leaf-left-behind",
		"2-exit-keeps-regions": "leaf-left-behind",
		"2-first-page-freed": { why: "stale pointers of the region lead to the frames", explanation: "frame-leaked" },
		"2-fork-without-count": "refcount-mismatch",
		"2-fork-without-regions": {
			why: "a child without regions is a child that never had any: its fault hits nothing",
			fault: /nothing is there: refused, process killed/,
		},
		"2-heap-over-region": "kernel-panic: in mappages",
		"2-name-ignored": {
			why: "one region at two addresses is right in a process that asked twice for its name",
			explanation: "names-mixed",
		},
		"2-name-never-found": { why: "two regions with one name are two right regions", explanation: "name-lost" },
		"2-kept-after-munmap": "region-misplaced",
		"2-length-zero": "region-misplaced",
		"2-mappings-never-full": "leaf-left-behind",
		"2-munmap-inside": { why: "only the result of a call is wrong", explanation: "test-failed" },
		"2-no-lock": { why: "what a race leaves behind differs with the schedule", explanation: "raced" },
		"2-no-memory-unchecked": "kernel-panic: in kfree",
		"2-not-undone": "leaf-left-behind",
		"2-one-address-per-region": "kernel-panic: in uvmunmap",
		"2-place-in-heap": "kernel-panic: in mappages",
		"2-places-overlap": "kernel-panic: in mappages",
		"2-regions-never-full": "frame-leaked",
		"2-rounded-before-checked": { why: "only the result of a call is wrong", explanation: "test-failed" },
		"address-alone": "kernel-panic: in uvmunmap",
		"address-in-uvmcopy": {
			why: "a page above sz that the child has not is no error of memory",
			fault: /load 0x4000000.*refused, process killed/,
		},
		"always-kfree": "freed-while-mapped",
		"any-address": "leaf-left-behind",
		"child-gets-a-copy": "refcount-mismatch",
		"count-below-zero": "refcount-mismatch",
		"entry-not-looked-at": "kernel-panic: in uvmunmap",
		"fork-goes-on": { why: "the child's fault hits nothing", fault: /load 0x4000000.*refused, process killed/ },
		"fork-not-handled": {
			why: "a page above sz that the child has not is no error of memory",
			fault: /load 0x4000000.*refused, process killed/,
		},
		"fork-without-count": "refcount-mismatch",
		"freed-twice": "freed-while-mapped",
		"heap-over-page": "kernel-panic: in mappages",
		"left-at-exit": "leaf-left-behind",
		"lock-kept": "kernel-panic: in sched",
		"lock-kept-on-second-call": "kernel-panic: in acquire",
		"lock-kept-when-killed": "kernel-panic: in acquire",
		"lock-taken-twice": "kernel-panic: in acquire",
		"missing-initlock": "kernel-panic: in acquire",
		"never-freed": "frame-leaked",
		"no-lock": "leaf-left-behind",
		"no-memory-unchecked": "kernel-panic: in kfree",
		"no-user-bit": {
			why: "an entry without U is right for other pages",
			fault: /store 0x4000000.*refused, process killed/,
		},
		"no-user-bit-in-fork": {
			why: "an entry without U is right for other pages",
			fault: /load 0x4000000.*refused, process killed/,
		},
		"no-way-back-in-mmap": { why: "the kernel still points to the page that nobody has", explanation: "nomemory-lost" },
		"not-zeroed": { why: "a store into the page hides that the rest is junk", explanation: "not-zeroed" },
		"second-mmap-counts": "refcount-mismatch",
		"second-mmap-maps": "kernel-panic: in mappages",
		"size-set-too-late": "kernel-panic: freewalk",
		"system-call-missing": { why: "no memory is touched", explanation: "unknown-syscall" },
	},
	"hw5-anonymous-mmap": {
		"absent-page-not-skipped": "kernel-panic: in uvmcopyshared",
		"cause-zero": "kernel-panic: in exit",
		"copy-undone-from-zero": "kernel-panic: in fork()",
		"epc-not-advanced": { why: "one process that does one system call for ever", explanation: "epc-not-advanced" },
		"epc-set-to-4": { why: "one process that does one system call for ever", explanation: "epc-not-advanced" },
		"exec-keeps-regions": "leaf-left-behind",
		"failed-fork-in-family": "kernel-panic: in fork()",
		"family-frame-each-zeroed": "family-frames-differ",
		"family-half-linked": "kernel-panic: its own load of 0x7f8",
		"family-not-mapped": "family-frames-differ",
		"fault-not-killed": "fault-loop",
		"fetchaddr-below-size": { why: "exec returns -1 and leaves memory as it is", explanation: "exec-argument" },
		"frame-kept-when-mappages-fails": "frame-leaked",
		"frame-lost-when-killed": "frame-leaked",
		"fault-without-family-lock": "kernel-panic",
		"flags-unchecked": { why: "only the result of a call is wrong", explanation: "test-failed" },
		"fork-without-family-lock": "kernel-panic: in mappages",
		"fault-not-rounded": "kernel-panic: in mappages",
		"flags-as-permissions": "fault-loop",
		"freewalk-panic-silenced": "frame-leaked",
		"lazy-sbrk-not-copied": "kernel-panic: in uvmcopy",
		"last-member-frees": {
			why: "stale pointers on kernel stacks lead to the frames",
			explanation: "frames-of-one-member",
		},
		"length-as-end": "fault-refused",
		"length-as-int": { why: "only the result of a call is wrong", explanation: "length-cut" },
		"length-cut": { why: "only the result of a call is wrong", explanation: "length-cut" },
		"length-unchecked": "kernel-panic: in mapvpages",
		"length-zero": "kernel-panic: in mmap(0x0, 60",
		"list-of-private-region": "kernel-panic: its own load of 0x0",
		"lists-not-initialised": "kernel-panic: in acquire",
		"lists-not-given-back": { why: "no memory is lost, only numbers", explanation: "lists-lost" },
		"load-fault-forgotten": "fault-refused",
		"lock-kept": "kernel-panic: in acquire",
		"lock-kept-without-memory": "kernel-panic: in sched",
		"maps-itself-twice": "kernel-panic: in mappages",
		"minus-one-unchecked": { why: "a wild pointer of the program", explanation: "mmap-minus-one" },
		"munmap-any-length": { why: "only the result of a call is wrong", explanation: "test-failed" },
		"munmap-inside": { why: "only the result of a call is wrong", explanation: "test-failed" },
		"munmap-without-family-lock": "leaf-left-behind",
		"no-fault-branch": "fault-refused",
		"node-never-removed": "kernel-panic: its own load of 0x7f8",
		"no-memory-unchecked": "kernel-panic: in freewalk",
		"no-user-bit": "fault-loop",
		"private-frames-never-freed": "frame-leaked",
		"private-shared": "private-frame-shared",
		"regions-not-freed": "leaf-left-behind",
		"remap-panic-silenced": "frame-leaked",
		"shared-copied": "family-frames-differ",
		"shared-frames-always-freed": "freed-while-mapped",
		"shared-copy-undone-freed": { why: "freed for a moment only: the test ends", explanation: "nomemory-wrong" },
		"start-not-rounded": "region-misplaced",
		"store-fault-forgotten": "fault-refused",
		"still-valid-after-munmap": "region-left-behind",
		"table-never-full": { why: "the region in the entry was its own", explanation: "test-failed" },
		"top-never-set": "kernel-panic: in walk",
		"top-not-copied-in-fork": "kernel-panic: in walk",
		"top-not-lowered": "kernel-panic: in mapvpages",
		"top-not-lowered-seen-at-once": "region-misplaced",
		"untouched-page-unmapped": "kernel-panic: in uvmunmap",
		"valid-left-at-exit": {
			why: "an entry that was valid before the process began is one of its regions",
			explanation: "region-inherited",
		},
		"valid-left-then-fork": "region-misplaced",
		"wild-address-mapped": "leaf-left-behind",
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
