import { l10n } from "../l10n.ts";
import { hex, pageBytes, pagesText } from "./format.ts";
import { type Memory, type PageAt, pageAt } from "./memory.ts";
import type { Run } from "./run.ts";

/** One thing that differs between two moments. */
export interface Change {
	readonly pid: number;
	readonly what: string;
	readonly before: string;
	readonly after: string;
	/** The first page, to go to. */
	readonly va?: number;
}

/** What changed in memory from one moment to a later one: processes, regions, and pages; neighbours that change alike are one. */
export function changesBetween(run: Run, before: Memory, after: Memory): Change[] {
	const pids = [...new Set([...before.spaces.keys(), ...after.spaces.keys()])].sort((a, b) => a - b);
	return pids.flatMap((pid) => {
		if (before.spaces.get(pid) === after.spaces.get(pid)) return [];
		return [
			...processChanges(before, after, pid),
			...regionChanges(before, after, pid),
			...pageChanges(run, before, after, pid),
		];
	});
}

function processChanges(before: Memory, after: Memory, pid: number): Change[] {
	const text = (memory: Memory) => {
		const process = memory.processes.find((candidate) => candidate.pid === pid);
		return process && `${process.name}, ${pagesText(Math.ceil(process.size / pageBytes))}`;
	};
	const [was, is] = [text(before), text(after)];
	return was === is
		? []
		: [{ pid, what: l10n.t("process"), before: was ?? l10n.t("not there"), after: is ?? l10n.t("gone") }];
}

function regionChanges(before: Memory, after: Memory, pid: number): Change[] {
	const texts = (memory: Memory) =>
		new Map(
			(memory.spaces.get(pid)?.regions ?? []).map((region) => [
				region.path,
				`${region.start}, ${pagesText(region.pages)}${region.refcount === undefined ? "" : `, ${l10n.t("count {0}", region.refcount)}`}`,
			]),
		);
	const [was, is] = [texts(before), texts(after)];
	return [...new Set([...was.keys(), ...is.keys()])].flatMap((path) =>
		was.get(path) === is.get(path)
			? []
			: [
					{
						pid,
						what: l10n.t("region {0}", path),
						before: was.get(path) ?? l10n.t("not there"),
						after: is.get(path) ?? l10n.t("gone"),
					},
				],
	);
}

interface Stretch {
	readonly va: number;
	pages: number;
	readonly key: string;
	readonly was: PageAt | undefined;
	readonly is: PageAt | undefined;
}

function pageChanges(run: Run, before: Memory, after: Memory, pid: number): Change[] {
	const base = Number(run.model.memoryBase);
	const [old, now] = [before.spaces.get(pid), after.spaces.get(pid)];
	const addresses = new Set<number>();
	for (const space of [old, now])
		for (const table of space?.tables ?? []) {
			if (table.level !== 0) continue;
			for (const entry of table.entries)
				for (let i = 0; i < entry.count; i++) addresses.add(Number(table.start) + (entry.index + i) * pageBytes);
		}
	const stretches: Stretch[] = [];
	for (const va of [...addresses].sort((a, b) => a - b)) {
		const was = old && pageAt(old, va, base);
		const is = now && pageAt(now, va, base);
		if (was?.frame === is?.frame && was?.permissions === is?.permissions) continue;
		const key = `${(is ?? was)?.range.label} ${was?.permissions} ${is?.permissions}`;
		const last = stretches.at(-1);
		if (last?.key === key && last.va + last.pages * pageBytes === va) last.pages++;
		else stretches.push({ va, pages: 1, key, was, is });
	}
	return stretches.map(({ va, pages, was, is }) => ({
		pid,
		what: l10n.t("{0} at {1} ({2})", pagesText(pages), hex(va), (is ?? was)?.range.label ?? ""),
		before: pageText(was, pages),
		after: pageText(is, pages),
		va,
	}));
}

function pageText(page: PageAt | undefined, pages: number): string {
	if (page?.frame === undefined) return page?.state === "lazy" ? l10n.t("promised") : l10n.t("not mapped");
	return l10n.t("frame {0}, {1}", pages === 1 ? page.frame : `${page.frame} …`, page.permissions ?? "");
}
