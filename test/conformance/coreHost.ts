import { readFileSync } from "node:fs";
import * as layout from "../../src/machine/core/layout.ts";
import { type CoreExports, diskBase, hartBase, memoryPages } from "../../src/machine/coreAbi.ts";

const ramBytes = 128 << 20;
const uart = { id: 0, base: 0x10000000n, size: 0x100n };
const finisher = { id: 1, base: 0x100000n, size: 0x1000n };
/** 16550 line status: transmitter empty. */
const lineStatus = 5;
const transmitterEmpty = 0x60;

let compiled: WebAssembly.Module | undefined;

/**
 * Runs a suite's image on the core alone, with just the devices that the harness uses: a UART that sends, and the test
 * finisher. Stops after `budget` steps at the latest.
 */
export function runInCore(image: Uint8Array, harts: number, budget = 400_000_000): Uint8Array {
	compiled ??= new WebAssembly.Module(readFileSync("dist/machine/core.wasm"));
	const memory = new WebAssembly.Memory({ initial: memoryPages(ramBytes, 0), maximum: memoryPages(ramBytes, 0) });
	const sent: number[] = [];
	let core: CoreExports | undefined;
	const instance = new WebAssembly.Instance(compiled, {
		env: {
			memory,
			abort: () => {
				throw new Error("the core aborted");
			},
			deviceRead: (device: number, offset: number) =>
				device === uart.id && offset === lineStatus ? transmitterEmpty : 0,
			deviceWrite: (device: number, offset: number, _size: number, value: number) => {
				if (device === uart.id && offset === 0) sent.push(value & 0xff);
				if (device === finisher.id) core?.requestStop();
			},
			deviceTick: () => {},
			onTrap: () => {},
			onTrapReturn: () => {},
			onRootChange: () => {},
		},
	});
	core = instance.exports as unknown as CoreExports;
	core.initialize(harts, ramBytes, 0, 0n, 1);
	for (const device of [uart, finisher]) core.addDevice(device.base, device.size, device.id, 0xff);
	// One segment at the start of RAM, its bytes from file offset 4096: see harness.ts.
	const bytes = image.subarray(4096);
	new Uint8Array(memory.buffer).set(bytes, layout.RAM_BASE);
	core.ramWritten(layout.RAM_BASE >>> layout.PAGE_SHIFT, Math.ceil(bytes.length / layout.PAGE_SIZE));
	const view = new DataView(memory.buffer);
	for (let hart = 0; hart < harts; hart++) {
		view.setBigUint64(hartBase(hart) + layout.H_PC, 0x80000000n, true);
		view.setBigUint64(hartBase(hart) + layout.H_X + 80, BigInt(hart), true);
	}
	if (diskBase(ramBytes) > memory.buffer.byteLength) throw new Error("memory is too small");
	core.run(budget, 0);
	return Uint8Array.from(sent);
}
