import { basename } from "node:path";
import type { BuildOutput } from "../../build/types.ts";
import { UserError } from "../../common/errors.ts";
import type { SourceTree } from "../../common/sourceTree.ts";
import { loadCore } from "../../env/node/core.ts";
import { distFolder } from "../../env/node/dist.ts";
import { gradeWorkers } from "../../env/node/gradeWorker.ts";
import { hashOfText } from "../../env/node/resultsFile.ts";
import { type CourseScript, courseScript } from "../../grade/class/course.ts";
import { runGrade } from "../../grade/gradeRun.ts";
import { gradeScript } from "../../grade/scripts.ts";
import type { GradeResult } from "../../grade/types.ts";
import { gradeVerdict } from "../../grade/verdict.ts";
import { diagnosisSources } from "../../lab/diagnosisFiles.ts";
import type { Verdict } from "../../protocol/verdict.ts";
import { readText } from "../reportFile.ts";

/** The instructor's own copy of a grade script, with its tests. Throws for one that fails before it has declared them. */
export async function readScript(file: string): Promise<CourseScript> {
	const [name, text] = [basename(file), await readText(file)];
	const { tests, failure } = await runGrade(gradeWorkers(distFolder()), { script: { name, text, files: new Map() } });
	if (failure === undefined && tests.length > 0) return courseScript(name, text, tests);
	const what = failure === undefined ? "The script declares no test" : `The script failed: ${failure}`;
	throw new UserError("grade-script-failed", what, "docs/grade-scripts.md says what a script may use.", { file });
}

/** Files of a tree that a script and its diagnoses read, by path. */
export async function scriptSources({ name, text }: CourseScript, tree: SourceTree): Promise<[string, string][]> {
	const { files } = await gradeScript(tree, name, text);
	return [...files, ...(await diagnosisSources(tree))].sort(([a], [b]) => (a < b ? -1 : 1));
}

interface ScriptRun {
	readonly script: CourseScript;
	readonly tree: SourceTree;
	readonly output: BuildOutput;
	readonly harts: number;
	readonly tests: readonly string[];
}

interface Listeners {
	readonly begin: (test: string) => void;
	/** `ran`: of the console and of the instructions of each run, which another judge must get, too. */
	readonly done: (verdict: Verdict, ran: string) => void;
}

/** Judges by a script; a test that it does not come to, because it fails or is stopped, is errored. */
export async function runScriptTests(run: ScriptRun, { begin, done }: Listeners): Promise<void> {
	const { script, tree, output, harts, tests } = run;
	const shape = { harts, seed: 0 };
	const seen = new Set<string>();
	const tell = (result: GradeResult) => {
		seen.add(result.test.id);
		const { output: text, runs } = result;
		done(gradeVerdict(script.name, result, shape), hashOfText(JSON.stringify([text, runs])).slice(0, 16));
	};
	const build = {
		...{
			core: await loadCore(),
			kernel: output.kernel,
			disk: output.disk,
			programs: output.programs,
			wish: output.wish,
		},
		...{ machine: { harts, seed: 0, translator: true }, sources: await diagnosisSources(tree) },
	};
	const own = await gradeScript(tree, script.name, script.text);
	const listeners = { onBegin: ({ id }: { id: string }) => begin(id), onResult: tell };
	const { failure, tests: declared } = await runGrade(
		gradeWorkers(distFolder()),
		{ script: own, run: { build, tests } },
		listeners,
	);
	const none = { output: "", runs: [], diagnoses: [], findings: [], faults: [], stack: [] };
	for (const id of tests) {
		if (seen.has(id)) continue;
		const test = declared.find((one) => one.id === id) ?? { id, title: id, points: 0 };
		const message = `The script was stopped before this test: ${failure ?? "it did not run it"}`;
		tell({ test, outcome: "errored", message, ...none });
	}
}
