import type { LiveUpdate, MemoryStep } from "../../src/protocol/history.ts";
import { applyStep } from "../../src/protocol/history.ts";
import type { KernelModel, LogEntry } from "../../src/protocol/kernelModel.ts";
import { applyDelta } from "../../src/protocol/modelDelta.ts";

/** One column of the time line. */
export interface TimeEvent {
	/** Guest time at which its effect was there. */
	readonly t: number;
	/** Undefined: the beginning, or now. */
	readonly entry?: LogEntry;
	/** Memory then; undefined: it was not kept. */
	readonly step?: MemoryStep;
}

/** Everything the page knows of a run, at one update. */
export interface Run {
	readonly model: KernelModel;
	readonly steps: readonly MemoryStep[];
	/** In the order in which their effects came; the last one is now. */
	readonly events: readonly TimeEvent[];
	/** Guest time at which the run began. */
	readonly start: number;
}

/**
 * The run as it was when the machine stood at an earlier moment of it. `past` is that moment; its log tells of the entries that were
 * otherwise than they are now.
 */
export function runAt(run: Run, past: KernelModel): Run {
	const { instret } = past;
	const then = new Map(past.log.map((entry) => [entry.id, entry]));
	const log = run.model.log.filter((entry) => entry.instret <= instret).map((entry) => then.get(entry.id) ?? entry);
	const entries = new Map(log.map((entry) => [entry.id, entry]));
	const events = run.events.flatMap(({ t, entry, step }): TimeEvent[] => {
		if (!entry) return step && step.instret <= instret ? [{ t, step }] : [];
		const known = entries.get(entry.id);
		if (!known) return [];
		// Its effect was not there yet.
		return step && step.instret <= instret ? [{ t, entry: known, step }] : [{ t: Math.min(t, instret), entry: known }];
	});
	return {
		model: { ...past, log },
		steps: run.steps.filter((step) => step.instret <= instret),
		events: [...events.sort((a, b) => a.t - b.t), { t: instret }],
		start: Math.min(run.start, instret),
	};
}

/** Whether `next` is the run that `known` was, or more of it: another boot, and another future, have other entries. */
export function continues(known: KernelModel, next: KernelModel): boolean {
	const last = known.log.at(-1);
	if (!last) return next.instret >= known.instret;
	const same = next.log.findLast(({ id }) => id === last.id);
	return same?.instret === last.instret && same.type === last.type;
}

/** Puts together what the host sends: the model, the steps of memory, and the time line that follows from both. */
export class RunKeeper {
	private model: KernelModel | undefined;
	private steps: readonly MemoryStep[] = [];
	private log: readonly LogEntry[] = [];
	private readonly stepOf = new Map<number, MemoryStep>();
	/** Without the last one, which is now. */
	private past: TimeEvent[] = [];

	/** The run after a message; undefined when the message changes a model that is not here: the whole one has to be asked for. */
	take(update: LiveUpdate | undefined): Run | undefined {
		if (!update) {
			this.forget();
			return undefined;
		}
		if ("base" in update) this.model = applyDelta(this.model, update);
		else {
			this.forget();
			const { steps: _steps, stepsFrom: _from, ...model } = update;
			this.model = model.format === 1 ? model : undefined;
		}
		if (!this.model) return undefined;
		const changed = this.takeSteps(update);
		this.order(changed);
		const now: TimeEvent = { t: this.model.instret };
		return {
			model: this.model,
			steps: this.steps,
			events: [...this.past, now],
			start: this.past[0]?.t ?? this.model.instret,
		};
	}

	private forget(): void {
		this.model = undefined;
		this.steps = [];
		this.log = [];
		this.stepOf.clear();
		this.past = [];
	}

	/** Id of the oldest entry whose step is new. */
	private takeSteps({ steps, stepsFrom }: LiveUpdate): number {
		let changed = Number.POSITIVE_INFINITY;
		const kept = this.steps.filter(({ id }) => id >= stepsFrom);
		if (kept.length < this.steps.length) {
			for (const step of this.steps)
				if (step.id < stepsFrom && this.stepOf.get(step.entry) === step) this.stepOf.delete(step.entry);
			changed = 0;
		}
		for (const delta of steps) {
			const step = applyStep(kept.at(-1) ?? this.steps.at(-1), delta);
			kept.push(step);
			if (!step.before) this.stepOf.set(step.entry, step);
			changed = Math.min(changed, step.entry);
		}
		this.steps = kept;
		return changed;
	}

	/** Brings `past` up to date: the entries of the log in the order in which their effects came. */
	private order(changedEntry: number): void {
		const { log } = this.model as KernelModel;
		let same = 0;
		while (same < log.length && same < this.log.length && log[same] === this.log[same]) same++;
		const from = Math.min(changedEntry, log[same]?.id ?? Number.POSITIVE_INFINITY);
		const dropped = this.log[0] !== log[0];
		this.log = log;
		if (from === Number.POSITIVE_INFINITY && !dropped) return;
		const oldest = log[0]?.id ?? Number.POSITIVE_INFINITY;
		const keep = ({ entry }: TimeEvent) => entry !== undefined && entry.id < from && entry.id >= oldest;
		const past = this.past.filter(keep);
		const begin = this.stepOf.get(0);
		const first = log.findIndex(({ id }) => id >= from);
		for (let i = first < 0 ? log.length : first; i < log.length; i++) insert(past, this.event(log[i] as LogEntry));
		this.past = begin ? [{ t: begin.instret, step: begin }, ...past] : past;
	}

	private event(entry: LogEntry): TimeEvent {
		const step = this.stepOf.get(entry.id);
		return { t: step?.instret ?? entry.settledAt ?? entry.instret, entry, ...(step ? { step } : {}) };
	}
}

/** Nearly all come in order. */
function insert(events: TimeEvent[], event: TimeEvent): void {
	let at = events.length;
	while (at > 0 && (events[at - 1] as TimeEvent).t > event.t) at--;
	events.splice(at, 0, event);
}

/** Where the event of a log entry stands; -1: it is not there. */
export function indexOfEntry(run: Run, entry: number): number {
	return run.events.findIndex((event) => event.entry?.id === entry);
}

/** The last event whose effect was there at a time; 0 when all came later. */
export function indexAt(run: Run, instret: number): number {
	let low = 0;
	let high = run.events.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((run.events[middle] as TimeEvent).t <= instret) low = middle + 1;
		else high = middle;
	}
	return Math.max(0, low - 1);
}
