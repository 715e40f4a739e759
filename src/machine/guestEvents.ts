import { type Disposable, toDisposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { Emitter } from "../common/event.ts";
import * as layout from "./core/layout.ts";
import { type CoreExports, type CoreImports, hartBase } from "./coreAbi.ts";
import type { Instructions, MachineSurface, RootChange, Trap } from "./types.ts";

type TrapReturn = { hart: number; pc: bigint; toMode: 0 | 1 | 3; instret: Instructions };
type Callbacks = Pick<CoreImports["env"], "onTrap" | "onTrapReturn" | "onRootChange">;

/** What the guest does, for listeners: traps, returns and root changes; breakpoints and watchpoints. Costs nothing unheard. */
export class GuestEvents {
	private readonly traps = new Emitter<Trap>();
	private readonly trapReturns = new Emitter<TrapReturn>();
	private readonly roots = new Emitter<RootChange>();
	private readonly listening = new Map<number, number>();
	readonly onTrap: MachineSurface["onTrap"] = this.listened(this.traps, layout.EVENT_TRAP);
	readonly onTrapReturn: MachineSurface["onTrapReturn"] = this.listened(this.trapReturns, layout.EVENT_TRAP_RETURN);
	readonly onRootChange: MachineSurface["onRootChange"] = this.listened(this.roots, layout.EVENT_ROOT_CHANGE);

	constructor(
		private readonly view: DataView,
		private readonly core: () => CoreExports,
	) {}

	dispose(): void {
		for (const emitter of [this.traps, this.trapReturns, this.roots]) emitter.dispose();
	}

	/** What the core calls. */
	readonly callbacks: Callbacks = {
		onTrap: (hart) => this.traps.fire(this.trapOf(hart)),
		onTrapReturn: (hart) => {
			const toMode = this.word(hart, layout.H_MODE) as 0 | 1 | 3;
			this.trapReturns.fire({ hart, pc: this.long(hart, layout.H_PC), toMode, instret: this.instret });
		},
		onRootChange: (hart) => {
			this.roots.fire({ hart, satp: this.long(hart, layout.H_SATP), instret: this.instret });
		},
	};

	addBreakpoint(pc: bigint): Disposable {
		if (!this.core().addBreakpoint(pc)) throw tableFull("breakpoints", layout.T_BREAKPOINT_MAX);
		return toDisposable(() => this.core().removeBreakpoint(pc));
	}

	addWatchpoint(address: bigint, length: number, access: "read" | "write" | "any"): Disposable {
		const read = access === "write" ? 0 : layout.WATCH_READ;
		const bits = access === "read" ? read : read | layout.WATCH_WRITE;
		const end = address + BigInt(length);
		if (!this.core().addWatchpoint(address, end, bits)) throw tableFull("watchpoints", layout.T_WATCHPOINT_MAX);
		return toDisposable(() => this.core().removeWatchpoint(address, end, bits));
	}

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

	private trapOf(hart: number): Trap {
		const cause = this.long(hart, layout.V_TRAP_CAUSE);
		return {
			hart,
			cause: Number(cause & 0xffn),
			interrupt: cause >> 63n === 1n,
			tval: this.long(hart, layout.V_TRAP_TVAL),
			pc: this.long(hart, layout.V_TRAP_PC),
			fromMode: this.word(hart, layout.V_TRAP_FROM) as 0 | 1 | 3,
			toMode: this.word(hart, layout.V_TRAP_TO) as 1 | 3,
			satp: this.long(hart, layout.H_SATP),
			instret: this.instret,
		};
	}

	private get instret(): Instructions {
		return Number(this.view.getBigUint64(layout.M_STEPS, true));
	}

	private word(hart: number, offset: number): number {
		return this.view.getUint32(hartBase(hart) + offset, true);
	}

	private long(hart: number, offset: number): bigint {
		return this.view.getBigUint64(hartBase(hart) + offset, true);
	}
}

function tableFull(what: string, most: number): UserError {
	return new UserError("machine-options", `There are ${most} ${what} already`, "Remove one first.");
}
