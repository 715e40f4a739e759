import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TaskInfo, TreeInfo } from "../../../src/protocol/engine.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";
import { ExtensionWindow, until } from "../../support/extensionWindow.ts";
import { labOf, ScriptedEngine, verdictOf } from "../../support/scriptedEngine.ts";
import { CancellationTokenSource, host, Position, TestRunRequest, Uri, workspace } from "../../support/vscode.ts";

/** The side bar's views, what stands above main, and what is said of a name in C. */

let window: ExtensionWindow<ScriptedEngine>;
let trees: Map<string, Partial<TreeInfo>>;
let answers: ConstructorParameters<typeof ScriptedEngine>[1];

beforeEach(() => {
	host.reset();
	answers = {};
});
afterEach(() => window.close());

async function open(of: Readonly<Record<string, Partial<TreeInfo>>>): Promise<void> {
	trees = new Map(Object.entries(of));
	const coming = [...trees.values()];
	window = new ExtensionWindow(() => {
		const own: TreeInfo = { isKernelTree: true, programs: [], ...coming.shift() };
		return new ScriptedEngine(own, answers);
	});
	for (const name of trees.keys()) {
		for (const sign of ["kernel/proc.c", "kernel/main.c", "Makefile"]) host.write(at(sign, name), "");
		host.openFolder(Uri.file(`/work/${name}`));
	}
	await window.api.refresh();
}
const at = (path: string, tree = "tree") => Uri.file(`/work/${tree}/${path}`);
const engine = () => window.engines[0] as ScriptedEngine;
const view = (id: string) => host.views.get(id) as NonNullable<ReturnType<typeof host.views.get>>;
/** The items of a view, by their texts. */
function itemsOf(id: string, row?: object): Record<string, unknown>[] {
	const { provider } = view(id);
	return provider.getChildren(row).flatMap((child) => [provider.getTreeItem(child), ...itemsOf(id, child)]);
}
const itemOf = (id: string, label: string) => itemsOf(id).find((item) => item.label === label);

describe("the machine's view", () => {
	const programs = ["sh", "zombie", "init", "cat", "b", "a", "initcode"].map((name) => ({
		name,
		source: `user/${name}.c`,
	}));

	test("has the lab's programs in its order, then the others by name, and none that the kernel starts", async () => {
		await open({ tree: { lab: { ...labOf("1:a"), programs: ["b", "a"] }, programs: [...programs, { name: "made" }] } });
		expect(host.rows("xv6Lab.machine")).toEqual([
			"tree | off | vm-outline",
			...["b", "a", "cat", "made", "zombie"].map((name) => `  ${name} |  | file-code`),
		]);
		expect(itemOf("xv6Lab.machine", "cat")).toMatchObject({
			...{ contextValue: "program", tooltip: "user/cat.c" },
			command: { command: "vscode.open", title: "Open user/cat.c", arguments: [at("user/cat.c")] },
		});
		expect(itemOf("xv6Lab.machine", "made")?.command, "it has no source").toBeUndefined();
		expect(view("xv6Lab.machine").message).toBe("");
	});

	test.each([
		["running", "running | vm-running"],
		["paused", "paused | debug-pause"],
		["past", "in the past | history"],
		["dead", "dead | error"],
		["none", "off | vm-outline"],
	] as const)("a machine that is %s", async (state, shown) => {
		await open({ tree: {} });
		engine().emit("state", { state });
		expect(host.rows("xv6Lab.machine")).toEqual([`tree | ${shown}`]);
		expect(host.contexts.get("xv6Lab.machineRunning")).toBe(["running", "paused", "past"].includes(state));
	});

	test("says of the only tree without a lab what it was taken for, or what is wrong with it", async () => {
		await open({ tree: { recognised: "No lab recognised" } });
		expect(view("xv6Lab.machine").message).toBe("No lab recognised");
		await window.close();
		host.reset();
		await open({ tree: { recognised: "No lab recognised", problem: "Makefile:3: no rule" } });
		expect(view("xv6Lab.machine").message).toBe("Makefile:3: no rule");
		expect(itemOf("xv6Lab.machine", "tree")).toMatchObject({ tooltip: "Makefile:3: no rule", contextValue: "machine" });
		await window.close();
		host.reset();
		await open({ one: { recognised: "No lab recognised" }, two: {} });
		expect(view("xv6Lab.machine").message).toBe("");
	});
});

