import type { ProgramSymbols } from "../../debuginfo/symbolizer.ts";
import { expandCompressed } from "../../riscv/compressed.ts";
import { fields } from "../../riscv/fields.ts";
import { findInstruction } from "../../riscv/isa.ts";
import type { GuestMemory } from "../guestMemory.ts";

/** A call as the code has it. */
interface CallSite {
	readonly at: number;
	/** Symbol of the function that is called. */
	readonly callee: string;
	/** Where it returns to. */
	readonly returnsTo: number;
	/** a0, where the code makes it of constants alone: the address of a global object. */
	readonly argument: number | undefined;
	/** Otherwise the register, of those that calls keep, that a0 is a copy of, and what was added to it. */
	readonly copy?: { readonly register: number; readonly offset: number };
}

/** Longer functions than this are data. */
const maxBytes = 64 * 1024;
const calleeSaved = (register: number) =>
	register === 2 || register === 8 || register === 9 || (register >= 18 && register <= 27);

/** First byte of the function that holds an address, and one past its last. */
export function functionBounds(symbols: ProgramSymbols, address: number): { start: number; end: number } | undefined {
	const symbol = symbols.symbolAt(address);
	if (!symbol) return undefined;
	const start = address - symbol.offset;
	let end = address;
	while (end - start < maxBytes && symbols.symbolAt(end + 2)?.name === symbol.name) end += 2;
	return { start, end: end + 2 };
}

const known = new WeakMap<ProgramSymbols, Map<number, readonly CallSite[]>>();

/**
 * Direct calls in the function that starts at `start`, in the order of the code. Constants are followed in that order too, not along
 * branches: an argument is a hint, and counts only where something else agrees with it.
 */
export function callSites(symbols: ProgramSymbols, memory: GuestMemory, start: number): readonly CallSite[] {
	let sites = known.get(symbols);
	if (!sites) {
		sites = new Map();
		known.set(symbols, sites);
	}
	let found = sites.get(start);
	if (!found) {
		found = scan(symbols, memory, start);
		sites.set(start, found);
	}
	return found;
}

function scan(symbols: ProgramSymbols, memory: GuestMemory, start: number): CallSite[] {
	const bounds = functionBounds(symbols, start);
	if (!bounds) return [];
	const found: CallSite[] = [];
	const constants = new Map<number, number>();
	let copy: CallSite["copy"];
	for (let at = bounds.start; at < bounds.end; ) {
		const half = memory.unsigned(at, 2);
		if (half === undefined) break;
		const wide = (half & 3) === 3;
		const word = wide ? memory.u32(at) : expandCompressed(half);
		const length = wide ? 4 : 2;
		const next = at + length;
		const instruction = word === undefined ? undefined : findInstruction(word);
		if (word === undefined || !instruction) {
			at = next;
			continue;
		}
		const rd = fields.rd.get(word);
		const from = constants.get(fields.rs1.get(word));
		const set = (value: number | undefined) => {
			if (rd === 0) return;
			if (value === undefined) constants.delete(rd);
			else constants.set(rd, value);
		};
		const call = (target: number) => {
			const symbol = symbols.symbolAt(target);
			const argument = constants.get(10);
			if (symbol?.offset === 0)
				found.push({
					...{ at, callee: symbol.name, returnsTo: next, argument },
					...(argument === undefined && copy ? { copy } : {}),
				});
			copy = undefined;
			for (const register of [...constants.keys()]) if (!calleeSaved(register)) constants.delete(register);
		};
		const kept = instruction.mnemonic === "add" ? fields.rs2.get(word) : fields.rs1.get(word);
		const writes = instruction.kind !== "store" && instruction.kind !== "branch";
		if (writes && rd === 10)
			copy =
				copies(instruction.mnemonic, word) && calleeSaved(kept)
					? { register: kept, offset: immediate(instruction.mnemonic, word) }
					: undefined;
		else if (writes && rd === copy?.register) copy = undefined;
		switch (instruction.mnemonic) {
			case "auipc":
				set(at + (word & 0xfffff000));
				break;
			case "lui":
				set(word & 0xfffff000);
				break;
			case "addi":
				set(fields.rs1.get(word) === 0 ? word >> 20 : from === undefined ? undefined : from + (word >> 20));
				break;
			case "add":
				// c.mv is add rd, x0, rs2.
				set(fields.rs1.get(word) === 0 ? constants.get(fields.rs2.get(word)) : undefined);
				break;
			case "jal":
				if (rd !== 0) call(at + fields.jump.get(word));
				// A jump out of the function is a call, too: the last one.
				else if (!inside(bounds, at + fields.jump.get(word))) call(at + fields.jump.get(word));
				break;
			case "jalr":
				if (from !== undefined) call(from + (word >> 20));
				else if (rd !== 0)
					for (const register of [...constants.keys()]) if (!calleeSaved(register)) constants.delete(register);
				break;
			default:
				if (writes) set(undefined);
		}
		at = next;
	}
	return found;
}

