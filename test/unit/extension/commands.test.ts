import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cancelled, UserError } from "../../../src/common/errors.ts";
import type { CommandResult, ProgramInfo, TestInfo, TreeInfo } from "../../../src/protocol/engine.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";
import { ExtensionWindow, outcomes, plainText, theFolder, until } from "../../support/extensionWindow.ts";
import { built, labOf, ScriptedEngine, verdictOf } from "../../support/scriptedEngine.ts";
import { host, StandInTerminal, Uri, window as vscodeWindow } from "../../support/vscode.ts";

/** The palette's commands: what each asks the engine for, and what a person reads of how it ended. */

const root = Uri.file("/work/tree");
const at = (path: string) => Uri.joinPath(root, path);
let window: ExtensionWindow<ScriptedEngine>;
let answers: ConstructorParameters<typeof ScriptedEngine>[1];

beforeEach(() => {
	host.reset();
	answers = {};
});
afterEach(() => window.close());

async function open(is: Partial<TreeInfo> = {}, ...folders: readonly Uri[]): Promise<void> {
	const programs: ProgramInfo[] = [
		{ name: "cat", source: "user/cat.c" },
		{ name: "init" },
		{ name: "prog", source: "user/prog.c" },
	];
	window = new ExtensionWindow(() => new ScriptedEngine({ isKernelTree: true, programs, ...is }, answers));
	for (const folder of folders.length > 0 ? folders : [root]) {
		for (const sign of ["kernel/proc.c", "kernel/main.c", "Makefile"]) host.write(Uri.joinPath(folder, sign), "");
		host.openFolder(folder);
	}
	await window.api.refresh();
}
const engine = () => window.engines.at(-1) as ScriptedEngine;
const asked = () => host.asked.map(({ id }) => id);
const terminal = () => {
	const [folder] = window.api.folders();
	return host.terminals.find((one) => folder?.terminal.owns(one as never));
};
const shown = () => plainText(terminal()?.text ?? "");
const terminalShows = (text: string) => until(text, () => shown().includes(text), 5000);
const ran = (change: Partial<CommandResult> = {}): CommandResult => ({ end: "prompt", diagnoses: [], ...change });
/** The engine's answer to a test of the lab. */
const judged = (test: string, change: Partial<Verdict> = {}) => {
	engine().emit("state", { state: "running" });
	return { harts: 1, memoryMiB: 128, virtio: "modern", ...ran({ verdict: verdictOf(test, change) }) };
};
const failed: Partial<Verdict> = { outcome: "failed", reasons: [{ kind: "end", message: "It never came back." }] };

describe("without a kernel tree", () => {
	test.each([
		...[
			"build",
			"boot",
			"openShell",
			"restart",
			"runProgram",
			"runNext",
			"runAllTests",
			"openInspector",
			"showActivity",
		],
		...["showExpected", "run.usertests"],
	])("%s says what is missing, and offers to make one", async (id) => {
		window = new ExtensionWindow(() => new ScriptedEngine({ isKernelTree: true, programs: [] }, {}));
		await host.run(`xv6Lab.${id}`);
		expect(host.said).toMatchObject([
			{
				kind: "information",
				text: expect.stringContaining("no folder of this window holds an xv6 kernel"),
				choices: ["New Lab Workspace…"],
			},
		]);
		host.answers.push("New Lab Workspace…");
		await host.run(`xv6Lab.${id}`);
		await until("its first question", () => host.questions.length > 0);
		expect(host.questions[0]?.title).toBe("Which lab?");
	});

	test("what needs none works, and what is of elsewhere does nothing", async () => {
		window = new ExtensionWindow(() => new ScriptedEngine({ isKernelTree: true, programs: [] }, {}));
		await host.run("xv6Lab.stop");
		await host.run("xv6Lab.openWalkthrough");
		expect(host.asked).toEqual([
			{ id: "workbench.action.openWalkthrough", args: ["xv6-lab.xv6-lab#xv6Lab.start", false] },
		]);
		host.answers.push("bundled");
		await host.run("xv6Lab.selectToolchain");
		expect(host.settings.get("xv6Lab.toolchain.kind")).toBe("bundled");
		await host.run("xv6Lab.addProgram", at("user/a.c"), "a");
		await host.run("xv6Lab.runSchedules", at("user/a.c"), "a");
		expect(host.said).toEqual([]);
	});
});

