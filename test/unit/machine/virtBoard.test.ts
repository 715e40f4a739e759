import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { board } from "../../../src/machine/virtBoard.ts";

const header = readFileSync(join(import.meta.dirname, "../../../xv6/kernel/memlayout.h"), "utf8");

/** Plain numbers that the bundled kernel's memory map defines. */
const defined = new Map(
	[...header.matchAll(/^#define\s+(\w+)\s+\(?(0x[0-9a-fA-F]+|\d+)(?:UL|L)?\)?\s*(?:\/\/.*|\/\*.*)?$/gm)].map(
		(match) => [match[1] as string, Number(match[2])],
	),
);

test.each([
	["UART0", board.uart.base],
	["UART0_IRQ", board.uart.irq],
	["VIRTIO0", board.virtio.base],
	["VIRTIO0_IRQ", board.virtio.firstIrq],
	["PLIC", board.plic.base],
	["KERNBASE", board.ram.base],
])("the board and the kernel's memlayout.h agree on %s", (name, value) => {
	expect(defined.get(name), `${name} in xv6/kernel/memlayout.h`).toBe(value);
});

test("no two parts of the board overlap", () => {
	const { bootRom, testFinisher, clint, plic, uart, virtio, ram } = board;
	const slots = { base: virtio.base, size: virtio.size * virtio.slots };
	const parts = [bootRom, testFinisher, clint, plic, uart, slots, { base: ram.base, size: ram.defaultSize }];
	const sorted = [...parts].sort((a, b) => a.base - b.base);
	sorted.slice(1).forEach((part, i) => {
		const before = sorted[i] as (typeof parts)[number];
		expect(before.base + before.size).toBeLessThanOrEqual(part.base);
	});
});
