import type { Disposable } from "../common/disposable.ts";
import { DisposableStore } from "../common/disposable.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { findMember, plain } from "../debuginfo/types.ts";
import { unwind } from "../debuginfo/unwind.ts";
import type { BenignRace } from "../lab/manifest.ts";
import type { AccessListener } from "../machine/accessWatch.ts";
import type { Machine } from "../machine/machine.ts";
import type { Schedule } from "../machine/schedule.ts";
import type { Instructions } from "../machine/types.ts";
import { budgets } from "../session/budgets.ts";
import type { CommandEnd } from "../session/commandEnd.ts";
import { Shell } from "../session/shell.ts";
import { isBenign, knownBenign, withoutIndex } from "./benign.ts";
import { Detector } from "./detector.ts";
import { KernelCode } from "./kernelCode.ts";
import { OwnKind, type Point, type Suspicion } from "./records.ts";
import type { Finding, Frame, Place } from "./report.ts";
import { Variables } from "./variables.ts";
import { titleOf, whyOf } from "./words.ts";

export interface ExploreRequest {
	/** With core-watch.wasm. Its state is lost. */
	readonly machine: Machine;
	readonly kernel: ProgramSymbols;
	/** Typed at the prompt. */
	readonly command: string;
	readonly seed: number;
	/** The lab's own, besides xv6's. */
	readonly benign?: readonly BenignRace[];
	readonly breathe: () => Promise<void>;
	readonly signal?: AbortSignal;
	readonly onOutput?: (bytes: Uint8Array) => void;
	readonly budget?: Instructions;
}

export interface Exploration {
	/** Of the command; of the boot, if it did not come to the prompt. */
	readonly end: CommandEnd;
	readonly output: string;
	readonly findings: readonly Finding[];
	/** Races left out as benign. */
	readonly benign: number;
	/** Of the machine after the watched run. */
	readonly stateHash: string;
}

/** What one has to know of the moment of a record, and only the machine knows: taken when the run comes to it again. */
interface Moment {
	readonly stack: readonly Frame[];
	readonly locks: readonly { readonly lock: number; readonly pc: number }[];
	readonly process: Place["process"];
}

/** The base of all exploration: short slices and harts that wake up early, so that a short program runs on all of them. */
export function exploreSchedule(seed: number): Schedule {
	if (seed !== 0) return { kind: "seeded", seed, wakeEvery: 8 };
	return { kind: "directed", slice: 500, decisions: [], wakeEvery: 8 };
}

/**
 * One watched run of a command, by all detectors. Where they found something, the run is made a second time, to the same
 * records, for the stacks of the places.
 */
export async function explore(request: ExploreRequest): Promise<Exploration> {
	const { machine, kernel, command } = request;
	const shell = Shell.on(machine, {
		breathe: request.breathe,
		...(request.signal ? { signal: request.signal } : {}),
	});
	const printing = new DisposableStore();
	if (request.onOutput) printing.add(machine.console.onData(request.onOutput));
	try {
		const boot = await shell.waitForPrompt(budgets.boot);
		const booted = machine.snapshot();
		const nothing = { output: shell.console, findings: [], benign: 0, stateHash: machine.stateHash() };
		if (boot.kind !== "prompt") return { end: boot, ...nothing };
		const code = new KernelCode(kernel, Number(machine.memory.base) + machine.memory.size);
		const watchedRun = async (stops: readonly number[], met: (record: number, detector: Detector) => void) => {
			const detector = new Detector(code, (lock) => lockName(machine, lock + code.spinlock.name));
			machine.restore(booted);
			machine.setSchedule(exploreSchedule(request.seed));
			const wanted = new Set(stops);
			const watching = watch(machine, code, stops, (records, count, first) => {
				detector.feed(records, count, first);
				const last = first + count - 1;
				if (wanted.has(last)) met(last, detector);
			});
			try {
				return { detector, ...(await shell.run(command, request.budget ?? budgets.command)) };
			} finally {
				watching.dispose();
			}
		};
		const { detector, end, output } = await watchedRun([], () => {});
		printing.dispose();
		const stateHash = machine.stateHash();
		const names = new Variables(kernel, detector.lockNames);
		const all = detector.findings();
		const benign = [...knownBenign, ...(request.benign ?? [])];
		const suspicions = distinct(all, kernel, names).filter((one) => !isBenignRace(one, kernel, names, benign));
		const stops = [...new Set(suspicions.flatMap(({ points }) => points.map(({ record }) => record)))].sort(
			(a, b) => a - b,
		);
		const points = new Map(suspicions.flatMap(({ points }) => points.map((point) => [point.record, point] as const)));
		const moments = new Map<number, Moment>();
		if (stops.length > 0) {
			await watchedRun(stops, (record, again) => {
				const point = points.get(record);
				if (point) moments.set(record, momentOf(machine, kernel, code, point, again));
			});
		}
		const findings = suspicions.map((one) => describe(one, kernel, names, moments));
		return { end, output, findings, benign: distinct(all, kernel, names).length - suspicions.length, stateHash };
	} finally {
		printing.dispose();
		shell.dispose();
	}
}

