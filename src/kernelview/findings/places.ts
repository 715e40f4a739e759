import { hex } from "../../common/bytes.ts";
import type { ProcessSpace } from "../look.ts";
import { regionLabel, trapframeVa } from "../spaces.ts";
import { virtualHex } from "../sv39.ts";
import { type FindingList, type Suspect, who } from "./findingList.ts";

/** `region-misplaced`: regions lie at pages, in user memory, and beside each other. */
export function checkPlaces(list: FindingList, { process, regions, flaws }: ProcessSpace, suspect: Suspect): void {
	const misplaced = (path: string, sentence: string, addresses: readonly number[]) =>
		suspect(`place ${process.pid} ${path}`, () =>
			list.report("region-misplaced", `${process.pid} ${path}`, "error", sentence, {
				pids: [process.pid],
				addresses,
			}),
		);
	for (const { path, name, start, flaw } of flaws)
		misplaced(path, `${who(process)} has a ${name} at ${hex(start)} (${path}), but ${flaw}.`, [start]);
	for (const [i, region] of regions.entries()) {
		const before = regions[i - 1];
		const over =
			before && region.start < before.end
				? `${before.path}, which ends at ${virtualHex(before.end)}`
				: region.end > trapframeVa
					? `the trapframe at ${virtualHex(trapframeVa)}`
					: undefined;
		if (over !== undefined) {
			const text = `${who(process)} has ${regionLabel(region)} at ${virtualHex(region.start)} (${region.path}) over ${over}.`;
			misplaced(region.path, text, [region.start]);
		}
	}
}
