import { hex } from "../common/bytes.ts";
import { Emitter } from "../common/event.ts";
import type { Trap } from "../machine/types.ts";
import { faultCall, unknownCall } from "../protocol/calls.ts";
import type { FaultEntry, FaultOutcome, LogEntry, MarkEntry } from "../protocol/kernelModel.ts";
import { CSR } from "../riscv/csr.ts";
import { accesses, kernelFault, type Mutable, userFault } from "./faultEntries.ts";
import { hasFreeFrames } from "./freeFrames.ts";
import { isPanicked, type Sources } from "./look.ts";
import type { Process } from "./processes.ts";
import type { Region } from "./regions.ts";
import { canonical, findLeaf, type Leaf, pteU, rootOf } from "./sv39.ts";
import { type Call, resultText, SystemCalls } from "./systemCalls.ts";

const maxEntries = 50_000;
/** Faults of the kernel that wait for its panic to say how they ended; there is one, unless the kernel traps for ever. */
const mostOpenKernelFaults = 64;
const ecallFromUser = 8;
const nothing: readonly never[] = [];

/** Of one entry. */
const mostRepeats = 10_000;

/** One of the calls that an entry with `times` stands for. */
interface Repeat {
	readonly instret: number;
	result: string | undefined;
	settledAt: number | undefined;
}

/** A trap from user mode whose handler has not returned yet. */
export interface Pending {
	readonly pid: number;
	/** Index in proc[]. */
	readonly slot: number;
	readonly root: number;
	readonly call: string;
	readonly entry: Mutable<FaultEntry> | Mutable<MarkEntry> | undefined;
	/** Regions before the handler of a fault, or of a call that takes regions away, ran. */
	readonly regions: readonly Region[];
	/** Of a call that takes regions away, and of kill(). */
	readonly arguments: readonly bigint[];
	/** When a fault came there were frames for a page and its tables. */
	readonly memoryLeft: boolean;
	/** kill() was called for it before the trap, or during it: that it ends is not, or need not be, the trap's doing. */
	killedByOther: boolean;
}

/** What the log tells those who look for findings. */
export interface LogListener {
	/** A fault's handler returned and the page is there. */
	mapped(entry: FaultEntry, process: Process, leaf: Leaf, region: Region | undefined): void;
	again(entry: FaultEntry, process: Process): void;
	/** Before the handler of exit, exec or munmap runs. */
	leaving(call: string, process: Process, pending: Pending): void;
	/** A call or fault with an entry is about to be handled, for the process in this slot. */
	entered(entry: LogEntry, slot: number): void;
	/** Its handler returned to the process. */
	settled(entry: LogEntry): void;
	/** A marked call returned. */
	returned(call: string, pending: Pending, result: bigint): void;
	/** The process ended in the handler of its trap, and nobody else killed it. */
	killed(pid: number, pending: Pending): void;
}

/** Turns traps and returns into the log of faults and marks. Runs inside the machine's events: short, and without side effects on it. */
export class FaultLog {
	readonly entries: LogEntry[] = [];
	dropped = 0;
	/** Faults seen, also those that the log has dropped. */
	faultCount = 0;
	private readonly changes = new Emitter<LogEntry>();
	/** Each entry that is new or changed. */
	readonly onChange = this.changes.event;
	private nextId = 1;
	private readonly calls: SystemCalls;
	private kernelFaults: Mutable<FaultEntry>[] = [];
	/** Those of `pending` that are faults: their process may end, or the kernel panic, before the next trap. */
	private openFaults: Pending[] = [];
	/** By slot: who is in the kernel on its own behalf, and why. A slot's next process leaves what the last one left. */
	private readonly pending: (Pending | undefined)[] = [];
	/** By slot; a call takes the place of the one before. */
	private readonly callsIn: Mutable<Pending>[] = [];
	/** Processes that some kill() meant; for kernels that do not show who is killed. */
	private readonly killTargets = new Set<number>();
	/** The newest entry while it is an `sbrk` that returned: the same once more is counted there. */
	private repeatable: { readonly entry: Mutable<MarkEntry>; readonly argument: number } | undefined;
	/** Each call that an entry with `times` stands for, by its id. */
	private readonly repeats = new Map<number, Repeat[]>();

