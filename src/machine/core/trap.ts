// Traps: taking exceptions and interrupts, returning from them (privileged ISA 3.1.6, 3.1.8, 3.3.2, 4.1).

import {
	EVENT_TRAP, EVENT_TRAP_RETURN, H_EXCEPTIONS, H_FAULT, H_FAULT_CAUSE, H_FAULT_TVAL, H_ID, H_MCAUSE, H_MEDELEG, H_MEPC,
	H_MIDELEG, H_MIE, H_MIP, H_MODE, H_MSTATUS, H_MTVAL, H_MTVEC, H_PC, H_RESERVATION, H_SCAUSE, H_SEPC, H_STVAL, H_STVEC,
	H_TRAPS, H_WAITING, S_EXCEPTIONS, S_INTERRUPTS, T_EVENT_MASK, V_LEFT, V_STEPS_END, V_TRAP_CAUSE, V_TRAP_FROM, V_TRAP_PC,
	V_TRAP_STEPS, V_TRAP_STREAK, V_TRAP_TO, V_TRAP_TVAL,
} from "./layout";
import {
	IRQ_MEI, IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI, MODE_M, MODE_S, MODE_U, MSTATUS_MIE, MSTATUS_MPIE, MSTATUS_MPP, MSTATUS_MPRV,
	MSTATUS_SIE, MSTATUS_SPIE, MSTATUS_SPP, NEVER, YIELD_INTERRUPTS, count, hartCount, yieldAfter, yieldIfStopped,
} from "./hart";
import { selectBank } from "./tlb";
import { endTurn } from "./turns";

// @ts-ignore: decorator
@external("env", "onTrap") declare function onTrap(hart: u32): void;
// @ts-ignore: decorator
@external("env", "onTrapReturn") declare function onTrapReturn(hart: u32): void;

const INTERRUPT: u64 = 1 << 63;

/** EVENT_* bits to report. */
export function setEventMask(mask: u32): void {
	store<u32>(T_EVENT_MASK, mask);
}

function setMode(h: usize, mode: u32): void {
	store<u32>(h, mode, H_MODE);
	// As QEMU: a change of mode gives up the reservation.
	store<u64>(h, NEVER, H_RESERVATION);
	selectBank(h);
}

function enter(h: usize, cause: u64, interrupt: bool, tval: u64): void {
	const from = load<u32>(h, H_MODE);
	const pc = load<u64>(h, H_PC);
	const delegated = from != MODE_M && (((interrupt ? load<u64>(h, H_MIDELEG) : load<u64>(h, H_MEDELEG)) >> cause) & 1) != 0;
	const code = interrupt ? cause | INTERRUPT : cause;
	let status = load<u64>(h, H_MSTATUS);
	const vector = delegated ? load<u64>(h, H_STVEC) : load<u64>(h, H_MTVEC);
	if (delegated) {
		store<u64>(h, code, H_SCAUSE);
		store<u64>(h, pc, H_SEPC);
		store<u64>(h, tval, H_STVAL);
		const enabled = (status & MSTATUS_SIE) != 0;
		status &= ~(MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP);
		if (enabled) status |= MSTATUS_SPIE;
		if (from == MODE_S) status |= MSTATUS_SPP;
	} else {
		store<u64>(h, code, H_MCAUSE);
		store<u64>(h, pc, H_MEPC);
		store<u64>(h, tval, H_MTVAL);
		const enabled = (status & MSTATUS_MIE) != 0;
		status &= ~(MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP);
		if (enabled) status |= MSTATUS_MPIE;
		status |= <u64>from << 11;
	}
	store<u64>(h, status, H_MSTATUS);
	store<u64>(h, (vector & ~3) + (interrupt && (vector & 3) == 1 ? cause << 2 : 0), H_PC);
	const to = delegated ? MODE_S : MODE_M;
	setMode(h, to);
	if (hartCount() > 1) endTurn(h);
	report(h, code, tval, pc, from, to);
}

