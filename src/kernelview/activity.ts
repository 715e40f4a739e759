import { hex } from "../common/bytes.ts";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import { findMember } from "../debuginfo/types.ts";
import type { Hart, Instructions, Trap } from "../machine/types.ts";
import type { ActivityKind, ActivityMark, ActivityModel, ActivitySpan } from "../protocol/activity.ts";
import type { SourcePoint } from "../protocol/kernelModel.ts";
import { a0, a1, a7, ra, sp } from "../riscv/registers.ts";
import { functionBounds } from "./diagnosis/callSites.ts";
import type { LockReader } from "./diagnosis/locks.ts";
import type { Sources } from "./look.ts";

/** What is shorter than this share of the part that was asked for would be no pixel wide. */
const leastShare = 3000;
const mostSpans = 12_000;
const userCall = 8;
const faults: Readonly<Record<number, string>> = {
	12: "fetch page fault",
	13: "load page fault",
	15: "store page fault",
};
const interrupts: Readonly<Record<number, string>> = { 1: "timer", 5: "timer", 9: "device" };

interface Begun {
	readonly at: Instructions;
	readonly what: string;
	readonly source?: SourcePoint | undefined;
	/** It had begun before the part that is looked at. */
	readonly before?: boolean;
}

interface Wait extends Begun {
	readonly lock: number;
	readonly hart: number;
	/** The stack tells calls apart, also of a process that continues on another hart. */
	readonly stack: number;
	readonly pid: number;
	/** Somebody else held the lock while this one waited. */
	contended: boolean;
}

interface Hold extends Begun {
	readonly hart: number;
	readonly pid: number;
}

/**
 * Who runs where, waits, holds, sleeps: from breakpoints that stop nowhere, at the functions by which every xv6 does this (swtch, acquire,
 * release, sleep), while a part of the run is done once more. What it tells of a process is what the kernel's own tables say then.
 */
export class ActivityRecorder {
	private readonly spans: ActivitySpan[] = [];
	private readonly names = new Map<number, string>();
	private from: Instructions = 0;
	private readonly runs: ((Begun & { readonly pid: number }) | undefined)[] = [];
	/** Calls of acquire() that are not over. */
	private waits: Wait[] = [];
	private readonly holds = new Map<number, Hold>();
	private readonly released = new Map<number, { readonly hart: number; readonly at: Instructions }>();
	private readonly asleep = new Map<number, Begun>();
	private readonly ready = new Map<number, Begun>();
	private readonly traps = new Map<number, Begun & { readonly hart: number }>();
	/** By pid: where sleep() was called last. */
	private readonly sleepers = new Map<number, SourcePoint | undefined>();
	private readonly places = new Map<number, SourcePoint | undefined>();
	private readonly labels = new Map<string, string>();
	private readonly notes: string[] = [];
	private readonly cpus: readonly [from: number, to: number];
	/** Where a process's lock is in its slot. */
	private readonly lockInProc: number;
	/** Where its members are. */
	private readonly spinlock: { readonly locked: number; readonly name: number };

	constructor(
		private readonly sources: Sources,
		private readonly locks: LockReader,
	) {
		const { cpus, proc, symbols } = sources.names;
		const type = symbols.attempt(() => symbols.info?.struct("spinlock"));
		const offset = (name: string, usual: number) => (type && findMember(type, name)?.offset) ?? usual;
		this.spinlock = { locked: offset("locked", 0), name: offset("name", 8) };
		this.lockInProc = (proc && sources.names.offsetIn(proc.element, "lock")) ?? 0;
		this.cpus = cpus ? [cpus.address, cpus.address + cpus.count * cpus.stride] : [0, 0];
	}

	/** The machine stands where the part begins. */
	arm(): Disposable {
		const { machine, names, memory } = this.sources;
		memory.refresh();
		this.from = machine.now;
		const store = new DisposableStore();
		const { symbols } = names;
		const at = (address: number | undefined, hit: (hart: Hart) => void) => {
			if (address === undefined) return;
			const when = (hart: Hart) => {
				hit(hart);
				return false;
			};
			store.add(machine.addBreakpoint(BigInt(address), { mode: 1, when }));
		};
		const acquire = symbols.symbol("acquire");
		const swtch = symbols.symbol("swtch");
		const missing = ["acquire", "release", "swtch", "sleep"].filter((name) => !symbols.symbol(name));
		if (missing.length > 0) this.notes.push(`This kernel has no function ${missing.join(", ")}.`);
		at(acquire, (hart) => this.calls(hart));
		for (const end of acquire === undefined ? [] : this.returnsOf(acquire)) at(end, (hart) => this.acquires(hart));
		at(symbols.symbol("release"), (hart) => this.releases(hart, address(hart, a0)));
		at(swtch, (hart) => this.switches(hart));
		at(symbols.symbol("sleep"), (hart) => this.sleepers.set(this.pidOn(hart.id), this.place(address(hart, ra))));
		store.add(machine.onEveryTrap((trap) => this.trapped(trap)));
		store.add(machine.onEveryTrapReturn(({ hart, toMode }) => toMode === 0 && this.returns(hart)));
		this.begin(store);
		return store;
	}

