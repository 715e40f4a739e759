/**
 * virtio over MMIO with one queue: registers of version 2 (virtio 1.2, section 4.2.2) and of the legacy version 1
 * (section 4.2.4). The device says its id, features and configuration, and serves the chains.
 */
import { type Device, type DeviceHost, Registers, usualAccess } from "../device.ts";
import { type Chain, QueueError, Virtqueue } from "./virtqueue.ts";

export const MAGIC = 0x000;
export const VERSION = 0x004;
const DEVICE_ID = 0x008;
export const VENDOR_ID = 0x00c;
const DEVICE_FEATURES = 0x010;
const DEVICE_FEATURES_SEL = 0x014;
const DRIVER_FEATURES = 0x020;
const DRIVER_FEATURES_SEL = 0x024;
const GUEST_PAGE_SIZE = 0x028;
const QUEUE_SEL = 0x030;
const QUEUE_NUM_MAX = 0x034;
const QUEUE_NUM = 0x038;
const QUEUE_ALIGN = 0x03c;
const QUEUE_PFN = 0x040;
const QUEUE_READY = 0x044;
const QUEUE_NOTIFY = 0x050;
const INTERRUPT_STATUS = 0x060;
const INTERRUPT_ACK = 0x064;
const STATUS = 0x070;
const QUEUE_DESC = 0x080;
const QUEUE_DRIVER = 0x090;
const QUEUE_DEVICE = 0x0a0;
const CONFIG_GENERATION = 0x0fc;
const CONFIG = 0x100;

export const MAGIC_VALUE = 0x74726976;
export const VENDOR_VALUE = 0x554d4551;

const STATUS_DRIVER_OK = 0x04;
const STATUS_FEATURES_OK = 0x08;
const STATUS_NEEDS_RESET = 0x40;
const INTERRUPT_USED = 1;
const INTERRUPT_CONFIG = 2;

/** What QEMU offers too; drivers choose a smaller one. */
const queueNumMax = 1024;

// State area. The three ring addresses are 64-bit words.
const S_DEVICE_SEL = 0x00;
const S_DRIVER_SEL = 0x04;
const S_FEATURES = 0x08;
const S_QUEUE_SEL = 0x10;
const S_STATUS = 0x14;
const S_INTERRUPT = 0x18;
const S_PAGE_SIZE = 0x1c;
const S_NUM = 0x20;
const S_READY = 0x24;
const S_PFN = 0x28;
const S_ALIGN = 0x2c;
const S_DESC = 0x30;
const S_DRIVER = 0x38;
const S_DEVICE = 0x40;
const S_SEEN = 0x48;
const S_USED = 0x4c;
const S_NOTIFIED = 0x50;
/** 1: the driver broke the rules; nothing is served until it resets the device. */
const S_BROKEN = 0x54;
export const virtioStateBytes = 0x60;

/** The device proper. */
export interface VirtioBackend {
	readonly name: string;
	readonly deviceId: number;
	/** Feature bits besides VERSION_1. */
	readonly features: number;
	readonly config: Uint8Array;
	/** Serves one chain; returns the number of bytes written to it. Throws QueueError for a malformed request. */
	serve(chain: Chain): number;
}

interface VirtioConfig {
	readonly state: DataView;
	readonly irq: number;
	readonly version: 1 | 2;
}

export class VirtioMmio implements Device {
	readonly name: string;
	readonly access = usualAccess;
	private readonly s: Registers;

	constructor(
		private readonly host: DeviceHost,
		private readonly config: VirtioConfig,
		private readonly backend: VirtioBackend,
	) {
		this.name = backend.name;
		this.s = new Registers(config.state);
	}

	private reset(): void {
		this.s.clear();
		this.updateIrq();
	}

