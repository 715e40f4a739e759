import { expect, test } from "vitest";
import { UserError } from "../../../src/common/errors.ts";
import { Machine } from "../../../src/machine/machine.ts";
import type { MachineOptions } from "../../../src/machine/types.ts";
import { boot, coreModule, elfOf, kernelOf, ramBase, smallRam } from "../../support/guest.ts";

const M = 1_000_000;

/** Prints the character in a0 on the hart that gets there. */
const hello = `
	li t0, UART
	li t1, 72
	sb t1, (t0)
	li t1, 105
	sb t1, (t0)
	li t0, FINISHER
	li t1, 0x5555
	sw t1, (t0)
	j .
`;

/** Echoes every key, one higher, until '!' ends the run with code 33. */
const echo = `
	li t0, UART
	li t3, 1
	sb t3, 2(t0)
loop:
	lbu t1, 5(t0)
	andi t1, t1, 1
	beqz t1, loop
	lbu t1, (t0)
	li t2, 33
	beq t1, t2, end
	addi t1, t1, 1
	sb t1, (t0)
	j loop
end:
	li t0, FINISHER
	li t1, 0x213333
	sw t1, (t0)
	j .
`;

test("a guest prints and ends its run with the finisher", async () => {
	const guest = await boot({ kernel: hello });
	expect(guest.machine.run(M)).toEqual({ kind: "halt", code: 0, by: "finisher" });
	expect(guest.text()).toBe("Hi");
	expect(guest.machine.run(M)).toEqual({ kind: "halt", code: 0, by: "finisher" });
	expect(guest.machine.instret).toBeLessThan(100);
});

test("the run stops at its budget, to the step", async () => {
	const { machine } = await boot({ kernel: "loop:\naddi s0, s0, 1\nj loop" });
	expect(machine.run(12_345)).toEqual({ kind: "budget" });
	expect(machine.instret).toBe(12_345);
	expect(machine.run(7_000_001)).toEqual({ kind: "budget" });
	expect(machine.instret).toBe(7_012_346);
});

test("harts start at the entry in machine mode with their number in a0 and the device tree in a1", async () => {
	const { machine } = await boot({ kernel: "j .", harts: 3, memoryBytes: 16 * smallRam });
	machine.run(300_000);
	for (const hart of machine.harts) {
		expect([hart.pc, hart.mode, hart.register(10), hart.csr(0xf14)]).toEqual([
			ramBase,
			3,
			BigInt(hart.id),
			BigInt(hart.id),
		]);
		expect(machine.memory.readU32(hart.register(11))).toBe(0xedfe0dd0);
	}
});

test("keys reach the guest, also those typed while it runs", async () => {
	const guest = await boot({ kernel: echo });
	let more = "cd!";
	guest.machine.console.onData(() => {
		guest.type(more);
		more = "";
	});
	guest.type("ab");
	expect(guest.machine.console.pending).toBe(2);
	expect(guest.machine.run(M)).toEqual({ kind: "budget" });
	expect(guest.machine.run(M)).toEqual({ kind: "halt", code: 33, by: "finisher" });
	expect(guest.text()).toBe("bcde");
	expect(guest.machine.console.pending).toBe(0);
});

test("a flood of output arrives whole", async () => {
	const guest = await boot({
		kernel: "li t0, UART\nli t1, 50000\nli t2, 120\n1:\nsb t2, (t0)\naddi t1, t1, -1\nbnez t1, 1b\nj .",
	});
	guest.machine.run(M);
	expect(guest.text()).toBe("x".repeat(50_000));
});

test.each([
	["an odd word", "li t1, 11\nla t0, tohost\nsd t1, (t0)\nj .", { kind: "halt", code: 5, by: "tohost" }, ""],
	[
		"characters, then the end",
		"li t1, 0x0101000000000041\nla t0, tohost\nsd t1, (t0)\n1:\nld t2, (t0)\nbnez t2, 1b\nli t1, 1\nsd t1, (t0)\nj .",
		{ kind: "halt", code: 0, by: "tohost" },
		"A",
	],
	[
		"a store by a virtual address",
		// One gigabyte leaf: virtual 0 is physical 0x80000000. PMP entry 0 opens all.
		`la t0, table
		li t1, 0x200000cf
		sd t1, (t0)
		srli t0, t0, 12
		li t1, 8
		slli t1, t1, 60
		or t0, t0, t1
		csrw satp, t0
		li t1, -1
		csrw pmpaddr0, t1
		li t1, 31
		csrw pmpcfg0, t1
		li t1, 0x800
		csrw mstatus, t1
		la t0, 1f
		slli t0, t0, 33
		srli t0, t0, 33
		csrw mepc, t0
		mret
		1:
		la t0, tohost
		li t1, 7
		sd t1, (t0)
		j .
		.align 12
		table: .dword 0
		.align 12`,
		{ kind: "halt", code: 3, by: "tohost" },
		"",
	],
])("tohost: %s", async (_name, source, stop, text) => {
	const guest = await boot({ kernel: kernelOf(`${source}\n.align 6\ntohost:\n.dword 0`, ["tohost"]) });
	expect(guest.machine.run(M)).toEqual(stop);
	guest.machine.run(M);
	expect(guest.text()).toBe(text);
});

