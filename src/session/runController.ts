import { type Disposable, DisposableStore, toDisposable } from "../common/disposable.ts";
import { BugError, cancelled } from "../common/errors.ts";
import { Emitter } from "../common/event.ts";
import type { Instructions, MachineSurface, RunOptions, StopReason } from "../machine/types.ts";
import { budgets } from "./budgets.ts";
import type { Stall } from "./commandEnd.ts";
import { ConsoleRecord } from "./consoleRecord.ts";
import { ConsoleText } from "./consoleText.ts";
import { Keyboard } from "./keyboard.ts";
import type { ProgressWatch } from "./progress.ts";

/** Guest time runs at 10 MHz. */
const ticksPerMs = 10_000;
/** Wall time between two looks at the mailbox. */
const sliceMs = 8;
/** Instructions between two looks at the clock: some milliseconds of the slowest code. */
const piece: Instructions = 500_000;

/**
 * - `off`: not started, or switched off by a person
 * - `running`: the loop may run it; it may also rest, waiting for a timer, a key, or the console's reader
 * - `paused`: stands in the present
 * - `past`: shows an earlier moment of its history
 * - `dead`: the guest ended itself; its memory stays readable
 */
type RunState = "off" | "running" | "paused" | "past" | "dead";

/** Why a machine does not run. */
export type Stop =
	/** A person asked for it. */
	| { readonly kind: "asked" }
	| { readonly kind: "fault" }
	| { readonly kind: "step" }
	| { readonly kind: "breakpoint"; readonly hart: number; readonly pc: bigint }
	| { readonly kind: "watchpoint"; readonly hart: number | undefined; readonly pc: bigint; readonly address: bigint }
	| { readonly kind: "seek"; readonly position: Instructions }
	| { readonly kind: "halt"; readonly code: number }
	| { readonly kind: "panic"; readonly message: string }
	/** Switched off. */
	| { readonly kind: "off"; readonly why: string };

export interface StateChange {
	readonly state: RunState;
	readonly stop?: Stop;
}

/** What the controller needs of its surroundings; tests give a clock of their own. */
export interface RunHost {
	/** Lets messages, keys and signals in; called between two slices. */
	breathe(): Promise<void>;
	/** Milliseconds, for pacing only; never seen by the guest. Without it nothing depends on the host's speed. */
	now?(): number;
	/** Calls back once, unless disposed before. */
	after?(ms: number, callback: () => void): Disposable;
}

/** Work that the machine runs for, slice by slice. */
export interface Job<T> {
	/** Instructions until the next look; more than 0. */
	step(): Instructions;
	/** Looks after each slice; anything but undefined ends the job. */
	look(stop: StopReason): T | undefined;
	readonly signal?: AbortSignal | undefined;
	/** Waits of the guest take as long as they say, for a person who looks on. */
	readonly paced?: boolean;
	/** Input may come from a person: a guest that only waits is not stuck. */
	readonly expectsInput?: boolean;
}

interface RunningJob {
	readonly step: () => Instructions;
	readonly paced: boolean;
	readonly expectsInput: boolean;
	/** `instret` of the next look: a slice that a pause cuts is finished after it. */
	end: Instructions;
	/** True: it is over. */
	look(stop: StopReason): boolean;
	fail(error: unknown): void;
}

/** Moments of a machine that can be gone back to, as src/machine/history.ts keeps them. Positions are instructions. */
export interface TimeLine {
	readonly oldest: Instructions;
	readonly present: Instructions;
	readonly position: Instructions;
	/** Bytes that the guest had printed at this position. */
	readonly consoleBytes: number;
	seek(position: Instructions): void;
	/** What came after this position has not happened: the next run makes a new future. */
	cut(): void;
	/** The machine ran; the place to lay a checkpoint. */
	afterRun(): void;
}

const afterTimer = (ms: number, callback: () => void): Disposable => {
	const timer = setTimeout(callback, ms);
	return toDisposable(() => clearTimeout(timer));
};

