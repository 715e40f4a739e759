import { hex } from "../../common/bytes.ts";
import { findMember } from "../../debuginfo/types.ts";
import { board } from "../../machine/virtBoard.ts";
import type { Diagnosis, DiagnosisFrame } from "../../protocol/diagnosis.ts";
import { causeName } from "../../riscv/causes.ts";
import { pageBytes } from "../guestMemory.ts";
import { kernelRoot } from "../look.ts";
import type { Process } from "../processes.ts";
import { trampolineVa, trapframeVa } from "../spaces.ts";
import { canonical, findLeaf, pteU } from "../sv39.ts";
import { frameBytes } from "./callSites.ts";
import { type Evidence, hexOf, named, trapframeName, who } from "./evidence.ts";
import type { KernelTrap } from "./recorder.ts";

const accessNames: Readonly<Record<number, string>> = {
	12: "fetch",
	13: "load",
	15: "store",
	1: "fetch",
	5: "load",
	7: "store",
};
/** kalloc and kfree fill pages with these bytes. */
const fills: readonly (readonly [bigint, string])[] = [
	[0x0505050505050505n, "kalloc's fill (0x05): memory that was never written after kalloc()"],
	[0x0101010101010101n, "kfree's fill (0x01): memory that was freed already"],
];
/** What filled memory with a value, or with a pointer from which it is not far; a jump clears bit 0 of its target. */
export function fillOf(value: bigint): string | undefined {
	return fills.find(([pattern]) => value >= pattern - 1n && value - pattern < nearby)?.[1];
}
/** The same of a register that was kept as a number, which rounds the low bits away. */
export const isFill = (value: number): boolean => fills.some(([pattern]) => Number(pattern) === value);
/** A pointer to a structure plus the offset of a member is not far from the pointer. */
const nearby = 0x10000n;
/** An address below this is taken for null plus the offset of a member. */
const smallest = 512n;
/** A frame larger than this is what takes a kernel stack of a page. */
const largeFrame = 1024;

/** Why the kernel's own access faulted; `trap` was kept when it happened. */
export function kernelFault(evidence: Evidence, trap: KernelTrap, said: string | undefined): Diagnosis {
	const { hart, process, frames } = trap;
	const first = frames[0];
	const where = first ? named(first) : hex(trap.pc);
	const access = accessNames[trap.cause];
	const told = access === undefined ? other(trap, where) : explain(evidence, trap, where, access);
	const during = evidence.during(process);
	return {
		kind: "kernel-fault",
		severity: "error",
		...(said !== undefined ? { said } : {}),
		...(process ? { process: { pid: process.pid, name: process.name } } : {}),
		hart,
		...(during !== undefined ? { during } : {}),
		frames: frames.slice(0, 16),
		...(first?.file !== undefined && first.line !== undefined
			? { look: { file: first.file, line: first.line, function: first.name } }
			: {}),
		effects: [],
		...told,
	};
}

type Told = Pick<Diagnosis, "cause" | "evidence" | "notes" | "look">;

function other(trap: KernelTrap, where: string): Told {
	return {
		cause: `The kernel itself trapped in ${where}: ${causeName(trap.cause, false).toLowerCase()}.`,
		evidence: [`scause ${trap.cause}, sepc ${hexOf(trap.pc)}, stval ${hexOf(trap.tval)}`],
		notes: [],
	};
}

