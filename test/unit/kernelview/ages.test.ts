import { describe, expect, test } from "vitest";
import { LockReader } from "../../../src/kernelview/diagnosis/locks.ts";
import { readFreeFrames } from "../../../src/kernelview/freeFrames.ts";
import { freeListsOf } from "../../../src/kernelview/freeLists.ts";
import type { Sources } from "../../../src/kernelview/look.ts";
import { ProcessReader } from "../../../src/kernelview/processes.ts";
import { inUse } from "../../../src/kernelview/quiescence.ts";
import { sleepsOn } from "../../../src/kernelview/waits.ts";
import { ages, name, sleeplock, spinlock } from "../../support/kernelAges.ts";
import {
	array,
	base,
	type CType,
	char,
	int,
	PaperKernel,
	pointer,
	struct,
	uint,
	uint64,
} from "../../support/paperKernel.ts";

describe.each(ages)("$year", ({ proc, cpu, cpus, sleeping }) => {
	const kernel = new PaperKernel({ ticks: uint, proc: array(proc, 4), [cpus]: array(cpu, 3), panicked: int });
	const { names, memory } = kernel;
	const trapframe = proc.members?.has("tf") ? "tf" : "trapframe";
	kernel.set("proc[1].state", sleeping).set("proc[1].pid", 7).set("proc[1].name", "sh").set("proc[1].sz", 0x4000);
	kernel.set("proc[1].chan", kernel.at("ticks")).set("proc[1].pagetable", base + 0x5000);
	kernel
		.set(`proc[1].${trapframe}`, base + 0x6000)
		.set("proc[1].kstack", 0x3fffffd000)
		.set("proc[1].context.sp", 0x3fffffde00);
	kernel
		.set("proc[3].state", sleeping + 2)
		.set("proc[3].pid", -5)
		.set("proc[3].name", "a\x01\x7fb")
		.set("proc[3].killed", 1);
	kernel.set("proc[3].parent", kernel.at("proc[1]")).set("proc[3].pagetable", base + 0x7000);
	kernel.set(`${cpus}[2].proc`, kernel.at("proc[3]"));
	const reader = new ProcessReader(memory, names);
	const sh = {
		...{ slot: 1, address: kernel.at("proc[1]"), pid: 7, name: "sh", state: "SLEEPING", parent: 0, size: 0x4000 },
		...{ chan: kernel.at("ticks"), killed: false, root: base + 0x5000, trapframe: base + 0x6000 },
		...{ kernelStack: 0x3fffffd000, savedStack: 0x3fffffde00 },
	};

	test("a process is read member by member", () => {
		expect(reader.read(1)).toEqual(sh);
		expect(reader.read(3)).toMatchObject({ pid: -5, name: "a??b", state: "RUNNING", parent: 7, killed: true });
		expect(reader.read(0)).toBeUndefined();
		expect(reader.all().map(({ slot }) => slot)).toEqual([1, 3]);
		expect([reader.pidOf(1), reader.nameOf(1), reader.stateOf(1), reader.stateOf(0)]).toEqual([
			7,
			"sh",
			"SLEEPING",
			"UNUSED",
		]);
	});

	test("what each hart runs, and whose page table a root is", () => {
		expect([0, 1, 2, 3].map((hart) => reader.slotOn(hart))).toEqual([undefined, undefined, 3, undefined]);
		expect(reader.running(4)).toEqual([0, 0, -5, 0]);
		expect(reader.withRoot(base + 0x5000)?.pid).toBe(7);
		expect(reader.slotWithRoot(base + 0x7000, 2)).toBe(3);
		expect(reader.slotWithRoot(base + 0x5000, 2)).toBe(1);
		expect([reader.slotWithRoot(0), reader.slotWithRoot(base + 0x9000), reader.withRoot(base + 0x9000)]).toEqual([
			undefined,
			undefined,
			undefined,
		]);
	});

	test("a name that changes is read again", () => {
		kernel.set("proc[1].name", "cat");
		expect(reader.read(1)?.name).toBe("cat");
		kernel.set("proc[1].name", "sixteen letters!");
		expect(reader.nameOf(1)).toBe("sixteen letters!");
		kernel.set("proc[1].name", "sh");
		expect(reader.read(1)).toEqual(sh);
	});

	test("what a process sleeps on is named as C would", () => {
		const sources = { names } as Sources;
		expect(sleepsOn(sources, sh)).toEqual({ sleepsOn: "ticks" });
		expect(sleepsOn(sources, { ...sh, chan: kernel.at("proc[2]") })).toEqual({ sleepsOn: "proc[2]" });
		expect(sleepsOn(sources, { ...sh, chan: kernel.at("proc[2].kstack") })).toEqual({ sleepsOn: "proc[2].kstack" });
		expect(sleepsOn(sources, { ...sh, chan: base + 0x100000 })).toEqual({ sleepsOn: "0x80100000" });
		expect(sleepsOn(sources, { ...sh, chan: 0 })).toEqual({});
		expect(sleepsOn(sources, { ...sh, state: "RUNNABLE" })).toEqual({});
	});

	test("locks are found by their type, with their path; and who holds them", () => {
		const locks = new LockReader(memory, names);
		expect(locks.spinlocks.map(({ path }) => path)).toEqual([0, 1, 2, 3].map((i) => `proc[${i}].lock`));
		kernel.poke(base + 0x100, "proc");
		kernel
			.set("proc[1].lock.locked", 1)
			.set("proc[1].lock.name", base + 0x100)
			.set("proc[1].lock.cpu", kernel.at(`${cpus}[1]`));
		const [, lock] = locks.spinlocks;
		expect(lock && locks.state(lock)).toEqual({ locked: true, name: "proc", hart: 1 });
		expect(lock && locks.label(lock)).toBe('proc[1].lock ("proc")');
		expect([0, 1, 2].map((hart) => locks.heldBy(hart).length)).toEqual([0, 1, 0]);
		kernel.set("proc[1].lock.cpu", kernel.at(`${cpus}[1]`) + 4);
		expect(lock && locks.state(lock).hart).toBeUndefined();
		kernel.set("proc[1].lock.cpu", 0);
		expect(lock && locks.state(lock).hart).toBeUndefined();
		kernel.set("proc[1].lock.locked", 0);
		expect(locks.heldBy(1)).toEqual([]);
		expect(locks.at(kernel.at("proc[2].lock")).path).toBe("proc[2].lock");
		expect(locks.at(base + 0x4321)).toEqual({ path: "0x80004321", address: base + 0x4321 });
		kernel.set(`${cpus}[1].noff`, 3);
		expect([locks.depthOf(1), locks.depthOf(0), locks.depthOf(3)]).toEqual([3, 0, undefined]);
	});

	test("nothing that a kernel of this age has not got is noted as missing", () => {
		expect(names.notes.get("processes")).toBeUndefined();
		expect(names.panicked).toBe(kernel.at("panicked"));
	});
});

