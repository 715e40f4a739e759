import type { Look, ProcessSpace, Sources } from "../look.ts";
import { areaFinder } from "../spaces.ts";
import { pteU, pteW, virtualHex } from "../sv39.ts";
import { type FindingList, type Suspect, who } from "./findingList.ts";

/** `private-frame-shared`: private memory of two processes must not be one frame that both may write. */
export function checkSharing(sources: Sources, list: FindingList, look: Look, suspect: Suspect): void {
	if (!sources.regions.described && sharesMemory(sources)) return;
	const { memory } = sources;
	const owners = new Map<number, { space: ProcessSpace; va: number; label: string }>();
	for (const space of look.spaces) {
		if (space.process.state === "ZOMBIE") continue;
		const find = areaFinder(space.areas);
		for (const leaf of space.tables.leaves) {
			if ((leaf.flags & (pteU | pteW)) !== (pteU | pteW)) continue;
			const area = find(leaf.va);
			const region = area?.region === undefined ? undefined : space.regions[area.region];
			if (!area || (region && region.shared !== false)) continue;
			const frame = memory.frameOf(leaf.pa);
			const first = owners.get(frame);
			if (!first) owners.set(frame, { space, va: leaf.va, label: area.label });
			else if (frame >= 0 && first.space.tables.root !== space.tables.root) {
				const key = `${first.space.pid} ${space.pid} ${area.label}`;
				suspect(`private ${key}`, () =>
					list.report(
						"private-frame-shared",
						key,
						"error",
						`${who(first.space.process)} and ${who(space.process)} both write frame ${frame}: it is private memory of each, at ${virtualHex(first.va)} (${first.label}) and ${virtualHex(leaf.va)} (${area.label}).`,
						{ pids: [first.space.pid, space.pid], frames: [frame], addresses: [first.va, leaf.va] },
					),
				);
			}
		}
	}
}

/** System calls by which processes may share memory on purpose: where the table of what they share is not known, nothing is wrong with it. */
const sharing = /^sys_.*(mmap|shm|share|thread|clone)/;

function sharesMemory({ memory, names }: Sources): boolean {
	const { syscalls, symbols } = names;
	if (!syscalls) return true;
	for (let number = 1; number < Math.min(syscalls.count, 512); number++) {
		const handler = memory.u64(syscalls.address + 8 * number);
		if (handler && sharing.test(symbols.symbolAt(handler)?.name ?? "")) return true;
	}
	return false;
}
