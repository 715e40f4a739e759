import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cancelled } from "../../../src/common/errors.ts";
import type { LabFolder } from "../../../src/extension/labFolder.ts";
import type { BuildSummary, OpenedRun } from "../../../src/protocol/engine.ts";
import { ExtensionWindow, plainText, theFolder, until } from "../../support/extensionWindow.ts";
import { built, labOf, ScriptedEngine } from "../../support/scriptedEngine.ts";
import { CancellationTokenSource, host, Uri, workspace } from "../../support/vscode.ts";

/** One folder with a kernel: its builds and their order, its machine's past, its recorded runs, its terminal's links. */

const root = Uri.file("/work/tree");
const at = (path: string) => Uri.joinPath(root, path);
let window: ExtensionWindow<ScriptedEngine>;
let answers: ConstructorParameters<typeof ScriptedEngine>[1];
let folder: LabFolder;

beforeEach(async () => {
	host.reset();
	answers = {};
	for (const sign of ["kernel/proc.c", "kernel/main.c", "Makefile"]) host.write(at(sign), "");
	const tree = { isKernelTree: true, programs: [], lab: { ...labOf("1:a"), handout: "docs/README.md" } };
	window = new ExtensionWindow(() => new ScriptedEngine(tree, answers));
	host.openFolder(root);
	await window.api.refresh();
	folder = theFolder(window.api);
});
afterEach(() => window.close());

const engine = () => window.engines.at(-1) as ScriptedEngine;
const soon = (what: string, holds: () => boolean) => until(what, holds, 5000);
const quiet = { report: () => undefined };
const token = () => new CancellationTokenSource().token as never;
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
/** An answer that the test gives later. */
function later<T>() {
	let give: (value: T) => void = () => undefined;
	const promise = new Promise<T>((resolve) => {
		give = resolve;
	});
	return { promise, give: (value: T) => give(value) };
}
const terminal = () => host.terminals.find((one) => folder.terminal.owns(one as never));
const shown = () => plainText(terminal()?.text ?? "");

