import { expandCompressed } from "../riscv/compressed.ts";
import { fields } from "../riscv/fields.ts";
import { findInstruction, instructionLength } from "../riscv/isa.ts";
import { ra, sp } from "../riscv/registers.ts";
import type { ElfFile } from "./elf.ts";
import type { ExpressionContext } from "./expression.ts";

/** How a function without call-frame information is left. */
export type Ending =
	/** By `ret`: the caller is at ra. */
	| "call"
	/** By `sret` or `mret`, with every register as it was: the interrupted code is at sepc or mepc. */
	| "supervisor trap"
	| "machine trap"
	/** It saves an interrupted context and leaves for C code with another stack, as uservec does: the context is at sepc. */
	| "trap entry"
	/** It loads another context and returns to that, as userret does; or never returns. */
	| "elsewhere";

/** The caller's state as seen from a pc in assembly. */
interface AssemblyCaller {
	readonly ending: Ending;
	/** sp at the function's entry. */
	readonly cfa: bigint | undefined;
	/** Value at the function's entry; undefined where the code does not tell. */
	register(index: number): bigint | undefined;
}

export interface AssemblyContext extends ExpressionContext {
	csr?(number: number): bigint | undefined;
}

/** `entry value of a register or CSR, plus a constant`; x0's entry value is 0, so constants are sums with it. CSRs count from 4096 on. */
interface Sum {
	readonly of: number;
	readonly plus: bigint;
}

const csrs = 4096;
/** Longer code without call-frame information is not xv6's trampoline or switch. */
const maxBytes = 2048;

interface State {
	readonly registers: (Sum | undefined)[];
	readonly csrs: Map<number, Sum | undefined>;
	/** Eight-byte words by address `of:plus`. */
	readonly memory: Map<string, { readonly at: Sum; readonly value: Sum | undefined }>;
	savedStack: boolean;
}

const key = ({ of, plus }: Sum) => `${of}:${plus}`;
const isCallerSaved = (index: number) =>
	index === ra || (index >= 5 && index <= 7) || (index >= 10 && index <= 17) || index >= 28;

function entryState(): State {
	return {
		registers: Array.from({ length: 32 }, (_, of) => ({ of, plus: 0n })),
		csrs: new Map(),
		memory: new Map(),
		savedStack: false,
	};
}

const add = (value: Sum | undefined, by: number | bigint): Sum | undefined =>
	value && { of: value.of, plus: BigInt.asUintN(64, value.plus + BigInt(by)) };

/** Runs one instruction on what is known; how the function ends, when it ends with this one. */
function step(state: State, word: number, next: (rd: number) => void): Ending | undefined {
	const instruction = findInstruction(word);
	const rd = fields.rd.get(word);
	const source = state.registers[fields.rs1.get(word)];
	const set = (value: Sum | undefined) => {
		if (rd !== 0) state.registers[rd] = value;
	};
	const restored = (ending: Ending): Ending => {
		const stack = state.registers[sp];
		return stack?.of === sp && stack.plus === 0n ? ending : "elsewhere";
	};
	switch (instruction?.mnemonic) {
		case "addi":
			set(add(source, fields.imm12.get(word)));
			return undefined;
		case "addiw":
			set(
				source?.of === 0
					? { of: 0, plus: BigInt.asUintN(64, BigInt.asIntN(32, source.plus + BigInt(fields.imm12.get(word)))) }
					: undefined,
			);
			return undefined;
		case "lui":
			set({ of: 0, plus: BigInt.asUintN(64, BigInt.asIntN(32, BigInt(fields.imm20.get(word)) << 12n)) });
			return undefined;
		case "slli":
			set(
				source?.of === 0
					? { of: 0, plus: BigInt.asUintN(64, source.plus << BigInt(fields.shamt6.get(word))) }
					: undefined,
			);
			return undefined;
		case "add": {
			const other = state.registers[fields.rs2.get(word)];
			set(other?.of === 0 ? add(source, other.plus) : source?.of === 0 ? add(other, source.plus) : undefined);
			return undefined;
		}
		case "sd": {
			const at = add(source, fields.store12.get(word));
			const value = state.registers[fields.rs2.get(word)];
			if (at) state.memory.set(key(at), { at, value });
			if (value?.of === sp && value.plus === 0n) state.savedStack = true;
			return undefined;
		}
		case "ld": {
			const at = add(source, fields.imm12.get(word));
			set(at && state.memory.get(key(at))?.value);
			return undefined;
		}
		case "csrrw":
		case "csrrs":
		case "csrrc": {
			const number = fields.csr.get(word);
			const before = state.csrs.has(number) ? state.csrs.get(number) : { of: csrs + number, plus: 0n };
			if (instruction.mnemonic === "csrrw") state.csrs.set(number, source);
			else if (fields.rs1.get(word) !== 0) state.csrs.set(number, undefined);
			set(before);
			return undefined;
		}
		case "sret":
			return restored("supervisor trap");
		case "mret":
			return restored("machine trap");
		case "jal":
			next(rd);
			return undefined;
		case "jalr":
			if (rd === 0 && fields.rs1.get(word) === ra) return "call";
			if (rd === 0) return state.savedStack ? "trap entry" : "elsewhere";
			next(rd);
			return undefined;
		default:
			if (instruction && (instruction.kind === "store" || instruction.kind === "branch")) return undefined;
			set(undefined);
			return undefined;
	}
}

