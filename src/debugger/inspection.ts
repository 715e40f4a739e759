import type { DebugProtocol } from "@vscode/debugprotocol";
import { hex } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import { plain } from "../debuginfo/types.ts";
import type { DataPlace } from "./breakpoints.ts";
import type { Thread } from "./contexts.ts";
import { notUnderstood } from "./cSyntax.ts";
import type { Debugger } from "./debugger.ts";
import { evaluateExpression, type Scope } from "./expression.ts";
import { memoryReference, parseReference } from "./references.ts";
import { type Body, type CustomRequests, offsetOf } from "./requests.ts";
import type { Sources } from "./sources.ts";
import type { Space } from "./space.ts";
import { type Frame, stackOf } from "./stack.ts";
import { addressOf, type Value } from "./values.ts";
import { Variables } from "./variables.ts";

const mostFrames = 200;

const sizeAsked = (bytes: number | undefined) => (bytes === undefined ? undefined : Math.max(1, offsetOf(bytes)));

/** What can be asked of a machine that stands: stacks, values, memory, by the references that the client was given at this stop. */
export class Inspection {
	readonly variables: Variables;
	/** The thread of the last stop. */
	focus: number | undefined;
	private readonly frames = new Map<number, { readonly frame: Frame; readonly thread: Thread }>();
	private readonly stacks = new Map<number, Frame[]>();
	private nextFrame = 1;

	constructor(
		private readonly debug: Debugger,
		private readonly sources: Sources,
		/** Throws where the machine runs. */
		private readonly standing: () => Debugger,
	) {
		this.variables = new Variables(debug.contexts);
	}

	/** All references end when the machine moves. */
	forget(): void {
		this.frames.clear();
		this.stacks.clear();
		this.variables.clear();
	}

	/** Values changed, where they are did not. */
	changed(): void {
		this.stacks.clear();
	}

	thread(id: number): Thread {
		const thread = this.standing().contexts.thread(id);
		if (!thread)
			throw new UserError(
				"debug-request",
				`There is no thread ${id}`,
				"Ask for the threads again: its process may have ended.",
			);
		return thread;
	}

	/** Where a thread stands, for a list: `fork kernel/proc.c:322`. */
	placeOf(thread: Thread): string | undefined {
		const [frame] = stackOf(this.debug.contexts, thread, 1);
		if (!frame) return undefined;
		return frame.file === undefined ? frame.name : `${frame.name} ${frame.file}:${frame.line}`;
	}

	stackTrace(args: DebugProtocol.StackTraceArguments): Body {
		const thread = this.thread(args.threadId);
		let stack = this.stacks.get(thread.id);
		if (!stack) {
			stack = stackOf(this.debug.contexts, thread).slice(0, mostFrames);
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
			...(frame.file === undefined || !this.sources.has(frame.file)
				? { line: 0, column: 0, presentationHint: "subtle" as const }
				: {
						source: this.sources.of(frame.file),
						line: frame.line === undefined ? 0 : this.sources.lineOut(frame.line),
						column: frame.column ? this.sources.columnOut(frame.column) : 0,
					}),
			instructionPointerReference: memoryReference(frame.space, frame.pc),
		};
	}

	frame(id: number): { frame: Frame; thread: Thread } {
		this.standing();
		const found = this.frames.get(id);
		if (!found) throw new UserError("debug-request", "This frame is of an earlier stop", "Ask for the stack again.");
		return found;
	}

	/** A frame's, else the innermost one of the last stop. */
	scope(frameId: number | undefined): Scope {
		const { contexts } = this.debug;
		if (frameId !== undefined) {
			const { frame } = this.frame(frameId);
			return { contexts, frame };
		}
		const thread = (this.focus === undefined ? undefined : contexts.thread(this.focus)) ?? contexts.threadOn(0);
		const [frame] = stackOf(contexts, thread, 1);
		if (!frame) throw notUnderstood("There is no frame to evaluate it in");
		return { contexts, frame };
	}

	memoryAt(reference: string, offset: number | undefined): { space: Space; address: bigint } {
		const { contexts } = this.standing();
		const { space, address } = parseReference(contexts, String(reference), this.defaultSpace());
		return { space, address: BigInt.asUintN(64, address + BigInt(offsetOf(offset))) };
	}

	/** Where an address without a space is meant: what the thread of the last stop sees. */
	private defaultSpace(): Space | undefined {
		const { contexts } = this.debug;
		const thread = this.focus === undefined ? undefined : contexts.thread(this.focus);
		return thread && contexts.registers(thread)?.space;
	}

	symbolsFor(space: Space) {
		const { contexts } = this.debug;
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
			const found = this.variables.find(args.variablesReference, args.name);
			if (found) return found;
		}
		const text = args.expression ?? args.name;
		return text === undefined ? undefined : evaluateExpression(this.scope(args.frameId), text);
	}

	dataInfo(args: DebugProtocol.DataBreakpointInfoArguments): Body {
		this.standing();
		if (args.asAddress) {
			const { space, address } = parseReference(this.standing().contexts, String(args.name), this.defaultSpace());
			const bytes = sizeAsked(args.bytes) ?? 8;
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
		const size = sizeAsked(args.bytes) ?? (plain(value.type)?.size || 8);
		const space = value.space.holding(address) ?? value.space;
		const physical = space.translate(address);
		// By its physical address, every access counts: other processes', the kernel's copies, and the disk's.
		const dataId = physical === undefined ? `${memoryReference(space, address)}:${size}` : `p:${hex(physical)}:${size}`;
		return {
			dataId,
			description: `${args.name} (${size} bytes at ${dataId.replace(/:\d+$/, "")})`,
			accessTypes: ["read", "write", "readWrite"],
			canPersist: false,
		};
	}

	dataPlace(dataId: string, access: DebugProtocol.DataBreakpointAccessType | undefined): DataPlace | undefined {
		const match = /^(.+):(\d{1,6})$/.exec(String(dataId));
		if (!match) return undefined;
		try {
			const { space, address } = parseReference(this.debug.contexts, match[1] as string);
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

	/** The physical memory that a question is about. */
	placeAsked(args: CustomRequests["xv6/whoWrote"]): { physical: bigint; size: number; what: string } {
		const { contexts } = this.standing();
		let space: Space;
		let address: bigint | undefined;
		let size = sizeAsked(args.bytes) ?? 8;
		let what: string;
		if (args.memoryReference !== undefined) {
			({ space, address } = parseReference(contexts, String(args.memoryReference), this.defaultSpace()));
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
			size = sizeAsked(args.bytes) ?? (plain(value.type)?.size || 8);
			what = args.expression ?? args.name?.replace(/^\((.*)\)$/, "the $1") ?? "it";
		}
		const physical = space.translate(address);
		if (physical === undefined)
			throw new UserError(
				"debug-request",
				`${what} is not mapped: there is no memory that was written`,
				"Ask about the page-table entry instead.",
			);
		return { physical, size, what };
	}
}
