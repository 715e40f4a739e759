import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { readFreeFrames } from "../kernelview/freeFrames.ts";
import { GuestMemory } from "../kernelview/guestMemory.ts";
import { KernelNames } from "../kernelview/kernelNames.ts";
import type { Machine } from "../machine/machine.ts";
import { type Static, staticsOf } from "./statics.ts";

/** Members and variables that count references, in xv6 and in kernels made from it. */
const counting = /^(ref|refs|refcnt|refcount|ref_count|nref)$/;

/** The kernel's reference counts while its shell waits: by path (`ftable.file[*].ref`) their sum, and of each that is not 0 its value. */
export interface Counts {
	readonly sums: ReadonlyMap<string, number>;
	readonly values: ReadonlyMap<string, number>;
	/** Undefined: the kernel's free list is not known. */
	readonly freeFrames: number | undefined;
	/** Numbers of the processes that exist, as text; undefined: not known. */
	readonly processes: string | undefined;
}

export interface Drift {
	readonly path: string;
	readonly before: number;
	readonly after: number;
	/** Elements that changed, each as `ftable.file[3].ref: 1, was 0`. */
	readonly elements: readonly string[];
}

const shown = 4;

export class CountReader {
	private readonly counts: readonly Static[];
	private readonly pids: readonly Static[];
	private readonly names: KernelNames | undefined;

	constructor(private readonly kernel: ProgramSymbols) {
		this.counts = staticsOf(kernel, (name) => counting.test(name));
		this.pids = staticsOf(kernel, (name, owner) => owner === "proc" && name === "pid");
		this.names = kernel.attempt(() => new KernelNames(kernel));
	}

	/** Kept: the free list is walked faster where it was walked before. */
	private memory: { readonly machine: Machine; readonly words: GuestMemory } | undefined;

	read(machine: Machine): Counts {
		if (this.memory?.machine !== machine) this.memory = { machine, words: GuestMemory.of(machine) };
		const { words } = this.memory;
		const sums = new Map<string, number>();
		const values = new Map<string, number>();
		const indices = new Map<string, number>();
		for (const { path, address } of this.counts) {
			const value = (words.u32(address) ?? 0) | 0;
			const index = indices.get(path) ?? 0;
			indices.set(path, index + 1);
			sums.set(path, (sums.get(path) ?? 0) + value);
			if (value !== 0) values.set(path.replace("[*]", `[${index}]`), value);
		}
		const processes = this.pids.map(({ address }) => words.u32(address) ?? 0).filter((pid) => pid !== 0);
		return {
			sums,
			values,
			freeFrames: this.freeFrames(words),
			processes: processes.length > 0 ? processes.sort((a, b) => a - b).join(" ") : undefined,
		};
	}

	private freeFrames(memory: GuestMemory): number | undefined {
		const { names } = this;
		return names && this.kernel.attempt(() => readFreeFrames(memory, names).count);
	}
}

/** What a command did not give back, or gave back twice: both at the prompt, with the same processes. */
export function driftsOf(before: Counts, after: Counts): readonly Drift[] {
	if (before.processes === undefined || before.processes !== after.processes) return [];
	const drifts: Drift[] = [];
	for (const [path, sum] of before.sums) {
		const now = after.sums.get(path) ?? sum;
		if (now === sum) continue;
		const names = new Set([...before.values.keys(), ...after.values.keys()]);
		const elements = [...names].flatMap((name) => {
			const [was, is] = [before.values.get(name) ?? 0, after.values.get(name) ?? 0];
			return withoutIndices(name) === path && was !== is ? [`${name} is ${is}, was ${was}`] : [];
		});
		drifts.push({ path, before: sum, after: now, elements: elements.slice(0, shown) });
	}
	if (before.freeFrames !== undefined && after.freeFrames !== undefined && before.freeFrames !== after.freeFrames) {
		drifts.push({ path: "free frames", before: before.freeFrames, after: after.freeFrames, elements: [] });
	}
	return drifts;
}

function withoutIndices(path: string): string {
	return path.replace(/\[\d+\]/g, "[*]");
}
