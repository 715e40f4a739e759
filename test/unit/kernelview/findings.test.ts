import { expect, test } from "vitest";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { FindingList } from "../../../src/kernelview/findings/findingList.ts";
import { checkMunmap } from "../../../src/kernelview/findings/munmap.ts";
import { reportPanic } from "../../../src/kernelview/findings/panic.ts";
import { GuestMemory } from "../../../src/kernelview/guestMemory.ts";
import { KernelNames } from "../../../src/kernelview/kernelNames.ts";
import { KernelView } from "../../../src/kernelview/kernelView.ts";
import type { Look } from "../../../src/kernelview/look.ts";
import { type Process, ProcessReader } from "../../../src/kernelview/processes.ts";
import { RegionReader } from "../../../src/kernelview/regions.ts";
import { WalkCache } from "../../../src/kernelview/sv39.ts";
import type { FaultEntry, FindingId, KernelModel } from "../../../src/protocol/kernelModel.ts";
import { hw5Regions, programs, qemu, ramBase, recorded, stillMachine } from "./recorded.ts";

const ram = recorded("ram");
const kernel = recorded("kernel-3b");
const before = new KernelView(stillMachine(ram, qemu.registers), kernel, programs, { regions: hw5Regions }).model();
const [parent, child] = before.processes.filter(({ name }) => name === "hold").map(({ pid }) => pid) as [
	number,
	number,
];

/** Offset in RAM of the entry that maps an address for a process. */
function entryOf(pid: number, address: number): number {
	const space = before.spaces.find((candidate) => candidate.pid === pid) as KernelModel["spaces"][number];
	const table = space.tables.find(
		({ level, start }) => level === 0 && Math.floor(address / 2 ** 21) === Number(start) / 2 ** 21,
	);
	return Number(table?.address) - ramBase + (Math.floor(address / 4096) % 512) * 8;
}

const regionOf = (pid: number, permissions: string, shared: boolean) =>
	before.spaces
		.find((space) => space.pid === pid)
		?.regions.find((region) => region.permissions === permissions && region.shared === shared)?.start as string;
const sharedAt = Number(regionOf(parent, "rw-", true));
const privateAt = Number(regionOf(parent, "rw-", false));
const readOnlyAt = Number(regionOf(parent, "r--", false));

/** Findings of the recorded moment with some words of it changed. */
function after(change: (memory: DataView) => void): KernelModel["findings"] {
	const bytes = ram.slice();
	change(new DataView(bytes.buffer));
	return new KernelView(stillMachine(bytes, qemu.registers), kernel, programs, { regions: hw5Regions }).findings();
}

function expectFinding(id: FindingId, pid: number | undefined, findings: KernelModel["findings"]): void {
	const finding = findings.find((candidate) => candidate.id === id);
	expect(findings.map((candidate) => candidate.id)).toContain(id);
	if (pid !== undefined) expect(finding?.evidence.pids).toContain(pid);
}

const orBits = (memory: DataView, at: number, bits: bigint) =>
	memory.setBigUint64(at, memory.getBigUint64(at, true) | bits, true);

test("the moment as it was recorded has none", () => {
	expect(after(() => {})).toEqual([]);
});

test("W on a page of a read-only region", () => {
	const findings = after((memory) => orBits(memory, entryOf(parent, readOnlyAt), 4n));
	expectFinding("writable-read-only-region", parent, findings);
	expect(findings.length).toBe(1);
});

test.each([0x3fffffe000, 0x3ffffff000])("U on the kernel's page at %d", (address) => {
	const findings = after((memory) => orBits(memory, entryOf(child, address), 16n));
	expectFinding("kernel-page-user", child, findings);
	expect(findings.length).toBe(1);
});

test("two members of a family on different frames", () => {
	const findings = after((memory) => {
		memory.setBigUint64(entryOf(child, sharedAt), memory.getBigUint64(entryOf(child, privateAt), true), true);
	});
	expectFinding("family-frames-differ", child, findings);
	expect(findings[0]?.sentence).toContain(`page 0x${sharedAt.toString(16)}`);
});