test("the finisher's reset starts the kernel again, with its data as in the file", async () => {
	const guest = await boot({
		kernel: `
			li t0, UART
			la t1, count
			lw t2, (t1)
			addi t2, t2, 1
			sw t2, (t1)
			addi t2, t2, 48
			sb t2, (t0)
			li t0, FINISHER
			li t1, 0x7777
			sw t1, (t0)
			j .
			.align 3
			count: .word 0`,
	});
	expect(guest.machine.run(200)).toEqual({ kind: "budget" });
	expect(guest.text()).toMatch(/^1{5,}$/);
	expect(guest.machine.instret).toBe(200);
});

test("nothing answers outside the memory map: an access fault with the address", async () => {
	const { machine } = await boot({
		kernel: "la t0, 1f\ncsrw mtvec, t0\nli t1, 0x50000000\nlw t2, (t1)\nj .\n.align 2\n1:\nj .",
	});
	machine.run(1000);
	const [hart] = machine.harts;
	expect([hart?.csr(0x342), hart?.csr(0x343)]).toEqual([5n, 0x50000000n]);
});

test.each([
	["a byte", "lbu", 0],
	["a halfword", "lhu", 0],
	["a word", "lwu", 0],
	["a doubleword", "ld", 0],
])("the UART takes %s", async (_name, load) => {
	const { machine } = await boot({
		kernel: `la t0, 1f\ncsrw mtvec, t0\nli t1, UART\n${load} t2, (t1)\nli s0, 1\nj .\n.align 2\n1:\nj .`,
	});
	machine.run(1000);
	expect(machine.harts[0]?.register(8)).toBe(1n);
});

test("events come only while somebody listens", async () => {
	const { machine } = await boot({
		kernel:
			"la t0, 1f\ncsrw mtvec, t0\nloop:\necall\nj loop\n.align 2\n1:\ncsrr t0, mepc\naddi t0, t0, 4\ncsrw mepc, t0\nmret",
	});
	machine.run(5000);
	let traps = 0;
	let returns = 0;
	const first = machine.onTrap((trap) => {
		traps++;
		expect([trap.cause, trap.interrupt, trap.fromMode, trap.toMode, trap.hart]).toEqual([11, false, 3, 3, 0]);
	});
	const second = machine.onTrapReturn(() => {
		returns++;
	});
	machine.run(6000);
	expect([traps, returns]).toEqual([1000, 1000]);
	first.dispose();
	second.dispose();
	machine.run(6000);
	expect([traps, returns]).toEqual([1000, 1000]);
});

test("a change of the page table's root is told", async () => {
	const { machine } = await boot({ kernel: "li t0, 0x8000000000080010\ncsrw satp, t0\nj ." });
	const seen: bigint[] = [];
	machine.onRootChange(({ satp }) => seen.push(satp));
	machine.run(100);
	expect(seen).toEqual([0x8000000000080010n]);
});

test("a listener can stop the run", async () => {
	const { machine } = await boot({ kernel: "la t0, 1f\ncsrw mtvec, t0\necall\nj .\n.align 2\n1:\nj ." });
	const listening = machine.onTrap(() => machine.requestStop());
	expect(machine.run(M)).toEqual({ kind: "requested" });
	expect(machine.instret).toBeLessThan(50);
	listening.dispose();
	expect(machine.run(1000)).toEqual({ kind: "budget" });
});

test("a breakpoint stops before its instruction, and the run continues from there", async () => {
	const { machine } = await boot({ kernel: "li s0, 0\nloop:\naddi s0, s0, 1\nj loop" });
	const breakpoint = machine.addBreakpoint(ramBase + 4n);
	for (let round = 0n; round < 3n; round++) {
		expect(machine.run(M)).toEqual({ kind: "breakpoint", hart: 0, pc: ramBase + 4n });
		expect(machine.harts[0]?.register(8)).toBe(round);
	}
	breakpoint.dispose();
	expect(machine.run(1000).kind).toBe("budget");
});

test("a watchpoint stops after the access and names its address", async () => {
	const { machine } = await boot({
		kernel: "la t0, data\nloop:\nlw t1, 4(t0)\nsw t1, 8(t0)\nj loop\n.align 4\ndata:\n.zero 64",
	});
	const data = ramBase + 32n;
	const watch = machine.addWatchpoint(data + 8n, 4, "write");
	const stop = machine.run(M);
	expect(stop).toMatchObject({ kind: "watchpoint", hart: 0, address: data + 8n });
	watch.dispose();
	machine.addWatchpoint(data + 4n, 1, "read");
	expect(machine.run(M)).toMatchObject({ kind: "watchpoint", address: data + 4n });
});

