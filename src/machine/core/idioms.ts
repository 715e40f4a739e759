// Byte loops in bulk: memset, memmove and memcpy as gcc and clang compile them (xv6 clears all of RAM with one at boot).
//
// A loop is recognised when its closing branch is decoded: a straight body of `addi x, x, ±1`, at most one byte load and at
// most one byte store, closed by a bne between a stepped register and one that the body leaves alone. When the branch is
// taken, as many whole iterations as stay inside the pages at hand, inside the step budget and short of the last one
// are done at once; registers, memory and the step count end as if each instruction had run. Whatever is left (page ends,
// TLB misses, faults, the final iteration) goes through the plain records.

import { H_SINK, PAGE_SIZE, S_BULK_STEPS, TLB_READ, TLB_WRITE, V_TLB } from "./layout";
import * as op from "./opcodes";
import { tlbEntry } from "./tlb";

const MAX_BODY: u32 = 8;

// @ts-ignore: decorator
@inline
function rd(q: usize): u32 {
	return load<u16>(q, 2);
}

// @ts-ignore: decorator
@inline
function rs1(q: usize): u32 {
	return load<u16>(q, 4);
}

// @ts-ignore: decorator
@inline
function rs2(q: usize): u32 {
	return load<u16>(q, 6);
}

// @ts-ignore: decorator
@inline
function next(q: usize): usize {
	return q + <usize>load<u8>(q, 1);
}

/** Sum of the steps of a register over the body records [from, to). */
function stepOf(from: usize, to: usize, register: u32): i64 {
	let step: i64 = 0;
	for (let q = from; q < to; q = next(q)) {
		if (load<u8>(q) == op.OP_ADDI && rd(q) == register) step += load<i32>(q, 8);
	}
	return step;
}

function isLoad(q: usize): bool {
	return load<u8>(q) == op.OP_LBU || load<u8>(q) == op.OP_LB;
}

/** Turns the backward bne at `branch` into its bulk form if its body (already decoded) is one of the loops above. */
export function recognise(branch: usize): void {
	const start = branch + load<i32>(branch, 8);
	let loaded: u32 = 0;
	let stores: u32 = 0;
	let n: u32 = 0;
	for (let q = start; q != branch; q = next(q)) {
		if (q > branch || ++n > MAX_BODY) return;
		const code: u32 = load<u8>(q);
		if (code == op.OP_ADDI) {
			const step = load<i32>(q, 8);
			if (rd(q) != rs1(q) || (step != 1 && step != -1)) return;
			// One step for each register.
			if (stepOf(start, branch, rd(q)) != step) return;
		} else if (isLoad(q)) {
			if (loaded || rd(q) == H_SINK || stores) return;
			loaded = rd(q);
		} else if (code == op.OP_SB) {
			if (stores++) return;
			// A stepped register as the stored value would differ each time.
			if (stepOf(start, branch, rs2(q)) != 0) return;
		} else return;
	}
	if (!stores) return;
	if (loaded && (stepOf(start, branch, loaded) != 0 || usesAsOperand(start, branch, loaded))) return;
	const a = stepOf(start, branch, rs1(branch));
	const b = stepOf(start, branch, rs2(branch));
	if ((a == 0) == (b == 0)) return;
	store<u8>(branch, op.OP_BULK_BNE);
}

/** Whether the loaded register is an address or is compared, or a stepped register is stored. */
function usesAsOperand(start: usize, branch: usize, register: u32): bool {
	for (let q = start; q < branch; q = next(q)) if (rs1(q) == register) return true;
	return rs1(branch) == register || rs2(branch) == register;
}

/** First address that a load or store of the body touches in the coming iterations. */
function addressOf(h: usize, start: usize, q: usize): u64 {
	return load<u64>(h + rs1(q)) + <u64>load<i32>(q, 8) + <u64>stepOf(start, q, rs1(q));
}

