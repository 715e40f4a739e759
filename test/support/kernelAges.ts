import { array, type CType, char, enumeration, int, pointer, struct, uint, uint64, ushort } from "./paperKernel.ts";

// Kernels of several years and courses, as their structures are laid out. What the views read has to be by name, never by place.
export const states = (...list: string[]) => enumeration("procstate", ...list);
export const context = struct("context", { ra: uint64, sp: uint64, s0: uint64 });
export const spinlock = struct("spinlock", { locked: uint, name: pointer(char), cpu: pointer() });
export const sleeplock = struct("sleeplock", { locked: uint, lk: spinlock, name: pointer(char), pid: int });
export const name = array(char, 16);

export interface Age {
	readonly year: string;
	readonly proc: CType;
	readonly cpu: CType;
	readonly cpus: string;
	/** Number of SLEEPING. */
	readonly sleeping: number;
}

export const ages: readonly Age[] = [
	{
		year: "2019: trap frame `tf`, no USED",
		proc: struct("proc", {
			lock: spinlock,
			state: states("UNUSED", "SLEEPING", "RUNNABLE", "RUNNING", "ZOMBIE"),
			parent: pointer(),
			chan: pointer(),
			killed: int,
			xstate: int,
			pid: int,
			kstack: uint64,
			sz: uint64,
			pagetable: pointer(),
			tf: pointer(),
			context,
			name,
		}),
		cpu: struct("cpu", { proc: pointer(), scheduler: context, noff: int, intena: int }),
		cpus: "cpus",
		sleeping: 1,
	},
	{
		year: "2022: USED, trap frame by its name",
		proc: struct("proc", {
			lock: spinlock,
			state: states("UNUSED", "USED", "SLEEPING", "RUNNABLE", "RUNNING", "ZOMBIE"),
			chan: pointer(),
			killed: int,
			xstate: int,
			pid: int,
			parent: pointer(),
			kstack: uint64,
			sz: uint64,
			pagetable: pointer(),
			trapframe: pointer(),
			context,
			name,
		}),
		cpu: struct("cpu", { proc: pointer(), context, noff: int, intena: int }),
		cpus: "cpus",
		sleeping: 2,
	},
	{
		year: "a course's own: other order, other members between, `cpu[]`",
		proc: struct("proc", {
			name,
			traced: ushort,
			pid: int,
			state: states("UNUSED", "EMBRYO", "STOPPED", "SLEEPING", "RUNNABLE", "RUNNING", "ZOMBIE"),
			pagetable: pointer(),
			tickets: array(int, 7),
			sz: uint64,
			parent: pointer(),
			lock: spinlock,
			killed: int,
			kstack: uint64,
			chan: pointer(),
			context,
			trapframe: pointer(),
		}),
		cpu: struct("cpu", { noff: int, proc: pointer(), context }),
		cpus: "cpu",
		sleeping: 3,
	},
];
