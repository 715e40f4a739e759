import type { KernelDelta, KernelModel, ProcessModel, SpaceModel } from "./kernelModel.ts";

/** Memory as it was when one entry of the log had had its effect, or, with `before`, when its handler was about to run. */
export interface MemoryStep {
	/** Ascends over all steps of a view. */
	readonly id: number;
	readonly instret: number;
	/** Id of the log entry; 0: the run was about to begin. */
	readonly entry: number;
	readonly before?: true;
	readonly processes: readonly ProcessModel[];
	/** Of the processes, in their order. Spaces that did not change since the step before are mostly the same objects. */
	readonly spaces: readonly SpaceModel[];
	/** What pages of regions hold; the first ones of many. */
	readonly contents: readonly PageContent[];
}

export interface PageContent {
	readonly frame: number;
	/** The first eight 32-bit words. */
	readonly words: readonly number[];
	/** Of the page's 1024 words: how many are kalloc's fill (0x05050505), kfree's (0x01010101), and zero. */
	readonly junk: number;
	readonly freed: number;
	readonly zero: number;
}

/** A step as the changes against the one sent before; a member that is absent did not change. */
interface StepDelta {
	readonly id: number;
	readonly instret: number;
	readonly entry: number;
	readonly before?: true;
	readonly processes?: readonly ProcessModel[];
	/** pids of all spaces in their order, when that changed. */
	readonly order?: readonly number[];
	/** Spaces that are new or differ, whole. */
	readonly spaces?: readonly SpaceModel[];
	/** Frames whose content is known, in their order, when that changed. */
	readonly frames?: readonly number[];
	readonly contents?: readonly PageContent[];
}

/** What the inspector is sent: the kernel now, and how it came to that. */
export interface LiveSteps {
	/** Continue the steps sent before. */
	readonly steps: readonly StepDelta[];
	/** Id of the oldest step that is kept; those before it were forgotten. */
	readonly stepsFrom: number;
}
export type LiveUpdate = (KernelModel | KernelDelta) & LiveSteps;

/** Who last wrote a place in memory before a moment: the hart's calls then, innermost first. */
export interface WriterModel {
	readonly instret: number;
	readonly hart: number;
	/** Physical address of the entry. */
	readonly address: string;
	readonly stack: readonly WriterFrame[];
}

interface WriterFrame {
	readonly name: string;
	readonly file?: string;
	readonly line?: number;
}

/** The step after a change; `before`: the one that was sent before it. */
export function applyStep(before: MemoryStep | undefined, delta: StepDelta): MemoryStep {
	const { id, instret, entry } = delta;
	return {
		id,
		instret,
		entry,
		...(delta.before ? { before: true as const } : {}),
		processes: delta.processes ?? before?.processes ?? [],
		spaces: merged(before?.spaces ?? [], delta.spaces, delta.order, (space) => space.pid),
		contents: merged(before?.contents ?? [], delta.contents, delta.frames, (content) => content.frame),
	};
}

function merged<T>(
	before: readonly T[],
	changed: readonly T[] | undefined,
	order: readonly number[] | undefined,
	key: (item: T) => number,
): readonly T[] {
	if (!changed && !order) return before;
	const all = new Map(before.map((item) => [key(item), item]));
	for (const item of changed ?? []) all.set(key(item), item);
	return (order ?? before.map(key)).flatMap((number) => all.get(number) ?? []);
}

/** What has to be sent of a step. */
export function stepDelta(before: MemoryStep | undefined, step: MemoryStep): StepDelta {
	const { id, instret, entry } = step;
	const spaces = changes(before?.spaces ?? [], step.spaces, (space) => space.pid);
	const contents = changes(before?.contents ?? [], step.contents, (content) => content.frame);
	return {
		id,
		instret,
		entry,
		...(step.before ? { before: true as const } : {}),
		...(samePlain(before?.processes, step.processes) ? {} : { processes: step.processes }),
		...(spaces.order ? { order: spaces.order } : {}),
		...(spaces.changed ? { spaces: spaces.changed } : {}),
		...(contents.order ? { frames: contents.order } : {}),
		...(contents.changed ? { contents: contents.changed } : {}),
	};
}

function changes<T extends object>(before: readonly T[], now: readonly T[], key: (item: T) => number) {
	const known = new Map(before.map((item) => [key(item), item]));
	const changed = now.filter((item) => !samePlain(known.get(key(item)), item));
	const sameOrder = before.length === now.length && now.every((item, i) => key(item) === key(before[i] as T));
	return {
		...(changed.length > 0 ? { changed } : {}),
		...(sameOrder ? {} : { order: now.map(key) }),
	};
}

/** Equal as plain data; what did not change is mostly one object, and for the rest nothing is made. */
export function samePlain(a: object | string | number | boolean | null | undefined, b: typeof a): boolean {
	if (a === b) return true;
	if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
	if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => samePlain(item, b[i]));
	const [one, other] = [a, b] as Record<string, typeof a>[];
	let count = 0;
	for (const key in one) {
		if (!samePlain(one[key], other?.[key])) return false;
		count++;
	}
	for (const _ in other) count--;
	return count === 0;
}
