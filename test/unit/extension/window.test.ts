import { afterAll, beforeAll, expect, test } from "vitest";
import {
	type ExtensionWindow,
	explorer,
	openLab,
	outcomes,
	plainText,
	putTree,
	theFolder,
	until,
} from "../../support/extensionWindow.ts";
import { closeToolchains } from "../../support/lab.ts";
import {
	CancellationTokenSource,
	type Diagnostic,
	host,
	Position,
	type StandInItem,
	type StandInProfile,
	TestRunRequest,
	Uri,
	window as vscodeWindow,
	type WorkspaceEdit,
	workspace,
} from "../../support/vscode.ts";

/** The extension from its start to its end: commands, views, terminal, Test Explorer and files over one real engine. */

const root = Uri.file("/work/hw5");
const at = (path: string) => Uri.joinPath(root, path);
let window: ExtensionWindow;

beforeAll(async () => {
	window = await openLab(root);
}, 120_000);

afterAll(async () => {
	await window.close();
	await closeToolchains();
});

const folder = () => theFolder(window.api);
const terminal = () => {
	const [first] = host.terminals;
	if (!first) throw new Error("there is no terminal");
	return first;
};
const shown = () => plainText(terminal().text);
const controller = () => host.controllers[0] as (typeof host.controllers)[number];
const item = (test: string): StandInItem => {
	const found = window.api.tests.find(folder(), test) as unknown as StandInItem | undefined;
	if (!found) throw new Error(`there is no item ${test}`);
	return found;
};
const profile = (label: string): StandInProfile => {
	const found = controller().profiles.find((one) => one.label === label);
	if (!found) throw new Error(`there is no profile ${label}`);
	return found;
};
const press = async (label: string, include?: readonly StandInItem[], exclude?: readonly StandInItem[]) => {
	const before = host.runs.length;
	await profile(label).handler(new TestRunRequest(include, exclude), new CancellationTokenSource().token);
	return host.runs[before];
};

test("a window that opens a kernel tree says what it is: views, keys and status", () => {
	expect(Object.fromEntries(host.contexts)).toMatchObject({
		...{ "xv6Lab.isKernelTree": true, "xv6Lab.hasLab": true, "xv6Lab.machineRunning": false },
		...{ "xv6Lab.has.prodcons1": true, "xv6Lab.has.usertests": true, "xv6Lab.has.mmaptest": false },
	});
	expect(host.statusBar[0]).toMatchObject({ visible: true, text: "$(vm-outline) xv6" });
	expect(host.rows("xv6Lab.machine")[0]).toBe("hw5 | off | vm-outline");
	const programs = host
		.rows("xv6Lab.machine")
		.slice(1)
		.map((row) => row.trim().split(" | ")[0]);
	// The lab's first, in its order; nothing that the kernel starts by itself.
	const ofLab = folder().tree.lab?.programs.filter((name) => programs.includes(name)) ?? [];
	expect([programs.slice(0, ofLab.length), ofLab.length > 4]).toEqual([ofLab, true]);
	expect(programs).not.toContain("init");
	const others = programs.slice(ofLab.length);
	expect(others).toEqual([...others].sort());
	const progress = host.rows("xv6Lab.progress");
	expect(progress[0]).toMatch(/^Next \| /);
	expect(progress.some((row) => /^Handout \| .* \| book$/.test(row))).toBe(true);
	expect(progress.some((row) => /\| 0\/\d+ {2}/.test(row))).toBe(true);
	expect(host.log[0]).toMatch(/^info: xv6 Lab \d+\.\d+\.\d+, VS Code 1\.100\.0$/);
	expect(host.log.some((line) => line.startsWith("info: hw5: "))).toBe(true);
});

