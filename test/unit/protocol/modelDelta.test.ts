import { describe, expect, test } from "vitest";
import type { KernelDelta, KernelModel, LogEntry, MarkEntry, SpaceModel } from "../../../src/protocol/kernelModel.ts";
import { applyDelta, expandUses } from "../../../src/protocol/modelDelta.ts";
import { Random } from "../../support/random.ts";

const space = (pid: number, name = `p${pid}`): SpaceModel => ({
	...{ pid, name, root: "0x87000000", ranges: [], regions: [], tables: [] },
});
const mark = (id: number, result?: string): MarkEntry => ({
	...{ type: "mark", id, instret: id * 10, hart: 0, pid: 1, process: "init", call: "sbrk", text: "sbrk(4096)" },
	...(result === undefined ? {} : { result }),
});

const model: KernelModel = {
	...{ format: 1, sequence: 4, instret: 100, memoryBase: "0x80000000", memoryBytes: 8 * 4096, panicked: false },
	harts: [{ id: 0, pc: "0x80000000", mode: "supervisor", waiting: false, pid: 0 }],
	processes: [],
	spaces: [space(0, "kernel"), space(1), space(2)],
	frames: { letters: "KKUU....", counts: { K: 2, U: 2, ".": 4 }, uses: [{ frame: 2, pid: 1, as: "page" }] },
	log: [mark(3), mark(4), mark(6)],
	logDropped: 2,
	findings: [],
	notes: { walk: ["no tables"] },
};
const delta: KernelDelta = {
	...{ base: 4, sequence: 5, instret: 200, panicked: false, log: [], logFrom: 3, logDropped: 2 },
};
const applied = (change: Partial<KernelDelta>): KernelModel => {
	const after = applyDelta(model, { ...delta, ...change });
	if (!after) throw new Error("the change was refused");
	return after;
};

test("a change belongs to the model with its number, and to no other", () => {
	expect(applyDelta(model, delta)?.sequence).toBe(5);
	for (const base of [3, 5]) expect(applyDelta(model, { ...delta, base })).toBeUndefined();
	expect(applyDelta(undefined, delta)).toBeUndefined();
});

test("what a change does not name stays, as the same objects", () => {
	const after = applied({});
	expect(after).toEqual({ ...model, sequence: 5, instret: 200 });
	for (const key of ["harts", "processes", "spaces", "frames", "log", "findings", "notes"] as const)
		expect(after[key], key).toBe(model[key]);
});

test.each<[string, Partial<KernelDelta>]>([
	["harts", { harts: [] }],
	["processes", { processes: [{ pid: 9 } as never] }],
	["findings", { findings: [{ id: "junk-read" } as never] }],
	["notes", { notes: {} }],
	["the panic", { panicked: true }],
	["what was dropped", { logDropped: 9 }],
	["the diagnosis", { diagnosis: "cause: a lock" }],
])("a change of %s takes the place of what was there", (_, change) => {
	expect(applied(change)).toEqual({ ...model, sequence: 5, instret: 200, ...change });
});

test("a diagnosis stays until an empty one says that there is none any more", () => {
	const told: KernelModel = { ...model, diagnosis: "cause: a lock" };
	expect(applyDelta(told, delta)?.diagnosis).toBe("cause: a lock");
	expect(applyDelta(told, { ...delta, diagnosis: "cause: b" })?.diagnosis).toBe("cause: b");
	expect(applyDelta(told, { ...delta, diagnosis: "" })).not.toHaveProperty("diagnosis");
	expect(applied({})).not.toHaveProperty("diagnosis");
});

test.each<[string, Partial<KernelDelta>, readonly string[]]>([
	["a space that changed takes its own place", { spaces: [space(1, "sh")] }, ["kernel", "sh", "p2"]],
	[
		"a new one comes where the order has it",
		{ spaces: [space(7)], spaceOrder: [0, 7, 1, 2] },
		["kernel", "p7", "p1", "p2"],
	],
	["one that the order has no more is gone", { spaceOrder: [0, 2] }, ["kernel", "p2"]],
	["the order may change alone", { spaceOrder: [2, 1, 0] }, ["p2", "p1", "kernel"]],
	["a pid that nobody has is left out", { spaceOrder: [0, 5] }, ["kernel"]],
])("spaces: %s", (_, change, names) => {
	expect(applied(change).spaces.map(({ name }) => name)).toEqual(names);
});

test.each<[string, KernelDelta["letters"], string]>([
	["none", [], "KKUU...."],
	["one at the start", [[0, "T"]], "TKUU...."],
	["one at the end", [[7, "X"]], "KKUU...X"],
	["a run in the middle", [[3, "STS"]], "KKUSTS.."],
	[
		"two runs",
		[
			[1, "T"],
			[5, "LL"],
		],
		"KTUU.LL.",
	],
	[
		"two that touch",
		[
			[2, ".."],
			[4, "UU"],
		],
		"KK..UU..",
	],
	["all", [[0, "????????"]], "????????"],
])("letters of frames: %s", (_, letters, expected) => {
	const { frames } = applied({ letters: letters ?? [] });
	expect(frames.letters).toBe(expected);
	expect([frames.counts, frames.uses]).toEqual([model.frames.counts, model.frames.uses]);
});

