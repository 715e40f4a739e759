/** What the console of an xv6 says about the state of the guest: the only place that knows these texts. */

const prompt = "\n$ ";
export const promptAtEnd = /(?:^|\n)\$ $/;
/** A whole line: the message comes a byte at a time. Some courses' kernels write it in capitals. */
const panicLine = /^(?:.*\W)?(?:panic|PANIC): ?(.*)$/s;
/** How far back a line that is not ended yet may begin, in characters. */
const longestLine = 400;
/** Console text that is kept for looking back, in characters; a program that floods the console must not fill the memory. */
const keepText = 4_000_000;

/** The console's text as it comes: whether it ends with the shell's prompt, and what the kernel said when it panicked. */
export class ConsoleText {
	/** In pieces as they came: joined at each of many looks, a long text would cost its square. */
	private pieces: string[] = [];
	private length = 0;
	/** The last characters. */
	private tail = "";
	private readonly decoder = new TextDecoder();
	private panicSeen: string | undefined;
	/** Characters ever printed. */
	printed = 0;

	add(bytes: Uint8Array): void {
		const piece = this.decoder.decode(bytes, { stream: true });
		const recent = this.tail + piece;
		this.pieces.push(piece);
		this.length += piece.length;
		this.printed += piece.length;
		this.tail = recent.slice(-longestLine);
		this.panicSeen ??= panics(recent).next().value;
		if (this.length > 2 * keepText) this.keep(this.pieces.join("").slice(-keepText));
	}

	/** A command is typed: what was printed before it is of no interest any more. */
	forget(): void {
		this.keep("");
		this.tail = "";
		this.panicSeen = undefined;
	}

	/** A program printed what looked like a panic; its line is not asked about again. */
	forgetPanic(): void {
		this.panicSeen = undefined;
		this.tail = this.tail.slice(this.tail.lastIndexOf("\n") + 1);
	}

	/** Everything since `forget`, or since the start, as far as it is kept. */
	get text(): string {
		return this.pieces.join("").replaceAll("\r\n", "\n");
	}

	/** As it came, with carriage returns. */
	get raw(): string {
		if (this.pieces.length > 1) this.pieces = [this.pieces.join("")];
		return this.pieces[0] ?? "";
	}

	/** The last characters are the shell's prompt. A program may print it, too, and continue. */
	get atPrompt(): boolean {
		return promptAtEnd.test(this.tail.slice(-prompt.length));
	}

	/** What the kernel said when it panicked, undefined while it has not. */
	get panic(): string | undefined {
		return this.panicSeen;
	}

	private keep(text: string): void {
		this.pieces = [text];
		this.length = text.length;
	}
}

/** Of a text in which a program may have printed the words, too, the kernel's message is the last one. */
export function lastPanic(text: string): string | undefined {
	return [...panics(text)].at(-1);
}

/** By lines, and only those that are ended: a pattern for all of the text would go to its end from each of these words. */
function* panics(text: string): Generator<string, undefined> {
	let start = 0;
	for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
		const line = text.slice(start, text[end - 1] === "\r" ? Math.max(start, end - 1) : end);
		start = end + 1;
		const message = panicLine.exec(line)?.[1];
		if (message !== undefined) yield message;
	}
}

/** Takes the echo of the command and the closing prompt off a console text. */
export function commandOutput(console: string, command: string): string {
	const echo = `${command}\n`;
	const at = console.indexOf(echo);
	const body = at >= 0 ? console.slice(at + echo.length) : console;
	return body.replace(promptAtEnd, (match) => (match.startsWith("\n") ? "\n" : ""));
}

/** Of a panic, what to try, where the machine and not the kernel is at fault. */
export function panicAdvice(text: string): string | undefined {
	// Drivers know one version of the device and panic at the sight of the other.
	if (!text.includes("could not find virtio disk")) return undefined;
	return "the kernel's disk driver is for the other version of the device: try --virtio legacy, or modern";
}
