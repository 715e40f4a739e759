import { hex } from "../common/bytes.ts";
import { type Disposable, DisposableStore, toDisposable } from "../common/disposable.ts";
import type { Event } from "../common/event.ts";
import type { MachineSurface, Trap } from "../machine/types.ts";
import { exceptions } from "../riscv/causes.ts";
import type { Contexts } from "./contexts.ts";

export type ExceptionFilter = "panic" | "killed" | "page-fault" | "kernel-trap" | "finding" | "no-progress";

interface ExceptionFilterInfo {
	readonly filter: ExceptionFilter;
	readonly label: string;
	readonly description: string;
	readonly default: boolean;
}

export const exceptionFilters: readonly ExceptionFilterInfo[] = [
	{ filter: "panic", label: "Kernel panic", description: "Stops where the kernel calls panic()", default: true },
	{
		filter: "killed",
		label: "User fault that kills",
		description: "Stops when the kernel ends a process because of a fault of its program",
		default: true,
	},
	{
		filter: "kernel-trap",
		label: "Exception in the kernel",
		description: "Stops when kernel code itself faults",
		default: true,
	},
	{
		filter: "page-fault",
		label: "Any user page fault",
		description: "Stops at each page fault of a user program, also at those that the kernel serves",
		default: false,
	},
	{
		filter: "finding",
		label: "Finding",
		description: "Stops when the kernel's memory is not as it should be: a leaked frame, two owners of one page, …",
		default: false,
	},
	{
		filter: "no-progress",
		label: "No progress",
		description: "Stops when the machine spins or waits without an end in sight",
		default: true,
	},
];

export interface ExceptionHit {
	readonly filter: ExceptionFilter;
	/** `load page fault`, or `panic`. */
	readonly name: string;
	readonly text: string;
	readonly hart: number | undefined;
	/** Of a fault: when it was taken, and where. */
	readonly fault?: Pick<Trap, "instret" | "pc" | "fromMode">;
}

/** What is wrong with the kernel's memory, told when it is first seen. */
export type FindingEvent = Event<{ readonly sentence: string; readonly severity: "error" | "warning" | "info" }>;

const ecall = 8;
const pageFaults: ReadonlySet<number> = new Set([12, 13, 15]);

/** Stops for what goes wrong by itself. */
export class Exceptions implements Disposable {
	private armed = new DisposableStore();
	private readonly faults = new Map<number, ExceptionHit>();
	/** The machine goes somewhere in its past: what happens on the way stops nothing. */
	searching = false;
	private isOver = false;
	/** What stopped the machine last. */
	lastHit: ExceptionHit | undefined;

	constructor(
		private readonly machine: MachineSurface,
		private readonly contexts: Contexts,
		/** Stops the machine from a listener. */
		private readonly stop: () => void,
		private readonly findings?: FindingEvent,
	) {}

	dispose(): void {
		this.isOver = true;
		this.armed.dispose();
	}

	private filters: ReadonlySet<ExceptionFilter> = new Set();

	/** Until the result is disposed of, stops for these instead. */
	instead(filters: ReadonlySet<ExceptionFilter>): Disposable {
		const before = this.filters;
		this.set(filters);
		return toDisposable(() => this.set(before));
	}

	set(filters: ReadonlySet<ExceptionFilter>): void {
		// What `instead` gives back may be disposed of after this.
		if (this.isOver) return;
		this.filters = filters;
		this.armed.dispose();
		this.armed = new DisposableStore();
		const { machine } = this;
		const { armed } = this;
		if (filters.has("panic")) this.atFunction("panic", (hart) => this.panicHit(hart));
		if (filters.has("killed")) {
			for (const name of ["exit", "kexit"]) this.atFunction(name, (hart) => this.killedHit(hart));
		}
		if (filters.has("killed") || filters.has("page-fault") || filters.has("kernel-trap"))
			armed.add(machine.onEveryTrap((trap) => this.trapped(trap, filters)));
		if (filters.has("finding") && this.findings)
			armed.add(
				this.findings(({ sentence, severity }) => {
					if (severity !== "info") this.hit({ filter: "finding", name: "finding", text: sentence, hart: undefined });
				}),
			);
		if (filters.has("no-progress"))
			armed.add(
				machine.onStall(({ message, harts }) =>
					this.hit({ filter: "no-progress", name: "no progress", text: message, hart: harts[0]?.hart }),
				),
			);
	}

	/** The hart's process took a fault that has not been served yet. */
	hasFault(hart: number): boolean {
		return this.faults.has(this.contexts.pidOnHart(hart));
	}

	private atFunction(name: string, hitOf: (hart: number) => ExceptionHit | undefined): void {
		const { kernel } = this.contexts;
		const address = kernel.attempt(() => kernel.info?.functionStart(name)) ?? kernel.symbol(name);
		if (address === undefined) return;
		this.armed.add(
			this.machine.addBreakpoint(BigInt(address), {
				when: (hart) => {
					// On the way to somewhere in the past breakpoints are hits, and this is none.
					const hit = this.searching || hart.mode === 0 ? undefined : hitOf(hart.id);
					if (hit) this.lastHit = hit;
					return hit !== undefined;
				},
			}),
		);
	}

	private panicHit(hart: number): ExceptionHit {
		const address = this.machine.harts[hart]?.register(10) ?? 0n;
		const message = this.contexts.kernelSpace().text(address, 200)?.text;
		return {
			filter: "panic",
			name: "panic",
			text: message === undefined ? "The kernel panicked" : `panic: ${message}`,
			hart,
		};
	}

	private killedHit(hart: number): ExceptionHit | undefined {
		const pid = this.contexts.pidOnHart(hart);
		const fault = this.faults.get(pid);
		return fault && { ...fault, hart, text: `${fault.text}; the kernel ends the process` };
	}

	private trapped(trap: Trap, filters: ReadonlySet<ExceptionFilter>): void {
		const { cause, fromMode, hart, interrupt } = trap;
		if (interrupt || fromMode === 3) return;
		const pid = this.contexts.pidOnHart(hart);
		if (fromMode === 0 && cause === ecall) {
			// A later call shows that the fault before it was served.
			this.faults.delete(pid);
			return;
		}
		const fault = { instret: trap.instret, pc: trap.pc, fromMode };
		const name = exceptions.find(({ code }) => code === cause)?.name ?? `exception ${cause}`;
		const thread = this.contexts.threadOn(hart).process;
		const who = thread ? `pid ${thread.pid} ${thread.name}` : `hart ${hart}`;
		const text = `${who}: ${name} at pc ${hex(trap.pc)}${trap.tval === 0n && !pageFaults.has(cause) ? "" : `, address ${hex(trap.tval)}`}`;
		if (fromMode === 1) {
			if (filters.has("kernel-trap"))
				this.hit({ filter: "kernel-trap", name, text: `In the kernel: ${text}`, hart, fault });
			return;
		}
		this.faults.set(pid, { filter: "killed", name, text, hart, fault });
		if (filters.has("page-fault") && pageFaults.has(cause)) this.hit({ filter: "page-fault", name, text, hart, fault });
	}

	private hit(hit: ExceptionHit): void {
		if (this.searching) return;
		this.lastHit = hit;
		this.stop();
	}
}
