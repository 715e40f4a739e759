import {
	ethernetHeader,
	etherTypes,
	ipText,
	macText,
	parseArp,
	parseDnsQuery,
	parseIp,
	parseUdp,
	protocols,
} from "./frames.ts";

const mostText = 48;

/** A frame in words, one line for each layer. */
export function describeFrame(frame: Uint8Array): readonly string[] {
	if (frame.length < ethernetHeader) return [`${frame.length} bytes: less than an Ethernet header`];
	const type = ((frame[12] as number) << 8) | (frame[13] as number);
	const ethernet = `Ethernet ${macText(frame.subarray(6, 12))} → ${macText(frame.subarray(0, 6))}, type 0x${type.toString(16).padStart(4, "0")}`;
	const payload = frame.subarray(ethernetHeader);
	if (type === etherTypes.arp) return [ethernet, describeArp(payload)];
	return type === etherTypes.ip ? [ethernet, ...describeIp(payload)] : [ethernet];
}

function describeArp(bytes: Uint8Array): string {
	const arp = parseArp(bytes);
	if (!arp) return "ARP, not for IPv4 over Ethernet";
	const { operation, fromIp, fromMac, toIp } = arp;
	return operation === "request"
		? `ARP request: who has ${ipText(toIp)}? Tell ${ipText(fromIp)}`
		: `ARP reply: ${ipText(fromIp)} is at ${macText(fromMac)}`;
}

function describeIp(bytes: Uint8Array): readonly string[] {
	const packet = parseIp(bytes);
	if (typeof packet === "string") return [`IPv4: ${packet}`];
	const { from, to, protocol, payload } = packet;
	const ip = `IPv4 ${ipText(from)} → ${ipText(to)}, protocol ${protocol}`;
	if (protocol === protocols.icmp) {
		const kinds: Readonly<Record<number, string>> = { 0: "echo reply", 8: "echo request" };
		return [ip, `ICMP ${kinds[payload[0] ?? -1] ?? `type ${payload[0]}`}, ${payload.length} bytes`];
	}
	if (protocol !== protocols.udp) return [ip];
	const udp = parseUdp(packet);
	if (typeof udp === "string") return [ip, `UDP: ${udp}`];
	const layers = [ip, `UDP ${udp.fromPort} → ${udp.toPort}, ${udp.payload.length} bytes`];
	const name = udp.toPort === 53 ? parseDnsQuery(udp.payload)?.name : undefined;
	return [...layers, name === undefined ? textOf(udp.payload) : `DNS query for ${name}`];
}

/** Printable letters, the others as dots. */
function textOf(bytes: Uint8Array): string {
	const letters = [...bytes.subarray(0, mostText)].map((byte) =>
		byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
	);
	return `"${letters.join("")}${bytes.length > mostText ? "…" : ""}"`;
}
