/** The packets of gdb's remote serial protocol (gdb manual, appendix E): `$text#sum`, escapes, acknowledgements. */
const mostPacket = 0x8000;

function checksum(text: string): string {
	let sum = 0;
	for (let i = 0; i < text.length; i++) sum = (sum + text.charCodeAt(i)) & 255;
	return sum.toString(16).padStart(2, "0");
}

export function packet(text: string): string {
	const escaped = text.replace(/[$#}*]/g, (letter) => `}${String.fromCharCode(letter.charCodeAt(0) ^ 0x20)}`);
	return `$${escaped}#${checksum(escaped)}`;
}

interface PacketListener {
	packet(text: string): void;
	/** Ctrl-C. */
	interrupt(): void;
	/** What is to be sent at once: `+` or `-`. */
	acknowledge(text: string): void;
}

/** Takes gdb's byte stream (one character a byte) apart. */
export class PacketReader {
	private buffer = "";
	/** After QStartNoAckMode nothing is acknowledged. */
	silent = false;

	constructor(private readonly listener: PacketListener) {}

	push(text: string): void {
		this.buffer += text;
		for (;;) {
			const start = this.buffer.search(/[$\x03]/);
			if (start < 0) {
				this.buffer = "";
				return;
			}
			if (this.buffer[start] === "\x03") {
				this.buffer = this.buffer.slice(start + 1);
				this.listener.interrupt();
				continue;
			}
			const end = this.buffer.indexOf("#", start);
			if (end < 0 || this.buffer.length < end + 3) {
				this.buffer = this.buffer.slice(start);
				if (this.buffer.length > mostPacket) this.buffer = "";
				return;
			}
			const body = this.buffer.slice(start + 1, end);
			const sum = this.buffer.slice(end + 1, end + 3).toLowerCase();
			this.buffer = this.buffer.slice(end + 3);
			if (sum !== checksum(body)) {
				if (!this.silent) this.listener.acknowledge("-");
				continue;
			}
			if (!this.silent) this.listener.acknowledge("+");
			this.listener.packet(
				body.replace(/}([\s\S])/g, (_, letter: string) => String.fromCharCode(letter.charCodeAt(0) ^ 0x20)),
			);
		}
	}
}

export function toHex(bytes: Iterable<number>): string {
	let text = "";
	for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
	return text;
}

/** Undefined: it is not hexadecimal, or not whole bytes. */
export function fromHex(text: string): Uint8Array | undefined {
	if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
	return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** 64 bits, the lowest byte first, as RV64 registers are sent. */
export function littleHex(value: bigint, bytes = 8): string {
	let text = "";
	for (let i = 0; i < bytes; i++)
		text += Number((value >> BigInt(8 * i)) & 255n)
			.toString(16)
			.padStart(2, "0");
	return text;
}

export function fromLittleHex(text: string): bigint | undefined {
	const bytes = fromHex(text);
	if (!bytes || bytes.length > 8) return undefined;
	let value = 0n;
	for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
	return value;
}
