import { hex } from "../common/bytes.ts";
import type { FramesModel, FrameUse, KernelDelta, KernelModel, LogEntry, UseRun } from "./kernelModel.ts";

const pageBytes = 4096;

/** The model after a change; undefined when the change belongs to another model, and the whole one has to be asked for. */
export function applyDelta(model: KernelModel | undefined, delta: KernelDelta): KernelModel | undefined {
	if (model?.sequence !== delta.base) return undefined;
	const { diagnosis: before, ...rest } = model;
	const diagnosis = delta.diagnosis ?? before ?? "";
	return {
		...rest,
		...(diagnosis === "" ? {} : { diagnosis }),
		sequence: delta.sequence,
		instret: delta.instret,
		panicked: delta.panicked,
		harts: delta.harts ?? model.harts,
		processes: delta.processes ?? model.processes,
		spaces: applySpaces(model, delta),
		frames: applyFrames(model.frames, delta),
		log: mergeLog(model.log, delta),
		logDropped: delta.logDropped,
		findings: delta.findings ?? model.findings,
		notes: delta.notes ?? model.notes,
	};
}

function applySpaces(model: KernelModel, delta: KernelDelta): KernelModel["spaces"] {
	if (!delta.spaces && !delta.spaceOrder) return model.spaces;
	const byPid = new Map(model.spaces.map((space) => [space.pid, space]));
	for (const space of delta.spaces ?? []) byPid.set(space.pid, space);
	const order = delta.spaceOrder ?? model.spaces.map((space) => space.pid);
	return order.flatMap((pid) => byPid.get(pid) ?? []);
}

function applyFrames(frames: FramesModel, delta: KernelDelta): FramesModel {
	if (!delta.letters && !delta.uses && !delta.counts) return frames;
	let letters = "";
	let at = 0;
	for (const [first, run] of delta.letters ?? []) {
		letters += frames.letters.slice(at, first) + run;
		at = first + run.length;
	}
	return {
		letters: letters + frames.letters.slice(at),
		counts: delta.counts ?? frames.counts,
		uses: delta.uses ? expandUses(delta.uses) : frames.uses,
	};
}

/** An entry for each frame. */
export function expandUses(runs: readonly UseRun[]): FrameUse[] {
	const uses: FrameUse[] = [];
	for (const { frames, ...use } of runs) {
		if (use.as !== "page" || use.address === undefined || frames.length === 1) {
			for (const frame of frames) uses.push({ frame, ...use });
			continue;
		}
		const { pid, as } = use;
		// Of a page's address the lowest twelve bits are zero, so a number holds all of it.
		const first = Number(use.address);
		for (const [i, frame] of frames.entries()) uses.push({ frame, pid, as, address: hex(first + i * pageBytes) });
	}
	return uses;
}

/** Both are in order of their ids; an entry that comes again replaces the one before. */
function mergeLog(before: readonly LogEntry[], { log, logFrom }: KernelDelta): readonly LogEntry[] {
	const first = before[0];
	const last = before.at(-1);
	if (log.length === 0 && (!first || first.id >= logFrom)) return before;
	if (last && log[0] && last.id < log[0].id && first && first.id >= logFrom) return [...before, ...log];
	const merged: LogEntry[] = [];
	let i = 0;
	for (const entry of log) {
		for (; i < before.length && (before[i] as LogEntry).id < entry.id; i++) merged.push(before[i] as LogEntry);
		if (before[i]?.id === entry.id) i++;
		merged.push(entry);
	}
	for (; i < before.length; i++) merged.push(before[i] as LogEntry);
	return merged.filter((entry) => entry.id >= logFrom);
}
