import { type UnitResult, unitKey } from "./lines.ts";
import { type Results, withoutTimes } from "./results.ts";

export interface Sample {
	readonly units: readonly UnitResult[];
	/** A submission for each kernel of them. */
	readonly sources: readonly string[];
}

/** At least one result; none that a limit has ended, which is no property of its kernel alone. `random`: from 0 to 1. */
export function drawSample(results: Results, fraction: number, random: () => number): Sample {
	const candidates = [...results.units.values()].filter(({ stopped }) => !stopped);
	const wanted = Math.min(candidates.length, Math.max(1, Math.round(candidates.length * fraction)));
	// The first steps of Fisher and Yates's shuffle.
	for (let i = 0; i < wanted; i++) {
		const other = i + Math.floor(random() * (candidates.length - i));
		const [mine, theirs] = [candidates[i], candidates[other]];
		if (mine && theirs) [candidates[i], candidates[other]] = [theirs, mine];
	}
	const units = candidates.slice(0, wanted);
	return { units, sources: sourcesOf(results, units) };
}

/** A submission for each kernel. */
export function sourcesOf(results: Results, units: readonly UnitResult[]): string[] {
	const kernels = new Set(units.map(({ kernel }) => kernel));
	const sources: string[] = [];
	for (const { source, tree } of results.submissions.values()) {
		const kernel = tree === undefined ? undefined : results.builds.get(tree)?.kernel;
		if (kernel !== undefined && kernels.delete(kernel)) sources.push(source);
	}
	return sources;
}

/** A sentence for each thing that came out otherwise. */
export function compareSample({ units, sources }: Sample, results: Results, again: Results): string[] {
	const found: string[] = [];
	const changed = new Set<string>();
	for (const source of sources) {
		const [one, other] = [results.submissions.get(source), again.submissions.get(source)];
		const [tree, now] = [one?.tree ?? "", other?.tree];
		const kernel = results.builds.get(tree)?.kernel;
		if (tree !== now)
			found.push(`${source} is another tree than the one that was judged${other?.problem ? `: ${other.problem}` : ""}`);
		else if (kernel === again.builds.get(tree)?.kernel) continue;
		else found.push(`${source} builds another kernel than the one that was judged`);
		if (kernel !== undefined) changed.add(kernel);
	}
	for (const unit of units) {
		if (changed.has(unit.kernel)) continue;
		const other = again.units.get(unitKey(unit));
		const what = `${unit.test} (${unit.strategy}) of kernel ${unit.kernel}`;
		if (!other) found.push(`${what} was not run again`);
		else if (other.stateHash !== unit.stateHash)
			found.push(`${what} ends in state ${other.stateHash}, not ${unit.stateHash}`);
		else if (withoutTimes(other) !== withoutTimes(unit))
			found.push(`${what} has another verdict: ${other.outcome}, not ${unit.outcome}`);
	}
	return found;
}
