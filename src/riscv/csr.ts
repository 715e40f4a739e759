import type { PrivilegeMode } from "./registers.ts";

export interface Csr {
	readonly number: number;
	readonly name: string;
	/** Lowest mode that may access it, from bits 9..8 of the number. */
	readonly privilege: PrivilegeMode;
	/** Bits 11..10 are both set: a write is an illegal instruction. */
	readonly readOnly: boolean;
	readonly text: string;
}

const rows: [number, string, string][] = [
	[0x001, "fflags", "floating-point accrued exceptions: NX UF OF DZ NV from bit 0"],
	[0x002, "frm", "floating-point dynamic rounding mode"],
	[0x003, "fcsr", "floating-point control and status: frm and fflags"],
	[0xc00, "cycle", "cycle counter"],
	[0xc01, "time", "timer, a copy of mtime"],
	[0xc02, "instret", "instructions retired"],
	[0x100, "sstatus", "supervisor status: the parts of mstatus that S-mode may see"],
	[0x104, "sie", "supervisor interrupt enables"],
	[0x105, "stvec", "supervisor trap vector"],
	[0x106, "scounteren", "which counters U-mode may read"],
	[0x10a, "senvcfg", "environment of U-mode"],
	[0x140, "sscratch", "scratch register for the supervisor's trap handler"],
	[0x141, "sepc", "pc at which the supervisor trap was taken"],
	[0x142, "scause", "why the supervisor trap was taken"],
	[0x143, "stval", "address or instruction that belongs to the supervisor trap"],
	[0x144, "sip", "supervisor interrupts pending"],
	[0x14d, "stimecmp", "supervisor timer interrupt when time reaches this (Sstc)"],
	[0x180, "satp", "page-table root and translation mode"],
	[0x300, "mstatus", "machine status: interrupt enables, previous modes, MPRV, SUM, MXR"],
	[0x301, "misa", "which extensions this hart has"],
	[0x302, "medeleg", "exceptions that trap into S-mode instead of M-mode"],
	[0x303, "mideleg", "interrupts that trap into S-mode instead of M-mode"],
	[0x304, "mie", "machine interrupt enables"],
	[0x305, "mtvec", "machine trap vector"],
	[0x306, "mcounteren", "which counters S-mode may read"],
	[0x30a, "menvcfg", "environment of S-mode; STCE turns stimecmp on"],
	[0x320, "mcountinhibit", "stops counters"],
	[0x340, "mscratch", "scratch register for the machine trap handler"],
	[0x341, "mepc", "pc at which the machine trap was taken"],
	[0x342, "mcause", "why the machine trap was taken"],
	[0x343, "mtval", "address or instruction that belongs to the machine trap"],
	[0x344, "mip", "machine interrupts pending"],
	[0xb00, "mcycle", "machine cycle counter"],
	[0xb02, "minstret", "machine instructions-retired counter"],
	[0xf11, "mvendorid", "vendor"],
	[0xf12, "marchid", "architecture"],
	[0xf13, "mimpid", "implementation"],
	[0xf14, "mhartid", "number of this hart"],
	[0xf15, "mconfigptr", "address of a configuration structure, 0 for none"],
];
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
	return byNumber.get(number)?.name ?? `0x${number.toString(16)}`;
}
