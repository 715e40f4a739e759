import { utf8 } from "../../common/bytes.ts";
import { Registers } from "../device.ts";
import {
	arp,
	broadcast,
	dnsAnswer,
	ethernet,
	ethernetHeader,
	etherTypes,
	type Ip,
	icmpEchoReply,
	ipOf,
	ipPacket,
	ipText,
	parseArp,
	parseDnsQuery,
	parseIp,
	parseUdp,
	protocols,
	udp,
} from "./frames.ts";
import { PacketQueue } from "./packetQueue.ts";
import type { Datagram, NetworkOptions } from "./types.ts";

/** As QEMU's user network (slirp) numbers it. */
const guestIp = ipOf("10.0.2.15");
const gatewayIp = ipOf("10.0.2.2");
const nameServerIp = ipOf("10.0.2.3");
const gatewayMac = Uint8Array.of(0x52, 0x55, 0x0a, 0x00, 0x02, 0x02);
const subnet = ipOf("10.0.2.0");

const dnsPort = 53;
/** The one name that the labs ask for. */
const wellKnown: Readonly<Record<string, string>> = { "pdos.csail.mit.edu": "128.52.129.126" };

/** From a packet of the guest to its answer: 100 µs of guest time, as a near host needs. */
const answerTicks = 1000n;
/** A packet whose receiver does not answer ARP is dropped after a second. */
const arpPatience = 10_000_000n;
/** From the guest's answer to ARP to the packets that have waited for it: 10 ms, as with slirp, long after the driver's interrupt has ended. */
const resolvedTicks = 100_000n;
/** slirp sends a ping back with the longest life. */
const reflectedTtl = 255;
/** Ethernet's smallest frame, without its check sequence. */
const smallestFrame = 60;
/** Ports of the peer's own sockets are chosen by its system. */
const peerOwnPort = 49_152;
const greeting = utf8("this is the host!");
const rxonePort = 2001;

const S_GUEST_MAC = 0;
/** 1: the guest's MAC is known. */
const S_MAC_KNOWN = 8;
const S_ARP_ASKED = 12;
const S_IP_ID = 16;
/** The peer `nettest`: 1 after the first payload. */
const S_STAGE = 20;
/** When the guest is sent what has waited for its address. */
const S_RESOLVED = 24;
const S_QUEUE = 32;
/** Room for the answers to a burst of 257 small packets, as the labs send it, with the guest not receiving. */
export const networkStateBytes = 40 * 1024;

interface NetworkHost {
	/** mtime. */
	now(): bigint;
	/** Something is due at this time. */
	wakeAt(time: bigint): void;
	/** Into the card. False: it has no room, or does not receive; it calls back when it may. */
	deliver(frame: Uint8Array): boolean;
	packet(fromGuest: boolean, frame: Uint8Array): void;
	peerSays(line: string): void;
	datagram(datagram: Datagram): void;
	guestError(text: string): void;
}

/**
 * The other end of the wire: a gateway with a peer program, a name server, ARP and ping. All of its state is the machine's, and all
 * of its time the guest's, so a run with a network repeats like any other.
 */
export class Network {
	private readonly s: Registers;
	private readonly bytes: Uint8Array;
	private readonly queue: PacketQueue;

	constructor(
		state: DataView,
		private readonly options: NetworkOptions,
		private readonly host: NetworkHost,
	) {
		this.s = new Registers(state);
		this.bytes = new Uint8Array(state.buffer, state.byteOffset, S_QUEUE);
		this.queue = new PacketQueue(new DataView(state.buffer, state.byteOffset + S_QUEUE, networkStateBytes - S_QUEUE));
	}

	/** A frame that the guest sent. */
	receive(frame: Uint8Array): void {
		this.host.packet(true, frame);
		if (frame.length < ethernetHeader) {
			this.refuse(`it has ${frame.length} bytes, an Ethernet header alone has 14`);
			return;
		}
		const type = ((frame[12] as number) << 8) | (frame[13] as number);
		const payload = frame.subarray(ethernetHeader);
		if (type === etherTypes.arp) this.receiveArp(payload);
		else if (type === etherTypes.ip) this.receiveIp(payload);
		else this.refuse(`its type is 0x${type.toString(16).padStart(4, "0")}, neither IPv4 (0x0800) nor ARP (0x0806)`);
		this.arm();
	}

	/** A datagram of the host's. */
	fromHost({ hostPort, guestPort, payload }: Datagram): void {
		this.sendUdp(gatewayIp, hostPort, guestIp, guestPort, payload);
		this.arm();
	}

	/** Gives the card what is due. */
	tick(): void {
		const { queue, host } = this;
		while (!queue.isEmpty && queue.due <= host.now()) {
			const frame = queue.first;
			const isArp = frame[12] === 0x08 && frame[13] === 0x06;
			if (!isArp && !this.s.get(S_MAC_KNOWN)) {
				if (host.now() < queue.due + arpPatience) break;
				queue.drop();
				this.s.set(S_ARP_ASKED, 0);
				continue;
			}
			if (!isArp && host.now() < this.s.get64(S_RESOLVED)) break;
			if (!isArp) frame.set(this.bytes.subarray(S_GUEST_MAC, S_GUEST_MAC + 6));
			if (!host.deliver(frame)) return;
			host.packet(false, frame);
			queue.drop();
		}
		this.arm();
	}

	private arm(): void {
		const { queue, host } = this;
		if (queue.isEmpty) return;
		if (queue.due > host.now()) host.wakeAt(queue.due);
		else if (!this.s.get(S_MAC_KNOWN)) host.wakeAt(queue.due + arpPatience);
		else if (this.s.get64(S_RESOLVED) > host.now()) host.wakeAt(this.s.get64(S_RESOLVED));
	}

