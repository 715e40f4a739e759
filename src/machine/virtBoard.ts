// The board on one page: QEMU's `virt` machine as far as xv6, OpenSBI and U-Boot use it (QEMU hw/riscv/virt.c, memory map).

/** `size` is the room that a device has, and what the device tree says; after its `registers` is nothing. */
export const board = {
	/** Reset vector and device tree pointer. */
	bootRom: { base: 0x1000, size: 0xf000 },
	testFinisher: { base: 0x100000, size: 0x1000 },
	/** Goldfish, only in machines that have one; else an access is an access fault. The device tree names none. */
	rtc: { base: 0x101000, size: 0x1000, registers: 0x24, irq: 11 },
	clint: { base: 0x2000000, size: 0x10000 },
	plic: { base: 0xc000000, size: 0x600000 },
	uart: { base: 0x10000000, size: 0x100, registers: 8, irq: 10, clockHz: 3686400 },
	/** Eight slots, 0x1000 apart, with interrupts 1 to 8; the block device is in slot 0, the others are empty. */
	virtio: { base: 0x10001000, size: 0x1000, registers: 0x200, slots: 8, firstIrq: 1 },
	/** Only in machines with a network card: configuration space, the window of memory BARs, and the card's interrupt (slot 1, INTA). */
	pcie: { ecam: 0x30000000, ecamSize: 0x10000000, memory: 0x40000000, memorySize: 0x40000000, cardIrq: 33 },
	ram: { base: 0x80000000, defaultSize: 128 * 1024 * 1024 },
	/** Ticks of mtime in a second. */
	timebaseHz: 10_000_000,
	maxHarts: 8,
} as const;
