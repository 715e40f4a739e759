import { UserError } from "../common/errors.ts";

/**
 * How the core's run had ended when input came: after exactly so many steps ("steps"), or later, when nothing more could
 * happen ("idle") or nothing before the next timer ("waiting"). Both are moments that a replay finds again.
 */
export type InputMoment = "steps" | "idle" | "waiting";

/**
 * Console input: `bytes` joined the line's queue when the machine had made `at` steps. A record without bytes is the end of
 * the recorded run: the replay stops there, as if a listener had asked for it.
 */
export interface InputRecord {
	readonly at: number;
	readonly moment: InputMoment;
	readonly bytes: readonly number[];
}

const version = 2;
const moments: readonly unknown[] = ["steps", "idle", "waiting"] satisfies InputMoment[];

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

export interface ParsedInputLog {
	readonly records: readonly InputRecord[];
	readonly end?: { readonly hash: string };
}

/** Throws UserError `input-log-damaged`. */
export function parseInputLog(text: string): ParsedInputLog {
	const bad = (why: string) =>
		new UserError("input-log-damaged", `The input log cannot be used: ${why}`, "Record it anew.");
	let data: { version?: unknown; records?: unknown; end?: { hash?: unknown } };
	try {
		data = JSON.parse(text) as typeof data;
	} catch {
		throw bad("it is not JSON");
	}
	if (data?.version !== version) throw bad(`it is of version ${String(data?.version)}, this is version ${version}`);
	if (!Array.isArray(data.records)) throw bad("it has no records");
	let before = 0;
	for (const record of data.records as InputRecord[]) {
		const bytes = record?.bytes;
		const fine =
			Number.isSafeInteger(record?.at) &&
			record.at >= before &&
			moments.includes(record.moment) &&
			Array.isArray(bytes) &&
			bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256);
		if (!fine) throw bad("a record is not in order");
		before = record.at;
	}
	const hash = data.end?.hash;
	return { records: data.records as InputRecord[], ...(typeof hash === "string" ? { end: { hash } } : {}) };
}
