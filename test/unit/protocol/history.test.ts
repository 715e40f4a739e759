import { describe, expect, test } from "vitest";
import { applyStep, type MemoryStep, type PageContent, samePlain, stepDelta } from "../../../src/protocol/history.ts";
import type { ProcessModel, SpaceModel } from "../../../src/protocol/kernelModel.ts";
import { Random } from "../../support/random.ts";

const space = (pid: number, name = `p${pid}`): SpaceModel => ({
	...{ pid, name, root: `0x${(0x87000000 + pid * 4096).toString(16)}`, ranges: [], regions: [], tables: [] },
});
const process = (pid: number, state = "SLEEPING"): ProcessModel => ({
	...{ slot: pid - 1, pid, name: `p${pid}`, state, parent: 1, size: 4096, killed: false, root: "0x87000000" },
});
const content = (frame: number, word = 0): PageContent => ({ frame, words: [word], junk: 0, freed: 0, zero: 1024 });

const step: MemoryStep = {
	id: 7,
	instret: 1000,
	entry: 3,
	processes: [process(1), process(2)],
	spaces: [space(1), space(2), space(3)],
	contents: [content(10), content(11)],
};

describe("equal as plain data", () => {
	const object = { a: 1, b: { c: [1, 2, { d: null }] } };
	test.each([
		[1, 1, true],
		[1, 2, false],
		["a", "a", true],
		["1", 1, false],
		[true, true, true],
		[true, 1, false],
		[null, null, true],
		[undefined, undefined, true],
		[null, undefined, false],
		[null, {}, false],
		[{}, null, false],
		[undefined, {}, false],
		[{}, {}, true],
		[[], [], true],
		[[1, 2], [1, 2], true],
		[[1, 2], [2, 1], false],
		[[1, 2], [1, 2, 3], false],
		[[1, 2, 3], [1, 2], false],
		[[1], 1, false],
		[{ a: 1 }, { a: 1 }, true],
		[{ a: 1 }, { a: 2 }, false],
		[{ a: 1 }, { b: 1 }, false],
		[{ a: 1 }, { a: 1, b: 2 }, false],
		[{ a: 1, b: 2 }, { a: 1 }, false],
		[{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
		[{ a: 1 }, 1, false],
		[object, structuredClone(object), true],
		[object, { a: 1, b: { c: [1, 2, { d: 0 }] } }, false],
		[object, { a: 1, b: { c: [1, 2, { d: null, e: 1 }] } }, false],
	])("%j and %j: %j", (a, b, same) => {
		expect(samePlain(a, b)).toBe(same);
	});
});

describe("the change from one step of memory to the next", () => {
	const next = { ...step, id: 8, instret: 2000, entry: 4 };

	test("the first step is sent whole, without what is empty", () => {
		expect(stepDelta(undefined, step)).toStrictEqual({
			...{ id: 7, instret: 1000, entry: 3, processes: step.processes },
			...{ order: [1, 2, 3], spaces: step.spaces, frames: [10, 11], contents: step.contents },
		});
		expect(stepDelta(undefined, { ...step, processes: [], spaces: [], contents: [] })).toStrictEqual({
			...{ id: 7, instret: 1000, entry: 3, processes: [] },
		});
	});

	test.each<[string, MemoryStep, object]>([
		["nothing changed", structuredClone(next), {}],
		["a handler is about to run", { ...next, before: true }, { before: true }],
		[
			"a process woke up",
			{ ...next, processes: [process(1), process(2, "RUNNING")] },
			{ processes: [process(1), process(2, "RUNNING")] },
		],
		["a space changed", { ...next, spaces: [space(1), space(2, "sh"), space(3)] }, { spaces: [space(2, "sh")] }],
		["a space went", { ...next, spaces: [space(1), space(3)] }, { order: [1, 3] }],
		["the last space went", { ...next, spaces: [space(1), space(2)] }, { order: [1, 2] }],
		[
			"a space came",
			{ ...next, spaces: [space(1), space(2), space(3), space(4)] },
			{ order: [1, 2, 3, 4], spaces: [space(4)] },
		],
		["spaces changed places", { ...next, spaces: [space(2), space(1), space(3)] }, { order: [2, 1, 3] }],
		["a page was written", { ...next, contents: [content(10, 5), content(11)] }, { contents: [content(10, 5)] }],
		["a page is not known any more", { ...next, contents: [content(11)] }, { frames: [11] }],
	])("%s: only that is sent, and the receiver has the whole step", (_, now, change) => {
		const delta = stepDelta(step, now);
		expect(delta).toStrictEqual({ id: 8, instret: 2000, entry: 4, ...change });
		expect(applyStep(step, structuredClone(delta))).toEqual(now);
	});

	test("what did not change is the receiver's own object, not a copy", () => {
		const after = applyStep(step, stepDelta(step, { ...next, spaces: [space(1), space(2, "sh"), space(3)] }));
		expect(after.processes).toBe(step.processes);
		expect(after.contents).toBe(step.contents);
		expect(after.spaces[0]).toBe(step.spaces[0]);
		expect(after.spaces[2]).toBe(step.spaces[2]);
	});

	test("a step before a handler does not make the next one such a step", () => {
		const before: MemoryStep = { ...step, before: true };
		expect(applyStep(before, stepDelta(before, next))).toEqual(next);
	});

	test("a change that names a space that the receiver does not have leaves it out", () => {
		const delta = { id: 9, instret: 1, entry: 1, order: [1, 99] };
		expect(applyStep(step, delta).spaces).toEqual([space(1)]);
		expect(applyStep(undefined, { id: 9, instret: 1, entry: 1 })).toEqual({
			...{ id: 9, instret: 1, entry: 1, processes: [], spaces: [], contents: [] },
		});
	});

	test.each([1, 2, 3])("seed %i: a receiver of changes follows two hundred random steps", (seed) => {
		const random = new Random(seed);
		const some = <T>(most: number, make: (number: number) => T) =>
			Array.from({ length: most }, (_, i) => i + 1)
				.filter(() => !random.chance(4))
				.sort(() => random.below(3) - 1)
				.map(make);
		let sender: MemoryStep | undefined;
		let receiver: MemoryStep | undefined;
		for (let id = 1; id < 200; id++) {
			const keep = sender && random.chance(3) ? sender : undefined;
			const now: MemoryStep = {
				...{ id, instret: id * 10, entry: random.below(50) },
				...(random.chance(2) ? { before: true as const } : {}),
				processes: keep?.processes ?? some(4, (pid) => process(pid, random.pick(["RUNNING", "SLEEPING"]))),
				spaces: keep?.spaces ?? some(5, (pid) => space(pid, random.pick(["a", "b"]))),
				contents: keep?.contents ?? some(6, (frame) => content(frame, random.below(2))),
			};
			receiver = applyStep(receiver, structuredClone(stepDelta(sender, now)));
			expect(receiver).toEqual(now);
			sender = now;
		}
	});
});