describe("builds", () => {
	test("save what is edited in the tree, and nothing else", async () => {
		const paths = ["/work/tree/kernel/main.c", "/work/tree/kernel/proc.c", "/work/tree2/a.c"];
		host.write(Uri.file("/work/tree2/a.c"), "");
		const [main, proc, other] = await Promise.all(paths.map((path) => workspace.openTextDocument(Uri.file(path))));
		host.settings.set("xv6Lab.build.onSave", false);
		main?.edit("int x;");
		other?.edit("int y;");
		const saved = vi.spyOn(proc as NonNullable<typeof proc>, "save");
		await folder.build(quiet, token());
		expect([main?.isDirty, other?.isDirty, saved.mock.calls.length]).toEqual([false, true, 0]);
		expect(
			engine()
				.of("sync")
				.at(-1)
				?.changed.map(({ path }) => path),
		).toEqual(["kernel/main.c"]);
	});

	test("come one after the other; one that was cancelled while it waited never begins", async () => {
		const first = later<BuildSummary>();
		answers.build = () => first.promise;
		const one = folder.build(quiet, token());
		const source = new CancellationTokenSource();
		const two = folder.build(quiet, source.token as never);
		const three = folder.build(quiet, token());
		await soon("the first", () => engine().of("build").length === 1);
		await turn();
		expect(engine().of("build")).toHaveLength(1);
		source.cancel();
		const failure = expect(two).rejects.toMatchObject({ code: "cancelled" });
		answers.build = () => built({ revision: 2 });
		first.give(built());
		expect((await one).revision).toBe(1);
		await failure;
		expect((await three).revision).toBe(2);
		expect(engine().of("build")).toHaveLength(2);
	});

	test("tell how far they are, in steps that add up, and that they take a while", async () => {
		const answer = later<BuildSummary>();
		answers.build = () => answer.promise;
		folder.terminal.show(true);
		await soon("the terminal", () => folder.terminal.isOpen);
		const reports: { message?: string; increment?: number }[] = [];
		const building = folder.build({ report: (value) => reports.push(value) }, token());
		await soon("the build", () => engine().of("build").length === 1);
		for (const done of [1, 3, 2, 4]) engine().emit("progress", { step: "compiling", done, total: 4 });
		engine().emit("progress", { step: "linking", done: 0, total: 0 });
		await soon("the note", () => shown().includes("[xv6 Lab] building…"));
		answer.give(built());
		await building;
		expect(reports.map(({ message, increment }) => [message, increment])).toEqual([
			...[
				["compiling (1 of 4)", 25],
				["compiling (3 of 4)", 50],
				["compiling (2 of 4)", 0],
				["compiling (4 of 4)", 25],
			],
			["linking (0 of 0)", 0],
		]);
		engine().emit("progress", { step: "of another", done: 1, total: 1 });
		expect(reports).toHaveLength(5);
	});

	test("in the background wait until nobody runs anything, say nothing, and let a person's build wait", async () => {
		const command = later<{ end: string; diagnoses: [] }>();
		answers.runCommand = () => command.promise;
		const running = folder.runCommand("prog", token());
		const background = folder.buildInBackground();
		await turn();
		expect(engine().of("build")).toEqual([]);
		const answer = later<BuildSummary>();
		answers.build = () => answer.promise;
		command.give({ end: "prompt", diagnoses: [] });
		await running;
		await soon("the build", () => engine().of("build").length === 1);
		folder.rest();
		expect(folder.hasEngine, "it is at work").toBe(true);
		const persons = folder.build(quiet, token());
		await turn();
		expect(engine().of("build")).toHaveLength(1);
		answer.give(built());
		await background;
		await persons;
		expect([engine().of("build").length, host.terminals]).toEqual([2, []]);
		folder.rest();
		expect(folder.hasEngine).toBe(false);
	});

	test("are begun by saves of sources that settings allow, gathered; the first key loads the compiler", async () => {
		const main = await workspace.openTextDocument(at("kernel/main.c"));
		host.write(at("notes.txt"), "");
		const notes = await workspace.openTextDocument(at("notes.txt"));
		notes.edit("x");
		await notes.save();
		expect(engine().of("warm")).toEqual([]);
		host.settings.set("xv6Lab.build.onSave", false);
		main.edit("int a;");
		await main.save();
		expect(engine().of("warm")).toEqual([]);
		host.settings.delete("xv6Lab.build.onSave");
		main.edit("int b;");
		main.edit("int c;");
		expect(engine().of("warm")).toEqual([{ toolchain: "auto" }]);
		await main.save();
		await main.save();
		await soon("the build", () => engine().of("build").length > 0);
		await turn();
		expect(engine().of("build")).toHaveLength(1);
		// What is wrong with the tree is in the Problems panel; a defect of ours is in the log.
		const logged = () => host.log.filter((line) => line.startsWith("error: "));
		answers.build = () => built({ ok: false, diagnostics: [{ file: "a.c", severity: "error", message: "no" }] });
		await main.save();
		await soon("the message", () => host.diagnostics.size > 0);
		expect(logged()).toEqual([]);
		answers.build = () => Promise.reject(new Error("a bug"));
		await main.save();
		await soon("the log", () => logged().length > 0);
		expect([logged()[0], host.said]).toEqual([expect.stringContaining("a bug"), []]);
	});
});

describe("a machine that shows its past", () => {
	const typed = (text: string) => engine().emit("typedInPast", { bytes: new TextEncoder().encode(text) });
	const given = () =>
		engine()
			.asked.filter(({ kind }) => ["newFuture", "toPresent", "input"].includes(kind))
			.map(({ kind }) => kind);

	test.each<[string | undefined, string[]]>([
		["New Future From Here", ["newFuture", "input"]],
		["Go to the Present", ["toPresent", "input"]],
		[undefined, []],
	])("is typed at: the person is asked what that means, once: %s", async (answer, requests) => {
		engine().emit("state", { state: "past" });
		expect([folder.machineAlive, host.rows("xv6Lab.machine")]).toEqual([true, ["tree | in the past | history"]]);
		host.answers.push(answer);
		typed("l");
		typed("s");
		await turn();
		expect(host.said).toMatchObject([{ kind: "warning", choices: ["Go to the Present", "New Future From Here"] }]);
		expect(given()).toEqual(requests);
		host.answers.push(undefined);
		typed("x");
		await turn();
		expect(host.said).toHaveLength(2);
	});

	test("shows the console of then, and after a new future no verdict on what has not happened", async () => {
		answers.runCommand = () => ({ end: "panic", diagnoses: [] });
		await folder.runCommand("prog", token());
		expect(folder.lastRun).toMatchObject({ command: "prog", end: "panic" });
		folder.terminal.show(true);
		const bytes = new TextEncoder().encode("then$ ");
		engine().emit("pastConsole", { bytes });
		await soon("the past", () => shown().includes("then$ "));
		engine().emit("futureCut", { bytes });
		await soon("the note", () => shown().includes("A new future begins here"));
		expect(folder.lastRun).toBeUndefined();
	});
});

