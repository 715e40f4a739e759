// The board: QEMU's `virt` machine (hw/riscv/virt.c) as far as xv6, OpenSBI and U-Boot use it, and how it is wired. The map of
// addresses and interrupts is in virtBoard.ts; RAM, boot ROM, CLINT and PLIC are in the core.

import * as layout from "./core/layout.ts";
import type { CoreExports, CoreImports } from "./coreAbi.ts";
import { type Device, type DeviceHost, StateAllocator } from "./device.ts";
import type { E1000 } from "./devices/e1000.ts";
import { GoldfishRtc, rtcStateBytes } from "./devices/goldfishRtc.ts";
import { networkDevices } from "./devices/networkCard.ts";
import { finisherStateBytes, TestFinisher } from "./devices/testFinisher.ts";
import { Uart16550, uartStateBytes } from "./devices/uart16550.ts";
import { type DiskListener, VirtioBlock } from "./devices/virtioBlock.ts";
import { VirtioEmptySlot } from "./devices/virtioEmptySlot.ts";
import { VirtioMmio, virtioStateBytes } from "./devices/virtioMmio.ts";
import type { Piece } from "./devices/virtqueue.ts";
import type { Network } from "./network/network.ts";
import type { Datagram, NetworkOptions } from "./network/types.ts";
import { board as map } from "./virtBoard.ts";

interface BoardParts {
	readonly memory: WebAssembly.Memory;
	readonly ramBytes: number;
	/** Disk images in linear memory, by slot; undefined: the slot is empty. */
	readonly disks: readonly (Piece | undefined)[];
	readonly virtio: "modern" | "legacy";
	/** Seconds since 1970 at power-on; undefined: there is no real-time clock. */
	readonly rtc: number | undefined;
	/** Undefined: there is no PCIe bridge and no card. */
	readonly network: NetworkOptions | undefined;
	onPacket(fromGuest: boolean, frame: Uint8Array): void;
	onPeerOutput(line: string): void;
	onDatagram(datagram: Datagram): void;
	/** Both ends of the serial line. */
	transmit(byte: number): void;
	nextByte(): number | undefined;
	/** The guest asked for it; the run stops. */
	onRestart(): void;
	/** Said once for each text. */
	onGuestError(text: string): void;
	core(): CoreExports;
}

/** Different texts of guest errors that are told; a driver that goes wild has said enough by then. */
const guestErrorsMax = 20;

type Callbacks = Pick<CoreImports["env"], "deviceRead" | "deviceWrite" | "deviceTick">;

export class Board {
	readonly bytes: Uint8Array;
	private readonly view: DataView;
	private readonly devices: Device[] = [];
	private readonly said = new Set<string>();
	private wired: TestFinisher | undefined;
	/** Of the disk in slot 0. */
	readonly diskListeners = new Set<DiskListener>();
	/** Undefined: the machine has no card. */
	network: Network | undefined;
	card: E1000 | undefined;

	constructor(private readonly parts: BoardParts) {
		this.bytes = new Uint8Array(parts.memory.buffer);
		this.view = new DataView(parts.memory.buffer);
	}

	/** What the core calls. */
	readonly callbacks: Callbacks = {
		deviceRead: (id, offset, size) => (this.devices[id] as Device).read(offset, size) | 0,
		deviceWrite: (id, offset, size, value) => (this.devices[id] as Device).write(offset, size, value >>> 0),
		deviceTick: () => {
			for (const each of this.devices) each.sliceEnd?.();
		},
	};

	/** Puts the devices into the core's map, after `initialize`. The order is part of the snapshot format. */
	wire(): void {
		const { parts } = this;
		const allocator = new StateAllocator(parts.memory);
		const host = this.host();
		const { uart, virtio, testFinisher } = map;
		const serial = new Uart16550(host, {
			irq: uart.irq,
			state: allocator.take(uartStateBytes),
			onByte: (byte) => parts.transmit(byte),
			nextByte: () => parts.nextByte(),
		});
		this.add(serial, uart.base, uart.registers);
		const version = parts.virtio === "legacy" ? 1 : 2;
		// Taken without a disk, too: its place is part of the format.
		const firstState = allocator.take(virtioStateBytes);
		for (let slot = 0; slot < virtio.slots; slot++) {
			const base = virtio.base + slot * virtio.size;
			const disk = parts.disks[slot];
			if (!disk) {
				this.add(new VirtioEmptySlot(version), base, virtio.registers);
				continue;
			}
			const state = slot === 0 ? firstState : allocator.take(virtioStateBytes);
			const config = { irq: virtio.firstIrq + slot, state, version } as const;
			const listeners = slot === 0 ? this.diskListeners : new Set<DiskListener>();
			this.add(new VirtioMmio(host, config, new VirtioBlock(host.memory, disk, listeners)), base, virtio.registers);
		}
		this.wired = new TestFinisher({
			state: allocator.take(finisherStateBytes),
			onHalt: () => parts.core().requestStop(),
			onRestart: () => {
				parts.onRestart();
				parts.core().requestStop();
			},
		});
		this.add(this.wired, testFinisher.base, testFinisher.size);
		if (parts.rtc !== undefined) {
			const { irq, base, registers } = map.rtc;
			const config = { irq, state: allocator.take(rtcStateBytes), start: parts.rtc, ...this.clock };
			this.add(new GoldfishRtc(host, config), base, registers);
		}
		if (parts.network) this.wireNetwork(host, allocator, parts.network);
	}

