import { describe, expect, test } from "vitest";
import { VirtioEmptySlot } from "../../../../src/machine/devices/virtioEmptySlot.ts";
import { BlockDriver, base, irq, place } from "../../../support/blockDriver.ts";

const [IN, OUT, FLUSH, GET_ID] = [0, 1, 4, 8];
const needsReset = 0x40;

describe.each([2, 1] as const)("version %i", (version) => {
	test("says what it is", () => {
		const driver = new BlockDriver(version);
		expect([0, 4, 8, 12].map((offset) => driver.read(offset))).toEqual([0x74726976, version, 2, 0x554d4551]);
		expect(driver.read(0x34)).toBe(1024);
	});

	test("reads and writes sectors, and interrupts when it is done", () => {
		const driver = new BlockDriver(version).start();
		const wanted = driver.disk.slice(1024, 2048);
		expect(driver.request(IN, 2, 1024)).toEqual({ status: 0, written: 1025 });
		expect(driver.data(1024)).toEqual(wanted);
		expect([driver.read(0x60), driver.bench.levels.get(irq)]).toEqual([1, true]);
		driver.write(0x64, 1);
		expect([driver.read(0x60), driver.bench.levels.get(irq)]).toEqual([0, false]);
		const bytes = new Uint8Array(512).fill(0xa5);
		expect(driver.request(OUT, 3, 512, bytes)).toEqual({ status: 0, written: 1 });
		expect(driver.disk.slice(1536, 2048)).toEqual(bytes);
	});

	test("nothing happens before the slice ends", () => {
		const driver = new BlockDriver(version).start();
		driver.header(place.buffers, IN, 0);
		const buffer = { at: place.buffers + 0x100, length: 512, write: true };
		const status = { at: place.buffers + 0x40, length: 1, write: true };
		driver.offer(driver.chain([{ at: place.buffers, length: 16 }, buffer, status]));
		driver.write(0x50, 0);
		expect([driver.usedIndex, driver.bench.sliceEnds]).toEqual([0, 1]);
		driver.device.sliceEnd();
		expect(driver.usedIndex).toBe(1);
	});

	test("goes round the ring more often than it has entries", () => {
		const driver = new BlockDriver(version, 4, 64).start();
		for (let i = 0; i < 70; i++) {
			expect(driver.request(IN, i % 64, 512)).toEqual({ status: 0, written: 513 });
			expect(driver.data(512)).toEqual(driver.disk.slice((i % 64) * 512, (i % 64) * 512 + 512));
		}
		expect(driver.usedIndex).toBe(70);
	});

	test("a reset forgets everything", () => {
		const driver = new BlockDriver(version).start();
		driver.request(IN, 0, 512);
		driver.write(0x70, 0);
		expect([driver.status, driver.read(0x60), driver.bench.levels.get(irq)]).toEqual([0, 0, false]);
		driver.write(0x50, 0);
		driver.device.sliceEnd();
		expect(driver.usedIndex).toBe(1);
	});
});

test("every ring size up to the largest works", () => {
	for (const size of [3, 8, 100, 256, 1024]) {
		const driver = new BlockDriver(2, size).start();
		expect(driver.request(IN, 1, 512).status).toBe(0);
	}
});

test("the version 1 registers are dead in version 2 and the other way round", () => {
	const modern = new BlockDriver(2).start();
	modern.write(0x40, 0x80010);
	expect(modern.read(0x40)).toBe(0);
	const legacy = new BlockDriver(1).start();
	expect([legacy.read(0x44), legacy.read(0x40)]).toEqual([0, (0x80000000 + place.descriptors) / 4096]);
});

test("features: VERSION_1 in the second word of version 2 only; what was not offered is refused", () => {
	const driver = new BlockDriver(2);
	driver.write(0x14, 1);
	expect(driver.read(0x10)).toBe(1);
	driver.write(0x14, 2);
	expect(driver.read(0x10)).toBe(0);
	driver.write(0x70, 3);
	driver.write(0x24, 0);
	driver.write(0x20, 1 << 28);
	driver.write(0x70, 11);
	expect(driver.status & 8).toBe(0);
	driver.write(0x20, 1 << 9);
	driver.write(0x70, 11);
	expect(driver.status & 8).toBe(8);
	const legacy = new BlockDriver(1);
	legacy.write(0x14, 1);
	expect(legacy.read(0x10)).toBe(0);
});

