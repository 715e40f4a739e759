import type { Diagnosis } from "../../protocol/diagnosis.ts";
import { at, type Evidence, named } from "./evidence.ts";
import type { KernelCall } from "./kernelCalls.ts";
import { lockOrigin } from "./lockOrigin.ts";
import type { Lock } from "./locks.ts";

type Told = Pick<Diagnosis, "cause" | "evidence" | "notes"> & Pick<Diagnosis, "look">;

/** Panics of acquire, release, sched and pop_off: which lock, who holds it, and where it was taken, or what else was not as it has to be. */
export function lockPanic(
	evidence: Evidence,
	said: string,
	hart: number,
	calls: readonly KernelCall[],
): Told | undefined {
	const index = calls.findIndex(({ name }) => name === "acquire" || name === "release");
	const inside = calls[1]?.name;
	if (inside === "acquire" && index > 0) return inAcquire(evidence, said, hart, calls, index);
	if (inside === "release" && index > 0) return inRelease(evidence, calls, index);
	if (inside === "sched" && /running|interruptible/.test(said)) return notReady(said, calls);
	if (inside === "sched" && /lock/.test(said)) return inSched(evidence, said, hart, calls);
	if (inside === "pop_off") return inPopOff(evidence, said, hart, calls, index);
	return undefined;
}

const unrecognised = (name: string) =>
	`Which lock it is was not recognised: the argument of ${name}() is not in the debug information`;

/** The call in which the lock function was called: not an inlined part of it. */
const callerOf = (calls: readonly KernelCall[], index: number) =>
	calls.slice(index + 1).find(({ pc }) => pc !== calls[index]?.pc);

function inAcquire(evidence: Evidence, said: string, hart: number, calls: readonly KernelCall[], index: number): Told {
	const { locks } = evidence;
	const caller = callerOf(calls, index);
	const held = locks.heldBy(hart);
	const argument = evidence.lockOf(calls, index);
	const lock = argument ?? (held.length === 1 ? held[0] : undefined);
	const who = caller ? named(caller) : "acquire";
	if (/init/.test(said))
		return {
			cause: `${who} takes ${argument ? `the lock ${argument.path}` : "a lock"}, which initlock() was never called for.`,
			evidence: [],
			notes: argument ? [] : [unrecognised("acquire")],
			...look(caller),
		};
	if (!lock)
		return {
			cause: `${who} takes a lock that hart ${hart} holds already.`,
			evidence: held.map((other) => `hart ${hart} holds ${locks.label(other)}`),
			notes: [unrecognised("acquire")],
			...look(caller),
		};
	const origin = lockOrigin(evidence, lock, calls.slice(index + 1), hart);
	const taken = origin ? `, taken at ${at(origin.point)} (${origin.point.function ?? "?"})` : "";
	const how = origin?.leak ? ` by the ${origin.leak.during}, which returned without releasing it` : "";
	return {
		cause: `${who} takes ${locks.label(lock)} while hart ${hart} holds it already${taken}${how}.`,
		evidence: [`${locks.label(lock)} is locked, and its holder is hart ${hart}`],
		notes: origin ? [] : [`Where ${lock.path} was taken was not seen`],
		...(origin ? { look: origin.point } : look(caller)),
	};
}

function inRelease(evidence: Evidence, calls: readonly KernelCall[], index: number): Told {
	const { locks } = evidence;
	const caller = callerOf(calls, index);
	const lock = evidence.lockOf(calls, index);
	const who = caller ? named(caller) : "release";
	const state = lock && locks.state(lock);
	const holder = !state
		? ""
		: !state.locked
			? ": nobody holds it"
			: state.hart === undefined
				? ""
				: `: hart ${state.hart} holds it`;
	return {
		cause: `${who} releases ${lock ? locks.label(lock) : "a lock"}, which its hart does not hold${holder}. It was released twice, or never taken on this path.`,
		evidence: lock && state ? [`${locks.label(lock)} is ${state.locked ? "locked" : "not locked"}`] : [],
		notes: lock ? [] : [unrecognised("release")],
		...look(caller),
	};
}

