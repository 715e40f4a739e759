import type { MemoryStep, PageContent } from "../../src/protocol/history.ts";
import type { ProcessModel, RangeModel, RegionModel, SpaceModel } from "../../src/protocol/kernelModel.ts";
import { pageBytes } from "./format.ts";
import type { Run } from "./run.ts";
import { walk } from "./sv39.ts";

/** Memory at one event. */
export interface Memory {
	readonly instret: number;
	readonly processes: readonly ProcessModel[];
	/** By pid. */
	readonly spaces: ReadonlyMap<number, SpaceModel>;
	/** By frame. */
	readonly contents: ReadonlyMap<number, PageContent>;
	/** The step that it comes from; undefined: it is now, read from the running machine. */
	readonly step: MemoryStep | undefined;
	/** Memory was not kept at this very event: this is the last that was kept before. */
	readonly stale: boolean;
}

const known = new WeakMap<object, Memory>();

/** Memory as it was at an event; undefined when nothing was kept so early. */
export function memoryAt(run: Run, index: number): Memory | undefined {
	const event = run.events[index];
	if (!event) return undefined;
	if (!event.entry && !event.step) return now(run);
	const step = event.step ?? lastStep(run.steps, event.t);
	if (!step) return undefined;
	const stale = event.step === undefined;
	const memory = known.get(step);
	if (memory) return stale ? { ...memory, stale } : memory;
	const made = fromStep(step);
	known.set(step, made);
	return stale ? { ...made, stale } : made;
}

function fromStep(step: MemoryStep): Memory {
	return {
		instret: step.instret,
		processes: step.processes,
		spaces: new Map(step.spaces.map((space) => [space.pid, space])),
		contents: new Map(step.contents.map((content) => [content.frame, content])),
		step,
		stale: false,
	};
}

function now({ model, steps }: Run): Memory {
	const memory = known.get(model);
	if (memory) return memory;
	const made: Memory = {
		instret: model.instret,
		processes: model.processes,
		spaces: new Map(model.spaces.filter(({ pid }) => pid !== 0).map((space) => [space.pid, space])),
		contents: new Map((steps.at(-1)?.contents ?? []).map((content) => [content.frame, content])),
		step: undefined,
		stale: false,
	};
	known.set(model, made);
	return made;
}

/** The last step at or before a time. */
function lastStep(steps: readonly MemoryStep[], instret: number): MemoryStep | undefined {
	return steps.findLast((step) => step.instret <= instret);
}

/** The last step before a time that has the space of a process: how it was last. */
export function lastWith(steps: readonly MemoryStep[], pid: number, instret: number): MemoryStep | undefined {
	return steps.findLast((step) => step.instret <= instret && step.spaces.some((space) => space.pid === pid));
}

// ---- pages -----------------------------------------------------------------------------------------------------------

export type PageState =
	/** There is a frame, and user mode may use it. */
	| "present"
	/** There is a frame, for the kernel only. */
	| "no-user"
	/** Promised: the kernel gives a frame at the first access. */
	| "lazy"
	/** The range has nothing here. */
	| "absent";

export interface PageAt {
	readonly va: number;
	readonly state: PageState;
	readonly range: RangeModel;
	readonly region?: RegionModel;
	/** -1: no frame of RAM. */
	readonly frame?: number;
	/** `rwxu` with dashes. */
	readonly permissions?: string;
}

const pages = new WeakMap<SpaceModel, Map<number, PageAt | null>>();

/** What a space has at a page; undefined: no range is there. */
export function pageAt(space: SpaceModel, va: number, memoryBase: number): PageAt | undefined {
	let own = pages.get(space);
	if (!own) {
		own = new Map();
		pages.set(space, own);
	}
	let page = own.get(va);
	if (page === undefined) {
		page = readPage(space, va, memoryBase) ?? null;
		own.set(va, page);
	}
	return page ?? undefined;
}

function readPage(space: SpaceModel, va: number, memoryBase: number): PageAt | undefined {
	const range = rangeAt(space, va);
	if (!range) return undefined;
	const region = range.region === undefined ? undefined : space.regions[range.region];
	const common = { va, range, ...(region ? { region } : {}) };
	const found = walk(space, va);
	if (found.page === undefined || found.flags === undefined) {
		const lazy = range.kind === "region" || range.kind === "heap";
		return { ...common, state: lazy ? "lazy" : "absent" };
	}
	const frame = Math.floor((found.page - memoryBase) / pageBytes);
	return {
		...common,
		state: found.flags.includes("u") ? "present" : "no-user",
		frame,
		permissions: found.flags.slice(1, 5),
	};
}

/** A region lies over what is below it. */
function rangeAt(space: SpaceModel, va: number): RangeModel | undefined {
	const holds = ({ start, end }: RangeModel) => va >= Number(start) && va < Number(end);
	return (
		space.ranges.find((range) => range.kind === "region" && holds(range)) ??
		space.ranges.find((range) => range.kind !== "region" && holds(range))
	);
}
