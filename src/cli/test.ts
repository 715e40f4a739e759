import type { BuildOutput } from "../build/types.ts";
import { UserError } from "../common/errors.ts";
import { visible, visibleLine } from "../common/visible.ts";
import { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { LabExplorer, withExploration } from "../explore/labTests.ts";
import { progressText } from "../explore/progress.ts";
import { type LabCatalog, ownManifest } from "../lab/catalog.ts";
import { CoverageCollector } from "../lab/coverage/collector.ts";
import type { Sweep } from "../lab/faults/fault.ts";
import { renderSweep } from "../lab/faults/report.ts";
import { describe, toJUnit } from "../lab/junit.ts";
import { type LabManifest, type LabTest, parseManifest } from "../lab/manifest.ts";
import { programLab } from "../lab/programTests.ts";
import { findTest, runLab } from "../lab/runner.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { openCatalog } from "./assets.ts";
import { buildForCli, buildJudged } from "./build.ts";
import { parseCommand, testCommand } from "./commandLine.ts";
import { reportCoverage } from "./coverage.ts";
import { exitCodes } from "./exitCodes.ts";
import { defaultSchedules } from "./explore.ts";
import { faultOf, testWithFaults } from "./faults.ts";
import { breathe, createCountingMachine, createMachine, explorableMachine, observe } from "./machine.ts";
import { machineParams, timeoutMs, toolchainKind, wholeNumber } from "./options.ts";
import { ProgressLine } from "./progressLine.ts";
import { readText, writeReport } from "./reportFile.ts";
import { patienceOf, runSideBySide, threadsFor } from "./sideBySide.ts";
import { chooseScripts, testScripts } from "./testScripts.ts";
import { filtered, shard } from "./testSelection.ts";

/** `xv6-lab test`: every test of the lab, with verdicts; exit 0 only if all pass. */
export async function runTest(argv: string[]): Promise<number> {
	const { values } = parseCommand(argv, "test", testCommand);
	const limit = timeoutMs(values.timeout);
	const dir = values.dir ?? ".";
	const catalog = openCatalog();
	const tree = new NodeTree(dir);
	const scripts = values.program === undefined ? await chooseScripts(catalog, tree, values) : undefined;
	if (scripts) return testScripts(dir, tree, scripts, values);
	// What is judged is often a stranger's: the compiler inside runs nothing of it on this machine, and is everywhere the same.
	const building = { toolchain: toolchainKind(values.toolchain ?? "bundled"), quiet: true };
	const built = values.program === undefined ? undefined : await buildForCli(dir, building);
	const { manifest, why } = built ? labOfProgram(built, values.program ?? "") : await chooseLab(catalog, tree, values);
	if (values.results) throw new UserError("usage", "--results is for grade scripts", "Write --junit or --json.");
	const tests = shard(filtered(select(manifest, values.test, values.task), values.filter), values.shard);
	const say = (text: string) => void (values.json ? process.stderr : process.stdout).write(`${visible(text)}\n`);
	say(`Lab: ${why}`);
	const properties: Record<string, string> = { lab: manifest.id, judgedBy: why };
	let output: BuildOutput;
	if (built) output = built;
	else if (values.lab) {
		const judged = await catalog.judged(manifest, tree);
		const made = await buildJudged(dir, judged, building);
		output = made.output;
		properties.files = made.disk.says;
		say(made.disk.says);
		if (judged.changed.length > 0) {
			properties.changed = judged.changed.join(" ");
			say(`The tree's own ${judged.changed.join(", ")} differ from the lab's and are not used`);
		}
	} else output = await buildForCli(dir, building);
	const changed = values.lab || values.manifest || built ? new Map() : await catalog.changedIn(manifest, tree);
	const params = machineParams(values);
	const fault = faultOf(values);
	if (fault && limit !== undefined) {
		throw new UserError(
			"usage",
			"--timeout ends a test; runs with faults have budgets of instructions",
			"Leave it out.",
		);
	}
	if (fault && values.seeds)
		throw new UserError("usage", "--seeds runs tests, not faults", "Choose one schedule with --seed.");
	const first = params.seed ?? 0;
	const seeds = values.seeds === undefined ? 1 : wholeNumber(values.seeds, "--seeds", 1, 10_000);
	const progress = new ProgressLine(process.stderr);
	const exploreTests = async (judged: readonly Verdict[]): Promise<Verdict[]> => {
		const count =
			values.schedules === undefined ? defaultSchedules : wholeNumber(values.schedules, "--schedules", 0, 100_000);
		const explorer = new LabExplorer({
			kernel: new ProgramSymbols("kernel", output.kernel),
			manifest,
			createMachine: async (watch) => explorableMachine(output, params, watch),
			breathe,
		});
		const explored: Verdict[] = [];
		try {
			for (const verdict of judged) {
				// The detectors' run is the same for every seed, and what has failed is explained already.
				if (verdict.outcome !== "passed" || verdict.seed !== first) {
					explored.push(verdict);
					continue;
				}
				const began = performance.now();
				const found = await explorer.explore(findTest(manifest, verdict.test), count, (now) =>
					progress.show({
						...now,
						step: `${progressText(now, (performance.now() - began) / 1000)}: ${verdict.title}`,
					}),
				);
				progress.clear();
				const now = withExploration(verdict, found);
				if (now !== verdict && !values.json) process.stdout.write(line(now, seeds > 1));
				explored.push(now);
			}
		} finally {
			progress.clear();
			explorer.dispose();
		}
		return explored;
	};
	const coverage = values.coverage === undefined ? undefined : new CoverageCollector(output);
	const create = coverage ? createCountingMachine : createMachine;
	const deliver = (verdict: Verdict, sweep?: Sweep) => {
		if (values.json || verdict.outcome === "not-begun") return;
		progress.clear();
		process.stdout.write(sweep && verdict.outcome !== "passed" ? faultLines(verdict, sweep) : line(verdict, seeds > 1));
	};
	const threads = threadsFor(
		tests.length * seeds,
		values.jobs === undefined ? undefined : wholeNumber(values.jobs, "--jobs", 1, 64),
	);
	const irq = values.irq === undefined ? undefined : wholeNumber(values.irq, "--irq", 0, Number.MAX_SAFE_INTEGER);
	const harts = params.harts ?? output.wish.harts;
	const given = { manifest, tests, changed, harts, allowUnchecked: values["allow-unchecked"] === true };
	const timer = irq === undefined ? {} : { timerAt: irq };
	const allSeeds = Array.from({ length: seeds }, (_, i) => first + i);
	const runTests = () => {
		if (threads > 1 && !coverage && new Set(tests).size === tests.length) {
			const job = {
				...given,
				...timer,
				dir,
				output,
				params,
				seeds: allSeeds,
				...(limit === undefined ? {} : { limit }),
			};
			return runSideBySide(job, threads, deliver, (done) => {
				if (seeds > 1) progress.show({ step: `${seeds} seeds`, done, total: tests.length * seeds });
			});
		}
		return runLab({
			...given,
			...timer,
			tree,
			programs: output.programs,
			seeds: allSeeds,
			createMachine: async (_, seed) => (await create(output, { ...params, seed })).machine,
			observe: (machine) => observe(machine, output, manifest),
			breathe,
			...(coverage ? { coverage } : {}),
			...(limit !== undefined ? { patience: () => patienceOf(limit) } : {}),
			onStart: (test, seed) => {
				if (seeds > 1) progress.show({ step: `seed ${seed}: ${test.title}`, done: seed - first + 1, total: seeds });
			},
			onVerdict: deliver,
		});
	};
	let verdicts = fault
		? await testWithFaults(fault, { output, tree, manifest, tests, params, onVerdict: deliver })
		: await runTests();
	progress.clear();
	if (values.explore === true) verdicts = await exploreTests(verdicts);
	if (values.json) process.stdout.write(`${JSON.stringify(verdicts, undefined, "\t")}\n`);
	if (values.junit) await writeReport(values.junit, toJUnit(verdicts, properties));
	if (coverage && values.coverage) await reportCoverage(values.coverage, coverage, dir);
	if (!values.json) process.stdout.write(summary(verdicts));
	// Nothing tried is nothing passed.
	return (verdicts.length > 0 || values.shard !== undefined) &&
		verdicts.every((verdict) => verdict.outcome === "passed")
		? exitCodes.done
		: exitCodes.failed;
}

/** The lab that judges, and why it is this one. */
async function chooseLab(
	catalog: LabCatalog,
	tree: NodeTree,
	{ lab, manifest }: { readonly lab?: string; readonly manifest?: string },
): Promise<{ readonly manifest: LabManifest; readonly why: string }> {
	if (lab !== undefined && manifest !== undefined) {
		throw new UserError("usage", "--lab and --manifest are two labs", "Give one of them.");
	}
	if (lab !== undefined) {
		const named = await catalog.manifest(lab);
		return { manifest: named, why: `${named.title}, named with --lab` };
	}
	if (manifest !== undefined) {
		const parsed = parseManifest(await readText(manifest), manifest);
		return { manifest: parsed, why: `${parsed.title}, from ${manifest}` };
	}
	const found = await catalog.labOf(tree, false);
	const own = await tree.read(ownManifest);
	if (own) process.stderr.write(`xv6-lab: ${ownManifest} of this tree is not used; --manifest FILE names it\n`);
	if (found.manifest) return { manifest: found.manifest, why: found.why };
	const how = "Name a lab with --lab ID (xv6-lab new --list lists them), or a manifest with --manifest FILE.";
	throw new UserError("lab-not-found", `${tree.label} belongs to no lab. ${found.why}`, how);
}

function labOfProgram(output: BuildOutput, program: string): { readonly manifest: LabManifest; readonly why: string } {
	const elf = output.programs.find(({ name }) => name === program)?.elf;
	if (!elf) {
		const known = output.programs.map(({ name }) => name).join(" ");
		throw new UserError("program-not-found", `This tree has no program ${program}`, `Its programs are: ${known}.`);
	}
	const manifest = programLab(program, elf);
	return { manifest, why: `${manifest.tests.length} tests found in ${program}` };
}

/** The counts; before them, in one line each, the tasks that the student has not come to. */
function summary(verdicts: readonly Verdict[]): string {
	const unbegun = new Map<string, number>();
	const counts = { passed: 0, failed: 0, "not-begun": 0, "not-checked": 0, errored: 0 };
	for (const { outcome, reasons } of verdicts) {
		counts[outcome]++;
		const why = reasons[0]?.message ?? "";
		if (outcome === "not-begun") unbegun.set(why, (unbegun.get(why) ?? 0) + 1);
	}
	const tasks = [...unbegun].map(([why, tests]) => `--   ${why} (${tests} ${tests === 1 ? "test" : "tests"})\n`);
	const rest = counts["not-begun"] > 0 ? `, ${counts["not-begun"]} not begun` : "";
	const unchecked =
		counts["not-checked"] > 0 ? `, ${counts["not-checked"]} not checked (--allow-unchecked counts them as passed)` : "";
	return `${visible(tasks.join(""))}${counts.passed} passed, ${counts.failed + counts.errored} failed${rest}${unchecked}\n`;
}

function select(manifest: LabManifest, ids: string[] | undefined, tasks: string[] | undefined): readonly LabTest[] {
	if (ids) return ids.map((id) => findTest(manifest, id));
	const known = manifest.tasks.map(({ id }) => id);
	for (const task of tasks ?? []) {
		if (known.includes(task)) continue;
		throw new UserError("usage", `Lab ${manifest.id} has no task ${task}`, `Its tasks are: ${known.join(", ")}.`);
	}
	return tasks ? manifest.tests.filter((test) => tasks.includes(test.task)) : manifest.tests;
}

const signs = { passed: "ok  ", failed: "FAIL", "not-begun": "--  ", "not-checked": "??  ", errored: "ERR " } as const;

function line(verdict: Verdict, withSeed: boolean): string {
	const sign = signs[verdict.outcome];
	const seed = withSeed ? ` (seed ${verdict.seed})` : "";
	const head = `${sign} ${visibleLine(`${verdict.task.padEnd(3)} ${verdict.title}`)}${seed}\n`;
	if (verdict.outcome === "passed" && verdict.reasons.length === 0) return head;
	return `${head}${describe(verdict).replace(/^/gm, "     ")}\n`;
}

/** What a sweep found, under the test's name. */
function faultLines(verdict: Verdict, sweep: Sweep): string {
	const head = `${signs[verdict.outcome]} ${visibleLine(`${verdict.task.padEnd(3)} ${verdict.title}`)}\n`;
	return `${head}${visible(renderSweep(sweep)).replace(/^(?=.)/gm, "     ")}`;
}
