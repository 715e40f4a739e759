import { cancelled } from "../common/errors.ts";
import { gradeLimits } from "./limits.ts";
import type { GradeJob, GradeMessage, GradeResult, GradeTest } from "./types.ts";

/** A worker for one script (src/worker/gradeWorker.ts). Terminating it ends whatever the script does. */
interface GradeWorker {
	post(job: GradeJob): void;
	onMessage(listener: (message: GradeMessage) => void): void;
	/** It ended without an `end` message. */
	onExit(listener: (why: string) => void): void;
	terminate(): void;
}

export type StartGradeWorker = () => GradeWorker;

interface GradeListeners {
	readonly onTests?: (tests: readonly GradeTest[]) => void;
	readonly onBegin?: (test: GradeTest) => void;
	readonly onResult?: (result: GradeResult) => void;
	readonly onConsole?: (text: string) => void;
	readonly onPrint?: (text: string) => void;
	/** Milliseconds that the script may compute for itself; default: {@link gradeLimits}. */
	readonly thinkMs?: number;
}

export interface GradeReport {
	readonly tests: readonly GradeTest[];
	readonly results: readonly GradeResult[];
	/** Why the script did not come to its end; tests without a result were not run. */
	readonly failure: string | undefined;
}

/**
 * Runs a script in a worker, which ends with it. A script that computes for ever is stopped; one that fails is reported, not thrown.
 * Rejects with `cancelled`, and for defects of ours.
 */
export function runGrade(
	start: StartGradeWorker,
	job: GradeJob,
	listeners: GradeListeners = {},
	signal?: AbortSignal,
): Promise<GradeReport> {
	if (signal?.aborted) return Promise.reject(cancelled());
	return new Promise((resolve, reject) => {
		let tests: readonly GradeTest[] = [];
		const results: GradeResult[] = [];
		let running: GradeTest | undefined;
		let timer: ReturnType<typeof setTimeout> | undefined;
		const worker = start();
		const close = () => {
			clearTimeout(timer);
			signal?.removeEventListener("abort", abort);
			worker.terminate();
		};
		const abort = () => {
			close();
			reject(cancelled());
		};
		const add = (result: GradeResult) => {
			results.push(result);
			listeners.onResult?.(result);
		};
		const finish = (failure: string | undefined) => {
			close();
			if (failure !== undefined && running) {
				const none = { output: "", runs: [], diagnoses: [], findings: [], faults: [], stack: [] };
				add({ test: running, outcome: "errored", message: `The script was stopped: ${failure}`, ...none });
			}
			resolve({ tests, results, failure });
		};
		const watch = () => {
			clearTimeout(timer);
			const thinkMs = listeners.thinkMs ?? gradeLimits.thinkMs;
			timer = setTimeout(
				() => finish(`it computed for ${thinkMs / 1000} seconds without running the machine, as an endless loop does`),
				thinkMs,
			);
		};
		worker.onExit((why) => {
			close();
			reject(new Error(`the grade worker ended: ${why}`));
		});
		worker.onMessage((message) => {
			watch();
			switch (message.kind) {
				case "tests":
					tests = message.tests;
					listeners.onTests?.(tests);
					break;
				case "begin":
					running = tests.find(({ id }) => id === message.test);
					if (running) listeners.onBegin?.(running);
					break;
				case "result":
					running = undefined;
					add(message.result);
					break;
				case "console":
					listeners.onConsole?.(message.text);
					break;
				case "print":
					listeners.onPrint?.(message.text);
					break;
				case "end":
					finish(message.failure);
					break;
			}
		});
		signal?.addEventListener("abort", abort);
		watch();
		worker.post(job);
	});
}
