import { describe, expect, test } from "vitest";
import { ElfFile } from "../../../src/debuginfo/elf.ts";
import * as layout from "../../../src/machine/core/layout.ts";
import type { Position } from "../../../src/machine/history.ts";
import type { MachineParts } from "../../../src/machine/machine.ts";
import type { MachineOptions, StopReason, WatchedAccess } from "../../../src/machine/types.ts";
import { ConsoleText } from "../../../src/session/consoleText.ts";
import { assemble } from "../../support/assembler.ts";
import { boot, kernelOf, ramBase, smallRam } from "../../support/guest.ts";
import { Random } from "../../support/random.ts";
import { recorded } from "../kernelview/recorded.ts";

/** Three loops that call each other's places, one of them a byte loop that is done in bulk. */
const source = `
	li s2, 0x80020000
	li s3, 0x9e3779b97f4a7c15
loop:
	mul s5, s5, s3
	addi s5, s5, 11
	srli t0, s5, 50
	slli t0, t0, 3
	add t0, t0, s2
	ld t1, (t0)
	add t1, t1, s5
store:
	sd t1, (t0)
	andi t3, s5, 7
inner:
	addi t3, t3, -1
	addi s6, s6, 1
	bge t3, zero, inner
	li a0, 0x80030000
	addi a1, a0, 100
fill:
	sb s5, (a0)
body:
	addi a0, a0, 1
	bne a0, a1, fill
	andi t4, s5, 3
	bnez t4, loop
	addi s7, s7, 1
rare:
	xor s5, s5, s7
	j loop
`;
const { symbols } = assemble(source, ramBase);
const at = (label: string) => symbols.get(label) as bigint;
const kernel = kernelOf(source);
const labels = ["loop", "store", "inner", "fill", "body", "rare"];
const memoryBytes = 2 * smallRam;
const steps = 60_000;

type Way = readonly [Pick<MachineOptions, "jit">, Omit<MachineParts, "core">];
const ways: readonly Way[] = [
	[{ jit: "off" }, {}],
	[{ jit: "eager" }, {}],
	// Small batches: points come and go while regions wait to be compiled.
	[{ jit: "on" }, { translator: { hot: 3, batch: 3, patience: 3000 } }],
];

/** The hits of points that come and go at random moments, and the state at the end. */
async function hits(way: Way, seed: number): Promise<{ list: string[]; hash: string }> {
	const random = new Random(seed);
	const { machine } = await boot({ kernel, memoryBytes, ...way[0] }, way[1]);
	const list: string[] = [];
	const set = new Map<string, { dispose(): void }>();
	while (machine.instret < steps) {
		if (random.chance(3)) {
			const label = random.pick(labels);
			const there = set.get(label);
			there?.dispose();
			if (there) set.delete(label);
			else set.set(label, machine.addBreakpoint(at(label)));
		}
		const until = Math.min(steps, machine.instret + 1 + random.below(2500));
		while (machine.instret < until) {
			const stop = machine.run(until - machine.instret);
			if (stop.kind === "breakpoint") list.push(`${machine.instret} ${stop.pc.toString(16)}`);
		}
	}
	return { list, hash: machine.stateHash() };
}

test("breakpoints that come and go are hit at the same steps however code runs, and change nothing", async () => {
	const plain = await boot({ kernel, memoryBytes });
	plain.machine.run(steps);
	for (let seed = 1; seed <= 4; seed++) {
		const first = await hits(ways[0] as Way, seed);
		expect(first.list.length).toBeGreaterThan(100);
		expect(first.hash).toBe(plain.machine.stateHash());
		for (const way of ways.slice(1)) expect(await hits(way, seed)).toEqual(first);
	}
});

