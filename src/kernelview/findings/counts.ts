import type { Look } from "../look.ts";
import { familyKey, type Region } from "../regions.ts";
import type { FindingList, Suspect } from "./findingList.ts";

/** `refcount-mismatch`: a count is of the processes that have a region, or of the mappings, when one process has several. */
export function checkCounts(list: FindingList, look: Look, suspect: Suspect): void {
	const members = new Map<string, { region: Region; pids: Set<number>; mappings: number }>();
	for (const space of look.spaces) {
		if (space.process.state === "ZOMBIE") continue;
		for (const region of space.regions) {
			if (region.refcount === undefined) continue;
			const key = familyKey(region) ?? `${region.element}`;
			const known = members.get(key) ?? { region, pids: new Set<number>(), mappings: 0 };
			known.pids.add(space.pid);
			known.mappings++;
			members.set(key, known);
		}
	}
	for (const [key, { region, pids, mappings }] of members) {
		const { refcount, path, name, start } = region;
		if (refcount === pids.size || refcount === mappings) continue;
		const times = mappings === pids.size ? "" : `, at ${mappings} places`;
		suspect(`count ${key} ${refcount} ${pids.size} ${mappings}`, () =>
			list.report(
				"refcount-mismatch",
				key,
				"error",
				`${path} counts ${refcount} ${refcount === 1 ? "user" : "users"} of ${name}, but the page tables of ${pids.size} ${pids.size === 1 ? "process" : "processes"} (${[...pids].join(", ")}) have it${times}.`,
				{ pids: [...pids], addresses: [start] },
			),
		);
	}
}
