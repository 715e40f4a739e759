import { expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { KernelView } from "../../../src/kernelview/kernelView.ts";
import { Machine } from "../../../src/machine/machine.ts";
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
	const shell = new Shell(machine, { breathe: async () => {} });
	expect((await shell.waitForPrompt(20_000_000_000)).kind).toBe("prompt");
	return { machine, view, shell };
}

/** As a page gets it: through a message. */
const sent = <T>(value: T): T => structuredClone(value);
const comparable = ({ sequence, ...model }: KernelModel) => ({
	...model,
	spaces: model.spaces.map((space) => ({ ...space, tables: [] })),
});

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

test("each fork and fault can be looked at before and after", async () => {
	const { machine, view, shell } = await atPrompt();
	view.begin();
	await shell.run("prodcons1", 3_000_000_000);
	const { moments } = view.model();
	const texts = moments.map(({ text }) => text);
	const pair = (pattern: RegExp) => view.moment(moments.find(({ text }) => pattern.test(text))?.id ?? -1);
	const pages = (moment: ReturnType<typeof view.moment>, when: "before" | "after", pid: number) =>
		moment?.[when].processes
			.find((process) => process.pid === pid)
			?.pages.filter(({ address }) => address === "0x3fffffd000");
	const fault = pair(/store 0x3fffffd0/);
	expect(pages(fault, "before", 4), texts.join("\n")).toEqual([]);
	const frame = pages(fault, "after", 4)?.[0]?.frame;
	expect(frame).toBeGreaterThan(0);
	const fork = pair(/^4 prodcons1: fork\(\) = 5/);
	expect(pages(fork, "before", 5)).toBeUndefined();
	expect(pages(fork, "after", 5)?.[0]).toMatchObject({ frame, permissions: "rw-u" });
	const exit = pair(/^5 prodcons1: exit/);
	expect(pages(exit, "before", 5)?.[0]?.frame).toBe(frame);
	expect(pages(exit, "after", 5)).toBeUndefined();
	expect(pages(exit, "after", 4)?.[0]?.frame).toBe(frame);
	expect(view.moment(-1)).toBeUndefined();
	machine.dispose();
});
