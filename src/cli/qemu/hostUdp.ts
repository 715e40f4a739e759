import { createSocket, type Socket } from "node:dgram";
import type { Disposable } from "../../common/disposable.ts";
import { UserError } from "../../common/errors.ts";
import type { NetworkPort } from "../../machine/network/types.ts";
import type { QemuNetwork } from "./arguments.ts";

const loopback = "127.0.0.1";
/** A guest that sends from ever new ports uses up no more of the host's. */
const mostSockets = 256;

/**
 * UDP between the guest and the loopback address of this computer, nothing else: what the guest sends to 10.0.2.2, and what comes to
 * the forwarded ports.
 */
export class HostUdp implements Disposable {
	/** By the guest's port, in the order of their use. */
	private readonly sockets = new Map<number, Socket>();
	private readonly forwarding: Socket[] = [];

	private constructor(
		private readonly port: NetworkPort,
		private readonly between: (work: () => void) => void,
	) {
		port.onDatagram(({ hostPort, guestPort, payload }) => {
			// The guest runs while it says so: the host is told after this slice.
			between(() => this.socketOf(guestPort).send(payload, hostPort, loopback));
		});
	}

	/** `between` calls back when the machine does not run. Throws UserError `usage` for a port that is taken. */
	static async open(
		port: NetworkPort,
		forwards: QemuNetwork["forwards"],
		between: (work: () => void) => void,
	): Promise<HostUdp> {
		const udp = new HostUdp(port, between);
		for (const { hostPort, guestPort } of forwards) {
			const socket = udp.listen(guestPort);
			udp.forwarding.push(socket);
			await new Promise<void>((resolve, reject) => {
				socket.once("error", (error) => {
					const what = `UDP port ${hostPort} of ${loopback}: ${error.message}`;
					reject(new UserError("usage", what, "End the program that has it, or change hostfwd."));
				});
				socket.bind(hostPort, loopback, resolve);
			});
			// Answers from the guest's port leave by the port that was asked.
			udp.sockets.set(guestPort, socket);
		}
		return udp;
	}

	dispose(): void {
		for (const socket of new Set([...this.sockets.values(), ...this.forwarding])) socket.close();
		this.sockets.clear();
	}

	private socketOf(guestPort: number): Socket {
		const found = this.sockets.get(guestPort);
		if (found) return found;
		for (const [old, socket] of this.sockets) {
			if (this.sockets.size < mostSockets) break;
			if (this.forwarding.includes(socket)) continue;
			socket.close();
			this.sockets.delete(old);
		}
		const socket = this.listen(guestPort);
		this.sockets.set(guestPort, socket);
		return socket;
	}

	private listen(guestPort: number): Socket {
		const socket = createSocket("udp4");
		socket.on("message", (payload, { port, address }) => {
			if (address !== loopback) return;
			this.between(() => this.port.deliver({ hostPort: port, guestPort, payload: new Uint8Array(payload) }));
		});
		// Nobody listens there: to the guest a lost packet.
		socket.on("error", () => undefined);
		return socket;
	}
}
