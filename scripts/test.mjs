// `npm test`: builds, checks types and style, then runs every suite and ends with one line, `N passed, N failed, N skipped`.
// A suite that cannot run here (no browser to be had) says so, and what was then not tested. `npm test -- unit labs` runs only these.
// Suites in a window wait for much of their time: they run beside the others. `--serial` runs one suite after the other.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { prepareBrowser, prepareWorkbench } from "./workbench.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const serial = process.argv.includes("--serial");
const wanted = process.argv.slice(2).filter((word) => word !== "--serial");
const results = "test-results";
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

/** Runs a program; its output goes to ours where `print` is undefined. Resolves to its exit code. */
function run(command, args, { print, env = {} } = {}) {
	const stdio = print ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"];
	return new Promise((resolve) => {
		const child = spawn(command, args, { stdio, env: { ...process.env, ...env } });
		for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", print);
		child.on("error", () => resolve(127));
		child.on("close", (code) => resolve(code ?? 1));
	});
}

function readJson(file) {
	try {
		return JSON.parse(readFileSync(file, "utf8"));
	} catch {
		return undefined;
	}
}

/** A step without cases of its own counts as one. */
async function step(command, args) {
	const code = await run(command, args);
	return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

async function vitest(project) {
	const file = `${results}/${project}.json`;
	const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
	const code = await run("npx", ["vitest", "run", "--project", project, ...reporters]);
	const report = readJson(file);
	if (!report) return { passed: 0, failed: 1, skipped: 0 };
	const failed = report.numFailedTests + (code !== 0 && report.numFailedTests === 0 ? 1 : 0);
	return { passed: report.numPassedTests, failed, skipped: report.numPendingTests + (report.numTodoTests ?? 0) };
}

/** The machine in a browser's worker; needs Chromium and nothing else. */
async function browser(print) {
	const ready = prepareBrowser();
	if (!ready.ok) {
		console.log(`browser: NOT RUN, ${ready.reason}. Not tested: the machine and the engine in a browser's worker.`);
		return { passed: 0, failed: process.env.CI ? 1 : 0, skipped: 1 };
	}
	return reported(print, "browser", ready.env);
}

/** Suites in a real workbench. */
async function workbench(print, suite, folder = suite, more = {}) {
	const ready = await prepareWorkbench();
	if (!ready.ok) {
		console.log(`${suite}: NOT RUN, ${ready.reason}. Not tested: what runs in a browser or inside a real VS Code.`);
		return { passed: 0, failed: process.env.CI ? 1 : 0, skipped: 1 };
	}
	const built = outcomes.has("build") ? { XV6_LAB_BUILT: "1" } : {};
	return reported(print, suite, { ...ready.env, ...built, ...more }, folder);
}

let packaged;

/** Both parts of the end-to-end cases install one package. Resolves to undefined where it could not be made: they say why then. */
function packageOnce() {
	const args = ["scripts/package.mjs", ...(outcomes.has("build") ? ["--built"] : [])];
	packaged ??= run("node", args, { print: () => undefined });
	return packaged.then((code) => (code === 0 ? { XV6_LAB_VSIX: `${root}xv6-lab.vsix` } : undefined));
}

/**
 * A browser and a VS Code on a busy machine are not ours: where one case of a suite failed, it may pass alone, with servers of its
 * own, and is then told as flaky. XV6_LAB_TRIES=1: no second try.
 */
async function endToEnd(print, part) {
	const env = { XV6_LAB_CASES: part, ...(await packageOnce()) };
	const first = await workbench(print, part, "e2e", env);
	const [name, ...more] = first.failures ?? [];
	if (!name || more.length > 0 || process.env.XV6_LAB_TRIES === "1") return first;
	const second = await workbench(print, part, "e2e", { ...env, XV6_LAB_ONLY: name });
	if (second.passed !== 1 || second.failed !== 0) return first;
	flaky.push(name);
	return { ...first, passed: first.passed + 1, failed: 0 };
}

/** Runs a suite that writes its own {passed, failed, skipped}, and maybe the names of what failed. */
async function reported(print, suite, env, folder = suite) {
	const file = `${results}/${suite}.json`;
	const code = await run("node", [`test/${folder}/run.mjs`, file], { print, env });
	const report = readJson(file);
	if (!report || report.passed + report.failed === 0) return { passed: 0, failed: 1, skipped: 0 };
	return {
		passed: report.passed,
		failed: report.failed + (code !== 0 && report.failed === 0 ? 1 : 0),
		skipped: report.skipped ?? 0,
		failures: report.failures,
	};
}

const suites = {
	build: () => step("node", ["scripts/build.mjs"]),
	types: () => step("npm", ["run", "-s", "check:types"]),
	style: () => step("npm", ["run", "-s", "check:style"]),
	unit: () => vitest("unit"),
	conformance: () => vitest("conformance"),
	labs: () => vitest("labs"),
	browser: (print) => browser(print),
	integration: (print) => workbench(print, "integration"),
	inspector: (print) => endToEnd(print, "inspector"),
	e2e: (print) => endToEnd(print, "e2e"),
};
const chosen = Object.keys(suites).filter((name) => wanted.length === 0 || wanted.includes(name));
/** Each list runs beside the other and beside the suites without a window. */
const inWindow = [["browser", "integration", "inspector"], ["e2e"]];

/** Suite to {passed, failed, skipped, seconds}. */
const outcomes = new Map();
/** Cases that failed beside the others and passed alone. */
const flaky = [];

async function runSuite(name, print) {
	const start = performance.now();
	const result = await suites[name](print);
	outcomes.set(name, { ...result, seconds: (performance.now() - start) / 1000 });
}

/** One suite after the other, each with its output as it comes. */
async function inOrder(names) {
	for (const name of names) {
		console.log(`\n=== ${name}`);
		await runSuite(name);
	}
}

/** The same beside those: the output of a suite is printed when it has ended, in one piece. */
async function beside(names) {
	for (const name of names) {
		const said = [];
		await runSuite(name, (text) => said.push(text));
		console.log(`\n=== ${name}\n${said.join("")}`);
	}
}

if (chosen[0] === "build") await inOrder(["build"]);
const built = !outcomes.get("build")?.failed;
const rest = built ? chosen.filter((name) => name !== "build") : [];
const others = rest.filter((name) => !inWindow.flat().includes(name));
// Without a build of now the end-to-end suite makes one, which nobody may read meanwhile.
if (serial || !outcomes.has("build") || others.length === 0) await inOrder(rest);
else
	await Promise.all([inOrder(others), ...inWindow.map((lane) => beside(lane.filter((name) => rest.includes(name))))]);

const total = { passed: 0, failed: 0, skipped: 0 };
const table = [];
for (const name of chosen) {
	const outcome = outcomes.get(name);
	if (!outcome) continue;
	const { passed, failed, skipped, seconds } = outcome;
	for (const key of Object.keys(total)) total[key] += outcome[key];
	table.push(`  ${name.padEnd(12)} ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds.toFixed(0)} s`);
}
console.log(`\n${table.join("\n")}\n`);
for (const name of flaky) console.log(`flaky, failed once and passed alone: ${name}\n`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
