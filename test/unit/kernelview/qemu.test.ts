import { expect, test } from "vitest";
import { KernelView } from "../../../src/kernelview/kernelView.ts";
import type { KernelModel } from "../../../src/protocol/kernelModel.ts";
import { hw5Regions, programs, qemu, ramBase, recorded, stillMachine } from "./recorded.ts";

const ram = recorded("ram");
const machine = stillMachine(ram, qemu.registers);
const view = new KernelView(machine, recorded("kernel-3b"), programs, { regions: hw5Regions });
const model: KernelModel = view.model();
const satp = machine.harts[0]?.csr(0x180) as bigint;
const root = `0x${((satp & ((1n << 44n) - 1n)) << 12n).toString(16)}`;
const space = model.spaces.find((candidate) => candidate.root === root);

/** QEMU's `info mem` as one line a page: address, physical address, rwxugad. */
function pagesOfQemu(): string[] {
	const lines = [...qemu.mappings.matchAll(/^([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{16}) ([rwxugad-]{7})/gm)];
	return lines.flatMap((line) => {
		const [va, pa, size] = line.slice(1, 4).map((text) => Number.parseInt(text, 16)) as [number, number, number];
		return Array.from(
			{ length: size / 4096 },
			(_, i) => `${(va + i * 4096).toString(16)} ${(pa + i * 4096).toString(16)} ${line[4]}`,
		);
	});
}

test("the running process' page table is the one that QEMU walks", () => {
	const pages = (space?.tables ?? [])
		.filter((table) => table.level === 0)
		.flatMap((table) =>
			table.entries
				.filter((run) => run.leaf && run.flags.startsWith("v"))
				.flatMap((run) =>
					Array.from({ length: run.count }, (_, i) => {
						const va = Number(table.start) + (run.index + i) * 4096;
						return `${va.toString(16)} ${(Number(run.address) + i * 4096).toString(16)} ${run.flags.slice(1)}`;
					}),
				),
		);
	expect(pages).toEqual(pagesOfQemu());
	expect(pages.length).toBeGreaterThan(10);
});

test("the ranges name every page that QEMU has, with its permissions and frame", () => {
	for (const line of pagesOfQemu()) {
		const [va, pa, flags] = line.split(" ") as [string, string, string];
		const address = Number.parseInt(va, 16);
		const range = space?.ranges.find(
			(candidate) => address >= Number(candidate.start) && address < Number(candidate.end),
		);
		expect(range?.permissions).toBe(flags.slice(0, 4));
		const frame = (Number.parseInt(pa, 16) - ramBase) / 4096;
		expect(range?.frames.some(([first, count]) => frame >= first && frame < first + count)).toBe(true);
		expect(range?.kind).not.toBe("other");
	}
});

test("a walk ends where QEMU reads", () => {
	const pid = space?.pid ?? -1;
	for (const [address, text] of qemu.samples) {
		const walk = view.walk(pid, address);
		const words = /: (0x[0-9a-f]+) (0x[0-9a-f]+)/.exec(text);
		if (!words) {
			// QEMU looks with the rights of user mode.
			expect(walk?.faults || walk?.result.includes("only the kernel may")).toBe(true);
			continue;
		}
		const physical = /^physical address (0x[0-9a-f]+)/.exec(walk?.result ?? "")?.[1] ?? "0x0";
		expect(machine.memory.readU64(BigInt(physical))).toBe(BigInt(words[1] as string));
		expect(walk?.steps.length).toBe(3);
	}
});

test("processes, their regions and what they share", () => {
	expect(model.processes.map(({ name, state, parent }) => `${name} ${state} ${parent}`)).toEqual([
		"init SLEEPING 0",
		"sh SLEEPING 1",
		"sh SLEEPING 2",
		"hold RUNNING 3",
		"hold RUNNABLE 4",
	]);
	expect(model.processes[0]?.sleepsOn).toBe("proc[0]");
	const holds = model.spaces.filter(({ name }) => name === "hold");
	for (const { regions } of holds) {
		expect(regions.map(({ pages, shared, permissions }) => `${pages} ${shared} ${permissions}`)).toEqual([
			"1 false rw-",
			"2 false r--",
			"3 true rw-",
		]);
	}
	const shared = model.frames.uses.filter(({ frame, pid }) => model.frames.letters[frame] === "S" && pid > 0);
	// Three pages of the shared region, of which the parent touched two before it forked.
	expect(new Set(shared.map(({ frame }) => frame)).size).toBe(2);
	expect(new Set(shared.map(({ pid }) => pid)).size).toBe(2);
});

test("every frame has one owner, none is lost, and nothing is found", () => {
	const { letters, counts } = model.frames;
	expect(letters.length).toBe(32768);
	expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(32768);
	expect(counts.L ?? 0).toBe(0);
	expect(counts.X ?? 0).toBe(0);
	expect(view.freeFrames()).toBe(counts["."]);
	expect(model.findings).toEqual([]);
});
