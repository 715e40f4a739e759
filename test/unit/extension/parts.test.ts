import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Diagnostic } from "../../../src/common/diagnostic.ts";
import { UserError } from "../../../src/common/errors.ts";
import { ContextKeys } from "../../../src/extension/contextKeys.ts";
import { DebugTime } from "../../../src/extension/debugTime.ts";
import { BuildDiagnostics } from "../../../src/extension/diagnostics.ts";
import { askEngine } from "../../../src/extension/inspectorRequests.ts";
import type { LabFolder } from "../../../src/extension/labFolder.ts";
import { readSettings } from "../../../src/extension/settings.ts";
import { XvTerminal } from "../../../src/extension/terminal.ts";
import { openSource, sourceUri } from "../../../src/extension/terminalLinks.ts";
import { faultsMessage, momentOf, schedulesMessage, verdictMessages } from "../../../src/extension/testMessages.ts";
import type { BuildSummary } from "../../../src/protocol/engine.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";
import { Screen } from "../../support/screen.ts";
import { host, Range, StandInItem, StandInTerminal, type TestMessage, Uri, workspace } from "../../support/vscode.ts";

/** Parts of the extension that need a window and no engine. */

const root = Uri.file("/tree") as never as Parameters<typeof sourceUri>[0];
const at = (path: string) => Uri.joinPath(root as never, path);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

beforeEach(() => {
	host.files.clear();
	host.settings.clear();
	host.said.length = 0;
	host.documents.length = 0;
});

describe("settings", () => {
	const settings = (values: Record<string, unknown>, hasProcesses = true) => {
		for (const [key, value] of Object.entries(values)) host.settings.set(`xv6Lab.${key}`, value);
		return readSettings(root, hasProcesses);
	};

	test("without any, the tree decides, and what costs nothing is on", () => {
		expect(settings({})).toEqual({
			build: { toolchain: "auto" },
			machine: { translator: true, historyMiB: 256 },
			...{ seeds: 50, buildOnSave: true, lineEditing: true, stopOnClose: true },
		});
	});

	test.each<[string, unknown, object]>([
		["machine.harts", 3, { harts: 3 }],
		["machine.harts", 8, { harts: 8 }],
		["machine.harts", 9, {}],
		["machine.harts", 0, {}],
		["machine.harts", 1.5, {}],
		["machine.harts", "3", {}],
		["machine.memory", 1024, { memoryMiB: 1024 }],
		["machine.memory", 1025, {}],
		["machine.virtio", "legacy", { virtio: "legacy" }],
		["machine.virtio", "old", {}],
		["machine.seed", 0, { seed: 0 }],
		["machine.seed", -1, {}],
		["machine.translator", false, { translator: false }],
		["machine.translator", "no", {}],
		["history.memory", 0, { historyMiB: 0 }],
		["history.memory", 4097, {}],
	])("%s: %j", (key, value, machine) => {
		expect(settings({ [key]: value }).machine).toEqual({ translator: true, historyMiB: 256, ...machine });
	});

	test("a compiler of this machine: where there are processes, and the window is trusted", () => {
		const host_ = { "toolchain.kind": "host", "toolchain.path": "/opt/gcc" };
		expect(settings(host_).build).toEqual({ toolchain: "host", toolchainPath: "/opt/gcc" });
		expect(settings(host_, false).build).toEqual({ toolchain: "bundled" });
		workspace.isTrusted = false;
		expect(settings(host_).build).toEqual({ toolchain: "bundled" });
		workspace.isTrusted = true;
		expect(settings({ ...host_, "toolchain.kind": "odd", "toolchain.path": "" }).build).toEqual({ toolchain: "auto" });
	});

	test("what is off is off", () => {
		expect(
			settings({ "build.onSave": false, "terminal.lineEditing": false, "terminal.onClose": "keep", "tests.seeds": 7 }),
		).toMatchObject({ buildOnSave: false, lineEditing: false, stopOnClose: false, seeds: 7 });
		expect(settings({ "tests.seeds": 1001 }).seeds).toBe(50);
	});
});

