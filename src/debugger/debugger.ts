import { hex } from "../common/bytes.ts";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import type { History } from "../machine/history.ts";
import type { Hart, Instructions, PointFilter, StopReason } from "../machine/types.ts";
import type { RunController, Stop } from "../session/runController.ts";
import { type Breakpoint, Breakpoints } from "./breakpoints.ts";
import { Contexts, type Thread } from "./contexts.ts";
import { type ExceptionFilter, Exceptions, type FindingEvent } from "./exceptions.ts";
import type { DebuggedMachine, Goal, Halt, HaltReason, StepOwner } from "./halt.ts";
import { stackOf } from "./stack.ts";
import { type StepKind, Stepper } from "./stepping.ts";

interface DebuggerHost {
	/** Lets messages in between two pieces of work. */
	breathe(): Promise<void>;
	/** A line for the debug console. */
	log(text: string): void;
}

const reasonOf: Readonly<Record<Breakpoint["kind"], HaltReason>> = {
	line: "breakpoint",
	function: "function breakpoint",
	instruction: "instruction breakpoint",
	data: "data breakpoint",
	exception: "exception",
};
const failures: ReadonlySet<ExceptionFilter> = new Set(["panic", "killed", "kernel-trap", "no-progress", "finding"]);
/** Instructions of the past between two looks at the mailbox. */
const pastSlice: Instructions = 5_000_000;

/**
 * What can be done with a stopped machine, forwards and backwards. It runs the machine through its controller only; one action at a time, which
 * `pause` ends.
 */
export class Debugger implements Disposable, StepOwner {
	readonly contexts: Contexts;
	readonly breakpoints: Breakpoints;
	readonly exceptions: Exceptions;
	private readonly stepper: Stepper;
	private readonly store = new DisposableStore();
	/** The thread that the last stop was about; stepping and continuing begin with it. */
	private focus: Thread | undefined;
	/** The thread of the last stop in the present. */
	private presentFocus: Thread | undefined;
	private entry: { readonly goals: readonly Goal[]; readonly description: string } | undefined;
	/** Of the run that is under way. */
	private goals = new DisposableStore();
	private pauseAsked = false;
	private busy = false;

	constructor(
		readonly machine: DebuggedMachine,
		readonly controller: RunController,
		kernel: Uint8Array,
		programs: ReadonlyMap<string, Uint8Array>,
		private readonly host: DebuggerHost,
		findings?: FindingEvent,
	) {
		this.contexts = new Contexts(machine, kernel, programs);
		this.breakpoints = new Breakpoints(machine, this.contexts, { log: (text) => host.log(text) });
		this.exceptions = new Exceptions(
			machine,
			this.contexts,
			() => {
				// A step runs the machine while its controller stands.
				if (this.isPast || controller.state !== "running") machine.requestStop();
				else controller.requestStop({ kind: "fault" });
			},
			findings,
		);
		this.stepper = new Stepper(this);
		this.store.add(this.breakpoints);
		this.store.add(this.exceptions);
	}

	/** What is under way ends nowhere: nothing of it may stop the machine of others later. */
	dispose(): void {
		this.pauseAsked = true;
		this.goals.dispose();
		this.store.dispose();
	}

	get history(): History | undefined {
		return this.machine.history;
	}

	get isPast(): boolean {
		return this.history?.isPast === true;
	}

	get isBusy(): boolean {
		return this.busy;
	}

	/** Ends what runs, soon. */
	pause(): void {
		this.pauseAsked = true;
		this.controller.pause();
	}

	get wantsPause(): boolean {
		return this.pauseAsked;
	}

	breathe(): Promise<void> {
		return this.host.breathe();
	}

	/** Runs one action; a second one while it runs is a mistake of the client. */
	private async act(work: () => Promise<Halt>): Promise<Halt> {
		if (this.busy) throw new UserError("debug-request", "The machine is running", "Pause it first.");
		this.busy = true;
		this.pauseAsked = false;
		this.breakpoints.lastHit = undefined;
		this.exceptions.lastHit = undefined;
		try {
			const halt = await work();
			this.focus = halt.thread;
			if (!this.isPast) this.presentFocus = halt.thread;
			return halt;
		} finally {
			this.busy = false;
		}
	}