test("the configuration tells the capacity and the block size, in any access size", () => {
	const { device } = new BlockDriver(2, 8, 16);
	expect([device.read(0x100, 4), device.read(0x104, 4), device.read(0x100, 1), device.read(0x100, 2)]).toEqual([
		16, 0, 16, 16,
	]);
	expect([device.read(0x114, 4), device.read(0x1f0, 4), device.read(0xfc, 4)]).toEqual([512, 0xffffffff, 0]);
});

test("a request may be cut in any way", () => {
	const driver = new BlockDriver(2, 64).start();
	const at = place.buffers;
	driver.header(at, IN, 1);
	const cuts = [1, 200, 311].map((length, i, all) => ({
		at: at + 0x100 + 0x400 * i,
		length,
		write: true,
		end: all.slice(0, i).reduce((sum, n) => sum + n, 0),
	}));
	const status = { at: at + 0x4000, length: 1, write: true };
	driver.offer(driver.chain([{ at, length: 3 }, { at: at + 3, length: 13 }, ...cuts, status]));
	driver.notify();
	expect(driver.bench.bytes[at + 0x4000]).toBe(0);
	for (const { at: from, length, end } of cuts) {
		expect(driver.bench.bytes.slice(from, from + length)).toEqual(driver.disk.slice(512 + end, 512 + end + length));
	}
});

test("the status may share a descriptor with the data", () => {
	const driver = new BlockDriver().start();
	driver.header(place.buffers, IN, 0);
	const both = { at: place.buffers + 0x100, length: 513, write: true };
	driver.offer(driver.chain([{ at: place.buffers, length: 16 }, both]));
	driver.notify();
	expect(driver.data(513)).toEqual(Uint8Array.of(...driver.disk.slice(0, 512), 0));
});

test("header and data of a write may share a descriptor", () => {
	const driver = new BlockDriver().start();
	driver.header(place.buffers, OUT, 5);
	driver.bench.bytes.fill(0x3c, place.buffers + 16, place.buffers + 528);
	const status = { at: place.buffers + 0x1000, length: 1, write: true };
	driver.offer(driver.chain([{ at: place.buffers, length: 528 }, status]));
	driver.notify();
	expect(driver.disk.slice(5 * 512, 6 * 512)).toEqual(new Uint8Array(512).fill(0x3c));
});

test("flush, identity, and a type that nobody knows", () => {
	const driver = new BlockDriver().start();
	expect(driver.request(FLUSH, 0, 0)).toEqual({ status: 0, written: 1 });
	expect(driver.request(GET_ID, 0, 20)).toEqual({ status: 0, written: 21 });
	expect(new TextDecoder().decode(driver.data(20)).replace(/\0+$/, "")).toBe("xv6-lab");
	expect(driver.request(99, 0, 0)).toEqual({ status: 2, written: 1 });
});

test.each([
	["the sector after the last", 16n, 512],
	["a range over the end", 15n, 1024],
	["a sector number that overflows", 0xffff_ffff_ffff_ffffn, 512],
	["no whole sector", 0n, 100],
])("an input error leaves memory alone: %s", (_name, sector, length) => {
	const driver = new BlockDriver().start();
	expect(driver.request(IN, sector, length)).toEqual({ status: 1, written: 1 });
	expect(driver.data(length)).toEqual(new Uint8Array(length));
	const before = driver.disk.slice();
	expect(driver.request(OUT, sector, length, new Uint8Array(length).fill(1)).status).toBe(1);
	expect(driver.disk).toEqual(before);
});

test("a driver that polls gets no interrupt", () => {
	const driver = new BlockDriver().start();
	driver.bench.view.setUint16(place.available, 1, true);
	driver.request(IN, 0, 512);
	expect([driver.usedIndex, driver.read(0x60)]).toEqual([1, 0]);
});

test("what the device writes is reported page by page", () => {
	const driver = new BlockDriver().start();
	driver.request(IN, 0, 512);
	const reached = (at: number) => driver.bench.changes.some(([offset, length]) => at >= offset && at < offset + length);
	expect([place.buffers + 0x100, place.buffers + 0x2ff, place.buffers + 0x40, place.used + 2].map(reached)).toEqual([
		true,
		true,
		true,
		true,
	]);
	driver.request(OUT, 1, 512);
	expect(
		driver.bench.changes.some(([offset, length]) => offset === driver.bench.ramBytes + 512 && length === 512),
	).toBe(true);
});

