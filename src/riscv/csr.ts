import { hex } from "../common/bytes.ts";
import type { PrivilegeMode } from "./registers.ts";

interface Csr {
	readonly number: number;
	readonly name: string;
	/** Lowest mode that may access it, from bits 9..8 of the number. */
	readonly privilege: PrivilegeMode;
	/** Bits 11..10 are both set: a write is an illegal instruction. */
	readonly readOnly: boolean;
	readonly text: string;
}

/** Names, numbers and purposes, without the numbered ones below. */
const named = {
	fflags: [0x001, "floating-point accrued exceptions: NX UF OF DZ NV from bit 0"],
	frm: [0x002, "floating-point dynamic rounding mode"],
	fcsr: [0x003, "floating-point control and status: frm and fflags"],
	cycle: [0xc00, "cycle counter"],
	time: [0xc01, "timer, a copy of mtime"],
	instret: [0xc02, "instructions retired"],
	sstatus: [0x100, "supervisor status: the parts of mstatus that S-mode may see"],
	sie: [0x104, "supervisor interrupt enables"],
	stvec: [0x105, "supervisor trap vector"],
	scounteren: [0x106, "which counters U-mode may read"],
	senvcfg: [0x10a, "environment of U-mode"],
	sscratch: [0x140, "scratch register for the supervisor's trap handler"],
	sepc: [0x141, "pc at which the supervisor trap was taken"],
	scause: [0x142, "why the supervisor trap was taken"],
	stval: [0x143, "address or instruction that belongs to the supervisor trap"],
	sip: [0x144, "supervisor interrupts pending"],
	stimecmp: [0x14d, "supervisor timer interrupt when time reaches this (Sstc)"],
	satp: [0x180, "page-table root and translation mode"],
	mstatus: [0x300, "machine status: interrupt enables, previous modes, MPRV, SUM, MXR"],
	misa: [0x301, "which extensions this hart has"],
	medeleg: [0x302, "exceptions that trap into S-mode instead of M-mode"],
	mideleg: [0x303, "interrupts that trap into S-mode instead of M-mode"],
	mie: [0x304, "machine interrupt enables"],
	mtvec: [0x305, "machine trap vector"],
	mcounteren: [0x306, "which counters S-mode may read"],
	menvcfg: [0x30a, "environment of S-mode; STCE turns stimecmp on"],
	mcountinhibit: [0x320, "stops counters"],
	mscratch: [0x340, "scratch register for the machine trap handler"],
	mepc: [0x341, "pc at which the machine trap was taken"],
	mcause: [0x342, "why the machine trap was taken"],
	mtval: [0x343, "address or instruction that belongs to the machine trap"],
	mip: [0x344, "machine interrupts pending"],
	mcycle: [0xb00, "machine cycle counter"],
	minstret: [0xb02, "machine instructions-retired counter"],
	mvendorid: [0xf11, "vendor"],
	marchid: [0xf12, "architecture"],
	mimpid: [0xf13, "implementation"],
	mhartid: [0xf14, "number of this hart"],
	mconfigptr: [0xf15, "address of a configuration structure, 0 for none"],
} as const satisfies Record<string, readonly [number, string]>;

/** A CSR's number by its name: `CSR.satp`. */
export const CSR = Object.fromEntries(Object.entries(named).map(([name, [number]]) => [name, number])) as Readonly<
	Record<keyof typeof named, number>
>;

const rows: [number, string, string][] = Object.entries(named).map(([name, [number, text]]) => [number, name, text]);
// 16 PMP entries; on RV64 only the even configuration registers exist.
for (const n of [0, 2])
	rows.push([0x3a0 + n, `pmpcfg${n}`, `physical memory protection, configuration of entries ${n * 4}..${n * 4 + 7}`]);
for (let n = 0; n < 16; n++) rows.push([0x3b0 + n, `pmpaddr${n}`, `physical memory protection, address of entry ${n}`]);
// QEMU virt has sixteen programmable counters by default.
for (let n = 3; n < 19; n++) {
	rows.push([0xc00 + n, `hpmcounter${n}`, "performance counter, always 0 here"]);
	rows.push([0xb00 + n, `mhpmcounter${n}`, "machine performance counter, always 0 here"]);
}
for (let n = 3; n < 32; n++)
	rows.push([0x320 + n, `mhpmevent${n}`, "what the performance counter counts, always 0 here"]);

/** Every CSR of the machine, by number; one that is not here raises an illegal-instruction exception. */
export const csrs: readonly Csr[] = rows
	.map(([number, name, text]) => ({
		number,
		name,
		privilege: ((number >> 8) & 3) as PrivilegeMode,
		readOnly: number >> 10 === 3,
		text,
	}))
	.sort((a, b) => a.number - b.number);

const byNumber = new Map(csrs.map((csr) => [csr.number, csr]));
const byName = new Map(csrs.map((csr) => [csr.name, csr]));

export function findCsr(number: number): Csr | undefined {
	return byNumber.get(number);
}

export function csrNumber(name: string): number | undefined {
	return byName.get(name)?.number;
}

/** The name, or the number in hexadecimal as assemblers accept it. */
export function csrName(number: number): string {
	return byNumber.get(number)?.name ?? hex(number);
}
