import { CSR } from "../riscv/csr.ts";
import { fields } from "../riscv/fields.ts";
import { findInstruction } from "../riscv/isa.ts";
import { type AssemblyContext, assemblyCaller, type Ending } from "./assemblyFrames.ts";
import type { LocalVariable } from "./debugInfo.ts";
import type { ElfFile } from "./elf.ts";
import { epilogueCaller } from "./epilogue.ts";
import type { ExpressionContext, Location } from "./expression.ts";
import type { Place, ProgramSymbols } from "./symbolizer.ts";

/** A stopped hart or process; `csr` only where the CSRs are those of this context. */
export type UnwindContext = AssemblyContext;

export interface StackFrame {
	readonly place: Place;
	/** Next instruction of the frame: for a caller, where its callee returns to. */
	readonly pc: bigint;
	/** Address in the program's ELF file whose line and variables are the frame's: for a caller, inside its call. */
	readonly at: number;
	readonly cfa?: bigint;
	/** Registers and memory as the frame sees them; a register is undefined where its value is lost. CSRs are the hart's, now. */
	readonly context: UnwindContext;
	/** It was interrupted by a trap: its callee is the trap's handler, and all of its registers are known. */
	readonly interrupted?: true;
}

/** Code that the last frame interrupted, which is not (or may not be) of the same program. */
export interface Interrupted {
	readonly by: "supervisor" | "machine";
	readonly pc: bigint;
	register(index: number): bigint | undefined;
}

interface UnwoundStack {
	/** Innermost first. */
	readonly frames: readonly StackFrame[];
	readonly interrupted?: Interrupted;
}

interface UnwindOptions {
	/** Where code lies in the ELF file that runs at another address (xv6's trampoline page); default: at the same. */
	link?(pc: bigint): bigint;
	/** No more frames than this; default 64. */
	readonly most?: number;
	/** A call returns to `pc`, as swtch does; nothing of it has run. */
	readonly returned?: true;
}

const maxFrames = 64;

interface Caller {
	readonly cfa: bigint;
	readonly pc: bigint;
	register(index: number): bigint | undefined;
	/** Undefined: it called. */
	readonly trap?: "supervisor" | "machine";
}

/**
 * The calls that led to `pc`, innermost first: by call-frame information, through assembly by following its instructions, else along the frame
 * pointers (s0) that xv6 is built with. It crosses kernelvec to the kernel code that was interrupted, and ends at the program's entry.
 */
export function unwind(
	symbols: ProgramSymbols,
	pc: bigint,
	context: UnwindContext,
	options: UnwindOptions = {},
): UnwoundStack {
	const frames: StackFrame[] = [];
	const link = options.link ?? ((address: bigint) => address);
	let current: ExpressionContext = context;
	let next = pc;
	let stack = -1n;
	let isTop = true;
	let interrupted = false;
	// A new thread "returns" to the first instruction of a function that was never called.
	const begins = symbols.symbolAt(Number(link(pc)))?.offset === 0;
	while (frames.length < Math.min(maxFrames, options.most ?? maxFrames)) {
		// A return address may be past the end of its call's line and function.
		const linked = link(next);
		const exact = interrupted || (isTop && (!options.returned || begins));
		const at = exact ? linked : linked - 1n;
		if (symbols.symbolAt(Number(at)) === undefined) break;
		// uservec called usertrap from there: below it lies another address space.
		if (!isTop && !interrupted && linked !== next) break;
		const place = symbols.place(Number(at));
		const asm: { ending?: Ending } = {};
		const caller = callerOf(
			symbols,
			at,
			{ ...current, ...(context.csr ? { csr: context.csr } : {}) },
			frames,
			asm,
			isTop,
			exact,
		);
		const ofFrame = current;
		const returnsTo = caller && !caller.trap ? caller : undefined;
		frames.push({
			place,
			pc: next,
			at: Number(at),
			...(caller ? { cfa: caller.cfa } : {}),
			context: {
				register: ofFrame.register,
				memory: context.memory,
				cfa: () => caller?.cfa,
				...(context.csr ? { csr: context.csr } : {}),
				...(returnsTo ? { entryValue: (index) => entryValue(symbols, returnsTo, index, link, context) } : {}),
			},
			...(interrupted ? { interrupted: true } : {}),
		});
		if (!caller) break;
		if (caller.trap === "machine" || asm.ending === "trap entry")
			return { frames, interrupted: { by: caller.trap ?? "supervisor", pc: caller.pc, register: caller.register } };
		// Stacks grow down: a frame that does not lie above the last one is damage. A handler's frame may end where the interrupted one begins.
		if (caller.cfa < stack || (caller.cfa === stack && !interrupted && !isTop) || caller.pc === 0n) break;
		if (isEntry(symbols, Number(at), Number(link(caller.pc)))) break;
		stack = caller.cfa;
		next = caller.pc;
		interrupted = caller.trap !== undefined;
		isTop = false;
		current = { memory: context.memory, register: caller.register };
	}
	return { frames };
}