	/** Last, so that machines without a card have the same state as ever. */
	private wireNetwork(host: DeviceHost, allocator: StateAllocator, options: NetworkOptions): void {
		const { parts } = this;
		const { devices, network, card } = networkDevices({
			host,
			allocator,
			options,
			isCompleted: (irq) => {
				const word = (irq >>> 5) * 4;
				const waits = [layout.PLIC_PENDING, layout.PLIC_CLAIMED].map((place) =>
					this.view.getUint32(place + word, true),
				);
				return waits.every((bits) => ((bits >>> (irq & 31)) & 1) === 0);
			},
			...this.clock,
			packet: (fromGuest, frame) => parts.onPacket(fromGuest, frame),
			peerSays: (line) => parts.onPeerOutput(line),
			datagram: (datagram) => parts.onDatagram(datagram),
		});
		this.network = network;
		this.card = card;
		for (const { device, base, size } of devices) this.add(device, base, size);
	}

	private readonly clock = {
		now: () => this.time,
		wakeAt: (time: bigint) => {
			const { view } = this;
			if (time < view.getBigUint64(layout.M_DEVICE_TIME, true)) view.setBigUint64(layout.M_DEVICE_TIME, time, true);
		},
	};

	/** mtime, in ticks of 10 MHz. */
	get time(): bigint {
		return this.view.getBigUint64(layout.M_TIME, true);
	}

	get finisher(): TestFinisher {
		return this.wired as TestFinisher;
	}

	/** Something waits for the devices at the next slice end. */
	requestSliceEnd(): void {
		this.view.setUint32(layout.M_DEVICE_WORK, 1, true);
	}

	/** Before linear bytes of RAM or disk change other than by a hart's stores; and after. */
	writing(offset: number, length: number): void {
		if (length > 0) this.parts.core().ramWriting(...pagesOf(offset, length));
	}

	written(offset: number, length: number): void {
		if (length > 0) this.parts.core().ramWritten(...pagesOf(offset, length));
	}

	/** Puts bytes into guest RAM. */
	put(physical: bigint, bytes: Uint8Array): void {
		const offset = layout.RAM_BASE + Number(physical - BigInt(map.ram.base));
		this.writing(offset, bytes.length);
		this.bytes.set(bytes, offset);
		this.written(offset, bytes.length);
	}

	private add(device: Device, base: number, size: number): void {
		this.devices.push(device);
		this.parts.core().addDevice(BigInt(base), BigInt(size), this.devices.length - 1, device.access);
	}

	private host(): DeviceHost {
		const { parts } = this;
		const accessed = (offset: number, length: number, writes: number) => {
			if (this.view.getUint32(layout.T_WATCHPOINT_COUNT, true) !== 0) {
				parts.core().deviceAccessed(offset, length, writes);
			}
		};
		return {
			memory: {
				bytes: this.bytes,
				view: this.view,
				locate: (physical, length) => {
					const pointer = parts.core().ramPointer(BigInt.asIntN(64, physical), length) >>> 0;
					return pointer === 0 ? undefined : pointer;
				},
				writing: (offset, length) => this.writing(offset, length),
				written: (offset, length) => {
					this.written(offset, length);
					accessed(offset, length, 1);
				},
				wasRead: (offset, length) => accessed(offset, length, 0),
			},
			setIrqLevel: (irq, level) => parts.core().setIrqLevel(irq, level ? 1 : 0),
			requestSliceEnd: () => this.requestSliceEnd(),
			guestError: (text) => {
				if (this.said.has(text) || this.said.size >= guestErrorsMax) return;
				this.said.add(text);
				parts.onGuestError(text);
			},
		};
	}
}

/** First linear page and number of pages of a range that is not empty. */
function pagesOf(offset: number, length: number): [number, number] {
	const page = Math.floor(offset / layout.PAGE_SIZE);
	return [page, Math.floor((offset + length - 1) / layout.PAGE_SIZE) - page + 1];
}
