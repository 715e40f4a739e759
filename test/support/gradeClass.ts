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
 * `node scripts/gradeClass.mjs [N] [--full]`: a class of N trees, judged as a whole, with figures. `--full`: also with one job and ten kills, and in three
 * shards; all three have to come to the same lines.
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
		for (let kill = 0; kill < 10; kill++) {
			const seconds = String(1 + random.below(Math.max(2, Math.round(whole.wall / 10))));
			spawnSync(
				"timeout",
				["-s", "KILL", seconds, process.execPath, cli, "grade", ...args("killed.jsonl", "--jobs", "1")],
				{ cwd: folder },
			);
		}
		grade(folder, args("killed.jsonl", "--jobs", "1"));
		const parts = [1, 2, 3].map((part) => `part${part}.jsonl`);
		for (const [at, part] of parts.entries()) grade(folder, args(part, "--shard", `${at + 1}/3`));
		grade(folder, ["merge", ...parts, "--out", "merged.jsonl"]);
		const same = ["killed.jsonl", "merged.jsonl"].map(
			(file) => linesOf(join(folder, file)) === linesOf(join(folder, "whole.jsonl")),
		);
		say(
			`one job after ten kills: ${same[0] ? "the same" : "DIFFERENT"}; three shards merged: ${same[1] ? "the same" : "DIFFERENT"}`,
		);
		if (!same.every(Boolean)) process.exitCode = 1;
	}
} finally {
	if (process.argv.includes("--keep")) console.log(folder);
	else rmSync(folder, { recursive: true, force: true });
}
