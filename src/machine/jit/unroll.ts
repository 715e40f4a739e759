// Small innermost loops twice over: what each turn costs besides its instructions (the host's own look at its stack limit,
// the check for steps left, what its register allocator moves at the loop's end) is paid once in two turns.

import { byteLoop } from "./byteLoops.ts";
import { type Block, type BlockEnd, type Region, successors } from "./region.ts";
import { type Structure, structure } from "./structure.ts";

/** Instructions of a loop's body. */
const bodyMax = 32;
/** Added to the keys of a loop's blocks for the keys of their copies. */
const copy = 0x10000;

/** The offset in its page of a block or its copy. */
export function offsetOfKey(key: number): number {
	return key < copy ? key : key - copy;
}

export function flowOf({ entry, blocks }: Region): Structure {
	return structure({
		entry,
		successors: (key) => successors(blocks.get(key) as Block),
		has: (key) => blocks.has(key),
	});
}

/** Indices of the blocks of the natural loop of a header. */
function loopOf(header: number, flow: Structure): Set<number> {
	const body = new Set([header]);
	const work: number[] = [];
	const add = (index: number) => {
		if (body.has(index)) return;
		body.add(index);
		work.push(index);
	};
	flow.successors.forEach((targets, from) => {
		if (from >= header && targets.includes(header) && flow.reducible(from, header)) add(from);
	});
	for (let to = work.pop(); to !== undefined; to = work.pop()) {
		flow.successors.forEach((targets, from) => {
			if (targets.includes(to as number)) add(from);
		});
	}
	return body;
}

function retarget(end: BlockEnd, change: (key: number) => number): BlockEnd {
	switch (end.kind) {
		case "jump":
			return { ...end, target: change(end.target) };
		case "branch":
			return { ...end, taken: change(end.taken), next: change(end.next) };
		default:
			return end;
	}
}

/** Turns alternate between the blocks and their copies, which have keys of their own in the result. */
export function unroll(region: Region): Region {
	const flow = flowOf(region);
	const blocks = new Map(region.blocks);
	flow.order.forEach((header, index) => {
		if (!flow.isLoop[index]) return;
		const loop = loopOf(index, flow);
		const keys = new Set([...loop].map((at) => flow.order[at] as number));
		const body = [...keys].map((key) => region.blocks.get(key) as Block);
		const size = body.reduce((sum, block) => sum + block.instructions.length, 0);
		const inner = [...loop].some((at) => at !== index && flow.isLoop[at]);
		if (inner || size > bodyMax || body.some((block) => block.end.kind === "indirect" || byteLoop(block))) return;
		for (const key of keys) {
			const block = region.blocks.get(key) as Block;
			blocks.set(key, { ...block, end: retarget(block.end, (to) => (to === header ? to + copy : to)) });
			const inCopy = (to: number) => (to !== header && keys.has(to) ? to + copy : to);
			blocks.set(key + copy, { ...block, end: retarget(block.end, inCopy) });
		}
	});
	return { entry: region.entry, blocks };
}
