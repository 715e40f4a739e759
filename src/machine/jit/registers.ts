// Which registers a region keeps in locals, which it must load first, and which it must store where it is left. Sets of
// x registers are bit masks.

import { mayLeave, readsOf, writeOf } from "./instruction.ts";
import type { Block } from "./region.ts";
import type { Structure } from "./structure.ts";

export interface RegisterUse {
	/** Kept in locals. */
	readonly used: number;
	/** Loaded when the region is entered. */
	readonly loaded: number;
	/** By block index: what may differ from the hart's state when the block is left at its end or in its middle. */
	readonly dirty: readonly number[];
	/** The same at the moment when the block looks whether there are steps enough left for it. */
	readonly dirtyBefore: readonly number[];
}

const everything: number = -1;

export function registerUse(blocks: readonly Block[], { successors }: Structure): RegisterUse {
	const writes = blocks.map((block) => block.instructions.reduce((set, one) => set | (1 << writeOf(one)), 0) & ~1);
	const mayBefore = blocks.map(() => 0);
	const mustBefore: number[] = blocks.map((_, index) => (index === 0 ? 0 : everything));
	for (let changed = true; changed; ) {
		changed = false;
		successors.forEach((targets, from) => {
			const may = (mayBefore[from] as number) | (writes[from] as number);
			const must = (mustBefore[from] as number) | (writes[from] as number);
			for (const to of targets) {
				const nextMay = (mayBefore[to] as number) | may;
				const nextMust = to === 0 ? 0 : (mustBefore[to] as number) & must;
				if (nextMay === mayBefore[to] && nextMust === mustBefore[to]) continue;
				mayBefore[to] = nextMay;
				mustBefore[to] = nextMust;
				changed = true;
			}
		});
	}
	let used = 0;
	let loaded = 0;
	const dirty: number[] = [];
	const dirtyBefore: number[] = [];
	blocks.forEach((block, index) => {
		const before = mustBefore[index] as number;
		const out = (mayBefore[index] as number) | (writes[index] as number);
		// Left early, a block stores all that it writes, so what it has not reached must hold what it held before.
		const early = block.instructions.some(mayLeave) ? out : (mayBefore[index] as number);
		dirty.push(out & ~1);
		dirtyBefore.push(early & ~1);
		let written = before;
		for (const one of block.instructions) {
			for (const register of readsOf(one)) {
				used |= 1 << register;
				if (!((written >>> register) & 1)) loaded |= 1 << register;
			}
			written |= 1 << writeOf(one);
		}
		used |= out;
		loaded |= out & ~written;
		loaded |= early & ~before;
	});
	return { used: used & ~1, loaded: loaded & ~1, dirty, dirtyBefore };
}