function explain(evidence: Evidence, trap: KernelTrap, where: string, access: string): Told {
	const { sources } = evidence;
	const { tval, process } = trap;
	const facts = [`scause ${trap.cause}, sepc ${hexOf(trap.pc)}, stval ${hexOf(tval)}`];
	const early = inUservec(evidence, trap);
	if (early) return { ...early, evidence: facts };
	if (trap.bySret && process && access === "fetch" && BigInt(trap.pc) === tval) {
		const returned = afterSret(evidence, process, tval);
		if (returned) return { ...returned, evidence: [...facts, ...returned.evidence] };
	}
	const misplaced = misplacedStack(evidence, trap);
	if (misplaced) return { ...misplaced, evidence: [...facts, ...misplaced.evidence] };
	const overflow = stackOverflow(evidence, trap);
	if (overflow) return { ...overflow, evidence: [...facts, ...overflow.evidence] };
	const fill = fillOf(tval);
	const isCall = access === "fetch" && BigInt(trap.pc) === tval;
	if (fill && isCall)
		return {
			cause: `${where} calls a function pointer read from ${fill}.`,
			evidence: facts,
			notes: [],
		};
	if (fill)
		return {
			cause: `${where} follows a pointer read from ${fill}: its ${access} of ${hexOf(tval)} faulted.`,
			evidence: facts,
			notes: [],
		};
	if (isCall && tval < smallest)
		return {
			cause: `${where} calls a null function pointer${tval === 0n ? "" : ` (${hexOf(tval)})`}.`,
			evidence: facts,
			notes: [],
		};
	const va = canonical(tval);
	const argument = process && argumentAt(evidence, process, tval);
	// Page 0 of the user is mapped; in the kernel nothing is.
	if (tval < BigInt(pageBytes) && argument === undefined) {
		const pointer = [...trap.registers.entries()].find(([index, value]) => index > 4 && value === tval && tval !== 0n);
		const isNull = tval < smallest;
		return {
			cause: isNull
				? `${where} follows a null pointer: its ${access} of ${hexOf(tval)} faulted${tval === 0n ? "" : `, which is the null pointer plus the offset of a member or element`}.`
				: `${where} follows a pointer close to null: its ${access} of ${hexOf(tval)} faulted.`,
			evidence: pointer ? [...facts, `register x${pointer[0]} holds ${hexOf(tval)}`] : facts,
			notes: [],
		};
	}
	if (va !== undefined && process && process.root !== 0) {
		const leaf = findLeaf(sources.memory, process.root, va);
		const inUser = va < process.size || (leaf !== undefined && (leaf.flags & pteU) !== 0);
		if (inUser && isCall) return inUserCode(process, tval, facts);
		if (inUser)
			return {
				cause: `${where} uses ${hexOf(tval)}, an address of the user program ${process.name}, as its own: the kernel's page table does not map it. Copy with copyin() or copyout().`,
				evidence: [
					...facts,
					...(argument === undefined ? [] : [`argument a${argument} of the system call leads there`]),
					leaf
						? `the page table of process ${process.pid} maps it`
						: `it is below p->sz (${hexOf(process.size)}) of process ${process.pid}`,
				],
				notes: [],
			};
	}
	const root = kernelRoot(sources);
	const mapped = va !== undefined && root !== undefined && findLeaf(sources.memory, root, va) !== undefined;
	const device = mapped || access === "fetch" ? undefined : deviceAt(tval);
	if (device) return unmappedDevice(evidence, `${where} faulted at its ${access} of ${hexOf(tval)}`, device, facts);
	return {
		cause: `${where} faulted at its ${access} of ${hexOf(tval)}, ${mapped ? "which the kernel's page table maps without that permission" : "which the kernel's page table does not map"}.`,
		evidence: facts,
		notes: ["What the address was meant to be was not recognised"],
	};
}

const devices: readonly (readonly [string, { readonly base: number; readonly size: number }])[] = [
	["CLINT", board.clint],
	["PLIC", board.plic],
	["UART", board.uart],
	["disk (virtio)", board.virtio],
];

const deviceAt = (address: bigint): string | undefined =>
	devices.find(([, { base, size }]) => address >= base && address < base + size)?.[0];

/** The kernel uses devices through its own page table, which is made once. */
function unmappedDevice(evidence: Evidence, what: string, device: string, facts: readonly string[]): Told {
	const makers = ["kvmmake", "kvminit"] as const;
	const maker = makers.find((name) => evidence.symbols.symbol(name) !== undefined);
	const point = maker && evidence.point(evidence.symbols.symbol(maker) ?? 0);
	return {
		cause: `${what}, a register of the ${device}, which the kernel's page table does not map${maker ? `: ${maker}() has to map it` : ""}.`,
		evidence: facts,
		notes: [],
		...(point ? { look: point } : {}),
	};
}

/** Functions that are the first on a kernel stack, and what sets where it begins. */
const firstOnStack: Readonly<Record<string, (trapframe: string) => string>> = {
	usertrap: (trapframe) => `p->${trapframe}->kernel_sp`,
	forkret: () => "p->context.sp",
};

/** A kernel stack that does not begin at its high end: what is called first on it, or next, faults. */
function misplacedStack(evidence: Evidence, { process, sp, frames, tval }: KernelTrap): Told | undefined {
	const index = frames.findIndex(({ name }) => Object.hasOwn(firstOnStack, name));
	const first = frames[index];
	const setter = first && firstOnStack[first.name];
	if (!first || !setter || !process || process.kernelStack === 0) return undefined;
	const [low, high] = [process.kernelStack, process.kernelStack + pageBytes];
	// Inlined calls share the address and the frame of the call that they are in.
	const open = new Set(frames.slice(0, index + 1).map(({ address }) => Number(address)));
	let begins = sp;
	for (const address of open) begins += frameBytes(evidence.symbols, evidence.sources.memory, address);
	if (begins === high || begins % pageBytes !== 0 || tval < sp || tval >= begins) return undefined;
	const where = begins === low ? "at its low end" : begins < low ? "below it" : "above it";
	return {
		cause: `The kernel stack of ${who(process)} begins ${where}, at ${hexOf(begins)}: ${setter(trapframeName(evidence))} has to be p->kstack + PGSIZE, since stacks grow down.`,
		evidence: [`the stack is ${hexOf(low)} to ${hexOf(high)}, sp is ${hexOf(sp)}, and ${first.name} is the first call`],
		notes: [],
	};
}