test("a byte loop is done in bulk again when the breakpoint in it is gone", async () => {
	const { machine } = await boot({ kernel, memoryBytes });
	const bulk = (n: number) => {
		const before = machine.statistic(layout.S_BULK_STEPS);
		machine.run(n);
		return machine.statistic(layout.S_BULK_STEPS) - before;
	};
	expect(bulk(20_000)).toBeGreaterThan(5000);
	const point = machine.addBreakpoint(at("body"), { when: () => false });
	expect(bulk(20_000)).toBe(0);
	point.dispose();
	expect(bulk(20_000)).toBeGreaterThan(5000);
});

test("two pages with the same code have their own breakpoints", async () => {
	const twice = kernelOf(`
		la t0, first
		la t1, second
	1:	jalr ra, 0(t0)
		jalr ra, 0(t1)
		j 1b
		.align 12
	first:
		addi s5, s5, 1
		addi s6, s6, 1
		jalr zero, 0(ra)
		.align 12
	second:
		addi s5, s5, 1
		addi s6, s6, 1
		jalr zero, 0(ra)
		.align 12
	`);
	const first = ramBase + 0x1000n;
	for (const jit of ["off", "eager"] as const) {
		const { machine } = await boot({ kernel: twice, memoryBytes, jit });
		machine.run(5000);
		machine.addBreakpoint(first);
		const other = machine.addBreakpoint(first + 0x1004n);
		const seen = Array.from({ length: 6 }, () => (machine.run(1000) as { pc: bigint }).pc);
		expect(new Set(seen)).toEqual(new Set([first, first + 0x1004n]));
		other.dispose();
		expect([machine.run(1000), machine.run(1000)].map((stop) => (stop as { pc: bigint }).pc)).toEqual([first, first]);
	}
});

test("filters decide: mode and condition, and what does not stop is no stop", async () => {
	const { machine } = await boot({ kernel, memoryBytes, jit: "eager" });
	machine.addBreakpoint(at("loop"), { mode: 0 });
	machine.addBreakpoint(at("loop"), { space: 0x80001000n });
	expect(machine.run(5000)).toEqual({ kind: "budget" });
	const start = machine.harts[0]?.register(23) as bigint;
	let asked = 0;
	machine.addBreakpoint(at("rare"), { mode: 3, when: (hart) => ++asked > 0 && hart.register(23) === start + 5n });
	expect(machine.run(50_000).kind).toBe("breakpoint");
	expect([machine.harts[0]?.register(23), machine.harts[0]?.pc]).toEqual([start + 5n, at("rare")]);
	expect(asked).toBe(5);
});

test("going on from a breakpoint that was gone to needs to pass it", async () => {
	const { machine } = await boot({ kernel, memoryBytes });
	const snapshot = machine.snapshot();
	machine.addBreakpoint(at("store"));
	machine.run(5000);
	const first = machine.instret;
	machine.run(5000);
	const second = machine.instret;
	machine.restore(snapshot);
	machine.run(5000);
	expect(machine.instret).toBe(first);
	machine.restore(snapshot);
	machine.run(first);
	expect(machine.run(5000)).toMatchObject({ kind: "breakpoint" });
	expect(machine.instret).toBe(first);
	machine.restore(snapshot);
	machine.run(first);
	machine.run(5000, { pass: [0] });
	expect(machine.instret).toBe(second);
});

describe("requestStop", () => {
	test("between runs stops the next one before its first instruction, once", async () => {
		const { machine } = await boot({ kernel, memoryBytes });
		machine.run(1000);
		const hash = machine.stateHash();
		machine.requestStop();
		expect(machine.run(1000)).toEqual({ kind: "requested" });
		expect([machine.instret, machine.stateHash()]).toEqual([1000, hash]);
		expect(machine.run(1000)).toEqual({ kind: "budget" });
	});
});

