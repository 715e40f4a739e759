const HEAD = 0;
const TAIL = 4;
const ENTRIES = 8;
const ENTRY = 12;

/** Frames with the guest time at which each is due, first in first out, in a part of the machine's state. */
export class PacketQueue {
	private readonly bytes: Uint8Array;
	private readonly room: number;

	constructor(private readonly state: DataView) {
		this.bytes = new Uint8Array(state.buffer, state.byteOffset, state.byteLength);
		this.room = state.byteLength - ENTRIES;
	}

	get isEmpty(): boolean {
		return this.head === this.tail;
	}

	/** Of the first frame, in ticks of mtime. */
	get due(): bigint {
		return this.state.getBigUint64(ENTRIES + this.head, true);
	}

	/** A copy of the first frame. */
	get first(): Uint8Array {
		const at = ENTRIES + this.head;
		return this.bytes.slice(at + ENTRY, at + ENTRY + this.state.getUint32(at + 8, true));
	}

	/** False: it does not fit. */
	add(due: bigint, frame: Uint8Array): boolean {
		const size = ENTRY + ((frame.length + 3) & ~3);
		if (this.tail + size > this.room) this.compact();
		if (this.tail + size > this.room) return false;
		const at = ENTRIES + this.tail;
		this.state.setBigUint64(at, due, true);
		this.state.setUint32(at + 8, frame.length, true);
		this.bytes.set(frame, at + ENTRY);
		this.tail += size;
		return true;
	}

	drop(): void {
		this.head += ENTRY + ((this.state.getUint32(ENTRIES + this.head + 8, true) + 3) & ~3);
		if (this.isEmpty) {
			this.head = 0;
			this.tail = 0;
		}
	}

	private compact(): void {
		this.bytes.copyWithin(ENTRIES, ENTRIES + this.head, ENTRIES + this.tail);
		this.tail -= this.head;
		this.head = 0;
	}

	private get head(): number {
		return this.state.getUint32(HEAD, true);
	}

	private set head(value: number) {
		this.state.setUint32(HEAD, value, true);
	}

	private get tail(): number {
		return this.state.getUint32(TAIL, true);
	}

	private set tail(value: number) {
		this.state.setUint32(TAIL, value, true);
	}
}
