import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/common/errors.ts";
import { PAGE_SIZE } from "../../../src/machine/core/layout.ts";
import { parseInputLog } from "../../../src/machine/inputLog.ts";
import { PageStore, type Snapshot } from "../../../src/machine/snapshot.ts";
import type { MachineOptions } from "../../../src/machine/types.ts";
import { boot, kernelOf, smallRam } from "../../support/guest.ts";
import { Random } from "../../support/random.ts";

/** Walks pseudo-randomly through memory, writes what it reads there and what is typed, and takes timer interrupts. */
const wanderer = kernelOf(`
	csrr s9, mhartid
	la t0, handler
	csrw mtvec, t0
	li s1, CLINT+0x4000
	slli t0, s9, 3
	add s1, s1, t0
	li t0, 777
	sd t0, (s1)
	li t0, 0x80
	csrw mie, t0
	csrsi mstatus, 8
	li s2, 0x80020000
	li s3, 0x9e3779b97f4a7c15
	li s4, UART
	li t0, 1
	sb t0, 2(s4)
	addi s5, s9, 1
loop:
	mul s5, s5, s3
	addi s5, s5, 11
	srli t0, s5, 46
	slli t0, t0, 3
	add t0, t0, s2
	ld t1, (t0)
	add t1, t1, s5
	sd t1, (t0)
	lbu t2, 5(s4)
	andi t2, t2, 1
	beqz t2, loop
	lbu t2, (s4)
	add s5, s5, t2
	sb t2, (s4)
	j loop
	.align 2
handler:
	csrw mscratch, t0
	li t0, CLINT+0xbff8
	ld t0, (t0)
	addi t0, t0, 999
	sd t0, (s1)
	csrr t0, mscratch
	addi s8, s8, 1
	mret
`);
const memoryBytes = 4 * smallRam;
const shapes: [string, Omit<MachineOptions, "kernel">][] = [
	["1 hart", { memoryBytes }],
	["3 harts", { memoryBytes, harts: 3 }],
	["3 harts with a seed", { memoryBytes, harts: 3, seed: 7 }],
	["2 harts with a disk", { memoryBytes, harts: 2, disk: new Uint8Array(8192).fill(9) }],
];

describe.each(shapes)("%s", (_name, shape) => {
	test("the same run twice has the same hash, in whatever pieces", async () => {
		const once = await boot({ ...shape, kernel: wanderer });
		once.machine.run(500_000);
		const pieces = await boot({ ...shape, kernel: wanderer });
		const random = new Random(11);
		while (pieces.machine.instret < 500_000) {
			pieces.machine.run(Math.min(500_000 - pieces.machine.instret, 1 + random.below(9000)));
		}
		expect(pieces.machine.stateHash()).toBe(once.machine.stateHash());
		once.machine.run(1);
		expect(once.machine.stateHash()).not.toBe(pieces.machine.stateHash());
	});

	test("a restored snapshot has the same future, again and again", async () => {
		const { machine, type } = await boot({ ...shape, kernel: wanderer });
		machine.run(100_000);
		type("typed before the snapshot, and not read");
		const snapshot = machine.snapshot();
		const there = machine.stateHash();
		machine.run(200_000);
		const future = machine.stateHash();
		for (let i = 0; i < 3; i++) {
			machine.run(12_345 * i);
			machine.restore(snapshot);
			expect(machine.stateHash()).toBe(there);
			expect(machine.instret).toBe(100_000);
			machine.run(200_000);
			expect(machine.stateHash()).toBe(future);
		}
	});

	test("taking a snapshot or a hash changes nothing", async () => {
		const plain = await boot({ ...shape, kernel: wanderer });
		plain.machine.run(90_000);
		const looked = await boot({ ...shape, kernel: wanderer });
		for (let i = 0; i < 9; i++) {
			looked.machine.run(10_000);
			looked.machine.snapshot();
			looked.machine.stateHash();
		}
		expect(looked.machine.stateHash()).toBe(plain.machine.stateHash());
	});

	test("it can be taken to another machine of the same shape", async () => {
		const { machine, type } = await boot({ ...shape, kernel: wanderer });
		machine.run(100_000);
		type("waits");
		const snapshot = machine.snapshot();
		machine.run(50_000);
		const other = await boot({ ...shape, kernel: wanderer });
		other.machine.run(3333);
		other.machine.restore(snapshot);
		other.machine.run(50_000);
		expect(other.machine.stateHash()).toBe(machine.stateHash());
	});

	test("a replayed log gives the same run", async () => {
		const random = new Random(5);
		const guest = await boot({ ...shape, kernel: wanderer });
		for (let i = 0; i < 40; i++) {
			guest.machine.run(1 + random.below(20_000));
			guest.type("some keys".slice(0, 1 + random.below(9)));
		}
		const total = guest.machine.instret + 10_000;
		guest.machine.run(10_000);
		const { records } = parseInputLog(guest.machine.inputLog.serialize());
		const again = await boot({ ...shape, kernel: wanderer }, { replay: records });
		again.machine.run(total);
		expect(again.text()).toBe(guest.text());
		expect(again.machine.stateHash()).toBe(guest.machine.stateHash());
	});
});

