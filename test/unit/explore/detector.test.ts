import { describe, expect, test } from "vitest";
import { type DetectedCode, Detector } from "../../../src/explore/detector.ts";
import { OwnKind } from "../../../src/explore/records.ts";
import { AccessKind, foundZero, leftZero, recordWords } from "../../../src/machine/accessWatch.ts";

/** A kernel's image in words: text, then variables, then pages from kalloc. */
const text = 0x8000_0000;
const acquireCode = text + 0x100;
const variables = 0x8001_0000;
const pages = 0x8010_0000;
const [lockA, lockB, processLock] = [variables, variables + 0x100, variables + 0x800];
const scalar = variables + 0x400;
const names = new Map([
	[0x8002_0000, "a"],
	[0x8002_0010, "b"],
	[0x8002_0020, "proc"],
]);
const nameOf = new Map([
	[lockA, 0x8002_0000],
	[lockB, 0x8002_0010],
	[processLock, 0x8002_0020],
]);

const code: DetectedCode = {
	range: { from: variables, to: 0x8800_0000 },
	spinlock: { size: 24, name: 8 },
	isExempt: (pc) => pc >>> 0 >= acquireCode && pc >>> 0 < acquireCode + 0x100,
	takesLocks: (pc) => pc >= acquireCode && pc < acquireCode + 0x100,
	pcOf: (pc) => pc,
	isOfProcess: (lock) => lock === processLock,
	isVariable: (address) => address < pages,
	isScalar: (address) => address === scalar,
	scalarsOf: (page) => {
		if (page !== scalar >>> 12) return undefined;
		const words = new Uint8Array(1024);
		words[(scalar & 4095) >>> 2] = 1;
		return words;
	},
};

/** What a hart does, as the core's records; each instruction has a pc of its own unless one is given. */
class Run {
	readonly detector = new Detector(code, (address) => names.get(address));
	private readonly records: number[] = [];
	private told = 0;
	private pc = text + 0x1000;

	private add(hart: number, kind: number, pc: number, address: number, value = 0, log2 = 2, interrupts = false): this {
		this.records.push(pc, address, hart | (kind << 4) | (log2 << 8) | (interrupts ? 1 << 12 : 0), value);
		return this;
	}

	private next(): number {
		this.pc += 4;
		return this.pc;
	}

	acquire(hart: number, lock: number): this {
		return this.calls(hart, lock).add(hart, AccessKind.swap, acquireCode, lock, foundZero);
	}

	/** It has called acquire(), and waits. */
	calls(hart: number, lock: number): this {
		return this.add(hart, AccessKind.call, this.next(), lock, nameOf.get(lock) ?? 0);
	}

	release(hart: number, lock: number): this {
		return this.add(hart, AccessKind.write, acquireCode + 0x80, lock, 0);
	}

	/** As GCC's __sync_lock_release with an AMO. */
	swapBack(hart: number, lock: number): this {
		return this.add(hart, AccessKind.swap, acquireCode + 0x80, lock, leftZero);
	}

	read(hart: number, address: number, pc = this.next()): this {
		return this.add(hart, AccessKind.read, pc, address);
	}

	write(hart: number, address: number, pc = this.next(), value = 7): this {
		return this.add(hart, AccessKind.write, pc, address, value);
	}

	writeWithInterrupts(hart: number, address: number): this {
		return this.add(hart, AccessKind.write, this.next(), address, 7, 2, true);
	}

	/** One instruction's stores of a byte, of which the core tells one a word. */
	memset(hart: number, address: number, words: number, pc = this.next()): this {
		for (let i = 0; i < words; i++) this.add(hart, AccessKind.write, pc, address + 4 * i, 5, 0);
		return this;
	}

	sleep(hart: number, lock: number): this {
		return this.add(hart, OwnKind.sleep, this.next(), lock, 0x1234);
	}

	toUserMode(hart: number): this {
		return this.add(hart, OwnKind.trapReturn, this.next(), 0, 0);
	}

	/** Feeds what is new, and says what has been found so far: kind and address. */
	found(): string[] {
		const count = this.records.length / recordWords;
		// One record more, as the core's memory has behind those that are told.
		this.detector.feed(Uint32Array.from([...this.records, 0, 0, 0, 0]), count, this.told);
		this.told += count;
		this.records.length = 0;
		return this.detector.findings().map(({ kind, address }) => `${kind} ${address.toString(16)}`);
	}
}

const data = variables + 0x600;
const page = pages;

describe("races", () => {
	test("two harts without a lock", () => {
		const run = new Run().write(0, data).read(1, data);
		expect(run.found()).toEqual([`race ${data.toString(16)}`]);
		const [race] = run.detector.findings();
		expect(race?.points.map(({ hart, does }) => [hart, does])).toEqual([
			[0, "write"],
			[1, "read"],
		]);
	});

	test("none where one lock orders them, however it is given back", () => {
		const run = new Run().acquire(0, lockA).write(0, data).release(0, lockA);
		run.acquire(1, lockA).write(1, data).swapBack(1, lockA).acquire(2, lockA).read(2, data);
		expect(run.found()).toEqual([]);
	});

	test("the second access of a pair of instructions is not told again", () => {
		const run = new Run();
		for (let i = 0; i < 3; i++) run.write(0, data + 8 * i, text + 0x500).write(1, data + 8 * i, text + 0x600);
		expect(run.found()).toHaveLength(1);
	});

	test("several readers that nothing orders before a writer: each hart's last place", () => {
		const run = new Run().write(0, data).acquire(0, lockA).release(0, lockA);
		for (const hart of [1, 2]) run.acquire(hart, lockA).release(hart, lockA).read(hart, data).read(hart, data);
		run.write(0, data);
		const races = run.found();
		expect(races).toHaveLength(2);
		expect(
			run.detector
				.findings()
				.map(({ points }) => points[0]?.hart)
				.sort(),
		).toEqual([1, 2]);
	});
});

