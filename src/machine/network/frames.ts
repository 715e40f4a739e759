/** Ethernet, ARP, IPv4, UDP, ICMP and DNS as bytes (RFC 826, 791, 768, 792, 1035). All numbers in network order. */

export const etherTypes = { ip: 0x0800, arp: 0x0806 } as const;
export const protocols = { icmp: 1, udp: 17 } as const;

export const broadcast = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

type Mac = Uint8Array;
/** As one number: 10.0.2.15 is 0x0a00020f. */
export type Ip = number;

export const ipOf = (text: string): Ip => text.split(".").reduce((ip, part) => ip * 256 + Number(part), 0);
export const ipText = (ip: Ip) => [24, 16, 8, 0].map((shift) => (ip >>> shift) & 255).join(".");
export const macText = (mac: Uint8Array) => [...mac].map((byte) => byte.toString(16).padStart(2, "0")).join(":");

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const ethernetHeader = 14;

export function ethernet(to: Mac, from: Mac, type: number, payload: Uint8Array): Uint8Array {
	const frame = new Uint8Array(ethernetHeader + payload.length);
	frame.set(to);
	frame.set(from, 6);
	view(frame).setUint16(12, type);
	frame.set(payload, ethernetHeader);
	return frame;
}

interface Arp {
	readonly operation: "request" | "reply";
	readonly fromMac: Mac;
	readonly fromIp: Ip;
	readonly toMac: Mac;
	readonly toIp: Ip;
}

const arpBytes = 28;

export function arp({ operation, fromMac, fromIp, toMac, toIp }: Arp): Uint8Array {
	const bytes = new Uint8Array(arpBytes);
	const words = view(bytes);
	words.setUint16(0, 1);
	words.setUint16(2, etherTypes.ip);
	bytes[4] = 6;
	bytes[5] = 4;
	words.setUint16(6, operation === "request" ? 1 : 2);
	bytes.set(fromMac, 8);
	words.setUint32(14, fromIp);
	bytes.set(toMac, 18);
	words.setUint32(24, toIp);
	return bytes;
}

/** Undefined: it is no ARP for IPv4 over Ethernet. */
export function parseArp(bytes: Uint8Array): Arp | undefined {
	if (bytes.length < arpBytes) return undefined;
	const words = view(bytes);
	const operation = words.getUint16(6);
	if (words.getUint32(0) !== 0x00010800 || words.getUint16(4) !== 0x0604 || operation < 1 || operation > 2)
		return undefined;
	return {
		operation: operation === 1 ? "request" : "reply",
		fromMac: bytes.slice(8, 14),
		fromIp: words.getUint32(14),
		toMac: bytes.slice(18, 24),
		toIp: words.getUint32(24),
	};
}

/** One's complement sum of 16-bit words, folded and inverted (RFC 1071). */
export function internetChecksum(parts: readonly Uint8Array[]): number {
	let sum = 0;
	for (const part of parts) {
		for (let i = 0; i < part.length; i += 2) sum += ((part[i] as number) << 8) | (part[i + 1] ?? 0);
	}
	while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
	return ~sum & 0xffff;
}

interface IpPacket {
	readonly from: Ip;
	readonly to: Ip;
	readonly protocol: number;
	readonly payload: Uint8Array;
}

const ipHeader = 20;

export function ipPacket({ from, to, protocol, payload }: IpPacket, id: number, ttl = 64): Uint8Array {
	const bytes = new Uint8Array(ipHeader + payload.length);
	const words = view(bytes);
	bytes[0] = 0x45;
	words.setUint16(2, bytes.length);
	words.setUint16(4, id);
	bytes[8] = ttl;
	bytes[9] = protocol;
	words.setUint32(12, from);
	words.setUint32(16, to);
	words.setUint16(10, internetChecksum([bytes.subarray(0, ipHeader)]));
	bytes.set(payload, ipHeader);
	return bytes;
}

/** A text: what is wrong with it. */
export function parseIp(bytes: Uint8Array): IpPacket | string {
	if (bytes.length < ipHeader) return `its IPv4 header has ${bytes.length} of 20 bytes`;
	const words = view(bytes);
	const version = (bytes[0] as number) >> 4;
	if (version !== 4) return `its IP version is ${version}, not 4`;
	const header = 4 * ((bytes[0] as number) & 15);
	const length = words.getUint16(2);
	if (header < ipHeader || header > bytes.length) return `its IPv4 header length is ${header} bytes`;
	if (length < header || length > bytes.length)
		return `its IPv4 length is ${length}, but ${bytes.length} bytes were sent`;
	if (internetChecksum([bytes.subarray(0, header)]) !== 0) return "its IPv4 header checksum is wrong";
	return {
		from: words.getUint32(12),
		to: words.getUint32(16),
		protocol: bytes[9] as number,
		payload: bytes.slice(header, length),
	};
}

