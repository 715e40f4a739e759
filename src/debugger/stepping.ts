import type { DebugInfo } from "../debuginfo/debugInfo.ts";
import type { History } from "../machine/history.ts";
import type { Hart } from "../machine/types.ts";
import { expandCompressed } from "../riscv/compressed.ts";
import { csrNumber } from "../riscv/csr.ts";
import { fields } from "../riscv/fields.ts";
import { findInstruction, instructionLength } from "../riscv/isa.ts";
import type { RegisterSet, Thread } from "./contexts.ts";
import type { Goal, Halt, StepOwner } from "./halt.ts";
import { type Frame, stackOf } from "./stack.ts";

export type StepKind = "over" | "into" | "out";

const csr = (name: string) => csrNumber(name) as number;
const sepc = csr("sepc");
const scause = csr("scause");
const mepc = csr("mepc");
const ecallFromUser = 8n;
/** A line that takes longer than this without a call is a loop on one line; a person may want to look. */
const mostInstructions = 2_000_000;
/** Steps between two looks at the mailbox. */
const stepsPerBreath = 2_000;

/** Where a step begins, or is. */
interface Here {
	readonly hart: Hart;
	readonly registers: RegisterSet;
	readonly info: DebugInfo | undefined;
	/** Address in the program's ELF file. */
	readonly at: number;
	/** The functions that hold it, the one with the frame first. */
	readonly scopes: readonly object[];
	readonly line: string | undefined;
	readonly sp: bigint;
}

interface Instruction {
	readonly mnemonic: string | undefined;
	readonly length: number;
	/** It leaves an address to return to in ra. */
	readonly calls: boolean;
	readonly returns: boolean;
}

/** Steps of one thread. A thread is followed wherever its process runs: over harts, switches, system calls and interrupts. */
export class Stepper {
	constructor(private readonly owner: StepOwner) {}

	async step(thread: Thread, kind: StepKind, granularity: "line" | "instruction"): Promise<Halt> {
		const resumed = thread.hart ? undefined : await this.untilItRuns(thread);
		if (resumed) return resumed;
		if (kind === "out") return this.out(thread);
		return granularity === "instruction" ? this.instruction(thread, kind) : this.line(thread, kind);
	}

	// ---- where a thread is -----------------------------------------------------------------------------------------

	/** The hart that a thread is on now; undefined: none, or its process is gone. */
	private hartOf(thread: Thread): Hart | undefined {
		const { contexts, machine } = this.owner;
		const { process } = thread;
		if (!process) return thread.hart;
		return machine.harts.find(
			({ id }) => contexts.processOnHart(id) === process.address && contexts.pidOnHart(id) === process.pid,
		);
	}

	private isOn(thread: Thread, hart: Hart): boolean {
		return this.hartOf(thread)?.id === hart.id;
	}

	private here(thread: Thread): Here | undefined {
		const { contexts } = this.owner;
		const hart = this.hartOf(thread);
		const registers = hart && contexts.registers(contexts.threadOn(hart.id));
		if (!hart || !registers) return undefined;
		const at = Number(contexts.link(registers.pc));
		const { symbols } = registers;
		const info = symbols?.info;
		const scopes = (symbols?.attempt(() => info?.functionsAt(at)) ?? []).map(({ die }) => die).reverse();
		const position = symbols?.attempt(() => info?.lines.lineAt(at));
		return {
			hart,
			registers,
			info,
			at,
			scopes,
			line: position && `${position.file}:${position.line}`,
			sp: hart.register(2),
		};
	}

	private halt(thread: Thread, description = "Stepped"): Halt {
		const { contexts } = this.owner;
		const hart = this.hartOf(thread);
		const now = hart ? contexts.threadOn(hart.id) : contexts.thread(thread.id);
		this.owner.controller.follow({ kind: "step" }, this.owner.isPast);
		return { reason: "step", thread: now ?? thread, description };
	}

