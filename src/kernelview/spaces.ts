import { hex } from "../common/bytes.ts";
import { PF_X } from "../common/elf.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type {
	PageTableModel,
	PteRun,
	RangeKind,
	RangeModel,
	RegionModel,
	SpaceModel,
} from "../protocol/kernelModel.ts";
import { entriesPerTable } from "../riscv/sv39.ts";
import { type GuestMemory, pageBytes } from "./guestMemory.ts";
import type { KernelNames } from "./kernelNames.ts";
import type { Process } from "./processes.ts";
import type { Region } from "./regions.ts";
import {
	endHex,
	flagText,
	type Leaf,
	type PageTables,
	permissionText,
	pteU,
	pteX,
	reachOf,
	readEntry,
	virtualHex,
} from "./sv39.ts";

/** Memory layout of every xv6-riscv (kernel/memlayout.h): the two topmost pages below MAXVA. */
export const trampolineVa = 2 ** 38 - pageBytes;
export const trapframeVa = trampolineVa - pageBytes;

/** A stretch of an address space with one meaning. */
export interface Area {
	readonly kind: RangeKind;
	readonly label: string;
	readonly start: number;
	readonly end: number;
	/** Index among the process' regions. */
	readonly region?: number;
	/** Pages may come later (lazily): absent ones belong to the range. */
	readonly lazy?: boolean;
}

const roundUp = (bytes: number) => Math.ceil(bytes / pageBytes) * pageBytes;

/** `region 0x3fffffd000 (shared, family 3)`: how log and findings name it. */
export function regionLabel(region: Region): string {
	const facts = [
		region.shared === undefined ? "" : region.shared ? "shared" : "private",
		region.family === undefined ? "" : `family ${region.family}`,
		region.refcount === undefined ? "" : `refcount ${region.refcount}`,
	].filter((fact) => fact !== "");
	return `${region.name}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}`;
}

/** What the addresses of a process mean: from its program's ELF file, p->sz and the kernel's regions. */
export function processAreas(
	process: Process,
	regions: readonly Region[],
	leaves: readonly Leaf[],
	program: ProgramSymbols | undefined,
): Area[] {
	const areas: Area[] = [];
	const size = Math.min(roundUp(process.size), trapframeVa);
	const segments = program?.segments ?? [];
	const imageEnd =
		segments.length > 0 ? roundUp(Math.max(...segments.map((s) => s.address + s.memorySize))) : undefined;
	const guard = imageEnd ?? leaves.find((leaf) => leaf.va < size && (leaf.flags & pteU) === 0)?.va;
	const image = Math.min(guard ?? size, size);
	areas.push(...imageAreas(image, segments, program, leaves));
	if (guard !== undefined && guard < size) {
		areas.push({ kind: "guard", label: "guard page", start: guard, end: guard + pageBytes });
		const stackEnd = Math.min(guard + 2 * pageBytes, size);
		if (stackEnd > guard + pageBytes)
			areas.push({ kind: "stack", label: "stack", start: guard + pageBytes, end: stackEnd });
		if (size > stackEnd) areas.push({ kind: "heap", label: "heap", start: stackEnd, end: size, lazy: true });
	}
	for (const [index, region] of regions.entries()) {
		areas.push({
			kind: "region",
			label: regionLabel(region),
			start: region.start,
			end: region.end,
			region: index,
			lazy: true,
		});
	}
	areas.push({ kind: "trapframe", label: "trapframe", start: trapframeVa, end: trampolineVa });
	areas.push({ kind: "trampoline", label: "trampoline", start: trampolineVa, end: trampolineVa + pageBytes });
	return areas.sort((a, b) => a.start - b.start);
}