/**
 * The one owner of a machine: nothing else runs it. One loop, which a gate holds while the machine is paused, in the past or over,
 * while the console's reader is behind, and while there is nothing to run for.
 *
 * It runs by itself after `start` (in real time, for a person), or for jobs: a command that is typed and waited for.
 */
export class RunController implements Disposable {
	readonly console = new ConsoleText();
	/** Of the present; what an earlier moment shows is its beginning. */
	private readonly printed = new ConsoleRecord();
	private readonly store = new DisposableStore();
	private readonly states = new Emitter<StateChange>();
	private readonly stalls = new Emitter<Stall>();
	private readonly slices = new Emitter<void>();
	private readonly pastKeys = new Emitter<Uint8Array>();
	/** A command gave the machine back. */
	private readonly freed = new Emitter<void>();
	private readonly keyboard: Keyboard;
	private current: RunState = "off";
	/** Runs without a job, for a person. */
	private live = false;
	private isDisposed = false;
	private job: RunningJob | undefined;
	private looping = false;
	/** The core is running: a stop has to be asked of it. */
	private inside = false;
	/** Why the run that is under way has been asked to stop. */
	private asked: Stop | undefined;
	/** How the machine ended, also while an earlier moment of it is shown. */
	private ended: Stop | undefined;
	/** Nothing happens before this timer, or (no timer) before input. */
	private rest: { readonly timer?: Disposable } | undefined;
	private held = 0;
	private openGate: (() => void) | undefined;
	private owner: Promise<unknown> | undefined;
	private owners = 0;
	/** When the panic line of a machine that runs by itself was complete. */
	private panicAt: Instructions | undefined;
	private timeLine: TimeLine | undefined;
	private stallSeen: Stall | undefined;

	/** State changes, each with its reason where it is a stop. */
	readonly onState = this.states.event;
	/** A machine that makes no progress: told once for each cause. */
	readonly onStall = this.stalls.event;
	/** After each slice, before messages are let in. */
	readonly onSlice = this.slices.event;
	/** Keys that were not given to the guest, since the machine shows its past. */
	readonly onTypedInPast = this.pastKeys.event;

	constructor(
		private readonly machine: MachineSurface,
		private readonly host: RunHost,
		private readonly progress?: ProgressWatch,
	) {
		this.keyboard = new Keyboard(machine);
		this.store.add(
			machine.console.onData((bytes) => {
				this.console.add(bytes);
				this.printed.add(bytes);
			}),
		);
		this.store.add(machine.onStall((report) => this.stalled(report)));
	}

	get state(): RunState {
		return this.current;
	}

	/** The present command's: no progress can be expected any more. */
	get stall(): Stall | undefined {
		return this.stallSeen;
	}

	/** The shell's prompt is at the end of the console, and no more comes. */
	atPrompt(): void {
		this.progress?.atPrompt();
	}

	/** What looked like a panic is none: the kernel says so. It was some program's line, and the console continues. */
	deniesPanic(): boolean {
		if (this.console.panic === undefined || this.progress?.deniesPanic !== true) return false;
		this.console.forgetPanic();
		return true;
	}

	/** It ran, and will not again. */
	get isOver(): boolean {
		return this.isDisposed || this.ended !== undefined;
	}

	// ---- what a person does ------------------------------------------------------------------------------------------

	/** From now on it runs by itself, or may: a debugger starts it standing. */
	start(state: "running" | "paused" = "running"): void {
		this.live = true;
		this.change(state);
		this.wake();
	}

	pause(): void {
		if (this.current === "running") this.requestStop({ kind: "asked" });
	}

	/** In the past: forward to the present, and on from there. */
	resume(): void {
		if (this.current === "past") this.toPresent();
		if (this.current !== "paused") return;
		this.change("running");
		this.wake();
	}

