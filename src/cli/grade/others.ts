import { dirname, join, resolve, sep } from "node:path";
import { UserError } from "../../common/errors.ts";
import { visible } from "../../common/visible.ts";
import { engineName, readResults, writeResults } from "../../env/node/resultsFile.ts";
import { gradeClass } from "../../grade/class/grade.ts";
import { runName } from "../../grade/class/report/html.ts";
import { classTable, count } from "../../grade/class/report/summary.ts";
import { merge, Results } from "../../grade/class/results.ts";
import { compareSample, drawSample, sourcesOf } from "../../grade/class/sample.ts";
import { type ClassScore, scoreClass } from "../../grade/class/score.ts";
import { exitCodes } from "../exitCodes.ts";
import { interruptible } from "../interrupt.ts";
import { wholeNumber } from "../options.ts";
import { JudgeProcess } from "./judgeProcess.ts";
import type { Course } from "./messages.ts";
import { writeReports } from "./reports.ts";
import { courseHash, defaultJobs, type GradeValues, manifestOf } from "./values.ts";

/** `xv6-lab grade merge FILE… --out FILE`: the shards of a class as one file. */
export async function runMerge(files: readonly string[], values: GradeValues): Promise<number> {
	if (files.length === 0 || values.out === undefined) {
		throw new UserError("usage", "Missing files, or --out", "Write: xv6-lab grade merge FILE… --out FILE.");
	}
	const merged = merge(await Promise.all(files.map(async (file) => ({ file, results: await resultsOf(file) }))));
	await writeResults(values.out, merged);
	process.stderr.write(
		`xv6-lab: ${visible(values.out)} has the results of ${count(merged.submissions.size, "submission")}\n`,
	);
	return exitCodes.done;
}

/** `xv6-lab grade report FILE`: the table, and with --report DIR all reports. */
export async function runReport(files: readonly string[], values: GradeValues): Promise<number> {
	const results = await oneFile(files, "xv6-lab grade report FILE [--report DIR]");
	const score = await scoreOf(results, values.names === true);
	process.stdout.write(classTable(score));
	await tellReports(results, score, values, values.class ?? join(dirname(files[0] ?? ""), results.head?.from ?? "."));
	return exitCodes.done;
}

/** Reports, where they are wanted, and the runs of failed tests, where those are. */
export async function tellReports(
	results: Results,
	score: ClassScore,
	values: GradeValues,
	classFolder: string,
): Promise<void> {
	const folder = values.report;
	if (folder === undefined) {
		if (values.runs) throw new UserError("usage", "--runs belongs to --report DIR", "Name the folder of the reports.");
		return;
	}
	const runs = values.runs
		? await writeRuns(results, score, join(folder, "runs"), classFolder)
		: new Map<string, string>();
	await writeReports(folder, score, values.names === true, runs);
	process.stderr.write(`xv6-lab: the class page is ${visible(join(folder, "index.html"))}\n`);
}

async function scoreOf(results: Results, names: boolean): Promise<ClassScore> {
	const { head } = results;
	if (!head)
		throw new UserError("results-damaged", "These results do not say which lab they are of", "Grade the class again.");
	const course = courseIn(results);
	const manifest = await manifestOf(course);
	if (courseHash(course, manifest) !== head.labHash) {
		const what = `These results are of another version of the lab ${head.lab}`;
		throw new UserError(
			"results-damaged",
			what,
			"Use the version of xv6-lab that made them, or grade the class again.",
		);
	}
	return scoreClass(results, manifest, head.policy, names);
}

function courseIn({ head }: Results): Course {
	return { lab: head?.lab ?? "", ...(head?.script ? { script: head.script } : {}) };
}

async function oneFile(files: readonly string[], usage: string): Promise<Results> {
	const [file, more] = files;
	if (file === undefined || more !== undefined)
		throw new UserError("usage", "One file of results, please", `Write: ${usage}.`);
	return resultsOf(file);
}

