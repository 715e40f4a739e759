import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Emitter } from "../../../src/common/event.ts";
import type { RegionDescription } from "../../../src/kernelview/regionDescription.ts";
import type { MachineSurface, RootChange, StallReport, Trap } from "../../../src/machine/types.ts";

const folder = join(import.meta.dirname, "../../golden/kernelview");

/** A file that test/golden/kernelview/record.mjs made. */
export function recorded(name: string): Uint8Array {
	return new Uint8Array(gunzipSync(readFileSync(join(folder, `${name}.gz`))));
}

export const programNames = ["private", "privleak", "prodcons1", "prodcons2", "prodcons3", "hold"] as const;
export const programs = new Map<string, Uint8Array>(programNames.map((name) => [name, recorded(name)]));

export interface QemuRecord {
	readonly registers: string;
	readonly mappings: string;
	readonly samples: readonly (readonly [string, string])[];
}
export const qemu = JSON.parse(readFileSync(join(folder, "qemu.json"), "utf8")) as QemuRecord;

export const hw5Regions: readonly RegionDescription[] = [
	{
		name: "mapped region",
		path: "proc.mmr[]",
		fields: {
			start: "addr",
			length: "length",
			prot: "prot",
			flags: "flags",
			valid: "valid",
			family: "mmr_family.listid",
		},
	},
];

export const ramBase = 0x80000000;

/** A machine that stands still: memory, and one hart with the registers that QEMU named. */
export function stillMachine(ram: Uint8Array, registers: string): MachineSurface {
	const value = (name: string) => BigInt(`0x${new RegExp(`\\b${name}\\s+([0-9a-f]{16})`).exec(registers)?.[1] ?? "0"}`);
	const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
	const at = (address: bigint, size: number) => {
		const offset = Number(address) - ramBase;
		return offset >= 0 && offset + size <= ram.length ? offset : undefined;
	};
	const hart = {
		id: 0,
		pc: value("pc"),
		mode: 0 as const,
		waiting: false,
		spins: false,
		instret: 0n,
		register: (index: number) => (index === 0 ? 0n : value(`x${index}/\\w+`)),
		low: (index: number) => (index === 0 ? 0 : Number(BigInt.asIntN(32, value(`x${index}/\\w+`)))),
		floatRegister: () => 0n,
		csr: (number: number) => (number === 0x180 ? value("satp") : 0n),
		steps: 0n,
		setPc: () => {},
		setRegister: () => {},
		setFloatRegister: () => {},
		setCsr: () => false,
	};
	return {
		run: () => ({ kind: "budget" }),
		runHart: () => ({ kind: "budget" }),
		requestStop: () => {},
		translate: () => undefined,
		spaceOf: () => undefined,
		console: { write: () => {}, pending: 0, onData: new Emitter<Uint8Array>().event },
		memory: {
			base: BigInt(ramBase),
			size: ram.length,
			bytes: () => ram,
			write: (address, bytes) => ram.set(bytes, at(address, bytes.length)),
			readU64: (address) => {
				const offset = at(address, 8);
				return offset === undefined ? undefined : view.getBigUint64(offset, true);
			},
			readU32: (address) => {
				const offset = at(address, 4);
				return offset === undefined ? undefined : view.getUint32(offset, true);
			},
		},
		harts: [hart],
		plic: { claimed: () => false, pending: () => false, priority: () => 1, enabled: () => true, threshold: () => 0 },
		instret: 0,
		now: 0,
		stamp: 0,
		onTrap: new Emitter<Trap>().event,
		onEveryTrap: new Emitter<Trap>().event,
		onEveryTrapReturn: new Emitter<{ hart: number; pc: bigint; toMode: 0 | 1 | 3; instret: number }>().event,
		onTrapReturn: new Emitter<{ hart: number; pc: bigint; toMode: 0 | 1 | 3; instret: number }>().event,
		onRootChange: new Emitter<RootChange>().event,
		onStall: new Emitter<StallReport>().event,
		onGuestError: new Emitter<string>().event,
		addBreakpoint: () => ({ dispose: () => {} }),
		addWatchpoint: () => ({ dispose: () => {} }),
		stateHash: () => "",
		dispose: () => {},
	};
}

/** The recorded moment, whose process that ran then traps and returns as a test wants it. */
export function drivenMachine(ram = recorded("ram")) {
	const still = stillMachine(ram, qemu.registers);
	const traps = new Emitter<Trap>();
	const returns = new Emitter<{ hart: number; pc: bigint; toMode: 0 | 1 | 3; instret: number }>();
	const registers = new Map<number, bigint>();
	let instret = 0;
	const [hart] = still.harts;
	if (!hart) throw new Error("The recorded machine has no hart");
	const satp = hart.csr(0x180) ?? 0n;
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
		get now() {
			return instret;
		},
		onTrap: traps.event,
		onTrapReturn: returns.event,
	};
	const own = Number((satp & ((1n << 44n) - 1n)) << 12n);
	/** `root`: another process than the one that runs. */
	const trap = (cause: number, tval = 0n, fromMode: 0 | 1 = 0, root = own) => {
		const fixed = { hart: 0, interrupt: false, pc: 0x40n, toMode: 1, satp, root } as const;
		traps.fire({ ...fixed, cause, tval, fromMode, instret: instret++ });
	};
	const back = (a0 = registers.get(10) ?? 0n) => {
		registers.set(10, a0);
		returns.fire({ hart: 0, pc: 0n, toMode: 0, instret: instret++ });
	};
	/** A system call: number in a7, arguments from a0 on. */
	const enterFrom = (root: number, number: number, ...args: readonly bigint[]) => {
		registers.set(17, BigInt(number));
		for (const [i, value] of args.entries()) registers.set(10 + i, value);
		trap(8, 0n, 0, root);
	};
	const enter = (number: number, ...args: readonly bigint[]) => enterFrom(own, number, ...args);
	return { machine, memory: new DataView(ram.buffer, ram.byteOffset, ram.byteLength), trap, back, enter, enterFrom };
}
