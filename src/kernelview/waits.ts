import { hex } from "../common/bytes.ts";
import type { Recorder } from "./diagnosis/recorder.ts";
import type { Sources } from "./look.ts";
import type { Process } from "./processes.ts";

/** A process, as far as it tells what it waits for. */
export interface Waiter {
	readonly pid: number;
	readonly name: string;
	readonly state: string;
	/** The channel by name, as in ProcessModel. */
	readonly sleepsOn?: string;
	/** Of one in the system call sleep: the ticks that it asked for, and `ticks` at the time. */
	readonly nap?: { readonly wanted: number; readonly since: number } | undefined;
	/** The hart that runs it, as the kernel has it. */
	readonly hart?: number | undefined;
}

export interface Waits {
	readonly processes: readonly Waiter[];
	/** The kernel's count of clock interrupts; undefined: it has none by that name. */
	readonly ticks?: number | undefined;
}

/** The channel by name. */
export function sleepsOn({ names }: Sources, { state, chan }: Process): { readonly sleepsOn?: string } {
	if (state !== "SLEEPING" || chan === 0) return {};
	return { sleepsOn: names.describe(chan) ?? hex(chan) };
}

/** What each process waits for, without a look at any page table. */
export function readWaits(sources: Sources, recorder: Recorder): Waits {
	const { machine, memory, names, processes } = sources;
	memory.refresh();
	const ticks = names.variable("ticks");
	const hartOf = new Map(machine.harts.map(({ id }) => [processes.slotOn(id), id]));
	return {
		processes: processes.all().map((process) => {
			const { pid, name, state, slot } = process;
			const hart = state === "RUNNING" ? hartOf.get(slot) : undefined;
			return { pid, name, state, ...sleepsOn(sources, process), nap: recorder.napOf(process), hart };
		}),
		ticks: ticks && memory.u32(ticks.address),
	};
}