function callerOf(
	symbols: ProgramSymbols,
	at: bigint,
	context: UnwindContext,
	inner: readonly StackFrame[],
	asm: { ending?: Ending },
	isTop: boolean,
	/** It stands at `at` itself: nothing of that instruction has run. */
	exact: boolean,
): Caller | undefined {
	const { info, elf } = symbols;
	const isDescribed = symbols.attempt(() => info?.frames.covers(at));
	const leaving = exact && isDescribed ? elf && epilogueCaller(elf, Number(at), context) : undefined;
	if (leaving)
		return { cfa: leaving.cfa, pc: leaving.returnAddress, register: preserved(leaving.register, leaving.cfa) };
	const byInformation = symbols.attempt(() => (isDescribed ? { found: info?.frames.unwind(at, context) } : undefined));
	if (byInformation) {
		const { found } = byInformation;
		return found && { cfa: found.cfa, pc: found.returnAddress, register: preserved(found.register, found.cfa) };
	}
	const assembly = symbols.attempt(() => elf && assemblyCaller(elf, at, context));
	if (assembly?.ending) asm.ending = assembly.ending;
	if (!assembly) return byFramePointer(context);
	const { cfa, register } = assembly;
	switch (assembly.ending) {
		case "call": {
			const pc = register(1);
			return cfa === undefined || pc === undefined
				? byFramePointer(context)
				: { cfa, pc, register: preserved(register, cfa) };
		}
		case "supervisor trap": {
			const pc = interruptedPc(symbols, inner, context);
			return cfa === undefined || pc === undefined ? undefined : { cfa, pc, register, trap: "supervisor" };
		}
		case "machine trap": {
			const pc = context.csr?.(CSR.mepc);
			return cfa === undefined || pc === undefined ? undefined : { cfa, pc, register, trap: "machine" };
		}
		case "trap entry": {
			const pc = isTop ? context.csr?.(CSR.sepc) : undefined;
			return cfa === undefined || pc === undefined ? undefined : { cfa, pc, register, trap: "supervisor" };
		}
		default:
			return undefined;
	}
}

/** sp, s0..s11 survive a call; of others the caller's value is not known (RISC-V calling convention). */
function preserved(
	register: (index: number) => bigint | undefined,
	cfa: bigint,
): (index: number) => bigint | undefined {
	return (index) => {
		if (index === 0) return 0n;
		if (index === 2) return cfa;
		return index === 8 || index === 9 || (index >= 18 && index <= 27) ? register(index) : undefined;
	};
}

function byFramePointer(context: ExpressionContext): Caller | undefined {
	const fp = context.register(8);
	if (fp === undefined || fp % 8n !== 0n) return undefined;
	const pc = context.memory(fp - 8n, 8);
	const saved = context.memory(fp - 16n, 8);
	if (pc === undefined) return undefined;
	return { cfa: fp, pc, register: (index) => (index === 2 ? fp : index === 8 ? saved : undefined) };
}

/**
 * Where a trap interrupted the kernel: in the handler's variable `sepc`, once it is set (the CSR is overwritten by the traps of others while the
 * handler yields), else in the CSR.
 */
function interruptedPc(
	symbols: ProgramSymbols,
	inner: readonly StackFrame[],
	context: UnwindContext,
): bigint | undefined {
	const handler = inner.at(-1);
	if (handler) {
		const value = symbols.attempt(() => savedPc(symbols, handler));
		if (value !== undefined && symbols.symbolAt(Number(value)) !== undefined) return value;
	}
	return context.csr?.(CSR.sepc);
}

function savedPc(symbols: ProgramSymbols, handler: StackFrame): bigint | undefined {
	const { info } = symbols;
	const frame = info?.functionsAt(handler.at).at(-1);
	if (!info || !frame) return undefined;
	const line = handler.place.inlinedInto?.at(-1)?.line ?? handler.place.line ?? 0;
	const local = info.localsOf(frame, handler.at).find(({ name }) => name === "sepc" || name === "epc");
	// Unoptimized code has a place for it before it has a value.
	if (!local || line <= local.line) return undefined;
	return currentValue(local, handler.context);
}

function currentValue(local: LocalVariable, context: ExpressionContext): bigint | undefined {
	const location: Location = local.locate(context);
	if (location.kind === "value") return location.value;
	if (location.kind === "register") return context.register(location.register);
	return location.kind === "memory" ? context.memory(location.address, 8) : undefined;
}

function entryValue(
	symbols: ProgramSymbols,
	caller: Caller,
	index: number,
	link: (pc: bigint) => bigint,
	context: UnwindContext,
): bigint | undefined {
	const saved = caller.register(index);
	if (saved !== undefined) return saved;
	const outer: ExpressionContext = { register: caller.register, memory: context.memory };
	return symbols.attempt(() => symbols.info?.entryValue(Number(link(caller.pc)), index, outer));
}

/**
 * Nobody called this frame: it is the program's entry, or a `main` that the code before its return address does not call (the kernel's is
 * entered by mret).
 */
function isEntry(symbols: ProgramSymbols, at: number, returnsTo: number): boolean {
	const { elf } = symbols;
	const own = elf?.symbolAt(at);
	if (!elf || !own) return false;
	if (own.address === elf.symbolAt(elf.entry)?.address) return true;
	return own.name === "main" && callTarget(elf, returnsTo) !== own.address;
}

/** Where the call goes that returns to an address, when it is a direct one. */
function callTarget(elf: ElfFile, returnsTo: number): number | undefined {
	const word = (address: number): number | undefined => {
		const code = elf.loaded(address, 4);
		return code?.length === 4 ? new DataView(code.buffer, code.byteOffset, 4).getUint32(0, true) : undefined;
	};
	const last = word(returnsTo - 4);
	if (last === undefined) return undefined;
	const mnemonic = findInstruction(last)?.mnemonic;
	if (mnemonic === "jal") return returnsTo - 4 + fields.jump.get(last);
	// What stands before it is no part of a program that begins with the call.
	const first = mnemonic === "jalr" ? word(returnsTo - 8) : undefined;
	if (first === undefined || findInstruction(first)?.mnemonic !== "auipc") return undefined;
	return returnsTo - 8 + (fields.imm20.get(first) << 12) + fields.imm12.get(last);
}