test("counts and uses change without the letters", () => {
	expect(applied({ counts: { K: 8 } }).frames).toEqual({ ...model.frames, counts: { K: 8 } });
	expect(applied({ uses: [{ frames: [5], pid: 3, as: "trapframe" }] }).frames).toEqual({
		...model.frames,
		uses: [{ frame: 5, pid: 3, as: "trapframe" }],
	});
});

describe("uses of frames as runs", () => {
	test("pages of a run lie at neighbouring addresses, in any half of the address space", () => {
		const run = { pid: 2, as: "page" as const, frames: [9, 4, 5] };
		expect(expandUses([{ ...run, address: "0x1000" }])).toEqual([
			{ frame: 9, pid: 2, as: "page", address: "0x1000" },
			{ frame: 4, pid: 2, as: "page", address: "0x2000" },
			{ frame: 5, pid: 2, as: "page", address: "0x3000" },
		]);
		// Sv39's upper half.
		expect(expandUses([{ ...run, address: "0xffffffffffffd000" }]).map(({ address }) => address)).toEqual([
			"0xffffffffffffd000",
			"0xffffffffffffe000",
			"0xfffffffffffff000",
		]);
		expect(expandUses([{ ...run, address: "0x7fffffe000" }]).map(({ address }) => address)).toEqual([
			"0x7fffffe000",
			"0x7ffffff000",
			"0x8000000000",
		]);
	});

	test("tables, and pages without an address, all say the same of each frame", () => {
		expect(expandUses([{ pid: 2, as: "page-table", level: 0, address: "0x1000", frames: [1, 2] }])).toEqual([
			{ frame: 1, pid: 2, as: "page-table", level: 0, address: "0x1000" },
			{ frame: 2, pid: 2, as: "page-table", level: 0, address: "0x1000" },
		]);
		expect(expandUses([{ pid: 2, as: "page", frames: [1, 2] }])).toEqual([
			{ frame: 1, pid: 2, as: "page" },
			{ frame: 2, pid: 2, as: "page" },
		]);
		expect(expandUses([{ pid: 2, as: "page", address: "0x5000", frames: [1] }])).toEqual([
			{ frame: 1, pid: 2, as: "page", address: "0x5000" },
		]);
		expect(expandUses([{ pid: 2, as: "page", address: "0x5000", frames: [] }])).toEqual([]);
	});
});

describe("the log", () => {
	const ids = (log: readonly LogEntry[]) => log.map(({ id }) => id);

	test.each<[string, readonly number[], number, readonly number[]]>([
		["new entries follow", [7, 8], 3, [3, 4, 6, 7, 8]],
		["old ones are forgotten", [], 4, [4, 6]],
		["both at once", [7], 6, [6, 7]],
		["all are forgotten", [], 7, []],
		["an entry that was late comes between", [5], 3, [3, 4, 5, 6]],
		["before the first", [2], 1, [2, 3, 4, 6]],
		["an entry that is forgotten already is not kept", [2], 3, [3, 4, 6]],
		["some between and some after", [5, 7], 3, [3, 4, 5, 6, 7]],
	])("%s", (_, added, logFrom, expected) => {
		expect(ids(applied({ log: added.map((id) => mark(id)), logFrom }).log)).toEqual(expected);
	});

	test.each([3, 4, 6])("entry %i, whose outcome is known now, takes its own place", (id) => {
		const { log } = applied({ log: [mark(id, "0x4000")] });
		expect(ids(log)).toEqual([3, 4, 6]);
		expect(log.filter((entry) => entry.type === "mark" && entry.result !== undefined)).toEqual([mark(id, "0x4000")]);
	});

	test("the first entries of a log that was empty", () => {
		const empty: KernelModel = { ...model, log: [] };
		expect(ids(applyDelta(empty, { ...delta, log: [mark(1), mark(2)], logFrom: 1 })?.log ?? [])).toEqual([1, 2]);
		expect(applyDelta(empty, delta)?.log).toBe(empty.log);
	});

	test.each([1, 2, 3])("seed %i: pieces in any sizes leave the log that a sorted table would", (seed) => {
		const random = new Random(seed);
		let now: KernelModel = { ...model, log: [] };
		let table = new Map<number, LogEntry>();
		for (let i = 0; i < 150; i++) {
			const before = [...table.keys()];
			const high = Math.max(0, ...before);
			const wanted = new Set(Array.from({ length: random.below(5) }, () => Math.max(1, high - 3 + random.below(8))));
			const log = [...wanted].sort((a, b) => a - b).map((id) => mark(id, `${i}`));
			const logFrom = Math.max(0, high - 12);
			for (const entry of log) table.set(entry.id, entry);
			table = new Map([...table].filter(([id]) => id >= logFrom).sort(([a], [b]) => a - b));
			const change = { ...delta, base: now.sequence, sequence: now.sequence + 1, log, logFrom };
			now = applyDelta(now, change) as KernelModel;
			expect(now.log).toEqual([...table.values()]);
		}
	});
});