	read(offset: number, size: number): number {
		if (offset >= CONFIG) return this.readConfig(offset - CONFIG, size);
		// Registers are words (section 4.2.2.2); what else is tried reads as 0 and writes nothing, as in QEMU.
		if (size !== 4) return 0;
		const { s } = this;
		switch (offset) {
			case MAGIC:
				return MAGIC_VALUE;
			case VERSION:
				return this.config.version;
			case DEVICE_ID:
				return this.backend.deviceId;
			case VENDOR_ID:
				return VENDOR_VALUE;
			case DEVICE_FEATURES:
				return this.offered(s.get(S_DEVICE_SEL));
			case QUEUE_NUM_MAX:
				return s.get(S_QUEUE_SEL) === 0 ? queueNumMax : 0;
			case QUEUE_PFN:
				return this.legacy && this.selected ? s.get(S_PFN) : 0;
			case QUEUE_READY:
				return !this.legacy && this.selected ? s.get(S_READY) : 0;
			case INTERRUPT_STATUS:
				return s.get(S_INTERRUPT);
			case STATUS:
				return s.get(S_STATUS);
			case CONFIG_GENERATION:
				return 0; // The configuration never changes.
			default:
				return 0;
		}
	}

	write(offset: number, size: number, word: number): void {
		if (size !== 4 || offset >= CONFIG) return;
		const value = word >>> 0;
		const { s } = this;
		switch (offset) {
			case DEVICE_FEATURES_SEL:
				s.set(S_DEVICE_SEL, value);
				break;
			case DRIVER_FEATURES_SEL:
				s.set(S_DRIVER_SEL, value);
				break;
			case DRIVER_FEATURES:
				this.writeFeatures(value);
				break;
			case QUEUE_SEL:
				s.set(S_QUEUE_SEL, value);
				break;
			case QUEUE_NUM:
				if (this.selected && value <= queueNumMax) s.set(S_NUM, value);
				break;
			case QUEUE_NOTIFY:
				if (value !== 0) break;
				s.set(S_NOTIFIED, 1);
				this.host.requestSliceEnd();
				break;
			case INTERRUPT_ACK:
				s.set(S_INTERRUPT, s.get(S_INTERRUPT) & ~value);
				this.updateIrq();
				break;
			case STATUS:
				this.writeStatus(value & 0xff);
				break;
			default:
				if (this.legacy) this.writeLegacy(offset, value);
				else this.writeModern(offset, value);
		}
	}

	/** Serves everything that was made available before this slice end. */
	sliceEnd(): void {
		const { s } = this;
		if (!s.get(S_NOTIFIED)) return;
		s.set(S_NOTIFIED, 0);
		if (s.get(S_BROKEN) || !s.get(S_READY) || s.get(S_NUM) === 0 || !(s.get(S_STATUS) & STATUS_DRIVER_OK)) return;
		try {
			this.serve();
		} catch (error) {
			if (!(error instanceof QueueError)) throw error;
			this.refuse(error.message);
		}
	}

	private serve(): void {
		const { s } = this;
		const queue = new Virtqueue(this.host.memory, {
			size: s.get(S_NUM),
			descriptors: s.get64(S_DESC),
			available: s.get64(S_DRIVER),
			used: s.get64(S_DEVICE),
		});
		const count = queue.added(s.get(S_SEEN));
		for (let i = 0; i < count; i++) {
			const chain = queue.chain(s.get(S_SEEN));
			s.set(S_SEEN, (s.get(S_SEEN) + 1) & 0xffff);
			const written = this.backend.serve(chain);
			queue.push(s.get(S_USED), chain.head, written);
			s.set(S_USED, (s.get(S_USED) + 1) & 0xffff);
		}
		if (count > 0 && queue.wantsInterrupt) this.raise(INTERRUPT_USED);
	}

	/** Virtio 1.2, section 2.1.2: a device in an unrecoverable state says DEVICE_NEEDS_RESET. */
	private refuse(text: string): void {
		this.s.set(S_BROKEN, 1);
		this.host.guestError(`${this.name}: ${text}`);
		if (this.legacy) return;
		this.s.set(S_STATUS, this.s.get(S_STATUS) | STATUS_NEEDS_RESET);
		this.raise(INTERRUPT_CONFIG);
	}

