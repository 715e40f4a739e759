import { hex } from "../common/bytes.ts";
import { KernelView } from "../kernelview/kernelView.ts";
import type { Instructions } from "../machine/types.ts";
import type { WriterModel } from "../protocol/history.ts";
import { RunController, type RunHost } from "../session/runController.ts";
import type { RunnableMachine } from "../session/runnableMachine.ts";

/** Instructions between two looks at the mailbox. */
const slice = 4_000_000;
/** A page-table entry. */
const entryBytes = 8;
/** Calls that are of interest: the writer, and what led to it. */
const mostCalls = 8;

interface WriterQuestion {
	/** Physical address of the entry. */
	readonly address: bigint;
	/** Guest time between which the write is looked for. */
	readonly after: Instructions;
	readonly before: Instructions;
}

/**
 * Who last wrote a page-table entry, from the machine's own history; the machine is where it was then. "outside": its history does not
 * have all of that time.
 */
export function writerInHistory(
	machine: RunnableMachine,
	kernel: Uint8Array,
	{ address, after, before }: WriterQuestion,
): WriterModel | undefined | "outside" {
	const { history } = machine;
	if (!history || history.oldest.steps > after || history.present.steps < before) return "outside";
	const here = history.isPast ? machine.instret : undefined;
	const view = new KernelView(machine, kernel, new Map());
	try {
		history.seek(before);
		// In user mode it is the hardware that sets A or D in the entry.
		const write = history.lastWrite(address, entryBytes, ({ hart }) => hart?.mode === 1);
		if (!write || write.hart === undefined || write.position.steps <= after) return undefined;
		const stack = view.kernelCalls(write.hart, write.pc).slice(0, mostCalls);
		return { instret: write.position.steps, hart: write.hart, address: hex(address), stack };
	} finally {
		if (here === undefined) history.toPresent();
		else history.seek(here);
		view.dispose();
	}
}

/**
 * Who last wrote a page-table entry. A second machine does the same run again, from power-on, with a watchpoint on the entry: the first
 * one is not touched, and pays nothing for being asked later. Undefined: nobody wrote it in that time. Disposes of `again`.
 */
export async function whoWrote(
	again: RunnableMachine,
	kernel: Uint8Array,
	host: RunHost,
	{ address, after, before }: WriterQuestion,
): Promise<WriterModel | undefined> {
	const controller = new RunController(again, host);
	const view = new KernelView(again, kernel, new Map());
	let found: WriterModel | undefined;
	try {
		for (const [until, watched] of [
			[after, false],
			[before, true],
		] as const) {
			if (watched) again.addWatchpoint(address, entryBytes, "write", { physical: true });
			while (again.instret < until) {
				const stop = controller.advance(Math.min(slice, until - again.instret));
				// In user mode it is the hardware that sets A or D in the entry.
				const byKernel = stop.kind === "watchpoint" && stop.hart !== undefined && again.harts[stop.hart]?.mode === 1;
				if (stop.kind === "watchpoint" && stop.hart !== undefined && byKernel) {
					const stack = view.kernelCalls(stop.hart, stop.pc).slice(0, mostCalls);
					found = { instret: again.instret, hart: stop.hart, address: hex(address), stack };
				} else if (stop.kind !== "budget" && stop.kind !== "waiting" && stop.kind !== "watchpoint") return found;
				else await host.breathe();
			}
		}
		return found;
	} finally {
		view.dispose();
		controller.dispose();
		again.dispose();
	}
}
