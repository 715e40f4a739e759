import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { utf8 } from "../../src/common/bytes.ts";
import { parseResults, withoutTimes } from "../../src/grade/class/results.ts";
import { catalog, repository } from "../support/lab.ts";
import { hostileArchives, marked, packings, WorkShop } from "../support/madeClass.ts";
import { Random } from "../support/random.ts";

/** A small class as the command line judges it: the built product, its own processes, real kernels. */

const cli = join(repository, "dist/cli/xv6-lab.mjs");
const lab = "hw5-anonymous-mmap";
let folder = "";
const at = (name: string) => join(folder, name);
/** Students by source, and what they are to come out as. */
const expected = new Map<string, string | RegExp>();

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "xv6-lab grade-"));
	mkdirSync(at("class"));
	const shop = new WorkShop(catalog, repository);
	const works: [string | RegExp, ReadonlyMap<string, Uint8Array>][] = [
		["passed passed passed passed", await shop.solution("3b")],
		// The same once more, in another shape: nothing of it is run again.
		["passed passed passed passed", await shop.solution("3b")],
		["passed failed not-begun not-begun", marked(await shop.solution("1a"), 2)],
		["passed failed passed passed", await shop.mutant("no-user-bit")],
		[/build failed with \d+ error/, await shop.broken()],
		["passed failed passed passed", await shop.attack("traploop")],
	];
	for (const [number, [outcome, files]] of works.entries()) {
		const pack = packings[number % packings.length];
		if (pack) expected.set(pack(at("class"), files, number), outcome);
	}
	const small = new Map([...(await shop.solution("1a"))].filter(([path]) => path.startsWith("kernel/")));
	for (const { name, readable } of hostileArchives(at("class"), small)) expected.set(name, readable as RegExp);
	writeFileSync(at("class/readme.txt"), "not a submission");
	const tests = ["mmap-placement", "private", "prodcons1", "prodcons3"];
	writeFileSync(at("policy.json"), JSON.stringify({ tests, seeds: 2, cpuSeconds: 60, memoryMiB: 1500 }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(args: readonly string[]): {
	child: ChildProcess;
	ended: Promise<{ code: number | null; out: string; err: string }>;
} {
	const child = spawn(process.execPath, [cli, "grade", ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
	let [out, err] = ["", ""];
	child.stdout.on("data", (text) => {
		out += text;
	});
	child.stderr.on("data", (text) => {
		err += text;
	});
	return { child, ended: new Promise((done) => child.on("close", (code) => done({ code, out, err }))) };
}

const gradeArgs = (out: string, ...more: string[]) => [
	"class",
	"--lab",
	lab,
	"--policy",
	"policy.json",
	"--out",
	out,
	...more,
];

/** Lines without times; the order is part of it. */
function linesOf(file: string): string[] {
	const { results, damaged } = parseResults(readFileSync(at(file), "utf8"), file);
	expect(damaged).toEqual([]);
	return results.lines().map(withoutTimes);
}

/** Names of the judges of a process (Linux). */
function childrenOf(pid: number | undefined): number[] {
	const file = `/proc/${pid}/task/${pid}/children`;
	return existsSync(file) ? readFileSync(file, "utf8").trim().split(" ").filter(Boolean).map(Number) : [];
}

test("a class of every kind: each student has what is due, and a hostile one costs only itself", async () => {
	const { code, out, err } = await start(gradeArgs("one.jsonl", "--jobs", "1", "--report", "report", "--names")).ended;
	expect(code, err).toBe(0);
	expect(err).toContain("1 file of class left out: readme.txt");
	const { results } = parseResults(readFileSync(at("one.jsonl"), "utf8"), "one.jsonl");
	const outcomes = new Map<string, string>();
	for (const [source, { tree, problem }] of results.submissions) {
		const build = results.builds.get(tree ?? "");
		const units = [...results.units.values()].filter(({ kernel }) => kernel === build?.kernel);
		const of = (id: string) => units.find((unit) => unit.test === id && unit.strategy === "run")?.outcome ?? "?";
		const told = ["mmap-placement", "private", "prodcons1", "prodcons3"].map(of).join(" ");
		outcomes.set(source, problem ?? build?.problem ?? told);
	}
	expect([...outcomes.keys()].sort()).toEqual([...expected.keys()].sort());
	for (const [source, outcome] of expected) expect(outcomes.get(source), source).toMatch(outcome);
	// Two of the same tree, one build and one set of units.
	expect(new Set([...results.builds.values()].map(({ tree }) => tree)).size).toBe(5);
	expect(out).toContain("26/26");
	expect(existsSync(at("one.jsonl.lock"))).toBe(false);
	expect(existsSync("/tmp/slipped.txt")).toBe(false);
	expect(readFileSync(at("report/index.html"), "utf8")).toContain("The same mistake");
	expect(readFileSync(at("report/moodle.csv"), "utf8")).toContain("Participant 1001,");
	const again = await start(gradeArgs("one.jsonl", "--jobs", "1")).ended;
	expect(again.code, again.err).toBe(0);
	expect(again.out.split("\n")[0]).toBe(out.split("\n")[0]);
});

test("two jobs, killed at random moments and resumed, come to the same file", async () => {
	const random = new Random(20261129);
	for (let kill = 0; kill < 4; kill++) {
		const { child, ended } = start(gradeArgs("two.jsonl", "--jobs", "2"));
		await sleep(700 + random.below(3000));
		const judges = childrenOf(child.pid);
		child.kill("SIGKILL");
		await ended;
		// A judge whose class is gone goes, too, on a busy computer when it has started; one that stays is a failure.
		for (let wait = 0; wait < 600 && judges.some(isAlive); wait++) await sleep(100);
		expect(judges.filter(isAlive), "judges that outlive their class").toEqual([]);
	}
	const { code, err } = await start(gradeArgs("two.jsonl", "--jobs", "2")).ended;
	expect(code, err).toBe(0);
	expect(linesOf("two.jsonl")).toEqual(linesOf("one.jsonl"));
});

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
	} catch {
		return false;
	}
}

const hasParallel = spawnSync("parallel", ["--version"]).stdout?.toString().startsWith("GNU");
if (!hasParallel)
	console.log("NOT RUN, GNU parallel not installed. Not tested: the recipe with it; the shards run one by one.");

test("three shards, by GNU parallel where it is installed, merged, are the same file", async () => {
	const shard = [process.execPath, cli, "grade", ...gradeArgs("part{}.jsonl", "--jobs", "1", "--shard", "{}/3")];
	if (hasParallel) {
		const args = ["--jobs", "1", "--joblog", "log", ...shard, ":::", "1", "2", "3"];
		const { status, stderr } = spawnSync("parallel", args, { cwd: folder, encoding: "utf8", timeout: 600_000 });
		expect(status, stderr).toBe(0);
	} else {
		for (const part of ["1", "2", "3"]) {
			const args = shard.slice(2).map((arg) => arg.replace("{}", part));
			expect((await start(args.slice(1)).ended).code).toBe(0);
		}
	}
	const merged = await start(["merge", "part1.jsonl", "part2.jsonl", "part3.jsonl", "--out", "merged.jsonl"]).ended;
	expect(merged.code, merged.err).toBe(0);
	expect(linesOf("merged.jsonl")).toEqual(linesOf("one.jsonl"));
});

test("a verification finds nothing in true results, and each state that somebody has changed", async () => {
	const text = readFileSync(at("one.jsonl"), "utf8");
	const { code, out, err } = await start(["verify", "one.jsonl", "--sample", "20%"]).ended;
	expect(code, out + err).toBe(0);
	expect(out).toMatch(/Ran again: \d+ results? of \d+, of \d+ submissions?: the same states and verdicts/);
	const line = text.split("\n").find((one) => one.includes('"test":"private"') && one.includes('"outcome":"failed"'));
	if (line === undefined) throw new Error("private fails nowhere");
	const changed = line
		.replace(/"outcome":"failed"/, '"outcome":"passed"')
		.replace(/"text":"(?:[^"\\]|\\.)*"/, '"text":""');
	// Of the units only this one: all of them run again, and the others have just been looked at.
	const rest = text.split("\n").filter((one) => one === line || !one.includes('"kind":"unit"'));
	writeFileSync(at("changed.jsonl"), rest.join("\n").replace(line, changed));
	const wrong = await start(["verify", "changed.jsonl", "--sample", "100%"]).ended;
	expect(wrong.code, wrong.err).toBe(1);
	expect(wrong.out).toContain("has another verdict: failed, not passed");
});

test("a judge that the system kills is told for its student alone, and tried again when asked", async () => {
	mkdirSync(at("few/one"), { recursive: true });
	const shop = new WorkShop(catalog, repository);
	packings[0]?.(at("few"), marked(await shop.solution("3b"), 77), 0);
	rmSync(at("few/one"), { recursive: true });
	const args = ["few", "--lab", lab, "--policy", "policy.json", "--out", "few.jsonl", "--jobs", "1"];
	const { child, ended } = start(args);
	// A fresh judge is blamed, one that had other submissions before is not.
	const killed = new Set<number>();
	const killing = setInterval(() => {
		for (const pid of childrenOf(child.pid)) {
			if (
				killed.has(pid) ||
				!existsSync(at("few.jsonl")) ||
				!readFileSync(at("few.jsonl"), "utf8").includes('"kind":"build"')
			)
				continue;
			killed.add(pid);
			process.kill(pid, "SIGKILL");
		}
	}, 50);
	const { code, err, out } = await ended;
	clearInterval(killing);
	if (killed.size === 0) return console.log("NOT RUN: no /proc here. Not tested: a judge that is killed.");
	expect(code, err).toBe(0);
	const { results } = parseResults(readFileSync(at("few.jsonl"), "utf8"), "few.jsonl");
	const lines = [...results.submissions.values(), ...results.builds.values(), ...results.units.values()];
	const stopped = lines.filter((line) => line.stopped);
	const why = "The judge of this submission was stopped: it was ended by the system (SIGKILL)";
	expect(stopped.map((line) => (line.kind === "unit" ? line.text : line.problem))).toContain(why);
	expect(out).toContain("stopped");
	const again = await start([...args, "--retry-stopped"]).ended;
	expect(again.out, again.err).toContain("26/26");
});

test("a kernel that takes all its time costs the others nothing", async () => {
	const shop = new WorkShop(catalog, repository);
	mkdirSync(at("slow"));
	const slow = packings[0]?.(at("slow"), await shop.slow(), 1) ?? "";
	const other = packings[0]?.(at("slow"), await shop.solution("1b"), 2) ?? "";
	writeFileSync(at("slow.json"), JSON.stringify({ tests: ["private"], cpuSeconds: 4 }));
	const { code, err } = await start([
		"slow",
		"--lab",
		lab,
		"--policy",
		"slow.json",
		"--out",
		"slow.jsonl",
		"--jobs",
		"1",
	]).ended;
	expect(code, err).toBe(0);
	const { results } = parseResults(readFileSync(at("slow.jsonl"), "utf8"), "slow.jsonl");
	const unitOf = (source: string) => {
		const kernel = results.builds.get(results.submissions.get(source)?.tree ?? "")?.kernel;
		return [...results.units.values()].find((unit) => unit.kernel === kernel);
	};
	expect(unitOf(slow)?.text).toBe("The judge of this submission was stopped: it used more than 4 s of processor time");
	expect(unitOf(other)?.outcome).toBe("passed");
});

test("a tree that eats memory and a kernel that prints for ever cost only their own students", async () => {
	const shop = new WorkShop(catalog, repository);
	mkdirSync(at("greedy"));
	const [huge, flooding, other] = [await shop.huge(), await shop.flooding(), await shop.solution("1b")].map(
		(files, i) => packings[0]?.(at("greedy"), files, i) ?? "",
	);
	writeFileSync(at("greedy.json"), JSON.stringify({ tests: ["private"], detectors: "off", memoryMiB: 900 }));
	const args = ["greedy", "--lab", lab, "--policy", "greedy.json", "--out", "greedy.jsonl", "--jobs", "1"];
	const { code, err } = await start(args).ended;
	expect(code, err).toBe(0);
	const text = readFileSync(at("greedy.jsonl"), "utf8");
	const { results } = parseResults(text, "greedy.jsonl");
	const buildOf = (source = "") => results.builds.get(results.submissions.get(source)?.tree ?? "");
	const unitOf = (source = "") => {
		const { kernel } = buildOf(source) ?? {};
		return [...results.units.values()].find((unit) => unit.kernel === kernel);
	};
	expect(buildOf(huge)?.problem).toBe("The judge of this submission was stopped: it used more than 900 MiB of memory");
	expect(unitOf(flooding)?.outcome).toBe("failed");
	expect(unitOf(flooding)?.text).toContain("flood flood flood");
	expect(text.length).toBeLessThan(200_000);
	expect(unitOf(other)?.outcome).toBe("passed");
});

test("directed schedules are tried where the policy wants them, and any machine comes to the same state", async () => {
	mkdirSync(at("directed"));
	packings[0]?.(at("directed"), await new WorkShop(catalog, repository).solution("3b"), 0);
	writeFileSync(at("directed.json"), JSON.stringify({ tests: ["prodcons3"], detectors: "off", schedules: 3 }));
	const args = ["directed", "--lab", lab, "--policy", "directed.json", "--out", "directed.jsonl"];
	const { code, err } = await start(args).ended;
	expect(code, err).toBe(0);
	const { results } = parseResults(readFileSync(at("directed.jsonl"), "utf8"), "directed.jsonl");
	const units = [...results.units.values()];
	expect(units.map(({ strategy, seeds, outcome }) => [strategy, seeds, outcome])).toEqual([
		["directed", [1, 3], "passed"],
		["run", [0, 0], "passed"],
	]);
	const [directed] = units;
	const wrong = readFileSync(at("directed.jsonl"), "utf8").replace(directed?.stateHash ?? "?", "0".repeat(16));
	writeFileSync(at("directed.jsonl"), wrong);
	const { out } = await start(["verify", "directed.jsonl", "--sample", "100%"]).ended;
	expect(out).toContain(`prodcons3 (directed) of kernel ${directed?.kernel} ends in state ${directed?.stateHash}`);
	expect(out).not.toContain("prodcons3 (run)");
});

test("Ctrl-C leaves a file that resumes, and a second run at the same file is kept away", async () => {
	const first = start(gradeArgs("cut.jsonl", "--jobs", "1"));
	while (!existsSync(at("cut.jsonl")) || readFileSync(at("cut.jsonl"), "utf8").length < 2000) await sleep(50);
	const second = await start(gradeArgs("cut.jsonl", "--jobs", "1")).ended;
	expect(second.code).toBe(2);
	expect(second.err).toContain("Another run writes cut.jsonl");
	first.child.kill("SIGINT");
	const { err } = await first.ended;
	expect(err).toContain("the same command does the rest");
	const { results } = parseResults(readFileSync(at("cut.jsonl"), "utf8"), "cut.jsonl");
	expect([...results.units.values()].some(({ stopped }) => stopped)).toBe(false);
	expect(existsSync(at("cut.jsonl.lock"))).toBe(false);
});

/** A folder with one tree and a short policy, and `xv6-lab` and `npx` on PATH. */
async function workplace(name: string): Promise<{ readonly cwd: string; readonly env: NodeJS.ProcessEnv }> {
	const cwd = at(name);
	mkdirSync(join(cwd, "class"), { recursive: true });
	const shop = new WorkShop(catalog, repository);
	packings[0]?.(join(cwd, "class"), await shop.solution("1b"), 0);
	packings[3]?.(join(cwd, "class"), await shop.broken(), 1);
	writeFileSync(join(cwd, "policy.json"), JSON.stringify({ tests: ["private"] }));
	mkdirSync(join(cwd, "bin"));
	const script = (program: string, line: string) =>
		writeFileSync(join(cwd, "bin", program), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
	script("xv6-lab", `exec '${process.execPath}' '${cli}' "$@"`);
	script("npx", 'exec "$@"');
	script("npm", "exit 0");
	return { cwd, env: { ...process.env, PATH: `${join(cwd, "bin")}:${process.env.PATH}` } };
}

const guide = readFileSync(join(repository, "docs/grading.md"), "utf8");

test.runIf(hasParallel)("the recipe for GNU parallel runs as it is written", async () => {
	const { cwd, env } = await workplace("parallel");
	const recipe = /```sh parallel\n([\s\S]*?)```/.exec(guide)?.[1] ?? "";
	const { status, stdout, stderr } = spawnSync("bash", ["-euc", recipe], { cwd, env, encoding: "utf8" });
	expect(status, stderr).toBe(0);
	expect(stdout).toContain("2 submissions, 10 points at most");
});

test("the scripts for Slurm and GitHub Actions run as they are written, with the variables that those set", async () => {
	const { cwd, env } = await workplace("recipes");
	const run = (script: string, more: NodeJS.ProcessEnv = {}) =>
		spawnSync("bash", ["-euo", "pipefail", "-c", script], { cwd, env: { ...env, ...more }, encoding: "utf8" });
	const slurm = /```sh slurm\n([\s\S]*?)```/.exec(guide)?.[1] ?? "";
	for (const id of ["1", "2"]) {
		const { status, stderr } = run(slurm, {
			SLURM_ARRAY_TASK_ID: id,
			SLURM_ARRAY_TASK_COUNT: "2",
			SLURM_CPUS_PER_TASK: "1",
		});
		expect(status, stderr).toBe(0);
		rmSync(join(cwd, `slurm${id}`), { force: true });
	}
	const bySlurm = run("xv6-lab grade merge part1.jsonl part2.jsonl --out slurm.jsonl; rm part*.jsonl");
	expect(bySlurm.status, bySlurm.stderr).toBe(0);
	const workflow = /```yaml\nname: Grade\n([\s\S]*?)```/.exec(guide)?.[1] ?? "";
	const [shards = "", report = ""] = workflow.split("\n  report:\n");
	const steps = (job: string) => [...job.matchAll(/^ {6}- run: (.*)$/gm)].map(([, line]) => line as string);
	const parts = /part: \[(.*)\]/.exec(shards)?.[1]?.split(", ") ?? [];
	expect(parts.length).toBe(2);
	for (const part of parts) {
		for (const step of steps(shards)) {
			const { status, stderr } = run(step.replaceAll(/\$\{\{ matrix\.part \}\}/g, part));
			expect(status, stderr).toBe(0);
		}
	}
	for (const step of steps(report)) expect(run(step).status).toBe(0);
	expect(linesOf("recipes/results.jsonl")).toEqual(linesOf("recipes/slurm.jsonl"));
	expect(existsSync(join(cwd, "report/index.html"))).toBe(true);
});

test("a Gradescope autograder is whole: it judges a submission where nothing else is installed", async () => {
	const { cwd } = await workplace("gradescope");
	const made = await start(["autograder", join(cwd, "source"), "--lab", lab, "--policy", join(cwd, "policy.json")])
		.ended;
	expect(made.code, made.err).toBe(0);
	const listed = spawnSync("find", [join(cwd, "source"), "-name", "*solution*"], { encoding: "utf8" });
	expect(listed.stdout).toBe("");
	renameSync(join(cwd, "class/student0"), join(cwd, "submission"));
	const env = { ...process.env, AUTOGRADER: cwd, XDG_CACHE_HOME: join(cwd, "cache") };
	for (const script of ["setup.sh", "run_autograder"]) {
		const { status, stderr } = spawnSync(join(cwd, "source", script), [], { cwd, env, encoding: "utf8" });
		expect(status, stderr).toBe(0);
	}
	const results = JSON.parse(readFileSync(join(cwd, "results/results.json"), "utf8"));
	expect(results.tests).toMatchObject([{ score: 10, max_score: 10, status: "passed" }]);
});

test("the run of a failed test is a file that replays to the judged state", async () => {
	const { code, err } = await start(["report", "one.jsonl", "--report", "runs", "--runs"]).ended;
	expect(code, err).toBe(0);
	const names = readdirSync(at("runs/runs"));
	expect(names.length).toBeGreaterThan(1);
	const [run] = names.filter((name) => name.endsWith("-private.xv6run"));
	const replay = spawnSync(process.execPath, [cli, "replay", at(`runs/runs/${run}`)], { encoding: "utf8" });
	expect(replay.stderr).toContain("the same state as recorded");
	const pages = readdirSync(at("runs")).filter((name) => name.startsWith("student-"));
	expect(pages.some((name) => readFileSync(at(`runs/${name}`), "utf8").includes(`runs/${run}`))).toBe(true);
});

test("a course's own grade script judges a class, each tree with its own programs", async () => {
	const shop = new WorkShop(catalog, repository);
	mkdirSync(at("course"));
	const good = await shop.solution("1b");
	const cat =
		'#include "kernel/types.h"\n#include "user/user.h"\nint\nmain(void)\n{\n  printf("mew\\n");\n  exit(0);\n}\n';
	const answers = new Map(good).set("user/cat.c", utf8(cat));
	packings[0]?.(at("course"), good, 1);
	packings[2]?.(at("course"), answers, 2);
	packings[3]?.(at("course"), await shop.broken(), 3);
	const script = [
		"#!/usr/bin/env python3",
		"from gradelib import *",
		'r = Runner(save("xv6.out"))',
		'@test(10, "echo prints")',
		"def test_echo():",
		'    r.run_qemu(shell_script(["echo hello"]))',
		'    r.match("^hello$")',
		'@test(5, "cat says mew")',
		"def test_cat():",
		'    r.run_qemu(shell_script(["cat README"]))',
		'    r.match("^mew$")',
		"run_tests()",
		"",
	];
	writeFileSync(at("grade-lab-cats"), script.join("\n"));
	const args = ["course", "--script", "grade-lab-cats", "--out", "course.jsonl", "--jobs", "1", "--names"];
	const { code, out, err } = await start(args).ended;
	expect(code, err).toBe(0);
	expect(out).toMatch(/student1 +10\/15 +1 failed/);
	expect(out).toMatch(/doejohn +15\/15/);
	expect(out).toMatch(/roejoan +0\/15 +The build failed/);
	const verified = await start(["verify", "course.jsonl", "--sample", "100%"]).ended;
	expect(verified.code, verified.out + verified.err).toBe(0);
	const report = await start(["report", "course.jsonl", "--report", "course-report"]).ended;
	expect(report.code, report.err).toBe(0);
	const pages = readdirSync(at("course-report")).filter((name) => name.startsWith("student-"));
	const again = "xv6-lab test --script grade-lab-cats --test &#34;cat says mew&#34;";
	expect(pages.some((name) => readFileSync(at(`course-report/${name}`), "utf8").includes(again))).toBe(true);
});
