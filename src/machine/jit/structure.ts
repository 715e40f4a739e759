// Control flow of a region as WebAssembly can express it: blocks in reverse post-order, dominators, loop headers, merge
// points (N. Ramsey, "Beyond Relooper", ICFP 2022). Backward edges to a block that does not dominate their source cannot be
// expressed; they leave the region.

interface Graph {
	readonly entry: number;
	/** Nodes are any numbers; edges to unknown ones are ignored. */
	successors(node: number): readonly number[];
	has(node: number): boolean;
}

export interface Structure {
	/** Nodes in reverse post-order; everything below speaks of their indices here. */
	readonly order: readonly number[];
	readonly indexOf: ReadonlyMap<number, number>;
	/** Edges inside the graph, by source; an edge may occur twice. */
	readonly successors: readonly (readonly number[])[];
	/** Immediate dominator; the entry's is itself. */
	readonly dominator: readonly number[];
	/** Children in the dominator tree, ascending. */
	readonly children: readonly (readonly number[])[];
	/** Target of a backward edge that can be expressed. */
	readonly isLoop: readonly boolean[];
	/** More than one forward edge leads here. */
	readonly isMerge: readonly boolean[];
	/** Whether an edge can be expressed. */
	reducible(from: number, to: number): boolean;
}

function reversePostOrder(graph: Graph): number[] {
	const order: number[] = [];
	const visited = new Set([graph.entry]);
	const stack = [{ node: graph.entry, next: 0 }];
	for (let top = stack.at(-1); top; top = stack.at(-1)) {
		const to = graph.successors(top.node)[top.next++];
		if (to === undefined) {
			order.push(top.node);
			stack.pop();
		} else if (graph.has(to) && !visited.has(to)) {
			visited.add(to);
			stack.push({ node: to, next: 0 });
		}
	}
	return order.reverse();
}

/** Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm". */
function dominators(predecessors: readonly (readonly number[])[]): number[] {
	const dominator = new Array<number>(predecessors.length).fill(-1);
	dominator[0] = 0;
	const meet = (a: number, b: number) => {
		let [x, y] = [a, b];
		while (x !== y) {
			while (x > y) x = dominator[x] as number;
			while (y > x) y = dominator[y] as number;
		}
		return x;
	};
	for (let changed = true; changed; ) {
		changed = false;
		for (let node = 1; node < predecessors.length; node++) {
			let best = -1;
			for (const from of predecessors[node] as readonly number[]) {
				if ((dominator[from] as number) >= 0) best = best < 0 ? from : meet(best, from);
			}
			if (dominator[node] !== best) {
				dominator[node] = best;
				changed = true;
			}
		}
	}
	return dominator;
}

export function structure(graph: Graph): Structure {
	const order = reversePostOrder(graph);
	const indexOf = new Map(order.map((node, index) => [node, index]));
	const successors = order.map((node) => graph.successors(node).flatMap((to) => indexOf.get(to) ?? []));
	const predecessors: number[][] = order.map(() => []);
	successors.forEach((targets, from) => {
		for (const to of targets) predecessors[to]?.push(from);
	});
	const dominator = dominators(predecessors);
	const children: number[][] = order.map(() => []);
	for (let node = 1; node < order.length; node++) children[dominator[node] as number]?.push(node);
	const reducible = (from: number, to: number) => {
		if (to > from) return true;
		let at = from;
		while (at > to) at = dominator[at] as number;
		return at === to;
	};
	const isLoop = order.map(() => false);
	const forward = order.map(() => 0);
	successors.forEach((targets, from) => {
		for (const to of targets) {
			if (to > from) forward[to] = (forward[to] as number) + 1;
			else if (reducible(from, to)) isLoop[to] = true;
		}
	});
	return { order, indexOf, successors, dominator, children, isLoop, isMerge: forward.map((n) => n > 1), reducible };
}