test("a private page of two processes on one frame", () => {
	const findings = after((memory) => {
		memory.setBigUint64(entryOf(child, privateAt), memory.getBigUint64(entryOf(parent, privateAt), true), true);
	});
	expectFinding("private-frame-shared", child, findings);
	// The frame that the child had is nobody's now.
	expectFinding("frame-leaked", undefined, findings);
});

test("memory that two processes share is no finding where the system calls are not known: one of them may share on purpose", () => {
	const stack = Number(
		before.spaces.find(({ pid }) => pid === parent)?.ranges.find(({ kind }) => kind === "stack")?.start,
	);
	const bytes = ram.slice();
	const memory = new DataView(bytes.buffer);
	memory.setBigUint64(entryOf(child, stack), memory.getBigUint64(entryOf(parent, stack), true), true);
	// Each name of the table stands for itself, in symbols and debug information alike.
	const renamed = (...names: readonly string[]) => {
		let text = Buffer.from(kernel).toString("latin1");
		for (const name of names) text = text.replaceAll(`\0${name}\0`, `\0${name.replaceAll("s", "z")}\0`);
		return new Uint8Array(Buffer.from(text, "latin1"));
	};
	const found = (image: Uint8Array) =>
		new KernelView(stillMachine(bytes, qemu.registers), image, programs).findings().map(({ id }) => id);
	expect(found(renamed("sys_mmap", "sys_munmap"))).toContain("private-frame-shared");
	expect(found(renamed("sys_mmap", "sys_munmap", "syscalls"))).not.toContain("private-frame-shared");
});

/** A link of the free list in the middle of RAM: frame `at` leads to frame `at - 1`. */
function freeLink(memory: DataView): number {
	for (let frame = 16_000; ; frame++) {
		const next = memory.getBigUint64(frame * 4096, true);
		if (before.frames.letters[frame] === "." && next === BigInt(ramBase + (frame - 1) * 4096)) return frame;
	}
}

test("a frame on the free list that a process has mapped", () => {
	const findings = after((memory) => {
		const link = freeLink(memory) * 4096;
		const entry = memory.getBigUint64(entryOf(parent, privateAt), true);
		const mapped = (entry >> 10n) << 12n;
		memory.setBigUint64(Number(mapped) - ramBase, memory.getBigUint64(link, true), true);
		memory.setBigUint64(link, mapped, true);
	});
	expectFinding("freed-while-mapped", parent, findings);
});

test("inside the kernel a frame may be on both sides for a moment: seen twice at one instant is seen once", () => {
	const bytes = ram.slice();
	const memory = new DataView(bytes.buffer);
	const link = freeLink(memory) * 4096;
	const mapped = (memory.getBigUint64(entryOf(parent, privateAt), true) >> 10n) << 12n;
	memory.setBigUint64(Number(mapped) - ramBase, memory.getBigUint64(link, true), true);
	memory.setBigUint64(link, mapped, true);
	const still = stillMachine(bytes, qemu.registers);
	const machine = { ...still, harts: still.harts.map((hart) => ({ ...hart, mode: 1 as const })) };
	const view = new KernelView(machine, kernel, programs, { regions: hw5Regions });
	expect(view.findings()).toEqual([]);
	expect(view.findings()).toEqual([]);
	machine.instret = 1;
	expectFinding("freed-while-mapped", parent, view.findings());
});

test("a frame that fell off the free list", () => {
	let lost = 0;
	const findings = after((memory) => {
		const link = freeLink(memory);
		lost = link - 1;
		memory.setBigUint64(link * 4096, memory.getBigUint64(lost * 4096, true), true);
	});
	expectFinding("frame-leaked", undefined, findings);
	expect(findings[0]?.evidence.frames).toEqual([lost]);
});

