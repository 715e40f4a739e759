import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { StartGradeWorker } from "../../grade/gradeRun.ts";
import type { GradeMessage } from "../../grade/types.ts";

/** Memory of the worker's own heap; the interpreter's and the machine's are WebAssembly's. */
const heapMiB = 512;

/** Grade workers of a built `dist` folder, with nothing of this process's environment or output. */
export function gradeWorkers(dist: string): StartGradeWorker {
	return () => {
		const worker = new Worker(join(dist, "worker/gradeWorker.node.cjs"), {
			env: {},
			stdout: true,
			stderr: true,
			resourceLimits: { maxOldGenerationSizeMb: heapMiB },
		});
		return {
			post: (job) => worker.postMessage(job),
			onMessage: (listener) => void worker.on("message", (message: GradeMessage) => listener(message)),
			onExit: (listener) => {
				worker.on("error", (error: Error) => listener(error.message ?? String(error)));
			},
			terminate: () => void worker.terminate(),
		};
	};
}
