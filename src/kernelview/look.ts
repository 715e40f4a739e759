import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { MachineSurface } from "../machine/types.ts";
import { CSR } from "../riscv/csr.ts";
import { type FrameCensus, type OwnedSpace, type Roots, takeCensus } from "./frames.ts";
import { type GuestMemory, pageBytes } from "./guestMemory.ts";
import type { KernelNames } from "./kernelNames.ts";
import type { Process, ProcessSource } from "./processes.ts";
import type { Region, RegionFlaw, RegionReader } from "./regions.ts";
import { type Area, processAreas } from "./spaces.ts";
import { type PageTables, rootOf, translate, type WalkCache } from "./sv39.ts";

export interface ProcessSpace extends OwnedSpace {
	readonly process: Process;
	readonly regions: readonly Region[];
	readonly flaws: readonly RegionFlaw[];
	readonly areas: readonly Area[];
}

/** Everything that memory says at one moment. */
export interface Look {
	readonly instret: number;
	readonly processes: readonly Process[];
	readonly running: readonly number[];
	readonly kernel: PageTables | undefined;
	readonly spaces: readonly ProcessSpace[];
	readonly census: FrameCensus;
	readonly panicked: boolean;
}

/** What a view is made of; shared by its parts. */
export interface Sources {
	readonly machine: MachineSurface;
	readonly memory: GuestMemory;
	readonly names: KernelNames;
	readonly processes: ProcessSource;
	readonly regions: RegionReader;
	readonly walks: WalkCache;
	program(name: string): ProgramSymbols | undefined;
}

export function isPanicked({ memory, names }: Sources): boolean {
	return names.panicked !== undefined && (memory.u32(names.panicked) ?? 0) !== 0;
}

/** Root of the kernel's table: its variable, or what a hart in supervisor mode uses. */
export function kernelRoot({ memory, names, machine }: Sources): number | undefined {
	const named = names.kernelPagetable === undefined ? undefined : memory.u64(names.kernelPagetable);
	if (named) return named;
	for (const hart of machine.harts) {
		const satp = hart.mode === 1 ? hart.csr(CSR.satp) : undefined;
		if (satp !== undefined && satp >> 60n === 8n) return rootOf(satp);
	}
	return undefined;
}

export function spaceOf(sources: Sources, process: Process): ProcessSpace | undefined {
	if (process.root === 0) return undefined;
	const tables = sources.walks.tables(sources.memory, process.root);
	const { regions, flaws } = sources.regions.read(process);
	const areas = processAreas(process, regions, tables.leaves, sources.program(process.name));
	return { pid: process.pid, process, tables, regions, flaws, areas };
}

/** The last looks: those who judge many runs from one snapshot ask twice at the end of each, and begin with the same. */
const looks = new WeakMap<Sources, readonly { readonly stamp: number; readonly look: Look }[]>();
const keptLooks = 2;

export function takeLook(sources: Sources): Look {
	const { stamp } = sources.machine;
	const known = looks.get(sources) ?? [];
	const again = stamp === 0 ? undefined : known.find((one) => one.stamp === stamp);
	const look = again?.look ?? lookAround(sources);
	const others = known.filter((one) => one.stamp !== stamp).slice(0, keptLooks - 1);
	if (stamp !== 0) looks.set(sources, [{ stamp, look }, ...others]);
	return look;
}

function lookAround(sources: Sources): Look {
	const { machine, memory, names } = sources;
	memory.refresh();
	const processes = sources.processes.all();
	const running = sources.processes.running(machine.harts.length);
	const root = kernelRoot(sources);
	const kernel = root === undefined ? undefined : sources.walks.tables(memory, root);
	const spaces = processes.flatMap((process) => spaceOf(sources, process) ?? []);
	const census = takeCensus(memory, names, kernel, spaces, processes, findRoots(sources, processes, running, root));
	return { instret: machine.instret, processes, running, kernel, spaces, census, panicked: isPanicked(sources) };
}

/** Registers of harts that are at work in the kernel, and the live parts of kernel stacks. */
function findRoots(
	{ machine, memory, names }: Sources,
	processes: readonly Process[],
	running: readonly number[],
	root: number | undefined,
): Roots {
	const registers: number[] = [];
	const stacks: { physical: number; from: number; to: number; pid: number }[] = [];
	const stackOf = (process: Process, sp: number) => {
		const physical = root === undefined ? undefined : translate(memory, root, process.kernelStack);
		if (physical === undefined) return;
		const offset = sp - process.kernelStack;
		const from = offset >= 0 && offset < pageBytes ? Math.floor(offset / 8) * 8 : 0;
		stacks.push({ physical, from, to: pageBytes, pid: process.pid });
	};
	for (const process of processes) {
		const hart = running.indexOf(process.pid);
		const state = machine.harts[hart];
		if (!state) stackOf(process, process.savedStack);
		// In user mode its kernel stack is empty.
		else if (state.mode !== 0) stackOf(process, Number(state.register(2)));
	}
	for (const hart of machine.harts) {
		if (hart.mode === 0 || hart.waiting || isIdle(names, running[hart.id])) continue;
		for (let i = 1; i < 32; i++) {
			const value = hart.register(i);
			if (value < 2n ** 53n) registers.push(Number(value));
		}
	}
	return { registers, stacks };
}

/** In the scheduler: it runs no process, and what its registers hold is left over. */
export function isIdle(names: KernelNames, pid: number | undefined): boolean {
	return names.cpus !== undefined && (pid ?? 0) === 0;
}
