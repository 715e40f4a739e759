import { expect, test } from "vitest";
import { fuzzClasses, runCase } from "../../fuzz/classes.ts";
import { damageBytes } from "../../fuzz/mutate.ts";
import { Random } from "../../support/random.ts";

/** Seeds that found something once. */
const finds: Readonly<Record<string, readonly number[]>> = {};

for (const [name, kind] of Object.entries(fuzzClasses)) {
	test(`${name} (${kind.about}): some cases, and every one that found something`, async () => {
		for (let seed = 1; seed <= kind.sample; seed++) await runCase(kind, new Random(seed));
		for (const seed of finds[name] ?? []) await runCase(kind, new Random(seed));
	});
}

test("a seed makes one case", () => {
	const bytes = new Uint8Array(1000).map((_, i) => i);
	expect(damageBytes(new Random(5), bytes)).toEqual(damageBytes(new Random(5), bytes));
	expect(damageBytes(new Random(5), bytes)).not.toEqual(bytes);
});

test("what is no refusal in words is a find", async () => {
	const broken = { about: "", sample: 1, run: () => Promise.reject(new TypeError("x is undefined")) };
	await expect(runCase(broken, new Random(1))).rejects.toThrow("x is undefined");
});
