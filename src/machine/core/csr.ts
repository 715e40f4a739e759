// Control and status registers: which exist, who may access them, what they read, which bits a write may change
// (privileged ISA 2, 3.1, 4.1; legal values as QEMU 7.2's `virt` has them for RV64GC with Sstc).

import {
	EVENT_ROOT_CHANGE, H_CYCLE_BIAS, H_EXCEPTIONS, H_FFLAGS, H_FRM, H_ID, H_INSTRET_BIAS, H_MCAUSE, H_MCOUNTEREN,
	H_MCOUNTINHIBIT, H_MEDELEG, H_MENVCFG, H_MEPC, H_MIDELEG, H_MIE, H_MIP, H_MODE, H_MSCRATCH, H_MSTATUS, H_MTVAL, H_MTVEC,
	H_PMPADDR, H_SATP, H_SCAUSE, H_SCOUNTEREN, H_SEIP_SOFT, H_SENVCFG, H_SEPC, H_SSCRATCH, H_STIMECMP, H_STVAL, H_STVEC,
	H_STEPS, M_TIME, T_EVENT_MASK, T_RUNNING, V_LEFT, V_STEPS_END,
} from "./layout";
import {
	IRQ_SEI, IRQ_SSI, IRQ_STI, MODE_M, MODE_U, MSTATUS_FS, MSTATUS_MIE, MSTATUS_MPIE, MSTATUS_MPP, MSTATUS_MPRV,
	MSTATUS_MXR, MSTATUS_SD, MSTATUS_SIE, MSTATUS_SPIE, MSTATUS_SPP, MSTATUS_SUM, MSTATUS_TSR, MSTATUS_TVM, MSTATUS_TW,
	MSTATUS_XL, YIELD_INTERRUPTS, yieldAfter, yieldIfStopped,
} from "./hart";
import { flushHart, selectBank } from "./tlb";
import { pmpReadConfig, pmpWriteAddress, pmpWriteConfig } from "./pmp";
import { MENVCFG_STCE, updateTimer } from "./clint";
import { plicUpdate } from "./plic";
import { endTurn } from "./turns";

// @ts-ignore: decorator
@external("env", "onRootChange") declare function onRootChange(hart: u32): void;

const FFLAGS: u32 = 0x001;
const FRM: u32 = 0x002;
const FCSR: u32 = 0x003;
const SSTATUS: u32 = 0x100;
const SIE: u32 = 0x104;
const STVEC: u32 = 0x105;
const SCOUNTEREN: u32 = 0x106;
const SENVCFG: u32 = 0x10a;
const SSCRATCH: u32 = 0x140;
const SEPC: u32 = 0x141;
const SCAUSE: u32 = 0x142;
const STVAL: u32 = 0x143;
const SIP: u32 = 0x144;
const STIMECMP: u32 = 0x14d;
const SATP: u32 = 0x180;
const MSTATUS: u32 = 0x300;
const MISA: u32 = 0x301;
const MEDELEG: u32 = 0x302;
const MIDELEG: u32 = 0x303;
const MIE: u32 = 0x304;
const MTVEC: u32 = 0x305;
const MCOUNTEREN: u32 = 0x306;
const MENVCFG: u32 = 0x30a;
const MCOUNTINHIBIT: u32 = 0x320;
const MSCRATCH: u32 = 0x340;
const MEPC: u32 = 0x341;
const MCAUSE: u32 = 0x342;
const MTVAL: u32 = 0x343;
const MIP: u32 = 0x344;
const PMPCFG0: u32 = 0x3a0;
const PMPADDR0: u32 = 0x3b0;
/** Debug triggers: none exist. Both select 0 and type 0 (no trigger) say so (debug spec 5.7). */
const TSELECT: u32 = 0x7a0;
const TDATA1: u32 = 0x7a1;
const MCYCLE: u32 = 0xb00;
const MINSTRET: u32 = 0xb02;
const CYCLE: u32 = 0xc00;
const TIME: u32 = 0xc01;
const INSTRET: u32 = 0xc02;
const MVENDORID: u32 = 0xf11;
const MHARTID: u32 = 0xf14;
const MCONFIGPTR: u32 = 0xf15;