	constructor(
		private readonly sources: Sources,
		private readonly listener: LogListener,
	) {
		this.calls = new SystemCalls(sources);
	}

	clear(): void {
		this.entries.length = 0;
		this.dropped = 0;
		this.faultCount = 0;
		this.pending.length = 0;
		this.repeatable = undefined;
		this.repeats.clear();
		this.killTargets.clear();
		this.kernelFaults = [];
		this.openFaults = [];
	}

	// ---- the past ----------------------------------------------------------------------------------------------------

	/** The log as it was at an earlier moment of this run. */
	at(instret: number): LogEntry[] {
		const entries: LogEntry[] = [];
		for (const entry of this.entries) {
			// In the order of guest time.
			if (entry.instret > instret) break;
			entries.push(this.entryAt(entry, instret));
		}
		return entries;
	}

	/** Entries of the log that were otherwise then: their handlers had not returned. */
	changedAt(instret: number): LogEntry[] {
		return this.at(instret).filter((entry, i) => entry !== this.entries[i]);
	}

	private entryAt(entry: LogEntry, instret: number): LogEntry {
		if (entry.settledAt === undefined || entry.settledAt <= instret) return entry;
		if (entry.type === "fault") {
			const { settledAt: _settledAt, frame: _frame, ...open } = entry;
			return { ...open, outcome: "open" };
		}
		const { settledAt: _settledAt, result: _result, times: _times, ...call } = entry;
		const calls = (this.repeats.get(entry.id) ?? []).filter((one) => one.instret <= instret);
		const done = calls.findLast(({ settledAt }) => settledAt !== undefined && settledAt <= instret);
		return {
			...call,
			...(calls.length > 1 ? { times: calls.length } : {}),
			...(done?.settledAt === undefined ? {} : { settledAt: done.settledAt, result: done.result as string }),
		};
	}

	/**
	 * What came after this moment has not happened. Memory is as it was then. Who is in the kernel, and why, is known of faults and of
	 * calls in the log; of all others that may be, only that they may be: they count as being in a call until they return.
	 */
	cut(instret: number): readonly Pending[] {
		const kept = this.at(instret).map((entry) => ({ ...entry }));
		const gone = this.entries.slice(kept.length);
		this.nextId = gone[0]?.id ?? this.nextId;
		this.faultCount -= gone.filter(({ type }) => type === "fault").length;
		this.entries.splice(0, this.entries.length, ...kept);
		for (const id of this.repeats.keys()) if (id >= this.nextId) this.repeats.delete(id);
		this.repeatable = undefined;
		this.killTargets.clear();
		this.pending.length = 0;
		this.callsIn.length = 0;
		this.sources.memory.refresh();
		const isOpen = (entry: LogEntry) =>
			entry.type === "fault" ? entry.outcome === "open" : entry.result === undefined;
		for (const process of this.sources.processes.all()) {
			const { pid, slot, root, state } = process;
			if (state === "UNUSED" || state === "ZOMBIE" || this.isInUserMode(process)) continue;
			const last = kept.findLast((entry) => entry.pid === pid && (entry.type === "mark" || entry.mode === "user"));
			const entry = last && isOpen(last) ? last : undefined;
			const isFault = entry?.type === "fault";
			this.pending[slot] = {
				...{ pid, slot, root, entry, arguments: nothing, memoryLeft: true },
				call: entry?.type === "mark" ? entry.call : isFault ? faultCall : unknownCall,
				regions: isFault ? this.sources.regions.of(process) : nothing,
				killedByOther: process.killed,
			};
		}
		const all = this.pending.flatMap((pending) => pending ?? []);
		this.openFaults = all.filter(({ call }) => call === faultCall);
		this.kernelFaults = kept
			.filter((entry): entry is FaultEntry => entry.type === "fault" && entry.mode !== "user" && isOpen(entry))
			.slice(-mostOpenKernelFaults);
		return all;
	}

