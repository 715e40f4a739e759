import { afterAll, beforeAll, expect, test } from "vitest";
import type { WasiToolchain } from "../../../src/toolchain/types.ts";
import { levels, parseResults, readCorpus, runner } from "./corpus.ts";
import { buildGuest, openCompiler, runGuest } from "./guest.ts";

/** `CSMITH=all` compiles every program at every level; else each program is compiled at one level, which its seed chooses. */
const everything = process.env.CSMITH === "all";
const corpus = readCorpus();
const perBoot = 40;
const cases = levels.flatMap((level, n) => {
	const chosen = corpus.programs.filter(({ seed }) => everything || seed % levels.length === n);
	return Array.from({ length: Math.ceil(chosen.length / perBoot) }, (_, i) => ({
		level,
		from: i * perBoot,
		programs: chosen.slice(i * perBoot, (i + 1) * perBoot),
	}));
});

let toolchain: WasiToolchain;
beforeAll(async () => {
	toolchain = await openCompiler();
});
afterAll(() => toolchain.dispose());

test("the corpus has at least 300 programs", () => {
	expect(new Set(corpus.programs.map(({ source }) => source)).size).toBeGreaterThanOrEqual(300);
});

test.each(cases)("random programs give gcc's results at $level, from $from", async ({ level, programs }) => {
	const units = programs.map(({ seed, source }) => ({
		path: `p${seed}.c`,
		source,
		flags: [level, `-Dmain=program_${seed}`],
	}));
	const image = await buildGuest(toolchain, [...units, { path: "run.c", source: runner(programs), flags: ["-O1"] }]);
	const results = parseResults(await runGuest(image));
	const expected = new Map(programs.map(({ seed, result }) => [seed, result]));
	expect(results).toEqual(expected);
});
