import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, describe, expect, test } from "vitest";
import { applyPatch } from "../../src/lab/patch.ts";
import type { Verdict } from "../../src/protocol/verdict.ts";
import { build, catalog, closeToolchains, judgeOutput, repository } from "../support/lab.ts";
import { isNamed, mutantFindings, type Named } from "./mutantFindings.ts";

afterAll(closeToolchains);

/** A wrong solution as a small patch of the reference, and the known failure that must explain it. */
const mutantSchema = v.object({
	lab: v.string(),
	/** Folder under the lab's solution/. */
	base: v.string(),
	/** Ids of the lab's tests that show the symptom. */
	tests: v.array(v.string()),
	/** Matched against the console of at least one of them. */
	symptom: v.optional(v.string()),
	/** Id of the known failure in lab.json. */
	explanation: v.string(),
	/** Every failing test has to name it before all others. */
	first: v.optional(v.boolean()),
	harts: v.optional(v.number()),
	/** A race: as many schedules are tried, until one shows it. */
	seeds: v.optional(v.number()),
	/** What it shows hangs on the compiler: tried with this machine's, too. */
	compilers: v.optional(v.boolean()),
});

const gcc = "riscv64-unknown-elf-gcc";
const hasGcc = spawnSync(gcc, ["--version"]).status === 0;
if (!hasGcc)
	console.log(`NOT RUN, ${gcc} not installed. Not tested: mutants whose symptom hangs on the compiler, with it.`);

const folder = join(repository, "test/labs/mutants");
const labs = existsSync(folder) ? readdirSync(folder) : [];

test("there are mutants of every lab that has known wrong solutions", () => {
	expect(labs).toEqual(expect.arrayContaining(["cs326-shared-page", "hw5-anonymous-mmap"]));
});

function read(lab: string, name: string): v.InferOutput<typeof mutantSchema> {
	return v.parse(mutantSchema, JSON.parse(readFileSync(join(folder, lab, name, "mutant.json"), "utf8")));
}

async function check(lab: string, name: string, compiler: "bundled" | "host"): Promise<void> {
	const mutant = read(lab, name);
	const files = await catalog.workspace(mutant.lab, mutant.base);
	const patched = applyPatch(files, readFileSync(join(folder, lab, name, "mutant.patch"), "utf8"));
	const manifest = await catalog.manifest(mutant.lab);
	const tests = manifest.tests.filter((candidate) => mutant.tests.includes(candidate.id));
	expect(tests.length).toBe(mutant.tests.length);
	const output = await build(patched, compiler);
	let failed: readonly Verdict[] = [];
	for (let seed = 0; seed < (mutant.seeds ?? 1) && failed.length === 0; seed++) {
		const verdicts = await judgeOutput(output, manifest, { tests, harts: mutant.harts ?? 1, seed, files: patched });
		failed = verdicts.filter((verdict) => verdict.outcome !== "passed");
	}
	expect(
		failed.map((verdict) => verdict.test),
		"the mutant passes",
	).not.toEqual([]);
	if (mutant.symptom) {
		const shown = failed.some((verdict) => new RegExp(mutant.symptom as string, "m").test(verdict.actual));
		expect(shown, failed.map((verdict) => verdict.actual).join("\n---\n")).toBe(true);
	}
	const explained = failed.flatMap((verdict) => verdict.explanations.map((explanation) => explanation.id));
	expect(explained).toContain(mutant.explanation);
	if (mutant.first) {
		const named = failed.map((verdict) => `${verdict.test}: ${verdict.explanations[0]?.id}`);
		expect(named).toEqual(failed.map((verdict) => `${verdict.test}: ${mutant.explanation}`));
	}
	const named = mutantFindings[lab]?.[name];
	expect(named, `${name} has no line in mutantFindings.ts`).toBeDefined();
	const seen = failed.flatMap((verdict) => verdict.findings.map((finding) => `${finding.id}: ${finding.sentence}`));
	expect(isNamed(named as Named, failed), seen.join("\n")).toBe(true);
}

for (const lab of labs) {
	const names = readdirSync(join(folder, lab));

	describe(`mutants of ${lab}`, () => {
		test.each(names)("%s shows its symptom and is explained", (name) => check(lab, name, "bundled"));

		test.skipIf(!hasGcc).each(names.filter((name) => read(lab, name).compilers))(
			`%s does so with ${gcc}, too`,
			(name) => check(lab, name, "host"),
		);
	});
}