describe("a program that no test judges", () => {
	const run = async (result: CommandResult) => {
		answers.runCommand = () => result;
		await open();
		await host.run("xv6Lab.runProgramAt", at("user/prog.c"), "prog");
	};

	test("that came back to its prompt is one word in the status bar", async () => {
		await run(ran());
		expect([host.status, engine().of("runCommand")]).toEqual([["$(check) prog"], [{ command: "prog" }]]);
		expect(shown()).not.toContain("prog");
		expect([engine().of("build").length, engine().of("boot").length], "always on a machine of its own").toEqual([1, 1]);
		await host.run("xv6Lab.runProgramAt", at("user/prog.c"), "prog");
		expect(engine().of("boot")).toHaveLength(2);
	});

	test.each([
		["panic", "the kernel panicked"],
		["timeout", "it did not come back to the prompt"],
		["stuck", "nothing is left that could wake it"],
		["stall", "the machine makes no progress"],
		["halt", "it switched the machine off"],
		["flood", "it prints without end"],
	])("that ended by %s has a card: %s", async (end, words) => {
		await run(ran({ end }));
		await terminalShows(`✗ Failed: prog: ${words}`);
		expect(shown()).toContain("▸ Run again  ▸ Open memory inspector");
		expect(shown()).not.toContain("Open handout");
	});

	test("of which something is known to be wrong has its cause, though it came back", async () => {
		const leak = { kind: "leak", cause: "A frame is lost.", evidence: [], frames: [], effects: [], notes: [] };
		await run(ran({ diagnoses: [{ ...leak, severity: "error", look: { file: "kernel/vm.c", line: 4 } } as never] }));
		await terminalShows("✗ Failed: prog\r\n  A frame is lost.\r\n  where kernel/vm.c:4");
		const note = { ...leak, severity: "note" };
		answers.runCommand = () => ran({ diagnoses: [note as never] });
		await host.run("xv6Lab.runProgramAt", at("user/prog.c"), "prog");
		expect(host.status).toEqual(["$(check) prog"]);
	});

	test.each([
		["passed", "✓ Passed: prog"],
		["failed", "✗ Failed: prog"],
		["unknown", "○ Not judged: prog"],
	] as const)("that says by itself how it went (%s) is taken at its word", async (state, head) => {
		await run(ran({ known: { state, says: "It printed its last line." } }));
		await terminalShows(`${head}\r\n  It printed its last line.`);
		expect(shown()).not.toContain("Open memory inspector");
		expect(host.status).toEqual([]);
	});
});

