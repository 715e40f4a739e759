import { describe, expect, test } from "vitest";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import type { Process } from "../../../src/kernelview/processes.ts";
import type { Region } from "../../../src/kernelview/regions.ts";
import { RootReader } from "../../../src/kernelview/rootReader.ts";
import {
	areaAt,
	areaFinder,
	kernelAreas,
	processAreas,
	regionLabel,
	spaceModel,
	trampolineVa,
	trapframeVa,
} from "../../../src/kernelview/spaces.ts";
import type { Leaf, PageTables } from "../../../src/kernelview/sv39.ts";
import { renderTables } from "../../../src/kernelview/tables.ts";
import type { MachineSurface } from "../../../src/machine/types.ts";
import type { KernelModel } from "../../../src/protocol/kernelModel.ts";
import { elfWith } from "../../support/dwarf.ts";
import { array, base, char, PaperKernel, uint } from "../../support/paperKernel.ts";

const page = 4096;
const process = (size: number, more: Partial<Process> = {}) =>
	({ slot: 0, pid: 3, name: "sh", size, kernelStack: 0, ...more }) as Process;
const region = (start: number, end: number, more: Partial<Region> = {}) =>
	({ name: "mapped region", start, end, fields: {}, global: false, ...more }) as Region;
const [V, R, W, X, U] = [1, 2, 4, 8, 16];
const leaf = (va: number, flags: number): Leaf => ({ va, pa: base, flags: flags | V, level: 0 });
const told = (areas: ReturnType<typeof processAreas>) =>
	areas.map(({ label, start, end }) => `${label} ${start.toString(16)}-${end.toString(16)}`);
const top = [
	`trapframe ${trapframeVa.toString(16)}-${trampolineVa.toString(16)}`,
	`trampoline ${trampolineVa.toString(16)}-${(2 ** 38).toString(16)}`,
];
/** Its code has a page, and zeros behind it to 0x2100. */
const program = new ProgramSymbols("sh", elfWith({ address: 0, code: new Uint8Array(0x2000) }));

describe("what the addresses of a process mean", () => {
	test.each<[string, number, Leaf[], ProgramSymbols | undefined, string[]]>([
		[
			"with its program: text, data, guard, stack, heap",
			0x8000,
			[],
			program,
			["text of sh 0-2000", "data of sh 2000-3000", "guard page 3000-4000", "stack 4000-5000", "heap 5000-8000"],
		],
		[
			"without a heap",
			0x5000,
			[],
			program,
			["text of sh 0-2000", "data of sh 2000-3000", "guard page 3000-4000", "stack 4000-5000"],
		],
		[
			"whose size is within a page",
			0x4801,
			[],
			program,
			["text of sh 0-2000", "data of sh 2000-3000", "guard page 3000-4000", "stack 4000-5000"],
		],
		["without a stack", 0x4000, [], program, ["text of sh 0-2000", "data of sh 2000-3000", "guard page 3000-4000"]],
		["smaller than its program", 0x1000, [], program, ["text of sh 0-1000"]],
		[
			"by its page table alone",
			0x6000,
			[leaf(0, R | X | U), leaf(0x1000, R | W | U), leaf(0x2000, R | W), leaf(0x3000, R | W | U)],
			undefined,
			["text 0-1000", "data 1000-2000", "guard page 2000-3000", "stack 3000-4000", "heap 4000-6000"],
		],
		["by a page table without a guard", 0x3000, [leaf(0, R | W | X | U)], undefined, ["text 0-3000"]],
		["of nothing", 0, [], program, []],
	])("%s", (_, size, leaves, symbols, expected) => {
		expect(told(processAreas(process(size), [], leaves, symbols))).toEqual([...expected, ...top]);
	});

	test("pages of the heap that are not there yet belong to it", () => {
		const kernel = new PaperKernel({ ticks: uint });
		const leaves = [leaf(0x5000, R | W | U), leaf(0x7000, R | W | U)];
		const tables: PageTables = { root: base, tables: [], pieces: [leaves], leaves, leafCount: 2, damage: undefined };
		const areas = processAreas(process(0x8000), [], leaves, program);
		const { ranges } = spaceModel(kernel.memory, { pid: 3, name: "sh" }, tables, areas, [], false);
		const heap = ranges.filter(({ kind }) => kind === "heap").map(({ start, end, present }) => [start, end, present]);
		expect(heap).toEqual([["0x5000", "0x8000", 2]]);
	});

	test("regions lie over what is below them", () => {
		const areas = processAreas(
			process(0x8000),
			[region(0x6000, 0x7000), region(0x10000, 0x12000, { shared: true, family: 2 })],
			[],
			program,
		);
		const at = (va: number) => areaAt(areas, va)?.label;
		expect([0, 0x5fff, 0x6000, 0x7000, 0x8000, 0x11fff, 0x12000].map(at)).toEqual([
			...["text of sh", "heap", "mapped region", "heap", undefined, "mapped region (shared, family 2)", undefined],
		]);
		const find = areaFinder(areas);
		for (let va = 0; va < 0x14000; va += 0x800) expect(find(va)).toBe(areaAt(areas, va));
		for (const va of [trapframeVa, trampolineVa, 2 ** 38, 0]) expect(find(va)).toBe(areaAt(areas, va));
	});

	test.each<[Partial<Region>, string]>([
		[{}, "mapped region"],
		[{ shared: true }, "mapped region (shared)"],
		[{ shared: false, refcount: 2 }, "mapped region (private, refcount 2)"],
		[{ shared: true, family: 0, refcount: 1 }, "mapped region (shared, family 0, refcount 1)"],
	])("a region with %j is called %s", (more, label) => {
		expect(regionLabel(region(0, page, more))).toBe(label);
	});

	test("and those of the kernel: devices, image, RAM, stacks", () => {
		const kernel = new PaperKernel({ ticks: uint, big: array(char, 5000) });
		const areas = kernelAreas(kernel.memory, kernel.names, [
			process(0, { kernelStack: 0x3fffffd000 }),
			process(0, { pid: 4, kernelStack: base }),
		]);
		const ram = base + kernel.memory.size;
		expect(areas.map(({ label, start, end }) => [label, start, end])).toEqual([
			["devices", 0, base],
			["kernel text", base, base + 0x1000],
			["kernel data", base + 0x1000, kernel.end],
			["RAM, mapped directly", kernel.end, ram],
			["kernel stack of pid 3", 0x3fffffd000, 0x3fffffe000],
			["trampoline", trampolineVa, 2 ** 38],
		]);
	});
});