function inSched(evidence: Evidence, said: string, hart: number, calls: readonly KernelCall[]): Told {
	const { locks, sources } = evidence;
	const process = evidence.processOn(hart);
	const proc = sources.names.proc;
	const lockOffset = proc && sources.names.offsetIn(proc.element, "lock");
	const own = process && lockOffset !== undefined ? process.address + lockOffset : undefined;
	const held = locks.heldBy(hart);
	const extra = held.filter(({ address }) => address !== own);
	const depth = locks.depthOf(hart);
	const chain = calls.slice(2);
	const caller = chain.find(({ name }) => name !== "sched" && name !== "leave") ?? chain[0];
	const who = caller ? named(caller) : "sched";
	if (extra.length === 0 || /p->lock/.test(said)) {
		const lacks = own !== undefined && !held.some(({ address }) => address === own);
		return {
			cause: lacks
				? `${who} gives up the hart without holding the lock of its process (p->lock).`
				: `${who} gives up the hart while push_off() is open ${depth ?? "more than once"} times: a push_off() has no pop_off(), or a lock was not released.`,
			evidence: held.map((lock) => `hart ${hart} holds ${locks.label(lock)}`),
			notes: [],
			...look(caller),
		};
	}
	const told = extra.map((lock) => ({ lock, origin: lockOrigin(evidence, lock, chain, hart) }));
	const first = told.find(({ origin }) => origin) ?? told[0];
	const { lock, origin } = first as { lock: Lock; origin: ReturnType<typeof lockOrigin> };
	const label = locks.label(lock);
	const cause = origin
		? `${origin.point.function ?? "The kernel"} took ${label} at ${at(origin.point)} and never released it${origin.leak ? ` (in the ${origin.leak.during}${origin.leak.process ? ` of process ${origin.leak.process.pid}, ${origin.leak.process.name}` : ""})` : ""}; now ${who} gives up the hart with it.`
		: `${who} gives up the hart while it still holds ${label}.`;
	return {
		cause,
		evidence: held.map((other) => `hart ${hart} holds ${locks.label(other)}`),
		notes: origin ? [] : [`Where ${lock.path} was taken was not seen`],
		...(origin ? { look: origin.point } : look(caller)),
	};
}

/** What sched() asks of its callers besides locks. */
function notReady(said: string, calls: readonly KernelCall[]): Told {
	const chain = calls.slice(2);
	const caller = chain.find(({ name }) => name !== "sched" && name !== "leave") ?? chain[0];
	const why = /running/.test(said)
		? "while the state of its process is still RUNNING: p->state has to be SLEEPING, RUNNABLE or ZOMBIE before sched()"
		: "while interrupts are on: they have to be off from acquire(&p->lock) to sched()";
	return {
		cause: `${caller ? named(caller) : "sched"} gives up the hart ${why}.`,
		evidence: [],
		notes: [],
		...look(caller),
	};
}

function inPopOff(evidence: Evidence, said: string, hart: number, calls: readonly KernelCall[], index: number): Told {
	const caller = callerOf(calls, index > 0 ? index : 1);
	const who = caller ? named(caller) : "pop_off";
	const on = /interrupt/.test(said) || evidence.locks.depthOf(hart) !== 0;
	return {
		cause: on
			? `${who} releases a lock while interrupts are on: something turned them on (intr_on) while the lock was held.`
			: `${who} undoes a push_off() that was never done: a lock was released once too often.`,
		evidence: [`push_off() is open ${evidence.locks.depthOf(hart) ?? "?"} times on hart ${hart}`],
		notes: [],
		...look(caller),
	};
}

function look(call: KernelCall | undefined): Pick<Diagnosis, "look"> {
	return call?.file === undefined || call.line === undefined
		? {}
		: { look: { file: call.file, line: call.line, function: call.name } };
}