function imageAreas(
	end: number,
	segments: ProgramSymbols["segments"],
	program: ProgramSymbols | undefined,
	leaves: readonly Leaf[],
): Area[] {
	if (end <= 0) return [];
	const name = program ? ` of ${program.name}` : "";
	const text = program?.section(".text");
	const executable = segments.filter((segment) => segment.flags & PF_X);
	let textEnd = end;
	if (text && text.size > 0) textEnd = roundUp(text.address + text.size);
	else if (executable.length > 0) textEnd = roundUp(Math.max(...executable.map((s) => s.address + s.memorySize)));
	else {
		const data = leaves.find((leaf) => leaf.va < end && (leaf.flags & pteX) === 0);
		if (data) textEnd = data.va;
	}
	textEnd = Math.min(textEnd, end);
	const areas: Area[] = [];
	if (textEnd > 0) areas.push({ kind: "text", label: `text${name}`, start: 0, end: textEnd });
	if (end > textEnd) areas.push({ kind: "data", label: `data${name}`, start: textEnd, end });
	return areas;
}

/** What the addresses of the kernel mean. */
export function kernelAreas(memory: GuestMemory, names: KernelNames, processes: readonly Process[]): Area[] {
	const end = names.end === undefined ? memory.base : roundUp(names.end);
	const etext = names.etext === undefined ? memory.base : roundUp(names.etext);
	const ram = memory.base + memory.size;
	const areas: Area[] = [{ kind: "device", label: "devices", start: 0, end: memory.base, lazy: false }];
	if (etext > memory.base) areas.push({ kind: "kernel-text", label: "kernel text", start: memory.base, end: etext });
	if (end > etext) areas.push({ kind: "kernel-data", label: "kernel data", start: Math.max(etext, memory.base), end });
	if (ram > end) areas.push({ kind: "other", label: "RAM, mapped directly", start: end, end: ram });
	for (const process of processes) {
		const stack = process.kernelStack;
		if (stack > ram && stack < trampolineVa)
			areas.push({
				kind: "kernel-stack",
				label: `kernel stack of pid ${process.pid}`,
				start: stack,
				end: stack + pageBytes,
			});
	}
	areas.push({ kind: "trampoline", label: "trampoline", start: trampolineVa, end: trampolineVa + pageBytes });
	return areas.sort((a, b) => a.start - b.start);
}

export function areaAt(areas: readonly Area[], va: number): Area | undefined {
	// A region lies over what is below it when a kernel lets them collide.
	return (
		areas.findLast((area) => va >= area.start && va < area.end && area.kind === "region") ??
		areas.find((area) => va >= area.start && va < area.end)
	);
}

