import { utf8 } from "../common/bytes.ts";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import type { MachineSurface, StopReason } from "../machine/types.ts";
import type { RunEnd } from "../protocol/diagnosis.ts";
import { budgets } from "../session/budgets.ts";
import { ConsoleText, panicAdvice } from "../session/consoleText.ts";
import { exitCodes } from "./exitCodes.ts";

/** Instructions between two looks at keys, prompts and the clock. */
const lookEvery = 500_000;
const ticksPerMs = 10_000;
/** Longest sleep, so that a deadline is seen. */
const longestSleepMs = 200;

export interface SessionOptions {
	readonly commands: readonly string[];
	readonly until: RegExp | undefined;
	/** On the clock of `SessionIo.now`. */
	readonly deadline: number | undefined;
	/** Nobody sits at the keys. */
	readonly scripted: boolean;
	/** Why a run ended so, as text; empty: nothing is wrong, or nothing is known. */
	readonly explain?: (end: RunEnd) => string;
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
	/** Keys go to `send`; `quit` ends the session. */
	attach(send: (bytes: Uint8Array) => void, quit: () => void): Disposable;
}

/** One run of a machine against a person at a terminal or against a script. Resolves to the exit code. */
export class BootSession {
	private readonly store = new DisposableStore();
	private readonly text = new ConsoleText();
	private fresh = false;
	private typed = 0;
	private quietFor = 0;
	private quit = false;
	private explained = false;
	private full = false;
	private wake: (() => void) | undefined;

	constructor(
		private readonly machine: MachineSurface,
		private readonly io: SessionIo,
		private readonly options: SessionOptions,
	) {}

	async run(): Promise<number> {
		const { machine, io, store } = this;
		store.add(machine.console.onData((bytes) => this.received(bytes)));
		store.add(machine.onStall((report) => io.say(report.message)));
		store.add(machine.onGuestError((text) => io.say(`the guest's driver is wrong: ${text}`)));
		const send = (bytes: Uint8Array) => {
			machine.console.write(bytes);
			this.wake?.();
		};
		const quit = () => {
			this.quit = true;
			this.wake?.();
		};
		store.add(io.attach(send, quit));
		try {
			for (;;) {
				const code = await this.step();
				if (code !== undefined) return code;
			}
		} finally {
			store.dispose();
		}
	}

	/** A look: runs, shows, judges, and sleeps while nothing happens. The exit code when it is over. */
	private async step(): Promise<number | undefined> {
		const { machine, io, options } = this;
		const at = machine.instret;
		this.fresh = false;
		// A script need not live in real time, a person does.
		const stop = machine.run(lookEvery, { stopWhenWaiting: !options.scripted });
		this.quietFor = this.fresh ? 0 : this.quietFor + (machine.instret - at);
		const code = this.ended(stop);
		if (code !== undefined) return code;
		if (this.full) {
			this.full = false;
			await io.drained();
		} else if (options.scripted || (stop.kind !== "idle" && stop.kind !== "waiting")) await io.breathe();
		else await this.sleep(stop.kind === "waiting" ? stop.ticks / ticksPerMs : longestSleepMs);
		return undefined;
	}

	private ended(stop: StopReason): number | undefined {
		const { options, io } = this;
		const panicked = this.text.panic !== undefined;
		if (panicked && !options.scripted && !this.explained) {
			this.machine.run(budgets.afterPanic);
			this.explain({ kind: "panic" });
		}
		if (stop.kind === "halt") return exitCodeOf(stop.code);
		if (this.quit) return panicked ? exitCodes.panic : exitCodes.done;
		if (options.replay && stop.kind === "requested") return exitCodes.done;
		if (this.fresh && options.until?.test(this.text.raw)) return exitCodes.done;
		if (panicked && options.scripted) {
			this.machine.run(budgets.afterPanic);
			const advice = panicAdvice(this.text.raw);
			if (advice) io.say(advice);
			this.explain({ kind: "panic" });
			return exitCodes.panic;
		}
		if (options.deadline !== undefined && io.now() > options.deadline) {
			io.say(`the time is up${options.until ? ` and --until ${options.until.source} has not come` : ""}`);
			this.explain({ kind: "timeout" });
			return exitCodes.timeout;
		}
		return options.scripted && !options.replay ? this.script(stop.kind === "idle") : undefined;
	}

	/** Types the next command at a prompt. */
	private script(idle: boolean): number | undefined {
		const { machine, options, io } = this;
		const silent = machine.console.pending === 0 && (this.quietFor >= budgets.quietAfterPrompt || idle);
		if (!silent) return undefined;
		const command = options.commands[this.typed];
		if (this.text.atPrompt) {
			if (command !== undefined || !options.until) this.explain({ kind: "prompt" });
			if (command !== undefined) {
				this.typed++;
				this.text.forget();
				this.quietFor = 0;
				machine.console.write(utf8(`${command}\n`));
				return undefined;
			}
			if (!options.until) return exitCodes.done;
		}
		if (!idle) return undefined;
		io.say("the machine waits for input that will never come: there is no prompt, and nothing else to type");
		this.explain({ kind: "stuck" });
		return exitCodes.timeout;
	}

	private explain(end: RunEnd): void {
		this.explained = true;
		const output = this.text.text;
		const message = this.text.panic;
		const text = this.options.explain?.({ ...end, output, ...(message === undefined ? {} : { message }) }) ?? "";
		if (text !== "") this.io.say(text);
	}

	private sleep(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const done = () => {
				clearTimeout(timer);
				this.wake = undefined;
				resolve();
			};
			const timer = setTimeout(done, Math.min(ms, longestSleepMs));
			this.wake = done;
		});
	}

	private received(bytes: Uint8Array): void {
		this.fresh = true;
		if (!this.io.write(bytes)) this.full = true;
		this.text.add(bytes);
	}
}

/** Exit codes have 8 bits: a failure must not look like success for having its bits above them. */
function exitCodeOf(code: number): number {
	return code !== 0 && (code & 0xff) === 0 ? exitCodes.failed : code & 0xff;
}
