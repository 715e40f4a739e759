import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import type { LabManifest } from "../../src/lab/manifest.ts";
import { applyPatch } from "../../src/lab/patch.ts";
import { runLab } from "../../src/lab/runner.ts";
import { seedsByBoot } from "../../src/lab/schedules.ts";
import type { Machine } from "../../src/machine/machine.ts";
import type { Verdict } from "../../src/protocol/verdict.ts";
import { build, catalog, closeToolchains, repository } from "../support/lab.ts";

afterAll(closeToolchains);

const lab = "cs326-shared-page";

/** Verdicts with the hash of the machine that each was made on, and how often a machine booted. */
async function judge(output: BuildOutput, manifest: LabManifest, ids: readonly string[], seeds: readonly number[]) {
	let machine: Machine | undefined;
	let boots = 0;
	const hashes: string[] = [];
	const verdicts: Verdict[] = await runLab({
		manifest,
		harts: 8,
		seeds,
		tests: manifest.tests.filter(({ id }) => ids.includes(id)),
		programs: output.programs,
		createMachine: async (harts, seed) => {
			boots++;
			machine = (await createMachine(output, { harts, seed, translator: true })).machine;
			return machine;
		},
		observe: (made) => observe(made, output, manifest),
		breathe,
		onVerdict: () => hashes.push(machine?.stateHash() ?? ""),
	});
	return { verdicts, hashes, boots };
}

test("seeds share a boot, but those that vary the boot itself", () => {
	expect(seedsByBoot([0, 1, 2, 3, 4, 5])).toEqual([[0], [1], [2], [3, 4, 5]]);
	expect(seedsByBoot([9, 10])).toEqual([[9, 10]]);
	expect(seedsByBoot([0])).toEqual([[0]]);
});

test("a lock that is missing is found, and the seed that found it finds it again, alone", async () => {
	const manifest = await catalog.manifest(lab);
	const patch = readFileSync(join(repository, "test/labs/mutants", lab, "no-lock/mutant.patch"), "utf8");
	const output = await build(applyPatch(await catalog.workspace(lab, "1"), patch));
	const seeds = Array.from({ length: 8 }, (_, seed) => seed);
	const tests = ["shm-storm"];
	const together = await judge(output, manifest, tests, seeds);
	expect(together.boots).toBe(4);
	expect(new Set(together.hashes).size).toBe(seeds.length);
	const failed = together.verdicts.findLastIndex(({ outcome }) => outcome === "failed");
	const verdict = together.verdicts[failed];
	expect(verdict, "no seed shows the race").toBeDefined();
	if (!verdict) return;
	const alone = await judge(output, manifest, [verdict.test], [verdict.seed]);
	expect(alone.verdicts).toEqual([verdict]);
	expect(alone.hashes).toEqual([together.hashes[failed]]);
});
