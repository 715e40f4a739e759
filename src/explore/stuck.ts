import type { KernelView } from "../kernelview/kernelView.ts";
import * as layout from "../machine/core/layout.ts";
import type { Machine } from "../machine/machine.ts";
import type { Instructions } from "../machine/types.ts";
import type { CommandEnd } from "../session/commandEnd.ts";
import { waitingOf } from "../session/waiting.ts";

/** Without user code, device or output for so long, it is worth a look at what processes wait for; a disk answers sooner. */
const quietFor: Instructions = 2_000_000;
/** Traps that come from user code (privileged ISA, table of causes), and external interrupts. */
const userCauses = [8, 12, 13, 15];
const external = [9, 11];

/**
 * Sees at once what the session's progress watch sees after twenty ticks: every process sleeps, and none on the clock. A search through
 * schedules would spend most of its time on lost wakeups otherwise.
 */
export class StuckWatch {
	private seen = "";
	private since = 0;
	private looks = 0;

	constructor(
		private readonly machine: Machine,
		private readonly view: KernelView,
	) {}

	reset(): void {
		this.seen = "";
		this.looks = 0;
	}

	look(printed: number): CommandEnd | undefined {
		const { machine } = this;
		const sum = (base: number, causes: readonly number[]) =>
			causes.reduce((total, cause) => total + machine.statistic(base + 8 * cause), 0);
		const seen = `${printed} ${machine.console.pending} ${sum(layout.S_INTERRUPTS, external)} ${sum(layout.S_EXCEPTIONS, userCauses)}`;
		if (seen !== this.seen || machine.harts.some(({ mode }) => mode === 0)) {
			this.seen = seen;
			this.since = machine.instret;
			this.looks = 0;
			return undefined;
		}
		if (machine.instret - this.since < quietFor * (this.looks + 1)) return undefined;
		this.looks++;
		const waiting = waitingOf(this.view.waits());
		if (waiting?.kind !== "events" || this.looks < 2) return undefined;
		const harts = machine.harts.map(({ id, pc, mode }) => ({ hart: id, pc, mode }));
		const message = `Every process sleeps on an event that never comes: ${waiting.who}`;
		return { kind: "stall", report: { kind: "no-progress", message, harts } };
	}
}
