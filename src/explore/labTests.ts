import { throwIfCancelled } from "../common/cancellation.ts";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { judge } from "../lab/judge.ts";
import type { LabManifest, LabTest } from "../lab/manifest.ts";
import type { Machine } from "../machine/machine.ts";
import type { Instructions } from "../machine/types.ts";
import type { Reason, Verdict } from "../protocol/verdict.ts";
import type { CommandEnd } from "../session/commandEnd.ts";
import { Bench, type BenchRun } from "./bench.ts";
import { exploreOn, exploreSchedule } from "./explore.ts";
import { markedPlaces } from "./record.ts";
import { type Finding, renderFinding } from "./report.ts";
import { scheduleText } from "./scheduleText.ts";
import { type SearchProgress, searchOn } from "./search.ts";
import { renderHarm } from "./story.ts";

interface LabExplorerParts {
	readonly kernel: ProgramSymbols;
	readonly manifest: LabManifest;
	/** A machine at power-on, of one core or the other. */
	readonly createMachine: (watch: boolean) => Promise<Machine>;
	readonly breathe: () => Promise<void>;
	readonly signal?: AbortSignal;
}

/** What detectors and schedules say of a test that passed. */
interface TestExploration {
	/** Empty: nothing was found. */
	readonly reasons: readonly Reason[];
	/** The detectors' reports and the failing schedule. */
	readonly reports: NonNullable<Verdict["exploration"]>;
	readonly schedules: number;
	/** The schedule that fails, made small: in one word, and told. */
	readonly harm?: { readonly schedule: string; readonly kind: string; readonly text: string };
	/** Of the machine after the failing schedule; without one, after the detectors' run. */
	readonly stateHash: string;
	/** Of the detectors' run. */
	readonly instructions: Instructions;
}

interface Benches {
	readonly plain: Bench;
	/** Undefined: the kernel did not come to its prompt. */
	readonly watched?: { readonly bench: Bench; readonly end: CommandEnd };
}

/** A watched and a plain machine, booted once for all tests of a lab. */
export class LabExplorer implements Disposable {
	private readonly store = new DisposableStore();
	private machines: Promise<Benches> | undefined;

	constructor(private readonly parts: LabExplorerParts) {}

	/** The plain one boots, and the watched one takes over its prompt. */
	private async boot(): Promise<Benches> {
		const { kernel, breathe, signal, createMachine } = this.parts;
		const parts = { kernel, breathe, ...(signal ? { signal } : {}) };
		const { bench: plain, end } = await Bench.boot({ ...parts, machine: this.store.add(await createMachine(false)) });
		this.store.add(plain);
		if (end.kind !== "prompt") return { plain };
		const watched = Bench.beside({ ...parts, machine: this.store.add(await createMachine(true)) }, plain);
		return { plain, watched: { bench: this.store.add(watched), end } };
	}

	/** Detectors on one run of the test's command, then so many schedules. */
	async explore(
		test: LabTest,
		schedules: number,
		onProgress?: (progress: SearchProgress) => void,
		/** Instructions for the detectors' run. */
		mostWatched: Instructions = test.budget,
	): Promise<TestExploration> {
		const { kernel, manifest, signal } = this.parts;
		this.machines ??= this.boot();
		const { watched, plain } = await this.machines;
		const nothing = { reasons: [], reports: [], schedules: 0, stateHash: "", instructions: 0 };
		if (!watched) return nothing;
		const setup = test.setup ?? [];
		for (const bench of [watched.bench, plain]) if (!(await bench.prepare(setup))) return nothing;
		throwIfCancelled(signal);
		const command = test.command ?? test.program;
		const benign = manifest.benignRaces ? { benign: manifest.benignRaces } : {};
		const request = {
			kernel,
			command,
			schedule: exploreSchedule(0),
			sites: schedules > 0,
			budget: Math.min(test.budget, mostWatched),
			...benign,
		};
		const { findings, sites, end, stateHash, instructions } = await exploreOn(watched.bench, watched.end, request);
		const judged = (run: BenchRun): string | undefined => wrong(test, run);
		const found =
			schedules > 0 && end.kind === "prompt"
				? await searchOn(plain, {
						kernel,
						command,
						sites,
						schedules,
						judge: judged,
						...(onProgress ? { onProgress } : {}),
					})
				: undefined;
		const harm = found?.harm;
		const reasons: Reason[] = findings.map(({ title }) => ({ kind: "concurrency", message: title }));
		if (harm) reasons.push({ kind: "concurrency", message: `Schedule ${harm.text} fails: ${harm.failure.kind}` });
		const text = harm ? renderHarm(harm) : "";
		const reports = [
			...findings.map(reportOf),
			...(harm ? [{ text, moment: { schedule: harm.text }, stack: [] }] : []),
		];
		return {
			...{ reasons, reports, instructions },
			schedules: found?.schedules ?? 0,
			...(harm ? { harm: { schedule: harm.text, kind: harm.failure.kind, text } } : {}),
			stateHash: harm?.stateHash ?? stateHash,
		};
	}

	dispose(): void {
		this.store.dispose();
	}
}

function reportOf(finding: Finding): NonNullable<Verdict["exploration"]>[number] {
	const last = finding.places.at(-1);
	const stack = last?.stack ?? [];
	const moment = {
		schedule: scheduleText(exploreSchedule(0)),
		...(last ? { before: { hart: last.hart, step: last.step }, places: markedPlaces(finding.places) } : {}),
	};
	return {
		text: renderFinding(finding),
		moment,
		stack: stack.map(({ function: name, ...place }) => ({ name, ...place })),
	};
}

/** What the test says of a run by its output alone: invariants have evidence only where the kernel is observed. */
function wrong(test: LabTest, { end, output, instructions }: BenchRun): string | undefined {
	const evidence = {
		freeBefore: undefined,
		freeAfter: undefined,
		findings: [],
		killed: undefined,
		framesAt: () => undefined,
	};
	const reasons = judge(test, { end, output, instructions }, { ...evidence, run: undefined, changed: [] });
	return reasons.find(({ kind }) => kind === "output" || kind === "program-missing")?.message;
}

/** The verdict of a test, with what the exploration found: it passes only where that is nothing. */
export function withExploration(verdict: Verdict, { reasons, reports }: TestExploration): Verdict {
	if (reasons.length === 0) return verdict;
	const outcome = verdict.outcome === "passed" ? "failed" : verdict.outcome;
	return { ...verdict, outcome, reasons: [...verdict.reasons, ...reasons], exploration: reports };
}