/** RV64IMAFDC with S and U. */
const MISA_VALUE: u64 = 0x800000000014112d;
/** QEMU 7.2 counts in counters 3..18 (pmu-num=16); ours stay zero. All 29 event selectors exist. */
const HPM_FIRST: u32 = 3;
const HPM_LAST: u32 = 18;

const SSTATUS_READ: u64 = MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR | 0x300000000 | MSTATUS_SD;
const SSTATUS_WRITE: u64 = MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR;
const MSTATUS_WRITE: u64 = SSTATUS_WRITE | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MPRV | MSTATUS_TVM | MSTATUS_TW | MSTATUS_TSR;
const SUPERVISOR_IRQS: u64 = IRQ_SSI | IRQ_STI | IRQ_SEI;
const MIE_WRITE: u64 = 0xaaa;
/** Causes 0..9, 12, 13, 15; never the call from M. */
const MEDELEG_WRITE: u64 = 0xb3ff;
/** FIOM, CBIE, CBCFE, CBZE. */
const SENVCFG_WRITE: u64 = 0xf1;
/** The same, PBMTE and STCE. */
const MENVCFG_WRITE: u64 = 0xc0000000000000f1;

function exists(csr: u32): bool {
	switch (csr) {
		case FFLAGS: case FRM: case FCSR:
		case SSTATUS: case SIE: case STVEC: case SCOUNTEREN: case SENVCFG: case SSCRATCH: case SEPC: case SCAUSE: case STVAL:
		case SIP: case STIMECMP: case SATP:
		case MSTATUS: case MISA: case MEDELEG: case MIDELEG: case MIE: case MTVEC: case MCOUNTEREN: case MENVCFG:
		case MCOUNTINHIBIT: case MSCRATCH: case MEPC: case MCAUSE: case MTVAL: case MIP:
		case PMPCFG0: case PMPCFG0 + 2: case TSELECT: case TDATA1: case MCYCLE: case MINSTRET: case CYCLE: case TIME: case INSTRET:
		case MVENDORID: case 0xf12: case 0xf13: case MHARTID: case MCONFIGPTR:
			return true;
	}
	if (csr >= PMPADDR0 && csr < PMPADDR0 + 16) return true;
	return (csr >= MCOUNTINHIBIT + HPM_FIRST && csr < MCOUNTINHIBIT + 32) || within(csr, MCYCLE) || within(csr, CYCLE);
}

/** Performance counters and their events, all hardwired to zero. */
// @ts-ignore: decorator
@inline
function within(csr: u32, base: u32): bool {
	return csr >= base + HPM_FIRST && csr <= base + HPM_LAST;
}

export function hasCsr(csr: u32): bool {
	return exists(csr);
}

/** Whether the hart may access the CSR now. */
function permitted(h: usize, csr: u32, write: bool): bool {
	const mode = load<u32>(h, H_MODE);
	if (write && csr >> 10 == 3) return false;
	if (mode < ((csr >> 8) & 3) || !exists(csr)) return false;
	if (csr <= FCSR) return (load<u64>(h, H_MSTATUS) & MSTATUS_FS) != 0;
	if (csr == SATP) return mode == MODE_M || (load<u64>(h, H_MSTATUS) & MSTATUS_TVM) == 0;
	if (csr == STIMECMP) return mode == MODE_M || ((load<u64>(h, H_MCOUNTEREN) & 2) != 0 && (load<u64>(h, H_MENVCFG) & MENVCFG_STCE) != 0);
	if (csr >= CYCLE && csr < CYCLE + 32) {
		const bit: u64 = 1 << <u64>(csr - CYCLE);
		if (mode != MODE_M && !(load<u64>(h, H_MCOUNTEREN) & bit)) return false;
		return mode != MODE_U || (load<u64>(h, H_SCOUNTEREN) & bit) != 0;
	}
	return true;
}

/** SD says whether FS is dirty. */
function withSd(status: u64): u64 {
	return (status & MSTATUS_FS) == MSTATUS_FS ? status | MSTATUS_SD : status;
}

/** Steps made before the instruction under way, whose step V_LEFT has already counted. */
function steps(h: usize): u64 {
	return load<u64>(h, V_STEPS_END) - load<u32>(h, V_LEFT) - 1;
}

const INHIBIT_CYCLE: u64 = 1;
const INHIBIT_INSTRET: u64 = 4;

