/** The protocol's base framing: `Content-Length: N`, an empty line, N bytes of JSON. */
const mostHeader = 4096;
const mostBody = 64 << 20;

export function frame(message: object): Uint8Array {
	const body = new TextEncoder().encode(JSON.stringify(message));
	const head = new TextEncoder().encode(`Content-Length: ${body.length}\r\n\r\n`);
	const whole = new Uint8Array(head.length + body.length);
	whole.set(head);
	whole.set(body, head.length);
	return whole;
}

/** Takes a byte stream apart. What is not a message is told to `wrong`, and skipped where that is possible. */
export class MessageReader {
	private buffer = new Uint8Array();

	constructor(
		private readonly message: (message: unknown) => void,
		/** `fatal`: the stream cannot be followed any further. */
		private readonly wrong: (why: string, fatal: boolean) => void,
	) {}

	push(bytes: Uint8Array): void {
		const whole = new Uint8Array(this.buffer.length + bytes.length);
		whole.set(this.buffer);
		whole.set(bytes, this.buffer.length);
		this.buffer = whole;
		while (this.take());
	}

	private take(): boolean {
		const end = endOfHeader(this.buffer);
		if (end < 0) {
			if (this.buffer.length > mostHeader) this.lost("a header without an end");
			return false;
		}
		const header = new TextDecoder().decode(this.buffer.subarray(0, end));
		const length = /^Content-Length: *(\d{1,9})\s*$/im.exec(header)?.[1];
		if (length === undefined || Number(length) > mostBody) {
			this.lost(length === undefined ? "a header without Content-Length" : "a message that is too long");
			return false;
		}
		const from = end + 4;
		const to = from + Number(length);
		if (this.buffer.length < to) return false;
		const text = new TextDecoder().decode(this.buffer.subarray(from, to));
		this.buffer = this.buffer.slice(to);
		let message: unknown;
		try {
			message = JSON.parse(text);
		} catch {
			this.wrong("a message that is not JSON", false);
			return true;
		}
		this.message(message);
		return true;
	}

	private lost(why: string): void {
		this.buffer = new Uint8Array();
		this.wrong(why, true);
	}
}

function endOfHeader(bytes: Uint8Array): number {
	for (let i = 0; i + 3 < bytes.length && i <= mostHeader; i++)
		if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i;
	return -1;
}
