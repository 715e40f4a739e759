import { hex } from "../../common/bytes.ts";
import type { ExpressionContext } from "../../debuginfo/expression.ts";
import { type UnwindContext, unwind } from "../../debuginfo/unwind.ts";
import type { DiagnosisFrame } from "../../protocol/diagnosis.ts";
import { kernelRoot, type Sources } from "../look.ts";
import { canonical, translate } from "../sv39.ts";

/** A call on a kernel stack. */
export interface KernelCall extends DiagnosisFrame {
	/** Where it is, or, of a caller, where the call returns to. */
	readonly pc: number;
	/** Address whose line and variables are the call's: of a caller, inside its call instruction. */
	readonly at: number;
	/** The call that has the frame: an inlined one shares it with its caller. */
	readonly context: ExpressionContext;
}

/** Frames that a diagnosis shows. */
const mostFrames = 16;

/** The kernel's calls that led to `pc`, innermost first, inlined ones too; stacks are read through the kernel's page table. */
export function kernelCalls(sources: Sources, pc: bigint, hart: Pick<UnwindContext, "register" | "csr">): KernelCall[] {
	const { memory, names } = sources;
	const root = kernelRoot(sources);
	const read = (address: bigint, size: number): bigint | undefined => {
		const va = canonical(address);
		const physical = va === undefined ? undefined : root === undefined ? va : translate(memory, root, va);
		if (physical === undefined) return undefined;
		if (size === 8) return memory.big(physical);
		const value = size === 1 || size === 2 || size === 4 ? memory.unsigned(physical, size) : undefined;
		return value === undefined ? undefined : BigInt(value);
	};
	const calls: KernelCall[] = [];
	const { register, csr } = hart;
	const { frames } = unwind(names.symbols, pc, { register, memory: read, ...(csr ? { csr } : {}) });
	for (const { place, pc: next, at, context } of frames) {
		const shared = { address: hex(next), pc: Number(next), at, context };
		const where = place.file !== undefined && place.line !== undefined ? { file: place.file, line: place.line } : {};
		calls.push({ ...shared, name: place.function ?? place.symbol ?? "?", ...where });
		for (const { function: name, file, line } of place.inlinedInto ?? []) calls.push({ ...shared, name, file, line });
	}
	return calls;
}

/** For a diagnosis: without what only this room needs. */
export function framesOf(calls: readonly KernelCall[]): DiagnosisFrame[] {
	return calls.slice(0, mostFrames).map(({ name, file, line, address }) => ({
		name,
		address,
		...(file !== undefined && line !== undefined ? { file, line } : {}),
	}));
}
