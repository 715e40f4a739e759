import { type Disposable, DisposableStore } from "../common/disposable.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { BenignRace } from "../lab/manifest.ts";
import type { AccessListener } from "../machine/accessWatch.ts";
import type { Machine } from "../machine/machine.ts";
import type { Schedule } from "../machine/schedule.ts";
import type { Hart, Instructions } from "../machine/types.ts";
import type { CommandEnd } from "../session/commandEnd.ts";
import { Bench, type BenchRun } from "./bench.ts";
import { knownBenign } from "./benign.ts";
import type { Drift } from "./counts.ts";
import { Detector } from "./detector.ts";
import { describe, describeDrift, distinct, isBenignRace } from "./findings.ts";
import { KernelCode } from "./kernelCode.ts";
import { type Moment, momentOf } from "./moment.ts";
import { OwnKind, type Suspicion } from "./records.ts";
import type { Finding } from "./report.ts";
import { Sharing } from "./sharing.ts";
import { Variables } from "./variables.ts";

interface ExploreRequest {
	/** A machine at power-on, of core-watch.wasm or of the plain core, which boots in the other's place, ten times as fast. Both are disposed. */
	readonly createMachine: (watch: boolean) => Promise<Machine>;
	readonly kernel: ProgramSymbols;
	/** Typed at the prompt; undefined: the boot is watched. */
	readonly command: string | undefined;
	/** What the command, or the boot, runs by; see `exploreSchedule`. */
	readonly schedule: Schedule;
	/** The lab's own, besides xv6's. */
	readonly benign?: readonly BenignRace[];
	/** Also find out which instructions use memory that several harts share. */
	readonly sites?: boolean;
	readonly breathe: () => Promise<void>;
	readonly signal?: AbortSignal;
	readonly onOutput?: (bytes: Uint8Array) => void;
	readonly budget?: Instructions;
	readonly bootBudget?: Instructions;
}

export interface Exploration {
	/** Of the command; of the boot, if it did not come to the prompt. */
	readonly end: CommandEnd;
	readonly output: string;
	readonly instructions: Instructions;
	/** Since power-on, at the end of the watched run. */
	readonly instret: Instructions;
	readonly findings: readonly Finding[];
	/** Races left out as benign. */
	readonly benign: number;
	/** Of the machine after the watched run. */
	readonly stateHash: string;
	/** Instructions of the findings' races, and those that use memory which several harts share: where to stop a hart. */
	readonly sites: { readonly racing: readonly number[]; readonly sharing: readonly number[] };
}

/** The base of all exploration: short slices and harts that wake up early, so that a short program runs on all of them. */
export function exploreSchedule(seed: number): Schedule {
	if (seed !== 0) return { kind: "seeded", seed, wakeEvery: 8 };
	return { kind: "directed", slice: 500, decisions: [], wakeEvery: 8 };
}

/**
 * One watched run of a command, by all detectors; of the boot, if there is none or the kernel does not come to its prompt. Where they found something,
 * the run is made a second time, to the same records, for the stacks of the places.
 */
export async function explore(request: ExploreRequest): Promise<Exploration> {
	const { createMachine, kernel, signal, breathe, bootBudget, command } = request;
	const limits = { ...(signal ? { signal } : {}), ...(bootBudget === undefined ? {} : { bootBudget }) };
	const store = new DisposableStore();
	const parts = { machine: store.add(await createMachine(true)), kernel, breathe, ...limits };
	try {
		const { bench, end } = command === undefined ? { bench: Bench.atPowerOn(parts), end: undefined } : await booted();
		store.add(bench);
		return await exploreOn(bench, end, request);
	} finally {
		store.dispose();
	}

	/** A boot that fails is made again here, to be watched. */
	async function booted(): Promise<{ readonly bench: Bench; readonly end: CommandEnd }> {
		const booting = new DisposableStore();
		try {
			const machine = booting.add(await createMachine(false));
			const { bench: other, end } = await Bench.boot({ ...parts, machine });
			booting.add(other);
			return { bench: end.kind === "prompt" ? Bench.beside(parts, other) : Bench.atPowerOn(parts), end };
		} finally {
			booting.dispose();
		}
	}
}

