import { expandCompressed } from "../riscv/compressed.ts";
import { fields } from "../riscv/fields.ts";
import { findInstruction, instructionLength } from "../riscv/isa.ts";
import { ra, sp } from "../riscv/registers.ts";
import type { ElfFile } from "./elf.ts";
import type { ExpressionContext } from "./expression.ts";

/** All registers that a function saves and `ret`, compressed or not. */
const mostBytes = 64;
const mostCode = 4096;

interface Returned {
	readonly cfa: bigint;
	readonly returnAddress: bigint;
	register(index: number): bigint | undefined;
}

/**
 * The caller's registers at an instruction from which a function leads straight to its end, a return or a jump to another function, and stores
 * nothing: found by doing what it does to them. Clang's call-frame information for RISC-V says nothing of epilogues: where s0 is the caller's
 * again, it still counts from it. Undefined: this is no such place.
 */
export function epilogueCaller(
	elf: Pick<ElfFile, "loaded" | "symbolAt">,
	pc: number,
	context: Pick<ExpressionContext, "register" | "memory">,
): Returned | undefined {
	let stack = context.register(sp);
	if (stack === undefined) return undefined;
	let popped: boolean | undefined;
	const restored = new Map<number, bigint | undefined>();
	const register = (index: number) => (restored.has(index) ? restored.get(index) : context.register(index));
	for (const { at, word, mnemonic, kind } of instructionsFrom(elf, pc, mostBytes)) {
		const [rd, from] = [fields.rd.get(word), fields.rs1.get(word)];
		const offset = BigInt(fields.imm12.get(word));
		const returns = mnemonic === "jalr" && rd === 0 && from === ra;
		const leaves =
			rd === 0 &&
			((mnemonic === "jal" && isElsewhere(elf, pc, at + fields.jump.get(word))) ||
				// By pointer: a call as the last thing where the frame is given back, else a jump table.
				(mnemonic === "jalr" && (popped ?? hasPopped(elf, pc))));
		if (returns || leaves) {
			const cfa = BigInt.asUintN(64, stack);
			const returnAddress = register(ra);
			return returnAddress === undefined
				? undefined
				: { cfa, returnAddress, register: (index) => (index === sp ? cfa : register(index)) };
		}
		if (kind === "jump" || kind === "branch" || kind === "store") return undefined;
		if (rd === sp) {
			if (mnemonic !== "addi" || from !== sp || offset < 0n) return undefined;
			stack += offset;
			popped = true;
		} else if (mnemonic === "ld" && from === sp)
			restored.set(rd, context.memory(BigInt.asUintN(64, stack + offset), 8));
		else restored.set(rd, undefined);
	}
	return undefined;
}

/** Whether the code before `pc`, since the last jump or branch, gave the function's frame back. */
function hasPopped(elf: Pick<ElfFile, "loaded" | "symbolAt">, pc: number): boolean {
	const start = elf.symbolAt(pc)?.address ?? pc;
	let popped = false;
	for (const { at, word, mnemonic, kind } of instructionsFrom(elf, start, Math.min(pc - start, mostCode))) {
		if (at >= pc) break;
		if (kind === "jump" || kind === "branch") popped = false;
		else if (fields.rd.get(word) === sp && kind !== "store") popped = mnemonic === "addi" && fields.imm12.get(word) > 0;
	}
	return popped;
}

/** Up to the first bytes that are no instruction. */
function* instructionsFrom(elf: Pick<ElfFile, "loaded">, start: number, bytes: number) {
	const code = elf.loaded(start, bytes) ?? new Uint8Array();
	const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
	for (let offset = 0; offset + 2 <= code.length; ) {
		const half = view.getUint16(offset, true);
		const length = instructionLength(half);
		if (offset + length > code.length) return;
		const word = length === 2 ? expandCompressed(half) : view.getUint32(offset, true);
		const instruction = word === undefined ? undefined : findInstruction(word);
		if (word === undefined || !instruction) return;
		yield { at: start + offset, word, mnemonic: instruction.mnemonic, kind: instruction.kind };
		offset += length;
	}
}

const isElsewhere = (elf: Pick<ElfFile, "symbolAt">, pc: number, target: number) =>
	elf.symbolAt(target) !== undefined && elf.symbolAt(target)?.address !== elf.symbolAt(pc)?.address;
