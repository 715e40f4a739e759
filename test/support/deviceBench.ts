import type { DeviceHost } from "../../src/machine/device.ts";

const ramBase = 0x80000000n;

/** The machine as a device sees it, with the slice ends in the test's hand. */
export class DeviceBench implements DeviceHost {
	readonly bytes: Uint8Array;
	readonly view: DataView;
	readonly levels = new Map<number, boolean>();
	readonly errors: string[] = [];
	/** Ranges [offset, length] that a device said to have written. */
	readonly changes: [number, number][] = [];
	sliceEnds = 0;
	readonly memory: DeviceHost["memory"];

	/** RAM first, then whatever else lies in the linear memory (a disk). */
	constructor(
		readonly ramBytes = 0x10000,
		otherBytes = 0,
	) {
		this.bytes = new Uint8Array(ramBytes + otherBytes);
		this.view = new DataView(this.bytes.buffer);
		this.memory = {
			bytes: this.bytes,
			view: this.view,
			locate: (physical, length) => {
				const offset = physical - ramBase;
				return offset >= 0n && offset + BigInt(length) <= BigInt(ramBytes) ? Number(offset) : undefined;
			},
			writing: () => {},
			wasRead: () => {},
			written: (offset, length) => {
				this.changes.push([offset, length]);
			},
		};
	}

	setIrqLevel(irq: number, level: boolean): void {
		this.levels.set(irq, level);
	}

	requestSliceEnd(): void {
		this.sliceEnds++;
	}

	guestError(text: string): void {
		this.errors.push(text);
	}
}
