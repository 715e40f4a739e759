import type { LogEntry, MomentModel, MomentPage, MomentPair } from "../protocol/kernelModel.ts";
import { Allowance } from "./allowance.ts";
import { pageBytes } from "./guestMemory.ts";
import type { Sources } from "./look.ts";
import { areaFinder, processAreas } from "./spaces.ts";
import { permissionText, reachOf, virtualHex } from "./sv39.ts";
import { markText } from "./tables.ts";

/** Pairs that are kept; the oldest goes first. */
const maxPairs = 64;
/** Pages of one process in a moment; the rest of a huge heap is left out. */
const maxPages = 2048;
/** Calls and faults come by the ten thousand in some programs. */
const instructionsPerPair = 400_000_000;

interface Open {
	readonly entry: LogEntry;
	readonly slot: number;
	readonly before: MomentModel;
}

/** Memory before and after each call and fault that changes address spaces: the last ones, for the comparison. */
export class Moments {
	private readonly closed: (Open & { readonly after: MomentModel })[] = [];
	private readonly open = new Map<number, Open>();
	private readonly allowance: Allowance;

	constructor(private readonly sources: Sources) {
		this.allowance = new Allowance(() => sources.machine.instret, instructionsPerPair);
	}

	clear(): void {
		this.closed.length = 0;
		this.open.clear();
		this.allowance.pace();
	}

	paceBy(clock: () => number): void {
		this.allowance.pace(clock);
	}

	/** The handler of a call or fault is about to run. */
	before(entry: LogEntry, slot: number): void {
		if (this.allowance.ready) this.allowance.spend(() => this.begin(entry, slot));
	}

	private begin(entry: LogEntry, slot: number): void {
		if (this.open.size >= maxPairs) this.open.delete(this.open.keys().next().value as number);
		this.open.set(entry.id, { entry, slot, before: this.take() });
	}

	/** It returned, or its process is gone. */
	after(entry: LogEntry): void {
		const open = this.open.get(entry.id);
		if (!open) return;
		this.open.delete(entry.id);
		this.allowance.spend(() => this.closed.push({ ...open, after: this.take() }), 0);
		if (this.closed.length > maxPairs) this.closed.shift();
	}

	/** Processes whose slot is free again: their exit, or the fault that killed them, is over only now. */
	reaped(): void {
		const { processes } = this.sources;
		for (const { entry, slot } of this.open.values())
			if (processes.pidOf(slot) !== entry.pid || processes.stateOf(slot) === "UNUSED") this.after(entry);
	}

	list(): MomentPair[] {
		return this.closed.map(({ entry, before, after }) => ({
			id: entry.id,
			text: entryText(entry),
			from: before.instret,
			to: after.instret,
		}));
	}

	/** 0: now. */
	get(id: number): { before: MomentModel; after: MomentModel } | undefined {
		if (id === 0) {
			const now = this.take();
			return { before: now, after: now };
		}
		return this.closed.find(({ entry }) => entry.id === id);
	}

	/** What processes have now, page by page. */
	take(): MomentModel {
		const { machine, memory, processes, regions, walks } = this.sources;
		memory.refresh();
		return {
			instret: machine.instret,
			processes: processes.all().map((process) => {
				const pages: MomentPage[] = [];
				const kept = regions.of(process);
				const { leaves } = process.root === 0 ? { leaves: [] } : walks.tables(memory, process.root);
				const find = areaFinder(processAreas(process, kept, leaves, this.sources.program(process.name)));
				for (const leaf of leaves) {
					for (let i = 0; i < reachOf(leaf.level) / pageBytes && pages.length < maxPages; i++) {
						pages.push({
							address: virtualHex(leaf.va + i * pageBytes),
							frame: memory.frameOf(leaf.pa + i * pageBytes),
							permissions: permissionText(leaf.flags),
							label: find(leaf.va)?.label ?? "belongs to no known range",
						});
					}
				}
				return {
					pid: process.pid,
					name: process.name,
					state: process.state,
					parent: process.parent,
					size: process.size,
					regions: kept.map((region) => ({
						path: region.path,
						start: virtualHex(region.start),
						pages: (region.end - region.start) / pageBytes,
						...(region.refcount !== undefined ? { refcount: region.refcount } : {}),
					})),
					pages,
				};
			}),
		};
	}
}

function entryText(entry: LogEntry): string {
	const who = `${entry.pid} ${entry.process}`;
	if (entry.type === "mark")
		return `${who}: ${markText(entry)}${entry.result === undefined ? "" : ` = ${entry.result}`}`;
	return `${who}: ${entry.access} ${entry.address}${entry.range ? ` in ${entry.range}` : ""}, ${entry.outcome}`;
}
