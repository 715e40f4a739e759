import { concat, fromUtf8, utf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import { type InputRecord, parseInputLog } from "./inputLog.ts";
import { Machine, type MachineParts } from "./machine.ts";
import { isNetworkOptions } from "./network/types.ts";
import type { Instructions, MachineOptions } from "./types.ts";

/**
 * A run as a file: everything that it depends on, and the state that it ended in. It gives the same run, on any
 * host and in the browser: kernel, disk as it was at power-on, the machine's options, and the input at its moments.
 */
export interface Recording {
	readonly kernel: Uint8Array;
	readonly disk?: Uint8Array;
	readonly options: RecordedOptions;
	/** The last record is the end of the run. */
	readonly input: readonly InputRecord[];
	/** State hash at the end. */
	readonly hash: string;
	/** What was run, for its reader; empty: not known. */
	readonly title: string;
	/** Moments that it was recorded for, such as the two accesses of a race, in the order of the run. */
	readonly marks?: readonly Mark[];
}

/** A moment of a hart, right before what the text says. */
export interface Mark {
	readonly at: Instructions;
	readonly hart: number;
	readonly text: string;
}

const mostMarks = 16;

/** All that a run depends on; `jit` is no part of it. */
type RecordedOptions = Required<Pick<MachineOptions, "harts" | "memoryBytes" | "seed" | "virtio" | "pmp">> &
	Pick<MachineOptions, "network" | "rtc">;

const magic = "xv6-lab-run";
const version = 1;
/** A file that unpacks to more is refused: a kernel and a disk take a few MiB. */
const mostBytes = 600 << 20;
const mostHeader = 64 << 20;

interface Header {
	readonly magic: string;
	readonly version: number;
	readonly title: string;
	readonly marks?: readonly Mark[];
	readonly kernelBytes: number;
	/** -1: there is no disk. */
	readonly diskBytes: number;
	readonly options: RecordedOptions;
	/** As in an input-log file. */
	readonly input: string;
	readonly checksum: string;
}

/**
 * The run of a machine up to now. Throws UserError `recording-damaged` for a run that a debugger changed: nothing but its
 * kernel, disk, options and input may have made it.
 */
export function recordingOf(machine: Machine, title = ""): Recording {
	const { options } = machine;
	if (machine.changedByHand) {
		const next = "Restart the machine, and run it without changing registers or memory.";
		throw new UserError("recording-damaged", "This run was changed by hand and cannot be saved", next);
	}
	if (options.secondDisk) {
		throw new UserError("recording-damaged", "A run with two disks cannot be saved", "Run it with one.");
	}
	const { records, end } = parseInputLog(machine.recordInput());
	return {
		kernel: options.kernel,
		...(options.disk ? { disk: options.disk } : {}),
		options: {
			harts: options.harts ?? 1,
			memoryBytes: machine.memory.size,
			seed: options.seed ?? 0,
			virtio: options.virtio ?? "modern",
			pmp: options.pmp ?? true,
			...(options.network ? { network: options.network } : {}),
			...(options.rtc !== undefined ? { rtc: options.rtc } : {}),
		},
		input: records,
		hash: end?.hash ?? machine.stateHash(),
		title,
	};
}

export async function serializeRecording(recording: Recording): Promise<Uint8Array> {
	const { kernel, disk, options, input, hash, title, marks } = recording;
	const parts = concat([kernel, disk ?? new Uint8Array()]);
	const body = concat([parts, new Uint8Array((4 - (parts.length % 4)) % 4)]);
	const header: Header = {
		magic,
		version,
		title,
		...(marks ? { marks } : {}),
		kernelBytes: kernel.length,
		diskBytes: disk?.length ?? -1,
		options,
		input: JSON.stringify({ version: 4, records: input, end: { hash } }),
		checksum: checksum(body),
	};
	return pack(concat([utf8(`${JSON.stringify(header)}\n`), body]));
}

/** FNV-1a over 32-bit words, two lanes: notices damage, no more is asked of it. `bytes` is a multiple of 4 long. */
function checksum(bytes: Uint8Array): string {
	const words = new Uint32Array(bytes.slice().buffer);
	let a = 0x811c9dc5;
	let b = 0x9dc5811c;
	for (const word of words) {
		a = Math.imul(a ^ word, 0x01000193);
		b = Math.imul(b ^ (word >>> 16) ^ (word << 16), 0x01000193) ^ (a >>> 15);
	}
	return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

function damaged(why: string): UserError {
	return new UserError("recording-damaged", `The recorded run cannot be used: ${why}`, "Record the run again.");
}

/** Throws UserError `recording-damaged` for anything but a whole file of this version that unpacks to at most `most` bytes. */
export async function parseRecording(file: Uint8Array, most = mostBytes): Promise<Recording> {
	const bytes = await unpack(file, most);
	const end = bytes.indexOf(10);
	if (end < 0 || end > mostHeader) throw damaged("it has no header");
	const header = readHeader(fromUtf8(bytes.subarray(0, end)));
	const body = bytes.subarray(end + 1);
	const disk = Math.max(0, header.diskBytes);
	const length = header.kernelBytes + disk;
	if (body.length !== length + ((4 - (length % 4)) % 4)) throw damaged("it is cut short");
	if (checksum(body) !== header.checksum) throw damaged("its checksum is wrong");
	const log = parseInputLog(header.input);
	if (log.end === undefined || log.records.at(-1)?.bytes.length !== 0 || log.records.at(-1)?.schedule)
		throw damaged("its input has no end");
	return {
		kernel: body.slice(0, header.kernelBytes),
		...(header.diskBytes < 0 ? {} : { disk: body.slice(header.kernelBytes, length) }),
		options: header.options,
		input: log.records,
		hash: log.end.hash,
		title: header.title,
		...(header.marks ? { marks: header.marks } : {}),
	};
}

function readHeader(text: string): Header {
	let header: Partial<Header>;
	try {
		header = JSON.parse(text) as Partial<Header>;
	} catch {
		throw damaged("it has no header");
	}
	if (header?.magic !== magic) throw damaged("it is another kind of file");
	if (header.version !== version) {
		const { version: given } = header;
		throw damaged(
			typeof given === "number" ? `it is of version ${given}, this is version ${version}` : "it has no version",
		);
	}
	const { options } = header;
	const fine =
		isSize(header.kernelBytes) &&
		(header.diskBytes === -1 || isSize(header.diskBytes)) &&
		typeof header.title === "string" &&
		typeof header.input === "string" &&
		(header.marks === undefined || (Array.isArray(header.marks) && header.marks.length <= mostMarks)) &&
		(header.marks ?? []).every((one) => isSize(one?.at) && isSize(one?.hart) && typeof one?.text === "string") &&
		typeof options === "object" &&
		options !== null &&
		isSize(options.harts) &&
		isSize(options.memoryBytes) &&
		isSize(options.seed) &&
		(options.virtio === "modern" || options.virtio === "legacy") &&
		typeof options.pmp === "boolean" &&
		(options.rtc === undefined || isSize(options.rtc)) &&
		(options.network === undefined || isNetworkOptions(options.network));
	if (!fine) throw damaged("its header makes no sense");
	return header as Header;
}

function isSize(value: number | undefined): boolean {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The machine of a recorded run, at power-on; it stops with `requested` where the run ended. */
export function recordedMachine(
	recording: Recording,
	parts: Omit<MachineParts, "replay">,
	jit: NonNullable<MachineOptions["jit"]> = "on",
): Promise<Machine> {
	const { kernel, disk, options, input } = recording;
	return Machine.create(
		{ ...options, kernel, ...(disk ? { disk: disk.slice() } : {}), jit },
		{ ...parts, replay: input },
	);
}

async function pack(bytes: Uint8Array): Promise<Uint8Array> {
	const zipped = new Blob([bytes as BlobPart])
		.stream()
		.pipeThrough(new CompressionStream("gzip") as unknown as TransformStream<Uint8Array, Uint8Array>);
	return new Uint8Array(await new Response(zipped).arrayBuffer());
}

/** A small file may unpack to more than memory holds: it is read piece by piece, up to a limit. */
async function unpack(file: Uint8Array, most: number): Promise<Uint8Array> {
	const reader = new Blob([file as BlobPart])
		.stream()
		.pipeThrough(new DecompressionStream("gzip") as unknown as TransformStream<Uint8Array, Uint8Array>)
		.getReader();
	const pieces: Uint8Array[] = [];
	let length = 0;
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return concat(pieces);
			length += value.length;
			if (length > most) break;
			pieces.push(value);
		}
	} catch {
		throw damaged("it is not a whole gzip file");
	}
	await reader.cancel();
	throw damaged("it unpacks to more than a run can have");
}