test("frames after the image that kinit kept for the kernel are not lost", () => {
	const names = new KernelNames(new ProgramSymbols("kernel", kernel));
	const first = Math.ceil((Number(names.end) - ramBase) / 4096);
	const bytes = ram.slice();
	const memory = new DataView(bytes.buffer);
	// kalloc gives the lowest frames out last: the list ends with them.
	expect(memory.getBigUint64(first * 4096, true)).toBe(0n);
	expect(memory.getBigUint64((first + 2) * 4096, true)).toBe(BigInt(ramBase + (first + 1) * 4096));
	memory.setBigUint64((first + 2) * 4096, 0n, true);
	const view = new KernelView(stillMachine(bytes, qemu.registers), kernel, programs, { regions: hw5Regions });
	expect(view.findings()).toEqual([]);
	expect(view.model().frames.uses).toContainEqual(expect.objectContaining({ frame: first + 1, as: "kernel-data" }));
});

test("a page that stayed when its region went", () => {
	const findings = after((memory) => {
		// struct mmr: addr, length, prot, flags, valid; the parent's slot comes first in proc[].
		for (let at = 0; at < 0x40000; at += 8)
			if (memory.getBigUint64(at, true) === BigInt(privateAt) && memory.getUint32(at + 8, true) === 4096) {
				memory.setUint32(at + 20, 0, true);
				return;
			}
	});
	expectFinding("leaf-left-behind", parent, findings);
});

test("a table of regions that the kernel does not use, or whose members have other names, says nothing of any page", () => {
	const [described] = hw5Regions;
	const unused = after((memory) => {
		const starts = new Set(before.spaces.flatMap(({ regions }) => regions.map(({ start }) => BigInt(start))));
		for (let at = 0; at < 0x40000; at += 8)
			if (starts.has(memory.getBigUint64(at, true)) && memory.getUint32(at + 20, true) === 1)
				memory.setUint32(at + 20, 0, true);
	});
	expect(unused.filter(({ id }) => id === "leaf-left-behind")).toEqual([]);
	const regions = [{ ...described, fields: { ...described?.fields, start: "start_addr" } }] as typeof hw5Regions;
	const view = new KernelView(stillMachine(ram, qemu.registers), kernel, programs, { regions });
	expect(view.findings()).toEqual([]);
	expect(view.model().spaces.flatMap((space) => space.ranges.filter(({ kind }) => kind === "region"))).toEqual([]);
});

test("a count that the page tables do not bear out", () => {
	// The length of each region taken as its count: no process has it so often.
	const wrong = [{ ...hw5Regions[0], fields: { ...hw5Regions[0]?.fields, refcount: "length" } }] as typeof hw5Regions;
	const view = new KernelView(stillMachine(ram, qemu.registers), kernel, programs, { regions: wrong });
	expectFinding("refcount-mismatch", parent, view.findings());
});

/** All mapped regions taken as one shared region, whose count is `count`; `ended`: a process that nobody has waited for yet. */
function counted(count: number, ended?: number) {
	const bytes = ram.slice();
	const memory = new DataView(bytes.buffer);
	if (ended !== undefined) {
		const names = new KernelNames(new ProgramSymbols("kernel", kernel));
		const state = names.proc && names.offsetIn(names.proc.element, "state");
		const process = new ProcessReader(new GuestMemory(stillMachine(bytes, qemu.registers).memory), names)
			.all()
			.find(({ pid }) => pid === ended);
		const zombie = [...Array(8).keys()].find((value) => names.stateName(value) === "ZOMBIE") ?? -1;
		memory.setUint32(Number(process?.address) + Number(state) - ramBase, zombie, true);
	}
	const starts = new Set(before.spaces.flatMap(({ regions }) => regions.map(({ start }) => BigInt(start))));
	// struct mmr: addr, length, prot, flags, valid
	for (let at = 0; at < 0x40000; at += 8)
		if (starts.has(memory.getBigUint64(at, true)) && memory.getUint32(at + 20, true) === 1)
			memory.setUint32(at + 16, count, true);
	const fields = { start: "addr", length: "length", valid: "valid", family: "valid", refcount: "flags" };
	const regions = [{ name: "region", path: "proc.mmr[]", fields }];
	const view = new KernelView(stillMachine(bytes, qemu.registers), kernel, programs, { regions });
	return view.findings().filter(({ id }) => id === "refcount-mismatch");
}

