import type { Disposable } from "../../common/disposable.ts";
import { Emitter } from "../../common/event.ts";
import type { NetworkModel, RingModel } from "../../protocol/network.ts";
import { describeFrame } from "./describe.ts";
import type { Datagram, NetworkPacket, NetworkPort } from "./types.ts";

/** Packets that a person is shown. */
const packetsKept = 200;
/** Different mistakes that are kept; a driver that makes one a million times has made one. */
const mistakesKept = 100;

/** What is to be seen of the card, beside the wire. */
interface CardState {
	readonly rings?: readonly RingModel[];
	readonly interrupts?: boolean;
}

/** The last packets on a machine's wire and the mistakes of its driver, for those who watch. Nothing of it is part of a run. */
export class WireLog implements Disposable {
	private readonly packets = new Emitter<NetworkPacket>();
	private readonly peerOutput = new Emitter<string>();
	private readonly datagrams = new Emitter<Datagram>();
	private readonly last: NetworkPacket[] = [];
	private readonly mistakes = new Set<string>();

	packet(packet: NetworkPacket): void {
		// A machine that went back has another future now.
		while (this.last.length > 0 && (this.last.at(-1) as NetworkPacket).time > packet.time) this.last.pop();
		this.last.push(packet);
		if (this.last.length > packetsKept) this.last.shift();
		this.packets.fire(packet);
	}

	peerSays(line: string): void {
		this.peerOutput.fire(line);
	}

	datagram(datagram: Datagram): void {
		this.datagrams.fire(datagram);
	}

	mistake(text: string): void {
		if (this.mistakes.size < mistakesKept) this.mistakes.add(text);
	}

	/** `now`: ticks of mtime (10 MHz); what came later belongs to a future that the machine has left. */
	model(card: CardState | undefined, now: bigint): NetworkModel {
		return {
			rings: card?.rings ?? [],
			interrupt: card?.interrupts ?? false,
			packets: this.last
				.filter(({ time }) => time <= now)
				.map(({ fromGuest, time, frame }) => ({
					fromGuest,
					microseconds: Number(time) / 10,
					length: frame.length,
					layers: describeFrame(frame),
				})),
			mistakes: [...this.mistakes],
		};
	}

	/** The machine's network as others see it. */
	port(model: () => NetworkModel, deliver: (datagram: Datagram) => void): NetworkPort {
		const { packets, peerOutput, datagrams } = this;
		return {
			onPacket: packets.event,
			onPeerOutput: peerOutput.event,
			onDatagram: datagrams.event,
			model,
			deliver,
		};
	}

	dispose(): void {
		for (const emitter of [this.packets, this.peerOutput, this.datagrams]) emitter.dispose();
	}
}
