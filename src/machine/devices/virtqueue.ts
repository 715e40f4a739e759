/**
 * The device's side of a split virtqueue (virtio 1.2, section 2.7). What the guest wrote is checked before it is used:
 * a ring or descriptor outside RAM, a loop, or an index that ran ahead is a {@link QueueError}, and the device stops.
 */
import { hex } from "../../common/bytes.ts";
import type { GuestMemory } from "../device.ts";

const DESC_SIZE = 16;
const DESC_NEXT = 1;
const DESC_WRITE = 2;
const DESC_INDIRECT = 4;
const AVAIL_NO_INTERRUPT = 1;

/** A piece of guest memory: offset in `GuestMemory.bytes`. */
export interface Piece {
	readonly offset: number;
	readonly length: number;
}

export interface Chain {
	readonly head: number;
	/** What the driver wrote for the device, then what the device is to fill, each in the order of the chain. */
	readonly readable: readonly Piece[];
	readonly writable: readonly Piece[];
}

/** The driver broke the rules; the text says which one. A value of ours, thrown and caught inside the device. */
export class QueueError extends Error {}

interface QueueAddresses {
	readonly size: number;
	readonly descriptors: bigint;
	readonly available: bigint;
	readonly used: bigint;
}

export class Virtqueue {
	constructor(
		private readonly memory: GuestMemory,
		private readonly at: QueueAddresses,
	) {}

	/** Entries that the driver added since `seen`, an index modulo 2^16. */
	added(seen: number): number {
		const ring = this.ring("available ring", this.at.available, 4 + 2 * this.at.size);
		const count = (this.memory.view.getUint16(ring + 2, true) - seen) & 0xffff;
		if (count > this.at.size) throw new QueueError(`the available index runs ${count} entries ahead of the device`);
		return count;
	}

	get wantsInterrupt(): boolean {
		const ring = this.ring("available ring", this.at.available, 4);
		return (this.memory.view.getUint16(ring, true) & AVAIL_NO_INTERRUPT) === 0;
	}

	chain(index: number): Chain {
		const ring = this.ring("available ring", this.at.available, 4 + 2 * this.at.size);
		const head = this.memory.view.getUint16(ring + 4 + 2 * (index % this.at.size), true);
		const table = this.ring("descriptor table", this.at.descriptors, DESC_SIZE * this.at.size);
		const readable: Piece[] = [];
		const writable: Piece[] = [];
		let next = head;
		for (let steps = 0; ; steps++) {
			if (next >= this.at.size) throw new QueueError(`descriptor ${next} is outside of the table of ${this.at.size}`);
			if (steps >= this.at.size) throw new QueueError(`the descriptors from ${head} on form a loop`);
			const flags = this.addPiece(table, next, readable, writable);
			if (!(flags & DESC_NEXT)) return { head, readable, writable };
			next = this.memory.view.getUint16(table + DESC_SIZE * next + 14, true);
		}
	}

	/** Hands a chain back with the number of bytes that were written into it. */
	push(usedIndex: number, head: number, written: number): void {
		const ring = this.ring("used ring", this.at.used, 4 + 8 * this.at.size);
		const entry = ring + 4 + 8 * (usedIndex % this.at.size);
		this.memory.writing(entry, 8);
		this.memory.view.setUint32(entry, head, true);
		this.memory.view.setUint32(entry + 4, written, true);
		this.memory.written(entry, 8);
		this.memory.writing(ring + 2, 2);
		this.memory.view.setUint16(ring + 2, (usedIndex + 1) & 0xffff, true);
		this.memory.written(ring + 2, 2);
	}

	private addPiece(table: number, index: number, readable: Piece[], writable: Piece[]): number {
		const { view } = this.memory;
		const entry = table + DESC_SIZE * index;
		const address = view.getBigUint64(entry, true);
		const length = view.getUint32(entry + 8, true);
		const flags = view.getUint16(entry + 12, true);
		if (flags & DESC_INDIRECT) throw new QueueError(`descriptor ${index} is indirect, which was not offered`);
		if (length === 0) throw new QueueError(`descriptor ${index} has no bytes`);
		const offset = this.memory.locate(address, length);
		if (offset === undefined) {
			throw new QueueError(`descriptor ${index} points outside of RAM: ${hex(address)}, ${length} bytes`);
		}
		if (flags & DESC_WRITE) writable.push({ offset, length });
		else if (writable.length > 0) {
			throw new QueueError(`descriptor ${index} is for the device to read but comes after one for it to write`);
		} else readable.push({ offset, length });
		return flags;
	}

	private ring(what: string, address: bigint, length: number): number {
		const offset = this.memory.locate(address, length);
		if (offset === undefined) throw new QueueError(`the ${what} is outside of RAM: ${hex(address)}`);
		return offset;
	}
}
