import { expect, test } from "vitest";
import { returnMemory, takeMemory } from "../../../src/machine/linearMemory.ts";
import { boot } from "../../support/guest.ts";

/** Writes all over its memory and its devices, takes an interrupt's way, and ends. */
const untidy = `
	li t0, 0x80010000
	li t1, 0x800f0000
fill:
	sd t1, (t0)
	addi t0, t0, 8
	bltu t0, t1, fill
	li t0, PLIC
	li t1, 7
	sw t1, 40(t0)
	li t0, UART
	li t1, 72
	sb t1, (t0)
	li s0, 0
loop:
	addi s0, s0, 1
	j loop
`;

test("memory that comes back is the next one's of that size, cleared, and only one's", () => {
	const memory = takeMemory(20);
	new Uint8Array(memory.buffer).fill(7);
	returnMemory(memory);
	expect(takeMemory(21)).not.toBe(memory);
	const again = takeMemory(20);
	expect(again).toBe(memory);
	expect(new Uint8Array(again.buffer).every((byte) => byte === 0)).toBe(true);
	expect(takeMemory(20)).not.toBe(memory);
});

test.each(["off", "on", "eager"] as const)("a machine in another's memory is as new, translator %s", async (jit) => {
	const states: string[] = [];
	for (let i = 0; i < 3; i++) {
		const { machine } = await boot({ kernel: untidy, harts: 2, jit });
		const atPowerOn = machine.stateHash();
		machine.run(3_000_000);
		states.push(`${atPowerOn} ${machine.stateHash()}`);
		machine.dispose();
	}
	expect(new Set(states).size).toBe(1);
});

test("a machine that was disposed of, once more too, leaves the next one alone", async () => {
	const first = (await boot({ kernel: untidy })).machine;
	first.run(1000);
	const moment = first.snapshot();
	first.dispose();
	const second = (await boot({ kernel: untidy })).machine;
	second.run(2000);
	const state = second.stateHash();
	first.dispose();
	const third = (await boot({ kernel: untidy })).machine;
	third.run(500_000);
	expect(second.stateHash()).toBe(state);
	for (const change of [() => first.run(1), () => first.runHart(0, 1), () => first.restore(moment)])
		expect(change).toThrow("disposed of");
	expect(second.stateHash()).toBe(state);
});