/** The same on a machine of this kind that has booted. `boot`: how that ended; undefined: not yet. */
export async function exploreOn(
	bench: Bench,
	boot: CommandEnd | undefined,
	request: Omit<ExploreRequest, "createMachine" | "breathe" | "signal">,
): Promise<Exploration> {
	const { machine } = bench;
	const { kernel, command } = request;
	const printing = new DisposableStore();
	if (request.onOutput) printing.add(machine.console.onData(request.onOutput));
	try {
		const code = KernelCode.of(kernel, Number(machine.memory.base) + machine.memory.size);
		const go = (): Promise<BenchRun> => {
			if (command === undefined) return bench.bootAgain(request.schedule);
			return boot?.kind === "prompt" ? bench.run(command, request.schedule, request.budget) : bench.bootAgain();
		};
		const watched = async (
			stops: readonly number[],
			met: Met,
			also?: (records: Uint32Array, count: number) => void,
		) => {
			const detector = new Detector(code, (address) => textAt(machine, address));
			const wanted = new Set(stops);
			const watching = watch(machine, code, stops, (records, count, first) => {
				detector.feed(records, count, first);
				also?.(records, count);
				const last = first + count - 1;
				if (wanted.has(last)) met(last, detector);
			});
			try {
				return { detector, ...(await go()) };
			} finally {
				watching.dispose();
			}
		};
		const sharing = new Sharing(code);
		const run = await watched(
			[],
			() => {},
			request.sites ? (records, count) => sharing.first(records, count) : undefined,
		);
		const { detector, end, output, instructions, drifts } = run;
		printing.dispose();
		const stateHash = machine.stateHash();
		const { instret } = machine;
		// What a kernel allocates once and keeps is no leak: a second run of the command takes no more.
		const second = drifts.length > 0 && command !== undefined ? await bench.again(command, request.budget) : undefined;
		const leaks = drifts.filter((drift) => second?.drifts.some((other) => isSame(drift, other)));
		const names = new Variables(kernel, detector.lockNames);
		const all = distinct(
			[...detector.findings(), ...(end.kind === "prompt" ? [] : detector.deadlocks())],
			kernel,
			names,
		);
		const benign = [...knownBenign, ...(request.benign ?? [])];
		const suspicions = all.filter((one) => !isBenignRace(one, kernel, names, benign));
		const points = suspicions.flatMap((one) => one.points);
		const byRecord = new Map(points.map((point) => [point.record, point] as const));
		const moments = new Map<number, Moment>();
		if (points.length > 0 || request.sites) {
			const stops = [...byRecord.keys()].sort((a, b) => a - b);
			const met: Met = (record, again) => {
				const point = byRecord.get(record);
				if (point) moments.set(record, momentOf(machine, kernel, point, again.held(point.hart), code.sleep));
			};
			await watched(stops, met, request.sites ? (records, count) => sharing.second(records, count) : undefined);
		}
		return {
			end,
			output,
			instructions,
			instret,
			findings: [...suspicions.map((one) => describe(one, kernel, names, moments)), ...leaks.map(describeDrift)],
			benign: all.length - suspicions.length,
			stateHash,
			sites: { racing: racing(suspicions), sharing: sharing.instructions },
		};
	} finally {
		printing.dispose();
	}
}

function isSame(one: Drift, other: Drift): boolean {
	return one.path === other.path && one.after < one.before === other.after < other.before;
}

type Met = (record: number, detector: Detector) => void;

function racing(suspicions: readonly Suspicion[]): readonly number[] {
	const pcs = suspicions.flatMap(({ kind, points }) =>
		kind === "race" || kind === "no-common-lock" ? points.map(({ pc }) => pc) : [],
	);
	return [...new Set(pcs)];
}

function watch(machine: Machine, code: KernelCode, stops: readonly number[], listener: AccessListener): Disposable {
	const { accesses } = machine;
	if (!accesses) throw new Error("the core of this machine does not watch");
	const store = new DisposableStore();
	const { acquire, sleep, spinlock } = code;
	const call = acquire === undefined ? undefined : { pc: acquire, member: spinlock.name };
	store.add(accesses.start(code.range, stops, listener, call, code.locking, code.releasing, code.stacks));
	// A breakpoint that never stops, nor asks: the core tells of the call.
	if (acquire !== undefined) store.add(machine.addBreakpoint(BigInt(acquire), { mode: 1, when: () => false }));
	// Another one: its filter looks at the call.
	if (sleep !== undefined) {
		const when = ({ id, low }: Hart) => {
			accesses.add(id, OwnKind.sleep, low(1) >>> 0, low(11) >>> 0, low(10) >>> 0);
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

/** A C string of the kernel's: a name, 31 printable characters at most. */
function textAt(machine: Machine, address: number): string | undefined {
	const offset = address - Number(machine.memory.base);
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
