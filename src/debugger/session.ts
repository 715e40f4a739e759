import type { DebugProtocol } from "@vscode/debugprotocol";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import type { Hart } from "../machine/types.ts";
import type { RunEnd } from "../protocol/diagnosis.ts";
import type { StateChange } from "../session/runController.ts";
import { breakpointRequests } from "./breakpointRequests.ts";
import { capabilities } from "./capabilities.ts";
import { notUnderstood } from "./cSyntax.ts";
import { Debugger } from "./debugger.ts";
import type { ExceptionHit } from "./exceptions.ts";
import type { Halt } from "./halt.ts";
import { Inspection } from "./inspection.ts";
import type { RequestContext } from "./requestContext.ts";
import { type Body, type CustomRequests, isRequest } from "./requests.ts";
import { Sources } from "./sources.ts";
import type { DebugHost, DebugTarget, LaunchArguments } from "./target.ts";
import { valueRequests } from "./valueRequests.ts";

/**
 * One debug session: the Debug Adapter Protocol over a machine. It knows no editor and no transport: messages come in by `receive`, and go out by
 * what it was made with.
 */
export class DebugSession implements Disposable, RequestContext {
	private sequence = 1;
	/** What is listened to of the machine. */
	private watched = new DisposableStore();
	private target: DebugTarget | undefined;
	private debug: Debugger | undefined;
	private view: Inspection | undefined;
	private args: LaunchArguments = {};
	private configured: (() => void) | undefined;
	readonly sources = new Sources();
	private lastHalt: Halt | undefined;
	private ended = false;
	/** The client was told that the machine is off. */
	private isOver = false;

	constructor(
		private readonly host: DebugHost,
		private readonly send: (message: DebugProtocol.ProtocolMessage) => void,
		/** The client wants no more of this session. */
		private readonly close: () => void = () => undefined,
	) {}

	dispose(): void {
		this.ended = true;
		this.letGo();
	}

	/** The machine that is being debugged, if any, is not any more. */
	private letGo(): void {
		this.watched.dispose();
		this.watched = new DisposableStore();
		this.debug?.dispose();
		this.target?.dispose();
		this.debug = undefined;
		this.view = undefined;
		this.target = undefined;
		this.configured = undefined;
		this.lastHalt = undefined;
	}

	/** One message of the client. Never throws: what is wrong with it is said in the response. */
	async receive(message: unknown): Promise<void> {
		if (!isRequest(message)) return;
		const { seq, command } = message;
		try {
			const body = await this.handle(command, (message.arguments ?? {}) as Record<string, unknown>);
			this.respond(seq, command, { success: true, ...(body ? { body } : {}) });
			this.after(command);
		} catch (error) {
			const text =
				error instanceof UserError
					? `${error.message}. ${error.nextStep}`
					: `A defect of xv6 Lab: ${(error as Error).message}`;
			this.respond(seq, command, {
				success: false,
				message: text,
				body: {
					error: {
						id: 1,
						format: text.replaceAll("{", "(").replaceAll("}", ")"),
						showUser: command === "launch" || command === "attach",
					},
				},
			});
		}
	}

	private respond(seq: number, command: string, rest: object): void {
		this.send({ seq: this.sequence++, type: "response", request_seq: seq, command, ...rest } as DebugProtocol.Response);
	}

	event(event: string, body?: object): void {
		if (event === "terminated" && this.isOver) return;
		if (event === "terminated" || event === "initialized") this.isOver = event === "terminated";
		if (this.ended && event !== "terminated") return;
		this.send({ seq: this.sequence++, type: "event", event, ...(body ? { body } : {}) } as DebugProtocol.Event);
	}

	private output(text: string, category: "console" | "stdout" | "important" = "console"): void {
		this.event("output", { category, output: text });
	}

	/** What follows a response, never goes before it. */
	private after(command: string): void {
		if (command === "launch" || command === "attach" || command === "restart") this.event("initialized");
		if (command === "disconnect") {
			this.dispose();
			this.close();
		}
		if (command === "terminate") this.event("terminated");
		const next = this.configured;
		if (command === "configurationDone") next?.();
	}

