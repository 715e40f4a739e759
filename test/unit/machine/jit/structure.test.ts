import { expect, test } from "vitest";
import { type Structure, structure } from "../../../../src/machine/jit/structure.ts";

/** A graph from "0>1,2 1>3": its first node is the entry. */
function flowOf(text: string): Structure {
	const edges = new Map<number, number[]>();
	for (const part of text.split(" ")) {
		const [from, to] = part.split(">");
		edges.set(Number(from), to ? to.split(",").map(Number) : []);
	}
	return structure({
		entry: [...edges.keys()][0] as number,
		successors: (node) => edges.get(node) ?? [],
		has: (node) => edges.has(node),
	});
}

/** Nodes for which a flag is set. */
const marked = (flow: Structure, flags: readonly boolean[]) => flow.order.filter((_, index) => flags[index]).sort();
const dominatorOf = (flow: Structure, node: number) =>
	flow.order[flow.dominator[flow.indexOf.get(node) as number] as number];

test("a diamond: the join is a merge point and its dominator is the fork", () => {
	const flow = flowOf("10>20,30 20>40 30>40 40>");
	expect(flow.order[0]).toBe(10);
	expect(marked(flow, flow.isMerge)).toEqual([40]);
	expect(dominatorOf(flow, 40)).toBe(10);
	expect(marked(flow, flow.isLoop)).toEqual([]);
});

test("a loop: its header is no merge point of the backward edge", () => {
	const flow = flowOf("1>2 2>3,4 3>2 4>");
	expect(marked(flow, flow.isLoop)).toEqual([2]);
	expect(marked(flow, flow.isMerge)).toEqual([]);
	const [from, to] = [flow.indexOf.get(3) as number, flow.indexOf.get(2) as number];
	expect(flow.reducible(from, to)).toBe(true);
});

test("a loop of one block, and the entry as a loop", () => {
	const flow = flowOf("1>1,2 2>1,3 3>");
	expect(marked(flow, flow.isLoop)).toEqual([1]);
	expect(dominatorOf(flow, 3)).toBe(2);
});

test("both arms of a branch to one place make a merge point", () => {
	const flow = flowOf("1>2,2 2>");
	expect(marked(flow, flow.isMerge)).toEqual([2]);
});

test("a jump into a loop's middle makes its backward edge leave", () => {
	const flow = flowOf("1>2,3 2>3 3>2,4 4>");
	const [a, b] = [flow.indexOf.get(2) as number, flow.indexOf.get(3) as number];
	const backward = a < b ? flow.reducible(b, a) : flow.reducible(a, b);
	expect(backward).toBe(false);
	expect(marked(flow, flow.isLoop)).toEqual([]);
});

test("edges out of the graph and nodes that are not reached do not count", () => {
	const flow = flowOf("1>2,99 2> 3>2");
	expect(flow.order).toEqual([1, 2]);
	expect(marked(flow, flow.isMerge)).toEqual([]);
});

test("every node but the entry is the child of its dominator, and comes after it", () => {
	const flow = flowOf("1>2,5 2>3,4 3>6 4>6 5>6,7 6>2,8 7>8 8>");
	flow.order.forEach((_, index) => {
		if (index === 0) return;
		const parent = flow.dominator[index] as number;
		expect(parent).toBeLessThan(index);
		expect(flow.children[parent]).toContain(index);
	});
});
