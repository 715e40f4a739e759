import { isFork, maps, unmaps } from "../../src/protocol/calls.ts";
import type { MemoryStep } from "../../src/protocol/history.ts";
import type { FaultEntry, LogEntry } from "../../src/protocol/kernelModel.ts";
import { gotFrame, outcomeWords } from "../../src/protocol/words.ts";
import { l10n } from "../l10n.ts";
import { pageOf } from "./format.ts";
import { pageAt } from "./memory.ts";
import { pageName } from "./rows.ts";
import type { Run, TimeEvent } from "./run.ts";

export type EventKind = "start" | "fork" | "exec" | "map" | "unmap" | "grow" | "fault" | "exit" | "call" | "now";

export function kindOf(event: TimeEvent): EventKind {
	const { entry } = event;
	if (!entry) return event.step ? "start" : "now";
	if (entry.type === "fault") return "fault";
	if (isFork(entry.call)) return "fork";
	if (maps.has(entry.call)) return "map";
	if (unmaps.has(entry.call)) return "unmap";
	if (entry.call === "sbrk") return "grow";
	return entry.call === "exec" || entry.call === "exit" ? entry.call : "call";
}

/** A word for the time line's foot. */
export function caption(event: TimeEvent): string {
	const { entry } = event;
	if (!entry) return event.step ? l10n.t("start") : l10n.t("now");
	return entry.type === "fault" ? entry.access : entry.text.split("(")[0] || entry.call;
}

/** The fault was not served. */
export function isRefused(entry: LogEntry): boolean {
	return entry.type === "fault" && entry.outcome !== "mapped" && entry.outcome !== "open";
}

export function outcomeText({ outcome, frame }: FaultEntry): string {
	return frame === undefined ? l10n.word(outcomeWords[outcome]) : l10n.word(gotFrame, frame);
}

const places = new WeakMap<LogEntry, string>();

/** `Shared region 1, page 2 of 3`: where a fault was, as the process had it then; empty when no range is there. */
function placeName(run: Run, entry: FaultEntry): string {
	const known = places.get(entry);
	if (known !== undefined) return known;
	const { steps } = run;
	const own = ({ spaces }: MemoryStep) => spaces.some((space) => space.pid === entry.pid);
	// Of a fault that was served the step after it; one that ended its process is told by the step before.
	const step =
		steps.find((candidate) => candidate.entry === entry.id && own(candidate)) ??
		steps.findLast((candidate) => candidate.entry < entry.id && own(candidate));
	const space = step?.spaces.find((candidate) => candidate.pid === entry.pid);
	const page = space && pageAt(space, pageOf(entry.address), Number(run.model.memoryBase));
	if (!space || !page) return "";
	const starts = space.regions.map(({ start }) => Number(start)).sort((a, b) => a - b);
	const name = pageName(page, starts);
	places.set(entry, name);
	return name;
}

/** What happened, for a person: `store fault at Shared region 1, page 2 of 3`, `mmap(0x0, 8212, 6, 0x21)`. */
export function whatText(run: Run, entry: LogEntry): string {
	if (entry.type === "mark") return entry.times === undefined ? entry.text : `${entry.text} × ${entry.times}`;
	const where = placeName(run, entry) || entry.address;
	if (entry.access === "store") return l10n.t("store fault at {0}", where);
	return entry.access === "load" ? l10n.t("load fault at {0}", where) : l10n.t("fetch fault at {0}", where);
}

/** With its outcome: what is said at the moment. */
export function eventText(run: Run, event: TimeEvent): string {
	const { entry } = event;
	if (!entry) return event.step ? l10n.t("before the run") : l10n.t("now");
	const what = whatText(run, entry);
	if (entry.type === "fault") return `${what}: ${outcomeText(entry)}`;
	return entry.result === undefined ? what : `${what} = ${entry.result}`;
}
