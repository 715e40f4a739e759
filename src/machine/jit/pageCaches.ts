// Which accesses of a region remember the page they were in last, beside the TLB: the check is shorter then, and above all the
// host address does not wait for a TLB entry. That pays for streams, small tables and stack frames; for long strides the
// miss costs more than it saves. The memory is in the core's memory (layout.PAGE_CACHES): in locals it took the host's
// registers away from the guest's.

import * as op from "../core/opcodes.ts";
import { type Instruction, isFloatLoad, isFloatStore, isLoad, isStore } from "./instruction.ts";
import type { Block } from "./region.ts";

const cachesMax = 8;
/** Steps of a pointer that are worth it. */
const strideMax = 512;
/** Accesses by one register that are worth it whatever its strides. */
const accessesMin = 3;
const stores = 32;

/** Loads and stores by the same base register share a cache each; undefined: no such access. */
export function cacheKey(one: Instruction): number | undefined {
	if (isLoad(one.op) || isFloatLoad(one.op)) return one.rs1;
	if (isStore(one.op) || isFloatStore(one.op)) return one.rs1 + stores;
	return undefined;
}

/** Registers that a block moves by long strides, or by strides that are not known, from one of its turns to the next. */
function strided({ instructions }: Block): readonly number[] {
	const written = new Set<number>();
	return instructions.flatMap((one) => {
		const carried = !written.has(one.rd);
		written.add(one.rd);
		if (!carried) return [];
		if (one.op === op.OP_ADD && (one.rd === one.rs1 || one.rd === one.rs2)) return [one.rd];
		return one.op === op.OP_ADDI && one.rd === one.rs1 && Math.abs(one.immediate) > strideMax ? [one.rd] : [];
	});
}

/** Keys of the accesses to cache. */
export function pageCaches(blocks: readonly Block[]): readonly number[] {
	const counts = new Map<number, number>();
	const far = new Set(blocks.flatMap(strided));
	for (const { instructions } of blocks) {
		for (const one of instructions) {
			const key = cacheKey(one);
			if (key !== undefined && one.rs1 !== 0) counts.set(key, (counts.get(key) ?? 0) + 1);
		}
	}
	const stack = 2;
	return [...counts]
		.filter(([key, count]) => {
			const base = key % stores;
			return base === stack || !far.has(base) || count >= accessesMin;
		})
		.sort((a, b) => b[1] - a[1])
		.slice(0, cachesMax)
		.map(([key]) => key);
}
