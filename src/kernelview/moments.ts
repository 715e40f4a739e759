import { isFork } from "../protocol/calls.ts";
import type { MemoryStep, PageContent } from "../protocol/history.ts";
import type { LogEntry, ProcessModel } from "../protocol/kernelModel.ts";
import { Allowance } from "./allowance.ts";
import type { Pending } from "./faultLog.ts";
import { type Look, type Sources, spaceOf } from "./look.ts";
import type { Process } from "./processes.ts";
import { spaceModel } from "./spaces.ts";

/** Steps that are kept; the oldest goes first. */
const maxSteps = 2000;
/** Pages of regions whose content a step keeps. */
const maxContents = 48;
/** Calls and faults come by the ten thousand in some programs. */
const instructionsPerStep = 20_000_000;
const shownWords = 8;
const wordsPerPage = 1024;
const kallocFill = 0x05050505;
const kfreeFill = 0x01010101;

interface Open {
	readonly entry: LogEntry;
	readonly slot: number;
	readonly parent: number;
}

/**
 * Memory after each call and fault that changes address spaces, and before each exit. Equal spaces are shared between steps, so that a
 * step costs what it changed.
 */
export class Moments {
	private steps: MemoryStep[] = [];
	private nextId = 1;
	/** Handlers that have not returned, by entry. */
	private readonly open = new Map<number, Open>();
	/** Processes that have been seen to trap. */
	private readonly known = new Set<number>();
	private readonly allowance: Allowance;

	constructor(
		private readonly sources: Sources,
		private readonly describe: (process: Process, running: readonly number[]) => ProcessModel,
		private readonly wanted: boolean,
	) {
		this.allowance = new Allowance(() => sources.machine.instret, instructionsPerStep);
	}

	/** A run begins: the first step is memory as it is now. */
	begin(): void {
		if (!this.wanted) return;
		this.steps = [];
		this.open.clear();
		this.known.clear();
		this.allowance.pace();
		this.take(0);
	}

	paceBy(clock: () => number): void {
		this.allowance.pace(clock);
	}

	get all(): readonly MemoryStep[] {
		return this.steps;
	}

	/** What came after this moment has not happened; `pending`: the traps that processes are in. */
	cut(instret: number, pending: readonly Pending[]): void {
		this.steps = this.steps.filter((step) => step.instret <= instret);
		this.nextId = (this.steps.at(-1)?.id ?? this.nextId) + 1;
		const { processes } = this.sources;
		this.open.clear();
		this.known.clear();
		for (const { pid } of processes.all()) this.known.add(pid);
		for (const { entry, slot } of pending)
			if (entry) this.open.set(entry.id, { entry, slot, parent: processes.read(slot)?.parent ?? 0 });
	}

	/** The handler of a call or fault is about to run. */
	before(entry: LogEntry, slot: number): void {
		if (!this.wanted) return;
		const { processes } = this.sources;
		const parent = processes.read(slot)?.parent ?? 0;
		if (!this.known.has(entry.pid)) {
			this.known.add(entry.pid);
			// A child that runs before its parent's fork() has returned.
			const fork = [...this.open.values()].find((open) => open.entry.pid === parent && isForkEntry(open.entry));
			if (fork) this.closed(fork.entry);
		}
		if (entry.type === "mark" && entry.call === "exit") this.record(entry.id, true);
		this.open.set(entry.id, { entry, slot, parent });
	}

	/** It returned, or its process is gone. */
	after(entry: LogEntry): void {
		if (!this.wanted) return;
		if (this.open.has(entry.id) || (entry.type === "mark" && entry.times !== undefined)) this.closed(entry);
	}

	private closed(entry: LogEntry): void {
		this.open.delete(entry.id);
		this.record(entry.id);
	}

	/** Processes whose slot is free again: their exit, or the fault that killed them, is over only now. */
	reaped(): void {
		if (this.open.size === 0) return;
		const { processes } = this.sources;
		for (const { entry, slot } of this.open.values())
			if (processes.pidOf(slot) !== entry.pid || processes.stateOf(slot) === "UNUSED") this.closed(entry);
	}

	private record(entry: number, before = false): void {
		if (this.allowance.ready) this.allowance.spend(() => this.take(entry, before));
	}

	private take(entry: number, before = false): void {
		const { machine, memory, processes } = this.sources;
		memory.refresh();
		const running = processes.running(machine.harts.length);
		const all = processes.all();
		const spaces = all.flatMap((process) => spaceOf(this.sources, process) ?? []);
		const last = this.steps.at(-1);
		// The same call once more, such as an sbrk that is counted: its latest effect is of interest.
		if (last && last.entry === entry && !last.before && entry !== 0) this.steps.pop();
		this.steps.push({
			id: this.nextId++,
			instret: machine.instret,
			entry,
			...(before ? { before: true as const } : {}),
			processes: all.map((process) => this.describe(process, running)),
			spaces: spaces.map((space) => spaceModel(memory, space.process, space.tables, space.areas, space.regions, true)),
			contents: this.contents(spaces),
		});
		if (this.steps.length > maxSteps) this.steps.splice(0, maxSteps / 10);
	}

	private contents(spaces: Look["spaces"]): PageContent[] {
		const { memory } = this.sources;
		const found = new Map<number, PageContent>();
		for (const { tables, regions } of spaces) {
			if (regions.length === 0) continue;
			for (const leaf of tables.leaves) {
				if (!regions.some(({ start, end }) => leaf.va >= start && leaf.va < end)) continue;
				const frame = memory.frameOf(leaf.pa);
				const words = memory.page(leaf.pa);
				if (!words || found.has(frame)) continue;
				if (found.size >= maxContents) return [...found.values()];
				found.set(frame, pageContent(frame, words));
			}
		}
		return [...found.values()];
	}
}

function isForkEntry(entry: LogEntry): boolean {
	return entry.type === "mark" && isFork(entry.call);
}

function pageContent(frame: number, words: Uint32Array): PageContent {
	let junk = 0;
	let freed = 0;
	let zero = 0;
	for (let i = 0; i < wordsPerPage; i++) {
		const word = words[i];
		if (word === kallocFill) junk++;
		else if (word === kfreeFill) freed++;
		else if (word === 0) zero++;
	}
	return { frame, words: [...words.subarray(0, shownWords)], junk, freed, zero };
}