	// ---- one instruction -------------------------------------------------------------------------------------------

	/** Makes one instruction of the thread. A halt: something else stopped the machine, or it cannot continue. */
	private single(hart: Hart): Halt | undefined {
		const stop = this.owner.controller.advanceHart(hart.id, 1, { pass: [hart.id] });
		if (stop.kind === "stepped" || stop.kind === "present" || stop.kind === "budget") return undefined;
		const told = this.owner.toStop(stop);
		if (told) {
			this.owner.controller.follow(told, this.owner.isPast);
			return this.owner.haltOf(told);
		}
		this.owner.controller.follow({ kind: "asked" }, this.owner.isPast);
		const waits = "The hart waits, and nothing but input can wake it";
		return { reason: "pause", thread: this.owner.contexts.threadOn(hart.id), description: waits };
	}

	private instructionAt({ registers }: Here): Instruction {
		const bytes = registers.space.bytes(registers.pc, 4);
		const half = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
		const length = instructionLength(half);
		const word =
			length === 2 ? expandCompressed(half) : (half | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 24)) >>> 0;
		const mnemonic = word === undefined ? undefined : findInstruction(word)?.mnemonic;
		const jumps = mnemonic === "jal" || mnemonic === "jalr";
		const rd = word === undefined ? 0 : fields.rd.get(word);
		return {
			mnemonic,
			length,
			calls: jumps && rd === 1,
			returns: mnemonic === "jalr" && rd === 0 && fields.rs1.get(word as number) === 1,
		};
	}

	private async instruction(thread: Thread, kind: StepKind): Promise<Halt> {
		const before = this.here(thread);
		if (!before) return this.lost(thread);
		const what = this.instructionAt(before);
		const other = this.single(before.hart);
		if (other) return other;
		if (kind === "over") {
			const passed = await this.passDetour(thread, before, what, kind);
			if (passed) return passed;
			if (what.calls) {
				const back = await this.untilCallReturns(thread, before, what);
				if (back) return back;
			}
		}
		return this.halt(thread);
	}

	// ---- lines -----------------------------------------------------------------------------------------------------

	private async line(thread: Thread, kind: "over" | "into"): Promise<Halt> {
		const start = this.here(thread);
		if (!start) return this.lost(thread);
		// Without lines there is no other one to go to.
		if (!start.info || start.info.empty) return this.instruction(thread, kind);
		let origin = start;
		for (let made = 0; made < mostInstructions; made++) {
			if (made % stepsPerBreath === stepsPerBreath - 1) {
				await this.owner.breathe();
				if (this.owner.wantsPause) break;
			}
			const before = this.here(thread);
			if (!before) return this.lost(thread);
			const what = this.instructionAt(before);
			const other = this.single(before.hart);
			if (other) return other;
			const detour = await this.passDetour(thread, before, what, kind);
			if (detour) return detour;
			let now = this.here(thread);
			if (!now) return this.lost(thread);
			if (this.isCall(before, what, now)) {
				const entered = kind === "into" ? await this.enter(thread, now) : undefined;
				if (entered) return entered;
				const back = await this.untilCallReturns(thread, before, what);
				if (back) return back;
				now = this.here(thread);
				if (!now) return this.lost(thread);
			}
			const isBoundary = now.registers.mode !== before.registers.mode;
			// Returned to a caller, or over the border to what called the kernel: there, in the middle of its line.
			if (isBoundary && now.registers.mode === "user") return (await this.throughStub(thread)) ?? this.halt(thread);
			if (now.line !== undefined && (isBoundary || (what.returns && now.scopes[0] !== origin.scopes[0])))
				return this.halt(thread);
			if (this.isNewLine(origin, now, kind)) return this.halt(thread);
			// A frame without lines (a stub, the entry) was left or entered: what comes next is measured from there.
			if (origin.line === undefined && now.line !== undefined && now.info?.lines.isStatement(now.at))
				return this.halt(thread);
			if (now.scopes[0] !== origin.scopes[0] && now.line === undefined) origin = now;
		}
		return this.halt(
			thread,
			this.owner.wantsPause
				? "Paused in the middle of a step"
				: `Stepped ${mostInstructions.toLocaleString("en")} instructions on this line`,
		);
	}

	/** Calls, and jumps to the start of another function that returns to our caller. */
	private isCall(before: Here, what: Instruction, now: Here): boolean {
		return (
			what.calls &&
			before.registers.mode === now.registers.mode &&
			now.registers.pc !== before.registers.pc + BigInt(what.length)
		);
	}

	private async untilCallReturns(
		thread: Thread,
		{ registers, sp }: Here,
		what: Instruction,
	): Promise<Halt | undefined> {
		const pc = this.hartOf(thread)?.pc;
		// What usertrapret calls on the trampoline returns to the program, and never to usertrapret.
		if (registers.mode === "kernel" && pc !== undefined && this.owner.contexts.link(pc) !== pc)
			return (await this.untilUserMode(thread)) ?? (await this.throughStub(thread)) ?? this.halt(thread);
		return this.runTo(thread, registers.pc + BigInt(what.length), sp);
	}

	private isNewLine(from: Here, now: Here, kind: "over" | "into"): boolean {
		if (now.line === undefined || !now.info?.lines.isStatement(now.at)) return false;
		const inner = now.scopes.length > from.scopes.length && from.scopes.every((scope, i) => now.scopes[i] === scope);
		// An inlined call of this function counts as a call.
		if (inner) return kind === "into";
		const same = now.scopes.length === from.scopes.length && now.scopes.every((scope, i) => from.scopes[i] === scope);
		return !same || now.line !== from.line;
	}

	/** Into a function that was just called: past its prologue. Undefined: there is nothing to show in it. */
	private async enter(thread: Thread, now: Here): Promise<Halt | undefined> {
		const { info, registers } = now;
		// The build makes the stubs: there is nothing to read in them, and they lead into the kernel.
		if (now.scopes.length === 0) {
			const kernel = await this.enterStub(thread, now);
			if (kernel) return kernel;
		}
		if (now.line === undefined || !info) return undefined;
		const name = registers.symbols?.symbolAt(now.at)?.name;
		const start = name === undefined ? undefined : registers.symbols?.attempt(() => info.functionStart(name));
		if (start === undefined || start <= now.at) return this.halt(thread);
		const reached = await this.runTo(thread, registers.pc + BigInt(start - now.at), undefined);
		return reached ?? this.halt(thread);
	}

	/** A stub of a system call has no lines, but leads into the kernel. */
	private async enterStub(thread: Thread, now: Here): Promise<Halt | undefined> {
		if (now.registers.mode !== "user") return undefined;
		const code = now.registers.space.bytes(now.registers.pc, 32);
		const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
		for (let at = 0; at + 4 <= code.length; at += instructionLength(view.getUint16(at, true))) {
			const word = view.getUint32(at, true);
			const mnemonic = instructionLength(word & 0xffff) === 4 ? findInstruction(word)?.mnemonic : undefined;
			if (mnemonic === "jalr" || mnemonic === "jal") return undefined;
			if (mnemonic !== "ecall") continue;
			const reached = await this.runTo(thread, now.registers.pc + BigInt(at), undefined);
			if (reached) return reached;
			const hart = this.hartOf(thread);
			const other = hart && this.single(hart);
			return other ?? this.intoKernel(thread);
		}
		return undefined;
	}

	// ---- detours ---------------------------------------------------------------------------------------------------

	/** A trap took the thread away: it is followed until it is back, or, into a system call, shown in the kernel. */
	private async passDetour(thread: Thread, before: Here, what: Instruction, kind: StepKind): Promise<Halt | undefined> {
		const hart = before.hart;
		if (!this.isOn(thread, hart)) return undefined;
		if (before.registers.mode === "user" && hart.mode !== 0) {
			if (kind === "into" && what.mnemonic === "ecall" && hart.csr(scause) === ecallFromUser)
				return this.intoKernel(thread);
			return this.untilUserMode(thread);
		}
		if (hart.mode === 3 && before.registers.mode !== "machine")
			return this.untilItReturns(thread, hart.csr(mepc) ?? 0n, before, what);
		const trapped =
			before.registers.mode === "kernel" &&
			hart.mode === 1 &&
			hart.pc === (hart.csr(csr("stvec")) ?? 0n) &&
			!what.calls;
		if (trapped && what.mnemonic !== "jalr") return this.untilItReturns(thread, hart.csr(sepc) ?? 0n, before, what);
		return undefined;
	}

	/** A handler returns to the instruction that trapped, to make it again, or (a call of firmware, a breakpoint) to the next one. */
	private untilItReturns(
		thread: Thread,
		trapped: bigint,
		{ registers, sp }: Here,
		{ length }: Instruction,
	): Promise<Halt | undefined> {
		const when = (hart: Hart) => hart.register(2) === sp && this.isOn(thread, hart);
		const next = trapped === registers.pc ? [trapped + BigInt(length)] : [];
		return this.runUntilGone(
			thread,
			[trapped, ...next].map((pc) => ({ pc, when })),
		);
	}

	/** To the first line of C in the kernel: usertrap. */
	private async intoKernel(thread: Thread): Promise<Halt | undefined> {
		for (let made = 0; made < 500; made++) {
			const now = this.here(thread);
			if (!now) return this.lost(thread);
			if (now.registers.mode === "kernel" && now.scopes.length > 0 && now.line !== undefined) {
				const name = now.registers.symbols?.symbolAt(now.at)?.name;
				const start = name === undefined ? undefined : now.info?.functionStart(name);
				if (start !== undefined && start > now.at) {
					const other = await this.runTo(thread, BigInt(start), undefined);
					if (other) return other;
				}
				return this.halt(thread, "Stepped into the kernel");
			}
			const other = this.single(now.hart);
			if (other) return other;
		}
		return this.halt(thread);
	}

	/** Until the process runs in user mode again, wherever: exec goes to another program's entry. */
	private async untilUserMode(thread: Thread): Promise<Halt | undefined> {
		const { process } = thread;
		if (!process) return undefined;
		const { contexts, kernel } = { contexts: this.owner.contexts, kernel: this.owner.contexts.kernel };
		// The last instruction before user mode is userret's sret.
		const sret = this.sretOf(kernel.symbol("userret"));
		const goals: Goal[] = [];
		for (const address of sret) {
			const high = contexts.unlink(BigInt(address)) ?? BigInt(address);
			goals.push({ pc: high, when: (hart) => this.isOn(thread, hart) });
		}
		if (goals.length === 0) return this.owner.runUntil([]);
		const halt = await this.runUntilGone(thread, goals);
		if (halt) return halt;
		const hart = this.hartOf(thread);
		return hart ? this.single(hart) : this.lost(thread);
	}

	/** Addresses of `sret` from a symbol on. */
	private sretOf(start: number | undefined): number[] {
		const { elf } = this.owner.contexts.kernel;
		const code = start === undefined ? undefined : elf?.loaded(start, 1024);
		if (!code || start === undefined) return [];
		const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
		for (let at = 0; at + 4 <= code.length; at += instructionLength(view.getUint16(at, true))) {
			if (findInstruction(view.getUint32(at, true))?.mnemonic === "sret") return [start + at];
		}
		return [];
	}

	/** Out of a system call's stub, of which there is nothing to see, to its caller. */
	private async throughStub(thread: Thread): Promise<Halt | undefined> {
		const now = this.here(thread);
		if (now?.registers.mode !== "user" || now.scopes.length > 0) return undefined;
		return this.runTo(thread, now.hart.register(1), now.sp);
	}

	private async untilItRuns(thread: Thread): Promise<Halt | undefined> {
		const registers = this.owner.contexts.registers(thread);
		if (!registers) return this.lost(thread);
		return this.runTo(thread, registers.pc, registers.context.register(2));
	}

	/** Runs until the thread is at a pc (with this stack); undefined: it is there. */
	private async runTo(thread: Thread, pc: bigint, sp: bigint | undefined): Promise<Halt | undefined> {
		const now = this.hartOf(thread);
		if (now && now.pc === pc && (sp === undefined || now.register(2) === sp)) return undefined;
		return this.runUntilGone(thread, [
			{ pc, when: (hart) => (sp === undefined || hart.register(2) === sp) && this.isOn(thread, hart) },
		]);
	}

	/** A process that exits meanwhile never gets there: its end is what is shown. */
	private async runUntilGone(thread: Thread, goals: readonly Goal[]): Promise<Halt | undefined> {
		const { contexts } = this.owner;
		const { kernel } = contexts;
		const all = [...goals];
		const isZombie = () => contexts.thread(thread.id)?.process?.state === "ZOMBIE";
		const exited = () => this.halt(thread, `pid ${thread.process?.pid} has exited`);
		if (thread.process) {
			const at = this.hartOf(thread)?.pc;
			if (at !== undefined && isZombie() && kernel.symbolAt(Number(contexts.link(at)))?.name === "swtch")
				return exited();
			// The last thing that a process does is to switch away as a zombie: sched calls swtch. A step may begin in sched.
			for (const name of ["sched", "swtch"]) {
				const address = kernel.symbol(name);
				if (address !== undefined)
					all.push({ pc: BigInt(address), when: (hart) => this.isOn(thread, hart) && isZombie() });
			}
		}
		const halt = await this.owner.runUntil(all);
		if (halt.reason !== "goto") return halt;
		const pc = this.hartOf(thread)?.pc;
		return pc === undefined || goals.some((goal) => goal.pc === pc) ? undefined : exited();
	}

	private lost(thread: Thread): Halt {
		return this.halt(thread, thread.process ? `pid ${thread.process.pid} runs no more` : "The hart took a process");
	}

	// ---- out -------------------------------------------------------------------------------------------------------

	private async out(thread: Thread): Promise<Halt> {
		const { contexts } = this.owner;
		const hart = this.hartOf(thread);
		const frames = hart ? stackOf(contexts, contexts.threadOn(hart.id)) : [];
		const own = frames.findIndex((frame) => frame.kind === "function" && !frame.inlined);
		if (frames[0]?.inlined) return this.outOfInlined(thread, frames[0]);
		const next = frames[own + 1];
		if (!next) return this.halt(thread, "This function was called by nobody");
		if (next.kind === "border") {
			if (next.mode === "user")
				return (await this.untilUserMode(thread)) ?? (await this.throughStub(thread)) ?? this.halt(thread);
			return (await this.runTo(thread, next.pc, frames[own]?.cfa)) ?? this.halt(thread);
		}
		const other = await this.runTo(thread, next.pc, frames[own]?.cfa);
		if (other) return other;
		// The compiler may give the code after a call to no line (line 0): there is nothing to show, and the next line is soon reached.
		const now = this.here(thread);
		return now?.line === undefined && now?.info && now.scopes.length > 0
			? this.line(thread, "over")
			: this.halt(thread);
	}

	private async outOfInlined(thread: Thread, frame: Frame): Promise<Halt> {
		for (let made = 0; made < 1000; made++) {
			const halt = await this.line(thread, "over");
			if (halt.reason !== "step") return halt;
			const now = this.here(thread);
			if (!now?.scopes.includes(frame.function?.die as object)) return halt;
		}
		return this.halt(thread);
	}

	// ---- back ------------------------------------------------------------------------------------------------------

	back(history: History, thread: Thread, granularity: "line" | "instruction"): Halt {
		const hart = this.hartOf(thread);
		if (granularity === "instruction" || !hart) {
			const moved = hart && history.stepBack(hart.id);
			return this.backHalt(thread, moved ? "Stepped back" : "The start of the recorded history");
		}
		const goals = this.lineStarts(thread);
		const found = goals.length > 0 ? this.searchBack(history, goals) : undefined;
		if (!found) return this.backHalt(thread, "The start of the recorded history");
		return this.backHalt(thread, "Stepped back");
	}

	backOut(history: History, thread: Thread): Halt {
		const { contexts } = this.owner;
		const hart = this.hartOf(thread);
		const frames = hart ? stackOf(contexts, contexts.threadOn(hart.id)) : [];
		const own = frames.findIndex((frame) => frame.kind === "function" && !frame.inlined);
		const caller = frames[own + 1];
		const cfa = frames[own]?.cfa;
		if (!caller || cfa === undefined) return this.backHalt(thread, "This function was called by nobody");
		const user = caller.kind === "border" ? frames[own + 2] : caller;
		const sp = caller.kind === "border" ? user?.context.register(2) : cfa;
		// The call is one instruction of two or four bytes before where it returns to; an ecall is at the border itself.
		const places = caller.kind === "border" ? [caller.pc, caller.pc - 4n] : [caller.pc - 4n, caller.pc - 2n];
		const goals = places.map((pc) => ({ pc, when: (at: Hart) => at.register(2) === sp && this.isOn(thread, at) }));
		const found = this.searchBack(history, goals);
		return this.backHalt(
			thread,
			found ? "Stepped back out to the call" : "The call is before the start of the recorded history",
		);
	}

	private searchBack(history: History, goals: readonly Goal[]): boolean {
		const hits = new Set<bigint>();
		const armed = goals.map(({ pc, when }) =>
			this.owner.machine.addBreakpoint(pc, {
				when: (hart) => {
					const reached = when(hart);
					if (reached) hits.add(pc);
					return reached;
				},
			}),
		);
		try {
			return history.backTo((stop) => stop.kind === "breakpoint" && hits.has(stop.pc)) !== undefined;
		} finally {
			for (const one of armed) one.dispose();
		}
	}

	/** Starts of the other lines of this function and of its caller's, each in its frame. */
	private lineStarts(thread: Thread): Goal[] {
		const { contexts } = this.owner;
		const hart = this.hartOf(thread);
		if (!hart) return [];
		const frames = stackOf(contexts, contexts.threadOn(hart.id)).filter(
			({ kind, inlined }) => kind === "function" && !inlined,
		);
		const goals: Goal[] = [];
		const now = this.here(thread);
		for (const frame of frames.slice(0, 2)) {
			const { symbols, cfa } = frame;
			const info = symbols?.info;
			const range = frame.function?.die.unit.ranges(frame.function.die);
			if (!info || !range || cfa === undefined) continue;
			for (const address of info.lines.lineStarts(range)) {
				const place = info.lines.lineAt(address);
				const isSame = frame === frames[0] && place && now?.line === `${place.file}:${place.line}`;
				if (isSame && address >= (now?.at ?? 0)) continue;
				const user = frame.mode === "user";
				goals.push({
					pc: BigInt(address),
					when: (at) => (at.mode === 0) === user && this.isOn(thread, at) && this.cfaOf(at) === cfa,
				});
			}
		}
		return goals;
	}

	private cfaOf(hart: Hart): bigint | undefined {
		const { contexts } = this.owner;
		return stackOf(contexts, contexts.threadOn(hart.id), 1)[0]?.cfa;
	}

	private backHalt(thread: Thread, description: string): Halt {
		const { contexts } = this.owner;
		const hart = this.hartOf(thread);
		const now = hart ? contexts.threadOn(hart.id) : (contexts.thread(thread.id) ?? contexts.threadOn(0));
		return { reason: "step", thread: now, description };
	}
}