test("a count may be of the processes, or of the mappings when a process has the region at several places", () => {
	const members = before.spaces.filter(({ regions }) => regions.length > 0);
	const mappings = members.reduce((sum, { regions }) => sum + regions.length, 0);
	expect(mappings).toBeGreaterThan(members.length);
	expect(counted(members.length)).toEqual([]);
	expect(counted(mappings)).toEqual([]);
	expect(counted(mappings + 1).map(({ sentence }) => sentence)).toEqual([
		expect.stringContaining(`have it, at ${mappings} places`),
	]);
});

test("a process that ended counts until it is waited for, or not", () => {
	const members = before.spaces.filter(({ regions }) => regions.length > 0);
	const mappings = members.reduce((sum, { regions }) => sum + regions.length, 0);
	const childs = members.find(({ pid }) => pid === child)?.regions.length ?? 0;
	for (const count of [members.length, members.length - 1, mappings, mappings - childs])
		expect(counted(count, child)).toEqual([]);
	expect(counted(mappings + 1, child).length).toBe(1);
});

/** What is found when munmap(start, length) has returned 0 and memory is as it is now; `pages`: of the region before. */
function unmapped(start: number, length: number, pages: number): readonly FindingId[] {
	const machine = stillMachine(ram, qemu.registers);
	const memory = new GuestMemory(machine.memory);
	const names = new KernelNames(new ProgramSymbols("kernel", kernel));
	const processes = new ProcessReader(memory, names);
	const regions = new RegionReader(memory, names, hw5Regions);
	const process = processes.all().find(({ pid }) => pid === parent) as Process;
	const list = new FindingList(() => 0);
	checkMunmap(
		{ machine, memory, names, processes, regions, walks: new WalkCache(), program: () => undefined },
		list,
		process,
		{
			pid: parent,
			slot: process.slot,
			root: process.root,
			call: "munmap",
			entry: undefined,
			regions: regions
				.of(process)
				.map((region) => (region.start === privateAt ? { ...region, end: privateAt + pages * 4096 } : region)),
			arguments: [BigInt(start), BigInt(length)],
			memoryLeft: true,
			killedByOther: false,
		},
	);
	return list.sorted.map(({ id }) => id);
}

test("munmap of a part leaves the rest, and of the whole nothing", () => {
	expect(unmapped(privateAt + 4096, 4096, 2)).toEqual([]);
	expect(unmapped(privateAt, 4096, 1)).toEqual(["region-left-behind", "leaf-left-behind"]);
});

/** What is told of a panic in walk() while process 3 stored to an address in `range`. */
function panicked(range: string | undefined): string | undefined {
	const list = new FindingList(() => 0);
	const look = { processes: [{ pid: 3, name: "sh", state: "RUNNING" }], running: [3] } as unknown as Look;
	const entry = { type: "fault", id: 1, access: "store", address: "0x10", range } as unknown as FaultEntry;
	const stack = [{ name: "panic" }, { name: "walk", file: "kernel/vm.c", line: 90 }, { name: "usertrap" }];
	reportPanic(list, look, stack, { atPanic: () => ({ entry, fault: undefined }) });
	return list.sorted[0]?.sentence;
}

test("a panic while a fault is served says whose it was and what lies there, if anything does", () => {
	const told = (range: string) =>
		`The kernel panicked in walk (kernel/vm.c:90), serving the store of process 3 (sh) at 0x10${range}. Calls, the last first: walk, usertrap.`;
	expect(panicked("heap")).toBe(told(" in heap"));
	expect(panicked(undefined)).toBe(told(""));
});