describe("a driver that breaks the rules is told to reset, once, in words", () => {
	const attempt = (setup: (driver: BlockDriver) => void, version: 1 | 2 = 2) => {
		const driver = new BlockDriver(version).start();
		setup(driver);
		driver.notify();
		return driver;
	};
	const only =
		(address: bigint, length: number, flags = {}) =>
		(driver: BlockDriver) => {
			driver.descriptor(0, address, length, flags);
			driver.offer(0);
		};
	const broken: [string, RegExp, (driver: BlockDriver) => void][] = [
		[
			"descriptors that form a loop",
			/loop/,
			(d) => {
				d.descriptor(0, base + 0x20000n, 16, { flags: 1, next: 1 });
				d.descriptor(1, base + 0x20100n, 16, { flags: 1, next: 0 });
				d.offer(0);
			},
		],
		[
			"a descriptor that is its own successor",
			/loop/,
			(d) => {
				d.descriptor(0, base + 0x20000n, 16, { flags: 1, next: 0 });
				d.offer(0);
			},
		],
		["a head outside the table", /descriptor 200 is outside/, (d) => d.offer(200)],
		[
			"a next outside the table",
			/descriptor 9 is outside/,
			(d) => {
				d.descriptor(0, base + 0x20000n, 16, { flags: 1, next: 9 });
				d.offer(0);
			},
		],
		["a buffer below RAM", /outside of RAM: 0x1000/, only(0x1000n, 16)],
		["a buffer over RAM's end", /outside of RAM/, only(base + 0x3fff8n, 16)],
		["a buffer that wraps around", /outside of RAM/, only(0xffff_ffff_ffff_fff8n, 16)],
		["a buffer of 4 GiB", /outside of RAM/, only(base, 0xffff_ffff)],
		["an empty buffer", /no bytes/, only(base, 0)],
		["an indirect table", /indirect/, only(base, 16, { flags: 4 })],
		[
			"a buffer to read behind one to write",
			/comes after one/,
			(d) =>
				d.offer(
					d.chain([
						{ at: 0x20000, length: 16, write: true },
						{ at: 0x20100, length: 16 },
					]),
				),
		],
		["half a header", /8 bytes of its 16-byte header/, (d) => d.offer(d.chain([{ at: 0x20000, length: 8 }]))],
		["no status", /no byte for its status/, (d) => d.offer(d.chain([{ at: 0x20000, length: 16 }]))],
		["an index that ran ahead", /200 entries ahead/, (d) => d.bench.view.setUint16(d.rings.available + 2, 200, true)],
		[
			"a used ring outside RAM",
			/used ring/,
			(d) => {
				d.write(0xa0, 0x1000);
				d.header(place.buffers, FLUSH, 0);
				d.offer(
					d.chain([
						{ at: place.buffers, length: 16 },
						{ at: place.buffers + 64, length: 1, write: true },
					]),
				);
			},
		],
		["an available ring outside RAM", /available ring/, (d) => d.write(0x94, 0xffffffff)],
		[
			"a descriptor table outside RAM",
			/descriptor table/,
			(d) => {
				d.write(0x84, 1);
				d.offer(0);
			},
		],
	];
	test.each(broken)("%s", (_name, words, setup) => {
		const driver = attempt(setup);
		expect(driver.bench.errors.length).toBe(1);
		expect(driver.bench.errors[0]).toMatch(words);
		expect([driver.status & needsReset, driver.read(0x60) & 2, driver.bench.levels.get(irq)]).toEqual([
			needsReset,
			2,
			true,
		]);
		driver.notify();
		expect(driver.bench.errors.length).toBe(1);
	});

	test("after a reset it works again", () => {
		const driver = attempt((d) => d.offer(200));
		driver.start();
		expect(driver.request(IN, 0, 512).status).toBe(0);
	});

	test("version 1 has no bit for it: the device is silent", () => {
		const driver = attempt((d) => d.offer(200), 1);
		expect([driver.bench.errors.length, driver.status & needsReset]).toEqual([1, 0]);
	});
});

test("a queue that is not ready, has no entries, or whose driver is not is left alone", () => {
	const driver = new BlockDriver();
	driver.notify();
	driver.start();
	driver.write(0x44, 0);
	driver.notify();
	driver.start();
	driver.write(0x38, 0);
	driver.notify();
	expect([driver.bench.errors, driver.usedIndex]).toEqual([[], 0]);
});

test("a slot with nothing in it has device id 0", () => {
	const slot = new VirtioEmptySlot(2);
	expect([0, 4, 8, 12, 0x100].map((offset) => slot.read(offset))).toEqual([0x74726976, 2, 0, 0x554d4551, 0]);
});
