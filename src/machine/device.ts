import { ACCESS_1, ACCESS_2, ACCESS_4, ACCESS_SPLIT_8, DEVICE_STATE_BASE, DEVICE_STATE_SIZE } from "./core/layout.ts";

/** Guest RAM and disk as a device with DMA sees them: one array of bytes, the machine's linear memory. */
export interface GuestMemory {
	readonly bytes: Uint8Array;
	readonly view: DataView;
	/** Offset in `bytes` of guest RAM [physical, physical + length), undefined when any of it is not RAM. */
	locate(physical: bigint, length: number): number | undefined;
	/** Must come before each change of [offset, offset + length) of `bytes`, and the other one after it. */
	writing(offset: number, length: number): void;
	written(offset: number, length: number): void;
	/** The device read these bytes: for watchpoints. */
	wasRead(offset: number, length: number): void;
}

/** What a device may do to the rest of the machine. */
export interface DeviceHost {
	readonly memory: GuestMemory;
	/** Level of a PLIC source. */
	setIrqLevel(irq: number, level: boolean): void;
	/** Asks for a call of `sliceEnd` at the end of the present slice: the only place where devices change by themselves. */
	requestSliceEnd(): void;
	/** The guest's driver broke a rule of the device's specification: for the reader, the guest sees nothing of it. */
	guestError(text: string): void;
}

/** What most devices take: bytes, halves, words, and doublewords as two words. */
export const usualAccess = ACCESS_1 | ACCESS_2 | ACCESS_4 | ACCESS_SPLIT_8;

/** A memory-mapped device. Its registers live in `state`, in the machine's memory, so that a snapshot holds them. */
export interface Device {
	readonly name: string;
	/** ACCESS_* bits of the sizes that it takes; any other is an access fault. */
	readonly access: number;
	/** An aligned access of such a size inside the device's range. Unknown registers read as 0. */
	read(offset: number, size: number): number;
	write(offset: number, size: number, value: number): void;
	/** Called at slice ends when asked for. */
	sliceEnd?(): void;
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

/** A device's registers as little-endian words of its part of the state area. */
export class Registers {
	constructor(private readonly state: DataView) {}

	get(offset: number): number {
		return this.state.getUint32(offset, true);
	}

	set(offset: number, value: number): void {
		this.state.setUint32(offset, value, true);
	}

	get64(offset: number): bigint {
		return this.state.getBigUint64(offset, true);
	}

	set64(offset: number, value: bigint): void {
		this.state.setBigUint64(offset, value, true);
	}

	clear(): void {
		new Uint8Array(this.state.buffer, this.state.byteOffset, this.state.byteLength).fill(0);
	}
}
