import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { findMember } from "../debuginfo/types.ts";

/** Code that makes the locks: its own accesses are no data. */
const lockCode = ["acquire", "release", "holding", "initlock", "push_off", "pop_off"];
/** Code that moves user data, which processes may share by their own rules. */
const copyCode = ["copyin", "copyout", "copyinstr", "either_copyin", "either_copyout"];

/** What the detectors have to know of a kernel's image. */
export class KernelCode {
	readonly range: { readonly from: number; readonly to: number };
	readonly acquire: number | undefined;
	readonly sleep: number | undefined;
	/** Bytes of struct spinlock, and where its name is in it. */
	readonly spinlock: { readonly size: number; readonly name: number };
	private readonly exempt: readonly (readonly [from: number, to: number])[];
	private readonly cache = new Map<number, boolean>();
	/** Global variables that one access reads whole. */
	private readonly scalars = new Set<number>();

	constructor(symbols: ProgramSymbols, ramEnd: number) {
		const { elf, info } = symbols;
		const text = elf?.section(".text");
		const from = symbols.symbol("etext") ?? (text ? text.address + text.size : ramEnd);
		this.range = { from, to: ramEnd };
		this.acquire = symbols.symbol("acquire");
		this.sleep = symbols.symbol("sleep");
		const type = symbols.attempt(() => info?.struct("spinlock"));
		this.spinlock = { size: type?.size ?? 24, name: (type && findMember(type, "name")?.offset) ?? 8 };
		this.exempt = [...lockCode, ...copyCode].flatMap((name) => {
			const symbol = symbols.attempt(() => elf?.symbol(name));
			return symbol && symbol.size > 0 ? [[symbol.address, symbol.address + symbol.size] as const] : [];
		});
		for (const { kind, address, size } of symbols.attempt(() => elf?.symbols) ?? []) {
			if (kind === "object" && size > 0 && size <= 8 && address >= from) this.scalars.add(address);
		}
	}

	isExempt(pc: number): boolean {
		let known = this.cache.get(pc);
		if (known === undefined) {
			known = this.exempt.some(([from, to]) => pc >= from && pc < to);
			this.cache.set(pc, known);
		}
		return known;
	}

	isScalar(address: number): boolean {
		return this.scalars.has(address);
	}
}
