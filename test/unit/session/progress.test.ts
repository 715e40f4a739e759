import { expect, test } from "vitest";
import * as layout from "../../../src/machine/core/layout.ts";
import type { Hart, PhysicalMemory } from "../../../src/machine/types.ts";
import { ProgressWatch, type Waiting, type WatchedKernel } from "../../../src/session/progress.ts";
import { waitingOf } from "../../../src/session/waiting.ts";

/** Of code that nobody can read. */
const noMemory = { size: 0, readU32: () => undefined, readU64: () => undefined } as unknown as PhysicalMemory;

const kernel = (waiting: () => Waiting | undefined): WatchedKernel => ({ waiting, panicked: () => undefined });

/** Counters of a machine, as a test wants them. */
class Counters {
	ticks = 0;
	/** mtime between two ticks. */
	interval = 1_000_000;
	calls = 0;
	devices = 0;
	mode: 0 | 1 = 1;

	happens({ calls = 0, devices = 0, mode = 1 }: { calls?: number; devices?: number; mode?: 0 | 1 }): void {
		this.calls += calls;
		this.devices += devices;
		this.mode = mode;
	}

	/** mie: supervisor's timer interrupt is on. */
	mie = 0x20n;

	get harts(): readonly Hart[] {
		return [{ id: 0, pc: 0x80000000n, mode: this.mode, csr: () => this.mie, register: () => 0n } as unknown as Hart];
	}

	memory = noMemory;

	statistic(address: number): number {
		if (address === layout.S_INTERRUPTS + 8 * 5) return this.ticks;
		if (address === layout.M_TIME) return this.ticks * this.interval;
		if (address === layout.S_INTERRUPTS + 8 * 9) return this.devices;
		return address === layout.S_EXCEPTIONS + 8 * 8 ? this.calls : 0;
	}
}

function ticksUntilStall(waiting: Waiting | undefined, most = 200_000): number | undefined {
	const machine = new Counters();
	const watch = new ProgressWatch(
		machine,
		kernel(() => waiting),
	);
	for (; machine.ticks < most; machine.ticks++) if (watch.look(0)) return machine.ticks;
	return undefined;
}

test("nothing but ticks is a stall: soon where all sleep, late where the kernel works or may wait for time", () => {
	expect(ticksUntilStall({ kind: "events", who: "" })).toBe(20);
	expect(ticksUntilStall({ kind: "input", who: "", reader: 2 })).toBe(20);
	expect(ticksUntilStall({ kind: "kernel" })).toBe(300);
	expect(ticksUntilStall(undefined)).toBe(3000);
	expect(ticksUntilStall({ kind: "time", ticks: undefined, naps: [undefined] })).toBe(100_000);
});

/** Tenths of a second until a stall; `clock`: the kernel's ticks after so many tenths. */
function tenthsUntilStall(
	clock: (tenth: number) => number,
	naps: readonly ({ wanted: number; since: number } | undefined)[],
	{ interrupts = 1, mie = 0x20n } = {},
): number | undefined {
	const machine = new Counters();
	machine.interval = 0;
	machine.mie = mie;
	let tenth = 0;
	const counted = {
		get harts() {
			return machine.harts;
		},
		memory: noMemory,
		statistic: (address: number) => (address === layout.M_TIME ? tenth * 1_000_000 : machine.statistic(address)),
	};
	const watch = new ProgressWatch(
		counted,
		kernel(() => ({ kind: "time", ticks: clock(tenth), naps })),
	);
	for (; tenth < 200_000; tenth++) {
		machine.ticks = tenth * interrupts;
		if (watch.look(0)) return tenth;
	}
	return undefined;
}

test("a clock that stands is a stall soon; one that counts, when its sleepers are long overdue", () => {
	const nap = (wanted: number) => ({ wanted, since: 5 });
	const counts = (tenth: number) => 5 + tenth;
	// It interrupts, and `ticks` stands.
	expect(tenthsUntilStall(() => 5, [nap(10)])).toBe(40);
	// No hart takes timer interrupts.
	expect(tenthsUntilStall(() => 5, [nap(10)], { interrupts: 0, mie: 0x200n })).toBe(40);
	// A hart would take one, and none comes.
	expect(tenthsUntilStall(() => 5, [nap(10)], { interrupts: 0 })).toBe(120);
	expect(tenthsUntilStall(counts, [nap(10)])).toBe(2000);
	expect(tenthsUntilStall(counts, [nap(1000)])).toBe(50_000);
	// Who sleeps for hours may.
	expect(tenthsUntilStall(counts, [nap(10), nap(90_000)])).toBe(90_020);
	expect(tenthsUntilStall(counts, [nap(10), undefined])).toBe(100_000);
	// A clock of one tick in five seconds.
	expect(tenthsUntilStall((tenth) => 5 + Math.floor(tenth / 50), [nap(1000)], { interrupts: 1 / 50 })).toBe(100_000);
});

