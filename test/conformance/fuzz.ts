import { board } from "../../src/machine/virtBoard.ts";
import { BlockDriver, base, place } from "../support/blockDriver.ts";
import { boot, kernelOf, smallRam } from "../support/guest.ts";
import { Random } from "../support/random.ts";

/** Runs the accesses of a table, one after another; an access that traps is stepped over. */
const player = `
	la t0, handler
	csrw mtvec, t0
	li s0, 0x80040000
loop:
	ld t0, (s0)          # address
	ld t1, 8(s0)         # value
	ld t2, 16(s0)        # place of the access below
	addi s0, s0, 24
	la t3, accesses
	add t3, t3, t2
	jalr t3
	j loop
	.align 3
accesses:
	lbu t1, (t0)
	ret
	lhu t1, (t0)
	ret
	lwu t1, (t0)
	ret
	ld t1, (t0)
	ret
	sb t1, (t0)
	ret
	sh t1, (t0)
	ret
	sw t1, (t0)
	ret
	sd t1, (t0)
	ret
	amoadd.d t1, t1, (t0)
	ret
	lr.w t1, (t0)
	ret
	j end
	.align 2
end:
	wfi
	j end
	.align 2
handler:
	csrr t4, mcause
	blt t4, zero, 1f
	csrr t4, mepc
	addi t4, t4, 4
	csrw mepc, t4
1:
	csrw mie, zero
	mret
`;
const accessKinds = 10;
const entry = 24;
const tableAt = 0x40000;

const ranges: readonly (readonly [number, number])[] = [
	[board.uart.base, board.uart.size],
	[board.virtio.base, board.virtio.size],
	[board.virtio.base, board.virtio.size],
	[board.virtio.base + board.virtio.size, board.virtio.size],
	[board.virtio.base + (board.virtio.slots - 1) * board.virtio.size, board.virtio.size],
	[board.testFinisher.base, board.testFinisher.size],
	[board.plic.base, 0x3000],
	[board.plic.base + 0x200000, 0x3000],
	[board.clint.base, 0x10000],
	[board.bootRom.base, board.bootRom.size],
	[board.ram.base, smallRam],
];
const values = [0n, 1n, 2n, 3n, 4n, 7n, 8n, 11n, 15n, 0x80n, 0x8001n, 0x80010n, 0x8002_0000n, 0xffff_ffffn, ~0n];

function address(random: Random): bigint {
	if (random.chance(20)) return random.u64();
	const [start, size] = random.pick(ranges);
	// Registers lie at the start of a range; the edges are where sizes go wrong.
	const offset = random.chance(8)
		? size - 8 + random.below(16)
		: random.below(random.chance(4) ? size : Math.min(size, 0x120));
	return BigInt(start) + BigInt(random.chance(6) ? offset : offset & ~3);
}

/** A table of random accesses, ending with a jump out of it. */
export function accessTable(random: Random, count: number): Uint8Array {
	const bytes = new Uint8Array((count + 1) * entry);
	const view = new DataView(bytes.buffer);
	for (let i = 0; i < count; i++) {
		let target = address(random);
		// The player itself and the table stay whole; the run's end is for the finisher's own tests, but not always.
		if (target >= 0x80000000n && target < 0x80010000n) target += 0x10000n;
		if (target >= 0x80040000n && target < 0x80080000n) target += 0x40000n;
		if (target === BigInt(board.testFinisher.base) && !random.chance(50)) target += 4n;
		view.setBigUint64(i * entry, BigInt.asUintN(64, target), true);
		view.setBigUint64(i * entry + 8, BigInt.asUintN(64, random.chance(3) ? random.u64() : random.pick(values)), true);
		view.setBigUint64(i * entry + 16, BigInt(8 * random.below(accessKinds)), true);
	}
	view.setBigUint64(count * entry + 16, BigInt(8 * accessKinds), true);
	return bytes;
}

