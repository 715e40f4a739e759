import { hex } from "../common/bytes.ts";
import * as layout from "./core/layout.ts";
import { hartBase } from "./coreAbi.ts";
import { stepsNow } from "./guestEvents.ts";
import type { StallReport } from "./types.ts";
import { board } from "./virtBoard.ts";

/** Steps between two looks, at least: who steps through a loop by single instructions sees the same few states for good reasons. */
const stepsBetween = 1000;
/** Exceptions in a row without one retired instruction between: nothing but a loop makes so many. */
const trapStreak = 1000;
/** Bytes of a frame that a handler saves registers in. */
const nearStack = 4096n;
/** Looks in a row at which a hart's last trap was the same fault at the same place, and traps that it took between two looks. */
const faultLooks = 8;
const faultsBetween = 100n;
/** Bytes of a trap handler in which it saves registers to the stack. A fault there is a fault of the handler itself. */
const handlerEntry = 64n;
/** Looks in a row, without a trap, at which a hart was in one of a few states with interrupts off. */
const spinLooks = 64;
/** The same when other harts still take interrupts, but do nothing between them. */
const lonelySpinLooks = 200;
/** Instructions of a loop that waits for a lock, generously. A loop that gets on (memset) is in a new state at each look. */
const fewStates = 24;

const mstatusSie = 2n;
const mstatusMie = 8n;
/** External interrupts of M and S mode in mie. */
const mieExternal = 0xa00n;
/** Fetch, load and store faults; calls and breakpoints may repeat for good reasons. */
const faults: readonly bigint[] = [1n, 2n, 4n, 5n, 6n, 7n, 12n, 13n, 15n];
const modeNames = { 0: "user", 1: "supervisor", 3: "machine" } as const;

interface Seen {
	traps: bigint;
	/** The last trap. */
	cause: bigint;
	pc: bigint;
	address: bigint;
	faultLooks: number;
	/** Hashes. */
	states: Set<number>;
	spinLooks: number;
}

/** Tells when a machine makes no progress, once for each cause; the run continues. */
export class Watchdog {
	private said = new Set<StallReport["kind"]>();
	private seen: Seen[] = [];
	/** Looks in a row at which every hart but the spinning ones rested. */
	private quietLooks = 0;
	/** Number of steps at the last look. */
	private lookedAt = Number.NEGATIVE_INFINITY;
	/** The harts' numbers. */
	private readonly all: readonly number[];

	constructor(
		private readonly view: DataView,
		hartCount: number,
		private readonly symbolize: ((pc: bigint) => string | undefined) | undefined,
	) {
		this.all = Array.from({ length: hartCount }, (_, hart) => hart);
		this.reset();
	}

	reset(): void {
		this.said = new Set();
		this.quietLooks = 0;
		this.lookedAt = Number.NEGATIVE_INFINITY;
		this.seen = this.all.map(() => ({
			traps: -1n,
			cause: -1n,
			pc: 0n,
			address: 0n,
			faultLooks: 0,
			states: new Set(),
			spinLooks: 0,
		}));
	}

	/** Called now and then while the machine runs. `idle`: all harts wait and nothing is scheduled. */
	look(idle: boolean): StallReport | undefined {
		const now = stepsNow(this.view);
		// In the past it is less than it was.
		if (!idle && Math.abs(now - this.lookedAt) < stepsBetween) return undefined;
		this.lookedAt = now;
		for (const hart of this.all) this.note(hart);
		const report = this.pmpDenied() ?? this.trapLoop() ?? this.faultLoop() ?? (idle ? this.sleeps() : this.spins());
		if (!report || this.said.has(report.kind)) return undefined;
		this.said.add(report.kind);
		return report;
	}

	private word(hart: number, offset: number): number {
		return this.view.getUint32(hartBase(hart) + offset, true);
	}

	private long(hart: number, offset: number): bigint {
		return this.view.getBigUint64(hartBase(hart) + offset, true);
	}

	private waits(hart: number): boolean {
		return this.word(hart, layout.H_WAITING) !== 0;
	}

