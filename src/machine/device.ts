import { DEVICE_STATE_BASE, DEVICE_STATE_SIZE } from "./core/layout.ts";

/** What a device may do to the rest of the machine. */
export interface DeviceHost {
	/** Level of a PLIC source. */
	setIrqLevel(irq: number, level: boolean): void;
	/** Asks for a call of `sliceEnd` at the end of the present slice: the only place where devices change by themselves. */
	requestSliceEnd(): void;
	/** Guest RAM [physical, physical + length), or undefined when any of it is not RAM. */
	ram(physical: bigint, length: number): Uint8Array | undefined;
	/** Guest RAM was written by a device. */
	ramWritten(physical: bigint, length: number): void;
}

/** A memory-mapped device. Its registers live in `state`, in the machine's memory, so that a snapshot holds them. */
export interface Device {
	readonly name: string;
	/** An aligned access of 1, 2 or 4 bytes inside the device's range. Unknown registers read as 0. */
	read(offset: number, size: number): number;
	write(offset: number, size: number, value: number): void;
	/** Called at slice ends when asked for. */
	sliceEnd?(): void;
	/** After a restore: what is derived from the state (interrupt levels live in the PLIC's state) must fit again. */
	restored?(): void;
}

/** Hands out parts of the devices' state area, in a fixed order: the order is part of the snapshot format. */
export class StateAllocator {
	private next = DEVICE_STATE_BASE;

	constructor(private readonly memory: WebAssembly.Memory) {}

	take(bytes: number): DataView {
		const start = this.next;
		this.next += Math.ceil(bytes / 64) * 64;
		if (this.next > DEVICE_STATE_BASE + DEVICE_STATE_SIZE) throw new RangeError("the devices' state area is full");
		return new DataView(this.memory.buffer, start, bytes);
	}
}