/** What runs on top of the bias of mcycle: nothing while it is inhibited, the bias then holds the value. */
function cycles(h: usize): u64 {
	return load<u64>(h, H_MCOUNTINHIBIT) & INHIBIT_CYCLE ? 0 : steps(h);
}

function retired(h: usize): u64 {
	return load<u64>(h, H_MCOUNTINHIBIT) & INHIBIT_INSTRET ? 0 : steps(h) - load<u64>(h, H_EXCEPTIONS);
}

/** The same as seen by the next instruction. */
function cyclesAfter(h: usize): u64 {
	return load<u64>(h, H_MCOUNTINHIBIT) & INHIBIT_CYCLE ? 0 : steps(h) + 1;
}

function retiredAfter(h: usize): u64 {
	return load<u64>(h, H_MCOUNTINHIBIT) & INHIBIT_INSTRET ? 0 : steps(h) + 1 - load<u64>(h, H_EXCEPTIONS);
}

/** Counters that are now inhibited stop where they are, the others go on from where they stood. */
function writeInhibit(h: usize, value: u64): void {
	const cycle = readCsr(h, MCYCLE);
	const instret = readCsr(h, MINSTRET);
	store<u64>(h, value, H_MCOUNTINHIBIT);
	store<u64>(h, cycle - cycles(h), H_CYCLE_BIAS);
	store<u64>(h, instret - retired(h), H_INSTRET_BIAS);
}

export function readCsr(h: usize, csr: u32): u64 {
	switch (csr) {
		case FFLAGS: return load<u32>(h, H_FFLAGS);
		case FRM: return load<u32>(h, H_FRM);
		case FCSR: return load<u32>(h, H_FFLAGS) | (load<u32>(h, H_FRM) << 5);
		case SSTATUS: return withSd(load<u64>(h, H_MSTATUS)) & SSTATUS_READ;
		case SIE: return load<u64>(h, H_MIE) & load<u64>(h, H_MIDELEG);
		case STVEC: return load<u64>(h, H_STVEC);
		case SCOUNTEREN: return load<u64>(h, H_SCOUNTEREN);
		case SENVCFG: return load<u64>(h, H_SENVCFG);
		case SSCRATCH: return load<u64>(h, H_SSCRATCH);
		case SEPC: return load<u64>(h, H_SEPC);
		case SCAUSE: return load<u64>(h, H_SCAUSE);
		case STVAL: return load<u64>(h, H_STVAL);
		case SIP: return load<u64>(h, H_MIP) & load<u64>(h, H_MIDELEG);
		case STIMECMP: return load<u64>(h, H_STIMECMP);
		case SATP: return load<u64>(h, H_SATP);
		case MSTATUS: return withSd(load<u64>(h, H_MSTATUS));
		case MISA: return MISA_VALUE;
		case MEDELEG: return load<u64>(h, H_MEDELEG);
		case MIDELEG: return load<u64>(h, H_MIDELEG);
		case MIE: return load<u64>(h, H_MIE);
		case MTVEC: return load<u64>(h, H_MTVEC);
		case MCOUNTEREN: return load<u64>(h, H_MCOUNTEREN);
		case MENVCFG: return load<u64>(h, H_MENVCFG);
		case MCOUNTINHIBIT: return load<u64>(h, H_MCOUNTINHIBIT);
		case MSCRATCH: return load<u64>(h, H_MSCRATCH);
		case MEPC: return load<u64>(h, H_MEPC);
		case MCAUSE: return load<u64>(h, H_MCAUSE);
		case MTVAL: return load<u64>(h, H_MTVAL);
		case MIP: return load<u64>(h, H_MIP);
		case PMPCFG0: return pmpReadConfig(h, 0);
		case PMPCFG0 + 2: return pmpReadConfig(h, 2);
		case TIME: return load<u64>(M_TIME);
		case MCYCLE: case CYCLE: return load<u64>(h, H_CYCLE_BIAS) + cycles(h);
		case MINSTRET: case INSTRET: return load<u64>(h, H_INSTRET_BIAS) + retired(h);
		case MHARTID: return load<u32>(h, H_ID);
	}
	if (csr >= PMPADDR0 && csr < PMPADDR0 + 16) return load<u64>(h + ((csr - PMPADDR0) << 3), H_PMPADDR);
	return 0;
}

