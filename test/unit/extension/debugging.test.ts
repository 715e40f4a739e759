import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DebugSide, debugProviders } from "../../support/debugSide.ts";
import { type ExtensionWindow, openLab, theFolder, until } from "../../support/extensionWindow.ts";
import { closeToolchains } from "../../support/lab.ts";
import { debug, host, Range, Uri, window as vscodeWindow, workspace } from "../../support/vscode.ts";

/** F5, the commands that steer a session, and its time, over a real kernel in a real debugger. */

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

beforeEach(() => {
	host.said.length = 0;
	host.asked.length = 0;
	host.questions.length = 0;
	host.debugged.length = 0;
	vscodeWindow.activeTextEditor = undefined;
});

const edit = async (path: string, selection?: Range) => {
	const document = await workspace.openTextDocument(at(path));
	vscodeWindow.activeTextEditor = { document, ...(selection ? { selection } : {}) };
};
const resolved = (given: object = {}) => debugProviders().configuration.resolveDebugConfiguration(undefined, given);
const timeStatus = () => {
	const item = host.statusBar.find(({ id }) => id === "xv6Lab.time");
	return item?.visible ? item.text : undefined;
};

describe("F5", () => {
	test("without a launch.json: the program in front, else the kernel, with the folder's settings", async () => {
		await edit("user/prodcons1.c");
		expect(await resolved()).toEqual({
			...{ type: "xv6", request: "launch", name: "Debug prodcons1", program: "prodcons1" },
			...{ build: "debug", harts: 1, tree: "/work/hw5" },
		});
		await edit("kernel/proc.c");
		const kernel = { type: "xv6", request: "launch", name: "Debug xv6", build: "debug", harts: 1, tree: "/work/hw5" };
		expect(await resolved()).toEqual(kernel);
		vscodeWindow.activeTextEditor = undefined;
		host.settings.set("xv6Lab.machine.seed", 7);
		host.settings.set("xv6Lab.debug.build", "as-built");
		expect(await resolved()).toEqual({ ...kernel, build: "as-built", seed: 7 });
		host.settings.delete("xv6Lab.machine.seed");
		host.settings.delete("xv6Lab.debug.build");
	});

	test("with one it means what it says, whatever is in front", async () => {
		await edit("user/prodcons1.c");
		expect((await resolved({ kernel: true, name: "Debug xv6" }))?.program).toBeUndefined();
		expect(await resolved({ request: "attach", name: "Attach" })).toMatchObject({ request: "attach", name: "Attach" });
		expect((await resolved({ request: "attach" }))?.program).toBeUndefined();
		expect(await resolved({ program: "cat", name: "mine", harts: 3, build: "as-built" })).toMatchObject({
			...{ program: "cat", name: "mine", harts: 3, build: "as-built" },
		});
		host.settings.set("launch.configurations", [{ name: "The kernel" }]);
		expect(await resolved({ name: "The kernel" })).toMatchObject({ name: "The kernel", type: "xv6" });
		expect((await resolved({ name: "The kernel" }))?.program).toBeUndefined();
		expect(await resolved({ name: "offered by VS Code" })).toMatchObject({
			name: "Debug prodcons1",
			program: "prodcons1",
		});
		host.settings.delete("launch.configurations");
	});

	test("offers the kernel, each program of the lab once, and the machine that runs", async () => {
		const offered = await debugProviders().offered.provideDebugConfigurations();
		const programs = new Set(
			theFolder(window.api)
				.tree.lab?.tests.map(({ program }) => program)
				.filter(Boolean),
		);
		expect(offered.map(({ name }) => name)).toEqual([
			...["Debug xv6", ...[...programs].map((name) => `Debug ${name}`), "Attach to the running xv6"],
		]);
		expect(offered[0]).toEqual({ type: "xv6", request: "launch", name: "Debug xv6", kernel: true });
		expect(offered[1]).toEqual({ type: "xv6", request: "launch", name: "Debug mmaptests", program: "mmaptests" });
		expect(offered.at(-1)).toMatchObject({ type: "xv6", request: "attach" });
	});
});

