import { expect, test } from "vitest";
import { fuzzBlock, fuzzMachine } from "./fuzz.ts";

/**
 * Random MMIO accesses and descriptor chains, from seeds. A short run in the gate; `FUZZ_SECONDS=600` runs longer, from
 * `FUZZ_SEED` on (default: 1, so that runs can be repeated). A failure prints its seed: run it with FUZZ_SEED=that.
 */
const seconds = Number(process.env.FUZZ_SECONDS ?? 0);
const firstSeed = Number(process.env.FUZZ_SEED ?? 1);
const timeout = 1000 * (seconds + 600);

/** Seeds from `firstSeed` on: at least `least` of them, and as many as fit into half of the time asked for. */
function* seeds(least: number): Generator<number> {
	const end = performance.now() + 500 * seconds;
	for (let n = 0; n < least || performance.now() < end; n++) yield firstSeed + n;
}

test(
	"the block device answers any registers, descriptors and rings without harm",
	() => {
		let tried = 0;
		for (const seed of seeds(150)) {
			expect(fuzzBlock(seed), `FUZZ_SEED=${seed}`).toBeUndefined();
			tried++;
		}
		console.log(`fuzz: block device, ${tried} seeds from ${firstSeed}`);
	},
	timeout,
);

test(
	"a machine under random MMIO accesses neither fails nor forgets its determinism",
	async () => {
		let tried = 0;
		for (const seed of seeds(12)) {
			const hash = await fuzzMachine(seed).catch((error: unknown) => {
				throw new Error(`FUZZ_SEED=${seed}: ${(error as Error).stack}`);
			});
			// Every fourth twice: the time is better spent on new seeds.
			if (seed % 4 === 0) expect(await fuzzMachine(seed), `FUZZ_SEED=${seed}`).toBe(hash);
			tried++;
		}
		console.log(`fuzz: machine, ${tried} seeds from ${firstSeed}`);
	},
	timeout,
);
