// Compares grade scripts of trees as we run them with what they are elsewhere; nothing of a tree is kept.
// `node scripts/gradeTable.mjs lists TREE…`: the list of tests, beside the one that the script declares under CPython with its own gradelib.
// `node scripts/gradeTable.mjs verdicts TREE…`: each test's verdict, beside the script's under CPython with make, gcc and QEMU (in a copy).
// `TREE@FILE@SED` is the tree with an edit, such as `lab@kernel/vm.c@s/PTE_W/0/`: a broken one.
// `node scripts/gradeTable.mjs lines TREE…`: what `make grade` prints with QEMU="xv6-lab qemu", beside what it prints with QEMU, but for times.
// `node scripts/gradeTable.mjs table FILE…`: rows of docs/grade-scripts.md from what `verdicts` printed. Trees are called `mit24a-util` or `u24-util` (the course's own starter).
// `node scripts/gradeTable.mjs usertests TREE…`: usertests by name, beside usertests as a whole.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { gccPrefix, qemuWithoutPmp, setsPmp, withNameServer } from "./elsewhere.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const cli = join(root, "dist/cli/xv6-lab.mjs");
const [what, ...trees] = process.argv.slice(2);

/** Dumps what the decorators declare; runs no test. */
const lister = `
import json, sys, warnings
warnings.simplefilter("ignore")
sys.dont_write_bytecode = True
sys.path.insert(0, ".")
import gradelib
real, found = gradelib.test, []
def test(points, title=None, parent=None):
    register = real(points, title, parent)
    def declare(fn):
        entry = register(fn)
        found.append([entry.title, points, parent.title if parent else None])
        return entry
    return declare
gradelib.test = test
gradelib.run_tests = lambda: None
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), {"__name__": "__main__"})
print(json.dumps(found))
`;