describe("a kernel without what the views look for says so", () => {
	const proc = ages[1]?.proc as CType;
	test.each<[string, Readonly<Record<string, CType>>, string, string]>([
		["no proc", { ticks: uint }, "processes", "There is no array `proc` of structures"],
		["a proc that is no array", { proc }, "processes", "There is no array `proc` of structures"],
		["a proc of numbers", { proc: array(int, 4) }, "processes", "There is no array `proc` of structures"],
		[
			"a proc without a pid",
			{ proc: array(struct("proc", { state: int, pagetable: uint64 }), 4) },
			"processes",
			"struct proc has no member `pid`",
		],
		[
			"a proc without a size",
			{ proc: array(struct("proc", { state: int, pid: int, pagetable: uint64, name }), 4) },
			"processes",
			"struct proc has no member `sz`",
		],
		["no cpus", { proc: array(proc, 4) }, "processes", "There is no array `cpus`"],
		["no kernel_pagetable", { proc: array(proc, 4) }, "address-space", "There is no `kernel_pagetable`"],
		["no panicked", { proc: array(proc, 4) }, "findings", "There is no variable `panicked`"],
		["no syscalls", { proc: array(proc, 4) }, "faults", "There is no array `syscalls`"],
	])("%s", (_, variables, panel, note) => {
		const { notes } = new PaperKernel(variables).names;
		expect(notes.get(panel as "faults")?.join("\n")).toContain(note);
	});

	test("and reads nothing that it does not understand", () => {
		const none = new PaperKernel({ ticks: uint });
		const reader = new ProcessReader(none.memory, none.names);
		expect([reader.all(), reader.read(0), reader.withRoot(base), reader.slotOn(0), reader.running(2)]).toEqual([
			[],
			undefined,
			undefined,
			undefined,
			[0, 0],
		]);
		expect([reader.pidOf(0), reader.nameOf(0), reader.stateOf(0)]).toEqual([0, "", "UNUSED"]);
		const half = new PaperKernel({ proc: array(struct("proc", { state: int, pid: int, pagetable: uint64 }), 2) });
		half.set("proc[1].state", 2).set("proc[1].pid", 3);
		// Without an enumeration the states are those of every xv6 since 2020.
		expect(new ProcessReader(half.memory, half.names).all()).toMatchObject([
			{ pid: 3, name: "", state: "SLEEPING", size: 0, kernelStack: 0 },
		]);
		half.set("proc[1].state", 77);
		expect(new ProcessReader(half.memory, half.names).read(1)?.state).toBe("state 77");
		const bare = new PaperKernel({ proc: array(proc, 4) }, { debug: false }).names;
		expect(bare.notes.get("processes")?.join()).toContain("The kernel has no debug information");
		expect(bare.proc).toBeUndefined();
	});

	test("a parent or a hart's process that points into nothing is none", () => {
		const kernel = new PaperKernel({ proc: array(proc, 4), cpus: array(ages[1]?.cpu as CType, 2) });
		const reader = new ProcessReader(kernel.memory, kernel.names);
		kernel.set("proc[1].state", 2).set("proc[1].pid", 3).set("proc[0].pid", 9);
		for (const wild of [
			kernel.at("proc[1]") + 8,
			kernel.at("proc[0]") - proc.size,
			kernel.at("proc[3]") + proc.size,
			1,
			2n ** 63n,
		]) {
			kernel.set("proc[1].parent", wild).set("cpus[0].proc", wild);
			expect(reader.read(1)?.parent).toBe(0);
			expect(reader.slotOn(0)).toBeUndefined();
		}
		kernel.set("cpus[0].proc", kernel.at("proc[3]"));
		expect(reader.slotOn(0)).toBe(3);
	});
});

