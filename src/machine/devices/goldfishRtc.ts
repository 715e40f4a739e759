/**
 * Goldfish real-time clock, as QEMU's hw/rtc/goldfish_rtc.c: nanoseconds since 1970, and an alarm. It begins with a time that the
 * machine was given and runs with guest time: no clock of the host is read.
 */
import { ACCESS_4 } from "../core/layout.ts";
import { type Device, type DeviceHost, Registers } from "../device.ts";

const TIME_LOW = 0x00;
const TIME_HIGH = 0x04;
const ALARM_LOW = 0x08;
const ALARM_HIGH = 0x0c;
const IRQ_ENABLED = 0x10;
const CLEAR_ALARM = 0x14;
const ALARM_STATUS = 0x18;
const CLEAR_INTERRUPT = 0x1c;

/** Nanoseconds that were added to guest time. */
const S_OFFSET = 0x00;
const S_ALARM = 0x08;
/** High word of the time whose low word was read last. */
const S_HIGH = 0x10;
const S_RUNNING = 0x14;
const S_PENDING = 0x18;
const S_ENABLED = 0x1c;
export const rtcStateBytes = 0x20;

/** A tick of mtime. */
const tick = 100n;
const low = 0xffff_ffffn;

interface RtcConfig {
	readonly irq: number;
	readonly state: DataView;
	/** Seconds since 1970 at power-on. */
	readonly start: number;
	/** mtime. */
	now(): bigint;
	/** Calls `sliceEnd` when it is so late. */
	wakeAt(time: bigint): void;
}

export class GoldfishRtc implements Device {
	readonly name = "real-time clock";
	readonly access = ACCESS_4;
	private readonly s: Registers;

	constructor(
		private readonly host: Pick<DeviceHost, "setIrqLevel">,
		private readonly config: RtcConfig,
	) {
		this.s = new Registers(config.state);
		this.s.set64(S_OFFSET, BigInt(config.start) * 1_000_000_000n);
	}

	read(offset: number): number {
		const { s } = this;
		switch (offset) {
			case TIME_LOW: {
				const { time } = this;
				s.set(S_HIGH, Number(time >> 32n));
				return Number(time & low);
			}
			case TIME_HIGH:
				return s.get(S_HIGH);
			case ALARM_LOW:
				return Number(s.get64(S_ALARM) & low);
			case ALARM_HIGH:
				return Number(s.get64(S_ALARM) >> 32n);
			case IRQ_ENABLED:
				return s.get(S_ENABLED);
			case ALARM_STATUS:
				return s.get(S_RUNNING);
			default:
				return 0;
		}
	}

	write(offset: number, _size: number, word: number): void {
		const { s } = this;
		const value = BigInt(word >>> 0);
		switch (offset) {
			case TIME_LOW:
				this.time = (this.time & ~low) | value;
				break;
			case TIME_HIGH:
				this.time = (this.time & low) | (value << 32n);
				break;
			case ALARM_LOW:
				s.set64(S_ALARM, (s.get64(S_ALARM) & ~low) | value);
				s.set(S_RUNNING, 1);
				this.sliceEnd();
				break;
			case ALARM_HIGH:
				s.set64(S_ALARM, (s.get64(S_ALARM) & low) | (value << 32n));
				break;
			case IRQ_ENABLED:
				s.set(S_ENABLED, word & 1);
				this.update();
				break;
			case CLEAR_ALARM:
				s.set(S_RUNNING, 0);
				break;
			case CLEAR_INTERRUPT:
				s.set(S_PENDING, 0);
				this.update();
				break;
		}
	}

	/** The alarm may be due. */
	sliceEnd(): void {
		const { s, config } = this;
		if (!s.get(S_RUNNING)) return;
		const left = s.get64(S_ALARM) - this.time;
		if (left > 0n) {
			config.wakeAt(config.now() + (left + tick - 1n) / tick);
			return;
		}
		s.set(S_RUNNING, 0);
		s.set(S_PENDING, 1);
		this.update();
	}

	private get time(): bigint {
		return BigInt.asUintN(64, this.s.get64(S_OFFSET) + this.config.now() * tick);
	}

	private set time(value: bigint) {
		this.s.set64(S_OFFSET, BigInt.asUintN(64, value - this.config.now() * tick));
	}

	private update(): void {
		const { s } = this;
		this.host.setIrqLevel(this.config.irq, s.get(S_PENDING) !== 0 && s.get(S_ENABLED) !== 0);
	}
}