describe("the Problems panel", () => {
	const summary = (...diagnostics: Diagnostic[]) => ({ diagnostics }) as unknown as BuildSummary;
	const shown = (path: string) =>
		(host.diagnostics.get(at(path).toString()) ?? []).map(({ range, message, severity, code }) => {
			const { start, end } = range as { start: { line: number; character: number }; end: typeof start };
			return [start.line, start.character, end.line, end.character, severity, message, code];
		});

	test("a message stands where the compiler says, or at the Makefile where its file is none of the tree's", () => {
		const problems = new BuildDiagnostics();
		problems.publish(
			root,
			summary(
				{ file: "a.c", line: 3, column: 5, endLine: 3, endColumn: 9, severity: "error", message: "e", code: "E1" },
				{ file: "a.c", line: 4, column: 2, severity: "warning", message: "w" },
				{ file: "a.c", severity: "note", message: "n" },
				{ file: "/usr/include/x.h", line: 7, severity: "error", message: "outside" },
				{ file: "../up.c", line: 1, severity: "error", message: "above" },
				{ file: "<built-in>", line: 1, severity: "error", message: "built in" },
			),
		);
		expect(shown("a.c")).toEqual([
			[2, 4, 2, 8, 0, "e", "E1"],
			[3, 1, 3, 1, 1, "w", undefined],
			[0, 0, 0, 0, 2, "n", undefined],
		]);
		expect(shown("Makefile").map(([line, , , , , message]) => [line, message])).toEqual([
			...[
				[6, "outside"],
				[0, "above"],
				[0, "built in"],
			],
		]);
		expect([...host.diagnostics.keys()].every((uri) => uri.startsWith("file:///tree/"))).toBe(true);
		problems.publish(root, summary({ file: "b.c", line: 1, severity: "error", message: "other" }));
		expect([shown("a.c"), shown("Makefile"), shown("b.c").length]).toEqual([[], [], 1]);
		problems.dispose();
	});

	test("notes are related places, and two trees do not touch each other's", () => {
		const problems = new BuildDiagnostics();
		const note = { file: "b.h", line: 2, column: 3, severity: "note", message: "declared here" } as const;
		problems.publish(root, summary({ file: "a.c", line: 1, severity: "error", message: "e", notes: [note] }));
		const [first] = host.diagnostics.get(at("a.c").toString()) ?? [];
		expect(first?.relatedInformation).toMatchObject([
			{ message: "declared here", location: { uri: at("b.h"), range: { start: { line: 1, character: 2 } } } },
		]);
		problems.publish(Uri.file("/other") as never, summary());
		expect(shown("a.c")).toHaveLength(1);
		problems.publish(root, summary());
		expect(shown("a.c")).toEqual([]);
		problems.dispose();
	});

	test("what is wrong before anything is compiled is marked, a line whole and a column where it is", () => {
		const problems = new BuildDiagnostics();
		const error = (position?: object) =>
			new UserError("makefile-not-understood", "Odd", "Write it.", position as never);
		problems.publishError(root, error({ file: "Makefile", line: 4 }));
		expect(shown("Makefile")).toEqual([[3, 0, 3, 1000, 0, "Odd. Write it.", "makefile-not-understood"]]);
		problems.publishError(root, error({ file: "lab.json", line: 2, column: 6 }));
		expect([shown("Makefile"), shown("lab.json")]).toEqual([
			[],
			[[1, 5, 1, 5, 0, "Odd. Write it.", "makefile-not-understood"]],
		]);
		problems.publishError(root, error());
		expect(shown("Makefile")[0]?.slice(0, 4)).toEqual([0, 0, 0, 1000]);
		problems.dispose();
	});
});