/** For readers outside of a run: no instruction is under way, counters stand at the steps made. */
export function peekCsr(h: usize, csr: u32): u64 {
	const end = load<u64>(h, V_STEPS_END);
	const left = load<u32>(h, V_LEFT);
	// A listener of a hart that runs may ask; the counts that the run continues with are put back.
	const steps = load<u32>(T_RUNNING) == load<u32>(h, H_ID) + 1 ? end - left : load<u64>(h, H_STEPS);
	store<u64>(h, steps + 1, V_STEPS_END);
	store<u32>(h, 0, V_LEFT);
	const value = readCsr(h, csr);
	store<u64>(h, end, V_STEPS_END);
	store<u32>(h, left, V_LEFT);
	return value;
}

/** For writers outside of a run. */
export function pokeCsr(h: usize, csr: u32, value: u64): void {
	store<u64>(h, load<u64>(h, H_STEPS) + 1, V_STEPS_END);
	store<u32>(h, 0, V_LEFT);
	// What writeCsr takes for the next instruction's view is this moment's.
	if (csr == MCYCLE) store<u64>(h, value - cycles(h), H_CYCLE_BIAS);
	else if (csr == MINSTRET) store<u64>(h, value - retired(h), H_INSTRET_BIAS);
	else writeCsr(h, csr, value);
}

function setStatus(h: usize, value: u64, mask: u64): void {
	store<u64>(h, (load<u64>(h, H_MSTATUS) & ~mask) | (value & mask) | MSTATUS_XL, H_MSTATUS);
	selectBank(h);
	yieldAfter(h, YIELD_INTERRUPTS);
}

function setPending(h: usize, value: u64, mask: u64): void {
	if (mask & IRQ_SEI) {
		store<u64>(h, value & IRQ_SEI, H_SEIP_SOFT);
		mask &= ~IRQ_SEI;
	}
	store<u64>(h, (load<u64>(h, H_MIP) & ~mask) | (value & mask), H_MIP);
	plicUpdate();
	yieldAfter(h, YIELD_INTERRUPTS);
	endTurn(h);
}

