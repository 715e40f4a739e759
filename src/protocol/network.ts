/** A machine's network card and the packets on its wire, for the inspector. Plain data. */
export interface RingDescriptorModel {
	/** Physical address of its buffer, hexadecimal. */
	readonly address: string;
	readonly length: number;
	/** Who may touch it: from head up to tail the card, else the driver. */
	readonly owner: "card" | "driver";
	/** The card has set DD. */
	readonly done: boolean;
}

export interface RingModel {
	readonly name: "receive" | "transmit";
	readonly head: number;
	readonly tail: number;
	/** Empty: there is no ring (yet), or it is not in memory. */
	readonly descriptors: readonly RingDescriptorModel[];
}

export interface PacketModel {
	readonly fromGuest: boolean;
	/** Guest time. */
	readonly microseconds: number;
	readonly length: number;
	/** One line for each layer, the outermost first. */
	readonly layers: readonly string[];
}

export interface NetworkModel {
	readonly rings: readonly RingModel[];
	/** The last ones, oldest first. */
	readonly packets: readonly PacketModel[];
	/** The card's interrupt line is up. */
	readonly interrupt: boolean;
	/** What the driver did wrong. */
	readonly mistakes: readonly string[];
}
