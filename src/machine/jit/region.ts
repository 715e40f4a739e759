// A region: the code that is reached from one entry inside its page, as basic blocks. It ends where the page ends, at what
// only the interpreter does, and where it gets too large.

import { ra } from "../../riscv/registers.ts";
import * as op from "../core/opcodes.ts";
import { type Instruction, isBranch, isFarBranch, isForInterpreter } from "./instruction.ts";

export const pageSize = 4096;

export type BlockEnd =
	/** Continues at an offset of the page, in the region or not. */
	| { readonly kind: "jump"; readonly target: number }
	/** Continues in another page, at an offset counted from this one. */
	| { readonly kind: "leave"; readonly target: number }
	/** The interpreter continues at an offset of the page. */
	| { readonly kind: "stop"; readonly offset: number }
	| { readonly kind: "branch"; readonly test: Instruction; readonly taken: number; readonly next: number }
	/** jalr; `returns`: places after calls in the region, one of which it may go back to. */
	| { readonly kind: "indirect"; readonly jump: Instruction; readonly returns: readonly number[] };

export interface Block {
	readonly offset: number;
	/** With the jump or branch that ends it, if any. */
	readonly instructions: readonly Instruction[];
	readonly end: BlockEnd;
}

export interface Limits {
	readonly instructions: number;
	/** Instructions of a block. The interpreter does what is left of a slice that is too short for a block. */
	readonly block: number;
	readonly returns: number;
}

export const defaultLimits: Limits = { instructions: 400, block: 100, returns: 6 };

/** Reads the instruction at an offset of the page. */
export type Reader = (offset: number) => Instruction;

export interface Region {
	readonly entry: number;
	/** By offset. */
	readonly blocks: ReadonlyMap<number, Block>;
}

function isJump(code: number): boolean {
	return code === op.OP_JAL || code === op.OP_JAL_LOCAL || code === op.OP_J_LOCAL || code === op.OP_JALR;
}

/** The distance of a local jump or branch is one of records. */
function localTarget(one: Instruction): number {
	return one.offset + (one.immediate >> 3);
}

interface Found {
	readonly seen: Map<number, Instruction>;
	readonly leaders: Set<number>;
	readonly returns: readonly number[];
}

/** All instructions that control can reach, nearest first; returns from calls come last. Functions that never ran are left out. */
function explore(read: Reader, entry: number, limits: Limits, ran: (offset: number) => boolean): Found {
	const seen = new Map<number, Instruction>();
	const leaders = new Set([entry]);
	const returns: number[] = [];
	const work = [entry];
	const later: number[] = [];
	const reach = (offset: number, queue: number[]) => {
		leaders.add(offset);
		queue.push(offset);
	};
	const follow = (one: Instruction) => {
		const next = one.offset + one.length;
		if (isBranch(one.op)) {
			if (!isFarBranch(one.op)) reach(localTarget(one), work);
			reach(next, work);
		} else if (one.op === op.OP_J_LOCAL) reach(localTarget(one), work);
		else if (one.op === op.OP_JAL_LOCAL) {
			const known = ran(localTarget(one));
			if (known) reach(localTarget(one), work);
			if (one.rd === ra && next < pageSize) {
				if (known) returns.push(next);
				reach(next, later);
			}
		}
	};
	while (seen.size < limits.instructions) {
		let offset = work.shift() ?? later.shift();
		if (offset === undefined) break;
		for (let length = 1; offset < pageSize && !seen.has(offset) && seen.size < limits.instructions; length++) {
			const one = read(offset);
			seen.set(offset, one);
			if (isForInterpreter(one)) break;
			if (isBranch(one.op) || isJump(one.op)) {
				follow(one);
				break;
			}
			offset += one.length;
			if (length % limits.block === 0) leaders.add(offset);
		}
	}
	return { seen, leaders, returns: returns.length <= limits.returns ? returns : [] };
}

function endOf(one: Instruction, returns: readonly number[]): BlockEnd {
	const next = one.offset + one.length;
	switch (one.op) {
		case op.OP_JAL:
			return { kind: "leave", target: one.offset + one.immediate };
		case op.OP_JAL_LOCAL:
		case op.OP_J_LOCAL:
			return { kind: "jump", target: localTarget(one) };
		case op.OP_JALR: {
			const isReturn = one.rs1 === ra && one.rd === 0 && one.immediate === 0;
			return { kind: "indirect", jump: one, returns: isReturn ? returns : [] };
		}
	}
	const taken = isFarBranch(one.op) ? one.offset + one.immediate : localTarget(one);
	return { kind: "branch", test: one, taken, next };
}

function blockAt(offset: number, { seen, leaders, returns }: Found): Block {
	const instructions: Instruction[] = [];
	for (let at = offset; ; ) {
		if (at >= pageSize) return { offset, instructions, end: { kind: "leave", target: at } };
		const one = seen.get(at);
		if (!one || (at !== offset && leaders.has(at))) return { offset, instructions, end: { kind: "jump", target: at } };
		if (isForInterpreter(one)) return { offset, instructions, end: { kind: "stop", offset: at } };
		instructions.push(one);
		if (isBranch(one.op) || isJump(one.op)) return { offset, instructions, end: endOf(one, returns) };
		at += one.length;
	}
}

/** Undefined: nothing can be executed there without the interpreter. `ran`: whether what is called at an offset ever ran. */
export function discover(
	read: Reader,
	entry: number,
	limits: Limits = defaultLimits,
	ran: (offset: number) => boolean = () => true,
): Region | undefined {
	if (isForInterpreter(read(entry))) return undefined;
	const found = explore(read, entry, limits, ran);
	const blocks = new Map<number, Block>();
	for (const leader of found.leaders) {
		if (found.seen.has(leader)) blocks.set(leader, blockAt(leader, found));
	}
	return { entry, blocks };
}

/** Offsets that control may go to from a block. */
export function successors({ end }: Block): readonly number[] {
	switch (end.kind) {
		case "jump":
			return [end.target];
		case "branch":
			return isFarBranch(end.test.op) ? [end.next] : [end.taken, end.next];
		case "indirect":
			return end.returns;
		default:
			return [];
	}
}