test("the Test Explorer has the lab's tasks and tests, and a program's own tests when they are looked at", () => {
	const lines = explorer();
	expect(lines[0]).toMatch(/\(hw5\)$/);
	expect(lines.filter((line) => /^ {2}\S/.test(line)).map((line) => line.trim().split(":")[0])).toEqual([
		...new Set(folder().tree.lab?.tests.map(({ task }) => task)),
	]);
	expect(lines.at(-1)).toBe("usertests (hw5)");
	const usertests = controller().items.sorted.at(-1) as StandInItem;
	expect([usertests.children.size, usertests.canResolveChildren]).toEqual([0, true]);
	const own = folder().tree.programTests?.find(({ program }) => program === "usertests")?.tests ?? [];
	const found = item(own[3]?.id ?? "");
	expect([found.parent, found.label, found.uri?.path]).toEqual([
		...[usertests, own[3]?.title, "/work/hw5/user/usertests.c"],
	]);
	expect(usertests.children.size).toBe(own.length);
	expect(own.length).toBeGreaterThan(20);
	expect(controller().profiles.map(({ label }) => label)).toEqual([
		...["Run", "Run with many schedules", "Coverage", "Every kalloc fails once", "Explore schedules", "Debug"],
	]);
	expect([item("prodcons1").uri?.path, item("prodcons1").description]).toEqual([
		"/work/hw5/user/prodcons1.c",
		"prodcons1",
	]);
});

test("above main of a program stand Run, Debug and its schedules; below the kernel's files nothing", async () => {
	const lenses = async (path: string) => {
		const provider = host.providers.get("codeLens") as { provideCodeLenses(document: object): { command: object }[] };
		return provider.provideCodeLenses(await workspace.openTextDocument(at(path))).map(({ command }) => command);
	};
	expect(await lenses("user/prodcons1.c")).toMatchObject([
		{
			title: "$(play) Run prodcons1",
			command: "xv6Lab.runProgramAt",
			arguments: [at("user/prodcons1.c"), "prodcons1"],
		},
		{ title: "$(debug-alt) Debug prodcons1", command: "xv6Lab.debugProgramAt" },
		{ title: "$(beaker) Run 50 schedules", command: "xv6Lab.runSchedules" },
	]);
	expect((await lenses("user/wc.c")).length).toBe(2);
	expect(await lenses("user/ulib.c")).toEqual([]);
	host.write(at("user/mine.c"), "int\nmain(void)\n{\n  return 0;\n}\n");
	expect(await lenses("user/mine.c")).toMatchObject([
		{ title: "$(add) Add mine to UPROGS in the Makefile", command: "xv6Lab.addProgram" },
	]);
	await host.run("xv6Lab.addProgram", at("user/mine.c"), "mine");
	const makefile = await workspace.openTextDocument(at("Makefile"));
	expect(makefile.getText()).toMatch(/UPROGS=\\\n\t\$U\/_mine\\\n/);
	makefile.edit(makefile.getText().replace("\t$U/_mine\\\n", ""));
	await makefile.save();
	host.remove(at("user/mine.c"));
});

test("a program that passes: built, booted, judged, and said in terminal, explorer, side bar and keys alike", async () => {
	await host.run("xv6Lab.runProgramAt", at("user/prodcons1.c"), "prodcons1");
	await until("the card", () => shown().includes("✓ Passed: "));
	expect(shown()).toContain("xv6 kernel is booting");
	expect(shown()).toContain("▸ Run again");
	expect(shown()).not.toContain("▸ Open memory inspector");
	expect(outcomes(host.runs.at(-1))).toEqual(["passed prodcons1"]);
	expect(host.runs.at(-1)?.ended).toBe(true);
	expect(host.contexts.get("xv6Lab.machineRunning")).toBe(true);
	expect(host.contexts.get("xv6Lab.hasPassed")).toBe(true);
	expect(host.statusBar[0]?.text).toBe("$(vm-running) xv6");
	expect(host.rows("xv6Lab.machine")[0]).toBe("hw5 | running | vm-running");
	const row = host
		.rows("xv6Lab.progress")
		.find((line) => line.includes(item("prodcons1").label) && line.startsWith("  "));
	expect(row).toMatch(/pass-filled$/);
	expect(host.said).toEqual([]);
	// The prompt stays the last line.
	await until("the prompt", () => shown().endsWith("$ "));
}, 120_000);

test("the terminal is the guest's shell: a line that is typed is echoed and answered", async () => {
	const from = shown().length;
	terminal().type("echo hello\r");
	await until("the answer", () => /echo hello\r\nhello\r\n\$ $/.test(shown().slice(from)));
});

