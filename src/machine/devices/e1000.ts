/**
 * Intel 82540EM as QEMU's `e1000` models it (Intel 8254x Software Developer's Manual, "SDM" below; hw/net/e1000.c), as far as drivers
 * with legacy descriptors use it. Sending is complete when the store to TDT is; received frames come at slice ends.
 */
import { hex } from "../../common/bytes.ts";
import type { RingModel } from "../../protocol/network.ts";
import { type DeviceHost, Registers } from "../device.ts";

// Register offsets (SDM, table 13-2).
const CTRL = 0x0000;
export const STATUS = 0x0008;
export const ICR = 0x00c0;
const ICS = 0x00c8;
const IMS = 0x00d0;
const IMC = 0x00d8;
const RCTL = 0x0100;
const TCTL = 0x0400;
const TIPG = 0x0410;
const LEDCTL = 0x0e00;
const PBA = 0x1000;
const RDBAL = 0x2800;
const RDBAH = 0x2804;
const RDLEN = 0x2808;
export const RDH = 0x2810;
export const RDT = 0x2818;
const RDTR = 0x2820;
const RADV = 0x282c;
const TDBAL = 0x3800;
const TDBAH = 0x3804;
export const TDLEN = 0x3808;
const TDH = 0x3810;
export const TDT = 0x3818;
const TIDV = 0x3820;
const TADV = 0x382c;
const MTA = 0x5200;
const RA = 0x5400;
const VFTA = 0x5600;
const MTA_WORDS = 128;
const RA_WORDS = 32;
const VFTA_WORDS = 128;

const CTRL_RST = 1 << 26;
const RCTL_EN = 1 << 1;
const RCTL_UPE = 1 << 3;
const RCTL_MPE = 1 << 4;
const RCTL_BAM = 1 << 15;
const RCTL_BSEX = 1 << 25;
const RCTL_SECRC = 1 << 26;
const TCTL_EN = 1 << 1;
const RAH_VALID = 0x8000_0000;

const CAUSE_TXDW = 1 << 0;
const CAUSE_TXQE = 1 << 1;
const CAUSE_RXDMT0 = 1 << 4;
const CAUSE_RXO = 1 << 6;
const CAUSE_RXT0 = 1 << 7;

const TXD_EOP = 1 << 0;
const TXD_RS = 1 << 3;
const TXD_RPS = 1 << 4;
const TXD_DEXT = 1 << 5;
const TXD_DD = 1;
const RXD_DD = 1;
const RXD_EOP = 2;
const RXD_IXSM = 4;

const descriptorBytes = 16;
const smallestFrame = 60;
/** With a VLAN tag, without the check sequence. */
const largestFrame = 1518;
const checkSequence = 4;
/** A driver that clears ICR after it has completed the interrupt does so sooner: 10 ms of guest time. */
const patience = 100_000n;

/** Registers that are stored as they are written, but only these bits. QEMU stores nothing in those with none. */
const plain: readonly (readonly [register: number, mask: number])[] = [
	[CTRL, ~CTRL_RST],
	[RCTL, ~0],
	[TCTL, ~0],
	[TIPG, 0],
	[LEDCTL, ~0],
	[PBA, ~0],
	[RDBAL, ~0],
	[RDBAH, ~0],
	[RDLEN, 0xfff80],
	[RDH, 0xffff],
	[RDT, 0xffff],
	[RDTR, 0xffff],
	[RADV, 0xffff],
	[TDBAL, ~0],
	[TDBAH, ~0],
	[TDLEN, 0xfff80],
	[TDH, 0xffff],
	[TDT, 0xffff],
	[TIDV, 0],
	[TADV, 0xffff],
];
const masks = new Map(plain);
const places = new Map(plain.map(([register], i) => [register, 4 * i]));

const S_ICR = 0x80;
const S_IMS = 0x84;
/** 1: the interrupt line is up; since when. */
const S_LINE = 0x88;
const S_LINE_SINCE = 0x90;
/** Bytes of the frame that is being gathered, as descriptors say them; 1: something of it was not in memory. */
const S_FRAME_LENGTH = 0x98;
const S_FRAME_BAD = 0x9c;
/** PCI command register: bus master. */
const S_MASTER = 0xa0;
const S_MTA = 0x100;
const S_RA = S_MTA + 4 * MTA_WORDS;
const S_VFTA = S_RA + 4 * RA_WORDS;
const S_FRAME = 0x600;
const frameRoom = 0x600;
export const e1000StateBytes = S_FRAME + frameRoom;

