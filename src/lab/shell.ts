import { throwIfCancelled } from "../common/cancellation.ts";
import { DisposableStore } from "../common/disposable.ts";
import type { Instructions, MachineSurface } from "../machine/types.ts";
import type { CommandEnd } from "./verdict.ts";

/** Instructions between two looks at the console; short enough to stop soon after a prompt, long enough to cost nothing. */
const lookEvery: Instructions = 200_000;
/** A prompt counts once the console has been silent for this long: a program may print `$ ` too, and then goes on. */
const quietAfterPrompt: Instructions = 400_000;
/** After `panic:` the kernel still prints the text and perhaps a backtrace. */
const afterPanic: Instructions = 2_000_000;

/** Console text that is kept for looking back, in characters; a program that floods the console must not fill the memory. */
const keepText = 4_000_000;

const promptAtEnd = /(?:^|\n)\$ $/;
const promptLength = "\n$ ".length;
/** A whole line: the message comes a byte at a time. */
const panicLine = /^(?:.*\W)?panic: ?(.*?)\r?\n/m;
/** How far back a line that is not ended yet may begin, in characters. */
const longestLine = 400;

export interface ShellOptions {
	/** Lets messages of the host through; called between looks. */
	readonly breathe: () => Promise<void>;
	/** Ends a wait with the `cancelled` error; see also {@link Shell.signal}. */
	readonly signal?: AbortSignal;
	readonly onOutput?: (bytes: Uint8Array) => void;
}

export interface CommandResult {
	readonly end: CommandEnd;
	/** Console text after the echoed command line, up to the prompt. */
	readonly output: string;
	readonly instructions: Instructions;
}

/** Types at a guest's shell as a person would: waits for `$ `, types, waits for the next one. */
export class Shell {
	/** In pieces as they came: joined at each of many looks, a long text would cost its square. */
	private pieces: string[] = [];
	private length = 0;
	/** Ever. */
	private printed = 0;
	/** The last characters. */
	private tail = "";
	private panicSeen: string | undefined;
	private readonly store = new DisposableStore();
	/** Ends the present wait; a shell that lives longer than one command gets one with each. */
	signal: AbortSignal | undefined;
	private readonly decoder = new TextDecoder();

	constructor(
		private readonly machine: MachineSurface,
		private readonly options: ShellOptions,
	) {
		this.signal = options.signal;
		this.store.add(
			machine.console.onData((bytes) => {
				const piece = this.decoder.decode(bytes, { stream: true });
				const recent = this.tail + piece;
				this.pieces.push(piece);
				this.length += piece.length;
				this.printed += piece.length;
				this.tail = recent.slice(-longestLine);
				this.panicSeen ??= panicLine.exec(recent)?.[1];
				if (this.length > 2 * keepText) this.keep(this.pieces.join("").slice(-keepText));
				options.onOutput?.(bytes);
			}),
		);
	}

	/** Everything printed since the last `run` or since the start. */
	get console(): string {
		return this.pieces.join("").replaceAll("\r\n", "\n");
	}

	/** What the kernel said when it panicked, undefined while it has not. */
	get panic(): string | undefined {
		return this.panicSeen;
	}

	/** Runs until the guest asks for a command, or cannot any more, or has printed too much. */
	async waitForPrompt(budget: Instructions, mostOutput = Number.POSITIVE_INFINITY): Promise<CommandEnd> {
		const start = this.machine.instret;
		const stopAt = this.printed + mostOutput;
		let quiet = 0;
		for (;;) {
			throwIfCancelled(this.signal);
			const left = budget - (this.machine.instret - start);
			if (left <= 0) return { kind: "timeout" };
			const before = this.printed;
			const at = this.machine.instret;
			const stop = this.machine.run(Math.min(lookEvery, left));
			quiet = this.printed === before ? quiet + (this.machine.instret - at) : 0;
			if (stop.kind === "halt") return { kind: "halt", code: stop.code };
			if (this.panic !== undefined) return this.finishPanic();
			if (this.printed > stopAt) return { kind: "flood", printed: this.printed - (stopAt - mostOutput) };
			const prompt = promptAtEnd.test(this.tail.slice(-promptLength)) && this.machine.console.pending === 0;
			if (prompt && (quiet >= quietAfterPrompt || stop.kind === "idle")) return { kind: "prompt" };
			if (stop.kind === "idle") return { kind: "stuck" };
			if (stop.kind === "requested") return { kind: "timeout" };
			await this.options.breathe();
		}
	}

	async run(command: string, budget: Instructions, mostOutput?: number): Promise<CommandResult> {
		const start = this.machine.instret;
		this.keep("");
		this.tail = "";
		this.panicSeen = undefined;
		this.machine.console.write(new TextEncoder().encode(`${command}\n`));
		const end = await this.waitForPrompt(budget, mostOutput);
		return { end, output: commandOutput(this.console, command), instructions: this.machine.instret - start };
	}

	dispose(): void {
		this.store.dispose();
	}

	private keep(text: string): void {
		this.pieces = [text];
		this.length = text.length;
	}

	private finishPanic(): CommandEnd {
		this.machine.run(afterPanic);
		return { kind: "panic", message: this.panic ?? "" };
	}
}

/** Takes the echo of the command and the closing prompt off a console text. */
export function commandOutput(console: string, command: string): string {
	const echo = `${command}\n`;
	const at = console.indexOf(echo);
	const body = at >= 0 ? console.slice(at + echo.length) : console;
	return body.replace(promptAtEnd, (match) => (match.startsWith("\n") ? "\n" : ""));
}
