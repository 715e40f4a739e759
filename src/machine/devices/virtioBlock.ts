// virtio-mmio block device: VIRTIO 1.1 sections 4.2 (MMIO, version 2 and legacy version 1), 2.6 (split ring), 5.2 (block).
import type { Device, DeviceHost } from "../device.ts";

/** Register offsets (4.2.2, and 4.2.4 for the legacy ones). */
const R = {
	magic: 0x000,
	version: 0x004,
	deviceId: 0x008,
	vendorId: 0x00c,
	deviceFeatures: 0x010,
	deviceFeaturesSelect: 0x014,
	driverFeatures: 0x020,
	driverFeaturesSelect: 0x024,
	guestPageSize: 0x028,
	queueSelect: 0x030,
	queueMax: 0x034,
	queueSize: 0x038,
	queueAlign: 0x03c,
	queuePfn: 0x040,
	queueReady: 0x044,
	queueNotify: 0x050,
	interruptStatus: 0x060,
	interruptAcknowledge: 0x064,
	status: 0x070,
	queueDescLow: 0x080,
	queueDescHigh: 0x084,
	queueDriverLow: 0x090,
	queueDriverHigh: 0x094,
	queueDeviceLow: 0x0a0,
	queueDeviceHigh: 0x0a4,
	configGeneration: 0x0fc,
	config: 0x100,
} as const;

const magic = 0x74726976;
const deviceId = 2;
/** "QEMU": xv6's driver checks it. */
const vendorId = 0x554d4551;
export const queueMax = 1024;
const sectorSize = 512;

/** Feature bits: VIRTIO_BLK_F_BLK_SIZE, VIRTIO_BLK_F_FLUSH, VIRTIO_F_VERSION_1 (bit 32, the first of the second word). */
const FEATURES_LOW = (1 << 6) | (1 << 9);
const FEATURES_HIGH = 1;

const STATUS_NEEDS_RESET = 64;
const INTERRUPT_RING = 1;
const INTERRUPT_CONFIG = 2;

const DESC_NEXT = 1;
const DESC_WRITE = 2;
const AVAIL_NO_INTERRUPT = 1;

const T_IN = 0;
const T_OUT = 1;
const T_FLUSH = 4;
const T_GET_ID = 8;
const S_OK = 0;
const S_IOERR = 1;
const S_UNSUPP = 2;
const idLength = 20;

/** Word offsets in the state (each 4 bytes; addresses take two). */
const W = {
	status: 0,
	interrupt: 4,
	featuresSelect: 8,
	driverSelect: 12,
	driverLow: 16,
	driverHigh: 20,
	pageSize: 24,
	queueSelect: 28,
	size: 32,
	align: 36,
	pfn: 40,
	ready: 44,
	desc: 48,
	avail: 56,
	used: 64,
	lastAvail: 72,
	notified: 76,
} as const;

export const virtioBlockStateBytes = 80;

export interface VirtioBlockConfig {
	readonly irq: number;
	readonly state: DataView;
	readonly version: 1 | 2;
	/** The disk image in the machine's memory, whole sectors. */
	readonly disk: Uint8Array;
	/** Bytes [offset, offset + length) of the disk have new content. */
	readonly diskWritten: (offset: number, length: number) => void;
}

interface Segment {
	readonly address: bigint;
	readonly length: number;
}

interface Chain {
	readonly readable: readonly Segment[];
	readonly writable: readonly Segment[];
}

/** Answers requests at the slice end after a notification; what a driver gets wrong sets DEVICE_NEEDS_RESET, nothing else. */
export class VirtioBlock implements Device {
	readonly name = "virtio-blk";

	constructor(
		private readonly host: DeviceHost,
		private readonly config: VirtioBlockConfig,
	) {
		this.set(W.pageSize, 4096);
		this.set(W.align, 4096);
	}

	private get(word: number): number {
		return this.config.state.getUint32(word, true);
	}