describe("the terminal", () => {
	test("that is closed stops its machine, unless it is to be kept", async () => {
		await host.run("xv6Lab.boot");
		await soon("the terminal", () => terminal() !== undefined);
		host.settings.set("xv6Lab.terminal.onClose", "keep");
		terminal()?.dispose();
		expect(engine().of("stop")).toEqual([]);
		await host.run("xv6Lab.openShell");
		host.settings.delete("xv6Lab.terminal.onClose");
		await soon("the terminal", () => folder.terminal.isOpen);
		terminal()?.dispose();
		expect(engine().of("stop")).toHaveLength(1);
	});

	test("gives keys to the guest and counts what was shown; without an engine nobody is asked", async () => {
		host.settings.set("xv6Lab.terminal.lineEditing", false);
		await host.run("xv6Lab.boot");
		await soon("the terminal", () => folder.terminal.isOpen);
		engine().emit("console", { bytes: new TextEncoder().encode("$ ") });
		await soon("the prompt", () =>
			engine()
				.of("consoleShown")
				.some(({ bytes }) => bytes === 2),
		);
		terminal()?.type("ls");
		expect(
			engine()
				.of("input")
				.map(({ bytes }) => new TextDecoder().decode(bytes)),
		).toEqual(["ls"]);
		answers.input = () => Promise.reject(new Error("it is gone"));
		terminal()?.type("x");
		await soon("the log", () => host.log.includes("debug: tree: input: it is gone"));
		expect(host.said).toEqual([]);
		engine().emit("log", { level: "warn", message: "slow disk" });
		expect(host.log.at(-1)).toBe("warn: tree: slow disk");
	});

	type Link = { readonly startIndex: number; readonly length: number; readonly tooltip: string };
	type Links = { provideTerminalLinks(context: object): Link[]; handleTerminalLink(link: object): Promise<void> };
	const follow = async (line: string) => {
		const links = host.providers.get("terminalLinks") as Links;
		const found = links.provideTerminalLinks({ line, terminal: { creationOptions: { pty: folder.terminal } } });
		for (const link of found) await links.handleTerminalLink(link);
		return found.map(({ startIndex, length, tooltip }) => [line.slice(startIndex, startIndex + length), tooltip]);
	};

	test("leads from an address or a name to its line, or says that none is known", async () => {
		host.write(at("kernel/trap.c"), "int x;\n\nvoid\nusertrap(void)\n{\n}\n");
		const places = () => host.shown.map(({ document, options }) => [document.uri.path, options?.selection?.start.line]);
		answers.symbolize = ({ address }) =>
			address === "0x80001f3a" ? { name: "usertrap", file: "kernel/trap.c", line: 5 } : undefined;
		expect(await follow("sepc=0x80001f3a")).toEqual([["sepc=0x80001f3a", "Open the source line"]]);
		await follow("kernel/trap.c: usertrap");
		expect(places()).toEqual([
			["/work/tree/kernel/trap.c", 4],
			["/work/tree/kernel/trap.c", 3],
		]);
		await follow("panic: nobody");
		expect([places().length, host.said]).toMatchObject([2, [{ text: "xv6: no source line is known for nobody." }]]);
		expect(
			engine()
				.of("symbolize")
				.map(({ address }) => address),
		).toEqual(["0x80001f3a", "usertrap", "nobody"]);
	});

	test("does what the words below a card say", async () => {
		answers.runCommand = () => ({ end: "prompt", diagnoses: [] });
		folder.terminal.card(["✗ Failed: a"], "prog");
		const words = ["Run again", "Open handout", "Open memory inspector", "Open Problems"];
		expect(await follow(`  ${words.map((word) => `▸ ${word}`).join("  ")}`)).toEqual(
			words.map((word) => [`▸ ${word}`, word]),
		);
		expect(engine().of("runCommand")).toEqual([{ command: "prog" }]);
		expect(host.panels).toHaveLength(1);
		expect(host.asked.filter(({ id }) => !id.includes("terminal"))).toMatchObject([
			{ id: "markdown.showPreviewToSide", args: [{ path: "/work/tree/docs/README.md" }] },
			{ id: "workbench.actions.view.problems" },
		]);
	});
});