/** Descriptors of a ring that a person is shown. */
const mostShown = 64;

interface E1000Config {
	readonly state: DataView;
	/** QEMU's first card: 52:54:00:12:34:56. */
	readonly mac: Uint8Array;
	/** INTA#, a level. */
	setLine(level: boolean): void;
	/** The interrupt was claimed and completed at the PLIC: a driver has dealt with it. */
	isCompleted(): boolean;
	now(): bigint;
	transmit(frame: Uint8Array): void;
	/** There may be room for what waits on the wire. */
	onRoom(): void;
}

interface Ring {
	readonly name: "receive" | "transmit";
	/** Offset in memory, and number of descriptors. */
	readonly at: number;
	readonly count: number;
}

export class E1000 {
	private readonly s: Registers;
	private readonly bytes: Uint8Array;

	constructor(
		private readonly host: DeviceHost,
		private readonly config: E1000Config,
	) {
		const { state, mac } = config;
		this.s = new Registers(state);
		this.bytes = new Uint8Array(state.buffer, state.byteOffset, state.byteLength);
		// Power-on values, as QEMU has them.
		this.put(CTRL, 0x0014_0240);
		this.put(LEDCTL, 0x602);
		this.put(PBA, 0x0010_0030);
		this.bytes.set(mac, S_RA);
		this.s.set(S_RA + 4, this.s.get(S_RA + 4) | RAH_VALID);
	}

	/** Bus master of the PCI command register: without it the card touches no memory. */
	set master(on: boolean) {
		this.s.set(S_MASTER, on ? 1 : 0);
		if (on) this.config.onRoom();
	}

	read(register: number): number {
		const { s } = this;
		const place = places.get(register);
		if (place !== undefined) return s.get(place);
		switch (register) {
			case STATUS:
				// Full duplex, link up, 1000 Mb/s, as QEMU says it.
				return 0x8008_0783;
			case ICR: {
				const causes = s.get(S_ICR);
				this.setCauses(0);
				return causes;
			}
			case ICS:
				return s.get(S_ICR);
			case IMS:
				return s.get(S_IMS);
			default:
				return this.table(register, (at) => s.get(at)) ?? 0;
		}
	}

	write(register: number, value: number): void {
		const { s } = this;
		const mask = masks.get(register);
		if (mask !== undefined) {
			const before = this.get(register);
			this.put(register, value & mask);
			this.written(register, before);
			return;
		}
		switch (register) {
			case ICR:
				this.setCauses(s.get(S_ICR) & ~value);
				break;
			case ICS:
				this.setCauses(s.get(S_ICR) | value);
				break;
			case IMS:
				s.set(S_IMS, s.get(S_IMS) | value);
				this.updateLine();
				break;
			case IMC:
				s.set(S_IMS, s.get(S_IMS) & ~value);
				this.updateLine();
				break;
			default:
				this.table(register, (at) => s.set(at, value));
		}
	}

	/** A frame from the wire. False: it has to wait there, until `onRoom`. */
	receive(wire: Uint8Array): boolean {
		const rctl = this.get(RCTL);
		if (!(rctl & RCTL_EN) || !this.s.get(S_MASTER)) return false;
		if (wire.length > largestFrame || !this.accepts(wire)) return true;
		const ring = this.ring("receive", RDBAL);
		if (!ring || this.get(RDH) === this.get(RDT)) return false;
		const frame = new Uint8Array(Math.max(smallestFrame, wire.length));
		frame.set(wire);
		const total = frame.length + (rctl & RCTL_SECRC ? 0 : checkSequence);
		this.noteUnheard();
		const free = (this.get(RDT) - this.get(RDH) + ring.count) % ring.count;
		if (Math.ceil(total / this.bufferBytes) > free && this.get(RDT) < ring.count) {
			this.setCauses(this.s.get(S_ICR) | CAUSE_RXO);
			return true;
		}
		if (!this.store(ring, frame, total)) return true;
		const head = this.get(RDH);
		const left = (this.get(RDT) - head + ring.count) % ring.count;
		const half = ring.count >> (((rctl >>> 8) & 3) + 1);
		this.setCauses(this.s.get(S_ICR) | CAUSE_RXT0 | (left <= half ? CAUSE_RXDMT0 : 0));
		return true;
	}

