import { forgetOldest } from "../../common/collections.ts";
import type { Trap } from "../../machine/types.ts";
import type { DiagnosisFrame } from "../../protocol/diagnosis.ts";
import { causeName } from "../../riscv/causes.ts";
import type { Sources } from "../look.ts";
import type { Process } from "../processes.ts";
import type { Lock, LockReader } from "./locks.ts";
import { ProgramEnds } from "./programEnds.ts";

/** A trap of the kernel's own code that is no interrupt, with the calls that led to it. */
export interface KernelTrap {
	readonly hart: number;
	readonly cause: number;
	readonly pc: number;
	readonly tval: bigint;
	readonly sp: number;
	readonly instret: number;
	/** At the first instruction after a return from a trap to supervisor mode. */
	readonly bySret: boolean;
	readonly process: Process | undefined;
	readonly frames: readonly DiagnosisFrame[];
	/** x0 to x31 at the trap. */
	readonly registers: readonly bigint[];
}

/** An exception of a user process that is no system call. */
export interface UserTrap {
	readonly hart: number;
	readonly cause: number;
	readonly pc: number;
	readonly tval: bigint;
	readonly sp: number;
	readonly instret: number;
	readonly process: Process;
}

/** A trap handler that returned with interrupts still pushed off: it took a lock, or called push_off(), and never undid it. */
export interface LockLeak {
	readonly hart: number;
	readonly instret: number;
	/** `system call sleep`, `timer interrupt`. */
	readonly during: string;
	/** Name of the handler in the kernel: `sys_sleep`; undefined for what is no system call. */
	readonly handler: string | undefined;
	readonly process: { readonly pid: number; readonly name: string } | undefined;
	readonly locks: readonly Lock[];
}

interface UnknownCall {
	readonly number: number;
	readonly pid: number;
	readonly name: string;
	/** The first time. */
	readonly instret: number;
	times: number;
}

interface LastTrap {
	cause: number;
	interrupt: boolean;
	pc: number;
	/** How often in a row one trap came back to its own instruction. */
	same: number;
	fromMode: number;
	/** Its handler is machine mode's. */
	machine: boolean;
}

/** A system call sleep that has not returned. */
export interface Nap {
	/** Ticks that it asked for. */
	readonly wanted: number;
	/** `ticks` at the time. */
	readonly since: number;
	/** Clock interrupts until then. */
	readonly clocks: number;
}

/** What a process, or a hart without one, is in the kernel for: handlers sleep, and come back on another hart. */
interface Reason {
	/** -1: no system call. */
	call: number;
	cause: number;
	interrupt: boolean;
}

const mostKept = 8;
/** Programs that test a kernel have hundreds of children killed. */
const mostUserTraps = 4096;
const ecallFromUser = 8;
const externalInterrupt = 9;
/** Supervisor mode's timer, and the software interrupt by which older kernels pass machine mode's on. */
const clockInterrupts: ReadonlySet<number> = new Set([1, 5]);
/** Handlers of the system call that sleeps for ticks; MIT calls it pause since 2025. */
const naps: ReadonlySet<string> = new Set(["sys_sleep", "sys_pause"]);

/** What happened on each hart that memory does not keep. Runs inside the machine's events: short, and cheap for what is usual. */
export class Recorder {
	readonly kernelTraps: KernelTrap[] = [];
	/** The last one by pid, in the order of these. */
	readonly userTraps = new Map<number, UserTrap>();
	readonly leaks: LockLeak[] = [];
	readonly unknownCalls = new Map<string, UnknownCall>();
	/** By hart: guest time of the last trap that was no timer tick, and of the last interrupt of a device. */
	readonly lastWork: number[] = [];
	/** By hart: timer ticks since. */
	readonly ticksSinceWork: number[] = [];
	readonly externals: number[] = [];
	/** By hart: guest time of the last trap into supervisor mode. */
	readonly lastTrap: number[] = [];
	readonly ends: ProgramEnds;
	private readonly last: LastTrap[] = [];
	/** By hart: the last return from a trap; `steps`: the hart's own. */
	private readonly cameBack: { readonly pc: bigint; readonly toMode: number; readonly steps: bigint }[] = [];
	/** By slot of a process whose last system call was sleep. */
	private readonly naps = new Map<number, Nap & { readonly pid: number }>();
	/** Clock interrupts that the kernel was told of. */
	private clocks = 0;
	/** Handlers by number of the system call. */
	private readonly handlers = new Map<number, string | undefined>();
	/** By slot of proc[], for traps from user mode and from the kernel; harts without a process count from -1 down. */
	private readonly fromUser = new Map<number, Reason>();
	private readonly fromKernel = new Map<number, Reason>();

	constructor(
		private readonly sources: Sources,
		private readonly locks: () => LockReader,
		private readonly unwindHart: (hart: number, pc: bigint) => readonly DiagnosisFrame[],
	) {
		this.ends = new ProgramEnds(sources);
	}

