import type { MomentModel, MomentPage, MomentProcess } from "../src/protocol/kernelModel.ts";

/** One thing that differs between two moments. */
export interface Difference {
	readonly what: string;
	readonly before: string;
	readonly after: string;
}

const pageBytes = 4096n;

/** What changed between two moments: processes, their regions, and their pages; neighbouring pages that change alike are one row. */
export function compareMoments(before: MomentModel, after: MomentModel): Difference[] {
	const was = new Map(before.processes.map((process) => [process.pid, process]));
	const is = new Map(after.processes.map((process) => [process.pid, process]));
	return [...new Set([...was.keys(), ...is.keys()])].flatMap((pid) => {
		const [old, now] = [was.get(pid), is.get(pid)];
		const name = `${pid} ${(now ?? old)?.name}`;
		return [
			...differ(`process ${name}`, old && processText(old), now && processText(now)),
			...compareRegions(name, old, now),
			...comparePages(name, old, now),
		];
	});
}

function differ(what: string, before: string | undefined, after: string | undefined): Difference[] {
	return before === after ? [] : [{ what, before: before ?? "not there", after: after ?? "gone" }];
}

/** A running process that waits is no change of memory: only what begins and ends is said of its state. */
function processText({ name, state, parent, size }: MomentProcess): string {
	const ended = state === "ZOMBIE" ? ", ended" : "";
	return `${name}, child of ${parent}, ${size / 1024} KiB${ended}`;
}

function compareRegions(name: string, old: MomentProcess | undefined, now: MomentProcess | undefined): Difference[] {
	const text = (process: MomentProcess | undefined) =>
		new Map(
			(process?.regions ?? []).map((region) => [
				region.path,
				`${region.start}, ${region.pages} ${region.pages === 1 ? "page" : "pages"}${region.refcount === undefined ? "" : `, count ${region.refcount}`}`,
			]),
		);
	const [was, is] = [text(old), text(now)];
	return [...new Set([...was.keys(), ...is.keys()])].flatMap((path) =>
		differ(`${name}: region ${path}`, was.get(path), is.get(path)),
	);
}

interface Run {
	readonly first: bigint;
	pages: number;
	readonly before: Ends;
	readonly after: Ends;
	readonly label: string;
}

/** Frames of a run of pages, as its ends say them. */
interface Ends {
	readonly permissions: string | undefined;
	readonly frames: number[];
}

function comparePages(name: string, old: MomentProcess | undefined, now: MomentProcess | undefined): Difference[] {
	const byAddress = (process: MomentProcess | undefined) =>
		new Map((process?.pages ?? []).map((page) => [BigInt(page.address), page]));
	const [was, is] = [byAddress(old), byAddress(now)];
	const changed = [...new Set([...was.keys(), ...is.keys()])]
		.filter((address) => pageText(was.get(address)) !== pageText(is.get(address)))
		.sort((a, b) => (a < b ? -1 : 1));
	const runs: Run[] = [];
	for (const address of changed) {
		const [before, after] = [was.get(address), is.get(address)];
		const label = (after ?? before)?.label ?? "";
		const last = runs.at(-1);
		const follows =
			last &&
			last.first + BigInt(last.pages) * pageBytes === address &&
			last.label === label &&
			last.before.permissions === before?.permissions &&
			last.after.permissions === after?.permissions;
		if (last && follows) {
			last.pages++;
			if (before) last.before.frames.push(before.frame);
			if (after) last.after.frames.push(after.frame);
		} else {
			runs.push({ first: address, pages: 1, label, before: ends(before), after: ends(after) });
		}
	}
	return runs.map((run) => ({
		what: `${name}: ${run.pages === 1 ? "page" : `${run.pages} pages from`} 0x${run.first.toString(16)} (${run.label})`,
		before: endsText(run.before),
		after: endsText(run.after),
	}));
}

function ends(page: MomentPage | undefined): Ends {
	return { permissions: page?.permissions, frames: page ? [page.frame] : [] };
}

function pageText(page: MomentPage | undefined): string {
	return page ? `${page.frame} ${page.permissions}` : "";
}

function endsText({ permissions, frames }: Ends): string {
	if (permissions === undefined) return "not mapped";
	const shown = frames.length > 4 ? `${frames.slice(0, 3).join(", ")} … ${frames.at(-1)}` : frames.join(", ");
	return `${permissions}, ${frames.length === 1 ? "frame" : "frames"} ${shown}`;
}
