import { expect, test } from "vitest";
import { KernelView } from "../../../src/kernelview/kernelView.ts";
import { renderTables } from "../../../src/kernelview/tables.ts";
import { drivenMachine, hw5Regions, programs, qemu, ramBase, recorded, stillMachine } from "./recorded.ts";

const ram = recorded("ram");
const kernel = recorded("kernel-3b");

/** Each question that the page, the report or a verdict asks. */
function askAll(view: KernelView) {
	const model = view.model();
	renderTables(model, { pageTables: true });
	for (const { pid } of [{ pid: 0 }, ...model.processes])
		for (const address of ["0x0", "0x3fffffd028", "0xffffffffffffffff"]) view.walk(pid, address);
	const live = view.live(10);
	live.next();
	live.next();
	live.dispose();
	view.findings();
	view.stack();
	view.faults();
	view.killed();
	view.freeFrames();
	view.framesAt(0x3fffffd000n);
	view.symbolize("0x80000000");
	view.begin();
	expect(view.steps).toHaveLength(1);
	return model;
}

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
	askAll(view);
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
	const odd = look((memory) => {
		for (let i = 0; i < 64 * 128; i += 2) {
			memory.setUint32(procAt + i * 4, 0x80005005, true);
			memory.setUint32(procAt + i * 4 + 4, 0, true);
		}
	});
	expect(odd.model.harts.length).toBe(1);
	const named = look((memory) => {
		for (let i = 0; i < 200_000; i++)
			if (memory.getUint32(procAt + i) === 0x686f6c64)
				for (let byte = 4; byte < 16; byte++) memory.setUint8(procAt + i + byte, 0x41);
	});
	// What follows in struct proc is no part of it.
	expect(named.model.processes.map(({ name }) => name)).toContain("holdAAAAAAAAAAAA");
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

/** A kernel with neither symbols nor debug information. */
function withoutSections(): Uint8Array {
	const bare = kernel.slice();
	new DataView(bare.buffer).setUint16(60, 0, true);
	return bare;
}

test("a kernel without debug information shows what hardware shows", () => {
	const model = new KernelView(stillMachine(ram, qemu.registers), withoutSections(), new Map()).model();
	expect(model.processes).toEqual([]);
	expect(model.notes.processes?.join()).toContain("no debug information");
	expect(model.notes.frames?.join()).toContain("No list of free frames was found");
	expect(model.findings).toEqual([]);
});

test("a described list that runs in a circle ends, and one that leaves RAM", () => {
	const regions = [{ name: "run", path: "kmem.freelist", next: "next", pages: 1, fields: { start: "next" } }];
	const free = model0.frames.letters.indexOf(".") * 4096;
	for (const target of [BigInt(ramBase + free), 0xffff_ffff_ffff_fff8n, 0x1008n]) {
		const bytes = ram.slice();
		new DataView(bytes.buffer).setBigUint64(free, target, true);
		askAll(new KernelView(stillMachine(bytes, qemu.registers), kernel, programs, { regions }));
	}
});

/** The program's calls and faults, with arguments of every kind. */
function storm(memory: DataView, { trap, back, enter }: ReturnType<typeof drivenMachine>, next: () => number) {
	const wild = [0n, 1n, 0x3fffffd000n, 0x4000000000n, 0xffff_ffff_ffff_f000n, 0x8000_0000_0000_0000n];
	const any = () => wild[next() % wild.length] as bigint;
	for (let i = 0; i < 60; i++) {
		// Numbers of xv6's system calls and of none; also none returns.
		enter((next() % 30) - 2, any(), any(), any());
		if (next() % 4) back(any());
		trap([12, 13, 15, 2][next() % 4] as number, any(), next() % 8 === 0 ? 1 : 0);
		memory.setUint32(procAt + (next() % 8000) * 4, next() % 3 ? next() : 0, true);
		if (next() % 4) back();
	}
}

test("faults and calls of processes whose memory is damaged are logged as far as they can be", () => {
	for (const image of [kernel, withoutSections()]) {
		let logged = 0;
		for (const seed of [1, 2, 3]) {
			const next = random(seed);
			const driven = drivenMachine(ram.slice());
			const view = new KernelView(driven.machine, image, programs, { regions: hw5Regions });
			view.attach();
			const tables = model0.frames.uses.filter(({ as }) => as === "page-table").map(({ frame }) => frame * 4096);
			for (let i = 0; i < 40; i++)
				driven.memory.setUint32((tables[next() % tables.length] as number) + (next() % 1024) * 4, next(), true);
			storm(driven.memory, driven, next);
			logged += askAll(view).log.length;
			view.dispose();
		}
		expect(logged).toBeGreaterThan(0);
	}
});
