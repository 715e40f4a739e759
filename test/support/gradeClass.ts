import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeTree } from "../../src/env/node/sourceTree.ts";
import { parseResults, withoutTimes } from "../../src/grade/class/results.ts";
import { LabCatalog } from "../../src/lab/catalog.ts";
import { hostileArchives, marked, packings, WorkShop } from "./madeClass.ts";
import { Random } from "./random.ts";

/**
 * `node scripts/gradeClass.mjs [N] [--full]`: a class of N trees, judged as a whole by two jobs, with figures. `--full`: once more in three shards of
 * one job each, killed ten times at random moments in all, and merged: it has to come to the same lines.
 */

const repository = process.cwd();
const cli = join(repository, "dist/cli/xv6-lab.mjs");
const lab = "hw5-anonymous-mmap";
const attacks = ["spfault", "traploop", "mkfsloop", "mkfsprint", "tmpl", "incbin", "halt", "esc", "leakname"];
const cheats = ["kernelexec", "shell", "userprint"];

async function make(folder: string, number: number): Promise<void> {
	const shop = new WorkShop(new LabCatalog(new NodeTree(repository)), repository);
	const mutants = shop.mutants();
	const steps = [undefined, "1a", "1b", "1c", "2b", "3b"];
	const of = <T>(list: readonly T[], at: number) => list[at % list.length] as T;
	const archives = hostileArchives(folder, await shop.solution("1a"));
	for (let at = 0; at < number - archives.length; at++) {
		const turn = Math.floor(at / 10);
		const kind = at % 10;
		const files =
			kind < 3
				? await shop.solution(of(steps, 3 * turn + kind))
				: kind < 8
					? await shop.mutant(of(mutants, 5 * turn + kind))
					: kind === 8
						? await shop.attack(of(attacks, turn))
						: turn % 2 === 0
							? await shop.broken()
							: await shop.cheat(of(cheats, turn));
		of(packings, at)(folder, marked(files, at), at);
	}
}

interface Ran {
	readonly cpu: number;
	readonly wall: number;
}

function grade(folder: string, args: readonly string[]): Ran {
	const script = `TIMEFORMAT='%U %S %R'; time "$0" "$@"`;
	const all = [process.execPath, cli, "grade", ...args];
	const ran = spawnSync("bash", ["-c", script, ...all], { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
	if (ran.status !== 0) throw new Error(ran.stderr);
	const [user, system, real] = (ran.stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number) as [
		number,
		number,
		number,
	];
	return { cpu: user + system, wall: real };
}

function linesOf(file: string): string {
	return parseResults(readFileSync(file, "utf8"), file).results.lines().map(withoutTimes).join("\n");
}

const number = Number(process.argv[2] ?? 200);
const folder = mkdtempSync(join(tmpdir(), "xv6-lab class-"));
try {
	const say = (text: string) => console.log(text);
	mkdirSync(join(folder, "class"));
	await make(join(folder, "class"), number);
	const args = (out: string, ...more: string[]) => ["class", "--lab", lab, "--out", out, ...more];
	const whole = grade(folder, args("whole.jsonl", "--report", "report"));
	const { results } = parseResults(readFileSync(join(folder, "whole.jsonl"), "utf8"), "");
	const kernels = new Set([...results.units.values()].map(({ kernel }) => kernel)).size;
	const spent = (strategy: string) =>
		[...results.units.values()]
			.filter((unit) => unit.strategy === strategy)
			.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1000;
	const builds = [...results.builds.values()].reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1000;
	say(`${results.submissions.size} submissions, ${kernels} kernels, ${results.units.size} results`);
	say(
		`CPU ${whole.cpu.toFixed(0)} s, wall ${whole.wall.toFixed(0)} s: ${(whole.cpu / kernels).toFixed(1)} CPU s a kernel, ${((3600 * kernels) / whole.wall).toFixed(0)} kernels an hour`,
	);
	say(`builds ${builds.toFixed(0)} s, runs ${spent("run").toFixed(0)} s, detectors ${spent("detectors").toFixed(0)} s`);
	const stopped = [...results.submissions.values(), ...results.builds.values(), ...results.units.values()].filter(
		(line) => line.stopped,
	);
	say(`stopped at a limit: ${stopped.length}`);
	if (process.argv.includes("--full")) {
		const random = new Random(20);
		const parts = [1, 2, 3].map((part) => `part${part}.jsonl`);
		let kills = 0;
		for (const [at, part] of parts.entries()) {
			const alone = args(part, "--shard", `${at + 1}/3`, "--jobs", "1");
			for (const until = Math.ceil((10 * (at + 1)) / 3); kills < until; kills++) {
				const seconds = String(1 + random.below(Math.max(2, Math.round(whole.wall / 10))));
				spawnSync("timeout", ["-s", "KILL", seconds, process.execPath, cli, "grade", ...alone], { cwd: folder });
			}
			grade(folder, alone);
		}
		grade(folder, ["merge", ...parts, "--out", "merged.jsonl"]);
		const same = linesOf(join(folder, "merged.jsonl")) === linesOf(join(folder, "whole.jsonl"));
		say(`three shards of one job each, after ${kills} kills, merged: ${same ? "the same" : "DIFFERENT"}`);
		if (!same) process.exitCode = 1;
	}
} finally {
	if (process.argv.includes("--keep")) console.log(folder);
	else rmSync(folder, { recursive: true, force: true });
}
