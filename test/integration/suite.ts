import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import * as vscode from "vscode";
import type { Xv6LabApi } from "../../src/extension/app.ts";
import type { LabFolder } from "../../src/extension/labFolder.ts";
import type { Verdict } from "../../src/protocol/verdict.ts";
import { LoopWatch, threadCpuMs } from "./loopWatch.ts";

const extensionId = "xv6-lab.xv6-lab";
const scratch = process.env.XV6_LAB_SCRATCH ?? mkdtempSync(join(tmpdir(), "xv6-lab-suite-"));
const trusted = process.env.XV6_LAB_TRUST !== "false";
const lab = "hw5-anonymous-mmap";

let api: Xv6LabApi;
let activationMs = 0;

async function activate(): Promise<Xv6LabApi> {
	const extension = vscode.extensions.getExtension<Xv6LabApi>(extensionId);
	assert.ok(extension, `the extension ${extensionId} is not there`);
	return extension.activate();
}

/** The kernel tree `name` inside the open workspace folder. */
async function makeTree(name: string): Promise<LabFolder> {
	const root = vscode.workspace.workspaceFolders?.[0]?.uri;
	assert.ok(root);
	const uri = vscode.Uri.joinPath(root, name);
	mkdirSync(uri.fsPath, { recursive: true });
	await api.newWorkspace(lab, uri);
	await api.refresh();
	const folder = api.folders().find((candidate) => candidate.root.path === uri.path);
	assert.ok(folder, `${name} was not recognised as a kernel tree`);
	return folder;
}

const report = { report: () => undefined };
const never = () => new vscode.CancellationTokenSource().token;

/** Only what never comes takes so long. */
const patienceMs = 180_000;

