import type { Disposable } from "../../common/disposable.ts";
import type { DiskRequest } from "../../machine/devices/virtioBlock.ts";
import type { RunnableMachine } from "../../session/runnableMachine.ts";
import type { StackLine } from "../verdict.ts";
import type { Fault, FaultObserver } from "./fault.ts";

const [ra, a0] = [1, 10];

/** One fault that waits for its place, or (at 0) for none and only counts. */
export interface Injection extends Disposable {
	/** Places passed so far. */
	readonly count: number;
	/** Undefined: it has not come. */
	readonly met:
		| { readonly calls: readonly StackLine[]; readonly target?: string; readonly retried?: boolean }
		| undefined;
}

export interface InjectionPlace {
	readonly machine: RunnableMachine;
	readonly view: FaultObserver;
	/** Address of kalloc(). */
	readonly kalloc: number | undefined;
}

export function inject(place: InjectionPlace, kind: Fault["kind"], at: number): Injection {
	return kind === "kalloc" ? failKalloc(place, at) : failDisk(place, at);
}

/** The kernel's at-th call of kalloc() returns 0 to its caller, and does nothing. */
function failKalloc({ machine, view, kalloc = 0 }: InjectionPlace, at: number): Injection {
	let count = 0;
	let met: Injection["met"];
	const hook = machine.addHook(BigInt(kalloc), {
		when: () => ++count === at,
		act: (hart) => {
			// The innermost call is kalloc itself.
			met = { calls: view.kernelCalls(hart.id, hart.pc).slice(1) };
			hart.setRegister(a0, 0n);
			hart.setPc(hart.register(ra));
		},
	});
	return {
		get count() {
			return count;
		},
		get met() {
			return met;
		},
		dispose: () => hook.dispose(),
	};
}

/** The disk answers its at-th request with an I/O error. */
function failDisk({ machine }: InjectionPlace, at: number): Injection {
	let count = 0;
	let failed: DiskRequest | undefined;
	let retried = false;
	const watching = machine.watchDisk({
		fails: (request) => {
			if (failed) retried ||= request.kind === failed.kind && request.sector === failed.sector;
			if (++count !== at) return false;
			failed = request;
			return true;
		},
	});
	return {
		get count() {
			return count;
		},
		get met() {
			return failed && { calls: [], target: describeRequest(failed), retried };
		},
		dispose: () => watching.dispose(),
	};
}

function describeRequest({ kind, sector, bytes }: DiskRequest): string {
	const sectors = bytes / 512;
	return `the ${kind} of ${sectors === 1 ? `sector ${sector}` : `sectors ${sector} to ${sector + sectors - 1}`}`;
}