function watch(machine: Machine, code: KernelCode, stops: readonly number[], listener: AccessListener): Disposable {
	const { accesses } = machine;
	if (!accesses) throw new Error("the core of this machine does not watch");
	const store = new DisposableStore();
	store.add(accesses.start(code.range, stops, listener));
	const { acquire, sleep } = code;
	// A breakpoint that never stops: its filter looks at the call.
	if (acquire !== undefined) {
		const when = ({ id, register }: { id: number; register(index: number): bigint }) => {
			accesses.add(id, OwnKind.acquire, Number(register(1)), Number(register(10)), 0);
			return false;
		};
		store.add(machine.addBreakpoint(BigInt(acquire), { mode: 1, when }));
	}
	if (sleep !== undefined) {
		const when = ({ id, register }: { id: number; register(index: number): bigint }) => {
			accesses.add(id, OwnKind.sleep, Number(register(1)), Number(register(11)), Number(register(10) & 0xffff_ffffn));
			return false;
		};
		store.add(machine.addBreakpoint(BigInt(sleep), { mode: 1, when }));
	}
	store.add(
		machine.onTrapReturn(({ hart, pc, toMode }) =>
			accesses.add(hart, OwnKind.trapReturn, Number(pc & 0xffff_ffffn), 0, toMode),
		),
	);
	return store;
}

function lockName(machine: Machine, pointer: number): string | undefined {
	const at = machine.memory.readU64(BigInt(pointer));
	const offset = at === undefined ? -1 : Number(at - machine.memory.base);
	if (offset < 0 || offset >= machine.memory.size) return undefined;
	const bytes = machine.memory.bytes();
	let name = "";
	for (let i = offset; i < offset + 32; i++) {
		const byte = bytes[i] ?? 0;
		if (byte === 0) return name === "" ? undefined : name;
		if (byte < 32 || byte > 126) return undefined;
		name += String.fromCharCode(byte);
	}
	return undefined;
}

/** One for each pair of functions and variable, of the many instructions and processes. */
function distinct(all: readonly Suspicion[], kernel: ProgramSymbols, names: Variables): readonly Suspicion[] {
	const found = new Map<string, Suspicion>();
	for (const one of all) {
		const functions = one.points.map(({ pc }) => kernel.place(pc).function ?? String(pc)).sort();
		const key = [
			one.kind === "no-common-lock" ? "race" : one.kind,
			withoutIndex(names.name(one.address)),
			...functions,
		];
		if (!found.has(key.join("\n"))) found.set(key.join("\n"), one);
	}
	return [...found.values()];
}

function isBenignRace(
	{ kind, address, points }: Suspicion,
	kernel: ProgramSymbols,
	names: Variables,
	list: readonly BenignRace[],
): boolean {
	if (kind !== "race" && kind !== "no-common-lock") return false;
	const functions = points.flatMap(({ pc }) => {
		const place = kernel.place(pc);
		return [place.function ?? "", place.symbol ?? "", ...(place.inlinedInto ?? []).map((one) => one.function)];
	});
	return isBenign(list, functions, names.name(address));
}

function frameAt(kernel: ProgramSymbols, pc: number): Frame {
	const { function: name, symbol, file, line } = kernel.place(pc);
	return {
		function: name ?? symbol ?? `0x${pc.toString(16)}`,
		...(file !== undefined && line !== undefined ? { file, line } : {}),
	};
}

/** The stack of a point whose record was just made: the machine stands there. */
function momentOf(
	machine: Machine,
	kernel: ProgramSymbols,
	code: KernelCode,
	point: Point,
	detector: Detector,
): Moment {
	const hart = machine.harts[point.hart];
	const locks = [...detector.held(point.hart)];
	const pc = point.does === "sleep" && code.sleep !== undefined ? code.sleep : point.pc;
	const space = machine.spaceOf(point.hart);
	const memory = (address: bigint, size: number): bigint | undefined => {
		const physical = space === undefined ? address : machine.translate(space, address);
		if (physical === undefined || size > 8) return undefined;
		const word = machine.memory.readU64(physical);
		return word === undefined ? undefined : BigInt.asUintN(8 * size, word);
	};
	const frames = hart ? unwind(kernel, BigInt(pc), { register: (index) => hart.register(index), memory }).frames : [];
	const stack = frames.flatMap(({ place, at }): Frame[] => [
		frameAt(kernel, at),
		...(place.inlinedInto ?? []).map(({ function: name, file, line }) => ({ function: name, file, line })),
	]);
	return { stack, locks, process: processOn(machine, kernel, point.hart) };
}

function processOn(machine: Machine, kernel: ProgramSymbols, hart: number): Place["process"] {
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

function describe(
	one: Suspicion,
	kernel: ProgramSymbols,
	names: Variables,
	moments: ReadonlyMap<number, Moment>,
): Finding {
	const places = one.points.map((point): Place => {
		const moment = moments.get(point.record);
		const stack =
			point.does === "return" || !moment || moment.stack.length === 0 ? [frameAt(kernel, point.pc)] : moment.stack;
		// acquire() and release() say nothing: the line that called them does.
		const inLockCode = stack.length > 1 && stack[0]?.function === point.does;
		const own = inLockCode && point.does !== "sleep" ? stack.slice(1) : stack;
		return {
			does: point.does,
			size: point.size,
			hart: point.hart,
			process: moment?.process,
			stack: own,
			locks: (moment?.locks ?? []).map(({ lock, pc }) => ({ name: names.lockName(lock), at: frameAt(kernel, pc - 1) })),
		};
	});
	const isLock = one.kind !== "race" && one.kind !== "no-common-lock";
	const variable = isLock ? names.lockName(one.address) : names.name(one.address);
	const other = one.other === undefined ? undefined : names.lockName(one.other);
	const told = { kind: one.kind, variable, places, ...(other === undefined ? {} : { other }) };
	return { kind: one.kind, variable, title: titleOf(told), why: whyOf(told), places };
}
