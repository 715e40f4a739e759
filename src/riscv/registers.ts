/** Integer register names of the RISC-V calling convention (psABI 1.0), by number. */
export const integerRegisters: readonly string[] = (
	"zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 " + "s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6"
).split(" ");

/** Numbers of registers that have a part in calls and system calls (psABI 1.0; xv6's usys.S). */
export const ra = 1;
export const sp = 2;
export const a0 = 10;
export const a1 = 11;
export const a2 = 12;
export const a7 = 17;

/** Floating-point register names of the calling convention, by number. */
export const floatRegisters: readonly string[] = (
	"ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 " +
	"fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11"
).split(" ");

const integerNumbers = new Map<string, number>([["fp", 8]]);
const floatNumbers = new Map<string, number>();
integerRegisters.forEach((name, number) => {
	integerNumbers.set(name, number).set(`x${number}`, number);
});
floatRegisters.forEach((name, number) => {
	floatNumbers.set(name, number).set(`f${number}`, number);
});

/** Number of an integer register by ABI name, `fp` or `x0`..`x31`. */
export function integerRegister(name: string): number | undefined {
	return integerNumbers.get(name);
}

/** Number of a floating-point register by ABI name or `f0`..`f31`. */
export function floatRegister(name: string): number | undefined {
	return floatNumbers.get(name);
}

export type PrivilegeMode = 0 | 1 | 3;

/** Privilege modes by their encoding (privileged ISA table 1.1). */
export const modeNames: Readonly<Record<PrivilegeMode, string>> = { 0: "user", 1: "supervisor", 3: "machine" };
