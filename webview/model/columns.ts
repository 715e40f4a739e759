import { isFork } from "../../src/protocol/calls.ts";
import type { ProcessModel, SpaceModel } from "../../src/protocol/kernelModel.ts";
import { l10n } from "../l10n.ts";
import type { Families, FamilyIds } from "./families.ts";
import { lastWith, memoryAt, type PageAt, pageAt } from "./memory.ts";
import type { Run } from "./run.ts";

/** One process at one moment: alive, ended and as it was last, or not there yet. */
export interface Column {
	readonly pid: number;
	readonly name: string;
	readonly life: "live" | "ended" | "future";
	/** In words: `running on hart 2`, `ended`. */
	readonly state: string;
	readonly process?: ProcessModel;
	readonly space?: SpaceModel;
	/** Who its regions are. */
	readonly families: FamilyIds;
}

const none: FamilyIds = new Map();

/** Processes that were there before the run began (init, the shell) are scenery: shown when asked for. */
export function isScenery(run: Run, pid: number): boolean {
	const begin = run.events[0]?.step;
	if (begin?.entry !== 0 || begin.processes.length === 0) return pid <= 2;
	return begin.processes.some((process) => process.pid === pid);
}

const pidsOf = new WeakMap<readonly unknown[], readonly number[]>();

/** All processes of the run and those that were there, ascending. */
export function allPids(run: Run): readonly number[] {
	const known = pidsOf.get(run.events);
	if (known) return known;
	const pids = new Set(run.model.processes.map(({ pid }) => pid));
	for (const { entry } of run.events) {
		if (!entry) continue;
		pids.add(entry.pid);
		const child = entry.type === "mark" && isFork(entry.call) ? Number(entry.result) : 0;
		if (child > 0) pids.add(child);
	}
	for (const process of run.events[0]?.step?.processes ?? []) pids.add(process.pid);
	pids.delete(0);
	const sorted = [...pids].sort((a, b) => a - b);
	pidsOf.set(run.events, sorted);
	return sorted;
}

const namesOf = new WeakMap<readonly unknown[], ReadonlyMap<number, string>>();

/** As each process was called last. */
export function processNames(run: Run): ReadonlyMap<number, string> {
	const known = namesOf.get(run.events);
	if (known) return known;
	const names = new Map<number, string>();
	for (const { entry } of run.events) {
		if (!entry) continue;
		names.set(entry.pid, entry.process);
		if (entry.type === "mark" && isFork(entry.call) && !names.has(Number(entry.result)))
			names.set(Number(entry.result), entry.process);
	}
	for (const { pid, name } of run.model.processes) names.set(pid, name);
	for (const step of run.steps.slice(-1)) for (const { pid, name } of step.processes) names.set(pid, name);
	namesOf.set(run.events, names);
	return names;
}

export function columnAt(run: Run, index: number, pid: number, families: Families): Column {
	const memory = memoryAt(run, index);
	const name = processNames(run).get(pid) ?? "";
	const process = memory?.processes.find((candidate) => candidate.pid === pid);
	const space = memory?.spaces.get(pid);
	if (memory && process && space && process.state !== "ZOMBIE") {
		const step = memory.step ?? run.steps.at(-1);
		return {
			pid,
			name: process.name || name,
			life: "live",
			state: stateText(process),
			process,
			space,
			families: step ? families.of(run.steps, step) : none,
		};
	}
	const instret = memory?.instret ?? run.events[index]?.t ?? 0;
	const last = lastWith(run.steps, pid, instret);
	if (last) {
		const was = last.spaces.find((candidate) => candidate.pid === pid);
		return {
			pid,
			name: last.processes.find((candidate) => candidate.pid === pid)?.name || name,
			life: "ended",
			state: process?.state === "ZOMBIE" ? l10n.t("ended, not waited for") : l10n.t("ended"),
			...(was ? { space: was } : {}),
			families: families.of(run.steps, last),
		};
	}
	const began = run.steps.some((step) => step.instret > instret && step.spaces.some((other) => other.pid === pid));
	return {
		pid,
		name,
		life: began || !memory ? "future" : "ended",
		state: began ? l10n.t("not yet") : l10n.t("ended"),
		families: none,
	};
}

function stateText({ state, hart, sleepsOn, killed }: ProcessModel): string {
	const word = state.toLowerCase();
	const where =
		hart !== undefined ? l10n.t("on hart {0}", hart) : sleepsOn !== undefined ? l10n.t("on {0}", sleepsOn) : "";
	return [word, where, killed ? l10n.t("killed") : ""].filter(Boolean).join(" ");
}

/** The columns to show when nobody has chosen: the run's own processes, those of the moment first when there are many. */
export function defaultPids(run: Run, index: number, most: number, wanted: readonly number[]): number[] {
	const all = allPids(run);
	const own = all.filter((pid) => !isScenery(run, pid));
	if (own.length === 0) return all.slice(0, most);
	if (own.length <= most) return own;
	const memory = memoryAt(run, index);
	const entry = run.events[index]?.entry;
	const chosen = new Set<number>();
	const take = (pids: readonly number[]) => {
		for (const pid of pids) if (chosen.size < most && own.includes(pid)) chosen.add(pid);
	};
	take(wanted);
	if (entry) {
		const parent = memory?.processes.find(({ pid }) => pid === entry.pid)?.parent;
		take([entry.pid, ...(parent === undefined ? [] : [parent])]);
	}
	const alive = (memory?.processes ?? []).map(({ pid }) => pid);
	take(alive.toReversed());
	const near = run.events.slice(Math.max(0, index - 200), index + 1).flatMap((event) => event.entry?.pid ?? []);
	take(near.toReversed());
	take(own.toReversed());
	return [...chosen].sort((a, b) => a - b);
}

export function columnPage(run: Run, column: Column, va: number): PageAt | undefined {
	return column.space && pageAt(column.space, va, Number(run.model.memoryBase));
}
