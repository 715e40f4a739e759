import { readdir } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { UserError } from "../common/errors.ts";
import { visible } from "../common/visible.ts";
import { engineName, ResultsFile, readResults } from "../env/node/resultsFile.ts";
import { submissionsAmong } from "../env/node/submission.ts";
import { gradeClass } from "../grade/class/grade.ts";
import type { Head } from "../grade/class/lines.ts";
import { inShard, type Shard } from "../grade/class/plan.ts";
import { defaultPolicy, judgedTests, parsePolicy } from "../grade/class/policy.ts";
import { classTable, count } from "../grade/class/report/summary.ts";
import { Results } from "../grade/class/results.ts";
import { scoreClass } from "../grade/class/score.ts";
import { gradeCommand, parseCommand } from "./commandLine.ts";
import { exitCodes } from "./exitCodes.ts";
import { ClassProgress } from "./grade/classProgress.ts";
import { JudgeProcess } from "./grade/judgeProcess.ts";
import type { Course } from "./grade/messages.ts";
import { readScript } from "./grade/scriptTests.ts";
import { courseHash, defaultJobs, type GradeValues, manifestOf } from "./grade/values.ts";
import { interruptible } from "./interrupt.ts";
import { wholeNumber } from "./options.ts";
import { readText } from "./reportFile.ts";

const usage =
	"Write: xv6-lab grade CLASSDIR --lab ID, or xv6-lab grade report|verify|merge FILE…, or xv6-lab grade autograder DIR --lab ID.";

/** `xv6-lab grade`: a class, and what is done with its results. */
export async function runGrade(argv: string[]): Promise<number> {
	const { values, positionals } = parseCommand(argv, "grade", gradeCommand);
	if (values.judge) return (await import("./grade/judge.ts")).runJudge();
	const [first, ...rest] = positionals;
	if (first === undefined) throw new UserError("usage", "Missing CLASSDIR", usage);
	if (first === "merge") return (await import("./grade/others.ts")).runMerge(rest, values);
	if (first === "report") return (await import("./grade/others.ts")).runReport(rest, values);
	if (first === "verify") return (await import("./grade/others.ts")).runVerify(rest, values);
	if (first === "autograder") return (await import("./grade/autograder.ts")).runAutograder(rest, values);
	if (rest.length > 0) throw new UserError("usage", `One class at a time, not also ${rest.join(" ")}`, usage);
	return gradeFolder(first, values);
}

async function gradeFolder(folder: string, values: GradeValues): Promise<number> {
	const course = await courseOf(values);
	const manifest = await manifestOf(course);
	const policy =
		values.policy === undefined ? defaultPolicy : parsePolicy(await readText(values.policy), values.policy);
	judgedTests(manifest, policy);
	const jobs = values.jobs === undefined ? defaultJobs(policy) : wholeNumber(values.jobs, "--jobs", 1, 256);
	const { sources, others } = await listClass(folder);
	const shard = values.shard === undefined ? undefined : parseShard(values.shard);
	const mine = shard ? sources.filter((_, at) => inShard(at, shard)) : sources;
	const out = values.out ?? "results.jsonl";
	const found = await readResults(out);
	const results = found?.results ?? new Results();
	for (const line of found?.damaged ?? []) {
		process.stderr.write(`xv6-lab: line ${line} of ${visible(out)} is damaged; what it said is judged again\n`);
	}
	const head: Head = {
		kind: "class",
		format: 1,
		lab: manifest.id,
		...(course.script ? { script: course.script } : {}),
		labHash: courseHash(course, manifest),
		engine: await engineName(),
		policy,
		from: relative(dirname(resolve(out)), resolve(folder)) || ".",
	};
	checkHead(results.head, head, out);
	if (values["retry-stopped"]) results.forgetStopped();
	for (const source of results.submissions.keys()) if (!sources.includes(source)) results.submissions.delete(source);
	if (others.length > 0)
		process.stderr.write(
			`xv6-lab: ${count(others.length, "file")} of ${visible(folder)} left out: ${visible(some(others))}\n`,
		);
	const file = ResultsFile.open(out, found);
	const progress = new ClassProgress(process.stderr, mine.length, jobs);
	try {
		results.add(head);
		file.append(head);
		await interruptible(async (signal) => {
			const stop = () => file.close();
			signal.addEventListener("abort", stop, { once: true });
			await gradeClass({
				...{ sources: mine, manifest, policy, jobs, results, signal },
				open: () => new JudgeProcess({ course, policy, pathOf: (source) => join(folder, source) }),
				append: (line) => {
					if (!signal.aborted) file.append(line);
				},
				onDone: (source, worked) => progress.done(source, worked),
			});
			if (signal.aborted) throw interrupted(out);
		});
		results.prune();
		await file.finish(results);
	} finally {
		progress.clear();
		file.close();
	}
	const score = scoreClass(results, manifest, policy, values.names === true);
	process.stdout.write(classTable(score));
	await (await import("./grade/others.ts")).tellReports(results, score, values, folder);
	process.stderr.write(
		`xv6-lab: ${visible(out)} has the results of ${count(results.submissions.size, "submission")}\n`,
	);
	return exitCodes.done;
}

