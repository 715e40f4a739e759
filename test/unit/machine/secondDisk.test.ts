import { expect, test } from "vitest";
import { CardProgram } from "../../support/cardProgram.ts";
import { boot, smallRam } from "../../support/guest.ts";

const ring = { descriptors: 0x8002_0000, available: 0x8002_1000, used: 0x8002_2000 } as const;
const header = 0x8002_3000;
const data = 0x8002_4000;
const status = 0x8002_5000;

const words = (...values: number[]) => new Uint8Array(new Uint32Array(values.map((value) => value >>> 0)).buffer);

/** One request to the disk in a slot: 0 reads a sector, 1 writes it (virtio 1.2, 5.2.6). */
function request(program: CardProgram, slot: number, type: 0 | 1, sector: number): CardProgram {
	const base = 0x1000_1000 + 0x1000 * slot;
	for (const value of [0, 1, 3, 11]) program.write(base + 0x70, value);
	program.write(base + 0x30, 0).write(base + 0x38, 8);
	for (const [register, address] of [
		[0x80, ring.descriptors],
		[0x90, ring.available],
		[0xa0, ring.used],
	] as const) {
		program.write(base + register, address).write(base + register + 4, 0);
	}
	program.write(base + 0x44, 1).write(base + 0x70, 15);
	const write = type === 0 ? 2 : 0;
	program.put(
		ring.descriptors,
		words(header, 0, 16, 1 | (1 << 16), data, 0, 512, 1 | write | (2 << 16), status, 0, 1, 2),
	);
	program.put(header, words(type, 0, sector, 0));
	program
		.write(ring.used, 0)
		.write(ring.available + 4, 0)
		.write(ring.available, 1 << 16);
	return program
		.write(base + 0x50, 0)
		.wait(ring.used, 0xffff0000)
		.read(base + 0x60);
}

test("a second disk is in slot 1, with an interrupt of its own, and is no part of the first", async () => {
	const disk = new Uint8Array(512).fill(0x11);
	const secondDisk = new Uint8Array(1536).fill(0x22);
	const program = request(new CardProgram(), 0, 0, 0).read(data);
	request(program, 1, 0, 2).read(data);
	program.read(0x0c00_1000);
	program.write(data, 0xabcd0123);
	request(program, 1, 1, 1);
	const guest = await boot({ kernel: program.kernel, memoryBytes: 4 * smallRam, disk, secondDisk });
	expect(guest.machine.run(1_000_000)).toMatchObject({ kind: "halt", code: 0 });
	// The sector of each, and both pending at the PLIC.
	expect(guest.text().split("\n").slice(0, 5)).toEqual(["00000001", "11111111", "00000001", "22222222", "00000006"]);
	expect(guest.machine.disk()).toEqual(disk);
	expect(Buffer.from(guest.machine.disk(1)).toString("hex", 512, 520)).toBe("2301cdab22222222");
	expect(guest.errors).toEqual([]);
});

test("a second disk without a first one is refused", async () => {
	const disks = { secondDisk: new Uint8Array(512) };
	await expect(boot({ kernel: new CardProgram().kernel, ...disks })).rejects.toThrow("second disk only");
});