	clear(): void {
		this.kernelTraps.length = 0;
		this.userTraps.clear();
		this.leaks.length = 0;
		this.unknownCalls.clear();
		this.ends.begin();
	}

	/** What came after this moment has not happened. What processes are in the kernel for is learnt again, a trap each. */
	cut(instret: number): void {
		const isLater = (one: { readonly instret: number }) => one.instret > instret;
		for (const list of [this.kernelTraps, this.leaks]) {
			const first = list.findIndex(isLater);
			if (first >= 0) list.length = first;
		}
		for (const [pid, trap] of this.userTraps) if (isLater(trap)) this.userTraps.delete(pid);
		for (const [key, call] of this.unknownCalls) if (call.instret > instret) this.unknownCalls.delete(key);
		for (const times of [this.lastWork, this.lastTrap])
			times.forEach((time, hart) => {
				times[hart] = Math.min(time, instret);
			});
		for (const map of [this.naps, this.fromUser, this.fromKernel]) map.clear();
		this.last.length = 0;
		this.cameBack.length = 0;
		this.ends.cut(instret);
	}

	/** How often in a row the last trap of a hart returned to the instruction that trapped. */
	repeatsOf(
		hart: number,
	): { readonly cause: number; readonly pc: number; readonly times: number; readonly user: boolean } | undefined {
		const last = this.last[hart];
		return last && !last.interrupt
			? { cause: last.cause, pc: last.pc, times: last.same, user: last.fromMode === 0 }
			: undefined;
	}

	trap(trap: Trap): void {
		const { hart, cause, interrupt, fromMode, toMode } = trap;
		let last = this.last[hart];
		if (!last) {
			last = { cause: -1, interrupt: false, pc: 0, same: 0, fromMode: 3, machine: false };
			this.last[hart] = last;
		}
		last.machine = toMode === 3;
		if (toMode === 3) return;
		this.lastTrap[hart] = trap.instret;
		this.enter(hart, cause, interrupt, fromMode);
		if (interrupt) {
			last.interrupt = true;
			last.cause = cause;
			if (clockInterrupts.has(cause)) {
				this.clocks++;
				this.ticksSinceWork[hart] = (this.ticksSinceWork[hart] ?? 0) + 1;
			}
			if (cause === externalInterrupt) {
				this.ticksSinceWork[hart] = 0;
				this.externals[hart] = (this.externals[hart] ?? 0) + 1;
				this.lastWork[hart] = trap.instret;
			}
			return;
		}
		const pc = Number(trap.pc);
		if (last.pc !== pc || last.cause !== cause) last.same = 0;
		Object.assign(last, { cause, interrupt: false, pc, fromMode });
		this.lastWork[hart] = trap.instret;
		this.ticksSinceWork[hart] = 0;
		if (fromMode === 1) this.kernelTrap(trap, pc);
		else if (cause === ecallFromUser) this.call(hart, trap);
		else this.userTrap(trap, pc);
	}

	private enter(hart: number, cause: number, interrupt: boolean, fromMode: number): void {
		const key = this.sources.processes.slotOn(hart) ?? -1 - hart;
		const reasons = fromMode === 0 ? this.fromUser : this.fromKernel;
		const call = !interrupt && cause === ecallFromUser ? (this.sources.machine.harts[hart]?.low(17) ?? 0) : -1;
		const known = reasons.get(key);
		if (known) Object.assign(known, { call, cause, interrupt });
		else reasons.set(key, { call, cause, interrupt });
	}

	private kernelTrap({ hart, cause, tval, instret }: Trap, pc: number): void {
		if (this.kernelTraps.length >= mostKept) return;
		const state = this.sources.machine.harts[hart];
		if (!state) return;
		const sp = Number(state.register(2));
		const slot = this.sources.processes.slotOn(hart);
		// Of a call that led nowhere only its return address tells.
		const from = this.isCode(pc) ? BigInt(pc) : state.register(1) - 1n;
		this.kernelTraps.push({
			...{ hart, cause, pc, tval, instret, sp },
			bySret: this.isReturn(hart, BigInt(pc), state.instret),
			process: slot === undefined ? undefined : this.sources.processes.read(slot),
			frames: this.unwindHart(hart, from),
			registers: Array.from({ length: 32 }, (_, i) => state.register(i)),
		});
	}

	/** Whether a return from a trap, to supervisor mode, was the last thing that the hart did before it was at this place. */
	private isReturn(hart: number, pc: bigint, steps: bigint): boolean {
		const back = this.cameBack[hart];
		return back?.toMode === 1 && back.pc === BigInt.asUintN(64, pc) && steps - back.steps <= 1n;
	}

	private isCode(pc: number): boolean {
		const { memory, names } = this.sources;
		return names.etext === undefined || (pc >= memory.base && pc < names.etext);
	}