test("a program that fails: its cause and what to do in the terminal, its messages at the line in the explorer", async () => {
	await host.run("xv6Lab.runProgramAt", at("user/prodcons3.c"), "prodcons3");
	await until("the card", () => shown().includes("✗ Failed: "));
	const card = shown().slice(shown().indexOf("✗ Failed: "));
	expect(card).toMatch(/\n {2}expected +total = /);
	expect(card).toMatch(/\n {2}got +total = /);
	const actions = card.split("\r\n").find((line) => line.includes("▸ Run again")) as string;
	expect(actions).toContain("▸ Open handout");
	expect(actions).toContain("▸ Open memory inspector");
	const [failed] = host.runs.at(-1)?.outcomes.filter(({ state }) => state === "failed") ?? [];
	expect(failed?.item.id).toBe("prodcons3");
	const [explanation, difference] = failed?.messages ?? [];
	expect(explanation).toMatchObject({
		contextValue: "xv6Lab.verdict",
		location: { uri: { path: expect.any(String) } },
	});
	expect(difference).toMatchObject({ expectedOutput: expect.stringContaining("total = 2048") });
	expect(host.rows("xv6Lab.progress").some((line) => line.startsWith("  ") && line.endsWith("| error"))).toBe(true);
	expect(host.rows("xv6Lab.progress")[0]).toMatch(/^Next \| /);

	// The links of that line do what they say.
	type Links = {
		provideTerminalLinks(c: object): { startIndex: number; length: number }[];
		handleTerminalLink(l: object): Promise<void>;
	};
	const links = host.providers.get("terminalLinks") as Links;
	const found = links.provideTerminalLinks({ line: actions, terminal: terminal() });
	expect(found.map(({ startIndex, length }) => actions.slice(startIndex, startIndex + length))).toEqual([
		...["▸ Run again", "▸ Open handout", "▸ Open memory inspector"],
	]);
	await links.handleTerminalLink(found[1] as object);
	expect(host.asked.at(-1)).toMatchObject({
		id: "markdown.showPreviewToSide",
		args: [{ path: expect.stringMatching(/\.md$/) }],
	});
	const [place] = links.provideTerminalLinks({ line: "panic at kernel/trap.c:12", terminal: terminal() });
	await links.handleTerminalLink(place as object);
	expect(host.shown.at(-1)).toMatchObject({
		document: { uri: at("kernel/trap.c") },
		options: { selection: { start: { line: 11 } } },
	});
	expect(links.provideTerminalLinks({ line: "kernel/trap.c:12", terminal: { creationOptions: {} } })).toEqual([]);
}, 120_000);

test("a run in the explorer: each test of a task has its result, one that is excluded has none", async () => {
	const task = item("prodcons1").parent as StandInItem;
	const run = await press("Run", [task], [item("prodcons2")]);
	expect(outcomes(run)).toContain("passed prodcons1");
	expect(outcomes(run).some((one) => one.includes("prodcons2"))).toBe(false);
	expect(run?.ended).toBe(true);
	expect(run?.output).toContain("total = ");
}, 120_000);

test("many schedules: each is said, a pass needs all, and a task that is not begun is skipped with the reason", async () => {
	host.settings.set("xv6Lab.tests.seeds", 2);
	const run = await press("Run with many schedules", [item("prodcons1"), item("prodcons3")]);
	expect(outcomes(run).join(), run?.output).toBe("passed prodcons1,skipped prodcons3");
	expect(run?.output).toContain("schedule 2 of 2");
	expect(run?.output).toContain("Task 3b does not look begun");
	host.settings.delete("xv6Lab.tests.seeds");
}, 120_000);

test("coverage: files of the tree with counts, lines for each test, and no files of elsewhere", async () => {
	const run = await press("Coverage", [item("prodcons1")]);
	const files = run?.covered ?? [];
	const own = files.find(({ uri }) => (uri as Uri).path === "/work/hw5/user/prodcons1.c");
	expect(own?.includesTests).toEqual([item("prodcons1")]);
	if (!own) throw new Error("prodcons1.c is not covered");
	const { covered, total } = own.statementCoverage as { covered: number; total: number };
	expect([covered > 5, covered <= total]).toEqual([true, true]);
	for (const { uri } of files) expect((uri as Uri).path.startsWith("/work/hw5/")).toBe(true);
	const { loadDetailedCoverage, loadDetailedCoverageForTest } = profile("Coverage");
	const together = (await loadDetailedCoverage?.({}, own as object, {})) ?? [];
	expect(together.filter((one) => "branches" in one && "executed" in one && one.executed === true)).toHaveLength(
		covered,
	);
	expect((await loadDetailedCoverageForTest?.({}, own as object, item("prodcons1"), {}))?.length).toBe(together.length);
	expect(await loadDetailedCoverageForTest?.({}, own as object, item("prodcons2"), {})).toEqual([]);
	expect(await loadDetailedCoverage?.({}, {}, {})).toEqual([]);
}, 120_000);

