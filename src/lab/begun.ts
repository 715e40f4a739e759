import type { Verdict } from "../protocol/verdict.ts";
import type { LabManifest } from "./manifest.ts";
import { Pattern } from "./pattern.ts";
import { filesOf, type NamedSources } from "./sources.ts";

/**
 * Why each task that the student has not come to does not look begun, by its id. A task says by `begun` what its first step leaves in the
 * sources; the tasks after one that is not begun are not begun either. A file that is not there tells nothing. Who gives a task's things
 * other names than the handout does so in later tasks, too: nothing is said of them.
 */
export function unbegunTasks(manifest: LabManifest, sources: NamedSources): ReadonlyMap<string, string> {
	const unbegun = new Map<string, string>();
	let first: string | undefined;
	for (const { id, begun } of manifest.tasks) {
		const texts = begun ? filesOf(begun, sources).flatMap((file) => sources.get(file) ?? []) : [];
		const have = (pattern: string) => texts.some((text) => new Pattern(pattern).test(text));
		if (first) unbegun.set(id, `Task ${id} does not look begun: it comes after ${first}`);
		else if (begun && texts.length > 0 && !have(begun.has)) {
			if (begun.otherwise !== undefined && have(begun.otherwise)) break;
			unbegun.set(id, `Task ${id} does not look begun: ${begun.missing}`);
			first = `task ${id}, for which ${begun.missing}`;
		}
	}
	return unbegun;
}

/** A failed test of a task that is not begun says so before all else. */
export function markUnbegun(verdict: Verdict, unbegun: ReadonlyMap<string, string>): Verdict {
	const message = unbegun.get(verdict.task);
	if (message === undefined || !isFailure(verdict)) return verdict;
	return { ...verdict, outcome: "not-begun", reasons: [{ kind: "not-begun", message }, ...verdict.reasons] };
}

const isFailure = ({ outcome, reasons }: Verdict) =>
	outcome !== "passed" && outcome !== "not-checked" && reasons[0]?.kind !== "boot";

/**
 * Tells verdicts as they come. Failures of tasks that do not look begun wait for the others: a task one of whose own tests passes is
 * begun, whatever its sources look like, and the names that were looked for say nothing in this tree. Tests that pass on a tree without
 * the task (`early`) do not count.
 */
export class Verdicts {
	/** In the order in which the tests ran. */
	private readonly all: Verdict[] = [];
	private readonly held = new Set<number>();
	private readonly early: ReadonlySet<string>;

	constructor(
		manifest: LabManifest,
		private unbegun: ReadonlyMap<string, string>,
		private readonly deliver: (verdict: Verdict) => void,
	) {
		this.early = new Set(manifest.tests.filter(({ early }) => early).map(({ id }) => id));
	}

	add(verdict: Verdict): void {
		const { outcome, task, test } = verdict;
		const isSuspect = this.unbegun.has(task);
		const index = this.all.push(verdict) - 1;
		if (isSuspect && isFailure(verdict)) {
			this.held.add(index);
			return;
		}
		if (isSuspect && outcome === "passed" && !this.early.has(test)) {
			this.unbegun = new Map();
			this.release();
		}
		this.deliver(verdict);
	}

	/** No more will come. */
	end(): Verdict[] {
		this.release();
		return this.all;
	}

	private release(): void {
		for (const index of this.held) {
			const marked = markUnbegun(this.all[index] as Verdict, this.unbegun);
			this.all[index] = marked;
			this.deliver(marked);
		}
		this.held.clear();
	}
}
