import { expandCompressed } from "../riscv/compressed.ts";
import { CSR } from "../riscv/csr.ts";
import { fields } from "../riscv/fields.ts";
import { findInstruction, instructionLength } from "../riscv/isa.ts";
import { sp } from "../riscv/registers.ts";
import { decodeSatp, pageShift, satpModeSv39, walk } from "../riscv/sv39.ts";
import type { Hart, PhysicalMemory } from "./types.ts";

/** More code than this is given up: a loop that is looked for is a few instructions. */
const mostPlaces = 2000;
const mostCalls = 8;

const SIE = 2n;
const MIE = 8n;
const MPRV = 1n << 17n;

/** What holds whenever the hart comes to a place, however often: registers and words that it stored itself; all else may be anything. */
interface Known {
	/** Undefined: any value. */
	readonly registers: readonly (bigint | undefined)[];
	/** Content of doublewords by virtual address. */
	readonly stored: ReadonlyMap<bigint, bigint>;
}

/** A place in the code, with the calls that led to it. */
interface Place {
	readonly pc: bigint;
	/** Where the calls that were followed return to, the last one last. */
	readonly calls: readonly bigint[];
}

interface Successor {
	readonly to: Place;
	readonly known: Known;
}

/** Bytes of a load, store or atomic by its funct3. */
const accessBytes = (word: number): bigint => 1n << BigInt((word >>> 12) & 3);

/**
 * Whether a hart can never leave the loop that it is in: interrupts are off; every way that the code from its pc can take, whatever
 * memory holds and however branches go, stays in code that is known; nothing in it can trap, turn interrupts on, or touch a device. An
 * interrupt to machine mode under supervisor code comes back to where it was. False says nothing: this loop is not proved to be endless.
 */
export function isEndless(hart: Hart, memory: PhysicalMemory): boolean {
	return new Loop(hart, memory).isClosed();
}

class Loop {
	private readonly root: bigint | undefined;
	private readonly known = new Map<string, Known>();
	/** Pages of the code that was followed and of the tables that map it, and those that the loop writes to. */
	private readonly depended = new Set<bigint>();
	private readonly written = new Set<bigint>();

	constructor(
		private readonly hart: Hart,
		private readonly memory: PhysicalMemory,
	) {
		const satp = hart.mode === 3 ? 0n : (hart.csr(CSR.satp) ?? 0n);
		const { mode, root } = decodeSatp(satp);
		this.root = mode === satpModeSv39 ? root : undefined;
	}

	isClosed(): boolean {
		const { hart } = this;
		if (hart.waiting || hart.mode === 0) return false;
		const status = hart.csr(hart.mode === 3 ? CSR.mstatus : CSR.sstatus);
		if (status === undefined || (status & (hart.mode === 3 ? MIE | MPRV : SIE)) !== 0n) return false;
		const start: Place = { pc: hart.pc, calls: [] };
		const open = [start];
		this.known.set(key(start), {
			registers: Array.from({ length: 32 }, (_, index) => BigInt.asUintN(64, hart.register(index))),
			stored: new Map(),
		});
		for (let place = open.pop(); place; place = open.pop()) {
			const next = this.successors(place, this.known.get(key(place)) as Known);
			if (!next || this.known.size > mostPlaces) return false;
			for (const { to, known } of next) {
				const before = this.known.get(key(to));
				const joined = before ? join(before, known) : known;
				if (joined === before) continue;
				this.known.set(key(to), joined);
				open.push(to);
			}
		}
		return ![...this.written].some((page) => this.depended.has(page));
	}

	/** Undefined: the hart may get somewhere else from here. */
	private successors(place: Place, known: Known): readonly Successor[] | undefined {
		const { pc, calls } = place;
		const word = this.instructionAt(pc);
		const instruction = word === undefined ? undefined : findInstruction(word.bits);
		if (!word || !instruction) return undefined;
		const { bits, length } = word;
		const { mnemonic, kind } = instruction;
		const rd = fields.rd.get(bits);
		const rs1 = known.registers[fields.rs1.get(bits)];
		const rs2 = known.registers[fields.rs2.get(bits)];
		const next = { pc: pc + length, calls };
		const goes = (value?: bigint): readonly Successor[] => [{ to: next, known: withRegister(known, rd, value) }];
		switch (kind) {
			case "integer":
				return goes(resultOf(mnemonic, bits, pc, rs1, rs2));
			case "multiply":
				return goes();
			case "fence":
				return mnemonic === "fence" ? [{ to: next, known }] : undefined;
			case "csr":
				// Only reads.
				return /^csrr[sc]i?$/.test(mnemonic) && fields.rs1.get(bits) === 0 ? goes() : undefined;
			case "branch":
				return [
					{ to: next, known },
					{ to: { pc: wrap(pc + BigInt(fields.branch.get(bits))), calls }, known },
				];
			case "jump":
				return this.jump(place, mnemonic, bits, rs1, length, known);
			case "load": {
				if (mnemonic.startsWith("f")) return undefined;
				const address = this.mayAccess(rs1, fields.imm12.get(bits), accessBytes(bits), false);
				return address === undefined ? undefined : goes(mnemonic === "ld" ? known.stored.get(address) : undefined);
			}
			case "store": {
				if (mnemonic.startsWith("f")) return undefined;
				const bytes = accessBytes(bits);
				const address = this.mayAccess(rs1, fields.store12.get(bits), bytes, true);
				return address === undefined ? undefined : [{ to: next, known: withStore(known, address, bytes, rs2) }];
			}
			case "atomic": {
				const bytes = accessBytes(bits);
				const address = this.mayAccess(rs1, 0, bytes, true);
				if (address === undefined) return undefined;
				return [{ to: next, known: withRegister(withStore(known, address, bytes, undefined), rd, undefined) }];
			}
			default:
				return undefined;
		}
	}