test("snapshots share the pages that did not change between them", async () => {
	const { machine } = await boot({ kernel: wanderer, memoryBytes });
	machine.run(1_000_000);
	const first = machine.snapshot();
	machine.run(200);
	const second = machine.snapshot();
	const different = second.pages.filter((page, i) => page !== first.pages[i]).length;
	expect(different).toBeGreaterThan(0);
	expect(different).toBeLessThan(20);
});

const pageWords = PAGE_SIZE / 4;

test("a page that one word fills but for its head is kept short, any other whole, and each comes back", () => {
	const count = 400;
	const random = new Random(9);
	const memory = new Uint8Array(count * PAGE_SIZE);
	const words = new Uint32Array(memory.buffer);
	const store = new PageStore(memory, 0, count);
	/** Words that differ from those that fill the page: at its head, at its end, anywhere, or none. */
	const odd = [[], [0], [1], [0, 1], [2], [3], [pageWords - 1], [0, pageWords - 1], [0, 1, 2]];
	const moments = Array.from({ length: 4 }, () => {
		const lengths: number[] = [];
		for (let i = 0; i < count; i++) {
			const places = i % 10 === 9 ? [2 + random.below(pageWords - 2)] : (odd[i % 10] as number[]);
			const fill = random.pick([0, 0x01010101, 0xffffffff, random.below(2 ** 32)]);
			words.fill(fill, i * pageWords, (i + 1) * pageWords);
			for (const at of places) words[i * pageWords + at] = fill ^ (1 + random.below(2 ** 31));
			lengths.push(places.length > 0 && places.every((at) => at < 2) ? 12 : PAGE_SIZE);
		}
		for (let i = 0; i < count; i++) store.noteChange(i);
		const pages = store.save();
		expect(pages.map((page) => page.length)).toEqual(lengths);
		return { pages, content: memory.slice() };
	});
	for (let i = 0; i < 12; i++) {
		const { pages, content } = random.pick(moments);
		store.restore(pages);
		expect(Buffer.compare(memory, content)).toBe(0);
	}
	const elsewhere = new Uint8Array(memory.length).fill(3);
	const other = new PageStore(elsewhere, 0, count);
	for (let i = 0; i < count; i++) other.noteChange(i);
	other.restore(moments[0]?.pages ?? []);
	expect(Buffer.compare(elsewhere, moments[0]?.content ?? memory)).toBe(0);
});

test("going between two snapshots in any order finds each of them", async () => {
	const { machine } = await boot({ kernel: wanderer, memoryBytes });
	const moments: [Snapshot, string][] = [];
	for (let i = 0; i < 6; i++) {
		machine.run(30_000);
		moments.push([machine.snapshot(), machine.stateHash()]);
	}
	const random = new Random(3);
	for (let i = 0; i < 30; i++) {
		const [snapshot, hash] = random.pick(moments);
		machine.restore(snapshot);
		expect(machine.stateHash()).toBe(hash);
		machine.run(random.below(5000));
	}
});

test("input after a restore is logged for the history that happened", async () => {
	const guest = await boot({ kernel: wanderer, memoryBytes });
	guest.machine.run(10_000);
	guest.type("kept");
	guest.machine.run(10_000);
	const snapshot = guest.machine.snapshot();
	guest.type("undone");
	guest.machine.run(10_000);
	guest.machine.restore(snapshot);
	guest.type("instead");
	guest.machine.run(30_000);
	const again = await boot({ kernel: wanderer, memoryBytes }, { replay: guest.machine.inputLog.records });
	again.machine.run(50_000);
	expect(again.machine.stateHash()).toBe(guest.machine.stateHash());
});