	// ---- forwards --------------------------------------------------------------------------------------------------

	continue(): Promise<Halt> {
		return this.act(async () => this.leaveBreakpoints() ?? this.runUntil([]));
	}

	/** The next time that one of these places is reached, whatever stops before, the machine stops there with the reason `entry`. */
	stopAtEntry(goals: readonly Goal[], description: string): void {
		this.entry = { goals, description };
	}

	/**
	 * Until something fails, breakpoints or not, and back to right before it: the instruction that faults or the call of panic is the
	 * next one. `ends` says that the program under test exits: where nothing failed, its end is shown.
	 */
	runToFailure(ends: (hart: Hart) => boolean): Promise<Halt> {
		return this.act(async () => {
			this.leaveBreakpoints();
			this.entry = undefined;
			const watched = this.exceptions.instead(failures);
			this.breakpoints.muted = true;
			try {
				const exits = ["exit", "kexit"].flatMap((name) => this.contexts.kernel.symbol(name) ?? []);
				// exit() after a fault is how the kernel ends the process: that is a failure.
				const when = (hart: Hart) => ends(hart) && !this.exceptions.hasFault(hart.id);
				const halt = await this.runUntil(exits.map((pc) => ({ pc: BigInt(pc), when })));
				if (halt.reason === "goto")
					return { ...halt, reason: "pause", description: "The program exits, and nothing failed before" };
				return this.beforeFailure(halt);
			} finally {
				this.breakpoints.muted = false;
				watched.dispose();
			}
		});
	}

	private beforeFailure(halt: Halt): Halt {
		const { exception } = halt;
		const { history, machine } = this;
		if (!exception || !history) return halt;
		const { hart, fault, filter } = exception;
		this.searching(true);
		try {
			if (filter === "panic") this.stepper.backOut(history, halt.thread);
			else if (fault && hart !== undefined) {
				// The step that trapped is one of those that all harts together have made.
				for (const steps of [fault.instret - 1, fault.instret]) {
					history.seek(Math.max(steps, history.oldest.steps));
					const at = machine.harts[hart];
					if (at?.pc === fault.pc && at.mode === fault.fromMode) break;
				}
			} else return halt;
		} finally {
			this.searching(false);
		}
		this.controller.follow({ kind: "seek", position: machine.instret }, history.isPast);
		const thread = this.contexts.threadOn(hart ?? this.likelyHart());
		return { ...halt, thread, label: "before the failure", description: `Right before the failure: ${exception.text}` };
	}

	step(thread: Thread, kind: StepKind, granularity: "line" | "instruction"): Promise<Halt> {
		return this.act(async () => this.stepper.step(thread, kind, granularity));
	}

	/** What stops here is passed once: the next instruction of the thread that the person looks at. A halt: that instruction stops, too. */
	private leaveBreakpoints(): Halt | undefined {
		const hart = this.focus?.hart;
		if (!hart || hart.waiting || !this.breakpoints.hasCodeAt(hart.pc)) return undefined;
		const told = this.toStop(this.controller.advanceHart(hart.id, 1, { pass: [hart.id] }));
		if (!told) return undefined;
		this.controller.follow(told, this.isPast);
		return this.haltOf(told);
	}

