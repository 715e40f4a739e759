import type { PageTableModel, PteRun, SpaceModel } from "../../src/protocol/kernelModel.ts";
import { l10n } from "../l10n.ts";
import { pageBytes } from "./format.ts";

const entries = 512;

/** One table on the way of a walk, and the entry that the address chooses. */
export interface Level {
	readonly level: number;
	/** Nine bits of the address. */
	readonly index: number;
	/** Undefined: the walk did not come so far. */
	readonly table?: PageTableModel;
	/** The run of entries that holds it; undefined: the entry is zero. */
	readonly run?: PteRun;
}

export interface Walk {
	/** Root first. */
	readonly levels: readonly Level[];
	/** Physical address of the page, when there is a leaf. */
	readonly page?: number;
	/** `vrwxugad` of the leaf. */
	readonly flags?: string;
	/** Level of the leaf; above 0 it maps 2 MiB or 1 GiB. */
	readonly leafLevel?: number;
	/** Where the walk ended without a leaf. */
	readonly stop?: { readonly level: number; readonly index: number; readonly why: "not-valid" | "no-table" };
}

interface Tables {
	readonly root: PageTableModel | undefined;
	readonly byAddress: ReadonlyMap<number, PageTableModel>;
}
const known = new WeakMap<SpaceModel, Tables>();

function tablesOf(space: SpaceModel): Tables {
	let tables = known.get(space);
	if (!tables) {
		tables = {
			root: space.tables.find(({ level }) => level === 2),
			byAddress: new Map(space.tables.map((table) => [Number(table.address), table])),
		};
		known.set(space, tables);
	}
	return tables;
}

/** Bytes that one entry of a level maps. */
function reach(level: number): number {
	return pageBytes * entries ** level;
}

/** The hardware's walk of one address through a space's tables as they were (privileged ISA, Sv39). */
export function walk(space: SpaceModel, va: number): Walk {
	const { root, byAddress } = tablesOf(space);
	const levels: Level[] = [];
	const indexOf = (level: number) => Math.floor(va / reach(level)) % entries;
	const rest = (from: number) => {
		for (let level = from; level >= 0; level--) levels.push({ level, index: indexOf(level) });
	};
	let table = root;
	for (let level = 2; level >= 0; level--) {
		const index = indexOf(level);
		if (!table) {
			rest(level);
			return { levels, stop: { level, index, why: "no-table" } };
		}
		const run = entryAt(table, index);
		levels.push({ level, index, table, ...(run ? { run } : {}) });
		if (run?.flags[0] !== "v") {
			rest(level - 1);
			return { levels, stop: { level, index, why: "not-valid" } };
		}
		const offset = index - run.index;
		if (run.leaf) {
			const inside = Math.floor((va % reach(level)) / pageBytes) * pageBytes;
			rest(level - 1);
			return { levels, page: Number(run.address) + offset * reach(level) + inside, flags: run.flags, leafLevel: level };
		}
		table = byAddress.get(Number(run.address) + offset * pageBytes);
	}
	return { levels, stop: { level: 0, index: 0, why: "no-table" } };
}

export function entryAt(table: PageTableModel, index: number): PteRun | undefined {
	return table.entries.find((run) => index >= run.index && index < run.index + run.count);
}

/** A line of a table as it is shown: an entry near the one that counts, or how many entries lie between two shown ones. */
type TableLine =
	| { readonly index: number; readonly flags: string; readonly hit: boolean; readonly empty: boolean }
	| { readonly fold: number };

/** The chosen entry with its neighbours that are not zero, up to so many entries away. */
export function tableLines({ table, index }: Level, away = 4): TableLine[] {
	if (!table) return [];
	const near = new Set([index]);
	for (let i = Math.max(0, index - away); i <= Math.min(entries - 1, index + away); i++)
		if (entryAt(table, i)) near.add(i);
	const lines: TableLine[] = [];
	let at = 0;
	for (const i of [...near].sort((a, b) => a - b)) {
		if (i > at) lines.push({ fold: i - at });
		const run = entryAt(table, i);
		lines.push({ index: i, flags: run?.flags ?? "", hit: i === index, empty: run === undefined });
		at = i + 1;
	}
	if (at < entries) lines.push({ fold: entries - at });
	return lines;
}

interface AccessAnswer {
	readonly access: "load" | "store" | "fetch";
	readonly allowed: boolean;
	readonly why: string;
}

/** What becomes of each kind of access from user mode, as the hardware decides it. */
export function accesses(found: Walk): AccessAnswer[] {
	const { flags, stop } = found;
	return (["load", "store", "fetch"] as const).map((access) => {
		if (stop || flags === undefined) {
			const at = stop ? l10n.t("V is 0 in entry {0} of level {1}", stop.index, stop.level) : l10n.t("no leaf");
			return { access, allowed: false, why: at };
		}
		const bit = { load: "r", store: "w", fetch: "x" }[access];
		if (!flags.includes("u")) return { access, allowed: false, why: l10n.t("U is 0: only the kernel may") };
		if (!flags.slice(1, 4).includes(bit)) return { access, allowed: false, why: l10n.t("{0} is 0", bit.toUpperCase()) };
		return { access, allowed: true, why: "" };
	});
}

/** Physical address of the entry that decides: the leaf, or the one where the walk ends. */
export function decidingEntry(found: Walk): number | undefined {
	const last = found.levels.findLast(({ table }) => table !== undefined);
	return last?.table && Number(last.table.address) + last.index * 8;
}