test("a kernel that hangs with interrupts off takes no timer interrupt; one that boots may be like that for long", () => {
	const told = (calls: number): number | undefined => {
		const counters = new Counters();
		counters.calls = calls;
		let tenth = 0;
		const harts = counters.harts;
		const statistic = (address: number) =>
			address === layout.M_TIME ? tenth * 1_000_000 : counters.statistic(address);
		const watch = new ProgressWatch(
			{ harts, memory: noMemory, statistic },
			kernel(() => ({ kind: "kernel" })),
		);
		for (; tenth < 5000; tenth++) if (watch.look(0)) return tenth;
		return undefined;
	};
	expect(told(0)).toBeUndefined();
	expect(told(1)).toBe(300);
});

test("a timer that is set a hundred times faster ends nothing sooner", () => {
	const machine = new Counters();
	machine.interval = 10_000;
	const watch = new ProgressWatch(
		machine,
		kernel(() => undefined),
	);
	let told: number | undefined;
	for (; told === undefined && machine.ticks < 400_000; machine.ticks += 100) if (watch.look(0)) told = machine.ticks;
	expect(told).toBe(300_000);
});

test.each([
	["a system call", { calls: 1 }],
	["a device's interrupt", { devices: 1 }],
	["user code", { mode: 0 }],
] as const)("%s is progress", (_, change) => {
	const machine = new Counters();
	const watch = new ProgressWatch(
		machine,
		kernel(() => ({ kind: "events", who: "" })),
	);
	for (let tick = 0; tick < 100; tick++) {
		machine.ticks++;
		if (tick % 10 === 0) machine.happens(change);
		expect(watch.look(0)).toBeUndefined();
	}
});

test("what is printed is progress, and a stall is told once until the next command", () => {
	const machine = new Counters();
	const watch = new ProgressWatch(
		machine,
		kernel(() => ({ kind: "events", who: "" })),
	);
	for (machine.ticks = 0; machine.ticks < 100; machine.ticks++) expect(watch.look(machine.ticks)).toBeUndefined();
	let told = 0;
	for (; machine.ticks < 200; machine.ticks++) if (watch.look(0)) told++;
	expect(told).toBe(1);
	watch.reset();
	for (; machine.ticks < 300; machine.ticks++) if (watch.look(0)) told++;
	expect(told).toBe(2);
});

test("what processes wait for is read off their channels", () => {
	const process = (name: string, state: string, sleepsOn?: string) =>
		({ pid: 3, name, state, ...(sleepsOn === undefined ? {} : { sleepsOn }) }) as never;
	const kind = (...processes: never[]): string | undefined => waitingOf({ processes })?.kind;
	expect(kind(process("init", "SLEEPING", "proc[0]"), process("sleep", "SLEEPING", "ticks"))).toBe("time");
	expect(kind(process("init", "SLEEPING", "proc[0]"), process("cat", "SLEEPING", "cons.r"))).toBe("input");
	expect(kind(process("init", "SLEEPING", "proc[0]"), process("x", "RUNNABLE"))).toBe("kernel");
	expect(kind(process("init", "SLEEPING", "proc[0]"), process("x", "SLEEPING", "disk"))).toBe("events");
	expect(kind(process("x", "SLEEPING"))).toBeUndefined();
	const lost = { pid: 4, name: "y", state: "RUNNING", hart: 1 } as never;
	const processes = [process("cat", "SLEEPING", "cons.r"), lost];
	expect(waitingOf({ processes })?.kind).toBe("kernel");
	expect(waitingOf({ processes }, [1])).toMatchObject({ kind: "input", reader: 3 });
	expect(waitingOf({ processes: [lost] }, [1])?.kind).toBe("events");
	expect(kind()).toBeUndefined();
});