	private interruptsOff(hart: number): boolean {
		const mode = this.word(hart, layout.H_MODE);
		const enable = mode === 3 ? mstatusMie : mstatusSie;
		return mode !== 0 && (this.long(hart, layout.H_MSTATUS) & enable) === 0n;
	}

	private note(hart: number): void {
		const seen = this.seen[hart] as Seen;
		const traps = this.long(hart, layout.H_TRAPS);
		const cause = this.long(hart, layout.V_TRAP_CAUSE);
		const pc = this.long(hart, layout.V_TRAP_PC);
		const address = this.long(hart, layout.V_TRAP_TVAL);
		const came = traps - seen.traps;
		const same = cause === seen.cause && pc === seen.pc && (address === seen.address || this.isInHandlerEntry(hart));
		const again = same && faults.includes(cause) && came >= faultsBetween;
		seen.faultLooks = again ? seen.faultLooks + 1 : 0;
		Object.assign(seen, { cause, pc, address });
		const still = traps === seen.traps && !this.waits(hart) && this.interruptsOff(hart);
		if (still) seen.states.add(this.stateOf(hart));
		if (still && seen.states.size <= fewStates) seen.spinLooks++;
		else {
			seen.spinLooks = 0;
			seen.states.clear();
		}
		seen.traps = traps;
	}

	/** The last trap came from the first instructions of the handler that it went to. */
	private isInHandlerEntry(hart: number): boolean {
		const vector = this.long(hart, this.word(hart, layout.V_TRAP_TO) === 3 ? layout.H_MTVEC : layout.H_STVEC);
		const into = this.long(hart, layout.V_TRAP_PC) - vector;
		return into >= 0n && into < handlerEntry;
	}

	/** Of pc and registers. */
	private stateOf(hart: number): number {
		const registers = new Uint32Array(this.view.buffer, hartBase(hart) + layout.H_X, 64);
		let hash = this.word(hart, layout.H_PC);
		for (const half of registers) hash = Math.imul(hash ^ half, 0x01000193) ^ (hash >>> 15);
		return hash;
	}

	/** Without a single PMP entry, supervisor and user mode can reach nothing (privileged ISA 3.7.1): no run recovers from it. */
	private pmpDenied(): StallReport | undefined {
		const hart = this.all.find((candidate) => {
			if (this.word(candidate, layout.V_PMP_DENIED) === 0) return false;
			const cfg = hartBase(candidate) + layout.H_PMPCFG;
			for (let i = 0; i < 16; i++) if ((this.view.getUint8(cfg + i) & 0x18) !== 0) return false;
			return true;
		});
		if (hart === undefined) return undefined;
		const pc = this.name(this.long(hart, layout.V_PMP_PC));
		return this.report(
			"pmp-denied",
			`Hart ${hart} left machine mode at ${pc}, but physical memory protection allows nothing there: your start.c sets no PMP ` +
				"entry, which kernels from before QEMU enforced PMP did not need. Add w_pmpaddr0(0x3fffffffffffffull) and " +
				"w_pmpcfg0(0xf) to start(), or boot with --pmp off.",
		);
	}

	private trapLoop(): StallReport | undefined {
		const hart = this.all.find((candidate) => this.word(candidate, layout.V_TRAP_STREAK) >= trapStreak);
		if (hart === undefined) return undefined;
		const pc = this.long(hart, layout.V_TRAP_PC);
		const toMachine = this.word(hart, layout.V_TRAP_TO) === 3;
		const vector = this.long(hart, toMachine ? layout.H_MTVEC : layout.H_STVEC);
		const cause = this.long(hart, layout.V_TRAP_CAUSE);
		if (vector === 0n) {
			return this.report(
				"no-entry",
				`Hart ${hart} trapped in ${toMachine ? "machine" : "supervisor"} mode before a trap vector was set ` +
					`(${toMachine ? "mtvec" : "stvec"} is 0), and traps for ever at address 0. It jumped to a place that holds no code, used memory ` +
					"that its page table lacks, or is not linked at the address where it is loaded: check the linker script and the start code.",
			);
		}
		return this.report(
			"trap-loop",
			`Hart ${hart} traps for ever: cause ${cause} at ${this.name(pc)}, and the handler's first instruction traps again. ` +
				"The trap vector (stvec, mtvec) or the page table that holds it is wrong.",
		);
	}

