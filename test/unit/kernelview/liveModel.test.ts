import { expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { KernelView } from "../../../src/kernelview/kernelView.ts";
import { Machine } from "../../../src/machine/machine.ts";
import { applyStep, type LiveSteps, type MemoryStep } from "../../../src/protocol/history.ts";
import type { KernelDelta, KernelModel } from "../../../src/protocol/kernelModel.ts";
import { applyDelta } from "../../../src/protocol/modelDelta.ts";
import { Shell } from "../../../src/session/shell.ts";
import { coreModule } from "../../support/guest.ts";
import { hw5Regions, programs, recorded } from "./recorded.ts";

async function atPrompt() {
	const image = recorded("kernel-2b");
	const machine = await Machine.create(
		{ kernel: image, disk: recorded("disk"), harts: 1, jit: "off" },
		{ core: coreModule() },
	);
	const view = new KernelView(machine, image, programs, { regions: hw5Regions });
	view.attach();
	const shell = Shell.on(machine, { breathe: async () => {} });
	expect((await shell.waitForPrompt(20_000_000_000)).kind).toBe("prompt");
	return { machine, view, shell };
}

/** As a page gets it: through a message. */
const sent = <T>(value: T): T => structuredClone(value);
/** Without what belongs to the sending; of the kernel's own tables, which are only sent when asked for, nothing. */
const comparable = ({ sequence, ...whole }: KernelModel) => {
	const { steps: _steps, stepsFrom: _from, ...model } = whole as KernelModel & Partial<LiveSteps>;
	return { ...model, spaces: model.spaces.map((space) => (space.pid === 0 ? { ...space, tables: [] } : space)) };
};

test("a page that is sent changes has what a report would say, at every moment of a program", async () => {
	const { machine, view } = await atPrompt();
	const live = view.live();
	let page = sent(live.next()) as KernelModel | undefined;
	expect(page?.format).toBe(1);
	machine.console.write(utf8("prodcons3\n"));
	let deltas = 0;
	for (let i = 0; i < 60; i++) {
		machine.run(150_000);
		const delta = sent(live.next()) as KernelDelta;
		page = applyDelta(page, delta);
		deltas += JSON.stringify(delta).length;
		expect(comparable(page as KernelModel)).toEqual(comparable(view.model()));
		// The report took a number of its own: the page's is the one before.
		page = { ...(page as KernelModel), sequence: delta.sequence };
	}
	expect(page?.findings.map(({ id }) => id)).toEqual(["family-frames-differ", "junk-read"]);
	// A change says what changed, and not all that there is.
	expect(deltas / 60).toBeLessThan(JSON.stringify(page).length / 4);
	live.dispose();
	view.dispose();
	machine.dispose();
});

test("a reader that takes the place of another is told of new entries, also when the other one ends after it has begun", async () => {
	const { machine, view } = await atPrompt();
	const before = view.live();
	before.next();
	const live = view.live();
	live.next();
	before.dispose();
	machine.console.write(utf8("prodcons3\n"));
	machine.run(5_000_000);
	const { log } = live.next();
	expect(log?.filter(({ type }) => type === "fault").length).toBeGreaterThan(0);
	live.dispose();
	view.dispose();
	machine.dispose();
});

test("a change to a model that the page does not have is refused", async () => {
	const { machine, view } = await atPrompt();
	const live = view.live();
	const first = live.next() as KernelModel;
	live.next();
	machine.run(1000);
	expect(applyDelta(first, live.next() as KernelDelta)).toBeUndefined();
	expect(applyDelta(undefined, live.next() as KernelDelta)).toBeUndefined();
	machine.dispose();
});

test("a log that is longer than an update comes in pieces, the newest first, and none is lost", async () => {
	const { machine, view, shell } = await atPrompt();
	await shell.run("prodcons3", 3_000_000_000);
	const live = view.live(4);
	let page = live.next() as KernelModel | undefined;
	const whole = view.model().log;
	expect(whole.length).toBeGreaterThan(12);
	expect(page?.log).toEqual(whole.slice(-4));
	while (live.more) page = applyDelta(page, live.next() as KernelDelta);
	expect(page?.log).toEqual(whole);
	view.begin();
	expect(applyDelta(page, live.next() as KernelDelta)?.log).toEqual([]);
	machine.dispose();
});

test("memory after each fork and fault is kept, and before and after each exit", async () => {
	const { machine, view, shell } = await atPrompt();
	view.begin();
	await shell.run("prodcons1", 3_000_000_000);
	const { log } = view.model();
	const entry = (pattern: RegExp) =>
		log.find((one) =>
			pattern.test(
				one.type === "mark"
					? `${one.pid} ${one.text} = ${one.result ?? ""}`
					: `${one.pid} ${one.access} ${one.address}`,
			),
		)?.id ?? -1;
	const step = (id: number, before?: true) => view.steps.find((one) => one.entry === id && one.before === before);
	const leaf = (one: MemoryStep | undefined, pid: number) => {
		const table = one?.spaces.find((space) => space.pid === pid)?.tables.find(({ start }) => start === "0x3fffe00000");
		const run = table?.entries.find(({ index, count }) => 509 >= index && 509 < index + count);
		return run && (Number(run.address) - 0x80000000) / 4096 + 509 - run.index;
	};
	const fault = entry(/^4 store 0x3fffffd0/);
	const place = view.steps.findIndex((one) => one.entry === fault);
	expect(leaf(view.steps[place - 1], 4)).toBeUndefined();
	const frame = leaf(view.steps[place], 4);
	expect(frame).toBeGreaterThan(0);
	expect(view.steps[place]?.contents.map((content) => content.frame)).toContain(frame);
	const fork = step(entry(/^4 fork\(\) = 5/));
	expect(leaf(fork, 5)).toBe(frame);
	const exit = entry(/^5 exit/);
	expect(leaf(step(exit, true), 5)).toBe(frame);
	expect(step(exit)?.spaces.map(({ pid }) => pid)).not.toContain(5);
	expect(leaf(step(exit), 4)).toBe(frame);
	expect(view.steps[0]).toMatchObject({ entry: 0, processes: [{ pid: 1 }, { pid: 2 }] });
	machine.dispose();
});

test("steps that are sent as changes are the steps, also when the oldest were forgotten", async () => {
	const { machine, view, shell } = await atPrompt();
	view.begin();
	const live = view.live();
	let steps: MemoryStep[] = [];
	const take = () => {
		const update = sent(live.next());
		for (const delta of update.steps) steps.push(applyStep(steps.at(-1), delta));
		steps = steps.filter(({ id }) => id >= update.stepsFrom);
	};
	take();
	await shell.run("prodcons1", 3_000_000_000);
	take();
	await shell.run("prodcons3", 3_000_000_000);
	take();
	expect(steps).toEqual(view.steps);
	expect(steps.length).toBeGreaterThan(20);
	view.begin();
	take();
	expect(steps).toEqual(view.steps);
	live.dispose();
	machine.dispose();
});
