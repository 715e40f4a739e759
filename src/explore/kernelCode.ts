import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { findMember } from "../debuginfo/types.ts";
import { staticsOf } from "./statics.ts";

/** Code that makes the locks: its own accesses are no data. */
const lockCode = ["acquire", "release", "holding", "initlock", "push_off", "pop_off"];
/** Code of a hart that has nothing to run: it looks at every process, over and over. */
const idleCode = ["scheduler", "anyrunnable", "procdump"];
/** Code that moves user data, which processes may share by their own rules. */
const copyCode = ["copyin", "copyout", "copyinstr", "either_copyin", "either_copyout"];

const known = new WeakMap<ProgramSymbols, KernelCode>();

/** What the detectors have to know of a kernel's image. */
export class KernelCode {
	readonly range: { readonly from: number; readonly to: number };
	readonly acquire: number | undefined;
	readonly sleep: number | undefined;
	private readonly trampoline: number | undefined;
	/** The most of the code that makes the locks, in one piece: what it reads is no data. */
	readonly locking: { readonly from: number; readonly to: number };
	/** release(), where a 4-byte store of 0 gives a lock back; other functions of the locks store such zeros, too. */
	readonly releasing: { readonly from: number; readonly to: number };
	/** Bytes of struct spinlock, and where its name is in it. */
	readonly spinlock: { readonly size: number; readonly name: number };
	/** A byte for every two of the kernel's text: 1: its accesses are no data. */
	private readonly exempt: Uint8Array;
	/** Where the harts boot and schedule: to each a part of its own. Stacks of processes are outside of `range`. */
	readonly stacks: { readonly from: number; readonly to: number };
	private readonly textStart: number;
	private readonly end: number;
	private readonly processes: readonly [from: number, to: number];
	private readonly lockCode: readonly (readonly [from: number, to: number])[];
	private readonly idle: readonly (readonly [from: number, to: number])[];
	/** Global variables that one access reads whole, and what the spinlock in a sleep lock guards. */
	private readonly scalars = new Set<number>();

	/** Made once for each kernel: it reads all of the debug information on variables. */
	static of(symbols: ProgramSymbols, ramEnd: number): KernelCode {
		let code = known.get(symbols);
		if (code?.range.to !== ramEnd) {
			code = new KernelCode(symbols, ramEnd);
			known.set(symbols, code);
		}
		return code;
	}

	private constructor(symbols: ProgramSymbols, ramEnd: number) {
		const { elf, info } = symbols;
		const text = elf?.section(".text");
		const from = symbols.symbol("etext") ?? (text ? text.address + text.size : ramEnd);
		this.range = { from, to: ramEnd };
		this.acquire = symbols.symbol("acquire");
		this.sleep = symbols.symbol("sleep");
		this.trampoline = symbols.symbol("trampoline");
		const type = symbols.attempt(() => info?.struct("spinlock"));
		this.spinlock = { size: type?.size ?? 24, name: (type && findMember(type, "name")?.offset) ?? 8 };
		const code = (names: readonly string[]) =>
			names.flatMap((name) => {
				const symbol = symbols.attempt(() => elf?.symbol(name));
				return symbol && symbol.size > 0 ? [[symbol.address, symbol.address + symbol.size] as const] : [];
			});
		this.textStart = text?.address ?? from;
		this.exempt = new Uint8Array(Math.max(0, from - this.textStart) >>> 1);
		for (const [start, end] of code([...lockCode, ...copyCode]))
			this.exempt.fill(1, (start - this.textStart) >>> 1, (end - this.textStart) >>> 1);
		this.lockCode = code(lockCode);
		this.locking = together(this.lockCode);
		const [release] = code(["release"]);
		this.releasing = release ? { from: release[0], to: release[1] } : this.locking;
		this.idle = code(idleCode);
		for (const { kind, address, size } of symbols.attempt(() => elf?.symbols) ?? []) {
			if (kind === "object" && size > 0 && size <= 8 && address >= from) this.scalars.add(address);
		}
		const guarded = (name: string, owner: string) => owner === "sleeplock" && (name === "locked" || name === "pid");
		for (const { address } of staticsOf(symbols, guarded)) this.scalars.add(address);
		const stacks = symbols.attempt(() => elf?.symbol("stack0"));
		this.stacks = stacks ? { from: stacks.address, to: stacks.address + stacks.size } : { from: 0, to: 0 };
		this.end = symbols.symbol("end") ?? from;
		const proc = symbols.attempt(() => elf?.symbol("proc"));
		this.processes = proc ? [proc.address, proc.address + proc.size] : [0, 0];
	}

	/** `pc` may be signed. */
	isExempt(pc: number): boolean {
		return this.exempt[((pc | 0) - (this.textStart | 0)) >>> 1] === 1;
	}

	/** Whether a swap there is of a spinlock: in acquire() and its like, or anywhere where no function has that name. */
	takesLocks(pc: number): boolean {
		return this.acquire === undefined || this.lockCode.some(([from, to]) => pc >= from && pc < to);
	}

	/** pc of a record, which is 32 bits of the true one: the trampoline's page has an address of its own at the end of Sv39. */
	pcOf(pc: number): number {
		return this.trampoline !== undefined && pc >= 0xffff_f000 ? this.trampoline + (pc & 0xfff) : pc;
	}

	isIdle(pc: number): boolean {
		return this.idle.some(([from, to]) => pc >= from && pc < to);
	}

	/** In the kernel's image, not in a page of kalloc's. */
	isVariable(address: number): boolean {
		return address < this.end;
	}

	/** A lock of a process: sleep() may be called with it, and in kernels of before 2021 is. */
	isOfProcess(lock: number): boolean {
		return lock >= this.processes[0] && lock < this.processes[1];
	}

	/** Words of a page, by its number, in which one of these begins: 1; undefined: none does. */
	scalarsOf(page: number): Uint8Array | undefined {
		let words: Uint8Array | undefined;
		for (const address of this.scalars) {
			if (address >>> 12 !== page) continue;
			words ??= new Uint8Array(1024);
			words[(address & 4095) >>> 2] = 1;
		}
		return words;
	}

	isScalar(address: number): boolean {
		return this.scalars.has(address);
	}
}

/** Between two functions one after the other there may be so many bytes. */
const alignment = 16;

/** The largest piece of memory that these ranges fill. */
function together(ranges: readonly (readonly [from: number, to: number])[]): { from: number; to: number } {
	let best = { from: 0, to: 0 };
	let piece = best;
	for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
		piece = from - piece.to < alignment ? { from: piece.from, to } : { from, to };
		if (piece.to - piece.from > best.to - best.from) best = piece;
	}
	return best;
}