	private userTrap({ hart, cause, tval, instret, root }: Trap, pc: number): void {
		const process = this.sources.processes.withRoot(root, hart);
		if (!process) return;
		this.ends.fault(process);
		const sp = Number(this.sources.machine.harts[hart]?.register(2) ?? 0n);
		this.userTraps.delete(process.pid);
		this.userTraps.set(process.pid, { hart, cause, pc, tval, sp, instret, process });
		if (this.userTraps.size > mostUserTraps) forgetOldest(this.userTraps);
	}

	private call(hart: number, { root, instret }: Trap): void {
		const number = this.sources.machine.harts[hart]?.low(17) ?? 0;
		const handler = this.handlerOf(number);
		this.ends.call(hart, handler);
		this.nap(hart, handler);
		const { syscalls } = this.sources.names;
		if (!syscalls || (number > 0 && number < syscalls.count && this.sources.memory.u64(syscalls.address + 8 * number)))
			return;
		const process = this.sources.processes.withRoot(root, hart);
		if (!process) return;
		const key = `${process.pid} ${number}`;
		const known = this.unknownCalls.get(key);
		if (known) known.times++;
		else if (this.unknownCalls.size < 32)
			this.unknownCalls.set(key, { number, pid: process.pid, name: process.name, instret, times: 1 });
	}

	private nap(hart: number, handler: string | undefined): void {
		const { processes, names, machine, memory } = this.sources;
		const isNap = handler !== undefined && naps.has(handler);
		if (!isNap && this.naps.size === 0) return;
		const slot = processes.slotOn(hart);
		if (slot !== undefined) this.naps.delete(slot);
		if (!isNap) return;
		const ticks = names.variable("ticks");
		const wanted = (machine.harts[hart]?.low(10) ?? 0) | 0;
		const since = ticks && memory.u32(ticks.address);
		if (slot !== undefined && since !== undefined)
			this.naps.set(slot, { pid: processes.pidOf(slot), wanted, since, clocks: this.clocks });
	}

	/** Of a process whose last system call is sleep. */
	napOf({ slot, pid }: Process): Nap | undefined {
		const nap = this.naps.get(slot);
		return nap?.pid === pid && nap.wanted >= 0 ? nap : undefined;
	}

	/** Clock interrupts that the kernel was told of since a process went to sleep. */
	clocksSince(nap: Nap): number {
		return this.clocks - nap.clocks;
	}

	/** sret or mret. */
	returned(event: { readonly hart: number; readonly pc: bigint; readonly toMode: number }): void {
		const { hart } = event;
		const steps = this.sources.machine.harts[hart]?.instret ?? 0n;
		this.cameBack[hart] = { pc: event.pc, toMode: event.toMode, steps };
		const last = this.last[hart];
		if (!last || last.machine) {
			if (last) last.machine = false;
			return;
		}
		if (!last.interrupt && Number(event.pc) === last.pc) last.same++;
		if (event.toMode === 0) this.ends.returned(hart);
		const depth = this.locks().depthOf(hart);
		if (depth !== undefined && depth > 0 && depth < 1000 && this.leaks.length < mostKept) this.leak(hart, event.toMode);
	}

	private leak(hart: number, toMode: number): void {
		if (this.leaks.some((leak) => leak.hart === hart)) return;
		const slot = this.sources.processes.slotOn(hart);
		const process = slot === undefined ? undefined : this.sources.processes.read(slot);
		const reason = (toMode === 0 ? this.fromUser : this.fromKernel).get(slot ?? -1 - hart);
		if (!reason) return;
		const handler = reason.call < 0 ? undefined : this.handlerOf(reason.call);
		this.leaks.push({
			hart,
			instret: this.sources.machine.instret,
			during:
				reason.call >= 0
					? `system call ${handler?.replace(/^sys_/, "") ?? reason.call}`
					: reason.interrupt
						? interruptName(reason.cause)
						: causeName(reason.cause, false).toLowerCase(),
			handler,
			process,
			locks: this.locks().heldBy(hart),
		});
	}

	private handlerOf(number: number): string | undefined {
		if (this.handlers.has(number)) return this.handlers.get(number);
		const { syscalls, symbols } = this.sources.names;
		const handler =
			syscalls && number > 0 && number < syscalls.count
				? this.sources.memory.u64(syscalls.address + 8 * number)
				: undefined;
		const symbol = handler ? symbols.symbolAt(handler) : undefined;
		const name = symbol?.offset === 0 ? symbol.name : undefined;
		this.handlers.set(number, name);
		return name;
	}
}

const interruptName = (cause: number) =>
	cause === 5
		? "timer interrupt"
		: cause === 1
			? "software interrupt (a timer tick in older kernels)"
			: cause === externalInterrupt
				? "device interrupt"
				: causeName(cause, true).toLowerCase();
