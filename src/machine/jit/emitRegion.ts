// A region as the body of a WebAssembly function.

import * as op from "../core/opcodes.ts";
import { byteLoop } from "./byteLoops.ts";
import { emitByteLoop } from "./emitByteLoop.ts";
import { emitFloat, emitFloatGuard } from "./emitFloat.ts";
import { emitInteger } from "./emitInteger.ts";
import { emitMemory } from "./emitMemory.ts";
import { emitStatusAccess } from "./emitStatus.ts";
import { coldLabel, Emitter, type Site } from "./emitter.ts";
import { type Instruction, isBranch, isFloat } from "./instruction.ts";
import { pageCaches } from "./pageCaches.ts";
import { type Block, type BlockEnd, pageSize, type Region } from "./region.ts";
import { type RegisterUse, registerUse } from "./registers.ts";
import { type StepChecks, stepChecks } from "./stepChecks.ts";
import type { Structure } from "./structure.ts";
import { flowOf, offsetOfKey, unroll } from "./unroll.ts";
import { type FunctionBody, noResult, wasm } from "./wasmWriter.ts";

export interface Translation {
	readonly body: FunctionBody;
	readonly instructions: number;
	/** Backward edges that had to leave the region. */
	readonly irreducible: number;
}

const comparisons = [wasm.i64Eq, wasm.i64Ne, wasm.i64LtS, wasm.i64GeS, wasm.i64LtU, wasm.i64GeU] as const;

function comparisonOf(code: number): number {
	if (code === op.OP_BULK_BNE) return wasm.i64Ne;
	const first = code >= op.OP_BEQ_LOCAL ? op.OP_BEQ_LOCAL : op.OP_BEQ;
	return comparisons[code - first] as number;
}

type Branch = BlockEnd & { kind: "branch" };

class RegionEmitter {
	private readonly e: Emitter;
	private irreducible = 0;

	constructor(
		private readonly blocks: readonly Block[],
		private readonly flow: Structure,
		private readonly registers: RegisterUse,
		private readonly checks: StepChecks,
		slot: number,
		chained: boolean,
	) {
		const caches = pageCaches(blocks);
		this.e = new Emitter(registers.used, slot, chained, caches);
	}

	translate(): Translation {
		const { e } = this;
		e.loadRegisters(this.registers.loaded);
		const masks = [...new Set([...this.registers.dirty, ...this.registers.dirtyBefore])];
		for (const mask of masks) e.open(wasm.block, coldLabel(mask), noResult);
		e.open(wasm.block, "near", noResult);
		e.open(wasm.block, "far", noResult);
		this.tree(0);
		e.close();
		e.farTail();
		e.close();
		e.nearTail();
		for (const mask of masks.reverse()) {
			e.close();
			e.coldTail(mask);
		}
		e.op(wasm.unreachable, wasm.end);
		const instructions = this.blocks.reduce((sum, block) => sum + block.instructions.length, 0);
		return { body: e.body(), instructions, irreducible: this.irreducible };
	}

	/** The block and all that it dominates. */
	private tree(index: number): void {
		const { e, flow } = this;
		const merges = (flow.children[index] ?? []).filter((child) => flow.isMerge[child]);
		if (!flow.isLoop[index]) {
			this.within(index, merges);
			return;
		}
		e.open(wasm.loop, `loop ${index}`, noResult);
		this.within(index, merges);
		e.op(wasm.unreachable);
		e.close();
	}

	/** The block inside of the scopes whose ends are its merge points. */
	private within(index: number, merges: readonly number[]): void {
		const last = merges.at(-1);
		if (last === undefined) {
			this.block(index);
			return;
		}
		this.e.open(wasm.block, `merge ${last}`, noResult);
		this.within(index, merges.slice(0, -1));
		this.e.close();
		this.tree(last);
	}