	/** For readers: nothing of the machine changes. */
	get rings(): readonly RingModel[] {
		return [this.ringModel("receive", RDBAL, RDH), this.ringModel("transmit", TDBAL, TDH)];
	}

	/** The interrupt line is up. */
	get interrupts(): boolean {
		return this.s.get(S_LINE) !== 0;
	}

	private ringModel(name: RingModel["name"], base: number, headAt: number): RingModel {
		const { view } = this.host.memory;
		const [head, tail] = [this.get(headAt), this.get(headAt + TDT - TDH)];
		const { at, count } = this.place(base);
		const owned = at === undefined ? 0 : (tail - head + count) % count;
		const descriptors = Array.from({ length: at === undefined ? 0 : Math.min(count, mostShown) }, (_, i) => {
			const place = (at as number) + descriptorBytes * i;
			return {
				address: hex(view.getBigUint64(place, true)),
				length: view.getUint16(place + 8, true),
				owner: (i - head + count) % count < owned ? ("card" as const) : ("driver" as const),
				done: (view.getUint8(place + 12) & RXD_DD) !== 0,
			};
		});
		return { name, head, tail, descriptors };
	}

	private get(register: number): number {
		return this.s.get(places.get(register) as number);
	}

	private put(register: number, value: number): void {
		this.s.set(places.get(register) as number, value);
	}

	/** The word of a register array; undefined: there is none. */
	private table<T>(register: number, use: (at: number) => T): T | undefined {
		if (register & 3) return undefined;
		for (const [base, words, at] of [
			[MTA, MTA_WORDS, S_MTA],
			[RA, RA_WORDS, S_RA],
			[VFTA, VFTA_WORDS, S_VFTA],
		] as const) {
			if (register >= base && register < base + 4 * words) return use(at + register - base);
		}
		return undefined;
	}

	private written(register: number, before: number): void {
		if (register === TDT || register === TCTL) this.send();
		else if (register === RDT) {
			this.checkTail(before);
			this.config.onRoom();
		} else if (register === RCTL) this.config.onRoom();
	}

	// ---- interrupts ------------------------------------------------------------------------------------------------

	private setCauses(causes: number): void {
		this.s.set(S_ICR, causes);
		this.updateLine();
	}

	/** The bus hears of changes only: a cause that is not cleared raises no second interrupt. */
	private updateLine(): void {
		const { s, config } = this;
		const level = (s.get(S_ICR) & s.get(S_IMS)) !== 0;
		if (level === (s.get(S_LINE) !== 0)) return;
		s.set(S_LINE, level ? 1 : 0);
		if (level) s.set64(S_LINE_SINCE, config.now());
		config.setLine(level);
	}

	private noteUnheard(): void {
		const { s, config } = this;
		if (!s.get(S_LINE) || !config.isCompleted() || config.now() - s.get64(S_LINE_SINCE) < patience) return;
		this.host.guestError(
			"network card: another packet has come, but the driver has completed the interrupt before it without clearing its cause in ICR: until it does, no further interrupt comes",
		);
	}

	// ---- sending (SDM 3.3, 3.4) --------------------------------------------------------------------------------------

	private send(): void {
		if (!(this.get(TCTL) & TCTL_EN) || !this.s.get(S_MASTER)) return;
		// A ring with nothing to send reports an empty queue as well.
		const causes = this.get(TDH) === this.get(TDT) ? CAUSE_TXQE : this.sendWaiting();
		this.setCauses(this.s.get(S_ICR) | causes);
	}