async function resultsOf(file: string): Promise<Results> {
	const found = await readResults(file);
	if (!found) throw new UserError("file-not-found", `There is no file ${file}`, "Check the path.", { file });
	if (found.damaged.length > 0) {
		const what = `Line ${found.damaged[0]} of ${file} is damaged`;
		throw new UserError(
			"results-damaged",
			what,
			"Run the command that made it once more: it judges again what is missing.",
			{ file },
		);
	}
	return found.results;
}

/** `xv6-lab grade verify FILE`: runs a sample of the results again, and compares; exit 1 where one differs. */
export async function runVerify(files: readonly string[], values: GradeValues): Promise<number> {
	const file = files[0] ?? "";
	const results = await oneFile(files, "xv6-lab grade verify FILE [--sample P%] [--class DIR]");
	const { manifest, policy } = await scoreOf(results, false);
	const { head } = results;
	if (head && head.engine !== (await engineName())) {
		const what = "These results are of another version of xv6-lab";
		throw new UserError("results-damaged", what, "Verify them with the version that made them.");
	}
	const folder = values.class ?? join(dirname(file), head?.from ?? ".");
	const sample = drawSample(results, fraction(values.sample ?? "5%"), Math.random);
	const jobs = values.jobs === undefined ? defaultJobs(policy) : wholeNumber(values.jobs, "--jobs", 1, 256);
	const again = new Results();
	await interruptible((signal) =>
		gradeClass({
			...{ sources: sample.sources, manifest, policy, jobs, results: again, signal },
			open: () => new JudgeProcess({ course: courseIn(results), policy, pathOf: (source) => join(folder, source) }),
			plan: (kernel) => sample.units.filter((unit) => unit.kernel === kernel),
			append: () => undefined,
		}),
	);
	const differences = compareSample(sample, results, again);
	for (const difference of differences) process.stdout.write(`${visible(difference)}\n`);
	const checked = `${count(sample.units.length, "result")} of ${results.units.size}, of ${count(sample.sources.length, "submission")}`;
	const verdict = differences.length === 0 ? "the same states and verdicts" : count(differences.length, "difference");
	process.stdout.write(`Ran again: ${checked}: ${verdict}\n`);
	return differences.length === 0 ? exitCodes.done : exitCodes.failed;
}

/** Runs failed tests once more, and keeps the runs; returns the names of the files. */
async function writeRuns(
	results: Results,
	score: ClassScore,
	record: string,
	folder: string,
): Promise<ReadonlyMap<string, string>> {
	const { manifest, policy, judged } = score;
	const wanted = [...results.units.values()].filter(
		({ strategy, outcome, stopped, test }) =>
			strategy === "run" &&
			(outcome === "failed" || outcome === "errored") &&
			!stopped &&
			judged.some(({ id }) => id === test),
	);
	const again = new Results();
	await interruptible((signal) =>
		gradeClass({
			...{ sources: sourcesOf(results, wanted), manifest, policy, jobs: defaultJobs(policy), results: again, signal },
			open: () =>
				new JudgeProcess({ course: courseIn(results), policy, pathOf: (source) => join(folder, source), record }),
			plan: (kernel) => wanted.filter((unit) => unit.kernel === kernel),
			append: () => undefined,
		}),
	);
	const done = [...again.units.values()].filter(({ outcome, stopped }) => !stopped && outcome !== "passed");
	const named = done.map(({ kernel, test }) => runName(kernel, test));
	return new Map(named.map((name) => [name, resolve(record, name).replaceAll(sep, "/")]));
}

/** `5%` */
function fraction(text: string): number {
	const percent = Number(/^(\d+(?:\.\d+)?)%?$/.exec(text)?.[1]);
	if (percent > 0 && percent <= 100) return percent / 100;
	throw new UserError("usage", `--sample ${text} is no part of the results`, "Write for example --sample 5%.");
}