describe("a test of the lab", () => {
	test("is what its program runs: judged, in terminal and explorer alike", async () => {
		answers.runTest = () => judged("prog", failed);
		await open({ lab: { ...labOf("1:prog"), handout: "README.md" } });
		host.settings.set("xv6Lab.machine.seed", 4);
		await host.run("xv6Lab.runProgramAt", { folder: theFolder(window.api), name: "prog" });
		await terminalShows("✗ Failed: prog works\r\n  It never came back.\r\n  ▸ Run again  ▸ Open handout");
		expect(outcomes(host.runs.at(-1))).toEqual(["failed prog"]);
		expect(engine().of("runTest")).toMatchObject([{ test: "prog", seed: 4 }]);
		expect(engine().of("runCommand")).toEqual([]);
		// It comes back to the front: VS Code has put its own view over it.
		await until("the terminal", () => (terminal()?.shown ?? 0) >= 2);
	});

	test("that passed offers no handout", async () => {
		answers.runTest = () => judged("prog");
		await open({ lab: { ...labOf("1:prog"), handout: "README.md" } });
		await host.run("xv6Lab.runTest", { folder: theFolder(window.api), test: { id: "prog", command: "" } });
		await terminalShows("✓ Passed: prog works\r\n  ▸ Run again\r\n");
		expect(terminal()?.hasFocus, "a person writes code meanwhile").toBe(false);
	});

	test("comes next as long as it has not passed", async () => {
		answers.runTest = ({ test }) => judged(test, test === "b" ? failed : {});
		await open({ lab: labOf("1:a", "1:b") });
		for (let i = 0; i < 3; i++) await host.run("xv6Lab.runNext");
		expect(
			engine()
				.of("runTest")
				.map(({ test }) => test),
		).toEqual(["a", "b", "b"]);
		answers.runTest = ({ test }) => judged(test);
		await host.run("xv6Lab.runNext");
		await host.run("xv6Lab.runNext");
		expect([engine().of("runTest").length, host.status.at(-1)]).toEqual([4, "$(check) xv6: all tests have passed"]);
	});

	test("of a grade script runs in the explorer: it is several machines", async () => {
		const { tests } = labOf("1:usertests");
		const graded = { ...(tests[0] as TestInfo), grade: { points: 5, file: "grade-lab-x" } };
		answers.runTests = ({ tests: [id = ""] }) => {
			engine().emit("verdict", verdictOf(id));
			return { passed: 1, failed: 0 };
		};
		await open({ lab: labOf(graded) });
		await host.run("xv6Lab.runTest", { folder: theFolder(window.api), test: graded });
		expect([engine().of("runTest"), outcomes(host.runs.at(-1))]).toEqual([[], ["passed usertests"]]);
	});

	test("is shown in the inspector: the terminal's machine where it stands there, else run again with its seed", async () => {
		answers.runTest = ({ test, seed }) => judged(test, { ...failed, seed });
		await open({ lab: labOf("1:a", "1:b") });
		await host.run("xv6Lab.inspectRun");
		expect(host.said).toMatchObject([{ text: "xv6: no test has failed yet." }]);
		await host.run("xv6Lab.runProgramAt", root, "a");
		await host.run("xv6Lab.inspectRun");
		expect([host.panels.length, engine().of("runTest").length]).toEqual([1, 1]);
		const item = window.api.tests.find(theFolder(window.api), "a");
		await host.run("xv6Lab.runProgramAt", root, "b");
		host.settings.set("xv6Lab.machine.seed", 9);
		await host.run("xv6Lab.inspectRun", { test: item });
		expect(engine().of("runTest").at(-1)).toMatchObject({ test: "a", seed: 0 });
		expect(host.panels[0]?.revealed).toBe(1);
		// Where it cannot be run, there is nothing to look at.
		answers.build = () => built({ ok: false });
		await host.run("xv6Lab.inspectRun", { test: window.api.tests.find(theFolder(window.api), "b") });
		expect(host.panels[0]?.revealed).toBe(1);
		await terminalShows("✗ Failed: b: the kernel was not built");
	});
});

