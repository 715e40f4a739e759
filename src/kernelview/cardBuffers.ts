import { hex } from "../common/bytes.ts";
import type { KernelModel } from "../protocol/kernelModel.ts";
import type { NetworkModel } from "../protocol/network.ts";
import { pageBytes } from "./guestMemory.ts";

/**
 * Mistakes that are seen only beside the kernel's lists: the card owns a receive buffer, and may write to it at any time, but the
 * frame is free or somebody else's. (What it sends it has read when the store to TDT is done.)
 */
export function buffersInOtherHands(
	network: NetworkModel,
	{ memoryBase, frames: { letters, uses } }: Pick<KernelModel, "memoryBase" | "frames">,
): string[] {
	const base = BigInt(memoryBase);
	const ring = network.rings.find(({ name }) => name === "receive");
	const owned = (ring?.descriptors ?? []).flatMap(({ owner, address }, index) =>
		owner === "card" && BigInt(address) >= base ? [{ index, address: BigInt(address) }] : [],
	);
	const byHolder = new Map<string, { index: number; address: bigint }[]>();
	for (const buffer of owned) {
		const frame = Number((buffer.address - base) / BigInt(pageBytes));
		const use = uses.find((one) => one.frame === frame);
		const holder =
			letters[frame] === "."
				? "on the kernel's free list"
				: use?.as === "page-table"
					? `a page table of process ${use.pid}`
					: use && use.as !== "kernel-data" && use.pid !== 0
						? `process ${use.pid}'s ${use.as.replace("-", " ")}`
						: undefined;
		if (holder) byHolder.set(holder, [...(byHolder.get(holder) ?? []), buffer]);
	}
	return [...byHolder].map(([holder, buffers]) => {
		const which = buffers.map(({ index }) => index).join(", ");
		const [first] = buffers;
		const [descriptor, frames] =
			buffers.length === 1 ? ["descriptor", "its frame is"] : ["descriptors", "their frames are"];
		return `network card: the card owns the buffer of receive ${descriptor} ${which} (${hex((first as { address: bigint }).address)}) and may write to it at any time, but ${frames} ${holder}: a buffer was freed while the card owned it`;
	});
}