function report(h: usize, code: u64, tval: u64, pc: u64, from: u32, to: u32): void {
	store<u64>(h, load<u64>(h, H_TRAPS) + 1, H_TRAPS);
	count(code & INTERRUPT ? S_INTERRUPTS + ((<u32>code & 15) << 3) : S_EXCEPTIONS + ((<u32>code & 15) << 3));
	store<u64>(h, code, V_TRAP_CAUSE);
	store<u64>(h, tval, V_TRAP_TVAL);
	store<u64>(h, pc, V_TRAP_PC);
	store<u32>(h, from, V_TRAP_FROM);
	store<u32>(h, to, V_TRAP_TO);
	if (load<u32>(T_EVENT_MASK) & EVENT_TRAP) {
		onTrap(load<u32>(h, H_ID));
		yieldIfStopped(h);
	}
}

/** Takes the exception that `fault` noted. V_LEFT already counts the step. */
export function takeException(h: usize): void {
	store<u32>(h, 0, H_FAULT);
	store<u64>(h, load<u64>(h, H_EXCEPTIONS) + 1, H_EXCEPTIONS);
	// A step that traps right after one that trapped made no progress.
	const steps = load<u64>(h, V_STEPS_END) - load<u32>(h, V_LEFT);
	const streak = steps == load<u64>(h, V_TRAP_STEPS) + 1;
	store<u32>(h, streak ? load<u32>(h, V_TRAP_STREAK) + 1 : 0, V_TRAP_STREAK);
	store<u64>(h, steps, V_TRAP_STEPS);
	enter(h, load<u64>(h, H_FAULT_CAUSE), false, load<u64>(h, H_FAULT_TVAL));
}

/** Takes the most urgent interrupt that is pending and enabled, if any. Called only where DESIGN's determinism rule allows. */
export function takeInterrupt(h: usize): void {
	const pending = load<u64>(h, H_MIP) & load<u64>(h, H_MIE);
	if (!pending) return;
	const mode = load<u32>(h, H_MODE);
	const status = load<u64>(h, H_MSTATUS);
	const delegated = load<u64>(h, H_MIDELEG);
	let ready: u64 = mode != MODE_M || (status & MSTATUS_MIE) != 0 ? pending & ~delegated : 0;
	if (!ready && (mode == MODE_U || (mode == MODE_S && (status & MSTATUS_SIE) != 0))) ready = pending & delegated;
	if (!ready) return;
	const cause: u64 = ready & IRQ_MEI ? 11 : ready & IRQ_MSI ? 3 : ready & IRQ_MTI ? 7 : ready & IRQ_SEI ? 9 : ready & IRQ_SSI ? 1 : 5;
	store<u32>(h, 0, H_WAITING);
	enter(h, cause, true, 0);
}

export function returnFromMachine(h: usize): void {
	let status = load<u64>(h, H_MSTATUS);
	const to = <u32>((status >> 11) & 3);
	const enabled = (status & MSTATUS_MPIE) != 0;
	status &= ~(MSTATUS_MIE | MSTATUS_MPP);
	status |= MSTATUS_MPIE;
	if (enabled) status |= MSTATUS_MIE;
	if (to != MODE_M) status &= ~MSTATUS_MPRV;
	store<u64>(h, status, H_MSTATUS);
	leave(h, to, load<u64>(h, H_MEPC));
}

export function returnFromSupervisor(h: usize): void {
	let status = load<u64>(h, H_MSTATUS);
	const to = status & MSTATUS_SPP ? MODE_S : MODE_U;
	const enabled = (status & MSTATUS_SPIE) != 0;
	status &= ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV);
	status |= MSTATUS_SPIE;
	if (enabled) status |= MSTATUS_SIE;
	store<u64>(h, status, H_MSTATUS);
	leave(h, to, load<u64>(h, H_SEPC));
}

function leave(h: usize, to: u32, pc: u64): void {
	store<u64>(h, pc, H_PC);
	setMode(h, to);
	yieldAfter(h, YIELD_INTERRUPTS);
	if (load<u32>(T_EVENT_MASK) & EVENT_TRAP_RETURN) {
		onTrapReturn(load<u32>(h, H_ID));
		yieldIfStopped(h);
	}
}