describe("the machine", () => {
	test("boots once for a build; the shell of one that runs is only shown; a restart boots again", async () => {
		await open();
		await host.run("xv6Lab.boot");
		await host.run("xv6Lab.boot");
		expect(engine().of("boot")).toHaveLength(1);
		await until("its terminal", () => terminal() !== undefined, 5000);
		expect(terminal()?.hasFocus).toBe(false);
		answers.build = () => built({ revision: 2 });
		await host.run("xv6Lab.openShell");
		expect(terminal()?.hasFocus, "a person types there").toBe(true);
		expect([engine().of("boot").length, engine().of("build").length]).toEqual([1, 2]);
		await host.run("xv6Lab.boot");
		await host.run("xv6Lab.restart");
		expect(engine().of("boot")).toHaveLength(3);
		await host.run("xv6Lab.stop");
		expect(engine().of("stop")).toHaveLength(1);
		engine().emit("state", { state: "none" });
		await host.run("xv6Lab.stop");
		expect(engine().of("stop")).toHaveLength(1);
		await host.run("xv6Lab.openShell");
		expect(engine().of("boot")).toHaveLength(4);
	});

	test("says in the terminal what contradicts itself, and in the log what it is", async () => {
		answers.build = () => built({ warnings: ["The Makefile wants 3 harts, param.h has room for 2."] });
		await open();
		await host.run("xv6Lab.boot");
		await terminalShows("[xv6 Lab] The Makefile wants 3 harts, param.h has room for 2.");
		expect(host.log).toContain("info: tree: booted with 1 harts, 128 MiB, modern virtio, seed 0");
		expect(host.log).toContain("warn: tree: The Makefile wants 3 harts, param.h has room for 2.");
	});

	test("that panics while a person uses it has its card, without a program to run again", async () => {
		await open();
		await host.run("xv6Lab.boot");
		const panic = {
			kind: "panic",
			severity: "error",
			cause: "It stopped itself.",
			evidence: [],
			frames: [],
			effects: [],
			notes: [],
		};
		engine().emit("diagnosis", { diagnoses: [panic as never] });
		await terminalShows("✗ Failed: the kernel panicked\r\n  It stopped itself.\r\n  ▸ Open memory inspector");
		engine().emit("diagnosis", { diagnoses: [] });
		engine().emit("stall", { message: "No instruction makes progress." });
		await terminalShows("[xv6 Lab] No instruction makes progress.");
		expect(shown().match(/Failed/g)).toHaveLength(1);
	});

	test("is booted by a terminal that is opened from the menu", async () => {
		await open();
		const provider = host.providers.get("terminalProfile") as { provideTerminalProfile(): Promise<object | undefined> };
		const profile = (await provider.provideTerminalProfile()) as { options: StandInTerminal["creationOptions"] };
		expect(profile.options.name).toBe("xv6 (tree)");
		const made = new StandInTerminal(profile.options);
		await until("the machine", () => engine().of("boot").length === 1 && host.terminals.includes(made), 5000);
		const before = made.shown;
		await host.run("xv6Lab.openShell");
		expect([made.shown - before, terminal() === made], "no second one").toEqual([1, true]);
		host.closeFolder(root);
		expect(await provider.provideTerminalProfile()).toBeUndefined();
	});
});

describe("what a person picks", () => {
	test("a program of the tree, but not the one that the kernel starts; going away runs none", async () => {
		answers.runCommand = () => ran();
		await open();
		host.answers.push("cat");
		await host.run("xv6Lab.runProgram");
		expect(host.questions).toMatchObject([{ title: "Which program?", choices: ["cat", "prog"] }]);
		expect(engine().of("runCommand")).toEqual([{ command: "cat" }]);
		await host.run("xv6Lab.runProgram");
		expect(engine().of("runCommand")).toHaveLength(1);
	});

	test("a tree: of the test whose button was pressed, of a file, or asked for", async () => {
		const other = Uri.file("/work/other");
		await open({ lab: labOf("1:a") }, root, other);
		const builtRoots = () =>
			window.api
				.folders()
				.filter((folder) => (folder.engine() as unknown as ScriptedEngine).of("build").length > 0)
				.map(({ name }) => name);
		const item = window.api.folders().map((folder) => window.api.tests.find(folder, "a"))[1];
		await host.run("xv6Lab.build", { test: { ...item, uri: Uri.joinPath(other, "user/a.c") } });
		expect(builtRoots()).toEqual(["other"]);
		await host.run("xv6Lab.build", at("Makefile"));
		expect(builtRoots()).toEqual(["tree", "other"]);
		expect(host.questions).toEqual([]);
		await host.run("xv6Lab.build", { test: { uri: "no uri" } });
		expect(host.questions).toMatchObject([{ title: "Which kernel?" }]);
	});

	test("the first steps of a tree without a lab are another walkthrough's", async () => {
		const opened = async (is: Partial<TreeInfo>) => {
			await open(is);
			await host.run("xv6Lab.openWalkthrough");
			await window.close();
			return host.asked.at(-1)?.args[0];
		};
		expect(await opened({})).toBe("xv6-lab.xv6-lab#xv6Lab.ownTree");
		host.reset();
		expect(await opened({ lab: labOf("1:a") })).toBe("xv6-lab.xv6-lab#xv6Lab.start");
	});
});