describe("the progress", () => {
	const judge = async (outcomes: Readonly<Record<string, Verdict["outcome"]>>) => {
		answers.runTests = async () => {
			for (const [id, outcome] of Object.entries(outcomes))
				engine().emit("verdict", verdictOf(id, { outcome, reasons: [{ kind: "end", message: "No." }] }));
			return { passed: 0, failed: 0 };
		};
		const run = host.controllers[0]?.profiles.find(({ label }) => label === "Run");
		await run?.handler(new TestRunRequest(), new CancellationTokenSource().token);
	};
	const questions: TaskInfo = { id: "5", title: "Questions" };

	test("is how far each task has come, what comes next, and the handout", async () => {
		const lab = labOf("1:a", "1:b", "2:c", "3:d", "4:e");
		await open({
			tree: {
				lab: { ...lab, tasks: [...lab.tasks, questions], handout: "README.md" },
				programs: [{ name: "a", source: "user/a.c" }],
			},
		});
		expect(view("xv6Lab.progress").message).toBe("A Lab: 0 of 5 tests passed");
		await judge({ a: "passed", b: "not-begun", c: "failed", d: "not-begun" });
		expect(host.rows("xv6Lab.progress")).toEqual([
			"Next | 1: b works | arrow-right",
			"Handout |  | book",
			"1 | 1/2  task 1 | circle-filled",
			"  a works |  | pass-filled",
			"  b works |  | circle-slash",
			"2 | 0/1  task 2 | error",
			"  c works |  | error",
			"3 | 0/1  task 3 | circle-slash",
			"  d works |  | circle-slash",
			"4 | 0/1  task 4 | circle-outline",
			"  e works |  | circle-outline",
			"5 | questions  Questions | circle-outline",
		]);
		expect(view("xv6Lab.progress").message).toBe("A Lab: 1 of 5 tests passed");
		expect(itemOf("xv6Lab.progress", "Next")).toMatchObject({
			tooltip: "Run b",
			command: { command: "xv6Lab.runTest" },
		});
		expect(itemOf("xv6Lab.progress", "Handout")).toMatchObject({
			command: { command: "markdown.showPreview", title: "Open README.md", arguments: [at("README.md")] },
		});
		expect(itemOf("xv6Lab.progress", "a works")).toMatchObject({
			...{ contextValue: "test", tooltip: "a" },
			command: { command: "vscode.open", arguments: [at("user/a.c")] },
		});
		expect(itemOf("xv6Lab.progress", "c works")?.command).toBeUndefined();
		expect([itemOf("xv6Lab.progress", "1"), itemOf("xv6Lab.progress", "5")]).toMatchObject([
			{ tooltip: "1: task 1", collapsibleState: 1 },
			{ tooltip: "5: Questions", collapsibleState: 0 },
		]);
		await judge({ a: "passed", b: "passed", c: "passed", d: "passed", e: "passed" });
		expect(host.rows("xv6Lab.progress")[0], "nothing is next").toBe("Handout |  | book");
	});

	test("calls a grade script's test by its title: it has no command", async () => {
		const graded = {
			...{ id: "g", task: "1", title: "count", program: "", command: "", expected: "" },
			grade: { points: 5, file: "grade-lab" },
		};
		await open({ tree: { lab: labOf(graded) } });
		expect(itemOf("xv6Lab.progress", "Next")).toMatchObject({ tooltip: "Run count", command: { title: "Run count" } });
		expect(itemOf("xv6Lab.progress", "count")).toMatchObject({ tooltip: "count" });
	});

	test("of several labs stands below each; of none there is nothing", async () => {
		await open({ one: { lab: labOf("1:a") }, plain: {}, two: { lab: labOf("2:b") } });
		expect(host.rows("xv6Lab.progress")).toEqual([
			...[
				"one |  | ",
				"  Next | 1: a works | arrow-right",
				"  1 | 0/1  task 1 | circle-outline",
				"    a works |  | circle-outline",
			],
			...[
				"two |  | ",
				"  Next | 2: b works | arrow-right",
				"  2 | 0/1  task 2 | circle-outline",
				"    b works |  | circle-outline",
			],
		]);
		expect(view("xv6Lab.progress").message).toBe("");
		for (const name of ["one", "two"]) host.closeFolder(Uri.file(`/work/${name}`));
		await window.api.refresh();
		expect([host.rows("xv6Lab.progress"), view("xv6Lab.progress").message]).toEqual([[], ""]);
	});
});

