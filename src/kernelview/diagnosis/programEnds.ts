import type { Sources } from "../look.ts";

/** A process that made the system call exit. */
interface ProgramExit {
	readonly pid: number;
	readonly name: string;
	/** As a program's parent gets it: an int. 0 where the kernel has none. */
	readonly status: number;
	readonly instret: number;
}

/** More is not kept: a program may fork for hours. */
const mostTaken = 65_536;

/**
 * How the programs of a command ended, which the shell of xv6 keeps to itself: the exit status of those that it started itself, and
 * which processes took the exit status of their children. Runs inside the machine's events.
 */
export class ProgramEnds {
	/** Of the processes that those started who were there before. */
	readonly exits: ProgramExit[] = [];
	private before: ReadonlySet<number>;
	/** pids of processes that ended, and whose parent asked wait() for the exit status and got it; and when. */
	private readonly taken = new Map<number, number>();
	/** pids of those that the command started itself and that an exception took into the kernel. */
	private readonly faulted = new Map<number, number>();
	/** By slot: the pid of a process that is in wait() and asked for the status. */
	private readonly waits = new Map<number, number>();

	private status: boolean | undefined;

	constructor(private readonly sources: Sources) {
		this.before = new Set();
	}

	begin(): void {
		this.exits.length = 0;
		this.taken.clear();
		this.faulted.clear();
		this.waits.clear();
		this.before = new Set(this.sources.processes.all().map(({ pid }) => pid));
	}

	/** What came after this moment has not happened. */
	cut(instret: number): void {
		const kept = this.exits.filter((exit) => exit.instret <= instret);
		this.exits.splice(0, this.exits.length, ...kept);
		for (const map of [this.taken, this.faulted]) for (const [pid, when] of map) if (when > instret) map.delete(pid);
		this.waits.clear();
	}

	/** A system call begins; `handler`: its function in the kernel. */
	call(hart: number, handler: string | undefined): void {
		if (handler !== "sys_exit" && handler !== "sys_wait") return;
		const { processes, machine } = this.sources;
		const slot = processes.slotOn(hart);
		const argument = this.hasStatus() ? (machine.harts[hart]?.low(10) ?? 0) : 0;
		if (slot === undefined) return;
		if (handler === "sys_wait") {
			if (argument !== 0) this.waits.set(slot, processes.pidOf(slot));
			return;
		}
		const process = processes.read(slot);
		if (process && this.isStarted(process)) {
			const { pid, name } = process;
			this.exits.push({ pid, name, status: argument | 0, instret: machine.instret });
		}
	}

	/** xv6 before August 2019 had `exit(void)` and `wait(void)`: what is in a0 then is nobody's status. */
	private hasStatus(): boolean {
		this.status ??= !["exit", "kexit"].some((name) => this.parameters(name) === 0);
		return this.status;
	}

	private parameters(name: string): number | undefined {
		const { symbols } = this.sources.names;
		return symbols.attempt(() => symbols.info?.parameterCount(name));
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
		if (child > 0 && processes.pidOf(slot) === parent && this.taken.size < mostTaken)
			this.taken.set(child, machine.instret);
	}

	/** An exception of a user process that is no system call. */
	fault(process: { readonly pid: number; readonly parent: number }): void {
		if (this.isStarted(process)) this.faulted.set(process.pid, this.sources.machine.instret);
	}

	/** The command's own program, not one that it forked. */
	private isStarted({ pid, parent }: { readonly pid: number; readonly parent: number }): boolean {
		return !this.before.has(pid) && this.before.has(parent);
	}

	/** The programs of the command ended by themselves, all of them with 0; `killed`: pids that a trap ended. */
	haveSucceeded(killed: Iterable<number>): boolean {
		const { exits, faulted } = this;
		return (
			exits.length > 0 && exits.every(({ status }) => status === 0) && ![...killed].some((pid) => faulted.has(pid))
		);
	}

	/** Its parent asked wait() for the exit status, and got it. */
	isTaken(pid: number): boolean {
		return this.taken.has(pid);
	}
}