/** A trap of the kernel that went to the handler for traps from user mode, which stores registers through what `sscratch` holds then. */
function inUservec({ symbols }: Evidence, { pc, tval }: KernelTrap): Omit<Told, "evidence"> | undefined {
	const [uservec, userret] = [symbols.symbol("uservec"), symbols.symbol("userret")];
	const offset = pc - trampolineVa;
	if (uservec === undefined || userret === undefined || offset < 0 || offset >= userret - uservec) return undefined;
	if (tval >= BigInt(trapframeVa) && tval < BigInt(trampolineVa)) return undefined;
	return {
		cause:
			"A trap in the kernel went to uservec (trampoline.S), which is for traps from user mode: stvec was already set for the return to the program. Interrupts have to be off (intr_off) before it is.",
		notes: [],
	};
}

/** sret went to where the process was to continue, but in supervisor mode, which may fetch no page of the user. */
function afterSret(evidence: Evidence, process: Process, tval: bigint): Told | undefined {
	const { names, memory } = evidence.sources;
	const frame = names.symbols.attempt(() => names.symbols.info?.struct("trapframe"));
	const epc = frame && findMember(frame, "epc");
	if (epc === undefined || memory.big(process.trapframe + epc.offset) !== tval) return undefined;
	const address = ["usertrapret", "prepare_return"].map((name) => evidence.symbols.symbol(name)).find((known) => known);
	const point = address === undefined ? undefined : evidence.point(address);
	return {
		cause: `sret returned to ${hexOf(tval)} of the user program ${process.name} in supervisor mode: SPP of sstatus was still 1${point?.function ? ` (${point.function})` : ""}. Clear it before, and keep interrupts off from there to the sret.`,
		evidence: ["the sret before was to supervisor mode, and to the epc of the process's trap frame"],
		notes: [],
		...(point ? { look: point } : {}),
	};
}

/** The kernel came to code of the user in supervisor mode. */
function inUserCode(process: Process, tval: bigint, facts: readonly string[]): Told {
	return {
		cause: `The kernel went to ${hexOf(tval)}, code of the user program ${process.name}, in supervisor mode: a function pointer, or the return address, holds an address of the user.`,
		evidence: facts,
		notes: [],
	};
}

/** Which argument of the process's system call is an address that leads to this one; small ones are as likely counts. */
function argumentAt({ sources: { names, memory } }: Evidence, process: Process, tval: bigint): number | undefined {
	const frame = names.symbols.attempt(() => names.symbols.info?.struct("trapframe"));
	const first = frame && findMember(frame, "a0");
	if (!first || process.trapframe === 0 || tval < smallest) return undefined;
	for (let index = 0; index < 6; index++) {
		const value = memory.big(process.trapframe + first.offset + 8 * index) ?? 0n;
		if (value >= smallest && tval >= value && tval - value < 64n) return index;
	}
	return undefined;
}

function stackOverflow(evidence: Evidence, trap: KernelTrap): Told | undefined {
	const { tval, sp } = trap;
	const va = canonical(tval);
	if (va === undefined) return undefined;
	const owner = evidence.look.processes.find(
		({ kernelStack }) => kernelStack !== 0 && va >= kernelStack - pageBytes && va < kernelStack,
	);
	if (!owner || sp >= owner.kernelStack + pageBytes) return undefined;
	const root = kernelRoot(evidence.sources);
	if (root !== undefined && findLeaf(evidence.sources.memory, root, va)) return undefined;
	const sizes = calls(trap).map((frame) => ({
		frame,
		bytes: frameBytes(evidence.symbols, evidence.sources.memory, Number(frame.address)),
	}));
	const largest = sizes.reduce<(typeof sizes)[number] | undefined>(
		(best, next) => (best && best.bytes >= next.bytes ? best : next),
		undefined,
	);
	const often = repeated(trap.frames);
	const why =
		largest && largest.bytes >= largeFrame
			? `the frame of ${named(largest.frame)} alone takes ${largest.bytes.toLocaleString("en")} bytes: make the large local variable static, or get a page of kalloc()`
			: often
				? `${often.name} calls itself and is on the stack ${often.times} times`
				: "too many calls are open";
	return {
		cause: `The kernel stack of ${who(owner)} overflowed into its guard page: it has one page, and ${why}.`,
		evidence: [
			`the stack is ${hexOf(owner.kernelStack)} to ${hexOf(owner.kernelStack + pageBytes)}, sp is ${hexOf(sp)}`,
			...(largest && largest.bytes > 0
				? [`the largest frame is that of ${largest.frame.name}: ${largest.bytes} bytes`]
				: []),
		],
		...(largest?.frame.file !== undefined && largest.frame.line !== undefined
			? { look: { file: largest.frame.file, line: largest.frame.line, function: largest.frame.name } }
			: {}),
		notes: [],
	};
}

const calls = (trap: KernelTrap): readonly DiagnosisFrame[] => trap.frames;

export function repeated(frames: readonly DiagnosisFrame[]): { name: string; times: number } | undefined {
	const counts = new Map<string, number>();
	for (const { name } of frames) counts.set(name, (counts.get(name) ?? 0) + 1);
	const [most] = [...counts].sort((a, b) => b[1] - a[1]);
	return most && most[1] >= 3 ? { name: most[0], times: most[1] } : undefined;
}