	/**
	 * The machine stands, with this reason. Exact when an observer of the machine calls it: no further instruction of any hart is
	 * made. Between two runs it takes effect at once.
	 */
	requestStop(stop: Stop): void {
		if (this.current !== "running") return;
		if (this.inside) {
			this.asked ??= stop;
			this.machine.requestStop();
		} else this.stand(stop);
	}

	/**
	 * Runs until what was armed reports its stop, or something else stops the machine. Works during a command, too, whose time goes
	 * on when the machine does. Undefined: there is no machine to run, or the command ended before.
	 */
	runTo(arm: (found: (stop: Stop) => void) => Disposable): Promise<Stop | undefined> {
		if (this.isOver || this.current === "off") return Promise.resolve(undefined);
		return new Promise((resolve) => {
			const store = new DisposableStore();
			const done = (stop?: Stop) => {
				store.dispose();
				resolve(stop);
			};
			store.add(arm((stop) => this.requestStop(stop)));
			store.add(this.onState(({ state, stop }) => state !== "running" && done(stop)));
			store.add(this.freed.event(() => done()));
			this.resume();
		});
	}

	type(bytes: Uint8Array): void {
		if (this.current === "past") this.pastKeys.fire(bytes);
		else if (this.current === "running" || this.current === "paused") {
			this.keyboard.type(bytes);
			this.endRest();
		}
	}

	/** Something that was typed has not been read yet. */
	get isTyping(): boolean {
		return this.machine.console.pending > 0 || !this.keyboard.isEmpty;
	}

	/** Switches the machine off; its memory stays readable. */
	powerOff(why: string): void {
		this.end("off", { kind: "off", why });
		this.job?.fail(cancelled());
	}

	/** Holds the machine, in wall time only, until the result is called: a reader is behind. */
	hold(): () => void {
		this.held++;
		return toDisposable(() => {
			this.held--;
			this.wake();
		}).dispose;
	}

	/** Ends a rest: a deadline has come, and a job that waits wants to look. */
	nudge(): void {
		this.endRest();
	}

	// ---- jobs ---------------------------------------------------------------------------------------------------------

	/** Runs the machine for this job. Rejects with `cancelled` when its signal fires, also while the machine is paused. */
	run<T>(job: Job<T>): Promise<T> {
		const { signal } = job;
		if (signal?.aborted || this.isOver) return Promise.reject(cancelled());
		if (this.job) return Promise.reject(new BugError("the machine already runs for another job"));
		if (this.current === "off") this.change("running");
		return new Promise((resolve, reject) => {
			const done = () => {
				signal?.removeEventListener("abort", abort);
				if (this.job === running) this.job = undefined;
			};
			const fail = (error: unknown) => {
				done();
				reject(error);
			};
			const abort = () => fail(cancelled());
			const running: RunningJob = {
				step: () => job.step(),
				get paced() {
					return job.paced === true;
				},
				expectsInput: job.expectsInput === true,
				end: this.machine.instret + job.step(),
				look: (stop) => {
					const result = job.look(stop);
					if (result === undefined) return false;
					done();
					resolve(result);
					return true;
				},
				fail,
			};
			signal?.addEventListener("abort", abort);
			this.progress?.reset();
			this.job = running;
			this.endRest();
		});
	}

	/** Until the work is done the machine runs for its jobs only. One at a time: the next waits for the one before. */
	async own<T>(work: () => Promise<T>): Promise<T> {
		const before = this.owner;
		this.owners++;
		const mine = (async () => {
			await before?.catch(() => undefined);
			return work();
		})();
		this.owner = mine;
		try {
			return await mine;
		} finally {
			this.owners--;
			if (this.owners === 0) {
				this.freed.fire();
				this.settle();
			}
			this.wake();
		}
	}

	/** A command begins: what was said and seen before is not about it. */
	forget(): void {
		this.console.forget();
		this.stallSeen = undefined;
		this.progress?.reset();
	}

