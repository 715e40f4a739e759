import type { Disposable } from "../../common/disposable.ts";
import type { DiskRequest } from "../../machine/devices/virtioBlock.ts";
import type { StackLine } from "../../protocol/verdict.ts";
import type { RunnableMachine } from "../../session/runnableMachine.ts";
import type { Fault, FaultObserver } from "./fault.ts";

const [ra, a0] = [1, 10];

/** Where a fault came. */
export interface Met {
	readonly calls: readonly StackLine[];
	readonly target?: string;
	/** The same was asked again, and not made to fail. */
	readonly retried?: boolean;
}

/** Waits for one place after the other; stands for all runs of a sweep, since to place it again costs translated code. */
export interface Injection extends Disposable {
	/** From now on places count from 1 again, and the fault comes at this one; 0: at none. */
	arm(at: number): void;
	/** Places passed since then. */
	readonly count: number;
	/** Undefined: the fault has not come. */
	readonly met: Met | undefined;
}

export interface InjectionPlace {
	readonly machine: RunnableMachine;
	readonly view: FaultObserver;
	/** Address of kalloc(). */
	readonly kalloc: number | undefined;
}

export function inject(place: InjectionPlace, kind: Fault["kind"]): Injection {
	return kind === "kalloc" ? new KallocFailure(place) : new DiskFailure(place);
}

/** The kernel's at-th call of kalloc() returns 0 to its caller, and does nothing. */
class KallocFailure implements Injection {
	count = 0;
	met: Met | undefined;
	private at = 0;
	private readonly hook: Disposable;

	constructor({ machine, view, kalloc = 0 }: InjectionPlace) {
		this.hook = machine.addHook(BigInt(kalloc), {
			when: () => ++this.count === this.at,
			act: (hart) => {
				// The innermost call is kalloc itself.
				this.met = { calls: view.kernelCalls(hart.id, hart.pc).slice(1) };
				hart.setRegister(a0, 0n);
				hart.setPc(hart.register(ra));
			},
		});
	}

	arm(at: number): void {
		this.at = at;
		this.count = 0;
		this.met = undefined;
	}

	dispose(): void {
		this.hook.dispose();
	}
}

/** The disk answers its at-th request with an I/O error. */
class DiskFailure implements Injection {
	count = 0;
	private at = 0;
	private failed: DiskRequest | undefined;
	private retried = false;
	private readonly watching: Disposable;

	constructor({ machine }: InjectionPlace) {
		this.watching = machine.watchDisk({
			fails: (request) => {
				const { failed } = this;
				if (failed) this.retried ||= request.kind === failed.kind && request.sector === failed.sector;
				if (++this.count !== this.at) return false;
				this.failed = request;
				return true;
			},
		});
	}

	get met(): Met | undefined {
		return this.failed && { calls: [], target: describeRequest(this.failed), retried: this.retried };
	}

	arm(at: number): void {
		this.at = at;
		this.count = 0;
		this.failed = undefined;
		this.retried = false;
	}

	dispose(): void {
		this.watching.dispose();
	}
}

function describeRequest({ kind, sector, bytes }: DiskRequest): string {
	const sectors = bytes / 512;
	return `the ${kind} of ${sectors === 1 ? `sector ${sector}` : `sectors ${sector} to ${sector + sectors - 1}`}`;
}
