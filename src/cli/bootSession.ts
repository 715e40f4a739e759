import { utf8 } from "../common/bytes.ts";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import type { Instructions, StopReason } from "../machine/types.ts";
import type { RunEnd } from "../protocol/diagnosis.ts";
import { budgets } from "../session/budgets.ts";
import { panicAdvice } from "../session/consoleText.ts";
import type { CountedMachine } from "../session/progress.ts";
import { RunController } from "../session/runController.ts";
import type { RunnableMachine } from "../session/runnableMachine.ts";
import { type WatchedView, watchProgress } from "../session/waiting.ts";
import { exitCodes, guestCode } from "./exitCodes.ts";

/** Instructions between two looks at keys, prompts and the clock. */
const lookEvery: Instructions = 500_000;

export interface SessionOptions {
	readonly commands: readonly string[];
	readonly until: RegExp | undefined;
	/** On the clock of `SessionIo.now`. */
	readonly deadline: number | undefined;
	/** Nobody sits at the keys. */
	readonly scripted: boolean;
	/** Why a run ended so, as text; empty: nothing is wrong, or nothing is known. */
	readonly explain?: (end: RunEnd) => string;
	/** What is asked of the kernel, where it tells. */
	readonly kernel?: WatchedView | undefined;
	/** Input comes from a log, and its end is the run's end. */
	readonly replay: boolean;
}

/** What a session needs of its process; replaced in tests. */
export interface SessionIo {
	/** False: the reader is behind, wait for `drained` before the next. */
	write(bytes: Uint8Array): boolean;
	drained(): Promise<void>;
	/** A line of ours, beside the guest's output. */
	say(text: string): void;
	now(): number;
	/** Lets keys, signals and timers through. */
	breathe(): Promise<void>;
	/** Keys go to `send`; `quit` ends the session; `ended`: no more keys will come. */
	attach(send: (bytes: Uint8Array) => void, quit: () => void, ended: () => void): Disposable;
}

/** One run of a machine against a person at a terminal or against a script. Resolves to the exit code. */
export class BootSession {
	private readonly store = new DisposableStore();
	readonly controller: RunController;
	private fresh = false;
	private typed = 0;
	/** When the last command was typed. */
	private typedAt: Instructions = 0;
	private quietFor = 0;
	private lookedAt: Instructions = 0;
	private quit = false;
	/** Nobody will type any more. */
	private inputEnded = false;
	/** The panic's text may continue for one more slice. */
	private panicked = false;
	private explained = false;

	constructor(
		private readonly machine: RunnableMachine & CountedMachine,
		private readonly io: SessionIo,
		private readonly options: SessionOptions,
	) {
		this.controller = this.store.add(
			new RunController(
				machine,
				io,
				watchProgress(machine, () => options.kernel),
			),
		);
	}

	async run(): Promise<number> {
		const { machine, io, store, controller, options } = this;
		store.add(machine.console.onData((bytes) => this.received(bytes)));
		store.add(controller.onStall((report) => io.say(report.message)));
		store.add(machine.onGuestError((text) => io.say(`the guest's driver is wrong: ${text}`)));
		const quit = () => {
			this.quit = true;
			controller.nudge();
		};
		const ended = () => {
			this.inputEnded = true;
			controller.nudge();
		};
		store.add(io.attach((bytes) => controller.type(bytes), quit, ended));
		if (options.deadline !== undefined) {
			const timer = setTimeout(() => controller.nudge(), Math.max(0, options.deadline - io.now()) + 1);
			store.add({ dispose: () => clearTimeout(timer) });
		}
		const session = this;
		try {
			return await controller.run<number>({
				step: () => (this.panicked ? budgets.afterPanic : lookEvery),
				look: (stop) => this.look(stop),
				// A script need not live in real time, a person does.
				get paced() {
					return !session.unattended;
				},
				expectsInput: options.replay,
			});
		} finally {
			store.dispose();
		}
	}

	/** Ends the session, as the keys Ctrl-A X do. */
	end(): void {
		this.quit = true;
		this.controller.resume();
		this.controller.nudge();
	}

