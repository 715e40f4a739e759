import { describe, expect, test } from "vitest";
import { comparePositions, type Position } from "../../../src/machine/history.ts";
import type { Machine } from "../../../src/machine/machine.ts";
import type { MachineOptions, StopReason } from "../../../src/machine/types.ts";
import { boot, kernelOf, smallRam } from "../../support/guest.ts";
import { Random } from "../../support/random.ts";

/** Walks through memory, copies bytes, echoes what is typed, calls a function, takes timer interrupts, sleeps now and then. */
const wanderer = (harts: number) => `
	csrr s9, mhartid
	li t0, ${harts}
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
	li s6, 0
loop:
	mul s5, s5, s3
	addi s5, s5, 11
	srli t0, s5, 46
	slli t0, t0, 3
	add t0, t0, s2
	ld t1, (t0)
	add t1, t1, s5
	sd t1, (t0)
	li a0, 0x80018000
	slli t0, s9, 8
	add a0, a0, t0
	andi a1, s5, 63
	addi a1, a1, 2
	add a1, a1, a0
	jal ra, clear
	addi s6, s6, 1
	andi t0, s6, 1023
	bnez t0, awake
	wfi
awake:
	lbu t2, 5(s4)
	andi t2, t2, 1
	beqz t2, loop
	lbu t2, (s4)
	add s5, s5, t2
	sb t2, (s4)
	j loop
clear:
	sb s5, (a0)
	addi a0, a0, 1
fill:
	sb s5, (a0)
	addi a0, a0, 1
	bne a0, a1, fill
	ret
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
`;
const labels = ["loop", "awake", "clear", "fill", "handler"] as const;
const memoryBytes = 4 * smallRam;

interface Subject {
	readonly machine: Machine;
	readonly text: () => string;
	readonly at: (label: string) => bigint;
	/** A moment of the first run, with its hash. */
	readonly marks: readonly { readonly position: Position; readonly hash: string }[];
	readonly end: string;
}

const run = 400_000;

async function lived(options: Omit<MachineOptions, "kernel">, seed: number, points = false): Promise<Subject> {
	const random = new Random(seed);
	const harts = options.harts ?? 1;
	const guest = await boot({ memoryBytes, ...options, kernel: kernelOf(wanderer(harts), labels) });
	const { machine } = guest;
	const at = symbolsOf(wanderer(harts));
	machine.keepHistory({ every: 20_000 + random.below(50_000) });
	const marks: { position: Position; hash: string }[] = [];
	const disposables = points ? [machine.addBreakpoint(at("clear")), machine.addBreakpoint(at("handler"))] : [];
	while (machine.instret < run) {
		const stop = machine.run(1 + random.below(6000), { stopWhenWaiting: random.chance(3) });
		if (random.chance(4)) guest.type(`${stop.kind.slice(0, 1 + random.below(5))}`);
		if (random.chance(6) && marks.length < 60) marks.push({ position: machine.position, hash: machine.stateHash() });
	}
	for (const one of disposables) one.dispose();
	marks.push({ position: machine.position, hash: machine.stateHash() });
	return { machine, text: guest.text, at, marks, end: machine.stateHash() };
}

function symbolsOf(source: string): (label: string) => bigint {
	const elf = kernelOf(source, labels);
	const view = new DataView(elf.buffer, elf.byteOffset);
	const sections = Number(view.getBigUint64(40, true));
	const symbols = Number(view.getBigUint64(sections + 64 + 24, true));
	const strings = Number(view.getBigUint64(sections + 128 + 24, true));
	return (label) => {
		for (let i = 1; i <= labels.length; i++) {
			let end = strings + view.getUint32(symbols + 24 * i, true);
			const start = end;
			while (elf[end] !== 0) end++;
			if (new TextDecoder().decode(elf.subarray(start, end)) === label) {
				return view.getBigUint64(symbols + 24 * i + 8, true);
			}
		}
		throw new Error(`no label ${label}`);
	};
}

const shapes = [1, 3, 8].flatMap((harts) =>
	[0, 5].flatMap((seed) => (["off", "eager"] as const).map((jit) => ({ harts, seed, jit }))),
);

