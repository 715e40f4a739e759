/**
 * Guest bytes to terminal text: streaming UTF-8, and `\n` becomes `\r\n` exactly once, also where a chunk ends between the two.
 * One per terminal, since both have a state.
 */
export class ConsoleText {
	private decoder = new TextDecoder();
	private afterReturn = false;

	push(bytes: Uint8Array): string {
		const text = this.decoder.decode(bytes, { stream: true });
		let out = "";
		for (const character of text) {
			out += character === "\n" && !this.afterReturn ? "\r\n" : character;
			this.afterReturn = character === "\r";
		}
		return out;
	}

	/** A new machine starts: half a character of the old one must not spoil its first. */
	reset(): void {
		this.decoder = new TextDecoder();
		this.afterReturn = false;
	}
}
