/** The block device in a virtio-mmio slot (virtio 1.2, section 5.2). The image lies in the core's linear memory. */
import type { GuestMemory } from "../device.ts";
import type { VirtioBackend } from "./virtioMmio.ts";
import { type Chain, type Piece, QueueError } from "./virtqueue.ts";

export const sectorSize = 512;

const F_SEG_MAX = 1 << 2;
const F_BLK_SIZE = 1 << 6;
const F_FLUSH = 1 << 9;

const T_IN = 0;
const T_OUT = 1;
const T_FLUSH = 4;
const T_GET_ID = 8;

const S_OK = 0;
const S_IOERR = 1;
const S_UNSUPPORTED = 2;

const HEADER_SIZE = 16;
const ID_SIZE = 20;
/** As QEMU says: 128 less header and status. */
const segMax = 126;

/** A read or a write, as the driver asked for it. */
export interface DiskRequest {
	readonly kind: "read" | "write";
	readonly sector: number;
	readonly bytes: number;
}

/** Who looks at a disk's requests, or makes them fail. Not part of the machine's state. */
export interface DiskListener {
	/** Before it is served; true: it is answered with an I/O error, and moves nothing. */
	fails?(request: DiskRequest): boolean;
	/** It was served without an error. `content`: what the sectors hold now, valid until the machine runs again. */
	served?(request: DiskRequest, content: Uint8Array): void;
}

const total = (pieces: readonly Piece[]) => pieces.reduce((sum, piece) => sum + piece.length, 0);

export class VirtioBlock implements VirtioBackend {
	readonly name = "virtio block device";
	readonly deviceId = 2;
	readonly features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH;
	readonly config = new Uint8Array(60);

	constructor(
		private readonly memory: GuestMemory,
		/** Where the image begins in `memory.bytes`, and its length: a multiple of the sector size. */
		private readonly disk: Piece,
		private readonly listeners: ReadonlySet<DiskListener> = new Set(),
	) {
		const view = new DataView(this.config.buffer);
		view.setBigUint64(0, BigInt(disk.length / sectorSize), true);
		view.setUint32(12, segMax, true);
		view.setUint32(20, sectorSize, true);
	}

	serve(chain: Chain): number {
		const room = total(chain.writable);
		const given = total(chain.readable);
		if (given < HEADER_SIZE) throw new QueueError(`request ${chain.head} has ${given} bytes of its 16-byte header`);
		if (room < 1) throw new QueueError(`request ${chain.head} has no byte for its status`);
		const header = new Uint8Array(HEADER_SIZE);
		this.gather(chain.readable, 0, header);
		const view = new DataView(header.buffer);
		const { status, written } = this.execute(view.getUint32(0, true), view.getBigUint64(8, true), chain, room - 1);
		this.scatter(chain.writable, room - 1, Uint8Array.of(status));
		return written + 1;
	}

	private execute(type: number, sector: bigint, chain: Chain, room: number): { status: number; written: number } {
		switch (type) {
			case T_IN: {
				const at = this.locate(sector, room);
				const request = { kind: "read", sector: Number(sector), bytes: room } as const;
				if (at === undefined || this.fails(request)) return { status: S_IOERR, written: 0 };
				this.scatter(chain.writable, 0, this.memory.bytes.subarray(at, at + room));
				this.served(request, at);
				return { status: S_OK, written: room };
			}
			case T_OUT: {
				const length = total(chain.readable) - HEADER_SIZE;
				const at = this.locate(sector, length);
				const request = { kind: "write", sector: Number(sector), bytes: length } as const;
				if (at === undefined || this.fails(request)) return { status: S_IOERR, written: 0 };
				if (length > 0) this.memory.writing(at, length);
				this.gather(chain.readable, HEADER_SIZE, this.memory.bytes.subarray(at, at + length));
				if (length > 0) this.memory.written(at, length);
				this.served(request, at);
				return { status: S_OK, written: 0 };
			}
			case T_FLUSH:
				return { status: S_OK, written: 0 };
			case T_GET_ID: {
				const id = new Uint8Array(Math.min(ID_SIZE, room));
				id.set(new TextEncoder().encode("xv6-lab").subarray(0, id.length));
				this.scatter(chain.writable, 0, id);
				return { status: S_OK, written: id.length };
			}
			default:
				return { status: S_UNSUPPORTED, written: 0 };
		}
	}

	private fails(request: DiskRequest): boolean {
		let failed = false;
		for (const listener of this.listeners) if (listener.fails?.(request)) failed = true;
		return failed;
	}

	private served(request: DiskRequest, at: number): void {
		for (const listener of this.listeners)
			listener.served?.(request, this.memory.bytes.subarray(at, at + request.bytes));
	}

	/** Place of whole sectors inside the image, else undefined. */
	private locate(sector: bigint, length: number): number | undefined {
		if (length % sectorSize !== 0) return undefined;
		if (sector * BigInt(sectorSize) + BigInt(length) > BigInt(this.disk.length)) return undefined;
		return this.disk.offset + Number(sector) * sectorSize;
	}

	/** Copies from the pieces, leaving out the first `skip` bytes, until `target` is full. */
	private gather(pieces: readonly Piece[], skip: number, target: Uint8Array): void {
		let done = 0;
		let left = skip;
		for (const { offset, length } of pieces) {
			const from = Math.min(left, length);
			left -= from;
			const part = this.memory.bytes.subarray(offset + from, offset + Math.min(length, from + target.length - done));
			target.set(part, done);
			this.memory.wasRead(offset + from, part.length);
			done += part.length;
			if (done === target.length) return;
		}
	}

	/** Copies `source` into the pieces, from byte `skip` of them on. */
	private scatter(pieces: readonly Piece[], skip: number, source: Uint8Array): void {
		let done = 0;
		let left = skip;
		for (const { offset, length } of pieces) {
			const from = Math.min(left, length);
			left -= from;
			const part = source.subarray(done, done + length - from);
			if (part.length > 0) {
				this.memory.writing(offset + from, part.length);
				this.memory.bytes.set(part, offset + from);
				this.memory.written(offset + from, part.length);
			}
			done += part.length;
			if (done === source.length) return;
		}
	}
}
