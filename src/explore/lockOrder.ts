import type { Held, Point, Suspicion } from "./records.ts";

interface Edge {
	readonly from: string;
	readonly to: string;
	readonly held: Held;
	readonly lock: number;
	readonly point: Point;
}

/** Which classes of locks (locks of one name) were taken while others were held. A cycle is a deadlock that waits for its moment. */
export class LockOrder {
	private readonly edges: Edge[] = [];
	/** Their names: what was taken while which was held. */
	private readonly known = new Map<string, Set<string>>();
	/** Locks of one class, by address: who was held when which was taken. */
	private readonly within = new Map<string, Edge>();
	private readonly ownCycles: Suspicion[] = [];
	private readonly told = new Set<string>();

	/** `handedOn`: locks of what changes its owner in time, as processes do: their order among each other says nothing. */
	constructor(private readonly handedOn: (lock: number) => boolean) {}

	/** A hart that holds `held` took `lock`. */
	took(held: Held, from: string, lock: number, to: string, point: Point): void {
		if (from === to) return this.tookAnother(held, lock, to, point);
		let known = this.known.get(from);
		if (!known) {
			known = new Set();
			this.known.set(from, known);
		}
		if (known.has(to)) return;
		known.add(to);
		this.edges.push({ from, to, held, lock, point });
	}

	/** Two locks of one class need an order, too: by address, say. */
	private tookAnother(held: Held, lock: number, name: string, point: Point): void {
		if (this.handedOn(lock)) return;
		const key = (one: number, other: number) => `${one} ${other}`;
		const there = { from: name, to: name, held, lock, point };
		if (!this.within.has(key(held.lock, lock))) this.within.set(key(held.lock, lock), there);
		const back = this.within.get(key(lock, held.lock));
		if (!back || this.told.has(name)) return;
		this.told.add(name);
		this.ownCycles.push({ kind: "lock-order", address: held.lock, other: lock, points: [back.point, point] });
	}

	/** The shortest cycle through each edge that closes one; each cycle once. */
	cycles(): Suspicion[] {
		const found = new Map<string, Suspicion>();
		for (const edge of this.edges) {
			const back = this.path(edge.to, edge.from);
			if (!back) continue;
			const names = [edge, ...back].map(({ from }) => from);
			const key = [...names].sort().join("\n");
			if (found.has(key)) continue;
			const points = [edge, ...back].map(({ point }) => point);
			found.set(key, { kind: "lock-order", address: edge.held.lock, other: edge.lock, points });
		}
		return [...found.values(), ...this.ownCycles];
	}

	/** Edges from one class to another; none when they are the same. */
	private path(from: string, to: string): readonly Edge[] | undefined {
		const ways = new Map<string, readonly Edge[]>([[from, []]]);
		for (const [name, way] of ways) {
			if (name === to) return way;
			for (const edge of this.edges) {
				if (edge.from === name && !ways.has(edge.to)) ways.set(edge.to, [...way, edge]);
			}
		}
		return undefined;
	}
}
