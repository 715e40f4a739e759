import { describe, expect, test } from "vitest";
import type { Disposable } from "../../../src/common/disposable.ts";
import * as layout from "../../../src/machine/core/layout.ts";
import type { Machine } from "../../../src/machine/machine.ts";
import type { MachineOptions, StopReason } from "../../../src/machine/types.ts";
import { assemble } from "../../support/assembler.ts";
import { boot, kernelOf, ramBase, smallRam } from "../../support/guest.ts";
import { Random } from "../../support/random.ts";

/**
 * Harts that go round a loop, and now and then, each at its own time, to another page of code that stores to a page of its own. They are in that
 * page often, and seldom in that code: a breakpoint is armed there when it does not run.
 */
const source = `
	.equ UART, 0x10000000
	csrr s9, mhartid
	li s3, 0x9e3779b97f4a7c15
	li s4, 0x80040000
	addi s5, s9, 1
	li s6, 0
	slli s7, s9, 7
loop:
	mul s5, s5, s3
	addi s5, s5, 11
	srli t0, s5, 55
	slli t0, t0, 3
	li t1, 0x80020000
	add t0, t0, t1
	sd s5, (t0)
	addi s7, s7, 1
	srli t0, s7, 4
	andi t0, t0, 15
	bnez t0, calm
	j phase
	.align 6
phase:
	xor s5, s5, s7
	j calm
	.align 6
calm:
	andi t0, s7, 7
	bnez t0, quiet
	jal ra, often
quiet:
	slli t0, s7, 54
	bnez t0, listen
	jal ra, seldom
listen:
	andi t0, s7, 63
	bnez t0, loop
	li t1, UART
	lbu t2, 5(t1)
	andi t2, t2, 1
	beqz t2, loop
	lbu t2, (t1)
	add s5, s5, t2
	j loop
	.align 12
seldom:
	addi s6, s6, 1
store:
	sd s6, (s4)
	ld t1, 8(s4)
${"\txor t1, t1, s6\n".repeat(20)}
far:
	andi t0, s6, 3
	bnez t0, back
	j once
	.align 6
once:
	addi s6, s6, 1
	j back
	.align 6
back:
	ret
	.align 6
often:
	ret
	.align 12
never:
	ret
`;
const { symbols } = assemble(source, ramBase);
const at = (label: string) => symbols.get(label) as bigint;
const kernel = kernelOf(source.replace(/^\t\.equ.*\n/m, ""));
const word = 0x80040000n;

/** Each way to meet what happens seldom, by its name. */
const points: Record<string, (machine: Machine) => readonly Disposable[]> = {
	"code that runs seldom": (machine) => [machine.addBreakpoint(at("store"))],
	"code that runs more seldom": (machine) => [machine.addBreakpoint(at("once")), machine.addBreakpoint(at("never"))],
	"the end of a long way without a jump": (machine) => [machine.addBreakpoint(at("far"))],
	"a part of a hot loop that runs at times": (machine) => [
		machine.addBreakpoint(at("phase"), { when: (hart) => (hart.low(23) & 15) === 7 }),
	],
	"one hart's": (machine) => [
		machine.addBreakpoint(at("seldom"), { when: ({ id }) => id === machine.harts.length - 1 }),
	],
	"a store to a virtual address": (machine) => [machine.addWatchpoint(word, 8, "write")],
	"a store to a physical one": (machine) => [machine.addWatchpoint(word, 4, "write", { physical: true })],
	"a load": (machine) => [machine.addWatchpoint(word + 8n, 8, "read")],
	"all of them": (machine) => [
		machine.addBreakpoint(at("once")),
		machine.addWatchpoint(word, 8, "any"),
		machine.addWatchpoint(word, 8, "write", { physical: true }),
	],
};

type Shape = Pick<MachineOptions, "harts" | "jit">;
/** Few regions at a time: points come and go while they wait to be compiled. */
const translator = { hot: 3, batch: 3, patience: 3000 };

