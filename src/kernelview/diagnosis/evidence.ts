import { hex } from "../../common/bytes.ts";
import { plain } from "../../debuginfo/types.ts";
import type { DiagnosisFrame, RunEnd } from "../../protocol/diagnosis.ts";
import type { Finding, SourcePoint } from "../../protocol/kernelModel.ts";
import type { FaultLog } from "../faultLog.ts";
import type { Look, Sources } from "../look.ts";
import type { Process } from "../processes.ts";
import { callSites, functionBounds } from "./callSites.ts";
import { type KernelCall, kernelCalls } from "./kernelCalls.ts";
import type { Lock, LockReader } from "./locks.ts";
import type { Recorder } from "./recorder.ts";

const contextRegisters: readonly (readonly [string, number])[] = [
	["sp", 2],
	["s0", 8],
	["s1", 9],
	...Array.from({ length: 10 }, (_, i) => [`s${i + 2}`, 18 + i] as const),
];

/** A hart that took more timer ticks, or made more instructions, since its last system call, fault or device interrupt is at no work. */
const stillTicks = 3;
const stillInstructions = 40_000_000;

/** All that a diagnosis may draw on, read at one moment. */
export class Evidence {
	private readonly stacks = new Map<number, readonly KernelCall[]>();

	constructor(
		readonly sources: Sources,
		readonly look: Look,
		readonly recorder: Recorder,
		readonly locks: LockReader,
		readonly log: FaultLog,
		readonly findings: readonly Finding[],
		/** pids that a trap ended, with the calls of their programs at the time. */
		readonly killed: ReadonlyMap<number, readonly DiagnosisFrame[]>,
		readonly end: RunEnd,
		/** Text of a file of the tree, where it is at hand. */
		readonly file: (path: string) => string | undefined,
	) {}

	get symbols() {
		return this.sources.names.symbols;
	}

	// ---- stacks ----------------------------------------------------------------------------------------------------

	/** The kernel's calls on a hart, innermost first; empty in user mode. */
	callsOn(hart: number): readonly KernelCall[] {
		const state = this.sources.machine.harts[hart];
		if (state?.mode !== 1) return [];
		let calls = this.stacks.get(hart);
		if (!calls) {
			calls = kernelCalls(this.sources, state.pc, state);
			this.stacks.set(hart, calls);
		}
		return calls;
	}

	/** The kernel's calls of a process that is switched out. */
	callsOf(process: Process): readonly KernelCall[] {
		const { names, memory } = this.sources;
		const read = (name: string) => {
			const offset = names.proc && names.offsetIn(names.proc.element, `context.${name}`);
			return offset === undefined ? undefined : memory.big(process.address + offset);
		};
		const ra = read("ra");
		if (ra === undefined || ra === 0n) return [];
		const registers = new Map(contextRegisters.map(([name, index]) => [index, read(name)]));
		// swtch() will return there: the call before it counts.
		return kernelCalls(this.sources, ra - 1n, { register: (index) => registers.get(index) });
	}

	/**
	 * The hart that is in panic(), and its calls from there on. Where panic() loops with interrupts on, the timer takes the hart away from
	 * it: then the process whose saved stack leads there.
	 */
	panicking(): { hart?: number; process: Process | undefined; calls: readonly KernelCall[] } | undefined {
		for (const { id } of this.sources.machine.harts) {
			const calls = this.callsOn(id);
			const at = calls.findIndex(({ name }) => name === "panic");
			if (at >= 0) return { hart: id, process: this.processOn(id), calls: calls.slice(at) };
		}
		for (const process of this.look.processes) {
			if (process.state === "RUNNING") continue;
			const calls = this.callsOf(process);
			const at = calls.findIndex(({ name }) => name === "panic");
			if (at >= 0) return { process, calls: calls.slice(at) };
		}
		return undefined;
	}

	/** Nothing but timer ticks happens: no hart has worked for a while, or the run ended for that reason. */
	get isStill(): boolean {
		const { end, recorder, sources } = this;
		if (end.kind === "stuck" || end.kind === "stall") return true;
		const { harts, instret } = sources.machine;
		return !harts.some(
			({ id }) =>
				(recorder.ticksSinceWork[id] ?? 0) <= stillTicks &&
				instret - (recorder.lastWork[id] ?? 0) < stillInstructions * harts.length,
		);
	}

	// ---- values ----------------------------------------------------------------------------------------------------

