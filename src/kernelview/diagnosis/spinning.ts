import { hex } from "../../common/bytes.ts";
import type { Diagnosis } from "../../protocol/diagnosis.ts";
import { CSR } from "../../riscv/csr.ts";
import { inAtomicLoop } from "./callSites.ts";
import { at, type Evidence, named } from "./evidence.ts";
import { framesOf, type KernelCall } from "./kernelCalls.ts";
import { lockOrigin } from "./lockOrigin.ts";
import type { Lock } from "./locks.ts";

/** A hart that goes round in acquire(). */
interface Waiter {
	readonly hart: number;
	readonly lock: Lock | undefined;
	readonly caller: KernelCall | undefined;
	readonly calls: readonly KernelCall[];
}

/** Two timer ticks of xv6 with all harts busy: one that can take interrupts takes one in this time. */
export const patience = 20_000_000;
const SIE = 2n;

/** Harts that wait for spinlocks which nobody will release: a deadlock of several, or a lock whose holder went away with it. */
export function spinning(evidence: Evidence): Diagnosis | undefined {
	const { harts } = evidence.sources.machine;
	const waiters = harts.flatMap(({ id }): Waiter[] => {
		const calls = evidence.callsOn(id);
		const index = calls.slice(0, 3).findIndex(({ name }) => name === "acquire");
		const off = ((harts[id]?.csr(CSR.sstatus) ?? SIE) & SIE) === 0n;
		if (index < 0 || !off) return [];
		const inner = calls[index];
		// Before the loop and after it a lock is taken, not waited for.
		if (!inner || !inAtomicLoop(evidence.symbols, evidence.sources.memory, inner.pc)) return [];
		const caller = calls.slice(index + 1).find(({ pc }) => pc !== inner.pc);
		return [{ hart: id, lock: evidence.lockOf(calls, index), caller, calls: calls.slice(index + 1) }];
	});
	const circle = findCircle(evidence, waiters);
	if (circle) return deadlock(evidence, circle);
	const stuck = waiters.find((waiter) => waiter.lock && isStuck(evidence, waiter, waiter.lock));
	return stuck?.lock ? neverReleased(evidence, stuck, stuck.lock, waiters) : undefined;
}

/**
 * One that waits for a moment looks like one that waits for ever. It is for ever where the holder left the kernel, or a handler
 * returned, with the lock; where the watchdog saw harts go round in the same states; or where no interrupt came for ticks on end,
 * although they were on, or in the handler of the last one.
 */
function isStuck({ locks, recorder, end, sources }: Evidence, { hart, calls }: Waiter, lock: Lock): boolean {
	const { locked, hart: holder } = locks.state(lock);
	if (!locked) return false;
	const { harts, instret } = sources.machine;
	return (
		(holder !== undefined && harts[holder]?.mode === 0) ||
		recorder.leaks.some((leak) => leak.hart === holder && leak.locks.some(({ address }) => address === lock.address)) ||
		end.report?.kind === "lock-spin" ||
		(end.report?.kind === "no-progress" && holder === hart) ||
		(instret - (recorder.lastTrap[hart] ?? 0) > patience * harts.length &&
			(locks.wereOn(hart) !== false || calls.some(({ name }) => /^(user|kernel)trap$/.test(name))))
	);
}

/** Waiter after waiter, each of whom waits for a lock that the next holds. */
function findCircle(evidence: Evidence, waiters: readonly Waiter[]): Waiter[] | undefined {
	for (const start of waiters) {
		const path: Waiter[] = [];
		let next: Waiter | undefined = start;
		while (next?.lock && !path.includes(next)) {
			path.push(next);
			const holder: number | undefined = evidence.locks.state(next.lock).hart;
			next = waiters.find(({ hart }) => hart === holder);
		}
		if (next === start && path.length > 0) return path;
	}
	return undefined;
}