	/** Runs to the first of these places, or to what else stops; `goto` where a goal was reached. */
	async runUntil(goals: readonly Goal[]): Promise<Halt> {
		const armed = new DisposableStore();
		this.goals = armed;
		const { entry } = this;
		let reached: number | undefined;
		let isEntry = false;
		for (const goal of [...goals, ...(entry?.goals ?? [])]) {
			const filter: PointFilter = {
				when: (hart) => {
					if (!goal.when(hart)) return false;
					reached = hart.id;
					isEntry = !goals.includes(goal);
					return true;
				},
			};
			armed.add(this.machine.addBreakpoint(goal.pc, filter));
		}
		try {
			const stop = this.isPast ? await this.runPast() : undefined;
			const live = stop ?? (await this.controller.runTo(() => armedElsewhere));
			const isGoal = reached !== undefined && live?.kind === "breakpoint" && live.hart === reached;
			if (isGoal && isEntry) this.entry = undefined;
			if (reached === undefined || !isGoal || this.breakpoints.lastHit) return this.haltOf(live);
			const thread = this.contexts.threadOn(reached);
			return isEntry && entry
				? { reason: "entry", thread, description: entry.description }
				: { reason: "goto", thread, description: "Reached" };
		} finally {
			armed.dispose();
		}
	}

	/** In the past, up to the present: what happened happens again. Undefined: the present is reached. */
	private async runPast(): Promise<Stop | undefined> {
		while (this.isPast && !this.pauseAsked) {
			const stop = this.controller.advance(pastSlice);
			const told = this.toStop(stop);
			if (told) {
				this.controller.follow(told, this.isPast);
				return told;
			}
			if (stop.kind === "present") {
				this.controller.follow({ kind: "seek", position: this.machine.instret }, false);
				return undefined;
			}
			await this.host.breathe();
		}
		return this.isPast ? { kind: "asked" } : undefined;
	}

	/** What a run of the machine by the stepper means to others; undefined: nothing. */
	toStop(stop: StopReason): Stop | undefined {
		if (stop.kind === "breakpoint") return stop;
		if (stop.kind === "watchpoint") return { ...stop, hart: stop.hart ?? 0 };
		if (stop.kind === "halt") return { kind: "halt", code: stop.code };
		return stop.kind === "requested" ? { kind: this.exceptions.lastHit ? "fault" : "asked" } : undefined;
	}

	/** Words for a stop that was no goal. */
	haltOf(stop: Stop | undefined): Halt {
		const { lastHit } = this.breakpoints;
		const exception = this.exceptions.lastHit;
		const hart =
			(stop && "hart" in stop ? stop.hart : undefined) ?? exception?.hart ?? this.focus?.hart?.id ?? this.likelyHart();
		const thread = this.contexts.threadOn(hart);
		if (exception && (stop?.kind === "fault" || stop?.kind === "breakpoint" || stop?.kind === "asked") && !lastHit)
			return {
				reason: "exception",
				thread,
				description: `Stopped: ${exception.name}`,
				text: exception.text,
				exception,
			};
		switch (stop?.kind) {
			case "breakpoint":
			case "watchpoint": {
				const reason = lastHit ? reasonOf[lastHit.kind] : stop.kind === "watchpoint" ? "data breakpoint" : "breakpoint";
				const what =
					stop.kind === "watchpoint" ? `Stopped after an access to ${hex(stop.address)}` : `Stopped at a ${reason}`;
				return { reason, thread, description: what, ...(lastHit ? { breakpoints: [lastHit.id] } : {}) };
			}
			case "halt":
				return { reason: "over", thread, description: `The guest powered off (code ${stop.code})` };
			case "panic":
				return { reason: "over", thread, description: `The kernel panicked: ${stop.message}` };
			case "off":
				return { reason: "over", thread, description: stop.why };
			case undefined:
				return { reason: "over", thread, description: "The machine is off" };
			default:
				return { reason: "pause", thread, description: "Paused" };
		}
	}

	/** A client has no sign of its own that one is in the past. */
	get distance(): string | undefined {
		const { history } = this;
		if (!history?.isPast) return undefined;
		const back = history.present.steps - this.machine.instret;
		const count = back === 1 ? "1 instruction" : `${back.toLocaleString("en")} instructions`;
		return `in the past, ${count} before the present`;
	}

	/** Who is asked about when nobody is: a hart that runs a process. */
	private likelyHart(): number {
		const { harts } = this.machine;
		return (harts.find(({ id }) => this.contexts.processOnHart(id) !== undefined) ?? harts[0])?.id ?? 0;
	}

