import { hex } from "../../common/bytes.ts";
import { codes } from "../freeFrames.ts";
import type { Look, ProcessSpace, Sources } from "../look.ts";
import type { Region } from "../regions.ts";
import { areaFinder, regionLabel, trampolineVa, trapframeVa } from "../spaces.ts";
import { permissionText, pteU, pteW, virtualHex } from "../sv39.ts";
import { type FindingList, type Suspect, who } from "./findingList.ts";

/** `kernel-page-user`, `writable-read-only-region`, `leaf-left-behind`: what each page of a process may be. */
export function checkPages(
	{ memory, regions }: Sources,
	list: FindingList,
	look: Look,
	space: ProcessSpace,
	suspect: Suspect,
	sight: (region: Region, page: number, frame: number) => void,
): void {
	const { process } = space;
	const find = areaFinder(space.areas);
	for (const leaf of space.tables.leaves) {
		const frame = memory.frameOf(leaf.pa);
		const evidence = () => ({ pids: [process.pid], frames: frame < 0 ? [] : [frame], addresses: [leaf.va] });
		const area = find(leaf.va);
		const region = area?.region === undefined ? undefined : space.regions[area.region];
		const isKernels =
			leaf.va === trampolineVa ||
			leaf.va === trapframeVa ||
			(frame >= 0 && (look.census.letters[frame] === codes.K || look.census.letters[frame] === codes.T));
		if (leaf.flags & pteU && isKernels) {
			suspect(`kernel ${process.pid} ${leaf.va}`, () =>
				list.report(
					"kernel-page-user",
					`${process.pid} ${leaf.va}`,
					"error",
					`${who(process)} can reach a page of the kernel from user mode: ${virtualHex(leaf.va)} (${area?.label ?? "no known range"}) is mapped ${permissionText(leaf.flags)} to ${hex(leaf.pa)}.`,
					evidence(),
				),
			);
			continue;
		}
		if (region?.allowed !== undefined && leaf.flags & pteW && !(region.allowed & pteW)) {
			suspect(`writable ${process.pid} ${region.path}`, () =>
				list.report(
					"writable-read-only-region",
					`${process.pid} ${region.path}`,
					"error",
					`${who(process)} may write page ${virtualHex(leaf.va)} of ${regionLabel(region)}, which was mapped read-only (prot ${region.fields.prot ?? "without write"}).`,
					evidence(),
				),
			);
		}
		if (region) sight(region, leaf.va, frame);
		else if (regions.described && regions.inUse && !area && leaf.flags & pteU) {
			suspect(`left ${process.pid} ${leaf.va}`, () =>
				list.report(
					"leaf-left-behind",
					`${process.pid} ${leaf.va}`,
					"error",
					`${who(process)} still has page ${virtualHex(leaf.va)} mapped to ${frame < 0 ? `${hex(leaf.pa)}, which is no memory` : `frame ${frame}`}, although no region and no part of its memory is there.`,
					evidence(),
				),
			);
		}
	}
}