	/** One run of the core, now: for owners that run the machine themselves while the loop has nothing to run for. */
	advance(budget: Instructions, options?: RunOptions): StopReason {
		this.inside = true;
		try {
			return this.machine.run(budget, options);
		} finally {
			this.inside = false;
			this.timeLine?.afterRun();
		}
	}

	/** As `advance`, until one hart has made so many steps. */
	advanceHart(hart: number, steps: number, options?: RunOptions): StopReason {
		this.inside = true;
		try {
			return this.machine.runHart(hart, steps, options);
		} finally {
			this.inside = false;
			this.timeLine?.afterRun();
		}
	}

	/** A debugger stepped the machine, or moved it in its history: the state follows. */
	follow(stop: Stop, isPast: boolean): void {
		if (this.isDisposed) return;
		if (isPast) this.change("past", stop);
		else if (this.ended) this.change(this.ended.kind === "off" ? "off" : "dead", this.ended);
		else this.change("paused", stop);
	}

	// ---- history ------------------------------------------------------------------------------------------------------

	attachHistory(timeLine: TimeLine): Disposable {
		this.timeLine = timeLine;
		return toDisposable(() => {
			if (this.current === "past") this.toPresent();
			this.timeLine = undefined;
		});
	}

	/** Shows the moment at this position. */
	seek(position: Instructions): void {
		const { timeLine } = this;
		if (!timeLine || this.isDisposed) return;
		timeLine.seek(Math.max(timeLine.oldest, Math.min(position, timeLine.present)));
		const stop: Stop = { kind: "seek", position: timeLine.position };
		if (timeLine.position < timeLine.present) this.change("past", stop);
		else if (this.ended) this.change(this.ended.kind === "off" ? "off" : "dead", this.ended);
		else this.change("paused", stop);
	}

	toPresent(): void {
		if (this.timeLine) this.seek(this.timeLine.present);
	}

	/** From this moment of the past on, things may happen otherwise: what came after it is given up. */
	newFuture(): void {
		if (this.current !== "past") return;
		this.timeLine?.cut();
		this.futureCut();
	}

	/** The machine's history ends at this moment now: what it printed or did later has not happened. */
	futureCut(): void {
		this.printed.cut(this.timeLine?.consoleBytes ?? this.printed.total);
		this.ended = undefined;
		this.panicAt = undefined;
		this.forget();
		this.console.add(this.printed.before(this.printed.total));
		if (this.current === "past") this.change("paused");
	}

	/** The last bytes of what the console had shown at the moment where the machine stands. */
	consoleAt(most: number): Uint8Array {
		return this.printed.before(this.timeLine?.consoleBytes ?? this.printed.total, most);
	}

	dispose(): void {
		this.isDisposed = true;
		this.current = "off";
		this.job?.fail(cancelled());
		this.endRest();
		this.store.dispose();
		for (const emitter of [this.states, this.stalls, this.slices, this.pastKeys, this.freed]) emitter.dispose();
	}

	// ---- the loop -----------------------------------------------------------------------------------------------------

	/** Whether there is something to run for, and nothing in its way. */
	private get mayRun(): boolean {
		return (
			this.current === "running" &&
			this.held === 0 &&
			this.rest === undefined &&
			(this.job !== undefined || (this.live && this.owners === 0))
		);
	}

	private wake(): void {
		this.openGate?.();
		if (this.looping || !this.mayRun) return;
		this.looping = true;
		// Not within the call that wakes it: its caller may have more to set up.
		void Promise.resolve().then(() => this.loop());
	}

	private async loop(): Promise<void> {
		try {
			while (!this.isOver) {
				if (this.mayRun) {
					this.slice();
					this.slices.fire();
					await this.host.breathe();
				} else {
					await new Promise<void>((resolve) => {
						this.openGate = resolve;
					});
					this.openGate = undefined;
				}
			}
		} catch (error) {
			if (!this.job) throw error;
			this.job.fail(error);
		} finally {
			this.looping = false;
			if (this.isOver) this.job?.fail(cancelled());
		}
	}