	private jump(
		{ pc, calls }: Place,
		mnemonic: string,
		bits: number,
		rs1: bigint | undefined,
		length: bigint,
		known: Known,
	): readonly Successor[] | undefined {
		const rd = fields.rd.get(bits);
		const from = mnemonic === "jal" ? pc : rs1;
		if (from === undefined) return undefined;
		const offset = mnemonic === "jal" ? fields.jump.get(bits) : fields.imm12.get(bits);
		const target = wrap(from + BigInt(offset)) & ~1n;
		const after = withRegister(known, rd, pc + length);
		if (rd !== 0) {
			if (calls.length >= mostCalls) return undefined;
			return [{ to: { pc: target, calls: [...calls, pc + length] }, known: after }];
		}
		// A return from a call that was followed; any other known target is a jump.
		const returns = mnemonic === "jalr" && target === calls.at(-1);
		return [{ to: { pc: target, calls: returns ? calls.slice(0, -1) : calls }, known: after }];
	}

	/** The virtual address, where this access is known to do nothing but to read or write RAM. */
	private mayAccess(base: bigint | undefined, offset: number, bytes: bigint, writes: boolean): bigint | undefined {
		if (base === undefined) return undefined;
		const address = wrap(base + BigInt(offset));
		if (address % bytes !== 0n) return undefined;
		const physical = this.translate(address, writes ? "writable" : "readable");
		if (physical === undefined || this.memory.readU32(physical & ~3n) === undefined) return undefined;
		if (writes) this.written.add(physical >> pageShift);
		return address;
	}

	private instructionAt(pc: bigint): { readonly bits: number; readonly length: bigint } | undefined {
		const half = this.halfAt(pc);
		if (half === undefined) return undefined;
		if (instructionLength(half) === 2) {
			const bits = expandCompressed(half);
			return bits === undefined ? undefined : { bits, length: 2n };
		}
		const high = this.halfAt(pc + 2n);
		return high === undefined ? undefined : { bits: ((high << 16) | half) >>> 0, length: 4n };
	}

	private halfAt(pc: bigint): number | undefined {
		const physical = this.translate(pc, "executable");
		const word = physical === undefined ? undefined : this.memory.readU32(physical & ~3n);
		if (physical === undefined || word === undefined) return undefined;
		this.depended.add(physical >> pageShift);
		return (physical & 2n) === 0n ? word & 0xffff : word >>> 16;
	}

	private translate(address: bigint, right: "readable" | "writable" | "executable"): bigint | undefined {
		if (this.root === undefined) return address;
		const { leaf, physicalAddress, steps } = walk(this.root, address, (at) => this.memory.readU64(at));
		for (const { table } of steps) this.depended.add(table >> pageShift);
		return leaf?.[right] && !leaf.user ? physicalAddress : undefined;
	}
}

const wrap = (value: bigint) => BigInt.asUintN(64, value);
const key = ({ pc, calls }: Place) => `${pc} ${calls.join(" ")}`;

/** Of the integer instructions that make addresses; undefined: any value. */
function resultOf(
	mnemonic: string,
	bits: number,
	pc: bigint,
	rs1: bigint | undefined,
	rs2: bigint | undefined,
): bigint | undefined {
	switch (mnemonic) {
		case "lui":
			return wrap(BigInt(bits & ~0xfff));
		case "auipc":
			return wrap(pc + BigInt(bits & ~0xfff));
		case "addi":
			return rs1 === undefined ? undefined : wrap(rs1 + BigInt(fields.imm12.get(bits)));
		case "add":
			return rs1 === undefined || rs2 === undefined ? undefined : wrap(rs1 + rs2);
		case "sub":
			return rs1 === undefined || rs2 === undefined ? undefined : wrap(rs1 - rs2);
		default:
			return undefined;
	}
}

function withRegister(known: Known, index: number, value: bigint | undefined): Known {
	if (index === 0) return known;
	const registers = [...known.registers];
	registers[index] = value;
	return { ...known, registers };
}

function withStore(known: Known, address: bigint, bytes: bigint, value: bigint | undefined): Known {
	const stored = new Map(known.stored);
	stored.delete(address & ~7n);
	// What lies elsewhere than on its stack others may change.
	const base = known.registers[sp];
	const isOwn = base !== undefined && address >= base && address < base + 4096n;
	if (bytes === 8n && value !== undefined && isOwn) stored.set(address, value);
	return { ...known, stored };
}

/** `before` itself where nothing more is open. */
function join(before: Known, after: Known): Known {
	const differs = before.registers.some((value, index) => value !== undefined && value !== after.registers[index]);
	const lost = [...before.stored].some(([address, value]) => after.stored.get(address) !== value);
	if (!differs && !lost) return before;
	return {
		registers: before.registers.map((value, index) => (value === after.registers[index] ? value : undefined)),
		stored: new Map([...before.stored].filter(([address, value]) => after.stored.get(address) === value)),
	};
}
