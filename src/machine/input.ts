import { UserError } from "../common/errors.ts";
import * as layout from "./core/layout.ts";
import { InputLog, type InputMoment, type InputRecord, type Ports } from "./inputLog.ts";
import type { Schedule } from "./schedule.ts";

/** Where a machine stands between two steps, for input: the count of steps, and how the core's last run ended. */
export interface Standing {
	readonly at: number;
	readonly moment: InputMoment;
}

/** What the core may do before the next input is due. */
interface Admission {
	/** 0: the recorded run ended here. */
	readonly steps: number;
	/** The wait or the moment that must come first, if any. */
	readonly until?: "waiting" | "idle" | "ready";
}

/** Console input: what is typed now, and what was typed in the run that is replayed. */
export class Input {
	readonly log = new InputLog();
	/** A recorded run that this one repeats; `next`: what it gives at the present. */
	private replayed: { readonly records: readonly InputRecord[]; next: number } | undefined;
	/** While the machine is in the past of this run: the record that it gives next. */
	private past: number | undefined;

	/** `queue`: the bytes join the serial line; `deliver`: they come to the network card. */
	constructor(
		private readonly queue: (bytes: Uint8Array) => void,
		private readonly apply: (schedule: Schedule) => void,
		private readonly deliver: (ports: Ports, payload: Uint8Array) => void,
	) {}

	/** Input comes from records, and what is typed is dropped. */
	get isReplaying(): boolean {
		return this.past !== undefined || this.replayed !== undefined;
	}

	/** Records are given at their moments; undefined: from now on input is typed. */
	replay(records: readonly InputRecord[] | undefined): void {
		this.replayed = records && { records, next: 0 };
	}

	/** The recorded run has ended: what is typed from now on makes its future. Nothing happens before its end. */
	takeOver(): void {
		if (!this.replayed || this.past !== undefined || this.due) return;
		const { records } = this.replayed;
		this.replayed = undefined;
		this.log.rewind(0);
		// The record of the end is no input: a later recording of this run has an end of its own.
		for (const record of records) if (record.bytes.length > 0 || record.schedule) this.log.add(record);
	}

	/** Records that have joined the line up to this moment. */
	get admitted(): number {
		return this.past ?? this.replayed?.next ?? this.log.records.length;
	}

	/** The run, as far as it has come at its furthest, is done again from a moment with so many records on. */
	goBack(admitted: number): void {
		this.past = admitted;
	}

	/** The furthest moment is reached again. */
	goToPresent(): void {
		this.past = undefined;
	}

	/** What came after this moment will not have happened. */
	cutFuture(): void {
		if (this.replayed) {
			const records = this.replayed.records.slice(0, this.admitted);
			this.replayed = undefined;
			this.log.rewind(0);
			for (const record of records) this.log.add(record);
		} else this.log.rewind(this.admitted);
		this.past = undefined;
	}

	type(bytes: Uint8Array, { at, moment }: Standing): void {
		this.log.add({ at, moment, bytes: [...bytes] });
		this.queue(bytes);
	}

	datagram(ports: Ports, payload: Uint8Array, { at, moment }: Standing): void {
		this.log.add({ at, moment, bytes: [...payload], datagram: ports });
		this.deliver(ports, payload);
	}

	/** From here on harts run by another schedule. */
	reschedule(schedule: Schedule, { at, moment }: Standing): void {
		this.log.add({ at, moment, bytes: [], schedule });
		this.apply(schedule);
	}

	/** The next record to be given, if there is one. */
	get due(): InputRecord | undefined {
		if (this.past !== undefined) return (this.replayed?.records ?? this.log.records)[this.past];
		return this.replayed?.records[this.replayed.next];
	}

	private took(): void {
		if (this.past !== undefined) this.past++;
		else if (this.replayed) this.replayed.next++;
	}

	/** Gives the replayed input that is due here, up to a number of records in all. */
	admit(standing: Standing, most = Number.POSITIVE_INFINITY): Admission {
		const { at, moment } = standing;
		for (;;) {
			const record = this.due;
			if (!record || this.admitted >= most) return { steps: Number.POSITIVE_INFINITY };
			if (record.at > at) return { steps: record.at - at };
			if (record.at < at) throw otherRun();
			if (record.moment !== "steps" && record.moment !== moment) {
				// The next call of the core ends there without a step, or the log is of another run.
				return { steps: 1, until: record.moment };
			}
			this.took();
			if (record.schedule) {
				this.apply(record.schedule);
				continue;
			}
			if (record.datagram) {
				this.deliver(record.datagram, Uint8Array.from(record.bytes));
				continue;
			}
			if (record.bytes.length === 0) return { steps: 0 };
			this.queue(Uint8Array.from(record.bytes));
		}
	}
}

export function momentOf(stop: number): InputMoment {
	switch (stop) {
		case layout.STOP_IDLE:
			return "idle";
		case layout.STOP_WAITING:
			return "waiting";
		case layout.STOP_READY:
			return "ready";
		default:
			return "steps";
	}
}

export function otherRun(): UserError {
	const next = "Replay it with the same kernel, disk image, harts, memory and seed.";
	return new UserError("input-log-damaged", "The input log is of another run than this one", next);
}