describe("what goes wrong", () => {
	test("is said with what to do next; a crash is said elsewhere, a defect of ours is VS Code's to report", async () => {
		await open();
		answers.build = () => Promise.reject(new UserError("toolchain-missing", "There is no compiler", "Install one."));
		await host.run("xv6Lab.build");
		expect(host.said).toMatchObject([{ kind: "error", text: "xv6: There is no compiler. Install one." }]);
		expect(host.log.some((line) => line.startsWith("error: ") && line.includes("There is no compiler"))).toBe(true);
		answers.build = () => Promise.reject(new UserError("worker-crashed", "The engine crashed", "Try again."));
		await host.run("xv6Lab.build");
		expect(host.said).toHaveLength(1);
		answers.build = () => Promise.reject(new Error("a bug"));
		await expect(host.run("xv6Lab.build")).rejects.toThrow("a bug");
		expect(host.log.at(-1)).toMatch(/^error: Error: a bug\n/);
		expect(host.said).toHaveLength(1);
	});

	test("a command that is cancelled says so where its result would stand", async () => {
		await open();
		answers.build = () => {
			host.works.at(-1)?.cancel();
			throw cancelled();
		};
		await host.run("xv6Lab.build");
		expect(host.works[0]?.title).toBe("xv6: building the kernel");
		expect([host.said, host.status]).toEqual([[], ["$(circle-slash) xv6: building the kernel: cancelled"]]);
		expect(engine().of("cancel")).toHaveLength(1);
		expect(shown(), "no terminal was open").toBe("");
		answers.build = () => built();
		await host.run("xv6Lab.boot");
		await until("the terminal", () => theFolder(window.api).terminal.isOpen);
		answers.runCommand = () => {
			host.works.at(-1)?.cancel();
			throw cancelled();
		};
		await host.run("xv6Lab.runProgramAt", root, "prog");
		await terminalShows("[xv6 Lab] prog: cancelled");
	});

	test("a kernel that is not built: Problems for a build, a card for what was to run", async () => {
		const error = { file: "kernel/a.c", line: 3, severity: "error", message: "no such thing" } as const;
		answers.build = () => built({ ok: false, diagnostics: [error, error, { ...error, severity: "warning" }] });
		await open();
		await host.run("xv6Lab.build");
		expect([asked(), terminal()]).toEqual([["workbench.actions.view.problems"], undefined]);
		await host.run("xv6Lab.run.usertests");
		await terminalShows("✗ Failed: usertests: the kernel was not built\r\n  no such thing\r\n  where kernel/a.c:3");
		expect(shown()).toContain("▸ Run again  ▸ Open Problems");
		await host.run("xv6Lab.restart");
		await terminalShows("✗ Failed: the kernel was not built");
		expect(shown().split("✗ Failed: the kernel was not built")[1]).not.toContain("Run again");
		expect(host.said).toEqual([]);
		expect(host.log.some((line) => line.includes("2 errors, the first: no such thing"))).toBe(true);
	});
});

test("a palette entry runs its program, and keys that VS Code would take are the guest's in its terminal", async () => {
	answers.runCommand = () => ran();
	await open();
	await host.run("xv6Lab.run.usertests");
	expect(engine().of("runCommand")).toEqual([{ command: "usertests" }]);
	await until("the terminal", () => terminal() !== undefined);
	const active = (one: (typeof host.terminals)[number] | undefined) => {
		vscodeWindow.activeTerminal = one;
		host.activateTerminal(one);
		return host.contexts.get("xv6Lab.shellActive");
	};
	expect([active(terminal()), active({ creationOptions: {} } as never), active(terminal()), active(undefined)]).toEqual(
		[...[true, false, true, false]],
	);
});
