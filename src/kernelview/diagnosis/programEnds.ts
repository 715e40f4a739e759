import type { Sources } from "../look.ts";

/** A process that made the system call exit. */
export interface ProgramExit {
	readonly pid: number;
	readonly name: string;
	/** As a program's parent gets it: an int. */
	readonly status: number;
}

/** More is not kept: a program may fork for hours. */
const mostTaken = 4096;

/**
 * How the programs of a command ended, which the shell of xv6 keeps to itself: the exit status of those that it started itself, and
 * which processes took the exit status of their children. Runs inside the machine's events.
 */
export class ProgramEnds {
	/** Of the processes that those started who were there before. */
	readonly exits: ProgramExit[] = [];
	private before: ReadonlySet<number>;
	/** By pid of a child that ended: who took its status. */
	private readonly taken = new Map<number, number>();
	/** By slot: the pid of a process that is in wait() and asked for the status. */
	private readonly waits = new Map<number, number>();

	constructor(private readonly sources: Sources) {
		this.before = new Set();
	}

	begin(): void {
		this.exits.length = 0;
		this.taken.clear();
		this.waits.clear();
		this.before = new Set(this.sources.processes.all().map(({ pid }) => pid));
	}

	/** A system call begins; `handler`: its function in the kernel. */
	call(hart: number, handler: string | undefined): void {
		if (handler !== "sys_exit" && handler !== "sys_wait") return;
		const { processes, machine } = this.sources;
		const slot = processes.slotOn(hart);
		const argument = machine.harts[hart]?.low(10) ?? 0;
		if (slot === undefined) return;
		if (handler === "sys_wait") {
			if (argument !== 0) this.waits.set(slot, processes.pidOf(slot));
			return;
		}
		const process = processes.read(slot);
		if (process && this.isStarted(process)) {
			const { pid, name } = process;
			this.exits.push({ pid, name, status: argument | 0 });
		}
	}

	/** A trap's handler returns to user mode. */
	returned(hart: number): void {
		if (this.waits.size === 0) return;
		const { processes, machine } = this.sources;
		const slot = processes.slotOn(hart);
		const parent = slot === undefined ? undefined : this.waits.get(slot);
		if (slot === undefined || parent === undefined) return;
		this.waits.delete(slot);
		const child = (machine.harts[hart]?.low(10) ?? 0) | 0;
		if (child > 0 && processes.pidOf(slot) === parent && this.taken.size < mostTaken) this.taken.set(child, parent);
	}

	/** The command's own program, not one that it forked. */
	isStarted({ pid, parent }: { readonly pid: number; readonly parent: number }): boolean {
		return !this.before.has(pid) && this.before.has(parent);
	}

	/** Its parent asked wait() for the exit status, and got it. */
	isTaken({ pid, parent }: { readonly pid: number; readonly parent: number }): boolean {
		return parent > 0 && this.taken.get(pid) === parent;
	}
}
