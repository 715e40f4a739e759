import { Emitter } from "../common/event.ts";
import type { ConsolePort } from "./types.ts";

/** Console bytes are handed out when so many have gathered, or when the core comes back. */
const batch = 4096;

/** The host's end of the UART's line: what the guest sent, in batches, and what waits for it. */
export class ConsoleLine implements ConsolePort {
	private readonly sent = new Emitter<Uint8Array>();
	private readonly out = new Uint8Array(batch);
	private outLength = 0;
	private input: Uint8Array = new Uint8Array(64);
	private head = 0;
	private tail = 0;
	/** Bytes that the guest has sent since power-on; going back puts it back. */
	sentBytes = 0;
	/** The guest sends again what listeners have had. */
	silent = false;

	/** `onWrite` decides when the bytes join the queue, and calls `queue` then. */
	constructor(private readonly onWrite: (bytes: Uint8Array) => void) {}

	readonly onData = this.sent.event;

	write(bytes: Uint8Array): void {
		if (bytes.length > 0) this.onWrite(bytes);
	}

	get pending(): number {
		return this.tail - this.head;
	}

	/** Bytes that the guest has not read yet. */
	get waiting(): Uint8Array {
		return this.input.slice(this.head, this.tail);
	}

	queue(bytes: Uint8Array): void {
		if (this.tail + bytes.length > this.input.length) {
			const larger = new Uint8Array(2 * (this.pending + bytes.length));
			larger.set(this.waiting);
			this.tail = this.pending;
			this.head = 0;
			this.input = larger;
		}
		this.input.set(bytes, this.tail);
		this.tail += bytes.length;
	}

	next(): number | undefined {
		return this.head < this.tail ? this.input[this.head++] : undefined;
	}

	/** Puts the queue back to what it was at an earlier moment. */
	restore(waiting: Uint8Array): void {
		this.head = 0;
		this.tail = 0;
		this.queue(waiting);
	}

	transmit(byte: number): void {
		this.sentBytes++;
		if (this.silent) return;
		this.out[this.outLength++] = byte;
		if (this.outLength === batch) this.flush();
	}

	flush(): void {
		if (this.outLength === 0) return;
		const bytes = this.out.slice(0, this.outLength);
		this.outLength = 0;
		this.sent.fire(bytes);
	}

	dispose(): void {
		this.sent.dispose();
	}
}
