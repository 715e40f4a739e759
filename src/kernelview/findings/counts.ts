import type { Look } from "../look.ts";
import { familyKey, type Region } from "../regions.ts";
import type { FindingList, Suspect } from "./findingList.ts";

/** Who has a region: processes, and each of their mappings of it. */
class Users {
	readonly pids = new Set<number>();
	private mappings = 0;

	add(pid: number): void {
		this.pids.add(pid);
		this.mappings++;
	}

	isCount(refcount: number): boolean {
		return refcount === this.pids.size || refcount === this.mappings;
	}

	toString(): string {
		const processes = this.pids.size === 1 ? "process" : "processes";
		const times = this.mappings === this.pids.size ? "" : `, at ${this.mappings} places`;
		return `${this.pids.size} ${processes} (${[...this.pids].join(", ")}) have it${times}`;
	}
}

/**
 * `refcount-mismatch`: a count is of the processes that have a region, or of the mappings, when one process has several. Those of a process
 * that has ended count until its parent has waited for it where wait() frees its page table, and not where exit() lets go of regions.
 */
export function checkCounts(list: FindingList, look: Look, suspect: Suspect): void {
	const members = new Map<string, { region: Region; living: Users; all: Users }>();
	for (const { pid, process, regions } of look.spaces) {
		for (const region of regions) {
			if (region.refcount === undefined) continue;
			const key = familyKey(region) ?? `${region.element}`;
			const known = members.get(key) ?? { region, living: new Users(), all: new Users() };
			known.all.add(pid);
			if (process.state !== "ZOMBIE") known.living.add(pid);
			members.set(key, known);
		}
	}
	for (const [key, { region, living, all }] of members) {
		const { refcount, path, name, start } = region;
		if (refcount === undefined || living.pids.size === 0) continue;
		if (living.isCount(refcount) || all.isCount(refcount)) continue;
		suspect(`count ${key} ${refcount} ${all}`, () =>
			list.report(
				"refcount-mismatch",
				key,
				"error",
				`${path} counts ${refcount} ${refcount === 1 ? "user" : "users"} of ${name}, but the page tables of ${all}.`,
				{ pids: [...all.pids], addresses: [start] },
			),
		);
	}
}
