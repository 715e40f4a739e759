import { afterAll, expect, test } from "vitest";
import type { BuildOutput } from "../../src/build/types.ts";
import { createMachine } from "../../src/cli/machine.ts";
import { utf8 } from "../../src/common/bytes.ts";
import { Machine } from "../../src/machine/machine.ts";
import { coreModule } from "../support/guest.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

/**
 * Whole runs of xv6 with the translator off, as in use, and forced on: the same state at every look, and the same text.
 * The gate types the labs' programs; `FULL=1` every test of the labs, and `usertests`.
 */
const full = process.env.FULL !== undefined;
/** A prime, so that looks fall anywhere. */
const look = 9_999_991;

afterAll(closeToolchains);

interface Side {
	readonly name: string;
	readonly machine: Machine;
	text: string;
}

async function sidesOf(output: BuildOutput, harts: number): Promise<Side[]> {
	const { wish } = output;
	return Promise.all(
		(["off", "on", "eager"] as const).map(async (jit) => {
			const machine = await Machine.create(
				{
					kernel: output.kernel,
					disk: output.disk,
					harts,
					memoryBytes: wish.memoryBytes,
					virtio: wish.virtio,
					pmp: wish.pmp,
					jit,
				},
				{ core: coreModule() },
			);
			const side: Side = { name: jit, machine, text: "" };
			machine.console.onData((bytes) => {
				side.text += Buffer.from(bytes).toString("latin1");
			});
			return side;
		}),
	);
}

/** Runs all sides until the shell waits; resolves to the number of looks. */
function toPrompt(sides: readonly Side[]): number {
	const [first] = sides as [Side];
	for (let looks = 1; looks < 20_000; looks++) {
		const stops = sides.map(({ machine }) => machine.run(look).kind);
		const states = sides.map(({ machine, text }, n) => [machine.instret, machine.stateHash(), text, stops[n]]);
		for (const [n, state] of states.entries()) expect(state, `${sides[n]?.name} against off`).toEqual(states[0]);
		if (/(^|\n)\$ $/.test(first.text.slice(-3)) && first.machine.console.pending === 0) return looks;
		if (stops[0] === "halt" || stops[0] === "idle") break;
	}
	return expect.fail(`no prompt:\n${first.text.slice(-2000)}`);
}

function type(sides: readonly Side[], command: string): number {
	for (const side of sides) {
		side.text = "";
		side.machine.console.write(utf8(`${command}\n`));
	}
	return toPrompt(sides);
}

async function commandsOf(lab: string, solution: string): Promise<string[]> {
	const { tests, tasks, programs } = await catalog.manifest(lab);
	const last = tasks.findLastIndex((task) => task.solution === solution);
	const done = new Set(tasks.slice(0, last + 1).map((task) => task.id));
	const mine = tests.filter((one) => done.has(one.task));
	if (full) return mine.map((one) => one.command ?? one.program);
	return mine.filter((one) => programs.includes(one.program) && one.command === undefined).map((one) => one.program);
}

test.each([
	["hw5-anonymous-mmap", "3b", 3],
	["cs326-shared-page", "2", 1],
] as const)("%s, solution %s, with %i harts", async (lab, solution, harts) => {
	const output = await build(await catalog.workspace(lab, solution));
	const sides = await sidesOf(output, harts);
	let looks = toPrompt(sides);
	const commands = await commandsOf(lab, solution);
	expect(commands.length).toBeGreaterThan(0);
	for (const command of commands) looks += type(sides, command);
	const translated = sides.map(({ machine }) => machine.translation?.regions ?? 0);
	expect(translated[0]).toBe(0);
	expect(Math.min(...translated.slice(1))).toBeGreaterThan(50);
	console.log(`${lab}: ${looks} looks, ${sides[0]?.machine.instret.toLocaleString("en")} instructions`);
	for (const { machine } of sides) machine.dispose();
});

test("a machine restored from a snapshot runs on as it did, translated or not", async () => {
	const output = await build(await catalog.workspace(undefined));
	const { machine } = await createMachine(output, { harts: 2, translator: true });
	const other = (await createMachine(output, { harts: 2, translator: false })).machine;
	machine.run(1_200_000_007);
	const snapshot = machine.snapshot();
	machine.console.write(utf8("forktest\n"));
	machine.run(300_000_001);
	const hash = machine.stateHash();
	for (const one of [machine, other]) {
		one.restore(snapshot);
		one.console.write(utf8("forktest\n"));
		one.run(300_000_001);
		expect(one.stateHash()).toBe(hash);
		one.dispose();
	}
});

if (full) {
	test.each([1, 3])(
		"usertests with %i harts",
		async (harts) => {
			const sides = await sidesOf(await build(await catalog.workspace(undefined)), harts);
			toPrompt(sides);
			const looks = type(sides, "usertests -q");
			expect(sides[0]?.text).toContain("ALL TESTS PASSED");
			console.log(`usertests: ${looks} looks, ${sides[0]?.machine.instret.toLocaleString("en")} instructions`);
		},
		7_200_000,
	);
}
