// `npm test`: builds, checks types and style, then runs every suite and ends with one line, `N passed, N failed, N skipped`.
// A suite that cannot run here (no browser to be had) says so, and what was then not tested. `npm test -- unit labs` runs only these.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { prepareBrowser, prepareWorkbench } from "./workbench.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const wanted = process.argv.slice(2);
const results = "test-results";
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

/** Runs a program with its output on ours; resolves to its exit code. */
function run(command, args, env = {}) {
	return new Promise((resolve) => {
		const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
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
	const code = await run("npx", [
		"vitest",
		"run",
		"--project",
		project,
		"--reporter=default",
		"--reporter=json",
		`--outputFile.json=${file}`,
	]);
	const report = readJson(file);
	if (!report) return { passed: 0, failed: 1, skipped: 0 };
	const failed = report.numFailedTests + (code !== 0 && report.numFailedTests === 0 ? 1 : 0);
	return { passed: report.numPassedTests, failed, skipped: report.numPendingTests + (report.numTodoTests ?? 0) };
}

/** The machine in a browser's worker; needs Chromium and nothing else. */
async function browser() {
	const ready = prepareBrowser();
	if (!ready.ok) {
		console.log(`browser: NOT RUN, ${ready.reason}. Not tested: the machine and the engine in a browser's worker.`);
		return { passed: 0, failed: process.env.CI ? 1 : 0, skipped: 1 };
	}
	return reported("browser", ready.env);
}

/** Suites in a real workbench. */
async function workbench(suite) {
	const ready = await prepareWorkbench();
	if (!ready.ok) {
		console.log(`${suite}: NOT RUN, ${ready.reason}. Not tested: what runs in a browser or inside a real VS Code.`);
		return { passed: 0, failed: process.env.CI ? 1 : 0, skipped: 1 };
	}
	return reported(suite, ready.env);
}

/** Runs a suite that writes its own {passed, failed, skipped}. */
async function reported(suite, env) {
	const file = `${results}/${suite}.json`;
	const code = await run("node", [`test/${suite}/run.mjs`, file], env);
	const report = readJson(file);
	if (!report || report.passed + report.failed === 0) return { passed: 0, failed: 1, skipped: 0 };
	return {
		passed: report.passed,
		failed: report.failed + (code !== 0 && report.failed === 0 ? 1 : 0),
		skipped: report.skipped ?? 0,
	};
}

const suites = {
	build: () => step("node", ["scripts/build.mjs"]),
	types: () => step("npm", ["run", "-s", "check:types"]),
	style: () => step("npm", ["run", "-s", "check:style"]),
	unit: () => vitest("unit"),
	conformance: () => vitest("conformance"),
	labs: () => vitest("labs"),
	browser: () => browser(),
	integration: () => workbench("integration"),
	e2e: () => workbench("e2e"),
};

const total = { passed: 0, failed: 0, skipped: 0 };
const table = [];
for (const [name, suite] of Object.entries(suites)) {
	if (wanted.length > 0 && !wanted.includes(name)) continue;
	const start = performance.now();
	console.log(`\n=== ${name}`);
	const result = await suite();
	for (const key of Object.keys(total)) total[key] += result[key];
	table.push(
		`${name.padEnd(12)} ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped, ${((performance.now() - start) / 1000).toFixed(0)} s`,
	);
	if (name === "build" && result.failed > 0) break;
}
console.log(`\n${table.map((row) => `  ${row}`).join("\n")}\n`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
