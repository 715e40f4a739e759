import { expect, test } from "vitest";
import { type Block, discover, successors } from "../../../../src/machine/jit/region.ts";
import { readerOf } from "./records.ts";

const regionOf = (source: string, entry = 0) => discover(readerOf(source), entry);
const at = (source: string, offset: number) => regionOf(source)?.blocks.get(offset) as Block;

test("a branch ends its block; both ways are in the region", () => {
	const source = "addi a0, a0, 1\n beq a0, a1, out\n addi a0, a0, 2\nout:\n addi a0, a0, 3\n ecall";
	expect([...(regionOf(source)?.blocks.keys() ?? [])].sort((a, b) => a - b)).toEqual([0, 8, 12]);
	expect(successors(at(source, 0))).toEqual([12, 8]);
	expect(at(source, 8).end).toEqual({ kind: "jump", target: 12 });
	expect(at(source, 12).end).toEqual({ kind: "stop", offset: 16 });
});

test("nothing begins at what the interpreter does", () => {
	for (const first of ["ecall", "mret", "wfi", "csrr a0, mcause", "lr.w a0, (a1)", ".word 0"]) {
		expect(regionOf(`${first}\n addi a0, a0, 1\n ret`), first).toBeUndefined();
	}
});

test("accesses to sstatus are translated, others to CSRs end the region", () => {
	const source = "csrr a0, sstatus\n csrrci a0, sstatus, 2\n csrw sscratch, a0";
	expect(at(source, 0).instructions.length).toBe(2);
	expect(at(source, 0).end).toEqual({ kind: "stop", offset: 8 });
});

test("a call inside the page is followed, and its return leads back", () => {
	const source = "jal f\n addi a0, a0, 1\n ecall\nf:\n addi a0, a0, 2\n ret";
	expect(at(source, 0).end).toEqual({ kind: "jump", target: 12 });
	expect(successors(at(source, 12))).toEqual([4]);
	expect(at(source, 4).end).toEqual({ kind: "stop", offset: 8 });
});

test("a jalr that is no return leads nowhere in the region", () => {
	expect(successors(at("jal f\n ecall\nf:\n jr a5", 8))).toEqual([]);
});

test("the page's end leads to the next page, and an instruction across it is the interpreter's", () => {
	const padding = "addi a0, a0, 1\n".repeat(1022);
	const end = regionOf(`${padding} addi a0, a0, 1\n addi a0, a0, 1`, 4088)?.blocks.get(4088);
	expect(end?.end).toEqual({ kind: "leave", target: 4096 });
	const across = regionOf(`${padding} addi a0, a0, 1\n .half 0x0505\n .word 0x00150513`, 4088)?.blocks.get(4088);
	expect(across?.end).toEqual({ kind: "stop", offset: 4094 });
});

test("a long region ends at its limit and continues outside; long blocks are split", () => {
	const region = discover(readerOf("addi a0, a0, 1\n".repeat(100)), 0, { instructions: 25, block: 10, returns: 1 });
	const blocks = [...(region?.blocks.values() ?? [])];
	expect(blocks.map(({ offset, instructions }) => [offset, instructions.length])).toEqual([
		[0, 10],
		[40, 10],
		[80, 5],
	]);
	expect(blocks[2]?.end).toEqual({ kind: "jump", target: 100 });
});

test("a jump into an instruction's middle is another stream of instructions", () => {
	// The second half of the first instruction is c.nop.
	const source = ".word 0x00010537\n bne a0, a1, back\n ecall\n.equ back, 0x80000002";
	const region = regionOf(source);
	expect([...(region?.blocks.keys() ?? [])].sort((a, b) => a - b)).toEqual([0, 2, 8]);
});
