import type { SourcePoint } from "../../protocol/kernelModel.ts";
import { pageBytes } from "../guestMemory.ts";
import type { Sources } from "../look.ts";
import type { Process } from "../processes.ts";
import { familyKey, type Region } from "../regions.ts";
import { regionLabel } from "../spaces.ts";
import { virtualHex } from "../sv39.ts";
import type { FindingList } from "./findingList.ts";

interface Sighting {
	readonly frame: number;
	readonly pid: number;
	readonly name: string;
	readonly log: readonly number[];
	readonly sources: readonly SourcePoint[];
	readonly instret: number;
}

/** Who belongs to a family: each mapping (see `mappingOf`), and whose it is. */
type Members = ReadonlyMap<string, number>;

/** A process that unmaps a region and maps another one has left a family, even if the next one has its number. */
const mappingOf = (pid: number, region: Region) => `${pid} ${region.start}`;

interface Family {
	/** When somebody last looked. */
	members: Members;
	/** Page index to the frame first seen there. */
	readonly pages: Map<number, Sighting>;
}

/** `family-frames-differ`: all who share a family must see one frame at one page, for as long as the family lives. */
export class Families {
	private readonly families = new Map<string, Family>();

	/** `isLeaving`: the process may be in the middle of giving its regions back, which then still name their families. */
	constructor(
		private readonly sources: Sources,
		private readonly list: FindingList,
		private readonly isLeaving: (process: Process) => boolean,
	) {}

	clear(): void {
		this.families.clear();
	}

	/** What came after this moment has not happened. */
	cut(instret: number): void {
		const now = this.membersNow();
		for (const [key, family] of this.families) {
			for (const [page, sighting] of family.pages) if (sighting.instret > instret) family.pages.delete(page);
			const members = now.get(key);
			if (members && family.pages.size > 0) family.members = members;
			else this.families.delete(key);
		}
	}

	/** A member has this frame at this page. */
	sight(
		region: Region,
		process: Process,
		page: number,
		frame: number,
		log: readonly number[],
		sources: readonly SourcePoint[],
	): void {
		const key = familyKey(region);
		if (key === undefined || frame < 0) return;
		const own = mappingOf(process.pid, region);
		// Without the names of system calls nobody told us that it joined.
		if (this.families.get(key)?.members.has(own) === false) this.forgetDead();
		let family = this.families.get(key);
		if (!family) {
			family = { members: new Map(this.membersNow().get(key)).set(own, process.pid), pages: new Map() };
			this.families.set(key, family);
		}
		const index = (page - region.start) / pageBytes;
		const { instret } = this.sources.machine;
		const sighting = { frame, pid: process.pid, name: process.name, log, sources, instret };
		const first = family.pages.get(index);
		if (!first) {
			family.pages.set(index, sighting);
			return;
		}
		if (first.frame === frame) return;
		const others = [...(this.membersNow().get(key)?.values() ?? [])].filter((pid) => pid !== process.pid);
		if (others.length === 0) {
			// All others are gone: the family started over, as a shared page does whose count came to 0.
			family.pages.set(index, sighting);
			return;
		}
		const what = `${regionLabel(region)}, but page ${virtualHex(page)}`;
		this.list.report(
			"family-frames-differ",
			key,
			"error",
			first.pid === process.pid
				? `Process ${process.pid} (${process.name}) shares ${what} was frame ${first.frame} for it and is frame ${frame} now, while process ${others[0]} has had the region all the time: what one writes, the other never reads.`
				: `Processes ${first.pid} (${first.name}) and ${process.pid} (${process.name}) share ${what} is frame ${first.frame} for one and frame ${frame} for the other: what one writes, the other never reads.`,
			{
				pids: [...new Set([first.pid, process.pid])],
				frames: [first.frame, frame],
				addresses: [page],
				log: [...first.log, ...log],
				sources: [...first.sources, ...sources],
			},
		);
	}

	private membersNow(): ReadonlyMap<string, Members> {
		const { processes, regions } = this.sources;
		const families = new Map<string, Map<string, number>>();
		for (const process of processes.all()) {
			if (process.root === 0 || process.state === "ZOMBIE" || this.isLeaving(process)) continue;
			for (const region of regions.of(process)) {
				const key = familyKey(region);
				if (key === undefined) continue;
				const members = families.get(key) ?? new Map<string, number>();
				families.set(key, members.set(mappingOf(process.pid, region), process.pid));
			}
		}
		return families;
	}

	/**
	 * Families without a living member are over, and their numbers may serve again. So it has been where all members are others than
	 * before: one joins by a fork of one that is in it, or by a call of its own, and at the return of either we are here.
	 */
	forgetDead(): void {
		if (this.families.size === 0) return;
		const now = this.membersNow();
		for (const [key, family] of this.families) {
			const members = now.get(key);
			if (members && [...members.keys()].some((mapping) => family.members.has(mapping))) family.members = members;
			else this.families.delete(key);
		}
	}
}
