import { beforeEach, describe, expect, test } from "vitest";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { LockReader } from "../../../src/kernelview/diagnosis/locks.ts";
import { Recorder } from "../../../src/kernelview/diagnosis/recorder.ts";
import { GuestMemory } from "../../../src/kernelview/guestMemory.ts";
import { KernelNames } from "../../../src/kernelview/kernelNames.ts";
import { type Process, ProcessReader } from "../../../src/kernelview/processes.ts";
import { RegionReader } from "../../../src/kernelview/regions.ts";
import { WalkCache } from "../../../src/kernelview/sv39.ts";
import { drivenMachine, ramBase, recorded } from "./recorded.ts";

/** What is kept of the traps of the recorded process, for a diagnosis that may be asked for later. */

const names = new KernelNames(new ProgramSymbols("kernel", recorded("kernel-3b")));
const ram = recorded("ram");
const [SYS_fork, SYS_sleep] = [1, 13];
const storeFault = 15;

let driven: ReturnType<typeof drivenMachine>;
let recorder: Recorder;
let processes: ProcessReader;
beforeEach(() => {
	driven = drivenMachine(ram.slice());
	const { machine } = driven;
	const memory = GuestMemory.of(machine);
	processes = new ProcessReader(memory, names);
	const regions = new RegionReader(memory, names, []);
	const locks = new LockReader(memory, names);
	recorder = new Recorder(
		{ machine, memory, names, processes, regions, walks: new WalkCache(), program: () => undefined },
		() => locks,
		() => [],
	);
	machine.onTrap((trap) => recorder.trap(trap));
	machine.onTrapReturn((event) => recorder.returned(event));
});

const running = () => processes.read(processes.slotOn(0) ?? -1) as Process;
/** A word of the hart's struct cpu, or of the slot that it runs. */
function set(place: { readonly address: number; readonly element: object } | undefined, member: string, value: number) {
	if (!place) throw new Error("the recorded kernel has no such array");
	const offset = names.offsetIn(place.element as Parameters<KernelNames["offsetIn"]>[0], member) ?? Number.NaN;
	driven.memory.setUint32(place.address + offset - ramBase, value, true);
}

test("a process naps until its next system call", () => {
	driven.enter(SYS_sleep, 7n);
	expect(recorder.napOf(running())?.wanted).toBe(7);
	driven.back(0n);
	driven.enter(SYS_fork);
	expect(recorder.napOf(running())).toBeUndefined();
});

test("of the last faults of processes no more than 4096 are kept, the newest", () => {
	const { proc } = names;
	if (!proc) throw new Error("the recorded kernel has no proc");
	const slot = { ...proc, address: proc.address + running().slot * proc.stride };
	for (let pid = 1000; pid <= 1000 + 4096; pid++) {
		set(slot, "pid", pid);
		driven.trap(storeFault, BigInt(pid));
	}
	expect(recorder.userTraps.size).toBe(4096);
	expect([...recorder.userTraps.keys()].slice(0, 1)).toEqual([1001]);
	expect(recorder.userTraps.get(5096)?.tval).toBe(5096n);
});

describe("a lock that is held when the kernel goes back to the program is told by what it was taken in", () => {
	test.each([
		[1, "software interrupt (a timer tick in older kernels)"],
		[5, "timer interrupt"],
		[9, "device interrupt"],
	])("interrupt %i", (cause, during) => {
		const { machine } = driven;
		const fixed = { hart: 0, interrupt: true, pc: 0x40n, tval: 0n, fromMode: 0, toMode: 1, satp: 0n } as const;
		recorder.trap({ ...fixed, cause, root: running().root, instret: machine.instret });
		set(names.cpus, "noff", 1);
		driven.back();
		expect(recorder.leaks.map((leak) => [leak.during, leak.process?.pid])).toEqual([[during, running().pid]]);
	});
});