	private handle(command: string, args: Record<string, unknown>): Promise<Body> | Body {
		const handler = (this.handlers as Record<string, ((args: never) => Promise<Body> | Body) | undefined>)[command];
		if (!handler || !Object.hasOwn(this.handlers, command))
			throw new UserError(
				"debug-request",
				`There is no request ${String(command).slice(0, 60)}`,
				"See the capabilities of this adapter.",
			);
		return handler(args as never);
	}

	get debugger(): Debugger {
		if (!this.debug) throw new UserError("debug-request", "No machine is being debugged", "Launch or attach first.");
		return this.debug;
	}

	get inspection(): Inspection {
		if (!this.view) throw new UserError("debug-request", "No machine is being debugged", "Launch or attach first.");
		return this.view;
	}

	standing(): Debugger {
		const { debugger: d } = this;
		if (d.isBusy) throw new UserError("debug-request", "The machine is running", "Pause it first.");
		return d;
	}

	// ---- requests --------------------------------------------------------------------------------------------------

	private readonly handlers = {
		...breakpointRequests(this),
		...valueRequests(this),

		initialize: (args: DebugProtocol.InitializeRequestArguments) => {
			this.sources.linesFromOne = args.linesStartAt1 !== false;
			this.sources.columnsFromOne = args.columnsStartAt1 !== false;
			return capabilities as Body;
		},
		launch: (args: LaunchArguments) => this.begin(args, false),
		attach: (args: LaunchArguments) => this.begin(args, true),
		configurationDone: () => undefined,
		disconnect: () => {
			this.ended = true;
			return undefined;
		},
		terminate: () => {
			this.target?.controller.powerOff("The debug session ended.");
			return undefined;
		},
		restart: async (args: DebugProtocol.RestartArguments) => {
			try {
				await this.begin((args.arguments as LaunchArguments | undefined) ?? this.args, false);
			} catch (error) {
				// There is nothing left to debug.
				this.event("terminated");
				throw error;
			}
			return undefined;
		},

		threads: () => {
			const threads = this.debugger.contexts.threads();
			return { threads: threads.map(({ id, name }) => ({ id, name })) };
		},
		stackTrace: (args: DebugProtocol.StackTraceArguments) => this.inspection.stackTrace(args),
		exceptionInfo: () => {
			const exception = this.lastHalt?.exception;
			if (!exception) throw new UserError("debug-request", "The machine did not stop for an exception", "Continue.");
			const end = endOf(exception);
			const why = (end && this.target?.diagnose?.(end)) ?? [];
			const description = [exception.text, ...why].join("\n");
			return {
				exceptionId: exception.name,
				description,
				breakMode: "always",
				details: { message: description, typeName: exception.filter },
			};
		},

		continue: () => this.run((d) => d.continue(), { allThreadsContinued: true }),
		next: (args: DebugProtocol.NextArguments) => this.step(args, "over"),
		stepIn: (args: DebugProtocol.StepInArguments) => this.step(args, "into"),
		stepOut: (args: DebugProtocol.StepOutArguments) => this.step(args, "out"),
		stepBack: (args: DebugProtocol.StepBackArguments) => {
			const thread = this.inspection.thread(args.threadId);
			return this.run((d) => d.stepBack(thread, args.granularity === "instruction" ? "instruction" : "line"));
		},
		reverseContinue: () => this.run((d) => d.reverseContinue()),
		pause: () => {
			this.debugger.pause();
			return undefined;
		},

		"xv6/whoWrote": (args: CustomRequests["xv6/whoWrote"]) => {
			const { physical, size, what } = this.inspection.placeAsked(args);
			return this.run((d) => d.whoWrote(physical, size, what));
		},
		"xv6/reverseStepOut": (args: CustomRequests["xv6/reverseStepOut"]) => {
			const thread = this.inspection.thread(args.threadId);
			return this.run((d) => d.reverseStepOut(thread));
		},
		"xv6/goToInstruction": (args: CustomRequests["xv6/goToInstruction"]) => {
			if (!Number.isSafeInteger(args.instruction) || args.instruction < 0)
				throw notUnderstood("An instruction is a number from 0 on");
			return this.run((d) => d.goToInstruction(args.instruction));
		},
		"xv6/runToFailure": () => this.run((d) => this.toFailure(d)),
		"xv6/timeline": () => {
			const { history, machine } = this.debugger;
			if (!history) return { position: machine.instret };
			return {
				oldest: history.oldest.steps,
				position: machine.instret,
				present: history.present.steps,
				isPast: history.isPast,
				bytes: history.usage.bytes,
			};
		},
		"xv6/newFuture": () => {
			this.standing().history?.cutFuture();
			this.target?.controller.newFuture();
			return undefined;
		},
		"xv6/toPresent": () => this.run((d) => d.toPresent()),
		"xv6/type": (args: CustomRequests["xv6/type"]) => {
			this.target?.controller.type(new TextEncoder().encode(String(args.text)));
			return undefined;
		},
	};