interface Udp {
	readonly fromPort: number;
	readonly toPort: number;
	readonly payload: Uint8Array;
}

const udpHeader = 8;

function pseudoHeader(from: Ip, to: Ip, length: number): Uint8Array {
	const bytes = new Uint8Array(12);
	const words = view(bytes);
	words.setUint32(0, from);
	words.setUint32(4, to);
	words.setUint16(8, protocols.udp);
	words.setUint16(10, length);
	return bytes;
}

export function udp({ fromPort, toPort, payload }: Udp, from: Ip, to: Ip): Uint8Array {
	const bytes = new Uint8Array(udpHeader + payload.length);
	const words = view(bytes);
	words.setUint16(0, fromPort);
	words.setUint16(2, toPort);
	words.setUint16(4, bytes.length);
	bytes.set(payload, udpHeader);
	// 0 means that there is no sum (RFC 768).
	words.setUint16(6, internetChecksum([pseudoHeader(from, to, bytes.length), bytes]) || 0xffff);
	return bytes;
}

/** A text: what is wrong with it. */
export function parseUdp({ from, to, payload: bytes }: IpPacket): Udp | string {
	if (bytes.length < udpHeader) return `its UDP header has ${bytes.length} of 8 bytes`;
	const words = view(bytes);
	const length = words.getUint16(4);
	if (length < udpHeader || length > bytes.length)
		return `its UDP length is ${length}, but the packet has ${bytes.length} bytes for it`;
	const whole = bytes.slice(0, length);
	if (words.getUint16(6) !== 0 && internetChecksum([pseudoHeader(from, to, length), whole]) !== 0) {
		return "its UDP checksum is wrong";
	}
	return { fromPort: words.getUint16(0), toPort: words.getUint16(2), payload: whole.slice(udpHeader) };
}

const icmpEchoRequest = 8;

/** The reply to an echo request; undefined: it is something else. */
export function icmpEchoReply(payload: Uint8Array): Uint8Array | undefined {
	if (payload.length < 8 || payload[0] !== icmpEchoRequest || internetChecksum([payload]) !== 0) return undefined;
	const reply = payload.slice();
	reply[0] = 0;
	view(reply).setUint16(2, 0);
	view(reply).setUint16(2, internetChecksum([reply]));
	return reply;
}

interface DnsQuestion {
	/** In lower case, without a final dot. */
	readonly name: string;
	/** The question as it stands, to be repeated in the answer. */
	readonly bytes: Uint8Array;
	/** It asks for an IPv4 address (type A, class IN). */
	readonly isAddress: boolean;
}

const dnsHeader = 12;

/** The question of a query with exactly one; undefined: it is none. */
export function parseDnsQuery(bytes: Uint8Array): DnsQuestion | undefined {
	if (bytes.length < dnsHeader) return undefined;
	const words = view(bytes);
	if (words.getUint16(2) & 0x8000 || words.getUint16(4) !== 1) return undefined;
	const labels: string[] = [];
	let at = dnsHeader;
	for (;;) {
		const length = bytes[at];
		if (length === undefined || length > 63) return undefined;
		at++;
		if (length === 0) break;
		if (at + length > bytes.length) return undefined;
		labels.push(String.fromCharCode(...bytes.subarray(at, at + length)).toLowerCase());
		at += length;
	}
	if (at + 4 > bytes.length) return undefined;
	return {
		name: labels.join("."),
		bytes: bytes.slice(dnsHeader, at + 4),
		isAddress: words.getUint16(at) === 1 && words.getUint16(at + 2) === 1,
	};
}

/** One A record, its name as a pointer to the question; `address` undefined: there is no such name. */
export function dnsAnswer(query: Uint8Array, question: DnsQuestion, address: Ip | undefined): Uint8Array {
	const record = new Uint8Array(address === undefined ? 0 : 16);
	if (address !== undefined) {
		const words = view(record);
		words.setUint16(0, 0xc000 | dnsHeader);
		words.setUint16(2, 1);
		words.setUint16(4, 1);
		words.setUint32(6, 1800);
		words.setUint16(10, 4);
		words.setUint32(12, address);
	}
	const bytes = new Uint8Array(dnsHeader + question.bytes.length + record.length);
	const words = view(bytes);
	words.setUint16(0, view(query).getUint16(0));
	// Response, recursion desired and available; 3: no such name.
	words.setUint16(2, 0x8180 | (address === undefined ? 3 : 0));
	words.setUint16(4, 1);
	words.setUint16(6, address === undefined ? 0 : 1);
	bytes.set(question.bytes, dnsHeader);
	bytes.set(record, dnsHeader + question.bytes.length);
	return bytes;
}
