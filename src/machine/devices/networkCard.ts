import type { Device, DeviceHost, StateAllocator } from "../device.ts";
import { Network, networkStateBytes } from "../network/network.ts";
import type { Datagram, NetworkOptions } from "../network/types.ts";
import { board } from "../virtBoard.ts";
import { E1000, e1000StateBytes } from "./e1000.ts";
import { PcieHost, pcieStateBytes } from "./pcieHost.ts";

const mac = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);

interface NetworkCardParts {
	readonly host: DeviceHost;
	readonly allocator: StateAllocator;
	readonly options: NetworkOptions;
	/** Source of the PLIC: neither pending nor claimed. */
	isCompleted(irq: number): boolean;
	now(): bigint;
	wakeAt(time: bigint): void;
	packet(fromGuest: boolean, frame: Uint8Array): void;
	peerSays(line: string): void;
	datagram(datagram: Datagram): void;
}

interface NetworkDevices {
	/** In the order of their places on the board. */
	readonly devices: readonly { readonly device: Device; readonly base: number; readonly size: number }[];
	readonly network: Network;
	readonly card: E1000;
}

/** The card on its bridge, and the network at its other end. */
export function networkDevices(parts: NetworkCardParts): NetworkDevices {
	const { host, allocator, options } = parts;
	const card: E1000 = new E1000(host, {
		state: allocator.take(e1000StateBytes),
		mac,
		setLine: (level) => host.setIrqLevel(board.pcie.cardIrq, level),
		isCompleted: () => parts.isCompleted(board.pcie.cardIrq),
		now: () => parts.now(),
		transmit: (frame) => network.receive(frame),
		onRoom: () => host.requestSliceEnd(),
	});
	const bridge = new PcieHost(allocator.take(pcieStateBytes), card);
	const network = new Network(allocator.take(networkStateBytes), options, {
		now: () => parts.now(),
		wakeAt: (time) => parts.wakeAt(time),
		deliver: (frame) => card.receive(frame),
		packet: (fromGuest, frame) => parts.packet(fromGuest, frame),
		peerSays: (line) => parts.peerSays(line),
		datagram: (datagram) => parts.datagram(datagram),
		guestError: (text) => host.guestError(text),
	});
	const window: Device = { ...bridge.window, sliceEnd: () => network.tick() };
	const { ecam, ecamSize, memory, memorySize } = board.pcie;
	const devices = [
		{ device: bridge.configuration, base: ecam, size: ecamSize },
		{ device: window, base: memory, size: memorySize },
	];
	return { devices, network, card };
}