	// ---- beginning -------------------------------------------------------------------------------------------------

	private async begin(args: LaunchArguments, attach: boolean): Promise<Body> {
		this.letGo();
		this.args = args;
		const target = attach
			? await this.host.attach(args)
			: await this.host.launch(args, (text) => this.output(`${text}\n`));
		if (this.ended) {
			target.dispose();
			return undefined;
		}
		this.target = target;
		const debug = new Debugger(
			target.machine,
			target.controller,
			target.kernel,
			target.programs,
			{
				breathe: () => this.host.breathe(),
				log: (text) => this.output(`${text}\n`),
			},
			target.onFinding,
		);
		this.debug = debug;
		this.sources.tree = target;
		this.view = new Inspection(debug, this.sources, () => this.standing());
		this.watched.add(target.machine.console.onData((bytes) => this.output(new TextDecoder().decode(bytes), "stdout")));
		this.watched.add(
			target.controller.onTypedInPast(() =>
				this.output(
					"The machine is in the past: keys are not given to it. Go to the present, or start a new future from here.\n",
					"important",
				),
			),
		);
		this.watched.add(target.controller.onState((change) => this.drifted(debug, change)));
		const problem = debug.contexts.kernel.problem;
		if (problem) this.output(`${problem}\n`, "important");
		this.configured = () => {
			this.configured = undefined;
			void this.firstRun(debug, target, args, attach);
		};
		return undefined;
	}

	private async firstRun(debug: Debugger, target: DebugTarget, args: LaunchArguments, attach: boolean): Promise<void> {
		if (attach) {
			if (target.controller.state === "running") await this.running(debug, (d) => d.continue());
			else {
				const halt = debug.haltOf({ kind: "asked" });
				this.stopped(target.hart === undefined ? halt : { ...halt, thread: debug.contexts.threadOn(target.hart) });
			}
			return;
		}
		const { program } = args;
		if (program !== undefined) this.typeAtPrompt(target, args.command ?? program);
		const stops = args.stopOnEntry ?? program !== undefined;
		if (!stops) return this.running(debug, (d) => d.continue());
		const name = program === undefined ? "main@kernel" : `main@${program.split(/\s/)[0]}`;
		const places = debug.breakpoints.placesOfFunction(name);
		if (places.length === 0) {
			this.output(`${name} was not found: it has no debug information\n`, "important");
			return this.running(debug, (d) => d.continue());
		}
		const goals = places.map((place) => ({
			pc: place.address,
			when: debug.breakpoints.isIn.bind(debug.breakpoints, place),
		}));
		debug.stopAtEntry(goals.slice(0, 1), `Stopped in main of ${program ?? "the kernel"}`);
		return this.running(debug, (d) => d.continue());
	}

	private toFailure(debug: Debugger): Promise<Halt> {
		const name = this.args.program?.split(/\s/)[0];
		const { contexts } = debug;
		// Of the program's processes the one that the shell waits for.
		const ends = (hart: Hart) => {
			const { process } = contexts.threadOn(hart.id);
			if (process === undefined || process.name !== name) return false;
			return contexts.parentOf(process)?.name !== name;
		};
		return debug.runToFailure(ends);
	}

