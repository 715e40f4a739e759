import { throwIfCancelled } from "../common/cancellation.ts";
import { DisposableStore } from "../common/disposable.ts";
import type { Instructions, MachineSurface } from "../machine/types.ts";
import { budgets } from "./budgets.ts";
import type { CommandEnd } from "./commandEnd.ts";
import { ConsoleText, commandOutput } from "./consoleText.ts";

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
	private readonly text = new ConsoleText();
	private readonly store = new DisposableStore();
	/** Ends the present wait; a shell that lives longer than one command gets one with each. */
	signal: AbortSignal | undefined;

	constructor(
		private readonly machine: MachineSurface,
		private readonly options: ShellOptions,
	) {
		this.signal = options.signal;
		this.store.add(
			machine.console.onData((bytes) => {
				this.text.add(bytes);
				options.onOutput?.(bytes);
			}),
		);
	}

	/** Everything printed since the last `run` or since the start. */
	get console(): string {
		return this.text.text;
	}

	/** What the kernel said when it panicked, undefined while it has not. */
	get panic(): string | undefined {
		return this.text.panic;
	}

	/** Runs until the guest asks for a command, or cannot any more, or has printed too much. */
	async waitForPrompt(budget: Instructions, mostOutput = Number.POSITIVE_INFINITY): Promise<CommandEnd> {
		const start = this.machine.instret;
		const stopAt = this.text.printed + mostOutput;
		let quiet = 0;
		for (;;) {
			throwIfCancelled(this.signal);
			const left = budget - (this.machine.instret - start);
			if (left <= 0) return { kind: "timeout" };
			const before = this.text.printed;
			const at = this.machine.instret;
			const stop = this.machine.run(Math.min(budgets.look, left));
			quiet = this.text.printed === before ? quiet + (this.machine.instret - at) : 0;
			if (stop.kind === "halt") return { kind: "halt", code: stop.code };
			if (this.panic !== undefined) return this.finishPanic();
			if (this.text.printed > stopAt) return { kind: "flood", printed: this.text.printed - (stopAt - mostOutput) };
			const prompt = this.text.atPrompt && this.machine.console.pending === 0;
			if (prompt && (quiet >= budgets.quietAfterPrompt || stop.kind === "idle")) return { kind: "prompt" };
			if (stop.kind === "idle") return { kind: "stuck" };
			if (stop.kind === "requested") return { kind: "timeout" };
			await this.options.breathe();
		}
	}

	async run(command: string, budget: Instructions, mostOutput?: number): Promise<CommandResult> {
		const start = this.machine.instret;
		this.text.forget();
		this.machine.console.write(new TextEncoder().encode(`${command}\n`));
		const end = await this.waitForPrompt(budget, mostOutput);
		return { end, output: commandOutput(this.console, command), instructions: this.machine.instret - start };
	}

	dispose(): void {
		this.store.dispose();
	}

	private finishPanic(): CommandEnd {
		this.machine.run(budgets.afterPanic);
		return { kind: "panic", message: this.panic ?? "" };
	}
}
