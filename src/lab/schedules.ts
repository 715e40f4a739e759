import type { Schedule } from "../machine/schedule.ts";

/** Seeds below this are a machine's from power-on: races of the boot are theirs to find. */
const seedsOfBoot = 3;

/**
 * Harts that wait in wfi wake up by themselves once in so many rounds, as the privileged ISA allows: without it a short
 * program runs on one hart, whatever the seed, because the others sleep until their next timer tick.
 */
const wakeEvery = 8;

/** The seed that the machine boots with, for a test with this seed. */
export function bootSeed(seed: number): number {
	return seed < seedsOfBoot ? seed : 0;
}

/** What the test runs by once its machine has booted; undefined: as it booted. A function of the seed alone. */
export function testSchedule(seed: number): Schedule | undefined {
	return seed < seedsOfBoot ? undefined : { kind: "seeded", seed, wakeEvery };
}

/** Neighbours that can share one booted machine; all seeds, in their order. */
export function seedsByBoot(seeds: readonly number[]): number[][] {
	const groups: number[][] = [];
	for (const seed of seeds) {
		const last = groups.at(-1);
		if (last?.[0] !== undefined && testSchedule(last[0]) && testSchedule(seed)) last.push(seed);
		else groups.push([seed]);
	}
	return groups;
}
