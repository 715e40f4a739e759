import { expandUses } from "../../protocol/modelDelta.ts";
import type { Look } from "../look.ts";
import { virtualHex } from "../sv39.ts";
import type { FindingList, Suspect } from "./findingList.ts";
import type { LeftPages } from "./leftPages.ts";

/** `freed-while-mapped`, `frame-leaked`: frames in two hands, and in none. */
export function checkFrames(list: FindingList, { census }: Look, left: LeftPages, suspect: Suspect): void {
	for (const frame of census.twoHands.slice(0, 16)) {
		const users = expandUses(census.uses.filter(({ frames }) => frames.includes(frame))).filter(
			(use) => use.frame === frame,
		);
		const text = users
			.map((use) =>
				use.as === "page" ? `process ${use.pid} at ${use.address}` : `the ${use.as} of process ${use.pid}`,
			)
			.join(", ");
		suspect(`two ${frame}`, () =>
			list.report(
				"freed-while-mapped",
				users[0] ? `${users[0].pid} ${users[0].address ?? ""}` : String(frame),
				"error",
				`Frame ${frame} is on kalloc's free list and still in use: ${text}. Its next owner overwrites it.`,
				{
					pids: users.map((use) => use.pid),
					frames: [frame],
					addresses: users.flatMap((use) => (use.address ? [Number(use.address)] : [])),
				},
			),
		);
	}
	// Behind the break of a broken free list there are frames that are not lost.
	const broken = census.damage !== undefined || list.has("freed-while-mapped");
	if (census.leaked.length === 0 || broken) return;
	const frames = census.leaked;
	const count = frames.length === 1 ? "One frame belongs" : `${frames.length} frames belong`;
	suspect(`leak ${frames.join(" ")}`, () => {
		const owner = left.ownerOf(frames);
		const origin = owner ? ` Process ${owner.pid} had it at ${virtualHex(owner.va)} when it ended or unmapped it.` : "";
		// The number grows with every run of the program: the last one counts.
		list.forget("frame-leaked", "");
		list.report(
			"frame-leaked",
			"",
			"warning",
			`${count} to nobody: not free, in no page table, and the kernel has no pointer to ${frames.length === 1 ? "it" : "them"} (first: frame ${frames[0]}).${origin}`,
			{ frames: frames.slice(0, 64) },
		);
	});
}