async function until(condition: () => boolean, what: string): Promise<void> {
	const end = performance.now() + patienceMs;
	while (!condition()) {
		if (performance.now() > end) assert.fail(`never: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

/** VS Code's own start is over: other extensions are activated long after the window is there. */
async function quiet(): Promise<void> {
	for (let calm = 0, i = 0; calm < 3 && i < 100; i++) {
		const before = threadCpuMs();
		await new Promise((resolve) => setTimeout(resolve, 200));
		calm = threadCpuMs() - before < 10 ? calm + 1 : 0;
	}
}

async function runProdcons1(folder: LabFolder): Promise<Verdict> {
	await folder.ensureBooted(report, never(), { restart: true });
	const result = await folder.runCommand("prodcons1", never());
	assert.ok(result.verdict, "the lab has a test for prodcons1");
	return result.verdict;
}

async function edit(folder: LabFolder, file: string, change: (text: string) => string): Promise<void> {
	const uri = vscode.Uri.joinPath(folder.root, file);
	const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
	const next = change(text);
	assert.notEqual(next, text, `the edit of ${file} changes nothing`);
	await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(next));
}

export function defineSuite(): void {
	describe("xv6 Lab in a real extension host", () => {
		before(async () => {
			await quiet();
			const before = threadCpuMs();
			api = await activate();
			activationMs = threadCpuMs() - before;
		});

		it("is activated in less than 100 ms of the host's time", () => {
			console.log(`[test] activation: ${activationMs.toFixed(1)} ms, what VS Code did meanwhile included`);
			assert.ok(activationMs < 100, `${activationMs} ms`);
		});

		it("registers every command that package.json contributes", async () => {
			const contributed = vscode.extensions
				.getExtension(extensionId)
				?.packageJSON.contributes.commands.map((command: { command: string }) => command.command) as string[];
			const registered = new Set(await vscode.commands.getCommands(true));
			assert.deepEqual(
				contributed.filter((command) => !registered.has(command)),
				[],
			);
		});

		if (!trusted) defineRestricted();
		else defineTrusted();
	});
}

function defineRestricted(): void {
	it("starts no compiler of this machine in a restricted window, whatever the settings say", async () => {
		assert.equal(vscode.workspace.isTrusted, false);
		const folder = await makeTree("restricted");
		const config = vscode.workspace.getConfiguration("xv6Lab", folder.root);
		await config.update("toolchain.kind", "host", vscode.ConfigurationTarget.Workspace);
		const summary = await folder.build(report, never());
		assert.match(summary.toolchain, /bundled/);
		assert.equal(folder.settings.build.toolchain, "bundled");
	});
}

function defineTrusted(): void {
	let folder: LabFolder;
	let watch: LoopWatch;
	before(() => {
		// The bundle, not this suite, which lies beside it.
		watch = new LoopWatch(join(vscode.extensions.getExtension(extensionId)?.extensionPath ?? "", "dist/extension"));
	});
	afterEach(function () {
		watch.mark(this.currentTest?.title ?? "");
	});

	it("makes a lab workspace and recognises its programs", async () => {
		folder = await makeTree("first");
		const names = folder.tree.programs.map((program) => program.name);
		for (const program of ["private", "prodcons1", "prodcons2", "prodcons3"])
			assert.ok(names.includes(program), program);
		assert.equal(folder.tree.lab?.id, lab);
		const source = readFileSync(join(folder.root.fsPath, "user/prodcons1.c"), "utf8").split("\n");
		const { range } = api.tests.find(folder, "prodcons1") ?? {};
		assert.match(source[range?.start.line ?? 0] ?? "", /^main\(/, "a test is at its program's main");
	});

	it("never writes a workspace over existing files", async () => {
		await assert.rejects(() => api.newWorkspace(lab, folder.root), /already exists/);
	});

	it("builds the untouched lab with the bundled compiler without compiling anything", async () => {
		const config = vscode.workspace.getConfiguration("xv6Lab", folder.root);
		await config.update("toolchain.kind", "bundled", vscode.ConfigurationTarget.Workspace);
		const summary = await folder.build(report, never());
		assert.equal(summary.ok, true);
		assert.equal(summary.compiled, 0, summary.summary);
	});

	it("shows on hover what a member of a structure is, by the debug information, and goes to a definition", async () => {
		const uri = vscode.Uri.joinPath(folder.root, "kernel/proc.c");
		const document = await vscode.workspace.openTextDocument(uri);
		const at = document.positionAt(document.getText().indexOf("np->trapframe->a0") + "np->trapframe->a".length);
		const hovers = await vscode.commands.executeCommand<vscode.Hover[]>("vscode.executeHoverProvider", uri, at);
		const text = hovers.flatMap(({ contents }) => contents.map((one) => (typeof one === "string" ? one : one.value)));
		assert.match(text.join("\n").replaceAll("&nbsp;", " "), /uint64 a0[\s\S]*struct trapframe/);
		const call = document.positionAt(document.getText().indexOf("= allocproc()") + 3);
		type Places = (vscode.Location | vscode.LocationLink)[];
		const found = await vscode.commands.executeCommand<Places>("vscode.executeDefinitionProvider", uri, call);
		const [place] = found.map((one) => ("uri" in one ? one.range : one.targetRange));
		assert.equal(document.lineAt(place?.start.line ?? 0).text, "allocproc(void)");
	});

	it("runs prodcons1 on the starter: it fails with an explanation that leads to the fix", async () => {
		const verdict = await runProdcons1(folder);
		assert.equal(verdict.outcome, "failed");
		assert.ok(verdict.explanations.length > 0, JSON.stringify(verdict));
	});

	it("shows a compile error in the Problems panel at its line, and takes it away when it is fixed", async () => {
		const uri = vscode.Uri.joinPath(folder.root, "kernel/vm.c");
		await edit(folder, "kernel/vm.c", (text) => `${text}\nint broken( {\n`);
		await assert.rejects(() => folder.build(report, never()), /not built/);
		const lines = new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)).split("\n");
		const problems = vscode.languages.getDiagnostics(uri).filter((d) => d.severity === vscode.DiagnosticSeverity.Error);
		assert.ok(problems.length > 0);
		assert.equal(lines[problems[0]!.range.start.line]?.includes("broken"), true);
		await edit(folder, "kernel/vm.c", (text) => text.replace("\nint broken( {\n", ""));
		await folder.build(report, never());
		assert.deepEqual(vscode.languages.getDiagnostics(uri), []);
	});

	it("marks what a Makefile has wrong at its line in the Problems panel: spaces, no endif, C++, CMake", async () => {
		const uri = vscode.Uri.joinPath(folder.root, "Makefile");
		const original = await vscode.workspace.fs.readFile(uri);
		const text = new TextDecoder().decode(original);
		const errorsOf = (at: vscode.Uri) =>
			vscode.languages
				.getDiagnostics(at)
				.filter(({ severity }) => severity === vscode.DiagnosticSeverity.Error)
				.map(({ message, range }) => ({ message, line: range.start.line }));
		const cases: readonly (readonly [string, string, RegExp])[] = [
			[text.replace(/^\t(\$\(LD\))/m, "    $1"), "    $(LD)", /must begin with a tab.*one tab/s],
			[`${text}\nifdef NOT_ENDED\nX = 1\n`, "ifdef NOT_ENDED", /no 'endif'.*Write a line/s],
			[text.replace(/^\tgcc(.*)\$<$/m, "\tg++$1mkfs/mkfs.cpp"), "\tg++", /compiled from C\+\+.*boot --kernel/s],
		];
		for (const [broken, begin, message] of cases) {
			assert.notEqual(broken, text, begin);
			await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(broken));
			await assert.rejects(() => folder.build(report, never()));
			const line = broken.split("\n").findIndex((candidate) => candidate.startsWith(begin));
			const problems = errorsOf(uri);
			assert.deepEqual(
				problems.map((problem) => problem.line),
				[line],
				JSON.stringify(problems),
			);
			assert.match(problems[0]?.message ?? "", message);
		}
		const cmake = vscode.Uri.joinPath(folder.root, "CMakeLists.txt");
		await vscode.workspace.fs.delete(uri);
		await vscode.workspace.fs.writeFile(cmake, new TextEncoder().encode("project(xv6)\n"));
		await assert.rejects(() => folder.build(report, never()));
		assert.match(errorsOf(cmake)[0]?.message ?? "", /built with CMake.*add a Makefile/s);
		assert.deepEqual(errorsOf(uri), []);
		await vscode.workspace.fs.delete(cmake);
		await vscode.workspace.fs.writeFile(uri, original);
		await folder.build(report, never());
		assert.deepEqual([...errorsOf(uri), ...errorsOf(cmake)], []);
	});

	it("runs two machines of two folders at once", async () => {
		const second = await makeTree("second");
		const [one, two] = await Promise.all([runProdcons1(folder), runProdcons1(second)]);
		assert.equal(one.actual, two.actual);
		assert.ok(folder.machineAlive || one.end === "panic");
		await second.stop();
	});

	it("cancels a run and leaves a machine that can be used again", async () => {
		await folder.ensureBooted(report, never(), { restart: true });
		const source = new vscode.CancellationTokenSource();
		let text = "";
		const subscription = folder.engine().on("console", ({ bytes }) => {
			text += new TextDecoder().decode(bytes);
			if (text.includes("usertests starting")) source.cancel();
		});
		await assert.rejects(folder.runCommand("usertests", source.token), /[Cc]ancelled/);
		subscription.dispose();
		assert.doesNotMatch(text, /ALL TESTS PASSED/);
		const verdict = await runProdcons1(folder);
		assert.equal(verdict.program, "prodcons1");
	});

	it("tries as many schedules as the setting says, and re-runs a test on every save until it is told to stop", async () => {
		const item = api.tests.find(folder, "prodcons1");
		assert.ok(item);
		const seeds: number[] = [];
		const subscription = folder.engine().on("verdict", (verdict) => seeds.push(verdict.seed));
		const config = vscode.workspace.getConfiguration("xv6Lab", folder.root);
		await config.update("tests.seeds", 3, vscode.ConfigurationTarget.Workspace);
		const { once, many } = api.tests;
		await many.runHandler(new vscode.TestRunRequest([item], undefined, many), never());
		assert.deepEqual(seeds.splice(0), [0, 1, 2]);

		const stop = new vscode.CancellationTokenSource();
		await once.runHandler(new vscode.TestRunRequest([item], undefined, once, true), stop.token);
		const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.root, "user/prodcons1.c"));
		const save = async (): Promise<void> => {
			const typing = new vscode.WorkspaceEdit();
			typing.insert(document.uri, new vscode.Position(0, 0), "// once more\n");
			await vscode.workspace.applyEdit(typing);
			assert.ok(await document.save());
		};
		for (const runs of [1, 2]) {
			await save();
			await until(() => seeds.length === runs, `save ${runs} runs the test`);
		}
		stop.cancel();
		await save();
		await folder.build(report, never());
		assert.deepEqual(seeds, [0, 0]);
		subscription.dispose();
	});

	it("counts what a test executes, and lets each kalloc fail once, by profiles of the Test Explorer", async () => {
		const item = api.tests.find(folder, "prodcons1");
		assert.ok(item);
		const outcomes: string[] = [];
		let kallocs = 0;
		const engine = folder.engine();
		const verdict = engine.on("verdict", ({ outcome }) => outcomes.push(outcome));
		const progress = engine.on("testProgress", () => kallocs++);
		const { coverage, everyKalloc } = api.tests;
		assert.equal(coverage.kind, vscode.TestRunProfileKind.Coverage);
		assert.ok(coverage.loadDetailedCoverage && coverage.loadDetailedCoverageForTest);
		for (const profile of [coverage, everyKalloc])
			await profile.runHandler(new vscode.TestRunRequest([item], undefined, profile), never());
		// The starter fails its test, and its kernel stands a kalloc that fails.
		assert.deepEqual(outcomes, ["failed", "passed"]);
		assert.ok(kallocs > 10, `${kallocs} calls of kalloc failed`);
		verdict.dispose();
		progress.dispose();
	});

	it("stops all tests of the lab where they are when the stop button is pressed", async () => {
		// Most of its tests end only when their budget does: nobody's button comes too late.
		const slow = await makeTree("slow");
		await edit(slow, "user/mmaptests.c", (text) =>
			text.replace("main(int argc, char **argv)\n{", "$&\n  for(;;)\n    ;"),
		);
		let verdicts = 0;
		const subscription = slow.engine().on("verdict", () => verdicts++);
		const all = vscode.commands.executeCommand("xv6Lab.runAllTests", slow.root);
		await until(() => verdicts > 0, "the first test is judged");
		await vscode.commands.executeCommand("testing.cancelRun");
		await all;
		assert.ok(verdicts < (slow.tree.lab?.tests.length ?? 0), `${verdicts} tests were run`);
		subscription.dispose();
	});

	(process.platform === "linux" ? it : it.skip)(
		"starts no process but engines: one for a tree that is used, a few for trees that are not",
		async () => {
			const children = (pid: number | "self"): string[] =>
				readdirSync(`/proc/${pid}/task`).flatMap((task) =>
					readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean),
				);
			const name = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
			const engines = children("self").filter((pid) => /engine\.node/.test(name(pid)));
			assert.ok(engines.length >= 1 && engines.length <= api.folders().length);
			assert.deepEqual(
				children("self")
					.map(name)
					.filter((one) => /toolchainWorker|clang|riscv/.test(one)),
				[],
			);
			// A class's folder: many trees that nobody has run.
			const root = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
			const trees = Array.from({ length: 10 }, (_, i) => join(root, `submission${i}`));
			for (const tree of trees) {
				mkdirSync(join(tree, "kernel"), { recursive: true });
				for (const file of ["Makefile", "kernel/proc.c", "kernel/main.c"]) writeFileSync(join(tree, file), "\n");
			}
			await api.refresh();
			assert.ok(api.folders().length >= 10);
			await until(() => children("self").filter((pid) => /engine\.node/.test(name(pid))).length <= 6, "engines rest");
			for (const tree of trees) rmSync(tree, { recursive: true });
			await api.refresh();
			assert.ok(api.folders().length < 10);
			// Compilers and machines are threads of the engine.
			assert.deepEqual(
				engines.flatMap((pid) => children(Number(pid))),
				[],
			);
		},
	);

	it("offers Run, Debug and many schedules above main of a user program, and only in a kernel tree", async () => {
		const lenses = async (uri: vscode.Uri) => {
			await vscode.workspace.openTextDocument(uri);
			return vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", uri, 10);
		};
		const found = await lenses(vscode.Uri.joinPath(folder.root, "user/prodcons1.c"));
		assert.deepEqual(
			found.map((lens) => lens.command?.command),
			["xv6Lab.runProgramAt", "xv6Lab.debugProgramAt", "xv6Lab.runSchedules"],
		);
		// A program that the Makefile does not name: the lens, and the light bulb, put it there.
		const mine = vscode.Uri.joinPath(folder.root, "user/mine.c");
		const makefile = vscode.Uri.joinPath(folder.root, "Makefile");
		const before = await vscode.workspace.fs.readFile(makefile);
		await vscode.workspace.fs.writeFile(mine, new TextEncoder().encode("int\nmain(void)\n{\n  return 0;\n}\n"));
		const [add] = await lenses(mine);
		assert.equal(add?.command?.command, "xv6Lab.addProgram");
		const range = new vscode.Range(1, 0, 1, 0);
		const fixes = await vscode.commands.executeCommand<vscode.CodeAction[]>(
			"vscode.executeCodeActionProvider",
			mine,
			range,
		);
		assert.deepEqual(
			fixes.map(({ title }) => title),
			["Add mine to UPROGS in the Makefile"],
		);
		await vscode.commands.executeCommand("xv6Lab.addProgram", mine, "mine");
		assert.match(new TextDecoder().decode(await vscode.workspace.fs.readFile(makefile)), /^\t\$U\/_mine\\$/m);
		await vscode.workspace.fs.delete(mine);
		await vscode.workspace.fs.writeFile(makefile, before);
		await folder.sync();
		const outside = vscode.Uri.joinPath(folder.root, "../elsewhere/user/prodcons1.c");
		await vscode.workspace.fs.writeFile(outside, new TextEncoder().encode("int\nmain(void)\n{\n}\n"));
		assert.deepEqual(await lenses(outside), []);
	});

	it("says why a machine is dead, and Enter in its terminal boots again", async () => {
		await folder.ensureBooted(report, never());
		const shown: string[] = [];
		const subscription = folder.terminal.onDidWrite((text) => shown.push(text));
		await folder.stop();
		await until(() => shown.join("").includes("Press Enter here"), "the terminal says how to start again");
		folder.terminal.handleInput("\r");
		await until(() => folder.state === "running", "the machine runs again");
		subscription.dispose();
	});

	it("reports a crash of the worker and starts again, and an open inspector keeps working", async () => {
		await folder.ensureBooted(report, never(), { restart: true });
		await vscode.commands.executeCommand("xv6Lab.openInspector", folder.root);
		let models = 0;
		const subscription = folder.onModel(() => models++);
		await until(() => models > 0, "the inspector gets the machine's memory");
		folder
			.engine()
			.request("crash", undefined)
			.catch(() => undefined);
		await until(() => folder.state === "dead", "the crash is reported");
		models = 0;
		const verdict = await runProdcons1(folder);
		assert.equal(verdict.program, "prodcons1");
		await until(() => models > 0, "the inspector gets the next machine's memory");
		subscription.dispose();
		await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
	});

	it("opens the inspector beside a single editor, and in the other column of two", async () => {
		const file = (path: string) => vscode.Uri.joinPath(folder.root, path);
		const groups = () => vscode.window.tabGroups.all;
		const column = () =>
			groups().find(({ tabs }) => tabs.some(({ input }) => input instanceof vscode.TabInputWebview))?.viewColumn;
		await vscode.commands.executeCommand("workbench.action.closeAllEditors");
		await vscode.window.showTextDocument(file("kernel/vm.c"), { viewColumn: vscode.ViewColumn.One });
		await vscode.commands.executeCommand("xv6Lab.openInspector", folder.root);
		await until(() => column() === vscode.ViewColumn.Two, "the inspector is beside the editor");
		await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
		await until(() => groups().length === 1, "its column is gone");
		await vscode.window.showTextDocument(file("kernel/proc.c"), { viewColumn: vscode.ViewColumn.Two });
		await vscode.commands.executeCommand("xv6Lab.openInspector", folder.root);
		await until(() => column() === vscode.ViewColumn.One, "the inspector is in the other column");
		assert.equal(groups().length, 2);
		await vscode.commands.executeCommand("workbench.action.closeAllEditors");
	});

	it("shows memory and much output while the host stays free", async () => {
		await folder.ensureBooted(report, never(), { restart: true });
		await vscode.commands.executeCommand("xv6Lab.openInspector", folder.root);
		await folder.runCommand("prodcons3", never());
		for (const program of ["mmaptests", "mmapstress"]) await folder.runCommand(program, never());
		const source = "cat README";
		for (let i = 0; i < 5; i++) await folder.runCommand(source, never());
		await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
	});

	it("shows a course's grade script in the Test Explorer, with points and parents, and runs its tests", async () => {
		const graded = await makeTree("graded");
		const script = `from gradelib import *

r = Runner(save("xv6.out"))

@test(10, "echo")
def test_echo():
    r.run_qemu(shell_script(['echo hello']))
    r.match('^hello$')

@test(5, "its end", parent=test_echo)
def test_end():
    r.match('^bye$')

run_tests()
`;
		await vscode.workspace.fs.writeFile(
			vscode.Uri.joinPath(graded.root, "grade-lab-own"),
			new TextEncoder().encode(script),
		);
		await api.refresh();
		const [echo, end] = ["grade-lab-own: echo", "grade-lab-own: its end"];
		await until(() => api.tests.find(graded, end) !== undefined, "the script's tests are in the Test Explorer");
		const item = api.tests.find(graded, end);
		assert.equal(item?.parent?.id, echo);
		assert.equal(item?.label, "its end (5 points)");
		assert.equal(item?.range?.start.line, 9);
		assert.ok(item?.uri?.path.endsWith("/graded/grade-lab-own"));
		await api.tests.runOne(graded, echo);
		assert.equal(api.tests.results(graded).get(echo), "passed");
		assert.equal(api.tests.results(graded).get(end), "failed");
	});

	it("shows usertests' own tests in the Test Explorer, each at its function, and runs one of them", async () => {
		const own = await makeTree("owntests");
		const id = "usertests pipes";
		const item = api.tests.find(own, id);
		assert.equal(item?.parent?.label, "usertests (owntests)");
		assert.ok(item.uri?.path.endsWith("/owntests/user/usertests.c"));
		const source = readFileSync(join(own.root.fsPath, "user/usertests.c"), "utf8").split("\n");
		assert.match(source[item.range?.start.line ?? 0] ?? "", /^(static void )?pipes\(/);
		const judged: string[] = [];
		const subscription = own.engine().on("verdict", ({ test }) => judged.push(test));
		await api.tests.runOne(own, id);
		assert.equal(api.tests.results(own).get(id), "passed");
		assert.deepEqual(judged, [id]);
		subscription.dispose();
	});

	it("never blocked the extension host's event loop in all this", async () => {
		const { turns, longest } = await watch.stop();
		console.log(`[test] event loop: ${turns} turns, the longest:\n    ${longest.join("\n    ")}`);
		assert.deepEqual(watch.over(10), []);
	});

	it("leaves no half-written file in the tree", () => {
		const names = readdirSync(folder.root.fsPath, { recursive: true }) as string[];
		assert.deepEqual(
			names.filter((name) => /\.(tmp|partial)$/.test(name)),
			[],
		);
		assert.ok(scratch.length > 0);
	});
}
