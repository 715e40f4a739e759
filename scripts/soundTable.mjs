// Sound kernels under the detectors: their boot, and the whole of usertests (-q where there is one), must have no report.
// `node scripts/soundTable.mjs --out FILE [--only TEXT] [--seconds N] TREE…`: the bundled kernel, each lab's starter and solutions, and the TREEs,
// on 3, 8 and 1 harts, built by the bundled compiler as the Makefile says and with -O0, and by gcc. A row a line in FILE, and rows that are there
// are not run again. `--short` runs stressfs and forktest instead (all of usertests -q are 15,000 million instructions).
// `--table` prints FILE as the table of docs/concurrency.md. Nothing is written into a tree.
import { spawnSync } from "node:child_process";
import {
	appendFileSync,
	cpSync,
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const cli = join(root, "dist/cli/xv6-lab.mjs");
const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		out: { type: "string" },
		only: { type: "string", default: "" },
		/** No row is begun after so long. */
		seconds: { type: "string", default: "1e9" },
		/** Of one command. */
		timeout: { type: "string", default: "7200" },
		table: { type: "boolean" },
		short: { type: "boolean", default: false },
	},
});
if (!values.out) throw new Error("--out FILE is missing");

const labs = readdirSync(join(root, "labs"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const steps = labs.flatMap(({ name }) => [
	{ name: `${name}, starter`, args: ["--lab", name] },
	...readdirSync(join(root, "labs", name, "solution")).map((file) => {
		const task = basename(file, ".patch");
		return { name: `${name}, ${task}`, args: ["--lab", name, "--solution", task] };
	}),
]);
const last = steps.filter((_, i) => i === steps.length - 1 || steps[i + 1].name.endsWith("starter"));
const trees = [
	{ name: "xv6", args: [] },
	...last,
	...positionals.map((folder) => ({ name: basename(folder), folder })),
	...steps.filter((step) => !last.includes(step)),
];
const builds = [
	["bundled", 3],
	["gcc", 3],
	["-O0", 3],
	["bundled", 8],
	["bundled", 1],
	["gcc", 8],
	["-O0", 8],
	["gcc", 1],
	["-O0", 1],
];

function rows() {
	if (!existsSync(values.out)) return [];
	const lines = readFileSync(values.out, "utf8").split("\n");
	return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

function prepare(folder, tree, build) {
	if (tree.folder) cpSync(tree.folder, folder, { recursive: true, filter: (path) => basename(path) !== ".git" });
	else {
		const made = spawnSync(process.execPath, [cli, "new", folder, ...tree.args], { encoding: "utf8" });
		if (made.status !== 0) throw new Error(`${tree.name}: ${made.stderr}`);
	}
	if (build !== "-O0") return;
	const makefile = join(folder, "Makefile");
	const text = readFileSync(makefile, "utf8");
	const without = text.replace(/^(CFLAGS\b.*) -O(?= )/m, "$1 -O0");
	if (without === text) throw new Error(`${tree.name}: its Makefile has no -O`);
	writeFileSync(makefile, without);
}

function explore(folder, build, harts, args) {
	const options = [
		"--dir",
		folder,
		"--harts",
		String(harts),
		"--json",
		"--toolchain",
		build === "gcc" ? "host" : "bundled",
	];
	const began = performance.now();
	const run = spawnSync(process.execPath, [cli, "explore", ...options, "--schedules", "0", ...args], {
		encoding: "utf8",
		maxBuffer: 1 << 28,
		timeout: Number(values.timeout) * 1000,
	});
	let findings;
	try {
		findings = JSON.parse(run.stdout).findings;
	} catch {
		findings = undefined;
	}
	const benign = Number(/, (\d+) known benign race/.exec(run.stderr)?.[1] ?? 0);
	const end = run.signal ?? run.status;
	return {
		end,
		findings,
		benign,
		stderr: run.stderr.slice(-3000),
		seconds: Math.round((performance.now() - began) / 1000),
	};
}

const start = performance.now();

/** With idle harts that wake up every eighth round, as by default, a long run takes twice the time. */
const seldomAwake = "500/64";

/** Trees before 2022 have no quick tests. */
function whole(source) {
	return ["usertests", ...(source.includes('"-q"') ? ["-q"] : [])];
}

function hasPassed(text) {
	return values.short ? text.includes("fork test OK") : /^ALL TESTS PASSED/m.test(text);
}

function measure(tree, build, harts) {
	const folder = mkdtempSync(join(tmpdir(), "xv6-lab-sound-"));
	try {
		const copy = join(folder, "tree");
		prepare(copy, tree, build);
		const source = readFileSync(join(copy, "user/usertests.c"), "utf8");
		const boot = explore(copy, build, harts, ["--boot"]);
		const tests = explore(copy, build, harts, [
			...(values.short ? [] : ["--schedule", seldomAwake]),
			"--",
			...(values.short ? ["echo", "short;stressfs;forktest;stressfs"] : whole(source)),
		]);
		const found = [...(boot.findings ?? []), ...(tests.findings ?? [])];
		return {
			tree: tree.name,
			build,
			harts,
			boot: boot.findings?.length ?? `no result (${boot.end})`,
			program,
			usertests: hasPassed(tests.stderr) ? "passed" : `not passed (${tests.end})`,
			reports: tests.findings?.length ?? "no result",
			benign: boot.benign + tests.benign,
			wall: boot.seconds + tests.seconds,
			titles: found.map(({ title }) => title),
			places: found.map(({ places }) =>
				places.map(({ stack }) => stack.map(({ function: name, file, line }) => `${name} ${file}:${line}`)),
			),
			...(tests.findings && boot.findings ? {} : { stderr: `${boot.stderr}\n${tests.stderr}`.slice(-2000) }),
		};
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

const program = values.short ? "short" : "usertests";
if (values.table) {
	const all = rows().filter((row) => row.program === program);
	const cell = (row) => {
		if (!row) return "";
		const bad = row.usertests !== "passed" || row.boot !== 0 || row.reports !== 0;
		return bad ? `${row.usertests}; ${row.boot} + ${row.reports} reports` : `none (${row.benign})`;
	};
	const line = (cells) => process.stdout.write(`| ${cells.join(" | ")} |\n`);
	line(["kernel", ...builds.map(([build, harts]) => `${build}, ${harts}`)]);
	line(["kernel", ...builds].map(() => "---"));
	for (const name of new Set(all.map(({ tree }) => tree)))
		line([
			name,
			...builds.map(([build, harts]) =>
				cell(all.find((row) => row.tree === name && row.build === build && row.harts === harts)),
			),
		]);
} else {
	const isDone = (tree, build, harts) =>
		rows().some(
			(row) => row.program === program && row.tree === tree.name && row.build === build && row.harts === harts,
		);
	for (const [build, harts] of builds)
		for (const tree of trees) {
			const name = `${tree.name}, ${build}, ${harts}`;
			if (!name.includes(values.only) || isDone(tree, build, harts)) continue;
			if (performance.now() - start > Number(values.seconds) * 1000) process.exit(3);
			const row = measure(tree, build, harts);
			appendFileSync(values.out, `${JSON.stringify(row)}\n`);
			process.stdout.write(
				`${name}: boot ${row.boot}, usertests ${row.usertests}, reports ${row.reports}, benign ${row.benign}, ${row.wall} s\n`,
			);
			for (const title of row.titles) process.stdout.write(`  ${title}\n`);
		}
}
