import { writeFile } from "node:fs/promises";
import { UserError } from "../common/errors.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { describe, toJUnit } from "../lab/junit.ts";
import type { LabManifest, LabTest } from "../lab/manifest.ts";
import { findTest, runLab } from "../lab/runner.ts";
import type { Verdict } from "../lab/verdict.ts";
import { openCatalog } from "./assets.ts";
import { buildForCli } from "./build.ts";
import { exitCodes } from "./exitCodes.ts";
import { breathe, createMachine, observe } from "./machine.ts";
import { buildOptions, machineOptions, machineParams, parse, toolchainKind, wholeNumber } from "./options.ts";

const usage = "test [--dir DIR] [--lab ID] [--test ID]… [--junit FILE] [--json] [--seeds N] [--shard i/n]";

/** `xv6-lab test`: every test of the lab, with verdicts; exit 0 only if all pass. */
export async function runTest(argv: string[]): Promise<number> {
	const options = {
		...machineOptions,
		...buildOptions,
		dir: { type: "string" },
		lab: { type: "string" },
		test: { type: "string", multiple: true },
		task: { type: "string", multiple: true },
		junit: { type: "string" },
		json: { type: "boolean" },
		seeds: { type: "string" },
		shard: { type: "string" },
	} as const;
	const { values } = parse(argv, options, usage);
	const dir = values.dir ?? ".";
	const catalog = openCatalog();
	const manifest = values.lab ? await catalog.manifest(values.lab) : await catalog.labOf(new NodeTree(dir));
	if (!manifest) {
		throw new UserError(
			"lab-not-found",
			`${dir} belongs to no lab`,
			"Name one with --lab ID; xv6-lab new --list lists them.",
		);
	}
	const tests = shard(select(manifest, values.test, values.task), values.shard);
	const output = await buildForCli(dir, { toolchain: toolchainKind(values.toolchain), quiet: true });
	const params = machineParams(values);
	const first = params.seed ?? 0;
	const seeds = values.seeds === undefined ? 1 : wholeNumber(values.seeds, "--seeds", 1, 10_000);
	const verdicts: Verdict[] = [];
	for (let seed = first; seed < first + seeds; seed++) {
		const harts = params.harts ?? output.wish.harts;
		verdicts.push(
			...(await runLab({
				manifest,
				tree: new NodeTree(dir),
				tests,
				harts,
				seed,
				createMachine: async () => (await createMachine(output, { ...params, seed })).machine,
				observe: (machine) => observe(machine, output, manifest),
				breathe,
				onVerdict: (verdict) => {
					if (!values.json && verdict.outcome !== "not-begun") process.stdout.write(line(verdict, seeds > 1));
				},
			})),
		);
	}
	if (values.json) process.stdout.write(`${JSON.stringify(verdicts, undefined, "\t")}\n`);
	if (values.junit) await writeReport(values.junit, toJUnit(verdicts));
	if (!values.json) process.stdout.write(summary(verdicts));
	return verdicts.every((verdict) => verdict.outcome === "passed") ? exitCodes.done : exitCodes.failed;
}

/** The counts; before them, in one line each, the tasks that the student has not come to. */
function summary(verdicts: readonly Verdict[]): string {
	const unbegun = new Map<string, number>();
	const counts = { passed: 0, failed: 0, "not-begun": 0, errored: 0 };
	for (const { outcome, reasons } of verdicts) {
		counts[outcome]++;
		const why = reasons[0]?.message ?? "";
		if (outcome === "not-begun") unbegun.set(why, (unbegun.get(why) ?? 0) + 1);
	}
	const tasks = [...unbegun].map(([why, tests]) => `--   ${why} (${tests} ${tests === 1 ? "test" : "tests"})\n`);
	const rest = counts["not-begun"] > 0 ? `, ${counts["not-begun"]} not begun` : "";
	return `${tasks.join("")}${counts.passed} passed, ${counts.failed + counts.errored} failed${rest}\n`;
}

function select(manifest: LabManifest, ids: string[] | undefined, tasks: string[] | undefined): readonly LabTest[] {
	if (ids) return ids.map((id) => findTest(manifest, id));
	return tasks ? manifest.tests.filter((test) => tasks.includes(test.task)) : manifest.tests;
}

/** `i/n`, i from 1: every n-th test, for graders that spread a class over machines. */
function shard(tests: readonly LabTest[], text: string | undefined): readonly LabTest[] {
	if (text === undefined) return tests;
	const match = /^(\d+)\/(\d+)$/.exec(text);
	const [index, count] = [Number(match?.[1]), Number(match?.[2])];
	if (!match || index < 1 || index > count) {
		throw new UserError("usage", `--shard ${text} is not a part`, "Write i/n with i from 1 to n.");
	}
	return tests.filter((_, i) => i % count === index - 1);
}

function line(verdict: Verdict, withSeed: boolean): string {
	const sign = verdict.outcome === "passed" ? "ok  " : verdict.outcome === "failed" ? "FAIL" : "ERR ";
	const seed = withSeed ? ` (seed ${verdict.seed})` : "";
	const head = `${sign} ${verdict.task.padEnd(3)} ${verdict.title}${seed}\n`;
	if (verdict.outcome === "passed") return head;
	return `${head}${describe(verdict).replace(/^/gm, "     ")}\n`;
}

async function writeReport(file: string, text: string): Promise<void> {
	try {
		await writeFile(file, text);
	} catch (error) {
		throw new UserError(
			"file-unwritable",
			`Cannot write ${file}: ${(error as Error).message}`,
			"Choose another place.",
		);
	}
}