	/** The command is typed when the shell asks for it, once. */
	private typeAtPrompt(target: DebugTarget, command: string): void {
		const { controller } = target;
		const listening = controller.onSlice(() => {
			if (!controller.console.atPrompt) return;
			listening.dispose();
			target.prepare?.();
			controller.type(new TextEncoder().encode(`${command}\n`));
		});
		this.watched.add(listening);
	}

	// ---- running ---------------------------------------------------------------------------------------------------

	private run(work: (debug: Debugger) => Promise<Halt>, body?: Body): Body {
		const debug = this.standing();
		void this.running(debug, work);
		return body;
	}

	private async running(debug: Debugger, work: (debug: Debugger) => Promise<Halt>): Promise<void> {
		this.view?.forget();
		try {
			const halt = await work(debug);
			const toFailure = halt.reason === "entry" && this.args.until === "failure";
			const last = toFailure && this.debug === debug ? await this.toFailure(debug) : halt;
			if (this.debug === debug) this.stopped(last);
		} catch (error) {
			if (this.debug !== debug) return;
			this.output(
				`${error instanceof UserError ? error.format() : `A defect of xv6 Lab: ${(error as Error).stack}`}\n`,
				"important",
			);
			this.stopped(debug.haltOf({ kind: "asked" }));
		}
	}

	/** Others move the machine, too: the terminal's person, the inspector, the side bar. */
	private drifted(debug: Debugger, { state }: StateChange): void {
		if (this.ended || this.debug !== debug || debug.isBusy || this.configured) return;
		if (state === "running") {
			this.event("continued", { threadId: this.lastHalt?.thread.id ?? 0, allThreadsContinued: true });
			void this.running(debug, (d) => d.continue());
		} else if (state === "off" || state === "dead") this.event("terminated");
		else this.stopped(debug.haltOf({ kind: "asked" }));
	}

	private step(
		args: { threadId: number; granularity?: DebugProtocol.SteppingGranularity },
		kind: "over" | "into" | "out",
	): Body {
		const thread = this.inspection.thread(args.threadId);
		return this.run((d) => d.step(thread, kind, args.granularity === "instruction" ? "instruction" : "line"));
	}

	private stopped(halt: Halt): void {
		this.lastHalt = halt;
		this.view?.forget();
		if (this.view) this.view.focus = halt.thread.id;
		if (halt.reason === "over") {
			this.output(`${halt.description}\n`, "important");
			this.event("terminated");
			return;
		}
		const { distance } = this.debugger;
		// Short, since a client shows it in the row of the thread's name.
		const label = halt.label ?? (halt.exception ? halt.exception.name : halt.reason === "goto" ? "moved" : halt.reason);
		const sentence = (halt.label === undefined && halt.exception ? halt.text : undefined) ?? halt.description;
		const text = distance ? `${sentence} (${distance})` : sentence;
		if (halt.label !== undefined) this.output(`${text}\n`, halt.obvious ? "console" : "important");
		this.event("stopped", {
			reason: halt.reason,
			description: distance ? `past: ${label}` : label,
			text,
			threadId: halt.thread.id,
			allThreadsStopped: true,
			...(halt.breakpoints ? { hitBreakpointIds: halt.breakpoints } : {}),
		});
		const { history, machine } = this.debugger;
		if (history)
			this.event("xv6/moved", {
				position: machine.instret,
				present: history.present.steps,
				oldest: history.oldest.steps,
				isPast: history.isPast,
				what: this.view?.placeOf(halt.thread) ?? halt.description,
			});
	}

	// ---- changing --------------------------------------------------------------------------------------------------

	mayChange(): void {
		if (this.standing().isPast)
			throw new UserError(
				"debug-request",
				"This would change the past and discard everything after it",
				'Run "xv6: New Future From Here" first, or go to the present.',
			);
	}

	changed(): void {
		this.view?.changed();
		this.event("invalidated", { areas: ["stacks", "variables"] });
	}
}

/** How the run would end where an exception stopped it; undefined: it need not end. */
function endOf({ filter, text }: ExceptionHit): RunEnd | undefined {
	if (filter === "panic") return { kind: "panic", message: text.replace(/^panic: /, "") };
	if (filter === "killed") return { kind: "prompt", output: "" };
	return filter === "no-progress" ? { kind: "stall", message: text } : undefined;
}