/** For many addresses in ascending order: between two ends of areas all have the same one. */
export function areaFinder(areas: readonly Area[]): (va: number) => Area | undefined {
	const cuts = [...new Set(areas.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
	let from = 0;
	let to = 0;
	let area: Area | undefined;
	return (va) => {
		if (va >= from && va < to) return area;
		const next = cuts.findIndex((cut) => cut > va);
		from = (next < 0 ? cuts.at(-1) : cuts[next - 1]) ?? Number.NEGATIVE_INFINITY;
		to = (next < 0 ? undefined : cuts[next]) ?? Number.POSITIVE_INFINITY;
		area = areaAt(areas, va);
		return area;
	};
}

interface OpenRange {
	area: Area | undefined;
	start: number;
	end: number;
	present: number;
	flags: number;
	frames: [number, number][];
}

/** What the kernel maps above its RAM for no process that lives. */
export const unusedStacks: Area = {
	kind: "kernel-stack",
	label: "kernel stacks of unused slots, with guard pages between them",
	start: 0,
	end: 0,
	lazy: true,
};

/** Neighbouring pages with neighbouring frames and equal permissions. */
interface Stretch {
	readonly va: number;
	readonly pa: number;
	readonly flags: number;
	bytes: number;
}

/** Kernels map all of RAM page by page, and most of their tables never change. */
const stretchCache = new WeakMap<readonly Leaf[], readonly Stretch[]>();

function stretchesOf(memory: GuestMemory, leaves: readonly Leaf[]): readonly Stretch[] {
	const known = stretchCache.get(leaves);
	if (known) return known;
	const stretches: Stretch[] = [];
	for (const { va, pa, flags, level } of leaves) join(memory, stretches, va, pa, flags & 0x1e, reachOf(level));
	stretchCache.set(leaves, stretches);
	return stretches;
}

function join(memory: GuestMemory, list: Stretch[], va: number, pa: number, flags: number, bytes: number): void {
	const last = list.at(-1);
	const follows =
		last?.flags === flags &&
		last.va + last.bytes === va &&
		last.pa + last.bytes === pa &&
		memory.frameOf(last.pa) < 0 === memory.frameOf(pa) < 0;
	if (last && follows) last.bytes += bytes;
	else list.push({ va, pa, flags, bytes });
}

function allStretches(memory: GuestMemory, { pieces }: PageTables): readonly Stretch[] {
	const stretches: Stretch[] = [];
	for (const piece of pieces)
		for (const { va, pa, flags, bytes } of stretchesOf(memory, piece)) join(memory, stretches, va, pa, flags, bytes);
	return stretches;
}

/** Leaves and areas merged into ranges, split where meaning or permissions change. */
function mergeRanges(memory: GuestMemory, areas: readonly Area[], tables: PageTables, elsewhere?: Area): RangeModel[] {
	const byArea = new Map<Area | undefined, OpenRange[]>();
	const ram = memory.base + memory.size;
	const cuts = [...new Set(areas.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
	let cut = 0;
	const find = areaFinder(areas);
	for (const stretch of allStretches(memory, tables)) {
		const stop = stretch.va + stretch.bytes;
		for (let va = stretch.va; va < stop; ) {
			while (cut < cuts.length && (cuts[cut] as number) <= va) cut++;
			const end = Math.min(stop, cuts[cut] ?? stop);
			const area = find(va) ?? (va > ram ? elsewhere : undefined);
			const list = byArea.get(area) ?? [];
			byArea.set(area, list);
			let range = list.at(-1);
			const adjacent = range?.flags === stretch.flags && (range.end === va || area?.lazy === true);
			if (!range || !adjacent) {
				range = { area, start: va, end: va, present: 0, flags: stretch.flags, frames: [] };
				list.push(range);
			}
			range.end = end;
			range.present += (end - va) / pageBytes;
			addFrames(range.frames, memory.frameOf(stretch.pa + (va - stretch.va)), (end - va) / pageBytes);
			va = end;
		}
	}
	const ranges: OpenRange[] = [...(byArea.get(undefined) ?? []), ...(elsewhere ? (byArea.get(elsewhere) ?? []) : [])];
	for (const known of areas) {
		const own = byArea.get(known) ?? [];
		if (known.kind !== "device") fill(known, own);
		ranges.push(...own);
	}
	return ranges.sort((a, b) => a.start - b.start).map(toModel);
}

/** Absent pages: of a lazy area they belong to its ranges, elsewhere they are ranges of their own. */
function fill(area: Area, list: OpenRange[]): void {
	const absent = (start: number, end: number): OpenRange => ({ area, start, end, present: 0, flags: 0, frames: [] });
	if (list.length === 0) {
		if (area.kind !== "trapframe" && area.kind !== "trampoline" && area.kind !== "kernel-stack")
			list.push(absent(area.start, area.end));
		return;
	}
	if (area.lazy) {
		(list[0] as OpenRange).start = area.start;
		for (let i = 1; i < list.length; i++) (list[i - 1] as OpenRange).end = (list[i] as OpenRange).start;
		(list.at(-1) as OpenRange).end = Math.max(area.end, (list.at(-1) as OpenRange).end);
		return;
	}
	const gaps: OpenRange[] = [];
	let at = area.start;
	for (const range of list) {
		if (range.start > at) gaps.push(absent(at, range.start));
		at = Math.max(at, range.end);
	}
	if (at < area.end) gaps.push(absent(at, area.end));
	if (area.kind !== "kernel-text" && area.kind !== "kernel-data" && area.kind !== "other") list.push(...gaps);
}

function addFrames(runs: [number, number][], frame: number, count: number): void {
	if (frame < 0) return;
	const last = runs.at(-1);
	if (last && last[0] + last[1] === frame) last[1] += count;
	else runs.push([frame, count]);
}

function toModel(range: OpenRange): RangeModel {
	const { area } = range;
	return {
		kind: area?.kind ?? "other",
		label: area?.label ?? "mapped, belongs to no known range",
		start: virtualHex(range.start),
		end: endHex(range.end),
		pages: (range.end - range.start) / pageBytes,
		present: range.present,
		permissions: permissionText(range.flags),
		frames: range.frames,
		...(area?.region !== undefined ? { region: area.region } : {}),
	};
}

function regionModel(region: Region): RegionModel {
	const { allowed } = region;
	return {
		path: region.path,
		name: region.name,
		start: virtualHex(region.start),
		pages: (region.end - region.start) / pageBytes,
		...(allowed !== undefined ? { permissions: permissionText(allowed).slice(0, 3) } : {}),
		...(region.shared !== undefined ? { shared: region.shared } : {}),
		...(region.family !== undefined ? { family: region.family } : {}),
		...(region.refcount !== undefined ? { refcount: region.refcount } : {}),
		fields: region.fields,
	};
}

/** The tables as they are, neighbouring entries with neighbouring frames as one run. */
function tableModels(memory: GuestMemory, tables: PageTables): PageTableModel[] {
	let models = modelCache.get(tables);
	if (!models) {
		models = makeTableModels(memory, tables);
		modelCache.set(tables, models);
	}
	return models;
}

/** Tables that did not change come from a cache, so that their models need not be made again. */
const modelCache = new WeakMap<PageTables, PageTableModel[]>();

function makeTableModels(memory: GuestMemory, tables: PageTables): PageTableModel[] {
	return tables.tables.map((table) => {
		const entries: PteRun[] = [];
		let last: { index: number; count: number; pte: string; pa: number; flags: number } | undefined;
		const flush = () => {
			if (!last) return;
			const { index, count, pte, pa, flags } = last;
			entries.push({
				index,
				count,
				pte,
				address: hex(pa),
				flags: flagText(flags),
				leaf: (flags & 14) !== 0,
			});
		};
		for (let index = 0; index < entriesPerTable; index++) {
			const at = table.address + index * 8;
			if (memory.u32(at) === 0 && memory.u32(at + 4) === 0) continue;
			const entry = readEntry(memory, at, table.level);
			if (!entry) continue;
			const step = reachOf(table.level);
			const follows =
				last !== undefined &&
				last.index + last.count === index &&
				last.flags === entry.flags &&
				last.pa + last.count * (entry.leaf ? step : pageBytes) === entry.pa;
			if (last && follows) last.count++;
			else {
				flush();
				const pte = hex(memory.big(at) as bigint);
				last = { index, count: 1, pte, pa: entry.pa, flags: entry.flags };
			}
		}
		flush();
		return { level: table.level, address: hex(table.address), start: virtualHex(table.va), entries };
	});
}

/** As last made from these tables, of whom and with which areas. */
const spaceCache = new WeakMap<PageTables, { key: string; model: SpaceModel }>();

/** Equal spaces are one object, so that a reader who asks often has nothing to compare. */
export function spaceModel(
	memory: GuestMemory,
	who: { pid: number; name: string },
	tables: PageTables,
	areas: readonly Area[],
	regions: readonly Region[],
	withTables: boolean,
	elsewhere?: Area,
): SpaceModel {
	const key = JSON.stringify([who, areas, regions, withTables]);
	const known = spaceCache.get(tables);
	if (known?.key === key) return known.model;
	const model: SpaceModel = {
		pid: who.pid,
		name: who.name,
		root: hex(tables.root),
		ranges: mergeRanges(memory, areas, tables, elsewhere),
		regions: regions.map(regionModel),
		tables: withTables ? tableModels(memory, tables) : [],
		...(tables.damage !== undefined ? { damage: tables.damage } : {}),
	};
	spaceCache.set(tables, { key, model });
	return model;
}