describe("locks of every shape", () => {
	const buf = struct("buf", { valid: int, lock: sleeplock, data: array(char, 64) });
	const inner = struct("", { lock: spinlock });
	const kernel = new PaperKernel({
		tickslock: spinlock,
		bcache: struct("", { lock: spinlock, buf: array(buf, 3), head: buf }),
		kmems: array(struct("", { lock: spinlock, freelist: pointer() }), 2),
		hidden: struct("hidden", { "": inner, count: int }),
		grid: array(array(spinlock, 2), 2),
		many: array(spinlock, 2000),
		plain: array(int, 10),
		either: struct("", { lock: spinlock }, "union_type"),
	});
	const locks = new LockReader(kernel.memory, kernel.names);

	test("are found, those within sleep-locks too", () => {
		expect(locks.spinlocks.map(({ path }) => path)).toEqual([
			"tickslock",
			"bcache.lock",
			...[0, 1, 2].map((i) => `bcache.buf[${i}].lock.lk`),
			"bcache.head.lock.lk",
			"kmems[0].lock",
			"kmems[1].lock",
			"hidden.lock",
			...["grid[0][0]", "grid[0][1]", "grid[1][0]", "grid[1][1]"],
		]);
		expect(locks.sleeplocks.map(({ path }) => path)).toEqual([
			...[0, 1, 2].map((i) => `bcache.buf[${i}].lock`),
			"bcache.head.lock",
		]);
		expect(locks.spinlocks.map(({ address }) => address)).toEqual(
			locks.spinlocks.map(({ path }) => kernel.at(path.replace("hidden.lock", "hidden"))),
		);
	});

	test("say who holds a sleep-lock", () => {
		const [first, second] = locks.sleeplocks;
		kernel.poke(base + 0x200, "buffer");
		kernel
			.set("bcache.buf[0].lock.locked", 1)
			.set("bcache.buf[0].lock.pid", 4)
			.set("bcache.buf[0].lock.name", base + 0x200);
		expect(first && locks.sleepState(first)).toEqual({ locked: true, name: "buffer", pid: 4 });
		expect(second && locks.sleepState(second)).toEqual({ locked: false, name: "", pid: 0 });
	});

	test("are in use while they are taken; counted entries of tables are summed", () => {
		const entry = (tag: string) => struct(tag, { type: int, ref: int });
		const used = new PaperKernel({
			ftable: struct("", { lock: spinlock, file: array(entry("file"), 5) }),
			itable: struct("", {
				lock: spinlock,
				inode: array(struct("inode", { dev: uint, ref: int, lock: sleeplock }), 3),
			}),
			icache: int,
		});
		used.set("ftable.file[0].ref", 2).set("ftable.file[4].ref", 3).set("itable.inode[2].ref", 1);
		const reader = new LockReader(used.memory, used.names);
		const now = () => inUse({ memory: used.memory, names: used.names } as Sources, reader);
		expect(now()).toEqual({
			locks: [],
			references: new Map([
				["ftable", 5],
				["itable", 1],
			]),
		});
		used.set("ftable.lock.locked", 1).set("itable.inode[1].lock.locked", 1);
		expect(now().locks).toEqual(["ftable.lock", "itable.inode[1].lock"]);
	});
});

