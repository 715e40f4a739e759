import type { Covered, SearchProgress } from "./search.ts";

/** `schedule 7 of 50 (racing), 12/s, harts stopped at 34 of 57 places`; `seconds`: since the first one began. */
export function progressText({ done, total, strategy, covered }: SearchProgress, seconds: number): string {
	const now = `schedule ${Math.min(done + 1, total)} of ${total} (${strategy})`;
	const rate = rateOf(done, seconds);
	return `${now}${rate === undefined ? "" : `, ${rate}/s`}${coveredText(covered)}`;
}

/** `, harts stopped at 34 of 57 places`; nothing where there is no place to stop at. */
export function coveredText({ stopped, places }: Covered): string {
	return places === 0 ? "" : `, harts stopped at ${stopped} of ${places} ${places === 1 ? "place" : "places"}`;
}

/** Schedules a second, to two digits; undefined: too early to say. */
export function rateOf(done: number, seconds: number): number | undefined {
	return done > 0 && seconds > 0 ? Number((done / seconds).toPrecision(2)) : undefined;
}
