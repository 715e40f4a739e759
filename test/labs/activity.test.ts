import { afterAll, expect, test } from "vitest";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import { exploreSchedule } from "../../src/explore/explore.ts";
import type { KernelView } from "../../src/kernelview/kernelView.ts";
import type { Machine } from "../../src/machine/machine.ts";
import type { ActivityModel, ActivitySpan } from "../../src/protocol/activity.ts";
import { budgets } from "../../src/session/budgets.ts";
import { Shell } from "../../src/session/shell.ts";
import { activityIn } from "../../src/worker/activity.ts";
import { build, closeToolchains } from "../support/lab.ts";
import { bugs, kernelOf, planted } from "./explore/corpus.ts";

afterAll(closeToolchains);

const harts = 3;
const size = 2_000_000;

/** A command's last instructions, on a machine that remembers them. */
async function ran(
	output: BuildOutput,
	command: string,
	look: (machine: Machine, view: KernelView, start: number) => void,
) {
	const { machine } = await createMachine(output, { harts, translator: true });
	const view = observe(machine, output, undefined);
	const shell = Shell.on(machine, { breathe });
	try {
		expect((await shell.waitForPrompt(budgets.boot)).kind).toBe("prompt");
		machine.keepHistory();
		machine.setSchedule(exploreSchedule(0));
		const start = machine.instret;
		await shell.run(command, 60_000_000);
		look(machine, view, start);
	} finally {
		shell.dispose();
		view.dispose();
		machine.dispose();
	}
}

/** So many of a kind, over the whole part. */
function some(model: ActivityModel, kind: ActivitySpan["kind"], count = 25): ActivitySpan[] {
	const all = model.spans.filter((span) => span.kind === kind && span.to - span.from > 2);
	return all.filter((_, i) => i % Math.ceil(all.length / count) === 0);
}

/** acquire() and all that it calls. */
const inAcquire = /^(acquire|push_off|holding|mycpu|cpuid|intr_\w+|r_(sstatus|tp)|w_sstatus)$/;
const middle = ({ from, to }: ActivitySpan) => Math.floor((from + to) / 2);

test("who ran where is what memory says at that moment, and the machine is where it was", async () => {
	await ran(await build(await kernelOf("hw5")), "racer pipes exits", (machine, view, start) => {
		const { history } = machine;
		if (!history) throw new Error("no history");
		const hash = machine.stateHash();
		const whole = activityIn(machine, view, { from: start, to: start + 3 * size }, []);
		if (!whole) throw new Error("no answer");
		expect(machine.stateHash()).toBe(hash);
		expect(history.isPast).toBe(false);
		expect(whole.notes).toEqual([]);
		const model = activityIn(
			machine,
			view,
			{ from: whole.from + size, to: whole.from + 1.25 * size },
			[],
		) as ActivityModel;
		const kinds = new Set([...whole.spans, ...model.spans].map(({ kind }) => kind));
		expect([...kinds].sort()).toEqual(["holds", "ready", "runs", "sleeps", "trap", "waits"]);
		expect(model.spans.some(({ kind, by }) => kind === "sleeps" && by)).toBe(true);

		const now = (at: number) => {
			history.seek(at);
			return view.model();
		};
		for (const span of some(model, "runs")) {
			const { pid, hart } = span;
			expect(now(middle(span)).harts[hart as number]?.pid, JSON.stringify(span)).toBe(pid);
		}
		for (const kind of ["sleeps", "ready"] as const) {
			for (const span of some(model, kind)) {
				const process = now(middle(span)).processes.find(({ pid }) => pid === span.pid);
				expect(process?.state, JSON.stringify(span)).toBe(kind === "sleeps" ? "SLEEPING" : "RUNNABLE");
				if (kind === "sleeps") expect(process?.sleepsOn).toBe(span.what);
			}
		}
		for (const span of [...some(model, "holds"), ...model.spans.filter(({ kind, open }) => kind === "holds" && open)]) {
			now(middle(span));
			expect(view.locksHeld(span.hart as number), JSON.stringify(span)).toContain(span.what);
		}
		const waits = some(model, "waits");
		expect(waits.length).toBeGreaterThan(0);
		for (const span of waits) {
			expect(span.source?.line, span.what).toBeGreaterThan(0);
			const hart = now(middle(span)).harts[span.hart as number];
			expect(hart?.source?.function, JSON.stringify(span)).toMatch(inAcquire);
		}
		history.toPresent();
		expect(machine.stateHash()).toBe(hash);

		// In the past it answers, too, and stays there.
		const there = whole.from + size;
		history.seek(there);
		expect(activityIn(machine, view, { from: there - 1000, to: there + 5000 }, [])?.to).toBe(there + 5000);
		expect(machine.instret).toBe(there);
		expect(history.isPast).toBe(true);
	});
});

test("harts that wait for each other are marked where they began to", async () => {
	const bug = bugs.find(({ kind }) => kind === "deadlock");
	if (!bug) throw new Error("no such bug");
	await ran(await build(planted(await kernelOf(bug.lab), bug)), `racer ${bug.works}`, (machine, view) => {
		const to = machine.instret;
		const model = activityIn(machine, view, { from: to - 100_000_000, to }, []);
		expect(model?.from).toBeGreaterThan(to - 100_000_000);
		const marks = model?.marks ?? [];
		expect(marks.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["deadlock", "deadlock"]));
		expect(marks.map(({ text }) => text).join()).toMatch(/wait_lock/);
		expect(new Set(marks.map(({ hart }) => hart)).size).toBe(marks.length);
	});
});