	private isInUserMode({ slot }: Process): boolean {
		const { machine, processes } = this.sources;
		return machine.harts.some(({ id, mode }) => mode === 0 && processes.slotOn(id) === slot);
	}

	trap(trap: Trap): void {
		const { fromMode } = trap;
		if (fromMode === 3 || trap.interrupt) return;
		const { cause } = trap;
		const fault = accesses[cause];
		if (fromMode === 1) {
			if (fault) this.faultOfKernel(trap);
			return;
		}
		const { memory, processes } = this.sources;
		memory.refresh();
		const slot = processes.slotWithRoot(trap.root, trap.hart);
		if (slot === undefined) return;
		if (this.openFaults.length > 0 || this.kernelFaults.length > 0) this.settleGone();
		if (cause === ecallFromUser) this.call(trap, slot);
		else this.exception(trap, processes.read(slot), fault !== undefined);
	}

	private register(hart: number, index: number): bigint {
		return this.sources.machine.harts[hart]?.register(index) ?? 0n;
	}

	/** The trap that a process is in; undefined: it is not in the kernel on its own behalf. */
	pendingOf({ slot, pid }: { slot: number; pid: number }): Pending | undefined {
		const pending = this.pending[slot];
		return pending?.pid === pid ? pending : undefined;
	}

	private call(trap: Trap, slot: number): void {
		const { processes, machine } = this.sources;
		const { hart, root } = trap;
		const call = this.calls.of(machine.harts[hart]?.low(17) ?? 0);
		const pid = processes.pidOf(slot);
		let pending = this.callsIn[slot];
		if (!pending) {
			pending = {
				...{ pid, slot, root, call: "", entry: undefined, regions: nothing, arguments: nothing },
				...{ memoryLeft: true, killedByOther: false },
			};
			this.callsIn[slot] = pending;
		}
		pending.pid = pid;
		pending.root = root;
		pending.call = call.name;
		pending.entry = undefined;
		pending.regions = nothing;
		pending.arguments = nothing;
		this.pending[slot] = pending;
		// Most calls leave address spaces alone: that the process is in one is all that matters.
		if (call.marked) this.mark(trap, call, pending);
		else if (call.name === "kill") this.kill(machine.harts[hart]?.low(10) ?? 0, pending);
	}

	/**
	 * A kill() begins. If its target is in a fault it may end there, although the fault was served; unless it is killed already, which
	 * then only its own handler can have done.
	 */
	private kill(target: number, pending: Mutable<Pending>): void {
		pending.arguments = [BigInt(target)];
		this.killTargets.add(target);
		for (const open of this.openFaults)
			if (this.isMeant(open.pid, target) && !this.sources.processes.read(open.slot)?.killed) open.killedByOther = true;
	}

	/** Without `proc` a pid of ours is not the kernel's: any may be meant. */
	private isMeant(pid: number, target: number): boolean {
		return pid === target || this.sources.names.proc === undefined;
	}

	/** Of a process that has just trapped: somebody has killed it, or is in his kill() at it. */
	private isKilledByOther({ pid, killed }: Process): boolean {
		const { proc } = this.sources.names;
		if (proc && this.sources.names.offsetIn(proc.element, "killed") !== undefined)
			return killed || this.pending.some((other) => other?.call === "kill" && other.arguments[0] === BigInt(pid));
		return [...this.killTargets].some((target) => this.isMeant(pid, target));
	}