describe("processes by their page tables alone", () => {
	const kernel = new PaperKernel({ ticks: uint }, { pages: 32 });
	const pte = (target: number, flags: number) => (BigInt(target / page) << 10n) | BigInt(flags);
	const root = (index: number) => kernel.end + index * 4 * page;
	/** A tree that maps trampoline and trap frame. */
	const grow = (index: number) => {
		const at = root(index);
		kernel.poke(at + 255 * 8, pte(at + page, V)).poke(at + page + 511 * 8, pte(at + 2 * page, V));
		kernel
			.poke(at + 2 * page + 511 * 8, pte(base, R | X | V))
			.poke(at + 2 * page + 510 * 8, pte(at + 3 * page, R | W | V));
	};
	const satp = (index: number) => (8n << 60n) | BigInt(root(index) / page);
	const harts = [0, 1].map(() => ({
		mode: 3 as 0 | 1 | 3,
		satp: 0n,
		csr() {
			return this.satp;
		},
	}));
	const reader = new RootReader(kernel.memory, { harts } as unknown as Pick<MachineSurface, "harts">);
	grow(0);
	grow(1);

	test("are those that a hart was in user mode with; each has a number of its own", () => {
		expect(reader.all()).toEqual([]);
		expect(reader.slotWithRoot(root(0))).toBeUndefined();
		expect([reader.slotWithRoot(root(0), 0), reader.slotWithRoot(root(1), 1), reader.slotWithRoot(root(0))]).toEqual([
			0, 1, 0,
		]);
		expect(reader.slotWithRoot(0, 0)).toBeUndefined();
		expect(reader.withRoot(root(1))).toMatchObject({
			pid: 2,
			name: "?",
			root: root(1),
			trapframe: root(1) + 3 * page,
			state: "not in user mode",
		});
		Object.assign(harts[1] as object, { mode: 0, satp: satp(0) });
		expect(reader.running(2)).toEqual([0, 1]);
		expect(reader.all().map(({ pid, state }) => [pid, state])).toEqual([
			[1, "in user mode"],
			[2, "not in user mode"],
		]);
		expect([reader.slotOn(), reader.pidOf(4)]).toEqual([undefined, 5]);
	});

	test("a table that was freed is no process, and its number serves again", () => {
		kernel.poke(root(0) + 255 * 8, 0);
		expect(reader.read(0)).toBeUndefined();
		expect(reader.stateOf(0)).toBe("UNUSED");
		grow(2);
		expect(reader.slotWithRoot(root(2), 0)).toBe(0);
		expect(reader.read(0)?.root).toBe(root(2));
	});
});

