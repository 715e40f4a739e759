import { expect, test } from "vitest";
import { GoldfishRtc, rtcStateBytes } from "../../../../src/machine/devices/goldfishRtc.ts";
import { CardProgram } from "../../../support/cardProgram.ts";
import { DeviceBench } from "../../../support/deviceBench.ts";
import { boot, kernelOf, smallRam } from "../../../support/guest.ts";

const irq = 11;

function clock() {
	const bench = new DeviceBench();
	let time = 0n;
	const wakes: bigint[] = [];
	const rtc = new GoldfishRtc(bench, {
		irq,
		state: new DataView(new ArrayBuffer(rtcStateBytes)),
		start: 1_000_000_000,
		now: () => time,
		wakeAt: (at) => wakes.push(at),
	});
	const read = () => BigInt(rtc.read(0) >>> 0) | (BigInt(rtc.read(4) >>> 0) << 32n);
	const write = (offset: number, value: bigint) => rtc.write(offset, 4, Number(value));
	return { bench, rtc, wakes, read, write, pass: (ticks: bigint) => (time += ticks) };
}

test("it shows nanoseconds, with the high word of the moment when the low one was read", () => {
	const { read, rtc, pass, write } = clock();
	expect(read()).toBe(1_000_000_000n * 1_000_000_000n);
	pass(15n);
	expect(read()).toBe(1_000_000_000n * 1_000_000_000n + 1500n);
	write(4, 0n);
	write(0, 0xffff_ffffn);
	rtc.read(0);
	pass(1n);
	expect(rtc.read(4)).toBe(0);
	expect(read()).toBe(0x1_0000_0063n);
});

test("its alarm raises the interrupt once, at its time, where it is enabled", () => {
	const { bench, rtc, wakes, read, write, pass } = clock();
	const at = read() + 1001n;
	write(0x10, 1n);
	write(0x0c, at >> 32n);
	write(0x08, at & 0xffff_ffffn);
	expect([rtc.read(0x18), wakes]).toEqual([1, [11n]]);
	pass(10n);
	rtc.sliceEnd();
	expect(bench.levels.get(irq) ?? false).toBe(false);
	pass(1n);
	rtc.sliceEnd();
	expect([bench.levels.get(irq), rtc.read(0x18)]).toEqual([true, 0]);
	write(0x1c, 1n);
	expect(bench.levels.get(irq)).toBe(false);
	write(0x08, at & 0xffff_ffffn);
	write(0x10, 0n);
	expect(bench.levels.get(irq)).toBe(false);
});

test("a machine has it only on request, and the alarm ends a wait", async () => {
	// Alarm 100 µs after power-on; the PLIC's pending word shows source 11.
	const start = 5_000_000_000_000_000_000n + 100_000n;
	const program = new CardProgram().write(0x101010, 1).write(0x10100c, Number(start >> 32n));
	program
		.write(0x101008, Number(start & 0xffff_ffffn))
		.wait(0x0c001000, 1 << irq)
		.read(0x0c001000);
	const guest = await boot({ kernel: program.kernel, memoryBytes: 4 * smallRam, rtc: 5_000_000_000 });
	expect(guest.machine.run(1_000_000)).toMatchObject({ kind: "halt" });
	expect(guest.text()).toBe("00000800\n");
	expect(guest.machine.instret).toBeGreaterThan(900);
	const without = await boot({ kernel: program.kernel, memoryBytes: 4 * smallRam });
	expect(without.machine.run(100_000)).not.toMatchObject({ kind: "halt" });
});

test("an alarm at any moment ends a wait, one at the end of a round too", async () => {
	const kernel = kernelOf(`
	csrr t0, mhartid
	bnez t0, park
	li s0, 0x101000
	li s1, PLIC
	li t0, 1
	sw t0, 0x10(s0)
	sw t0, ${4 * irq}(s1)
	li t1, PLIC + 0x2000
	li t0, ${1 << irq}
	sw t0, (t1)
	li s2, PLIC + 0x200000
	sw zero, (s2)
	csrw mie, t0
	li s3, 100
	li s4, 20100
next:
	lwu t1, (s0)
	lwu t2, 4(s0)
	slli t2, t2, 32
	add t1, t1, t2
	add t1, t1, s3
	srli t2, t1, 32
	sw t2, 0xc(s0)
	sw t1, 8(s0)
	wfi
	lw t3, 4(s2)
	sw zero, 0x1c(s0)
	sw t3, 4(s2)
	addi s3, s3, 100
	bne s3, s4, next
	li t0, 0x5555
	li t1, FINISHER
	sw t0, (t1)
park:
	wfi
	j park
`);
	const { machine } = await boot({ kernel, memoryBytes: 4 * smallRam, rtc: 5 });
	expect(machine.run(1_000_000)).toEqual({ kind: "halt", code: 0, by: "finisher" });
});
