import { type Device, usualAccess } from "../device.ts";
import { MAGIC, MAGIC_VALUE, VENDOR_ID, VENDOR_VALUE, VERSION } from "./virtioMmio.ts";

/** A virtio-mmio slot with nothing in it: device id 0 (virtio 1.2, 4.2.2.2), everything else reads as 0. */
export class VirtioEmptySlot implements Device {
	readonly name = "virtio-mmio (empty)";
	readonly access = usualAccess;

	constructor(private readonly version: 1 | 2) {}

	/** Narrow reads get the low part of the register. */
	read(offset: number): number {
		switch (offset) {
			case MAGIC:
				return MAGIC_VALUE;
			case VERSION:
				return this.version;
			case VENDOR_ID:
				return VENDOR_VALUE;
			default:
				return 0;
		}
	}

	write(): void {}
}
