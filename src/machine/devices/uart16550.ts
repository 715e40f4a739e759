// National Semiconductor PC16550D, as QEMU's serial.c shows it: transmission takes no time, reception is fed at slice ends.
import { ACCESS_1, ACCESS_2, ACCESS_4, ACCESS_8 } from "../core/layout.ts";
import type { Device, DeviceHost } from "../device.ts";

/** Register offsets (PC16550D data sheet, table II). The first two have other meanings while LCR.DLAB is set. */
const RBR_THR_DLL = 0;
const IER_DLM = 1;
const IIR_FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCR = 7;

const IER_RX = 1;
const IER_TX = 2;
const IER_MASK = 0x0f;

const IIR_NONE = 0x01;
const IIR_TX_EMPTY = 0x02;
const IIR_RX_READY = 0x04;
const IIR_RX_TIMEOUT = 0x0c;
const IIR_FIFOS = 0xc0;

const FCR_ENABLE = 0x01;
const FCR_CLEAR_RX = 0x02;
const FCR_CLEAR_TX = 0x04;
/** FCR bits 6..7: bytes in the receiver FIFO that raise the interrupt. */
const triggers = [1, 4, 8, 14] as const;

const LCR_DLAB = 0x80;
const MCR_OUT2 = 0x08;
const MCR_LOOPBACK = 0x10;
const MCR_MASK = 0x1f;

const LSR_DATA_READY = 0x01;
const LSR_TX_EMPTY = 0x60;

/** CTS, DSR and DCD: somebody is on the line. */
const MSR_CONNECTED = 0xb0;

const fifoSize = 16;

/** Byte offsets in the state. */
const S_IER = 0;
const S_FCR = 1;
const S_LCR = 2;
const S_MCR = 3;
const S_SCR = 4;
const S_DLL = 5;
const S_DLM = 6;
const S_TX_PENDING = 7;
const S_RX_HEAD = 8;
const S_RX_COUNT = 9;
const S_RX = 16;

export const uartStateBytes = 32;

interface UartConfig {
	readonly irq: number;
	readonly state: DataView;
	/** A byte that the guest sent. */
	readonly onByte: (byte: number) => void;
	/** The next byte for the guest, undefined when there is none; called at slice ends only, and only when there is room. */
	readonly nextByte: () => number | undefined;
}

export class Uart16550 implements Device {
	readonly name = "uart";
	/** A wide access is one to the register at its address, a byte (QEMU serial_mm_read). */
	readonly access = ACCESS_1 | ACCESS_2 | ACCESS_4 | ACCESS_8;

	constructor(
		private readonly host: DeviceHost,
		private readonly config: UartConfig,
	) {
		this.set(S_DLL, 12);
		this.set(S_MCR, MCR_OUT2);
	}

	private get(offset: number): number {
		return this.config.state.getUint8(offset);
	}

	private set(offset: number, value: number): void {
		this.config.state.setUint8(offset, value);
	}

	private get fifosEnabled(): boolean {
		return (this.get(S_FCR) & FCR_ENABLE) !== 0;
	}

	private get dlab(): boolean {
		return (this.get(S_LCR) & LCR_DLAB) !== 0;
	}

	private get room(): number {
		return (this.fifosEnabled ? fifoSize : 1) - this.get(S_RX_COUNT);
	}

	read(offset: number): number {
		switch (offset) {
			case RBR_THR_DLL:
				return this.dlab ? this.get(S_DLL) : this.receive();
			case IER_DLM:
				return this.dlab ? this.get(S_DLM) : this.get(S_IER);
			case IIR_FCR:
				return this.identify();
			case LCR:
				return this.get(S_LCR);
			case MCR:
				return this.get(S_MCR);
			case LSR:
				return LSR_TX_EMPTY | (this.get(S_RX_COUNT) > 0 ? LSR_DATA_READY : 0);
			case MSR:
				return this.modemStatus();
			case SCR:
				return this.get(S_SCR);
			default:
				return 0;
		}
	}