describe("a test's messages", () => {
	const folder = { root, tree: { programs: [{ name: "prog", source: "user/prog.c" }] } } as unknown as LabFolder;
	const item = new StandInItem("prog", "prog prints 5", at("user/prog.c") as never) as never;
	const verdict: Verdict = {
		...{ lab: "l", test: "prog", task: "1", title: "prog prints 5", program: "prog", command: "prog" },
		...{ outcome: "failed", end: "prompt", expected: "5\n", actual: "6\n", instructions: 1, harts: 1, seed: 3 },
		reasons: [{ kind: "output", message: "The output is another one." }],
		...{ explanations: [], faults: [], findings: [], diagnoses: [] },
		stack: [
			{ name: "main", file: "user/prog.c", line: 7, address: "0x0" },
			{ name: "?", address: "0x4" },
		],
	};
	const messages = (change: Partial<Verdict> = {}) =>
		verdictMessages({ ...verdict, ...change }, item, folder) as unknown as (TestMessage & Record<string, unknown>)[];

	test("the explanation with its stack comes first, the difference where the output is wrong", () => {
		const [explanation, difference] = messages();
		expect(explanation?.message).toMatch(/^The output is another one\.\n\nexpected 5\ngot 6/);
		expect(explanation?.stackTrace).toMatchObject([
			{ label: "main", uri: at("user/prog.c"), position: { line: 6 } },
			{ label: "?", uri: undefined, position: undefined },
		]);
		expect(difference).toMatchObject({ expectedOutput: "5\n", actualOutput: "6\n", contextValue: "xv6Lab.verdict" });
		expect(messages({ reasons: [{ kind: "end", message: "It panicked." }] })).toHaveLength(1);
	});

	test("a report of races stands at its own place, without its rules, and leads to its schedule", () => {
		const moment = { schedule: "0:5", before: { hart: 1, step: 9 } };
		const report = {
			text: "=====\nRace on x\n  a\n=====\n",
			moment,
			stack: [{ name: "inc", file: "kernel/a.c", line: 4 }],
		};
		const [only, ...others] = messages({
			reasons: [{ kind: "concurrency", message: "A race." }],
			exploration: [report],
		});
		expect(others).toEqual([]);
		expect(only).toMatchObject({
			...{ message: "Race on x\n  a", contextValue: "xv6Lab.schedule" },
			location: { uri: at("kernel/a.c"), range: { start: { line: 3 } } },
		});
		expect(momentOf(only as never)).toEqual(moment);
		expect(momentOf({ message: "something else" } as never)).toBeUndefined();
		expect(momentOf({ message: { value: "Race on x\n  a" } } as never)).toEqual(moment);
		expect(messages({ exploration: [report] })).toHaveLength(3);
	});

	test.each<[string, Partial<Verdict>, string, number]>([
		[
			"the line that its program names",
			{ stack: [], actual: "user/lib.h:9: not true: n == 1\n" },
			"/tree/user/lib.h",
			8,
		],
		["the line alone that its program names", { stack: [], actual: "line 4: no\n" }, "/tree/user/prog.c", 3],
		["its program, where nothing is known", { stack: [], actual: "" }, "/tree/user/prog.c", 0],
		[
			"its program, where it names another place",
			{ stack: [], actual: "../x.c:9: not true: n\n" },
			"/tree/user/prog.c",
			0,
		],
	])("it stands at %s", (_where, change, path, line) => {
		expect(messages({ reasons: [{ kind: "end", message: "No." }], ...change })[0]).toMatchObject({
			location: { uri: { path }, range: { start: { line } } },
		});
	});

	test("of a program that the tree does not have it stands at its item, at the item's line", () => {
		const at12 = Object.assign(new StandInItem("x", "x", at("grade-lab") as never), { range: new Range(12, 0, 12, 0) });
		const place = (item: StandInItem) =>
			verdictMessages({ ...verdict, program: "gone" }, item as never, folder)[0]?.location;
		expect(place(at12)).toMatchObject({ uri: { path: "/tree/grade-lab" }, range: { start: { line: 12 } } });
		expect(place(new StandInItem("x", "x", undefined))).toBeUndefined();
	});

	test("several schedules, and every kalloc that failed", () => {
		const many = schedulesMessage([verdict, { ...verdict, seed: 9 }], 50) as unknown as TestMessage;
		expect(many.message).toBe("2 of 50 schedules fail: seeds 3, 9");
		const faults = faultsMessage(
			{ ...verdict, reasons: [{ kind: "invariant", message: "Two frames are lost." }] },
			folder,
		);
		expect(faults).toMatchObject({ message: "Two frames are lost.\n\n6\n", location: { uri: at("user/prog.c") } });
	});
});

