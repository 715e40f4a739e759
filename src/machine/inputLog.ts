import { UserError } from "../common/errors.ts";
import * as layout from "./core/layout.ts";
import { checkSchedule, type Schedule } from "./schedule.ts";

/**
 * Where between two steps the machine stood when input came, in this order: right after the step ("steps"); when nothing more
 * could happen before the next timer ("waiting") or at all ("idle"); right before the next step ("ready"): slices have ended
 * and begun, time may have been skipped, an interrupt taken. All are moments that a replay finds again.
 */
export type InputMoment = "steps" | "waiting" | "idle" | "ready";

/** UDP ports of a datagram. */
export interface Ports {
	readonly from: number;
	readonly to: number;
}

/**
 * Console input: `bytes` joined the line's queue when the machine had made `at` steps. A record without bytes is the end of
 * the recorded run: the replay stops there, as if a listener had asked for it.
 */
export interface InputRecord {
	readonly at: number;
	readonly moment: InputMoment;
	readonly bytes: readonly number[];
	/** No input: from here on harts run by this schedule. `bytes` is empty. */
	readonly schedule?: Schedule;
	/** `bytes` did not come by the console: the payload of a UDP datagram from this port of the host to this one of the guest. */
	readonly datagram?: Ports;
}

const version = 4;
/** Version 2 had no "ready", version 3 no datagrams. */
const oldest = 2;
const moments: readonly unknown[] = ["steps", "waiting", "idle", "ready"] satisfies InputMoment[];

/** Everything that a run depends on and that does not come from kernel, disk and options. */
export class InputLog {
	private list: InputRecord[] = [];

	get records(): readonly InputRecord[] {
		return this.list;
	}

	add(record: InputRecord): void {
		this.list.push(record);
	}

	/** The machine went back to a moment when there were so many records: later input has not happened. */
	rewind(count: number): void {
		this.list = this.list.slice(0, count);
	}

	/** With the moment and the state hash of the run's end, if they are to be found again. */
	serialize(end?: { readonly at: number; readonly moment: InputMoment; readonly hash: string }): string {
		if (!end) return `${JSON.stringify({ version, records: this.list })}\n`;
		const { at, moment, hash } = end;
		return `${JSON.stringify({ version, records: [...this.list, { at, moment, bytes: [] }], end: { hash } })}\n`;
	}
}

function isPorts(ports: Ports): boolean {
	return [ports?.from, ports?.to].every((port) => Number.isInteger(port) && port >= 0 && port <= 0xffff);
}

function isSchedule(schedule: Schedule): boolean {
	try {
		// How many harts there are is for the machine to check.
		checkSchedule(schedule, layout.MAX_HARTS);
		return true;
	} catch {
		return false;
	}
}

interface ParsedInputLog {
	readonly records: readonly InputRecord[];
	readonly end?: { readonly hash: string };
}

/** Throws UserError `input-log-damaged`. */
export function parseInputLog(text: string): ParsedInputLog {
	const bad = (why: string) =>
		new UserError("input-log-damaged", `The input log cannot be used: ${why}`, "Record it again.");
	let data: { version?: unknown; records?: unknown; end?: { hash?: unknown } };
	try {
		data = JSON.parse(text) as typeof data;
	} catch {
		throw bad("it is not JSON");
	}
	const given = data?.version;
	if (!(typeof given === "number" && Number.isInteger(given) && given >= oldest && given <= version)) {
		throw bad(
			typeof given === "number" ? `it is of version ${given}, this is version ${version}` : "it has no version",
		);
	}
	if (!Array.isArray(data.records)) throw bad("it has no records");
	let before = 0;
	for (const record of data.records as InputRecord[]) {
		const bytes = record?.bytes;
		const fine =
			Number.isSafeInteger(record?.at) &&
			record.at >= before &&
			moments.includes(record.moment) &&
			Array.isArray(bytes) &&
			bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256) &&
			(record.schedule === undefined || (bytes.length === 0 && isSchedule(record.schedule))) &&
			(record.datagram === undefined || (record.schedule === undefined && isPorts(record.datagram)));
		if (!fine) throw bad("a record is not in order");
		before = record.at;
	}
	const hash = data.end?.hash;
	return { records: data.records as InputRecord[], ...(typeof hash === "string" ? { end: { hash } } : {}) };
}
