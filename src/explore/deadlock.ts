import type { Held, Point, Suspicion } from "./records.ts";

/** A call of acquire() that has not returned. */
export interface Waiting {
	readonly hart: number;
	readonly lock: number;
	readonly call: Point;
}

/**
 * Harts that wait for each other, at the end of a run: each for a lock that the next one holds. A hart that wants a lock which
 * it holds itself is one of them.
 */
export function deadlocks(waiting: readonly Waiting[], held: (hart: number) => readonly Held[]): Suspicion[] {
	const holder = (lock: number) => waiting.find(({ hart }) => held(hart).some((one) => one.lock === lock));
	const found: Suspicion[] = [];
	const seen = new Set<number>();
	for (const start of waiting) {
		const chain: Waiting[] = [];
		for (let at: Waiting | undefined = start; at && !chain.includes(at); at = holder(at.lock)) chain.push(at);
		const next = holder((chain.at(-1) as Waiting).lock);
		if (next !== start || chain.some(({ hart }) => seen.has(hart))) continue;
		for (const { hart } of chain) seen.add(hart);
		const own = held(start.hart).find((one) => one.lock === start.lock);
		const other = chain.at(-1)?.lock;
		if (own) {
			const taken: Point = { record: own.record, hart: start.hart, pc: own.swap, does: "acquire", size: 0 };
			found.push({ kind: "lock-again", address: start.lock, points: [taken, start.call] });
		} else {
			found.push({
				kind: "deadlock",
				address: start.lock,
				...(other === undefined ? {} : { other }),
				points: chain.map(({ call }) => call),
			});
		}
	}
	return found;
}
