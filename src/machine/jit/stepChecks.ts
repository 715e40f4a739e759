// Where a region looks whether there are steps enough left: not in each block, but at some, for the longest way from there
// to the next looks or exits. What was executed since is subtracted only where ways end or meet.

import type { Block } from "./region.ts";
import type { Structure } from "./structure.ts";

export interface StepChecks {
	/** Blocks that look: the entry, loop headers, and where a way gets long. */
	readonly looks: readonly boolean[];
	/** Steps of the longest way from a block that looks. */
	readonly needed: readonly number[];
	/** Blocks before which all steps are subtracted: those that look, and merge points. */
	readonly settled: readonly boolean[];
	/** Steps made but not subtracted when a block begins. */
	readonly before: readonly number[];
}

/** Longer ways would leave too much of a slice's end to the interpreter. */
const wayMax = 80;

/** Of a region's blocks in the structure's order; steps are instructions. */
export function stepChecks(blocks: readonly Block[], { successors, isLoop, isMerge, order }: Structure): StepChecks {
	const looks = order.map((_, index) => index === 0 || isLoop[index] === true);
	const settled = order.map((_, index) => looks[index] === true || isMerge[index] === true);
	const before = order.map(() => 0);
	/** Steps of the longest way from a look to the block. */
	const way = order.map(() => 0);
	const length = (index: number) => blocks[index]?.instructions.length ?? 0;
	// In reverse post-order the forward predecessors of a block come before it.
	successors.forEach((targets, from) => {
		if ((way[from] as number) + length(from) > wayMax && !looks[from] && (way[from] as number) > 0) {
			looks[from] = true;
			settled[from] = true;
		}
		const since = (looks[from] ? 0 : (way[from] as number)) + length(from);
		const pending = (settled[from] ? 0 : (before[from] as number)) + length(from);
		for (const to of targets) {
			if (to <= from) continue;
			way[to] = Math.max(way[to] as number, since);
			before[to] = pending;
		}
	});
	settled.forEach((is, index) => {
		if (is) before[index] = 0;
	});
	const needed = order.map((_, index) => length(index));
	for (let from = order.length - 1; from >= 0; from--) {
		for (const to of successors[from] ?? []) {
			if (to > from && !looks[to])
				needed[from] = Math.max(needed[from] as number, length(from) + (needed[to] as number));
		}
	}
	return { looks, needed, settled, before };
}