test("runHart makes exactly the steps of one hart, as they would have been", async () => {
	const shape = { kernel, memoryBytes, harts: 3, seed: 4 };
	const { machine } = await boot(shape);
	const random = new Random(6);
	for (let i = 0; i < 40; i++) {
		const hart = random.below(3);
		const wanted = 1 + random.below(3000);
		const before = Number(machine.harts[hart]?.steps);
		expect(machine.runHart(hart, wanted)).toEqual({ kind: "stepped" });
		expect(Number(machine.harts[hart]?.steps)).toBe(before + wanted);
	}
	const plain = await boot(shape);
	plain.machine.run(machine.instret);
	expect(plain.machine.stateHash()).toBe(machine.stateHash());
});

describe("writes", () => {
	test.each(["off", "eager"] as const)("code that is written runs at once, translator %s", async (jit) => {
		const { machine } = await boot({ kernel: "1: addi s5, s5, 1\naddi s6, s6, 1\nj 1b", memoryBytes, jit });
		machine.run(9000);
		const snapshot = machine.snapshot();
		// addi s5, s5, 100
		machine.memory.write(ramBase, Uint8Array.of(0x93, 0x8a, 0x4a, 0x06));
		const before = machine.harts[0]?.register(21) as bigint;
		machine.run(3000);
		expect(machine.harts[0]?.register(21)).toBe(before + 100_000n);
		const after = machine.snapshot();
		machine.restore(snapshot);
		expect(machine.memory.readU32(ramBase)).not.toBe(0x064a8a93);
		machine.restore(after);
		expect(machine.memory.readU32(ramBase)).toBe(0x064a8a93);
	});

	test("registers, pc and CSRs", async () => {
		const { machine } = await boot({ kernel: "1: j 1b\n2: addi s5, s5, 1\nj 2b", memoryBytes });
		machine.run(200_000);
		const [hart] = machine.harts;
		hart?.setRegister(21, 41n);
		hart?.setRegister(0, 9n);
		hart?.setPc(ramBase + 4n);
		expect(hart?.setCsr(0x340, 77n)).toBe(true);
		expect(hart?.setCsr(0xf14, 1n)).toBe(false);
		expect(hart?.setCsr(0x123, 1n)).toBe(false);
		machine.run(2);
		expect([hart?.register(21), hart?.register(0), hart?.csr(0x340)]).toEqual([42n, 0n, 77n]);
		expect(machine.changedByHand).toBe(true);
	});

	test("outside of RAM they are refused", async () => {
		const { machine } = await boot({ kernel, memoryBytes });
		const outside = () => machine.memory.write(ramBase + BigInt(memoryBytes) - 4n, new Uint8Array(8));
		expect(outside).toThrow(expect.objectContaining({ code: "machine-options" }));
	});
});

test("a physical watchpoint sees stores and loads by any way, a virtual one its own address", async () => {
	const { machine } = await boot({ kernel, memoryBytes, jit: "eager" });
	machine.run(3000);
	const kinds = (n: number): StopReason[] => Array.from({ length: n }, () => machine.run(100_000));
	const write = machine.addWatchpoint(0x80030005n, 1, "write", { physical: true });
	for (const stop of kinds(3)) {
		expect(stop).toMatchObject({ kind: "watchpoint", hart: 0, pc: at("fill"), address: 0x80030005n, access: "write" });
	}
	write.dispose();
	const read = machine.addWatchpoint(0x80020000n, 0x8000, "read", { physical: true });
	expect(kinds(1)).toMatchObject([{ kind: "watchpoint", access: "read", pc: at("store") - 8n }]);
	read.dispose();
	let seen = 0;
	const asked = machine.addWatchpoint(0x80030000n, 100, "any", {
		when: (access) => ++seen > 50 && access.access === "write",
	});
	expect(kinds(1)[0]?.kind).toBe("watchpoint");
	expect(seen).toBe(51);
	asked.dispose();
	expect(machine.run(10_000)).toEqual({ kind: "budget" });
});