	private set(word: number, value: number): void {
		this.config.state.setUint32(word, value >>> 0, true);
	}

	private address(word: number): bigint {
		return this.config.state.getBigUint64(word, true);
	}

	private get legacy(): boolean {
		return this.config.version === 1;
	}

	read(offset: number, size: number): number {
		if (offset >= R.config) return this.readConfig(offset - R.config, size);
		if (size !== 4) return 0;
		const queue0 = this.get(W.queueSelect) === 0;
		switch (offset) {
			case R.magic:
				return magic;
			case R.version:
				return this.config.version;
			case R.deviceId:
				return deviceId;
			case R.vendorId:
				return vendorId;
			case R.deviceFeatures:
				return this.get(W.featuresSelect) === 0
					? FEATURES_LOW
					: this.get(W.featuresSelect) === 1 && !this.legacy
						? FEATURES_HIGH
						: 0;
			case R.queueMax:
				return queue0 ? queueMax : 0;
			case R.queuePfn:
				return this.legacy && queue0 ? this.get(W.pfn) : 0;
			case R.queueReady:
				return !this.legacy && queue0 ? this.get(W.ready) : 0;
			case R.interruptStatus:
				return this.get(W.interrupt);
			case R.status:
				return this.get(W.status);
			default:
				return 0;
		}
	}

	write(offset: number, size: number, value: number): void {
		if (size !== 4 || offset >= R.config) return;
		switch (offset) {
			case R.deviceFeaturesSelect:
				return this.set(W.featuresSelect, value);
			case R.driverFeaturesSelect:
				return this.set(W.driverSelect, value);
			case R.driverFeatures:
				return this.set(this.get(W.driverSelect) === 0 ? W.driverLow : W.driverHigh, value);
			case R.queueSelect:
				return this.set(W.queueSelect, value);
			case R.queueNotify:
				if (value !== 0) return;
				this.set(W.notified, 1);
				return this.host.requestSliceEnd();
			case R.interruptAcknowledge:
				return this.interrupt(this.get(W.interrupt) & ~value);
			case R.status:
				return value === 0 ? this.reset() : this.set(W.status, value & 0xff);
		}
		if (this.get(W.queueSelect) !== 0) return;
		if (this.legacy) this.writeLegacyQueue(offset, value);
		else this.writeQueue(offset, value);
	}

	private writeQueue(offset: number, value: number): void {
		switch (offset) {
			case R.queueSize:
				return this.set(W.size, Math.min(value >>> 0, queueMax));
			case R.queueReady:
				if ((value & 1) !== 0 && this.get(W.ready) === 0) this.set(W.lastAvail, 0);
				return this.set(W.ready, value & 1);
			case R.queueDescLow:
				return this.set(W.desc, value);
			case R.queueDescHigh:
				return this.set(W.desc + 4, value);
			case R.queueDriverLow:
				return this.set(W.avail, value);
			case R.queueDriverHigh:
				return this.set(W.avail + 4, value);
			case R.queueDeviceLow:
				return this.set(W.used, value);
			case R.queueDeviceHigh:
				return this.set(W.used + 4, value);
		}
	}

	/** One page number places all three parts (2.6.2): descriptors, available ring, and the used ring at the next alignment. */
	private writeLegacyQueue(offset: number, value: number): void {
		switch (offset) {
			case R.guestPageSize:
				return this.set(W.pageSize, value);
			case R.queueSize:
				return this.set(W.size, Math.min(value >>> 0, queueMax));
			case R.queueAlign:
				return this.set(W.align, value);
			case R.queuePfn: {
				this.set(W.pfn, value);
				this.set(W.lastAvail, 0);
				const base = BigInt(value >>> 0) * BigInt(this.get(W.pageSize));
				const size = BigInt(this.get(W.size));
				const align = BigInt(Math.max(1, this.get(W.align)));
				const avail = base + 16n * size;
				const used = ((avail + 4n + 2n * size + 2n + align - 1n) / align) * align;
				this.config.state.setBigUint64(W.desc, BigInt.asUintN(64, base), true);
				this.config.state.setBigUint64(W.avail, BigInt.asUintN(64, avail), true);
				this.config.state.setBigUint64(W.used, BigInt.asUintN(64, used), true);
				return this.set(W.ready, value === 0 ? 0 : 1);
			}
		}
	}