/** Iterations until the address leaves its page. */
function roomFor(va: u64, step: i64): u64 {
	if (step > 0) return PAGE_SIZE - (va & 0xfff);
	if (step < 0) return (va & 0xfff) + 1;
	return 0x7fffffff;
}

/** The branch at `branch` is taken. Does whole iterations; returns the steps they took. */
export function bulk(h: usize, branch: usize, left: u32): u32 {
	const start = branch + load<i32>(branch, 8);
	const stepA = stepOf(start, branch, rs1(branch));
	const step = stepA != 0 ? stepA : stepOf(start, branch, rs2(branch));
	const from = load<i64>(h + (stepA != 0 ? rs1(branch) : rs2(branch)));
	const to = load<i64>(h + (stepA != 0 ? rs2(branch) : rs1(branch)));
	let source: usize = 0;
	let target: usize = 0;
	let n: u32 = 1;
	for (let q = start; q != branch; q = next(q)) {
		n++;
		if (isLoad(q)) source = q;
		else if (load<u8>(q) == op.OP_SB) target = q;
	}
	// The branch after iteration i is taken while from + i * step differs from the end.
	let k = min<u64>(<u64>((to - from) * step) - 1, left / n);
	const tlb = load<u32>(h, V_TLB);
	const targetStep = stepOf(start, branch, rs1(target));
	const targetVa = addressOf(h, start, target);
	k = min<u64>(k, roomFor(targetVa, targetStep));
	if (k < 2) return 0;
	let e = tlbEntry(tlb, targetVa);
	if (load<u64>(e, TLB_WRITE) != (targetVa & ~0xfff)) return 0;
	const targetAt: usize = load<u32>(e, TLB_WRITE + 8) + <u32>targetVa;
	if (source) {
		const sourceStep = stepOf(start, branch, rs1(source));
		const sourceVa = addressOf(h, start, source);
		k = min<u64>(k, roomFor(sourceVa, sourceStep));
		if (k < 2) return 0;
		e = tlbEntry(tlb, sourceVa);
		if (load<u64>(e, TLB_READ) != (sourceVa & ~0xfff)) return 0;
		copyBytes(h, source, target, load<u32>(e, TLB_READ + 8) + <u32>sourceVa, targetAt, <i32>sourceStep, <i32>targetStep, <u32>k);
	} else {
		if (targetStep == 0) store<u8>(targetAt, load<u8>(h + rs2(target)));
		else memory.fill(targetStep > 0 ? targetAt : targetAt - <usize>k + 1, load<u8>(h + rs2(target)), <usize>k);
	}
	for (let q = start; q != branch; q = next(q)) {
		if (load<u8>(q) == op.OP_ADDI) store<i64>(h + rd(q), load<i64>(h + rd(q)) + <i64>k * load<i32>(q, 8));
	}
	const steps = <u32>k * n;
	store<u64>(S_BULK_STEPS, load<u64>(S_BULK_STEPS) + steps);
	return steps;
}

/** k rounds of load and store, in order; the loaded register ends with the last byte. */
function copyBytes(h: usize, source: usize, target: usize, from: usize, to: usize, fromStep: i32, toStep: i32, k: u32): void {
	const loaded = rd(source);
	const forwards = rs2(target) == loaded;
	const last = from + (k - 1) * fromStep;
	if (forwards && fromStep == 1 && toStep == 1 && (to <= from || to >= from + k)) {
		const byte = load<u8>(last);
		memory.copy(to, from, k);
		setLoaded(h, source, byte);
		return;
	}
	let byte: u8 = 0;
	for (let i: u32 = 0; i < k; i++) {
		byte = load<u8>(from);
		store<u8>(to, forwards ? byte : load<u8>(h + rs2(target)));
		from += fromStep;
		to += toStep;
	}
	setLoaded(h, source, byte);
}

function setLoaded(h: usize, source: usize, byte: u8): void {
	store<u64>(h + rd(source), load<u8>(source) == op.OP_LB ? <u64><i64><i8>byte : <u64>byte);
}