	/** What there was between `arm` and now. */
	model(range: Pick<ActivityModel, "oldest" | "present">, marks: readonly ActivityMark[] = []): ActivityModel {
		const { machine } = this.sources;
		const to = machine.now;
		const deadlocks = to === range.present ? this.deadlocks() : [];
		for (const [hart, run] of this.runs.entries()) if (run) this.add("runs", { ...run, hart, to, open: true });
		for (const wait of this.waits) if (wait.contended) this.add("waits", { ...wait, to, open: true });
		for (const hold of this.holds.values()) this.add("holds", { ...hold, to, open: true });
		for (const [pid, sleep] of this.asleep) this.add("sleeps", { ...sleep, pid, to, open: true });
		for (const [pid, begun] of this.ready) this.add("ready", { ...begun, pid, to, open: true });
		for (const [pid, trap] of this.traps) this.add("trap", { ...trap, pid, to, open: true });
		const { kept, left } = this.worth(to);
		const pids = [...new Set(kept.map(({ pid }) => pid))].filter((pid) => pid > 0).sort((a, b) => a - b);
		return {
			...range,
			from: this.from,
			to,
			harts: machine.harts.length,
			processes: pids.map((pid) => ({ pid, name: this.names.get(pid) ?? "" })),
			spans: kept,
			marks: [...marks, ...deadlocks],
			left,
			notes: this.notes,
		};
	}

