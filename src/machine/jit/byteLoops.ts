// Loops of one block that set or copy bytes, in whatever form a compiler gave them: what one turn adds to each register, and
// which bytes it loads and stores. Translated code then makes many turns at once (emitByteLoop.ts).
//
// A value in the loop is a sum of registers at the turn's beginning and a constant, of 64 bits or as a sign-extended word.

import * as op from "../core/opcodes.ts";
import { type Instruction, isBulkBranch, isLocalBranch, writeOf } from "./instruction.ts";
import type { Block } from "./region.ts";

interface Sum {
	readonly registers: readonly number[];
	readonly constant: number;
	readonly word: boolean;
}

export interface Place {
	/** The address in the coming turn is the sum of these registers and a constant. */
	readonly registers: readonly number[];
	readonly constant: number;
}

export interface ByteLoop {
	/** What a turn adds to the registers that it writes, except `loaded`. */
	readonly steps: readonly { readonly register: number; readonly step: number; readonly word: boolean }[];
	/** The addresses of both go up by 1 with each turn, or down. */
	readonly direction: 1 | -1;
	readonly store: Place;
	/** Register with the stored byte. */
	readonly source: number;
	readonly load?: Place & { readonly register: number; readonly signed: boolean };
	/** The branch is taken until `counter`, which steps by 1 or -1, equals `bound`. */
	readonly counter: number;
	readonly counterStep: 1 | -1;
	readonly counterIsWord: boolean;
	readonly bound: number;
}

const bodyMax = 10;

function add(a: Sum, b: Sum): Sum | undefined {
	if (a.word || b.word || a.registers.length + b.registers.length > 2) return undefined;
	return { registers: [...a.registers, ...b.registers], constant: a.constant + b.constant, word: false };
}

/** What the body leaves in each register that it writes; undefined: it does something else, too. */
class Body {
	readonly values = new Map<number, Sum | "loaded">();
	store: { readonly at: Sum; readonly source: number } | undefined;
	load: { readonly at: Sum; readonly register: number; readonly signed: boolean } | undefined;

	private value(register: number): Sum | undefined {
		const known = this.values.get(register);
		if (known === "loaded") return undefined;
		return known ?? { registers: register === 0 ? [] : [register], constant: 0, word: false };
	}

	/** False: not such a loop. */
	execute(one: Instruction): boolean {
		const a = this.value(one.rs1);
		const constant: Sum = { registers: [], constant: one.immediate, word: false };
		switch (one.op) {
			case op.OP_NOP:
				return true;
			case op.OP_MV:
				return this.set(one, a);
			case op.OP_ADDI:
				return this.set(one, a && add(a, constant));
			case op.OP_ADDIW: {
				const sum = a && add(a, constant);
				return this.set(one, sum && { ...sum, word: true });
			}
			case op.OP_ADD: {
				const b = this.value(one.rs2);
				return this.set(one, a && b && add(a, b));
			}
			case op.OP_LB:
			case op.OP_LBU: {
				const at = a && add(a, constant);
				if (!at || this.load || this.store || writeOf(one) === 0) return false;
				this.load = { at, register: one.rd, signed: one.op === op.OP_LB };
				this.values.set(one.rd, "loaded");
				return true;
			}
			case op.OP_SB: {
				const at = a && add(a, constant);
				if (!at || this.store) return false;
				this.store = { at, source: one.rs2 };
				return true;
			}
		}
		return false;
	}

	private set(one: Instruction, value: Sum | undefined): boolean {
		if (!value || this.values.get(one.rd) === "loaded") return false;
		if (one.rd !== 0) this.values.set(one.rd, value);
		return true;
	}

	/** What a turn adds to a sum; undefined: that is not the same each turn. */
	stepOf(sum: Sum): number | undefined {
		let step = 0;
		for (const register of sum.registers) {
			const value = this.values.get(register);
			if (value === undefined) continue;
			if (value === "loaded" || value.registers.length !== 1 || value.registers[0] !== register) return undefined;
			// A word that steps is its low half only.
			if (value.word && !(sum.word && sum.registers.length === 1)) return undefined;
			step += value.constant;
		}
		return step;
	}
}

/** Undefined: the block is no such loop. */
export function byteLoop(block: Block): ByteLoop | undefined {
	const { end, instructions } = block;
	if (end.kind !== "branch" || end.taken !== block.offset || instructions.length > bodyMax) return undefined;
	const isBne = end.test.op === op.OP_BNE_LOCAL || end.test.op === op.OP_BULK_BNE;
	if (!isBne || !(isLocalBranch(end.test.op) || isBulkBranch(end.test.op))) return undefined;
	const body = new Body();
	for (const one of instructions.slice(0, -1)) if (!body.execute(one)) return undefined;
	const { store, load } = body;
	if (!store) return undefined;
	const direction = body.stepOf(store.at);
	if (store.at.word || (direction !== 1 && direction !== -1)) return undefined;
	if (load ? store.source !== load.register : body.values.has(store.source)) return undefined;
	if (load && (load.at.word || body.stepOf(load.at) !== direction)) return undefined;
	const steps = [];
	for (const [register, value] of body.values) {
		if (value === "loaded") continue;
		const step = body.stepOf(value);
		if (step === undefined) return undefined;
		steps.push({ register, step, word: value.word });
	}
	const { rs1, rs2 } = end.test;
	const counter = body.values.has(rs1) ? rs1 : rs2;
	const bound = counter === rs1 ? rs2 : rs1;
	const counting = steps.find(({ register }) => register === counter);
	if (!counting || body.values.has(bound) || (counting.step !== 1 && counting.step !== -1)) return undefined;
	return {
		steps,
		direction,
		store: store.at,
		source: store.source,
		...(load ? { load: { ...load.at, register: load.register, signed: load.signed } } : {}),
		counter,
		counterStep: counting.step,
		counterIsWord: counting.word,
		bound,
	};
}
