import * as layout from "./core/layout.ts";
import { hartBase } from "./coreAbi.ts";
import type { StallReport } from "./types.ts";

/** Exceptions in a row without one retired instruction between: nothing but a loop makes so many. */
const trapStreak = 1000;
/** Looks in a row, without a trap, at which every hart was in one of a few states. */
const spinLooks = 64;
/** Instructions of a loop that waits for a lock, generously. A loop that gets on (memset) is in a new state at each look. */
const fewStates = 24;

const mstatusSie = 2n;
const modeNames = { 0: "user", 1: "supervisor", 3: "machine" } as const;

/** Tells when a machine makes no progress, once for each cause; the run goes on. */
export class Watchdog {
	private said = new Set<StallReport["kind"]>();
	private states: Set<string>[] = [];
	private looks = 0;
	private traps = -1n;

	constructor(
		private readonly view: DataView,
		private readonly hartCount: number,
		private readonly symbolize: ((pc: bigint) => string | undefined) | undefined,
	) {}

	reset(): void {
		this.said = new Set();
		this.traps = -1n;
	}

	/** Called now and then while the machine runs. `idle`: all harts wait and nothing is scheduled. */
	look(idle: boolean): StallReport | undefined {
		const kind = this.trapLoop() ?? (idle ? this.waitsForEver() : this.spins());
		if (!kind || this.said.has(kind.kind)) return undefined;
		this.said.add(kind.kind);
		return kind;
	}

	private word(hart: number, offset: number): number {
		return this.view.getUint32(hartBase(hart) + offset, true);
	}

	private long(hart: number, offset: number): bigint {
		return this.view.getBigUint64(hartBase(hart) + offset, true);
	}

	private get all(): number[] {
		return Array.from({ length: this.hartCount }, (_, hart) => hart);
	}

	private trapLoop(): StallReport | undefined {
		const hart = this.all.find((candidate) => this.word(candidate, layout.V_TRAP_STREAK) >= trapStreak);
		if (hart === undefined) return undefined;
		const pc = this.long(hart, layout.V_TRAP_PC);
		const cause = this.long(hart, layout.V_TRAP_CAUSE);
		if (this.word(hart, layout.V_PMP_DENIED) > 0) {
			return this.report(
				"pmp-denied",
				`Hart ${hart} is refused by physical memory protection at ${this.name(pc)} and traps for ever. ` +
					"start.c gives supervisor mode no PMP entry: kernels from before QEMU enforced PMP do not. " +
					"Add w_pmpaddr0(0x3fffffffffffffull) and w_pmpcfg0(0xf) to start(), or boot with --pmp off.",
			);
		}
		return this.report(
			"trap-loop",
			`Hart ${hart} traps for ever: cause ${cause} at ${this.name(pc)}, and the handler's first instruction traps again. ` +
				"The trap vector (stvec, mtvec) or the page table that holds it is wrong.",
		);
	}

	private waitsForEver(): StallReport | undefined {
		const canWake = this.all.some((hart) => (this.long(hart, layout.H_MIE) & 0xa00n) !== 0n);
		if (canWake) return undefined;
		return this.report(
			"wfi-forever",
			"Every hart waits for an interrupt (wfi), and none is enabled or scheduled that could come. " +
				"The timer was never programmed, or interrupts are masked in sie or mie.",
		);
	}

	/** A hart that waits for a lock goes round the same few states (pc and registers), without a trap, with interrupts off. */
	private spins(): StallReport | undefined {
		const traps = this.all.reduce((sum, hart) => sum + this.long(hart, layout.V_TRAPS), 0n);
		const locked = this.all.every(
			(hart) => (this.long(hart, layout.H_MSTATUS) & mstatusSie) === 0n && this.word(hart, layout.H_MODE) === 1,
		);
		if (traps !== this.traps || !locked) {
			this.traps = traps;
			this.looks = 0;
			this.states = this.all.map(() => new Set());
			return undefined;
		}
		this.looks++;
		this.states.forEach((seen, hart) => {
			seen.add(this.stateOf(hart));
		});
		if (this.states.some((seen) => seen.size > fewStates)) {
			this.looks = 0;
			this.states = this.all.map(() => new Set());
		}
		if (this.looks < spinLooks) return undefined;
		return this.report(
			"lock-spin",
			"Every hart goes round in the same few instructions with interrupts off. After a panic that is its endless loop; otherwise a " +
				"lock was not released, or a hart waits for one that it holds: look at acquire and release around the places named here.",
		);
	}

	private stateOf(hart: number): string {
		const registers = new BigUint64Array(this.view.buffer, hartBase(hart) + layout.H_X, 32);
		return `${this.long(hart, layout.H_PC)} ${registers.join(" ")}`;
	}

	private report(kind: StallReport["kind"], text: string): StallReport {
		const harts = this.all.map((hart) => ({
			hart,
			pc: this.long(hart, layout.H_PC),
			mode: this.word(hart, layout.H_MODE) as 0 | 1 | 3,
		}));
		const where = harts
			.map(({ hart, pc, mode }) => `hart ${hart} at ${this.name(pc)} in ${modeNames[mode]} mode`)
			.join("; ");
		return { kind, message: `The machine makes no progress. ${text} (${where})`, harts };
	}

	private name(pc: bigint): string {
		const symbol = this.symbolize?.(pc);
		return `0x${pc.toString(16)}${symbol ? ` (${symbol})` : ""}`;
	}
}
