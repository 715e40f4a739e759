import { existsSync } from "node:fs";
import { basename } from "node:path";
import { fromUtf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import { visible, visibleLine } from "../common/visible.ts";
import { loadCore } from "../env/node/core.ts";
import { distFolder } from "../env/node/dist.ts";
import { gradeWorkers } from "../env/node/gradeWorker.ts";
import type { NodeTree } from "../env/node/sourceTree.ts";
import { type GradeReport, runGrade } from "../grade/gradeRun.ts";
import { gradesJson, scoreOf } from "../grade/score.ts";
import { gradeScript, gradeScripts } from "../grade/scripts.ts";
import type { GradeBuild, GradeResult, GradeScript, GradeTest } from "../grade/types.ts";
import { gradeVerdict } from "../grade/verdict.ts";
import type { LabCatalog } from "../lab/catalog.ts";
import { diagnosisSources } from "../lab/diagnosisFiles.ts";
import { describe, toJUnit } from "../lab/junit.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { scriptFailed } from "../worker/grading.ts";
import { buildForCli } from "./build.ts";
import { exitCodes } from "./exitCodes.ts";
import { interruptible } from "./interrupt.ts";
import { type MachineFlags, machineParams, timeoutMs, toolchainKind } from "./options.ts";
import { readText, writeReport } from "./reportFile.ts";
import { filtered, shard } from "./testSelection.ts";

interface ScriptTestValues extends MachineFlags {
	readonly lab?: string;
	readonly manifest?: string;
	readonly script?: string;
	readonly filter?: string[];
	readonly test?: string[];
	readonly task?: string[];
	readonly shard?: string;
	readonly junit?: string;
	readonly results?: string;
	readonly json?: boolean;
	readonly seeds?: string;
	readonly timeout?: string;
	readonly toolchain?: string;
}

/** The grade scripts that judge this tree; undefined: a lab does, because it was named or because there are none. */
export async function chooseScripts(
	catalog: LabCatalog,
	tree: NodeTree,
	values: ScriptTestValues,
): Promise<readonly GradeScript[] | undefined> {
	const { lab, manifest, script } = values;
	if (script !== undefined) {
		// The course's own, from elsewhere: a student can edit the one in the tree.
		if (existsSync(script)) return [await gradeScript(tree, basename(script), await readText(script))];
		const bytes = await tree.read(script);
		if (!bytes) {
			const next = "Name a file, or a file of the tree.";
			throw new UserError("file-not-found", `There is no ${script}, here or in ${tree.label}`, next);
		}
		return [await gradeScript(tree, script, fromUtf8(bytes))];
	}
	if (lab !== undefined || manifest !== undefined || (await catalog.namedIn(tree)) !== undefined) return undefined;
	const scripts = await gradeScripts(tree);
	if (scripts.length === 0) return undefined;
	const found = await catalog.labOf(tree, false);
	return found.manifest ? undefined : scripts;
}

/** `xv6-lab test` in a tree with grade scripts: titles, points and score as the scripts have them; exit 0 only for the full score. */
export async function testScripts(
	dir: string,
	tree: NodeTree,
	scripts: readonly GradeScript[],
	values: ScriptTestValues,
): Promise<number> {
	if (values.seeds !== undefined || values.task !== undefined) {
		const option = values.seeds === undefined ? "--task" : "--seeds";
		throw new UserError("usage", `${option} is not for grade scripts`, "A script has --filter TEXT and --test TITLE.");
	}
	const limit = timeoutMs(values.timeout);
	const params = machineParams(values);
	const start = gradeWorkers(distFolder());
	const say = (text: string) => void (values.json ? process.stderr : process.stdout).write(`${visible(text)}\n`);
	const output = await buildForCli(dir, { toolchain: toolchainKind(values.toolchain ?? "bundled"), quiet: true });
	const build: GradeBuild = {
		core: await loadCore(),
		kernel: output.kernel,
		disk: output.disk,
		programs: output.programs,
		wish: output.wish,
		machine: params,
		sources: await diagnosisSources(tree),
	};
	const shape = { harts: params.harts ?? output.wish.harts, seed: params.seed ?? 0 };
	const verdicts: Verdict[] = [];
	const all: GradeTest[] = [];
	const results: GradeResult[] = [];
	let failure: { readonly script: string; readonly why: string } | undefined;
	let selected = 0;
	for (const script of scripts) {
		say(`Lab: ${script.name} of this tree`);
		const report = await interruptible(async (signal) => {
			const signals = limit === undefined ? [signal] : [signal, AbortSignal.timeout(limit)];
			const listed = await runGrade(start, { script }, {}, signal);
			if (listed.failure !== undefined) return listed;
			const tests = shard(select(listed.tests, values), values.shard);
			selected += tests.length;
			const shown = new Set(tests.map(({ id }) => id));
			const report = await runGrade(
				start,
				{ script, run: { build, tests: tests.map(({ id }) => id) } },
				{
					onResult: (result) => {
						const verdict = gradeVerdict(script.name, result, shape);
						verdicts.push(verdict);
						if (!values.json) process.stdout.write(line(result, verdict));
					},
					onPrint: (text) => say(text),
				},
				AbortSignal.any(signals),
			).catch((error: unknown): GradeReport => {
				if (signal.aborted || !(error instanceof UserError)) throw error;
				throw new UserError("guest-timeout", `The tests took longer than ${values.timeout} s`, "Give --timeout more.");
			});
			// A parent runs for its child, and is counted only if it was asked for.
			return { ...report, results: report.results.filter(({ test }) => shown.has(test.id)), tests };
		});
		all.push(...report.tests);
		results.push(...report.results);
		if (report.failure !== undefined) failure ??= { script: script.name, why: report.failure };
	}
	if (values.json) process.stdout.write(`${JSON.stringify(verdicts, undefined, "\t")}\n`);
	if (values.junit)
		await writeReport(values.junit, toJUnit(verdicts, { judgedBy: scripts.map(({ name }) => name).join(" ") }));
	if (values.results) await writeReport(values.results, gradesJson(results, all));
	const score = scoreOf(results, all);
	if (!values.json) {
		const rest = score.notGraded > 0 ? ` (${score.notGraded} more points were not graded)` : "";
		process.stdout.write(`Score: ${score.got}/${score.of}${rest}\n`);
	}
	if (failure) {
		throw scriptFailed(failure.script, failure.why);
	}
	if (selected === 0 && values.shard === undefined) {
		const next = `Its tests are: ${all.map(({ id }) => id).join("; ") || "none of these names"}.`;
		throw new UserError("lab-not-found", "No test of the script was chosen", next);
	}
	const graded = results.filter(({ outcome }) => outcome !== "not-graded");
	const good = graded.every(({ outcome }) => outcome === "passed");
	return good && (graded.length > 0 || selected === 0) ? exitCodes.done : exitCodes.failed;
}

function select(tests: readonly GradeTest[], { test, filter }: ScriptTestValues): readonly GradeTest[] {
	const unknown = test?.find((id) => !tests.some((each) => each.id === id));
	if (unknown !== undefined) {
		const known = tests.map(({ id }) => id).join("; ");
		throw new UserError("lab-not-found", `The script has no test '${unknown}'`, `Its tests are: ${known}.`);
	}
	return filtered(test ? tests.filter(({ id }) => test.includes(id)) : tests, filter);
}

const signs = { passed: "ok  ", failed: "FAIL", "not-graded": "??  ", errored: "ERR " } as const;

function line({ test, outcome, runs }: GradeResult, verdict: Verdict): string {
	const got = outcome === "not-graded" ? "-" : String(outcome === "passed" ? test.points : 0);
	const points = `${got}/${test.points}`.padStart(7);
	const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
	const took = runs.length > 0 ? ` (${seconds.toFixed(1)} s of guest time)` : "";
	const head = `${signs[outcome]} ${points}  ${visibleLine(test.title)}${took}\n`;
	return outcome === "passed" ? head : `${head}${describe(verdict).replace(/^/gm, "       ")}\n`;
}