describe("beginning by a command", () => {
	const kernel = { type: "xv6", request: "launch", name: "Debug xv6", kernel: true };
	const program = (name: string) => ({ type: "xv6", request: "launch", name: `Debug ${name}`, program: name });

	test("the kernel, the program of a lens, the program of a row", async () => {
		await host.run("xv6Lab.debug.kernel");
		await host.run("xv6Lab.debugProgramAt", at("user/cat.c"), "cat");
		await host.run("xv6Lab.debugProgramAt", { folder: theFolder(window.api), name: "wc" });
		expect(host.debugged).toEqual([kernel, program("cat"), program("wc")]);
	});

	test("a program that is picked; going away begins nothing", async () => {
		host.answers.push("grep");
		await host.run("xv6Lab.debug.program");
		expect(host.debugged).toEqual([program("grep")]);
		expect(host.questions[0]).toMatchObject({ title: "Which program?" });
		expect(host.questions[0]?.choices).not.toContain("init");
		await host.run("xv6Lab.debug.program");
		expect(host.debugged).toHaveLength(1);
	});

	test("of a test in the explorer: its command, up to what fails; over when the session is, or the run is cancelled", async () => {
		const { controllers, runs } = host;
		const profile = controllers[0]?.profiles.find(({ label }) => label === "Debug");
		const test = theFolder(window.api).tree.lab?.tests.find(({ command }) => command === "mmaptests arguments");
		const item = window.api.tests.find(theFolder(window.api), test?.id ?? "") as unknown as object;
		const begin = () => {
			let over = false;
			const token = { isCancellationRequested: false, onCancellationRequested: () => ({ dispose() {} }) };
			const running = profile?.handler({ include: [item] }, token as never).then(() => (over = true));
			return { running, isOver: () => over };
		};
		const first = begin();
		await until("the session", () => host.debugged.length === 1);
		const [configuration] = host.debugged as Record<string, unknown>[];
		expect(configuration).toMatchObject({
			...{ name: "Debug mmaptests arguments", program: "mmaptests", command: "mmaptests arguments", asTest: true },
		});
		expect(configuration?.until, "it has not failed").toBeUndefined();
		host.endDebugging({ type: "xv6", configuration: { mark: "another" } });
		await new Promise(setImmediate);
		expect(first.isOver()).toBe(false);
		host.endDebugging({ type: "xv6", configuration });
		await first.running;
		expect(runs.at(-1)).toMatchObject({ ended: true, outcomes: [] });
		const second = begin();
		await until("the session", () => host.debugged.length === 2);
		runs.at(-1)?.source.cancel();
		await second.running;
		expect(runs.at(-1)?.ended).toBe(true);
		const before = runs.length;
		await profile?.handler({ include: [item] }, { isCancellationRequested: true } as never);
		expect([host.debugged.length, runs.length], "cancelled before it began").toEqual([2, before]);
	});
});

