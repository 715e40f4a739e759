import { expect, test } from "vitest";
import { type Block, discover, successors } from "../../../../src/machine/jit/region.ts";
import { stepChecks } from "../../../../src/machine/jit/stepChecks.ts";
import { structure } from "../../../../src/machine/jit/structure.ts";
import { readerOf } from "./records.ts";

/** By offset of the block: does it look, and for how many steps, or how many were made that are not subtracted. */
function checksOf(source: string) {
	const region = discover(readerOf(source), 0);
	if (!region) throw new Error("no region");
	const { entry, blocks } = region;
	const flow = structure({
		entry,
		successors: (offset) => successors(blocks.get(offset) as Block),
		has: (offset) => blocks.has(offset),
	});
	const list = flow.order.map((offset) => blocks.get(offset) as Block);
	const checks = stepChecks(list, flow);
	const entries = flow.order.map((offset, index) => {
		return [offset, checks.looks[index] ? { needs: checks.needed[index] } : { after: checks.before[index] }] as const;
	});
	return Object.fromEntries(entries);
}

test("a loop over several blocks looks once, for its longest way", () => {
	const source =
		"loop:\n addi a0, a0, 1\n beq a0, a1, rare\n addi a2, a2, 1\n j loop\nrare:\n addi a3, a3, 1\n addi a3, a3, 2\n j loop";
	expect(checksOf(source)).toEqual({ 0: { needs: 5 }, 8: { after: 2 }, 16: { after: 2 } });
});

test("at a merge point, where ways of different lengths meet, steps are subtracted", () => {
	const source = "beq a0, a1, join\n addi a0, a0, 1\n addi a0, a0, 2\njoin:\n addi a2, a2, 1\n ecall";
	expect(checksOf(source)).toEqual({ 0: { needs: 4 }, 4: { after: 1 }, 12: { after: 0 } });
});

test("long ways are looked at in parts", () => {
	const checks = checksOf(
		`${"addi a0, a0, 1\n".repeat(60)} beq a0, a1, out\n${"addi a0, a0, 1\n".repeat(30)}out:\n ecall`,
	);
	expect(checks[0]).toEqual({ needs: 61 });
	expect(checks[244]).toEqual({ needs: 30 });
});

test("a merge point looks when the longer way to it is long", () => {
	const checks = checksOf(
		`beq a0, a1, join\n${"addi a0, a0, 1\n".repeat(70)}join:\n${"addi a2, a2, 1\n".repeat(20)} ecall`,
	);
	expect(checks).toEqual({ 0: { needs: 71 }, 4: { after: 1 }, 284: { needs: 20 } });
});
