import type { Device } from "../device.ts";
import { MAGIC, MAGIC_VALUE, VENDOR_ID, VENDOR_VALUE, VERSION } from "./virtioMmio.ts";

/** A virtio-mmio slot with nothing in it: device id 0 (virtio 1.2, 4.2.2.2), everything else reads as 0. */
export class VirtioEmptySlot implements Device {
	readonly name = "virtio-mmio (empty)";

	constructor(private readonly version: 1 | 2) {}

	read(offset: number, size: number): number {
		if (size !== 4) return 0;
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
