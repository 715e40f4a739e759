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
}

/** `family-frames-differ`: all who share a family must see one frame at one page, for as long as the family lives. */
export class Families {
	/** Family to page index to the frame first seen there. */
	private readonly families = new Map<string, Map<number, Sighting>>();

	constructor(
		private readonly sources: Sources,
		private readonly list: FindingList,
	) {}

	clear(): void {
		this.families.clear();
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
		let pages = this.families.get(key);
		if (!pages) {
			pages = new Map();
			this.families.set(key, pages);
		}
		const index = (page - region.start) / pageBytes;
		const first = pages.get(index);
		if (!first) {
			pages.set(index, { frame, pid: process.pid, name: process.name, log, sources });
			return;
		}
		if (first.frame === frame) return;
		if (!this.hasOtherMember(key, process)) {
			// All others are gone: the family began anew, as a shared page does whose count came to 0.
			pages.set(index, { frame, pid: process.pid, name: process.name, log, sources });
			return;
		}
		this.list.report(
			"family-frames-differ",
			key,
			"error",
			`Processes ${first.pid} (${first.name}) and ${process.pid} (${process.name}) share ${regionLabel(region)}, but page ${virtualHex(page)} is frame ${first.frame} for one and frame ${frame} for the other: what one writes, the other never reads.`,
			{
				pids: [first.pid, process.pid],
				frames: [first.frame, frame],
				addresses: [page],
				log: [...first.log, ...log],
				sources: [...first.sources, ...sources],
			},
		);
	}

	private hasOtherMember(key: string, process: Process): boolean {
		const { processes, regions } = this.sources;
		return processes
			.all()
			.some(
				(other) =>
					other.pid !== process.pid &&
					other.root !== 0 &&
					regions.of(other).some((region) => familyKey(region) === key),
			);
	}

	/** Families without a living member are over; their number may serve again. */
	forget(spaces: readonly { regions: readonly Region[] }[]): void {
		if (this.families.size === 0) return;
		const alive = new Set(spaces.flatMap(({ regions }) => regions.flatMap((region) => familyKey(region) ?? [])));
		for (const key of this.families.keys()) if (!alive.has(key)) this.families.delete(key);
	}

	forgetDead(): void {
		if (this.families.size === 0) return;
		const { processes, regions } = this.sources;
		this.forget(processes.all().flatMap((process) => (process.root === 0 ? [] : [{ regions: regions.of(process) }])));
	}
}