/** Our own modules, for listing without a build. */
async function ours() {
	const outfile = join(root, "dist/build/gradeTable.mjs");
	const contents = `export { runGrade } from "./src/grade/gradeRun.ts"; export { gradeScripts } from "./src/grade/scripts.ts";
export { gradeWorkers } from "./src/env/node/gradeWorker.ts"; export { NodeTree } from "./src/env/node/sourceTree.ts";`;
	const stdin = { contents, resolveDir: root, loader: "ts" };
	await esbuild.build({ stdin, outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
	return import(pathToFileURL(outfile).href);
}

async function lists() {
	const { runGrade, gradeScripts, gradeWorkers, NodeTree } = await ours();
	let [same, all] = [0, 0];
	for (const tree of trees) {
		for (const script of await gradeScripts(new NodeTree(tree))) {
			const { tests, failure } = await runGrade(gradeWorkers(join(root, "dist")), { script });
			const titles = new Map(tests.map(({ id, title }) => [id, title]));
			const got = tests.map(({ title, points, parent }) => [title, points, parent ? titles.get(parent) : null]);
			const python = spawnSync("python3", ["-c", lister, script.name], { cwd: tree });
			const expected =
				python.status === 0
					? python.stdout.toString().trim()
					: `python3: ${python.stderr.toString().trim().split("\n").at(-1)}`;
			const equal = JSON.stringify(got) === JSON.stringify(expected.startsWith("[") ? JSON.parse(expected) : expected);
			const points = tests.reduce((sum, test) => sum + test.points, 0);
			all++;
			if (equal) same++;
			console.log(
				`${equal ? "same     " : "DIFFERENT"} ${basename(tree)} ${script.name}: ${tests.length} tests, ${points} points${failure ? `; ${failure}` : ""}`,
			);
			if (!equal) console.log(`  ours:   ${JSON.stringify(got)}\n  python: ${expected}`);
		}
	}
	console.log(`${same} of ${all} lists are the same`);
}

/** A copy of a tree, with the edit of `TREE@FILE@SED`, for `work`; and what make needs for it on this computer. */
function inCopy(tree, work) {
	const scratch = mkdtempSync(join(tmpdir(), "grade-table-"));
	const copy = join(scratch, "tree");
	const [path, edited, sed] = tree.split("@");
	const name = `${basename(path)}${edited ? ` with ${edited} ${sed}` : ""}`;
	try {
		cpSync(path, copy, { recursive: true });
		spawnSync("chmod", ["-R", "u+w", copy]);
		if (edited) {
			const before = readFileSync(join(copy, edited), "utf8");
			spawnSync("sed", ["-i", "-E", sed, edited], { cwd: copy });
			if (readFileSync(join(copy, edited), "utf8") === before) throw new Error(`the edit changes nothing: ${tree}`);
		}
		const qemu = setsPmp(copy) ? "qemu-system-riscv64" : qemuWithoutPmp(join(scratch, "bin"));
		work({ copy, name, qemu, prefix: gccPrefix(join(scratch, "bin")) });
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
}

/** Runs a command in a tree, in a network of its own: the scripts' gdb port is everybody's, and network labs ask for names. */
function there(copy, command, env) {
	const [program, ...args] = withNameServer(command);
	return spawnSync(program, args, { cwd: copy, env: { ...process.env, ...env }, maxBuffer: 1 << 28 });
}

/** What the script says of each test, under CPython. */
function pythonVerdicts(copy, env, script, titles = []) {
	const run = there(copy, ["python3", `./${script}`, ...titles], env);
	const found = new Map();
	// `== Test TITLE == … TITLE: OK`, with what make and the time-out say between.
	for (const block of run.stdout
		.toString()
		.split(/^== Test /m)
		.slice(1)) {
		const title = block.split(" ==")[0].trim();
		// Not the "OK" of a line that is missing, or of a program.
		const from = block.indexOf(`${title}: `);
		const word = from < 0 ? undefined : /^: (?:\x1b\[\d+m)?(OK|FAIL)\b/.exec(block.slice(from + title.length))?.[1];
		if (word) found.set(title, /Timeout!/.test(block) && word === "FAIL" ? "FAIL (timeout)" : word);
	}
	// 2019: only `TITLE: OK (7.4s)`, below its parent two columns further.
	if (found.size === 0)
		for (const [, late, title, word] of run.stdout
			.toString()
			.matchAll(/^(Timeout! )?(?: {2})?(\S.*?): (?:\x1b\[\d+m)?(OK|FAIL)\b/gm))
			found.set(title, late && word === "FAIL" ? "FAIL (timeout)" : word);
	if (found.size === 0) console.log(`  nothing from ${script}: ${run.stdout}${run.stderr}`.trimEnd());
	return found;
}

/** The script's limits in a copy become six times as long. */
function withPatience(copy) {
	const library = join(copy, "gradelib.py");
	const text = readFileSync(library, "utf8");
	writeFileSync(library, text.replace("deadline = time.time() + timeout", "deadline = time.time() + 6 * timeout"));
}

function patientVerdicts(copy, env, script, tests) {
	withPatience(copy);
	return pythonVerdicts(
		copy,
		env,
		script,
		tests.map(({ title }) => title),
	);
}

/** How often a test passes: by schedules of ours, and by QEMU's. A program with a race does both. */
function severalTimes(copy, env, script, title) {
	const seeds = [1, 2, 3, 4, 5, 6].map((seed) => {
		const args = ["test", "--dir", copy, "--toolchain", "bundled", "--json", "--filter", title, "--seed", String(seed)];
		const list = JSON.parse(spawnSync("node", [cli, ...args], { maxBuffer: 1 << 28 }).stdout.toString() || "[]");
		return list.find((test) => test.title === title)?.outcome === "passed";
	});
	const runs = [1, 2, 3, 4].map(() => pythonVerdicts(copy, env, script, [title]).get(title) === "OK");
	const of = (list) => `${list.filter(Boolean).length} of ${list.length}`;
	return `ours passes with ${of(seeds)} other seeds, QEMU ${of(runs)} times alone`;
}

function verdicts() {
	for (const tree of trees)
		inCopy(tree, ({ copy, name, qemu, prefix }) => {
			const env = { MAKEFLAGS: `TOOLPREFIX=${prefix} QEMU=${qemu}` };
			const before = performance.now();
			const own = spawnSync("node", [cli, "test", "--dir", copy, "--toolchain", "bundled", "--json"], {
				maxBuffer: 1 << 28,
			});
			const between = performance.now();
			const list = own.stdout.toString().startsWith("[") ? JSON.parse(own.stdout.toString()) : [];
			const script = list[0]?.lab;
			if (!script) {
				console.log(`${name}: ours: ${own.stderr.toString().trim().split("\n").at(-1)}`);
				return;
			}
			const made = there(copy, ["make", "-s", "kernel/kernel", "fs.img"], env);
			const theirs = made.status === 0 ? pythonVerdicts(copy, env, script) : new Map();
			// What QEMU does not finish on a busy computer is tried once more, with six times the script's seconds.
			const late = list.filter(({ title, outcome }) => outcome === "passed" && /^FAIL/.test(theirs.get(title) ?? ""));
			const patient = late.length > 0 ? patientVerdicts(copy, env, script, late) : new Map();
			const score = list.reduce((sum, { points }) => sum + points.got, 0);
			const took = `${((between - before) / 1000).toFixed(0)} s, QEMU ${((performance.now() - between) / 1000).toFixed(0)} s`;
			console.log(
				`${name} ${script}: ours ${score}/${list.reduce((sum, { points }) => sum + points.of, 0)}, ${took}${made.status === 0 ? "" : ", no gcc build"}`,
			);
			for (const { title, outcome, points, reasons } of list) {
				const word = { passed: "OK", failed: "FAIL", errored: "ERROR", "not-checked": "not graded" }[outcome];
				// gradelib says no word of a test without points.
				const other = theirs.get(title) ?? (points.of === 0 && theirs.size > 0 ? word : "-");
				const again = patient.get(title);
				const isSame = word === other || (word === "FAIL" && /^FAIL/.test(other));
				const mark = isSame ? "same     " : word === again ? "same late" : "DIFFERENT";
				const then = again === undefined ? "" : `, with more time ${again}`;
				console.log(`  ${mark} ${title}: ${word} / ${other}${then}`);
				if (mark !== "DIFFERENT") continue;
				if (reasons[0]) console.log(`    ours: ${reasons[0].message}`);
				if (theirs.has(title)) console.log(`    again: ${severalTimes(copy, env, script, title)}`);
			}
		});
}

function lines() {
	for (const tree of trees)
		inCopy(tree, ({ copy, name, qemu, prefix }) => {
			const grade = (machine) => {
				const before = performance.now();
				const { stdout } = there(copy, ["make", "grade", `TOOLPREFIX=${prefix}`, `QEMU=${machine}`], {});
				const text = stdout.toString();
				// make's own commands come first, and how long a test took stands in brackets. Who ended QEMU is known to QEMU only, harts
				// start in any order, and some scripts choose names at random.
				const said = text
					.slice(Math.max(0, text.search(/^(== Test |\S.*: (OK|FAIL)\b)/m)))
					.replace(/ ?\(\d+\.\d+s\)/g, "")
					.replace(/(terminating on signal \d+) from pid \d+ \(.*?\)/g, "$1")
					.replace(/hart \d starting/g, "hart N starting")
					.replace(/(?<=^ {4}.*[ /])(?=\w*[A-Z0-9])\w{8}\b/gm, "NAME")
					.trimEnd();
				return { said: said.split("\n"), seconds: ((performance.now() - before) / 1000).toFixed(0) };
			};
			const own = grade(`${process.execPath} ${cli} qemu`);
			let other = grade(qemu);
			const late = own.said.join() !== other.said.join() && other.said.some((line) => line.startsWith("Timeout!"));
			if (late) withPatience(copy);
			if (late) other = grade(qemu);
			const hasScore = own.said.some((line) => /^Score/.test(line));
			const equal = hasScore && own.said.join("\n") === other.said.join("\n");
			const { length } = own.said;
			console.log(
				`${equal ? (late ? "same late" : "same     ") : "DIFFERENT"} ${name}: ${length} lines, ${own.seconds} s, QEMU ${other.seconds} s`,
			);
			if (!equal) console.log(`  ours:\n${own.said.join("\n")}\n  QEMU:\n${other.said.join("\n")}`);
			else console.log(`  ${own.said.filter((line) => /^Score/.test(line)).join("")}`);
		});
}

/** What `verdicts` printed of one tree; undefined: nothing. */
function verdictsIn(file) {
	const lines = readFileSync(file, "utf8").split("\n");
	const head = lines
		.map((line) => /^(\D+)(\d\d)\w?-(\w+)(?: with (.*))? grade-\S+: ours (\d+\/\d+)/.exec(line))
		.find(Boolean);
	if (!head) return undefined;
	const [, kind, year, name, edit, score] = head;
	const count = (mark) => lines.filter((line) => line.startsWith(`  ${mark}`)).length;
	const other = lines.flatMap((line) => {
		const [, title, words] = /^ {2}DIFFERENT (.*?): (\w+ \/ \w+)/.exec(line) ?? [];
		return title === undefined ? [] : `\`${title}\`: ${words}`;
	});
	const state = edit ? "edited" : kind === "u" ? "starter" : "solved";
	return { lab: `\`${name}\` of 20${year}`, state, score, same: count("same     "), late: count("same late"), other };
}

function table() {
	const all = trees.map(verdictsIn).filter(Boolean);
	const sum = (list, of) => list.reduce((total, each) => total + each[of], 0);
	console.log(
		"| lab | solved | starter | solution with an edit | same verdict | with more time | different (here / QEMU) |",
	);
	console.log("| --- | --- | --- | --- | --- | --- | --- |");
	const year = (lab) => lab.slice(-4) + lab;
	const labs = [...new Set(all.map(({ lab }) => lab))].sort((a, b) => (year(a) < year(b) ? -1 : 1));
	for (const lab of labs) {
		const own = all.filter((each) => each.lab === lab);
		const scores = (state) =>
			own
				.filter((each) => each.state === state)
				.map(({ score }) => score)
				.join(", ");
		const states = ["solved", "starter", "edited"].map(scores);
		const other = own.flatMap(({ other }) => other).join("; ");
		console.log(`| ${[lab, ...states, sum(own, "same"), sum(own, "late"), other].join(" | ")} |`);
	}
	const years = new Set(labs.map((lab) => lab.slice(-4))).size;
	console.log(
		`\n${all.length} trees of ${labs.length} labs and ${years} years: ${sum(all, "same")} tests the same, ${sum(all, "late")} with more time`,
	);
}

function usertests() {
	for (const tree of trees) {
		const options = ["--dir", tree, "--toolchain", "bundled"];
		const named = spawnSync("node", [cli, "test", ...options, "--program", "usertests", "--json"], {
			maxBuffer: 1 << 28,
		});
		const list = JSON.parse(named.stdout.toString() || "[]");
		// Before 2022 there is no -q, and the whole is what -q is later.
		const quick = /"-q"/.test(readFileSync(join(tree, "user/usertests.c"), "utf8")) ? ["-q"] : [];
		const whole = spawnSync("node", [cli, "run", ...options, "--", "usertests", ...quick], { maxBuffer: 1 << 28 });
		const said = new Map(
			[...whole.stdout.toString().matchAll(/^test (\w+): (?:[\s\S]*?)(OK|FAILED)\r?$/gm)].map(([, name, word]) => [
				name,
				word,
			]),
		);
		const both = list.filter(({ title }) => said.has(title));
		const other = both.filter(({ title, outcome }) => (outcome === "passed") !== (said.get(title) === "OK"));
		console.log(
			`${basename(tree)}: ${list.length} named, ${said.size} in usertests ${quick.join("")}, ${both.length - other.length} of ${both.length} the same`,
		);
		for (const { title, outcome, reasons } of other)
			console.log(`  ${title}: ${outcome} / ${said.get(title)}: ${reasons[0]?.message}`);
	}
}

const works = { lists, verdicts, lines, table, usertests };
if (!works[what] || trees.length === 0 || !existsSync(resolve(trees[0].split("@")[0]))) {
	console.error(
		readFileSync(fileURLToPath(import.meta.url), "utf8")
			.split("\n")
			.slice(0, 7)
			.join("\n"),
	);
	process.exit(2);
}
await works[what]();
process.exit(0);
