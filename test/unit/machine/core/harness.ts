import { readFileSync } from "node:fs";
import * as layout from "../../../../src/machine/core/layout.ts";
import { type CoreExports, hartBase, memoryPages } from "../../../../src/machine/coreAbi.ts";
import { csrNumber } from "../../../../src/riscv/csr.ts";
import { integerRegister } from "../../../../src/riscv/registers.ts";
import { type Assembled, assemble } from "../../../support/assembler.ts";

export const ramStart = 0x80000000n;
const ramBytes = 4 << 20;
const compiled = new WebAssembly.Module(readFileSync("dist/machine/core.wasm"));

export interface Options {
	readonly harts?: number;
	readonly seed?: bigint;
	/** PMP entry 0 opens everything unless told otherwise. */
	readonly openPmp?: boolean;
	readonly onTick?: (core: TestCore) => void;
	readonly onTrap?: (core: TestCore, hart: number) => void;
	/** Before the device answers. */
	readonly onAccess?: (core: TestCore) => void;
}

/** The core alone with 4 MiB of RAM, an assembled program at its start, and one device that records its accesses. */
export class TestCore {
	readonly exports: CoreExports;
	readonly memory: WebAssembly.Memory;
	readonly view: DataView;
	readonly program: Assembled;
	/** "r4@8" or "w4@8=1" for each access to the device at 0x10000000. */
	readonly accesses: string[] = [];
	/** What the device answers. */
	deviceValue = 0;

	constructor(source: string, options: Options = {}) {
		const pages = memoryPages(ramBytes, 0);
		this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
		this.view = new DataView(this.memory.buffer);
		const instance = new WebAssembly.Instance(compiled, {
			env: {
				memory: this.memory,
				abort: () => {
					throw new Error("the core aborted");
				},
				deviceRead: (_device: number, offset: number, size: number) => {
					options.onAccess?.(this);
					this.accesses.push(`r${size}@${offset}`);
					return this.deviceValue;
				},
				deviceWrite: (_device: number, offset: number, size: number, value: number) => {
					options.onAccess?.(this);
					this.accesses.push(`w${size}@${offset}=${value >>> 0}`);
				},
				deviceTick: () => options.onTick?.(this),
				onTrap: (hart: number) => options.onTrap?.(this, hart),
				onTrapReturn: () => {},
				onRootChange: () => {},
				onBreakpoint: () => 1,
				onWatchpoint: () => 1,
				slotChanged: () => {},
				undoFull: () => {},
				translate: () => {},
				wake: () => {},
			},
		});
		this.exports = instance.exports as unknown as CoreExports;
		const harts = options.harts ?? 1;
		this.exports.initialize(harts, ramBytes, 0, options.seed ?? 0n, 1);
		this.exports.addDevice(0x10000000n, 0x100n, 0, layout.ACCESS_1 | layout.ACCESS_4 | layout.ACCESS_SPLIT_8);
		this.program = assemble(source, ramStart);
		new Uint8Array(this.memory.buffer).set(this.program.bytes, layout.RAM_BASE);
		for (let hart = 0; hart < harts; hart++) {
			this.view.setBigUint64(hartBase(hart) + layout.H_PC, ramStart, true);
			this.setRegister("a0", BigInt(hart), hart);
			if (options.openPmp !== false) {
				this.view.setUint8(hartBase(hart) + layout.H_PMPCFG, 0x1f);
				this.view.setBigUint64(hartBase(hart) + layout.H_PMPADDR, (1n << 54n) - 1n, true);
			}
		}
	}

	run(steps: number, flags = 0): number {
		return this.exports.run(steps, flags);
	}

	/** Runs until hart 0 is at the label, one step at a time. */
	runTo(label: string, limit = 100_000): void {
		for (let i = 0; i < limit; i++) {
			if (this.pc() === this.symbol(label)) return;
			this.run(1);
		}
		throw new Error(`${label} not reached, pc 0x${this.pc().toString(16)}`);
	}

	symbol(name: string): bigint {
		const address = this.program.symbols.get(name);
		if (address === undefined) throw new Error(`no symbol ${name}`);
		return address;
	}

	pc(hart = 0): bigint {
		return this.view.getBigUint64(hartBase(hart) + layout.H_PC, true);
	}

	register(name: string, hart = 0): bigint {
		return this.view.getBigUint64(hartBase(hart) + layout.H_X + 8 * (integerRegister(name) ?? 0), true);
	}

	setRegister(name: string, value: bigint, hart = 0): void {
		this.view.setBigUint64(hartBase(hart) + layout.H_X + 8 * (integerRegister(name) ?? 0), value, true);
	}

	csr(name: string, hart = 0): bigint {
		return BigInt.asUintN(64, this.exports.peekCsr(hart, csrNumber(name) ?? -1));
	}

	/** 64-bit word of guest RAM. */
	word(address: bigint): bigint {
		return this.view.getBigUint64(layout.RAM_BASE + Number(address - ramStart), true);
	}

	setWord(address: bigint, value: bigint): void {
		this.view.setBigUint64(layout.RAM_BASE + Number(address - ramStart), value, true);
	}

	get steps(): number {
		return Number(this.view.getBigUint64(layout.M_STEPS, true));
	}

	get time(): bigint {
		return this.view.getBigUint64(layout.M_TIME, true);
	}

	statistic(address: number): number {
		return Number(this.view.getBigUint64(address, true));
	}

	/** All architectural state and RAM, for comparisons. */
	state(): Buffer {
		const all = new Uint8Array(this.memory.buffer);
		return Buffer.concat([
			all.subarray(layout.STATE_BASE, layout.STATE_BASE + layout.STATE_SIZE),
			all.subarray(layout.RAM_BASE, layout.RAM_BASE + ramBytes),
		]);
	}
}
