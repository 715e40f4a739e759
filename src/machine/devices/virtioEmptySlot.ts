import type { Device } from "../device.ts";

/** A virtio-mmio slot with nothing in it: device id 0 (VIRTIO 1.1, 4.2.2.1), everything else reads as 0. */
export class VirtioEmptySlot implements Device {
	readonly name = "virtio-mmio (empty)";

	constructor(private readonly version: 1 | 2) {}

	read(offset: number, size: number): number {
		if (size !== 4) return 0;
		switch (offset) {
			case 0x000:
				return 0x74726976;
			case 0x004:
				return this.version;
			case 0x00c:
				return 0x554d4551;
			default:
				return 0;
		}
	}

	write(): void {}
}
