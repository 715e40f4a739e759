import type { NetworkPacket } from "./types.ts";

/** A capture file (pcap 2.4, microseconds, little endian) as tcpdump and Wireshark read it; times are the guest's. */
export function pcapHeader(): Uint8Array {
	const view = new DataView(new ArrayBuffer(24));
	view.setUint32(0, 0xa1b2c3d4, true);
	view.setUint16(4, 2, true);
	view.setUint16(6, 4, true);
	// The most bytes of a packet, and the link type Ethernet.
	view.setUint32(16, 65536, true);
	view.setUint32(20, 1, true);
	return new Uint8Array(view.buffer);
}

export function pcapRecord({ time, frame }: NetworkPacket): Uint8Array {
	const record = new Uint8Array(16 + frame.length);
	const view = new DataView(record.buffer);
	view.setUint32(0, Number(time / 10_000_000n), true);
	view.setUint32(4, Number((time % 10_000_000n) / 10n), true);
	view.setUint32(8, frame.length, true);
	view.setUint32(12, frame.length, true);
	record.set(frame, 16);
	return record;
}
