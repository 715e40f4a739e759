import { availableParallelism } from "node:os";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { BuildOutput } from "../build/types.ts";
import { UserError, type UserErrorData } from "../common/errors.ts";
import { distFolder } from "../env/node/dist.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { type LabRunRequest, runLab, type TestShare, verdictsOf } from "../lab/runner.ts";
import type { MachineParams } from "../protocol/engine.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { breathe, createMachine, observe } from "./machine.ts";

/** A thread has to boot first: fewer tests than this are done before. */
const testsEach = 6;
/** Each has a machine of its own. */
const mostThreads = 4;

/** Threads that so many runs of a test are worth; `asked`: `--jobs`. */
export function threadsFor(tests: number, asked?: number): number {
	return Math.max(1, Math.min(asked ?? Math.min(availableParallelism(), mostThreads), Math.floor(tests / testsEach)));
}

/** What a thread is told: everything that a verdict depends on. */
interface Job extends Pick<LabRunRequest, "manifest" | "programs" | "changed" | "allowUnchecked" | "harts" | "seeds"> {
	readonly sideBySide: true;
	readonly dir: string;
	readonly output: BuildOutput;
	readonly params: MachineParams;
	readonly tests: NonNullable<LabRunRequest["tests"]>;
	readonly timerAt?: number;
	readonly limit?: number;
	/** A byte for each test with the first seed, then with the next: 1 = a thread has it. */
	readonly taken: SharedArrayBuffer;
}

type FromThread = { readonly verdict: Verdict } | { readonly failed: UserErrorData | string };

/** Ends a run by the clock: the boot, and each test. */
export function patienceOf(ms: number): () => boolean {
	const end = performance.now() + ms;
	return () => performance.now() > end;
}

/**
 * The tests in this thread and `threads - 1` more, each with a machine that booted by itself; a free one takes the next.
 * A test begins at the booted moment wherever it runs, so verdicts and their order are those of one thread.
 */
export async function runSideBySide(
	job: Omit<Job, "sideBySide" | "taken">,
	threads: number,
	onVerdict: (verdict: Verdict) => void,
	onDone: (count: number) => void = () => undefined,
): Promise<Verdict[]> {
	const { tests, seeds } = job;
	const taken = new SharedArrayBuffer(tests.length * seeds.length);
	const all: Job = { ...job, sideBySide: true, taken };
	/** Those that are not told yet, as one before them is not done. */
	const done = new Map<number, Verdict>();
	const places = placesOf(job);
	const verdicts = await verdictsOf({ ...job, tree: new NodeTree(job.dir) }, tests.length > 1, onVerdict);
	let [added, count] = [0, 0];
	const add = (verdict: Verdict) => {
		const index = tests.findIndex(({ id }) => id === verdict.test);
		done.set(places(index, verdict.seed), verdict);
		onDone(++count);
		for (let next = done.get(added); next; next = done.get(added)) {
			done.delete(added++);
			verdicts.add(next);
		}
	};
	const workers: Worker[] = [];
	try {
		const others = Array.from({ length: threads - 1 }, () => {
			const worker = new Worker(join(distFolder(), "cli/xv6-lab.mjs"), { workerData: all });
			workers.push(worker);
			return answersOf(worker, add);
		});
		await Promise.all([run(all, true, add), ...others]);
	} finally {
		await Promise.all(workers.map((worker) => worker.terminate()));
	}
	return verdicts.end();
}

function answersOf(worker: Worker, add: (verdict: Verdict) => void): Promise<void> {
	return new Promise((resolve, reject) => {
		worker.on("message", (message: FromThread) => {
			if ("verdict" in message) add(message.verdict);
			else reject(typeof message.failed === "string" ? new Error(message.failed) : UserError.fromData(message.failed));
		});
		worker.on("error", reject);
		worker.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a thread of tests ended with ${code}`))));
	});
}

/** In the order of verdicts. */
function placesOf({ tests, seeds }: Pick<Job, "tests" | "seeds">): (index: number, seed: number) => number {
	const rows = new Map(seeds.map((seed, row) => [seed, row]));
	return (index, seed) => (rows.get(seed) ?? 0) * tests.length + index;
}

async function run(job: Job, leads: boolean, onVerdict: (verdict: Verdict) => void): Promise<void> {
	const { output, params, limit, manifest } = job;
	const taken = new Uint8Array(job.taken);
	const places = placesOf(job);
	const share: TestShare = {
		leads,
		take: (index, seed) => Atomics.exchange(taken, places(index, seed), 1) === 0,
		isFree: (index, seed) => Atomics.load(taken, places(index, seed)) === 0,
	};
	await runLab({
		...{ manifest, tests: job.tests, harts: job.harts, seeds: job.seeds, share, onVerdict, breathe },
		tree: new NodeTree(job.dir),
		programs: output.programs,
		...(job.changed ? { changed: job.changed } : {}),
		...(job.allowUnchecked === undefined ? {} : { allowUnchecked: job.allowUnchecked }),
		createMachine: async (_, seed) => (await createMachine(output, { ...params, seed })).machine,
		observe: (machine) => observe(machine, output, manifest),
		...(limit === undefined ? {} : { patience: () => patienceOf(limit) }),
		...(job.timerAt === undefined ? {} : { timerAt: job.timerAt }),
	});
}

/** The other end; false: this is no such thread. */
export function servesTests(): boolean {
	const job = workerData as Job | null;
	if (isMainThread || job?.sideBySide !== true) return false;
	const post = (message: FromThread) => parentPort?.postMessage(message);
	run(job, false, (verdict) => post({ verdict })).catch((error: unknown) => {
		const said = (error as Error).stack ?? String(error);
		post({ failed: error instanceof UserError ? error.toData() : said });
	});
	return true;
}
