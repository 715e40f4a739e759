import { readFileSync } from "node:fs";
import * as layout from "../../src/machine/core/layout.ts";
import { type CoreExports, hartBase, memoryPages } from "../../src/machine/coreAbi.ts";

const ramBytes = 128 << 20;
const ramStart = 0x80000000n;
const uart = { id: 0, base: 0x10000000n, size: 0x100n };
const finisher = { id: 1, base: 0x100000n, size: 0x1000n };
/** 16550 line status: transmitter empty. */
const lineStatus = 5;
const transmitterEmpty = 0x60;

let compiled: WebAssembly.Module | undefined;

/** The core alone, to be stepped and looked into: for decoder.test.ts and scripts/lockstep.ts. Its devices are a UART that is always ready to
 * send, and the test finisher. */
export class CoreHost {
	private readonly core: CoreExports;
	private readonly memory: WebAssembly.Memory;
	private readonly view: DataView;
	/** The guest has written to the finisher. */
	stopped = false;

	constructor(
		readonly entry: bigint,
		harts: number,
	) {
		compiled ??= new WebAssembly.Module(readFileSync("dist/machine/core.wasm"));
		const pages = memoryPages(ramBytes, 0);
		this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
		const nothing = () => {};
		const instance = new WebAssembly.Instance(compiled, {
			env: {
				memory: this.memory,
				abort: () => {
					throw new Error("the core aborted");
				},
				deviceRead: (device: number, offset: number) =>
					device === uart.id && offset === lineStatus ? transmitterEmpty : 0,
				deviceWrite: (device: number) => {
					if (device === finisher.id) {
						this.stopped = true;
						this.core.requestStop();
					}
				},
				deviceTick: nothing,
				onTrap: nothing,
				onTrapReturn: nothing,
				onRootChange: nothing,
				onBreakpoint: () => 1,
				onWatchpoint: () => 1,
				slotChanged: nothing,
				undoFull: nothing,
				translate: nothing,
				wake: nothing,
			},
		});
		this.core = instance.exports as unknown as CoreExports;
		this.core.initialize(harts, ramBytes, 0, 0n, 1);
		for (const device of [uart, finisher]) this.core.addDevice(device.base, device.size, device.id, 0xff);
		this.view = new DataView(this.memory.buffer);
		for (let hart = 0; hart < harts; hart++) {
			this.view.setBigUint64(hartBase(hart) + layout.H_PC, entry, true);
			this.view.setBigUint64(hartBase(hart) + layout.H_X + 80, BigInt(hart), true);
		}
	}

	/** A machine with the loadable segments of an ELF64 in RAM. */
	static load(elf: Uint8Array, harts = 1): CoreHost {
		const file = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
		const host = new CoreHost(file.getBigUint64(24, true), harts);
		const headers = Number(file.getBigUint64(32, true));
		for (let n = 0; n < file.getUint16(56, true); n++) {
			const header = headers + n * file.getUint16(54, true);
			if (file.getUint32(header, true) !== 1) continue;
			const start = Number(file.getBigUint64(header + 8, true));
			const size = Number(file.getBigUint64(header + 32, true));
			host.write(file.getBigUint64(header + 24, true), elf.subarray(start, start + size));
		}
		return host;
	}

	/** Puts code or data into RAM, at a physical address. */
	write(address: bigint, bytes: Uint8Array): void {
		const linear = layout.RAM_BASE + Number(address - ramStart);
		new Uint8Array(this.memory.buffer).set(bytes, linear);
		const first = linear >>> layout.PAGE_SHIFT;
		this.core.ramWritten(first, ((linear + bytes.length - 1) >>> layout.PAGE_SHIFT) - first + 1);
	}

	step(): void {
		this.core.run(1, 0);
	}

	/** Runs hart 0 to a pc; false when it does not come there. */
	runTo(pc: bigint): boolean {
		if (this.pc === pc) return true;
		this.core.addBreakpoint(pc);
		this.core.run(4_000_000_000, 0);
		this.core.removeBreakpoint(pc);
		return this.pc === pc;
	}

	/** A field of hart 0: an offset H_* of core/layout.ts. */
	field(offset: number): bigint {
		return this.view.getBigUint64(hartBase(0) + offset, true);
	}

	setField(offset: number, value: bigint): void {
		this.view.setBigUint64(hartBase(0) + offset, value, true);
	}

	get pc(): bigint {
		return this.view.getBigUint64(hartBase(0) + layout.H_PC, true);
	}

	register(n: number): bigint {
		return this.view.getBigUint64(hartBase(0) + layout.H_X + 8 * n, true);
	}

	setRegister(n: number, value: bigint): void {
		if (n !== 0) this.view.setBigUint64(hartBase(0) + layout.H_X + 8 * n, value, true);
	}

	/** Where hart 0 sees `address` in RAM. */
	private linear(address: bigint): number | undefined {
		const physical = BigInt.asUintN(64, this.core.peekTranslate(0, address));
		if (physical < ramStart || physical - ramStart >= BigInt(ramBytes)) return undefined;
		return layout.RAM_BASE + Number(physical - ramStart);
	}

	inRam(address: bigint): boolean {
		return this.linear(address) !== undefined;
	}

	/** The instruction word at a virtual address; its halves may lie in two pages. */
	wordAt(pc: bigint): number | undefined {
		const [low, high] = [this.linear(pc), this.linear(pc + 2n)];
		if (low === undefined) return undefined;
		const upper = high === undefined ? 0 : this.view.getUint16(high, true);
		return (this.view.getUint16(low, true) | (upper << 16)) >>> 0;
	}
}
