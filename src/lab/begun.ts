import type { LabManifest } from "./manifest.ts";
import { Pattern } from "./pattern.ts";
import { filesOf, type NamedSources } from "./sources.ts";
import type { Verdict } from "./verdict.ts";

/**
 * Why each task that the student has not come to does not look begun, by its id. A task says by `begun` what its first step leaves in the
 * sources; the tasks after one that is not begun are not begun either. A file that is not there tells nothing. Somebody may give the same
 * thing another name, so the words say what it looks like, and the failure itself comes after them.
 */
export function unbegunTasks(manifest: LabManifest, sources: NamedSources): ReadonlyMap<string, string> {
	const unbegun = new Map<string, string>();
	let first: string | undefined;
	for (const { id, begun } of manifest.tasks) {
		const texts = begun ? filesOf(begun, sources).flatMap((file) => sources.get(file) ?? []) : [];
		if (first) unbegun.set(id, `Task ${id} does not look begun: it comes after ${first}`);
		else if (begun && texts.length > 0 && !texts.some((text) => new Pattern(begun.has).test(text))) {
			unbegun.set(id, `Task ${id} does not look begun: ${begun.missing}`);
			first = `task ${id}, for which ${begun.missing}`;
		}
	}
	return unbegun;
}

/** A failed test of a task that is not begun says so before all else. One that passes has passed, whatever the sources look like. */
export function markUnbegun(verdict: Verdict, unbegun: ReadonlyMap<string, string>): Verdict {
	const message = unbegun.get(verdict.task);
	if (message === undefined || verdict.outcome === "passed" || verdict.outcome === "not-checked") return verdict;
	return { ...verdict, outcome: "not-begun", reasons: [{ kind: "not-begun", message }, ...verdict.reasons] };
}
