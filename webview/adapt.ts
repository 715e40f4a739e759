import type {
	FaultEntry,
	KernelDelta,
	KernelModel,
	SpaceModel as KernelSpace,
	WalkModel as KernelWalk,
	LogEntry,
	RangeModel,
	SourcePoint,
} from "../src/protocol/kernelModel.ts";
import { applyDelta } from "../src/protocol/modelDelta.ts";
import type {
	FaultRow,
	FindingRow,
	FramesModel,
	PageModel,
	PanelId,
	RangeRow,
	SpaceModel,
	WalkModel,
} from "./pageModel.ts";

const frameSize = 4096;

/** What the page has of the kernel: the last whole model with all changes since. */
export class ModelKeeper {
	private kernel: KernelModel | undefined;

	/** The model after a message; undefined when the message changes a model that is not here: the whole one has to be asked for. */
	take(data: unknown): PageModel | undefined {
		const message = data as KernelModel | KernelDelta | undefined;
		if (message && "base" in message) this.kernel = applyDelta(this.kernel, message);
		else this.kernel = message?.format === 1 ? message : undefined;
		return this.kernel && adaptModel(this.kernel);
	}
}

/** The kernel model as the page shows it. */
export function adaptModel(model: KernelModel): PageModel {
	return {
		instret: model.instret,
		processes: model.processes.map((process) => ({
			pid: process.pid,
			name: process.name,
			state: process.killed ? `${process.state} (killed)` : process.state,
			parent: process.parent === 0 ? "" : String(process.parent),
			size: `${process.size / 1024} KiB`,
			where: process.hart !== undefined ? `hart ${process.hart}` : (process.sleepsOn ?? ""),
		})),
		spaces: model.spaces.map(adaptSpace),
		frames: adaptFrames(model),
		faults: adaptLog(model.log),
		...(model.diagnosis === undefined ? {} : { diagnosis: model.diagnosis }),
		findings: model.findings.map((finding): FindingRow => {
			const { pids, frames, addresses, sources } = finding.evidence;
			return {
				id: finding.id,
				severity: finding.severity,
				sentence: finding.sentence,
				evidence: [
					...(pids.length > 0 ? [`processes ${pids.join(", ")}`] : []),
					...(addresses.length > 0 ? [`addresses ${addresses.join(", ")}`] : []),
					...(frames.length > 0
						? [`frames ${frames.map((frame) => `${frame} (${frameAddress(model, frame)})`).join(", ")}`]
						: []),
				],
				frames,
				source: adaptSource(sources[0]),
			};
		}),
		moments: model.moments,
		notes: adaptNotes(model.notes),
	};
}

function adaptNotes(notes: KernelModel["notes"]): PageModel["notes"] {
	const names: Record<keyof typeof notes, PanelId> = {
		processes: "processes",
		"address-space": "space",
		walk: "walk",
		frames: "frames",
		faults: "faults",
		findings: "findings",
	};
	const adapted: Partial<Record<PanelId, readonly string[]>> = {};
	for (const [name, panel] of Object.entries(names)) adapted[panel] = notes[name as keyof typeof notes] ?? [];
	return adapted;
}

function adaptSource(source: SourcePoint | undefined): FaultRow["source"] {
	return source && { file: source.file, line: source.line };
}

function frameAddress(model: KernelModel, frame: number): string {
	return `0x${(Number(model.memoryBase) + frame * frameSize).toString(16)}`;
}

function adaptSpace(space: KernelSpace): SpaceModel {
	return {
		pid: space.pid,
		title: space.pid === 0 ? "kernel" : `${space.pid} ${space.name}`,
		root: space.root,
		ranges: space.ranges.map((range) => adaptRange(range, space)),
	};
}

const barKinds: Partial<Record<RangeModel["kind"], RangeRow["kind"]>> = {
	"kernel-text": "text",
	"kernel-data": "data",
	"kernel-stack": "stack",
	device: "other",
};

function adaptRange(range: RangeModel, space: KernelSpace): RangeRow {
	const region = range.region === undefined ? undefined : space.regions[range.region];
	const details = region
		? [
				region.permissions,
				region.shared === undefined ? undefined : region.shared ? "shared" : "private",
				region.family === undefined ? undefined : `family ${region.family}`,
				region.refcount === undefined ? undefined : `count ${region.refcount}`,
			]
		: [];
	const frames = range.frames.map(([first, count]) => (count === 1 ? `${first}` : `${first}–${first + count - 1}`));
	const shown = frames.length > 4 ? [...frames.slice(0, 4), "…"] : frames;
	return {
		kind: barKinds[range.kind] ?? (range.kind as RangeRow["kind"]),
		label: range.label,
		start: range.start,
		end: range.end,
		page: Number(BigInt(range.start) / BigInt(frameSize)),
		pages: range.pages,
		present: range.present,
		permissions: range.permissions,
		frames: shown.join(", "),
		detail: details.filter((part) => part !== undefined).join(", "),
	};
}