	// ---- backwards -------------------------------------------------------------------------------------------------

	private needHistory(): History {
		const { history } = this;
		if (history) return history;
		throw new UserError(
			"debug-request",
			"This machine keeps no history",
			"Start it by debugging: its history begins then.",
		);
	}

	private back(work: (history: History) => Halt): Promise<Halt> {
		return this.act(async () => {
			const history = this.needHistory();
			this.searching(true);
			try {
				const halt = work(history);
				this.controller.follow({ kind: "seek", position: this.machine.instret }, history.isPast);
				return halt;
			} finally {
				this.searching(false);
			}
		});
	}

	/** To the last breakpoint or watchpoint hit before here; without one, to the start of what is recorded. */
	reverseContinue(): Promise<Halt> {
		return this.back((history) => {
			const found = history.backTo();
			if (found) return this.haltFound(found.stop);
			history.seek(history.oldest);
			return {
				reason: "goto",
				thread: this.contexts.threadOn(this.likelyHart()),
				description: "The start of the recorded history",
			};
		});
	}

	private haltFound(stop: StopReason): Halt {
		const told = this.toStop(stop);
		const hart = (told && "hart" in told ? told.hart : undefined) ?? this.likelyHart();
		const { lastHit } = this.breakpoints;
		const reason = lastHit ? reasonOf[lastHit.kind] : "breakpoint";
		return {
			reason,
			thread: this.contexts.threadOn(hart),
			description: `Stopped at a ${reason}`,
			...(lastHit ? { breakpoints: [lastHit.id] } : {}),
		};
	}

	stepBack(thread: Thread, granularity: "line" | "instruction"): Promise<Halt> {
		return this.back((history) => this.stepper.back(history, thread, granularity));
	}

	reverseStepOut(thread: Thread): Promise<Halt> {
		return this.back((history) => this.stepper.backOut(history, thread));
	}

	/** To right before the last store to physical memory; the storing instruction is the next one. */
	whoWrote(physical: bigint, length: number, what: string): Promise<Halt> {
		return this.back((history) => {
			const write = history.lastWrite(physical, length);
			if (!write) {
				const since =
					history.oldest.steps === 0
						? "since power-on"
						: `since instruction ${history.oldest.steps.toLocaleString("en")}, where the history begins`;
				const description = `Nobody wrote ${what} ${since}`;
				return { reason: "goto", thread: this.focusNow(), label: "never written", description };
			}
			if (write.hart === undefined)
				return {
					reason: "data breakpoint",
					thread: this.focusNow(),
					label: "last write",
					description: `A device (the disk's DMA) wrote ${what}`,
				};
			history.stepBack(write.hart);
			const thread = this.contexts.threadOn(write.hart);
			const [top] = stackOf(this.contexts, thread, 1);
			// An entry that is not valid was often never written by itself: its table was cleared when it was allocated.
			const cleared = top?.name === "memset";
			const description = cleared
				? `memset clears ${what} with the memory around it; nothing has written it since`
				: `The next instruction writes ${what}`;
			return { reason: "data breakpoint", thread, label: "last write", obvious: !cleared, description };
		});
	}

	private searching(on: boolean): void {
		this.breakpoints.searching = on;
		this.exceptions.searching = on;
	}

	private focusNow(focus = this.focus): Thread {
		return (focus && this.contexts.thread(focus.id)) ?? this.contexts.threadOn(this.likelyHart());
	}

	goToInstruction(position: Instructions): Promise<Halt> {
		return this.back((history) => {
			history.seek(position);
			return {
				reason: "goto",
				thread: this.contexts.threadOn(this.likelyHart()),
				description: `Instruction ${this.machine.instret.toLocaleString("en")}`,
			};
		});
	}

	toPresent(): Promise<Halt> {
		return this.back((history) => {
			history.toPresent();
			return { reason: "goto", thread: this.focusNow(this.presentFocus), description: "The present" };
		});
	}
}

const armedElsewhere: Disposable = { dispose: () => undefined };