describe("a session", () => {
	let side: DebugSide;

	beforeAll(async () => {
		// The build that is there already: what a debug build is, its own tests say.
		const configuration = await resolved({ program: "prodcons1", name: "Debug prodcons1", build: "as-built" });
		side = new DebugSide("one", configuration ?? {});
		await side.connect();
		await side.request("initialize", { adapterID: "xv6" });
		const launched = side.request("launch", configuration);
		await side.next("initialized");
		await side.request("setBreakpoints", { source: { path: "/work/hw5/kernel/sysproc.c" }, breakpoints: [] });
		await side.request("configurationDone");
		expect((await launched).success).toBe(true);
	}, 120_000);

	test("is built under a progress, stands in main, and VS Code shows its view then, once", async () => {
		expect(host.works.map(({ title }) => title)).toContain("xv6: building to debug");
		const { body } = await side.next("stopped");
		const { stackFrames } = (await side.request("stackTrace", { threadId: body.threadId })).body;
		expect(stackFrames[0]).toMatchObject({ name: "main", source: { path: "/work/hw5/user/prodcons1.c" } });
		debug.activeStackItem = { threadId: body.threadId, frameId: stackFrames[0].id };
		const views = () => host.asked.filter(({ id }) => id === "workbench.view.debug").length;
		await side.request("next", { threadId: body.threadId });
		await side.next("stopped");
		await until("the time line", () => host.rows("xv6Lab.debugTime").length >= 3);
		expect(views(), "at the first stop, not at each").toBe(1);
		expect(theFolder(window.api).terminal.isOpen).toBe(true);
		expect(timeStatus()).toBeUndefined();
	});

	test("goes to an instruction that a person types as the status bar writes it, and back", async () => {
		host.answers.push("soon", "1,000_000");
		await host.run("xv6Lab.debug.goToInstruction");
		expect(host.questions.at(-1)?.refused).toEqual(["A number"]);
		expect(side.asked.at(-1)).toEqual({ request: "xv6/goToInstruction", args: { instruction: 1_000_000 } });
		await until("the past", () => timeStatus() !== undefined);
		expect(timeStatus()).toMatch(/^\$\(history\) xv6: [\d,]+ instructions back$/);
		expect(host.statusBar.find(({ id }) => id === "xv6Lab.time")).toMatchObject({
			tooltip: "The machine shows its past, instruction 1,000,000. Click to go to the present.",
			command: "xv6Lab.debug.toPresent",
		});
		expect(host.rows("xv6Lab.debugTime").some((row) => / \| 1,000,000 \| debug-stackframe$/.test(row))).toBe(true);
		await host.run("xv6Lab.debug.toPresent");
		await until("the present", () => timeStatus() === undefined);
		await host.run("xv6Lab.debug.seek", 2_000_000);
		await until("the past", () => timeStatus() !== undefined);
		expect(side.asked.at(-1)).toEqual({ request: "xv6/goToInstruction", args: { instruction: 2_000_000 } });
		// Closed without an answer.
		const before = side.asked.length;
		await host.run("xv6Lab.debug.goToInstruction");
		expect(side.asked).toHaveLength(before);
	}, 60_000);

	test("has a new future only when the person has read what that means", async () => {
		host.answers.push(undefined);
		await host.run("xv6Lab.debug.newFuture");
		expect(host.said.at(-1)?.text).toContain("Everything after this moment is discarded");
		expect(timeStatus(), "nothing has happened").toBeDefined();
		host.answers.push("New Future From Here");
		await host.run("xv6Lab.debug.newFuture");
		await until("the present", () => timeStatus() === undefined);
		expect(side.asked.at(-1)?.request).toBe("xv6/newFuture");
	});

	test.each<[string, object | undefined, object]>([
		["  k:0x80000000 ", undefined, { memoryReference: "k:0x80000000" }],
		["u5:0x10", undefined, { memoryReference: "u5:0x10" }],
		["u:0x10", undefined, { expression: "u:0x10", frameId: 1 }],
		["total", undefined, { expression: "total", frameId: 1 }],
		[
			"",
			{ variable: { name: "n" }, container: { variablesReference: 5 } },
			{ variablesReference: 5, name: "n", frameId: 1 },
		],
		["x", { variable: { name: "n" }, container: { variablesReference: 0 } }, { expression: "x", frameId: 1 }],
	])(
		"who wrote %j last, with %j, is asked of the debugger; its refusal is a warning",
		async (answer, context, args) => {
			debug.activeStackItem = { threadId: 1, frameId: 1 };
			if (answer !== "") host.answers.push(answer);
			await host.run("xv6Lab.debug.whoWrote", context);
			expect(side.asked.at(-1)).toEqual({ request: "xv6/whoWrote", args });
			const failed = side.responses.at(-1)?.success === false;
			expect(host.said.map(({ kind }) => kind)).toEqual(failed ? ["warning"] : []);
			if (failed) expect(host.said[0]?.text).toBe(`xv6: ${side.responses.at(-1)?.message}`);
		},
	);

	test("proposes what is selected; an empty answer asks nothing", async () => {
		await edit("user/prodcons1.c", new Range(0, 0, 0, 4));
		const before = side.asked.length;
		host.answers.push("");
		await host.run("xv6Lab.debug.whoWrote");
		const text = vscodeWindow.activeTextEditor?.document.getText(new Range(0, 0, 0, 4));
		expect([host.questions.at(-1)?.choices, text?.length]).toEqual([[text], 4]);
		await edit("user/prodcons1.c", new Range(0, 2, 0, 2));
		await host.run("xv6Lab.debug.whoWrote");
		expect(host.questions.at(-1)?.choices).toEqual([""]);
		expect(side.asked).toHaveLength(before);
	});

	test("steps out backwards where a thread is chosen", async () => {
		debug.activeStackItem = undefined;
		const before = side.asked.length;
		await host.run("xv6Lab.debug.reverseStepOut");
		expect(side.asked).toHaveLength(before);
		debug.activeStackItem = { threadId: 77 };
		await host.run("xv6Lab.debug.reverseStepOut");
		expect(side.asked.at(-1)).toEqual({ request: "xv6/reverseStepOut", args: { threadId: 77 } });
	});

	test("ends: its time is gone from status bar and side bar, and commands say that none runs", async () => {
		await host.run("xv6Lab.debug.seek", 1_000_000);
		await until("the past", () => timeStatus() !== undefined);
		host.endDebugging({ type: "cppdbg" });
		expect(timeStatus(), "another one's end").toBeDefined();
		side.end();
		expect([timeStatus(), host.rows("xv6Lab.debugTime")]).toEqual([undefined, []]);
		await host.run("xv6Lab.debug.runToFailure");
		expect(host.said).toMatchObject([{ text: "xv6: no debug session runs. Press F5 to start one." }]);
		host.showDebugging({ type: "cppdbg" });
		await host.run("xv6Lab.debug.toPresent");
		expect(host.said).toHaveLength(2);
		host.showDebugging(undefined);
	});
});

