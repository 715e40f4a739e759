import type { MemoryStep } from "../../src/protocol/history.ts";
import type { RegionModel } from "../../src/protocol/kernelModel.ts";

/** Who a region is, for the comparison of frames: equal for members of one family, of the same life of its number. */
export type FamilyIds = ReadonlyMap<string, string>;

export function memberKey(pid: number, region: Pick<RegionModel, "path" | "start">): string {
	return `${pid} ${region.start}`;
}

/** What the kernel's own data say the family is; undefined: the region is not shared. */
function claim(region: RegionModel): string | undefined {
	if (region.shared === false) return undefined;
	if (region.family !== undefined) return `${region.name} ${region.family}`;
	return region.shared ? region.path : undefined;
}

/**
 * The identities of all regions at each step. Kernels use the number of a family again when its last member is gone: then it is another
 * family, and pages of the two have nothing to do with each other.
 */
export class Families {
	private readonly byStep = new WeakMap<MemoryStep, FamilyIds>();
	private lives = 0;

	/** `before`: the step before it, with ids already made. */
	of(steps: readonly MemoryStep[], step: MemoryStep): FamilyIds {
		const known = this.byStep.get(step);
		if (known) return known;
		const last = steps.indexOf(step);
		// An unkept or unknown step is read as it stands: one life a number.
		if (last < 0) return this.follow(undefined, step, new Map());
		let first = last;
		while (first > 0 && !this.byStep.has(steps[first - 1] as MemoryStep)) first--;
		for (let i = first; i <= last; i++) {
			const before = steps[i - 1];
			const now = steps[i] as MemoryStep;
			this.byStep.set(now, this.follow(before, now, before ? (this.byStep.get(before) as FamilyIds) : new Map()));
		}
		return this.byStep.get(step) as FamilyIds;
	}

	private follow(before: MemoryStep | undefined, now: MemoryStep, ids: FamilyIds): FamilyIds {
		const made = new Map<string, string>();
		/** Identities of families with a living member at the step before, and of those that begin in this one. */
		const alive = new Map<string, string>();
		for (const { claimed, key, pid } of members(before)) {
			const id = ids.get(key);
			if (id !== undefined && isAlive(before, pid)) alive.set(claimed, id);
		}
		const claimedBefore = new Map(members(before).map(({ key, claimed }) => [key, claimed]));
		for (const { claimed, key } of members(now)) {
			const own = claimedBefore.get(key) === claimed ? ids.get(key) : undefined;
			const id = own ?? alive.get(claimed) ?? `${claimed} #${++this.lives}`;
			made.set(key, id);
			if (!alive.has(claimed)) alive.set(claimed, id);
		}
		return made;
	}
}

function members(step: MemoryStep | undefined): { pid: number; key: string; claimed: string }[] {
	return (step?.spaces ?? []).flatMap((space) =>
		space.regions.flatMap((region) => {
			const claimed = claim(region);
			return claimed === undefined ? [] : [{ pid: space.pid, key: memberKey(space.pid, region), claimed }];
		}),
	);
}

/** One that has ended has its regions until somebody waits for it, but the kernel has let go of them. */
function isAlive(step: MemoryStep | undefined, pid: number): boolean {
	return step?.processes.some((process) => process.pid === pid && process.state !== "ZOMBIE") ?? false;
}