	/** capacity (u64, sectors), and blk_size at 20 (5.2.4); the rest is 0. */
	private readConfig(offset: number, size: number): number {
		const bytes = new DataView(new ArrayBuffer(64));
		bytes.setBigUint64(0, BigInt(Math.floor(this.config.disk.length / sectorSize)), true);
		bytes.setUint32(20, sectorSize, true);
		if (offset + size > 60) return 0;
		return size === 1
			? bytes.getUint8(offset)
			: size === 2
				? bytes.getUint16(offset, true)
				: bytes.getUint32(offset, true);
	}

	private reset(): void {
		for (let word = 0; word < virtioBlockStateBytes; word += 4) this.set(word, 0);
		this.set(W.pageSize, 4096);
		this.set(W.align, 4096);
		this.interrupt(0);
	}

	private interrupt(bits: number): void {
		this.set(W.interrupt, bits);
		this.host.setIrqLevel(this.config.irq, bits !== 0);
	}

	private needsReset(): void {
		this.set(W.status, this.get(W.status) | STATUS_NEEDS_RESET);
		this.interrupt(this.get(W.interrupt) | INTERRUPT_CONFIG);
	}

	sliceEnd(): void {
		if (this.get(W.notified) === 0) return;
		this.set(W.notified, 0);
		const size = this.get(W.size);
		if (this.get(W.ready) === 0 || size === 0 || (this.get(W.status) & STATUS_NEEDS_RESET) !== 0) return;
		const avail = this.view(this.address(W.avail), 4 + 2 * size);
		if (!avail) return this.needsReset();
		const end = avail.getUint16(2, true);
		// A driver cannot have more chains on their way than the ring has entries.
		if (((end - this.get(W.lastAvail)) & 0xffff) > size) return this.needsReset();
		let raised = false;
		while (this.get(W.lastAvail) !== end) {
			const head = avail.getUint16(4 + 2 * (this.get(W.lastAvail) % size), true);
			const chain = this.chain(head, size);
			const written = chain && this.serve(chain);
			if (written === undefined || !this.complete(head, written, size)) return this.needsReset();
			this.set(W.lastAvail, (this.get(W.lastAvail) + 1) & 0xffff);
			raised = true;
		}
		if (raised && (avail.getUint16(0, true) & AVAIL_NO_INTERRUPT) === 0) {
			this.interrupt(this.get(W.interrupt) | INTERRUPT_RING);
		}
	}

	private view(address: bigint, length: number): DataView | undefined {
		const bytes = this.host.ram(address, length);
		return bytes && new DataView(bytes.buffer, bytes.byteOffset, length);
	}

	/** Segments of a chain; undefined when it loops, leaves the table, or has a readable segment behind a writable one (2.6.4.2). */
	private chain(head: number, size: number): Chain | undefined {
		const table = this.view(this.address(W.desc), 16 * size);
		if (!table) return undefined;
		const readable: Segment[] = [];
		const writable: Segment[] = [];
		let index = head;
		for (let steps = 0; steps < size; steps++) {
			if (index >= size) return undefined;
			const at = 16 * index;
			const segment = { address: table.getBigUint64(at, true), length: table.getUint32(at + 8, true) };
			const flags = table.getUint16(at + 12, true);
			if ((flags & DESC_WRITE) !== 0) writable.push(segment);
			else if (writable.length > 0) return undefined;
			else readable.push(segment);
			if ((flags & DESC_NEXT) === 0) return { readable, writable };
			index = table.getUint16(at + 14, true);
		}
		return undefined;
	}

