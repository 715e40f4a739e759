import type { ConsolePort, Instructions } from "../machine/types.ts";

/** Most characters given at once, well below the 128 of xv6's console buffer. */
const mostTyped = 100;
/** Instructions that a busy guest is given to read a piece of input. */
const readingTime: Instructions = 5_000_000;

/**
 * Gives the guest what a person types, a line at a time: xv6's console drops what does not fit its buffer, and a paste is longer.
 * The next piece goes when the guest waits, or has had long enough to read the one before.
 */
export class Keyboard {
	private readonly typed: number[] = [];
	private fedAt = 0;

	constructor(private readonly machine: { readonly console: ConsolePort; readonly instret: Instructions }) {}

	type(bytes: Uint8Array): void {
		const first = this.typed.length === 0;
		for (const byte of bytes) this.typed.push(byte);
		if (first) this.feed(true);
	}

	get isEmpty(): boolean {
		return this.typed.length === 0;
	}

	/** True: the guest was given something to read. */
	feed(guestWaits: boolean): boolean {
		if (this.typed.length === 0 || this.machine.console.pending > 0) return false;
		if (!guestWaits && this.machine.instret - this.fedAt < readingTime) return false;
		const end = this.typed.findIndex((byte) => byte === 0x0a || byte === 0x0d);
		const length = Math.min(end < 0 ? this.typed.length : end + 1, mostTyped);
		this.machine.console.write(Uint8Array.from(this.typed.splice(0, length)));
		this.fedAt = this.machine.instret;
		return true;
	}
}
