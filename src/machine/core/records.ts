// One instruction as a record, for those who look at code without running it, or must run it alone.

import { SCRATCH_RECORDS, TLB_FETCH, V_TLB } from "./layout";
import * as op from "./opcodes";
import { slotOfRecords } from "./code";
import { decode, decodeAt } from "./decode";
import { faulted } from "./hart";
import { fetchHalf } from "./memory";
import { tlbEntry } from "./tlb";

/** The instruction at pc as a record in the scratch area, for pages that must be looked at one by one; 0 on a fault. */
export function scratch(h: usize, pc: u64): usize {
	let bits = fetchHalf(h, pc);
	if (faulted(h)) return 0;
	if ((bits & 3) == 3) {
		bits |= fetchHalf(h, pc + 2) << 16;
		if (faulted(h)) return 0;
	}
	decode(SCRATCH_RECORDS, bits, 0, false);
	store<u8>(SCRATCH_RECORDS + <u32>load<u8>(SCRATCH_RECORDS, 1), op.OP_END);
	return SCRATCH_RECORDS;
}

/** The instruction at pc as a record, from the decoded page where the TLB knows it; 0 on a fault. Never a breakpoint: whether one is set may not be seen. */
export function peekRecord(h: usize, pc: u64): usize {
	const entry = tlbEntry(load<u32>(h, V_TLB), pc);
	if (load<u64>(entry, TLB_FETCH) == (pc & ~0xfff)) {
		const base = load<u32>(entry, TLB_FETCH + 8);
		const r: usize = base + ((<usize>pc & 0xffe) << 3);
		if (load<u8>(r) == op.OP_UNDECODED) decodeAt(slotOfRecords(base), <u32>pc & 0xffe);
		const code: u32 = load<u8>(r);
		if (code != op.OP_END && code != op.OP_STRADDLE && code != op.OP_BREAK) return r;
	}
	return scratch(h, pc);
}