	/** Bytes written for the driver, or undefined when the chain is no request. */
	private serve({ readable, writable }: Chain): number | undefined {
		const header = this.gather(readable, 16);
		const last = writable.at(-1);
		if (!header || !last || last.length === 0) return undefined;
		const view = new DataView(header.buffer);
		const type = view.getUint32(0, true);
		const sector = view.getBigUint64(8, true);
		// The status is the last byte of the writable part; data comes before it, whatever the segments.
		const data = [...writable.slice(0, -1), { address: last.address, length: last.length - 1 }].filter(
			(s) => s.length > 0,
		);
		let written = 0;
		let status: number = S_OK;
		if (type === T_IN) {
			const length = data.reduce((sum, segment) => sum + segment.length, 0);
			const from = this.range(sector, length);
			if (from === undefined) status = S_IOERR;
			else if (!this.scatter(data, this.config.disk.subarray(from, from + length))) return undefined;
			else written = length;
		} else if (type === T_OUT) {
			const length = readable.reduce((sum, segment) => sum + segment.length, 0) - 16;
			const to = this.range(sector, length);
			if (to === undefined) status = S_IOERR;
			else {
				const bytes = this.gather(readable, 16 + length);
				if (!bytes) return undefined;
				this.config.disk.set(bytes.subarray(16), to);
				this.config.diskWritten(to, length);
			}
		} else if (type === T_GET_ID) {
			const id = new Uint8Array(idLength);
			id.set(new TextEncoder().encode("xv6-lab"));
			const length = Math.min(
				idLength,
				data.reduce((sum, segment) => sum + segment.length, 0),
			);
			if (!this.scatter(data, id.subarray(0, length))) return undefined;
			written = length;
		} else if (type !== T_FLUSH) status = S_UNSUPP;
		const place = { address: last.address + BigInt(last.length - 1), length: 1 };
		return this.scatter([place], Uint8Array.of(status)) ? written + 1 : undefined;
	}

	/** Offset of whole sectors on the disk, undefined outside it. */
	private range(sector: bigint, length: number): number | undefined {
		const end = sector * BigInt(sectorSize) + BigInt(length);
		return length % sectorSize === 0 && end <= BigInt(this.config.disk.length)
			? Number(sector) * sectorSize
			: undefined;
	}

	/** The first `length` bytes of the segments, undefined when they are shorter or not in RAM. */
	private gather(segments: readonly Segment[], length: number): Uint8Array | undefined {
		const total = segments.reduce((sum, segment) => sum + segment.length, 0);
		if (total < length || length > this.config.disk.length + 16) return undefined;
		const bytes = new Uint8Array(length);
		let at = 0;
		for (const segment of segments) {
			if (at === length) break;
			const part = Math.min(segment.length, length - at);
			const from = this.host.ram(segment.address, part);
			if (!from) return undefined;
			bytes.set(from, at);
			at += part;
		}
		return bytes;
	}

	private scatter(segments: readonly Segment[], bytes: Uint8Array): boolean {
		let at = 0;
		for (const segment of segments) {
			if (at === bytes.length) break;
			const part = Math.min(segment.length, bytes.length - at);
			const to = this.host.ram(segment.address, part);
			if (!to) return false;
			to.set(bytes.subarray(at, at + part));
			this.host.ramWritten(segment.address, part);
			at += part;
		}
		return true;
	}

	/** Used ring: {u16 flags, u16 idx, {u32 id, u32 len}[]} (2.6.8). */
	private complete(head: number, written: number, size: number): boolean {
		const address = this.address(W.used);
		const used = this.view(address, 4 + 8 * size);
		if (!used) return false;
		const index = used.getUint16(2, true);
		const at = 4 + 8 * (index % size);
		used.setUint32(at, head, true);
		used.setUint32(at + 4, written, true);
		used.setUint16(2, (index + 1) & 0xffff, true);
		this.host.ramWritten(address, 4 + 8 * size);
		return true;
	}
}