	private block(index: number): void {
		const { e } = this;
		const block = this.blocks[index] as Block;
		const count = block.instructions.length;
		const dirty = this.registers.dirty[index] as number;
		const before = this.checks.before[index] as number;
		const needed = this.checks.needed[index] as number;
		if (this.checks.looks[index] && needed > 0) {
			e.get(e.left);
			e.const32(needed);
			e.op(wasm.i32LtU);
			e.hardlyEver();
			e.open(wasm.if, "budget", noResult);
			e.coldExit(this.registers.dirtyBefore[index] as number, block.offset, 0);
			e.close();
		}
		let floats = false;
		block.instructions.forEach((one, at) => {
			const site: Site = { dirty, spent: before + at };
			if (isFloat(one.op) && !floats) {
				emitFloatGuard(e, one, site);
				floats = true;
			}
			this.instruction(one, site);
		});
		this.end(index, block, dirty, before + count);
	}

	private instruction(one: Instruction, site: Site): void {
		const { e } = this;
		if (isBranch(one.op) || one.op === op.OP_J_LOCAL) return;
		switch (one.op) {
			case op.OP_JAL:
			case op.OP_JAL_LOCAL:
				e.pcOf(one.offset + one.length);
				e.write(one.rd);
				return;
			case op.OP_JALR:
				e.read(one.rs1);
				e.const64(one.immediate);
				e.op(wasm.i64Add);
				e.const64(-2);
				e.op(wasm.i64And);
				e.set(e.target);
				e.pcOf(one.offset + one.length);
				e.write(one.rd);
				return;
			case op.OP_CSR:
				emitStatusAccess(e, one, site);
				return;
		}
		if (emitInteger(e, one) || emitMemory(e, one, site)) return;
		if (!isFloat(one.op)) throw new Error(`operation ${one.op} is not translated`);
		emitFloat(e, one, site);
	}

	private end(index: number, block: Block, dirty: number, spent: number): void {
		const { e } = this;
		const { end } = block;
		switch (end.kind) {
			case "jump":
				this.goTo(index, end.target, dirty, spent);
				return;
			case "leave":
				e.spend(spent);
				e.pcOf(end.target);
				e.set(e.target);
				e.farExit(dirty);
				return;
			case "stop":
				e.coldExit(dirty, end.offset, spent);
				return;
			case "indirect":
				for (const place of end.returns) {
					if (!this.flow.indexOf.has(place)) continue;
					e.get(e.target);
					e.pcOf(place);
					e.op(wasm.i64Eq);
					e.open(wasm.if, "returns", noResult);
					this.goTo(index, place, dirty, spent);
					e.close();
				}
				e.spend(spent);
				e.farExit(dirty);
				return;
			case "branch":
				this.conditional(index, block, end, dirty, spent);
		}
	}

	private conditional(index: number, block: Block, end: Branch, dirty: number, spent: number): void {
		const { e } = this;
		const { test } = end;
		const loop = byteLoop(block);
		e.read(test.rs1);
		e.read(test.rs2);
		e.op(comparisonOf(test.op));
		e.open(wasm.if, "taken", noResult);
		if (loop) {
			e.spend(spent);
			emitByteLoop(e, loop, block.instructions.length);
		}
		this.goTo(index, end.taken, dirty, loop ? 0 : spent);
		e.close();
		this.goTo(index, end.next, dirty, spent);
	}

	/** From a block to the key of another, or an offset counted from the page; `spent` steps are not subtracted yet. */
	private goTo(from: number, key: number, dirty: number, spent: number): void {
		const { e, flow } = this;
		const to = flow.indexOf.get(key);
		const offset = offsetOfKey(key);
		if (to === undefined || this.checks.settled[to]) e.spend(spent);
		if (to === undefined) {
			if (offset >= 0 && offset < pageSize) e.nearExit(dirty, offset);
			else {
				e.pcOf(offset);
				e.set(e.target);
				e.farExit(dirty);
			}
		} else if (to <= from) {
			if (flow.reducible(from, to)) e.branch(`loop ${to}`);
			else {
				this.irreducible++;
				if (!this.checks.settled[to]) e.spend(spent);
				e.nearExit(dirty, offset);
			}
		} else if (flow.isMerge[to]) e.branch(`merge ${to}`);
		else this.tree(to);
	}
}

export function translateRegion(region: Region, slot: number, chained: boolean): Translation {
	const unrolled = unroll(region);
	const flow = flowOf(unrolled);
	const blocks = flow.order.map((key) => unrolled.blocks.get(key) as Block);
	return new RegionEmitter(
		blocks,
		flow,
		registerUse(blocks, flow),
		stepChecks(blocks, flow),
		slot,
		chained,
	).translate();
}