function deadlock(evidence: Evidence, circle: readonly Waiter[]): Diagnosis {
	const { locks } = evidence;
	const told = circle.map((waiter, i) => {
		const lock = waiter.lock as Lock;
		const before = circle[(i + circle.length - 1) % circle.length]?.lock as Lock;
		const origin = lockOrigin(evidence, before, waiter.calls, waiter.hart);
		const process = evidence.processOn(waiter.hart);
		const who = `hart ${waiter.hart}${process ? ` (process ${process.pid}, ${process.name})` : ""}`;
		const has = `${locks.label(before)}${origin ? `, taken at ${at(origin.point)}` : ""}`;
		return `${who} holds ${has} and waits for ${locks.label(lock)}${waiter.caller ? ` in ${named(waiter.caller)}` : ""}`;
	});
	const [first] = circle as readonly [Waiter];
	const cause =
		circle.length === 1
			? `Hart ${first.hart} waits for ${locks.label(first.lock as Lock)}, which it holds itself${first.caller ? `, in ${named(first.caller)}` : ""}.`
			: `Deadlock: ${told.join("; ")}. Take the two locks in the same order everywhere.`;
	return {
		kind: circle.length === 1 ? "lock-spin" : "deadlock",
		severity: "error",
		cause,
		hart: first.hart,
		evidence: told,
		frames: framesOf(evidence.callsOn(first.hart)),
		...(first.caller?.file !== undefined && first.caller.line !== undefined
			? { look: { file: first.caller.file, line: first.caller.line, function: first.caller.name } }
			: {}),
		effects: [],
		notes: [],
	};
}

function neverReleased(
	evidence: Evidence,
	waiter: Waiter,
	lock: Lock,
	waiters: readonly Waiter[],
): Diagnosis | undefined {
	const { locks } = evidence;
	const { hart: holder } = locks.state(lock);
	const label = locks.label(lock);
	const holderCalls = holder === undefined ? [] : evidence.callsOn(holder);
	const origin = holder === undefined ? undefined : lockOrigin(evidence, lock, holderCalls, holder);
	const leak =
		holder === undefined
			? undefined
			: evidence.recorder.leaks.find(
					({ hart, locks: held }) => hart === holder && held.some(({ address }) => address === lock.address),
				);
	const process = holder === undefined ? undefined : evidence.processOn(holder);
	const state = holder === undefined ? undefined : evidence.sources.machine.harts[holder];
	const doing =
		state === undefined
			? ""
			: state.mode === 0
				? `hart ${holder} is in user mode${process ? ` in process ${process.pid} (${process.name})` : ""}`
				: holderCalls[0]
					? `hart ${holder} is in ${named(holderCalls[0])}`
					: `hart ${holder} is at ${hex(state.pc)}`;
	const taken = origin ? `, taken at ${at(origin.point)} (${origin.point.function ?? "?"})` : "";
	const never = leak ? ` by the ${leak.during}, which returned without releasing it` : "";
	const cause = `${waiter.caller ? named(waiter.caller) : `Hart ${waiter.hart}`} waits for ever for ${label}, which ${holder === undefined ? "is locked, and no hart is named as its holder" : `hart ${holder} holds`}${taken}${never}.`;
	return {
		kind: "lock-spin",
		severity: "error",
		cause,
		hart: waiter.hart,
		evidence: [
			...waiters.map(
				(other) =>
					`hart ${other.hart} waits for ${other.lock ? locks.label(other.lock) : "a lock"}${other.caller ? ` in ${named(other.caller)}` : ""}`,
			),
			...(doing === "" ? [] : [doing]),
		],
		frames: framesOf(
			holder !== undefined && holderCalls.length > 0 && holder !== waiter.hart
				? holderCalls
				: evidence.callsOn(waiter.hart),
		),
		...(origin ? { look: origin.point } : {}),
		effects: [],
		notes: origin ? [] : [`Where ${lock.path} was taken was not seen`],
	};
}
