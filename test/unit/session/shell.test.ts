import { expect, test } from "vitest";
import * as layout from "../../../src/machine/core/layout.ts";
import type { MachineSurface } from "../../../src/machine/types.ts";
import { board } from "../../../src/machine/virtBoard.ts";
import { ProgressWatch, type WatchedKernel } from "../../../src/session/progress.ts";
import { RunController } from "../../../src/session/runController.ts";
import { Shell } from "../../../src/session/shell.ts";
import { boot } from "../../support/guest.ts";

/** A guest that says the next of its texts at each look. */
function guestThatSays(texts: readonly string[]): { machine: MachineSurface; looks: () => number } {
	let said = 0;
	let instret = 0;
	let listener: ((bytes: Uint8Array) => void) | undefined;
	const machine = {
		get instret() {
			return instret;
		},
		console: {
			pending: 0,
			write: () => {},
			onData: (heard: (bytes: Uint8Array) => void) => {
				listener = heard;
				return { dispose: () => {} };
			},
		},
		onStall: () => ({ dispose: () => {} }),
		run: (budget: number) => {
			instret += budget;
			const text = texts[said++];
			if (text) listener?.(new TextEncoder().encode(text));
			return { kind: said > texts.length ? "idle" : "budget" };
		},
	};
	return { machine: machine as unknown as MachineSurface, looks: () => said };
}

const breathe = async () => {};
const budget = 1e9;

test("a command ends at the prompt, which may come in pieces", async () => {
	const { machine } = guestThatSays(["echo hi\r\nhi\r", "\n$", " "]);
	const { end, output } = await Shell.on(machine, { breathe }).run("echo hi", budget);
	expect(end).toEqual({ kind: "prompt" });
	expect(output).toBe("hi\n");
});

test("the instructions of a command are its own, not those since power-on", async () => {
	const { machine } = guestThatSays(["$ ", "", "", "a\n$ ", "", ""]);
	const shell = Shell.on(machine, { breathe });
	await shell.waitForPrompt(budget);
	const { instret } = machine;
	expect(instret).toBeGreaterThan(0);
	const { instructions } = await shell.run("a", budget);
	expect(instructions).toBe(machine.instret - instret);
});

test("a panic is seen when its line comes in pieces, after much else", async () => {
	const { machine } = guestThatSays(["x".repeat(1000), "\npan", "ic: wa", "lk\n"]);
	const { end } = await Shell.on(machine, { breathe }).run("p", budget);
	expect(end).toEqual({ kind: "panic", message: "walk" });
});

test("a command that floods the console is stopped, and what it printed is there", async () => {
	const { machine, looks } = guestThatSays(Array.from({ length: 1000 }, () => "fault\n"));
	const { end, output } = await Shell.on(machine, { breathe }).run("p", budget, { mostOutput: 60 });
	expect(end).toEqual({ kind: "flood", printed: 66 });
	expect(output).toBe("fault\n".repeat(11));
	expect(looks()).toBe(11);
});

test("what is kept of an endless text is bounded, and is its end", async () => {
	const line = `${"x".repeat(99_999)}\n`;
	const { machine } = guestThatSays([...Array.from({ length: 100 }, () => line), "last\n$ "]);
	const shell = Shell.on(machine, { breathe });
	await shell.run("p", budget);
	expect(shell.console.length).toBeLessThan(8_200_000);
	expect(shell.console.endsWith("last\n$ ")).toBe(true);
});

/** Says each of its texts, then nothing for ever; idles through a second of guest time in a few instructions. */
function idleGuest(texts: readonly string[], kernel: Partial<WatchedKernel> = {}) {
	const { machine } = guestThatSays([...texts, ...Array.from({ length: 1000 }, () => "")]);
	let looks = 0;
	const counted = {
		harts: [],
		memory: machine.memory,
		statistic: (address: number) => (address === layout.M_TIME ? looks++ * board.timebaseHz : 0),
	};
	const slow = Object.assign(Object.create(machine) as MachineSurface, { run: () => machine.run(1) });
	const progress = new ProgressWatch(counted, {
		waiting: () => ({ kind: "input", who: "pid 2 sh sleeps on cons.r", reader: 2 }),
		panicked: () => undefined,
		...kernel,
	});
	const controller = new RunController(slow, { breathe }, progress);
	const told: string[] = [];
	controller.onStall(({ kind }) => told.push(kind));
	return { shell: new Shell(controller, slow), told };
}

test("a guest that waits at its prompt makes no progress, and that is the end of the command", async () => {
	const { shell, told } = idleGuest(["echo hi\r\nhi\r\n$ "]);
	expect((await shell.run("echo hi", budget)).end).toEqual({ kind: "prompt" });
	expect(told).toEqual([]);
});

test("a prompt into which others print is one: the same process reads that read at the last one", async () => {
	const { shell, told } = idleGuest(["$ ", "", "", "a\r\n$: FAILED\r\n ", "", ""]);
	expect(await shell.waitForPrompt(budget)).toEqual({ kind: "prompt" });
	expect((await shell.run("a", budget)).end).toEqual({ kind: "prompt" });
	expect(told).toEqual([]);
});

test("a panic that the kernel denies is a line of some program", async () => {
	const said = ["p\r\npanic: no tea\r\n", "", "more\r\n$ "];
	const told = await idleGuest(said, { panicked: () => false }).shell.run("p", budget);
	expect(told).toMatchObject({ end: { kind: "prompt" }, output: "panic: no tea\nmore\n" });
	for (const panicked of [true, undefined]) {
		const { end } = await idleGuest(said, { panicked: () => panicked }).shell.run("p", budget);
		expect(end).toEqual({ kind: "panic", message: "no tea" });
	}
});

test("a guest that waits anywhere else is stalled", async () => {
	const { shell, told } = idleGuest(["cat\r\n"]);
	expect((await shell.run("cat", budget)).end).toMatchObject({ kind: "stall", report: { kind: "no-progress" } });
	expect(told).toEqual(["no-progress"]);
});

test("one that is disposed of hears nothing more, and runs no command", async () => {
	const { machine } = await boot({ kernel: "li s1, UART\nli t0, 46\n1: sb t0, (s1)\nj 1b" });
	let heard = 0;
	const shell = Shell.on(machine, { breathe, onOutput: (bytes) => (heard += bytes.length) });
	await shell.waitForPrompt(10_000);
	expect(heard).toBeGreaterThan(0);
	shell.dispose();
	heard = 0;
	machine.run(10_000);
	expect(heard).toBe(0);
	await expect(shell.run("ls", budget)).rejects.toMatchObject({ code: "cancelled" });
	machine.dispose();
});