	private mark({ hart, instret }: Trap, call: Call, pending: Mutable<Pending>): void {
		const { processes, regions } = this.sources;
		const { slot, pid, root } = pending;
		const { repeatable } = this;
		this.repeatable = undefined;
		if (call.name === "sbrk") {
			const argument = this.sources.machine.harts[hart]?.low(10) ?? 0;
			if (repeatable?.argument === argument && repeatable.entry.pid === pid) {
				const { entry } = repeatable;
				entry.times = (entry.times ?? 1) + 1;
				this.again(entry, instret);
				pending.entry = entry;
				this.repeatable = repeatable;
				return;
			}
		}
		const entry: Mutable<MarkEntry> = {
			type: "mark",
			id: this.nextId++,
			instret,
			hart,
			pid,
			process: processes.nameOf(slot),
			call: call.name,
			text: this.calls.text(call.name, hart, root),
		};
		const process = call.leaves ? processes.read(slot) : undefined;
		pending.entry = entry;
		if (process) {
			pending.regions = regions.of(process);
			pending.arguments = [this.register(hart, 10), this.register(hart, 11)];
		}
		this.add(entry);
		if (call.name === "sbrk") this.repeatable = { entry, argument: this.sources.machine.harts[hart]?.low(10) ?? 0 };
		this.listener.entered(entry, slot);
		if (process) this.listener.leaving(call.name, process, pending);
	}

	private again({ id, instret, result, settledAt }: MarkEntry, now: number): void {
		const known = this.repeats.get(id) ?? [{ instret, result, settledAt }];
		// A program that grows a page at a time for ever: its first calls are as one.
		if (known.length > mostRepeats) known.splice(1, mostRepeats / 2);
		known.push({ instret: now, result: undefined, settledAt: undefined });
		this.repeats.set(id, known);
	}

	private exception(trap: Trap, process: Process | undefined, isPageFault: boolean): void {
		if (!process) return;
		const regions = this.sources.regions.of(process);
		const entry = isPageFault ? userFault(this.sources, trap, process, regions, this.nextId++) : undefined;
		if (entry) {
			this.faultCount++;
			this.add(entry);
			this.listener.entered(entry, process.slot);
		}
		const { pid, slot, root } = process;
		const pending: Pending = {
			pid,
			slot,
			root,
			call: faultCall,
			entry,
			regions,
			arguments: nothing,
			memoryLeft: hasFreeFrames(this.sources.memory, this.sources.names, 8),
			killedByOther: this.isKilledByOther(process),
		};
		this.pending[slot] = pending;
		this.openFaults.push(pending);
	}

	/** The kernel itself faulted: xv6 panics. */
	private faultOfKernel(trap: Trap): void {
		const last = this.kernelFaults.at(-1);
		const pc = hex(trap.pc);
		const address = hex(trap.tval);
		// A handler that faults itself makes a hundred thousand of these a second: the first entries stand for all.
		const again = last !== undefined && last.hart === trap.hart && last.pc === pc;
		if (again && (last.address === address || this.kernelFaults.length >= mostOpenKernelFaults)) {
			this.faultCount++;
			return;
		}
		this.sources.memory.refresh();
		this.faultCount++;
		const entry = kernelFault(this.sources, trap, this.nextId++);
		this.add(entry);
		if (this.kernelFaults.length < mostOpenKernelFaults) this.kernelFaults.push(entry);
	}

	private add(entry: LogEntry): void {
		this.repeatable = undefined;
		this.entries.push(entry);
		this.changes.fire(entry);
		if (this.entries.length > maxEntries + maxEntries / 10) {
			this.dropped += maxEntries / 10;
			for (const { id } of this.entries.splice(0, maxEntries / 10)) this.repeats.delete(id);
		}
	}