	write(offset: number, _size: number, value: number): void {
		const byte = value & 0xff;
		switch (offset) {
			case RBR_THR_DLL:
				if (this.dlab) this.set(S_DLL, byte);
				else this.transmit(byte);
				return;
			case IER_DLM:
				if (this.dlab) this.set(S_DLM, byte);
				else this.enable(byte & IER_MASK);
				return;
			case IIR_FCR:
				this.control(byte);
				return;
			case LCR:
				this.set(S_LCR, byte);
				return;
			case MCR:
				this.set(S_MCR, byte & MCR_MASK);
				this.host.requestSliceEnd();
				return;
			case SCR:
				this.set(S_SCR, byte);
				return;
		}
	}

	/** Takes console input while there is room. */
	sliceEnd(): void {
		// In loopback the line is cut off; what waits comes when it is connected again.
		while (this.room > 0 && (this.get(S_MCR) & MCR_LOOPBACK) === 0) {
			const byte = this.config.nextByte();
			if (byte === undefined) break;
			this.push(byte);
		}
		this.update();
	}

	private push(byte: number): void {
		const count = this.get(S_RX_COUNT);
		this.set(S_RX + ((this.get(S_RX_HEAD) + count) % fifoSize), byte);
		this.set(S_RX_COUNT, count + 1);
	}

	private receive(): number {
		const count = this.get(S_RX_COUNT);
		if (count === 0) return 0;
		const head = this.get(S_RX_HEAD);
		const byte = this.get(S_RX + head);
		this.set(S_RX_HEAD, (head + 1) % fifoSize);
		this.set(S_RX_COUNT, count - 1);
		// There is room again: more input may come at the end of this slice.
		this.host.requestSliceEnd();
		this.update();
		return byte;
	}

	private transmit(byte: number): void {
		if ((this.get(S_MCR) & MCR_LOOPBACK) === 0) this.config.onByte(byte);
		else if (this.room > 0) this.push(byte);
		// The holding register is empty again at once.
		this.set(S_TX_PENDING, 1);
		this.update();
	}

	/** Enabling the transmitter's interrupt while the holding register is empty raises it (data sheet, 8.6.5). */
	private enable(bits: number): void {
		const before = this.get(S_IER);
		this.set(S_IER, bits);
		if (((bits ^ before) & IER_TX) !== 0) this.set(S_TX_PENDING, bits & IER_TX ? 1 : 0);
		this.update();
	}

	private control(bits: number): void {
		const toggled = ((bits ^ this.get(S_FCR)) & FCR_ENABLE) !== 0;
		if (toggled || (bits & FCR_CLEAR_RX) !== 0) {
			this.set(S_RX_HEAD, 0);
			this.set(S_RX_COUNT, 0);
		}
		if (toggled || (bits & FCR_CLEAR_TX) !== 0) this.set(S_TX_PENDING, 1);
		this.set(S_FCR, bits & ~(FCR_CLEAR_RX | FCR_CLEAR_TX));
		this.host.requestSliceEnd();
		this.update();
	}

	/** Reading the identification acknowledges the transmitter's interrupt when that is the one shown. */
	private identify(): number {
		const cause = this.cause();
		if (cause === IIR_TX_EMPTY) {
			this.set(S_TX_PENDING, 0);
			this.update();
		}
		return cause | (this.fifosEnabled ? IIR_FIFOS : 0);
	}

	private cause(): number {
		const ier = this.get(S_IER);
		const count = this.get(S_RX_COUNT);
		if ((ier & IER_RX) !== 0 && count > 0) {
			// Input does not trickle in: bytes below the trigger level have waited long enough (timeout) as soon as they are there.
			const trigger = this.fifosEnabled ? (triggers[this.get(S_FCR) >> 6] as number) : 1;
			return count >= trigger ? IIR_RX_READY : IIR_RX_TIMEOUT;
		}
		return (ier & IER_TX) !== 0 && this.get(S_TX_PENDING) !== 0 ? IIR_TX_EMPTY : IIR_NONE;
	}

	private update(): void {
		this.host.setIrqLevel(this.config.irq, this.cause() !== IIR_NONE);
	}

	/** In loopback the modem control outputs are the inputs (data sheet, 8.7). */
	private modemStatus(): number {
		const mcr = this.get(S_MCR);
		if ((mcr & MCR_LOOPBACK) === 0) return MSR_CONNECTED;
		return ((mcr & 0x0c) << 4) | ((mcr & 0x02) << 3) | ((mcr & 0x01) << 5);
	}
}
