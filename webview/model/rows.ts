import type { RangeModel } from "../../src/protocol/kernelModel.ts";
import { l10n } from "../l10n.ts";
import { type Column, columnPage } from "./columns.ts";
import { memberKey } from "./families.ts";
import { bytesText, count, pageBytes, pagesText } from "./format.ts";
import type { PageAt } from "./memory.ts";
import type { Run } from "./run.ts";

/** A line of the address spaces side by side, from high addresses to low. */
export type Row =
	| {
			readonly kind: "page";
			readonly va: number;
			readonly name: string;
			readonly head?: GroupHead;
			readonly sign?: Sign;
			/** Of the group, in its second row, where there is room under its name. */
			readonly note?: string;
	  }
	/** Addresses that are not shown, and why. */
	| { readonly kind: "fold"; readonly text: string };

/** Stands before the first row of neighbouring pages with one meaning. */
interface GroupHead {
	readonly name: string;
	readonly note: string;
	readonly rows: number;
}

/** Whether those who have the page of a shared region have one frame there. */
export interface Sign {
	readonly same: boolean;
	readonly text: string;
}

/** Pages of a range that are shown at its beginning and end, when it has more. */
const ends = 4;
const mostPages = 12;
const mostRegionPages = 64;

const kindNames: Readonly<Record<RangeModel["kind"], () => string>> = {
	text: () => l10n.t("Text"),
	data: () => l10n.t("Data"),
	stack: () => l10n.t("Stack"),
	guard: () => l10n.t("Guard page"),
	heap: () => l10n.t("Heap"),
	region: () => l10n.t("Region"),
	trapframe: () => l10n.t("Trapframe"),
	trampoline: () => l10n.t("Trampoline"),
	device: () => l10n.t("Devices"),
	"kernel-text": () => l10n.t("Kernel text"),
	"kernel-data": () => l10n.t("Kernel data"),
	"kernel-stack": () => l10n.t("Kernel stack"),
	other: () => l10n.t("No known range"),
};

/** The starts of regions in all columns, ascending: the number of a region is its place among them. */
export function regionStarts(columns: readonly Column[]): number[] {
	const starts = columns.flatMap(({ space }) => (space?.regions ?? []).map(({ start }) => Number(start)));
	return [...new Set(starts)].sort((a, b) => a - b);
}

/** `Shared region 1`, `Stack`. */
function rangeName(page: PageAt, starts: readonly number[]): string {
	if (page.range.kind !== "region" || !page.region) return kindNames[page.range.kind]();
	const number = starts.indexOf(Number(page.region.start)) + 1;
	if (page.region.shared === undefined) return l10n.t("Region {0}", number);
	return page.region.shared ? l10n.t("Shared region {0}", number) : l10n.t("Private region {0}", number);
}

/** `Shared region 1, page 2 of 3`. */
export function pageName(page: PageAt, starts: readonly number[]): string {
	const name = rangeName(page, starts);
	const start = Number(page.region?.start ?? page.range.start);
	const pages = page.region?.pages ?? page.range.pages;
	if (pages <= 1) return name;
	return l10n.t("{0}, page {1} of {2}", name, (page.va - start) / pageBytes + 1, count(pages));
}

/** Addresses of a range that get a row; the others of a long one are folded. */
function shown({ kind, start, pages }: RangeModel): number[] {
	const most = kind === "region" ? mostRegionPages : mostPages;
	const at = (i: number) => Number(start) + i * pageBytes;
	if (pages <= most) return Array.from({ length: pages }, (_, i) => at(i));
	const head = Array.from({ length: ends }, (_, i) => at(i));
	return [...head, ...head.map((_, i) => at(pages - ends + i))];
}

/** Equal addresses in one row over all columns; long ranges and what is mapped nowhere are folded. `also` gets a row in any case. */
export function makeRows(run: Run, columns: readonly Column[], also?: number): Row[] {
	const starts = regionStarts(columns);
	const addresses = new Set<number>();
	for (const { space } of columns)
		for (const range of space?.ranges ?? []) for (const va of shown(range)) addresses.add(va);
	if (also !== undefined && columns.some((column) => columnPage(run, column, also))) addresses.add(also);
	const rows: Row[] = [];
	let group: { key: string; head: { name: string; note: string; rows: number } } | undefined;
	let previous: number | undefined;
	for (const va of [...addresses].sort((a, b) => b - a)) {
		const found = columns.flatMap((column) => columnPage(run, column, va) ?? []);
		const page = found.find(({ range }) => range.kind === "region") ?? found[0];
		if (!page) continue;
		const fold = previous === undefined ? undefined : foldText(run, columns, va + pageBytes, previous);
		if (fold !== undefined) rows.push({ kind: "fold", text: fold });
		const name = rangeName(page, starts);
		const key = `${page.range.kind} ${page.region?.start ?? name}`;
		const sign = rowSign(run, columns, va);
		const common = { kind: "page" as const, va, name, ...(sign ? { sign } : {}) };
		if (group?.key === key && fold === undefined) {
			group.head.rows++;
			const note = group.head.rows === 2 ? group.head.note : "";
			rows.push(note === "" ? common : { ...common, note });
		} else {
			const head = { name, note: group?.key === key ? "" : groupNote(page), rows: 1 };
			rows.push({ ...common, head });
			group = { key, head };
		}
		previous = va;
	}
	return rows;
}

function foldText(run: Run, columns: readonly Column[], from: number, to: number): string | undefined {
	if (from >= to) return undefined;
	const hidden = columns.some((column) => columnPage(run, column, from) ?? columnPage(run, column, to - pageBytes));
	if (!hidden) return l10n.t("{0} not mapped", bytesText(to - from));
	const pages = (to - from) / pageBytes;
	return l10n.t("{0} more of the same range", pagesText(pages));
}

function groupNote({ range, region }: PageAt): string {
	if (!region) return range.pages > 1 && range.kind !== "other" ? pagesText(range.pages) : "";
	return [
		pagesText(region.pages),
		region.permissions ?? "",
		region.refcount === undefined ? "" : l10n.t("count {0}", region.refcount),
	]
		.filter(Boolean)
		.join(", ");
}

/** For a page that at least two members of one family have: one frame, or several. */
function rowSign(run: Run, columns: readonly Column[], va: number): Sign | undefined {
	const frames = new Map<string, Map<number, number[]>>();
	for (const column of columns) {
		const page = columnPage(run, column, va);
		if (page?.frame === undefined || !page.region || page.region.shared === false) continue;
		const family = column.families.get(memberKey(column.pid, page.region));
		if (family === undefined) continue;
		const own = frames.get(family) ?? new Map<number, number[]>();
		own.set(page.frame, [...(own.get(page.frame) ?? []), column.pid]);
		frames.set(family, own);
	}
	const compared = [...frames.values()].filter((own) => [...own.values()].flat().length > 1);
	const apart = compared.find((own) => own.size > 1);
	if (apart) {
		const who = [...apart].map(([frame, pids]) => l10n.t("{0} has frame {1}", pids.join(", "), frame)).join("; ");
		return { same: false, text: l10n.t("One shared page, different frames: {0}", who) };
	}
	return compared.length > 0 ? { same: true, text: l10n.t("The same frame in all that have it") } : undefined;
}
