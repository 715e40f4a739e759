import { type Disposable, DisposableStore } from "../common/disposable.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { Machine } from "../machine/machine.ts";
import type { Decision, Schedule } from "../machine/schedule.ts";
import type { Hart, Instructions } from "../machine/types.ts";
import { Bench, type BenchRun } from "./bench.ts";
import { exploreSchedule } from "./explore.ts";
import { minimize } from "./minimize.ts";
import { frameAt, processOn } from "./moment.ts";
import { Priorities } from "./priorities.ts";
import type { Frame, Place } from "./report.ts";
import { scheduleText } from "./scheduleText.ts";

interface SearchRequest {
	/** With the plain core, at power-on; its state is lost. */
	readonly machine: Machine;
	readonly kernel: ProgramSymbols;
	readonly command: string;
	/** Instructions at which a hart may be stopped; see `Exploration.sites`. */
	readonly sites: { readonly racing: readonly number[]; readonly sharing: readonly number[] };
	/** How many schedules to try. */
	readonly schedules: number;
	/** Default: racing instructions first, then shared words, between them seeds. */
	readonly strategy?: Strategy;
	/** What is wrong with a run that came to its prompt, in a few words; undefined: nothing. */
	readonly judge?: (run: BenchRun) => string | undefined;
	readonly breathe: () => Promise<void>;
	readonly signal?: AbortSignal;
	readonly onProgress?: (progress: SearchProgress) => void;
}

/**
 * `racing`: stops at the instructions of races; `sharing`: at three of those that use shared memory; `random`: seeds; `mixed`: all
 * of these; `priority`: one hart runs alone, for comparison.
 */
export type Strategy = "racing" | "sharing" | "random" | "priority" | "mixed";

export interface SearchProgress {
	readonly done: number;
	readonly total: number;
	readonly strategy: Exclude<Strategy, "mixed"> | "plain";
	readonly covered: Covered;
}

/** Of the instructions that race or use shared memory: how many a hart was stopped before so far. */
export interface Covered {
	readonly stopped: number;
	readonly places: number;
}

export interface Failure {
	/** Failures of one kind are alike: `panic: kerneltrap`. */
	readonly kind: string;
	readonly run: BenchRun;
}

/** One stop of a schedule. */
export interface Stop {
	readonly decision: Decision;
	/** Steps of all harts together. */
	readonly at: Instructions;
	/** Where the hart stands. */
	readonly frame: Frame;
	readonly process: Place["process"];
}

export interface Harm {
	readonly failure: Failure;
	readonly schedule: Schedule;
	readonly text: string;
	readonly stops: readonly Stop[];
	/** Of the machine at the end of the run. */
	readonly stateHash: string;
	/** Decisions before it was made small. */
	readonly decisions: number;
	/** Instructions of the plain run. */
	readonly plain: Instructions;
}

export interface SearchResult {
	/** The first schedule that fails; undefined: none did. */
	readonly harm: Harm | undefined;
	/** Tried, without those that made it small. */
	readonly schedules: number;
	/** Number of the first that failed, from 1 on. */
	readonly first: number | undefined;
	/** Instructions of the plain run; undefined: the kernel did not boot. */
	readonly plain: Instructions | undefined;
	/** Failures that did not come again when their schedule was replayed. */
	readonly lost: number;
	readonly covered: Covered;
}

/** A run that takes so much longer than the plain one has failed. */
const patience = 10;
const leastBudget: Instructions = 20_000_000;
const minimizeTries = 60;
/** How many stops a schedule has at most, and at which share of the visits: few stops make short schedules, many reach further. */
const mostStops = [1, 2, 4, 8, 16, 40];
const oneIn = [2, 4, 16, 64, 256];

/** Runs a command by one schedule after another until one shows harm, and makes that schedule small. */
export async function search(request: SearchRequest): Promise<SearchResult> {
	const { machine, kernel, breathe, signal } = request;
	const { bench, end } = await Bench.boot({ machine, kernel, breathe, ...(signal ? { signal } : {}) });
	try {
		return end.kind === "prompt"
			? await searchOn(bench, request)
			: {
					harm: undefined,
					schedules: 0,
					first: undefined,
					plain: undefined,
					lost: 0,
					covered: { stopped: 0, places: 0 },
				};
	} finally {
		bench.dispose();
	}
}

