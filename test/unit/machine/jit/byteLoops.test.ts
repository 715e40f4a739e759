import { expect, test } from "vitest";
import { type ByteLoop, byteLoop } from "../../../../src/machine/jit/byteLoops.ts";
import { discover } from "../../../../src/machine/jit/region.ts";
import { machinesOf, readerOf } from "./records.ts";

function loopOf(body: string): ByteLoop | undefined {
	const region = discover(readerOf(`loop:\n${body}\nafter:\n\tecall`), 0);
	const block = region?.blocks.get(0);
	return block && byteLoop(block);
}

const gccSet = "sb a1, 0(a5)\n addi a5, a5, 1\n bne a5, a4, loop";
const clangSet = "addiw a4, a2, -1\n addi a2, a2, -1\n addi a5, a3, 1\n sb a1, 0(a3)\n mv a3, a5\n bne a4, zero, loop";
const clangCopy =
	"lb a4, 0(a1)\n sb a4, 0(a2)\n addi a3, a3, -1\n addi a2, a2, 1\n addi a1, a1, 1\n bne a3, zero, loop";
const clangCopyDown =
	"add a4, a1, a3\n lb a4, 0(a4)\n add a5, a2, a3\n addi a3, a3, -1\n sb a4, 0(a5)\n bne a3, zero, loop";

test("what gcc makes of memset", () => {
	expect(loopOf(gccSet)).toMatchObject({ direction: 1, source: 11, counter: 15, bound: 14, counterIsWord: false });
});

test("what clang makes of memset: a counter that is a word beside one that is none", () => {
	const loop = loopOf(clangSet);
	expect(loop).toMatchObject({ direction: 1, source: 11, counter: 14, counterStep: -1, counterIsWord: true, bound: 0 });
	expect(loop?.steps).toContainEqual({ register: 13, step: 1, word: false });
	expect(loop?.steps).toContainEqual({ register: 12, step: -1, word: false });
});

test("copies upwards and downwards", () => {
	expect(loopOf(clangCopy)).toMatchObject({ direction: 1, load: { register: 14, signed: true }, counter: 13 });
	expect(loopOf(clangCopyDown)).toMatchObject({ direction: -1, store: { registers: [12, 13] }, counter: 13 });
});

test.each([
	["no store", "addi a5, a5, 1\n bne a5, a4, loop"],
	["two stores", "sb a1, 0(a5)\n sb a1, 8(a5)\n addi a5, a5, 1\n bne a5, a4, loop"],
	["the stored value changes", "sb a5, 0(a5)\n addi a5, a5, 1\n bne a5, a4, loop"],
	["strides", "sb a1, 0(a5)\n addi a5, a5, 2\n bne a5, a4, loop"],
	["the end moves", "sb a1, 0(a5)\n addi a5, a5, 1\n addi a4, a4, 1\n bne a5, a4, loop"],
	["the loaded byte decides", "lb a4, 0(a1)\n sb a4, 0(a2)\n addi a1, a1, 1\n addi a2, a2, 1\n bne a4, zero, loop"],
	[
		"a store before the load",
		"sb a4, 0(a2)\n lb a4, 0(a1)\n addi a1, a1, 1\n addi a2, a2, 1\n addi a3, a3, -1\n bne a3, zero, loop",
	],
	["an address that is a word", "sb a1, 0(a5)\n addiw a5, a5, 1\n bne a5, a4, loop"],
	["a value that doubles", "sb a1, 0(a5)\n addi a5, a5, 1\n add a6, a6, a6\n bne a5, a4, loop"],
	["another comparison", "sb a1, 0(a5)\n addi a5, a5, 1\n blt a5, a4, loop"],
])("not such a loop: %s", (_, body) => {
	expect(loopOf(body)).toBeUndefined();
});

/** Calls a routine for many lengths and places, near page borders too, sources and targets overlapping or not. */
const program = (body: string) => `
	la s0, buffer
	li s1, 1
	li s2, 0
again:
	li t0, 6364136223846793005
	mul s1, s1, t0
	addi s1, s1, 1441
	srli t1, s1, 40
	andi t1, t1, 1023
	srli t2, s1, 50
	slli t2, t2, 51
	srli t2, t2, 51
	add a3, s0, t2
	add a5, s0, t2
	srli t3, s1, 30
	slli t3, t3, 57
	srli t3, t3, 57
	add a1, a3, t3
	addi a1, a1, -64
	mv a2, a3
	add a4, a5, t1
	addi a4, a4, 1
	andi t4, s1, 1
	beq t4, zero, far
	xori a1, a1, 1024
far:
	andi a0, s1, 255
	CALL
	add s2, s2, a4
	add s2, s2, a5
	addi s3, s3, 1
	j again
routine:
loop:
${body}
	ret
	.align 12
	.zero 4096
buffer:
	.zero 16384
`;

test.each([
	["gcc's memset", gccSet, "jal routine"],
	["clang's memset", clangSet, "addi a2, t1, 1\n\tjal routine"],
	["clang's memmove upwards", clangCopy, "addi a3, t1, 1\n\tjal routine"],
	["clang's memmove downwards", clangCopyDown, "addi a3, t1, 1\n\tjal routine"],
])("%s in bulk ends like step by step", async (_, body, call) => {
	const machines = await machinesOf(program(body).replace("CALL", call));
	for (const steps of [50_000, 1, 17, 333, 50_001, 4096, 100_003]) {
		const states = machines.map(([name, machine]) => {
			machine.run(steps);
			return [name, machine.stateHash()];
		});
		for (const [name, hash] of states) expect(hash, name).toBe(states[0]?.[1]);
	}
	expect(machines[0]?.[1].harts[0]?.register(19)).toBeGreaterThan(50n);
});
