import { expect, test } from "vitest";
import { KernelView } from "../../../src/kernelview/kernelView.ts";
import { renderTables } from "../../../src/kernelview/tables.ts";
import { hw5Regions, programs, qemu, ramBase, recorded, stillMachine } from "./recorded.ts";

const ram = recorded("ram");
const kernel = recorded("kernel-3b");

/** A view of the recorded moment after `damage` was done to a copy of its memory. */
function look(damage: (memory: DataView, symbol: (name: string) => number) => void) {
	const bytes = ram.slice();
	const machine = stillMachine(bytes, qemu.registers);
	const view = new KernelView(machine, kernel, programs, { regions: hw5Regions });
	const memory = new DataView(bytes.buffer);
	const model = view.model();
	const root = (pid: number) => Number(model.processes.find((process) => process.pid === pid)?.root) - ramBase;
	damage(memory, (name) => root(Number(name)));
	const again = view.model();
	renderTables(again, { pageTables: true });
	for (const { pid } of again.processes) view.walk(pid, "0x3fffffd028");
	return { model: again, view };
}

/** proc[] begins where the recorded kernel's symbol says. */
const procAt = (() => {
	const bytes = ram.slice();
	const view = new KernelView(stillMachine(bytes, qemu.registers), kernel, programs);
	for (let at = ramBase; at < ramBase + 0x40000; at += 8)
		if (view.place(BigInt(at))?.symbol === "proc" && view.place(BigInt(at))?.offset === 0) return at - ramBase;
	throw new Error("the recorded kernel has no proc");
})();

test("a page table that leads back to its root ends the walk and is said", () => {
	const { model } = look((memory, root) => {
		const at = root("3");
		memory.setBigUint64(at, (BigInt(at + ramBase) >> 2n) | 1n, true);
	});
	expect(model.spaces.find(({ pid }) => pid === 3)?.damage).toContain("reached twice");
	expect(model.notes["address-space"]?.join()).toContain("pid 3");
});

test("a table outside RAM is said", () => {
	const { model, view } = look((memory, root) => memory.setBigUint64(root("3"), (0x1_0000_0000n >> 2n) | 1n, true));
	expect(model.spaces.find(({ pid }) => pid === 3)?.damage).toContain("outside RAM");
	expect(view.walk(3, "0x1000")?.result).toContain("outside RAM");
});

test("a circle in the free list ends", () => {
	const { model } = look((memory) => {
		const free = model0.frames.letters.indexOf(".");
		memory.setBigUint64(free * 4096, BigInt(ramBase + free * 4096), true);
	});
	expect(model.notes.frames?.join()).toContain("twice");
});
const model0 = new KernelView(stillMachine(ram, qemu.registers), kernel, programs).model();

test("wild pointers and names without an end in proc[] do no harm", () => {
	const { model } = look((memory) => {
		for (let i = 0; i < 64 * 128; i++) memory.setUint32(procAt + i * 4, 0xdeadbee5, true);
	});
	expect(model.harts.length).toBe(1);
	const named = look((memory) => {
		for (let i = 0; i < 200_000; i++)
			if (memory.getUint32(procAt + i) === 0x686f6c64) memory.setUint32(procAt + i + 4, 0x41414141);
	});
	expect(named.model.processes.every(({ name }) => name.length <= 16)).toBe(true);
});

/** The seed replays a failure. */
function random(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state;
	};
}

test("random damage to page tables and kernel data never stops the view", () => {
	const next = random(7);
	const tables = model0.frames.uses.filter(({ as }) => as === "page-table").map(({ frame }) => frame * 4096);
	for (let round = 0; round < 12; round++) {
		look((memory) => {
			for (let i = 0; i < 60; i++) {
				const table = tables[next() % tables.length] as number;
				memory.setUint32(table + (next() % 1024) * 4, next(), true);
				memory.setUint32(procAt + (next() % 8000) * 4, next(), true);
			}
		});
	}
});

test("a kernel without debug information shows what hardware shows", () => {
	const bare = kernel.slice();
	const header = new DataView(bare.buffer);
	header.setUint16(60, 0, true);
	const model = new KernelView(stillMachine(ram, qemu.registers), bare, new Map()).model();
	expect(model.processes).toEqual([]);
	expect(model.notes.processes?.join()).toContain("no debug information");
	expect(model.notes.frames?.join()).toContain("kmem.freelist");
	expect(model.findings).toEqual([]);
});
