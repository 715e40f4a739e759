import type { ActivityKind, ActivityModel, ActivitySpan } from "../../src/protocol/activity.ts";
import { l10n } from "../l10n.ts";

/** A part of the run, in instructions. */
export interface TimePart {
	readonly from: number;
	readonly to: number;
}

const usual = 2_000_000;
const least = 200;
const most = 20_000_000;

/** Around a moment: mostly what led to it. */
export function partAround(moment: number, size = usual): TimePart {
	const to = moment + Math.round(size / 4);
	return { from: Math.max(0, to - size), to };
}

/** `by` times as long, with the same instruction at the same place. */
export function zoomed({ from, to }: TimePart, by: number, around = (from + to) / 2): TimePart {
	const size = Math.max(least, Math.min(most, Math.round((to - from) * by)));
	const share = to > from ? (around - from) / (to - from) : 0.5;
	const begin = Math.max(0, Math.round(around - share * size));
	return { from: begin, to: begin + size };
}

export function moved({ from, to }: TimePart, by: number): TimePart {
	const size = to - from;
	const begin = Math.max(0, Math.round(from + by * size));
	return { from: begin, to: begin + size };
}

/** What the history has of a part; as long as asked for, if it has so much. */
export function within(
	{ from, to }: TimePart,
	{ oldest, present }: Pick<ActivityModel, "oldest" | "present">,
): TimePart {
	const size = Math.min(to - from, present - oldest);
	const begin = Math.max(oldest, Math.min(from, present - size));
	return { from: begin, to: begin + size };
}

export type ActivityGroup = "runs" | "locks" | "sleeps" | "traps";
const groups: Readonly<Record<ActivityKind, ActivityGroup>> = {
	runs: "runs",
	ready: "runs",
	trap: "traps",
	waits: "locks",
	holds: "locks",
	sleeps: "sleeps",
};

export function groupOf({ kind }: ActivitySpan): ActivityGroup {
	return groups[kind];
}

export function activityText({ kind, what, by }: ActivitySpan): string {
	switch (kind) {
		case "runs":
			return l10n.t("runs");
		case "ready":
			return l10n.t("could run, no hart has it");
		case "trap":
			return what === "" ? l10n.t("in the kernel") : l10n.t("in the kernel: {0}", what);
		case "waits":
			return l10n.t("waits for {0}", what);
		case "holds":
			return l10n.t("holds {0}", what);
		case "sleeps": {
			if (!by) return l10n.t("sleeps on {0}", what);
			const { pid, hart } = by;
			return pid > 0
				? l10n.t("sleeps on {0}, woken by process {1}", what, pid)
				: l10n.t("sleeps on {0}, woken on hart {1}", what, hart);
		}
	}
}

/** A bar of a lane: pixels from the lane's begin. */
export interface Bar {
	readonly span: ActivitySpan;
	/** Of the model's list. */
	readonly index: number;
	readonly x: number;
	readonly width: number;
}

export interface ActivityLane {
	/** One of them. */
	readonly hart?: number;
	readonly pid?: number;
	readonly name: string;
	readonly bars: readonly Bar[];
}

/** Bars that are thinner get this width; of those that would lie on one another one is drawn. */
const thin = 1;
const mostProcesses = 12;

/** A lane for each hart, then for each of the processes that do most. */
export function activityLanes(
	model: ActivityModel,
	part: TimePart,
	width: number,
): { lanes: ActivityLane[]; left: number } {
	const scale = width / Math.max(1, part.to - part.from);
	const bars = (of: (span: ActivitySpan) => boolean): Bar[] => {
		const ends = new Map<ActivityKind, number>();
		return model.spans.flatMap((span, index): Bar[] => {
			if (!of(span) || span.to < part.from || span.from > part.to) return [];
			const x = Math.max(0, (span.from - part.from) * scale);
			const end = Math.min(width, (span.to - part.from) * scale);
			if (end <= (ends.get(span.kind) ?? -1)) return [];
			const drawn = Math.max(thin, end - x);
			ends.set(span.kind, x + drawn);
			return [{ span, index, x, width: drawn }];
		});
	};
	const harts = Array.from({ length: model.harts }, (_, hart): ActivityLane => {
		const kinds: readonly ActivityKind[] = ["runs", "holds", "waits"];
		return {
			hart,
			name: l10n.t("hart {0}", hart),
			bars: bars((span) => span.hart === hart && kinds.includes(span.kind)),
		};
	});
	const work = new Map<number, number>();
	for (const { pid, kind, from, to } of model.spans)
		if (pid > 0 && kind !== "sleeps") work.set(pid, (work.get(pid) ?? 0) + to - from);
	const busiest = [...model.processes]
		.sort((a, b) => (work.get(b.pid) ?? 0) - (work.get(a.pid) ?? 0) || a.pid - b.pid)
		.slice(0, mostProcesses)
		.sort((a, b) => a.pid - b.pid);
	const processes = busiest.map(({ pid, name }): ActivityLane => {
		return { pid, name, bars: bars((span) => span.pid === pid && span.kind !== "holds") };
	});
	return { lanes: [...harts, ...processes], left: model.processes.length - busiest.length };
}

/** Round distances for an axis: at least so many pixels apart. */
export function axisTicks({ from, to }: TimePart, width: number, apart = 110): number[] {
	const raw = ((to - from) / Math.max(1, width)) * apart;
	const power = 10 ** Math.floor(Math.log10(Math.max(1, raw)));
	const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw) ?? power;
	const ticks: number[] = [];
	for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
	return ticks;
}