/** Sleeps until a timer or a key comes; echoes keys. */
const sleeper = kernelOf(`
	la t0, handler
	csrw mtvec, t0
	li s1, CLINT+0x4000
	li s4, UART
	li t0, 1
	sb t0, 2(s4)
	sb t0, 1(s4)
	li s5, PLIC
	li t0, 1
	sw t0, 40(s5)
	li t1, PLIC+0x2000
	li t0, 0x400
	sw t0, (t1)
	li s6, PLIC+0x200000
	li t0, 50000
	sd t0, (s1)
	li t0, 0x880
	csrw mie, t0
	csrsi mstatus, 8
1:
	wfi
	addi s7, s7, 1
	j 1b
	.align 2
handler:
	csrr t0, mcause
	andi t0, t0, 15
	li t1, 7
	beq t0, t1, timer
	lw t2, 4(s6)
	lbu t0, (s4)
	sb t0, (s4)
	sw t2, 4(s6)
	mret
timer:
	li t0, CLINT+0xbff8
	ld t0, (t0)
	li t1, 50000
	add t0, t0, t1
	sd t0, (s1)
	mret
`);

test("input that came while the machine slept is replayed at the same sleep", async () => {
	const guest = await boot({ kernel: sleeper });
	const random = new Random(8);
	for (let i = 0; i < 60; i++) {
		const stop = guest.machine.run(1 + random.below(60), { stopWhenWaiting: random.chance(2) });
		if (random.chance(3)) guest.type(stop.kind === "waiting" ? "w" : "r");
	}
	guest.machine.run(500);
	expect(guest.text()).toMatch(/w/);
	const again = await boot({ kernel: sleeper }, { replay: guest.machine.inputLog.records });
	again.machine.run(guest.machine.instret);
	expect([again.text(), again.machine.stateHash()]).toEqual([guest.text(), guest.machine.stateHash()]);
});

test("a recorded run stops by itself where it ended, in the same state", async () => {
	for (const stopWhenWaiting of [false, true]) {
		const guest = await boot({ kernel: sleeper });
		guest.machine.run(1000, { stopWhenWaiting });
		guest.type("x");
		guest.machine.run(2000, { stopWhenWaiting });
		const { records, end } = parseInputLog(guest.machine.recordInput());
		const again = await boot({ kernel: sleeper }, { replay: records });
		expect(again.machine.run(1_000_000)).toEqual({ kind: "requested" });
		expect([again.machine.instret, again.machine.stateHash()]).toEqual([guest.machine.instret, end?.hash]);
	}
});

test("the log of another run is refused in words", async () => {
	const other = await boot({ kernel: "wfi\nj ." }, { replay: [{ at: 10, moment: "waiting", bytes: [65] }] });
	expect(() => other.machine.run(1000)).toThrow(/another run/);
});

test("a snapshot of another shape is refused before anything is changed", async () => {
	const { machine } = await boot({ kernel: wanderer });
	machine.run(10_000);
	const other = await boot({ kernel: wanderer, harts: 2 });
	other.machine.run(5000);
	const before = other.machine.stateHash();
	expect(() => other.machine.restore(machine.snapshot())).toThrow(/another shape/);
	expect(other.machine.stateHash()).toBe(before);
});

test.each([
	["not JSON", "{", /not JSON/],
	["another version", '{"version":1,"records":[]}', /version 1/],
	["no object", "null", /version/],
	["no records", '{"version":2}', /no records/],
	[
		"records out of order",
		'{"version":2,"records":[{"at":5,"moment":"steps","bytes":[1]},{"at":4,"moment":"steps","bytes":[1]}]}',
		/order/,
	],
	["a byte of 256", '{"version":2,"records":[{"at":5,"moment":"steps","bytes":[256]}]}', /order/],
	["an unknown moment", '{"version":2,"records":[{"at":5,"moment":"later","bytes":[1]}]}', /order/],
	["a record that is none", '{"version":2,"records":[null]}', /order/],
])("an input log is refused: %s", (_name, text, words) => {
	try {
		parseInputLog(text);
		expect.unreachable();
	} catch (error) {
		expect(error).toBeInstanceOf(UserError);
		expect([(error as UserError).code, (error as UserError).message]).toEqual([
			"input-log-damaged",
			expect.stringMatching(words),
		]);
	}
});