export function writeCsr(h: usize, csr: u32, value: u64): void {
	switch (csr) {
		case FFLAGS: store<u32>(h, <u32>value & 31, H_FFLAGS); dirtyFloat(h); return;
		case FRM: store<u32>(h, <u32>value & 7, H_FRM); dirtyFloat(h); return;
		case FCSR:
			store<u32>(h, <u32>value & 31, H_FFLAGS);
			store<u32>(h, (<u32>value >> 5) & 7, H_FRM);
			dirtyFloat(h);
			return;
		case SSTATUS: setStatus(h, value, SSTATUS_WRITE); return;
		case MSTATUS:
			// MPP has no value 2: it keeps the one it has.
			setStatus(h, value, (value & MSTATUS_MPP) >> 11 == 2 ? MSTATUS_WRITE & ~MSTATUS_MPP : MSTATUS_WRITE);
			return;
		case SIE: writeEnables(h, value, load<u64>(h, H_MIDELEG) & SUPERVISOR_IRQS); return;
		case MIE: writeEnables(h, value, MIE_WRITE); return;
		case SIP: setPending(h, value, load<u64>(h, H_MIDELEG) & IRQ_SSI); return;
		case MIP: setPending(h, value, load<u64>(h, H_MENVCFG) & MENVCFG_STCE ? IRQ_SSI | IRQ_SEI : IRQ_SSI | IRQ_STI | IRQ_SEI); return;
		// Reserved vector modes leave the register as it is.
		case STVEC: if ((value & 3) < 2) store<u64>(h, value, H_STVEC); return;
		case MTVEC: if ((value & 3) < 2) store<u64>(h, value, H_MTVEC); return;
		case SCOUNTEREN: store<u64>(h, value & 0xffffffff, H_SCOUNTEREN); return;
		case MCOUNTEREN: store<u64>(h, value & 0xffffffff, H_MCOUNTEREN); return;
		case SENVCFG: store<u64>(h, (load<u64>(h, H_SENVCFG) & ~SENVCFG_WRITE) | (value & SENVCFG_WRITE), H_SENVCFG); return;
		case MENVCFG:
			store<u64>(h, (load<u64>(h, H_MENVCFG) & ~MENVCFG_WRITE) | (value & MENVCFG_WRITE), H_MENVCFG);
			updateTimer(h);
			endTurn(h);
			yieldAfter(h, YIELD_INTERRUPTS);
			return;
		case SSCRATCH: store<u64>(h, value, H_SSCRATCH); return;
		case SEPC: store<u64>(h, value & ~1, H_SEPC); return;
		case SCAUSE: store<u64>(h, value, H_SCAUSE); return;
		case STVAL: store<u64>(h, value, H_STVAL); return;
		case STIMECMP:
			store<u64>(h, value, H_STIMECMP);
			updateTimer(h);
			endTurn(h);
			yieldAfter(h, YIELD_INTERRUPTS);
			return;
		case SATP: writeSatp(h, value); return;
		case MISA: return;
		case MEDELEG: store<u64>(h, value & MEDELEG_WRITE, H_MEDELEG); return;
		case MIDELEG: store<u64>(h, value & SUPERVISOR_IRQS, H_MIDELEG); yieldAfter(h, YIELD_INTERRUPTS); return;
		case MCOUNTINHIBIT: writeInhibit(h, value & 0xfffffffd); return;
		case MSCRATCH: store<u64>(h, value, H_MSCRATCH); return;
		case MEPC: store<u64>(h, value & ~1, H_MEPC); return;
		case MCAUSE: store<u64>(h, value, H_MCAUSE); return;
		case MTVAL: store<u64>(h, value, H_MTVAL); return;
		case PMPCFG0: pmpWriteConfig(h, 0, value); flushHart(h); return;
		case PMPCFG0 + 2: pmpWriteConfig(h, 2, value); flushHart(h); return;
		// A read in the next instruction shows the written value.
		case MCYCLE: store<u64>(h, value - cyclesAfter(h), H_CYCLE_BIAS); return;
		case MINSTRET: store<u64>(h, value - retiredAfter(h), H_INSTRET_BIAS); return;
	}
	if (csr >= PMPADDR0 && csr < PMPADDR0 + 16) {
		pmpWriteAddress(h, csr - PMPADDR0, value);
		flushHart(h);
	}
}

function dirtyFloat(h: usize): void {
	store<u64>(h, load<u64>(h, H_MSTATUS) | MSTATUS_FS, H_MSTATUS);
}

function writeEnables(h: usize, value: u64, mask: u64): void {
	store<u64>(h, (load<u64>(h, H_MIE) & ~mask) | (value & mask), H_MIE);
	yieldAfter(h, YIELD_INTERRUPTS);
}

/** Only Bare and Sv39 exist; a write of another mode changes nothing (privileged ISA 4.1.11). */
function writeSatp(h: usize, value: u64): void {
	const mode = value >> 60;
	if (mode != 0 && mode != 8) return;
	if (load<u64>(h, H_SATP) == value) return;
	store<u64>(h, value, H_SATP);
	selectBank(h);
	if (load<u32>(T_EVENT_MASK) & EVENT_ROOT_CHANGE) {
		onRootChange(load<u32>(h, H_ID));
		yieldIfStopped(h);
	}
}

/** Executes a Zicsr instruction; false: illegal. The old value goes to `csrOld`. */
export let csrOld: u64 = 0;

export function executeCsr(h: usize, bits: u32, source: u64): bool {
	const csr = bits >> 20;
	const kind = (bits >> 12) & 3;
	const field = (bits >> 15) & 31;
	const write = kind == 1 || field != 0;
	if (!permitted(h, csr, write)) return false;
	// csrrw with rd = x0 does not read; none of our CSRs has read side effects.
	csrOld = readCsr(h, csr);
	const operand: u64 = bits & 0x4000 ? field : source;
	if (!write) return true;
	// SEIP as read has the PLIC's line in it; set and clear work on the software bit (privileged ISA 3.1.9).
	const base = csr == MIP ? (csrOld & ~IRQ_SEI) | load<u64>(h, H_SEIP_SOFT) : csrOld;
	writeCsr(h, csr, kind == 1 ? operand : kind == 2 ? base | operand : base & ~operand);
	return true;
}
