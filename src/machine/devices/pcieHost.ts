/**
 * QEMU's generic PCIe host bridge (hw/pci-host/gpex.c) with one card: configuration space (ECAM, PCIe base specification 7.2.2) and
 * the window for memory BARs. Bus 0 has the bridge in slot 0 and the card in slot 1.
 */
import { ACCESS_1, ACCESS_2, ACCESS_4, ACCESS_SPLIT_8 } from "../core/layout.ts";
import { type Device, Registers } from "../device.ts";
import { board } from "../virtBoard.ts";
import type { E1000 } from "./e1000.ts";

const access = ACCESS_1 | ACCESS_2 | ACCESS_4 | ACCESS_SPLIT_8;
const allOnes = 0xffff_ffff;

const COMMAND = 0x04;
const BAR0 = 0x10;
const BAR1 = 0x14;
const CACHE_LINE = 0x0c;
const INTERRUPT = 0x3c;

const COMMAND_MEMORY = 1 << 1;
const COMMAND_MASTER = 1 << 2;

/** Bits of configuration words that can be written; the others are constants. */
const writable: ReadonlyMap<number, number> = new Map([
	// I/O, memory, bus master, parity errors, system errors, interrupt disable.
	[COMMAND, 0x0547],
	[CACHE_LINE, 0xff],
	// 128 KiB of memory.
	[BAR0, 0xfffe_0000],
	// 64 bytes of I/O ports, which this machine does not have.
	[BAR1, 0xffff_ffc0],
	[INTERRUPT, 0xff],
]);

const cardBytes = 0x20000;

const constants: readonly ReadonlyMap<number, number>[] = [
	new Map([
		[0x00, 0x0008_1b36],
		[0x08, 0x0600_0000],
		[0x2c, 0x1100_1af4],
	]),
	new Map([
		[0x00, 0x100e_8086],
		[0x08, 0x0200_0003],
		[BAR1, 1],
		[0x2c, 0x1100_1af4],
		// INTA#.
		[INTERRUPT, 0x0100],
	]),
];

const slots = constants.length;
const spaceBytes = 0x100;
export const pcieStateBytes = slots * spaceBytes;

export class PcieHost {
	private readonly s: Registers;
	/** Configuration space of every function of every bus. */
	readonly configuration: Device;
	/** Where BARs are placed. */
	readonly window: Device;

	constructor(
		state: DataView,
		private readonly card: E1000,
	) {
		this.s = new Registers(state);
		this.configuration = {
			name: "PCIe configuration space",
			access,
			read: (offset, size) => this.readConfiguration(offset, size),
			write: (offset, size, value) => this.writeConfiguration(offset, size, value),
		};
		this.window = {
			name: "PCIe memory window",
			access,
			read: (offset, size) => this.readWindow(offset, size),
			write: (offset, _size, value) => this.writeWindow(offset, value),
		};
	}

	private word(slot: number, register: number): number {
		const own = (constants[slot] as ReadonlyMap<number, number>).get(register) ?? 0;
		return (own | this.s.get(slot * spaceBytes + register)) >>> 0;
	}

	private readConfiguration(offset: number, size: number): number {
		const { slot, register } = placeOf(offset);
		if (slot === undefined) return allOnes;
		const value = this.word(slot, register & ~3) >>> (8 * (register & 3));
		return size === 4 ? value : value & ((1 << (8 * size)) - 1);
	}

	private writeConfiguration(offset: number, size: number, value: number): void {
		const { slot, register } = placeOf(offset);
		const at = register & ~3;
		const mask = writable.get(at);
		// The bridge has no BARs.
		if (slot === undefined || mask === undefined || (slot === 0 && (at === BAR0 || at === BAR1))) return;
		const shift = 8 * (register & 3);
		const lanes = (size === 4 ? allOnes : ((1 << (8 * size)) - 1) << shift) & mask;
		const place = slot * spaceBytes + at;
		this.s.set(place, (this.s.get(place) & ~lanes) | ((value << shift) & lanes));
		if (slot === 1 && at === COMMAND) this.card.master = (this.s.get(place) & COMMAND_MASTER) !== 0;
	}

	/** Register of the card at an offset of the window; undefined: there is nothing. */
	private cardRegister(offset: number): number | undefined {
		if (!(this.word(1, COMMAND) & COMMAND_MEMORY)) return undefined;
		const register = board.pcie.memory + offset - this.word(1, BAR0);
		return register >= 0 && register < cardBytes ? register : undefined;
	}

	/** The card has words only: of a narrow access QEMU takes the word at its address. */
	private readWindow(offset: number, size: number): number {
		const register = this.cardRegister(offset);
		if (register === undefined) return allOnes;
		const value = this.card.read(register & ~3);
		return size === 4 ? value : value & ((1 << (8 * size)) - 1);
	}

	private writeWindow(offset: number, value: number): void {
		const register = this.cardRegister(offset);
		if (register !== undefined) this.card.write(register & ~3, value >>> 0);
	}
}

/** Offset in ECAM: bus, device and function, register. */
function placeOf(offset: number): { readonly slot: number | undefined; readonly register: number } {
	const register = offset & 0xfff;
	const slot = offset >>> 15;
	const exists = slot < slots && ((offset >>> 12) & 7) === 0 && register < spaceBytes;
	return { slot: exists ? slot : undefined, register };
}