test("the first stop of each session opens the view, unless VS Code is told never to", async () => {
	const body = { position: 5, present: 5, oldest: 0, isPast: false };
	const views = async (session: object, event = "xv6/moved") => {
		host.asked.length = 0;
		host.debugEvent({ session, event, body });
		await new Promise(setImmediate);
		return host.asked.map(({ id }) => id);
	};
	const session = { type: "xv6" };
	expect(await views({ type: "cppdbg" })).toEqual([]);
	expect(await views(session, "xv6/other")).toEqual([]);
	expect(await views(session)).toEqual(["workbench.view.debug", "workbench.action.focusActiveEditorGroup"]);
	expect(await views(session)).toEqual([]);
	host.settings.set("debug.openDebug", "neverOpen");
	expect(await views({ type: "xv6" })).toEqual([]);
	host.settings.delete("debug.openDebug");
});

test("a kernel that cannot be built is the answer to the launch; VS Code reads no braces in it", async () => {
	const file = await workspace.openTextDocument(at("user/cat.c"));
	const before = file.getText();
	file.edit(before.replace("#include", "int broken = {oops};\n#include"));
	const side = new DebugSide("two", (await resolved({ program: "cat", name: "cat", build: "as-built" })) ?? {});
	await side.connect();
	const { success, message, body } = await side.request("launch", {});
	expect([success, body.error.showUser]).toEqual([false, true]);
	expect(message).toContain("The kernel was not built");
	expect(body.error.format).not.toMatch(/[{}]/);
	side.end();
	file.edit(before);
	await file.save();
}, 60_000);

test("an engine that crashes ends its session", async () => {
	const side = new DebugSide("three", (await resolved({ request: "attach", name: "Attach" })) ?? {});
	await side.connect();
	await side.request("initialize", { adapterID: "xv6" });
	host.answers.push(undefined);
	window.engines.at(-1)?.crash("out of memory");
	expect((await side.next("terminated")).event).toBe("terminated");
	side.end();
});

test("without a kernel tree F5 says so, and a session has no adapter", async () => {
	host.closeFolder(root);
	await window.api.refresh();
	expect(await resolved()).toBeUndefined();
	expect(host.said).toMatchObject([{ kind: "error", text: "xv6: this folder has no xv6 kernel to debug." }]);
	const side = new DebugSide("four", {});
	await expect(side.connect()).rejects.toThrow("this folder has no xv6 kernel to debug");
	await host.run("xv6Lab.debug.kernel");
	await host.run("xv6Lab.debug.program");
	expect(host.debugged).toEqual([]);
});