	/** The handler runs and comes back, and the same instruction faults again. */
	private faultLoop(): StallReport | undefined {
		const hart = this.all.find((candidate) => (this.seen[candidate] as Seen).faultLooks >= faultLooks);
		if (hart === undefined) return undefined;
		const pc = this.name(this.long(hart, layout.V_TRAP_PC));
		const address = hex(this.long(hart, layout.V_TRAP_TVAL));
		if (this.isInHandlerEntry(hart))
			return this.report(
				"trap-loop",
				`Hart ${hart} faults again and again at ${pc} (cause ${this.long(hart, layout.V_TRAP_CAUSE)}, address ${address}), where its trap ` +
					(this.isAtStack(hart)
						? "handler begins: the stack pointer leads to memory that is not mapped or not writable, as after an overflow of the " +
							"kernel stack."
						: "handler begins: the memory where it saves registers is not mapped or not writable."),
			);
		return this.report(
			"trap-loop",
			`Hart ${hart} faults again and again at ${pc} (cause ${this.long(hart, layout.V_TRAP_CAUSE)}, address ${address}): the trap ` +
				"handler returns to the instruction without having made the access possible. Map the page with the needed " +
				"permissions, or kill the process.",
		);
	}

	/** The address that faulted is where the stack pointer leads. */
	private isAtStack(hart: number): boolean {
		const distance = this.long(hart, layout.V_TRAP_TVAL) - this.long(hart, layout.H_X + 8 * 2);
		return distance > -nearStack && distance < nearStack;
	}

	/** All harts rest and no timer is set: it is a wait for input only if somebody listens to the UART. */
	private sleeps(): StallReport | undefined {
		if (this.all.some((hart) => !this.waits(hart) && this.interruptsOff(hart))) return this.lockSpin();
		if (this.all.some((hart) => (this.long(hart, layout.H_MIE) & mieExternal) !== 0n && this.hearsUart(hart))) {
			return undefined;
		}
		// A loop with interrupts on that polls the UART ends when a key comes.
		if (this.all.some((hart) => !this.waits(hart))) return undefined;
		return this.report(
			"wfi-forever",
			"Every hart waits for an interrupt (wfi), and none is enabled or scheduled that could come. " +
				"The timer was never programmed, or interrupts are masked in sie or mie or not enabled in the PLIC.",
		);
	}

	private hearsUart(hart: number): boolean {
		const word = (context: number) =>
			this.view.getUint32(layout.PLIC_ENABLE + 16 * context + 4 * (board.uart.irq >> 5), true);
		return (((word(2 * hart) | word(2 * hart + 1)) >> (board.uart.irq & 31)) & 1) !== 0;
	}

	/** A hart that waits for a lock goes round the same few states (pc and registers), without a trap, with interrupts off. */
	private spins(): StallReport | undefined {
		const spinning = this.all.filter((hart) => (this.seen[hart] as Seen).spinLooks > 0);
		const others = this.all.filter((hart) => !spinning.includes(hart));
		const resting = others.every(
			(hart) => this.waits(hart) || this.word(hart, layout.H_SPIN_STATE) === layout.SPIN_RESTS,
		);
		this.quietLooks = spinning.length > 0 && resting ? this.quietLooks + 1 : 0;
		const longest = Math.max(0, ...spinning.map((hart) => (this.seen[hart] as Seen).spinLooks));
		const shortest = Math.min(...spinning.map((hart) => (this.seen[hart] as Seen).spinLooks));
		if (others.length === 0 && shortest >= spinLooks) return this.lockSpin();
		if (this.quietLooks >= lonelySpinLooks && longest >= lonelySpinLooks) return this.lockSpin();
		return undefined;
	}

	private lockSpin(): StallReport {
		return this.report(
			"lock-spin",
			"A hart goes round in the same few instructions with interrupts off, and no other hart does anything. After a panic " +
				"that is its endless loop; otherwise a lock was not released, or a hart waits for one that it holds: look at acquire and " +
				"release around the places named here.",
		);
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
		return `${hex(pc)}${symbol ? ` (${symbol})` : ""}`;
	}
}
