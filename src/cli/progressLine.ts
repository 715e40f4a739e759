import type { ProgressListener } from "../common/cancellation.ts";
import { visibleLine } from "../common/visible.ts";

/** A line of a terminal that says what is being done and is written over; nothing where output is no terminal. */
export class ProgressLine {
	private shown = false;

	constructor(private readonly terminal: Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write">) {}

	readonly show: ProgressListener = ({ step, done, total }) => {
		if (!this.terminal.isTTY) return;
		const text = `[${done}/${total}] ${visibleLine(step)}`;
		// The last column stays free: some terminals would begin a new line.
		this.terminal.write(`\r\u001b[K${text.slice(0, Math.max(10, (this.terminal.columns ?? 80) - 1))}`);
		this.shown = true;
	};

	/** Before anything else is written. */
	clear(): void {
		if (this.shown) this.terminal.write("\r\u001b[K");
		this.shown = false;
	}
}