test("a build that fails: its place in the Problems panel, one red root, and nothing left when it is mended", async () => {
	const file = at("kernel/sysproc.c");
	const document = await workspace.openTextDocument(file);
	const before = document.getText();
	document.edit(before.replace("&tickslock", "&ticksloc"));
	host.said.length = 0;
	await host.run("xv6Lab.build");
	expect(document.isDirty, "a build saves first").toBe(false);
	const problems = host.diagnostics.get(file.toString()) ?? [];
	expect(problems[0]).toMatchObject({ severity: 0, source: "xv6 Lab", message: expect.stringContaining("ticksloc") });
	expect(host.asked.at(-1)?.id).toBe("workbench.actions.view.problems");
	expect(host.said).toEqual([]);
	// A program that was to run has a card where its output would stand.
	await host.run("xv6Lab.runProgramAt", at("user/prodcons1.c"), "prodcons1");
	await until("the card", () => shown().includes("✗ Failed: prodcons1: the kernel was not built"));
	const card = shown().slice(shown().indexOf("✗ Failed: prodcons1: the kernel"));
	expect(card).toMatch(/ticksloc[\s\S]*\n {2}where +kernel\/sysproc\.c:\d+/);
	const run = await press("Run", [item("prodcons1"), item("prodcons2")]);
	expect(outcomes(run)).toEqual([`errored ${root}`, "skipped prodcons1", "skipped prodcons2"]);

	type Actions = {
		provideCodeActions(d: object, r: object, c: object): Promise<{ title: string; edit: WorkspaceEdit }[]>;
	};
	const provider = host.providers.get("codeActions") as Actions;
	const [problem] = problems as InstanceType<typeof Diagnostic>[];
	const actions = await provider.provideCodeActions(document, problem?.range as object, { diagnostics: problems });
	const replace = actions.find(({ title }) => title.includes("tickslock"));
	expect(actions.map(({ title }) => title)).toEqual([replace?.title]);
	await workspace.applyEdit(replace?.edit as WorkspaceEdit);
	expect(document.getText()).toBe(before);
	await host.run("xv6Lab.build");
	expect(host.diagnostics.has(file.toString())).toBe(false);
	expect(host.status.at(-1)).toMatch(/^\$\(check\) built in [\d.]+ s by /);
}, 120_000);

test("a Makefile that cannot be understood is marked at its line", async () => {
	const makefile = await workspace.openTextDocument(at("Makefile"));
	const before = makefile.getText();
	makefile.edit(`${before}\nall: \n        cc\n`);
	await host.run("xv6Lab.build");
	const [problem] = host.diagnostics.get(at("Makefile").toString()) ?? [];
	expect(problem).toMatchObject({
		code: "makefile-not-understood",
		range: { start: { line: before.split("\n").length + 1 } },
	});
	makefile.edit(before);
	await host.run("xv6Lab.build");
	expect(host.diagnostics.size).toBe(0);
}, 60_000);

test("a save builds in the background, and says nothing but the messages", async () => {
	const document = await workspace.openTextDocument(at("user/echo.c"));
	const before = document.getText();
	host.said.length = 0;
	document.edit(before.replace("exit(0)", "exit(nobody)"));
	await document.save();
	await until("the message", () => host.diagnostics.has(at("user/echo.c").toString()));
	document.edit(before);
	await document.save();
	await until("its end", () => !host.diagnostics.has(at("user/echo.c").toString()));
	expect(host.said).toEqual([]);
}, 60_000);

