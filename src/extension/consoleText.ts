import { ConsoleFilter } from "../common/consoleFilter.ts";

/** No wider than a terminal, or taking it back would take the wrong row. */
const longestLine = 60;

/**
 * Guest bytes to terminal text: streaming UTF-8, and `\n` becomes `\r\n` exactly once, also where a chunk ends between the two;
 * what a terminal would obey beyond colours and the cursor is taken out.
 * One per terminal, since both have a state.
 */
export class ConsoleText {
	private decoder = new TextDecoder();
	private readonly filter = new ConsoleFilter();
	private afterReturn = false;
	private begun = "";

	/** What the guest has printed of the line it is on: usually its prompt. Empty when that is too long to print again. */
	get lastLine(): string {
		return this.begun.length > longestLine ? "" : this.begun;
	}

	push(bytes: Uint8Array): string {
		const text = this.filter.push(this.decoder.decode(bytes, { stream: true }));
		let out = "";
		for (const character of text) {
			out += character === "\n" && !this.afterReturn ? "\r\n" : character;
			this.afterReturn = character === "\r";
		}
		const end = Math.max(out.lastIndexOf("\n"), out.lastIndexOf("\r"));
		this.begun = (end >= 0 ? out.slice(end + 1) : this.begun + out).slice(-longestLine - 1);
		return out;
	}

	/** A new machine starts: half a character of the old one must not spoil its first. */
	reset(): void {
		this.decoder = new TextDecoder();
		this.filter.reset();
		this.afterReturn = false;
		this.begun = "";
	}
}