	/** What no look at this part could show is left out: of holds and traps the short ones. */
	private worth(to: Instructions): { readonly kept: ActivitySpan[]; readonly left: number } {
		const least = (to - this.from) / leastShare;
		const isShort = ({ kind, from, to: end }: ActivitySpan) =>
			(kind === "holds" || kind === "trap") && end - from < least;
		let kept = this.spans.filter((span) => !isShort(span));
		if (kept.length > mostSpans) {
			const long = kept.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, mostSpans);
			kept = long;
		}
		const left = this.spans.length - kept.length;
		return { kept: kept.sort((a, b) => a.from - b.from || a.to - b.to), left };
	}

	// ---- at the begin ------------------------------------------------------------------------------------------------

	private begin(store: DisposableStore): void {
		const { machine, processes } = this.sources;
		for (const { id, mode } of machine.harts) {
			const pid = this.pidOn(id);
			if (pid > 0) this.runs[id] = { at: this.from, what: "", pid, before: true };
			if (pid > 0 && mode === 1) this.traps.set(pid, { at: this.from, what: "", hart: id, before: true });
			for (const lock of this.locks.heldBy(id)) {
				this.holds.set(lock.address, { at: this.from, what: this.locks.label(lock), hart: id, pid, before: true });
				this.watched(lock.address, store);
			}
		}
		for (const { pid, name, state, chan } of processes.all()) {
			this.names.set(pid, name);
			const begun = { at: this.from, before: true };
			if (state === "SLEEPING") this.asleep.set(pid, { ...begun, what: this.channel(chan) });
			else if (state === "RUNNABLE") this.ready.set(pid, { ...begun, what: "" });
		}
	}

	/** A lock that is held at the begin: release() may have been called already, and frees it by a store. */
	private watched(lock: number, store: DisposableStore): void {
		const { machine, memory } = this.sources;
		const word = lock + this.spinlock.locked;
		const when = () => {
			if (memory.u32(word) === 0) this.freed(lock);
			return false;
		};
		store.add(machine.addWatchpoint(BigInt(word), 4, "write", { physical: true, when }));
	}

	// ---- locks -------------------------------------------------------------------------------------------------------

	private calls(hart: Hart): void {
		const lock = address(hart, a0);
		this.waits.push({
			...{ lock, hart: hart.id, stack: address(hart, sp), pid: this.pidOn(hart.id) },
			...{ at: this.sources.machine.now, what: this.label(lock), source: this.place(address(hart, ra)) },
			contended: (this.sources.memory.u32(lock + this.spinlock.locked) ?? 0) !== 0,
		});
	}

	/** acquire() returns: the call with this stack has the lock. */
	private acquires(hart: Hart): void {
		const stack = address(hart, sp);
		const wait = this.waits.findLast((one) => one.stack === stack);
		if (!wait) return;
		this.waits = this.waits.filter((one) => one !== wait);
		const now = this.sources.machine.now;
		const { at, lock, what, source, pid } = wait;
		const last = this.released.get(lock);
		if (wait.contended || (last && last.hart !== hart.id && last.at > at)) this.add("waits", { ...wait, to: now });
		this.holds.set(lock, { at: now, what, source, pid, hart: hart.id });
	}

	private releases(hart: Hart, lock: number): void {
		this.released.set(lock, { hart: hart.id, at: this.sources.machine.now });
		this.freed(lock);
		this.wakes(hart, lock);
	}

	private freed(lock: number): void {
		const now = this.sources.machine.now;
		const hold = this.holds.get(lock);
		this.holds.delete(lock);
		if (hold) this.add("holds", { ...hold, to: now });
	}

	/** Harts that wait for each other now. */
	private deadlocks(): ActivityMark[] {
		const wanted = this.sources.machine.harts.map(({ id }) => this.waits.findLast(({ hart }) => hart === id));
		const owner = (lock: number | undefined) => (lock === undefined ? undefined : this.holds.get(lock)?.hart);
		const marks: ActivityMark[] = [];
		for (const [hart, wait] of wanted.entries()) {
			if (!wait) continue;
			let next = owner(wait.lock);
			for (let steps = 0; next !== undefined && next !== hart && steps < wanted.length; steps++)
				next = owner(wanted[next]?.lock);
			if (next !== hart) continue;
			const holder = owner(wait.lock);
			const text =
				holder === hart
					? `hart ${hart} wants ${wait.what}, which it holds itself`
					: `hart ${hart} waits for ${wait.what}, which hart ${holder} holds, and that one waits for hart ${hart}`;
			marks.push({ at: wait.at, hart, kind: "deadlock", text });
		}
		return marks;
	}

	private label(lock: number): string {
		const key = `${lock} ${this.sources.memory.u64(lock + this.spinlock.name)}`;
		let label = this.labels.get(key);
		if (label === undefined) {
			label = this.locks.label(this.locks.at(lock));
			this.labels.set(key, label);
		}
		return label;
	}

	// ---- processes ---------------------------------------------------------------------------------------------------

	/** swtch(old, new): from a hart's scheduler to a process, or back. */
	private switches(hart: Hart): void {
		const { processes, machine } = this.sources;
		const { id } = hart;
		const now = machine.now;
		const slot = processes.slotOn(id);
		const isOfHart = (context: number) => context >= this.cpus[0] && context < this.cpus[1];
		if (isOfHart(address(hart, a0))) {
			if (slot === undefined) return;
			const pid = processes.pidOf(slot);
			this.names.set(pid, processes.nameOf(slot));
			const ready = this.ready.get(pid);
			if (ready) this.add("ready", { ...ready, pid, to: now });
			this.ready.delete(pid);
			const sleep = this.asleep.get(pid);
			// Woken by code that calls no release().
			if (sleep) this.add("sleeps", { ...sleep, pid, to: now });
			this.asleep.delete(pid);
			this.runs[id] = { at: now, what: "", pid };
			return;
		}
		if (!isOfHart(address(hart, a1))) return;
		const run = this.runs[id];
		this.runs[id] = undefined;
		if (run) this.add("runs", { ...run, hart: id, to: now });
		const process = slot === undefined ? undefined : processes.read(slot);
		if (!process) return;
		const { pid, name, state, chan } = process;
		this.names.set(pid, name);
		if (state === "SLEEPING")
			this.asleep.set(pid, { at: now, what: this.channel(chan), source: this.sleepers.get(pid) });
		else if (state === "RUNNABLE") this.ready.set(pid, { at: now, what: "" });
		else if (state === "ZOMBIE") {
			const trap = this.traps.get(pid);
			if (trap) this.add("trap", { ...trap, pid, to: now });
			this.traps.delete(pid);
		}
	}

	/** Who wakes a process gives its lock back then; wakeup() itself may have begun before the process slept. */
	private wakes(hart: Hart, lock: number): void {
		if (this.asleep.size === 0) return;
		const { machine, processes } = this.sources;
		const slot = processes.slotAt(lock - this.lockInProc);
		if (slot === undefined || processes.stateOf(slot) === "SLEEPING") return;
		const pid = processes.pidOf(slot);
		const sleep = this.asleep.get(pid);
		if (!sleep) return;
		this.asleep.delete(pid);
		this.add("sleeps", { ...sleep, pid, to: machine.now, by: { pid: this.pidOn(hart.id), hart: hart.id } });
		this.ready.set(pid, { at: machine.now, what: "" });
	}

	private channel(chan: number): string {
		return this.sources.names.describe(chan) ?? hex(chan);
	}

	// ---- traps -------------------------------------------------------------------------------------------------------

	private trapped({ hart, fromMode, cause, interrupt, instret }: Trap): void {
		const pid = this.pidOn(hart);
		if (fromMode !== 0) {
			// A hart without a process takes its timer's ticks: nothing of interest.
			if (fromMode === 1 && pid > 0 && interrupt)
				this.add("trap", { at: instret, what: nameOf(cause, true), pid, hart, to: instret + 1 });
			return;
		}
		if (pid === 0) return;
		const what = cause === userCall && !interrupt ? this.callOn(hart) : nameOf(cause, interrupt);
		this.traps.set(pid, { at: instret, what, hart });
	}

	private returns(hart: number): void {
		const pid = this.pidOn(hart);
		const trap = this.traps.get(pid);
		this.traps.delete(pid);
		if (trap) this.add("trap", { ...trap, pid, to: this.sources.machine.now });
	}

	/** Name of the system call that a hart makes. */
	private callOn(hart: number): string {
		const { machine, memory, names } = this.sources;
		const number = machine.harts[hart]?.low(a7) ?? 0;
		const { syscalls, symbols } = names;
		const handler =
			syscalls && number > 0 && number < syscalls.count ? memory.u64(syscalls.address + 8 * number) : undefined;
		const symbol = handler ? symbols.symbolAt(handler) : undefined;
		return symbol?.name.replace(/^sys_/, "") ?? `system call ${number}`;
	}

	// ---- all -----------------------------------------------------------------------------------------------------------

	private pidOn(hart: number): number {
		const { processes } = this.sources;
		const slot = processes.slotOn(hart);
		return slot === undefined ? 0 : processes.pidOf(slot);
	}

	private add(
		kind: ActivityKind,
		{
			at,
			to,
			pid,
			hart,
			what,
			source,
			before,
			open,
			by,
		}: Begun & {
			readonly to: Instructions;
			readonly pid: number;
			readonly hart?: number;
			readonly open?: boolean;
			readonly by?: ActivitySpan["by"];
		},
	): void {
		this.spans.push({
			...{ kind, from: at, to, pid, what },
			...(before || open ? { open: true as const } : {}),
			...(hart === undefined ? {} : { hart }),
			...(source ? { source } : {}),
			...(by ? { by } : {}),
		});
	}

	/** The line of a call, by where it returns to. */
	private place(returnsTo: number): SourcePoint | undefined {
		if (!this.places.has(returnsTo)) {
			const { file, line, function: name } = this.sources.names.symbols.place(returnsTo - 1);
			const known = file !== undefined && line !== undefined;
			this.places.set(returnsTo, known ? { file, line, ...(name === undefined ? {} : { function: name }) } : undefined);
		}
		return this.places.get(returnsTo);
	}

	/** Its `ret` instructions. */
	private returnsOf(start: number): number[] {
		const { memory, names } = this.sources;
		const bounds = functionBounds(names.symbols, start);
		const found: number[] = [];
		for (let at = start; bounds && at < bounds.end; ) {
			const half = memory.unsigned(at, 2) ?? 0;
			const isLong = (half & 3) === 3;
			if (isLong ? memory.unsigned(at, 4) === 0x8067 : half === 0x8082) found.push(at);
			at += isLong ? 4 : 2;
		}
		return found;
	}
}

function address(hart: Hart, register: number): number {
	return Number(hart.register(register));
}

function nameOf(cause: number, interrupt: boolean): string {
	return (interrupt ? interrupts[cause] : faults[cause]) ?? `${interrupt ? "interrupt" : "exception"} ${cause}`;
}