test("names of C: definitions, hovers with types of the last build, outline and symbols of the tree", async () => {
	const document = await workspace.openTextDocument(at("kernel/sysproc.c"));
	const lines = document.getText().split("\n");
	const line = lines.findIndex((text) => text.includes("myproc()"));
	const position = new Position(line, (lines[line] ?? "").indexOf("myproc") + 2);
	type Provider = Record<string, (...args: object[]) => Promise<Record<string, unknown>[]>>;
	const definitions = await (host.providers.get("definition") as Provider).provideDefinition?.(document, position);
	expect(definitions?.map(({ uri }) => (uri as Uri).path)).toEqual(["/work/hw5/kernel/proc.c"]);
	const hovers = host.providers.get("hover") as Provider;
	const hover = (await hovers.provideHover?.(document, position)) as unknown as { contents: { value: string } };
	expect(hover.contents.value).toMatch(/struct proc ?\* ?myproc/);
	expect(hover.contents.value).toContain("kernel/proc.c:");
	const proc = await workspace.openTextDocument(at("kernel/proc.c"));
	const members = proc.getText().split("\n");
	const member = members.findIndex((text) => /^ {2}p->state = UNUSED;/.test(text));
	const column = (members[member] ?? "").indexOf("state") + 1;
	const declared = (await hovers.provideHover?.(proc, new Position(member, column))) as unknown as typeof hover;
	expect(declared.contents.value).toMatch(/in struct proc, at offset \d+, \d+ bytes/);
	const outline = await (host.providers.get("symbols") as Provider).provideDocumentSymbols?.(document);
	expect(outline?.map(({ name }) => name)).toContain("sys_fork");
	const named = await (host.providers.get("workspaceSymbols") as Provider).provideWorkspaceSymbols?.(
		"USERTRAP" as never,
	);
	expect(named?.map(({ name }) => name)).toContain("usertrap");
	// One that knows C better takes over.
	host.extensions.add("llvm-vs-code-extensions.vscode-clangd");
	host.extensionsChanged();
	expect(host.providers.has("definition")).toBe(false);
	host.extensions.clear();
	host.extensionsChanged();
	expect(host.providers.has("definition")).toBe(true);
}, 60_000);

