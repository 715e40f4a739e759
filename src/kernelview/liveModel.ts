import type { Disposable } from "../common/disposable.ts";
import { type LiveSteps, type LiveUpdate, type MemoryStep, samePlain as same, stepDelta } from "../protocol/history.ts";
import type { FramesModel, KernelModel, LogEntry, SpaceModel, UseRun } from "../protocol/kernelModel.ts";
import { expandUses } from "../protocol/modelDelta.ts";
import type { FaultLog } from "./faultLog.ts";

/** Most entries of the log in one update: a page that opens late gets 50,000 of them in pieces, the newest first. */
const entriesPerUpdate = 1000;
/** Most steps of memory in one update, the oldest first: each builds on the one before. */
const stepsPerUpdate = 200;

/** Where models come from. */
interface Viewed {
	outline(): Outline;
	/** The moment of the past that the machine stands at; undefined: it is the present. */
	past(): KernelModel | undefined;
}

/** A model without page tables and log, and beside it who uses which frames. */
export interface Outline {
	readonly model: KernelModel;
	readonly uses: readonly UseRun[];
}

/** Which entries of the log differ from what was sent. One flag an entry: a busy guest makes 50,000 between two updates. */
class UnsentEntries {
	/** By id; more places than the log ever has entries. */
	private readonly flags = new Uint8Array(65_536);

	constructor(private readonly log: FaultLog) {
		for (const entry of log.entries) this.add(entry);
	}

	add(entry: LogEntry): void {
		this.flags[entry.id % this.flags.length] = 1;
	}

	get some(): boolean {
		return this.find(1).length > 0;
	}

	/** The newest ones, in order. */
	take(most: number): LogEntry[] {
		const found = this.find(most);
		for (const { id } of found) this.flags[id % this.flags.length] = 0;
		return found;
	}

	private find(most: number): LogEntry[] {
		const { entries } = this.log;
		// Ids are consecutive.
		const first = entries[0]?.id ?? 0;
		const found: LogEntry[] = [];
		for (let i = entries.length - 1; i >= 0 && found.length < most; i--)
			if (this.flags[(first + i) % this.flags.length] === 1) found.push(entries[i] as LogEntry);
		return found.reverse();
	}
}

/** A model that is sent again and again: whole at first, then what changed. */
export class LiveModel {
	private last: Outline | undefined;
	/** Spaces as last sent, by pid; equal ones are mostly one object. */
	private readonly sentSpaces = new Map<number, SpaceModel>();
	private readonly unsent: UnsentEntries;
	private readonly changes: Disposable;
	private sentStep: MemoryStep | undefined;

	constructor(
		private readonly viewed: Viewed,
		private readonly log: FaultLog,
		private readonly history: { readonly all: readonly MemoryStep[] },
		private readonly perUpdate = entriesPerUpdate,
	) {
		const unsent = new UnsentEntries(log);
		this.unsent = unsent;
		this.changes = log.onChange((entry) => unsent.add(entry));
	}

	/** The log is longer than what was sent of it. */
	get more(): boolean {
		return this.unsent.some || (this.history.all.at(-1)?.id ?? 0) > (this.sentStep?.id ?? 0);
	}

	dispose(): void {
		this.changes.dispose();
	}

	private steps(): LiveSteps {
		const { all } = this.history;
		const sent = this.sentStep?.id ?? 0;
		const first = all.findIndex(({ id }) => id > sent);
		const steps = (first < 0 ? [] : all.slice(first, first + stepsPerUpdate)).map((step) => {
			const delta = stepDelta(this.sentStep, step);
			this.sentStep = step;
			return delta;
		});
		return { steps, stepsFrom: all[0]?.id ?? Number.MAX_SAFE_INTEGER };
	}

	/** What the present does not change while the machine stands in its past. */
	past(): KernelModel | undefined {
		return this.viewed.past();
	}

	/** In the past: what is left to tell of log and steps, with the outline that was sent last. */
	next(isPast = false): LiveUpdate {
		const outline = (isPast && this.last) || this.viewed.outline();
		const { model, uses } = outline;
		const last = this.last?.model;
		const log = this.unsent.take(this.perUpdate);
		const spaces = model.spaces.filter((space) => !same(this.sentSpaces.get(space.pid), space));
		for (const space of spaces) this.sentSpaces.set(space.pid, space);
		const sameUses = last !== undefined && same(this.last?.uses, uses);
		this.last = outline;
		const steps = this.steps();
		if (!last) return { ...model, frames: { ...model.frames, uses: expandUses(uses) }, log, ...steps };
		const changed = <K extends "harts" | "processes" | "findings" | "notes">(name: K) =>
			same(last[name], model[name]) ? {} : { [name]: model[name] };
		const order = model.spaces.map((space) => space.pid);
		const sameOrder = order.length === last.spaces.length && order.every((pid, i) => pid === last.spaces[i]?.pid);
		if (!sameOrder) {
			const alive = new Set(order);
			for (const pid of this.sentSpaces.keys()) if (!alive.has(pid)) this.sentSpaces.delete(pid);
		}
		const letters = letterRuns(last.frames.letters, model.frames.letters);
		return {
			base: last.sequence,
			sequence: model.sequence,
			instret: model.instret,
			panicked: model.panicked,
			...changed("harts"),
			...changed("processes"),
			...changed("findings"),
			...(last.diagnosis === model.diagnosis ? {} : { diagnosis: model.diagnosis ?? "" }),
			...changed("notes"),
			...(spaces.length > 0 ? { spaces } : {}),
			...(sameOrder ? {} : { spaceOrder: order }),
			...(letters.length > 0 ? { letters } : {}),
			...(letters.length > 0 ? { counts: model.frames.counts } : {}),
			...(sameUses ? {} : { uses }),
			log,
			logFrom: this.log.entries[0]?.id ?? Number.MAX_SAFE_INTEGER,
			logDropped: model.logDropped,
			...steps,
		};
	}
}

function letterRuns(before: string, after: string): [number, FramesModel["letters"]][] {
	const runs: [number, string][] = [];
	if (before === after) return runs;
	for (let i = 0; i < after.length; i++) {
		if (before[i] === after[i]) continue;
		const start = i;
		// A few equal letters between two changes cost less than another run.
		for (let equal = 0; i < after.length && equal < 8; i++) equal = before[i] === after[i] ? equal + 1 : 0;
		runs.push([start, after.slice(start, i)]);
		i--;
	}
	return runs;
}
