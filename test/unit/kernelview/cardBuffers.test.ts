import { expect, test } from "vitest";
import { buffersInOtherHands } from "../../../src/kernelview/cardBuffers.ts";
import type { FrameUse } from "../../../src/protocol/kernelModel.ts";
import type { NetworkModel, RingDescriptorModel } from "../../../src/protocol/network.ts";

const at = (frame: number, owner: RingDescriptorModel["owner"] = "card"): RingDescriptorModel => ({
	address: `0x${(0x8000_0000 + 4096 * frame + 0x80).toString(16)}`,
	length: 0,
	owner,
	done: false,
});

function said(descriptors: readonly RingDescriptorModel[], uses: readonly FrameUse[] = []): string[] {
	const ring = (name: "receive" | "transmit") => ({ name, head: 0, tail: 3, descriptors });
	const network = (name: "receive" | "transmit"): NetworkModel => ({
		rings: [ring(name)],
		packets: [],
		interrupt: false,
		mistakes: [],
	});
	const frames = { letters: "K?.TUU?S", counts: {}, uses };
	const kernel = { memoryBase: "0x80000000" as const, frames };
	expect(buffersInOtherHands(network("transmit"), kernel)).toEqual([]);
	return buffersInOtherHands(network("receive"), kernel);
}

test("buffers of the kernel's own are no mistake: static ones, and pages that kalloc gave", () => {
	expect(said([at(0), at(1), at(6)], [{ frame: 6, pid: 0, as: "kernel-data" }])).toEqual([]);
});

test("buffers on the free list are told once, with their descriptors; the driver's own are not looked at", () => {
	expect(said([at(1), at(2), at(2, "driver"), at(2)])).toEqual([
		expect.stringMatching(/receive descriptors 1, 3 \(0x80002080\).*their frames are on the kernel's free list/),
	]);
});

test("a buffer that has become a page of somebody's is told with whose", () => {
	const uses: FrameUse[] = [
		{ frame: 3, pid: 1, as: "page-table", level: 2 },
		{ frame: 4, pid: 3, as: "page", address: "0x1000" },
	];
	const lines = said([at(3), at(4)], uses);
	expect(lines).toHaveLength(2);
	expect(lines[0]).toContain(
		"receive descriptor 0 (0x80003080) and may write to it at any time, but its frame is a page table of process 1",
	);
	expect(lines[1]).toContain("its frame is process 3's page");
});

test("an address that is not in memory has no frame", () => {
	expect(
		said([
			{ ...at(2), address: "0x40000000" },
			{ ...at(2), address: "0x9000000000" },
		]),
	).toEqual([]);
});