describe("above main", () => {
	test("of a program whose test is known stand its schedules, as many as the settings say", async () => {
		host.settings.set("xv6Lab.tests.seeds", 7);
		await open({
			tree: { lab: labOf("1:a:prog"), programs: ["prog", "cat"].map((name) => ({ name, source: `user/${name}.c` })) },
		});
		const lenses = async (path: string, text: string) => {
			host.write(Uri.file(path), text);
			const provider = host.providers.get("codeLens") as {
				provideCodeLenses(document: object): { command: { title: string }; range: { start: Position } }[];
			};
			const found = provider.provideCodeLenses(await workspace.openTextDocument(Uri.file(path)));
			return found.map(({ command, range }) => `${range.start.line} ${command.title}`);
		};
		const main = "\nint\nmain(void)\n{\n}\n";
		expect(await lenses("/work/tree/user/prog.c", main)).toEqual([
			...["2 $(play) Run prog", "2 $(debug-alt) Debug prog", "2 $(beaker) Run 7 schedules"],
		]);
		expect(await lenses("/work/tree/user/cat.c", main)).toHaveLength(2);
		expect(await lenses("/work/tree/user/new.c", main)).toEqual(["2 $(add) Add new to UPROGS in the Makefile"]);
		expect(await lenses("/work/tree/user/lib.c", "int f(void) {}\n")).toEqual([]);
		expect(await lenses("/work/tree/user/deep/x.c", main), "make builds none of a folder's").toEqual([]);
		expect(await lenses("/elsewhere/user/prog.c", main)).toEqual([]);
	});
});

test("what stands above main follows the tree", async () => {
	await open({ tree: {} });
	const provider = host.providers.get("codeLens") as { onDidChangeCodeLenses(listener: () => void): unknown };
	let told = 0;
	provider.onDidChangeCodeLenses(() => told++);
	await window.api.refresh();
	expect(told).toBeGreaterThan(0);
});

