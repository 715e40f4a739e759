// The frame of a region's function: its locals, labels, and the ways out of it.
//
// A region is a function (hart, TLB bank, page, steps left) → steps left, with REGION_COLD where the interpreter has to
// execute the next instruction. H_PC and the registers are stored by then. No way out has called anything, so regions
// continue each other by tail calls, and the interpreter's loop sees the last one's result.

import * as layout from "../core/layout.ts";
import { CodeWriter, type FunctionBody, f64, i32, i64, noResult, wasm } from "./wasmWriter.ts";

const parameters = 4;

export class Emitter extends CodeWriter {
	readonly hart = 0;
	readonly bank = 1;
	readonly page = 2;
	readonly left = 3;
	/** i64: the address of the access under way; a value; the pc to go to. */
	readonly address: number;
	readonly value: number;
	readonly target: number;
	/** i32: a TLB entry; offset << 16 | steps to subtract, for cold exits, or an offset, for near ones. */
	readonly entry: number;
	readonly place: number;
	/** Of a byte loop. */
	readonly turns: number;
	readonly from: number;
	readonly double: number;
	private readonly locals: readonly number[];
	/** Addresses of the page caches, by the accesses that use them. */
	private readonly caches: ReadonlyMap<number, number>;
	private readonly labels: string[] = [];
	private readonly registerCount: number;

	constructor(
		/** x registers in locals. */
		used: number,
		/** Of the page. */
		readonly slot: number,
		/** Whether it continues in other regions by itself. */
		private readonly chained: boolean,
		/** Accesses that remember their page; see pageCaches.ts. */
		cached: readonly number[],
	) {
		super();
		let next = parameters;
		this.locals = Array.from({ length: 32 }, (_, register) => ((used >>> register) & 1 ? next++ : -1));
		this.registerCount = next - parameters;
		this.address = next;
		this.value = next + 1;
		this.target = next + 2;
		this.entry = next + 3;
		this.place = next + 4;
		this.turns = next + 5;
		this.from = next + 6;
		this.double = next + 7;
		this.caches = new Map(cached.map((key) => [key, layout.PAGE_CACHES + key * layout.TLB_ENTRY_SIZE]));
	}

	/** Declarations of the locals and the code: what a module's code section holds. */
	body(): FunctionBody {
		const head = new CodeWriter();
		const groups = [
			[this.registerCount + 3, i64],
			[4, i32],
			[1, f64],
		] as const;
		head.unsigned(groups.length);
		for (const [count, type] of groups) {
			head.unsigned(count);
			head.byte(type);
		}
		const before = head.length;
		head.append(this.take());
		return { code: head.take(), unlikely: this.unlikely.map((offset) => before + offset) };
	}

	// ---- labels

	open(kind: number, label: string, type: number): void {
		this.op(kind, type);
		this.labels.push(label);
	}

	close(): void {
		this.op(wasm.end);
		this.labels.pop();
	}

	branch(label: string, code: number = wasm.br): void {
		const at = this.labels.lastIndexOf(label);
		if (at < 0) throw new Error(`no label ${label}`);
		this.byte(code);
		this.unsigned(this.labels.length - 1 - at);
	}

	// ---- registers

	read(register: number): void {
		if (register === 0) this.const64(0);
		else this.get(this.local(register));
	}

	readWord(register: number): void {
		if (register === 0) this.const32(0);
		else {
			this.get(this.local(register));
			this.op(wasm.i32WrapI64);
		}
	}

	/** Takes the value from the stack. */
	write(register: number): void {
		if (register === 0) this.op(wasm.drop);
		else this.set(this.local(register));
	}

	private local(register: number): number {
		const local = this.locals[register];
		if (local === undefined || local < 0) throw new Error(`x${register} has no local`);
		return local;
	}

	loadRegisters(mask: number): void {
		for (let register = 1; register < 32; register++) {
			if (!((mask >>> register) & 1)) continue;
			this.get(this.hart);
			this.memory(wasm.i64Load, layout.H_X + register * 8);
			this.write(register);
		}
	}

	storeRegisters(mask: number): void {
		for (let register = 1; register < 32; register++) {
			if (!((mask >>> register) & 1)) continue;
			this.get(this.hart);
			this.read(register);
			this.memory(wasm.i64Store, layout.H_X + register * 8);
		}
	}

	/** pc of an offset counted from this page. */
	pcOf(offset: number): void {
		this.get(this.page);
		this.const64(offset);
		this.op(wasm.i64Add);
	}

	// ---- page caches

	cacheOf(key: number): number | undefined {
		return this.caches.get(key);
	}

	// ---- ways out

