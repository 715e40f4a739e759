// Where a region looks whether there are steps enough left: not in each block, but at heads, for the longest way from there
// to the next heads or exits. What was executed since is known at each place, so it is subtracted only where a way ends.

import type { Block } from "./region.ts";
import type { Structure } from "./structure.ts";

export interface StepChecks {
	/** Blocks that look: the entry, loop headers, merge points, and where a way gets long. */
	readonly isHead: readonly boolean[];
	/** Steps of the longest way from a head. */
	readonly needed: readonly number[];
	/** Steps made since the last head when a block begins. */
	readonly before: readonly number[];
}

/** Longer ways would leave too much of a slice's end to the interpreter. */
const wayMax = 40;

export function stepChecks(blocks: readonly Block[], { successors, isLoop, isMerge, order }: Structure): StepChecks {
	const isHead = order.map((_, index) => index === 0 || isLoop[index] === true || isMerge[index] === true);
	const before = order.map(() => 0);
	const length = (index: number) => blocks[index]?.instructions.length ?? 0;
	// In reverse post-order the one forward predecessor of a block that is no head comes before it.
	successors.forEach((targets, from) => {
		const after = (isHead[from] ? 0 : (before[from] as number)) + length(from);
		for (const to of targets) {
			if (to <= from || isHead[to]) continue;
			if (after + length(to) > wayMax) isHead[to] = true;
			else before[to] = after;
		}
	});
	const needed = order.map((_, index) => length(index));
	for (let from = order.length - 1; from >= 0; from--) {
		for (const to of successors[from] ?? []) {
			if (to > from && !isHead[to])
				needed[from] = Math.max(needed[from] as number, length(from) + (needed[to] as number));
		}
	}
	return { isHead, needed, before };
}
