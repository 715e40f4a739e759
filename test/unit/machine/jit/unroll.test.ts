import { expect, test } from "vitest";
import { discover, type Region } from "../../../../src/machine/jit/region.ts";
import { flowOf, offsetOfKey, unroll } from "../../../../src/machine/jit/unroll.ts";
import { readerOf } from "./records.ts";

const regionOf = (source: string) => discover(readerOf(source), 0) as Region;
const keysOf = (region: Region) => [...region.blocks.keys()].sort((a, b) => a - b);
const copies = (region: Region) => keysOf(region).filter((key) => offsetOfKey(key) !== key);

const countdown = "loop:\n\tld a1, 0(a0)\n\tadd a2, a2, a1\n\taddi a0, a0, 8\n\tbne a0, a3, loop\n\tecall";

test("a loop of one block has a copy, and turns alternate", () => {
	const region = regionOf(countdown);
	const unrolled = unroll(region);
	const [copy] = copies(unrolled);
	expect(copies(unrolled).map(offsetOfKey)).toEqual([0]);
	expect(unrolled.blocks.get(0)?.end).toMatchObject({ kind: "branch", taken: copy });
	expect(unrolled.blocks.get(copy as number)?.end).toMatchObject({ kind: "branch", taken: 0 });
	expect(unrolled.blocks.get(copy as number)?.instructions).toEqual(region.blocks.get(0)?.instructions);
});

test("control flow stays as WebAssembly can express it: one loop, no edge that must leave", () => {
	const unrolled = unroll(regionOf(countdown));
	const flow = flowOf(unrolled);
	expect(flow.isLoop.filter(Boolean)).toHaveLength(1);
	for (const [from, targets] of flow.successors.entries()) {
		for (const to of targets) expect(flow.reducible(from, to)).toBe(true);
	}
});

test("of two nested loops the inner one is copied, with all its blocks", () => {
	const source = `
outer:
	mv a1, a4
inner:
	lbu a2, 0(a1)
	beqz a2, skip
	addi a5, a5, 1
skip:
	addi a1, a1, 1
	bne a1, a3, inner
	addi a4, a4, 1
	bne a4, a6, outer
	ecall`;
	const region = regionOf(source);
	const unrolled = unroll(region);
	const inner = copies(unrolled).map(offsetOfKey);
	expect(inner).toHaveLength(3);
	expect(inner).not.toContain(0);
	const flow = flowOf(unrolled);
	expect(flow.isLoop.filter(Boolean)).toHaveLength(2);
	expect(flow.order).toHaveLength(region.blocks.size - unreached(region) + 3);
});

function unreached(region: Region): number {
	return region.blocks.size - flowOf(region).order.length;
}

test("a large loop and a byte loop stay as they are", () => {
	const large = regionOf(`loop:\n${"\txor a1, a1, a2\n".repeat(40)}\taddi a0, a0, -1\n\tbnez a0, loop\n\tecall`);
	expect(copies(unroll(large))).toEqual([]);
	const fill = regionOf("loop:\n\tsb a1, 0(a0)\n\taddi a0, a0, 1\n\tbne a0, a2, loop\n\tecall");
	expect(copies(unroll(fill))).toEqual([]);
});
