import { findCause } from "../riscv/causes.ts";

/** Bits of a CSR with a name of their own (privileged ISA 1.12). */
interface CsrField {
	readonly name: string;
	readonly low: number;
	readonly width: number;
	/** The value in words. */
	readonly words?: (value: bigint) => string | undefined;
}

const bit = (name: string, low: number, words?: CsrField["words"]): CsrField => ({
	name,
	low,
	width: 1,
	...(words ? { words } : {}),
});
const field = (name: string, low: number, width: number, words?: CsrField["words"]): CsrField => ({
	name,
	low,
	width,
	...(words ? { words } : {}),
});
const modeWords = (value: bigint) => ["user", "supervisor", undefined, "machine"][Number(value)];
const extension = (value: bigint) => ["off", "initial", "clean", "dirty"][Number(value)];

const interrupts: readonly (readonly [string, number])[] = [
	["SS", 1],
	["MS", 3],
	["ST", 5],
	["MT", 7],
	["SE", 9],
	["ME", 11],
];
const interruptBits = (suffix: string, from: "S" | "M") =>
	interrupts
		.filter(([name]) => from === "M" || name.startsWith("S"))
		.map(([name, low]) => bit(`${name}I${suffix}`, low));

const sstatus: readonly CsrField[] = [
	bit("SIE", 1),
	bit("SPIE", 5),
	bit("SPP", 8, modeWords),
	field("FS", 13, 2, extension),
	bit("SUM", 18),
	bit("MXR", 19),
];
const mstatus: readonly CsrField[] = [
	bit("SIE", 1),
	bit("MIE", 3),
	bit("SPIE", 5),
	bit("MPIE", 7),
	bit("SPP", 8, modeWords),
	field("MPP", 11, 2, modeWords),
	field("FS", 13, 2, extension),
	bit("MPRV", 17),
	bit("SUM", 18),
	bit("MXR", 19),
];
const cause: readonly CsrField[] = [bit("interrupt", 63), field("code", 0, 63)];
const vector: readonly CsrField[] = [
	field("MODE", 0, 2, (value) => ["direct", "vectored"][Number(value)]),
	field("BASE", 2, 62),
];

export const csrFields: Readonly<Record<string, readonly CsrField[]>> = {
	sstatus,
	mstatus,
	sie: interruptBits("E", "S"),
	sip: interruptBits("P", "S"),
	mie: interruptBits("E", "M"),
	mip: interruptBits("P", "M"),
	scause: cause,
	mcause: cause,
	stvec: vector,
	mtvec: vector,
	satp: [
		field("MODE", 60, 4, (value) => (value === 0n ? "bare" : value === 8n ? "Sv39" : undefined)),
		field("ASID", 44, 16),
		field("PPN", 0, 44, (value) => `root 0x${(value << 12n).toString(16)}`),
	],
};

export function fieldValue(bits: bigint, { low, width }: CsrField): bigint {
	return (bits >> BigInt(low)) & ((1n << BigInt(width)) - 1n);
}

/** `0x8000000000000005 (supervisor timer interrupt)`. */
export function csrText(name: string, bits: bigint): string {
	const hex = `0x${bits.toString(16)}`;
	if (name === "scause" || name === "mcause") {
		const code = Number(bits & ((1n << 63n) - 1n));
		const words = findCause(code, bits >> 63n !== 0n)?.name;
		return words ? `${hex} (${words})` : hex;
	}
	const fields = csrFields[name];
	if (!fields) return hex;
	const set = fields
		.map((one) => ({ one, value: fieldValue(bits, one) }))
		.filter(({ value, one }) => value !== 0n && one.name !== "BASE")
		.map(({ one, value }) => (one.width === 1 && !one.words ? one.name : `${one.name}=${one.words?.(value) ?? value}`));
	return set.length > 0 ? `${hex} (${set.join(" ")})` : hex;
}

/** The CSRs that a reader of xv6 meets, in the order of its book. */
export const shownCsrs: readonly string[] = [
	"scause",
	"sepc",
	"stval",
	"sstatus",
	"satp",
	"stvec",
	"sscratch",
	"sie",
	"sip",
	"mstatus",
	"mepc",
	"mcause",
	"mtval",
	"mie",
	"mip",
	"mhartid",
];