test("memory outside RAM is undefined, not an exception", async () => {
	const { machine } = await boot({ kernel: "j ." });
	const end = ramBase + BigInt(smallRam);
	expect([machine.memory.readU64(end - 8n), machine.memory.readU64(end - 7n), machine.memory.readU32(0n)]).toEqual([
		0n,
		undefined,
		undefined,
	]);
	expect(machine.memory.bytes().length).toBe(smallRam);
	expect([machine.harts[0]?.csr(0x300) !== undefined, machine.harts[0]?.csr(0x123)]).toEqual([true, undefined]);
});

/** Waits in wfi, with a timer that comes every 100,000 ticks, and counts in s0. */
const ticking = `
	la t0, handler
	csrw mtvec, t0
	li s1, CLINT+0x4000
	li s2, CLINT+0xbff8
	li s3, 100000
	sd s3, (s1)
	li t0, 0x80
	csrw mie, t0
	csrsi mstatus, 8
1:
	wfi
	j 1b
	.align 2
handler:
	addi s0, s0, 1
	ld t0, (s2)
	add t0, t0, s3
	sd t0, (s1)
	mret
`;

test("a guest that waits for a timer costs nothing: time is skipped", async () => {
	const { machine } = await boot({ kernel: ticking });
	machine.run(10_000);
	expect(Number(machine.harts[0]?.register(8))).toBeGreaterThan(1000);
});

test("who shows the machine is told how long it waits, and each call takes it one wait further", async () => {
	const { machine } = await boot({ kernel: ticking });
	const counts: bigint[] = [];
	for (let i = 0; i < 4; i++) {
		const stop = machine.run(M, { stopWhenWaiting: true });
		expect(stop.kind).toBe("waiting");
		if (stop.kind === "waiting") expect(stop.ticks).toBeLessThanOrEqual(100_000);
		counts.push(machine.harts[0]?.register(8) as bigint);
	}
	expect(counts).toEqual([0n, 1n, 2n, 3n]);
});

test("stopping to wait changes nothing of what the guest sees", async () => {
	const straight = await boot({ kernel: ticking });
	straight.machine.run(5000);
	const stopping = await boot({ kernel: ticking });
	while (stopping.machine.instret < 5000) {
		stopping.machine.run(5000 - stopping.machine.instret, { stopWhenWaiting: true });
	}
	expect(stopping.machine.stateHash()).toBe(straight.machine.stateHash());
});

test("a driver that breaks the rules is named once, and the run continues", async () => {
	const guest = await boot({
		disk: new Uint8Array(4096),
		kernel: `
			li t0, VIRTIO
			li t1, 8
			sw t1, 0x38(t0)
			li t1, 0x1000
			sw t1, 0x80(t0)
			li t1, 0x80010000
			sw t1, 0x90(t0)
			sw t1, 0xa0(t0)
			li t1, 1
			sw t1, 0x44(t0)
			li t1, 15
			sw t1, 0x70(t0)
			li t2, 0x80010000
			li t1, 1
			sh t1, 2(t2)
			sw zero, 0x50(t0)
			loop:
			addi s0, s0, 1
			j loop`,
	});
	expect(guest.machine.run(M)).toEqual({ kind: "budget" });
	expect(guest.errors).toEqual(["virtio block device: the descriptor table is outside of RAM: 0x1000"]);
});

const none = elfOf(new Uint8Array(8));
test.each<[string, Partial<MachineOptions>, string, RegExp]>([
	["no harts", { harts: 0 }, "machine-options", /0 harts/],
	["nine harts", { harts: 9 }, "machine-options", /9 harts/],
	["half a hart", { harts: 1.5 }, "machine-options", /1.5 harts/],
	["no memory", { memoryBytes: 0 }, "machine-options", /0 bytes of memory/],
	["memory that is no whole page", { memoryBytes: 1024 * 1024 + 1 }, "machine-options", /memory/],
	["a memory of 16 GiB", { memoryBytes: 2 ** 34 }, "machine-options", /memory/],
	["an empty disk", { disk: new Uint8Array(0) }, "disk-image-size", /0 bytes/],
	["a disk of odd size", { disk: new Uint8Array(1000) }, "disk-image-size", /1000 bytes/],
	["no kernel", { kernel: new Uint8Array(0) }, "kernel-not-elf", /not an ELF/],
])("cannot be made with %s", async (_name, options, errorCode, words) => {
	const made = Machine.create({ kernel: none, memoryBytes: smallRam, ...options }, { core: coreModule() });
	const error = await made.then(
		() => undefined,
		(reason: unknown) => reason,
	);
	expect(error).toBeInstanceOf(UserError);
	expect((error as UserError).code).toBe(errorCode);
	expect((error as UserError).message).toMatch(words);
});

test("the disk is given back as the guest left it, in the image's length", async () => {
	const image = new Uint8Array(512 * 3).map((_, i) => i);
	const { machine } = await boot({ kernel: "j .", disk: image });
	machine.run(1000);
	expect(machine.disk()).toEqual(image);
});
