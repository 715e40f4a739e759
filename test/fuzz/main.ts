import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Random } from "../support/random.ts";
import { fuzzClasses, runCase } from "./classes.ts";

/**
 * `npm run fuzz -- CLASS [--minutes N] [--seed S] [--cases N]`. Cases run in a thread, so that one that never ends is found, too.
 * Minutes are CPU time, so that a busy machine tries as many cases. A find prints its seed and the command that repeats it; exit code 1.
 */

/** Work that one case may take, in ms of this process' CPU time: a busy machine makes no finds. */
const mostMs = 30_000;

interface Job {
	readonly name: string;
	readonly seed: number;
	readonly cases: number;
	readonly minutes: number;
	/** The seed that is run now, and the cases that are done. */
	readonly now: Int32Array;
}

function usage(): never {
	const classes = Object.entries(fuzzClasses).map(([name, { about }]) => `  ${name.padEnd(12)}${about}\n`);
	process.stderr.write(`npm run fuzz -- CLASS [--minutes N] [--seed S] [--cases N]\n${classes.join("")}`);
	process.exit(2);
}

function option(name: string): number | undefined {
	const at = process.argv.indexOf(`--${name}`);
	if (at < 0) return undefined;
	const value = Number(process.argv[at + 1]);
	return Number.isFinite(value) && value >= 0 ? value : usage();
}

function start(): void {
	const name = process.argv[2] ?? "";
	if (!Object.hasOwn(fuzzClasses, name)) usage();
	const minutes = option("minutes") ?? 1;
	const seed = option("seed") ?? Date.now() % 1_000_000_000;
	const cases = option("cases") ?? Number.MAX_SAFE_INTEGER;
	const now = new Int32Array(new SharedArrayBuffer(8));
	const command = () => `npm run fuzz -- ${name} --seed ${now[0]} --cases 1`;
	console.log(`${name}: ${fuzzClasses[name]?.about}; from seed ${seed}`);
	const worker = new Worker(new URL(import.meta.url), {
		workerData: { name, seed, cases, minutes, now } satisfies Job,
	});
	const found = (what: string) => {
		console.log(`FOUND by seed ${now[0]}: ${what}\nagain: ${command()}`);
		process.exit(1);
	};
	let at = -1;
	let since = process.cpuUsage();
	let firstRss = 0;
	const watch = setInterval(() => {
		if (firstRss === 0 && (now[1] ?? 0) > 20) firstRss = process.memoryUsage.rss();
		if (now[1] !== at) {
			at = now[1] ?? 0;
			since = process.cpuUsage();
		} else {
			const { user, system } = process.cpuUsage(since);
			if ((user + system) / 1000 > mostMs) found(`no end after ${mostMs / 1000} s of work`);
		}
	}, 500);
	worker.on("message", (text: string) => found(text));
	worker.on("error", (error) => found(error.stack ?? String(error)));
	worker.on("exit", () => {
		clearInterval(watch);
		const mib = (bytes: number) => Math.round(bytes / (1 << 20));
		console.log(
			`${now[1]} cases, nothing found; ${mib(firstRss)} MiB early, ${mib(process.memoryUsage.rss())} MiB at the end`,
		);
	});
}

async function work({ name, seed, cases, minutes, now }: Job): Promise<void> {
	const kind = fuzzClasses[name];
	if (!kind) return;
	const spent = () => {
		const { user, system } = process.cpuUsage();
		return (user + system) / 60e6;
	};
	for (let i = 0; i < cases && (cases !== Number.MAX_SAFE_INTEGER || spent() < minutes); i++) {
		now[0] = seed + i;
		try {
			await runCase(kind, new Random(seed + i));
		} catch (error) {
			parentPort?.postMessage((error as Error).stack ?? String(error));
			return;
		}
		now[1] = i + 1;
	}
}

if (isMainThread) start();
else void work(workerData as Job);