test("compile_commands.json is written, a person's own .clangd stays, and git leaves them alone", async () => {
	host.write(at(".git/info/exclude"), "# own\n*.tmp");
	await host.run("xv6Lab.compileCommands");
	const commands = JSON.parse(host.text(at("compile_commands.json")) ?? "[]") as { file: string; directory: string }[];
	expect(commands.some(({ file, directory }) => file === "kernel/proc.c" && directory === "/work/hw5")).toBe(true);
	expect(host.text(at(".clangd"))).toMatch(/^# Made by xv6 Lab/);
	const exclude = host.text(at(".git/info/exclude"));
	expect(exclude).toBe("# own\n*.tmp\n/compile_commands.json\n/.clangd\n/.vscode/c_cpp_properties.json\n");
	expect(host.said.at(-1)?.text).toBe("xv6: wrote compile_commands.json and .clangd. git leaves them alone.");
	host.write(at(".clangd"), "mine\n");
	await host.run("xv6Lab.compileCommands");
	expect([host.text(at(".clangd")), host.text(at(".git/info/exclude"))]).toEqual(["mine\n", exclude]);
	expect(host.said.at(-1)?.text).toContain(".clangd is your own and was not changed");
	expect(host.text(at(".vscode/c_cpp_properties.json"))).toBeUndefined();
});

test("expected results are a page of the lab's tests in its order", async () => {
	await host.run("xv6Lab.showExpected");
	const { id, args } = host.asked.at(-1) ?? { id: "", args: [] };
	expect(id).toBe("markdown.showPreview");
	const pages = host.providers.get("pages") as { provideTextDocumentContent(uri: Uri): string };
	const text = pages.provideTextDocumentContent(args[0] as Uri);
	expect(text).toContain("$ prodcons1\ntotal = ");
	expect(text.indexOf("prodcons1")).toBeLessThan(text.indexOf("prodcons3"));
	expect(pages.provideTextDocumentContent(Uri.file("/nothing"))).toBe("");
});

test("a run is saved as a file and repeated from it, and the debugger is offered for what is built", async () => {
	await host.run("xv6Lab.runProgramAt", at("user/prodcons1.c"), "prodcons1");
	const file = Uri.file("/runs/one.xv6run");
	host.dialogs.push(file);
	await host.run("xv6Lab.saveRun");
	expect(host.said.at(-1)?.text).toMatch(/^xv6: saved\./);
	host.answers.push("Debug");
	await host.run("xv6Lab.openRun", file);
	expect(host.said.at(-1)).toMatchObject({ kind: "information", choices: ["Open Memory Inspector", "Debug"] });
	expect(host.said.at(-1)?.text).toMatch(
		/^xv6: repeated prodcons1, [\d,]+ instructions\. The machine is stopped at its end\.$/,
	);
	expect(host.debugged).toEqual([{ type: "xv6", request: "attach", name: "Debug prodcons1" }]);
	expect(host.statusBar[0]?.text).toBe("$(debug-pause) xv6");
	host.write(Uri.file("/runs/bad.xv6run"), "nonsense");
	await host.run("xv6Lab.openRun", Uri.file("/runs/bad.xv6run"));
	expect(host.said.at(-1)).toMatchObject({ kind: "error" });
	// Closed dialogs do nothing.
	const before = host.said.length;
	host.dialogs.push(undefined);
	await host.run("xv6Lab.openRun");
	expect(host.said.length).toBe(before);
}, 120_000);

test.each([
	["/openRun", "/runs/one.xv6run", true],
	["/openRun", "C:\\runs\\one.xv6run", true],
	["/openRun", "//server/share/one.xv6run", false],
	["/openRun", "\\\\server\\one.xv6run", false],
	["/openRun", "one.xv6run", false],
	["/openRun", "/runs/one.txt", false],
	["/other", "/runs/one.xv6run", false],
])("a link %s?%s opens a run: %j", async (path, query, opens) => {
	const opened: string[] = [];
	const command = host.commands.get("xv6Lab.openRun");
	host.commands.set("xv6Lab.openRun", ((file: Uri) => void opened.push(file.path)) as never);
	host.uriHandlers[0]?.handleUri(Uri.from({ scheme: "vscode", path, query }));
	await new Promise(setImmediate);
	if (command) host.commands.set("xv6Lab.openRun", command);
	expect(opened).toHaveLength(opens ? 1 : 0);
});

test("a machine that is stopped says so, and Enter in its terminal boots again", async () => {
	await host.run("xv6Lab.boot");
	await until("the prompt", () => shown().endsWith("$ "));
	await host.run("xv6Lab.stop");
	await until("its end", () => shown().includes('or run "xv6: Restart Machine", to boot again.'));
	expect(host.statusBar[0]?.text).toBe("$(vm-outline) xv6");
	const from = shown().length;
	terminal().type("x");
	terminal().type("\r");
	await until("the next machine", () => /xv6 kernel is booting[\s\S]*\$ $/.test(shown().slice(from)));
	expect(host.contexts.get("xv6Lab.machineRunning")).toBe(true);
}, 60_000);

test("an engine that crashes is told once, and the next command has a new one", async () => {
	host.said.length = 0;
	const before = window.engines.length;
	host.answers.push("Restart Machine");
	window.engines.at(-1)?.crash("out of memory");
	await until("the message", () => host.said.length > 0);
	expect(host.said[0]).toMatchObject({ kind: "error", text: "xv6 Lab: the engine of hw5 crashed: out of memory" });
	await until("a new engine", () => window.engines.length > before);
	await until("its note", () => shown().includes("The engine crashed (out of memory). No file was touched."));
	const from = shown().length;
	await until("its machine", () => /xv6 kernel is booting[\s\S]*\$ $/.test(shown().slice(from)));
	expect(host.said).toHaveLength(1);
}, 60_000);

test("without a tree a command says what is missing; with two it asks which", async () => {
	const other = Uri.file("/work/plain");
	await putTree(other, undefined);
	host.openFolder(other);
	await window.api.refresh();
	expect(window.api.folders().map(({ name }) => name)).toEqual(["hw5", "plain"]);
	expect(host.rows("xv6Lab.machine").filter((row) => !row.startsWith(" "))).toHaveLength(2);
	vscodeWindow.activeTextEditor = undefined;
	host.answers.push("plain");
	host.said.length = 0;
	await host.run("xv6Lab.showExpected");
	expect(host.said.at(-1)?.text).toBe("xv6: this tree has no lab.");
	host.closeFolder(other);
	host.closeFolder(root);
	await window.api.refresh();
	expect(window.api.folders()).toEqual([]);
	expect(host.contexts.get("xv6Lab.isKernelTree")).toBe(false);
	expect([host.statusBar[0]?.visible, controller().items.size]).toEqual([false, 0]);
	await host.run("xv6Lab.boot");
	expect(host.said.at(-1)).toMatchObject({
		...{ kind: "information", choices: ["New Lab Workspace…"] },
		text: "xv6: no folder of this window holds an xv6 kernel (kernel/proc.c and a Makefile).",
	});
}, 60_000);