/** The same on a machine that stands at its prompt. */
export async function searchOn(
	bench: Bench,
	request: Omit<SearchRequest, "machine" | "breathe" | "signal">,
): Promise<SearchResult> {
	const { kernel, command, sites, schedules: total } = request;
	const plain = await bench.run(command, exploreSchedule(0));
	const kindOf = (run: BenchRun) => kindOfFailure(run, plain) ?? request.judge?.(run);
	const budget = budgetFor(plain.instructions);
	let lost = 0;
	const places = new Set([...sites.racing, ...sites.sharing]).size;
	const stoppedAt = new Set<number>();
	const covered = (): Covered => ({ stopped: stoppedAt.size, places });
	for (let i = 0; i < total; i++) {
		const strategy = strategyOf(request.strategy ?? "mixed", i, sites);
		request.onProgress?.({ done: i, total, strategy, covered: covered() });
		const tried = await attempt(bench, request, strategy, i, budget, plain.instructions, stoppedAt);
		const kind = kindOf(tried.run);
		if (kind === undefined) continue;
		const again = (schedule: Schedule) => bench.run(command, schedule, budget);
		const small = await shrink(tried.schedule, async (schedule) => kindOf(await again(schedule)) === kind);
		const run = await again(small);
		if (kindOf(run) !== kind) {
			lost++;
			continue;
		}
		const harm: Harm = {
			failure: { kind, run },
			schedule: small,
			text: scheduleText(small),
			stateHash: bench.machine.stateHash(),
			decisions: tried.schedule.kind === "directed" ? tried.schedule.decisions.length : 0,
			plain: plain.instructions,
			stops: tell(bench, kernel, command, small),
		};
		return { harm, schedules: i + 1, first: i + 1, plain: plain.instructions, lost, covered: covered() };
	}
	return {
		harm: undefined,
		schedules: total,
		first: undefined,
		plain: plain.instructions,
		lost,
		covered: covered(),
	};
}

/** What a run may take where the plain one took so much. */
export function budgetFor(plain: Instructions): Instructions {
	return Math.max(leastBudget, patience * plain);
}

/** Racing instructions are worth most; every fifth schedule is a seed's, since stops at known places find known kinds only. */
function strategyOf(
	wanted: Strategy,
	i: number,
	{ racing, sharing }: SearchRequest["sites"],
): SearchProgress["strategy"] {
	if (i === 0) return "plain";
	if (wanted !== "mixed") return wanted;
	if (i % 5 === 4) return "random";
	if (racing.length > 0 && (i < 25 || i % 2 === 1)) return "racing";
	return sharing.length > 0 ? "sharing" : "random";
}

async function attempt(
	bench: Bench,
	{ command, kernel, sites }: Pick<SearchRequest, "command" | "kernel" | "sites">,
	strategy: SearchProgress["strategy"],
	seed: number,
	budget: Instructions,
	length: Instructions,
	stoppedAt: Set<number>,
): Promise<{ readonly run: BenchRun; readonly schedule: Schedule }> {
	const plain = exploreSchedule(0);
	if (strategy === "plain" || strategy === "random") {
		const schedule = strategy === "plain" ? plain : exploreSchedule(seed);
		return { run: await bench.run(command, schedule, budget), schedule };
	}
	const random = generator(seed);
	if (plain.kind === "directed" && strategy === "priority") {
		let priorities: Priorities | undefined;
		const run = await bench.run(command, plain, budget, (most) => {
			priorities ??= new Priorities(bench, kernel, plain.slice, length, random);
			return priorities.advance(most);
		});
		return { run, schedule: { ...plain, decisions: priorities?.decisions ?? [] } };
	}
	const places =
		strategy === "racing" ? sites.racing : [0, 1, 2].map(() => sites.sharing[random(sites.sharing.length)] as number);
	const stopper = new Stopper(bench, places, random, stoppedAt);
	try {
		const run = await bench.run(command, plain, budget, (most) => stopper.advance(most));
		return { run, schedule: plain.kind === "directed" ? { ...plain, decisions: stopper.decisions } : plain };
	} finally {
		stopper.dispose();
	}
}

/** Parks a hart now and then when it comes to one of the places, or lets the timer come there. */
class Stopper implements Disposable {
	readonly decisions: Decision[] = [];
	private readonly store = new DisposableStore();
	private wanted: Decision | undefined;
	private readonly most: number;
	private readonly rate: number;
	/** The step of each hart that the last decision was about: it comes to the breakpoint once more. */
	private readonly decided: (bigint | undefined)[] = [];

