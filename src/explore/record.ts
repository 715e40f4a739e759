import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { Machine } from "../machine/machine.ts";
import { type Recording, recordingOf } from "../machine/recording.ts";
import type { Schedule } from "../machine/schedule.ts";
import type { Instructions } from "../machine/types.ts";
import { Bench } from "./bench.ts";
import type { Place } from "./report.ts";

export interface RecordRequest {
	/** With the plain core, at power-on; its state is lost. */
	readonly machine: Machine;
	readonly kernel: ProgramSymbols;
	/** Typed first, as a test's setup is. */
	readonly setup?: readonly string[];
	readonly command: string;
	/** Its steps count from the prompt. */
	readonly schedule: Schedule;
	/** The recording ends right before this; undefined: where the run does. */
	readonly before?: Pick<Place, "hart" | "step">;
	readonly title: string;
	readonly budget?: Instructions;
	readonly breathe: () => Promise<void>;
	readonly signal?: AbortSignal;
}

/** The run of a schedule as a recording, for the debugger: it opens at its end, and can go back from there. */
export async function recordSchedule(request: RecordRequest): Promise<Recording> {
	const { machine, kernel, command, schedule, before, title, budget, breathe, signal } = request;
	const { bench, end } = await Bench.boot({ machine, kernel, breathe, ...(signal ? { signal } : {}) });
	try {
		const isReady = end.kind === "prompt" && (await bench.prepare(request.setup ?? []));
		if (isReady && before) {
			bench.begin(command, schedule);
			bench.advanceHart(before.hart, before.step - Number(machine.harts[before.hart]?.steps));
		} else if (isReady) await bench.run(command, schedule, budget);
		return recordingOf(machine, title);
	} finally {
		bench.dispose();
	}
}
