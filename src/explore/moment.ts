import { hex } from "../common/bytes.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { findMember, plain } from "../debuginfo/types.ts";
import { unwind } from "../debuginfo/unwind.ts";
import type { Machine } from "../machine/machine.ts";
import type { Held, Point } from "./records.ts";
import type { Frame, Place } from "./report.ts";

/** What one has to know of the moment of a record, and only the machine knows: taken when the run comes to it again. */
export interface Moment {
	/** Steps that the hart had made right before it. */
	readonly step: number;
	readonly stack: readonly Frame[];
	readonly locks: readonly Held[];
	readonly process: Place["process"];
}

/** Kernels lie in RAM, user programs of xv6 far below. */
const userEnd = 0x8000_0000;

export function frameAt(kernel: ProgramSymbols, pc: number): Frame {
	if (pc < userEnd) return { function: `user code at ${hex(pc)}` };
	const { function: name, symbol, file, line } = kernel.place(pc);
	return {
		function: name ?? symbol ?? hex(pc),
		...(file !== undefined && line !== undefined ? { file, line } : {}),
	};
}

/** The calls that led a hart to a pc, where the machine stands. */
export function stackOf(machine: Machine, kernel: ProgramSymbols, hart: number, pc: number): readonly Frame[] {
	const registers = machine.harts[hart];
	if (!registers) return [];
	const space = machine.spaceOf(hart);
	const memory = (address: bigint, size: number): bigint | undefined => {
		const physical = space === undefined ? address : machine.translate(space, address);
		if (physical === undefined || size > 8) return undefined;
		const word = machine.memory.readU64(physical);
		return word === undefined ? undefined : BigInt.asUintN(8 * size, word);
	};
	const { frames } = unwind(kernel, BigInt(pc), { register: (index) => registers.register(index), memory });
	return frames.flatMap(({ place, at }): Frame[] => [
		frameAt(kernel, at),
		...(place.inlinedInto ?? []).map(({ function: name, file, line }) => ({ function: name, file, line })),
	]);
}

/** The machine stands at the point, whose record was just made; `held`: locks of its hart; `sleep`: where that function is. */
export function momentOf(
	machine: Machine,
	kernel: ProgramSymbols,
	point: Point,
	held: readonly Held[],
	sleep: number | undefined,
): Moment {
	const steps = Number(machine.harts[point.hart]?.steps ?? 0n);
	const isCall = point.does === "sleep" || point.does === "wait";
	const pc = point.does === "sleep" && sleep !== undefined ? sleep : point.pc;
	const stack = point.pc < userEnd ? [] : stackOf(machine, kernel, point.hart, pc);
	// An access is told when its step is counted, a call before its function's first.
	return { step: isCall ? steps : steps - 1, stack, locks: [...held], process: processOn(machine, kernel, point.hart) };
}

export function processOn(machine: Machine, kernel: ProgramSymbols, hart: number): Place["process"] {
	const { info } = kernel;
	const cpus = kernel.attempt(() => info?.variable("cpus"));
	const array = plain(cpus?.type);
	const cpu = array?.kind === "array" ? plain(array.element) : undefined;
	const type = kernel.attempt(() => info?.struct("proc"));
	if (!cpus || cpu?.kind !== "struct" || !type) return undefined;
	const [current, pid, name] = [findMember(cpu, "proc"), findMember(type, "pid"), findMember(type, "name")];
	if (!current || !pid || !name) return undefined;
	const process = machine.memory.readU64(BigInt(cpus.address + hart * cpu.size + current.offset)) ?? 0n;
	const number = process === 0n ? undefined : machine.memory.readU32(process + BigInt(pid.offset));
	if (number === undefined) return undefined;
	const start = Number(process - machine.memory.base) + name.offset;
	const bytes = machine.memory.bytes().subarray(start, start + (name.type?.size ?? 16));
	const end = bytes.indexOf(0);
	return { pid: number, name: String.fromCharCode(...bytes.subarray(0, end < 0 ? undefined : end)) };
}
