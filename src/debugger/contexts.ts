import { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { findMember, plain, type StructType, type Type } from "../debuginfo/types.ts";
import type { UnwindContext } from "../debuginfo/unwind.ts";
import type { Hart, MachineSurface } from "../machine/types.ts";
import { csrNumber } from "../riscv/csr.ts";
import { integerRegisters } from "../riscv/registers.ts";
import { Space } from "./space.ts";

const satp = csrNumber("satp") as number;
/** Memory layout of every xv6-riscv (kernel/memlayout.h): the topmost page below MAXVA. */
const trampolineVa = (1n << 38n) - 4096n;
const pageBytes = 4096n;
/** Thread ids of harts that run no process; pids are far below. */
const firstHartThread = 1_000_000;
/** Bytes of a program's text that tell it from another. */
const fingerprintBytes = 256;
const maxProcesses = 4096;

/** A used slot of proc[]. */
interface ProcessContext {
	/** Physical address of its struct proc. */
	readonly address: bigint;
	readonly slot: number;
	readonly pid: number;
	readonly name: string;
	/** `RUNNING`, `SLEEPING`, … */
	readonly state: string;
	readonly space: Space;
	/** Physical address of the trap frame; undefined: it has none. */
	readonly trapframe: bigint | undefined;
	/** The hart that runs it. */
	readonly hart: number | undefined;
}

/** Something with a stack: a process, or a hart's scheduler while it runs none. */
export interface Thread {
	readonly id: number;
	readonly name: string;
	readonly process: ProcessContext | undefined;
	/** The hart that it is on. */
	readonly hart: Hart | undefined;
}

/** Registers of one moment of a thread, in kernel or user mode. */
export interface RegisterSet {
	readonly mode: "user" | "kernel" | "machine";
	readonly pc: bigint;
	readonly context: UnwindContext;
	readonly space: Space;
	/** Undefined: its program is not known. */
	readonly symbols: ProgramSymbols | undefined;
	/** It is what a trap interrupted, not what a call left. */
	readonly interrupted: boolean;
}

interface Layout {
	readonly proc: { readonly address: bigint; readonly count: number; readonly type: StructType } | undefined;
	readonly cpus: { readonly address: bigint; readonly count: number; readonly type: StructType } | undefined;
	readonly trapframe: StructType | undefined;
	readonly states: ReadonlyMap<number, string>;
	/** Where harts boot, and their schedulers run. */
	readonly stack0: { readonly address: bigint; readonly size: bigint } | undefined;
}

const defaultStates = ["UNUSED", "USED", "SLEEPING", "RUNNABLE", "RUNNING", "ZOMBIE"];

/** From a process or hart to its registers, address space and program; read from the stopped machine each time, nothing is kept. */
export class Contexts {
	readonly kernel: ProgramSymbols;
	readonly physical: Space;
	private readonly programs = new Map<string, ProgramSymbols | undefined>();
	private readonly layout: Layout;
	private readonly offsets = new Map<string, number | undefined>();
	private readonly trampoline: bigint | undefined;

	constructor(
		readonly machine: MachineSurface,
		kernel: Uint8Array,
		private readonly programFiles: ReadonlyMap<string, Uint8Array>,
	) {
		this.kernel = new ProgramSymbols("kernel", kernel);
		this.physical = new Space(machine, undefined, "p");
		this.layout = this.readLayout();
		const trampoline = this.kernel.symbol("trampoline") ?? this.kernel.symbol("uservec");
		this.trampoline = trampoline === undefined ? undefined : BigInt(trampoline) & ~(pageBytes - 1n);
	}

	private readLayout(): Layout {
		const { info } = this.kernel;
		const array = (name: string) => {
			const variable = this.kernel.attempt(() => info?.variable(name));
			const type = plain(variable?.type);
			const element = type?.kind === "array" ? plain(type.element) : undefined;
			if (!variable || type?.kind !== "array" || element?.kind !== "struct" || element.size === 0) return undefined;
			return { address: BigInt(variable.address), count: Math.min(type.count, maxProcesses), type: element };
		};
		const proc = array("proc");
		const state = plain(proc && findMember(proc.type, "state")?.type);
		const stack = this.kernel.attempt(() => info?.variable("stack0"));
		return {
			proc,
			cpus: array("cpus") ?? array("cpu"),
			trapframe: this.kernel.attempt(() => info?.struct("trapframe")),
			stack0: stack && { address: BigInt(stack.address), size: BigInt(stack.type?.size ?? 0) },
			states: state?.kind === "enum" ? state.values : new Map(defaultStates.entries()),
		};
	}

	// ---- memory of the kernel --------------------------------------------------------------------------------------

	/** Offset of a member; a dotted name goes inwards. */
	private offset(type: StructType, path: string): bigint | undefined {
		const key = `${type.name}.${path}`;
		if (!this.offsets.has(key)) {
			let at = 0;
			let current: Type | undefined = type;
			for (const part of path.split(".")) {
				const whole: Type | undefined = plain(current);
				const member = whole?.kind === "struct" || whole?.kind === "union" ? findMember(whole, part) : undefined;
				if (!member) at = Number.NaN;
				else at += member.offset;
				current = member?.type;
			}
			this.offsets.set(key, Number.isNaN(at) ? undefined : at);
		}
		const found = this.offsets.get(key);
		return found === undefined ? undefined : BigInt(found);
	}

	private field(at: bigint, type: StructType, path: string, size: number): bigint | undefined {
		const offset = this.offset(type, path);
		return offset === undefined ? undefined : this.physical.read(at + offset, size);
	}

	/** struct proc's pointer to the trap frame: `trapframe`, in older kernels `tf`. */
	private trapframeOf(address: bigint): bigint | undefined {
		const { proc } = this.layout;
		if (!proc) return undefined;
		return this.field(address, proc.type, "trapframe", 8) ?? this.field(address, proc.type, "tf", 8);
	}

	/** The kernel's own space: what satp says on a hart in the kernel, else its page table variable. */
	kernelSpace(fallback?: Space): Space {
		const variable = this.kernel.attempt(() => this.kernel.info?.variable("kernel_pagetable"));
		const root = variable && this.physical.read(BigInt(variable.address), 8);
		if (root) return new Space(this.machine, root, "k", fallback);
		const hart = this.machine.harts.find(({ mode }) => mode === 1);
		return Space.ofSatp(this.machine, hart?.csr(satp) ?? 0n, "k", fallback);
	}

	// ---- processes -------------------------------------------------------------------------------------------------

	processes(): ProcessContext[] {
		const { proc } = this.layout;
		if (!proc) return [];
		const found: ProcessContext[] = [];
		const onHarts = this.machine.harts.map(({ id }) => this.processOnHart(id));
		for (let slot = 0; slot < proc.count; slot++) {
			const process = this.process(slot, onHarts);
			if (process) found.push(process);
		}
		return found;
	}

	/**
	 * Address of the struct proc that a hart runs. cpus[].proc says so a little longer than is true: on the way to and from the process the
	 * hart is on the scheduler's stack, which is its boot stack.
	 */
	processOnHart(hart: number): bigint | undefined {
		const { cpus, stack0 } = this.layout;
		if (!cpus || hart >= cpus.count) return undefined;
		const pointer = this.field(cpus.address + BigInt(hart * cpus.type.size), cpus.type, "proc", 8);
		if (!pointer) return undefined;
		const state = this.machine.harts[hart] as Hart;
		const stack = state.register(2);
		if (state.mode !== 0 && stack0 && stack > stack0.address && stack <= stack0.address + stack0.size) return undefined;
		return pointer;
	}

	pidOnHart(hart: number): number {
		const address = this.processOnHart(hart);
		const { proc } = this.layout;
		if (address === undefined || !proc) return 0;
		return Number(this.field(address, proc.type, "pid", 4) ?? 0n);
	}

	/** The process that made it. */
	parentOf(process: ProcessContext): ProcessContext | undefined {
		const { proc } = this.layout;
		const parent = proc && this.field(process.address, proc.type, "parent", 8);
		return parent ? this.processAt(parent) : undefined;
	}

	private process(slot: number, onHarts: readonly (bigint | undefined)[]): ProcessContext | undefined {
		const { proc, states } = this.layout;
		if (!proc) return undefined;
		const address = proc.address + BigInt(slot * proc.type.size);
		const value = this.field(address, proc.type, "state", 4);
		const state = value === undefined ? "UNUSED" : (states.get(Number(value)) ?? `state ${value}`);
		if (state === "UNUSED") return undefined;
		const pid = Number(this.field(address, proc.type, "pid", 4) ?? 0n);
		const hart = onHarts.indexOf(address);
		const root = this.field(address, proc.type, "pagetable", 8) ?? 0n;
		const trapframe = this.trapframeOf(address);
		const name = this.offset(proc.type, "name");
		return {
			address,
			slot,
			pid,
			state,
			name: name === undefined ? "" : (this.physical.text(address + name, 16)?.text ?? ""),
			// A process without a page table (being made or taken apart) has no memory: an unmapped root, not physical memory.
			space: new Space(this.machine, root, `u${pid}`),
			trapframe: trapframe === 0n ? undefined : trapframe,
			hart: hart >= 0 ? hart : undefined,
		};
	}

	// ---- threads ---------------------------------------------------------------------------------------------------

	/** Processes in the order of their slots, then each hart that runs none. */
	threads(): Thread[] {
		const processes = this.processes();
		const threads: Thread[] = processes.map((process) => {
			const hart = process.hart === undefined ? undefined : this.machine.harts[process.hart];
			return { id: process.pid, name: threadName(process), process, hart };
		});
		for (const hart of this.machine.harts)
			if (!processes.some((process) => process.hart === hart.id)) threads.push(hartThread(hart));
		return threads;
	}

	/** The thread that a hart runs. */
	threadOn(hart: number): Thread {
		const state = this.machine.harts[hart] as Hart;
		const address = this.processOnHart(hart);
		const process = address === undefined ? undefined : this.processAt(address);
		return process ? { id: process.pid, name: threadName(process), process, hart: state } : hartThread(state);
	}

	thread(id: number): Thread | undefined {
		return this.threads().find((thread) => thread.id === id);
	}

	/** The process of a struct proc. */
	private processAt(address: bigint): ProcessContext | undefined {
		const { proc } = this.layout;
		if (!proc) return undefined;
		const slot = Number(address - proc.address) / proc.type.size;
		if (!Number.isInteger(slot) || slot < 0 || slot >= proc.count) return undefined;
		return this.process(
			slot,
			this.machine.harts.map(({ id }) => this.processOnHart(id)),
		);
	}

	/** Registers of a thread: a hart's, or those that swtch saved. Undefined: it has none (being made, or gone). */
	registers(thread: Thread): RegisterSet | undefined {
		const { hart, process } = thread;
		if (hart) return this.registersOfHart(hart, process);
		const { proc } = this.layout;
		if (!process || !proc) return undefined;
		const saved = (name: string) => this.field(process.address, proc.type, `context.${name}`, 8);
		const pc = saved("ra");
		if (pc === undefined || pc === 0n) return undefined;
		const space = this.kernelSpace(process.space);
		return {
			mode: "kernel",
			pc,
			space,
			symbols: this.kernel,
			// swtch returns to a place that nothing has run yet: the call before it is the line.
			interrupted: false,
			context: {
				register: (index) => (isSavedBySwtch(index) ? saved(integerRegisters[index] as string) : undefined),
				memory: (at, size) => space.read(at, size),
			},
		};
	}

	private registersOfHart(hart: Hart, process: ProcessContext | undefined): RegisterSet {
		const mode = hart.mode === 0 ? "user" : hart.mode === 1 ? "kernel" : "machine";
		const value = hart.mode === 3 ? 0n : (hart.csr(satp) ?? 0n);
		const user = mode === "user";
		const space = Space.ofSatp(
			this.machine,
			value,
			user ? `u${process?.pid ?? 0}` : "k",
			user ? undefined : process?.space,
		);
		return {
			mode,
			pc: hart.pc,
			space,
			symbols: user ? process && this.programOf(process, space) : this.kernel,
			interrupted: true,
			context: {
				register: (index) => hart.register(index),
				memory: (at, size) => space.read(at, size),
				csr: (number) => hart.csr(number),
			},
		};
	}

	/** What a process was doing in user mode when it last entered the kernel, from its trap frame. */
	userRegisters(process: ProcessContext): RegisterSet | undefined {
		const { trapframe } = this.layout;
		const at = process.trapframe;
		if (!trapframe || at === undefined) return undefined;
		const saved = (name: string) => this.field(at, trapframe, name, 8);
		const pc = saved("epc");
		if (pc === undefined) return undefined;
		const { space } = process;
		return {
			mode: "user",
			pc,
			space,
			symbols: this.programOf(process, space),
			interrupted: true,
			context: {
				register: (index) => (index === 0 ? 0n : saved(integerRegisters[index] as string)),
				memory: (address, size) => space.read(address, size),
			},
		};
	}

	/** Where a process' kernel stack ends: what uservec loads as sp. */
	kernelStackTop(process: ProcessContext): bigint | undefined {
		const { trapframe, proc } = this.layout;
		if (trapframe && process.trapframe !== undefined) {
			const top = this.field(process.trapframe, trapframe, "kernel_sp", 8);
			if (top) return top;
		}
		const stack = proc && this.field(process.address, proc.type, "kstack", 8);
		return stack ? stack + pageBytes : undefined;
	}

	trapframeType(): StructType | undefined {
		return this.layout.trapframe;
	}

	procType(): StructType | undefined {
		return this.layout.proc?.type;
	}

	// ---- programs --------------------------------------------------------------------------------------------------

	get programNames(): readonly string[] {
		return [...this.programFiles.keys()];
	}

	program(name: string): ProgramSymbols | undefined {
		if (!this.programs.has(name)) {
			const file = this.programFiles.get(name);
			this.programs.set(name, file && new ProgramSymbols(name, file));
		}
		return this.programs.get(name);
	}

	/** The program whose code a space holds: the one that the process is named after, else (during exec, after a rename) the one that matches. */
	programOf(process: ProcessContext, space: Space): ProgramSymbols | undefined {
		const named = this.program(process.name);
		const agrees = named && this.holds(space, named);
		if (named && agrees !== false) return named;
		for (const name of this.programFiles.keys()) {
			const other = this.program(name);
			if (other && other !== named && this.holds(space, other) === true) return other;
		}
		return undefined;
	}

	/** Whether a program's code is in a space; undefined: its pages are not there (yet). */
	holds(space: Space, program: ProgramSymbols): boolean | undefined {
		const segment = program.segments.find((one) => one.flags & 1);
		const code = segment && program.elf?.loaded(segment.address, fingerprintBytes);
		if (!segment || !code) return undefined;
		const there = space.bytes(BigInt(segment.address), code.length);
		if (there.length === 0) return undefined;
		return there.every((byte, i) => byte === code[i]);
	}

	/** The trampoline page runs at the top of every space, and lies in the kernel's image. */
	readonly link = (pc: bigint): bigint =>
		this.trampoline !== undefined && pc >= trampolineVa && pc < trampolineVa + pageBytes
			? this.trampoline + pc - trampolineVa
			: pc;

	/** Where code of the kernel's image runs beside its own address. */
	unlink(address: bigint): bigint | undefined {
		if (this.trampoline === undefined || address < this.trampoline || address >= this.trampoline + pageBytes)
			return undefined;
		return trampolineVa + address - this.trampoline;
	}
}

const isSavedBySwtch = (index: number) =>
	index === 1 || index === 2 || index === 8 || index === 9 || (index >= 18 && index <= 27);

function hartThread(hart: Hart): Thread {
	return { id: firstHartThread + hart.id, name: `hart ${hart.id} (scheduler)`, process: undefined, hart };
}

function threadName({ pid, name, hart, state }: ProcessContext): string {
	return `pid ${pid} ${name || "(no name)"} (${hart === undefined ? state.toLowerCase() : `running on hart ${hart}`})`;
}