describe("a page that is filled", () => {
	test("is handed over by the free list's lock", () => {
		const run = new Run().memset(0, page, 1024).acquire(0, lockA).release(0, lockA);
		run
			.acquire(1, lockA)
			.release(1, lockA)
			.memset(1, page, 1024)
			.write(1, page + 40)
			.read(1, page + 44);
		expect(run.found()).toEqual([]);
	});

	test("races with whom it is taken from, at the word that both use, and at its record", () => {
		const run = new Run().write(1, page + 400).memset(0, page, 1024);
		expect(run.found()).toEqual([`race ${(page + 400).toString(16)}`]);
		expect(run.detector.findings()[0]?.points.map(({ record }) => record)).toEqual([0, 101]);
	});

	test("races with who uses it after that", () => {
		const run = new Run().memset(0, page, 1024).read(1, page + 400);
		expect(run.found()).toEqual([`race ${(page + 400).toString(16)}`]);
		expect(run.detector.findings()[0]?.points.map(({ record }) => record)).toEqual([100, 1024]);
	});

	test("a lock in it is a lock no more", () => {
		const lock = page + 64;
		const run = new Run().acquire(0, lock).release(0, lock).memset(0, page, 1024);
		run.write(0, lock, text + 0x700, 0).write(1, lock, text + 0x704, 0);
		expect(run.found()).toEqual([`race ${lock.toString(16)}`]);
	});
});

describe("locksets of small variables", () => {
	test("an order by accident is no lock of its own", () => {
		const run = new Run().acquire(0, lockA).write(0, scalar).release(0, lockA);
		run.acquire(1, lockA).release(1, lockA).acquire(1, lockB).write(1, scalar).release(1, lockB);
		run.acquire(0, lockB).release(0, lockB).acquire(0, lockA).write(0, scalar);
		expect(run.found()).toEqual([`no-common-lock ${scalar.toString(16)}`]);
	});

	test("one lock at all uses", () => {
		const run = new Run();
		for (const hart of [0, 1, 0, 2]) run.acquire(hart, lockA).write(hart, scalar).release(hart, lockA);
		expect(run.found()).toEqual([]);
	});
});

describe("locks", () => {
	test("in opposite orders, without a deadlock in this run", () => {
		const run = new Run().acquire(0, lockA).acquire(0, lockB).release(0, lockB).release(0, lockA);
		expect(run.found()).toEqual([]);
		run.acquire(1, lockB).acquire(1, lockA);
		expect(run.found()).toEqual([`lock-order ${lockA.toString(16)}`]);
	});

	test("harts that wait for each other", () => {
		const run = new Run().acquire(0, lockA).acquire(1, lockB).calls(0, lockB).calls(1, lockA);
		run.found();
		expect(run.detector.deadlocks().map(({ kind }) => kind)).toEqual(["deadlock"]);
	});

	test("a hart that wants what it holds", () => {
		const run = new Run().acquire(0, lockA).calls(0, lockA);
		run.found();
		expect(run.detector.deadlocks().map(({ kind }) => kind)).toEqual(["lock-again"]);
	});

	test("held on the return to user mode", () => {
		expect(new Run().acquire(0, lockA).toUserMode(0).found()).toEqual([`held-in-user-mode ${lockA.toString(16)}`]);
		expect(new Run().acquire(0, lockA).release(0, lockA).toUserMode(0).found()).toEqual([]);
	});

	test("held with interrupts on", () => {
		const run = new Run().acquire(0, lockA).writeWithInterrupts(0, data);
		expect(run.found()).toEqual([`interrupts-on ${lockA.toString(16)}`]);
		expect(new Run().writeWithInterrupts(0, data).found()).toEqual([]);
	});

	test("released by another hart", () => {
		const run = new Run().acquire(0, lockA).release(1, lockA);
		expect(run.found()).toEqual([`released-by-another ${lockA.toString(16)}`]);
	});
});

describe("sleep", () => {
	test("under a lock that it gives back once it holds the process's own", () => {
		const run = new Run().acquire(0, lockA).read(0, data).sleep(0, lockA).acquire(0, processLock).release(0, lockA);
		expect(run.found()).toEqual([]);
	});

	test("that gives the lock back first", () => {
		const run = new Run().acquire(0, lockA).read(0, data).sleep(0, lockA).release(0, lockA);
		expect(run.found()).toEqual([`sleep-window ${lockA.toString(16)}`]);
	});

	test("without a look at the condition under the lock", () => {
		const run = new Run().read(0, data).acquire(0, lockA).sleep(0, lockA);
		expect(run.found()).toEqual([`sleep-blind ${lockA.toString(16)}`]);
	});

	test("with another lock held", () => {
		const run = new Run().acquire(0, lockB).acquire(0, lockA).read(0, data).sleep(0, lockA);
		expect(run.found()).toEqual([`held-at-sleep ${lockB.toString(16)}`]);
	});
});
