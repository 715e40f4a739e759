import type { DebugProtocol } from "@vscode/debugprotocol";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { plain } from "../debuginfo/types.ts";
import type { DataPlace } from "./breakpoints.ts";
import type { Thread } from "./contexts.ts";
import { notUnderstood } from "./cSyntax.ts";
import { Debugger } from "./debugger.ts";
import { disassembleAround } from "./disassembly.ts";
import { type ExceptionFilter, exceptionFilters } from "./exceptions.ts";
import { evaluateExpression, type Scope } from "./expression.ts";
import type { Halt } from "./halt.ts";
import { memoryReference, parseReference, writeMemory } from "./references.ts";
import type { Space } from "./space.ts";
import { type Frame, stackOf } from "./stack.ts";
import type { DebugHost, DebugTarget, LaunchArguments } from "./target.ts";
import { addressOf, numberOf, type Value } from "./values.ts";
import { Variables } from "./variables.ts";

/** Requests of ours beside the protocol's; `docs/debugging.md` describes them. */
export interface CustomRequests {
	"xv6/whoWrote": {
		expression?: string;
		frameId?: number;
		variablesReference?: number;
		name?: string;
		memoryReference?: string;
		bytes?: number;
	};
	"xv6/reverseStepOut": { threadId: number };
	"xv6/goToInstruction": { instruction: number };
	"xv6/timeline": undefined;
	"xv6/newFuture": undefined;
	"xv6/toPresent": undefined;
	"xv6/type": { text: string };
}

type Body = Record<string, unknown> | undefined;

const capabilities: DebugProtocol.Capabilities = {
	supportsConfigurationDoneRequest: true,
	supportsFunctionBreakpoints: true,
	supportsConditionalBreakpoints: true,
	supportsHitConditionalBreakpoints: true,
	supportsLogPoints: true,
	supportsEvaluateForHovers: true,
	supportsSetVariable: true,
	supportsSetExpression: true,
	supportsExceptionInfoRequest: true,
	supportsDataBreakpoints: true,
	supportsDataBreakpointBytes: true,
	supportsInstructionBreakpoints: true,
	supportsDisassembleRequest: true,
	supportsReadMemoryRequest: true,
	supportsWriteMemoryRequest: true,
	supportsSteppingGranularity: true,
	supportsStepBack: true,
	supportsRestartRequest: true,
	supportsTerminateRequest: true,
	supportsBreakpointLocationsRequest: true,
	supportsValueFormattingOptions: true,
	supportsClipboardContext: true,
	supportsDelayedStackTraceLoading: true,
	exceptionBreakpointFilters: exceptionFilters.map(({ filter, label, description, default: on }) => ({
		filter,
		label,
		description,
		default: on,
	})),
};

const mostMemory = 1 << 20;
const mostFrames = 200;

/**
 * One debug session: the Debug Adapter Protocol over a machine. It knows no editor and no transport: messages come in by `receive`, and go out by
 * what it was made with.
 */
export class DebugSession implements Disposable {
	private sequence = 1;
	private readonly store = new DisposableStore();
	private target: DebugTarget | undefined;
	private debug: Debugger | undefined;
	private variables: Variables | undefined;
	private args: LaunchArguments = {};
	private attached = false;
	private configured: (() => void) | undefined;
	private linesFromOne = true;
	private columnsFromOne = true;
	private readonly frames = new Map<number, { readonly frame: Frame; readonly thread: Thread }>();
	private readonly stacks = new Map<number, Frame[]>();
	private nextFrame = 1;
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

	private get vars(): Variables {
		if (!this.variables)
			throw new UserError("debug-request", "No machine is being debugged", "Launch or attach first.");
		return this.variables;
	}

	private standing(): Debugger {
		const { d } = this;
		if (d.isBusy) throw new UserError("debug-request", "The machine is running", "Pause it first.");
		return d;
	}

	// ---- requests --------------------------------------------------------------------------------------------------

