import type { FramesModel, FrameUse, KernelDelta, KernelModel, LogEntry, SpaceModel } from "../protocol/kernelModel.ts";
import type { FaultLog } from "./faultLog.ts";

/** Most entries of the log in one update: a page that opens late gets 50,000 of them in pieces, the newest first. */
const entriesPerUpdate = 1000;

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
	private last: KernelModel | undefined;
	/** Spaces as last sent; equal ones are mostly one object. */
	private sentSpaces = new Map<number, { space: SpaceModel; text: string }>();
	/** Text of the small parts, as last sent. */
	private sentParts = new Map<string, string>();
	private readonly unsent: UnsentEntries;

	/** `outline`: everything but page tables and the log. */
	constructor(
		private readonly outline: () => KernelModel,
		private readonly log: FaultLog,
		private readonly perUpdate = entriesPerUpdate,
	) {
		const unsent = new UnsentEntries(log);
		this.unsent = unsent;
		log.onChange = (entry) => unsent.add(entry);
	}

	/** The log is longer than what was sent of it. */
	get more(): boolean {
		return this.unsent.some;
	}

	dispose(): void {
		this.log.onChange = undefined;
	}

	next(): KernelModel | KernelDelta {
		const model = this.outline();
		const { last } = this;
		const log = this.unsent.take(this.perUpdate);
		const spaces = model.spaces.filter((space) => {
			const sent = this.sentSpaces.get(space.pid);
			if (sent?.space === space) return false;
			const text = JSON.stringify(space);
			this.sentSpaces.set(space.pid, { space, text });
			return sent?.text !== text;
		});
		const changed = <K extends "harts" | "processes" | "findings" | "moments" | "notes">(name: K) =>
			this.differs(name, model[name]) ? { [name]: model[name] } : {};
		const parts = {
			...changed("harts"),
			...changed("processes"),
			...changed("findings"),
			...changed("moments"),
			...changed("notes"),
		};
		const counts = this.differs("counts", model.frames.counts);
		const uses = !sameUses(this.last?.frames.uses, model.frames.uses);
		this.last = model;
		if (!last) return { ...model, log };
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
			...parts,
			...(spaces.length > 0 ? { spaces } : {}),
			...(sameOrder ? {} : { spaceOrder: order }),
			...(letters.length > 0 ? { letters } : {}),
			...(counts ? { counts: model.frames.counts } : {}),
			...(uses ? { uses: model.frames.uses } : {}),
			log,
			logFrom: this.log.entries[0]?.id ?? Number.MAX_SAFE_INTEGER,
			logDropped: model.logDropped,
		};
	}

	private differs(name: string, value: unknown): boolean {
		const text = JSON.stringify(value);
		if (this.sentParts.get(name) === text) return false;
		this.sentParts.set(name, text);
		return true;
	}
}

/** Tens of thousands when memory is full; those of a space that did not change are the same objects. */
function sameUses(before: readonly FrameUse[] | undefined, after: readonly FrameUse[]): boolean {
	return (
		before?.length === after.length &&
		after.every((use, i) => {
			const old = before[i] as FrameUse;
			if (old === use) return true;
			const { frame, pid, as, address, level } = use;
			return old.frame === frame && old.pid === pid && old.as === as && old.address === address && old.level === level;
		})
	);
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