	private slice(): void {
		const { job } = this;
		if (job) this.jobSlice(job);
		else this.liveSlice();
	}

	private jobSlice(job: RunningJob): void {
		const stop = this.advance(job.end - this.machine.instret, { stopWhenWaiting: job.paced });
		if (this.stands(stop)) return;
		const waits = stop.kind === "idle" || stop.kind === "waiting";
		const report = job.paced || job.expectsInput ? undefined : this.progress?.look(this.console.printed);
		// At its prompt a guest may wait: only the one that waits for the prompt is told.
		if (report && (this.console.atPrompt || report.isShell)) this.stallSeen ??= report;
		else if (report) this.stalled(report);
		if (this.job === job && !job.look(stop)) job.end = this.machine.instret + job.step();
		if (!this.keyboard.feed(waits) && job.paced && waits && this.job === job) this.restFor(stop);
	}

	private liveSlice(): void {
		const now = () => this.host.now?.();
		const start = now();
		let stop: StopReason;
		do stop = this.advance(piece, { stopWhenWaiting: true });
		while (stop.kind === "budget" && !this.asked && this.held === 0 && (now() ?? 0) - (start ?? -sliceMs) < sliceMs);
		if (this.stands(stop)) return;
		const waits = stop.kind === "idle" || stop.kind === "waiting";
		this.settle(stop);
		if (this.current !== "running") return;
		if (!this.keyboard.feed(waits) && waits) this.restFor(stop);
	}

	/** Whether the run was to end in a stop. */
	private stands(stop: StopReason): boolean {
		const { asked } = this;
		this.asked = undefined;
		if (stop.kind === "halt") return false;
		const breaks = stop.kind === "breakpoint" || stop.kind === "watchpoint";
		const reason = asked ?? (breaks ? stop : stop.kind === "requested" && !this.job ? { kind: "asked" } : undefined);
		if (reason) this.stand(reason as Stop);
		return reason !== undefined;
	}

	private stand(stop: Stop): void {
		this.change("paused", stop);
		this.wake();
	}

	/** The guest may have ended itself: by the finisher, or by a panic whose text has been printed. */
	private settle(stop?: StopReason): void {
		if (this.isOver || !this.live) return;
		if (stop?.kind === "halt") return this.end("dead", { kind: "halt", code: stop.code });
		const message = this.console.panic;
		if (message === undefined) return;
		// A backtrace may come.
		this.panicAt ??= this.machine.instret;
		const said = this.machine.instret - this.panicAt >= budgets.afterPanic || stop?.kind === "idle" || !stop;
		if (!said) return;
		this.panicAt = undefined;
		if (!this.deniesPanic()) this.end("dead", { kind: "panic", message });
	}

	private end(state: "off" | "dead", stop: Stop): void {
		if (this.isOver) return;
		this.ended = stop;
		this.change(state, stop);
		this.wake();
	}

	private change(state: RunState, stop?: Stop): void {
		if (this.isDisposed || (state === this.current && !stop)) return;
		this.current = state;
		this.states.fire({ state, ...(stop ? { stop } : {}) });
	}

	/** An idle guest costs the host nothing: until its timer, a key, or a job. */
	private restFor(stop: StopReason): void {
		const { host } = this;
		const ring = () => this.endRest();
		const ms = stop.kind === "waiting" ? stop.ticks / ticksPerMs : undefined;
		if (ms === undefined) this.rest = {};
		else this.rest = { timer: host.after ? host.after(ms, ring) : afterTimer(ms, ring) };
	}

	private endRest(): void {
		this.rest?.timer?.dispose();
		this.rest = undefined;
		this.wake();
	}

	private stalled(report: Stall): void {
		// A kernel that has panicked goes round in a loop on purpose.
		if (this.console.panic !== undefined) return;
		this.stallSeen ??= report;
		this.stalls.fire(report);
	}
}
