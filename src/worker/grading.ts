import type { BuildOutput } from "../build/types.ts";
import { utf8 } from "../common/bytes.ts";
import { throwIfCancelled } from "../common/cancellation.ts";
import { UserError } from "../common/errors.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import { runGrade, type StartGradeWorker } from "../grade/gradeRun.ts";
import { gradeScripts } from "../grade/scripts.ts";
import type { GradeScript, GradeTest } from "../grade/types.ts";
import { gradeVerdict, testId } from "../grade/verdict.ts";
import { diagnosisSources } from "../lab/diagnosisFiles.ts";
import type { EngineEvents, LabInfo, RunTestsParams, TestInfo } from "../protocol/engine.ts";
import type { Verdict } from "../protocol/verdict.ts";

interface GradingParts {
	readonly gradeWorkers: () => Promise<StartGradeWorker>;
	readonly core: () => Promise<WebAssembly.Module>;
	emit<K extends keyof EngineEvents>(kind: K, event: EngineEvents[K]): void;
}

interface Listed {
	readonly script: GradeScript;
	readonly tests: readonly GradeTest[];
	readonly failure: string | undefined;
}

/** The grade scripts of the engine's tree: their tests, and runs of them, each in a worker of its own. */
export class Grading {
	private listed: readonly Listed[] = [];
	/** What a script declares is asked once for each text of it. */
	private readonly known = new Map<string, Promise<Omit<Listed, "script">>>();

	constructor(private readonly parts: GradingParts) {}

	/** Looks what scripts the tree has now, and adds their tests to its lab. */
	async describe(
		tree: SourceTree,
		lab: LabInfo | undefined,
	): Promise<{ readonly lab?: LabInfo; readonly says?: string }> {
		const scripts = await gradeScripts(tree);
		this.listed = await Promise.all(scripts.map(async (script) => ({ script, ...(await this.list(script)) })));
		if (this.listed.length === 0) return lab ? { lab } : {};
		const usable = this.listed.filter(({ tests }) => tests.length > 0);
		const says = this.listed.map(({ script, tests, failure }) =>
			failure === undefined
				? `Graded by ${script.name}: ${tests.length} tests, ${points(tests)} points`
				: `${script.name} cannot be used: ${failure}`,
		);
		if (usable.length === 0) return { ...(lab ? { lab } : {}), says: says.join("; ") };
		const tests = usable.flatMap(({ script, tests }) => tests.map((test) => testInfo(script.name, test)));
		const tasks = usable.map(({ script, tests }) => ({ id: script.name, title: `${points(tests)} points` }));
		const title = usable.map(({ script }) => script.name).join(", ");
		const base: LabInfo = lab ?? { id: title, title, course: "", programs: [], tasks: [], tests: [] };
		return {
			lab: { ...base, tasks: [...base.tasks, ...tasks], tests: [...base.tests, ...tests] },
			says: says.join("; "),
		};
	}

	/** Ids that are a script's. */
	isGraded(id: string): boolean {
		return this.listed.some(({ script, tests }) => tests.some((test) => testId(script.name, test.id) === id));
	}

	/** `ids`: tests of scripts; empty: all. */
	async run(
		{ machine, seeds }: RunTestsParams,
		ids: readonly string[],
		output: BuildOutput,
		tree: SourceTree,
		signal: AbortSignal,
	): Promise<Verdict[]> {
		const [start, core, sources] = await Promise.all([
			this.parts.gradeWorkers(),
			this.parts.core(),
			diagnosisSources(tree),
		]);
		const { kernel, disk, programs, wish } = output;
		const verdicts: Verdict[] = [];
		for (const seed of seeds) {
			const build = { core, kernel, disk, programs, wish, sources, machine: { ...machine, seed } };
			for (const { script, tests } of this.listed) {
				const chosen = tests.filter(({ id }) => ids.length === 0 || ids.includes(testId(script.name, id)));
				if (chosen.length === 0) continue;
				throwIfCancelled(signal);
				const shape = { harts: machine.harts ?? wish.harts, seed };
				const run = { build, tests: chosen.map(({ id }) => id) };
				const listeners = {
					onBegin: ({ id }: GradeTest) => this.parts.emit("testStarted", { test: testId(script.name, id), seed }),
					onConsole: (text: string) => this.parts.emit("testOutput", { bytes: utf8(text) }),
					onResult: (result: Parameters<typeof gradeVerdict>[1]) => {
						const verdict = gradeVerdict(script.name, result, shape);
						verdicts.push(verdict);
						this.parts.emit("verdict", verdict);
					},
				};
				const { failure } = await runGrade(start, { script, run }, listeners, signal);
				if (failure !== undefined) throw scriptFailed(script.name, failure);
			}
		}
		return verdicts;
	}

	private list(script: GradeScript): Promise<Omit<Listed, "script">> {
		const key = `${script.name}\n${script.text}`;
		let found = this.known.get(key);
		if (!found) {
			found = this.parts.gradeWorkers().then((start) => runGrade(start, { script }));
			found.catch(() => this.known.delete(key));
			this.known.set(key, found);
		}
		return found;
	}
}

export function scriptFailed(script: string, why: string): UserError {
	const next = "Correct the script, or ask who wrote it; docs/grade-scripts.md says what it may use.";
	return new UserError("grade-script-failed", `The script failed: ${why}`, next, { file: script });
}

function points(tests: readonly GradeTest[]): number {
	return tests.reduce((sum, test) => sum + test.points, 0);
}

function testInfo(script: string, test: GradeTest): TestInfo {
	return {
		id: testId(script, test.id),
		task: script,
		title: test.id,
		program: "",
		command: "",
		expected: "",
		grade: {
			points: test.points,
			file: script,
			...(test.parent === undefined ? {} : { parent: testId(script, test.parent) }),
			...(test.line === undefined ? {} : { line: test.line }),
		},
	};
}