function adaptFrames(model: KernelModel): FramesModel {
	const { letters, counts, uses } = model.frames;
	const byFrame = new Map<number, string[]>();
	const byPid = new Map<number, Set<number>>();
	for (const use of uses) {
		const where = use.address ? ` at ${use.address}` : use.level !== undefined ? ` of level ${use.level}` : "";
		const owner = use.pid === 0 ? "the kernel" : `process ${use.pid}`;
		byFrame.set(use.frame, [...(byFrame.get(use.frame) ?? []), `${use.as} of ${owner}${where}`]);
		byPid.set(use.pid, (byPid.get(use.pid) ?? new Set()).add(use.frame));
	}
	const words: Record<string, string> = {
		K: "kernel image",
		".": "free",
		L: "leaked: nobody has it and it is not free",
		X: "free and in use at once",
	};
	return {
		base: Number(model.memoryBase),
		letters,
		counts,
		describe: (index) => {
			const letter = letters[index] ?? "?";
			const owners = byFrame.get(index) ?? [];
			const text = [words[letter], ...owners].filter(Boolean).join("; ") || "kernel memory of unknown use";
			return `frame ${index}, ${frameAddress(model, index)}: ${text}`;
		},
		of: (pid) => byPid.get(pid) ?? new Set(),
		notable: (pid) => {
			const found = new Set(pid >= 0 ? byPid.get(pid) : []);
			for (let i = 0; i < letters.length; i++) if ("SLX".includes(letters[i] as string)) found.add(i);
			return [...found].sort((a, b) => a - b);
		},
		owners: (index) => byFrame.get(index) ?? [],
	};
}

const outcomes: Record<FaultEntry["outcome"], string> = {
	open: "not settled yet",
	mapped: "mapped",
	killed: "refused, process killed",
	ended: "killed by another process",
	again: "faults again",
	panic: "kernel panic",
};

let lastLog: readonly LogEntry[] = [];
let lastRows: readonly FaultRow[] = [];
const rows = new WeakMap<LogEntry, FaultRow>();

/** A log of 50,000 entries comes ten times a second, nearly the same: rows are made once, and a log that did not change stays the same list. */
function adaptLog(log: readonly LogEntry[]): readonly FaultRow[] {
	if (log === lastLog) return lastRows;
	let same = 0;
	while (same < log.length && log[same] === lastLog[same]) same++;
	const made = lastRows.slice(0, same);
	for (let i = same; i < log.length; i++) {
		const entry = log[i] as LogEntry;
		let row = rows.get(entry);
		if (!row) {
			row = adaptLogEntry(entry);
			rows.set(entry, row);
		}
		made.push(row);
	}
	lastLog = log;
	lastRows = made;
	return made;
}

function adaptLogEntry(entry: LogEntry): FaultRow {
	const common = { id: entry.id, instret: entry.instret, pid: entry.pid, process: entry.process };
	if (entry.type === "mark") {
		const text = entry.times === undefined ? entry.text : `${entry.text} × ${entry.times}`;
		const what = entry.result === undefined ? text : `${text} = ${entry.result}`;
		return {
			...common,
			kind: "mark",
			what,
			region: "",
			needed: "",
			outcome: "",
			bad: false,
			source: undefined,
			address: undefined,
		};
	}
	const outcome =
		entry.frame !== undefined ? `${outcomes[entry.outcome]} to frame ${entry.frame}` : outcomes[entry.outcome];
	return {
		...common,
		kind: "fault",
		what: `${entry.access} ${entry.address}`,
		region: entry.region?.path ?? entry.range ?? "",
		needed: `${entry.required} / ${entry.present}`,
		outcome,
		bad: entry.outcome !== "mapped" && entry.outcome !== "open",
		source: adaptSource(entry.source),
		address: entry.address,
	};
}

/** The walk as the page shows it; undefined when there is no page table. */
export function adaptWalk(data: unknown): WalkModel | undefined {
	const walk = data as KernelWalk | undefined;
	return walk && { steps: walk.steps, result: walk.result };
}
