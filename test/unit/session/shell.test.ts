import { expect, test } from "vitest";
import type { MachineSurface } from "../../../src/machine/types.ts";
import { Shell } from "../../../src/session/shell.ts";

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

test("a panic is seen when its line comes in pieces, behind much else", async () => {
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