	/** sret or mret to user mode: the process on this hart is done with its trap. */
	returned(hart: number): void {
		const { machine, memory, processes } = this.sources;
		memory.refresh();
		const slot = processes.slotOn(hart) ?? processes.slotWithRoot(rootOf(machine.harts[hart]?.csr(CSR.satp) ?? 0n));
		if (slot === undefined) return;
		const pending = this.pending[slot];
		if (!pending || pending.pid !== processes.pidOf(slot)) return;
		this.pending[slot] = undefined;
		const { entry, call } = pending;
		if (call === faultCall) this.openFaults = this.openFaults.filter((other) => other !== pending);
		if (!entry) return;
		if (entry.type === "fault") {
			const process = processes.read(slot);
			if (!process) return;
			this.settleFault(entry, process, pending);
		} else {
			const result = this.register(hart, 10);
			entry.result = resultText(call, result);
			entry.settledAt = machine.instret;
			const repeat = this.repeats.get(entry.id)?.at(-1);
			if (repeat) Object.assign(repeat, { result: entry.result, settledAt: entry.settledAt });
			this.changes.fire(entry);
			this.listener.returned(call, pending, result);
		}
		this.listener.settled(entry);
	}

	private settleFault(entry: FaultEntry, process: Process, pending: Pending): void {
		const va = canonical(BigInt(entry.address));
		const leaf = va === undefined ? undefined : findLeaf(this.sources.memory, process.root, va);
		const needed = (accesses[entry.cause]?.bit ?? 0) | pteU;
		const settledAt = this.sources.machine.instret;
		if (!leaf || va === undefined || (leaf.flags & needed) !== needed) {
			this.update(entry, { outcome: "again", settledAt });
			this.listener.again(entry, process);
			return;
		}
		const frame = this.sources.memory.frameOf(leaf.pa + (va - leaf.va));
		this.update(entry, { outcome: "mapped", settledAt, ...(frame >= 0 ? { frame } : {}) });
		const region = pending.regions.find((candidate) => va >= candidate.start && va < candidate.end);
		this.listener.mapped(entry, process, leaf, region);
	}

	/** What a process was in, and what the kernel itself tripped over, when it panicked. */
	atPanic(pid: number): { entry: LogEntry | undefined; fault: FaultEntry | undefined } {
		const last = this.entries.findLast(
			(entry) => entry.pid === pid && (entry.type === "mark" || entry.mode === "user"),
		);
		const open =
			last?.type === "fault" ? last.outcome === "panic" || last.outcome === "open" : last?.result === undefined;
		const fault = this.entries.findLast((entry) => entry.type === "fault" && entry.mode !== "user");
		return { entry: open ? last : undefined, fault: fault?.type === "fault" ? fault : undefined };
	}

	private update(entry: LogEntry, change: Partial<FaultEntry> | Partial<MarkEntry>): void {
		Object.assign(entry, change);
		this.changes.fire(entry);
	}

	/** Traps whose process ended in the handler, or whose kernel panicked. */
	settleGone(): void {
		const panicked = isPanicked(this.sources);
		const settledAt = this.sources.machine.instret;
		for (const entry of this.kernelFaults) if (panicked) this.update(entry, { outcome: "panic", settledAt });
		if (panicked) this.kernelFaults = [];
		const { processes } = this.sources;
		for (const pending of this.pending) {
			if (!pending) continue;
			const { pid, slot, entry, call } = pending;
			const state = processes.pidOf(slot) === pid ? processes.stateOf(slot) : "UNUSED";
			const gone = state === "UNUSED" || state === "ZOMBIE";
			if (!gone && (!panicked || call !== faultCall)) continue;
			const outcome: FaultOutcome = !gone ? "panic" : pending.killedByOther ? "ended" : "killed";
			if (entry?.type === "fault") this.update(entry, { outcome, settledAt });
			this.pending[slot] = undefined;
			if (gone && call === faultCall && !pending.killedByOther) this.listener.killed(pid, pending);
		}
		this.openFaults = this.openFaults.filter((open) => this.pending[open.slot] === open);
	}
}
