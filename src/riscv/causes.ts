interface Cause {
	readonly code: number;
	/** As the privileged ISA, table 3.6, names it. */
	readonly name: string;
	/** One sentence for a student who meets it for the first time. */
	readonly explanation: string;
	/** What xtval holds. */
	readonly tval: "address" | "instruction" | "zero";
}

const exception = (code: number, name: string, tval: Cause["tval"], explanation: string): Cause => ({
	code,
	name,
	tval,
	explanation,
});

/** Synchronous exceptions that this machine raises, by code. */
export const exceptions: readonly Cause[] = [
	exception(0, "instruction address misaligned", "address", "A jump or branch went to an odd address."),
	exception(
		1,
		"instruction access fault",
		"address",
		"An instruction was fetched from a physical address that has no memory or that PMP protects.",
	),
	exception(
		2,
		"illegal instruction",
		"instruction",
		"The bits at the pc are no instruction, or one that this mode may not execute; often a jump into data or a privileged instruction in user code.",
	),
	exception(3, "breakpoint", "zero", "An ebreak instruction was executed."),
	exception(
		4,
		"load address misaligned",
		"address",
		"A load-reserved used an address that is no multiple of its size.",
	),
	exception(
		5,
		"load access fault",
		"address",
		"A load went to a physical address that has no memory or device there, or that PMP protects.",
	),
	exception(
		6,
		"store/AMO address misaligned",
		"address",
		"A store-conditional or atomic used an address that is no multiple of its size.",
	),
	exception(
		7,
		"store/AMO access fault",
		"address",
		"A store or atomic went to a physical address that has no memory or device there, or that PMP protects.",
	),
	exception(8, "environment call from U-mode", "zero", "User code made a system call (ecall)."),
	exception(
		9,
		"environment call from S-mode",
		"zero",
		"The kernel executed ecall itself, as it would to call firmware.",
	),
	exception(11, "environment call from M-mode", "zero", "Machine-mode code executed ecall."),
	exception(
		12,
		"instruction page fault",
		"address",
		"The pc is in a page that is not mapped, has no X permission, or belongs to the other mode (PTE_U).",
	),
	exception(
		13,
		"load page fault",
		"address",
		"A load used a virtual address that is not mapped, has no R permission, or belongs to the other mode (PTE_U).",
	),
	exception(
		15,
		"store/AMO page fault",
		"address",
		"A store used a virtual address that is not mapped, has no W permission (for example copy-on-write), or belongs to the other mode (PTE_U).",
	),
];

const interrupt = (code: number, name: string, explanation: string): Cause => ({
	code,
	name,
	explanation,
	tval: "zero",
});

/** Interrupts, by code (scause/mcause without the top bit). */
export const interrupts: readonly Cause[] = [
	interrupt(
		1,
		"supervisor software interrupt",
		"sip.SSIP was set: by machine-mode code that passes on a timer tick, or by software.",
	),
	interrupt(3, "machine software interrupt", "The CLINT's msip register of this hart was written."),
	interrupt(5, "supervisor timer interrupt", "Time has reached stimecmp, or machine mode set sip.STIP."),
	interrupt(7, "machine timer interrupt", "mtime has reached the CLINT's mtimecmp register of this hart."),
	interrupt(9, "supervisor external interrupt", "A device asks for attention through the PLIC's supervisor context."),
	interrupt(11, "machine external interrupt", "A device asks for attention through the PLIC's machine context."),
];

export function findCause(code: number, isInterrupt: boolean): Cause | undefined {
	return (isInterrupt ? interrupts : exceptions).find((cause) => cause.code === code);
}

export function causeName(code: number, isInterrupt: boolean): string {
	return findCause(code, isInterrupt)?.name ?? `reserved ${isInterrupt ? "interrupt" : "exception"} ${code}`;
}

/** Splits an scause/mcause register value. */
export function decodeCause(xcause: bigint): { code: number; interrupt: boolean } {
	return { code: Number(xcause & 0x7fffffffn), interrupt: ((xcause >> 63n) & 1n) === 1n };
}
