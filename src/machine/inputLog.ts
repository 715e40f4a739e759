import { UserError } from "../common/errors.ts";

/** Console input as the guest got it: `bytes` were taken at the end of slice number `slice`. */
export interface InputRecord {
	readonly slice: number;
	readonly bytes: readonly number[];
}

const version = 1;

/** Everything that a run depends on and that does not come from kernel, disk and options. */
export class InputLog {
	private readonly list: { slice: number; bytes: number[] }[] = [];

	get records(): readonly InputRecord[] {
		return this.list;
	}

	add(slice: number, byte: number): void {
		const last = this.list.at(-1);
		if (last?.slice === slice) last.bytes.push(byte);
		else this.list.push({ slice, bytes: [byte] });
	}

	serialize(): string {
		return `${JSON.stringify({ version, records: this.list })}\n`;
	}
}

/** Throws UserError `input-log-damaged`. */
export function parseInputLog(text: string): readonly InputRecord[] {
	const bad = (why: string) =>
		new UserError("input-log-damaged", `The input log cannot be used: ${why}`, "Record it anew.");
	let data: { version?: unknown; records?: unknown };
	try {
		data = JSON.parse(text) as typeof data;
	} catch {
		throw bad("it is not JSON");
	}
	if (data.version !== version) throw bad(`it is of version ${String(data.version)}`);
	if (!Array.isArray(data.records)) throw bad("it has no records");
	let before = -1;
	for (const record of data.records as InputRecord[]) {
		const bytes = record?.bytes;
		const fine =
			Number.isInteger(record?.slice) &&
			record.slice > before &&
			Array.isArray(bytes) &&
			bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256);
		if (!fine) throw bad("a record is not in order");
		before = record.slice;
	}
	return data.records as InputRecord[];
}
