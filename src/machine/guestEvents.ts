import { type Disposable, toDisposable } from "../common/disposable.ts";
import { Emitter } from "../common/event.ts";
import * as layout from "./core/layout.ts";
import { type CoreExports, type CoreImports, hartBase } from "./coreAbi.ts";
import type { Instructions, MachineSurface, RootChange, Trap } from "./types.ts";

type TrapReturn = { hart: number; pc: bigint; toMode: 0 | 1 | 3; instret: Instructions };

const word = (view: DataView, hart: number, offset: number) => view.getUint32(hartBase(hart) + offset, true);
const long = (view: DataView, hart: number, offset: number) => view.getBigUint64(hartBase(hart) + offset, true);

/** Steps of all harts together at this moment, inside of a turn, too: the one under way is counted. */
export function stepsNow(view: DataView): Instructions {
	const running = view.getUint32(layout.T_RUNNING, true);
	if (running === 0) return Number(view.getBigUint64(layout.M_STEPS, true));
	const hart = hartBase(running - 1);
	const end = view.getBigUint64(layout.T_TURN_BASE, true) + view.getBigUint64(hart + layout.V_STEPS_END, true);
	return Number(BigInt.asUintN(64, end)) - view.getUint32(hart + layout.V_LEFT, true);
}

/** The last event of a hart, read where it lies and only as far as a listener asks: a busy guest traps 100,000 times a second. */
class LastTrap implements Trap {
	constructor(
		private readonly view: DataView,
		readonly hart: number,
	) {}

	get cause() {
		return word(this.view, this.hart, layout.V_TRAP_CAUSE) & 0xff;
	}
	get interrupt() {
		return word(this.view, this.hart, layout.V_TRAP_CAUSE + 4) >>> 31 === 1;
	}
	get tval() {
		return long(this.view, this.hart, layout.V_TRAP_TVAL);
	}
	get pc() {
		return long(this.view, this.hart, layout.V_TRAP_PC);
	}
	get fromMode() {
		return word(this.view, this.hart, layout.V_TRAP_FROM) as 0 | 1 | 3;
	}
	get toMode() {
		return word(this.view, this.hart, layout.V_TRAP_TO) as 1 | 3;
	}
	get satp() {
		return long(this.view, this.hart, layout.H_SATP);
	}
	get root() {
		const high = word(this.view, this.hart, layout.H_SATP + 4) & 0xfff;
		return (high * 2 ** 32 + word(this.view, this.hart, layout.H_SATP)) * layout.PAGE_SIZE;
	}
	get instret() {
		return stepsNow(this.view);
	}
}

class LastReturn implements TrapReturn {
	constructor(
		private readonly view: DataView,
		readonly hart: number,
	) {}

	get pc() {
		return long(this.view, this.hart, layout.H_PC);
	}
	get toMode() {
		return word(this.view, this.hart, layout.H_MODE) as 0 | 1 | 3;
	}
	get instret() {
		return stepsNow(this.view);
	}
}
type Callbacks = Pick<CoreImports["env"], "onTrap" | "onTrapReturn" | "onRootChange">;

/** What the guest does, for listeners: traps, returns and root changes. Costs nothing unheard. */
export class GuestEvents {
	private readonly traps = new Emitter<Trap>();
	private readonly everyTraps = new Emitter<Trap>();
	private readonly trapReturns = new Emitter<TrapReturn>();
	private readonly everyTrapReturns = new Emitter<TrapReturn>();
	private readonly roots = new Emitter<RootChange>();
	private readonly lastTraps: LastTrap[] = [];
	private readonly lastReturns: LastReturn[] = [];
	private readonly listening = new Map<number, number>();
	readonly onTrap: MachineSurface["onTrap"] = this.listened(this.traps, layout.EVENT_TRAP);
	readonly onEveryTrap: MachineSurface["onEveryTrap"] = this.listened(this.everyTraps, layout.EVENT_TRAP);
	readonly onTrapReturn: MachineSurface["onTrapReturn"] = this.listened(this.trapReturns, layout.EVENT_TRAP_RETURN);
	readonly onEveryTrapReturn: MachineSurface["onTrapReturn"] = this.listened(
		this.everyTrapReturns,
		layout.EVENT_TRAP_RETURN,
	);
	readonly onRootChange: MachineSurface["onRootChange"] = this.listened(this.roots, layout.EVENT_ROOT_CHANGE);

	constructor(
		private readonly view: DataView,
		private readonly core: () => CoreExports,
	) {}

	dispose(): void {
		const { traps, everyTraps, trapReturns, everyTrapReturns, roots } = this;
		for (const emitter of [traps, everyTraps, trapReturns, everyTrapReturns, roots]) emitter.dispose();
	}

	/** The guest does again what listeners have seen. */
	silent = false;

	/** What the core calls. */
	readonly callbacks: Callbacks = {
		onTrap: (hart) => {
			this.lastTraps[hart] ??= new LastTrap(this.view, hart);
			if (!this.silent) this.traps.fire(this.lastTraps[hart]);
			this.everyTraps.fire(this.lastTraps[hart]);
		},
		onTrapReturn: (hart) => {
			this.lastReturns[hart] ??= new LastReturn(this.view, hart);
			if (!this.silent) this.trapReturns.fire(this.lastReturns[hart]);
			this.everyTrapReturns.fire(this.lastReturns[hart]);
		},
		onRootChange: (hart) => {
			if (this.silent) return;
			this.roots.fire({ hart, satp: long(this.view, hart, layout.H_SATP), instret: stepsNow(this.view) });
		},
	};

	/** An event that the core reports only while somebody listens. */
	private listened<T>(emitter: Emitter<T>, bit: number): (listener: (value: T) => void) => Disposable {
		return (listener) => {
			const subscription = emitter.event(listener);
			this.count(bit, 1);
			return toDisposable(() => {
				subscription.dispose();
				this.count(bit, -1);
			});
		};
	}

	private count(bit: number, change: number): void {
		this.listening.set(bit, (this.listening.get(bit) ?? 0) + change);
		let mask = 0;
		for (const [flag, listeners] of this.listening) if (listeners > 0) mask |= flag;
		this.core().setEventMask(mask);
	}
}