	private raise(bit: number): void {
		this.s.set(S_INTERRUPT, this.s.get(S_INTERRUPT) | bit);
		this.updateIrq();
	}

	private updateIrq(): void {
		this.host.setIrqLevel(this.config.irq, this.s.get(S_INTERRUPT) !== 0);
	}

	private get legacy(): boolean {
		return this.config.version === 1;
	}

	private get selected(): boolean {
		return this.s.get(S_QUEUE_SEL) === 0;
	}

	/** Word 1 holds VIRTIO_F_VERSION_1, bit 32. */
	private offered(word: number): number {
		if (word === 0) return this.backend.features;
		return word === 1 && !this.legacy ? 1 : 0;
	}

	private writeFeatures(value: number): void {
		const word = this.s.get(S_DRIVER_SEL);
		if (word < 2 && !(this.s.get(S_STATUS) & STATUS_FEATURES_OK)) this.s.set(S_FEATURES + 4 * word, value);
	}

	private writeStatus(value: number): void {
		const { s } = this;
		if (value === 0) {
			this.reset();
			return;
		}
		// Features that were not offered are refused by keeping FEATURES_OK clear (section 3.1.1, step 5).
		const refused = (s.get(S_FEATURES) & ~this.offered(0)) | (s.get(S_FEATURES + 4) & ~this.offered(1));
		const accepted = refused && !this.legacy ? value & ~STATUS_FEATURES_OK : value;
		s.set(S_STATUS, accepted | (s.get(S_STATUS) & STATUS_NEEDS_RESET));
	}

	private writeModern(offset: number, value: number): void {
		const { s } = this;
		if (!this.selected) return;
		const address = { [QUEUE_DESC]: S_DESC, [QUEUE_DRIVER]: S_DRIVER, [QUEUE_DEVICE]: S_DEVICE }[offset & ~4];
		if (address !== undefined) s.set(address + (offset & 4), value);
		else if (offset === QUEUE_READY) {
			s.set(S_READY, value & 1);
			if (!(value & 1)) this.forgetQueue();
		}
	}

	private writeLegacy(offset: number, value: number): void {
		const { s } = this;
		switch (offset) {
			case GUEST_PAGE_SIZE:
				s.set(S_PAGE_SIZE, value);
				break;
			case QUEUE_ALIGN:
				if (this.selected) s.set(S_ALIGN, value);
				break;
			case QUEUE_PFN:
				if (!this.selected) break;
				if (value === 0) this.reset();
				else this.placeLegacyQueue(value);
				break;
		}
	}

	/** Section 2.7.2: descriptors, available ring, then the used ring at the next multiple of the alignment. */
	private placeLegacyQueue(pfn: number): void {
		const { s } = this;
		const size = BigInt(s.get(S_NUM));
		const align = BigInt(s.get(S_ALIGN) || 4096);
		const descriptors = BigInt(pfn) * BigInt(s.get(S_PAGE_SIZE) || 4096);
		const available = descriptors + 16n * size;
		const end = available + 4n + 2n * size;
		s.set(S_PFN, pfn);
		s.set64(S_DESC, descriptors);
		s.set64(S_DRIVER, available);
		s.set64(S_DEVICE, ((end + align - 1n) / align) * align);
		s.set(S_READY, 1);
	}

	private forgetQueue(): void {
		this.s.set(S_SEEN, 0);
		this.s.set(S_USED, 0);
	}

	private readConfig(offset: number, size: number): number {
		// As QEMU: past the end, all ones.
		if (offset + size > this.backend.config.length) return 0xffffffff;
		let value = 0;
		for (let i = size - 1; i >= 0; i--) value = (value << 8) | (this.backend.config[offset + i] as number);
		return value >>> 0;
	}
}