// c.mv is add rd, x0, rs2.
const copies = (mnemonic: string, word: number) =>
	mnemonic === "addi" || (mnemonic === "add" && fields.rs1.get(word) === 0);
const immediate = (mnemonic: string, word: number) => (mnemonic === "addi" ? word >> 20 : 0);

/** Whether `pc` is in a loop of its function that goes round an atomic operation, as the one in acquire() does. */
export function inAtomicLoop(symbols: ProgramSymbols, memory: GuestMemory, pc: number): boolean {
	const bounds = functionBounds(symbols, pc);
	if (!bounds) return false;
	const atomics: number[] = [];
	for (let at = bounds.start; at < bounds.end; ) {
		const half = memory.unsigned(at, 2);
		if (half === undefined) return false;
		const wide = (half & 3) === 3;
		const word = wide ? memory.u32(at) : expandCompressed(half);
		const instruction = word === undefined ? undefined : findInstruction(word);
		if (word !== undefined && instruction) {
			if (/^(?:amo|lr\.)/.test(instruction.mnemonic)) atomics.push(at);
			const { kind, mnemonic } = instruction;
			const jump = mnemonic === "jal" && fields.rd.get(word) === 0;
			const target = kind === "branch" ? at + fields.branch.get(word) : jump ? at + fields.jump.get(word) : at;
			if (target < at && target <= pc && pc <= at && atomics.some((atomic) => atomic >= target)) return true;
		}
		at += wide ? 4 : 2;
	}
	return false;
}

/** Whether the code of one function leads from one address to another without passing those of `without`; calls return. */
export function reaches(
	symbols: ProgramSymbols,
	memory: GuestMemory,
	{ from, to, without }: { readonly from: number; readonly to: number; readonly without: ReadonlySet<number> },
): boolean {
	const bounds = functionBounds(symbols, from);
	if (!bounds) return false;
	const seen = new Set<number>();
	const open = [from];
	for (let at = open.pop(); at !== undefined; at = open.pop()) {
		if (seen.has(at) || without.has(at) || !inside(bounds, at)) continue;
		seen.add(at);
		const half = memory.unsigned(at, 2);
		if (half === undefined) continue;
		const wide = (half & 3) === 3;
		const next = at + (wide ? 4 : 2);
		// `to` lies inside of the call instruction that returns after it.
		if (to >= at && to < next) return true;
		const word = wide ? memory.u32(at) : expandCompressed(half);
		const instruction = word === undefined ? undefined : findInstruction(word);
		if (word === undefined || !instruction) continue;
		const goesAway = fields.rd.get(word) === 0 && (instruction.mnemonic === "jal" || instruction.mnemonic === "jalr");
		if (instruction.kind === "branch") open.push(at + fields.branch.get(word));
		if (goesAway && instruction.mnemonic === "jal") open.push(at + fields.jump.get(word));
		if (!goesAway) open.push(next);
	}
	return false;
}

const inside = ({ start, end }: { start: number; end: number }, address: number) => address >= start && address < end;

/** Bytes that a function takes of the stack at its entry: the first `addi sp, sp, -N`, or `lui`+`add` for a large one; 0: none seen. */
export function frameBytes(symbols: ProgramSymbols, memory: GuestMemory, address: number): number {
	const bounds = functionBounds(symbols, address);
	if (!bounds) return 0;
	const constants = new Map<number, number>();
	let total = 0;
	for (let at = bounds.start, i = 0; at < bounds.end && i < 64; i++) {
		const half = memory.unsigned(at, 2);
		if (half === undefined) break;
		const wide = (half & 3) === 3;
		const word = wide ? memory.u32(at) : expandCompressed(half);
		at += wide ? 4 : 2;
		const instruction = word === undefined ? undefined : findInstruction(word);
		if (word === undefined || !instruction) continue;
		const rd = fields.rd.get(word);
		const rs1 = fields.rs1.get(word);
		const { mnemonic } = instruction;
		if (mnemonic === "addi" && rd === 2 && rs1 === 2) {
			const step = word >> 20;
			if (step > 0) break;
			total -= step;
		} else if (mnemonic === "lui") constants.set(rd, word & 0xfffff000);
		else if ((mnemonic === "addi" || mnemonic === "addiw") && rs1 === rd) {
			const before = constants.get(rd);
			if (before !== undefined) constants.set(rd, before + (word >> 20));
		} else if (mnemonic === "addi" && rs1 === 0) constants.set(rd, word >> 20);
		else if (mnemonic === "add" && rd === 2) {
			const step = constants.get(rs1 === 2 ? fields.rs2.get(word) : rs1) ?? 0;
			if (step < 0) total -= step;
		} else if (mnemonic === "sub" && rd === 2 && rs1 === 2) {
			total += Math.max(0, constants.get(fields.rs2.get(word)) ?? 0);
		} else if (instruction.kind === "jump" || instruction.kind === "branch") break;
	}
	return total;
}