/**
 * What assembly that has no call-frame information (kernelvec, swtch, uservec, a system call's stub) did to its caller's registers up to `pc`:
 * found by following its instructions from the symbol on. Undefined where there is no symbol or no code.
 */
export function assemblyCaller(
	elf: Pick<ElfFile, "symbolAt" | "nextSymbol" | "loaded">,
	pc: bigint,
	context: AssemblyContext,
): AssemblyCaller | undefined {
	const symbol = elf.symbolAt(Number(pc));
	if (!symbol || symbol.kind === "object") return undefined;
	const reach = symbol.size > 0 ? symbol.address + symbol.size : elf.nextSymbol(symbol.address);
	const code = elf.loaded(symbol.address, Math.min((reach ?? 0) - symbol.address, maxBytes));
	if (!code) return undefined;
	const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
	const state = entryState();
	let here: State | undefined;
	let ending: Ending = state.savedStack ? "trap entry" : "elsewhere";
	for (let at = 0; at + 2 <= code.length; ) {
		if (symbol.address + at >= Number(pc)) here ??= copy(state);
		const half = view.getUint16(at, true);
		const length = instructionLength(half);
		if (at + length > code.length) break;
		const word = length === 2 ? expandCompressed(half) : view.getUint32(at, true);
		if (word === undefined) break;
		at += length;
		const found = step(state, word, (rd) => {
			if (rd === 0) return;
			// A call keeps what the calling convention says.
			for (let i = 1; i < 32; i++) if (isCallerSaved(i)) state.registers[i] = undefined;
		});
		const swapped = state.savedStack && state.registers[sp]?.of !== sp;
		ending = found ?? (swapped ? "trap entry" : "elsewhere");
		if (found) {
			// Past its first return the code is another way through the function, of which nothing is known.
			if (symbol.address + at > Number(pc)) break;
			return undefined;
		}
	}
	if (!here) return undefined;
	const entry = entryValues(here, context);
	return { ending, cfa: entry(sp), register: entry };
}

function copy(state: State): State {
	return {
		registers: [...state.registers],
		csrs: new Map(state.csrs),
		memory: new Map(state.memory),
		savedStack: state.savedStack,
	};
}

/** Turns "what each place holds now" around: where an entry value is to be found. */
function entryValues(state: State, context: AssemblyContext): (of: number) => bigint | undefined {
	const inPlace = (of: number): bigint | undefined => {
		if (of === 0) return 0n;
		for (const [index, value] of state.registers.entries()) {
			if (index === 0 || value?.of !== of) continue;
			const now = context.register(index);
			if (now !== undefined) return BigInt.asUintN(64, now - value.plus);
		}
		for (const [number, value] of state.csrs) {
			if (value?.of !== of) continue;
			const now = context.csr?.(number);
			if (now !== undefined) return BigInt.asUintN(64, now - value.plus);
		}
		return of >= csrs && !state.csrs.has(of - csrs) ? context.csr?.(of - csrs) : undefined;
	};
	return (of) => {
		const direct = inPlace(of);
		if (direct !== undefined) return direct;
		for (const { at, value } of state.memory.values()) {
			if (value?.of !== of) continue;
			const base = inPlace(at.of);
			const now = base === undefined ? undefined : context.memory(BigInt.asUintN(64, base + at.plus), 8);
			if (now !== undefined) return BigInt.asUintN(64, now - value.plus);
		}
		return undefined;
	};
}