describe("the debugger's time line", () => {
	const rows = () => host.rows("xv6Lab.debugTime");

	test("the moments at which the machine stood, between the history's ends; the one where it stands leads nowhere", () => {
		const time = new DebugTime();
		expect(rows()).toEqual([]);
		time.moved({ position: 50, present: 50, oldest: 0, isPast: false, what: "main prog.c:3" });
		time.moved({ position: 20, present: 50, oldest: 0, isPast: true, what: "fork proc.c:9" });
		expect(rows()).toEqual([
			"Start of the history | 0 | history",
			"fork proc.c:9 | 20 | debug-stackframe",
			"Present | 50 | history",
		]);
		expect(host.views.get("xv6Lab.debugTime")?.description).toBe("in the past");
		const item = (index: number) => time.getTreeItem(time.getChildren()[index] as never);
		expect(item(0).command).toMatchObject({ command: "xv6Lab.debug.seek", arguments: [0] });
		expect(item(1).command).toBeUndefined();
		expect(item(1).accessibilityInformation?.label).toBe("fork proc.c:9, instruction 20: here");
		expect(item(2).command?.command).toBe("xv6Lab.debug.toPresent");
		// A new future: what came later has not happened; and what the history forgot is gone.
		time.moved({ position: 30, present: 30, oldest: 25, isPast: false });
		time.moved({ position: 28, present: 30, oldest: 25, isPast: true });
		expect(rows()).toEqual([
			"Start of the history | 25 | history",
			"Instruction 28 | 28 | debug-stackframe",
			"Present | 30 | history",
		]);
		// Where the history begins or ends the machine may stand, too.
		time.moved({ position: 25, present: 30, oldest: 25, isPast: true, what: "start" });
		expect(rows().map((row) => row.split(" | ").slice(1))).toEqual([
			["25", "debug-stackframe"],
			["28", "circle-outline"],
			["30", "history"],
		]);
		time.clear();
		expect([rows(), host.views.get("xv6Lab.debugTime")?.description]).toEqual([[], ""]);
		time.dispose();
	});

	test("the last fifty stops are kept, each once", () => {
		const time = new DebugTime();
		for (let position = 1; position <= 60; position++)
			time.moved({ position, present: 100, oldest: 0, isPast: true, what: `stop ${position}` });
		time.moved({ position: 60, present: 100, oldest: 0, isPast: true, what: "again" });
		const stops = rows().slice(1, -1);
		expect([stops.length, stops[0], stops.at(-1)]).toEqual([
			...[50, "stop 11 | 11 | circle-outline", "again | 60 | debug-stackframe"],
		]);
		time.dispose();
	});
});

describe("source lines", () => {
	test.each<[string, string | undefined]>([
		["kernel/a.c", "/tree/kernel/a.c"],
		["./kernel//a.c", "/tree/kernel/a.c"],
		["../etc/passwd", undefined],
		["kernel/../../x", undefined],
	])("%s is %s", (file, path) => {
		expect(sourceUri(root, file)?.path).toBe(path);
	});

	test("are opened at the line, at the definition of a name, or not at all", async () => {
		host.write(at("kernel/a.c"), "int x;\n\nint\nadd(int a)\n{\n}\n");
		const line = () => host.shown.at(-1)?.options?.selection?.start.line;
		await openSource(root, "kernel/a.c", 3);
		expect(line()).toBe(2);
		await openSource(root, "kernel/a.c", "add");
		expect(line()).toBe(3);
		await openSource(root, "kernel/a.c", "nobody");
		expect(line()).toBe(0);
		await openSource(root, "kernel/a.c", 0);
		expect(line()).toBe(0);
		const before = host.shown.length;
		await openSource(root, "../a.c", 1);
		await openSource(root, "kernel/none.c", 1);
		expect([host.shown.length, host.said.map(({ text }) => text)]).toEqual([
			before,
			["xv6: kernel/none.c is not in this tree."],
		]);
	});
});

