import { hex } from "../common/bytes.ts";
import type { FunctionFrame } from "../debuginfo/debugInfo.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { type Interrupted, type StackFrame, type UnwindContext, unwind } from "../debuginfo/unwind.ts";
import { expandCompressed } from "../riscv/compressed.ts";
import { CSR } from "../riscv/csr.ts";
import { fields } from "../riscv/fields.ts";
import { findInstruction, instructionLength } from "../riscv/isa.ts";
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
	readonly context: UnwindContext;
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

/** The calls that led to where a thread is: innermost first, from the kernel over the trap into the user program; at least `most` if there are. */
export function stackOf(contexts: Contexts, thread: Thread, most = Number.POSITIVE_INFINITY): Frame[] {
	const registers = contexts.registers(thread);
	if (!registers) return [];
	const { process } = thread;
	const frames: Frame[] = [];
	const rest = addFrames(contexts, registers, frames, true, most);
	if (frames.length >= most) return frames.slice(0, most);
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
				: trapped(contexts, thread, last);
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

/** Below usertrap: what the trap frame says, but for the pc as long as usertrap has not put it there. */
function trapped(contexts: Contexts, thread: Thread, handler: Frame | undefined): RegisterSet | undefined {
	const user = thread.process && contexts.userRegisters(thread.process);
	const sepc = thread.hart?.csr(CSR.sepc);
	if (!user || !handler || sepc === undefined) return user;
	return pcIsSaved(contexts, handler) ? user : { ...user, pc: sepc };
}

/** usertrap has passed its first store to the trap frame's epc. */
function pcIsSaved(contexts: Contexts, { symbols, at }: Frame): boolean {
	const epc = contexts.trapframeType()?.members.find(({ name }) => name === "epc")?.offset;
	const { elf } = contexts.kernel;
	const symbol = symbols === contexts.kernel ? elf?.symbolAt(at) : undefined;
	if (!elf || !symbol || epc === undefined || symbol.name !== "usertrap") return true;
	const code = elf.loaded(symbol.address, symbol.size || at - symbol.address);
	if (!code) return true;
	const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
	for (let offset = 0; offset + 2 <= code.length; ) {
		const half = view.getUint16(offset, true);
		const length = instructionLength(half);
		const word =
			length === 2 ? expandCompressed(half) : offset + 4 <= code.length ? view.getUint32(offset, true) : undefined;
		if (word !== undefined && findInstruction(word)?.mnemonic === "sd" && fields.store12.get(word) === epc) {
			const base = fields.rs1.get(word);
			// Relative to sp or s0 it is usertrap's own frame.
			if (base !== 2 && base !== 8) return at > symbol.address + offset;
		}
		offset += length;
	}
	return true;
}

function interruptedRegisters(contexts: Contexts, thread: Thread, interrupted: Interrupted): RegisterSet | undefined {
	const { hart, process } = thread;
	if (!hart) return undefined;
	// mstatus.MPP: the mode that the trap left.
	const previous = ((hart.csr(CSR.mstatus) ?? 0n) >> 11n) & 3n;
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
	most?: number,
): { readonly interrupted?: Interrupted } {
	const { symbols, pc, context, space, mode } = registers;
	const found =
		symbols &&
		unwind(symbols, pc, context, {
			link: contexts.link,
			...(most === undefined ? {} : { most }),
			...(registers.interrupted ? {} : { returned: true }),
		});
	if (!symbols || !found || found.frames.length === 0) {
		into.push({
			...border(registers, hex(pc)),
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
	const position = symbols.attempt(() => symbols.info?.lines.lineAt(frame.at));
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
		const name = frame.place.symbol ?? hex(frame.pc);
		into.push({ ...common, name, inlined: false, function: undefined, ...(place ?? {}) });
		return;
	}
	for (const one of functions) {
		into.push({ ...common, name: one.name, inlined: one.inlined, function: one, ...(place ?? {}) });
		place = one.call;
	}
}
