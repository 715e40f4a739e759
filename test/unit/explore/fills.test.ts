import { expect, test } from "vitest";
import { Races } from "../../../src/explore/races.ts";
import type { Suspicion } from "../../../src/explore/records.ts";
import { ShadowPage } from "../../../src/explore/shadow.ts";

const base = 0x8765_4000;
const harts = 3;

/** xorshift32. */
function generator(seed: number): (below: number) => number {
	let state = Math.imul(seed, 0x9e37_79b1) >>> 0 || 1;
	return (below) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
}

/** The same accesses twice: stores in a row as one fill, and one by one. */
function sameReports(seed: number): number {
	const random = generator(seed);
	const told: Suspicion[][] = [[], []];
	const [whole, single] = told.map((list) => new Races((one) => list.push(one))) as [Races, Races];
	const pages = [new ShadowPage(), new ShadowPage()] as const;
	let record = 0;
	// Few words at one end of the page, so that fills meet; a new place for each step, so that no race is left out as known.
	const words = 40;
	for (let i = 0; i < 60; i++) {
		const hart = random(harts);
		const pc = 0x8000_0000 + 4 * (random(4) === 0 ? 1 : i + 2);
		const what = random(8);
		if (what === 0) {
			for (const races of [whole, single]) races.released(hart, 1);
		} else if (what === 1) {
			for (const races of [whole, single]) races.acquired(hart, 1);
		} else if (what < 5) {
			const size = [1, 4, 8][random(3)] as number;
			const step = size === 8 ? 2 : 1;
			const first = random(words);
			const count = 1 + random(Math.ceil((words - first) / step));
			const address = base + first * 4 + (size === 1 ? random(4) : 0);
			whole.fill(pages[0], address, hart, pc, count, record, size);
			for (let k = 0; k < count; k++)
				for (let half = 0; half < step; half++) {
					const at = k === 0 && half === 0 ? address : base + (first + k * step + half) * 4;
					single.access(pages[1], at, hart, pc, 1, record + k, size);
				}
			record += count;
		} else {
			const word = random(words);
			const write = random(3) === 0 ? 1 : 0;
			whole.access(pages[0], base + word * 4, hart, pc, write, record, 4);
			single.access(pages[1], base + word * 4, hart, pc, write, record++, 4);
		}
	}
	expect(told[0], `seed ${seed}`).toEqual(told[1]);
	return told[0]?.length ?? 0;
}

test("a fill is as many stores, whatever comes before and after it", () => {
	let races = 0;
	for (let seed = 1; seed <= 300; seed++) races += sameReports(seed);
	expect(races).toBeGreaterThan(300);
});

test("a page that is filled whole, with interruptions, needs no words of its own", () => {
	const races = new Races(() => {});
	const page = new ShadowPage();
	for (let word = 0, record = 0; word < 1024; word += 16, record += 20)
		races.fill(page, base + word * 4, 0, 0x8000_1000, 16, record, 1);
	expect(page.isBlank).toBe(true);
	expect(page.fills).toHaveLength(1);
});
