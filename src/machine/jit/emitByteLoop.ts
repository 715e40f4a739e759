// Many turns of a byte loop at once: as many as stay inside of the pages at hand, inside of the steps left, and short of the
// last one. Registers, memory and steps end as if each instruction had been executed; the rest is done turn by turn.

import * as layout from "../core/layout.ts";
import type { ByteLoop, Place } from "./byteLoops.ts";
import type { Emitter } from "./emitter.ts";
import { noResult, wasm } from "./wasmWriter.ts";

/** Fewer turns are as quick one by one. */
const turnsMin = 16;
const memoryCopy = [0xfc, 0x0a, 0, 0];
const memoryFill = [0xfc, 0x0b, 0];

/** The turn is over and another one follows; `length`: its instructions. */
export function emitByteLoop(e: Emitter, loop: ByteLoop, length: number): void {
	e.open(wasm.block, "single", noResult);
	turnsLeft(e, loop);
	atMost(e, () => {
		e.get(e.left);
		e.const32(length);
		e.op(wasm.i32DivU);
	});
	if (loop.load) {
		hostAddress(e, loop.load, loop, layout.TLB_READ);
		e.set(e.from);
	}
	hostAddress(e, loop.store, loop, layout.TLB_WRITE);
	e.set(e.place);
	e.get(e.turns);
	e.const32(turnsMin);
	e.op(wasm.i32LtU);
	e.branch("single", wasm.brIf);
	if (loop.load) copy(e, loop, loop.load);
	else {
		lowest(e, e.place, loop);
		e.readWord(loop.source);
		e.get(e.turns);
		e.op(...memoryFill);
	}
	for (const { register, step, word } of loop.steps) {
		if (step === 0) continue;
		e.read(register);
		e.get(e.turns);
		e.op(wasm.i64ExtendI32U);
		e.const64(step);
		e.op(wasm.i64Mul, wasm.i64Add);
		if (word) e.op(wasm.i32WrapI64, wasm.i64ExtendI32S);
		e.write(register);
	}
	e.get(e.left);
	e.get(e.turns);
	e.const32(length);
	e.op(wasm.i32Mul, wasm.i32Sub);
	e.set(e.left);
	countBulk(e, length);
	e.close();
}

/** Steps in bulk are cheap: a history lays its checkpoints by the others. */
function countBulk(e: Emitter, length: number): void {
	e.const32(0);
	e.const32(0);
	e.memory(wasm.i64Load, layout.S_BULK_STEPS);
	e.get(e.turns);
	e.const32(length);
	e.op(wasm.i32Mul, wasm.i64ExtendI32U, wasm.i64Add);
	e.memory(wasm.i64Store, layout.S_BULK_STEPS);
}

/** `turns` = those before the last one, as far as 32 bits reach; leaves if there are few. */
function turnsLeft(e: Emitter, loop: ByteLoop): void {
	const { counter, bound, counterStep } = loop;
	if (loop.counterIsWord) {
		// Another bound is never met.
		e.read(bound);
		e.readWord(bound);
		e.op(wasm.i64ExtendI32S, wasm.i64Ne);
		e.branch("single", wasm.brIf);
	}
	e.read(counterStep > 0 ? bound : counter);
	e.read(counterStep > 0 ? counter : bound);
	e.op(wasm.i64Sub);
	if (loop.counterIsWord) {
		e.const64(0xffff_ffffn);
		e.op(wasm.i64And);
	}
	e.const64(1);
	e.op(wasm.i64Sub);
	e.tee(e.value);
	e.const64(turnsMin);
	e.op(wasm.i64LtU);
	e.branch("single", wasm.brIf);
	e.get(e.value);
	e.op(wasm.i32WrapI64);
	e.const32(pageTurns);
	e.get(e.value);
	e.const64(pageTurns);
	e.op(wasm.i64LtU, wasm.select);
	e.set(e.turns);
}

/** No page has room for more. */
const pageTurns = 4096;

/** `turns` = the lesser of it and what `other` leaves. */
function atMost(e: Emitter, other: () => void): void {
	other();
	e.tee(e.entry);
	e.get(e.turns);
	e.get(e.entry);
	e.get(e.turns);
	e.op(wasm.i32LtU, wasm.select);
	e.set(e.turns);
}

/** Leaves the host address of the coming turn's access; keeps `turns` inside of its page. */
function hostAddress(e: Emitter, { registers, constant }: Place, { direction }: ByteLoop, table: number): void {
	e.const64(constant);
	for (const register of registers) {
		e.read(register);
		e.op(wasm.i64Add);
	}
	e.set(e.address);
	atMost(e, () => {
		if (direction > 0) e.const32(4096);
		e.get(e.address);
		e.op(wasm.i32WrapI64);
		e.const32(0xfff);
		e.op(wasm.i32And);
		if (direction > 0) e.op(wasm.i32Sub);
		else {
			e.const32(1);
			e.op(wasm.i32Add);
		}
	});
	e.tlbEntry(e.address);
	e.memory(wasm.i64Load, table);
	e.get(e.address);
	e.const64(-4096);
	e.op(wasm.i64And, wasm.i64Ne);
	e.branch("single", wasm.brIf);
	e.get(e.entry);
	e.memory(wasm.i32Load, table + 8);
	e.get(e.address);
	e.op(wasm.i32WrapI64, wasm.i32Add);
}

/** The lowest host address of all turns. */
function lowest(e: Emitter, first: number, { direction }: ByteLoop): void {
	e.get(first);
	if (direction > 0) return;
	e.get(e.turns);
	e.op(wasm.i32Sub);
	e.const32(1);
	e.op(wasm.i32Add);
}

/** A copy that would read what it wrote goes turn by turn. */
function copy(e: Emitter, loop: ByteLoop, load: NonNullable<ByteLoop["load"]>): void {
	const ahead = () => {
		e.get(loop.direction > 0 ? e.place : e.from);
		e.get(loop.direction > 0 ? e.from : e.place);
		e.op(wasm.i32Sub);
	};
	// 1 .. turns - 1 bytes ahead in the direction of the loop.
	ahead();
	e.const32(1);
	e.op(wasm.i32Sub);
	e.get(e.turns);
	e.const32(1);
	e.op(wasm.i32Sub, wasm.i32LtU);
	e.branch("single", wasm.brIf);
	// The last byte, before anything is overwritten.
	e.get(e.from);
	e.get(e.turns);
	e.const32(1);
	e.op(wasm.i32Sub);
	e.op(loop.direction > 0 ? wasm.i32Add : wasm.i32Sub);
	e.memory(load.signed ? wasm.i64Load8S : wasm.i64Load8U, 0);
	e.write(load.register);
	lowest(e, e.place, loop);
	lowest(e, e.from, loop);
	e.get(e.turns);
	e.op(...memoryCopy);
}