	/** Sends from TDH to TDT; returns causes for ICR. */
	private sendWaiting(): number {
		const ring = this.ring("transmit", TDBAL);
		if (!ring) return 0;
		const { view } = this.host.memory;
		if (this.get(TDT) >= ring.count) this.beyond("TDT", this.get(TDT), ring);
		const start = this.get(TDH);
		let causes = CAUSE_TXQE;
		while (this.get(TDH) !== this.get(TDT)) {
			const at = ring.at + descriptorBytes * this.get(TDH);
			if (this.get(TDH) < ring.count) {
				this.host.memory.wasRead(at, descriptorBytes);
				const command = view.getUint8(at + 11);
				this.gather(at, command);
				if (command & (TXD_RS | TXD_RPS)) {
					this.dma(at + 12, 1, () => view.setUint8(at + 12, (view.getUint8(at + 12) & 0xf0) | TXD_DD));
					causes |= CAUSE_TXDW;
				}
			}
			const next = this.get(TDH) + 1;
			this.put(TDH, next >= ring.count ? 0 : next);
			// Once around at most, wherever the tail is.
			if (this.get(TDH) === start || start >= ring.count) break;
		}
		return causes;
	}

	/** Adds a descriptor's bytes to the frame, and sends it where it ends. */
	private gather(at: number, command: number): void {
		const { s, host } = this;
		const { view, bytes } = host.memory;
		const index = this.get(TDH);
		if (command & TXD_DEXT) {
			host.guestError(
				`network card: transmit descriptor ${index} is an extended one (DEXT, bit 5 of cmd): only legacy descriptors are built`,
			);
			return;
		}
		const address = view.getBigUint64(at, true);
		const length = view.getUint16(at + 8, true);
		const from = length > 0 ? host.memory.locate(address, length) : undefined;
		const had = s.get(S_FRAME_LENGTH);
		if (length > 0 && from === undefined) {
			s.set(S_FRAME_BAD, 1);
			host.guestError(
				`network card: the buffer of transmit descriptor ${index} is not in memory: address ${hex(address)}, ${length} bytes; nothing was sent`,
			);
		} else if (from !== undefined) {
			const part = bytes.subarray(from, from + Math.min(length, Math.max(0, frameRoom - had)));
			this.bytes.set(part, S_FRAME + Math.min(had, frameRoom));
			host.memory.wasRead(from, length);
		}
		s.set(S_FRAME_LENGTH, had + length);
		if (command & TXD_EOP) this.sendFrame(index);
	}

	private sendFrame(index: number): void {
		const { s, host } = this;
		const length = s.get(S_FRAME_LENGTH);
		const bad = s.get(S_FRAME_BAD);
		s.set(S_FRAME_LENGTH, 0);
		s.set(S_FRAME_BAD, 0);
		if (length > largestFrame) {
			host.guestError(
				`network card: the frame that ends at transmit descriptor ${index} has ${length} bytes, more than Ethernet's ${largestFrame}; it was not sent`,
			);
		} else if (length === 0) {
			host.guestError(`network card: transmit descriptor ${index} has no bytes (length 0); nothing was sent`);
		} else if (!bad) this.config.transmit(this.bytes.slice(S_FRAME, S_FRAME + length));
	}

	// ---- receiving (SDM 3.2) -----------------------------------------------------------------------------------------

	/** Puts a frame into as many descriptors as it takes; false: the ring ended before the frame did. */
	private store(ring: Ring, frame: Uint8Array, total: number): boolean {
		const { memory } = this.host;
		const { view } = memory;
		const room = this.bufferBytes;
		const start = this.get(RDH);
		for (let done = 0; done < total; ) {
			const index = this.get(RDH);
			const length = Math.min(room, total - done);
			if (index < ring.count) {
				const at = ring.at + descriptorBytes * index;
				const address = view.getBigUint64(at, true);
				if (address === 0n)
					this.host.guestError(
						`network card: receive descriptor ${index} has no buffer (address 0); the packet is lost`,
					);
				else {
					this.fill(index, address, frame.subarray(done, Math.min(frame.length, done + length)));
				}
				done += length;
				const ends = done >= total ? RXD_EOP | RXD_IXSM : 0;
				this.dma(at, descriptorBytes, () => {
					if (address !== 0n) view.setUint16(at + 8, length, true);
					const status = view.getUint8(at + 12);
					view.setUint8(at + 12, (address === 0n ? status : (status & ~RXD_EOP) | ends) | RXD_DD);
				});
			} else done += length;
			this.put(RDH, index + 1 >= ring.count ? 0 : index + 1);
			if (this.get(RDH) === start || start >= ring.count) {
				this.setCauses(this.s.get(S_ICR) | CAUSE_RXO);
				return false;
			}
		}
		return true;
	}

