import { isFork } from "../../src/protocol/calls.ts";
import { processNames } from "./columns.ts";
import type { Run, TimeEvent } from "./run.ts";

/** The part of the time line that is shown in columns. */
export interface Window {
	readonly from: number;
	/** One past the last. */
	readonly to: number;
}

/** A window of so many events with the current one in it; moves only when it has to. */
export function windowAround(events: number, current: number, most: number, before?: Window): Window {
	if (events <= most) return { from: 0, to: events };
	const size = Math.max(1, most);
	const old = before && before.to - before.from === size && before.to <= events ? before : undefined;
	if (old && current >= old.from + 1 && current < old.to - 1) return old;
	const from = Math.max(0, Math.min(events - size, current - Math.floor((size * 2) / 3)));
	return { from, to: from + size };
}

/** The life of one process within a window. */
export interface Lane {
	readonly pid: number;
	readonly name: string;
	/** Events between which it lives; beyond the window's ends when it does so there. */
	readonly from: number;
	readonly to: number;
}

/** A fork whose child has a lane: drawn as a line from one to the other. */
export interface Branch {
	readonly event: number;
	readonly parent: number;
	readonly child: number;
}

interface Life {
	from: number;
	to: number;
}
const livesOf = new WeakMap<readonly TimeEvent[], ReadonlyMap<number, Life>>();

/** First and last event of each process. */
function lives(run: Run): ReadonlyMap<number, Life> {
	const known = livesOf.get(run.events);
	if (known) return known;
	const found = new Map<number, Life>();
	const last = run.events.length - 1;
	const see = (pid: number, event: number) => {
		const life = found.get(pid);
		if (!life) found.set(pid, { from: event, to: last });
		return life;
	};
	for (const { pid } of run.events[0]?.step?.processes ?? []) see(pid, 0);
	run.events.forEach(({ entry }, event) => {
		if (!entry) return;
		see(entry.pid, event);
		const life = found.get(entry.pid) as Life;
		if (entry.type === "mark" && isFork(entry.call) && Number(entry.result) > 0) see(Number(entry.result), event);
		const ended =
			entry.type === "mark" ? entry.call === "exit" : entry.outcome === "killed" || entry.outcome === "ended";
		if (ended) life.to = event;
	});
	livesOf.set(run.events, found);
	return found;
}

/** Processes that do something in the window, and the parents of those that begin there; ascending. */
export function lanesIn(run: Run, window: Window, most: number): { lanes: Lane[]; left: number } {
	const all = lives(run);
	const names = processNames(run);
	const pids = new Map<number, number>();
	for (let i = window.from; i < window.to; i++) {
		const { entry } = run.events[i] as TimeEvent;
		if (!entry) continue;
		pids.set(entry.pid, (pids.get(entry.pid) ?? 0) + 1);
		if (entry.type === "mark" && isFork(entry.call) && Number(entry.result) > 0)
			pids.set(Number(entry.result), pids.get(Number(entry.result)) ?? 0);
	}
	const busiest = [...pids].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, most);
	const lanes = busiest
		.map(([pid]) => pid)
		.sort((a, b) => a - b)
		.map((pid): Lane => ({ pid, name: names.get(pid) ?? "", ...(all.get(pid) ?? { from: 0, to: 0 }) }));
	return { lanes, left: pids.size - busiest.length };
}

export function branchesIn(run: Run, window: Window, lanes: readonly Lane[]): Branch[] {
	const shown = new Set(lanes.map(({ pid }) => pid));
	const branches: Branch[] = [];
	for (let event = window.from; event < window.to; event++) {
		const { entry } = run.events[event] as TimeEvent;
		if (entry?.type !== "mark" || !isFork(entry.call)) continue;
		const child = Number(entry.result);
		if (shown.has(entry.pid) && shown.has(child)) branches.push({ event, parent: entry.pid, child });
	}
	return branches;
}

/** A stretch of the whole run in the overview. */
interface Bin {
	readonly from: number;
	readonly to: number;
	readonly faults: number;
	/** A finding was first seen here. */
	readonly marked: boolean;
}

export function overview(run: Run, bins: number, marks: readonly number[]): Bin[] {
	const { events } = run;
	const n = Math.min(bins, events.length);
	return Array.from({ length: n }, (_, i) => {
		const from = Math.floor((i * events.length) / n);
		const to = Math.floor(((i + 1) * events.length) / n);
		let faults = 0;
		for (let k = from; k < to; k++) if (events[k]?.entry?.type === "fault") faults++;
		return { from, to, faults, marked: marks.some((mark) => mark >= from && mark < to) };
	});
}