	private readonly handlers = {
		initialize: (args: DebugProtocol.InitializeRequestArguments) => {
			this.linesFromOne = args.linesStartAt1 !== false;
			this.columnsFromOne = args.columnsStartAt1 !== false;
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
			const file = this.fileOf(args.source);
			const wanted = list(args.breakpoints).map((one: DebugProtocol.SourceBreakpoint) => ({
				line: this.lineIn(one.line),
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
					...(line === undefined ? {} : { line: this.lineOut(line) }),
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
		dataBreakpointInfo: (args: DebugProtocol.DataBreakpointInfoArguments) => this.dataInfo(args),
		setDataBreakpoints: (args: DebugProtocol.SetDataBreakpointsArguments) => ({
			breakpoints: this.d.breakpoints
				.setData(
					list(args.breakpoints).map((one: DebugProtocol.DataBreakpoint) => {
						const place = this.dataPlace(one.dataId, one.accessType);
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
			const file = this.fileOf(args.source);
			const first = this.lineIn(args.line);
			const last = this.lineIn(args.endLine ?? args.line);
			const lines = new Set(
				this.d.breakpoints
					.programsOf(file)
					.flatMap((program) => program.attempt(() => program.info?.linesWithCode(file)) ?? [])
					.filter((line) => line >= first && line <= last),
			);
			return { breakpoints: [...lines].sort((a, b) => a - b).map((line) => ({ line: this.lineOut(line) })) };
		},

		threads: () => {
			const threads = this.d.contexts.threads();
			return { threads: threads.map(({ id, name }) => ({ id, name })) };
		},
		stackTrace: (args: DebugProtocol.StackTraceArguments) => this.stackTrace(args),
		scopes: ({ frameId }: DebugProtocol.ScopesArguments) => {
			const { frame, thread } = this.frame(frameId);
			return { scopes: this.vars.scopes(frame, thread) };
		},
		variables: (args: DebugProtocol.VariablesArguments) => {
			this.standing();
			if (args.filter === "named" && args.start === undefined) {
				const all = this.vars.children(args.variablesReference, 0, Number.POSITIVE_INFINITY, args.format?.hex === true);
				return { variables: all.filter(({ name }) => !/^\[\d+\]$/.test(name)) };
			}
			const count = args.count && args.count > 0 ? args.count : Number.POSITIVE_INFINITY;
			return {
				variables: this.vars.children(args.variablesReference, args.start ?? 0, count, args.format?.hex === true),
			};
		},
		evaluate: (args: DebugProtocol.EvaluateArguments) => {
			this.standing();
			const value = evaluateExpression(this.scope(args.frameId), String(args.expression));
			return this.vars.evaluated(value, args.format?.hex === true, String(args.expression)) as Body;
		},
		setVariable: (args: DebugProtocol.SetVariableArguments) => {
			this.mayChange();
			const to = evaluateExpression(this.scope(undefined), String(args.value));
			const { value, type, variablesReference } = this.vars.set(
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
			const scope = this.scope(args.frameId);
			const to = numberOf(evaluateExpression(scope, String(args.value)));
			if (to === undefined) throw notUnderstood("The new value is no number");
			this.vars.write(evaluateExpression(scope, String(args.expression)), to);
			const { result, type, variablesReference } = this.vars.evaluated(
				evaluateExpression(scope, String(args.expression)),
				false,
				String(args.expression),
			);
			this.changed();
			return { value: result, ...(type ? { type } : {}), variablesReference };
		},
		readMemory: (args: DebugProtocol.ReadMemoryArguments) => {
			const { space, address } = this.memoryAt(args.memoryReference, args.offset);
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
			const { space, address } = this.memoryAt(args.memoryReference, args.offset);
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
			const { space, address } = this.memoryAt(args.memoryReference, args.offset);
			const symbols = this.symbolsFor(space);
			return {
				instructions: disassembleAround(
					this.d.contexts,
					space,
					symbols,
					address,
					Math.trunc(args.instructionOffset ?? 0),
					args.instructionCount,
					(file) => this.source(file),
				),
			};
		},
		exceptionInfo: () => {
			const exception = this.lastHalt?.exception;
			if (!exception) throw new UserError("debug-request", "The machine did not stop for an exception", "Continue.");
			const why = this.target?.diagnose?.() ?? [];
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
			const thread = this.thread(args.threadId);
			return this.run((d) => d.stepBack(thread, args.granularity === "instruction" ? "instruction" : "line"));
		},
		reverseContinue: () => this.run((d) => d.reverseContinue()),
		pause: () => {
			this.d.pause();
			return undefined;
		},

		"xv6/whoWrote": (args: CustomRequests["xv6/whoWrote"]) => this.whoWrote(args),
		"xv6/reverseStepOut": (args: CustomRequests["xv6/reverseStepOut"]) => {
			const thread = this.thread(args.threadId);
			return this.run((d) => d.reverseStepOut(thread));
		},
		"xv6/goToInstruction": (args: CustomRequests["xv6/goToInstruction"]) => {
			if (!Number.isSafeInteger(args.instruction) || args.instruction < 0)
				throw notUnderstood("An instruction is a number from 0 on");
			return this.run((d) => d.goToInstruction(args.instruction));
		},
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
		const debug = new Debugger(target.machine, target.controller, target.kernel, target.programs, {
			breathe: () => this.host.breathe(),
			log: (text) => this.output(`${text}\n`),
		});
		this.debug = debug;
		this.variables = new Variables(debug.contexts);
		this.store.add(target.machine.console.onData((bytes) => this.output(new TextDecoder().decode(bytes), "stdout")));
		this.store.add(
			target.controller.onTypedInPast(() =>
				this.output(
					"The machine is in the past: keys are not given to it. Go to the present, or start a new future from here.\n",
					"important",
				),
			),
		);
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
			else this.stopped(debug.haltOf({ kind: "asked" }));
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
		return this.running(debug, (d) =>
			d.runTo(goal ? [goal] : [], "entry", `Stopped in main of ${program ?? "the kernel"}`),
		);
	}

	/** The command is typed when the shell asks for it, once. */
	private typeAtPrompt(target: DebugTarget, command: string): void {
		const { controller } = target;
		const listening = controller.onSlice(() => {
			if (!controller.console.atPrompt) return;
			listening.dispose();
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
		this.forget();
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

	private step(
		args: { threadId: number; granularity?: DebugProtocol.SteppingGranularity },
		kind: "over" | "into" | "out",
	): Body {
		const thread = this.thread(args.threadId);
		return this.run((d) => d.step(thread, kind, args.granularity === "instruction" ? "instruction" : "line"));
	}

	private stopped(halt: Halt): void {
		this.lastHalt = halt;
		this.forget();
		if (halt.reason === "over") {
			this.output(`${halt.description}\n`, "important");
			this.event("terminated");
			return;
		}
		this.event("stopped", {
			reason: halt.reason,
			description: halt.description,
			threadId: halt.thread.id,
			allThreadsStopped: true,
			...(halt.text === undefined ? {} : { text: halt.text }),
			...(halt.breakpoints ? { hitBreakpointIds: halt.breakpoints } : {}),
		});
		const { history, machine } = this.d;
		if (history)
			this.event("xv6/moved", {
				position: machine.instret,
				present: history.present.steps,
				oldest: history.oldest.steps,
				isPast: history.isPast,
			});
	}

	/** All references end when the machine moves. */
	private forget(): void {
		this.frames.clear();
		this.stacks.clear();
		this.variables?.clear();
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
		this.stacks.clear();
		this.event("invalidated", { areas: ["stacks", "variables"] });
	}

	// ---- stacks ----------------------------------------------------------------------------------------------------

	private thread(id: number): Thread {
		const thread = this.standing().contexts.thread(id);
		if (!thread)
			throw new UserError(
				"debug-request",
				`There is no thread ${id}`,
				"Ask for the threads again: its process may have ended.",
			);
		return thread;
	}

	private stackTrace(args: DebugProtocol.StackTraceArguments): Body {
		const thread = this.thread(args.threadId);
		let stack = this.stacks.get(thread.id);
		if (!stack) {
			stack = stackOf(this.d.contexts, thread).slice(0, mostFrames);
			this.stacks.set(thread.id, stack);
		}
		const start = args.startFrame ?? 0;
		const levels = args.levels && args.levels > 0 ? args.levels : stack.length;
		const shown = stack.slice(start, start + levels);
		return { totalFrames: stack.length, stackFrames: shown.map((frame) => this.stackFrame(frame, thread)) };
	}

	private stackFrame(frame: Frame, thread: Thread): DebugProtocol.StackFrame {
		const id = this.nextFrame++;
		this.frames.set(id, { frame, thread });
		if (frame.kind === "border")
			return { id, name: `── ${frame.name} ──`, line: 0, column: 0, presentationHint: "label" };
		return {
			id,
			name: frame.inlined ? `${frame.name} (inlined)` : frame.name,
			line: frame.line === undefined ? 0 : this.lineOut(frame.line),
			column: frame.column ? frame.column - (this.columnsFromOne ? 0 : 1) : 0,
			...(frame.file === undefined || !this.target?.hasFile(frame.file)
				? { presentationHint: "subtle" as const }
				: { source: this.source(frame.file) }),
			instructionPointerReference: memoryReference(frame.space, frame.pc),
		};
	}

	private frame(id: number): { frame: Frame; thread: Thread } {
		this.standing();
		const found = this.frames.get(id);
		if (!found) throw new UserError("debug-request", "This frame is of an earlier stop", "Ask for the stack again.");
		return found;
	}

	/** A frame's, else the innermost one of the last stop. */
	private scope(frameId: number | undefined): Scope {
		const { contexts } = this.d;
		if (frameId !== undefined) {
			const { frame } = this.frame(frameId);
			return { contexts, frame };
		}
		const thread = (this.lastHalt && contexts.thread(this.lastHalt.thread.id)) ?? contexts.threadOn(0);
		const [frame] = stackOf(contexts, thread, 1);
		if (!frame) throw notUnderstood("There is no frame to evaluate it in");
		return { contexts, frame };
	}

	private source(file: string): DebugProtocol.Source {
		const root = this.target?.root ?? "";
		const name = file.replace(/^.*\//, "");
		return { name, path: file.startsWith("/") || root === "" ? file : `${root.replace(/\/$/, "")}/${file}` };
	}

	/** Relative to the tree, as debug information has it. */
	private fileOf(source: DebugProtocol.Source | undefined): string {
		const path = String(source?.path ?? source?.name ?? "").replaceAll("\\", "/");
		const root = (this.target?.root ?? "").replaceAll("\\", "/").replace(/\/$/, "");
		if (root !== "" && path.toLowerCase().startsWith(`${root.toLowerCase()}/`)) return path.slice(root.length + 1);
		// Some other checkout of the tree: its last two names are what counts.
		return path.split("/").slice(-2).join("/");
	}

	private lineIn(line: number): number {
		return Math.trunc(Number(line)) + (this.linesFromOne ? 0 : 1);
	}

	private lineOut(line: number): number {
		return line - (this.linesFromOne ? 0 : 1);
	}

	// ---- memory ----------------------------------------------------------------------------------------------------

	private memoryAt(reference: string, offset: number | undefined): { space: Space; address: bigint } {
		const { contexts } = this.standing();
		const { space, address } = parseReference(contexts, String(reference), this.defaultSpace());
		return { space, address: BigInt.asUintN(64, address + BigInt(Math.trunc(offset ?? 0))) };
	}

	/** Where an address without a space is meant: what the thread of the last stop sees. */
	private defaultSpace(): Space | undefined {
		const { contexts } = this.d;
		const thread = this.lastHalt && contexts.thread(this.lastHalt.thread.id);
		return thread && contexts.registers(thread)?.space;
	}

	private symbolsFor(space: Space) {
		const { contexts } = this.d;
		const pid = /^u(\d+)$/.exec(space.name)?.[1];
		if (pid === undefined) return contexts.kernel;
		const process = contexts.processes().find((one) => one.pid === Number(pid));
		return process && contexts.programOf(process, space);
	}

	private valueAsked(args: {
		name?: string | undefined;
		expression?: string | undefined;
		variablesReference?: number | undefined;
		frameId?: number | undefined;
	}): Value | undefined {
		if (args.variablesReference && args.name !== undefined) {
			const found = this.vars.find(args.variablesReference, args.name);
			if (found) return found;
		}
		const text = args.expression ?? args.name;
		return text === undefined ? undefined : evaluateExpression(this.scope(args.frameId), text);
	}

	private dataInfo(args: DebugProtocol.DataBreakpointInfoArguments): Body {
		this.standing();
		if (args.asAddress) {
			const { space, address } = parseReference(this.standing().contexts, args.name, this.defaultSpace());
			const bytes = args.bytes ?? 8;
			return {
				dataId: `${memoryReference(space, address)}:${bytes}`,
				description: `${bytes} bytes at ${memoryReference(space, address)}`,
				accessTypes: ["read", "write", "readWrite"],
			};
		}
		const value = this.valueAsked(args);
		const address = value && addressOf(value);
		if (!value || address === undefined)
			return { dataId: null, description: "It is in a register, or nowhere: only what is in memory can be watched" };
		const size = args.bytes ?? (plain(value.type)?.size || 8);
		const space = value.space.holding(address) ?? value.space;
		const physical = space.translate(address);
		// By its physical address, every access counts: other processes', the kernel's copies, and the disk's.
		const dataId =
			physical === undefined ? `${memoryReference(space, address)}:${size}` : `p:0x${physical.toString(16)}:${size}`;
		return {
			dataId,
			description: `${args.name} (${size} bytes at ${dataId.replace(/:\d+$/, "")})`,
			accessTypes: ["read", "write", "readWrite"],
			canPersist: false,
		};
	}

	private dataPlace(dataId: string, access: DebugProtocol.DataBreakpointAccessType | undefined): DataPlace | undefined {
		const match = /^(.+):(\d{1,6})$/.exec(String(dataId));
		if (!match) return undefined;
		try {
			const { space, address } = parseReference(this.d.contexts, match[1] as string);
			return {
				address,
				length: Math.max(1, Number(match[2])),
				access: access === "read" ? "read" : access === "readWrite" ? "any" : "write",
				physical: space.root === undefined,
				root: space.root,
				what: match[1] as string,
			};
		} catch (error) {
			if (error instanceof UserError) return undefined;
			throw error;
		}
	}

	private whoWrote(args: CustomRequests["xv6/whoWrote"]): Body {
		const { contexts } = this.standing();
		let space: Space;
		let address: bigint | undefined;
		let size = args.bytes ?? 8;
		let what: string;
		if (args.memoryReference !== undefined) {
			({ space, address } = parseReference(contexts, args.memoryReference, this.defaultSpace()));
			what = args.memoryReference;
		} else {
			const value = this.valueAsked(args);
			address = value && addressOf(value);
			if (!value || address === undefined)
				throw new UserError(
					"debug-request",
					"It is in a register, or nowhere: only what is in memory has been written",
					"Use the debug build, where every variable is in memory.",
				);
			space = value.space.holding(address) ?? value.space;
			size = args.bytes ?? (plain(value.type)?.size || 8);
			what = args.expression ?? args.name ?? "it";
		}
		const physical = space.translate(address);
		if (physical === undefined)
			throw new UserError(
				"debug-request",
				`${what} is not mapped: there is no memory that was written`,
				"Ask about the page-table entry instead.",
			);
		return this.run((d) => d.whoWrote(physical, size, what));
	}
}

function isRequest(message: unknown): message is DebugProtocol.Request {
	if (typeof message !== "object" || message === null) return false;
	const { type, seq, command } = message as Partial<DebugProtocol.Request>;
	return type === "request" && typeof seq === "number" && typeof command === "string";
}

function list<T>(value: readonly T[] | undefined): readonly T[] {
	return Array.isArray(value) ? value.slice(0, 1000) : [];
}

function base64(bytes: Uint8Array): string {
	let text = "";
	for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
	return btoa(text);
}

function fromBase64(text: string): Uint8Array {
	try {
		return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
	} catch {
		throw new UserError("debug-request", "The data is not base64", "Send bytes in base64.");
	}
}