async function lived(options: Shape, seed: number, toggles = false) {
	const random = new Random(seed);
	const parts = options.jit === "on" ? { translator } : {};
	const guest = await boot({ memoryBytes: 2 * smallRam, ...options, kernel }, parts);
	const { machine } = guest;
	const run = 200_000 + 60_000 * machine.harts.length;
	const history = machine.keepHistory({ every: 2500 + random.below(5000) });
	let point: Disposable | undefined;
	// Points that stop nobody come and go, so that decoded code does.
	const toggle = () => {
		point?.dispose();
		point = point ? undefined : machine.addBreakpoint(at("store"), { when: () => false });
	};
	const live = (until: number) => {
		while (machine.instret < until) {
			if (toggles && random.chance(3)) toggle();
			machine.run(Math.min(1 + random.below(9000), until - machine.instret));
			if (random.chance(4)) guest.type("x");
		}
		if (point) toggle();
	};
	live(run);
	return { machine, history, live, random, run };
}

function key(machine: Machine, stop: StopReason): string {
	return JSON.stringify([stop, machine.position], (_, value) => (typeof value === "bigint" ? `${value}` : value));
}

/** Stops between two moments, forwards and backwards; the machine is at the present then. */
function bothWays(machine: Machine, arm: (machine: Machine) => readonly Disposable[]): [string[], string[]] {
	const history = machine.keepHistory();
	history.seek(history.oldest);
	const armed = arm(machine);
	const forwards: string[] = [];
	for (;;) {
		const stop = machine.run(1_000_000);
		if (stop.kind === "present") break;
		if (stop.kind === "breakpoint" || stop.kind === "watchpoint") forwards.push(key(machine, stop));
	}
	const backwards: string[] = [];
	for (let found = history.backTo(); found; found = history.backTo()) {
		expect(machine.position).toEqual(found.position);
		backwards.push(key(machine, found.stop));
	}
	history.toPresent();
	for (const one of armed) one.dispose();
	return [forwards, backwards.reverse()];
}

const shapes = [1, 3, 8].flatMap((harts) => (["off", "on", "eager"] as const).map((jit) => ({ harts, jit })));

describe.each(shapes)("$harts harts, translator $jit", (shape) => {
	test.each(Object.entries(points))("backwards as forwards: %s", async (name, arm) => {
		const { machine, history, live, random, run } = await lived(shape, shape.harts, name.includes("long way"));
		const end = machine.stateHash();
		const [forwards, backwards] = bothWays(machine, arm);
		expect(backwards).toEqual(forwards);
		expect(forwards.length).toBeGreaterThan(shape.harts === 1 ? 1 : 2);
		expect(machine.stateHash()).toBe(end);
		// Checkpoints that were laid in passing and dropped again, another future, and a run that was restored.
		for (let i = 0; i < 8; i++) history.seek(1 + random.below(run));
		history.toPresent();
		expect(bothWays(machine, arm)).toEqual([forwards, forwards]);
		history.seek(run / 2);
		history.cutFuture();
		live(run);
		const [others, back] = bothWays(machine, arm);
		expect(back).toEqual(others);
		machine.restore(machine.snapshot());
		live(1.5 * run);
		const [later, again] = bothWays(machine, arm);
		expect(again).toEqual(later);
		expect(later.length).toBeGreaterThan(0);
	});
});

test.each(["off", "on", "eager"] as const)(
	"nothing is run again for what did not happen, translator %s",
	async (jit) => {
		const { machine, history } = await lived({ harts: 3, jit }, 5);
		const looks = () => machine.statistic(layout.S_TLB_MISSES);
		const before = looks();
		const point = machine.addBreakpoint(at("never"));
		const watch = machine.addWatchpoint(0x80060000n, 8, "write");
		expect(history.backTo()).toBeUndefined();
		expect(history.lastWrite(0x80060000n, 8)).toBeUndefined();
		expect(looks()).toBe(before);
		point.dispose();
		watch.dispose();
		// A line that never ran of a page that runs all the time: only the translator knows.
		const hot = machine.addBreakpoint(at("seldom") - 4n);
		expect(history.backTo()).toBeUndefined();
		expect(looks() > before).toBe(jit === "off");
		hot.dispose();
	},
);
