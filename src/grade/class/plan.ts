import type { LabManifest } from "../../lab/manifest.ts";
import type { Unit } from "./lines.ts";
import { judgedTests, type Policy } from "./policy.ts";
import type { Results } from "./results.ts";

/** The first thing that a kernel is tried with. */
export function runUnits(kernel: string, manifest: LabManifest, policy: Policy): Unit[] {
	return judgedTests(manifest, policy).map(({ id }) => ({ kernel, test: id, strategy: "run", seeds: [0, 0] }));
}

/**
 * What follows from the runs: schedules, seeded and directed, for concurrent tests that passed (one that fails has failed), and the detectors for those that
 * were begun.
 */
export function furtherUnits(kernel: string, manifest: LabManifest, policy: Policy, results: Results): Unit[] {
	const units: Unit[] = [];
	for (const { id, concurrent } of judgedTests(manifest, policy)) {
		const run = results.unit({ kernel, test: id, strategy: "run", seeds: [0, 0] });
		if (!concurrent || !run || run.outcome === "not-begun" || run.outcome === "errored") continue;
		const passes = run.outcome === "passed" || (run.outcome === "not-checked" && policy.uncheckedPasses);
		if (policy.seeds > 0 && passes) units.push({ kernel, test: id, strategy: "seeds", seeds: [1, policy.seeds] });
		if (policy.schedules > 0 && passes)
			units.push({ kernel, test: id, strategy: "directed", seeds: [1, policy.schedules] });
		if (policy.detectors !== "off") units.push({ kernel, test: id, strategy: "detectors", seeds: [0, 0] });
	}
	return units;
}

/** Every n-th submission in the order of their names. */
export interface Shard {
	/** From 1. */
	readonly index: number;
	readonly count: number;
}

export function inShard(position: number, { index, count }: Shard): boolean {
	return position % count === index - 1;
}
