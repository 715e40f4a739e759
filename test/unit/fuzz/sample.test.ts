import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { runPerlScript } from "../../../src/build/perlScript.ts";
import { UserError } from "../../../src/common/errors.ts";
import { parseInputLog } from "../../../src/machine/inputLog.ts";
import { parseRecording } from "../../../src/machine/recording.ts";
import { fuzzClasses, runCase } from "../../fuzz/classes.ts";
import { damageBytes } from "../../fuzz/mutate.ts";
import { Random } from "../../support/random.ts";

for (const [name, kind] of Object.entries(fuzzClasses)) {
	test(`${name} (${kind.about}): some cases`, async () => {
		for (let seed = 1; seed <= kind.sample; seed++) await runCase(kind, new Random(seed));
	});
}

test("found: a version that has no text", async () => {
	const version = { toString: null };
	expect(() => parseInputLog(JSON.stringify({ version, records: [] }))).toThrow("it has no version");
	const file = gzipSync(`${JSON.stringify({ magic: "xv6-lab-run", version })}\n`);
	await expect(parseRecording(new Uint8Array(file))).rejects.toThrow("it has no version");
});

test.each(["(".repeat(20_000), "{ ".repeat(20_000), "uc ".repeat(20_000)])(
	"found: a script that nests for ever",
	(nest) => {
		expect(() => runPerlScript(`print ${nest}`, "user/usys.pl")).toThrow(UserError);
		expect(() => runPerlScript(nest, "user/usys.pl")).toThrow(UserError);
	},
);

test("a seed makes one case", () => {
	const bytes = new Uint8Array(1000).map((_, i) => i);
	expect(damageBytes(new Random(5), bytes)).toEqual(damageBytes(new Random(5), bytes));
	expect(damageBytes(new Random(5), bytes)).not.toEqual(bytes);
});

test("what is no refusal in words is a find", async () => {
	const broken = { about: "", sample: 1, run: () => Promise.reject(new TypeError("x is undefined")) };
	await expect(runCase(broken, new Random(1))).rejects.toThrow("x is undefined");
});
