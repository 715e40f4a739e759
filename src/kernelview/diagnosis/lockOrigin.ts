import type { SourcePoint } from "../../protocol/kernelModel.ts";
import { callSites, functionBounds, reaches } from "./callSites.ts";
import type { Evidence } from "./evidence.ts";
import type { KernelCall } from "./kernelCalls.ts";
import type { Lock } from "./locks.ts";
import type { LockLeak } from "./recorder.ts";

/** Where a lock that is held now was taken. */
interface LockOrigin {
	readonly point: SourcePoint;
	/** The handler that returned with the lock; undefined: its call is still on the stack. */
	readonly leak: LockLeak | undefined;
}

const takes: ReadonlySet<string> = new Set(["acquire", "acquire_irqsave"]);
/** Calls from the handler to the call of acquire. */
const mostDepth = 4;
/** Where traps come in, in the names that every xv6 has. */
const interruptHandlers = ["clockintr", "devintr", "kerneltrap", "usertrap"];

/** Undefined: nothing in this run shows who took it. */
export function lockOrigin(
	evidence: Evidence,
	lock: Lock,
	calls: readonly KernelCall[],
	hart: number,
): LockOrigin | undefined {
	const onStack = takenOnStack(evidence, lock, calls);
	if (onStack) return { point: onStack, leak: undefined };
	const leak = evidence.recorder.leaks.find(
		(candidate) => candidate.hart === hart && candidate.locks.some(({ address }) => address === lock.address),
	);
	if (!leak) return undefined;
	const starts = leak.handler === undefined ? interruptHandlers : [leak.handler];
	for (const name of starts) {
		const point = takenBelow(evidence, lock, name);
		if (point) return { point, leak };
	}
	return undefined;
}

/** A call of acquire with this very lock, in a function that is on the stack, from which its way leads without a release of it. */
function takenOnStack(evidence: Evidence, lock: Lock, calls: readonly KernelCall[]): SourcePoint | undefined {
	const { symbols, sources } = evidence;
	const seen = new Set<number>();
	for (const call of calls) {
		if (seen.has(call.pc)) continue;
		seen.add(call.pc);
		const bounds = functionBounds(symbols, call.pc - 1);
		if (!bounds || takes.has(symbols.symbolAt(bounds.start)?.name ?? "")) continue;
		const own = callSites(symbols, sources.memory, bounds.start).filter(({ argument }) => argument === lock.address);
		const released = new Set(own.filter(({ callee }) => callee === "release").map(({ at }) => at));
		const site = own.findLast(
			({ callee, returnsTo }) =>
				takes.has(callee) &&
				returnsTo !== call.pc &&
				reaches(symbols, sources.memory, { from: returnsTo, to: call.at, without: released }),
		);
		if (site) return evidence.point(site.at);
	}
	return undefined;
}

/** The nearest function that takes this lock more often than it releases it; else the nearest that takes it. */
function takenBelow(evidence: Evidence, lock: Lock, handler: string): SourcePoint | undefined {
	const { symbols, sources } = evidence;
	const start = symbols.symbol(handler);
	if (start === undefined) return undefined;
	const seen = new Set<number>([start]);
	let level = [start];
	let nearest: SourcePoint | undefined;
	for (let depth = 0; depth < mostDepth && level.length > 0; depth++) {
		const next: number[] = [];
		for (const address of level) {
			const sites = callSites(symbols, sources.memory, address);
			const own = sites.filter(({ argument }) => argument === lock.address);
			const taken = own.filter(({ callee }) => takes.has(callee));
			const released = own.filter(({ callee }) => callee === "release");
			const point = taken[0] && evidence.point(taken[0].at);
			if (point && taken.length > released.length) return point;
			nearest ??= point;
			for (const { callee } of sites) {
				const target = symbols.symbol(callee);
				if (target === undefined || seen.has(target)) continue;
				seen.add(target);
				next.push(target);
			}
		}
		level = next;
	}
	return nearest;
}