	private get unattended(): boolean {
		return this.options.scripted || this.inputEnded;
	}

	/** The exit code when it is over. */
	private look(stop: StopReason): number | undefined {
		const { machine, options, io, controller } = this;
		this.quietFor = this.fresh ? 0 : this.quietFor + (machine.instret - this.lookedAt);
		this.lookedAt = machine.instret;
		const { fresh } = this;
		this.fresh = false;
		const { console } = controller;
		if (stop.kind === "halt") return this.halted(stop.code);
		if (this.quit) return console.panic !== undefined ? exitCodes.panic : exitCodes.done;
		if (options.replay && stop.kind === "requested") return exitCodes.done;
		if (fresh && options.until?.test(console.raw)) return exitCodes.done;
		if (this.panicked && !controller.deniesPanic()) {
			const advice = panicAdvice(console.raw);
			if (advice) io.say(advice);
			this.explain({ kind: "panic" });
			if (this.unattended) return exitCodes.panic;
			this.panicked = false;
		}
		this.panicked = console.panic !== undefined && !this.explained;
		if (this.panicked) return undefined;
		if (options.deadline !== undefined && io.now() > options.deadline) {
			io.say(options.until ? `timed out waiting for /${options.until.source}/` : "timed out");
			this.explain({ kind: "timeout" });
			return exitCodes.timeout;
		}
		if (!this.unattended || options.replay) return undefined;
		return this.script(stop.kind === "idle");
	}

	/** The guest's own code, unless what was asked for has not happened. */
	private halted(code: number): number {
		const { options, io, typed } = this;
		const left = options.commands.slice(typed);
		if (options.until) io.say(`the guest powered off (exit code ${code}) before /${options.until.source}/ came`);
		else if (left.length > 0) io.say(`the guest powered off (exit code ${code}) before '${left[0]}' was typed`);
		else return guestCode(code);
		return guestCode(code) || exitCodes.failed;
	}

	/** Types the next command at a prompt. */
	private script(idle: boolean): number | undefined {
		const { machine, options, io, controller } = this;
		const isStill = idle || controller.stall !== undefined;
		const silent = !controller.isTyping && (this.quietFor >= budgets.quietAfterPrompt || isStill);
		if (silent && (controller.console.atPrompt || controller.stall?.isShell)) {
			controller.atPrompt();
			const command = options.commands[this.typed];
			if (command !== undefined || !options.until) this.explain({ kind: "prompt" });
			if (command !== undefined) {
				this.typed++;
				this.typedAt = machine.instret;
				this.quietFor = 0;
				controller.forget();
				machine.console.write(utf8(`${command}\n`));
				return undefined;
			}
			if (this.inputEnded) io.say("the input has ended and the shell waits for more: done");
			if (this.inputEnded || !options.until) return exitCodes.done;
		}
		if (controller.stall) {
			// The report has been said.
			this.explain({ kind: "stall", message: controller.stall.message });
			return exitCodes.timeout;
		}
		if (machine.instret - this.typedAt > budgets.command) {
			io.say(`${budgets.command.toLocaleString("en")} instructions were not enough; --timeout sets a limit in seconds`);
			this.explain({ kind: "timeout" });
			return exitCodes.timeout;
		}
		if (!idle || !silent) return undefined;
		io.say("the machine waits for input that will never come: there is no prompt, and nothing else to type");
		this.explain({ kind: "stuck" });
		return exitCodes.timeout;
	}

	private explain(end: RunEnd): void {
		this.explained = end.kind !== "prompt";
		const { text: output, panic } = this.controller.console;
		const message = panic === undefined ? {} : { message: panic };
		const text = this.options.explain?.({ ...end, output, ...message }) ?? "";
		if (text !== "") this.io.say(text);
	}

	private received(bytes: Uint8Array): void {
		this.fresh = true;
		if (this.io.write(bytes)) return;
		void this.io.drained().then(this.controller.hold());
	}
}