	constructor(
		private readonly bench: Bench,
		places: readonly number[],
		private readonly random: (below: number) => number,
		/** Told each place that a hart was stopped before. */
		private readonly stoppedAt: Set<number>,
	) {
		this.most = mostStops[random(mostStops.length)] as number;
		this.rate = oneIn[random(oneIn.length)] as number;
		for (const place of new Set(places)) {
			const point = bench.machine.addBreakpoint(BigInt(place), { mode: 1, when: (hart) => this.stops(hart) });
			this.store.add(point);
		}
	}

	advance(most: Instructions): ReturnType<Bench["advance"]> {
		const stop = this.bench.advance(most);
		if (stop.kind === "breakpoint" && this.wanted && this.bench.machine.decide(this.wanted)) {
			const { hart, at } = this.wanted;
			this.decisions.push({ ...this.wanted, at: this.bench.fromPrompt(hart, at) });
			this.stoppedAt.add(Number(this.bench.machine.harts[hart]?.pc));
		}
		this.wanted = undefined;
		return stop;
	}

	private stops(hart: Hart): boolean {
		const { id } = hart;
		const before = this.decided[id];
		if (before !== undefined) {
			if (hart.steps === before) return false;
			this.decided[id] = undefined;
		}
		if (this.decisions.length >= this.most || this.random(this.rate) !== 0) return false;
		const at = Number(hart.steps);
		this.decided[id] = hart.steps;
		this.wanted = this.random(7) === 0 ? { hart: id, at, timer: true } : { hart: id, at, park: 1 << this.random(6) };
		return true;
	}

	dispose(): void {
		this.store.dispose();
	}
}

async function shrink(schedule: Schedule, fails: (schedule: Schedule) => Promise<boolean>): Promise<Schedule> {
	if (schedule.kind !== "directed") return schedule;
	const decisions = await minimize(
		schedule.decisions,
		(part) => fails({ ...schedule, decisions: part }),
		minimizeTries,
	);
	let small: Schedule = { ...schedule, decisions };
	for (const [i, one] of decisions.entries()) {
		if (!("park" in one) || one.park === 1 || small.kind !== "directed") continue;
		const shorter: Schedule = { ...small, decisions: small.decisions.with(i, { ...one, park: 1 }) };
		if (decisions.length <= 8 && (await fails(shorter))) small = shorter;
	}
	return small;
}

/** What kind of failure a run is, whatever the program is to print; undefined: none. Counts that drift in the plain run, too, are none. */
export function kindOfFailure({ end, drifts }: BenchRun, plain?: BenchRun): string | undefined {
	if (end.kind === "panic") return `panic: ${end.message.replace(/0x[0-9a-f]+|\d+/g, "#")}`;
	if (end.kind === "stall") return end.report.kind;
	if (end.kind !== "prompt") return end.kind;
	const isPlain = ({ path }: { readonly path: string }) => plain?.drifts.some((drift) => drift.path === path);
	const changes = drifts
		.filter((drift) => !isPlain(drift))
		.map(({ path, before, after }) => `${path} ${after < before ? "fell" : "rose"}`);
	return changes.length > 0 ? changes.join(", ") : undefined;
}

/** Where each hart stands when a decision holds it, in the order of the run. */
export function tell(bench: Bench, kernel: ProgramSymbols, command: string, schedule: Schedule): readonly Stop[] {
	if (schedule.kind !== "directed") return [];
	const { machine } = bench;
	const stops = schedule.decisions.flatMap((decision): Stop[] => {
		bench.begin(command, schedule);
		const hart = machine.harts[decision.hart];
		if (!hart) return [];
		const stop = bench.advanceHart(decision.hart, decision.at);
		if (stop.kind !== "stepped") return [];
		const frame = frameAt(kernel, Number(hart.pc));
		return [{ decision, at: machine.instret, frame, process: processOn(machine, kernel, decision.hart) }];
	});
	return stops.sort((a, b) => a.at - b.at);
}

/** xorshift32; numbers from 0 to `below` - 1. */
function generator(seed: number): (below: number) => number {
	let state = Math.imul(seed + 1, 0x9e37_79b1) >>> 0 || 1;
	return (below) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
}
