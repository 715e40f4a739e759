import type { Pending } from "../faultLog.ts";
import { pageBytes } from "../guestMemory.ts";
import type { Sources } from "../look.ts";
import type { Process } from "../processes.ts";
import { regionLabel } from "../spaces.ts";
import { canonical, reachOf, virtualHex } from "../sv39.ts";
import { type FindingList, who } from "./findingList.ts";

/** `region-left-behind`, `leaf-left-behind`: munmap returned 0, and something of the region is still there. */
export function checkMunmap(sources: Sources, list: FindingList, process: Process, pending: Pending): void {
	const { memory } = sources;
	const start = canonical(pending.arguments[0] ?? 0n);
	if (start === undefined) return;
	const region = pending.regions.find((candidate) => start >= candidate.start && start < candidate.end);
	const length = sources.regions.haveLengths ? Number(pending.arguments[1] ?? 0n) : 0;
	// A kernel that takes a part of a region away keeps the rest; one that was asked for too much takes what there is.
	const asked = length > 0 ? Math.ceil((start + length) / pageBytes) * pageBytes : Number.POSITIVE_INFINITY;
	const end = Math.min(region?.end ?? start + pageBytes, asked);
	const still = sources.regions.of(process);
	const kept = still.find((other) => other.element === region?.element && other.start < end && other.end > start);
	if (kept) {
		list.report(
			"region-left-behind",
			`${process.pid} ${kept.path}`,
			"error",
			`munmap returned 0 to ${who(process)}, but the kernel still keeps ${regionLabel(kept)} at ${virtualHex(kept.start)} in ${kept.path}.`,
			{ pids: [process.pid], addresses: [kept.start], log: pending.entry ? [pending.entry.id] : [] },
		);
	}
	const first = Math.floor(start / pageBytes) * pageBytes;
	for (const leaf of sources.walks.tables(memory, process.root).leaves) {
		const va = Math.max(leaf.va, first);
		if (va >= end || leaf.va + reachOf(leaf.level) <= first) continue;
		if (still.some((other) => other.start <= va && va < other.end && other.element !== region?.element)) continue;
		list.report(
			"leaf-left-behind",
			`munmap ${process.pid} ${start}`,
			"error",
			`munmap returned 0 to ${who(process)}, but page ${virtualHex(va)} of ${region ? regionLabel(region) : "the region"} is still mapped to frame ${memory.frameOf(leaf.pa)}.`,
			{
				pids: [process.pid],
				frames: [memory.frameOf(leaf.pa)],
				addresses: [va],
				log: pending.entry ? [pending.entry.id] : [],
			},
		);
	}
}
