import { expect, test } from "vitest";
import { generate } from "./fuzzPrograms.ts";
import { compare, type Way, ways } from "./translatorFuzz.ts";

/**
 * The translator against the interpreter on random programs. Some in the gate; `FULL=1` runs a billion instructions, from
 * `FUZZ_SEED` on. A failure names its seed: `--seed N` of fuzzTranslator.ts finds the instruction.
 */
const instructions = Number(process.env.FUZZ_INSTRUCTIONS ?? (process.env.FULL ? 1_000_000_000 : 30_000_000));
const firstSeed = Number(process.env.FUZZ_SEED ?? 1);
const each = 500_000;
const look = 20_011;

test("a seed makes one program", () => {
	expect(Buffer.from(generate(7).kernel).equals(generate(7).kernel)).toBe(true);
	expect(Buffer.from(generate(7).kernel).equals(generate(8).kernel)).toBe(false);
});

test.each(ways)(
	"$name: random programs end every stretch in the interpreter's state",
	async (way: Way) => {
		let done = 0;
		for (let seed = firstSeed; done < instructions / ways.length; seed++) {
			const result = await compare(seed, way, each, look);
			if (typeof result !== "number") expect.fail(JSON.stringify(result));
			done += result;
		}
		console.log(`translator, ${way.name}: ${done.toLocaleString("en")} instructions agree`);
	},
	3_600_000 * (process.env.FULL ? 4 : 1),
);