	private fill(index: number, address: bigint, part: Uint8Array): void {
		const { memory } = this.host;
		if (part.length === 0) return;
		const to = memory.locate(address, part.length);
		if (to === undefined) {
			this.host.guestError(
				`network card: the buffer of receive descriptor ${index} is not in memory: address ${hex(address)}; the packet is lost`,
			);
			return;
		}
		this.dma(to, part.length, () => memory.bytes.set(part, to));
	}

	/** RCTL.BSIZE, and BSEX for the larger ones. */
	private get bufferBytes(): number {
		const rctl = this.get(RCTL);
		const code = (rctl >>> 16) & 3;
		if (rctl & RCTL_BSEX) return code === 0 ? 2048 : 32768 >> code;
		return 2048 >> code;
	}

	/** Packet filter (SDM 3.2.1). */
	private accepts(frame: Uint8Array): boolean {
		const rctl = this.get(RCTL);
		const isMulticast = ((frame[0] as number) & 1) !== 0;
		const isBroadcast = frame.subarray(0, 6).every((byte) => byte === 0xff);
		if (isBroadcast && rctl & RCTL_BAM) return true;
		if (rctl & (isMulticast ? RCTL_MPE : RCTL_UPE)) return true;
		for (let at = S_RA; at < S_RA + 4 * RA_WORDS; at += 8) {
			if (!(this.s.get(at + 4) & RAH_VALID)) continue;
			if (frame.subarray(0, 6).every((byte, i) => byte === this.bytes[at + i])) return true;
		}
		if (!isMulticast) return false;
		const shift = [4, 3, 2, 0][(rctl >>> 12) & 3] as number;
		const hash = ((((frame[5] as number) << 8) | (frame[4] as number)) >>> shift) & 0xfff;
		return ((this.s.get(S_MTA + 4 * (hash >>> 5)) >>> (hash & 31)) & 1) !== 0;
	}

	// ---- rings -------------------------------------------------------------------------------------------------------

	/** Undefined: there is no usable ring. */
	private ring(name: Ring["name"], register: number): Ring | undefined {
		const { at, count, address } = this.place(register);
		if (at !== undefined) return { name, at, count };
		const length = register === RDBAL ? "RDLEN" : "TDLEN";
		this.host.guestError(
			count === 0
				? `network card: ${length} is 0: there is no ${name} ring`
				: `network card: the ${name} ring is not in memory: address ${hex(address)}, ${count} descriptors`,
		);
		return undefined;
	}

	private place(register: number): {
		readonly at: number | undefined;
		readonly count: number;
		readonly address: bigint;
	} {
		const count = Math.floor(this.get(register + RDLEN - RDBAL) / descriptorBytes);
		const address = (BigInt(this.get(register + 4)) << 32n) | BigInt((this.get(register) & ~15) >>> 0);
		const at = count > 0 ? this.host.memory.locate(address, descriptorBytes * count) : undefined;
		return { at, count, address };
	}

	private beyond(register: string, value: number, { name, count }: Pick<Ring, "name" | "count">): void {
		this.host.guestError(
			`network card: ${register} is ${value}, but the ${name} ring has ${count} descriptors, 0 to ${count - 1}`,
		);
	}

	/** The driver gives descriptors from the old tail on; those from head to tail are the card's already. */
	private checkTail(before: number): void {
		const count = Math.floor(this.get(RDLEN) / descriptorBytes);
		if (count === 0 || !(this.get(RCTL) & RCTL_EN)) return;
		const tail = this.get(RDT);
		const head = this.get(RDH);
		if (tail >= count) {
			this.beyond("RDT", tail, { name: "receive", count });
			return;
		}
		const free = (head - before - 1 + 2 * count) % count;
		const given = (tail - before + count) % count;
		if (given > free) {
			this.host.guestError(
				`network card: RDT was moved from ${before} to ${tail}, to or past RDH (${head}): descriptors that the card has not filled yet were taken back`,
			);
		}
	}

	/** A change of guest memory. */
	private dma(offset: number, length: number, change: () => void): void {
		const { memory } = this.host;
		memory.writing(offset, length);
		change();
		memory.written(offset, length);
	}
}