/** By harts and seed: what one way of running code found has to be what the other finds. */
const known = new Map<string, { readonly hits: readonly string[]; readonly end: string }>();

describe.each(shapes)("$harts harts, seed $seed, translator $jit", (shape) => {
	test("going to any moment finds the state that was there, and the way on leads to the same", async () => {
		const { machine, marks, end, text } = await lived(shape, shape.harts + shape.seed, true);
		const history = machine.keepHistory();
		const said = text();
		const random = new Random(17);
		for (let i = 0; i < 25; i++) {
			const [p, q] = [random.pick(marks), random.pick(marks)].sort((a, b) =>
				comparePositions(a.position, b.position),
			) as [(typeof marks)[0], (typeof marks)[0]];
			history.seek(p.position);
			expect(machine.position).toEqual(p.position);
			expect(machine.stateHash()).toBe(p.hash);
			history.seek(q.position);
			expect(machine.stateHash()).toBe(q.hash);
		}
		history.seek((marks[3] as (typeof marks)[0]).position);
		let stop: StopReason;
		do stop = machine.run(1 + random.below(30_000));
		while (stop.kind !== "present");
		expect([machine.stateHash(), history.isPast]).toEqual([end, false]);
		expect(text()).toBe(said);
	});

	test("breakpoints are hit in the same places forwards, interpreted, step by step, and backwards", async () => {
		const random = new Random(shape.harts * 3 + shape.seed);
		const { machine, at, end } = await lived(shape, 40 + shape.harts);
		const history = machine.keepHistory();
		const chosen = labels.filter(() => random.chance(2));
		const picked = chosen.length > 0 ? chosen : ["handler"];
		const wanted = new Set(picked.map(at));
		const [from, to] = [run / 2, run / 2 + 2500];
		const key = (stop: StopReason) => (stop.kind === "breakpoint" ? `${stop.hart} ${stop.pc} ${machine.instret}` : "");
		history.seek(to);
		const last = machine.position;
		history.seek(from);
		const points = picked.map((label) => machine.addBreakpoint(at(label)));
		const forwards: string[] = [];
		while (machine.instret < to) {
			const stop = machine.run(to - machine.instret);
			if (stop.kind === "breakpoint") forwards.push(key(stop));
		}
		for (const one of points) one.dispose();
		// Interpreted and translated the same.
		const name = `${shape.harts} ${shape.seed}`;
		const other = known.get(name) ?? { hits: forwards, end };
		expect({ hits: forwards, end }).toEqual(other);
		known.set(name, other);
		// Step by step: who is about to execute at a wanted pc, told by the pcs and counts of all harts.
		const stepped: string[] = [];
		history.seek(from);
		let before = machine.harts.map(({ steps, pc }) => ({ steps, pc }));
		const trace: { hart: number; steps: bigint; pc: bigint }[] = [];
		while (machine.instret < to) {
			const at0 = machine.instret;
			history.seek({ steps: at0, moment: "ready", changes: 0 });
			before = machine.harts.map(({ steps, pc }) => ({ steps, pc }));
			machine.run(1);
			machine.harts.forEach(({ steps }, hart) => {
				if (steps === before[hart]?.steps) return;
				const pc = before[hart]?.pc as bigint;
				trace.push({ hart, steps, pc });
				if (wanted.has(pc)) stepped.push(`${hart} ${pc} ${at0}`);
			});
			if (trace.length > 3000) break;
		}
		const upTo = machine.instret;
		const early = forwards.filter((one) => Number(one.split(" ")[2]) < upTo);
		expect(stepped).toEqual(early);
		expect(forwards.length).toBeGreaterThan(0);
		// Backwards.
		history.seek(last);
		const again = picked.map((label) => machine.addBreakpoint(at(label)));
		const backwards: string[] = [];
		for (;;) {
			const found = history.backTo();
			if (!found || machine.instret < from) break;
			expect(machine.position).toEqual(found.position);
			backwards.push(key(found.stop));
		}
		for (const one of again) one.dispose();
		expect(backwards.reverse()).toEqual(forwards);
		history.toPresent();
		expect(machine.stateHash()).toBe(end);
	});
});
