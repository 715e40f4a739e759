import { beforeEach, describe, expect, test } from "vitest";
import type { LiveUpdate } from "../../../src/protocol/history.ts";
import type { KernelModel } from "../../../src/protocol/kernelModel.ts";
import { ModelSender } from "../../../src/worker/modelSender.ts";

/** The pace of the inspector's updates, with a clock that the test turns. */
let now: number;
let sent: string[];
let sender: ModelSender;

/** A view of a kernel: `cost` is what an update takes. */
class Models {
	made = 0;
	cost = 0;
	more = false;
	disposed = false;
	at: number | undefined;
	next(isPast = false): LiveUpdate {
		now += this.cost;
		return { made: ++this.made, isPast } as unknown as LiveUpdate;
	}
	past(): KernelModel | undefined {
		return this.at === undefined ? undefined : ({ instret: this.at } as KernelModel);
	}
	dispose(): void {
		this.disposed = true;
	}
}
let models: Models;

beforeEach(() => {
	now = 1000;
	sent = [];
	models = new Models();
	sender = new ModelSender({
		now: () => now,
		emit: (kind, event) => {
			const { model } = event as { model: { made?: number; isPast?: boolean; instret?: number } | undefined };
			if (kind === "model") sent.push(`model ${model?.made}${model?.isPast ? " in the past" : ""}`);
			else sent.push(`past ${model?.instret ?? "is over"}`);
		},
	});
});

const ticksFor = (ms: number, drawn = true): number => {
	const before = sent.length;
	for (const end = now + ms; now < end; now++) {
		sender.tick();
		if (drawn) sender.drawn(false);
	}
	return sent.length - before;
};

test("nobody watches: nothing is made", () => {
	sender.send();
	sender.tick();
	sender.drawn(true);
	expect(sent).toEqual([]);
});

test("a page that opens has a model at once, then ten a second at most", () => {
	sender.watch(models);
	expect(sent).toEqual(["model 1"]);
	sender.drawn(false);
	expect(ticksFor(1001)).toBe(10);
});

test("the next comes when the one before was drawn, however long that takes", () => {
	sender.watch(models);
	expect(ticksFor(5000, false)).toBe(0);
	sender.drawn(false);
	expect(ticksFor(1, false)).toBe(1);
});

test("an update that takes long takes a fortieth of the time, and comes every two seconds at any rate", () => {
	models.cost = 10;
	sender.watch(models);
	sender.drawn(false);
	// 10 ms each: one in 400.
	const count = ticksFor(4100);
	expect(count).toBeGreaterThanOrEqual(9);
	expect(count).toBeLessThanOrEqual(10);
	models.cost = 1000;
	ticksFor(1000);
	const slow = ticksFor(9000);
	expect(slow).toBe(3);
});

describe("what must not be missed", () => {
	test("is sent at once, or when the page has drawn, once", () => {
		sender.watch(models);
		sender.send();
		sender.send();
		expect(sent).toEqual(["model 1"]);
		sender.drawn(false);
		expect(sent).toEqual(["model 1", "model 2"]);
		sender.drawn(false);
		expect(sent).toHaveLength(2);
		sender.send();
		expect(sent).toHaveLength(3);
	});

	test("the rest of a long log follows while nothing runs, and with the run's own updates while it does", () => {
		models.more = true;
		sender.watch(models);
		sender.drawn(false);
		expect(sent).toHaveLength(1);
		sender.send();
		sender.drawn(true);
		expect(sent).toHaveLength(3);
		models.more = false;
		sender.drawn(true);
		expect(sent).toHaveLength(3);
	});
});

describe("in the past", () => {
	test("that moment is sent, without the present again; back in the present the page is told so, once", () => {
		sender.watch(models);
		sender.drawn(true);
		models.at = 50;
		sender.send();
		sender.drawn(true);
		models.at = 40;
		sender.send();
		sender.drawn(true);
		models.at = undefined;
		sender.send();
		sender.drawn(true);
		sender.send();
		expect(sent).toEqual(["model 1", "past 50", "past 40", "model 2", "past is over", "model 3"]);
	});

	test("a page that opens there has the present's model first, and what is left of the log", () => {
		models.at = 50;
		sender.watch(models);
		expect(sent).toEqual(["model 1 in the past", "past 50"]);
		models.more = true;
		sender.drawn(true);
		expect(sent.slice(2)).toEqual(["model 2 in the past", "past 50"]);
	});
});

test("another page takes the place of the one before, and a closed one is sent nothing", () => {
	sender.watch(models);
	const second = new Models();
	sender.watch(second);
	expect([models.disposed, second.made]).toEqual([true, 1]);
	sender.watch(undefined);
	sender.drawn(true);
	sender.send();
	expect([second.disposed, second.made]).toEqual([true, 1]);
});
