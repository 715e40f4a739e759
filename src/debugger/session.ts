import type { DebugProtocol } from "@vscode/debugprotocol";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import type { Hart } from "../machine/types.ts";
import type { RunEnd } from "../protocol/diagnosis.ts";
import type { StateChange } from "../session/runController.ts";
import { capabilities } from "./capabilities.ts";
import { notUnderstood } from "./cSyntax.ts";
import { Debugger } from "./debugger.ts";
import { disassembleAround } from "./disassembly.ts";
import { type ExceptionFilter, type ExceptionHit, exceptionFilters } from "./exceptions.ts";
import { evaluateExpression } from "./expression.ts";
import type { Halt } from "./halt.ts";
import { Inspection } from "./inspection.ts";
import { parseReference, writeMemory } from "./references.ts";
import { type Body, base64, type CustomRequests, fromBase64, isRequest, list } from "./requests.ts";
import { Sources } from "./sources.ts";
import type { DebugHost, DebugTarget, LaunchArguments } from "./target.ts";
import { numberOf } from "./values.ts";

const mostMemory = 1 << 20;

/**
 * One debug session: the Debug Adapter Protocol over a machine. It knows no editor and no transport: messages come in by `receive`, and go out by
 * what it was made with.
 */
export class DebugSession implements Disposable {
	private sequence = 1;
	private readonly store = new DisposableStore();
	private target: DebugTarget | undefined;
	private debug: Debugger | undefined;
	private inspection: Inspection | undefined;
	private args: LaunchArguments = {};
	private attached = false;
	private configured: (() => void) | undefined;
	private readonly sources = new Sources();
	private lastHalt: Halt | undefined;
	private ended = false;

	constructor(
		private readonly host: DebugHost,
		private readonly send: (message: DebugProtocol.ProtocolMessage) => void,
		/** The client wants no more of this session. */
		private readonly close: () => void = () => undefined,
	) {}