describe("a recorded run", () => {
	const opened = (change: Partial<OpenedRun> = {}): OpenedRun => ({
		title: "prog",
		harts: 1,
		instructions: 1_234_567,
		same: true,
		isBuilt: true,
		...change,
	});
	const file = Uri.file("/runs/a.xv6run");
	const open = async (run: OpenedRun, answer?: string) => {
		host.write(file, new Uint8Array([7]));
		answers.openRun = () => run;
		host.said.length = 0;
		host.answers.push(answer);
		await host.run("xv6Lab.openRun", file);
		return host.said.at(-1);
	};

	test("stands at its end, where a person may look or debug what is built", async () => {
		expect(await open(opened(), "Open Memory Inspector")).toEqual({
			kind: "information",
			text: "xv6: repeated prog, 1,234,567 instructions. The machine is stopped at its end.",
			choices: ["Open Memory Inspector", "Debug"],
		});
		expect([engine().of("openRun"), host.panels.length, host.debugged]).toEqual([
			[{ bytes: new Uint8Array([7]) }],
			1,
			[],
		]);
		expect((await open(opened({ isBuilt: false })))?.choices).toEqual(["Open Memory Inspector"]);
		await open(opened({ title: "" }), "Debug");
		expect(host.debugged).toEqual([{ type: "xv6", request: "attach", name: "Debug the run" }]);
		// The machine is another one: what was booted before is built and booted again when it is wanted.
		await host.run("xv6Lab.boot");
		expect(engine().of("boot")).toHaveLength(1);
	});

	test("that ended otherwise than recorded is a warning, with nothing to go on with", async () => {
		expect(await open(opened({ same: false }))).toEqual({
			kind: "warning",
			text: "xv6: repeated prog, 1,234,567 instructions. It ended in another state than recorded.",
			choices: [],
		});
	});

	test("that cannot be read or written says so", async () => {
		await host.run("xv6Lab.openRun", Uri.file("/runs/none.xv6run"));
		expect(host.said.at(-1)).toMatchObject({
			kind: "error",
			text: expect.stringContaining("Cannot read /runs/none.xv6run"),
		});
		answers.saveRun = () => ({ bytes: new Uint8Array([1]), title: "a" });
		host.dialogs.push(file);
		const write = vi.spyOn(workspace.fs, "writeFile").mockRejectedValue(new Error("the disk is full"));
		await host.run("xv6Lab.saveRun");
		write.mockRestore();
		expect(host.said.at(-1)).toMatchObject({
			...{ kind: "error", text: expect.stringContaining("Cannot write to /runs/a.xv6run: the disk is full") },
		});
		expect(host.said).toHaveLength(2);
	});

	test("is chosen in a dialog, and cancelled without a word", async () => {
		host.write(file, new Uint8Array([7]));
		host.dialogs.push(file);
		answers.openRun = () => {
			host.works.at(-1)?.cancel();
			throw cancelled();
		};
		await host.run("xv6Lab.openRun");
		expect([engine().of("cancel").length, host.works.at(-1)?.title]).toEqual([1, "xv6: repeating the recorded run"]);
		await host.run("xv6Lab.openRun");
		expect(host.shownDialogs).toMatchObject([{ defaultUri: root, filters: { "Recorded run of xv6": ["xv6run"] } }, {}]);
		expect([engine().of("openRun").length, host.said]).toEqual([1, []]);
	});

	test.each([
		["prodcons1", "prodcons1"],
		["echo a | cat > b", "echo-a-cat-b"],
		["../x", "..-x"],
		["", "xv6"],
		["x".repeat(99), "x".repeat(60)],
	])("is saved under a name made of its command: %s", async (title, name) => {
		answers.saveRun = () => ({ bytes: new Uint8Array([1, 2, 3]), title });
		await host.run("xv6Lab.saveRun");
		expect(host.shownDialogs.at(-1)).toMatchObject({ defaultUri: { path: `/work/tree/${name}.xv6run` } });
		expect(host.said, "the dialog was closed").toEqual([]);
	});

	test("of a test is made by running it, as the explorer does", async () => {
		answers.runTest = () => ({ harts: 1, memoryMiB: 128, virtio: "modern", end: "prompt", diagnoses: [] });
		answers.saveRun = () => ({ bytes: new Uint8Array([1, 2, 3]), title: "a" });
		host.settings.set("xv6Lab.machine.seed", 3);
		host.dialogs.push(file);
		await host.run("xv6Lab.saveTestRun", { test: window.api.tests.find(folder, "a") });
		expect(engine().of("runTest")).toMatchObject([{ test: "a", seed: 3 }]);
		expect(host.files.get(file.toString())).toEqual(new Uint8Array([1, 2, 3]));
		expect(host.said.at(-1)?.text).toMatch(/^xv6: saved\./);
		await host.run("xv6Lab.saveTestRun", undefined);
		expect(engine().of("runTest")).toHaveLength(1);
		expect(engine().of("saveRun")).toHaveLength(2);
	});
});