test("a `when` key is sent when it changes, and not again", () => {
	const keys = new ContextKeys();
	host.contexts.clear();
	keys.set("hasLab", true);
	expect(host.contexts.get("xv6Lab.hasLab")).toBe(true);
	host.contexts.clear();
	keys.set("hasLab", true);
	expect(host.contexts.size).toBe(0);
	keys.set("hasLab", false);
	expect(host.contexts.get("xv6Lab.hasLab")).toBe(false);
});

test("the inspector's questions are the engine's requests, with nothing of the message's own", async () => {
	const asked: unknown[] = [];
	const engine = { request: async (kind: string, params: unknown) => void asked.push([kind, params]) } as never;
	await askEngine(engine, { type: "walk", id: 1, pid: 2, address: "0x1" });
	await askEngine(engine, { type: "writer", id: 1, address: "0x1", after: 2, before: 3 });
	await askEngine(engine, { type: "activity", id: 1, from: 2, to: 3 });
	await askEngine(engine, { type: "network", id: 1 });
	await askEngine(engine, { type: "control", action: "pause" });
	await askEngine(engine, { type: "control", action: "toPresent" });
	expect(asked).toEqual([
		["walk", { pid: 2, address: "0x1" }],
		["writer", { address: "0x1", after: 2, before: 3 }],
		["activity", { from: 2, to: 3 }],
		["network", undefined],
		["pause", undefined],
		["toPresent", undefined],
	]);
});

