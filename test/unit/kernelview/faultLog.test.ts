import { expect, test } from "vitest";
import { Emitter } from "../../../src/common/event.ts";
import { KernelView } from "../../../src/kernelview/kernelView.ts";
import { rootOf } from "../../../src/kernelview/sv39.ts";
import type { MachineSurface, Trap } from "../../../src/machine/types.ts";
import type { MarkEntry } from "../../../src/protocol/kernelModel.ts";
import { hw5Regions, programs, qemu, recorded, stillMachine } from "./recorded.ts";

const [SYS_fork, SYS_sbrk] = [1, 12];
const a0 = 10;
const a7 = 17;

/** The recorded moment, and system calls of the process that ran then as the machine would tell them. */
function calling() {
	const still = stillMachine(recorded("ram"), qemu.registers);
	const traps = new Emitter<Trap>();
	const returns = new Emitter<{ hart: number; pc: bigint; toMode: 0 | 1 | 3; instret: number }>();
	const registers = new Map<number, bigint>();
	let instret = 0;
	const [hart] = still.harts;
	if (!hart) throw new Error("The recorded machine has no hart");
	const machine: MachineSurface = {
		...still,
		harts: [
			{
				...hart,
				register: (index) => registers.get(index) ?? 0n,
				low: (index) => Number(BigInt.asIntN(32, registers.get(index) ?? 0n)),
			},
		],
		get instret() {
			return instret;
		},
		onTrap: traps.event,
		onTrapReturn: returns.event,
	};
	const view = new KernelView(machine, recorded("kernel-3b"), programs, { regions: hw5Regions });
	view.attach();
	const satp = hart.csr(0x180) ?? 0n;
	const call = (number: number, argument: bigint, result: bigint) => {
		registers.set(a7, BigInt(number)).set(a0, argument);
		const trap = { hart: 0, cause: 8, interrupt: false, tval: 0n, pc: 0n, fromMode: 0, toMode: 1, satp } as const;
		traps.fire({ ...trap, root: rootOf(satp), instret: instret++ });
		registers.set(a0, result);
		returns.fire({ hart: 0, pc: 0n, toMode: 0, instret: instret++ });
	};
	const marks = () => view.model().log.filter((entry): entry is MarkEntry => entry.type === "mark");
	return { view, call, marks };
}

test("the same sbrk again and again is one mark; another argument or call begins a new one", () => {
	const { view, call, marks } = calling();
	for (let i = 1n; i <= 3n; i++) call(SYS_sbrk, 4096n, i * 0x1000n);
	call(SYS_sbrk, -4096n, 0x3000n);
	call(SYS_fork, 0n, 7n);
	call(SYS_sbrk, -4096n, -1n);
	expect(marks().map(({ text, times, result }) => [text, times, result])).toEqual([
		["sbrk(4096)", 3, "0x3000"],
		["sbrk(-4096)", undefined, "0x3000"],
		["fork()", undefined, "7"],
		["sbrk(-4096)", undefined, "-1"],
	]);
	view.dispose();
});

test("the log keeps the newest 50,000 entries and says how many it dropped", () => {
	const { view, call } = calling();
	for (let i = 0; i < 60_000; i++) call(SYS_fork, 0n, BigInt(i));
	const { log, logDropped } = view.model();
	expect(log.length).toBeGreaterThanOrEqual(50_000);
	expect(log.length + logDropped).toBe(60_000);
	expect(log.at(-1)).toMatchObject({ result: "59999" });
	view.dispose();
});