describe("a name in C", () => {
	const sources = {
		"kernel/proc.c":
			"struct proc { int pid; };\n\n// Makes one.\nstruct proc*\nallocproc(int flags)\n{\n  int local;\n}\n",
		"kernel/trap.c": "void\nusertrap(void)\n{\n  allocproc(1);\n  cons(2);\n}\n",
		"kernel/defs.h": "struct proc* allocproc(int);\n",
		"kernel/swtch.S": ".globl swtch\nswtch:\n  ret\n",
		"user/cons.c": "int cons(int n) { return n; }\n",
	};
	interface Place {
		readonly uri: Uri;
		readonly range: { readonly start: Position };
	}
	const given = (kind: string) => host.providers.get(kind) as Record<string, (...args: object[]) => Promise<never>>;
	const doc = (path: string) => workspace.openTextDocument(Uri.file(path));
	const definition = async (path: string, line: number, character: number) => {
		const found: Place[] = (await given("definition").provideDefinition?.(
			await doc(path),
			new Position(line, character),
		)) as never;
		return found.map(
			({ uri, range }) => `${uri.path.slice("/work/tree/".length)}:${range.start.line}:${range.start.character}`,
		);
	};
	const hover = async (path: string, line: number, character: number) => {
		const found = (await given("hover").provideHover?.(await doc(path), new Position(line, character))) as unknown as
			| { contents: { value: string } }
			| undefined;
		return found?.contents.value;
	};
	const put = async () => {
		await open({ tree: {} });
		for (const [path, text] of Object.entries(sources)) host.write(at(path), text);
	};

	test("leads to its definition, as it stands in the editor or on the disk", async () => {
		await put();
		expect(await definition("/work/tree/kernel/trap.c", 3, 4)).toEqual(["kernel/proc.c:4:0"]);
		expect(await definition("/work/tree/kernel/trap.c", 4, 3), "a program's, where the kernel has none").toEqual([
			"user/cons.c:0:4",
		]);
		expect(await definition("/work/tree/kernel/trap.c", 2, 0), "no name").toEqual([]);
		host.write(at("kernel/proc.c"), `// one more line\n${sources["kernel/proc.c"]}`);
		expect(await definition("/work/tree/kernel/trap.c", 3, 4)).toEqual(["kernel/proc.c:5:0"]);
		(await doc("/work/tree/kernel/proc.c")).edit(`\n\n\n${sources["kernel/proc.c"]}`);
		expect(await definition("/work/tree/kernel/trap.c", 3, 4)).toEqual(["kernel/proc.c:7:0"]);
		(await doc("/work/tree/kernel/proc.c")).edit("");
		expect(await definition("/work/tree/kernel/trap.c", 3, 4), "its prototype, where nothing is better").toEqual([
			"kernel/defs.h:0:13",
		]);
		host.write(Uri.file("/elsewhere/a.c"), "allocproc();\n");
		expect(await definition("/elsewhere/a.c", 0, 2)).toEqual([]);
	});

	test("is told by its head and its place; what only the compiler knows, by what it said of the last build", async () => {
		await put();
		expect(await hover("/work/tree/kernel/trap.c", 3, 4)).toBe(
			"\n```c\nstruct proc* allocproc(int flags)\n```\n[kernel/proc.c:5](file:///work/tree/kernel/proc.c#L5)",
		);
		expect(await hover("/work/tree/kernel/proc.c", 6, 7)).toBeUndefined();
		const within = { type: "struct proc", offset: 8, size: 4 };
		answers.declared = ({ chain }) =>
			(chain === "local" ? { kind: "local", text: "int local", within } : { kind: "global", text: "wrong" }) as never;
		expect(await hover("/work/tree/kernel/proc.c", 6, 7)).toBe(
			"\n```c\nint local\n```\nin struct proc, at offset 8, 4 bytes",
		);
		expect(engine().of("declared").at(-1)).toEqual({ path: "kernel/proc.c", line: 7, chain: "local" });
		expect(await hover("/work/tree/kernel/trap.c", 3, 4), "a global's place is known").toContain("kernel/proc.c:5");
		answers.declared = () => ({ kind: "local", text: "int local" }) as never;
		expect(await hover("/work/tree/kernel/proc.c", 6, 7)).toBe("\n```c\nint local\n```\n");
		// What is edited is not what was built.
		const asked = engine().of("declared").length;
		(await doc("/work/tree/kernel/proc.c")).edit(`${sources["kernel/proc.c"]} `);
		expect(await hover("/work/tree/kernel/proc.c", 6, 7)).toBeUndefined();
		expect(engine().of("declared")).toHaveLength(asked);
	});

	test("is in the outline of its file, and found by a part of it in the tree", async () => {
		await put();
		const outline = async (path: string) => {
			const found: { name: string; kind: number; range: { end: Position }; selectionRange: { start: Position } }[] =
				(await given("symbols").provideDocumentSymbols?.(await doc(path))) as never;
			return found.map(({ name, kind, range, selectionRange }) => [
				name,
				kind,
				range.end.line,
				selectionRange.start.line,
			]);
		};
		expect(await outline("/work/tree/kernel/proc.c")).toEqual([
			["proc", 22, 0, 0],
			["allocproc", 11, 7, 4],
		]);
		expect(await outline("/work/tree/kernel/swtch.S")).toEqual([["swtch", 11, 1, 1]]);
		expect(await outline("/work/tree/kernel/defs.h"), "declarations are none").toEqual([]);
		host.write(Uri.file("/elsewhere/a.c"), "int f(void) {}\n");
		expect(await outline("/elsewhere/a.c")).toEqual([]);
		const named = async (query: string) => {
			const found: { name: string; containerName: string }[] = (await given(
				"workspaceSymbols",
			).provideWorkspaceSymbols?.(query as never)) as never;
			return found.map(({ name, containerName }) => `${name} ${containerName}`);
		};
		expect(await named("PROC")).toEqual(["proc kernel/proc.c", "allocproc kernel/proc.c"]);
		expect(await named("swt")).toEqual(["swtch kernel/swtch.S"]);
	});

	test.each(["ms-vscode.cpptools", "llvm-vs-code-extensions.vscode-clangd", "anysphere.cpptools"])(
		"is left to %s where that is there",
		async (id) => {
			await put();
			const offered = () =>
				["definition", "hover", "symbols", "workspaceSymbols"].filter((kind) => host.providers.has(kind)).length;
			expect(offered()).toBe(4);
			host.extensions.add(id);
			host.extensionsChanged();
			host.extensionsChanged();
			expect(offered()).toBe(0);
			host.extensions.delete(id);
			host.extensionsChanged();
			await until("they are back", () => offered() === 4, 1000);
		},
	);
});