describe("the terminal", () => {
	let pty: XvTerminal;
	let got: string;
	let shown: number;
	const shell = { lineEditing: false, names: { programs: [], files: [] } };

	beforeEach(() => {
		vi.useFakeTimers();
		host.terminals.length = 0;
		pty = new XvTerminal("xv6", shell);
		[got, shown] = ["", 0];
		pty.onInput((bytes) => (got += text(bytes)));
		pty.onShown((bytes) => (shown += bytes));
	});
	afterEach(() => {
		pty.dispose();
		vi.useRealTimers();
	});
	const print = (words: string) => pty.write(new TextEncoder().encode(words));
	const open = (): StandInTerminal => {
		pty.show(true);
		vi.runAllTimers();
		return host.terminals.at(-1) as StandInTerminal;
	};

	test("output before it is opened is kept and counted as shown; a frame gathers what comes together", () => {
		print("early\n");
		expect(shown).toBe(6);
		const terminal = open();
		expect(terminal.text).toBe("early\r\n");
		print("a");
		print("b");
		expect([terminal.text, shown]).toEqual(["early\r\n", 6]);
		vi.advanceTimersByTime(16);
		expect([terminal.text, shown]).toEqual(["early\r\nab", 8]);
	});

	test("its line editor draws for the columns that the terminal has, and never for fewer than it can", () => {
		const drawn = (columns: number) => {
			const editing = new XvTerminal("xv6", { lineEditing: true, names: { programs: [], files: [] } });
			let text = "";
			editing.onDidWrite((part) => (text += part));
			editing.open({ columns, rows: 24 });
			editing.write(new TextEncoder().encode("$ "));
			for (const keys of ["abcdef", "\u001b[D", "\u001b[D", "\u001b[D"]) editing.handleInput(keys);
			vi.runAllTimers();
			const screen = new Screen(Math.max(4, columns));
			screen.write(text);
			editing.dispose();
			return screen.text;
		};
		expect(drawn(80)).toBe("$ abcdef");
		expect(drawn(4)).toBe("$ ab\ncdef");
		expect(drawn(1)).toBe("$ ab\ncdef");
	});

	test("one that has nothing to show writes nothing", () => {
		const writes: string[] = [];
		pty.onDidWrite((text) => writes.push(text));
		open();
		expect([writes, shown]).toEqual([[], 0]);
	});

	test("of a flood that nobody has opened the last screens are kept", () => {
		for (let i = 0; i < 300; i++) print(`${"x".repeat(998)}\n`);
		print("end");
		const terminal = open();
		expect([terminal.text.length, terminal.text.endsWith("end")]).toEqual([100_000, true]);
	});

	test("a line of ours goes above the line that the guest has begun", () => {
		print("$ ");
		const terminal = open();
		pty.note("stalled\nfor long");
		vi.runAllTimers();
		expect(terminal.text).toBe("$ \r\u001b[K\u001b[3;36m[xv6 Lab] stalled\r\nfor long\u001b[0m\r\n$ ");
		expect(pty.ran).toBeUndefined();
		pty.card(["✓ Passed"], "prog");
		vi.runAllTimers();
		expect(terminal.text.endsWith("\r\u001b[K\r\n✓ Passed\r\n\r\n$ ")).toBe(true);
		expect(pty.ran).toBe("prog");
	});

	test("keys go to the guest; of a dead machine only Enter does anything, once", () => {
		let restarts = 0;
		pty.onRestartRequested(() => restarts++);
		const terminal = open();
		terminal.type("ls");
		expect(got).toBe("ls");
		print("$ ");
		pty.machineEnded("The kernel panicked.");
		pty.machineEnded("Again.");
		vi.runAllTimers();
		expect(terminal.text).toContain('$ \r\n\u001b[3;36m[xv6 Lab] The kernel panicked. Press Enter here, or run "xv6:');
		expect(terminal.text).not.toContain("Again.");
		terminal.type("l");
		terminal.type("\r");
		expect([got, restarts]).toEqual(["ls", 1]);
		pty.machineStarted();
		terminal.type("x");
		expect([got, restarts]).toEqual(["lsx", 1]);
	});

	test("the past is in the terminal's other buffer, and the present is as it was", () => {
		const terminal = open();
		print("now$ ");
		pty.past(new TextEncoder().encode("then\n"));
		pty.past(new TextEncoder().encode("before\n"));
		vi.runAllTimers();
		expect(terminal.text).toBe("now$ \u001b[?1049h\u001b[2J\u001b[Hthen\r\n\u001b[2J\u001b[Hbefore\r\n");
		terminal.type("k");
		expect(got).toBe("k");
		pty.past(undefined);
		pty.past(undefined);
		vi.runAllTimers();
		expect(terminal.text.endsWith("before\r\n\u001b[?1049l")).toBe(true);
		pty.futureCut(new TextEncoder().encode("then$ "));
		vi.runAllTimers();
		expect(terminal.text).toContain("A new future begins here");
		expect(terminal.text.endsWith("then$ ")).toBe(true);
	});

	test("one that is moved to another tab shows there what it has shown, and its older end is no end", () => {
		let closed = 0;
		pty.onClosed(() => closed++);
		print("boot\n");
		const first = open();
		const profile = pty.profile() as unknown as { options: StandInTerminal["creationOptions"] };
		expect(closed).toBe(0);
		pty.show(true);
		const second = new StandInTerminal(profile.options);
		vi.runAllTimers();
		pty.opening(second as never);
		expect([second.text, pty.isOpen, pty.owns(second as never)]).toEqual(["boot\r\n", true, true]);
		expect(pty.owns({ creationOptions: {} } as never)).toBe(false);
		print("more");
		vi.runAllTimers();
		expect(second.text).toBe("boot\r\nmore");
		pty.show(true);
		expect([second.shown, host.terminals.length], "no third one").toEqual([1, 2]);
		second.dispose();
		expect([closed, pty.isOpen]).toEqual([1, false]);
		expect(first).not.toBe(second);
	});
});