	dispose(): void {
		this.ended = true;
		this.store.dispose();
		this.debug?.dispose();
		this.target?.dispose();
		this.debug = undefined;
		this.target = undefined;
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

	private event(event: string, body?: object): void {
		if (this.ended && event !== "terminated") return;
		this.send({ seq: this.sequence++, type: "event", event, ...(body ? { body } : {}) } as DebugProtocol.Event);
	}

	private output(text: string, category: "console" | "stdout" | "important" = "console"): void {
		this.event("output", { category, output: text });
	}

	/** What follows a response, never goes before it. */
	private after(command: string): void {
		if (command === "launch" || command === "attach") this.event("initialized");
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

	private get d(): Debugger {
		if (!this.debug) throw new UserError("debug-request", "No machine is being debugged", "Launch or attach first.");
		return this.debug;
	}

	private get see(): Inspection {
		if (!this.inspection)
			throw new UserError("debug-request", "No machine is being debugged", "Launch or attach first.");
		return this.inspection;
	}

	private standing(): Debugger {
		const { d } = this;
		if (d.isBusy) throw new UserError("debug-request", "The machine is running", "Pause it first.");
		return d;
	}

	// ---- requests --------------------------------------------------------------------------------------------------

	private readonly handlers = {
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
		restart: async () => {
			const { args } = this;
			this.debug?.dispose();
			this.target?.dispose();
			await this.begin(args, false);
			this.event("initialized");
			return undefined;
		},

		setBreakpoints: (args: DebugProtocol.SetBreakpointsArguments) => {
			const file = this.sources.fileOf(args.source);
			const wanted = list(args.breakpoints).map((one: DebugProtocol.SourceBreakpoint) => ({
				line: this.sources.lineIn(one.line),
				condition: one.condition,
				hitCondition: one.hitCondition,
				logMessage: one.logMessage,
			}));
			const made = this.d.breakpoints.setLines(file, wanted);
			return {
				breakpoints: made.map(({ id, verified, message, line }) => ({
					id,
					verified,
					...(message ? { message } : {}),
					...(line === undefined ? {} : { line: this.sources.lineOut(line) }),
					source: args.source,
				})),
			};
		},
		setFunctionBreakpoints: (args: DebugProtocol.SetFunctionBreakpointsArguments) => ({
			breakpoints: this.d.breakpoints
				.setFunctions(
					list(args.breakpoints).map((one: DebugProtocol.FunctionBreakpoint) => ({ ...one, name: String(one.name) })),
				)
				.map(({ id, verified, message }) => ({ id, verified, ...(message ? { message } : {}) })),
		}),
		setInstructionBreakpoints: (args: DebugProtocol.SetInstructionBreakpointsArguments) => ({
			breakpoints: this.d.breakpoints
				.setInstructions(
					list(args.breakpoints).map((one: DebugProtocol.InstructionBreakpoint) => ({
						...one,
						address:
							parseReference(this.d.contexts, String(one.instructionReference)).address +
							BigInt(Math.trunc(one.offset ?? 0)),
					})),
				)
				.map(({ id, verified, message, address }) => ({
					id,
					verified,
					instructionReference: `0x${(address ?? 0n).toString(16)}`,
					...(message ? { message } : {}),
				})),
		}),
		dataBreakpointInfo: (args: DebugProtocol.DataBreakpointInfoArguments) => this.see.dataInfo(args),
		setDataBreakpoints: (args: DebugProtocol.SetDataBreakpointsArguments) => ({
			breakpoints: this.d.breakpoints
				.setData(
					list(args.breakpoints).map((one: DebugProtocol.DataBreakpoint) => {
						const place = this.see.dataPlace(one.dataId, one.accessType);
						return {
							place,
							condition: one.condition,
							hitCondition: one.hitCondition,
							...(place ? {} : { message: `\`${one.dataId}\` cannot be watched` }),
						};
					}),
				)
				.map(({ id, verified, message }) => ({ id, verified, ...(message ? { message } : {}) })),
		}),
		setExceptionBreakpoints: (args: DebugProtocol.SetExceptionBreakpointsArguments) => {
			const known = new Set(exceptionFilters.map(({ filter }) => filter));
			this.d.exceptions.set(
				new Set(list(args.filters).filter((one: string): one is ExceptionFilter => known.has(one as ExceptionFilter))),
			);
			return undefined;
		},
		breakpointLocations: (args: DebugProtocol.BreakpointLocationsArguments) => {
			const file = this.sources.fileOf(args.source);
			const first = this.sources.lineIn(args.line);
			const last = this.sources.lineIn(args.endLine ?? args.line);
			const lines = new Set(
				this.d.breakpoints
					.programsOf(file)
					.flatMap((program) => program.attempt(() => program.info?.linesWithCode(file)) ?? [])
					.filter((line) => line >= first && line <= last),
			);
			return { breakpoints: [...lines].sort((a, b) => a - b).map((line) => ({ line: this.sources.lineOut(line) })) };
		},

		threads: () => {
			const threads = this.d.contexts.threads();
			return { threads: threads.map(({ id, name }) => ({ id, name })) };
		},
		stackTrace: (args: DebugProtocol.StackTraceArguments) => this.see.stackTrace(args),
		scopes: ({ frameId }: DebugProtocol.ScopesArguments) => {
			const { frame, thread } = this.see.frame(frameId);
			return { scopes: this.see.variables.scopes(frame, thread) };
		},
		variables: (args: DebugProtocol.VariablesArguments) => {
			this.standing();
			if (args.filter === "named" && args.start === undefined) {
				const all = this.see.variables.children(
					args.variablesReference,
					0,
					Number.POSITIVE_INFINITY,
					args.format?.hex === true,
				);
				return { variables: all.filter(({ name }) => !/^\[\d+\]$/.test(name)) };
			}
			const count = args.count && args.count > 0 ? args.count : Number.POSITIVE_INFINITY;
			return {
				variables: this.see.variables.children(
					args.variablesReference,
					args.start ?? 0,
					count,
					args.format?.hex === true,
				),
			};
		},
		evaluate: (args: DebugProtocol.EvaluateArguments) => {
			this.standing();
			const value = evaluateExpression(this.see.scope(args.frameId), String(args.expression));
			return this.see.variables.evaluated(value, args.format?.hex === true, String(args.expression)) as Body;
		},
		setVariable: (args: DebugProtocol.SetVariableArguments) => {
			this.mayChange();
			const to = evaluateExpression(this.see.scope(undefined), String(args.value));
			const { value, type, variablesReference } = this.see.variables.set(
				args.variablesReference,
				args.name,
				to,
				args.format?.hex === true,
			);
			this.changed();
			return { value, ...(type ? { type } : {}), variablesReference };
		},
		setExpression: (args: DebugProtocol.SetExpressionArguments) => {
			this.mayChange();
			const scope = this.see.scope(args.frameId);
			const to = numberOf(evaluateExpression(scope, String(args.value)));
			if (to === undefined) throw notUnderstood("The new value is no number");
			this.see.variables.write(evaluateExpression(scope, String(args.expression)), to);
			const { result, type, variablesReference } = this.see.variables.evaluated(
				evaluateExpression(scope, String(args.expression)),
				false,
				String(args.expression),
			);
			this.changed();
			return { value: result, ...(type ? { type } : {}), variablesReference };
		},
		readMemory: (args: DebugProtocol.ReadMemoryArguments) => {
			const { space, address } = this.see.memoryAt(args.memoryReference, args.offset);
			const count = Math.max(0, Math.min(args.count, mostMemory));
			const bytes = space.bytes(address, count);
			return {
				address: `0x${address.toString(16)}`,
				data: base64(bytes),
				...(bytes.length < args.count
					? {
							unreadableBytes: Math.min(
								args.count - bytes.length,
								4096 - ((Number(address & 4095n) + bytes.length) % 4096),
							),
						}
					: {}),
			};
		},
		writeMemory: (args: DebugProtocol.WriteMemoryArguments) => {
			this.mayChange();
			const { space, address } = this.see.memoryAt(args.memoryReference, args.offset);
			const bytes = fromBase64(args.data);
			const written = writeMemory(this.d.contexts, space, address, bytes);
			if (written < bytes.length && args.allowPartial !== true)
				throw new UserError(
					"debug-request",
					`0x${(address + BigInt(written)).toString(16)} is not mapped`,
					"Write less.",
				);
			this.event("memory", { memoryReference: args.memoryReference, offset: args.offset ?? 0, count: written });
			this.changed();
			return { bytesWritten: written };
		},
		disassemble: (args: DebugProtocol.DisassembleArguments) => {
			const { space, address } = this.see.memoryAt(args.memoryReference, args.offset);
			const symbols = this.see.symbolsFor(space);
			return {
				instructions: disassembleAround(
					this.d.contexts,
					space,
					symbols,
					address,
					Math.trunc(args.instructionOffset ?? 0),
					args.instructionCount,
					(file) => this.sources.of(file),
				),
			};
		},
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
			const thread = this.see.thread(args.threadId);
			return this.run((d) => d.stepBack(thread, args.granularity === "instruction" ? "instruction" : "line"));
		},
		reverseContinue: () => this.run((d) => d.reverseContinue()),
		pause: () => {
			this.d.pause();
			return undefined;
		},

		"xv6/whoWrote": (args: CustomRequests["xv6/whoWrote"]) => {
			const { physical, size, what } = this.see.placeAsked(args);
			return this.run((d) => d.whoWrote(physical, size, what));
		},
		"xv6/reverseStepOut": (args: CustomRequests["xv6/reverseStepOut"]) => {
			const thread = this.see.thread(args.threadId);
			return this.run((d) => d.reverseStepOut(thread));
		},
		"xv6/goToInstruction": (args: CustomRequests["xv6/goToInstruction"]) => {
			if (!Number.isSafeInteger(args.instruction) || args.instruction < 0)
				throw notUnderstood("An instruction is a number from 0 on");
			return this.run((d) => d.goToInstruction(args.instruction));
		},
		"xv6/runToFailure": () => this.run((d) => this.toFailure(d)),
		"xv6/timeline": () => {
			const { history, machine } = this.d;
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
		if (this.target && !this.ended && this.debug && this.attached === attach && !this.configured) this.debug.dispose();
		this.args = args;
		this.attached = attach;
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
		this.inspection = new Inspection(debug, this.sources, () => this.standing());
		this.store.add(target.machine.console.onData((bytes) => this.output(new TextDecoder().decode(bytes), "stdout")));
		this.store.add(
			target.controller.onTypedInPast(() =>
				this.output(
					"The machine is in the past: keys are not given to it. Go to the present, or start a new future from here.\n",
					"important",
				),
			),
		);
		this.store.add(target.controller.onState((change) => this.drifted(debug, change)));
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
		const [goal] = goals;
		return this.running(debug, async (d) => {
			const halt = await d.runTo(goal ? [goal] : [], "entry", `Stopped in main of ${program ?? "the kernel"}`);
			return args.until === "failure" && halt.reason === "entry" ? this.toFailure(d) : halt;
		});
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
		this.store.add(listening);
	}

	// ---- running ---------------------------------------------------------------------------------------------------

	private run(work: (debug: Debugger) => Promise<Halt>, body?: Body): Body {
		const debug = this.standing();
		void this.running(debug, work);
		return body;
	}

	private async running(debug: Debugger, work: (debug: Debugger) => Promise<Halt>): Promise<void> {
		this.inspection?.forget();
		try {
			const halt = await work(debug);
			if (this.debug === debug) this.stopped(halt);
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
		const thread = this.see.thread(args.threadId);
		return this.run((d) => d.step(thread, kind, args.granularity === "instruction" ? "instruction" : "line"));
	}

	private stopped(halt: Halt): void {
		this.lastHalt = halt;
		this.inspection?.forget();
		if (this.inspection) this.inspection.focus = halt.thread.id;
		if (halt.reason === "over") {
			this.output(`${halt.description}\n`, "important");
			this.event("terminated");
			return;
		}
		const { distance } = this.d;
		// Short, since a client shows it in the row of the thread's name.
		const label = halt.label ?? (halt.exception ? halt.exception.name : halt.reason === "goto" ? "moved" : halt.reason);
		const sentence = (halt.label === undefined && halt.exception ? halt.text : undefined) ?? halt.description;
		const text = distance ? `${sentence} (${distance})` : sentence;
		if (halt.label !== undefined) this.output(`${text}\n`, "important");
		this.event("stopped", {
			reason: halt.reason,
			description: distance ? `past: ${label}` : label,
			text,
			threadId: halt.thread.id,
			allThreadsStopped: true,
			...(halt.breakpoints ? { hitBreakpointIds: halt.breakpoints } : {}),
		});
		const { history, machine } = this.d;
		if (history)
			this.event("xv6/moved", {
				position: machine.instret,
				present: history.present.steps,
				oldest: history.oldest.steps,
				isPast: history.isPast,
				what: this.inspection?.placeOf(halt.thread) ?? halt.description,
			});
	}

	// ---- changing --------------------------------------------------------------------------------------------------

	private mayChange(): void {
		if (this.standing().isPast)
			throw new UserError(
				"debug-request",
				"This would change the past and discard everything after it",
				'Run "xv6: New Future From Here" first, or go to the present.',
			);
	}

	private changed(): void {
		this.inspection?.changed();
		this.event("invalidated", { areas: ["stacks", "variables"] });
	}
}

/** How the run would end where an exception stopped it; undefined: it need not end. */
function endOf({ filter, text }: ExceptionHit): RunEnd | undefined {
	if (filter === "panic") return { kind: "panic", message: text.replace(/^panic: /, "") };
	if (filter === "killed") return { kind: "prompt", output: "" };
	return filter === "no-progress" ? { kind: "stall", message: text } : undefined;
}