function interrupted(out: string): UserError {
	return new UserError("cancelled", "Interrupted", `${out} has what is done; the same command does the rest.`);
}

/** The lab or the grade script that judges. */
async function courseOf({ lab, script }: GradeValues): Promise<Course> {
	if (script !== undefined && lab === undefined) {
		const read = await readScript(script);
		return { lab: read.name, script: read };
	}
	if (lab !== undefined && script === undefined) return { lab };
	const what = lab === undefined ? "Missing --lab ID or --script FILE" : "--lab and --script are two judges";
	throw new UserError("usage", what, "Give one of them; xv6-lab new --list lists the labs.");
}

async function listClass(folder: string) {
	let entries: { readonly name: string; readonly isFolder: boolean }[];
	try {
		const listed = await readdir(folder, { withFileTypes: true });
		entries = listed.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOTDIR") {
			throw new UserError("usage", `${folder} is a file`, "Unpack what the LMS gave you, and name the folder.");
		}
		const missing = code === "ENOENT";
		const what = missing ? `There is no folder ${folder}` : `Cannot read ${folder}: ${(error as Error).message}`;
		throw new UserError(
			missing ? "file-not-found" : "file-unreadable",
			what,
			"Name the folder that holds the submissions.",
		);
	}
	if (entries.some(({ name }) => name === "kernel") && entries.some(({ name }) => name === "user")) {
		const next = "Name the folder that holds the submissions; `xv6-lab test` judges one tree.";
		throw new UserError("usage", `${folder} is one xv6 tree, no class`, next);
	}
	const found = submissionsAmong(entries);
	if (found.sources.length === 0) {
		const next = "A submission is a folder, or a .zip, .tar, .tar.gz or .tgz.";
		throw new UserError("file-not-found", `There is no submission in ${folder}`, next);
	}
	return found;
}

/** Results are taken over from the same judge only; the policy may change, since units say what they are. */
function checkHead(known: Head | undefined, head: Head, out: string): void {
	if (!known) return;
	const differs =
		known.lab !== head.lab
			? `of the lab ${known.lab}`
			: known.labHash !== head.labHash
				? `of another version of the lab ${known.lab}`
				: known.engine !== head.engine
					? "of another version of xv6-lab"
					: undefined;
	if (differs === undefined) return;
	const next = "Name another file with --out, so that the whole class is judged alike.";
	throw new UserError("already-exists", `${out} has results ${differs}`, next);
}

function parseShard(text: string): Shard {
	const match = /^(\d+)\/(\d+)$/.exec(text);
	const [index, of] = [Number(match?.[1]), Number(match?.[2])];
	if (match && index >= 1 && index <= of) return { index, count: of };
	throw new UserError("usage", `--shard ${text} is not a part`, "Write i/n with i from 1 to n.");
}

function some(names: readonly string[]): string {
	return names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}
