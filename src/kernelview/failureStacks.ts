import { hex } from "../common/bytes.ts";
import { forgetOldest } from "../common/collections.ts";
import type { ProgramSymbols, Symbolizer } from "../debuginfo/symbolizer.ts";
import { unwind } from "../debuginfo/unwind.ts";
import type { Trap } from "../machine/types.ts";
import type { StackLine } from "../protocol/verdict.ts";
import { isPanicked, kernelRoot, type Sources } from "./look.ts";
import type { Process } from "./processes.ts";
import { canonical, translate } from "./sv39.ts";

/** Stacks of user programs at their last trap, one a process. */
const mostStacks = 256;

/** Calls that led to where a panic or a trap that kills happened, kept since both lose them. */
export class FailureStacks {
	private panicked: readonly StackLine[] = [];
	private readonly users = new Map<number, { readonly instret: number; readonly stack: readonly StackLine[] }>();

	constructor(
		private readonly sources: Sources,
		private readonly symbolizer: Symbolizer,
	) {}

	clear(): void {
		this.panicked = [];
		this.users.clear();
	}

	/** What came after this moment has not happened. */
	cut(instret: number): void {
		for (const [pid, kept] of this.users) if (kept.instret > instret) this.users.delete(pid);
		this.panicked = [];
	}

	/** Of the hart that panicked, innermost first; undefined: none did. */
	ofPanic(): readonly StackLine[] | undefined {
		if (!isPanicked(this.sources)) return undefined;
		if (this.panicked.length === 0) this.panicked = this.findPanic();
		return this.panicked;
	}

	findPanic(): readonly StackLine[] {
		const root = kernelRoot(this.sources);
		for (const hart of this.sources.machine.harts) {
			if (hart.mode !== 1) continue;
			const frames = this.unwind(this.symbolizer.kernel, hart.pc, (index) => hart.register(index), root);
			const at = frames.findIndex((frame) => frame.name.startsWith("panic"));
			if (at >= 0) return frames.slice(at);
		}
		return [];
	}

	/** Of a process at its last trap that might have killed it, innermost first. */
	ofUser(pid: number): readonly StackLine[] {
		return this.users.get(pid)?.stack ?? [];
	}

	/** The stack of a process at a trap, kept in case the trap kills it. */
	keepUser({ hart, pc, root, instret }: Trap, mayKill: (process: Process) => boolean): void {
		const process = this.sources.processes.withRoot(root);
		const state = this.sources.machine.harts[hart];
		if (!process || !state || !mayKill(process)) return;
		const program = this.symbolizer.program(process.name);
		if (!program) return;
		this.users.delete(process.pid);
		if (this.users.size >= mostStacks) forgetOldest(this.users);
		const stack = this.unwind(program, pc, (index) => state.register(index), process.root);
		this.users.set(process.pid, { instret, stack });
	}

	/** Calls of the kernel that led a hart to `pc`, innermost first. */
	ofKernel(hart: number, pc: bigint): readonly StackLine[] {
		const state = this.sources.machine.harts[hart];
		if (!state) return [];
		return this.unwind(this.symbolizer.kernel, pc, (index) => state.register(index), kernelRoot(this.sources));
	}

	private unwind(
		symbols: ProgramSymbols,
		pc: bigint,
		register: (index: number) => bigint | undefined,
		root: number | undefined,
	): StackLine[] {
		const { memory } = this.sources;
		const read = (address: bigint, size: number): bigint | undefined => {
			const va = canonical(address);
			const physical = va === undefined || root === undefined ? undefined : translate(memory, root, va);
			if (physical === undefined) return undefined;
			if (size === 8) return memory.big(physical);
			const value = size === 1 || size === 2 || size === 4 ? memory.unsigned(physical, size) : undefined;
			return value === undefined ? undefined : BigInt(value);
		};
		return unwind(symbols, pc, { register, memory: read }).frames.flatMap(({ place, pc: at }) => {
			const address = hex(at);
			const { file, line } = place;
			const where = file !== undefined && line !== undefined ? { file, line } : {};
			const own = { name: place.function ?? place.symbol ?? "?", address, ...where };
			// A function that was inlined shares the frame of those that call it.
			const callers = (place.inlinedInto ?? []).map((caller) => ({
				name: caller.function,
				address,
				file: caller.file,
				line: caller.line,
			}));
			return [own, ...callers];
		});
	}
}
