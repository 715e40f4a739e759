import { beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../../src/common/errors.ts";
import { registerBuildTask } from "../../../src/extension/buildTask.ts";
import { registerCompileCommands } from "../../../src/extension/compileCommands.ts";
import { addCoverage, answerCoverage } from "../../../src/extension/coverage.ts";
import type { Folders } from "../../../src/extension/folders.ts";
import { registerInlineValues } from "../../../src/extension/inlineValues.ts";
import type { LabFolder } from "../../../src/extension/labFolder.ts";
import { addToDisk, QuickFixes } from "../../../src/extension/quickFixes.ts";
import { MachineStatus } from "../../../src/extension/status.ts";
import { selectToolchain } from "../../../src/extension/toolchainPick.ts";
import type { FileCoverage } from "../../../src/protocol/coverage.ts";
import {
	debug,
	EventEmitter,
	host,
	Position,
	Range,
	TextDocument,
	Uri,
	type WorkspaceEdit,
	workspace,
} from "../../support/vscode.ts";

/** What VS Code asks the extension for, over a folder of paper. */

const root = Uri.file("/tree");
const at = (path: string) => Uri.joinPath(root, path);
const put = (path: string, text: string) => host.write(at(path), text);
const changed = new EventEmitter<void>();

function folderWith(parts: object): LabFolder {
	return { root, tree: { programs: [] }, settings: {}, sync: async () => undefined, ...parts } as never;
}

function foldersOf(...all: LabFolder[]): Folders {
	const of = ({ path }: { path: string }) =>
		all.find((folder) => path.startsWith(`${folder.root.path}/`) || path === folder.root.path);
	return { all, of, onDidChange: changed.event, choose: async () => all[0], refresh: async () => undefined } as never;
}

beforeEach(() => {
	host.files.clear();
	host.documents.length = 0;
	host.said.length = 0;
	host.settings.clear();
	host.extensions.clear();
	host.statusBar.length = 0;
});

describe("the light bulb", () => {
	interface Action {
		readonly title: string;
		readonly isPreferred?: boolean;
		readonly edit: WorkspaceEdit;
		readonly diagnostics?: readonly object[];
	}
	const actionsAt = async (path: string, line: number, diagnostics: readonly object[], folder = folderWith({})) => {
		const fixes = new QuickFixes(foldersOf(folder));
		const document = await workspace.openTextDocument(at(path));
		const range = new Range(line, 0, line, 1);
		const actions = await fixes.provideCodeActions(document as never, range as never, { diagnostics } as never);
		fixes.dispose();
		return actions as unknown as Action[];
	};
	const message = (text: string, line: number, column = 0, source = "xv6 Lab") => ({
		...{ message: text, source, range: new Range(line, column, line, column + 1) },
	});
	const textAfter = async ({ edit }: Action, path: string) => {
		await workspace.applyEdit(edit);
		return (await workspace.openTextDocument(at(path))).getText();
	};

	test("mends what our own messages are about, and nobody else's", async () => {
		put("kernel/trap.c", "void\nusertrap(void)\n{\n  myprc();\n}\n");
		const misspelt = message("undeclared function 'myprc'; did you mean 'myproc'?", 3, 2);
		expect(await actionsAt("kernel/trap.c", 3, [{ ...misspelt, source: "clangd" }])).toEqual([]);
		const [action, ...more] = await actionsAt("kernel/trap.c", 3, [misspelt]);
		expect(more).toEqual([]);
		expect(action).toMatchObject({ title: "Change to 'myproc'", isPreferred: true, diagnostics: [misspelt] });
		expect(await textAfter(action as Action, "kernel/trap.c")).toContain("  myproc();\n");
	});

	test("of two ways none is preferred; the prototype goes into the header that is open in the editor", async () => {
		put("kernel/vm.c", "int\ngrab(int n)\n{\n}\n");
		put("kernel/trap.c", "void f(void) {\n  grab(1);\n}\n");
		put("kernel/defs.h", "// vm.c\nvoid kvminit(void);\n\n// end\n");
		(await workspace.openTextDocument(at("kernel/defs.h"))).edit("// added\n// vm.c\nvoid kvminit(void);\n\n// end\n");
		const text = "call to undeclared function 'grab'; did you mean 'crab'?";
		const actions = await actionsAt("kernel/trap.c", 1, [message(text, 1, 2)]);
		expect(actions.map(({ title, isPreferred }) => [title, isPreferred])).toEqual([
			["Change to 'crab'", false],
			["Declare 'grab' in kernel/defs.h", false],
		]);
		expect(await textAfter(actions[1] as Action, "kernel/defs.h")).toBe(
			"// added\n// vm.c\nvoid kvminit(void);\nint grab(int n);\n\n// end\n",
		);
	});

	test("a stub that is missing, and spaces in a Makefile", async () => {
		put("user/usys.pl", 'entry("fork");\n');
		put("kernel/syscall.h", "#define SYS_mmap 24\n");
		put("user/t.c", "int main() {}\n");
		put("Makefile", "UPROGS=\\\n\t$U/_t\\\n\nx: y\n    cc y\n");
		const built = folderWith({ tree: { programs: [{ name: "t", source: "user/t.c" }] } });
		const [stub] = await actionsAt("user/t.c", 0, [message("undefined symbol: mmap", 0)], built);
		expect(stub?.title).toBe("Add the stub of 'mmap' to user/usys.pl");
		expect(await textAfter(stub as Action, "user/usys.pl")).toBe('entry("fork");\nentry("mmap");\n');
		const [tab] = await actionsAt("Makefile", 4, [message("must begin with a tab", 4)], built);
		expect(tab?.title).toBe("Begin the line with a tab");
		expect(await textAfter(tab as Action, "Makefile")).toContain("\n\tcc y\n");
	});

	test("a program that is not on the disk, at the line of its main only; and none outside of a tree", async () => {
		put("user/t.c", '#include "user.h"\n\nint\nmain(void)\n{\n}\n');
		put("Makefile", "UPROGS=\\\n\t$U/_sh\\\n");
		const titles = async (line: number, folder?: LabFolder) =>
			(await actionsAt("user/t.c", line, [], folder)).map(({ title }) => title);
		expect(await titles(3)).toEqual(["Add t to UPROGS in the Makefile"]);
		expect(await titles(0)).toEqual([]);
		for (const program of [
			{ name: "t", source: "user/other.c" },
			{ name: "other", source: "user/t.c" },
		])
			expect(await titles(3, folderWith({ tree: { programs: [program] } }))).toEqual([]);
		expect(await titles(3, folderWith({ root: Uri.file("/elsewhere") }))).toEqual([]);
		await addToDisk(folderWith({}), "t");
		expect(host.text(at("Makefile")), "saved, though no editor had it open").toContain("\t$U/_t\\\n");
		put("Makefile", "all: kernel\n");
		host.documents.length = 0;
		expect(await titles(3)).toEqual([]);
		await addToDisk(folderWith({}), "t");
		expect(host.text(at("Makefile"))).toBe("all: kernel\n");
	});
});

test("coverage: counts of lines, functions and ways of jumps, and the details of all tests and of each", async () => {
	const file = (name: string, executed: boolean): FileCoverage => ({
		file: name,
		lines: [
			{ line: 3, executed: true },
			{ line: 4, executed },
		],
		functions: [{ name: "f", line: 2, executed: true }],
		jumps: [
			{ line: 4, executed: true, taken: true, passed: false },
			{ line: 9, executed: false, taken: false, passed: false },
		],
	});
	const plain = { file: "user/sh.c", lines: [{ line: 1, executed: false }], functions: [], jumps: [] };
	const none = { ...plain, file: "kernel/a.c" };
	const given: Record<string, unknown>[] = [];
	const run = { addCoverage: (coverage: Record<string, unknown>) => given.push(coverage) };
	const items = new Map(["one", "two", "three"].map((id) => [id, { id }]));
	const parts = [
		{ name: "one", report: { files: [file("kernel/a.c", false)] } },
		{ name: "two", report: { files: [none] } },
		{ name: "three", report: { files: [] } },
		{ name: "boot", report: { files: [file("kernel/a.c", true)] } },
	];
	const together = { files: [file("kernel/a.c", true), plain, file("../c.c", true)] };
	addCoverage(run as never, root as never, { parts, together } as never, (id) => items.get(id) as never);
	const profile = {} as Record<string, (...args: readonly unknown[]) => Promise<Record<string, unknown>[]>>;
	answerCoverage(profile as never);
	expect(given.map(({ uri }) => String(uri))).toEqual(["file:///tree/kernel/a.c", "file:///tree/user/sh.c"]);
	const [a, sh] = given;
	expect(Object.values(a ?? {}).slice(1)).toEqual([
		{ covered: 2, total: 2 },
		{ covered: 1, total: 4 },
		{ covered: 1, total: 1 },
		[{ id: "one" }],
	]);
	expect(Object.values(sh ?? {}).slice(1)).toEqual([{ covered: 0, total: 1 }, undefined, undefined, []]);
	const whole = (await profile.loadDetailedCoverage?.(run, a)) ?? [];
	expect(whole.map(({ executed, location }) => [executed, location])).toEqual([
		[true, new Position(2, 0)],
		[true, new Position(3, 0)],
		[true, new Position(1, 0)],
	]);
	expect(whole[1]?.branches).toMatchObject([
		{ executed: true, label: "jump taken" },
		{ executed: false, label: "jump not taken" },
	]);
	expect(whole[0]?.branches).toEqual([]);
	const own = (await profile.loadDetailedCoverageForTest?.(run, a, { id: "one" })) ?? [];
	expect(own.map(({ executed }) => executed)).toEqual([true, false, true]);
	expect(await profile.loadDetailedCoverageForTest?.(run, a, { id: "two" })).toEqual([]);
});

test("values at the ends of lines: in an xv6 session, in the part that is shown, up to where the program stands", () => {
	const registration = registerInlineValues();
	const provider = host.providers.get("inlineValues") as {
		provideInlineValues(document: object, viewport: Range, context: object): object[];
	};
	const document = new TextDocument(
		at("kernel/a.c"),
		"int f(int n)\n{\n  int total = n;\n  total += n;\n  return total;\n}\n",
	);
	const values = (from: number, to: number, stopped: number) =>
		provider.provideInlineValues(document, new Range(from, 0, to, 0), { stoppedLocation: new Range(0, 0, stopped, 0) });
	debug.activeDebugSession = { type: "cppdbg" };
	expect(values(0, 9, 3)).toEqual([]);
	debug.activeDebugSession = { type: "xv6" };
	const lookup = (variableName: string, line: number, column: number) => ({
		...{ range: new Range(line, column, line, column + variableName.length), variableName, caseSensitiveLookup: true },
	});
	expect(values(2, 2, 3)).toEqual([lookup("total", 2, 6), lookup("n", 2, 14)]);
	expect(values(3, 9, 3)).toEqual([lookup("total", 3, 2), lookup("n", 3, 11)]);
	debug.activeDebugSession = undefined;
	registration.dispose();
});

describe("the choice of a compiler", () => {
	test("is written where the setting is seen, and none is no change", async () => {
		host.settings.set("xv6Lab.toolchain.kind", "auto");
		host.answers.push("bundled");
		await selectToolchain(folderWith({}), true);
		expect(host.settings.get("xv6Lab.toolchain.kind")).toBe("bundled");
		expect(host.questions.at(-1)).toMatchObject({
			title: "Which compiler builds the kernel? Now: auto",
			choices: ["auto", "bundled", "host"],
		});
		host.answers.push(undefined);
		await selectToolchain(undefined, false);
		expect(host.settings.get("xv6Lab.toolchain.kind")).toBe("bundled");
	});
});

test("the status bar shows the state that a person has to know first, of all folders", () => {
	const states: { state: string }[] = [];
	const folders = { all: states, onDidChange: changed.event } as never as Folders;
	const status = new MachineStatus(folders);
	const [item] = host.statusBar as unknown as [{ text: string; tooltip: string; visible: boolean }];
	const after = (...now: string[]) => {
		states.splice(0, states.length, ...now.map((state) => ({ state })));
		changed.fire();
		return item.visible && item.text;
	};
	expect(after()).toBe(false);
	expect(after("none")).toBe("$(vm-outline) xv6");
	expect(after("none", "dead")).toBe("$(error) xv6");
	expect(after("dead", "paused")).toBe("$(debug-pause) xv6");
	expect(after("paused", "running")).toBe("$(vm-running) xv6");
	expect(item).toMatchObject({ accessibilityInformation: { label: item.tooltip } });
	expect(after()).toBe(false);
	status.dispose();
	expect(after("running"), "it follows no folders any more").toBe(false);
});

describe("compile_commands.json", () => {
	const write = async (parts: object = {}) => {
		const asked: unknown[] = [];
		const engine = () => ({
			request: async (kind: string, params: unknown) => {
				asked.push([kind, params]);
				return { commands: "[]", clangd: "# Made by xv6 Lab\n", cppProperties: "{}" };
			},
		});
		const registration = registerCompileCommands(foldersOf(folderWith({ engine, ...parts })));
		await host.run("xv6Lab.compileCommands");
		registration.dispose();
		return asked;
	};

	test("cpptools on Windows gets its file, once, and nobody else does", async () => {
		const drive = Uri.file("c:/tree");
		const properties = Uri.joinPath(drive, ".vscode/c_cpp_properties.json");
		expect(await write({ root: drive })).toEqual([["compileCommands", { directory: drive.fsPath }]]);
		expect(host.text(properties)).toBeUndefined();
		host.extensions.add("ms-vscode.cpptools");
		await write();
		expect(host.text(at(".vscode/c_cpp_properties.json"))).toBeUndefined();
		const windows = Object.defineProperty(Uri.file("/c:/tree"), "fsPath", { value: "c:\\tree" });
		await write({ root: windows });
		const file = Uri.joinPath(windows, ".vscode/c_cpp_properties.json");
		expect(host.text(file)).toBe("{}");
		host.write(file, "their own");
		await write({ root: windows });
		expect(host.text(file)).toBe("their own");
	});

	test("of git's own list, lines that are there are not added again", async () => {
		put(".git/info/exclude", "*.o\n/.clangd");
		await write();
		await write();
		expect(host.text(at(".git/info/exclude"))).toBe(
			"*.o\n/.clangd\n/compile_commands.json\n/.vscode/c_cpp_properties.json\n",
		);
	});

	test("a build that fails is told, a bug is not hidden", async () => {
		const failing = (error: Error) => ({ engine: () => ({ request: async () => Promise.reject(error) }) });
		await write(failing(new UserError("cancelled", "It was cancelled", "Try again.")));
		expect(host.said.map(({ kind, text }) => [kind, /It was cancelled/.test(text)])).toEqual([["error", true]]);
		await expect(write(failing(new Error("a bug")))).rejects.toThrow("a bug");
		host.commands.delete("xv6Lab.compileCommands");
	});
});

describe("the build task", () => {
	interface Task {
		readonly name: string;
		readonly definition: object;
		readonly execution: { callback(): Promise<Terminal> };
	}
	interface Terminal {
		open(): void;
		close(): void;
		onDidWrite(listener: (text: string) => void): unknown;
		onDidClose(listener: (code: number) => void): unknown;
	}
	type Provider = { provideTasks(): Promise<Task[]>; resolveTask(task: object): Promise<Task | undefined> };
	type Build = (
		progress: { report(value: object): void },
		token: { isCancellationRequested: boolean },
	) => Promise<object>;
	const runTask = async (build: Build, folders: (folder: LabFolder) => Folders = foldersOf) => {
		const registration = registerBuildTask(folders(folderWith({ build })));
		const [task] = await (host.providers.get("tasks") as Provider).provideTasks();
		registration.dispose();
		const terminal = (await task?.execution.callback()) as Terminal;
		const written: string[] = [];
		terminal.onDidWrite((text) => written.push(text));
		const code = new Promise<number>((resolve) => terminal.onDidClose(resolve));
		terminal.open();
		return { terminal, written, code };
	};

	test("prints as it builds, and ends with 0", async () => {
		const { written, code } = await runTask(async (progress) => {
			progress.report({ message: "compiling kernel/a.c" });
			progress.report({});
			return { summary: "built in 0.1 s" };
		});
		expect(await code).toBe(0);
		expect(written).toEqual(["compiling kernel/a.c\r\n", "\r\n", "built in 0.1 s\r\n"]);
	});

	test("of a failed one the text is a terminal's, and the code says so", async () => {
		const { written, code } = await runTask(async () =>
			Promise.reject(new UserError("not-an-xv6-tree", "one\ntwo", "Mend it.")),
		);
		expect(await code).toBe(5);
		expect(written.join("")).toMatch(/^.*one\r\ntwo[\s\S]*Mend it\.[\s\S]*\r\n$/);
		expect(written.join("").replaceAll("\r\n", "")).not.toContain("\n");
	});

	test("a defect of the extension's own is printed as it is", async () => {
		const { written, code } = await runTask(async () => Promise.reject(new TypeError("x is not a function")));
		expect(await code).toBe(5);
		expect(written).toEqual(["TypeError: x is not a function\r\n"]);
	});

	test("closing its terminal cancels, and a folder that is gone is said by the code", async () => {
		let seen: { isCancellationRequested: boolean } | undefined;
		const { terminal, code } = await runTask(async (_, token) => {
			seen = token;
			return new Promise(() => undefined);
		});
		expect(seen?.isCancellationRequested).toBe(false);
		terminal.close();
		expect(seen?.isCancellationRequested).toBe(true);
		void code;
		const gone = await runTask(
			async () => ({ summary: "" }),
			(folder) => ({ ...foldersOf(folder), of: () => undefined }) as never,
		);
		expect(await gone.code).toBe(2);
	});

	test("a task that tasks.json defines is the first tree's; without a tree there is none", async () => {
		const definition = { type: "xv6", task: "build", label: "mine" };
		for (const folders of [foldersOf(folderWith({})), foldersOf()]) {
			const registration = registerBuildTask(folders);
			const task = await (host.providers.get("tasks") as Provider).resolveTask({ definition });
			expect(task?.definition).toBe(folders.all.length > 0 ? definition : undefined);
			registration.dispose();
		}
	});
});
