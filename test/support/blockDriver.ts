import { VirtioBlock } from "../../src/machine/devices/virtioBlock.ts";
import { VirtioMmio, virtioStateBytes } from "../../src/machine/devices/virtioMmio.ts";
import { DeviceBench } from "./deviceBench.ts";

export const base = 0x80000000n;
/** Where the driver puts its parts in RAM. */
export const place = { descriptors: 0x1000, available: 0x8000, used: 0x9000, buffers: 0x20000 } as const;
const ramBytes = 0x40000;
export const irq = 1;

export interface Piece {
	readonly at: number;
	readonly length: number;
	readonly write?: boolean;
	/** Flags to set besides NEXT and WRITE. */
	readonly flags?: number;
}

/** A driver in TypeScript that can do what a good and a bad one does. */
export class BlockDriver {
	readonly bench: DeviceBench;
	readonly device: VirtioMmio;
	readonly disk: Uint8Array;
	private free = 0;
	private index = 0;

	constructor(
		readonly version: 1 | 2 = 2,
		readonly size = 8,
		sectors = 16,
	) {
		this.bench = new DeviceBench(ramBytes, sectors * 512);
		this.disk = this.bench.bytes.subarray(ramBytes);
		for (let i = 0; i < this.disk.length; i++) this.disk[i] = (i >> 9) + 7 * i;
		const state = new DataView(new ArrayBuffer(virtioStateBytes));
		const backend = new VirtioBlock(this.bench.memory, { offset: ramBytes, length: sectors * 512 });
		this.device = new VirtioMmio(this.bench, { irq, state, version }, backend);
	}

	read(offset: number): number {
		return this.device.read(offset, 4) >>> 0;
	}

	write(offset: number, value: number): void {
		this.device.write(offset, 4, value);
	}

	/** The steps of virtio 1.2, section 3.1, and of xv6's virtio_disk_init. */
	start(): this {
		this.write(0x70, 0);
		this.index = 0;
		for (const ring of [this.rings.available, this.rings.used]) this.bench.view.setUint16(ring + 2, 0, true);
		this.write(0x70, 1);
		this.write(0x70, 3);
		this.write(0x20, this.read(0x10) & (1 << 9));
		this.write(0x70, 11);
		if (this.version === 1) this.write(0x28, 4096);
		this.write(0x30, 0);
		this.write(0x38, this.size);
		if (this.version === 1) {
			this.write(0x3c, 4096);
			this.write(0x40, (0x80000000 + place.descriptors) / 4096);
		} else {
			const addresses = [place.descriptors, place.available, place.used];
			addresses.forEach((at, i) => {
				this.write(0x80 + 16 * i, 0x80000000 + at);
				this.write(0x84 + 16 * i, 0);
			});
			this.write(0x44, 1);
		}
		this.write(0x70, 15);
		return this;
	}

	/** Where the device looks for the rings: in version 1 they follow the descriptors. */
	get rings(): { readonly available: number; readonly used: number } {
		if (this.version === 2) return place;
		const available = place.descriptors + 16 * this.size;
		return { available, used: Math.ceil((available + 4 + 2 * this.size) / 4096) * 4096 };
	}

	/** Writes descriptors for the pieces; returns the first one's number. */
	chain(pieces: readonly Piece[]): number {
		const head = this.free % this.size;
		pieces.forEach(({ at, length, write, flags }, i) => {
			const last = i === pieces.length - 1;
			this.descriptor((head + i) % this.size, base + BigInt(at), length, {
				flags: (last ? 0 : 1) | (write ? 2 : 0) | (flags ?? 0),
				next: (head + i + 1) % this.size,
			});
		});
		this.free += pieces.length;
		return head;
	}

	descriptor(index: number, address: bigint, length: number, { flags = 0, next = 0 } = {}): void {
		const { view } = this.bench;
		const at = place.descriptors + 16 * index;
		view.setBigUint64(at, BigInt.asUintN(64, address), true);
		view.setUint32(at + 8, length, true);
		view.setUint16(at + 12, flags, true);
		view.setUint16(at + 14, next, true);
	}

	offer(head: number): void {
		const { view } = this.bench;
		view.setUint16(this.rings.available + 4 + 2 * (this.index % this.size), head, true);
		this.index++;
		view.setUint16(this.rings.available + 2, this.index, true);
	}

	notify(): void {
		this.write(0x50, 0);
		this.device.sliceEnd();
	}

	/** Puts a request header into RAM. */
	header(at: number, type: number, sector: bigint | number): void {
		const { view } = this.bench;
		view.setUint32(at, type, true);
		view.setUint32(at + 4, 0, true);
		view.setBigUint64(at + 8, BigInt(sector), true);
	}

	/** One whole request in the usual three descriptors; returns status and written length. */
	request(
		type: number,
		sector: bigint | number,
		length: number,
		data?: Uint8Array,
	): { status: number; written: number } {
		const at = place.buffers;
		this.header(at, type, sector);
		if (data) this.bench.bytes.set(data, at + 0x100);
		this.bench.bytes[at + 0x40] = 0xff;
		const buffer = length > 0 ? [{ at: at + 0x100, length, write: type !== 1 }] : [];
		this.offer(this.chain([{ at, length: 16 }, ...buffer, { at: at + 0x40, length: 1, write: true }]));
		this.notify();
		return { status: this.bench.bytes[at + 0x40] as number, written: this.usedLength(this.index - 1) };
	}

	data(length: number): Uint8Array {
		return this.bench.bytes.slice(place.buffers + 0x100, place.buffers + 0x100 + length);
	}

	get usedIndex(): number {
		return this.bench.view.getUint16(this.rings.used + 2, true);
	}

	usedLength(n: number): number {
		return this.bench.view.getUint32(this.rings.used + 4 + 8 * (n % this.size) + 4, true);
	}

	get status(): number {
		return this.read(0x70);
	}
}
