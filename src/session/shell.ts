import { utf8 } from "../common/bytes.ts";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import type { Instructions, MachineSurface, StopReason } from "../machine/types.ts";
import { budgets } from "./budgets.ts";
import type { CommandEnd } from "./commandEnd.ts";
import { commandOutput } from "./consoleText.ts";
import type { ProgressWatch } from "./progress.ts";
import { type Job, RunController, type RunHost } from "./runController.ts";

export interface ShellOptions {
	/** Ends a wait with the `cancelled` error; see also {@link Shell.signal}. */
	readonly signal?: AbortSignal;
	readonly onOutput?: (bytes: Uint8Array) => void;
	/** Called at the start of each wait; what it gives tells whether a person's patience is over, and the wait a time-out. */
	readonly patience?: () => () => boolean;
}

interface CommandOptions {
	/** Characters after which a command is given up. */
	readonly mostOutput?: number;
	/** Somebody may type: a guest that waits for input is not stuck. */
	readonly expectsInput?: boolean;
}

export interface CommandResult {
	readonly end: CommandEnd;
	/** Console text after the echoed command line, up to the prompt. */
	readonly output: string;
	readonly instructions: Instructions;
}

/** Types at a guest's shell as a person would: waits for `$ `, types, waits for the next one. */
export class Shell implements Disposable {
	private readonly store = new DisposableStore();
	/** Ends the present wait; a shell that lives longer than one command gets one with each. */
	signal: AbortSignal | undefined;

	constructor(
		private readonly controller: RunController,
		private readonly machine: MachineSurface,
		private readonly options: ShellOptions = {},
	) {
		this.signal = options.signal;
		const { onOutput } = options;
		if (onOutput) this.store.add(machine.console.onData(onOutput));
	}

	/** The shell of a machine that nobody else runs. */
	static on(machine: MachineSurface, options: ShellOptions & RunHost, progress?: ProgressWatch): Shell {
		const controller = new RunController(machine, options, progress);
		const shell = new Shell(controller, machine, options);
		shell.store.add(controller);
		return shell;
	}

	/** Everything printed since the last `run` or since the start. */
	get console(): string {
		return this.controller.console.text;
	}

	/** What the kernel said when it panicked, undefined while it has not. */
	get panic(): string | undefined {
		return this.controller.console.panic;
	}

	/** Runs until the guest asks for a command, or cannot any more, or has printed too much. */
	waitForPrompt(budget: Instructions, options: CommandOptions = {}): Promise<CommandEnd> {
		const { expectsInput = false } = options;
		return this.controller.run({ ...this.lookout(budget, options), signal: this.signal, expectsInput });
	}

	/** How long to run from now on, and what to make of each stop: for owners that run the machine themselves. */
	lookout(budget: Instructions, options: CommandOptions = {}): Pick<Job<CommandEnd>, "step" | "look"> {
		const { controller, machine } = this;
		const { console } = controller;
		const start = machine.instret;
		const left = () => budget - (machine.instret - start);
		const printedAtStart = console.printed;
		const { mostOutput = Number.POSITIVE_INFINITY } = options;
		const isTired = this.options.patience?.();
		let quiet = 0;
		let isOver: CommandEnd | undefined;
		let before = { printed: console.printed, at: machine.instret };
		const look = (stop: StopReason): CommandEnd | undefined => {
			if (isOver && controller.deniesPanic()) isOver = undefined;
			if (isOver) return isOver;
			quiet = console.printed === before.printed ? quiet + (machine.instret - before.at) : 0;
			before = { printed: console.printed, at: machine.instret };
			const printed = console.printed - printedAtStart;
			if (stop.kind === "halt") return { kind: "halt", code: stop.code };
			if (console.panic !== undefined) {
				// One more slice: the text may continue.
				isOver = { kind: "panic", message: console.panic };
				return undefined;
			}
			if (printed > mostOutput) return { kind: "flood", printed };
			const prompt = console.atPrompt && machine.console.pending === 0;
			if (prompt && (quiet >= budgets.quietAfterPrompt || stop.kind === "idle")) return this.atPrompt();
			// An idle guest makes few instructions, and waits at its prompt for what only the next command brings.
			const { stall } = controller;
			if (stall) return prompt || stall.isShell ? this.atPrompt() : { kind: "stall", report: stall };
			if (stop.kind === "idle") return { kind: "stuck" };
			if (stop.kind === "requested" || left() <= 0 || isTired?.()) return { kind: "timeout" };
			return undefined;
		};
		const step = () => (isOver ? budgets.afterPanic : Math.max(1, Math.min(budgets.look, left())));
		return { step, look };
	}

	private atPrompt(): CommandEnd {
		this.controller.atPrompt();
		return { kind: "prompt" };
	}

	async run(command: string, budget: Instructions, options: CommandOptions = {}): Promise<CommandResult> {
		const start = this.machine.instret;
		this.type(command);
		const end = await this.waitForPrompt(budget, options);
		return { end, output: commandOutput(this.console, command), instructions: this.machine.instret - start };
	}

	/** A command begins. */
	type(command: string): void {
		this.controller.forget();
		this.machine.console.write(utf8(`${command}\n`));
	}

	dispose(): void {
		this.store.dispose();
	}
}