describe("the list of free frames", () => {
	const run = struct("run", { next: pointer() });
	const kmem = struct("", { lock: spinlock, freelist: pointer(run) });
	/** Chains frames from the end of the image on: the head, and a link in each. */
	const chain = (kernel: PaperKernel, head: number, frames: readonly number[], link = 0) => {
		const at = (frame: number) => kernel.end + frame * 4096;
		[head, ...frames.map((frame) => at(frame) + link)].forEach((place, i) => {
			const next = frames[i];
			kernel.poke(place, next === undefined ? 0 : at(next));
		});
	};
	const count = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

	test.each<[string, Readonly<Record<string, CType>>, (kernel: PaperKernel) => number[], number]>([
		["xv6's", { kmem }, (kernel) => [kernel.at("kmem.freelist")], 0],
		["one a hart", { kmem: array(kmem, 3) }, (kernel) => [0, 1, 2].map((i) => kernel.at(`kmem[${i}].freelist`)), 0],
		[
			"of another name",
			{ pool: struct("", { lock: spinlock, first: pointer(run) }) },
			(kernel) => [kernel.at("pool.first")],
			0,
		],
		[
			"of another name, one a hart",
			{ pool: array(struct("", { lock: spinlock, first: pointer(run) }), 2) },
			(kernel) => [0, 1].map((i) => kernel.at(`pool[${i}].first`)),
			0,
		],
		["whose link is not first", { kmem }, (kernel) => [kernel.at("kmem.freelist")], 16],
	])("%s is found, and walked to its end", (_, variables, heads, link) => {
		const kernel = new PaperKernel(variables, { pages: 1000 });
		const all = heads(kernel);
		all.forEach((head, i) => {
			chain(kernel, head, count(i * 300, i * 300 + 280 + i), link);
		});
		const { names, memory } = kernel;
		expect(freeListsOf(memory, names)).toEqual(all.map((head) => ({ head, link })));
		const { free, count: found, damage } = readFreeFrames(memory, names);
		expect(damage).toBeUndefined();
		expect(found).toBe(all.reduce((sum, _head, i) => sum + 280 + i, 0));
		const first = (kernel.end - base) / 4096;
		// The last frame of the first list, and those between it and the next list.
		expect(Array.from(free.subarray(first + 278, first + 284))).toEqual([1, 1, 0, 0, 0, 0]);
	});

	test.each<[string, (kernel: PaperKernel) => void, string]>([
		["a link to no page", (kernel) => kernel.poke(kernel.end + 10 * 4096, kernel.end + 12), "which is no frame"],
		[
			"a link out of RAM",
			(kernel) => kernel.poke(kernel.end + 10 * 4096, 0x1000),
			"the free list leads to 0x1000, which is no frame",
		],
		["a link back", (kernel) => kernel.poke(kernel.end + 10 * 4096, kernel.end + 5 * 4096), "twice"],
	])("that is damaged is told: %s", (_, damage, words) => {
		const kernel = new PaperKernel({ kmem }, { pages: 400 });
		chain(kernel, kernel.at("kmem.freelist"), count(0, 300));
		const { names, memory } = kernel;
		expect(readFreeFrames(memory, names).count).toBe(300);
		damage(kernel);
		const list = readFreeFrames(memory, names);
		expect(list.damage).toContain(words);
		expect(list.count).toBe(11);
	});

	test("is not guessed: a word that leads to a few frames is none, nor what is left on a boot stack", () => {
		const few = new PaperKernel({ cache: pointer() }, { pages: 400 });
		chain(few, few.at("cache"), count(0, 200));
		expect(freeListsOf(few.memory, few.names)).toEqual([]);
		expect(readFreeFrames(few.memory, few.names).count).toBeUndefined();
		const stack = new PaperKernel({ stack0: array(char, 256), pool: pointer() }, { pages: 400 });
		chain(stack, stack.at("stack0") + 64, count(0, 300));
		expect(freeListsOf(stack.memory, stack.names)).toEqual([]);
		chain(stack, stack.at("pool"), count(0, 300));
		expect(freeListsOf(stack.memory, stack.names)).toEqual([{ head: stack.at("pool"), link: 0 }]);
	});
});
