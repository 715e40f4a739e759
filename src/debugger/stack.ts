import type { FunctionFrame } from "../debuginfo/debugInfo.ts";
import type { ExpressionContext } from "../debuginfo/expression.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { type Interrupted, type StackFrame, unwind } from "../debuginfo/unwind.ts";
import type { Contexts, RegisterSet, Thread } from "./contexts.ts";
import type { Space } from "./space.ts";

/** One line of a stack: a function, inlined or not, or the border between what a trap parts. */
export interface Frame {
	readonly kind: "function" | "border";
	/** Function, or the words of a border. */
	readonly name: string;
	readonly symbols: ProgramSymbols | undefined;
	readonly mode: RegisterSet["mode"];
	readonly space: Space;
	readonly context: ExpressionContext;
	/** Where the guest runs it, and where it lies in its ELF file (inside the call, for a caller). */
	readonly pc: bigint;
	readonly at: number;
	readonly cfa: bigint | undefined;
	readonly file?: string;
	readonly line?: number;
	readonly column?: number;
	readonly inlined: boolean;
	/** Undefined where debug information tells nothing of it. */
	readonly function: FunctionFrame | undefined;
	/** The innermost frame of its registers: they are the machine's own, and can be written. */
	readonly isTop: boolean;
}

/** The calls that led to where a thread is: innermost first, from the kernel over the trap into the user program. */
export function stackOf(contexts: Contexts, thread: Thread): Frame[] {
	const registers = contexts.registers(thread);
	if (!registers) return [];
	const { process } = thread;
	const frames: Frame[] = [];
	const rest = addFrames(contexts, registers, frames, true);
	if (registers.mode === "user" || !process) return frames;
	if (rest.interrupted && rest.interrupted.by === "machine") {
		// A timer interrupt in machine mode takes a hart out of the kernel or of a program.
		const below = interruptedRegisters(contexts, thread, rest.interrupted);
		if (!below) return frames;
		frames.push(border(below, "timer interrupt"));
		addFrames(contexts, below, frames, false);
		if (below.mode === "user") return frames;
	}
	const last = frames.findLast(({ kind }) => kind === "function");
	const top = contexts.kernelStackTop(process);
	const leaving = last?.cfa === undefined && last?.symbols === contexts.kernel && contexts.link(last.pc) !== last.pc;
	if (
		last?.mode !== "user" &&
		(rest.interrupted?.by === "supervisor" || leaving || (last?.cfa !== undefined && last.cfa === top))
	) {
		const user =
			rest.interrupted?.by === "supervisor"
				? entered(contexts, thread, rest.interrupted)
				: contexts.userRegisters(process);
		if (user) {
			frames.push(border(user, `user mode, pid ${process.pid}`));
			addFrames(contexts, user, frames, false);
		}
	}
	return frames;
}

/** uservec has not saved everything yet: what it has not is still in the hart's registers. */
function entered(contexts: Contexts, thread: Thread, interrupted: Interrupted): RegisterSet | undefined {
	const user = thread.process && contexts.userRegisters(thread.process);
	return user && { ...user, pc: interrupted.pc, context: { ...user.context, register: interrupted.register } };
}

function interruptedRegisters(contexts: Contexts, thread: Thread, interrupted: Interrupted): RegisterSet | undefined {
	const { hart, process } = thread;
	if (!hart) return undefined;
	// mstatus.MPP: the mode that the trap left.
	const previous = ((hart.csr(0x300) ?? 0n) >> 11n) & 3n;
	const space =
		previous === 0n && process
			? process.space
			: previous === 3n
				? contexts.physical
				: contexts.kernelSpace(process?.space);
	return {
		mode: previous === 0n ? "user" : previous === 1n ? "kernel" : "machine",
		pc: interrupted.pc,
		space,
		symbols: previous === 0n ? process && contexts.programOf(process, space) : contexts.kernel,
		interrupted: true,
		context: { register: interrupted.register, memory: (at, size) => space.read(at, size) },
	};
}

function border(registers: RegisterSet, name: string): Frame {
	return {
		kind: "border",
		name,
		symbols: undefined,
		mode: registers.mode,
		space: registers.space,
		context: registers.context,
		pc: registers.pc,
		at: Number(registers.pc),
		cfa: undefined,
		inlined: false,
		function: undefined,
		isTop: false,
	};
}

function addFrames(
	contexts: Contexts,
	registers: RegisterSet,
	into: Frame[],
	isTop: boolean,
): { readonly interrupted?: Interrupted } {
	const { symbols, pc, context, space, mode } = registers;
	const found =
		symbols &&
		unwind(symbols, pc, context, { link: contexts.link, ...(registers.interrupted ? {} : { returned: true }) });
	if (!symbols || !found || found.frames.length === 0) {
		into.push({
			...border(registers, `0x${pc.toString(16)}`),
			kind: "function",
			symbols,
			isTop,
		});
		return {};
	}
	found.frames.forEach((frame, i) => {
		if (frame.interrupted && i > 0)
			into.push(border({ ...registers, pc: frame.pc, context: frame.context }, "interrupted by a trap"));
		addFunctions(frame, { symbols, space, mode, isTop: isTop && i === 0 }, into);
	});
	return found.interrupted ? { interrupted: found.interrupted } : {};
}

interface Program {
	readonly symbols: ProgramSymbols;
	readonly space: Space;
	readonly mode: RegisterSet["mode"];
	readonly isTop: boolean;
}

/** A frame of the machine's stack is one line for each function that was inlined there, and one for the function that has it. */
function addFunctions(frame: StackFrame, program: Program, into: Frame[]): void {
	const { symbols } = program;
	const functions = symbols.attempt(() => symbols.info?.functionsAt(frame.at)) ?? [];
	const position = symbols.attempt(() => symbols.info?.lineAt(frame.at));
	let place: { file: string; line: number; column?: number } | undefined = position;
	const common = {
		...program,
		context: frame.context,
		pc: frame.pc,
		at: frame.at,
		cfa: frame.cfa,
		kind: "function" as const,
	};
	if (functions.length === 0) {
		const name = frame.place.symbol ?? `0x${frame.pc.toString(16)}`;
		into.push({ ...common, name, inlined: false, function: undefined, ...(place ?? {}) });
		return;
	}
	for (const one of functions) {
		into.push({ ...common, name: one.name, inlined: one.inlined, function: one, ...(place ?? {}) });
		place = one.call;
	}
}