describe("a model as text", () => {
	const model: KernelModel = {
		...{
			format: 1,
			sequence: 1,
			instret: 1000,
			memoryBase: "0x80000000",
			memoryBytes: page,
			panicked: false,
			logDropped: 0,
		},
		harts: [
			{ id: 0, pc: "0x80000010", mode: "supervisor", waiting: true, pid: 0 },
			{ id: 10, pc: "0x0", mode: "user", waiting: false, pid: 3, source: { file: "user/sh.c", line: 7 } },
		],
		processes: [
			{
				slot: 0,
				pid: 1,
				name: "init",
				state: "SLEEPING",
				parent: 0,
				size: 4096,
				killed: false,
				root: "0x80001000",
				sleepsOn: "proc[0]",
			},
			{
				slot: 1,
				pid: 3,
				name: "a\nb",
				state: "RUNNING",
				parent: 1,
				size: 8192,
				killed: true,
				root: "0x80002000",
				hart: 10,
			},
		],
		spaces: [],
		frames: { letters: "", counts: { K: 3, ".": 4 }, uses: [] } as unknown as KernelModel["frames"],
		log: [
			{ type: "mark", id: 1, instret: 5, pid: 3, process: "sh", text: "sbrk(4096)", times: 300, result: "0x4000" },
			{ type: "mark", id: 2, instret: 6, pid: 3, process: "sh", text: "fork()" },
		] as unknown as KernelModel["log"],
		findings: [
			{
				id: "frame-leaked",
				severity: "error",
				sentence: "One frame is lost.",
				evidence: { sources: [{ file: "kernel/vm.c", line: 9 }] },
			},
		] as unknown as KernelModel["findings"],
		notes: { faults: ["The log was not running"] },
	};

	test("has columns as wide as their content, numbers to the right, and no line that its data broke", () => {
		expect(renderTables(model)).toBe(`Findings
  error frame-leaked: One frame is lost.
    at kernel/vm.c:9

Harts
  hart  mode                 pc          runs   at
     0  supervisor, waiting  0x80000010
    10  user                 0x0         pid 3  user/sh.c:7

Processes
  pid  name  state            parent  size  on       page table
    1  init  SLEEPING                 4096  proc[0]  0x80001000
    3  a\\nb  RUNNING, killed       1  8192  hart 10  0x80002000

Frames
  frames  use
       3  K kernel image
       4  . free

Faults and system calls
  Note: The log was not running
  instructions  process  what              where  needs/has  outcome   source
             5  3 sh     sbrk(4096) × 300                    = 0x4000
             6  3 sh     fork()
`);
	});

	test("a fault says where it was: only one of the kernel itself says so in words", () => {
		const fault = {
			...{ type: "fault", id: 3, instret: 7, pid: 3, process: "sh", access: "store", address: "0x10" },
			...{ required: "-w-u", present: "----", outcome: "panic" },
		};
		const log = [
			{ ...fault, mode: "supervisor", frame: 5 },
			{ ...fault, mode: "user", range: "heap" },
		] as unknown as KernelModel["log"];
		expect(
			renderTables({ ...model, log })
				.split("\n")
				.slice(-3, -1),
		).toEqual([
			"             7  3 sh     store 0x10 in the kernel  nothing there  -w-u/----  panic to frame 5",
			"             7  3 sh     store 0x10                heap           -w-u/----  panic",
		]);
	});

	test("tells no finding that a diagnosis has told, and how many lines were left out", () => {
		const diagnosis = { kind: "lost-memory", severity: "error" } as never;
		const text = renderTables(
			{ ...model, panicked: true, diagnosis: "cause: x", logDropped: 7 },
			{ diagnoses: [diagnosis], logLines: 1 },
		);
		expect(text).toMatch(/^cause: x\n\nFindings \(the kernel panicked\)\n {2}\(none but what is told above\)\n/);
		expect(text).toContain("Faults and system calls (the last 1; 8 came before)");
		expect(text).not.toContain("sbrk");
		expect(renderTables({ ...model, findings: [], log: [] })).toContain("Findings\n  (none)\n");
	});
});
