import { join } from "node:path";
import { UserError } from "../../common/errors.ts";
import { visible } from "../../common/visible.ts";
import { readResults, writeResults } from "../../env/node/resultsFile.ts";
import { classTable, count } from "../../grade/class/report/summary.ts";
import { merge, type Results } from "../../grade/class/results.ts";
import { type ClassScore, scoreClass } from "../../grade/class/score.ts";
import { openCatalog } from "../assets.ts";
import { exitCodes } from "../exitCodes.ts";
import { writeReports } from "./reports.ts";
import { type GradeValues, manifestHash } from "./values.ts";

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
	if (values.report !== undefined) await tellReports(values.report, score, values.names === true);
	return exitCodes.done;
}

export async function tellReports(folder: string, score: ClassScore, names: boolean): Promise<void> {
	await writeReports(folder, score, names);
	process.stderr.write(`xv6-lab: the class page is ${visible(join(folder, "index.html"))}\n`);
}

async function scoreOf(results: Results, names: boolean): Promise<ClassScore> {
	const { head } = results;
	if (!head)
		throw new UserError("results-damaged", "These results do not say which lab they are of", "Grade the class again.");
	const manifest = await openCatalog().manifest(head.lab);
	if (manifestHash(manifest) !== head.labHash) {
		const what = `These results are of another version of the lab ${head.lab}`;
		throw new UserError(
			"results-damaged",
			what,
			"Use the version of xv6-lab that made them, or grade the class again.",
		);
	}
	return scoreClass(results, manifest, head.policy, names);
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

export async function runVerify(_files: readonly string[], _values: GradeValues): Promise<number> {
	throw new UserError("usage", "later", "later");
}
