import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { Machine } from "../machine/machine.ts";
import { type Mark, type Recording, recordingOf } from "../machine/recording.ts";
import type { Schedule } from "../machine/schedule.ts";
import type { Instructions } from "../machine/types.ts";
import { Bench } from "./bench.ts";
import { type Place, placeText } from "./report.ts";

/** A place of a report, and what is there. */
interface MarkedPlace extends Pick<Place, "hart" | "step"> {
	readonly text: string;
}

export function markedPlaces(places: readonly Place[]): MarkedPlace[] {
	return places.map((place) => ({ hart: place.hart, step: place.step, text: placeText(place) }));
}

interface RecordRequest {
	/** With the plain core, at power-on; its state is lost. */
	readonly machine: Machine;
	readonly kernel: ProgramSymbols;
	/** Typed first, as a test's setup is. */
	readonly setup?: readonly string[];
	/** Undefined: the boot. */
	readonly command: string | undefined;
	/** Its steps count from the prompt; the boot's from power-on. */
	readonly schedule: Schedule;
	/** The recording ends right before this; undefined: where the run does. */
	readonly before?: Pick<Place, "hart" | "step">;
	/** Places on the way, in the order of the run: the recording marks them. */
	readonly places?: readonly MarkedPlace[];
	readonly title: string;
	readonly budget?: Instructions;
	readonly breathe: () => Promise<void>;
	readonly signal?: AbortSignal;
}

/** The run of a schedule as a recording, for the debugger: it opens at its end, and can go back from there. */
export async function recordSchedule(request: RecordRequest): Promise<Recording> {
	const { machine, kernel, command, schedule, before, places = [], title, budget, breathe, signal } = request;
	const marks: Mark[] = [];
	const parts = { machine, kernel, breathe, ...(signal ? { signal } : {}) };
	const { bench, end } =
		command === undefined ? { bench: Bench.atPowerOn(parts), end: undefined } : await Bench.boot(parts);
	try {
		const isReady = command === undefined || (end?.kind === "prompt" && (await bench.prepare(request.setup ?? [])));
		if (isReady && before) {
			if (command === undefined) bench.toPowerOn(schedule);
			else bench.begin(command, schedule);
			const goTo = ({ hart, step }: Pick<Place, "hart" | "step">) => {
				const left = step - Number(machine.harts[hart]?.steps);
				if (left > 0) bench.advanceHart(hart, left);
				return left >= 0;
			};
			for (const place of places) {
				const { hart, text } = place;
				if (goTo(place)) marks.push({ at: machine.instret, hart, text });
			}
			goTo(before);
		} else if (command === undefined) await bench.bootAgain(schedule);
		else if (isReady) await bench.run(command, schedule, budget);
		return { ...recordingOf(machine, title), ...(marks.length > 0 ? { marks } : {}) };
	} finally {
		bench.dispose();
	}
}