	private refuse(why: string): void {
		this.host.guestError(`network: the guest sent a packet that nobody takes: ${why}`);
	}

	private receiveArp(bytes: Uint8Array): void {
		const request = parseArp(bytes);
		if (!request) {
			this.refuse("it is no ARP for IPv4 over Ethernet");
			return;
		}
		const { operation, fromMac, fromIp, toIp } = request;
		if (fromIp === guestIp) {
			this.bytes.set(fromMac, S_GUEST_MAC);
			if (this.s.get(S_ARP_ASKED) && !this.s.get(S_MAC_KNOWN))
				this.s.set64(S_RESOLVED, this.host.now() + resolvedTicks);
			this.s.set(S_MAC_KNOWN, 1);
		}
		if (operation !== "request" || (toIp !== gatewayIp && toIp !== nameServerIp)) return;
		const reply = arp({ operation: "reply", fromMac: gatewayMac, fromIp: toIp, toMac: fromMac, toIp: fromIp });
		this.put(ethernet(fromMac, gatewayMac, etherTypes.arp, reply));
	}

	private receiveIp(bytes: Uint8Array): void {
		const packet = parseIp(bytes);
		if (typeof packet === "string") {
			this.refuse(packet);
			return;
		}
		const { from, to, protocol, payload } = packet;
		if (protocol === protocols.icmp) {
			const reply = icmpEchoReply(payload);
			if (reply && isNear(to)) this.send(to, from, protocol, reply, reflectedTtl);
			return;
		}
		if (protocol !== protocols.udp) {
			this.refuse(`its protocol is ${protocol}; this network has UDP (17) and ICMP (1)`);
			return;
		}
		const datagram = parseUdp(packet);
		if (typeof datagram === "string") {
			this.refuse(datagram);
			return;
		}
		const { fromPort, toPort } = datagram;
		const answer = (data: Uint8Array) => this.sendUdp(to, toPort, from, fromPort, data);
		if (toPort === dnsPort) this.answerName(datagram.payload, answer);
		else if (to === gatewayIp && this.options.peer === "host") {
			this.host.datagram({ hostPort: toPort, guestPort: fromPort, payload: datagram.payload });
		} else if (to === gatewayIp && (this.options.port === undefined || this.options.port === toPort)) {
			this.answerPeer(datagram.payload, from, answer);
		} else this.refuse(`nobody listens at ${ipText(to)}:${toPort}`);
	}

	private answerName(query: Uint8Array, answer: (data: Uint8Array) => void): void {
		const question = parseDnsQuery(query);
		if (!question) {
			this.refuse("it is no DNS query with one question");
			return;
		}
		const names = { ...wellKnown, ...this.options.names };
		const address = Object.hasOwn(names, question.name) && question.isAddress ? names[question.name] : undefined;
		answer(dnsAnswer(query, question, address === undefined ? undefined : ipOf(address)));
	}

	private answerPeer(payload: Uint8Array, guest: Ip, answer: (data: Uint8Array) => void): void {
		const { peer } = this.options;
		if (peer === "greeting") {
			if (payload.length > 0) answer(greeting);
			return;
		}
		if (peer === "nettest" && this.s.get(S_STAGE) === 0) {
			this.s.set(S_STAGE, 1);
			const text = new TextDecoder("latin1").decode(payload);
			this.host.peerSays(text === "txone" ? "txone: OK" : `txone: received incorrect payload b'${text}'`);
			this.host.peerSays("rxone: sending one UDP packet");
			this.sendUdp(gatewayIp, peerOwnPort, guest, rxonePort, utf8("rxone"));
			return;
		}
		if (peer === "nettest" || payload.length > 0) answer(payload);
	}

	private sendUdp(from: Ip, fromPort: number, to: Ip, toPort: number, payload: Uint8Array): void {
		this.send(from, to, protocols.udp, udp({ fromPort, toPort, payload }, from, to));
	}

	private send(from: Ip, to: Ip, protocol: number, payload: Uint8Array, ttl?: number): void {
		// Who pretends to be somebody else gets no answer.
		if (to !== guestIp) return;
		if (!this.s.get(S_MAC_KNOWN) && !this.s.get(S_ARP_ASKED)) {
			this.s.set(S_ARP_ASKED, 1);
			const request = arp({
				operation: "request",
				fromMac: gatewayMac,
				fromIp: gatewayIp,
				toMac: new Uint8Array(6),
				toIp: to,
			});
			this.put(ethernet(broadcast, gatewayMac, etherTypes.arp, request));
		}
		const id = this.s.get(S_IP_ID);
		this.s.set(S_IP_ID, (id + 1) & 0xffff);
		// The receiver's address is filled in when the frame goes.
		this.put(
			ethernet(new Uint8Array(6), gatewayMac, etherTypes.ip, ipPacket({ from, to, protocol, payload }, id, ttl)),
		);
	}

	private put(frame: Uint8Array): void {
		const padded = new Uint8Array(Math.max(smallestFrame, frame.length));
		padded.set(frame);
		// A wire that is full loses packets.
		this.queue.add(this.host.now() + answerTicks, padded);
	}
}

/** Who answers a ping: all but the addresses of the subnet that nobody has. */
function isNear(ip: Ip): boolean {
	return ip === gatewayIp || ip === nameServerIp || (ip & 0xffffff00) >>> 0 !== subnet;
}
