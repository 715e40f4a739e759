// usertests of sound kernels: nothing may be diagnosed and nothing found; kills that usertests wants are one note.
// `node scripts/usertests.mjs [--toolchain bundled|host] [--harts N] [--timeout SEC] TREE…`: one row of a table for each tree. `own` is the bundled
// kernel, `own:LAB:TASK` a lab's solution. Nothing is written into a tree.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const cli = fileURLToPath(new URL("../dist/cli/xv6-lab.mjs", import.meta.url));
const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		toolchain: { type: "string", default: "bundled" },
		harts: { type: "string" },
		timeout: { type: "string", default: "500" },
		test: { type: "string" },
	},
});

function run(name) {
	const folder = mkdtempSync(join(tmpdir(), "usertests-"));
	try {
		let tree = name;
		if (/^own(:|$)/.test(name)) {
			const [, lab, task] = name.split(":");
			tree = join(folder, "tree");
			const made = spawnSync(process.execPath, [
				cli,
				"new",
				tree,
				...(lab ? ["--lab", lab] : []),
				...(task ? ["--solution", task] : []),
			]);
			if (made.status !== 0) throw new Error(`${name}: ${made.stderr}`);
		}
		// Trees before 2022 have no quick tests.
		const quick = readFileSync(join(tree, "user/usertests.c"), "utf8").includes('"-q"');
		const report = join(folder, "report.json");
		const { toolchain, harts, timeout, test } = values;
		const args = ["--dir", tree, "--toolchain", toolchain, "--timeout", timeout, "--memory-report", report];
		const began = performance.now();
		const command = ["usertests", ...(test ? [test] : quick ? ["-q"] : [])];
		const { status, stdout, stderr } = spawnSync(
			process.execPath,
			[cli, "run", ...args, ...(harts ? ["--harts", harts] : []), "--", ...command],
			{ maxBuffer: 1 << 28, encoding: "utf8" },
		);
		const seconds = Math.round((performance.now() - began) / 1000);
		const passed = /^ALL TESTS PASSED/m.test(stdout);
		const causes = [...stdout.matchAll(/^cause: (.*)/gm)].map(([, text]) => text);
		const notes = [...stdout.matchAll(/^note: (.*)/gm)].map(([, text]) => text);
		const kills = (stdout.match(/usertrap\(\): unexpected scause/g) ?? []).length;
		let findings = [];
		try {
			findings = JSON.parse(readFileSync(report, "utf8")).findings.map(({ id, sentence }) => `${id}: ${sentence}`);
		} catch (error) {
			findings = [`no report: ${error}; ${stderr.trim().split("\n").at(-1)}`];
		}
		const sound = status === 0 && passed && causes.length === 0 && findings.length === 0;
		process.stdout.write(
			`| ${basename(name)} | ${toolchain} | ${command.slice(1).join(" ")} | ${status} | ${passed ? "passed" : "not passed"} | ${kills} | ${causes.length} | ${findings.length} | ${notes.length} | ${seconds} s |\n`,
		);
		for (const text of [...causes, ...findings, ...notes]) process.stdout.write(`  ${text.slice(0, 400)}\n`);
		if (!sound) process.stdout.write(`  ${stdout.trim().split("\n").slice(-12).join("\n  ")}\n`);
		return sound;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

process.stdout.write("| tree | compiler | arguments | exit | usertests | kills | causes | findings | notes | wall |\n");
process.stdout.write("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
// Each of them, also after one that is not sound.
const unsound = positionals.filter((name) => !run(name));
process.exit(unsound.length > 0 ? 1 : 0);