	/** Leaves for the interpreter before the instruction at `offset`; `spent` steps are not subtracted yet. */
	coldExit(mask: number, offset: number, spent: number): void {
		this.const32((offset << 16) | spent);
		this.set(this.place);
		this.branch(coldLabel(mask));
	}

	spend(steps: number): void {
		if (steps === 0) return;
		this.get(this.left);
		this.const32(steps);
		this.op(wasm.i32Sub);
		this.set(this.left);
	}

	/** Continues at an offset of this page, outside of the region. */
	nearExit(mask: number, offset: number): void {
		this.storeRegisters(mask);
		this.const32(offset);
		this.set(this.place);
		this.branch("near");
	}

	/** Continues at the pc in `target`. */
	farExit(mask: number): void {
		this.storeRegisters(mask);
		this.branch("far");
	}

	/** `place` is set. */
	coldTail(mask: number): void {
		this.storeRegisters(mask);
		this.get(this.hart);
		this.get(this.page);
		this.get(this.place);
		this.const32(16);
		this.op(wasm.i32ShrU, wasm.i64ExtendI32U, wasm.i64Add);
		this.memory(wasm.i64Store, layout.H_PC);
		this.get(this.left);
		this.get(this.place);
		this.const32(0xffff);
		this.op(wasm.i32And, wasm.i32Sub);
		this.const32(layout.REGION_COLD);
		this.op(wasm.i32Or, wasm.return);
	}

	nearTail(): void {
		if (this.chained) {
			this.get(this.place);
			this.memory(wasm.i32Load16U, layout.HEAT_BASE + this.slot * layout.HEAT_STRIDE);
			this.tee(this.entry);
			this.const32(layout.HEAT_CODE);
			this.op(wasm.i32GeU);
			this.open(wasm.if, "continue", noResult);
			this.continueIn(() => this.get(this.page));
			this.close();
		}
		this.get(this.hart);
		this.get(this.page);
		this.get(this.place);
		this.op(wasm.i64ExtendI32U, wasm.i64Add);
		this.memory(wasm.i64Store, layout.H_PC);
		this.get(this.left);
		this.op(wasm.return);
	}

	farTail(): void {
		if (this.chained) this.chainFar();
		this.get(this.hart);
		this.get(this.target);
		this.memory(wasm.i64Store, layout.H_PC);
		this.get(this.left);
		this.op(wasm.return);
	}

	private chainFar(): void {
		this.open(wasm.block, "unknown", noResult);
		this.tlbEntry(this.target);
		this.memory(wasm.i64Load, layout.TLB_FETCH);
		this.pageOfTarget();
		this.op(wasm.i64Ne);
		this.branch("unknown", wasm.brIf);
		this.get(this.entry);
		this.memory(wasm.i32Load, layout.TLB_FETCH + 8);
		this.const32(3);
		this.op(wasm.i32ShrU);
		this.get(this.target);
		this.op(wasm.i32WrapI64);
		this.const32(0xffe);
		this.op(wasm.i32And, wasm.i32Add);
		this.memory(wasm.i32Load16U, layout.HEAT_BASE - layout.SLOT_RECORDS / 8);
		this.tee(this.entry);
		this.const32(layout.HEAT_CODE);
		this.op(wasm.i32LtU);
		this.branch("unknown", wasm.brIf);
		this.continueIn(() => this.pageOfTarget());
		this.close();
	}

	/** Tail call of the region whose heat is in `entry`. */
	private continueIn(page: () => void): void {
		this.get(this.hart);
		this.get(this.bank);
		page();
		this.get(this.left);
		this.get(this.entry);
		this.const32(layout.HEAT_CODE - layout.REGION_TABLE);
		this.op(wasm.i32Sub, wasm.returnCallIndirect, 0, 0);
	}

	private pageOfTarget(): void {
		this.get(this.target);
		this.const64(-4096);
		this.op(wasm.i64And);
	}

	/** Leaves the address of the TLB entry for the virtual address in a local, also in `entry`. */
	tlbEntry(virtual: number): void {
		this.get(virtual);
		this.op(wasm.i32WrapI64);
		this.const32(8);
		this.op(wasm.i32ShrU);
		this.const32(0xff0);
		this.op(wasm.i32And);
		this.get(this.bank);
		this.op(wasm.i32Add);
		this.tee(this.entry);
	}
}

export function coldLabel(mask: number): string {
	return `cold ${mask >>> 0}`;
}

/** Where an instruction is: for the exits that leave its block before it. */
export interface Site {
	/** Registers to store. */
	readonly dirty: number;
	/** Steps made before this instruction that are not subtracted yet. */
	readonly spent: number;
}