test.each(["off", "eager"] as const)(
	"a physical watchpoint sees the walker set A and D, translator %s",
	async (jit) => {
		const source = `
	li t0, 0x80010010
	li t1, 0x2000000f
	sd t1, (t0)
	li t0, 0x8000000000080010
	csrw satp, t0
	li t0, 0x800
	csrs mstatus, t0
	la t0, paged
	csrw mepc, t0
	mret
paged:
	nop
	li t2, 0x80020000
	ld t3, (t2)
stores:
	sd t3, (t2)
	sd t3, 8(t2)
end:
	j end
	`;
		const { machine } = await boot({ kernel: kernelOf(source, ["paged", "stores"]), memoryBytes, jit, pmp: false });
		const labels = assemble(source, 0x80000000n).symbols;
		const entry = 0x80010010n;
		// The guest's own store of the entry is one, too.
		const watch = machine.addWatchpoint(entry, 8, "write", { physical: true });
		const bits = () => Number((machine.memory.readU64(entry) ?? 0n) & 0xc0n);
		const stops = Array.from({ length: 3 }, () => {
			const stop = machine.run(1000);
			return stop.kind === "watchpoint" ? { ...stop, bits: bits() } : stop;
		});
		const common = { kind: "watchpoint", hart: 0, address: entry, access: "write" };
		expect(stops).toMatchObject([
			{ ...common, bits: 0 },
			{ ...common, pc: labels.get("paged"), bits: 0x40 },
			{ ...common, pc: labels.get("stores"), bits: 0xc0 },
		]);
		// Set already: nobody writes.
		expect(machine.run(1000)).toEqual({ kind: "budget" });
		watch.dispose();
		// Backwards the same: who wrote the entry last was the walker, for the first store.
		const again = await boot({ kernel: kernelOf(source), memoryBytes, jit, pmp: false });
		const history = again.machine.keepHistory({ every: 10_000 });
		again.machine.run(1000);
		expect(history.lastWrite(entry, 8)).toMatchObject({ hart: 0, pc: labels.get("stores"), address: entry });
	},
);

test("a physical watchpoint sees the disk's DMA, forwards and backwards", async () => {
	const { machine } = await boot({
		kernel: recorded("kernel-3b"),
		disk: recorded("disk"),
		memoryBytes: 128 << 20,
		jit: "on",
	});
	const text = new ConsoleText();
	machine.console.onData((bytes) => text.add(bytes));
	while (!text.atPrompt) machine.run(1_000_000);
	const history = machine.keepHistory();
	const cache = new ElfFile(recorded("kernel-3b")).symbol("bcache");
	if (!cache) throw new Error("no bcache");
	const when = ({ hart }: WatchedAccess) => hart === undefined;
	const watch = machine.addWatchpoint(BigInt(cache.address), cache.size, "write", { physical: true, when });
	text.forget();
	machine.console.write(new TextEncoder().encode("prodcons1\n"));
	const hits: { position: Position; address: bigint }[] = [];
	while (!text.atPrompt) {
		const stop = machine.run(1_000_000);
		if (stop.kind !== "watchpoint") continue;
		// Nobody's instruction.
		expect([stop.hart, stop.access]).toEqual([undefined, "write"]);
		hits.push({ position: machine.position, address: stop.address });
	}
	watch.dispose();
	expect(hits.length).toBeGreaterThan(3);
	const last = hits.at(-1) as (typeof hits)[0];
	const write = history.lastWrite(BigInt(cache.address), cache.size, when);
	expect(write).toMatchObject({ hart: undefined, position: { steps: last.position.steps } });
	history.toPresent();
});

test("no trigger exists: tselect stays 0, and trigger 0 has no type", async () => {
	const { machine } = await boot({
		kernel: "li t0, 3\ncsrw 0x7a0, t0\ncsrr s5, 0x7a0\ncsrr s6, 0x7a1\nli s7, 1\n1: j 1b",
		memoryBytes,
	});
	machine.run(1000);
	expect([21, 22, 23].map((x) => machine.harts[0]?.register(x))).toEqual([0n, 0n, 1n]);
});
