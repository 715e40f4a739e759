import type { Event } from "../../common/event.ts";
import type { NetworkModel } from "../../protocol/network.ts";

/**
 * The host program that a network lab talks to at 10.0.2.2, as the courses' scripts have it:
 * - `echo`: sends each payload back (2019's server.py)
 * - `greeting`: answers each with `this is the host!` (server.py of 2020 to 2023)
 * - `nettest`: says on its output whether the first payload is `txone`, sends one packet `rxone` to port 2001, then echoes
 *   (`nettest.py grade` from 2024 on)
 * - `host`: the datagrams are handed out and come in by `NetworkPort`; they are part of the input log
 */
type NetworkPeer = "echo" | "greeting" | "nettest" | "host";

/** An 82540EM on a PCIe host bridge, and the network it is on: nothing of the host's. Plain data. */
export interface NetworkOptions {
	readonly peer: NetworkPeer;
	/** UDP port that the peer listens to; default: every port. */
	readonly port?: number;
	/** IPv4 addresses by name, beside those that the labs ask for. */
	readonly names?: Readonly<Record<string, string>>;
}

const peers: readonly unknown[] = ["echo", "greeting", "nettest", "host"] satisfies NetworkPeer[];

/** Of data that a stranger wrote. */
export function isNetworkOptions(data: NetworkOptions | null): boolean {
	if (typeof data !== "object" || data === null || !peers.includes(data.peer)) return false;
	const { port, names } = data;
	const isPort = port === undefined || (Number.isInteger(port) && port >= 0 && port <= 0xffff);
	const address = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
	const areNames =
		names === undefined ||
		(typeof names === "object" &&
			names !== null &&
			Object.values(names).every((ip) => typeof ip === "string" && address.test(ip)));
	return isPort && areNames;
}

export interface NetworkPacket {
	readonly fromGuest: boolean;
	/** Ticks of mtime (10 MHz). */
	readonly time: bigint;
	/** A whole Ethernet frame, without its check sequence. */
	readonly frame: Uint8Array;
}

/** UDP between the guest and 10.0.2.2. */
export interface Datagram {
	readonly hostPort: number;
	readonly guestPort: number;
	readonly payload: Uint8Array;
}

/** What is to be seen of a machine's network from outside. */
export interface NetworkPort {
	/** Each frame once, in the order of the wire. */
	readonly onPacket: Event<NetworkPacket>;
	/** Lines that the peer prints. */
	readonly onPeerOutput: Event<string>;
	/** With the peer `host`: the guest sent this. */
	readonly onDatagram: Event<Datagram>;
	/** The card and its last packets, as they are now. */
	model(): NetworkModel;
	/** To the guest, between two runs; joins the input log. In a replay it is ignored, as keys are. */
	deliver(datagram: Datagram): void;
}