/** One machine under random accesses; returns its hash. Throws when the host does. */
export async function fuzzMachine(seed: number): Promise<string> {
	const random = new Random(seed);
	const count = 4000;
	const guest = await boot(
		{
			kernel: kernelOf(player),
			disk: new Uint8Array(16 * 512).map((_, i) => i),
			harts: 1 + random.below(3),
			virtio: random.chance(2) ? "legacy" : "modern",
			seed,
		},
		{ extraImages: [{ physical: BigInt(0x80000000 + tableAt), bytes: accessTable(random, count) }] },
	);
	guest.type("typed at it ".repeat(20));
	for (let i = 0; i < 40; i++) {
		const stop = guest.machine.run(20_000);
		if (stop.kind === "halt" || stop.kind === "idle") break;
		if (random.chance(8)) guest.type("x".repeat(random.below(300)));
	}
	const hash = guest.machine.stateHash();
	guest.machine.dispose();
	return hash;
}

/** Values as drivers in trouble write them: near the right one, far from it, or anything. */
function wild(random: Random, right: number): number {
	if (!random.chance(12)) return right;
	return random.pick([right + 1, right - 1, right ^ (1 << random.below(31)), random.below(0x1_0000_0000)]);
}

/**
 * The block device under random registers, descriptors and rings. Every byte that the device changes must be one that it
 * said it wrote; anything else would be stale in a cache, or not be in a snapshot. Returns what was wrong, or undefined.
 */
export function fuzzBlock(seed: number): string | undefined {
	const random = new Random(seed);
	const driver = new BlockDriver(random.chance(2) ? 1 : 2, random.pick([1, 8, 64, 128, 1024]));
	driver.start();
	const { bench } = driver;
	for (let round = 0; round < 60; round++) {
		for (let i = 0; i < random.below(12); i++) disturb(random, driver);
		const before = bench.bytes.slice();
		bench.changes.length = 0;
		driver.notify();
		for (const [offset, length] of bench.changes) before.set(bench.bytes.subarray(offset, offset + length), offset);
		const at = Buffer.compare(before, bench.bytes) === 0 ? -1 : before.findIndex((byte, i) => byte !== bench.bytes[i]);
		if (at >= 0) return `round ${round}: byte ${at} changed without a word`;
		if (driver.status & 0x40 || random.chance(10)) driver.start();
	}
	return undefined;
}

function disturb(random: Random, driver: BlockDriver): void {
	const { view } = driver.bench;
	const { size } = driver;
	switch (random.below(40)) {
		case 0:
			driver.device.write(random.below(0x200), random.pick([1, 2, 4]), random.below(0x1_0000_0000));
			return;
		case 1:
			driver.device.read(random.below(0x200), random.pick([1, 2, 4]));
			return;
		case 2:
			driver.header(
				place.buffers + 64 * random.below(8),
				random.pick([0, 1, 4, 8, 99]),
				BigInt(wild(random, random.below(16))),
			);
			return;
		case 3:
			view.setUint16(driver.rings.available + 2, wild(random, random.below(8)) & 0xffff, true);
			return;
		case 4:
			view.setUint16(
				driver.rings.available + 4 + 2 * random.below(size),
				wild(random, random.below(size)) & 0xffff,
				true,
			);
			return;
		case 5:
			driver.write(
				random.pick([0x30, 0x38, 0x40, 0x44, 0x80, 0x84, 0x90, 0xa0, 0x3c, 0x28]),
				wild(random, driver.size),
			);
			return;
		case 6:
			if (random.chance(3)) driver.start();
			return;
		default:
			descriptors(random, driver);
	}
}

/** A chain that is nearly a request, put at the next place of the available ring. */
function descriptors(random: Random, driver: BlockDriver): void {
	// Mostly apart from each other, so that several can be on their way.
	const head = (random.chance(6) ? random.below(driver.size) : 4 * random.below(driver.size)) % driver.size;
	const pieces = random.chance(10) ? 1 + random.below(5) : 3;
	for (let i = 0; i < pieces; i++) {
		const last = i === pieces - 1;
		const length = wild(random, i === 0 ? 16 : last ? 1 : 512 * (1 + random.below(2)));
		const address = random.chance(60)
			? random.u64()
			: base + BigInt(place.buffers + (i === 0 ? 64 * random.below(8) : 1024 + 64 * random.below(64)));
		const usual = (last ? 0 : 1) | (i > 0 ? 2 : 0);
		const flags = random.chance(40) ? usual ^ (1 << random.below(3)) : usual;
		driver.descriptor((head + i) % driver.size, address, length >>> 0, {
			flags,
			next: random.chance(60) ? random.below(0x10000) : (head + i + 1) % driver.size,
		});
	}
	driver.offer(head);
}
