import type { LabManifest } from "../../lab/manifest.ts";
import type { Built, Line, Submission, Unit, UnitResult } from "./lines.ts";
import { identify } from "./names.ts";
import { furtherUnits, runUnits } from "./plan.ts";
import type { Policy } from "./policy.ts";
import type { Results } from "./results.ts";

export type ReadAnswer = Pick<Submission, "tree" | "root" | "notes" | "problem">;
export type BuildAnswer = Pick<Built, "kernel" | "says" | "changed" | "problem" | "cpuMs">;

/** A process that reads, builds and judges one submission at a time. Any call rejects with {@link JudgeStopped} when it was stopped. */
export interface Judge {
	/** It has had another submission before. */
	readonly used: boolean;
	read(source: string): Promise<ReadAnswer>;
	build(): Promise<BuildAnswer>;
	run(units: readonly Unit[], begin: (unit: Unit) => void, done: (result: UnitResult) => void): Promise<void>;
	end(): void;
}

/** A judge is gone: it reached a limit, or somebody killed it. */
export class JudgeStopped extends Error {
	override readonly name = "JudgeStopped";
	constructor(
		/** `used more than 2 GiB of memory` */
		readonly why: string,
	) {
		super(why);
	}
}

interface ClassRequest {
	/** Names in the folder of the class. */
	readonly sources: readonly string[];
	readonly manifest: LabManifest;
	readonly policy: Policy;
	readonly jobs: number;
	/** What is known from before; grows. */
	readonly results: Results;
	readonly open: () => Judge;
	/** What a kernel is tried with, step by step; default: what lab and policy say. */
	readonly plan?: (kernel: string) => readonly Unit[];
	/** Keeps a line; called once for each, and before anything builds on it. */
	readonly append: (line: Line) => void;
	readonly signal?: AbortSignal;
	readonly onDone?: (source: string, worked: boolean) => void;
}

/** A kernel that ends so many judges is not tried further. */
const mostStops = 3;

/** Judges what is not judged yet. One student's tree costs only that student: a judge that is stopped is replaced. */
export async function gradeClass(request: ClassRequest): Promise<void> {
	const queue = [...request.sources];
	const locks = new Locks();
	const desks = Array.from(
		{ length: Math.max(1, Math.min(request.jobs, queue.length)) },
		() => new Desk(request, locks),
	);
	const stop = () => {
		for (const desk of desks) desk.close();
	};
	request.signal?.addEventListener("abort", stop, { once: true });
	try {
		await Promise.all(
			desks.map(async (desk) => {
				for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
					if (request.signal?.aborted) return;
					const worked = await desk.grade(source);
					request.onDone?.(source, worked);
				}
			}),
		);
	} finally {
		stop();
	}
}

/** What is under work when a judge stops. */
type Work =
	| { readonly at: "read" }
	| { readonly at: "build"; readonly tree: string }
	| { readonly at: "unit"; readonly unit: Unit; readonly planned: readonly Unit[] };

class Desk {
	private judge: Judge | undefined;
	private work: Work = { at: "read" };
	private worked = false;

	constructor(
		private readonly request: ClassRequest,
		private readonly locks: Locks,
	) {}

	/** Resolves with whether there was anything to do but reading. */
	async grade(source: string): Promise<boolean> {
		this.worked = false;
		let stops = 0;
		for (;;) {
			this.judge ??= this.request.open();
			const { judge } = this;
			const { used } = judge;
			this.work = { at: "read" };
			try {
				await this.submission(judge, source);
				return this.worked;
			} catch (error) {
				if (!(error instanceof JudgeStopped)) throw error;
				this.close();
				if (this.request.signal?.aborted) return false;
				// What a judge has gathered before is not this submission's fault: it gets a fresh one.
				if (!used && this.blame(source, error.why, ++stops)) return true;
			}
		}
	}

	close(): void {
		this.judge?.end();
		this.judge = undefined;
	}

	private async submission(judge: Judge, source: string): Promise<void> {
		const { results, manifest, policy } = this.request;
		const known = results.submissions.get(source);
		if (known?.stopped) return;
		const answer = await judge.read(source);
		const line: Submission = { kind: "submission", ...identify(source), source, ...answer };
		if (!results.has(line)) this.keep(line);
		const { tree } = answer;
		if (tree === undefined) return;
		let built = false;
		await this.locks.hold(tree, async () => {
			if (results.builds.has(tree)) return;
			this.work = { at: "build", tree };
			this.worked = true;
			this.keep({ kind: "build", tree, ...(await judge.build()) });
			built = true;
		});
		const kernel = results.builds.get(tree)?.kernel;
		if (kernel === undefined) return;
		await this.locks.hold(kernel, async () => {
			const own = this.request.plan;
			const steps = own
				? [() => own(kernel)]
				: [() => runUnits(kernel, manifest, policy), () => furtherUnits(kernel, manifest, policy, results)];
			for (const step of steps) {
				const planned = step().filter((unit) => !results.unit(unit));
				const [first] = planned;
				if (!first) continue;
				this.worked = true;
				if (!built) {
					this.work = { at: "build", tree };
					await judge.build();
				}
				built = true;
				this.work = { at: "unit", unit: first, planned };
				await judge.run(
					planned,
					(unit) => {
						this.work = { at: "unit", unit, planned };
					},
					(result) => this.keep(result),
				);
			}
		});
	}

	/** True: nothing more to do for this submission. */
	private blame(source: string, why: string, stops: number): boolean {
		const { work } = this;
		const problem = `The judge of this submission was stopped: it ${why}`;
		if (work.at === "read") {
			this.keep({ kind: "submission", ...identify(source), source, notes: [], problem, stopped: true });
			return true;
		}
		if (work.at === "build") {
			const { builds } = this.request.results;
			// Stopped in building again what was built before: as good as a build that failed.
			builds.delete(work.tree);
			this.keep({ kind: "build", tree: work.tree, changed: [], problem, stopped: true, cpuMs: 0 });
			return true;
		}
		const left = work.planned.filter((unit) => !this.request.results.unit(unit));
		for (const unit of stops < mostStops ? [work.unit] : left) {
			if (this.request.results.unit(unit)) continue;
			const own = unit === work.unit ? problem : `Not run: the judge of this kernel was stopped ${stops} times`;
			this.keep(stoppedUnit(unit, own));
		}
		return false;
	}

	private keep(line: Line): void {
		this.request.append(line);
		this.request.results.add(line);
	}
}

function stoppedUnit(unit: Unit, problem: string): UnitResult {
	return {
		kind: "unit",
		...{ kernel: unit.kernel, test: unit.test, strategy: unit.strategy, seeds: [...unit.seeds] as [number, number] },
		...{ outcome: "errored", text: problem, reason: problem, mistakes: [{ key: "stopped", text: problem }] },
		...{ seed: unit.seeds[0], harts: 0, command: "", stateHash: "", instructions: 0, stopped: true, cpuMs: 0 },
	};
}

/** Two submissions with the same tree or kernel: the second waits, and finds it done. */
class Locks {
	private readonly held = new Map<string, Promise<void>>();

	async hold(key: string, work: () => Promise<void>): Promise<void> {
		const before = this.held.get(key) ?? Promise.resolve();
		const mine = before.then(work);
		this.held.set(
			key,
			mine.catch(() => undefined),
		);
		await mine;
	}
}