	/** A variable of a call by name, as a number; undefined where the compiler kept none. */
	local(call: KernelCall, name: string | undefined): number | undefined {
		const { symbols } = this;
		const locals = symbols.attempt(() => symbols.info?.localsAt(call.at)) ?? [];
		const variable = locals.find((local) => (name === undefined ? local.parameter : local.name === name));
		const place = variable && symbols.attempt(() => variable.locate(call.context));
		if (!variable || !place) return undefined;
		if (place.kind === "value") return Number(place.value);
		if (place.kind === "register") {
			const value = call.context.register(place.register);
			return value === undefined ? undefined : Number(value);
		}
		if (place.kind !== "memory") return undefined;
		const size = plain(variable.type)?.size ?? 8;
		const value = call.context.memory(place.address, size);
		return value === undefined ? undefined : Number(value);
	}

	/**
	 * What the callee-saved registers hold that a variable of a call is in somewhere in its function. Where the compiler forgets the variable
	 * (before panic, which does not return) they still have its last value, unless another variable got the register: only for values that
	 * something else confirms.
	 */
	kept(call: KernelCall, name: string): readonly number[] {
		const { symbols } = this;
		const locals = symbols.attempt(() => symbols.info?.localsAt(call.at)) ?? [];
		const variables = locals.filter((local) => local.name === name);
		const registers = variables.flatMap((variable) => symbols.attempt(() => variable.registers()) ?? []);
		const saved = registers.filter((register) =>
			contextRegisters.some(([, index]) => index === register && index !== 2),
		);
		return saved.flatMap((register) => {
			const value = call.context.register(register);
			return value === undefined ? [] : [Number(value)];
		});
	}

	/** The lock that a call of acquire, release or holding is about; undefined where neither variables nor code tell. */
	lockOf(calls: readonly KernelCall[], index: number): Lock | undefined {
		const call = calls[index];
		if (!call) return undefined;
		const direct = this.local(call, undefined);
		if (direct !== undefined && this.isLock(direct)) return this.locks.at(direct);
		const caller = calls.slice(index + 1).find(({ pc }) => pc !== call.pc);
		const passed = caller && this.argumentAt(caller);
		return passed !== undefined && this.isLock(passed) ? this.locks.at(passed) : undefined;
	}

	private isLock(address: number): boolean {
		return this.locks.spinlocks.some((lock) => lock.address === address);
	}

	/** First argument, where it is a constant or stands in a register that calls keep, of the call that returns to this place. */
	argumentAt(caller: KernelCall): number | undefined {
		const bounds = functionBounds(this.symbols, caller.pc - 1);
		if (!bounds) return undefined;
		const sites = callSites(this.symbols, this.sources.memory, bounds.start);
		const site = sites.find(({ returnsTo }) => returnsTo === caller.pc);
		if (!site?.copy) return site?.argument;
		const kept = caller.context.register(site.copy.register);
		return kept === undefined ? undefined : Number(kept) + site.copy.offset;
	}

	point(address: number): SourcePoint | undefined {
		const place = this.symbols.place(address);
		if (place.file === undefined || place.line === undefined) return undefined;
		return {
			file: place.file,
			line: place.line,
			...(place.function !== undefined ? { function: place.function } : {}),
		};
	}

	// ---- words -----------------------------------------------------------------------------------------------------

	processOn(hart: number): Process | undefined {
		const slot = this.sources.processes.slotOn(hart);
		return slot === undefined ? undefined : this.sources.processes.read(slot);
	}

	/** `system call sleep`, as the process last entered the kernel. */
	during(process: Process | undefined): string | undefined {
		const call = process && this.log.pendingOf(process)?.call;
		if (call === undefined) return undefined;
		return call === "fault" ? "a fault of its own" : `system call ${call}`;
	}

	/** `sleep on ticks in sys_sleep (kernel/sysproc.c:78)` */
	whereAsleep(process: Process): KernelCall | undefined {
		const calls = this.callsOf(process);
		const at = calls.findLastIndex(({ name }) => name === "sleep" || name === "sched" || name === "leave");
		return calls[at + 1];
	}
}

export const at = (call: { readonly file?: string; readonly line?: number } | undefined) =>
	call?.file === undefined || call.line === undefined ? "" : `${call.file}:${call.line}`;

/** `sys_sleep (kernel/sysproc.c:78)` */
export const named = (call: { readonly name: string; readonly file?: string; readonly line?: number }) =>
	at(call) === "" ? call.name : `${call.name} (${at(call)})`;

export const hexOf = (value: number | bigint) => hex(BigInt(value));

/** The member of struct proc that leads to the trap frame: MIT called it `tf` until 2019. */
export function trapframeName({ sources: { names } }: Evidence): string {
	const has = (member: string) => names.proc !== undefined && names.offsetIn(names.proc.element, member) !== undefined;
	return has("tf") && !has("trapframe") ? "tf" : "trapframe";
}

/** The first process has no name before its exec, in some kernels. */
export const who = ({ pid, name }: { readonly pid: number; readonly name: string }): string =>
	name === "" ? `process ${pid}` : `process ${pid} (${name})`;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
